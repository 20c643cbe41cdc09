"""The only place that asks what time it is."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""UTC milliseconds since 1970."""


def system_clock() -> int:
    """The machine's clock, as UTC milliseconds."""
    return time.time_ns() // 1_000_000
