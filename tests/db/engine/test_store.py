"""The writer on a real file: what is committed together, what fails alone, and when the caller hears of it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.db.engine.errors import IntegrityError, Unavailable
from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.store import EXIT_COMMIT_FAILED, EXIT_WRITER_DIED, UNITS_AT_ONCE_MAX, Reader, Store
from appliance.db.engine.unit import Database, Rows

TIMEOUT_S = 20.0
ROOT = Path(__file__).resolve().parents[3]
SCHEMA = """
CREATE TABLE fact (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, text TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE of_fact (fact_id INTEGER NOT NULL REFERENCES fact (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
"""
FACT = Rows("fact(number, text)", width=2)
LAST = Slot[int]()


class NotToday(Exception):
    """What a unit of these tests raises."""


def add(db: Database, number: Any, text: Any = "") -> int:
    row = db.execute("INSERT INTO fact (number, text) VALUES (?, ?) RETURNING id", (number, text)).fetchone()
    return int(row[0])


def add_and_fail(db: Database, number: int) -> None:
    add(db, number)
    db.append(FACT, (number, "waiting"))
    LAST.keep(db, number)
    db.announce(number)
    raise NotToday


def numbers(db: Readable) -> list[int]:
    return [row[0] for row in db.execute("SELECT number FROM fact ORDER BY id")]


def on_disk(path: Path) -> list[int]:
    """What a stranger finds in the file."""
    db = sqlite3.connect(path)
    try:
        return numbers(db)
    finally:
        db.close()


def wal_bytes(path: Path) -> int:
    """How long the WAL is; it goes with the last connection."""
    wal = path.with_name(path.name + "-wal")
    return wal.stat().st_size if wal.exists() else 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a schema of two tables."""
    file = tmp_path / "facts.db"
    db = sqlite3.connect(file)
    db.executescript(SCHEMA)
    db.close()
    return file


@pytest.fixture
def announced() -> list[list[Any]]:
    """What the store passed on, one list a commit."""
    return []


@pytest.fixture
async def store(path: Path, announced: list[list[Any]]) -> AsyncIterator[Store]:
    opened = Store(path, announce=announced.append)
    await opened.open()
    yield opened
    await opened.close()


class Gate:
    """A unit that waits in the writer's thread until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def unit(self, db: Database) -> None:  # noqa: ARG002
        self.reached.set()
        assert self.opened.wait(TIMEOUT_S)

    async def wait_reached(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, TIMEOUT_S)


async def test_units_that_wait_together_are_one_commit(store: Store) -> None:
    commits, units = store.commits, store.units

    ids = await asyncio.gather(*(store.write(add, number) for number in range(100)))

    assert ids == list(range(1, 101))
    assert (store.commits - commits, store.units - units) == (1, 100)


async def test_short_units_run_in_the_event_loop_and_others_in_the_writers_thread(store: Store) -> None:
    def where(db: Database) -> int:
        return threading.get_ident()

    here = threading.get_ident()
    assert {await waiting for waiting in (store.write_short(where), store.write_short(where))} == {here}

    # One long unit takes its whole commit into the thread: one commit is not in two places.
    first, second = await asyncio.gather(store.write_short(where), store.write(where))
    assert first == second != here


async def test_the_event_loop_waits_for_nobodys_lock(store: Store, path: Path) -> None:
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    waiting = store.write_short(add, 1)
    # The loop goes on: reads are answered while the unit waits.
    for _ in range(10):
        assert await store.read(numbers) == []
    assert not waiting.done()

    stranger.execute("ROLLBACK")
    stranger.close()
    await waiting
    assert on_disk(path) == [1]


@pytest.mark.parametrize("how", [Store.write, Store.write_short])
async def test_a_batch_that_is_repeated_waits_for_a_strangers_lock(
    store: Store, path: Path, how: Callable[..., asyncio.Future[None]]
) -> None:
    stranger = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    lost = threading.Event()

    def lose_the_turn(db: Database) -> None:
        if not lost.is_set():
            # Between a batch's first run and its second the file is anybody's.
            db.rollback()
            stranger.execute("BEGIN IMMEDIATE")
            lost.set()
        raise NotToday

    fails, waits = how(store, lose_the_turn), how(store, add, 1)
    assert await asyncio.to_thread(lost.wait, TIMEOUT_S)
    for _ in range(10):
        assert await store.read(numbers) == []
    assert not waits.done()

    stranger.execute("ROLLBACK")
    with pytest.raises(NotToday):
        await fails
    await waits
    assert on_disk(path) == [1]
    stranger.close()


async def test_a_listener_that_fails_does_not_stop_the_writer(path: Path) -> None:
    def deaf(_: list[Any]) -> None:
        raise NotToday

    def announce(db: Database) -> None:
        db.announce("something")

    failures: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
    store = Store(path, announce=deaf)
    await store.open()
    await store.write_short(announce)
    await store.write(add, 1)
    await store.close()

    assert [type(failure) for failure in failures] == [NotToday]
    assert on_disk(path) == [1]


async def test_units_that_arrive_while_the_writer_works_are_the_next_commit(store: Store) -> None:
    gate = Gate()
    first = store.write(gate.unit)
    await gate.wait_reached()
    commits = store.commits
    waiting = []
    for number in range(UNITS_AT_ONCE_MAX // 2):
        waiting.append(store.write(add, number))
        await asyncio.sleep(0)  # Each in a turn of its own, so each is its own hand-over.
    gate.opened.set()
    await asyncio.gather(first, *waiting)

    assert store.commits - commits == 2


async def test_the_answer_comes_after_the_commit(store: Store, path: Path) -> None:
    gate = Gate()
    fact = store.write(add, 1)
    held_up = store.write(gate.unit)
    await gate.wait_reached()

    assert not fact.done()
    assert on_disk(path) == []

    gate.opened.set()
    await asyncio.gather(fact, held_up)
    assert on_disk(path) == [1]


@pytest.mark.parametrize("write", ["write", "write_short"])
async def test_a_failing_unit_is_undone_alone(store: Store, path: Path, write: str) -> None:
    queue = getattr(store, write)
    results = await asyncio.gather(queue(add, 1), queue(add_and_fail, 2), queue(add, 3), return_exceptions=True)

    assert isinstance(results[1], NotToday)
    assert on_disk(path) == [1, 3]
    assert store.batches_repeated == 1


async def test_rows_that_break_a_rule_at_the_end_fail_with_their_own_unit(store: Store, path: Path) -> None:
    """An `append` is refused when it is inserted, which is after its unit has returned."""

    def append(db: Database, number: int | None) -> None:
        db.append(FACT, (number, "appended"))

    results = await asyncio.gather(
        store.write(append, 1), store.write(append, None), store.write(append, 3), return_exceptions=True
    )

    assert [type(result) for result in results] == [type(None), IntegrityError, type(None)]
    assert on_disk(path) == [1, 3]


async def test_many_appended_rows_arrive_whole_and_in_order(store: Store, path: Path) -> None:
    def append(db: Database, begin: int, end: int) -> None:
        for number in range(begin, end):
            db.append(FACT, (number, ""))

    await asyncio.gather(store.write(append, 0, 70), store.write(append, 70, 101))

    assert on_disk(path) == list(range(101))


async def test_what_a_failing_unit_announced_is_never_heard(store: Store, announced: list[list[Any]]) -> None:
    def announce(db: Database, what: str) -> None:
        db.announce(what)

    await asyncio.gather(
        store.write(announce, "before"), store.write(add_and_fail, 2), store.write(announce, "after"),
        return_exceptions=True,
    )  # fmt: skip

    assert announced == [["before", "after"]]


async def test_what_a_failing_unit_remembered_is_forgotten(store: Store) -> None:
    def remember(db: Database, value: int) -> None:
        LAST.keep(db, value)

    def recall(db: Database) -> Any:
        return LAST.get(db)

    await store.write(remember, 1)
    assert await store.write(recall) == 1

    await asyncio.gather(store.write(add_and_fail, 2), return_exceptions=True)
    assert await store.write(recall) is None


@pytest.mark.parametrize(
    ("number", "text", "error"),
    [
        (2**70, "", OverflowError),
        (float("nan"), "", IntegrityError),
        ("ten", "", IntegrityError),
        (1, "\ud800", UnicodeEncodeError),
        (1, object(), sqlite3.Error),
    ],
)
async def test_a_value_that_cannot_be_stored_fails_its_unit_and_not_the_writer(
    store: Store, path: Path, number: object, text: object, error: type[Exception]
) -> None:
    """An OverflowError is no ValueError: in a careless writer `meterStart: 2**70` ends all writing for good."""
    before = store.write(add, 1)
    bad = store.write(add, number, text)
    after = store.write(add, 2)
    with pytest.raises(error):
        await bad
    await asyncio.gather(before, after)
    assert on_disk(path) == [1, 2]


async def test_a_caller_that_gave_up_does_not_hold_up_the_others(store: Store, path: Path) -> None:
    impatient = store.write(add, 1)
    impatient.cancel()
    await store.write(add, 2)

    assert on_disk(path) == [1, 2]


async def test_a_unit_nobody_waits_for_is_committed_with_what_comes_next(store: Store, path: Path) -> None:
    store.write_unheard(add, 1)
    await store.write(add, 2)

    assert on_disk(path) == [1, 2]


async def test_a_unit_nobody_waits_for_fails_alone_and_is_logged(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.write_unheard(add_and_fail, 1)
    await store.write(add, 2)

    assert on_disk(path) == [2]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "a unit nobody waits for failed"
    ]


async def test_keyword_arguments_reach_the_unit(store: Store, path: Path) -> None:
    await store.write(add, number=7, text="by name")

    assert on_disk(path) == [7]


async def test_readers_see_what_was_committed_and_cannot_write(store: Store) -> None:
    await store.write(add, 1)

    def write(db: Readable) -> None:
        db.execute("INSERT INTO fact (number) VALUES (2)")

    def write_all_the_same(db: Readable) -> None:
        db.execute("PRAGMA query_only = OFF")
        write(db)

    assert await store.read(numbers) == [1]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.read(write)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.read(write_all_the_same)
    assert await store.read(numbers) == [1]


async def test_a_read_sees_one_moment_however_long_it_takes(store: Store) -> None:
    await store.write(add, 1)
    looked, go_on = threading.Event(), threading.Event()

    def look_twice(db: Readable) -> tuple[list[int], list[int]]:
        first = numbers(db)
        looked.set()
        assert go_on.wait(TIMEOUT_S)
        return first, numbers(db)

    looking = asyncio.create_task(store.read(look_twice))
    assert await asyncio.to_thread(looked.wait, TIMEOUT_S)
    await store.write(add, 2)
    go_on.set()

    assert await looking == ([1], [1])
    assert await store.read(numbers) == [1, 2]


async def test_a_failed_read_leaves_its_reader_fit_for_the_next(store: Store) -> None:
    def fail(db: Readable) -> None:
        db.execute("SELECT * FROM nowhere")

    for _ in range(4):
        with pytest.raises(sqlite3.OperationalError):
            await store.read(fail)
    await store.write(add, 1)
    assert await store.read(numbers) == [1]


async def test_a_reader_whose_connection_has_ended_says_so(path: Path) -> None:
    reader = await Reader.open(path)
    await reader.close()

    with pytest.raises(Unavailable):
        await reader.run(numbers)


async def test_closing_commits_what_waits_and_empties_the_wal(path: Path) -> None:
    store = Store(path)
    await store.open()
    for number in range(10):
        store.write_unheard(add, number)
    await store.close()

    assert on_disk(path) == list(range(10))
    assert wal_bytes(path) == 0


async def test_the_wal_moves_into_the_database_while_the_server_works(store: Store, path: Path) -> None:
    def add_many(db: Database) -> None:
        for number in range(25_000):
            db.append(FACT, (number, "of many"))

    await store.write(add_many)
    await store.write(add, 1)
    size = wal_bytes(path)
    for _ in range(10):
        await store.write(add, 1)

    # After a checkpoint the WAL is written from its beginning again instead of growing.
    assert wal_bytes(path) == size
    assert len(on_disk(path)) == 25_011


async def test_large_rows_move_the_wal_into_the_database_by_their_bytes(path: Path) -> None:
    store = Store(path, wal_bytes_max=1 << 20)
    await store.open()
    longest = 0
    for _ in range(60):
        await store.write(add, 1, "x" * 100_000)
        longest = max(longest, wal_bytes(path))
    await store.close()

    assert 100_000 < longest < 2 << 20


ENDING = """
import asyncio, sys
from pathlib import Path
from appliance.db.engine.store import Store

def fail_at_commit(db):
    db.execute("INSERT INTO fact (number) VALUES (1)")
    db.execute("INSERT INTO of_fact (fact_id) VALUES (4711)")

def end_the_transaction(db):
    db.execute("INSERT INTO fact (number) VALUES (2)")
    db.rollback()
    raise ValueError("as a full disk does it")

def leave(db):
    raise SystemExit("no unit may")

async def main():
    store = Store(Path(sys.argv[1]))
    await store.open()
    future = getattr(store, sys.argv[3])(globals()[sys.argv[2]])
    future.add_done_callback(lambda _: print("answered", flush=True))
    await asyncio.sleep(20)

asyncio.run(main())
"""


@pytest.mark.parametrize("write", ["write", "write_short"])
@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("fail_at_commit", EXIT_COMMIT_FAILED),
        ("end_the_transaction", EXIT_WRITER_DIED),
        ("leave", EXIT_WRITER_DIED),
    ],
)
def test_a_commit_that_fails_and_a_writer_that_dies_end_the_process_unanswered(
    path: Path, unit: str, code: int, write: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDING, str(path), unit, write],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (code, "")
    assert ("a commit failed" if code == EXIT_COMMIT_FAILED else "the writer died") in ended.stderr
    assert on_disk(path) == []


async def test_end_process_is_told_why_and_nobody_is_answered(path: Path) -> None:
    told: list[int] = []
    dead = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end_process(code: int) -> None:
        told.append(code)
        loop.call_soon_threadsafe(dead.set)

    def dangle(db: Database) -> None:
        db.execute("INSERT INTO of_fact (fact_id) VALUES (4711)")

    store = Store(path, end_process=end_process)
    await store.open()
    good, bad = store.write(add, 1), store.write(dangle)
    async with asyncio.timeout(TIMEOUT_S):
        await dead.wait()
    await store.close()

    assert told[0] == EXIT_COMMIT_FAILED
    assert (good.done(), bad.done()) == (False, False)
