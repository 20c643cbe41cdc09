"""The migration that takes one version's words out of the books, on a database that is full."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from appliance.db.engine.migrate import apply, migrate, migrations
from appliance.db.engine.protocols import Readable

THIS = 6
STATIONS = 2_000
SESSIONS_EACH = 10
SPOKEN = {
    "Available": ("Available", "", ""),
    "Preparing": ("Occupied", "", "Preparing"),
    "Charging": ("Occupied", "Charging", "Charging"),
    "SuspendedEV": ("Occupied", "SuspendedEV", "SuspendedEV"),
    "SuspendedEVSE": ("Occupied", "SuspendedEVSE", "SuspendedEVSE"),
    "Finishing": ("Occupied", "EVConnected", "Finishing"),
    "Reserved": ("Reserved", "", ""),
    "Unavailable": ("Unavailable", "", ""),
    "Faulted": ("Faulted", "", ""),
    "Humming": ("", "", "Humming"),
    "": ("", "", ""),
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Books as the release before left them, brought up to date."""
    path = tmp_path_factory.mktemp("filled") / "forecourt.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as before:
        for number, script in migrations():
            if number < THIS:
                apply(before, number, script)
        fill(before)
    migrate(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as after:
        after.execute("PRAGMA foreign_keys = ON")
        yield after


def fill(db: Readable) -> None:
    """Stations of every profile, connectors in every state, and rows that refer to them."""
    db.execute("BEGIN")
    words = list(SPOKEN)
    for station in range(1, STATIONS + 1):
        db.execute(
            "INSERT INTO station (id, identity, name, state, security_profile, created_at_ms) VALUES (?, ?, ?, 'approved', ?, 0)",
            (station, f"CS-{station}", f"Gate {station}", station % 3),
        )
        db.execute(
            "INSERT INTO connector (station_id, evse, connector, status, changed_at_ms) VALUES (?, 1, 1, ?, 7)",
            (station, words[station % len(words)]),
        )
        db.execute(
            "INSERT INTO message_log (station_id, at_ms, direction, action, request) VALUES (?, 0, 'in', 'Heartbeat', '{}')",
            (station,),
        )
        db.execute("INSERT INTO unknown_tag VALUES ('04A1B2C3', ?, 0, 0, 1)", (station,))
        for number in range(SESSIONS_EACH):
            db.execute(
                """INSERT INTO session (state, station_id, evse, id_token, policy, authorization, started_at_ms, meter_start_wh)
                VALUES ('ended', ?, 1, '04A1B2C3', '', '', ?, 0)""",
                (station, number),
            )
    db.execute("COMMIT")


def test_every_word_of_a_connector_is_told_in_neutral_ones_and_kept(db: Readable) -> None:
    words = list(SPOKEN)
    found = db.execute(
        "SELECT station_id, status, charging_state, finer_status, changed_at_ms FROM connector"
    ).fetchall()

    assert len(found) == STATIONS
    assert all(row[1:] == (*SPOKEN[words[row[0] % len(words)]], 7) for row in found)


def test_every_station_keeps_its_profile(db: Readable) -> None:
    found = db.execute("SELECT id, security_profile FROM station").fetchall()

    assert found == [(station, station % 3) for station in range(1, STATIONS + 1)]


def test_whatever_refers_to_a_station_still_does(db: Readable) -> None:
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT count(*) FROM session JOIN station ON station.id = station_id").fetchone() == (
        STATIONS * SESSIONS_EACH,
    )
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        db.execute("DELETE FROM station WHERE id = 1")


@pytest.mark.parametrize("profile", [0, 3])
def test_a_station_may_have_any_profile_of_ocpp(db: Readable, profile: int) -> None:
    db.execute("UPDATE station SET security_profile = ? WHERE id = 1", (profile,))
    assert db.execute("SELECT security_profile FROM station WHERE id = 1").fetchone() == (profile,)
    db.execute("UPDATE station SET security_profile = 1 WHERE id = 1")


@pytest.mark.parametrize("profile", [-1, 4])
def test_no_other_profile_is_kept(db: Readable, profile: int) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        db.execute("UPDATE station SET security_profile = ? WHERE id = 1", (profile,))


def test_of_the_tokens_that_are_there_nobody_has_told_the_type(db: Readable) -> None:
    assert db.execute("SELECT DISTINCT id_token_type FROM session").fetchall() == [("",)]
    assert db.execute("SELECT DISTINCT id_token_type FROM unknown_tag").fetchall() == [("",)]
