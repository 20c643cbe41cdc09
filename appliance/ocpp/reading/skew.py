"""How far a station's clock is from ours, told from the times in its messages.

A message may be old, because it waited in the station's queue, but never from the future: the latest of a few is the best guess.
"""

from __future__ import annotations

from appliance.domain.units import parse_rfc3339

OBSERVATIONS = 3
CHANGE_MS_MIN = 10_000
"""A smaller change is not worth a write."""
AHEAD_MS_MIN = 30_000


class SkewWatch:
    """A few observations at a time; between the times it costs nothing."""

    __slots__ = ("_latest_ms", "reported_ms", "wanted")

    def __init__(self) -> None:
        self.wanted = OBSERVATIONS
        self.reported_ms = 0
        self._latest_ms: int | None = None

    def observe(self, stamp: object, received_at_ms: int, *, live: bool) -> None:
        """The time of a message; one that is not `live` may tell of something long ago, and counts only if it is ahead."""
        at_ms = parse_rfc3339(stamp) if isinstance(stamp, str) else None
        if at_ms is None:
            return
        skew_ms = at_ms - received_at_ms
        if not live and skew_ms < AHEAD_MS_MIN:
            return
        self.wanted -= 1
        if self._latest_ms is None or skew_ms > self._latest_ms:
            self._latest_ms = skew_ms

    def changed(self) -> int | None:
        """The skew, if enough was seen and it differs from what was reported; and look again."""
        if self.wanted > 0 or self._latest_ms is None:
            return None
        skew_ms, self._latest_ms, self.wanted = self._latest_ms, None, OBSERVATIONS
        if abs(skew_ms - self.reported_ms) < CHANGE_MS_MIN:
            return None
        self.reported_ms = skew_ms
        return skew_ms
