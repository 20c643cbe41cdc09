"""What the lines of a tariff make of a session: exact pieces, one rounding, taxes, limits, and the projection."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.pricing.flat import terms_of, usage_of
from appliance.domain.pricing.lines import Dimension, Period, Usage
from appliance.domain.pricing.reckoning import bill, price, projected_minor
from appliance.domain.pricing.tally import Tally
from appliance.domain.session import bill_for
from appliance.domain.tariff import IDLE_GRACE_S_MAX, Tariff
from tests.support.price_lines import amounts, cost, line, session, terms
from tests.support.random_tariffs import ZONES, random_terms, random_usage

DHAKA = ZoneInfo("Asia/Dhaka")
NOON = "2026-11-30T12:00"
SEEDS = st.integers(0, 2**32)
PRICES = st.integers(0, 5_000_000) | st.integers(0, 2000) | st.just(0)
FLAT_TARIFFS = st.builds(
    Tariff, id=st.just(1), name=st.just("Any"), energy_milli_per_kwh=PRICES, time_milli_per_minute=PRICES,
    idle_milli_per_minute=PRICES, idle_grace_s=st.integers(0, 3600) | st.integers(0, IDLE_GRACE_S_MAX), flat_milli=PRICES,
    tax_basis_points=st.integers(0, 10_000),
)  # fmt: skip


# --- the first line that holds ------------------------------------------------------------------------------------------------


def test_first_line_that_holds_prices_a_piece_and_what_none_holds_for_is_free() -> None:
    tariff = terms(
        line("energy", 10, from_time="13:00", to_time="14:00"), line("energy", 7, from_time="12:30", to_time="15:00")
    )
    # 6 kWh over three hours, 2 an hour: half an hour free, half at 7, one at 10, one at 7.
    assert amounts(price(session(NOON, DHAKA, (180, 6, True)), tariff, DHAKA)) == [("energy", 20), ("energy", 21)]


def test_energy_is_cut_where_an_amount_is_reached_and_time_where_that_was() -> None:
    tariff = terms(line("energy", 0, to_wh=1000), line("energy", 20), line("charging_time", 1, from_wh=1000))
    bill = price(session(NOON, DHAKA, (60, 6, True)), tariff, DHAKA)
    assert amounts(bill) == [("energy", 0), ("energy", 100), ("charging_time", 50)]


def test_minutes_count_from_the_start_and_idle_minutes_over_all_idling() -> None:
    tariff = terms(line("duration", 1, from_minutes=60), line("idle_time", 2, from_idle_minutes=30))
    # 20 idle minutes, 30 of charging, 40 idle: the grace of 30 is used up once, 10 minutes into the second span.
    usage = session(NOON, DHAKA, (40, 5, True), (20, 0, False), (30, 5, True), (40, 0, False))
    assert amounts(price(usage, tariff, DHAKA)) == [("duration", 70), ("idle_time", 60)]


def test_pause_costs_by_duration_alone() -> None:
    tariff = terms(line("charging_time", 1), line("idle_time", 10), line("duration", 100))
    assert amounts(price(session(NOON, DHAKA, (10, 1, True), (5, 0, None), (3, 0, False)), tariff, DHAKA)) == [
        ("charging_time", 10), ("idle_time", 30), ("duration", 1800),
    ]  # fmt: skip


def test_power_is_what_is_told_or_what_energy_and_time_make_of_it() -> None:
    tariff = terms(line("energy", 1, to_w=11_000), line("energy", 100))
    assert amounts(price(session(NOON, DHAKA, (60, 10, True, 11_000)), tariff, DHAKA)) == [("energy", 1000)]
    assert amounts(price(session(NOON, DHAKA, (60, 10.999, True)), tariff, DHAKA)) == [("energy", 11)]
    assert amounts(price(session(NOON, DHAKA, (60, 11, True)), tariff, DHAKA)) == [("energy", 1100)]


def test_way_of_paying_and_group_choose_lines() -> None:
    tariff = terms(line("energy", 1, methods=["cash"]), line("energy", 10, groups=[4]), line("energy", 100))
    usage = session(NOON, DHAKA, (60, 1, True))
    assert cost(tariff, replace(usage, method="cash", group=4), DHAKA) == (1, 1)
    assert cost(tariff, replace(usage, method="card", group=4), DHAKA) == (10, 10)
    assert cost(tariff, usage, DHAKA) == (100, 100)


def test_flat_fee_is_that_of_the_start() -> None:
    tariff = terms(line("flat", 30, from_time="12:00", to_time="13:00"), line("flat", 50))
    assert amounts(price(session(NOON, DHAKA, (300, 1, True)), tariff, DHAKA)) == [("flat", 30)]
    assert amounts(price(session("2026-11-30T11:59", DHAKA, (300, 1, True)), tariff, DHAKA)) == [("flat", 50)]


def test_energy_that_was_told_at_one_moment_has_the_price_of_that_moment() -> None:
    tariff = terms(
        line("energy", 1, to_wh=500), line("energy", 10, from_time="12:00", to_time="13:00"), gaps_are_free=True
    )
    assert amounts(price(session(NOON, DHAKA, (0, 1.5, True)), tariff, DHAKA)) == [("energy", 0), ("energy", 10)]
    assert amounts(price(session(NOON, DHAKA, (60, 0, True), (0, 1.5, True)), tariff, DHAKA)) == [("energy", 0)]


def test_periods_that_go_back_or_give_energy_back_are_none() -> None:
    with pytest.raises(ValueError, match="goes on"):
        Usage(1000, (Period(999),))
    with pytest.raises(ValueError, match="not negative"):
        Usage(1000, (Period(2000, -1),))


# --- roundings, taxes, limits -------------------------------------------------------------------------------------------------


def test_line_is_rounded_once_and_not_for_each_piece() -> None:
    tariff = terms(line("energy", "0.4", from_time="12:00", to_time="13:00"), line("energy", 1))
    usage = session("2026-11-30T11:00", DHAKA, *[(60, 0.7, True)] * 3)
    assert amounts(price(usage, tariff, DHAKA)) == [("energy", 0), ("energy", 1)]


def test_taxes_are_rounded_once_for_each_code_half_to_even() -> None:
    tariff = terms(
        line("energy", 5, "vat", "city"), line("flat", 5, "vat"), line("duration", 1), taxes={"vat": 5, "city": 10}
    )
    bill = price(session(NOON, DHAKA, (3, 1, True)), tariff, DHAKA)
    assert [(tax.code, tax.tax_minor) for tax in bill.taxes] == [("vat", 0), ("city", 0)]
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (13, 0, 13)
    bill = price(session(NOON, DHAKA, (3, 3, True)), tariff, DHAKA)
    assert [(tax.code, tax.tax_minor) for tax in bill.taxes] == [("vat", 1), ("city", 2)]


def test_tax_that_is_included_is_its_part_of_the_price() -> None:
    tariff = terms(line("energy", 119, "a"), line("flat", 250, "a", "b"), taxes={"a": 19, "b": 6}, tax_included=True)
    bill = price(session(NOON, DHAKA, (60, 1, True)), tariff, DHAKA)
    # a: 119 × 19/119 + 250 × 19/125 = 57, b: 250 × 6/125 = 12.
    assert [(tax.code, tax.tax_minor) for tax in bill.taxes] == [("a", 57), ("b", 12)]
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (300, 69, 369)


@pytest.mark.parametrize("included", [True, False])
def test_difference_to_the_minimum_is_a_line_and_taxes_have_their_share(included: bool) -> None:
    tariff = terms(line("energy", 100, "vat"), taxes={"vat": 25}, tax_included=included, minimum_minor=500)
    bill = price(session(NOON, DHAKA, (60, 1, True)), tariff, DHAKA)
    assert amounts(bill) == [("energy", 100), ("minimum", 400 if included else 300)]
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (400, 100, 500)


def test_difference_to_the_maximum_is_a_line_and_taxes_lose_their_share() -> None:
    tariff = terms(line("energy", 100, "a"), line("flat", 100), taxes={"a": 20}, maximum_minor=100)
    bill = price(session(NOON, DHAKA, (60, 1, True)), tariff, DHAKA)
    # 220 with 20 of tax; of the 120 that are too much 120 × 20/220 = 10.9 are tax.
    assert amounts(bill) == [("energy", 100), ("flat", 100), ("maximum", -109)]
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (91, 9, 100)


def test_minimum_of_a_session_whose_lines_cost_nothing_has_the_tax_of_the_first_line() -> None:
    tariff = terms(line("energy", 0, "a"), taxes={"a": 25}, minimum_minor=500)
    bill = price(session(NOON, DHAKA, (60, 1, True)), tariff, DHAKA)
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (400, 100, 500)
    assert [(tax.code, tax.tax_minor) for tax in bill.taxes] == [("a", 100)]


def test_without_energy_only_the_reservation_is_billed_and_no_minimum() -> None:
    tariff = terms(
        line("reservation", 200, unit="once"), line("reservation", 500, unit="hour"), line("flat", 50), line("duration", 9),
        line("energy", 1), minimum_minor=10_000,
    )  # fmt: skip
    usage = session(NOON, DHAKA, (60, 0, True))
    assert amounts(price(usage, tariff, DHAKA)) == []
    reserved = replace(usage, reserved_from_ms=usage.started_at_ms - 30 * 60_000)
    assert amounts(price(reserved, tariff, DHAKA)) == [("reservation", 200), ("reservation", 250)]
    never_came = Usage(usage.started_at_ms, (), usage.started_at_ms - 3_600_000, usage.started_at_ms - 1_800_000)
    assert amounts(price(never_came, tariff, DHAKA)) == [("reservation", 200), ("reservation", 250)]


def test_reservation_is_cut_at_the_hours_of_its_lines() -> None:
    tariff = terms(line("reservation", 1, from_time="11:00", to_time="11:30"), line("reservation", 10))
    usage = session(NOON, DHAKA, reserved_from_ms=session("2026-11-30T10:50", DHAKA).started_at_ms)
    assert amounts(price(usage, tariff, DHAKA)) == [("reservation", 30), ("reservation", 400)]


# --- laws ---------------------------------------------------------------------------------------------------------------------


@given(
    FLAT_TARIFFS,
    st.lists(st.tuples(st.integers(0, 7200), st.integers(0, 30_000), st.sampled_from([True, False, None]))),
)
def test_flat_tariff_is_the_case_without_conditions(
    tariff: Tariff, periods: list[tuple[int, int, bool | None]]
) -> None:
    at_ms = start_ms = 1_793_487_600_000
    found = []
    for seconds, energy_wh, charging in periods:
        at_ms += seconds * 1000
        found.append(Period(at_ms, energy_wh, charging))
    usage = Usage(start_ms, tuple(found))
    told = bill_for(usage_of(usage, tariff), tariff)
    by_lines = price(usage, terms_of(tariff), DHAKA)
    assert (by_lines.net_minor, by_lines.tax_minor, by_lines.total_minor) == told[1:]
    assert [charged.amount_minor for charged in by_lines.lines] == [charged.amount_minor for charged in told.lines]


@given(SEEDS)
def test_session_priced_in_two_halves_costs_what_it_costs_whole(seed: int) -> None:
    chance = Random(seed)
    tariff, usage, zone = random_terms(chance), random_usage(chance), chance.choice(ZONES)
    tally = Tally(replace(usage, periods=()), tariff, zone)
    half = chance.randrange(len(usage.periods) + 1)
    for period in usage.periods[:half]:
        tally.add(period)
    bill(tally)
    for period in usage.periods[half:]:
        tally.add(period)
    assert bill(tally) == price(usage, tariff, zone)


@given(SEEDS)
def test_reading_more_changes_nothing(seed: int) -> None:
    chance = Random(seed)
    tariff, usage, zone = random_terms(chance), random_usage(chance), chance.choice(ZONES)
    begin_ms, finer = usage.started_at_ms, []
    for period in usage.periods:
        # Cut in three at whole minutes and whole Wh that lie on its line.
        time_ms, whole = period.until_ms - begin_ms, period.energy_wh - period.energy_wh % 3
        finer += [replace(period, until_ms=begin_ms + time_ms * part // 3, energy_wh=whole // 3) for part in (1, 2, 3)]
        begin_ms = period.until_ms
    coarser = [replace(period, energy_wh=period.energy_wh - period.energy_wh % 3) for period in usage.periods]
    assert price(replace(usage, periods=tuple(finer)), tariff, zone) == price(
        replace(usage, periods=tuple(coarser)), tariff, zone
    )


@given(SEEDS, st.integers(0, 3600), st.integers(0, 50_000))
def test_projected_cost_is_never_below_the_price(seed: int, ahead_s: int, power_w: int) -> None:
    chance = Random(seed)
    tariff, usage, zone = random_terms(chance), random_usage(chance), chance.choice(ZONES)
    tally = Tally(usage, tariff, zone)
    most_minor = projected_minor(tally, power_w, ahead_s)
    only_charging = projected_minor(tally, power_w, ahead_s, may_idle=False)
    assert 0 <= bill(tally).total_minor <= only_charging <= most_minor
    at_ms = usage.periods[-1].until_ms if usage.periods else usage.started_at_ms
    idled, rest_s = False, ahead_s
    while rest_s:
        step_s = chance.randrange(1, rest_s + 1)
        rest_s -= step_s
        at_ms += step_s * 1000
        charging = chance.choice((True, False, None))
        idled = idled or charging is False
        tally.add(
            Period(at_ms, chance.randrange(power_w * step_s // 3600 + 1), charging, chance.choice((None, power_w)))
        )
    assert bill(tally).total_minor <= (most_minor if idled else only_charging)


def test_projection_holds_no_more_than_the_dearest_line_can_ask_for() -> None:
    tariff = terms(line("energy", 10, "vat"), line("flat", 100), line("idle_time", 100), taxes={"vat": 10})
    tally = Tally(session(NOON, DHAKA, (60, 10, True)), tariff, DHAKA)
    assert bill(tally).total_minor == 210
    # 6 kW for ten minutes are 1 kWh, 11 with tax; half a unit for the rounding of each of three lines and of the tax.
    assert projected_minor(tally, 6000, 600, may_idle=False) == 210 + 11 + 3
    assert projected_minor(tally, 6000, 600) == 210 + 11 + 3 + 1000


def test_dimensions_have_the_words_of_programs() -> None:
    assert sorted(Dimension) == ["charging_time", "duration", "energy", "flat", "idle_time", "reservation"]
