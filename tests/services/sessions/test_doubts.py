"""Sessions whose figures contradict each other: nothing is taken twice, nothing is free, and staff choose between figures."""

from __future__ import annotations

import pytest

from appliance.db import problems
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import neighbours, session_list
from appliance.db.sessions import sessions as rows
from appliance.db.stations import stations
from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.errors import Conflict
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import CardId, PersonId, SessionId, StationId
from appliance.domain.meter import Reading
from appliance.services import settings
from appliance.services.cards import cards
from appliance.services.sessions import closing, metering, reading, review, start_requests, stopping
from appliance.services.sessions import starting as service
from appliance.services.sessions.starting import Started
from appliance.services.stations import power
from appliance.services.stations import status as status_units
from tests.support.books import Books
from tests.support.statuses import status_changed

CARD, OTHER = "04A1B2C3", "04D4E5F6"
HOUR_S, DAY_MS = 3_600, 86_400_000


def place(books: Books, **prices: int) -> tuple[StationId, PersonId]:
    """A station, and Rahima with 500.00 and a card."""
    books.tariff(energy=2_000_000, **prices)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    return station, rahima


def energies(books: Books, session: int) -> list[int]:
    """What it may be billed for."""
    found = session_list.show(books.db, session)
    assert found is not None
    return [one.figure.usage.energy_wh for one in review.choices(found)]


def stop_at(books: Books, station: StationId, ref: int, meter_wh: int | None, at_ms: int) -> None:
    """A StopTransaction of another time than now."""
    event = TransactionEnded(ref, None, meter_wh, at_ms, "Local", (), books.now_ms)
    stopping.transaction_ended(books.db, station, event)


def state_of(books: Books, session: int) -> tuple[str, str, int, int]:
    row = books.session(session)
    return row["state"], row["note"], row["energy_wh"], row["fee_minor"]


# --- choosing ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("chosen", "energy_wh"), [(10, 7), (10_000, 7_000)])
def test_of_what_unit_a_charger_tells_is_asked_once(books: Books, chosen: int, energy_wh: int) -> None:
    station, _ = place(books)
    session = books.start(station, 1, CARD, meter_wh=1_000).ref
    books.status(station, 1, "Charging")
    books.wait(HOUR_S)
    books.stop(station, session, 1_010)
    assert state_of(books, session)[:2] == ("review", "unit")
    review.bill(books.db, session, books.by, chosen)

    session = books.start(station, 1, CARD, meter_wh=1_010).ref
    books.status(station, 1, "Charging")
    books.wait(HOUR_S)
    books.stop(station, session, 1_017)

    assert (state_of(books, session)[0], state_of(books, session)[2]) == ("ended", energy_wh)


