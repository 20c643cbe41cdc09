"""How long a session that runs has not been measured, and what it may have taken meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Sequence

LATE_S = 15
"""A reading that comes so much later than it should is not overdue yet."""
MISSED_MAX = 1
"""One reading may be lost on the way; after another nobody watches the session."""


def unseen_s(read_at_ms: int, idle_spans: Sequence[tuple[int, int | None]], now_ms: int) -> int:
    """For how many seconds energy may have flowed since its register was last read: the car was not full.

    `idle_spans` as in domain/session.py.
    """
    idle_ms = sum(
        max(0, (now_ms if end_ms is None else min(end_ms, now_ms)) - max(begin_ms, read_at_ms))
        for begin_ms, end_ms in idle_spans
    )
    return max(0, now_ms - read_at_ms - idle_ms) // 1000


def missed(unseen_s: int, interval_s: int) -> int:
    """How many readings have not come that should have."""
    return max(0, unseen_s - LATE_S) // interval_s


def taken_wh(unseen_s: int, power_w: int) -> int:
    """The most that it can have taken, rounded up."""
    return -(-unseen_s * power_w // 3600)
