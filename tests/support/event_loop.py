"""The product does not block the event loop: a call that waits for a disk, a lock or a socket raises there, but where it is meant.

What a test itself calls, directly or by awaiting it, may block: it waits for nobody else. What runs beside it (requests, stations,
jobs) is held to the rule.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from blockbuster import BlockBuster

TESTS = str(Path(__file__).parents[1])
MEANT = (
    # Short units run in the loop (decision 0010); COMMIT, which waits for the disk, never does.
    ("sqlite3.Connection.execute", "appliance/db/engine/store.py", "_begin"),
    ("sqlite3.Connection.rollback", "appliance/db/engine/store.py", "_begin"),
    ("sqlite3.Cursor.", "appliance/db/engine/store.py", "_begin"),
    # Read once for each language, and once for each time zone.
    ("os.stat", "appliance/ui/writing/formats.py", "_formats"),
    ("io.BufferedReader.read", "appliance/ui/writing/formats.py", "_formats"),
    ("os.stat", "appliance/domain/site.py", "_zone"),
    ("io.BufferedReader.read", "appliance/domain/site.py", "_zone"),
    # The thread has said that it ends.
    ("threading.Lock.acquire", "appliance/rfid/reader.py", "close"),
    # The kernel's memory, not a disk.
    ("io.TextIOWrapper.read", "appliance/ui/frame/monitoring.py", "_resident_bytes"),
)
"""What begins so may block in this file's function, and in what it calls."""


@contextmanager
def unblocked() -> Iterator[None]:
    """Nothing of the product blocks a running loop in this block."""
    guard = BlockBuster("appliance")
    for name, function in guard.functions.items():
        function.can_block_predicate = _or_asked_by_a_test(function.can_block_predicate)
        for begin, file, where in MEANT:
            if name.startswith(begin):
                function.can_block_in(file, where)
    guard.activate()
    try:
        yield
    finally:
        guard.deactivate()


def _or_asked_by_a_test(may_block: Callable[..., bool]) -> Callable[..., bool]:
    def predicate(*args: Any, **kwargs: Any) -> bool:
        if may_block(*args, **kwargs):
            return True
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not frame.f_code.co_filename.startswith(TESTS):
            frame = frame.f_back
        return frame is not None

    return predicate
