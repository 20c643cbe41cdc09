"""Sessions that do not go by the book: messages late or twice, cards that change hands, cars that stay."""

from __future__ import annotations

from appliance.db import problems
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted, TransactionStartedInPart
from appliance.domain.identifiers import CardId, StationId
from appliance.domain.meter import Reading
from appliance.services.cards import cards
from appliance.services.people import people
from appliance.services.sessions import in_part, metering, review, starting, stopping
from appliance.services.stations import status as status_units
from tests.support.books import NOON_MS, Books
from tests.support.statuses import status_changed

CARD = "04A1B2C3"
OTHER = "04D4E5F6"
HOUR_S = 3600


def late_status(books: Books, station: StationId, evse: int, status: str, at_ms: int) -> None:
    """A StatusNotification of another time than now."""
    status_units.status_changed(books.db, station, status_changed(evse, status, at_ms, books.now_ms))


def late_reading(books: Books, station: StationId, ref: int, meter_wh: int, at_ms: int) -> None:
    """A MeterValues of another time than now."""
    metering.meter_read(books.db, station, MeterRead(ref, 1, (Reading(at_ms, meter_wh),), books.now_ms))


def test_a_session_goes_on_when_its_person_changes_to_a_group_without_limit(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=2_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    people.change(
        books.db, rahima, books.by, name="Rahima Khatun", phone="", note="", language="", group=books.group("postpaid")
    )
    for meter_wh in (500, 1_500, 2_500):
        books.wait(300)
        books.read(station, started.ref, meter_wh, power_w=12_000)

    assert books.session(started.ref)["stop_wanted"] == ""
    books.stop(station, started.ref, 3_000)
    assert books.balance(rahima) == 2_000 - 6_000
    assert books.session(started.ref)["fee_minor"] == 6_000


def test_a_session_that_began_on_account_is_billed_when_its_person_has_become_prepaid(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, taxi = books.station(), books.person("Green Taxi", group=books.group("postpaid"), paid_in=1_000)
    books.card(CARD, taxi)
    started = books.start(station, 1, CARD, meter_wh=0)
    people.change(books.db, taxi, books.by, name="Green Taxi", phone="", note="", language="", group=books.group())
    books.wait(60)
    books.read(station, started.ref, 2_000)
    books.stop(station, started.ref, 2_000)

    assert books.balance(taxi) == 0
    overrun = books.db.execute("SELECT debit_posted FROM account WHERE kind = 'overrun'").fetchone()
    assert overrun == (3_000,)


def test_a_card_taken_by_another_person_changes_nothing_for_the_session_that_runs(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    card = books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    cards.replace(books.db, CardId(card), OTHER, books.by)
    books.stop(station, started.ref, 1_000)

    assert books.balance(rahima) == 48_000


def test_nobody_pays_for_a_place_while_the_charger_was_away_and_nobody_saw_the_car(books: Books) -> None:
    """Stopped and left while the charger was offline: the stop comes eight hours late, and then that the place is free."""
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=90_000)
    books.card(CARD, rahima)
    books.status(station, 1, "Charging")
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(HOUR_S)
    stopped_ms = books.now_ms
    books.wait(8 * HOUR_S)
    event = TransactionEnded(started.ref, CARD, 5_000, stopped_ms, "Local", (), books.now_ms)
    stopping.transaction_ended(books.db, station, event)
    books.status(station, 1, "Available")

    assert books.balance(rahima) == 90_000 - 10_000


def test_a_place_that_is_still_taken_when_the_charger_is_back_costs_from_then_on(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=90_000)
    books.card(CARD, rahima)
    books.status(station, 1, "Charging")
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(HOUR_S)
    stopped_ms = books.now_ms
    books.wait(8 * HOUR_S)
    event = TransactionEnded(started.ref, CARD, 5_000, stopped_ms, "Local", (), books.now_ms)
    stopping.transaction_ended(books.db, station, event)
    books.status(station, 1, "Finishing")
    books.wait(600)
    books.status(station, 1, "Available")

    assert books.balance(rahima) == 90_000 - 10_000 - 1_000


def test_a_queued_start_ends_the_parking_before_it_and_costs_nothing(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima, karim = books.station(), books.person(paid_in=90_000), books.person("Karim", paid_in=90_000)
    books.card(CARD, rahima)
    books.card(OTHER, karim)
    books.status(station, 1, "Charging")
    first = books.start(station, 1, CARD, meter_wh=0)
    books.wait(HOUR_S)
    stopped_ms = books.now_ms
    books.wait(8 * HOUR_S)
    stop = TransactionEnded(first.ref, CARD, 5_000, stopped_ms, "Local", (), books.now_ms)
    stopping.transaction_ended(books.db, station, stop)
    begun_ms = stopped_ms + HOUR_S * 1000
    second = starting.transaction_started(
        books.db, station, TransactionStarted(1, OTHER, 5_000, begun_ms, books.now_ms)
    )
    books.status(station, 1, "Charging")
    books.wait(60)
    books.stop(station, second.ref, 6_000)
    books.status(station, 1, "Available")
    books.wait(HOUR_S)
    books.status(station, 1, "Preparing")
    books.status(station, 1, "Available")

    assert books.balance(rahima) == 90_000 - 10_000


def test_the_next_transaction_at_the_place_ends_the_parking_of_the_one_before(books: Books) -> None:
    """Two swipes without unplugging in between: idle time is not charged twice, nor to somebody who has left."""
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima, karim = books.station(), books.person(paid_in=50_000), books.person("Karim", paid_in=50_000)
    books.card(CARD, rahima)
    books.card(OTHER, karim)
    books.status(station, 1, "Charging")
    first = books.start(station, 1, CARD, meter_wh=0)
    books.wait(HOUR_S)
    books.stop(station, first.ref, 5_000)
    books.status(station, 1, "Finishing")
    books.wait(600)
    second = books.start(station, 1, OTHER, meter_wh=5_000)
    books.status(station, 1, "Charging")
    books.wait(HOUR_S)
    books.stop(station, second.ref, 6_000)
    books.wait(300)
    books.status(station, 1, "Available")
    books.wait(10 * HOUR_S)
    books.status(station, 1, "Preparing")
    books.status(station, 1, "Available")

    assert books.balance(rahima) == 50_000 - 10_000 - 1_000
    assert books.balance(karim) == 50_000 - 2_000 - 500


def test_a_session_without_energy_pays_nothing_for_the_place_either(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000, flat=500_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    books.status(station, 1, "Charging")
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 0)
    books.status(station, 1, "Finishing")
    books.wait(HOUR_S)
    books.status(station, 1, "Available")

    assert books.balance(rahima) == 50_000


def test_an_estimate_is_the_same_whether_or_not_the_server_has_restarted(books: Books) -> None:
    books.tariff(energy=2_000_000, time=60_000)
    station = books.station()
    balances = []
    for evse, uid in ((1, CARD), (2, OTHER)):
        person = books.person(paid_in=50_000)
        books.card(uid, person)
        started = books.start(station, evse, uid, meter_wh=0)
        books.wait(600)
        books.read(station, started.ref, 3_000)
        books.wait(600)
        books.read(station, started.ref, 3_000)  # The car is full.
        if evse == 2:
            books.db.flush()
            books.db.forget()
        books.wait(600)
        books.start(station, evse, uid, meter_wh=3_000)
        balances.append(books.balance(person))

    assert balances == [50_000 - 6_000 - 1_200] * 2


def test_a_nameless_stop_that_comes_again_does_not_end_the_next_transaction(books: Books) -> None:
    """Its acknowledgement was lost, and the next car was faster than the repetition."""
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    first = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    stop = TransactionEnded(-1, CARD, 1_000, books.now_ms, "Local", (), books.now_ms)
    stopping.transaction_ended(books.db, station, stop)
    books.wait(60)
    second = books.start(station, 1, CARD, meter_wh=1_000)
    stopping.transaction_ended(books.db, station, stop)

    assert books.session(first.ref)["fee_minor"] == 2_000
    assert books.session(second.ref)["state"] == "running"


def test_a_status_of_earlier_that_comes_late_begins_no_idle_time(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    books.status(station, 1, "Charging")
    late_status(books, station, 1, "SuspendedEV", books.now_ms - 300_000)
    books.wait(HOUR_S)
    books.stop(station, started.ref, 1_000)

    assert books.balance(rahima) == 48_000


def test_a_status_of_earlier_that_comes_late_ends_no_idle_time(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    books.status(station, 1, "SuspendedEV")
    late_status(books, station, 1, "Charging", books.now_ms - 300_000)
    books.wait(600)
    books.stop(station, started.ref, 1_000)

    assert books.balance(rahima) == 50_000 - 2_000 - 1_000


def test_a_status_of_before_a_restart_that_comes_late_ends_no_idle_time(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    books.status(station, 1, "SuspendedEV")
    books.db.flush()
    books.db.forget()
    late_status(books, station, 1, "Charging", books.now_ms - 300_000)
    books.wait(600)
    books.stop(station, started.ref, 1_000)

    assert books.balance(rahima) == 50_000 - 2_000 - 1_000


def test_the_same_status_again_changes_no_idle_time(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    for status in ("Charging", "SuspendedEV", "Charging", "SuspendedEV"):
        books.wait(300)
        at_ms = books.now_ms
        for _ in range(3):
            late_status(books, station, 1, status, at_ms)
    books.wait(300)
    books.stop(station, started.ref, 1_000)

    assert books.balance(rahima) == 50_000 - 2_000 - 1_000


def test_idle_time_that_begins_again_in_the_second_in_which_it_ended_is_charged(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    for status in ("SuspendedEV", "Charging", "SuspendedEV"):
        books.status(station, 1, status)
    books.wait(600)
    books.status(station, 1, "Charging")
    books.stop(station, started.ref, 1_000)

    assert books.balance(rahima) == 50_000 - 2_000 - 1_000


def test_readings_that_arrive_late_and_out_of_order_never_lower_what_was_used(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(900)
    for minute, meter_wh in ((15, 3_000), (5, 1_000), (10, 2_000), (5, 1_000)):
        late_reading(books, station, started.ref, meter_wh, NOON_MS + minute * 60_000)
    running = books.running(started.ref)
    assert running is not None

    assert running.energy_wh == 3_000
    books.stop(station, started.ref, None)
    assert books.balance(rahima) == 44_000


def test_readings_of_another_stations_session_are_not_taken(books: Books) -> None:
    books.tariff()
    mine, other = books.station("CS-01"), books.station("CS-02")
    rahima = books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(mine, 1, CARD, meter_wh=0)
    books.read(other, started.ref, 40_000)
    books.stop(mine, started.ref, None)

    assert books.balance(rahima) == 50_000
    books.db.flush()
    assert books.db.execute("SELECT count(*) FROM sample").fetchone() == (0,)


def test_a_start_far_in_the_past_or_future_is_a_session_like_any_other(books: Books) -> None:
    """A charger with an empty clock says 1970."""
    books.tariff(energy=2_000_000, time=1_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    for at_ms in (NOON_MS - 30 * 86_400_000, NOON_MS + 86_400_000):
        started = starting.transaction_started(books.db, station, TransactionStarted(1, CARD, 0, at_ms, books.now_ms))
        stop = TransactionEnded(started.ref, None, 1_000, at_ms - 60_000, "Local", (), books.now_ms)
        stopping.transaction_ended(books.db, station, stop)
        row = books.session(started.ref)
        assert (row["state"], row["duration_s"], row["fee_minor"]) == ("ended", 0, 2_000)


def test_an_unreadable_start_gets_a_number_and_its_stop_is_taken(books: Books) -> None:
    books.tariff()
    station = books.station()
    event = TransactionStartedInPart(0, "", None, books.now_ms, books.now_ms)
    started = in_part.started_in_part(books.db, station, event, "no card")
    books.wait(60)
    books.stop(station, started.ref, 1_000)

    assert not started.authorization.accepted
    assert books.session(started.ref)["state"] in ("ended", "review")
    assert "unreadable" in [one.kind for one in problems.open_problems(books.db)]


def test_a_second_stop_after_a_corrected_estimate_changes_nothing(books: Books) -> None:
    books.tariff(energy=2_000_000, tax=1_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    lost = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    books.read(station, lost.ref, 3_000)
    books.wait(60)
    books.start(station, 1, CARD, meter_wh=4_000)
    books.stop(station, lost.ref, 2_000)
    assert books.balance(rahima) == 50_000 - 4_400
    books.stop(station, lost.ref, 2_000)
    books.stop(station, lost.ref, 9_000)

    assert books.balance(rahima) == 50_000 - 4_400


def test_of_two_that_run_at_one_connector_the_other_is_found_when_the_newest_has_ended(books: Books) -> None:
    books.tariff()
    station, rahima, tanvir = books.station(), books.person(paid_in=50_000), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    books.card(OTHER, tanvir)
    books.wait(HOUR_S)
    runs = books.start(station, 1, CARD)
    # A start of an hour ago, out of the station's queue: it ends nothing.
    late = starting.transaction_started(
        books.db, station, TransactionStarted(1, OTHER, 500, books.now_ms - HOUR_S * 1000, books.now_ms)
    )
    books.stop(station, late.ref, 700)
    books.wait(60)
    nameless = MeterRead(None, 1, (Reading(books.now_ms, 1_900),), books.now_ms)
    metering.meter_read(books.db, station, nameless)

    running = books.running(runs.ref)
    assert running is not None
    assert running.energy_wh == 900
    books.stop(station, runs.ref, 2_000)
    metering.meter_read(books.db, station, nameless)
    assert (books.session(late.ref)["energy_wh"], books.session(runs.ref)["energy_wh"]) == (200, 1_000)


def test_what_is_remembered_of_the_idle_time_is_what_is_kept(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=1_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    ref = books.start(station, 1, CARD).ref
    books.wait(7_200)
    minutes = [0, 5, 5, 3, 10, 10, 20, 30, 25, 40]
    words = ["SuspendedEV", "Charging", "SuspendedEV", "Charging", "SuspendedEV", "SuspendedEV", "Charging"]
    for number, minute in enumerate(minutes):
        late_status(books, station, 1, words[number % len(words)], NOON_MS + minute * 60_000)
        running = books.running(ref)
        assert running is not None
        kept = books.db.execute("SELECT begin_at_ms, end_at_ms FROM idle_span WHERE session_id = ? ORDER BY 1", (ref,))
        assert list(running.idle_spans) == kept.fetchall()


def test_a_start_without_a_register_is_offered_to_its_payer_when_somebody_has_looked(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    books.stop(station, books.start(station, 1, CARD, meter_wh=0).ref, 1_000)
    books.wait(60)
    started = in_part.started_in_part(
        books.db, station, TransactionStartedInPart(1, CARD, None, books.now_ms, books.now_ms), "meterStart"
    )
    books.wait(HOUR_S)
    books.read(station, started.ref, 3_000)
    books.stop(station, started.ref, 5_000)

    assert not started.authorization.accepted, "nobody can say yet what is to be paid"
    assert (books.session(started.ref)["state"], books.session(started.ref)["note"]) == ("review", "no_start")
    assert books.balance(rahima) == 50_000 - 2_000
    review.bill(books.db, started.ref, books.by)
    assert (books.session(started.ref)["state"], books.session(started.ref)["energy_wh"]) == ("ended", 4_000)
    assert books.balance(rahima) == 50_000 - 2_000 - 8_000


def test_a_start_without_a_register_of_a_card_that_is_blocked_is_nobodys(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    cards.block(books.db, CardId(books.card(CARD, rahima)), "lost", books.by)
    event = TransactionStartedInPart(1, CARD, None, books.now_ms, books.now_ms)
    started = in_part.started_in_part(books.db, station, event, "meterStart")
    books.wait(HOUR_S)
    books.read(station, started.ref, 3_000)
    books.stop(station, started.ref, 5_000)

    assert (books.session(started.ref)["state"], books.session(started.ref)["note"]) == ("review", "nobody")
    assert books.balance(rahima) == 50_000
