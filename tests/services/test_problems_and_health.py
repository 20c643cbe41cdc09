"""Problems come, are told once, and go away."""

from __future__ import annotations

import pytest

from appliance.db import problems as rows
from appliance.db import site as sites
from appliance.domain.errors import NotFound
from appliance.domain.problem import ProblemKind
from appliance.services import health, integrity, problems, settings
from appliance.services.announce import ProblemsChanged
from appliance.services.stations import admission, status
from tests.support.books import BY, NOON_MS, Books
from tests.support.statuses import status_changed

CARD = "04A1B2C3"
MINUTE_MS = 60_000


def kinds(books: Books) -> list[str]:
    return [one.kind for one in rows.open_problems(books.db)]


def test_a_problem_is_one_row_however_often_it_is_raised(books: Books) -> None:
    books.db.announcements.clear()
    for number in range(3):
        problems.raise_problem(books.db, ProblemKind.DISK_SPACE, "disk", NOON_MS + number, free_mb=100)

    (only,) = rows.open_problems(books.db)
    assert (only.since_ms, only.details) == (NOON_MS, {"free_mb": 100})
    assert books.db.announcements == [ProblemsChanged()]


def test_a_problem_keeps_its_beginning_when_its_numbers_change(books: Books) -> None:
    problems.raise_problem(books.db, ProblemKind.DISK_SPACE, "disk", NOON_MS, free_mb=100)
    problems.raise_problem(books.db, ProblemKind.DISK_SPACE, "disk", NOON_MS + 5, free_mb=90)

    (only,) = rows.open_problems(books.db)
    assert (only.since_ms, only.details) == (NOON_MS, {"free_mb": 90})


def test_a_problem_that_comes_back_is_a_new_one(books: Books) -> None:
    for at_ms in (NOON_MS, NOON_MS + 100):
        problems.raise_problem(books.db, ProblemKind.DISK_SPACE, "disk", at_ms, free_mb=100)
        problems.clear_problem(books.db, ProblemKind.DISK_SPACE, "disk", at_ms + 1)

    assert kinds(books) == []
    assert [one.since_ms for one in rows.history(books.db, None, 10)] == [NOON_MS + 100, NOON_MS]


def test_somebody_says_that_they_have_looked(books: Books) -> None:
    problems.raise_problem(books.db, ProblemKind.STRAY_STOP, "station:1", NOON_MS, station=1, ref="7")
    (only,) = rows.open_problems(books.db)
    problems.acknowledge(books.db, only.id, BY)

    assert kinds(books) == []
    with pytest.raises(NotFound):
        problems.acknowledge(books.db, only.id, BY)


def test_what_happens_again_is_counted_and_named_in_one_row(books: Books) -> None:
    for number in range(7):
        problems.raise_problem(
            books.db, ProblemKind.STRAY_STOP, "station:1", NOON_MS + number, station=1, ref=str(number)
        )

    (only,) = rows.open_problems(books.db)
    assert (only.times, only.since_ms, only.last_at_ms) == (7, NOON_MS, NOON_MS + 6)
    assert only.details == {"station": 1, "ref": ["2", "3", "4", "5", "6"]}


def test_the_very_same_counts_once_a_minute(books: Books) -> None:
    for second in (0, 1, 59, 60, 119, 120):
        at_ms = NOON_MS + second * 1000
        problems.raise_problem(books.db, ProblemKind.WRONG_URL, "address:10.0.0.9", at_ms, path="/x")

    (only,) = rows.open_problems(books.db)
    assert (only.times, only.last_at_ms) == (3, NOON_MS + 120_000)


def test_a_problem_tells_of_the_last_time_and_not_of_one_before(books: Books) -> None:
    told: tuple[dict[str, object], ...] = ({"note": "no register", "session": 7}, {"note": "a list"})
    for minute, details in enumerate(told):
        problems.raise_problem(
            books.db, ProblemKind.UNREADABLE, "station:1", NOON_MS + minute * MINUTE_MS, station=1, **details
        )

    (only,) = rows.open_problems(books.db)
    assert only.details == {"station": 1, "note": "a list"}


