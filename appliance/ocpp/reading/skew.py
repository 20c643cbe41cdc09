"""How far a station's clock is from ours, told from the times in its messages.

A message may be old, because it waited in the station's queue or tells of something long ago, but never from the future: of a
few the latest is the best guess. One that is near our time shows that the clock is right. Another may as well be a queue, so a
later guess must agree: a queue catches up, what was long ago falls farther behind, and only a clock that is wrong keeps its
distance.
"""

from __future__ import annotations

from appliance.ocpp.reading.times import parse_time

OBSERVATIONS = 3
CHANGE_MS_MIN = 10_000
"""Less is no skew, and a smaller change not worth a write."""
APART_MS_MIN = 30_000
"""Two guesses that are to agree; within a second a queue has not got on."""


class SkewWatch:
    """A few observations at a time; between the times it costs nothing."""

    __slots__ = ("_best", "_suspected", "reported_ms", "wanted")

    def __init__(self) -> None:
        self.wanted = OBSERVATIONS
        self.reported_ms = 0
        self._best: tuple[int, int] | None = None
        """The skew, and when it was seen."""
        self._suspected: tuple[int, int] | None = None

    def observe(self, stamp: object, received_at_ms: int) -> None:
        """The time in a message."""
        at_ms = parse_time(stamp)
        if at_ms is None:
            return
        self.wanted -= 1
        skew_ms = at_ms - received_at_ms
        if self._best is None or skew_ms > self._best[0]:
            self._best = skew_ms, received_at_ms

    def changed(self) -> int | None:
        """The skew, if it is known by now and differs from what was reported; and look again."""
        if self._best is None:
            return None
        best, self._best, self.wanted = self._best, None, OBSERVATIONS
        skew_ms = best[0]
        if abs(skew_ms) >= CHANGE_MS_MIN and not self._agrees(best):
            return None
        self._suspected = None
        if abs(skew_ms - self.reported_ms) < CHANGE_MS_MIN:
            return None
        self.reported_ms = skew_ms
        return skew_ms

    def _agrees(self, guess: tuple[int, int]) -> bool:
        """Whether a guess from before says the same; if not, this one waits for another."""
        before = self._suspected
        if before is not None and guess[1] - before[1] < APART_MS_MIN:
            return False
        self._suspected = guess
        return before is not None and abs(guess[0] - before[0]) < CHANGE_MS_MIN
