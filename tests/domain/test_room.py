"""What is kept free on a disk, and who may keep how much of a log."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.room import MARGIN_BYTES, decide, room, shares

SIZES = st.dictionaries(st.integers(1, 50), st.integers(0, 10**9), max_size=20)


@given(st.integers(1 << 20, 1 << 45), st.integers(0, 5_000), st.integers(0, 1 << 45), st.booleans())
def test_what_is_let_go_is_not_made_in_the_same_breath(disk: int, evses: int, free: int, short: bool) -> None:
    one = room(disk, evses)
    for held in (0, one.reserve_bytes):
        found = decide(one, free, held, short=short)

        assert not (found.release and found.make)
        if found.make:
            assert not decide(one, free - one.reserve_bytes, one.reserve_bytes, short=False).short
        if found.release:
            assert found.short


@given(st.integers(1 << 20, 1 << 45), st.integers(0, 5_000))
def test_what_is_kept_free_leaves_half_of_any_disk(disk: int, evses: int) -> None:
    one = room(disk, evses)

    assert one.reserve_bytes + one.margin_bytes <= disk // 2
    assert one.start_bytes <= one.last_bytes <= one.margin_bytes


def test_the_reserve_holds_a_day_of_the_site() -> None:
    assert room(1 << 40, 6).reserve_bytes < room(1 << 40, 200).reserve_bytes < 200 << 20
    assert room(1 << 40, 6).margin_bytes == MARGIN_BYTES


def test_a_disk_that_is_short_stays_so_until_there_is_more_than_a_little() -> None:
    one = room(1 << 40, 6)
    edge = one.margin_bytes

    assert not decide(one, edge, one.reserve_bytes, short=False).short
    assert decide(one, edge, one.reserve_bytes, short=True).short
    assert decide(one, edge - 1, one.reserve_bytes, short=False).short
    assert not decide(one, edge + edge // 4, one.reserve_bytes, short=True).short


@given(SIZES, st.integers(0, 10**9), st.integers(0, 10**10))
def test_nobody_keeps_more_than_their_share_and_who_writes_little_loses_nothing(
    used: dict[int, int], each: int, everything: int
) -> None:
    found = shares(used, each, everything)

    assert found.keys() == used.keys()
    assert all(found[one] <= min(used[one], each) for one in used)
    assert sum(found.values()) <= everything
    cut = [one for one in used if found[one] < min(used[one], each)]
    for one in cut:
        assert all(found[other] <= found[one] + len(used) for other in used)
