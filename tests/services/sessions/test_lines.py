"""Sessions by a tariff with lines: held, shown, stopped, billed, corrected, reviewed and counted by days, to the minor unit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from appliance.db.integrity.figures import wrong_figures
from appliance.db.sessions import lines as line_rows
from appliance.db.sessions import session_list
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import SessionId
from appliance.domain.pricing.checks import check
from appliance.domain.pricing.lines import Period, Terms, Usage
from appliance.domain.pricing.reckoning import price
from appliance.domain.session import bill_until
from appliance.domain.tariff import Tariff
from appliance.services import settings, tariffs
from appliance.services.sessions import closing, review
from tests.support.books import BY, SITE, Books, open_books
from tests.support.price_lines import line, session, terms
from tests.support.random_tariffs import random_terms

UID = "04A1B2C3"
BANDS = terms(
    line("energy", 1214, "vat", from_time="13:00", to_time="14:00"),
    line("energy", 866, "vat"),
    line("idle_time", 200, from_idle_minutes=10),
    line("flat", 50),
    taxes={"vat": 5},
)
"""Dearer from one to two o'clock; two taka for each idle minute after ten; a fee of half a taka."""


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return open_books(tmp_path / "forecourt.db")


def with_lines(books: Books, found: Terms = BANDS) -> None:
    number = tariffs.add(books.db, Tariff(0, "Bands", terms=found), BY)
    tariffs.make_default(books.db, number, BY)


def charge(books: Books, *steps: tuple[int, int]) -> int:
    """A session from noon that is read after so many minutes with so many Wh more; it runs on."""
    station = books.station()
    books.card(UID, books.person(paid_in=100_000))
    ref = books.start(station, 1, UID).ref
    books.status(station, 1, "Charging")
    meter_wh = 1_000
    for minutes, energy_wh in steps:
        books.wait(minutes * 60)
        meter_wh += energy_wh
        books.read(station, ref, meter_wh)
    return ref


def fee(books: Books, ref: int) -> tuple[int, int, int]:
    row = books.session(ref)
    return row["net_minor"], row["tax_minor"], row["fee_minor"]


def all_is_well(books: Books) -> None:
    assert books.wrong() == []
    assert wrong_figures(books.db) == []


def test_session_is_billed_by_its_readings_and_lines(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000), (60, 6_000), (60, 4_000))
    books.stop(books.db.execute("SELECT station_id FROM session").fetchone()[0], ref, 14_000)
    told = session("2025-11-23T12:00", SITE.zone, (30, 3, True), (60, 6, True), (60, 4, True))
    expected = price(told, BANDS, SITE.zone)
    # 3 kWh until half past twelve, 6 until half past one, 4 until half past two: 3 + 3 and 2 cheap, 3 and 2 dear.
    assert [(one.line, one.amount_minor) for one in expected.lines] == [(0, 6_070), (1, 6_928), (3, 50)]
    assert fee(books, ref) == (expected.net_minor, expected.tax_minor, expected.total_minor) == (13_048, 650, 13_698)
    assert line_rows.of_session(books.db, ref) == list(expected.lines)
    all_is_well(books)


def test_what_is_shown_while_it_runs_is_what_it_would_cost_now(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000), (60, 6_000))
    told = session("2025-11-23T12:00", SITE.zone, (30, 3, True), (60, 6, True))
    expected = price(told, BANDS, SITE.zone).total_minor
    running, shown = books.running(ref), session_list.show(books.db, ref)
    assert running is not None
    assert shown is not None
    assert running.so_far_minor == shown.so_far_minor == expected
    assert bill_until(shown, books.now_ms).total_minor == expected


