"""All card desks of the site: readers that were named, readers that are found by themselves, and desks on other computers that have
joined. Each has a Desk of its own; the announcements are heard once, here.

nfcpy takes longer to load than much of a restart, so what needs it is loaded in a thread, beside the server that serves
already.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.db import problems as problem_rows
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.domain.clock import Clock
from appliance.domain.errors import Conflict, Invalid, Refusal
from appliance.domain.problem import ProblemKind
from appliance.rfid import hotplug, wire
from appliance.rfid.desk import Desk
from appliance.rfid.events import StateChanged
from appliance.rfid.remote import RemoteReader, first_of
from appliance.rfid.search import Search
from appliance.rfid.wire import Malformed
from appliance.services import problems
from appliance.services.announce import Announcement, DeskChanged, DeskNews, Hub
from appliance.services.card_desk.taps import DeskKey
from appliance.services.ports.readers import Channel, DeskView

if TYPE_CHECKING:
    from appliance.rfid.device import Opener
    from appliance.rfid.reader import Reader

log = logging.getLogger(__name__)

NONE = "none"
AUTOMATIC = "desk"
"""What the desk is called whose reader is found by itself."""
FORGET_AFTER_S = 3600.0
"""A computer that had joined and went without a word stays on the page for so long."""
JOINED_MAX = 100
"""Desks on other computers, those included that are still on the page."""
ID_LENGTH_MAX = 32
Load = Callable[[], "tuple[type[Reader], Callable[[str], Opener]]"]


@dataclass(slots=True)
class Joined:
    """A desk on another computer; `present` while it is connected, or being greeted."""

    desk: Desk
    present: bool = True
    forgetting: asyncio.TimerHandle | None = None


class CardDesks:
    """The desks (services/ports/readers.py, Desks). Made before the server serves; `running` brings them to life."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        clock: Clock,
        readers: Sequence[str] = (),
        *,
        system: Path = hotplug.SYSTEM,
        load: Load | None = None,
        search_after_s: float = 0.0,
    ) -> None:
        """Desks for the readers that `--reader` names; without any, for all that are found; with `none`, for none.

        Args:
            store: The books.
            hub: Where jobs are announced, and where cards are.
            clock: The time.
            readers: What `--reader` said, each.
            system: Where /dev and /sys are looked at.
            load: Loads what drives readers; ImportError where that is not installed.
            search_after_s: How long a reader that nobody named may wait until it is looked for.
        """
        self._store = store
        self._hub = hub
        self._clock = clock
        self._system = system
        self._key: DeskKey | None = None
        self._load = load or load_drivers
        self._search_after_s = search_after_s
        self._closing = asyncio.Event()
        self._readers: list[Reader] = []
        self._joined: dict[str, Joined] = {}
        self._search: Search | None = None
        self._local: dict[str, Desk] = {}
        self._named: dict[str, str] = {}
        """Of the desks of this box: what opens their reader."""
        for path in dict.fromkeys(readers):
            if path != NONE:
                self._named[free_name(desk_name(path), self._named)] = path
        if not readers:
            self._named[AUTOMATIC] = ""
        for name, path in self._named.items():
            self._local[name] = Desk(name, store, hub, clock, expected=bool(path))

    def all(self) -> list[DeskView]:
        """All desks, those of this box first."""
        return [desk.view() for desk in self._desks().values()]

    def find(self, desk: str) -> DeskView | None:
        """One desk."""
        found = self._desks().get(desk)
        return found.view() if found is not None else None

    @asynccontextmanager
    async def running(self, key: DeskKey) -> AsyncIterator[None]:
        """Serve cards until the block ends; writes that were begun are finished then."""
        self._key = key
        stop_listening = self._hub.listen(self._hear, DeskChanged)
        beginning = asyncio.create_task(self._begin(key), name="card desks")
        try:
            yield
        finally:
            stop_listening()
            self._key = None
            self._closing.set()
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
            await self._close()

    async def join(self, name: str, channel: Channel) -> None:
        """A reader on another computer joins; returns when it has gone.

        Raises:
            Refusal: The name is none, or a desk of this name is there already.
        """
        if not wire.NAME.fullmatch(name):
            raise Invalid("name", "Small letters, digits and hyphens, at most {most}.", most=ID_LENGTH_MAX)
        joined = self._joined.get(name)
        if name in self._desks() and (joined is None or joined.present):
            raise Conflict("There is a desk {name} already.", "Give this one another name.", name=name)
        if self._key is None:
            raise Refusal("The card desks are not in use yet.", "Try again in a moment.")
        if joined is None:
            self._make_room()
            desk = Desk(name, self._store, self._hub, self._clock, remote=True, expected=True)
            joined = self._joined[name] = Joined(desk)
        joined.present = True
        if joined.forgetting is not None:
            joined.forgetting.cancel()
        reader = RemoteReader(channel, joined.desk.hear)
        try:
            await self._serve(joined.desk, reader, self._key)
        finally:
            joined.present = False
            if reader.said_bye or not joined.desk.started:
                self._forget(name)
            elif not self._closing.is_set():
                joined.forgetting = asyncio.get_running_loop().call_later(FORGET_AFTER_S, self._forget, name)

    # --- those on other computers ------------------------------------------------------------------------------------------

    async def _serve(self, desk: Desk, reader: RemoteReader, key: DeskKey) -> None:
        """One connection, until it ends or we do."""
        try:
            await reader.greet()
        except (Malformed, ConnectionError, TimeoutError) as error:
            log.warning("a desk did not join", extra={"desk": desk.id, "why": str(error) or type(error).__name__})
            return
        log.info("a desk joined", extra={"desk": desk.id})
        desk.start(reader, key)
        await first_of(reader.serve(), self._until_closing())

    async def _until_closing(self) -> None:
        await self._closing.wait()

    def _make_room(self) -> None:
        """Of those that had joined and went, the first is forgotten for one more.

        Raises:
            Conflict: All are there.
        """
        if len(self._joined) < JOINED_MAX:
            return
        gone = next((name for name, joined in self._joined.items() if not joined.present), None)
        if gone is None:
            raise Conflict("There are {most} card desks already.", most=JOINED_MAX)
        self._forget(gone)

    def _forget(self, name: str) -> None:
        """It is no desk any more, and not missed."""
        joined = self._joined.pop(name)
        if joined.forgetting is not None:
            joined.forgetting.cancel()
        joined.desk.stop()
        joined.desk.forgive()
        self._hub.announce([DeskChanged(name, DeskNews.READER)])

    # --- those of this box -------------------------------------------------------------------------------------------------

    async def _begin(self, key: DeskKey) -> None:
        """Load what drives readers, and give each desk its own."""
        subjects = {desk.subject for desk in self._local.values()}
        await self._store.write(clear_old_problems, subjects, self._clock())
        if not self._named:
            return
        if AUTOMATIC in self._named:
            await asyncio.sleep(self._search_after_s)
        try:
            reader_type, opener = await asyncio.to_thread(self._load)
        except ImportError as error:
            log.warning("readers cannot be driven", extra={"missing": error.name})
            for desk in self._local.values():
                desk.hear(StateChanged(ReaderState(ReaderStatus.UNSUPPORTED, detail=str(error.name))))
            return
        for name, path in self._named.items():
            desk = self._local[name]
            reader = reader_type(opener(path), desk.hear)
            self._readers.append(reader)
            desk.start(reader, key)
            reader.start()
        if AUTOMATIC in self._named:
            self._search = Search(self._local[AUTOMATIC], self._new_desk, reader_type, opener, key, self._system)
            await self._search.run()

    def _new_desk(self, name: str) -> Desk:
        return Desk(free_name(name, self._desks()), self._store, self._hub, self._clock)

    async def _close(self) -> None:
        for joined in self._joined.values():
            if joined.forgetting is not None:
                joined.forgetting.cancel()
        await asyncio.gather(*(desk.close() for desk in self._desks().values()))
        await asyncio.gather(*(reader.close() for reader in self._readers))
        if self._search is not None:
            await self._search.close()

    def _desks(self) -> dict[str, Desk]:
        found = self._search.desks() if self._search is not None else {}
        return self._local | found | {name: joined.desk for name, joined in self._joined.items()}

    def _hear(self, announcements: list[Announcement]) -> None:
        """What was asked of a desk."""
        for one in announcements:
            if isinstance(one, DeskChanged) and one.what is DeskNews.PROGRESS and (desk := self._desks().get(one.desk)):
                desk.look_again()


