"""What a database says no with.

The names are ours, the classes sqlite3's: SQLite raises them without a layer that would have to catch and raise again around each
statement, and another engine, whose adapter is ours, raises the same ones. Nobody outside the engine needs to know more: what
has a file to name and an advice to give (no room, no permission, damage, a newer release) is a `Refusal` (files.py, migrate.py).
"""

from __future__ import annotations

import sqlite3

DatabaseError = sqlite3.Error
"""Whatever a database says, those below included."""
IntegrityError = sqlite3.IntegrityError
"""A row would break a rule of the schema, its triggers' included."""


class Unavailable(sqlite3.OperationalError):
    """There is no connection to the database any more."""
