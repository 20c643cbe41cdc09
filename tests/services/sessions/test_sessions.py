"""From the swipe to the bill, told as stations tell it."""

from __future__ import annotations

import pytest

from appliance.db import problems
from appliance.domain.events import TransactionStarted
from appliance.domain.identifiers import CardId
from appliance.services.cards import cards
from appliance.services.sessions import starting
from tests.support.books import Books

CARD = "04A1B2C3"
OTHER = "04D4E5F6"


def test_a_prepaid_charge_takes_its_price_out_of_the_wallet(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)

    started = books.start(station, 1, CARD, meter_wh=1_000)
    assert started.authorization.status == "Accepted"
    assert books.balance(rahima) == 50_000
    assert books.available(rahima) == 49_000

    books.wait(3600)
    books.stop(station, started.ref, 8_200, CARD)

    assert books.balance(rahima) == 50_000 - 14_400
    assert books.available(rahima) == 50_000 - 14_400
    row = books.session(started.ref)
    assert (row["state"], row["energy_wh"], row["fee_minor"], row["duration_s"]) == ("ended", 7_200, 14_400, 3600)


def test_a_repeated_start_is_answered_with_the_same_transaction(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)

    first = books.start(station, 1, CARD)
    again = books.start(station, 1, CARD)

    assert again == first
    assert books.available(rahima) == 49_000


def test_a_repeated_stop_takes_the_money_once(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD)
    books.stop(station, started.ref, 3_000)
    books.wait(5)
    books.stop(station, started.ref, 3_000)

    assert books.balance(rahima) == 50_000 - 4_000
    assert problems.open_problems(books.db) == []


def test_tax_is_added_to_the_price_and_booked_apart(books: Books) -> None:
    books.tariff(energy=2_000_000, flat=500_000, tax=750)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 10_000)

    row = books.session(started.ref)
    assert (row["net_minor"], row["tax_minor"], row["fee_minor"]) == (20_500, 1_538, 22_038)
    assert books.balance(rahima) == 50_000 - 22_038
    tax = books.db.execute("SELECT credit_posted - debit_posted FROM account WHERE kind = 'tax'").fetchone()[0]
    assert tax == 1_538


def test_more_is_held_as_the_session_goes_on_and_the_stop_is_wanted_before_the_money_runs_out(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=5_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    wanted_at_wh = 0
    running = books.running(started.ref)
    for meter_wh in range(100, 2_600, 100):
        books.wait(60)
        books.read(station, started.ref, meter_wh, power_w=6_000)
        running = books.running(started.ref)
        assert running is not None
        assert running.held_minor <= 5_000
        if running.stop_wanted:
            wanted_at_wh = meter_wh
            break

    assert running is not None
    assert running.stop_wanted == "credit"
    assert running.slices > 1
    assert 0 < wanted_at_wh < 2_500
    books.stop(station, started.ref, wanted_at_wh + 100, reason="Remote")
    assert 0 <= books.balance(rahima) < 300


def test_what_exceeds_a_prepaid_wallet_is_the_sites_loss(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=1_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 2_000)

    assert books.balance(rahima) == 0
    overrun = books.db.execute("SELECT debit_posted FROM account WHERE kind = 'overrun'").fetchone()[0]
    assert overrun == 3_000


def test_two_cards_of_one_wallet_never_hold_the_same_money(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=1_500)
    books.card(CARD, rahima)
    books.card(OTHER, rahima)

    assert books.start(station, 1, CARD).authorization.status == "Accepted"
    assert books.start(station, 2, OTHER).authorization.status == "Accepted"
    assert books.available(rahima) == 0


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("unknown", "Invalid"),
        ("blocked", "Blocked"),
        ("expired", "Expired"),
        ("empty", "NoCredit"),
        ("twice", "ConcurrentTx"),
    ],
)
def test_each_reason_not_to_charge_has_its_own_word_and_the_transaction_its_number(
    books: Books, what: str, status: str
) -> None:
    """OCTT 1.6 TC_023_1/2/3, TC_037_3."""
    books.tariff()
    station = books.station()
    rahima = books.person(paid_in=0 if what == "empty" else 50_000)
    card = 0
    if what != "unknown":
        card = books.card(CARD, rahima, expires_at_ms=books.now_ms - 1 if what == "expired" else None)
    if what == "blocked":
        cards.block(books.db, CardId(card), "lost", books.by)
    if what == "twice":
        books.start(station, 2, CARD)

    started = books.start(station, 1, CARD)

    assert started.authorization.status == status
    assert started.ref > 0


def test_energy_on_a_blocked_card_is_billed_to_nobody(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=50_000)
    card = books.card(CARD, rahima)
    cards.block(books.db, CardId(card), "stolen", books.by)
    started = books.start(station, 1, CARD)
    books.stop(station, started.ref, 5_000)

    assert books.balance(rahima) == 50_000
    assert books.session(started.ref)["energy_wh"] == 4_000


