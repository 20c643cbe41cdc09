"""Every column of every table: whoever changes what stands there, in the file and with the triggers dropped, is found; or it is said here
why that cannot be, or need not be.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.db.integrity import anchors
from appliance.domain.identifiers import StationId
from appliance.host.anchors import AnchorFile
from appliance.services import integrity
from tests.reliability.test_tampering import DAY_MS, KEY, work
from tests.support.books import NOON_MS, open_books
from tests.support.full_site import fill

ROWS_MAX = 8
"""Of each table, from its first to its last."""
BEGAN_AND_RUNS = "it is reckoned anew when it ends, out of its readings, which have sums, and of how it began"
CHARGER = "what a charger says of itself from one moment to the next"
LOOKS = "what is shown, and decides nothing"
IN_HAND = "work in hand: it is forgotten in time, and no money hangs on it"
ONE = "there is one row, and no other may be"
SEARCH = "made anew out of the name or the number"
NAMED = "only chargers of OCPP 2.x name their transactions: what is told late is told by these"

NOT_FOUND: dict[str, str] = {
    "api_token.created_at_ms": LOOKS,
    "card.label_key": SEARCH,
    "card.label_words": SEARCH,
    "card.tap_counter": "it only rises; that it went back is found, and one that is too high opens nothing",
    "card_alias.likeness": LOOKS,
    "card_alias.vendor": LOOKS,
    "card_alias.model": LOOKS,
    "card_alias.created_at_ms": LOOKS,
    "desk_job.advice": LOOKS,
    "desk_job.changed_at_ms": LOOKS,
    "operator.language": LOOKS,
    "operator.created_at_ms": LOOKS,
    "operator_session.id": "it is gone, and another has come, as they do; who has it is sealed",
    "operator_session.address": LOOKS,
    "operator_session.browser": LOOKS,
    "operator_session.seen_at_ms": IN_HAND,
    "operator_session.ended_at_ms": "one that has ended is found if it holds again",
    "owner_key.id": ONE,
    "person.phone_digits": SEARCH,
    "person.name_key": SEARCH,
    "person.name_words": SEARCH,
    "person.note_words": SEARCH,
    "person_group.created_at_ms": LOOKS,
    "sealed_secret.name": "it opens under its name and the site's key only",
    "sealed_secret.sealed": "it opens as it was sealed, or not at all",
    "sealed_secret.changed_at_ms": LOOKS,
    "site.id": ONE,
    "site.pulse_at_ms": IN_HAND,
    "site.backup_at_ms": LOOKS,
    "site.statements_month": IN_HAND,
    "site.anchored": "it means something only where no anchor lies beside the books",
    "old_card.state": IN_HAND,
    "old_card.name": "as a list of another system said it",
    "old_card.copies": "how many there are is a problem by itself",
    "old_card.actor": NAMED,
    "old_card.at_ms": NAMED,
    "voucher_sheet.batch_id": "it opens for its own batch only",
}
"""Columns of whose changes nothing tells, and why."""
WHOLE_TABLES = {
    "batch_card": "in hand while a batch is made; then they are sealed with it",
    "message_log": IN_HAND,
    "message_log_size": IN_HAND,
    "problem": "found is how many there are; what they say is found anew, or staff have seen it",
    "received_seq": NAMED,
    "station_newcomer": IN_HAND,
    "station_transaction": NAMED,
    "unknown_tag": IN_HAND,
}
FOUND_IN = {
    "connector": {"power_told_w", "power_seen_w", "power_max_w"},
    "station": {"id", "identity", "name", "place", "state", "password_hash", "security_profile", "next_password_hash", "bound_to", "created_at_ms"},
}  # fmt: skip
"""Of chargers only these are found; the rest is what they say themselves."""
RUNS = {"id", "station_id", "evse", "id_token", "id_token_type", "policy", "tariff_id", "person_id", "card_id", "wallet_id", "requested_at_ms",
        "requested_by", "authorization", "meter_start_wh", "held_minor", "slices"}  # fmt: skip
"""Of a session that runs; of the rest: BEGAN_AND_RUNS."""
FOUND_WHERE = {
    "desk_job": "state IN ('done', 'failed')",
    "idle_span": "session_id IN (SELECT id FROM session WHERE state NOT IN ('requested', 'running'))",
    "pause_span": "session_id IN (SELECT id FROM session WHERE state NOT IN ('requested', 'running'))",
    "register_fraction": "session_id IN (SELECT id FROM session WHERE state NOT IN ('requested', 'running'))",
    "signed_value": "session_id IN (SELECT id FROM session WHERE state NOT IN ('requested', 'running'))",
    "old_card": "state <> 'listed'",
    "station": "state <> 'knocking'",
}
"""The rest is work in hand."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The books of a site of some years, with a day of work, which were found well just now."""
    folder = tmp_path_factory.mktemp("site")
    books = open_books(folder / "forecourt.db")
    fill(books)
    books.start(StationId(1), 4, "04C3D4E5F60780")
    work(books)
    books.db.flush()
    anchor = anchors.take(books.db, KEY, books.now_ms)
    anchors.keep(books.db, anchor)
    kept_by = AnchorFile(folder / "anchors", KEY)
    kept_by.save(integrity.reseal(books.db, kept_by, anchor))
    books.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    books.db.close()
    return folder


