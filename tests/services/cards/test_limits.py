"""Limits of a card: at the start, with each reading, by the clock, over midnight."""

from __future__ import annotations

import dataclasses

import pytest

from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.domain.identifiers import CardId, StationId
from appliance.services.cards import limits as card_limits
from appliance.services.cards.limits import SoFar
from appliance.services.sessions import start_requests, starting
from tests.support.books import Books

CARD = "04A1B2C3"
OTHER = "04D4E5F6"
NOON = 12 * 60


def card_with(books: Books, limits: Limits, *, transactions_max: int = 1) -> CardId:
    """Rahima's card: prepaid, 20.00 a kilowatt-hour."""
    books.tariff()
    card = CardId(books.card(CARD, books.person(paid_in=5_000_000), transactions_max=transactions_max))
    card_limits.change(books.db, card, limits, books.by)
    return card


def charge(books: Books, station: StationId, energy_wh: int, *, evse: int = 1, power_w: int = 6_000) -> str:
    """A session of up to so much, a reading each minute, ended when the server wants; why it did, "" if it did not."""
    started = books.start(station, evse, CARD, meter_wh=0)
    meter_wh, why = 0, ""
    while meter_wh < energy_wh:
        books.wait(60)
        meter_wh += power_w // 60
        books.read(station, started.ref, meter_wh, power_w)
        if why := books.session(started.ref)["stop_wanted"]:
            break
    books.stop(station, started.ref, meter_wh, CARD)
    return str(why)


def show(books: Books, station: StationId) -> AuthorizationStatus:
    return starting.authorize(books.db, station, CARD, books.now_ms).status


def test_a_card_without_limits_costs_no_statement_more(books: Books) -> None:
    station = books.station()
    books.tariff()
    books.card(CARD, books.person(paid_in=5_000))
    show(books, station)
    statements: list[str] = []
    books.db.set_trace_callback(statements.append)
    show(books, station)
    books.db.set_trace_callback(None)

    assert len(statements) == 1


def test_limits_are_kept_as_they_were_set(books: Books) -> None:
    station = books.station()
    limits = Limits(20_000, 30_000, 40_000, 50_000, 31, 60, 1_200, frozenset({int(station)}))
    card = card_with(books, limits)
    assert card_limits.of(books.db, card) == limits

    books.db.forget()
    assert card_limits.of(books.db, card) == limits
    card_limits.change(books.db, card, Limits(stations=frozenset({int(station)})), books.by)
    books.db.forget()
    assert card_limits.of(books.db, card) == Limits(stations=frozenset({int(station)}))
    card_limits.change(books.db, card, NO_LIMITS, books.by)
    assert books.db.execute("SELECT count(*) FROM card_limit").fetchone()[0] == 0
    assert card_limits.of(books.db, card) == NO_LIMITS


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (Limits(session_energy_wh=0), "session_energy_wh"),
        (Limits(day_minor=-1), "day_minor"),
        (Limits(weekdays=0), "weekdays"),
        (Limits(from_minute=1440), "from_minute"),
        (Limits(until_minute=0), "until_minute"),
        (Limits(stations=frozenset({99})), "stations"),
    ],
)
def test_limits_that_make_no_sense_are_refused(books: Books, limits: Limits, field: str) -> None:
    card = card_with(books, NO_LIMITS)
    with pytest.raises(Invalid) as refused:
        card_limits.change(books.db, card, limits, books.by)
    assert refused.value.field == field
    with pytest.raises(NotFound):
        card_limits.change(books.db, CardId(99), NO_LIMITS, books.by)


def test_a_card_charges_only_where_and_when_it_may(books: Books) -> None:
    here, there = books.station("CS-1"), books.station("CS-2")
    card = card_with(books, Limits(stations=frozenset({int(here)})))
    assert (show(books, here), show(books, there)) == ("Accepted", "NotAtThisLocation")
    refused = books.start(there, 1, CARD)
    assert refused.authorization.status == "NotAtThisLocation"
    books.stop(there, refused.ref, 1_000)

    card_limits.change(books.db, card, Limits(until_minute=NOON), books.by)
    assert show(books, here) == "NotAtThisTime"
    card_limits.change(books.db, card, Limits(from_minute=NOON), books.by)
    assert show(books, here) == "Accepted"