def test_two_devices_stay_told_by_their_serials_when_their_addresses_are_seen_too(books: Books) -> None:
    devices = [{"vendor": "Acme", "model": "Wall", "serial": serial, "address": "10.0.0.7"} for serial in "AB"]
    told: tuple[dict[str, object], ...] = ({"devices": devices}, {"addresses": "10.0.0.7, 10.0.0.8"})
    for minute, details in enumerate(told):
        at_ms = NOON_MS + minute * MINUTE_MS
        problems.raise_problem(books.db, ProblemKind.DUPLICATE_IDENTITY, "station:1", at_ms, **details)

    (only,) = rows.open_problems(books.db)
    assert (only.times, only.details["devices"]) == (2, devices)


def test_what_lasts_is_put_aside_until_it_comes_anew(books: Books) -> None:
    problems.raise_problem(books.db, ProblemKind.DISK_SPACE, "disk", NOON_MS, free_mb=100)
    (only,) = rows.open_problems(books.db)
    problems.acknowledge(books.db, only.id, BY)
    problems.raise_problem(books.db, ProblemKind.DISK_SPACE, "disk", NOON_MS + 1, free_mb=90)
    assert (kinds(books), rows.count_open(books.db)) == ([], 0)
    assert [(one.kind, one.details) for one in rows.dismissed(books.db)] == [("disk_space", {"free_mb": 90})]
    with pytest.raises(NotFound):
        problems.acknowledge(books.db, only.id, BY)

    problems.clear_problem(books.db, ProblemKind.DISK_SPACE, "disk", NOON_MS + 2)
    assert rows.dismissed(books.db) == []
    problems.raise_problem(books.db, ProblemKind.DISK_SPACE, "disk", NOON_MS + 3, free_mb=90)
    assert kinds(books) == ["disk_space"]


def test_a_dismissed_one_comes_back_when_it_happens_anew(books: Books) -> None:
    problems.raise_problem(books.db, ProblemKind.STRAY_STOP, "station:1", NOON_MS, station=1, ref="7")
    (first,) = rows.open_problems(books.db)
    problems.acknowledge(books.db, first.id, BY)
    problems.raise_problem(books.db, ProblemKind.STRAY_STOP, "station:1", NOON_MS + 1, station=1, ref="8")

    (again,) = rows.open_problems(books.db)
    assert (again.id != first.id, again.times, again.details["ref"]) == (True, 1, "8")


def test_a_charger_said_to_be_away_stays_so_over_a_restart_of_the_server(books: Books) -> None:
    station = books.station()
    status.disconnected(books.db, station, books.now_ms)
    health.check_stations(books.db, frozenset(), 0, books.now_ms + 181_000)
    (before,) = rows.open_problems(books.db)
    restarted_ms = books.now_ms + 182_000
    health.check_stations(books.db, frozenset(), restarted_ms, restarted_ms + 1_000)

    assert [one.id for one in rows.open_problems(books.db)] == [before.id]


def test_clearing_a_station_clears_its_connectors_and_no_other_station(books: Books) -> None:
    for subject in ("station:1", "station:1:2", "station:12", "station:12:1"):
        problems.raise_problem(books.db, ProblemKind.FAULTED, subject, NOON_MS, station=1)
    problems.clear_subject(books.db, "station:1", NOON_MS)

    assert sorted(one.subject for one in rows.open_problems(books.db)) == ["station:12", "station:12:1"]


def test_a_station_that_stays_away_is_a_problem_until_it_is_back(books: Books) -> None:
    station = books.station()
    status.connected(books.db, station, "1.6", "10.0.0.7", books.now_ms)
    status.disconnected(books.db, station, books.now_ms)
    health.check_stations(books.db, frozenset(), 0, books.now_ms + 179_000)
    assert kinds(books) == []
    health.check_stations(books.db, frozenset(), 0, books.now_ms + 181_000)
    assert kinds(books) == ["offline"]
    health.check_stations(books.db, frozenset({station}), 0, books.now_ms + 182_000)
    assert kinds(books) == []


