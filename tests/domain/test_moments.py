"""When a session began and ended, for whatever a station's clock says."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as some

from appliance.domain.moments import APART_MS_MIN, SAME_DISTANCE_MS, Source, Told, keeps_distance, span, span_of_a_queue

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NOW_MS = 1_796_000_400_000

anytime = some.one_of(
    some.integers(0, 4 * NOW_MS),
    some.integers(NOW_MS - 4 * HOUR_MS, NOW_MS + 4 * HOUR_MS),
    some.just(0),
)
sources = some.sampled_from(Source)


@some.composite
def told(draw: some.DrawFn) -> tuple[Told, Told]:
    """A start and a stop in the order in which they were heard; what is live happened when it was heard."""
    heard_ms = sorted(
        (draw(some.integers(NOW_MS, NOW_MS + 4 * HOUR_MS)), draw(some.integers(NOW_MS, NOW_MS + 4 * HOUR_MS)))
    )
    found = []
    for one_ms in heard_ms:
        source, stamp_ms = draw(sources), draw(anytime)
        at_ms = one_ms if source is Source.LIVE else min(stamp_ms, one_ms)
        found.append(Told(stamp_ms, at_ms, one_ms, source))
    return found[0], found[1]


@given(told())
@example(
    (
        Told(1_796_000_400_001, 1_796_000_400_000, 1_796_000_400_000, Source.QUEUE),
        Told(1_796_000_400_002, 1_796_000_400_002, 1_796_000_400_002, Source.QUEUE),
    )
)
def test_it_ends_neither_before_it_began_nor_after_it_was_heard_of(both: tuple[Told, Told]) -> None:
    began_ms, ended_ms = span(*both, both[0].at_ms)

    assert began_ms <= ended_ms <= both[1].heard_ms
    assert began_ms <= both[0].heard_ms


@given(told(), anytime, anytime)
def test_of_what_is_live_at_both_ends_only_our_clock_tells(both: tuple[Told, Told], one_ms: int, other_ms: int) -> None:
    start, stop = (told._replace(source=Source.LIVE, at_ms=told.heard_ms) for told in both)
    by_any_clock = span(start._replace(stamp_ms=one_ms), stop._replace(stamp_ms=other_ms), start.at_ms)

    assert by_any_clock == (start.heard_ms, stop.heard_ms)


@given(told())
def test_what_waited_takes_no_longer_than_by_its_own_clock_or_than_it_was_heard_of(both: tuple[Told, Told]) -> None:
    start, stop = both
    began_ms, ended_ms = span(start, stop, start.at_ms)
    if stop.stamp_ms > start.stamp_ms:
        assert ended_ms - began_ms <= max(stop.stamp_ms - start.stamp_ms, stop.heard_ms - start.heard_ms)


@given(some.integers(-30 * 24 * HOUR_MS, 24 * HOUR_MS), some.integers(0, 3 * HOUR_MS), some.integers(0, HOUR_MS))
def test_a_clock_that_goes_tells_how_long_it_took_whatever_it_shows(
    ahead_ms: int, lasted_ms: int, late_ms: int
) -> None:
    """All of it is told when the line is back, by a clock that may be wrong and goes well."""
    stop_ms = NOW_MS + lasted_ms
    heard_ms = stop_ms + late_ms
    start = Told(NOW_MS + ahead_ms, min(NOW_MS + ahead_ms, heard_ms), heard_ms, Source.QUEUE)
    stop = Told(stop_ms + ahead_ms, min(stop_ms + ahead_ms, heard_ms), heard_ms, Source.QUEUE)

    began_ms, ended_ms = span(start, stop, start.at_ms)
    assert ended_ms - began_ms == lasted_ms


@given(
    some.integers(-(10**13), 10**13),
    some.integers(0, 10**9),
    some.integers(-SAME_DISTANCE_MS + 1, SAME_DISTANCE_MS - 1),
)
def test_only_a_wrong_clock_keeps_its_distance(ahead_ms: int, passed_ms: int, jitter_ms: int) -> None:
    one = (NOW_MS + ahead_ms, NOW_MS)
    other = (NOW_MS + ahead_ms + passed_ms + jitter_ms, NOW_MS + passed_ms)

    assert keeps_distance(one, other) == keeps_distance(other, one) == (passed_ms >= APART_MS_MIN)
    assert not keeps_distance(one, (other[0] + 2 * SAME_DISTANCE_MS, other[1]))


@given(told(), some.integers(0, 4 * HOUR_MS))
def test_what_was_measured_was_not_over(both: tuple[Told, Told], read_after_ms: int) -> None:
    start, stop = both[0]._replace(source=Source.LIVE, at_ms=both[0].heard_ms), both[1]._replace(source=Source.QUEUE)
    read_ms = start.heard_ms + read_after_ms
    _, ended_ms = span(start, stop, read_ms)

    assert ended_ms >= min(read_ms, stop.heard_ms)


@given(
    some.integers(-4 * HOUR_MS, 400 * 24 * HOUR_MS),
    some.integers(0, 3 * HOUR_MS),
    some.integers(0, HOUR_MS),
    some.integers(0, 2 * HOUR_MS),
    some.integers(0, APART_MS_MIN - 1),
)
def test_a_queue_by_any_clock_took_as_long_as_it_says_while_its_station_was_away(
    ahead_ms: int, lasted_ms: int, before_ms: int, after_ms: int, told_in_ms: int
) -> None:
    """It goes away, charges after a while, and comes back some time later."""
    away = NOW_MS, NOW_MS + before_ms + lasted_ms + after_ms

    def told(happened_ms: int, heard_ms: int) -> Told:
        stamp_ms = happened_ms + ahead_ms
        is_live = stamp_ms >= away[1]
        return Told(stamp_ms, heard_ms if is_live else stamp_ms, heard_ms, Source.LIVE if is_live else Source.QUEUE)

    start = told(NOW_MS + before_ms, away[1])
    stop = told(NOW_MS + before_ms + lasted_ms, away[1] + told_in_ms)
    found = span_of_a_queue(start, stop, away)

    if Source.LIVE not in (start.source, stop.source) or lasted_ms <= told_in_ms + SAME_DISTANCE_MS:
        assert found is None, "nothing was dated live, or it is too short to tell"
    else:
        assert found is not None
        assert found[1] - found[0] == lasted_ms
        assert away[0] <= found[0] <= found[1] <= away[1]


@given(told(), some.integers(0, 4 * HOUR_MS))
def test_a_session_that_took_as_long_by_our_clock_is_of_no_queue(both: tuple[Told, Told], away_ms: int) -> None:
    start, stop = both
    stop = stop._replace(stamp_ms=start.stamp_ms + stop.heard_ms - start.heard_ms)

    assert span_of_a_queue(start, stop, (start.heard_ms - away_ms, start.heard_ms)) is None
