"""The only place that asks what time it is."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""UTC milliseconds since 1970."""

SESSION_MS_MAX = 7 * 86_400_000
"""A session that would be longer by the station's clock alone is reckoned from when we heard of its start."""


def system_clock() -> int:
    """The machine's clock, as UTC milliseconds."""
    return time.time_ns() // 1_000_000


def begun_ms(started_at_ms: int, heard_at_ms: int, at_ms: int) -> int:
    """When a session began that is still there at `at_ms`.

    A station without a battery for its clock begins with the day its firmware was made, and is told the time while it
    charges: by its own word the session lasts years, and then our word counts.
    """
    return started_at_ms if at_ms - started_at_ms <= SESSION_MS_MAX else max(started_at_ms, heard_at_ms)
