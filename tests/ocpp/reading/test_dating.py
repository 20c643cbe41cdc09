"""What tells a wrong clock from a queue."""

from __future__ import annotations

import pytest

from appliance.domain.moments import QUEUE_MS_MAX, Source
from appliance.ocpp.reading.dating import Dating

NOON_MS = 1_796_040_000_000
SECOND_MS, MINUTE_MS, HOUR_MS = 1_000, 60_000, 3_600_000
BEHIND_MS = 3 * HOUR_MS


def back(away_ms: int, behind_ms: int = 0) -> Dating:
    """A station that was away for so long and is back at noon; how far its clock is behind, as far as that is known."""
    dating = Dating(alive_until_ms=NOON_MS - away_ms)
    dating.skew.reported_ms = -behind_ms
    dating.connected(NOON_MS)
    return dating


def test_what_happened_on_this_connection_is_live() -> None:
    dating = back(HOUR_MS)

    assert dating.date(NOON_MS + MINUTE_MS, NOON_MS + HOUR_MS) == (NOON_MS + HOUR_MS, Source.LIVE)
    assert dating.date(NOON_MS + HOUR_MS, NOON_MS + SECOND_MS) == (NOON_MS + SECOND_MS, Source.LIVE)


@pytest.mark.parametrize(
    ("stamp_ms", "at_ms"), [(NOON_MS - MINUTE_MS, NOON_MS - MINUTE_MS), (NOON_MS - 2 * HOUR_MS, NOON_MS - HOUR_MS)]
)
def test_what_waited_happened_while_it_was_away(stamp_ms: int, at_ms: int) -> None:
    assert back(HOUR_MS).date(stamp_ms, NOON_MS + SECOND_MS) == (at_ms, Source.QUEUE)


def test_what_its_clock_is_known_to_be_behind_is_no_waiting() -> None:
    dating = back(HOUR_MS, BEHIND_MS)
    now_ms = NOON_MS + SECOND_MS

    assert dating.date(now_ms - BEHIND_MS, now_ms) == (now_ms, Source.LIVE)
    waited_ms = NOON_MS - 20 * MINUTE_MS
    assert dating.date(waited_ms - BEHIND_MS, now_ms) == (waited_ms, Source.QUEUE)


def test_a_clock_that_is_said_to_be_ahead_makes_nothing_earlier() -> None:
    dating = back(HOUR_MS, -BEHIND_MS)

    assert dating.date(NOON_MS - MINUTE_MS, NOON_MS + SECOND_MS) == (NOON_MS - MINUTE_MS, Source.QUEUE)


@pytest.mark.parametrize(
    ("passed_ms", "drift_ms", "source"),
    [
        (40 * SECOND_MS, 0, Source.LIVE),
        (40 * SECOND_MS, -9 * SECOND_MS, Source.LIVE),
        (2 * SECOND_MS, 0, Source.AS_STATUS),
        (40 * SECOND_MS, 20 * MINUTE_MS, Source.QUEUE),
        (40 * SECOND_MS, -20 * MINUTE_MS, Source.QUEUE),
    ],
)
def test_only_a_wrong_clock_keeps_its_distance_for_half_a_minute(passed_ms: int, drift_ms: int, source: Source) -> None:
    dating = back(4 * HOUR_MS)
    dating.show(NOON_MS - BEHIND_MS, NOON_MS)
    dating.show(NOON_MS - BEHIND_MS + SECOND_MS, NOON_MS + SECOND_MS)

    assert dating.date(NOON_MS + passed_ms - BEHIND_MS + drift_ms, NOON_MS + passed_ms)[1] is source


def test_long_after_it_came_back_no_queue_is_left() -> None:
    dating = back(4 * HOUR_MS)
    late_ms = NOON_MS + QUEUE_MS_MAX

    assert dating.date(NOON_MS - HOUR_MS, late_ms + 1)[1] is Source.LIVE
    assert dating.date(NOON_MS - HOUR_MS, late_ms)[1] is Source.QUEUE


def test_a_station_that_was_never_seen_may_have_waited_for_ever() -> None:
    dating = Dating()
    dating.connected(NOON_MS)

    assert dating.date(NOON_MS - 400 * 24 * HOUR_MS, NOON_MS) == (NOON_MS - 400 * 24 * HOUR_MS, Source.QUEUE)
