"""Whether the schema is what the migrations make: a trigger that was dropped guards nothing, and a foreign one may do anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import lru_cache

from appliance.db.engine.migrate import apply, migrations, version
from appliance.db.engine.protocols import Readable

OBJECTS = "SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' OR type = 'trigger'"


ACTING = ("trigger", "view")
"""What does something by itself: a foreign index only makes something faster."""


def differences(db: Readable, *, acting_only: bool = False) -> list[str]:
    """What is missing, changed or foreign in the schema; [] when all is well. With `acting_only` of what acts by itself."""
    found, wanted = (
        {key: sql for key, sql in objects.items() if not acting_only or key[0] in ACTING}
        for objects in (_objects(db), _wanted(version(db)))
    )
    return [
        *(f"the {kind} {name} is missing" for kind, name in sorted(wanted.keys() - found.keys())),
        *(f"the {kind} {name} is none of ours" for kind, name in sorted(found.keys() - wanted.keys())),
        *(
            f"the {kind} {name} was changed"
            for kind, name in sorted(wanted.keys() & found.keys())
            if wanted[kind, name] != found[kind, name]
        ),
    ]


@lru_cache(maxsize=2)
def _wanted(number: int) -> dict[tuple[str, str], str]:
    """What the migrations up to this one make."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for one, script in migrations():
            if one <= number:
                apply(db, one, script)
        return _objects(db)


def _objects(db: Readable) -> dict[tuple[str, str], str]:
    # How blanks and quotes are written back by ALTER TABLE depends on the version of SQLite.
    return {(kind, name): " ".join(sql.replace('"', "").split()) for kind, name, sql in db.execute(OBJECTS)}