def desk_name(path: str) -> str:
    """What a desk is called after its reader: `ttyUSB0`, `pts-3`, `usb-054c-06c3`."""
    if path.startswith("tty:"):
        path = f"tty{path.split(':')[1]}"
    elif path.startswith("/") and (path.startswith("/dev/serial/") or not path.startswith("/dev/")):
        path = Path(path).name
    name = re.sub(r"[^A-Za-z0-9]+", "-", path.removeprefix("/dev/")).strip("-")
    return name[:ID_LENGTH_MAX].strip("-") or AUTOMATIC


def free_name(name: str, taken: dict[str, Desk] | dict[str, str]) -> str:
    """The name, or with a number behind it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name[: ID_LENGTH_MAX - 4]}-{number}"
    return free


def load_drivers() -> tuple[type[Reader], Callable[[str], Opener]]:
    """What drives readers; takes some tenths of a second the first time."""
    from appliance.rfid.opening import opener  # noqa: PLC0415  # see the module
    from appliance.rfid.reader import Reader  # noqa: PLC0415

    return Reader, opener


def clear_old_problems(db: Database, desks: set[str], now_ms: int) -> None:
    """What was wrong with readers that are no longer wanted."""
    for problem in problem_rows.lasting(db, ProblemKind.READER):
        if problem.subject not in desks:
            problems.clear_problem(db, ProblemKind.READER, problem.subject, now_ms)
