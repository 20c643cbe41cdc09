"""The room on the site's disk: a reserve that is kept for money and sessions, and what is said when it runs out.

What is too little and what is done then is decided in domain/room.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.db import disk
from appliance.db.engine.store import Store
from appliance.domain.clock import Clock
from appliance.domain.room import Decision, Room, decide, room
from appliance.host.data_directory import DataDirectory
from appliance.services import disk as service

log = logging.getLogger(__name__)

LOOK_S = 5.0
BLOCK = bytes(1 << 20)


@dataclass(slots=True)
class Disk:
    """The disk that a site lies on."""

    folder: Path
    reserve: Path
    short: bool = False
    told: tuple[bool, int, bool] | None = None
    """What was said last: whether it is short, how many MB were free, whether the reserve is gone."""

    @classmethod
    def of(cls, data: DataDirectory) -> Disk:
        """The disk of this folder."""
        return cls(data.path, data.reserve)

    def size_bytes(self) -> int:
        """Of the whole disk."""
        found = os.statvfs(self.folder)
        return found.f_frsize * found.f_blocks

    def free_bytes(self) -> int:
        """What this user may still write."""
        found = os.statvfs(self.folder)
        return found.f_frsize * found.f_bavail

    def held_bytes(self) -> int:
        """What the reserve holds."""
        with suppress(OSError):
            return self.reserve.stat().st_size
        return 0

    def make_room(self) -> bool:
        """Before the database is opened: whether there is room to. If there is hardly any, the reserve is let go."""
        needs = room(self.size_bytes(), evses=0)
        if self.free_bytes() < needs.last_bytes and self.held_bytes():
            self.release()
        return self.free_bytes() >= needs.start_bytes

    def release(self) -> None:
        """Let the reserve go: it is what money and sessions are recorded with from now on."""
        self.reserve.unlink(missing_ok=True)
        log.error("the disk is full; the reserve is let go", extra={"reserve": str(self.reserve)})

    def make(self, size_bytes: int) -> None:
        """Make the reserve, or a larger one. Written in full: what was only promised is not there when it is needed."""
        partial = self.reserve.with_name(f"{self.reserve.name}.partial")
        try:
            with partial.open("wb") as file:
                for begin in range(0, size_bytes, len(BLOCK)):
                    file.write(BLOCK[: size_bytes - begin])
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self.reserve)
        except OSError as error:
            log.warning("the reserve cannot be made", extra={"error": error.strerror})
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def look(self, needs: Room, *, making: bool) -> tuple[Decision, int, bool]:
        """Measure, let the reserve go or (if `making`) make it, and say what came of it: the decision, how much is free now, and
        whether the reserve is gone.
        """
        decision = decide(needs, self.free_bytes(), self.held_bytes(), short=self.short)
        if decision.release:
            self.release()
        elif decision.make and making:
            self.make(needs.reserve_bytes)
        return decision, self.free_bytes(), not self.held_bytes()


async def look(site_disk: Disk, store: Store, clock: Clock, *, making: bool) -> None:
    """Measure, and tell the site what has changed. Not `making`: chargers wait, and the reserve has time."""
    needs = room(await asyncio.to_thread(site_disk.size_bytes), await store.read(disk.evses))
    decision, free_bytes, released = await asyncio.to_thread(site_disk.look, needs, making=making)
    site_disk.short = decision.short
    said = (decision.short, free_bytes >> 20 if decision.short else 0, released)
    if said != site_disk.told:
        await store.write(service.tell, clock(), short=said[0], free_mb=free_bytes >> 20, released=said[2])
        site_disk.told = said


async def watch(site_disk: Disk, store: Store, clock: Clock) -> None:
    """Look again and again."""
    while True:
        try:
            await look(site_disk, store, clock, making=True)
        except OSError:
            log.exception("the disk cannot be measured")
        await asyncio.sleep(LOOK_S)
