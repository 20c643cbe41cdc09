"""Like problems are one row, and a row is dismissed as far as it was seen."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.db import problems as rows
from appliance.domain.errors import NotFound
from appliance.domain.problem import TOGETHER_MS, ProblemKind, together
from appliance.services import problems
from appliance.services.problems.groups import acknowledge_group, grouped
from tests.support.books import BY, NOON_MS, Books


def go_offline(books: Books, station: int, at_ms: int, *, ever: bool = True) -> None:
    problems.raise_problem(
        books.db, ProblemKind.OFFLINE, f"station:{station}", NOON_MS, station=station, since_ms=at_ms, ever=ever
    )


def row_sizes(books: Books) -> dict[str, int]:
    return {group.key: len(group.members) for group in grouped(rows.open_problems(books.db))}


def test_chargers_that_went_away_at_once_are_a_row_and_the_others_another(books: Books) -> None:
    for station in range(1, 401):
        go_offline(books, station, NOON_MS - 600_000 + station * 40)
    for station in range(401, 410):
        go_offline(books, station, NOON_MS - station * 3_600_000)

    assert row_sizes(books) == {f"offline:{NOON_MS - 599_960}": 400, "offline": 9}
    assert rows.count_rows(books.db) == 2
    assert rows.count_open(books.db) == 409


def test_chargers_that_never_came_did_not_go_away_at_once(books: Books) -> None:
    for station in range(1, 6):
        go_offline(books, station, NOON_MS, ever=False)

    assert row_sizes(books) == {"offline": 5}


def test_other_ways_to_violate_the_protocol_are_other_rows(books: Books) -> None:
    for station, what in ((1, "password"), (2, "password"), (3, "too_long")):
        problems.raise_problem(
            books.db, ProblemKind.VIOLATION, f"station:{station}:{what}", NOON_MS, station=station, what=what
        )

    assert row_sizes(books) == {"violation:password": 2, "violation:too_long": 1}


def test_what_came_into_a_row_since_it_was_seen_is_not_dismissed_with_it(books: Books) -> None:
    for station in (1, 2, 3):
        go_offline(books, station, NOON_MS - station * 3_600_000)
    (seen,) = grouped(rows.open_problems(books.db))
    go_offline(books, 4, NOON_MS)

    assert acknowledge_group(books.db, seen.key, seen.newest, BY) == 3
    assert [one.subject for one in rows.open_problems(books.db)] == ["station:4"]
    assert len(rows.dismissed(books.db)) == 3
    with pytest.raises(NotFound):
        acknowledge_group(books.db, seen.key, seen.newest, BY)


@given(st.lists(st.integers(0, 2_000_000), max_size=30))
def test_moments_of_a_burst_are_near_one_another_and_those_of_two_are_not(times_ms: list[int]) -> None:
    bursts = together(times_ms)
    for at_ms, begin_ms in bursts.items():
        here = sorted(other for other in times_ms if bursts.get(other) == begin_ms)
        assert begin_ms == here[0] <= at_ms
        assert len(here) >= 3
        assert all(later - earlier <= TOGETHER_MS for earlier, later in pairwise(here))
        assert not any(0 < abs(other - at_ms) <= TOGETHER_MS and bursts.get(other) != begin_ms for other in times_ms)
