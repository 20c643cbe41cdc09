"""A backup is a whole database in one file, made while the server works, and worth nothing before it was verified."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from appliance.db import audit, ledger, site
from appliance.db.engine import schema
from appliance.db.engine.files import BESIDE, about, beside, primary_code, trouble
from appliance.db.engine.migrate import refuse_newer, version
from appliance.db.engine.open import open_to_read
from appliance.db.integrity import anchors
from appliance.domain.errors import Refusal

UNREAD = {sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY}
"""What SQLite says of a file that it could not even read."""


class Unusable(Refusal):
    """The file is no backup that can be trusted."""


def make(source: Path, target: Path) -> None:
    """Write a copy of the database at `source` as it is at this moment, verified, to `target`.

    The copy appears under its name only when it is whole, verified and on the disk.

    Raises:
        Refusal: There is a file of that name, a file cannot be used, or the copy is not sound.
    """
    with about(target, foreign=True):
        if target.exists():
            raise Refusal(
                "There is a file {path} already.", "Choose another name; a backup is never written over.", path=target
            )
        with unfinished(target) as partial:
            copy(source, partial)
            verify(partial)
            sync(partial)
            partial.rename(target)
            sync(target.parent)


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """An empty file that nobody else may read, to be filled and renamed to `target`; without that it is gone afterwards."""
    partial = target.with_name(f".{target.name}.partial")
    files = [partial, *(beside(partial, suffix) for suffix in BESIDE)]
    try:
        for left in files:
            left.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield partial
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def copy(source: Path, target: Path) -> None:
    """Write a copy of the database at `source`, with what waits in its write-ahead log, into the empty file `target`.

    Raises:
        FileTrouble: One of the two cannot be used.
        TooNew: `source` is ahead of this program.
    """
    with about(source), closing(open_to_read(source)) as db:
        refuse_newer(db, source)
        try:
            db.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.OperationalError as error:
            # What the disk has no room for, or fails to write, is the copy.
            if primary_code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise trouble(target, error, foreign=True) or error from error
            raise


def put_in_place(partial: Path, database: Path, aside: Path) -> bool:
    """Give a whole copy, which is on the disk, the name of the database; whether there was one, which is kept as `aside`.

    There is no moment without a database. What SQLite kept beside the old one goes with it: it would be played into the new one.
    """
    waiting = beside(database, "-wal")
    if database.exists() and waiting.exists():
        # As one file it can be renamed in one step. A damaged one goes aside as it is.
        with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    was_there = database.exists()
    if was_there:
        try:
            os.link(database, aside)
        except OSError:
            database.rename(aside)  # Some file systems know one name only.
    for suffix in BESIDE:
        if (old := beside(database, suffix)).exists():
            old.rename(beside(aside, suffix))
    partial.rename(database)
    sync(database.parent)
    return was_there


def verify(path: Path) -> None:
    """Whether the file is a sound database of a site, computed from its rows alone.

    Raises:
        Unusable: It is not; the message says what is wrong.
        FileTrouble, TooNew: It cannot be read by this user, or by this release.
    """
    if wrong := problems_of(path):
        raise Unusable("{path} cannot be trusted: {wrong}.", "Use an older backup.", path=path, wrong="; ".join(wrong))


def problems_of(path: Path, *, foreign: bool = True) -> list[str]:
    """What is wrong with a database; [] when all is well. `foreign`: it is no file of the site (see `files.about`).

    Raises:
        FileTrouble, TooNew: It cannot be read by this user, or by this release, and that says nothing about it.
    """
    with about(path, foreign=foreign):
        if not path.is_file():
            return ["there is no such file"]
        path.open("rb").close()
    try:
        with closing(open_to_read(path)) as db:
            db.execute("BEGIN")  # A server may be at work: what is compared is of one moment.
            return _problems_in(db, path)
    except sqlite3.Error as error:
        if primary_code(error) in UNREAD and (refusal := trouble(path, error, foreign=foreign)):
            raise refusal from error
        return [str(error)]


def _problems_in(db: sqlite3.Connection, path: Path) -> list[str]:
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'site'").fetchone() is None or version(db) == 0:
        return ["it is not a database of a Forecourt site"]
    refuse_newer(db, path)
    if site.load(db) is None:
        return ["it is not a database of a Forecourt site"]
    wrong = schema.differences(db, acting_only=True)[:5]
    wrong += [text for (text,) in db.execute("PRAGMA integrity_check") if text != "ok"][:5]
    if db.execute("PRAGMA foreign_key_check").fetchone() is not None:
        wrong.append("a row refers to another that is missing")
    wrong += ledger.verify(db)
    if (row := audit.broken_at(db)) is not None:
        wrong.append(f"the chain of the audit list breaks at row {row}")
    if version(db) >= anchors.SINCE_VERSION:
        wrong += anchors.all_broken(db, None)
    return wrong


def sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
