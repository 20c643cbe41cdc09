"""What the site does about a disk that fills up: it says so, and lets nobody new in. Where the room goes is host/disk.py's."""

from __future__ import annotations

from appliance.db import disk
from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind
from appliance.services.announce import SettingsChanged
from appliance.services.problems import clear_problem, raise_problem


def tell(db: Database, now_ms: int, *, short: bool, free_mb: int, released: bool) -> None:
    """The disk is short of room, or is not any more. `released`: the last reserve is in use."""
    was_short = disk.is_short(db)
    if short:
        raise_problem(db, ProblemKind.DISK_FULL, disk.SUBJECT, now_ms, free_mb=free_mb, released=released)
    else:
        clear_problem(db, ProblemKind.DISK_FULL, disk.SUBJECT, now_ms)
    disk.SHORT.drop(db)
    if short != was_short:
        db.announce(SettingsChanged())
