"""A new database for a test: the real schema, made by the real migrations once in each process, and copied from then on."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from appliance.db.engine.migrate import migrate
from appliance.db.engine.open import WRITER_SETTINGS


def prepare(path: Path) -> None:
    """The schema in the file at `path`, as the start of a server makes it; a file that is there already is brought up to date."""
    if path.exists():
        migrate(path)
    else:
        path.write_bytes(_new())


@cache
def _new() -> bytes:
    """What is in the file of a database without a row."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "forecourt.db"
        migrate(path)
        db = sqlite3.connect(path)
        # The change of the journal's mode, which every writer makes, costs a file its slowest moments.
        db.executescript(WRITER_SETTINGS)
        db.close()
        return path.read_bytes()
