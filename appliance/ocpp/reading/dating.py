"""When what a station tells has happened: by our clock where it tells it live, by its own where it may have waited in its queue.

It may have waited if it is of a time before the station connected, and the station is only just back. On one connection the order of
receipt decides, and what is as far from our time as what came half a minute before is live, by a clock that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.domain.moments import (
    CLOCKS_APART_MS,
    LIVE,
    QUEUE_MS_MAX,
    SAME_DISTANCE_MS,
    Source,
    keeps_distance,
)
from appliance.ocpp.reading.skew import SkewWatch


@dataclass(slots=True)
class Dating:
    """What is known of a station's clock, and of when it was there."""

    skew: SkewWatch = field(default_factory=SkewWatch)
    connected_at_ms: int = 0
    alive_until_ms: int | None = None
    """When it was last known to be there; None: it never was, as far as is known."""
    away_since_ms: int | None = None
    """The same for before this connection, and before others that were too short to tell all that had waited."""
    _queue_at_ms: int = 0
    """When it last told of something by which its queue caught up with us, at first when it connected."""
    _queued: tuple[int, int] | None = None
    """The time in that and when it was heard."""
    _shown: tuple[int, int] | None = None
    """The time in a status of this connection and when it was heard: of those of one distance the first."""

    def connected(self, now_ms: int) -> None:
        """It is back."""
        was_there_ms = (self.alive_until_ms or 0) - self.connected_at_ms
        if self.away_since_ms is None or was_there_ms > QUEUE_MS_MAX:
            self.away_since_ms = self.alive_until_ms
        self.connected_at_ms = self._queue_at_ms = now_ms
        self._shown = self._queued = None

    def show(self, stamp_ms: int, received_at_ms: int) -> None:
        """A status has a time."""
        if self._shown is None or not self._is_as_shown(stamp_ms, received_at_ms):
            self._shown = stamp_ms, received_at_ms

    def date(self, stamp_ms: int, received_at_ms: int) -> tuple[int, Source]:
        """When that was which a station dates so: its own word, where its clock is good."""
        if abs(received_at_ms - stamp_ms) <= CLOCKS_APART_MS:
            return stamp_ms, LIVE
        at_ms = stamp_ms - min(0, self.skew.reported_ms)
        if (
            at_ms >= self.connected_at_ms - CLOCKS_APART_MS
            or received_at_ms - self._queue_at_ms > QUEUE_MS_MAX
            or (self._shown is not None and keeps_distance(self._shown, (stamp_ms, received_at_ms)))
        ):
            return received_at_ms, LIVE
        self._wait_on(stamp_ms, received_at_ms)
        source = Source.AS_STATUS if self._is_as_shown(stamp_ms, received_at_ms) else Source.QUEUE
        return min(max(at_ms, self.away_since_ms or 0), received_at_ms), source

    def was_away(self, at_ms: int) -> bool:
        """Whether it was known before this connection, and may have kept what it tells of that time."""
        return self.away_since_ms is not None and self.away_since_ms <= at_ms

    def _wait_on(self, stamp_ms: int, received_at_ms: int) -> None:
        """What may have waited has come: more of it may, as long as it catches up. A wrong clock never does, nor one that stands still."""
        if self._queued is not None:
            queued_ms, heard_ms = self._queued
            if (stamp_ms - queued_ms) - (received_at_ms - heard_ms) < SAME_DISTANCE_MS:
                return
        self._queued = stamp_ms, received_at_ms
        self._queue_at_ms = received_at_ms

    def _is_as_shown(self, stamp_ms: int, received_at_ms: int) -> bool:
        if self._shown is None:
            return False
        shown_ms, heard_ms = self._shown
        return abs((stamp_ms - shown_ms) - (received_at_ms - heard_ms)) < SAME_DISTANCE_MS