@pytest.fixture
def db(site: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A copy, as somebody opens it who minds no rules."""
    shutil.copytree(site, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "forecourt.db", isolation_level=None)) as opened:
        opened.execute("PRAGMA foreign_keys = OFF")
        opened.execute("PRAGMA ignore_check_constraints = ON")
        yield opened


def found_after(db: sqlite3.Connection, kept_by: AnchorFile, change: Callable[[], object]) -> list[str]:
    """What is found wrong after a change; then it is undone."""
    triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    db.execute("BEGIN")
    try:
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        change()
        for _, sql in triggers:
            db.execute(sql)
        return integrity.verify(db, kept_by, NOON_MS + 30 * DAY_MS)
    except sqlite3.IntegrityError:
        return ["there is another like that"]
    finally:
        db.execute("ROLLBACK")


TABLES = [
    "account", "anchor", "api_token", "approval", "audit", "batch_card", "bill", "buyer", "card", "card_alias", "card_limit", "card_station", "connector", "desk_job", "holder_month", "holder_sum", "holiday_list", "idempotency", "idle_span", "message_log", "message_log_size", "meter_key", "old_card", "operator", "operator_session", "owner_key", "pause_span", "person", "person_group", "person_limit", "place_tariff", "problem", "receipt", "received_seq", "register_fraction", "sample", "sealed_secret", "session", "session_day", "session_figure", "session_line", "setting", "shift", "signed_value", "site", "statement", "station", "station_day", "station_month", "station_newcomer", "station_transaction", "tariff", "transfer", "unknown_tag", "voucher", "voucher_batch", "voucher_sheet",
]  # fmt: skip


def test_all_tables_are_walked(db: sqlite3.Connection) -> None:
    there = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    assert [name for (name,) in there] == TABLES


@pytest.mark.parametrize("table", [table for table in TABLES if table not in WHOLE_TABLES])
def test_a_change_of_any_column_is_found(db: sqlite3.Connection, site: Path, table: str) -> None:
    kept_by, missed = AnchorFile(site / "anchors", KEY), set()
    columns = db.execute(f"PRAGMA table_info({table})").fetchall()
    key = [name for _, name, _, _, _, place in sorted(columns, key=lambda column: column[5]) if place]
    rows = db.execute(
        f"SELECT {', '.join(key)} FROM {table} WHERE {FOUND_WHERE.get(table, 'true')} ORDER BY {', '.join(key)}"
    ).fetchall()
    assert rows, f"the site has something in {table}"
    where = " AND ".join(f'"{name}" = ?' for name in key)
    for row in {*rows[:: max(1, len(rows) // ROWS_MAX)], rows[-1]}:
        for _, name, kind, _, _, _ in columns:
            if is_left_out(db, table, name, row):
                continue
            (was,) = db.execute(f'SELECT "{name}" FROM {table} WHERE {where}', row).fetchone()
            change = f'UPDATE {table} SET "{name}" = ? WHERE {where}'
            if not found_after(
                db, kept_by, lambda: db.execute(change, (another(db, table, name, kind, was), *row))  # noqa: B023  # called at once
            ):  # fmt: skip
                missed.add(f"{table}.{name} of {row}")

    assert missed == set()


def another(db: sqlite3.Connection, table: str, name: str, kind: str, was: object) -> object:
    """A value that could stand there as well."""
    if kind == "BLOB":
        return bytes(31) + b"\1"
    if kind == "TEXT":
        (other,) = db.execute(
            f'SELECT max("{name}") FROM {table} WHERE "{name}" IS NOT ? AND length("{name}") > 0', (was,)
        ).fetchone()
        return other if other is not None else f"{was or ''}x"
    values = {value for (value,) in db.execute(f'SELECT DISTINCT "{name}" FROM {table}')}
    return 1 - was if isinstance(was, int) and values <= {0, 1} else int(str(was or 0)) + 1


def is_left_out(db: sqlite3.Connection, table: str, name: str, row: tuple[object, ...]) -> bool:
    if f"{table}.{name}" in NOT_FOUND or (table in FOUND_IN and name not in FOUND_IN[table]):
        return True
    if table != "session":
        return False
    (state,) = db.execute("SELECT state FROM session WHERE id = ?", row).fetchone()
    return state in ("requested", "running") and name not in RUNS


@pytest.mark.parametrize("column", NOT_FOUND)
def test_what_is_said_not_to_be_found_is_not_found(db: sqlite3.Connection, site: Path, column: str) -> None:
    """Should one of them be found one day, its line goes."""
    table, _, name = column.partition(".")
    (kind,) = [kind for _, one, kind, *_ in db.execute(f"PRAGMA table_info({table})") if one == name]
    (was,) = db.execute(f"SELECT {name} FROM {table} LIMIT 1").fetchone()
    change = f"UPDATE {table} SET {name} = ? WHERE {name} IS ?"
    number = was if isinstance(was, int) else 0
    new = {"BLOB": b"another", "TEXT": f"{was}x", "INTEGER": 1 - number if number in (0, 1) else number + 1000}[kind]
    values = (new, was)

    assert found_after(db, AnchorFile(site / "anchors", KEY), lambda: db.execute(change, values)) == []


def test_every_reason_is_of_a_column_that_there_is(db: sqlite3.Connection) -> None:
    there = {
        f"{table}.{column[1]}" for table in TABLES for column in db.execute(f"PRAGMA table_info({table})").fetchall()
    }
    assert set(NOT_FOUND) <= there
    assert {f"{table}.{name}" for table, names in FOUND_IN.items() for name in names} <= there
    assert {f"session.{name}" for name in RUNS} <= there


def test_what_was_changed_so_that_it_cannot_be_read_is_said_and_hides_nothing_else(
    db: sqlite3.Connection, site: Path
) -> None:
    def change() -> None:
        db.execute("UPDATE tariff SET terms = 'x' WHERE terms IS NOT NULL")
        db.execute("UPDATE operator SET role = 'owner' WHERE role = 'viewer'")

    said = found_after(db, AnchorFile(site / "anchors", KEY), change)
    assert any(sentence.startswith("the books cannot be read") for sentence in said)
    assert any(sentence.startswith("operator:") for sentence in said)
