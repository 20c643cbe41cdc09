"""What is set in SQLite once for a whole process, before it opens anything."""

from __future__ import annotations

import ctypes
import sqlite3  # noqa: F401 - whoever calls this has SQLite, and so this library, in the process.
import sys

SQLITE_OK = 0
CONFIG_MEMSTATUS = 9
"""https://sqlite.org/c3ref/c_config_covering_index_scan.html"""


def leave_memory_uncounted() -> bool:
    """Let SQLite not count what memory it takes, for which it would stop all other threads at each piece; nobody asks for the sum.

    It is a twentieth of what a message costs. Only before the first connection is opened: SQLite reads its settings when it starts.
    Whether it could be set: an interpreter may have SQLite within itself, or one that was built without the choice.
    """
    path = getattr(sys.modules["_sqlite3"], "__file__", None)
    if path is None:
        return False
    library = ctypes.CDLL(path)  # Python's own module; what it is linked with is found through it.
    try:
        library.sqlite3_shutdown()
        is_set: bool = library.sqlite3_config(CONFIG_MEMSTATUS, 0) == SQLITE_OK
        library.sqlite3_initialize()
    except AttributeError:
        return False
    return is_set
