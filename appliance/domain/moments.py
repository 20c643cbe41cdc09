"""When a session began and ended, by our clock: what a station's own times are worth. Pure.

Theory. A station's clock may be wrong by hours, be set while a car charges, or stand still. What a station tells at once, *live*, has
happened when we heard of it, whatever it says. Only what waited in its queue has no other time than its own. A queue and a wrong clock
look alike in one message; in two they do not: a queue catches up, and only a wrong clock keeps its distance from ours.

So of a session that was live at both ends our clock tells how long it took. Where an end came out of a queue it took no longer than by its
station's own clock, and no longer than by ours. What a clock that is ahead has dated is not past yet, and looks live; of a session that was
told within seconds as a whole, by a station that was away for longer than it says that this took, it is not.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

SET_MS_MIN = 1_420_070_400_000
"""2015-01-01: before that a station's clock was never set."""
CLOCKS_APART_MS = 5_000
"""So far a good clock may be from ours."""
SAME_DISTANCE_MS = 10_000
"""Two messages that are so much nearer or farther than one another are by one clock."""
APART_MS_MIN = 30_000
"""So long two messages must be apart if they are to tell a wrong clock from a queue, which in a second has not got on."""
QUEUE_MS_MAX = 300_000
"""So long after it connected, or after it last told of something old, a station may tell of what waited meanwhile."""


class Source(IntEnum):
    """Where a message comes from; stored for the start of a session."""

    QUEUE = 0
    """It may have waited; its time is its station's word."""
    LIVE = 1
    """It was told when it happened."""
    AS_STATUS = 2
    """It is as old as the status that its station told just before: a queue of both, or both were live and the clock is wrong. What
    goes on for longer than a queue takes was live."""


LIVE = Source.LIVE
"""By a name of its own, for each message asks for it, and a member of an enum takes longer to look up than to compare."""


class Told(NamedTuple):
    """A moment that a station has told of."""

    stamp_ms: int
    """What its clock showed."""
    at_ms: int
    """When that was, as far as was known when it came."""
    heard_ms: int
    source: Source


def keeps_distance(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two messages, (stamp_ms, heard_ms), were both told live, by a clock that is wrong."""
    (one_stamp_ms, one_ms), (other_stamp_ms, other_ms) = one, other
    moved_ms = (other_stamp_ms - one_stamp_ms) - (other_ms - one_ms)
    return abs(other_ms - one_ms) >= APART_MS_MIN and abs(moved_ms) < SAME_DISTANCE_MS


def was_live(start: Told, at_ms: int) -> bool:
    """Whether the start of a session that is still there at `at_ms` was told live, as far as is known by then."""
    return start.source is LIVE or (start.source is Source.AS_STATUS and at_ms - start.heard_ms > QUEUE_MS_MAX)


def span_of_a_queue(start: Told, stop: Told, away: tuple[int, int]) -> tuple[int, int] | None:
    """When a session began and ended of which a clock that is ahead made something live, although its station was `away`, from when to when,
    and then told all of it at once. None: it is not so.

    It took as long as by its own clock, which is no longer than its station was away, and was over when that came back.
    """
    (since_ms, until_ms), lasted_ms, passed_ms = away, stop.stamp_ms - start.stamp_ms, stop.heard_ms - start.heard_ms
    is_told_at_once = 0 <= start.heard_ms - until_ms <= QUEUE_MS_MAX and passed_ms < APART_MS_MIN
    is_by_a_queue = start.source is not Source.LIVE and stop.source is not Source.LIVE
    if is_by_a_queue or not is_told_at_once or not passed_ms + SAME_DISTANCE_MS < lasted_ms <= until_ms - since_ms:
        return None
    ended_ms = max(since_ms + lasted_ms, min(stop.stamp_ms, until_ms))
    return ended_ms - lasted_ms, ended_ms


def span(start: Told, stop: Told, read_ms: int) -> tuple[int, int]:
    """When a session began and ended; `read_ms` is when it was last measured."""
    if start.source is stop.source is LIVE and start.at_ms <= stop.at_ms <= stop.heard_ms:
        return start.at_ms, stop.at_ms  # As nearly always.
    if keeps_distance((start.stamp_ms, start.heard_ms), (stop.stamp_ms, stop.heard_ms)):
        return _as_live(start), _as_live(stop)
    began_ms = _as_live(start) if was_live(start, stop.heard_ms) else min(start.at_ms, start.heard_ms)
    ended_ms = min(stop.at_ms, stop.heard_ms)
    lasted_ms = max(0, stop.stamp_ms - start.stamp_ms)
    if stop.source is LIVE:
        if not was_live(start, stop.heard_ms):
            began_ms = min(max(began_ms, ended_ms - lasted_ms), start.heard_ms)
    elif was_live(start, stop.heard_ms):
        if lasted_ms:
            ended_ms = min(ended_ms, began_ms + lasted_ms)
        ended_ms = min(max(ended_ms, read_ms), stop.heard_ms)
    elif lasted_ms:
        began_ms = min(ended_ms - lasted_ms, start.heard_ms)
    return began_ms, max(began_ms, ended_ms)


def _as_live(told: Told) -> int:
    """When what was told live happened: its own word, where that is as good."""
    return told.at_ms if told.source is LIVE else told.heard_ms
