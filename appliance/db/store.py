"""The one writer of the database, and the readers beside it.

A unit of work is a plain function whose first argument is the connection. All units that wait are run and committed
together; the callers hear of it after the COMMIT. What the units do is none of this module's business.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

import aiosqlite

from appliance.db.connection import Database

log = logging.getLogger(__name__)

UNITS_AT_ONCE_MAX = 512
CHANGES_PER_CHECKPOINT = 20_000
WAL_BYTES_TRUNCATE = 64 << 20
IDLE_S_TRUNCATE = 60.0
BUSY_TIMEOUT_MS = 5000
READERS = 2
EXIT_COMMIT_FAILED = 70
EXIT_WRITER_DIED = 71

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

P = ParamSpec("P")
T = TypeVar("T")
Unit = Callable[..., Any]
Waiting = tuple["asyncio.Future[Any] | None", Unit, tuple[Any, ...]]
Outcome = tuple["asyncio.Future[Any] | None", Any, "Exception | None"]


class Store:
    """Writes through one thread and one connection; reads through connections that cannot write.

    `announce` is called in the event loop after each commit, with what its units announced.
    `end_process` ends the program at once: after a COMMIT that failed nobody knows what is on disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        announce: Callable[[list[Any]], None] | None = None,
        end_process: Callable[[int], Any] = os._exit,
    ) -> None:
        self.path = path
        self.commits = 0
        self.units = 0
        self.batches_repeated = 0
        self._announce = announce
        self._end_process = end_process
        self._changes_checkpointed = 0
        self._wal = path.with_name(path.name + "-wal")
        self._collected: list[Waiting] = []
        self._queue: queue.SimpleQueue[list[Waiting] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._readers: asyncio.Queue[Reader] = asyncio.Queue()

    async def open(self) -> None:
        """Start the writer and the readers. The schema must be there (see `migrate`)."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        await self.write(nothing)
        for _ in range(READERS):
            self._readers.put_nowait(await Reader.open(self.path))

    async def close(self) -> None:
        """Commit what waits, checkpoint, and let go of the file."""
        for _ in range(READERS):
            await (await self._readers.get()).close()
        self._hand_over()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    @property
    def waiting(self) -> int:
        """How many lists of units wait for the writer; 0 when it keeps up."""
        return self._queue.qsize()

    def write(self, unit: Callable[..., T], *args: Any, **kwargs: Any) -> asyncio.Future[T]:
        """Queue a unit; the future holds what it returned or raised, once that is on disk.

        A unit may be run twice (see `_commit`), so it changes nothing but the database.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if kwargs:
            self._collect((future, lambda db, *positional: unit(db, *positional, **kwargs), args))
        else:
            self._collect((future, unit, args))
        return future

    def write_unheard(self, unit: Callable[..., Any], *args: Any) -> None:
        """Queue a unit nobody waits for: it is committed with whatever comes next."""
        self._collect((None, unit, args))

    async def read(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function of queries on one snapshot, in a reader's thread; it sees what was committed last."""
        reader = await self._readers.get()
        try:
            return await reader.run(query, *args, **kwargs)
        finally:
            self._readers.put_nowait(reader)

    # All units of one turn of the event loop travel to the thread as one list: one wake-up instead of many.

    def _collect(self, waiting: Waiting) -> None:
        if not self._collected:
            self._loop.call_soon(self._hand_over)
        self._collected.append(waiting)

    def _hand_over(self) -> None:
        if self._collected:
            self._queue.put(self._collected)
            self._collected = []

    # From here on: the writer thread.

    def _run(self) -> None:
        try:
            self._db = db = sqlite3.connect(
                self.path, isolation_level=None, factory=Database, cached_statements=512, check_same_thread=False
            )
            db.executescript(WRITER_SETTINGS)
            while (batch := self._next_batch()) is not None:
                if batch:
                    self._commit(batch)
                self._checkpoint(idle=not batch)
            self._checkpoint(idle=True)
            db.close()
        except BaseException:
            log.critical("the writer died", exc_info=True)
            self._end_process(EXIT_WRITER_DIED)

    def _next_batch(self) -> list[Waiting] | None:
        """What is queued, at least one unit; nothing after a long silence; None at the end."""
        try:
            batch = self._queue.get(timeout=IDLE_S_TRUNCATE)
        except queue.Empty:
            return []
        if batch is None:
            return None
        while len(batch) < UNITS_AT_ONCE_MAX and not self._queue.empty():
            more = self._queue.get()
            if more is None:
                self._queue.put(None)
                break
            batch += more
        return batch

    def _commit(self, batch: list[Waiting]) -> None:
        """Run and commit `batch`.

        A unit almost never raises (a refusal is a value), so units first run side by side without savepoints. If one
        does raise, everything is rolled back and run again, each unit behind a savepoint, so that it fails alone.
        """
        try:
            outcomes = self._together(batch)
        except Exception:  # noqa: BLE001  # the second run finds whose it was
            self.batches_repeated += 1
            outcomes = self._one_by_one(batch)
        db = self._db
        try:
            db.execute("COMMIT")
        except BaseException:
            # It may be on disk all the same: only a restart finds out, and the stations send again.
            log.critical("a commit failed", exc_info=True)
            self._end_process(EXIT_COMMIT_FAILED)
            return  # With nobody answered, should the process still be there.
        self.commits += 1
        self.units += len(batch)
        announcements, db.announcements = db.announcements, []
        self._loop.call_soon_threadsafe(self._resolve, outcomes, announcements)

    def _together(self, batch: list[Waiting]) -> list[Outcome]:
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            outcomes: list[Outcome] = [(future, unit(db, *args), None) for future, unit, args in batch]
            db.flush()
        except Exception:
            if db.in_transaction:
                db.rollback()
            db.forget()
            db.announcements.clear()
            raise
        return outcomes

    def _one_by_one(self, batch: list[Waiting]) -> list[Outcome]:
        db = self._db
        outcomes: list[Outcome] = []
        db.execute("BEGIN IMMEDIATE")
        for future, unit, args in batch:
            db.execute("SAVEPOINT unit")
            announced = len(db.announcements)
            try:
                result = unit(db, *args)
                db.flush()
            except Exception as error:
                if not db.in_transaction:
                    # A full disk or a broken file ended the transaction, and the units before this one with it.
                    raise
                db.execute("ROLLBACK TO unit")
                db.forget()
                del db.announcements[announced:]
                outcomes.append((future, None, error))
            else:
                outcomes.append((future, result, None))
            db.execute("RELEASE unit")
        return outcomes

    def _checkpoint(self, *, idle: bool) -> None:
        """Move the WAL into the database: often enough to keep it short, seldom enough that a page goes once for many commits."""
        db = self._db
        if idle or self._wal.stat().st_size > WAL_BYTES_TRUNCATE:
            # Without waiting for readers: behind a long one (a backup) every commit would be held up by the time-out.
            db.execute("PRAGMA busy_timeout = 0")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        elif db.total_changes - self._changes_checkpointed > CHANGES_PER_CHECKPOINT:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        else:
            return
        self._changes_checkpointed = db.total_changes

    # Back in the event loop.

    def _resolve(self, outcomes: list[Outcome], announcements: list[Any]) -> None:
        for future, result, error in outcomes:
            if future is None:
                if error is not None:
                    log.error("a unit nobody waits for failed", exc_info=error)
            elif future.done():
                pass
            elif error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        if announcements and self._announce is not None:
            self._announce(announcements)


class Reader(aiosqlite.Connection):
    """A connection that cannot write, with its thread; it runs whole functions, so that a page sees one moment."""

    @classmethod
    async def open(cls, path: Path) -> Reader:
        uri = f"file:{quote(str(path))}?mode=ro"
        reader = cls(lambda: sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False), 64)
        await reader
        await reader.executescript(READER_SETTINGS)
        return reader

    async def run(self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self._execute(  # type: ignore[no-untyped-call]
            on_one_snapshot, self._conn, query, args, kwargs
        )
        return result


def nothing(db: Database) -> None:
    """An empty unit: it returns when all before it are on disk."""


def on_one_snapshot(
    db: sqlite3.Connection, query: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> T:
    """What `query` finds, all of it from the same commit."""
    db.execute("BEGIN")
    try:
        return query(db, *args, **kwargs)
    finally:
        db.rollback()