def test_idle_time_is_priced_after_its_minutes_and_so_is_the_place_after_the_transaction(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    station = books.db.execute("SELECT station_id FROM session").fetchone()[0]
    books.status(station, 1, "SuspendedEV")
    books.wait(15 * 60)
    books.stop(station, ref, 4_000)
    # 3 kWh at 8.66, 5 of 15 idle minutes at 2.00, the fee; 5 % on the energy.
    assert fee(books, ref) == (2_598 + 1_000 + 50, 130, 3_778)
    books.status(station, 1, "Finishing")
    books.wait(20 * 60)
    books.status(station, 1, "Available")
    assert fee(books, ref) == (2_598 + 5_000 + 50, 130, 7_778)
    assert [one.amount_minor for one in line_rows.of_session(books.db, ref)] == [2_598, 5_000, 50]
    all_is_well(books)


def test_slices_are_held_for_the_dearest_hour_that_may_come(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    running = books.running(ref)
    assert running is not None
    assert (
        running.held_minor >= price(session("2025-11-23T12:00", SITE.zone, (30, 3, True)), BANDS, SITE.zone).total_minor
    )


def test_prepaid_session_is_stopped_before_its_money_is_used_up(books: Books) -> None:
    with_lines(books, terms(line("energy", 1_000, to_time="13:00"), line("energy", 10_000)))
    station = books.station()
    person = books.person(paid_in=30_000)
    books.card(UID, person)
    ref = books.start(station, 1, UID).ref
    meter_wh = 1_000
    while books.session(ref)["stop_wanted"] == "":
        books.wait(60)
        meter_wh += 183
        books.read(station, ref, meter_wh, 11_000)
    latency_s = settings.of(books.db).stop_latency_s
    books.wait(latency_s)
    books.stop(station, ref, meter_wh + 11_000 * latency_s // 3600)
    assert 0 <= books.balance(person) < 5_000
    assert books.session(ref)["fee_minor"] == 30_000 - books.balance(person)
    all_is_well(books)


def test_price_that_changes_meanwhile_is_not_that_of_the_session(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    default = next(row for row in books.db.execute("SELECT id FROM tariff WHERE is_default = 1"))[0]
    tariffs.change(books.db, default, Tariff(0, "Dear", terms=terms(line("energy", 9_999))), BY)
    books.stop(books.db.execute("SELECT station_id FROM session").fetchone()[0], ref, 4_000)
    assert fee(books, ref)[2] == 2_598 + 130 + 50


def test_without_energy_nothing_is_billed_and_no_minimum(books: Books) -> None:
    with_lines(books, terms(line("energy", 5), line("duration", 100), minimum_minor=5_000))
    ref = charge(books, (60, 0))
    books.stop(books.db.execute("SELECT station_id FROM session").fetchone()[0], ref, 1_000)
    assert fee(books, ref) == (0, 0, 0)
    assert line_rows.of_session(books.db, ref) == []
    all_is_well(books)


def test_session_over_midnight_is_shared_out_by_what_each_day_cost(books: Books) -> None:
    with_lines(books, terms(line("energy", 1_000, to_time="12:00"), line("energy", 3_000)))
    books.wait(11 * 3600)
    ref = charge(books, (30, 5_000), (60, 4_000))
    books.stop(books.db.execute("SELECT station_id FROM session").fetchone()[0], ref, 10_000)
    # 5 kWh and half of 4 before midnight at 30.00, the rest at 10.00.
    assert [(day.day, day.fees_minor) for day in books.days("2025-11-01", "2025-11-30")] == [
        ("2025-11-23", 21_000), ("2025-11-24", 2_000),
    ]  # fmt: skip
    assert fee(books, ref)[2] == 23_000
    all_is_well(books)


def test_late_stop_sets_the_bill_and_its_lines_right(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    station = books.db.execute("SELECT station_id FROM session").fetchone()[0]
    closing.close_by_hand(books.db, SessionId(ref), books.by)
    assert fee(books, ref)[2] == 2_598 + 130 + 50
    books.wait(60)
    books.stop(station, ref, 5_000)
    told = session("2025-11-23T12:00", SITE.zone, (30, 3, True), (1, 1, True))
    expected = price(told, BANDS, SITE.zone)
    assert fee(books, ref)[2] == expected.total_minor
    assert line_rows.of_session(books.db, ref) == list(expected.lines)
    all_is_well(books)


def test_session_in_review_says_what_each_figure_costs_and_is_billed_by_the_one_chosen(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    station = books.db.execute("SELECT station_id FROM session").fetchone()[0]
    books.wait(60)
    books.stop(station, ref, 900_000_000)
    shown = session_list.show(books.db, ref)
    assert shown is not None
    assert shown.state == "review"
    costs = {one.figure.usage.energy_wh: one.bill.total_minor for one in review.choices(shown)}
    assert costs
    assert all(minor > 0 for minor in costs.values())
    least = min(costs)
    review.bill(books.db, SessionId(ref), books.by, least)
    assert fee(books, ref)[2] == costs[least]
    assert sum(one.amount_minor for one in line_rows.of_session(books.db, ref)) == fee(books, ref)[0]
    all_is_well(books)


def test_nightly_check_finds_a_bill_that_its_lines_do_not_make(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    books.stop(books.db.execute("SELECT station_id FROM session").fetchone()[0], ref, 4_000)
    books.db.execute(
        "UPDATE session_line SET amount_minor = amount_minor + 1 WHERE session_id = ? AND position = 0", (ref,)
    )
    assert [sentence for sentence in wrong_figures(books.db) if "by its lines" in sentence]


def test_line_for_one_way_of_paying_counts_for_its_sessions_alone(books: Books) -> None:
    with_lines(books, terms(line("energy", 1, methods=["postpaid"]), line("energy", 1_000)))
    ref = charge(books, (60, 1_000))
    books.stop(books.db.execute("SELECT station_id FROM session").fetchone()[0], ref, 2_000)
    assert fee(books, ref)[2] == 1_000


def test_flat_tariff_keeps_no_lines_and_asks_for_no_course(books: Books) -> None:
    books.tariff()
    ref = charge(books, (30, 3_000))
    books.stop(books.db.execute("SELECT station_id FROM session").fetchone()[0], ref, 4_000)
    assert fee(books, ref)[2] == 6_000
    assert books.session(ref)["so_far_minor"] is None
    assert line_rows.of_session(books.db, ref) == []


def random_tariff(chance: Random) -> Terms:
    """One that a site can have, of all that lines can say of a session."""
    while True:
        found = random_terms(chance)
        lines = [
            replace(one, conditions=replace(one.conditions, holidays=None, methods=frozenset(), groups=frozenset()))
            for one in found.lines
            if one.dimension != "reservation"
        ]
        with suppress(Invalid):
            return check(replace(found, lines=tuple(lines), gaps_are_free=True))


@pytest.mark.parametrize("seed", range(20))
def test_random_session_costs_what_its_readings_cost_by_the_lines(books: Books, seed: int) -> None:
    chance = Random(seed)
    tariff = random_tariff(chance)
    with_lines(books, tariff)
    books.wait(chance.randrange(24 * 60) * 60)
    started_ms = books.now_ms
    station = books.station()
    books.card(UID, books.person(paid_in=10_000_000))
    ref = books.start(station, 1, UID).ref
    meter_wh, periods, idle = 1_000, [], False
    for _ in range(chance.randrange(1, 9)):
        if chance.random() < 0.3:
            idle = not idle
            books.status(station, 1, "SuspendedEV" if idle else "Charging")
        minutes = chance.randrange(1, 90)
        energy_wh = 0 if idle else chance.randrange(1, 200 * minutes)
        books.wait(minutes * 60)
        meter_wh += energy_wh
        books.read(station, ref, meter_wh)
        periods.append(Period(books.now_ms, energy_wh, not idle))
        shown = session_list.show(books.db, ref)
        assert shown is not None
        so_far = price(Usage(started_ms, tuple(periods)), tariff, SITE.zone)
        assert bill_until(shown, books.now_ms).total_minor == so_far.total_minor
    books.stop(station, ref, meter_wh)
    told = price(Usage(started_ms, tuple(periods)), tariff, SITE.zone)
    assert fee(books, ref) == (told.net_minor, told.tax_minor, told.total_minor)
    assert line_rows.of_session(books.db, ref) == list(told.lines)
    assert sum(day.fees_minor for day in books.days("2025-11-01", "2025-11-30")) == told.total_minor
    all_is_well(books)


@pytest.mark.parametrize("seed", range(12))
def test_wallet_is_not_overrun_whatever_the_lines_are(books: Books, seed: int) -> None:
    chance = Random(seed)
    tariff = random_tariff(chance)
    with_lines(books, tariff)
    books.wait(chance.randrange(24 * 60) * 60)
    station, person = books.station(), books.person(paid_in=chance.randrange(5_000, 20_000))
    books.card(UID, person)
    ref = books.start(station, 1, UID).ref
    meter_wh = 1_000
    for _ in range(90):
        books.wait(60)
        meter_wh += 180
        books.read(station, ref, meter_wh, 10_800)
        if books.session(ref)["stop_wanted"]:
            break
    books.wait(15)
    books.stop(station, ref, meter_wh + 45)
    assert books.balance(person) >= 0
    assert books.db.execute("SELECT count(*) FROM transfer WHERE code = 'overrun'").fetchone()[0] == 0
    all_is_well(books)