def test_energy_that_flowed_in_spite_of_a_limit_is_billed(books: Books) -> None:
    here, there = books.station("CS-1"), books.station("CS-2")
    card_with(books, Limits(stations=frozenset({int(here)})))
    started = books.start(there, 1, CARD, meter_wh=0)
    books.stop(there, started.ref, 1_000)

    assert books.session(started.ref)["fee_minor"] == 2_000


@pytest.mark.parametrize(
    ("limits", "most_wh"), [(Limits(session_energy_wh=5_000), 5_000), (Limits(session_minor=8_000), 4_000)]
)
def test_a_session_is_stopped_before_it_exceeds_what_the_card_may(books: Books, limits: Limits, most_wh: int) -> None:
    station = books.station()
    card_with(books, limits)

    assert charge(books, station, 20_000) == "limit"

    used_wh = books.session(1)["energy_wh"]
    assert most_wh - 300 <= used_wh <= most_wh


@pytest.mark.parametrize("limits", [Limits(day_energy_wh=5_000), Limits(day_minor=10_000)])
def test_a_day_has_its_limit_over_all_sessions(books: Books, limits: Limits) -> None:
    station = books.station()
    card_with(books, limits)

    assert charge(books, station, 3_000) == ""
    assert charge(books, station, 9_000) == "limit"
    total_wh = books.session(1)["energy_wh"] + books.session(2)["energy_wh"]
    assert 4_700 <= total_wh <= 5_000

    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 5_000 - total_wh)
    assert show(books, station) == "LimitReached"
    assert books.start(station, 1, CARD).authorization.status == "LimitReached"


def test_a_new_day_begins_with_nothing_used(books: Books) -> None:
    station = books.station()
    card_with(books, Limits(day_energy_wh=2_000))
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 2_000)
    assert show(books, station) == "LimitReached"

    books.wait(12 * 3600)

    assert show(books, station) == "Accepted"


def test_a_session_over_midnight_counts_on_each_day_what_it_used_there(books: Books) -> None:
    station = books.station()
    card = card_with(books, Limits(day_energy_wh=6_000))
    books.wait(12 * 3600 - 600)
    started = books.start(station, 1, CARD, meter_wh=0)
    for minute in range(1, 31):
        books.wait(60)
        books.read(station, started.ref, minute * 100, power_w=6_000)

    used = card_limits.used(books.db, card, books.now_ms)
    assert used.day_energy_wh == 2_000
    assert used.day_minor == 4_000
    assert books.session(started.ref)["stop_wanted"] == ""

    books.stop(station, started.ref, 3_000)
    assert card_limits.used(books.db, card, books.now_ms) == used


def test_two_sessions_of_one_card_share_its_day(books: Books) -> None:
    station = books.station()
    card = card_with(books, Limits(day_energy_wh=4_000), transactions_max=2)
    one, two = books.start(station, 1, CARD, meter_wh=0), books.start(station, 2, CARD, meter_wh=0)
    meter_wh = 0
    while not books.session(two.ref)["stop_wanted"]:
        books.wait(60)
        meter_wh += 100
        books.read(station, one.ref, meter_wh, power_w=6_000)
        books.read(station, two.ref, meter_wh, power_w=6_000)

    assert 3_500 <= card_limits.used(books.db, card, books.now_ms).day_energy_wh <= 4_000


def test_what_is_used_so_far_is_what_was_measured_and_what_it_costs(books: Books) -> None:
    station = books.station()
    card = card_with(books, Limits(day_energy_wh=40_000), transactions_max=2)
    assert card_limits.so_far(books.db, card, books.now_ms) == SoFar(0, 0)
    assert charge(books, station, 3_000) == ""
    assert card_limits.so_far(books.db, card, books.now_ms) == SoFar(3_000, 6_000)

    one, two = books.start(station, 1, CARD, meter_wh=0), books.start(station, 2, CARD, meter_wh=0)
    books.wait(60)
    books.read(station, one.ref, 200, power_w=6_000)
    books.read(station, two.ref, 500, power_w=6_000)
    assert card_limits.so_far(books.db, card, books.now_ms) == SoFar(3_700, 7_400, 500, 1_000)

    books.stop(station, one.ref, 200, CARD)
    books.stop(station, two.ref, 500, CARD)
    assert card_limits.so_far(books.db, card, books.now_ms) == SoFar(3_700, 7_400)
    books.wait(12 * 3600)
    assert card_limits.so_far(books.db, card, books.now_ms) == SoFar(0, 0)


