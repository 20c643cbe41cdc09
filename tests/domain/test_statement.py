"""Statements as a sum: which row stands where, what is paid, and how long a month is."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain import statement as rules
from appliance.domain.statement import Moved, Section, Settled

DAY_MS = 86_400_000


def moved(seq: int, key: str, code: str, amount_minor: int) -> Moved:
    return Moved(seq, seq * 1000, code, "", "clock", amount_minor, key)


ROWS = [
    moved(1, "topup|a", "topup", 10_000),
    moved(2, "end|7|1", "charge", -1_000),
    moved(3, "end|8|1", "charge", -500),
    moved(4, "end|7|2", "charge", -1_000),
    moved(5, "fee|7", "charge", -20),
    moved(6, "fix|7|0", "charge", -30),
    moved(7, "fix|7|1", "correction", 200),
    moved(8, "refund|b", "refund", -100),
    moved(9, "correction|c", "correction", 5),
    moved(10, "undo|receipt-1", "correction", -10_000),
    moved(11, "merge|d", "merge", 70),
    moved(12, "voucher|3|redeemed", "topup", 40),
]


def test_what_a_session_took_out_of_several_slices_is_one_row() -> None:
    found = rules.entries(0, ROWS)
    assert [(one.section, one.seq, one.session, one.amount_minor, one.balance_minor) for one in found] == [
        (Section.TOPUPS, 1, None, 10_000, 10_000),
        (Section.SESSIONS, 3, 8, -500, 9_500),
        (Section.SESSIONS, 5, 7, -2_020, 7_480),
        (Section.SESSIONS, 6, 7, -30, 7_450),
        (Section.CORRECTIONS, 7, 7, 200, 7_650),
        (Section.REFUNDS, 8, None, -100, 7_550),
        (Section.CORRECTIONS, 9, None, 5, 7_555),
        (Section.CORRECTIONS, 10, None, -10_000, -2_445),
        (Section.CORRECTIONS, 11, None, 70, -2_375),
        (Section.TOPUPS, 12, None, 40, -2_335),
    ]
    assert rules.sums(found) == (-2_550, 10_040, -100, -9_725)


@given(st.integers(-(10**9), 10**9), st.lists(st.tuples(st.integers(0, 11), st.integers(-(10**6), 10**6))))
def test_before_and_all_rows_are_after_whatever_moved(before: int, picked: list[tuple[int, int]]) -> None:
    rows = [ROWS[kind]._replace(seq=seq, amount_minor=amount) for seq, (kind, amount) in enumerate(picked, start=1)]
    found = rules.entries(before, rows)
    assert before + rules.sums(found).total == before + sum(row.amount_minor for row in rows)
    if found:
        assert found[-1].balance_minor == before + sum(row.amount_minor for row in rows)
    assert [one.seq for one in found] == sorted(one.seq for one in found)


@pytest.mark.parametrize(
    ("after", "due", "paid", "now", "state"),
    [
        (0, None, 0, 5, Settled.NOTHING_DUE),
        (100, 3, 0, 5, Settled.NOTHING_DUE),
        (-100, None, 0, 5, Settled.NOTHING_DUE),
        (-100, 3, 0, 2, Settled.OPEN),
        (-100, 3, 99, 2, Settled.PART),
        (-100, 3, 99, 3, Settled.OVERDUE),
        (-100, 3, 0, 3, Settled.OVERDUE),
        (-100, 3, 100, 3, Settled.SETTLED),
    ],
)
def test_what_became_of_a_debt(after: int, due: int | None, paid: int, now: int, state: Settled) -> None:
    assert rules.settled(after, due, paid, now) is state


@pytest.mark.parametrize(
    ("month", "zone", "hours"),
    [
        ("2026-02", "Asia/Dhaka", 28 * 24),
        ("2026-03", "Europe/Berlin", 31 * 24 - 1),
        ("2026-10", "Europe/Berlin", 31 * 24 + 1),
        ("2026-12", "Asia/Dhaka", 31 * 24),
    ],
)
def test_a_month_is_as_long_as_its_days(month: str, zone: str, hours: int) -> None:
    begin_ms, end_ms = rules.month_bounds(month, ZoneInfo(zone))
    assert end_ms - begin_ms == hours * 3_600_000
    assert rules.month_of(begin_ms, ZoneInfo(zone)) == month == rules.month_of(end_ms - 1, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "month"),
    [("2026-11", "2026-11"), (" 2026-11 ", "2026-11"), ("2026-13", None), ("2026-1", None), ("0001-01", None),
     ("9999-12", None), ("", None), ("2026-11-01", None), ("২০২৬-১১", None)],
)  # fmt: skip
def test_what_is_a_month(text: str, month: str | None) -> None:
    assert rules.read_month(text) == month


@pytest.mark.parametrize(("number", "month"), [(0, "2026-11"), (1, "2026-12"), (2, "2027-01"), (-11, "2025-12")])
def test_months_follow_one_another(number: int, month: str) -> None:
    assert rules.moved("2026-11", number) == month
