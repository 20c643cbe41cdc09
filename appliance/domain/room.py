"""How much room a site needs on its disk, and what is done when there is less: figures and decisions, no files.

Two things are kept free. The *reserve* is a file, as large as a day's sessions: nobody else can use it up, and it is let go when
nothing else is left. The *margin* before it is what may be written between two looks. Below both nothing is logged any more and nobody
new is let in, but what has begun goes on and is billed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SESSION_BYTES = 32 << 10
"""What one session may need, readings and journal included (tests/reliability/test_full_disk.py measures it)."""
SESSIONS_A_DAY = 24
"""At one EVSE, on a very busy day."""
RESERVE_LEAST_BYTES = 4 << 20
MARGIN_BYTES = 64 << 20
LAST_BYTES = 16 << 20
"""Less than this, and the reserve is let go."""
START_BYTES = 1 << 20
"""Without as much, a database cannot even be opened."""
WAL_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Room:
    """What is kept free on a disk of some size; on a small one everything is smaller."""

    reserve_bytes: int
    margin_bytes: int
    last_bytes: int
    start_bytes: int
    wal_bytes: int
    """How long the write-ahead log may become before it is moved into the database."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now."""

    short: bool
    """Nothing is logged, nobody new is let in."""
    release: bool = False
    """Let the reserve go."""
    make: bool = False
    """Make it again."""


def room(disk_bytes: int, evses: int) -> Room:
    """For a site of so many EVSEs on a disk of this size."""
    return Room(
        reserve_bytes=min(RESERVE_LEAST_BYTES + evses * SESSIONS_A_DAY * SESSION_BYTES, disk_bytes // 4),
        margin_bytes=min(MARGIN_BYTES, disk_bytes // 4),
        last_bytes=min(LAST_BYTES, disk_bytes // 16),
        start_bytes=min(START_BYTES, disk_bytes // 16),
        wal_bytes=min(WAL_BYTES, disk_bytes // 16),
    )


def decide(room: Room, free_bytes: int, held_bytes: int, *, short: bool) -> Decision:
    """What to do when so much is free and the reserve holds so much; `short`: how it was until now.

    Out of being short it comes only with a fourth of the margin more, so that it does not go to and fro.
    """
    needed = room.reserve_bytes + room.margin_bytes + (room.margin_bytes // 4 if short else 0)
    return Decision(
        short=free_bytes + held_bytes < needed,
        release=held_bytes > 0 and free_bytes < room.last_bytes,
        make=held_bytes < room.reserve_bytes and free_bytes + held_bytes >= room.reserve_bytes + room.margin_bytes,
    )


def shares(used_bytes: Mapping[int, int], each_bytes: int, all_bytes: int) -> dict[int, int]:
    """How much each may keep: at most `each_bytes`, and all together at most `all_bytes`.

    Whoever keeps little keeps it: what is too much is taken from those who have most.

    >>> shares({1: 10, 2: 90, 3: 500}, 200, 180)
    {1: 10, 2: 85, 3: 85}
    """
    found: dict[int, int] = {}
    left = all_bytes
    by_size = sorted(used_bytes.items(), key=lambda one: (one[1], one[0]))
    for index, (one, used) in enumerate(by_size):
        found[one] = max(0, min(used, each_bytes, left // (len(by_size) - index)))
        left -= found[one]
    return found