def test_a_station_that_never_came_is_a_problem_too(books: Books) -> None:
    books.station()
    health.check_stations(books.db, frozenset(), 0, books.now_ms + 200_000)

    (only,) = rows.open_problems(books.db)
    assert only.details["ever"] is False


def test_a_fault_is_a_problem_while_it_lasts(books: Books) -> None:
    station = books.station()
    status.status_changed(
        books.db, station, status_changed(1, "Faulted", books.now_ms, books.now_ms, error="GroundFailure", info="earth")
    )
    assert kinds(books) == ["faulted"]
    books.status(station, 2, "Available")
    assert kinds(books) == ["faulted"]
    books.status(station, 1, "Available")
    assert kinds(books) == []


def test_a_wrong_clock_is_a_problem_until_it_is_right(books: Books) -> None:
    station = books.station()
    status.clock_skew(books.db, station, 59_000, books.now_ms)
    assert kinds(books) == []
    for skew_ms in (61_000, -21_600_000):
        status.clock_skew(books.db, station, skew_ms, books.now_ms)
        assert kinds(books) == ["clock_skew"]
    status.clock_skew(books.db, station, 1_000, books.now_ms)
    assert kinds(books) == []


def test_a_session_nothing_is_heard_of_is_a_problem_until_it_speaks_or_ends(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=5_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(1_801)
    health.check_sessions(books.db, books.now_ms)
    assert kinds(books) == ["silent_session"]
    books.read(station, started.ref, 1_000)
    health.check_sessions(books.db, books.now_ms)
    assert kinds(books) == []
    books.wait(1_801)
    health.check_sessions(books.db, books.now_ms)
    books.stop(station, started.ref, 2_000)
    health.check_sessions(books.db, books.now_ms)
    assert kinds(books) == []


def test_little_disk_an_old_backup_and_a_foreign_setting_are_problems(books: Books) -> None:
    books.tariff()
    health.check_box(books.db, 499, books.now_ms)
    assert kinds(books) == ["disk_space"]
    health.check_box(books.db, 500, books.now_ms + 7 * 24 * 60 * MINUTE_MS + 1)
    assert kinds(books) == ["backup_age"]
    sites.backed_up(books.db, books.now_ms + 7 * 24 * 60 * MINUTE_MS)
    sites.set_setting(books.db, "colour", "green")
    sites.set_setting(books.db, "call_timeout_s", "soon")
    health.check_box(books.db, 500, books.now_ms + 7 * 24 * 60 * MINUTE_MS + 1)
    (only,) = rows.open_problems(books.db)
    assert (only.kind, sorted(only.details["names"])) == ("unread_setting", ["call_timeout_s", "colour"])


def test_a_setting_that_cannot_be_read_leaves_the_default(books: Books) -> None:
    sites.set_setting(books.db, "call_timeout_s", "soon")
    sites.set_setting(books.db, "heartbeat_interval_s", "60")

    found = settings.load(books.db)
    assert (found.call_timeout_s, found.heartbeat_interval_s) == (30, 60)


def test_broken_books_are_said_and_never_repaired(books: Books) -> None:
    assert integrity.verify(books.db, None, books.now_ms) == []
    books.db.flush()
    books.db.execute("DROP TRIGGER audit_no_update")
    rahima = books.person()
    books.db.flush()
    books.db.execute("UPDATE audit SET subject = 'person:99' WHERE subject = ?", (f"person:{rahima}",))

    wrong = integrity.verify(books.db, None, books.now_ms)
    health.report_books(books.db, wrong, books.now_ms)

    assert kinds(books) == ["books"]
    assert integrity.verify(books.db, None, books.now_ms) == wrong != []
    health.report_books(books.db, [], books.now_ms)
    assert kinds(books) == []
    books.db.execute("UPDATE audit SET subject = ? WHERE subject = 'person:99'", (f"person:{rahima}",))


def test_a_site_that_takes_no_strangers_lets_nobody_knock(books: Books) -> None:
    settings.change(books.db, "accept_unknown", "0")

    assert admission.knock(books.db, "X-1", "10.0.0.9", books.now_ms) is None
    assert kinds(books) == []
