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
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, TypeVarTuple

import aiosqlite

from appliance.db.engine.errors import Unavailable
from appliance.db.engine.open import READER_SETTINGS, open_to_read, open_to_write
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database

log = logging.getLogger(__name__)

UNITS_AT_ONCE_MAX = 128
CHANGES_PER_CHECKPOINT = 20_000
WAL_BYTES_TRUNCATE = 64 << 20
BUSY_TIMEOUT_MS = 5000
READERS = 2
EXIT_COMMIT_FAILED = 70
EXIT_WRITER_DIED = 71

P = ParamSpec("P")
Ts = TypeVarTuple("Ts")
T = TypeVar("T")
Unit = Callable[..., Any]
Waiting = tuple["asyncio.Future[Any] | None", Unit, tuple[Any, ...], bool]
"""Who waits, the unit, its arguments, and whether it is short."""
IS_SHORT = itemgetter(3)
Outcome = tuple["asyncio.Future[Any] | None", Any, "Exception | None"]


class Store:
    """Writes through one connection, one commit at a time; reads through connections that cannot write.

    The units of one commit run in the event loop if all of them are short, else in the writer's thread: for a short one it
    costs more to pass the interpreter's lock to and fro than to run it. COMMIT, which waits for the disk, is always the
    thread's. While a commit is under way (`_busy`), the loop leaves the connection alone.

    `announce` is called in the event loop after each commit, with what its units announced.
    `end_process` ends the program at once: after a COMMIT that failed nobody knows what is on disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        announce: Callable[[list[Any]], None] | None = None,
        end_process: Callable[[int], Any] = os._exit,
        wal_bytes_max: int = WAL_BYTES_TRUNCATE,
    ) -> None:
        self.path = path
        self.commits = 0
        self.units = 0
        self.batches_repeated = 0
        self._announce = announce
        self._end_process = end_process
        self._changes_checkpointed = 0
        self._wal_bytes_max = wal_bytes_max
        self._wal_bytes_due = wal_bytes_max
        self._wal = path.with_name(path.name + "-wal")
        self._collected: list[Waiting] = []
        self._busy = True
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
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
        while (self._busy or self._collected) and self._thread.is_alive():
            await asyncio.wait([self.write(nothing)], timeout=1.0)
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    @property
    def waiting(self) -> int:
        """How many units wait for the commit before theirs."""
        return len(self._collected)

    def write(
        self, unit: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Queue a unit; the future holds what it returned or raised, once that is on disk.

        A unit may be run twice (see `_side_by_side`), so it changes nothing but the database. It may take its time: it runs in
        the writer's thread.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if kwargs:
            self._collect((future, lambda db, *positional: unit(db, *positional, **kwargs), args, False))
        else:
            self._collect((future, unit, args, False))
        return future

    def write_short(self, unit: Callable[[Database, *Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """As `write`, for a unit of a few statements on rows found by their keys: the event loop may run it itself."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._collect((future, unit, args, True))
        return future

    def write_unheard(self, unit: Callable[[Database, *Ts], object], *args: *Ts) -> None:
        """Queue a short unit nobody waits for: it is committed with whatever comes next."""
        self._collect((None, unit, args, True))

    async def read(self, query: Callable[Concatenate[Readable, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function of queries on one snapshot, in a reader's thread; it sees what was committed last."""
        reader = await self._readers.get()
        try:
            return await reader.run(query, *args, **kwargs)
        finally:
            self._readers.put_nowait(reader)

    # In the event loop: what waits is one commit as soon as the connection is free.

    def _collect(self, waiting: Waiting) -> None:
        if not self._collected and not self._busy:
            # At the end of this turn of the loop, with whatever else it brings.
            self._loop.call_soon(self._begin)
        self._collected.append(waiting)

    def _begin(self) -> None:
        if self._busy or not self._collected:
            return
        self._busy = True
        batch, self._collected = self._collected[:UNITS_AT_ONCE_MAX], self._collected[UNITS_AT_ONCE_MAX:]
        if all(map(IS_SHORT, batch)) and self._begun():
            try:
                outcomes = self._side_by_side(batch)
            except BaseException as error:  # noqa: BLE001  # whatever it is, nobody may be answered any more
                self._died(error)
                return
            if outcomes is None:
                self._jobs.put(partial(self._repeat_and_commit, batch))
            else:
                self._jobs.put(partial(self._commit, outcomes))
        else:
            self._jobs.put(partial(self._run_and_commit, batch))

    def _begun(self) -> bool:
        """Whether a transaction could be begun at once; the loop waits for nobody's lock."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True

    def _committed(self, outcomes: list[Outcome], announcements: list[Any], free: bool) -> None:
        try:
            for future, result, error in outcomes:
                if future is None:
                    if error is not None:
                        log.error("a unit nobody waits for failed", exc_info=error)
                elif not future.done():
                    if error is None:
                        future.set_result(result)
                    else:
                        future.set_exception(error)
            if announcements and self._announce is not None:
                self._announce(announcements)
        finally:
            if free:
                self._freed()

    def _freed(self) -> None:
        self._busy = False
        self._begin()

    # In the writer's thread: one job at a time, and the connection is its own until it calls the loop back.

    def _run(self) -> None:
        try:
            self._db = db = open_to_write(self.path)
            db.execute("PRAGMA busy_timeout = 0")  # The loop waits for nobody's lock; see `_begin_patiently`.
            self._loop.call_soon_threadsafe(self._freed)
            while (job := self._jobs.get()) is not None:
                job()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            db.close()
        except BaseException as error:  # noqa: BLE001  # see `_begin`
            self._died(error)

    def _run_and_commit(self, batch: list[Waiting]) -> None:
        self._begin_patiently()
        outcomes = self._side_by_side(batch)
        if outcomes is None:
            self._repeat_and_commit(batch)
        else:
            self._commit(outcomes)

    def _repeat_and_commit(self, batch: list[Waiting]) -> None:
        self._begin_patiently()
        self._commit(self._one_by_one(batch))

    def _begin_patiently(self) -> None:
        """Begin a transaction, after waiting for another process that has the file (a backup, a command)."""
        db = self._db
        db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        db.execute("BEGIN IMMEDIATE")
        db.execute("PRAGMA busy_timeout = 0")

    def _commit(self, outcomes: list[Outcome]) -> None:
        db = self._db
        try:
            # In one step without the interpreter's lock, which this thread would otherwise have to wait for between the steps.
            db.commit()
        except BaseException:
            # It may be on disk all the same: only a restart finds out, and the stations send again.
            log.critical("a commit failed", exc_info=True)
            self._end_process(EXIT_COMMIT_FAILED)
            raise  # Nobody is answered, should the process still be there.
        self.commits += 1
        self.units += len(outcomes)
        announcements, db.announcements = db.announcements, []
        due = self._checkpoint_due()
        self._loop.call_soon_threadsafe(self._committed, outcomes, announcements, not due)
        if due:
            self._checkpoint()
            self._loop.call_soon_threadsafe(self._freed)

    def _checkpoint_due(self) -> bool:
        """Often enough to keep the WAL short, seldom enough that a page goes into the database once for many commits.

        By changes, and by bytes: a few large rows fill a disk as well as many small ones.
        """
        return (
            self._db.total_changes - self._changes_checkpointed > CHANGES_PER_CHECKPOINT
            or self._wal.stat().st_size > self._wal_bytes_due
        )

    def _checkpoint(self) -> None:
        """Move the WAL into the database, without waiting for readers: behind a long one every commit would be held up."""
        how = "TRUNCATE" if self._wal.stat().st_size > self._wal_bytes_max else "PASSIVE"
        self._db.execute(f"PRAGMA wal_checkpoint({how})").fetchall()
        self._changes_checkpointed = self._db.total_changes
        # Where a reader keeps it from being cut, it is not tried again at every commit.
        self._wal_bytes_due = max(self._wal_bytes_max, self._wal.stat().st_size + self._wal_bytes_max // 4)

    # Wherever a commit's units run. A unit almost never raises (a refusal is a value), so they first run side by side
    # without savepoints. If one does raise, all is rolled back and run again, each behind a savepoint, so that it fails alone.

    def _side_by_side(self, batch: list[Waiting]) -> list[Outcome] | None:
        """What became of each unit; None if one raised, with the transaction rolled back."""
        db = self._db
        try:
            outcomes: list[Outcome] = [(future, unit(db, *args), None) for future, unit, args, _ in batch]
            db.flush()
        except Exception:  # noqa: BLE001  # the second run finds whose it was
            if db.in_transaction:
                db.rollback()
            db.forget()
            db.announcements.clear()
            self.batches_repeated += 1
            return None
        return outcomes

    def _one_by_one(self, batch: list[Waiting]) -> list[Outcome]:
        db = self._db
        outcomes: list[Outcome] = []
        for future, unit, args, _ in batch:
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

    def _died(self, error: BaseException) -> None:
        log.critical("the writer died", exc_info=error)
        self._end_process(EXIT_WRITER_DIED)
        self._jobs.put(None)


class Reader(aiosqlite.Connection):
    """A connection that cannot write, with its thread; it runs whole functions, so that a page sees one moment."""

    @classmethod
    async def open(cls, path: Path) -> Reader:
        reader = cls(partial(open_to_read, path, Database), 64)
        await reader
        await reader.executescript(READER_SETTINGS)
        return reader

    async def run(self, query: Callable[Concatenate[Readable, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if not self._running or self._connection is None:
            # aiosqlite would raise a ValueError, as a query of ours may.
            raise Unavailable("a reader's connection has ended")
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
        if isinstance(db, Database):
            db.forget()  # What it remembered was so in this snapshot.
