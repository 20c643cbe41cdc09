"""When the system or SQLite will not let us at a file: a refusal that names the file, whom it is closed to, and what to do."""

from __future__ import annotations

import errno
import os
import pwd
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.domain.errors import Refusal

BESIDE = ("-wal", "-shm", "-journal")
"""Files that SQLite keeps beside a database. With another database they would be played into it."""
CLOSED = {errno.EACCES, errno.EPERM}
FULL = {errno.ENOSPC, errno.EDQUOT}
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
SAID_BY_SQLITE = {
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_READONLY: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_BUSY: errno.EBUSY,
}
"""What is the matter with a file in SQLite's words, and in the system's. What else SQLite says is a mistake of ours."""


class FileTrouble(Refusal):
    """A file cannot be used; the message says which one and why."""


@contextmanager
def about(path: Path, *, foreign: bool = False) -> Iterator[None]:
    """What goes wrong with files within the block is said about `path`; if `foreign`, that is no file of the site.

    Raises:
        FileTrouble: What the system or SQLite said, in a sentence.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        refusal = trouble(path, error, foreign=foreign)
        if refusal is None:
            raise
        raise refusal from error


def trouble(path: Path, error: OSError | sqlite3.Error, *, foreign: bool = False) -> FileTrouble | None:
    """The refusal for an error; None when it is not about files."""
    if isinstance(error, ConnectionError):
        return None
    if isinstance(error, OSError):
        number, why = error.errno, error.strerror or str(error)
    else:
        code = primary_code(error)
        if code in DAMAGED:
            return FileTrouble(
                "The database {path} is damaged: {why}.",
                "Keep a copy of it, and put the newest backup in its place: forecourt restore FILE {folder}",
                path=path, why=error, folder=path.parent,
            )  # fmt: skip
        if code not in SAID_BY_SQLITE:
            return None
        number, why = SAID_BY_SQLITE[code], str(error)
    closed = closed_part(path) if number in CLOSED else None
    if closed is not None:
        return _closed(closed, foreign=foreign)
    if number in FULL:
        return FileTrouble(
            "There is no room left on the disk for {path}.", "Make room there, and say it again.", path=path
        )
    return FileTrouble(
        "{path} cannot be used: {why}.", "See whether this is the right place, and its disk sound.", path=path, why=why
    )


def primary_code(error: sqlite3.Error) -> int:
    """What kind of error it is; 0 if it is Python's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def closed_part(path: Path) -> Path | None:
    """Which part of the way to a file, or which file beside it, this user may not use; None if it is none of them."""
    path = path.absolute()
    for folder in reversed(path.parents):
        if not _may(folder, os.X_OK):
            return folder
    there = [found for found in (path, *(beside(path, suffix) for suffix in BESIDE)) if found.exists()]
    for found in there:
        if not _may(found, os.R_OK | os.W_OK):
            return found
    folder = next(folder for folder in path.parents if folder.exists())
    return None if _may(folder, os.W_OK) else folder


def beside(database: Path, suffix: str) -> Path:
    """The file of that name beside a database."""
    return database.with_name(database.name + suffix)


def _may(path: Path, mode: int) -> bool:
    """Whether the user may; also where nobody may, because the disk is read-only, or there is nothing."""
    return (
        not path.exists()
        or os.access(path, mode, effective_ids=True)
        or bool(mode & os.W_OK and os.statvfs(path).f_flag & os.ST_RDONLY)
    )


def _closed(path: Path, *, foreign: bool) -> FileTrouble:
    user = _name(os.geteuid())
    writing = path.is_dir() and os.access(path, os.X_OK, effective_ids=True)
    if foreign:
        return FileTrouble(
            "The user {user} may not write in {path}." if writing else "The user {user} may not open {path}.",
            "Allow it to this user, or take a folder that is open to them.",
            user=user, path=path,
        )  # fmt: skip
    owner = _name((path if path.is_dir() else path.parent).stat().st_uid)
    return FileTrouble(
        "The user {user} may not write in {path}." if writing else "The user {user} may not open {path}.",
        "Give it to this user: sudo chown {user} {path}"
        if owner == user
        else "Say it as the user to whom the site belongs: sudo -u {owner} forecourt …",
        user=user, path=path, owner=owner,
    )  # fmt: skip


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
