"""Brings a database to this release's schema: forwards only, each file in one transaction, after a copy was set aside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

from appliance.db.engine.files import about
from appliance.db.engine.protocols import Readable
from appliance.domain.errors import Refusal
from appliance.domain.order import natural
from appliance.domain.words import folded

MIGRATIONS = resources.files("appliance.db") / "migrations"


class TooNew(Refusal):
    """The database was written by a newer release."""


def migrate(path: Path, *, set_aside: bool = True) -> list[int]:
    """Apply what is missing to the database at `path` (made if absent); the numbers applied.

    Without `set_aside` no copy is kept of how it was.

    Raises:
        TooNew: The database is ahead of this program.
        FileTrouble: It cannot be read or written.
    """
    with about(path), closing(sqlite3.connect(path, isolation_level=None)) as db:
        found = refuse_newer(db, path)
        missing = [(number, script) for number, script in migrations() if number > found]
        if missing and found and set_aside:
            aside = path.with_name(f"{path.name}.before-{missing[0][0]:04}")
            aside.unlink(missing_ok=True)
            db.execute("VACUUM INTO ?", (str(aside),))
        for number, script in missing:
            apply(db, number, script)
        # Whoever may not write learns it here, and not from a writer that dies. (BEGIN IMMEDIATE alone does not mind.)
        db.execute("BEGIN IMMEDIATE")
        db.execute(f"PRAGMA user_version = {version(db)}")
        db.rollback()
        return [number for number, _ in missing]


def refuse_newer(db: sqlite3.Connection, path: Path) -> int:
    """The version of the database at `path`.

    Raises:
        TooNew: It is ahead of this program.
    """
    found, newest = version(db), migrations()[-1][0]
    if found > newest:
        raise TooNew(
            "The database {path} is of version {found}; this release knows up to {newest}.",
            "Install the newer release again, or restore a backup made by this one.",
            path=path, found=found, newest=newest,
        )  # fmt: skip
    return found


def apply(db: sqlite3.Connection, number: int, script: str) -> None:
    """Run one migration and record its number, in one transaction.

    It may ask for the key by which names are sorted, `sort_key(name)`, and for what they are found by, `folded(name)`. What is stored is plain text.
    """
    db.create_function("sort_key", 1, natural, deterministic=True)
    db.create_function("folded", 1, folded, deterministic=True)
    db.execute("BEGIN EXCLUSIVE")
    try:
        for statement in statements(script):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def version(db: Readable) -> int:
    """The number of the last migration applied."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrations() -> list[tuple[int, str]]:
    """All migrations of this release, in order."""
    files = sorted((file for file in MIGRATIONS.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [(int(file.name[:4]), file.read_text(encoding="utf-8")) for file in files]


def statements(script: str) -> list[str]:
    """The statements of `script`; unlike `executescript` running them one by one stays inside the transaction."""
    found, text = [], ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return found