def test_postpaid_people_owe_and_free_people_pay_nothing(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station = books.station()
    owes = books.person("Green Taxi", group=books.group("postpaid"))
    free = books.person("Nasrin Akter", group=books.group("free"))
    books.card(CARD, owes)
    books.card(OTHER, free)
    first, second = books.start(station, 1, CARD), books.start(station, 2, OTHER)
    books.stop(station, first.ref, 6_000)
    books.stop(station, second.ref, 6_000)

    assert books.balance(owes) == -10_000
    assert books.balance(free) == 0
    assert books.session(second.ref)["fee_minor"] == 0


def test_a_session_without_energy_costs_nothing(books: Books) -> None:
    books.tariff(energy=2_000_000, flat=500_000)
    station, rahima = books.station(), books.person(paid_in=5_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD)
    books.stop(station, started.ref, 1_000)

    assert books.balance(rahima) == 5_000
    assert books.available(rahima) == 5_000


def test_a_stop_by_another_station_changes_nothing(books: Books) -> None:
    """Any charger could stop any other's transaction in a well-known server (CVE-2026-28230)."""
    books.tariff()
    mine, other = books.station("CS-01"), books.station("CS-02")
    rahima = books.person(paid_in=5_000)
    books.card(CARD, rahima)
    started = books.start(mine, 1, CARD)
    books.stop(other, started.ref, 900_000)

    assert books.session(started.ref)["state"] == "running"
    assert [problem.kind for problem in problems.open_problems(books.db)] == ["foreign_transaction"]


@pytest.mark.parametrize("ref", [-1, 0])
def test_a_stop_without_a_number_ends_the_only_transaction_of_the_card(books: Books, ref: int) -> None:
    """Stations that started offline never learned the number (1.6 errata 3.18)."""
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD)
    books.stop(station, ref, 3_000, CARD)

    assert books.session(started.ref)["fee_minor"] == 4_000


def test_a_lost_stop_is_estimated_at_the_next_start_and_set_right_when_it_comes(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima, karim = books.station(), books.person(paid_in=50_000), books.person("Karim", paid_in=50_000)
    books.card(CARD, rahima)
    books.card(OTHER, karim)
    lost = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    books.read(station, lost.ref, 3_000)
    books.wait(600)
    books.start(station, 1, OTHER, meter_wh=5_000)

    assert books.session(lost.ref)["estimated"] == 1
    assert books.balance(rahima) == 50_000 - 6_000

    books.stop(station, lost.ref, 4_500)

    assert books.session(lost.ref)["estimated"] == 0
    assert books.balance(rahima) == 50_000 - 9_000
    assert [day.energy_wh for day in books.days("2025-01-01", "2026-12-31")] == [4_500]


def test_a_register_that_cannot_be_right_is_not_billed_before_somebody_has_looked(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 910_000_000)

    assert books.session(started.ref)["state"] == "review"
    assert books.balance(rahima) == 50_000
    assert [problem.kind for problem in problems.open_problems(books.db)] == ["review"]


def test_a_stop_below_the_start_is_billed_by_the_readings_in_between(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=100_000)
    books.wait(600)
    books.read(station, started.ref, 102_500)
    books.wait(60)
    books.stop(station, started.ref, -1)

    assert books.session(started.ref)["fee_minor"] == 5_000


def test_a_session_over_midnight_is_split_between_its_days(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=500_000)
    books.card(CARD, rahima)
    books.wait(11 * 3600)  # 23:00 in Dhaka
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(1800)
    books.read(station, started.ref, 3_000)
    books.wait(3600)
    books.read(station, started.ref, 9_000)
    books.wait(1800)
    books.stop(station, started.ref, 12_000)

    days = books.days("2025-11-23", "2025-11-24")
    assert [(day.day, day.working_s, day.energy_wh, day.fees_minor, day.sessions) for day in days] == [
        ("2025-11-23", 3600, 6_000, 12_000, 1),
        ("2025-11-24", 3600, 6_000, 12_000, 0),
    ]


def test_idle_time_is_charged_beyond_the_grace_also_after_the_transaction(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000, grace_s=600)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    books.status(station, 1, "Preparing")
    started = books.start(station, 1, CARD, meter_wh=0)
    books.status(station, 1, "Charging")
    books.wait(3600)
    books.status(station, 1, "SuspendedEV")
    books.wait(900)
    books.status(station, 1, "Finishing")
    books.stop(station, started.ref, 5_000)
    assert books.balance(rahima) == 50_000 - 10_000 - 500

    books.wait(600)
    books.status(station, 1, "Available")

    assert books.balance(rahima) == 50_000 - 10_000 - 1_500
    assert books.session(started.ref)["idle_s"] == 900


def test_the_place_is_charged_for_no_longer_than_the_owner_allows(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=100_000)
    station, rahima = books.station(), books.person(paid_in=500_000)
    books.card(CARD, rahima)
    books.status(station, 1, "Preparing")
    started = books.start(station, 1, CARD, meter_wh=0)
    books.status(station, 1, "Finishing")
    books.stop(station, started.ref, 5_000)
    books.wait(10 * 86_400)
    books.status(station, 1, "Available")

    assert books.session(started.ref)["idle_s"] == 43_200
    assert books.balance(rahima) == 500_000 - 10_000 - 72_000


def test_a_blocked_card_stops_what_it_charges(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=50_000)
    card = books.card(CARD, rahima)
    started = books.start(station, 1, CARD)
    cards.block(books.db, CardId(card), "lost", books.by)

    assert books.session(started.ref)["stop_wanted"] == "blocked"


def test_a_late_start_of_a_queue_does_not_end_what_runs_now(books: Books) -> None:
    books.tariff()
    station, rahima, karim = books.station(), books.person(paid_in=50_000), books.person("Karim", paid_in=50_000)
    books.card(CARD, rahima)
    books.card(OTHER, karim)
    now = books.start(station, 1, CARD)
    before = books.now_ms - 7_200_000
    late = starting.transaction_started(books.db, station, TransactionStarted(1, OTHER, 0, before, books.now_ms))

    assert late.ref != now.ref
    assert books.session(now.ref)["state"] == "running"
