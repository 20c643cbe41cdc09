"""Sessions that cost by the minute: the clock alone holds more, and stops them before the money is gone."""

from __future__ import annotations

import pytest

from appliance.domain.events import TransactionStarted
from appliance.domain.identifiers import SessionId, StationId
from appliance.services import health
from appliance.services.announce import SessionChanged
from appliance.services.sessions import starting
from appliance.services.wallets import wallets
from tests.support.books import Books

CARD = "04A1B2C3"
WATCH_S = 15


def watch_until_stopped(books: Books, session: int, seconds_max: int) -> int | None:
    """Let the clock's job run; after how many seconds it wanted the session stopped."""
    for second in range(WATCH_S, seconds_max + 1, WATCH_S):
        books.wait(WATCH_S)
        health.watch_balances(books.db, books.now_ms)
        running = books.running(session)
        assert running is not None
        if running.stop_wanted:
            return second
    return None


@pytest.fixture
def station(books: Books) -> StationId:
    return books.station()


def test_a_session_by_the_minute_is_stopped_by_the_clock_before_its_money_is_gone(
    books: Books, station: StationId
) -> None:
    """10.00 a minute and 100.00 in the wallet last for ten minutes."""
    books.tariff(energy=0, time=1_000_000)
    rahima = books.person(paid_in=10_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)

    stopped_after_s = watch_until_stopped(books, started.ref, 700)

    assert stopped_after_s is not None
    assert 400 <= stopped_after_s <= 585
    assert SessionChanged(SessionId(started.ref), station, 1, rahima, "stop_wanted") in books.db.announcements
    books.stop(station, started.ref, 50, reason="Remote")
    assert books.balance(rahima) >= 0
    overrun = books.db.execute("SELECT debit_posted FROM account WHERE kind = 'overrun'").fetchone()
    assert overrun == (0,)


def test_idle_time_that_costs_is_watched_too(books: Books, station: StationId) -> None:
    books.tariff(energy=2_000_000, idle=1_000_000, grace_s=120)
    rahima = books.person(paid_in=5_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(60)
    books.read(station, started.ref, 100)
    books.status(station, 1, "SuspendedEV")

    assert watch_until_stopped(books, started.ref, 900) is not None


def test_a_session_by_energy_alone_is_left_to_its_meter(books: Books, station: StationId) -> None:
    books.tariff(energy=2_000_000)
    rahima = books.person(paid_in=5_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)

    assert watch_until_stopped(books, started.ref, 3_600) is None
    assert books.available(rahima) == 4_000


@pytest.mark.parametrize("policy", ["postpaid", "free"])
def test_who_does_not_pay_beforehand_is_not_watched(books: Books, station: StationId, policy: str) -> None:
    books.tariff(energy=0, time=1_000_000)
    person = books.person(group=books.group(policy))
    books.card(CARD, person)
    started = books.start(station, 1, CARD, meter_wh=0)

    assert watch_until_stopped(books, started.ref, 1_800) is None


def test_the_watch_goes_on_after_a_restart(books: Books, station: StationId) -> None:
    books.tariff(energy=0, time=1_000_000)
    rahima = books.person(paid_in=10_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    assert watch_until_stopped(books, started.ref, 300) is None
    books.db.flush()
    books.db.forget()

    assert watch_until_stopped(books, started.ref, 300) is not None


def test_a_station_with_a_wrong_clock_is_watched_by_ours(books: Books, station: StationId) -> None:
    """Its start says six hours ago: nobody pays for these at once."""
    books.tariff(energy=0, time=1_000_000)
    rahima = books.person(paid_in=10_000)
    books.card(CARD, rahima)
    six_hours_ago_ms = books.now_ms - 6 * 3_600_000
    started = starting.transaction_started(
        books.db, station, TransactionStarted(1, CARD, 0, six_hours_ago_ms, books.now_ms)
    )
    books.wait(60)
    health.watch_balances(books.db, books.now_ms)

    running = books.running(started.ref)
    assert running is not None
    assert running.stop_wanted == ""


def test_money_paid_in_meanwhile_lets_the_session_go_on(books: Books, station: StationId) -> None:
    books.tariff(energy=0, time=1_000_000)
    rahima = books.person(paid_in=5_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    assert watch_until_stopped(books, started.ref, 120) is None
    wallets.top_up(books.db, rahima, 50_000, "cash", "more", books.by)

    assert watch_until_stopped(books, started.ref, 1_200) is None
