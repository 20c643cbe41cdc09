"""A backup is a whole database in one file, made while the server works, and worth nothing before it was verified."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from appliance.db import audit, ledger, site
from appliance.db.migrate import migrations, version
from appliance.domain.errors import Refusal


class Unusable(Refusal):
    """The file is no backup that can be trusted."""


def make(source: Path, target: Path) -> None:
    """Write a copy of the database at `source` as it is at this moment, verified, to `target`.

    The copy appears under its name only when it is whole, verified and on the disk.

    Raises:
        Refusal: There is a file of that name, or the copy is not sound.
    """
    if target.exists():
        raise Refusal(
            "There is a file {path} already.", "Choose another name; a backup is never written over.", path=target
        )
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    db = _open(source)
    try:
        db.execute("VACUUM INTO ?", (str(partial),))
    finally:
        db.close()
    try:
        partial.chmod(0o600)
        verify(partial)
        sync(partial)
        partial.rename(target)
        sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def verify(path: Path) -> None:
    """Whether the file is a sound database of a site, computed from its rows alone.

    Raises:
        Unusable: It is not; the message says what is wrong.
    """
    if wrong := problems_of(path):
        raise Unusable("{path} cannot be trusted: {wrong}.", "Use an older backup.", path=path, wrong="; ".join(wrong))


def problems_of(path: Path) -> list[str]:
    """What is wrong with a database; [] when all is well."""
    if not path.is_file():
        return ["there is no such file"]
    try:
        db = _open(path)
    except sqlite3.Error as error:
        return [str(error)]
    try:
        found = version(db)
        if found == 0 or site.load(db) is None:
            return ["it is not a database of a Forecourt site"]
        if found > len(migrations()):
            return [f"it is of version {found}, newer than this release"]
        wrong = [text for (text,) in db.execute("PRAGMA integrity_check") if text != "ok"][:5]
        if db.execute("PRAGMA foreign_key_check").fetchone() is not None:
            wrong.append("a row refers to another that is missing")
        wrong += ledger.verify(db)
        if (row := audit.broken_at(db)) is not None:
            wrong.append(f"the chain of the audit list breaks at row {row}")
    except sqlite3.Error as error:
        return [str(error)]
    else:
        return wrong
    finally:
        db.close()


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)


def sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