@pytest.mark.parametrize(("chosen", "fee_minor"), [(4_000, 8_000), (2_500, 5_000), (None, 8_000)])
def test_staff_choose_one_of_two_figures(books: Books, chosen: int | None, fee_minor: int) -> None:
    station, rahima = place(books)
    session = books.start(station, 1, CARD, meter_wh=10_000).ref
    books.wait(HOUR_S)
    books.read(station, session, 14_000)
    held = books.available(rahima)
    books.stop(station, session, 12_500)

    assert state_of(books, session) == ("review", "stop_below", 0, 0)
    assert energies(books, session) == [4_000, 2_500]
    assert (books.balance(rahima), books.available(rahima)) == (50_000, held)
    assert [(day.energy_wh, day.fees_minor) for day in books.days("2025-01-01", "2026-12-31")] == [(0, 0)]
    with pytest.raises(Conflict, match="so much energy"):
        review.bill(books.db, session, books.by, 3_999)

    review.bill(books.db, session, books.by, chosen)

    assert state_of(books, session) == ("ended", "stop_below", fee_minor // 2, fee_minor)
    assert books.balance(rahima) == books.available(rahima) == 50_000 - fee_minor
    assert [(day.energy_wh, day.fees_minor) for day in books.days("2025-01-01", "2026-12-31")] == [
        (fee_minor // 2, fee_minor)
    ]
    assert books.wrong() == []


def test_the_problem_says_what_contradicts_what(books: Books) -> None:
    station, _ = place(books)
    session = books.start(station, 1, CARD, meter_wh=10_000).ref
    books.wait(HOUR_S)
    books.read(station, session, 14_000)
    books.stop(station, session, 10_000)

    (problem,) = problems.open_problems(books.db)
    assert (problem.kind, problem.details["why"]) == ("review", "stop_below")
    assert (problem.details["this_wh"], problem.details["that_wh"]) == (4_000, 0)
    assert energies(books, session) == [4_000], "nothing is what the other button is for"


# --- stops that come late, or twice ------------------------------------------------------------------------------------------


def test_a_second_stop_with_another_reading_is_looked_at_and_the_difference_billed(books: Books) -> None:
    station, rahima = place(books, tax=1_000)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(HOUR_S)
    books.stop(station, session, 2_000)
    books.wait(60)
    for _ in range(2):
        books.stop(station, session, 5_000)

    assert state_of(books, session) == ("review", "second_stop", 2_000, 4_400)
    assert energies(books, session) == [2_000, 5_000]
    assert books.balance(rahima) == books.available(rahima) == 50_000 - 4_400

    review.bill(books.db, session, books.by, 5_000)

    assert state_of(books, session) == ("ended", "second_stop", 5_000, 11_000)
    assert books.balance(rahima) == 50_000 - 11_000
    books.stop(station, session, 7_000)
    assert state_of(books, session)[0] == "ended", "somebody has decided"
    assert books.wrong() == []


def test_the_lower_of_two_stops_gives_money_back(books: Books) -> None:
    station, rahima = place(books)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(HOUR_S)
    books.stop(station, session, 5_000)
    books.stop(station, session, 2_000)

    review.bill(books.db, session, books.by, 2_000)

    assert books.balance(rahima) == 50_000 - 4_000
    assert books.wrong() == []


def test_the_stop_of_a_doubted_estimate_sets_it_right(books: Books) -> None:
    station, rahima = place(books)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(600)
    books.read(station, session, 400_000)
    closing.close_by_hand(books.db, session, books.by)
    assert state_of(books, session) == ("review", "too_fast", 0, 0)

    books.wait(600)
    books.stop(station, session, 3_000)

    assert state_of(books, session) == ("ended", "", 3_000, 6_000)
    assert books.balance(rahima) == books.available(rahima) == 44_000
    assert problems.open_problems(books.db) == []
    assert books.wrong() == []


def test_an_estimate_of_nothing_whose_stop_is_doubted_can_be_billed(books: Books) -> None:
    station, rahima = place(books)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    closing.close_by_hand(books.db, session, books.by)
    books.stop(station, session, 20_000)
    assert state_of(books, session) == ("review", "too_fast", 0, 0)

    review.bill(books.db, session, books.by)

    assert state_of(books, session) == ("ended", "too_fast", 20_000, 40_000)
    assert books.balance(rahima) == 10_000
    assert books.wrong() == []


def test_where_only_who_pays_is_unknown_the_energy_counts_and_the_true_stop_sets_it_right(books: Books) -> None:
    station, _ = place(books)
    session = books.start(station, 1, "NOBODYS", meter_wh=0).ref
    books.wait(HOUR_S)
    books.read(station, session, 3_000)
    closing.close_by_hand(books.db, session, books.by)
    assert (state_of(books, session), energies(books, session)) == (("review", "nobody", 3_000, 0), [])

    books.stop(station, session, 4_000)

    assert (state_of(books, session), energies(books, session)) == (("review", "nobody", 4_000, 0), [])
    assert [one.kind for one in problems.open_problems(books.db) if one.subject == f"session:{session}"] == ["review"]
    review.acknowledge(books.db, session, books.by)
    assert state_of(books, session) == ("ended", "nobody", 4_000, 0)
    assert [day.energy_wh for day in books.days("2025-01-01", "2026-12-31")] == [4_000]


def test_where_who_pays_is_unknown_and_the_stop_contradicts_what_counts_is_one_of_the_figures(books: Books) -> None:
    station, _ = place(books)
    session = books.start(station, 1, "NOBODYS", meter_wh=10_000).ref
    books.wait(HOUR_S)
    books.read(station, session, 13_000)
    closing.close_by_hand(books.db, session, books.by)
    books.stop(station, session, 400_000)

    assert state_of(books, session)[:3] == ("review", "stop_beyond", 3_000)
    assert energies(books, session)[0] == 3_000


def test_one_session_after_another_asks_the_database_for_no_neighbour(books: Books) -> None:
    """What was before it and what followed it is remembered, and only the first session of a connector looks for it."""
    station, _ = place(books)
    looked_for: list[int] = []
    for _ in range(3):
        statements: list[str] = []
        books.db.set_trace_callback(statements.append)
        session = books.start(station, 1, CARD, meter_wh=10_000).ref
        books.wait(HOUR_S)
        books.read(station, session, 12_000)
        books.stop(station, session, 14_000)
        books.db.set_trace_callback(None)
        assert state_of(books, session)[0] == "ended"
        looked_for.append(sum(f"LIMIT {neighbours.NEIGHBOURS_MAX}" in one for one in statements))

    assert looked_for == [1, 0, 0]


def test_what_is_remembered_of_neighbours_is_what_the_books_say(books: Books) -> None:
    """A start of nothing at a meter that goes on: the register before tells, and a second stop or a choice of staff changes that."""
    station, _ = place(books)

    def before() -> int | None:
        begun = books.running(books.start(station, 1, CARD, meter_wh=0).ref)
        assert begun is not None
        remembered = neighbours.register_before(books.db, begun)
        books.db.flush()
        books.db.forget()
        assert neighbours.register_before(books.db, begun) == remembered
        books.wait(HOUR_S)
        books.stop(station, begun.id, 1_000)
        return remembered

    assert before() is None
    first = books.start(station, 1, CARD, meter_wh=20_000).ref
    books.wait(HOUR_S)
    books.stop(station, first, 22_000)
    books.stop(station, first, 24_000)
    following = books.start(station, 1, CARD, meter_wh=0).ref
    running = books.running(following)
    assert running is not None
    assert neighbours.register_before(books.db, running) == 22_000
    review.bill(books.db, first, books.by, 4_000)
    assert neighbours.register_before(books.db, running) == 24_000
    books.db.flush()
    books.db.forget()
    assert neighbours.register_before(books.db, running) == 24_000
    books.wait(HOUR_S)
    books.stop(station, following, 1_000)
    assert before() is None


def test_energy_that_the_next_session_is_billed_for_is_not_billed_twice(books: Books) -> None:
    station, rahima = place(books)
    karim = books.person("Karim Ahmed", paid_in=50_000)
    books.card(OTHER, karim)
    lost = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(600)
    books.read(station, lost, 1_000)
    books.wait(600)
    following = books.start(station, 1, OTHER, meter_wh=2_000).ref
    books.wait(600)
    books.stop(station, following, 9_000)
    books.stop(station, lost, 9_000)

    assert state_of(books, lost) == ("review", "next_start", 1_000, 2_000)
    assert energies(books, lost) == [1_000, 2_000, 9_000]
    assert (books.balance(rahima), books.balance(karim)) == (48_000, 36_000)


def test_a_late_stop_ends_no_later_than_the_next_session_begins(books: Books) -> None:
    station, rahima = place(books, time=100_000)
    lost = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(600)
    books.read(station, lost, 1_000)
    books.start(station, 1, OTHER, meter_wh=1_000)
    books.wait(HOUR_S)
    books.stop(station, lost, 1_000)

    assert books.session(lost)["duration_s"] == 600
    assert books.balance(rahima) == 50_000 - 2_000 - 1_000


# --- starts ------------------------------------------------------------------------------------------------------------------


def test_the_same_start_again_by_a_clock_that_stands_still_is_another_session(books: Books) -> None:
    station, rahima = place(books)
    stopped_ms = books.now_ms
    numbers = []
    for energy_wh in (1_000, 2_000):
        start = TransactionStarted(1, CARD, 0, stopped_ms, books.now_ms)
        numbers.append(service.transaction_started(books.db, station, start).ref)
        assert service.transaction_started(books.db, station, start).ref == numbers[-1], "a repetition"
        books.wait(600)
        stop_at(books, station, numbers[-1], energy_wh, stopped_ms)

    assert len(set(numbers)) == 2
    assert books.balance(rahima) == 50_000 - 6_000
    cards.block(books.db, CardId(1), "lost", books.by)
    start = TransactionStarted(1, CARD, 0, stopped_ms, books.now_ms)
    assert service.transaction_started(books.db, station, start).authorization.status is AuthorizationStatus.BLOCKED


def test_nor_is_it_the_one_that_was_asked_for_when_that_is_over(books: Books) -> None:
    station, rahima = place(books)
    asked = start_requests.request_start(books.db, station, 1, books.by, person=rahima)
    start = TransactionStarted(1, "CONSTANT", 0, books.now_ms, books.now_ms)
    assert [service.transaction_started(books.db, station, start).ref for _ in range(2)] == [asked.id] * 2
    books.wait(600)
    stop_at(books, station, asked.id, 1_000, start.at_ms)

    again = [service.transaction_started(books.db, station, start) for _ in range(2)]
    assert again[0].ref != asked.id
    assert again == [Started(again[0].ref, Authorization(AuthorizationStatus.INVALID))] * 2


def test_the_same_start_again_of_a_clock_that_goes_is_a_repetition(books: Books) -> None:
    station, _ = place(books)
    start = TransactionStarted(1, CARD, 0, books.now_ms, books.now_ms)
    session = service.transaction_started(books.db, station, start).ref
    books.wait(600)
    books.stop(station, session, 1_000)

    assert service.transaction_started(books.db, station, start).ref == session


@pytest.mark.parametrize("days", [-6, 1])
def test_a_start_of_a_wrong_clock_costs_the_time_since_it_was_heard_of(books: Books, days: int) -> None:
    station, rahima = place(books, time=100_000)
    start = TransactionStarted(1, CARD, 0, books.now_ms + days * DAY_MS, books.now_ms)
    session = service.transaction_started(books.db, station, start).ref
    today = books.now_ms
    books.wait(600)
    books.read(station, session, 1_000)
    running = books.running(session)
    assert running is not None
    assert running.held_minor < 10_000, "no days are paid for"
    books.wait(600)
    books.stop(station, session, 2_000)

    row = books.session(session)
    assert (row["state"], row["duration_s"], row["note"]) == ("ended", 1_200, "clock")
    assert books.balance(rahima) == 50_000 - 4_000 - 2_000
    assert [day.day for day in books.days("1970-01-01", "9999-12-31")] == ["2025-11-23"], today


def test_a_whole_session_out_of_a_queue_keeps_its_own_times(books: Books) -> None:
    station, rahima = place(books, time=100_000)
    began_ms = books.now_ms - 6 * DAY_MS
    session = service.transaction_started(books.db, station, TransactionStarted(1, CARD, 0, began_ms, books.now_ms)).ref
    stop_at(books, station, session, 1_000, began_ms + HOUR_S * 1_000)

    assert (books.session(session)["duration_s"], books.session(session)["note"]) == (HOUR_S, "")
    assert books.balance(rahima) == 50_000 - 2_000 - 6_000


def test_a_status_of_the_time_before_a_session_begins_no_idling_in_it(books: Books) -> None:
    station, rahima = place(books, idle=100_000)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    before = status_changed(1, "SuspendedEV", books.now_ms - HOUR_S * 1_000, books.now_ms)
    rows.OPEN_SESSIONS.drop(books.db, session)
    books.db.execute("UPDATE connector SET changed_at_ms = 0")
    status_units.status_changed(books.db, station, before)
    books.wait(600)
    books.stop(station, session, 1_000)

    assert (books.session(session)["idle_s"], books.balance(rahima)) == (0, 48_000)


# --- readings ----------------------------------------------------------------------------------------------------------------


def test_readings_of_no_transaction_are_of_the_session_that_began_last(books: Books) -> None:
    station, _ = place(books)
    karim = books.person("Karim Ahmed", paid_in=50_000)
    books.card(OTHER, karim)
    books.wait(2 * HOUR_S)
    now = books.start(station, 1, CARD, meter_wh=1_000).ref
    queued = TransactionStarted(1, OTHER, 0, books.now_ms - HOUR_S * 1_000, books.now_ms)
    earlier = service.transaction_started(books.db, station, queued).ref
    books.wait(600)
    metering.meter_read(books.db, station, MeterRead(None, 1, (Reading(books.now_ms, 1_700),), books.now_ms))

    assert earlier > now
    found = [books.running(one) for one in (now, earlier)]
    assert [one.energy_wh for one in found if one is not None] == [700, 0]


def test_a_restart_in_the_middle_changes_nothing_that_was_read(books: Books) -> None:
    station, _ = place(books)
    session = books.start(station, 1, CARD, meter_wh=4_076_000).ref
    energies_wh = []
    for meter_wh in (100, 600, 4_294_967_295, 1_100, 0, 300, 900):
        books.wait(240)
        books.read(station, session, meter_wh)
        running = books.running(session)
        assert running is not None
        energies_wh.append(running.energy_wh)
        seen = running.energy_wh, running.measured_at_ms, running.progress
        books.db.flush()
        listed = session_list.show(books.db, session)
        assert listed is not None
        assert listed.energy_wh == running.energy_wh
        books.db.forget()
        again = books.running(session)
        assert again is not None
        assert (again.energy_wh, again.measured_at_ms, reading.progress_of(books.db, again)) == seen

    assert energies_wh[-1] == 2_000


def test_a_queue_that_comes_backwards_is_read_as_if_it_came_in_order(books: Books) -> None:
    station, _ = place(books)
    session = books.start(station, 1, CARD, meter_wh=10_000).ref
    began_ms = books.now_ms
    books.wait(HOUR_S)
    for minute, meter_wh in reversed(list(enumerate((10_500, 11_500, 0, 800, 1_600), 1))):
        one = Reading(began_ms + minute * 240_000, meter_wh)
        metering.meter_read(books.db, station, MeterRead(session, 1, (one,), books.now_ms))

    running = books.running(session)
    assert running is not None
    assert running.energy_wh == 1_500 + 1_600
    books.stop(station, session, 2_000)
    assert state_of(books, session) == ("ended", "", 3_500, 7_000)


def test_readings_of_the_future_were_measured_now(books: Books) -> None:
    station, _ = place(books, time=100_000)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(60)
    ahead = Reading(books.now_ms + DAY_MS, 500)
    metering.meter_read(books.db, station, MeterRead(session, 1, (ahead,), books.now_ms))

    running = books.running(session)
    assert running is not None
    assert (running.energy_wh, running.measured_at_ms) == (500, books.now_ms)
    assert running.held_minor < 10_000


# --- power -------------------------------------------------------------------------------------------------------------------


def test_the_greatest_power_is_what_the_site_says_or_what_was_seen_else_400_kw(books: Books) -> None:
    station, _ = place(books)
    assert power.greatest_w(books.db, station, 1) == 400_000
    settings.change(books.db, "power_max_kw", "22")
    assert power.greatest_w(books.db, station, 1) == 22_000

    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(600)
    books.read(station, session, 4_000, power_w=24_000)
    books.stop(station, session, 4_000)

    assert power.greatest_w(books.db, station, 1) == 24_000
    assert power.greatest_w(books.db, station, 2) == 22_000
    assert stations.powers(books.db, station, 1).seen_w == 24_000


def test_what_was_measured_in_a_doubted_session_teaches_nothing(books: Books) -> None:
    station, _ = place(books)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.read(station, session, 10, power_w=900_000)
    books.stop(station, session, 499_000)

    assert books.session(session)["state"] == "review"
    assert power.greatest_w(books.db, station, 1) == 400_000


def test_a_charger_of_22_kw_is_doubted_where_one_of_350_is_not(books: Books) -> None:
    station, _ = place(books)
    settings.change(books.db, "power_max_kw", "22")
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(600)
    books.stop(station, session, 20_000)

    assert state_of(books, session) == ("review", "too_fast", 0, 0)
    assert closing_rows.figures(books.db, SessionId(session))[0].usage.duration_s == 600


def test_of_two_that_began_at_one_moment_the_lower_register_was_first(books: Books) -> None:
    """Its station's clock stands still: what the second pays for the first does not pay too."""
    station, _ = place(books)
    books.card(OTHER, books.person("Karim Ahmed", paid_in=50_000))
    first = books.start(station, 1, CARD, meter_wh=10_000).ref
    assert books.start(station, 1, CARD, meter_wh=10_000).ref == first
    assert state_of(books, first)[0] == "running", "the same start again ends nothing"
    second = books.start(station, 1, OTHER, meter_wh=13_000).ref
    assert state_of(books, first)[0] == "ended"
    books.wait(600)
    books.read(station, second, 14_000)
    books.wait(600)
    books.stop(station, second, 18_000)
    books.stop(station, first, 15_000)

    assert state_of(books, second)[:3] == ("ended", "", 5_000)
    assert state_of(books, first)[:2] == ("review", "next_start")
    assert energies(books, first) == [3_000, 5_000]


# --- other counts, and other units ---------------------------------------------------------------------------------------------


def charge(
    books: Books, station: StationId, start_wh: int, registers_wh: list[int], stop_wh: int, power_w: int | None = 7_000
) -> int:
    """A session with a reading every ten minutes; its number."""
    session = books.start(station, 1, CARD, meter_wh=start_wh).ref
    for register_wh in registers_wh:
        books.wait(600)
        books.read(station, session, register_wh, power_w)
    books.wait(600)
    books.stop(station, session, stop_wh)
    return session


def test_power_tells_that_registers_are_kilowatt_hours(books: Books) -> None:
    station, rahima = place(books)
    session = charge(books, station, 120, [121, 122, 123, 124, 125, 126], 127)

    assert state_of(books, session) == ("ended", "", 7_000, 14_000)
    assert books.balance(rahima) == 50_000 - 14_000
    again = charge(books, station, 127, [], 129)
    assert state_of(books, again)[:3] == ("ended", "", 2_000), "the session before tells"


def test_a_register_that_stands_still_while_power_flows_is_looked_at(books: Books) -> None:
    station, rahima = place(books)
    session = charge(books, station, 120_000, [120_000] * 6, 120_000)

    assert state_of(books, session) == ("review", "power", 0, 0)
    assert energies(books, session) == [5_833]
    assert books.balance(rahima) == 50_000 > (books.available(rahima) or 0), "held, and not taken"
    (problem,) = [one for one in problems.open_problems(books.db) if one.kind == "review"]
    assert problem.details["why"] == "power"


def test_what_staff_decided_of_a_start_that_tells_nothing_counts_for_the_next(books: Books) -> None:
    station, _ = place(books)
    settings.change(books.db, "power_max_kw", "100")
    charge(books, station, 0, [], 9_000, None)
    doubted = charge(books, station, 0, [], 12_000, None)
    assert energies(books, doubted) == [3_000, 12_000]
    review.bill(books.db, SessionId(doubted), books.by, 12_000)

    assert state_of(books, charge(books, station, 0, [], 14_000, None))[:3] == ("ended", "", 14_000)


def test_and_so_it_does_if_it_was_the_lower_figure(books: Books) -> None:
    station, _ = place(books)
    charge(books, station, 0, [], 9_000, None)
    doubted = charge(books, station, 0, [], 12_000, None)
    review.bill(books.db, SessionId(doubted), books.by, 3_000)

    assert energies(books, charge(books, station, 0, [], 14_000, None)) == [2_000, 14_000]


@pytest.mark.parametrize(
    ("start_s", "stop_s", "heard_s", "state"),
    [
        (0, -3_600, 3_600, "ended"),
        (0, 0, 3_600, "ended"),
        (0, -3_600, 30, "review"),
        (-7_200, -7_200, 1, "review"),
        (-7_200, -9_000, 3_600, "review"),
        (-7_200, -3_600, 1, "ended"),
    ],
    ids=["set back", "stood still", "set back, and too short", "no time", "went back in a queue", "a queue"],
)
def test_energy_and_time_that_cannot_both_be_true_are_looked_at(
    books: Books, start_s: int, stop_s: int, heard_s: int, state: str
) -> None:
    """12 kWh, by the station's clock and by ours."""
    station, rahima = place(books)
    begun_ms = books.now_ms
    start = TransactionStarted(1, CARD, 5_000, begun_ms + start_s * 1000, begun_ms)
    session = service.transaction_started(books.db, station, start).ref
    books.wait(heard_s)
    stop_at(books, station, session, 17_000, begun_ms + stop_s * 1000)

    assert state_of(books, session)[0] == state
    assert books.balance(rahima) == 50_000 - (24_000 if state == "ended" else 0)


def test_intervals_of_the_clock_and_of_the_session_are_not_summed_up_together(books: Books) -> None:
    station, _ = place(books)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    for minute in range(1, 16):
        books.wait(60)
        told = [Reading(books.now_ms, interval_wh=(100, 102, 98)[minute % 3])]
        if minute % 5 == 0:
            told.append(Reading(books.now_ms + 1, interval_wh=500, by_clock=True))
        metering.meter_read(books.db, station, MeterRead(session, 1, told, books.now_ms + 1))
    running = books.running(session)

    assert running is not None
    assert running.energy_wh == 1_500
