"""Whether the disk is nearly full, as every unit and query may ask: it is an open problem, so it outlives a restart."""

from __future__ import annotations

from appliance.db import problems
from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind

SHORT = Slot[bool]()
SUBJECT = "disk"


def is_short(db: Database) -> bool:
    """Whether nothing may be logged and nobody new let in (domain/room.py); remembered by the writer."""
    short = SHORT.get(db)
    if short is None:
        short = read_short(db)
        SHORT.keep(db, short)
    return short


def read_short(db: Readable) -> bool:
    """The same, for a page that asks."""
    return problems.find_open(db, ProblemKind.DISK_FULL, SUBJECT) is not None


def evses(db: Readable) -> int:
    """How many EVSEs the site has, at most: a charger that has told of none may have one."""
    return int(
        db.execute(
            """SELECT (SELECT count(*) FROM connector) + (SELECT count(*) FROM station WHERE state = 'approved')"""
        ).fetchone()[0]
    )
