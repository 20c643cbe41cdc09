"""A reader of the product and what it tells, for tests that lay cards on the simulated one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.rfid.device import Opener
from appliance.rfid.events import CardLaid, CardTaken, ReaderEvent, StateChanged
from appliance.rfid.reader import Reader

REOPEN_AFTER_S = (0.02, 0.1)
LOOK_EACH_S = 0.02


class Desk:
    """A reader of the product and all it has told, in order."""

    def __init__(self, open_device: Opener) -> None:
        self.events: list[ReaderEvent] = []
        self.state = ReaderState(ReaderStatus.LOOKING)
        self._heard = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.reader = Reader(open_device, self._hear, look_each_s=LOOK_EACH_S, reopen_after_s=REOPEN_AFTER_S)

    async def until(self, wanted: Callable[[ReaderEvent], bool]) -> ReaderEvent:
        """The next event of that sort. What came before it is forgotten."""
        async with self._heard:
            await self._heard.wait_for(lambda: any(map(wanted, self.events)))
            at = next(at for at, event in enumerate(self.events) if wanted(event))
            found = self.events[at]
            del self.events[: at + 1]
            return found

    async def until_status(self, status: ReaderStatus) -> StateChanged:
        """The reader is in that state."""
        event = await self.until(lambda event: isinstance(event, StateChanged) and event.state.status is status)
        assert isinstance(event, StateChanged)
        return event

    async def until_laid(self) -> CardLaid:
        """The next card is laid."""
        event = await self.until(lambda event: isinstance(event, CardLaid))
        assert isinstance(event, CardLaid)
        return event

    async def until_taken(self) -> None:
        """It is taken."""
        await self.until(lambda event: isinstance(event, CardTaken))

    def _hear(self, event: ReaderEvent) -> None:
        self.events.append(event)
        if isinstance(event, StateChanged):
            self.state = event.state
        task = asyncio.create_task(self._wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wake(self) -> None:
        async with self._heard:
            self._heard.notify_all()