def test_of_a_session_over_midnight_only_what_is_of_today_counts_for_the_day(books: Books) -> None:
    station = books.station()
    card = card_with(books, Limits(day_energy_wh=6_000))
    books.wait(12 * 3600 - 600)
    started = books.start(station, 1, CARD, meter_wh=0)
    for minute in range(1, 31):
        books.wait(60)
        books.read(station, started.ref, minute * 100, power_w=6_000)

    assert card_limits.so_far(books.db, card, books.now_ms) == SoFar(2_000, 4_000, 3_000, 6_000)


def test_a_session_ends_with_the_cards_hours(books: Books) -> None:
    station = books.station()
    card_with(books, Limits(until_minute=NOON + 30))
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(29 * 60)
    card_limits.watch(books.db, books.now_ms)
    assert books.session(started.ref)["stop_wanted"] == ""

    books.wait(60)
    card_limits.watch(books.db, books.now_ms)

    assert books.session(started.ref)["stop_wanted"] == "limit"


def test_minutes_count_between_readings_too(books: Books) -> None:
    station = books.station()
    card_with(books, Limits(session_minor=5_000))
    books.tariff(energy=2_000_000, time=100_000)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(60)
    books.read(station, started.ref, 500)
    books.wait(30 * 60)
    card_limits.watch(books.db, books.now_ms)
    assert books.session(started.ref)["stop_wanted"] == ""
    books.wait(10 * 60)
    card_limits.watch(books.db, books.now_ms)

    assert books.session(started.ref)["stop_wanted"] == "limit"


def test_a_limit_that_is_set_while_it_charges_counts_at_once(books: Books) -> None:
    station = books.station()
    card = card_with(books, NO_LIMITS)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(60)
    books.read(station, started.ref, 3_000)
    card_limits.change(books.db, card, Limits(session_energy_wh=2_000), books.by)
    card_limits.watch(books.db, books.now_ms)

    assert books.session(started.ref)["stop_wanted"] == "limit"


def test_a_session_that_runs_may_be_stopped_with_its_card_at_any_time(books: Books) -> None:
    station = books.station()
    card_with(books, Limits(until_minute=NOON + 30))
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(3_600)

    assert show(books, station) == "Accepted"
    books.stop(station, started.ref, 1_000, CARD)
    assert show(books, station) == "NotAtThisTime"


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(until_minute=NOON), "at this time"),
        (Limits(stations=frozenset({2})), "at this charger"),
        (Limits(day_energy_wh=1_000), "used up"),
    ],
)
def test_staff_are_told_which_limit_is_in_the_way(books: Books, limits: Limits, sentence: str) -> None:
    here = books.station("CS-1")
    books.station("CS-2")
    card = card_with(books, NO_LIMITS)
    started = books.start(here, 1, CARD, meter_wh=0)
    books.stop(here, started.ref, 1_000)
    card_limits.change(books.db, card, limits, books.by)

    with pytest.raises(Refusal, match=sentence):
        start_requests.request_start(books.db, here, 1, books.by, card=CARD)


def test_another_card_of_the_same_person_has_limits_of_its_own(books: Books) -> None:
    station = books.station()
    card = card_with(books, Limits(until_minute=NOON))
    person = books.db.execute("SELECT person_id FROM card WHERE id = ?", (card,)).fetchone()[0]
    other = CardId(books.card(OTHER, person))
    assert card_limits.of(books.db, other) == card_limits.of(books.db, card)  # It begins with those that are there.
    card_limits.change(books.db, other, NO_LIMITS, books.by)

    assert show(books, station) == "NotAtThisTime"
    assert starting.authorize(books.db, station, OTHER, books.now_ms).accepted


def test_what_differs_from_no_limit_is_on_record(books: Books) -> None:
    limits = dataclasses.replace(NO_LIMITS, day_minor=500)

    assert card_limits.in_words(limits) == {"day_minor": 500}
    assert card_limits.in_words(NO_LIMITS) == {}
