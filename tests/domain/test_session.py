"""The rules of a session: its transitions, what it has used at any moment, and its days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain import energies, registers
from appliance.domain.energies import Doubt, Energies
from appliance.domain.registers import POWER_W_MAX
from appliance.domain.session import (
    CLOSED,
    MS_MAX,
    NOTHING,
    OPEN,
    OVER,
    TRANSITIONS,
    SessionEvent,
    SessionState,
    after,
    begun_ms,
    bill_for,
    bill_until,
    days,
    doubts,
    pieces,
    usage_until,
    with_parking,
)
from appliance.domain.tariff import Tariff, Usage
from appliance.domain.transitions import ImpossibleTransition

DHAKA = ZoneInfo("Asia/Dhaka")
NOON_MS = 1_763_877_600_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000
TARIFF = Tariff(
    id=1, name="Public", energy_milli_per_kwh=2_000_000, time_milli_per_minute=100_000, idle_milli_per_minute=50_000,
    idle_grace_s=600, flat_milli=700_000, tax_basis_points=750,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """Facts by hand."""

    started_at_ms: int | None = NOON_MS
    heard_at_ms: int = NOON_MS
    energy_wh: int = 0
    idle_spans: tuple[tuple[int, int | None], ...] = ()
    tariff: Tariff | None = TARIFF
    so_far_minor: int | None = None
    billed: Usage | None = None


def spans(offsets: list[tuple[int, int]], open_from: int | None) -> tuple[tuple[int, int | None], ...]:
    """Idle spans out of minutes after noon."""
    closed: list[tuple[int, int | None]] = [
        (NOON_MS + begin * 1_000, NOON_MS + (begin + length) * 1_000) for begin, length in offsets
    ]
    if open_from is not None:
        closed.append((NOON_MS + open_from * 1_000, None))
    return tuple(sorted(closed, key=lambda span: span[0]))


FACTS = st.builds(
    Known,
    started_at_ms=st.integers(NOON_MS - 3 * DAY_MS, NOON_MS + DAY_MS),
    heard_at_ms=st.integers(NOON_MS, NOON_MS + DAY_MS),
    energy_wh=st.integers(0, 400_000),
    idle_spans=st.builds(
        spans,
        st.lists(
            st.tuples(st.integers(-3_600, 90_000), st.integers(0, 20_000)), max_size=5, unique_by=lambda one: one[0]
        ),
        st.none() | st.integers(90_001, 100_000),
    ),
    tariff=st.sampled_from([TARIFF, None, replace(TARIFF, idle_grace_s=0), replace(TARIFF, flat_milli=0)]),
)
MOMENTS = st.integers(NOON_MS - DAY_MS, NOON_MS + 3 * DAY_MS)


# --- transitions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "event"), list(product([None, *SessionState], SessionEvent)))
def test_what_is_not_in_the_table_cannot_happen(state: SessionState | None, event: SessionEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(ImpossibleTransition):
            after(state, event)


def test_every_state_is_reached_and_every_event_moves_something() -> None:
    assert set(TRANSITIONS.values()) == set(SessionState)
    assert {event for _, event in TRANSITIONS} == set(SessionEvent)


def test_states_are_open_or_over_and_what_never_began_is_not_closed() -> None:
    assert set(SessionState) == OPEN | OVER
    assert not OPEN & OVER
    assert {SessionState.FAILED} == OVER - CLOSED
    for (state, _), then in TRANSITIONS.items():
        assert not (state in OVER and then in OPEN), "nothing comes back to life"


# --- usage -----------------------------------------------------------------------------------------------------------------


def test_a_start_dated_sixty_days_ago_counts_from_when_it_was_heard() -> None:
    facts = Known(
        NOON_MS - 60 * DAY_MS, NOON_MS, energy_wh=1_000, tariff=replace(TARIFF, flat_milli=0, tax_basis_points=0)
    )

    assert usage_until(facts, NOON_MS + 10 * MINUTE_MS) == Usage(1_000, 600, 0)
    assert bill_until(facts, NOON_MS + 10 * MINUTE_MS).total_minor == 3_000


def test_a_session_that_was_heard_in_time_may_last_for_weeks() -> None:
    assert usage_until(Known(), NOON_MS + 30 * DAY_MS).duration_s == 30 * 86_400


def test_the_grace_is_given_once_for_all_spans_together() -> None:
    facts = Known(energy_wh=1, idle_spans=spans([(600, 400), (2_000, 400)], 3_000))

    assert usage_until(facts, NOON_MS + 3_100_000).idle_s == 400 + 400 + 100 - 600


def test_idle_time_that_overlaps_is_counted_once_and_fractions_are_cut_off_once() -> None:
    overlapping = Known(energy_wh=1, tariff=None, idle_spans=spans([(100, 200), (200, 200)], None))
    fractions = Known(
        energy_wh=1, tariff=None, idle_spans=((NOON_MS, NOON_MS + 600), (NOON_MS + 5_000, NOON_MS + 5_600))
    )

    assert usage_until(overlapping, NOON_MS + DAY_MS).idle_s == 300
    assert usage_until(fractions, NOON_MS + DAY_MS).idle_s == 1


def test_what_has_not_begun_has_used_nothing_and_what_is_over_what_it_was_billed() -> None:
    assert usage_until(Known(started_at_ms=None), NOON_MS + DAY_MS) == NOTHING
    assert usage_until(Known(billed=Usage(7, 8, 9)), NOON_MS + DAY_MS) == Usage(7, 8, 9)


@given(FACTS, MOMENTS)
def test_usage_is_never_negative_and_nobody_idles_longer_than_they_were_there(facts: Known, now_ms: int) -> None:
    usage = usage_until(facts, now_ms)

    assert usage.energy_wh == facts.energy_wh
    assert 0 <= usage.idle_s <= usage.duration_s


@given(FACTS, MOMENTS, MOMENTS)
def test_usage_and_bill_never_fall_as_time_goes_by(facts: Known, one_ms: int, other_ms: int) -> None:
    """Since it was heard of: what was before that is over, or is dated by a wrong clock."""
    earlier, later = sorted(max(facts.heard_at_ms, one) for one in (one_ms, other_ms))
    before, then = usage_until(facts, earlier), usage_until(facts, later)

    assert before.duration_s <= then.duration_s
    assert before.idle_s <= then.idle_s
    assert bill_until(facts, earlier).total_minor <= bill_until(facts, later).total_minor


@given(st.integers(MS_MAX // 1_000 + 1, 10**8), st.integers(0, MS_MAX // 1_000))
def test_only_when_a_date_is_disbelieved_does_usage_fall_and_then_never_again(ago_s: int, later_s: int) -> None:
    facts = Known(NOON_MS - ago_s * 1_000, NOON_MS)
    durations = [usage_until(facts, NOON_MS + second * 1_000).duration_s for second in (0, later_s, later_s + 1)]

    assert durations == [0, later_s, later_s + 1]


# --- price -----------------------------------------------------------------------------------------------------------------


@given(FACTS, MOMENTS)
def test_without_energy_nothing_is_charged(facts: Known, now_ms: int) -> None:
    assert bill_until(replace(facts, energy_wh=0), now_ms).total_minor == 0


@given(FACTS, MOMENTS)
def test_without_a_tariff_nothing_is_charged(facts: Known, now_ms: int) -> None:
    assert bill_until(replace(facts, tariff=None), now_ms).total_minor == 0


def test_parking_counts_with_what_was_idle_before_it_but_never_more_than_the_car_was_there() -> None:
    end_ms = NOON_MS + 60 * MINUTE_MS
    parked = (end_ms, end_ms + 10 * MINUTE_MS)
    facts = Known(energy_wh=1, idle_spans=((NOON_MS + 50 * MINUTE_MS, end_ms), parked))
    years = Known(energy_wh=1, tariff=None, idle_spans=((NOON_MS - 2_000 * DAY_MS, end_ms), parked))

    assert with_parking(facts, Usage(1, 3_600, 0), *parked) == Usage(1, 3_600, 600)
    assert with_parking(years, Usage(1, 3_600, 3_600), *parked) == Usage(1, 3_600, 4_200)


MOST_WH = 500_000


SLACK_WH = 10_000


@pytest.mark.parametrize(
    ("energy_wh", "duration_s", "expected"),
    [
        (0, 0, ()),
        (SLACK_WH, 0, ()),
        (SLACK_WH + 1, 0, (Doubt.TOO_FAST,)),
        (499_000, 0, (Doubt.TOO_FAST,)),
        (400_000 + SLACK_WH, 3600, ()),
        (400_001 + SLACK_WH, 3600, (Doubt.TOO_FAST,)),
        (MOST_WH, 86_400, ()),
        (MOST_WH + 1, 86_400, (Doubt.TOO_MUCH,)),
        (MOST_WH + 1, 60, (Doubt.TOO_MUCH, Doubt.TOO_FAST)),
    ],
)
def test_energy_is_believed_up_to_what_a_charger_gives_in_its_time(
    energy_wh: int, duration_s: int, expected: tuple[Doubt, ...]
) -> None:
    found = energies.ended(registers.begin((0, 0)), (duration_s * 1000, energy_wh))

    assert doubts(found, MOST_WH) == expected


def test_one_of_two_figures_that_is_too_much_is_enough() -> None:
    assert doubts(Energies(0, [], (Doubt.STOP_BEYOND,), (0, MOST_WH + 1)), MOST_WH)[0] is Doubt.TOO_MUCH


@given(st.integers(0, POWER_W_MAX), st.integers(0, 604_800), st.integers(0, 59), st.integers(0, 999))
def test_no_charger_that_gives_what_it_can_is_doubted(power_w: int, true_s: int, lost_s: int, rounded_wh: int) -> None:
    """Its clock may tell whole minutes, and its register whole kilowatt-hours."""
    energy_wh = power_w * true_s // 3600 + rounded_wh

    stop = (max(0, true_s - lost_s) * 1000, energy_wh)

    assert energies.ended(registers.begin((0, 0)), stop).doubts == ()


# --- when it began -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("started_ms", "heard_ms", "until_ms", "expected_ms"),
    [
        (NOON_MS, NOON_MS + 900, NOON_MS + 21 * DAY_MS, NOON_MS),
        (NOON_MS - 6 * DAY_MS, NOON_MS, NOON_MS - 6 * DAY_MS + 7_200_000, NOON_MS - 6 * DAY_MS),
        (NOON_MS - 7_200_000, NOON_MS, NOON_MS + 60_000, NOON_MS - 7_200_000),
        (NOON_MS - 6 * DAY_MS, NOON_MS, NOON_MS + 60_000, NOON_MS),
        (NOON_MS + DAY_MS, NOON_MS, NOON_MS + 60_000, NOON_MS),
        (NOON_MS - 60 * DAY_MS, NOON_MS, NOON_MS - 1, NOON_MS),
    ],
    ids=[
        "for weeks",
        "all out of a queue",
        "begun without a connection",
        "a clock six days late",
        "one ahead",
        "one of last year",
    ],
)
def test_a_session_began_when_its_station_says_unless_that_cannot_be(
    started_ms: int, heard_ms: int, until_ms: int, expected_ms: int
) -> None:
    assert begun_ms(started_ms, heard_ms, until_ms) == expected_ms


# --- days ------------------------------------------------------------------------------------------------------------------


@given(
    FACTS,
    st.integers(0, 3 * DAY_MS),
    st.lists(st.tuples(st.integers(NOON_MS, NOON_MS + 3 * DAY_MS), st.integers(0, 500_000)), max_size=6),
)
def test_the_shares_of_the_days_are_the_whole(facts: Known, length_ms: int, line: list[tuple[int, int]]) -> None:
    assert facts.started_at_ms is not None
    until_ms = facts.started_at_ms + length_ms
    rising = list(zip(sorted(at_ms for at_ms, _ in line), sorted(wh for _, wh in line), strict=True))
    usage = usage_until(facts, until_ms)
    bill = bill_for(usage, facts.tariff)
    touched = pieces(facts, until_ms, DHAKA)
    shares = days(facts, usage, bill, until_ms, touched, rising)

    assert [share.day for share in shares] == [day for day, _, _ in touched]
    assert all(min(share.working_s, share.energy_wh, share.fee_minor) >= 0 for share in shares)
    assert sum(share.working_s for share in shares) == usage.duration_s
    assert sum(share.energy_wh for share in shares) == usage.energy_wh
    assert sum(share.fee_minor for share in shares) == bill.total_minor


def test_each_day_has_its_own_energy_time_and_idle_time() -> None:
    begin_ms = NOON_MS + 11 * 3_600_000  # 23:00 in Dhaka.
    facts = Known(
        begin_ms, begin_ms, energy_wh=12_000, tariff=replace(TARIFF, idle_grace_s=0, flat_milli=0, tax_basis_points=0),
        idle_spans=((begin_ms + 90 * MINUTE_MS, None),),
    )  # fmt: skip
    until_ms = begin_ms + 120 * MINUTE_MS
    usage = usage_until(facts, until_ms)
    line = [(begin_ms, 0), (begin_ms + 30 * MINUTE_MS, 3_000), (begin_ms + 90 * MINUTE_MS, 12_000)]
    shares = days(facts, usage, bill_for(usage, facts.tariff), until_ms, pieces(facts, until_ms, DHAKA), line)

    assert [(share.day, share.working_s, share.energy_wh, share.fee_minor) for share in shares] == [
        ("2025-11-23", 3_600, 7_500, 15_000 + 6_000),
        ("2025-11-24", 3_600, 4_500, 9_000 + 6_000 + 1_500),
    ]


def test_a_start_of_a_wrong_clock_has_no_days_before_it_was_heard() -> None:
    facts = Known(NOON_MS - 60 * DAY_MS, NOON_MS, energy_wh=1_000)

    assert [day for day, _, _ in pieces(facts, NOON_MS + MINUTE_MS, DHAKA)] == ["2025-11-23"]
