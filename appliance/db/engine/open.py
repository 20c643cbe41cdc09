"""Opening the database: to write in it, alone or as the one writer of a server, and to read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from appliance.db.engine.unit import Database

WRITER_SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 67108864;
PRAGMA foreign_keys = ON;
PRAGMA recursive_triggers = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA mmap_size = 0;
PRAGMA cache_size = -32768;
"""
READER_SETTINGS = """
PRAGMA query_only = ON;
PRAGMA wal_autocheckpoint = 0;
PRAGMA trusted_schema = OFF;
PRAGMA mmap_size = 0;
PRAGMA cache_size = -8192;
"""

CACHE_KIB = 65_536
"""Each row is looked for in each index of its table: with the usual 2 MiB most of the time is spent on pages that were just let go."""


@contextmanager
def alone(path: Path) -> Iterator[Database]:
    """One transaction in a database that nobody else has: in its file when the block ends, undone if the block raises."""
    with closing(open_to_write(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.flush()
        except BaseException:
            db.rollback()
            raise
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def open_to_write(path: Path) -> Database:
    """A connection that writes. It may go from thread to thread, as long as one at a time uses it."""
    db = sqlite3.connect(path, isolation_level=None, factory=Database, cached_statements=512, check_same_thread=False)
    try:
        db.executescript(WRITER_SETTINGS)
    except BaseException:
        db.close()
        raise
    return db


def open_to_read(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """A connection that cannot write, for going through a whole database. It may go from thread to thread, as one that writes."""
    address = f"file:{quote(str(path))}?mode=ro"
    db = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, factory=factory)
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return db
