"""Sessions whose stop never comes, chargers whose clock is wrong: nobody's money is locked up, nobody pays for years."""

from __future__ import annotations

import pytest

from appliance.db import board
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import sessions
from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.cards.limits import Used
from appliance.domain.errors import NotFound
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import CardId, SessionId, StationId
from appliance.domain.meter import Reading
from appliance.services import health
from appliance.services.cards import limits
from appliance.services.sessions import closing, metering, stopping
from appliance.services.sessions import starting as service
from appliance.services.stations import admission
from appliance.services.stations import status as status_units
from appliance.services.wallets import wallets
from tests.support.books import Books
from tests.support.statuses import status_changed

CARD, OTHER = "04A1B2C3", "04D4E5F6"
HOUR_S, DAY_S = 3_600, 86_400
FIRMWARE_MS = 1_577_836_800_000
"""2020-01-01: what a clock says that was never set."""


def lost(books: Books, station: StationId) -> SessionId:
    """A session that took 3 kWh, and of which nothing is heard any more."""
    started = books.start(station, 1, CARD, meter_wh=1_000)
    books.wait(600)
    books.read(station, started.ref, 4_000)
    return started.ref


# --- ended without the charger ---------------------------------------------------------------------------------------------


def test_staff_end_a_session_of_a_charger_that_is_gone(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = lost(books, station)
    books.wait(HOUR_S)

    closing.close_by_hand(books.db, session, books.by)

    row = books.session(session)
    assert (row["state"], row["energy_wh"], row["estimated"], row["note"]) == ("ended", 3_000, 1, "by_hand")
    assert books.balance(rahima) == books.available(rahima) == 44_000
    with pytest.raises(NotFound):
        closing.close_by_hand(books.db, session, books.by)


def test_a_stop_that_comes_after_staff_have_ended_the_session_sets_the_bill_right(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = lost(books, station)
    closing.close_by_hand(books.db, session, books.by)
    books.wait(HOUR_S)
    books.stop(station, session, 5_000)

    row = books.session(session)
    assert (row["energy_wh"], row["estimated"], row["note"]) == (4_000, 0, "")
    assert books.balance(rahima) == 42_000


def test_retiring_a_charger_ends_what_runs_there(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = lost(books, station)

    admission.retire(books.db, station, books.by)

    assert books.session(session)["state"] == "ended"
    assert books.available(rahima) == 44_000


def test_a_session_of_which_nothing_is_heard_for_a_day_at_a_free_connector_is_ended(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = lost(books, station)
    books.wait(HOUR_S)
    books.status(station, 1, "Available")
    books.wait(23 * HOUR_S)
    health.check_sessions(books.db, books.now_ms)
    assert books.session(session)["state"] == "running"
    books.wait(2 * HOUR_S)

    health.check_sessions(books.db, books.now_ms)

    row = books.session(session)
    assert (row["state"], row["energy_wh"], row["note"]) == ("ended", 3_000, "unheard")
    assert books.available(rahima) == 44_000


@pytest.mark.parametrize("status", ["Charging", "SuspendedEV", "Unavailable", "Faulted"])
def test_a_silent_session_goes_on_while_its_connector_is_not_free(books: Books, status: str) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = lost(books, station)
    books.status(station, 1, status)
    books.wait(30 * DAY_S)

    health.check_sessions(books.db, books.now_ms)

    assert books.session(session)["state"] == "running"


def test_a_session_goes_on_that_began_where_the_status_is_older(books: Books) -> None:
    """Some chargers never tell that they charge."""
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    books.status(station, 1, "Available")
    books.wait(60)
    session = lost(books, station)
    books.wait(30 * DAY_S)

    health.check_sessions(books.db, books.now_ms)

    assert books.session(session)["state"] == "running"


# --- the next start --------------------------------------------------------------------------------------------------------


def test_whose_stop_was_lost_charges_again_at_the_same_connector(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=7_000)
    books.card(CARD, rahima)
    session = lost(books, station)
    books.wait(HOUR_S)

    again = books.start(station, 1, CARD, meter_wh=4_000)

    assert again.authorization.status is AuthorizationStatus.ACCEPTED
    assert books.session(session)["state"] == "ended"
    assert books.available(rahima) == 0, "what was not used is held for the new session"


def test_the_other_card_of_a_wallet_may_use_what_the_forgotten_session_held(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=1_000)
    books.card(CARD, rahima)
    books.card(OTHER, rahima)
    books.start(station, 1, CARD, meter_wh=1_000)
    books.wait(HOUR_S)

    assert books.start(station, 1, OTHER, meter_wh=1_000).authorization.accepted


def test_all_that_was_forgotten_at_a_connector_ends_with_the_next_start(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima, jamal = books.station(), books.person(paid_in=50_000), books.person("Jamal", paid_in=50_000)
    books.card(CARD, rahima)
    books.card(OTHER, jamal)
    ahead_ms = books.now_ms + 5 * HOUR_S * 1000
    ahead = service.transaction_started(
        books.db, station, TransactionStarted(1, CARD, 1_000, ahead_ms, books.now_ms)
    ).ref
    books.wait(HOUR_S)

    then = books.start(station, 1, OTHER, meter_wh=1_000).ref

    assert books.session(ahead)["state"] == "ended"
    assert sessions.all_on_evse(books.db, station, 1) == (then,)


def test_a_start_of_a_clock_that_is_ahead_does_not_end_itself_when_it_is_repeated(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    event = TransactionStarted(1, CARD, 1_000, books.now_ms + 5 * HOUR_S * 1000, books.now_ms)
    first = service.transaction_started(books.db, station, event)
    books.wait(30)
    event.received_at_ms = books.now_ms

    assert service.transaction_started(books.db, station, event).ref == first.ref
    assert books.session(first.ref)["state"] == "running"


# --- clocks ----------------------------------------------------------------------------------------------------------------


def started_in_2020(books: Books, station: StationId) -> SessionId:
    """A start by a clock that has never been set."""
    event = TransactionStarted(1, CARD, 0, FIRMWARE_MS, books.now_ms)
    return service.transaction_started(books.db, station, event).ref


@pytest.mark.parametrize("policy", ["prepaid", "postpaid"])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_clock_that_is_set_while_it_charges_bills_minutes_and_not_years(
    books: Books, policy: str, restarts: bool
) -> None:
    books.tariff(energy=2_000_000, time=100_000, idle=100_000)
    station, rahima = books.station(), books.person(group=books.group(policy), paid_in=100_000)
    books.card(CARD, rahima)
    session = started_in_2020(books, station)
    status = status_changed(1, "SuspendedEV", FIRMWARE_MS + 1_000, books.now_ms)
    status_units.status_changed(books.db, station, status)
    if restarts:
        books.db.flush()
        books.db.forget()
    books.wait(600)
    reading = Reading(books.now_ms, energy_wh=2_000, power_w=7_000)
    metering.meter_read(books.db, station, MeterRead(session, 1, (reading,), books.now_ms))
    running = books.running(session)
    assert running is not None
    assert running.stop_wanted == ""
    books.status(station, 1, "Charging")
    books.stop(station, session, 2_000)

    row = books.session(session)
    assert (row["state"], row["duration_s"], row["note"]) == ("ended", 600, "clock")
    assert row["fee_minor"] <= 4_000 + 1_000 + 1_000
    assert books.balance(rahima) == 100_000 - row["fee_minor"]
    assert books.db.execute("SELECT count(*) FROM session_day").fetchall() == [(1,)]


def test_a_clock_that_is_set_while_it_charges_parks_minutes_and_not_years(books: Books) -> None:
    books.tariff(energy=2_000_000, time=100_000, idle=100_000)
    station, rahima = books.station(), books.person(group=books.group("postpaid"))
    books.card(CARD, rahima)
    session = started_in_2020(books, station)
    status = status_changed(1, "SuspendedEV", FIRMWARE_MS + 1_000, books.now_ms)
    status_units.status_changed(books.db, station, status)
    books.wait(600)
    books.status(station, 1, "Charging")
    books.stop(station, session, 2_000)
    books.wait(60)
    books.status(station, 1, "Available")

    assert books.session(session)["idle_s"] == 600 + 60
    assert books.balance(rahima) == -(4_000 + 1_000 + 1_100)


def test_a_fleet_car_may_stay_for_weeks(books: Books) -> None:
    books.tariff(energy=2_000_000, time=1_000)
    station, rahima = books.station(), books.person(group=books.group("postpaid"))
    books.card(CARD, rahima)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(21 * DAY_S)
    books.stop(station, session, 30_000)

    row = books.session(session)
    assert (row["duration_s"], row["note"]) == (21 * DAY_S, "")


def test_a_status_of_the_future_keeps_no_other_from_being_shown(books: Books) -> None:
    station = books.station()
    ahead_ms = books.now_ms + 5 * HOUR_S * 1000
    status_units.status_changed(books.db, station, status_changed(1, "Charging", ahead_ms, books.now_ms))
    books.wait(60)
    books.status(station, 1, "Available")

    assert closing_rows.connector_state(books.db, station, 1) == ("Available", "")


def test_a_charger_whose_clock_is_ahead_dates_nobody_elses_money(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    ahead_ms = 6 * HOUR_S * 1000
    start = TransactionStarted(1, CARD, 0, books.now_ms + ahead_ms, books.now_ms)
    session = service.transaction_started(books.db, station, start).ref
    books.wait(600)
    for status in ("Charging", "Finishing"):
        changed = status_changed(1, status, books.now_ms + ahead_ms, books.now_ms)
        status_units.status_changed(books.db, station, changed)
    stop = TransactionEnded(session, CARD, 1_000, books.now_ms + ahead_ms, "Local", (), books.now_ms)
    stopping.transaction_ended(books.db, station, stop)
    books.wait(600)
    free = status_changed(1, "Available", books.now_ms + ahead_ms, books.now_ms)
    status_units.status_changed(books.db, station, free)
    wallets.top_up(books.db, rahima, 1_000, "cash", "paid-after", books.by)
    books.db.flush()

    assert books.session(session)["fee_minor"] == 2_000 + 1_000, "1 kWh, and ten minutes of the place"
    assert books.db.execute("SELECT max(at_ms) FROM transfer").fetchall() == [(books.now_ms,)]


def test_a_clock_that_jumps_ahead_charges_no_parking_of_the_future(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=500_000)
    books.card(CARD, rahima)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(600)
    books.status(station, 1, "Finishing")
    books.stop(station, session, 1_000)
    books.wait(60)
    jumped_ms = books.now_ms + 23 * HOUR_S * 1000
    status_units.status_changed(books.db, station, status_changed(1, "Available", jumped_ms, books.now_ms))

    assert books.session(session)["fee_minor"] == 2_000 + 100


def test_what_a_card_may_use_in_a_day_counts_from_when_its_start_was_heard(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=100_000)
    card = CardId(books.card(CARD, rahima))
    session = started_in_2020(books, station)
    books.wait(600)
    books.read(station, session, 2_000)

    assert limits.used(books.db, card, books.now_ms) == Used(2_000, 4_000)


# --- on account, up to a limit ---------------------------------------------------------------------------------------------


def test_who_is_on_account_is_stopped_at_the_limit_and_owes_what_was_used(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(group=books.group("postpaid", limit_minor=10_000))
    books.card(CARD, rahima)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    wanted, used_wh = "", 0
    while not wanted:
        used_wh += 100
        books.wait(60)
        books.read(station, session, used_wh)
        assert used_wh < 60_000
        wanted = books.session(session)["stop_wanted"]
    books.stop(station, session, used_wh)

    assert wanted == "credit"
    assert -10_000 <= books.balance(rahima) < -9_000
    assert books.db.execute("SELECT credit_posted, debit_posted FROM account WHERE kind = 'overrun'").fetchall() == [
        (0, 0)
    ]


def test_who_is_on_account_without_a_limit_has_nothing_held(books: Books) -> None:
    books.tariff(energy=2_000_000, time=10_000)
    station, rahima = books.station(), books.person(group=books.group("postpaid"))
    books.card(CARD, rahima)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    for step in range(1, 6):
        books.wait(600)
        books.read(station, session, 10_000 * step)
    health.watch_balances(books.db, books.now_ms)

    running = books.running(session)
    assert running is not None
    assert (running.held_minor, running.stop_wanted) == (0, "")
    assert service.authorize(books.db, station, CARD, books.now_ms).accepted
    assert board.running(books.db, station)
