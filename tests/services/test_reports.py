"""Reports by each of what they are about: their sums are those of the sessions and of the receipts."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from appliance.db.report_lines import By
from appliance.db.takings import Taken, number_at, seq_at, takings
from appliance.domain.calendar import day_of
from appliance.domain.identifiers import PersonId, StationId
from appliance.services import reports
from appliance.services.reports import METHODS, Line
from appliance.services.sessions import start_requests
from appliance.services.wallets import wallets
from tests.support.books import NOON_MS, Books
from tests.support.staff import hired

ZONE = ZoneInfo("Asia/Dhaka")
TODAY = "2025-11-23"
CARD, OTHER = "04A1B2C3", "04B1B2C3"


@pytest.fixture(name="people")
def _people(books: Books) -> list[PersonId]:
    hired(books, "owner")
    books.tariff()
    found = [books.person(name, group=books.group(), paid_in=50_000) for name in ("Rahima Khatun", "Karim Ahmed")]
    for person, card in zip(found, (CARD, OTHER), strict=True):
        books.card(card, person)
    return found


@pytest.fixture(name="station")
def _station(books: Books, people: list[PersonId]) -> StationId:
    """Rahima charged an hour at 1, Karim twice at 2, of which one hour was idle; a start came to nothing."""
    station = books.station()
    one = books.start(station, 1, CARD).ref
    books.wait(3_600)
    books.stop(station, one, 6_000)
    for _turn in range(2):
        two = books.start(station, 2, OTHER).ref
        books.wait(3_600)
        books.status(station, 2, "SuspendedEV")
        books.wait(1_800)
        books.status(station, 2, "Charging")
        books.stop(station, two, 2_000)
        books.wait(60)
    asked = start_requests.request_start(books.db, station, 1, books.by, person=people[0])
    start_requests.cancel(books.db, asked.id, "rejected", books.now_ms)
    books.db.flush()
    return station


def report(books: Books, about: str, *, per_day: bool = False, first: str = TODAY, last: str = TODAY) -> list[Line]:
    books.db.flush()
    return reports.report(books.db, about, first, last, ZONE, books.now_ms, per_day=per_day)


def sums(line: Line) -> tuple[int, int, int, int]:
    assert line.charged is not None
    return line.charged.sessions, line.charged.energy_wh, line.charged.fees_minor, line.charged.working_s


def test_a_line_for_each_connector(books: Books, station: StationId) -> None:
    one, two = report(books, By.CONNECTORS)

    assert (one.key, one.name, sums(one)) == ("CS-01/1", "CS-01 · 1", (1, 5_000, 10_000, 3_600))
    assert (two.key, two.name, sums(two)) == ("CS-01/2", "CS-01 · 2", (2, 2_000, 4_000, 10_800))
    assert one.charged is not None
    assert two.charged is not None
    assert (one.charged.failed, two.charged.failed) == (1, 0)
    assert (two.charged.charging_s, two.charged.occupied_s) == (7_200, 10_800)


def test_a_charger_has_the_sums_of_its_connectors(books: Books, station: StationId) -> None:
    (line,) = report(books, By.STATIONS)
    assert (line.key, sums(line)) == ("CS-01", (3, 7_000, 14_000, 14_400))
    assert line.charged is not None
    assert (line.charged.idle_s, line.charged.failed) == (3_600, 1)
    assert line.capacity_s == 2 * (books.now_ms - NOON_MS) // 1000


@pytest.mark.parametrize("about", [By.CONNECTORS, By.PEOPLE, By.GROUPS, By.TARIFFS, By.OPERATORS])
def test_every_report_has_the_same_sums(books: Books, station: StationId, about: By) -> None:
    (of_station,) = report(books, By.STATIONS)
    lines = report(books, about)
    assert tuple(map(sum, zip(*map(sums, lines), strict=True))) == sums(of_station)
    assert report(books, about, first="2025-11-24", last="2025-11-30") == []


def test_people_groups_and_tariffs_are_called_by_their_names(books: Books, station: StationId) -> None:
    assert [(one.name, sums(one)[1]) for one in report(books, By.PEOPLE)] == [
        ("Karim Ahmed", 2_000),
        ("Rahima Khatun", 5_000),
    ]
    assert {one.name.partition(" ")[0] for one in report(books, By.GROUPS)} == {"group"}
    assert {one.name.partition(" ")[0] for one in report(books, By.TARIFFS)} == {"tariff"}


def test_a_session_over_midnight_is_on_both_days_and_counted_on_the_first(books: Books, people: list[PersonId]) -> None:
    books.wait(11 * 3_600 + 1_800)
    station = books.station()
    session = books.start(station, 1, CARD).ref
    books.wait(3_600)
    books.stop(station, session, 3_000)

    days = report(books, By.PEOPLE, per_day=True, last="2025-11-24")
    assert [(one.day, one.name, sums(one)) for one in days] == [
        (TODAY, "Rahima Khatun", (1, 1_000, 2_000, 1_800)), ("2025-11-24", "Rahima Khatun", (0, 1_000, 2_000, 1_800)),
    ]  # fmt: skip


def test_what_was_taken_stands_with_who_took_it_and_how(books: Books, people: list[PersonId]) -> None:
    nasrin = hired(books, "cashier")
    wallets.top_up(books.db, people[0], 700, "card", "a", nasrin)
    wallets.top_up(books.db, people[0], 300, "cash", "b", nasrin)
    wallets.refund(books.db, people[0], 100, "cash", "c", books.by)
    books.wait(86_400)
    wallets.top_up(books.db, people[0], 11, "cash", "d", books.by)
    books.db.flush()

    assert {one.key: one.taken for one in report(books, METHODS)} == {
        "card": Taken(700, 0, 1), "cash": Taken(100_300, 100, 4),
    }  # fmt: skip
    assert {one.name: one.taken for one in report(books, By.OPERATORS)} == {
        "owner": Taken(100_000, 100, 3), "cashier": Taken(1_000, 0, 2),
    }  # fmt: skip
    both = takings(books.db, TODAY, "2025-11-24", ZONE)
    assert both["2025-11-24", books.by.actor, "cash"] == Taken(11, 0, 1)
    assert len(both) == 4


def test_rows_are_found_by_their_time(books: Books, people: list[PersonId]) -> None:
    for number in range(7):
        books.wait(100)
        wallets.top_up(books.db, people[0], 10, "cash", f"k{number}", books.by)
    books.db.flush()
    rows = books.db.execute("SELECT number, at_ms FROM receipt ORDER BY number").fetchall()
    for moment_ms in range(NOON_MS - 50_000, books.now_ms + 100_000, 50_000):
        expected = next((number for number, at_ms in rows if at_ms >= moment_ms), rows[-1][0] + 1)
        assert number_at(books.db, moment_ms) == expected
    assert seq_at(books.db, "audit", 0) == 1
    assert day_of(books.now_ms, ZONE) == TODAY


def test_there_is_no_other_report(books: Books) -> None:
    with pytest.raises(KeyError):
        report(books, "weather")
