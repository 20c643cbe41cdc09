"""What sessions cost, how far money goes, and on which days it falls."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.domain.session import length_s
from appliance.domain.tariff import (
    FREE,
    PRICE_MILLI_MAX,
    Bill,
    DayShare,
    Line,
    Tariff,
    Usage,
    affordable_wh,
    idle_after_grace,
    price,
    projected_minor,
    split,
)

PUBLIC = Tariff(
    id=1,
    name="Public",
    energy_milli_per_kwh=1_850_000,
    time_milli_per_minute=10_000,
    idle_milli_per_minute=200_000,
    idle_grace_s=1800,
    flat_milli=500_000,
    tax_basis_points=1500,
)
"""18.50 a kWh, 0.10 a minute, 2.00 an idle minute after half an hour, 5.00 a session, 15 % tax."""

PRICES = st.integers(0, 5_000_000) | st.integers(0, 2000) | st.just(0)
TARIFFS = st.builds(
    Tariff,
    id=st.just(1),
    name=st.just("Any"),
    energy_milli_per_kwh=PRICES,
    time_milli_per_minute=PRICES,
    idle_milli_per_minute=PRICES,
    idle_grace_s=st.integers(0, 3600),
    flat_milli=PRICES,
    tax_basis_points=st.integers(0, 10_000),
)
ENERGIES = st.integers(0, 200_000)
SECONDS = st.integers(0, 200_000)
USAGES = st.builds(Usage, ENERGIES, SECONDS, SECONDS)
PARTS = st.lists(USAGES, min_size=1, max_size=6).map(
    lambda usages: [(f"2026-11-{day:02d}", usage) for day, usage in enumerate(usages, start=1)]
)


def total(usages: list[Usage]) -> Usage:
    return Usage(
        sum(usage.energy_wh for usage in usages),
        sum(usage.duration_s for usage in usages),
        sum(usage.idle_s for usage in usages),
    )


def test_bill_has_a_line_for_each_price_and_one_for_the_tax() -> None:
    assert price(Usage(energy_wh=7_200, duration_s=3_600, idle_s=90), PUBLIC) == Bill(
        lines=(
            Line("energy", 7_200, 13_320),
            Line("time", 3_600, 600),
            Line("idle", 90, 300),
            Line("flat", 1, 500),
        ),
        net_minor=14_720,
        tax_minor=2_208,
        total_minor=16_928,
    )


def test_free_tariff_gives_an_empty_bill() -> None:
    assert price(Usage(50_000, 86_400, 3_600), FREE) == Bill((), 0, 0, 0)


def test_line_of_which_nothing_was_used_is_left_out() -> None:
    assert [line.kind for line in price(Usage(0, 60, 0), PUBLIC).lines] == ["time", "flat"]


def test_energy_too_small_to_cost_anything_is_still_a_line() -> None:
    assert price(Usage(1, 0), Tariff(id=1, name="Cheap", energy_milli_per_kwh=100_000)).lines == (Line("energy", 1, 0),)


@pytest.mark.parametrize(("energy_wh", "amount_minor"), [(500, 0), (1_500, 2), (2_500, 2), (2_501, 3)])
def test_line_is_rounded_once_half_to_even(energy_wh: int, amount_minor: int) -> None:
    assert price(Usage(energy_wh, 0), Tariff(id=1, name="One", energy_milli_per_kwh=1_000)).net_minor == amount_minor


def test_tax_is_rounded_once_over_the_net() -> None:
    tariff = Tariff(id=1, name="Taxed", energy_milli_per_kwh=3_000, time_milli_per_minute=3_000, tax_basis_points=1_000)
    bill = price(Usage(energy_wh=1_000, duration_s=60), tariff)
    assert (bill.net_minor, bill.tax_minor) == (6, 1)


@pytest.mark.parametrize("usage", [(-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_negative_usage_cannot_be_made(usage: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="never negative"):
        Usage(*usage)


@pytest.mark.parametrize(
    "wrong",
    [
        {"energy_milli_per_kwh": -1},
        {"time_milli_per_minute": PRICE_MILLI_MAX + 1},
        {"idle_milli_per_minute": -1},
        {"flat_milli": -1},
        {"idle_grace_s": -1},
        {"idle_grace_s": 86_401},
        {"tax_basis_points": -1},
        {"tax_basis_points": 10_001},
    ],
)
def test_tariff_beyond_its_bounds_cannot_be_made(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="between 0 and"):
        replace(PUBLIC, **wrong)  # type: ignore[arg-type]


@given(USAGES, USAGES, TARIFFS)
def test_two_halves_cost_what_the_whole_costs_but_for_the_rounding_of_each_line(
    first: Usage, second: Usage, tariff: Tariff
) -> None:
    tariff = replace(tariff, flat_milli=0)
    halves = [price(first, tariff), price(second, tariff)]
    whole = price(total([first, second]), tariff)
    assert abs(whole.net_minor - sum(half.net_minor for half in halves)) <= len(whole.lines)
    quantities: dict[str, int] = {}
    for half in halves:
        for line in half.lines:
            quantities[line.kind] = quantities.get(line.kind, 0) + line.quantity
    assert quantities == {line.kind: line.quantity for line in whole.lines}


@given(USAGES, USAGES, TARIFFS)
def test_more_of_anything_never_costs_less(usage: Usage, more: Usage, tariff: Tariff) -> None:
    cost_minor = price(usage, tariff).total_minor
    assert cost_minor <= price(replace(usage, energy_wh=usage.energy_wh + more.energy_wh), tariff).total_minor
    assert cost_minor <= price(replace(usage, duration_s=usage.duration_s + more.duration_s), tariff).total_minor
    assert cost_minor <= price(replace(usage, idle_s=usage.idle_s + more.idle_s), tariff).total_minor


@given(USAGES, TARIFFS)
def test_bill_adds_up_and_is_never_negative(usage: Usage, tariff: Tariff) -> None:
    bill = price(usage, tariff)
    assert sum(line.amount_minor for line in bill.lines) == bill.net_minor
    assert bill.net_minor + bill.tax_minor == bill.total_minor
    assert all(line.amount_minor >= 0 and line.quantity > 0 for line in bill.lines)
    assert bill.tax_minor >= 0


@given(USAGES, TARIFFS, st.integers(0, 400_000), st.integers(0, 7_200), st.data())
def test_projection_is_never_below_the_price_of_what_follows(
    usage: Usage, tariff: Tariff, power_w: int, ahead_s: int, data: st.DataObject
) -> None:
    projected = projected_minor(usage, tariff, power_w, ahead_s)
    passed_s = data.draw(st.integers(0, ahead_s))
    idle_s = data.draw(st.integers(0, passed_s))
    energy_wh = data.draw(st.integers(0, power_w)) * passed_s // 3_600
    later = Usage(usage.energy_wh + energy_wh, usage.duration_s + passed_s, usage.idle_s + idle_s)
    assert projected >= price(later, tariff).total_minor
    full = Usage(usage.energy_wh + -(-power_w * ahead_s // 3_600), usage.duration_s + ahead_s, usage.idle_s + ahead_s)
    assert projected >= price(full, tariff).total_minor
    assert projected <= price(full, tariff).total_minor + 2 * (len(price(full, tariff).lines) + 1)


@given(USAGES, TARIFFS, st.integers(0, 400_000), st.integers(0, 7_200))
def test_projection_for_a_car_that_will_not_idle_is_never_below_the_price_either(
    usage: Usage, tariff: Tariff, power_w: int, ahead_s: int
) -> None:
    projected = projected_minor(usage, tariff, power_w, ahead_s, may_idle=False)
    later = Usage(usage.energy_wh + -(-power_w * ahead_s // 3_600), usage.duration_s + ahead_s, usage.idle_s)
    assert price(later, tariff).total_minor <= projected <= projected_minor(usage, tariff, power_w, ahead_s)


def test_projection_takes_a_car_that_gives_power_back_for_one_that_takes_none() -> None:
    assert projected_minor(Usage(100, 60), PUBLIC, -5_000, 60) == projected_minor(Usage(100, 60), PUBLIC, 0, 60)


@given(TARIFFS, st.integers(0, 10**9))
def test_affordable_energy_is_the_most_that_fits_the_amount(tariff: Tariff, amount_minor: int) -> None:
    energy_wh = affordable_wh(tariff, amount_minor)
    alone = replace(tariff, time_milli_per_minute=0, idle_milli_per_minute=0)
    assume(price(Usage(0, 0), alone).total_minor <= amount_minor)
    if energy_wh is None:
        assert tariff.energy_milli_per_kwh == 0
    else:
        assert price(Usage(energy_wh, 0), alone).total_minor <= amount_minor
        assert price(Usage(energy_wh + 1, 0), alone).total_minor > amount_minor


def test_nothing_is_affordable_when_the_flat_fee_is_not() -> None:
    assert affordable_wh(PUBLIC, 574) == 0
    assert affordable_wh(Tariff(id=1, name="Entry", flat_milli=1_000_000), 999) == 0


def test_energy_without_a_price_sets_no_limit() -> None:
    assert affordable_wh(FREE, 0) is None


def test_grace_is_used_up_once_in_a_session() -> None:
    assert length_s(idle_after_grace([(0, 600_000), (1_000_000, 1_600_000)], grace_s=900)) == 300
    assert idle_after_grace([(0, 600_000), (1_000_000, 1_600_000)], grace_s=900) == [(1_300_000, 1_600_000)]


def test_idling_within_the_grace_is_not_charged() -> None:
    assert length_s(idle_after_grace([(0, 600_000), (700_000, 1_000_000)], grace_s=900)) == 0
    assert idle_after_grace([], grace_s=0) == []


def test_idle_spans_that_overlap_or_touch_are_counted_once() -> None:
    spans = [(5_000, 9_000), (0, 6_000), (1_000, 2_000), (9_000, 9_999), (20_000, 19_000)]
    assert idle_after_grace(spans, grace_s=0) == [(0, 9_999)]
    assert length_s(idle_after_grace(spans, grace_s=0)) == 9


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=8), st.integers(0, 400))
def test_chargeable_idle_is_the_covered_time_less_the_grace(spans_s: list[tuple[int, int]], grace_s: int) -> None:
    covered = sorted({second for begin_s, end_s in spans_s for second in range(begin_s, end_s)})
    spans_ms = [(begin_s * 1_000, end_s * 1_000) for begin_s, end_s in spans_s]
    assert length_s(idle_after_grace(spans_ms, grace_s)) == max(0, len(covered) - grace_s)
    charged = {
        second for begin, end in idle_after_grace(spans_ms, grace_s) for second in range(begin // 1000, end // 1000)
    }
    assert charged == set(covered[grace_s:])


def test_session_over_midnight_is_split_by_what_was_used_on_each_day() -> None:
    parts = [("2026-11-23", Usage(3_000, 1_200, 0)), ("2026-11-24", Usage(1_000, 600, 60))]
    bill = price(Usage(4_000, 1_800, 60), PUBLIC)
    assert bill.total_minor == 9_660
    assert split(bill, parts) == [
        DayShare("2026-11-23", working_s=1_200, energy_wh=3_000, fee_minor=7_188),
        DayShare("2026-11-24", working_s=600, energy_wh=1_000, fee_minor=2_472),
    ]


def test_flat_fee_falls_on_the_first_day() -> None:
    entry = Tariff(id=1, name="Entry", flat_milli=1_000_000, tax_basis_points=1_000)
    shares = split(price(Usage(10, 10), entry), [("2026-11-23", Usage(0, 4)), ("2026-11-24", Usage(10, 6))])
    assert [share.fee_minor for share in shares] == [1_100, 0]


def test_bill_cannot_be_split_on_no_days() -> None:
    with pytest.raises(ValueError, match="at least one weight"):
        split(price(Usage(1, 1), PUBLIC), [])


@given(PARTS, TARIFFS)
def test_days_sum_to_the_bill_exactly(parts: list[tuple[str, Usage]], tariff: Tariff) -> None:
    bill = price(total([usage for _, usage in parts]), tariff)
    shares = split(bill, parts)
    assert sum(share.fee_minor for share in shares) == bill.total_minor
    assert [(share.day, share.working_s, share.energy_wh) for share in shares] == [
        (day, usage.duration_s, usage.energy_wh) for day, usage in parts
    ]
    assert all(share.fee_minor >= 0 for share in shares)


@given(USAGES, TARIFFS)
def test_session_within_one_day_gives_all_to_that_day(usage: Usage, tariff: Tariff) -> None:
    bill = price(usage, tariff)
    assert split(bill, [("2026-11-23", usage)])[0].fee_minor == bill.total_minor


@given(PARTS, TARIFFS, USAGES)
def test_days_sum_to_the_bill_even_when_their_quantities_do_not(
    parts: list[tuple[str, Usage]], tariff: Tariff, usage: Usage
) -> None:
    bill = price(usage, tariff)
    assert sum(share.fee_minor for share in split(bill, parts)) == bill.total_minor
