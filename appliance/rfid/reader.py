"""A reader as asyncio sees it. One thread owns the device, because everything in nfcpy blocks: it opens the reader, and opens it
again when it comes back, looks for cards, and does what it is asked to in between. Events reach the loop by
`call_soon_threadsafe`, work goes the other way as futures; nothing else is shared.

A card is read once, when it is laid, and only asked for by name from then on. It counts as taken after two looks without it, or
at once when work finds it gone; then, if it still lies there, it is laid anew, which is how torn work is taken up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from appliance.domain.cards.tag import AnyWork, ReaderState, ReaderStatus, Seen, TagTrouble, Trouble
from appliance.domain.id_token import is_random, masked
from appliance.rfid import tags
from appliance.rfid.device import CannotOpen, Device, Opener
from appliance.rfid.events import CardLaid, CardTaken, ReaderEvent, StateChanged
from appliance.rfid.field import CardField, CardSilent, ReaderGone

log = logging.getLogger(__name__)

LOOK_EACH_S = 0.12
MISSES_UNTIL_TAKEN = 2
FAULTS_UNTIL_GONE = 3
"""A frame spoiled on the lead is no reason to close the reader; several looks in a row that fail are."""
AFTER_FAULT_S = 0.03
REOPEN_AFTER_S = (0.5, 2.0)
"""The first wait and the longest, in between it grows by half."""
REOPEN_GROWTH = 1.5
FIND_FOR_WORK = 3
"""How often a card that is to be worked on is looked for: it may lie at the edge of the field."""

_Errand = Callable[[Device], "Seen | None"]


@dataclass(frozen=True, slots=True)
class _Request:
    """What the thread is asked to do, and where the answer goes."""

    errand: _Errand
    answer: Future[Seen | None]


class Reader:
    """One reader, there or not. Made and used in the event loop."""

    def __init__(
        self,
        open_device: Opener,
        heard: Callable[[ReaderEvent], None],
        *,
        look_each_s: float = LOOK_EACH_S,
        reopen_after_s: tuple[float, float] = REOPEN_AFTER_S,
    ) -> None:
        self._heard = heard
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._owner = _Owner(open_device, self._requests, self._tell, look_each_s, reopen_after_s)
        self._thread = threading.Thread(target=self._run, name="card-reader", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    def start(self) -> None:
        """Begin to look for the reader. Returns at once; what is found is told to `heard`."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def close(self) -> None:
        """Let go of the reader and end the thread. Work in hand is finished, what waits fails as GONE."""
        if self._loop is None:
            return
        self._owner.stop()
        await self._ended.wait()
        self._thread.join()

    async def work(self, work: AnyWork) -> Seen:
        """Do it to the card that lies there; what the card is afterwards, read back.

        Work that began is finished even if nobody waits for it any more.

        Raises:
            TagTrouble: GONE without a card or a reader, OTHER_CARD if another one lies there, TORN if either was taken
                away meanwhile; else what the chip had against it.
        """
        seen = await self._ask(lambda device: self._owner.perform(device, work))
        assert seen is not None
        return seen

    async def look(self) -> Seen | None:
        """Read again what lies there; None without a card or a reader."""
        try:
            return await self._ask(self._owner.look)
        except TagTrouble:
            return None

    async def _ask(self, errand: _Errand) -> Seen | None:
        if self._loop is None or self._ended.is_set():
            raise TagTrouble(Trouble.GONE)
        request = _Request(errand, Future())
        self._requests.put(request)
        return await asyncio.wrap_future(request.answer)

    def _run(self) -> None:
        try:
            self._owner.run()
        finally:
            self._in_loop(self._end)

    def _end(self) -> None:
        """The thread is done; what was asked after its last look into the queue is answered here."""
        self._ended.set()
        self._owner.refuse_all()

    def _tell(self, event: ReaderEvent) -> None:
        """From the thread."""
        self._in_loop(lambda: self._heard(event))

    def _in_loop(self, call: Callable[[], None]) -> None:
        assert self._loop is not None
        # A loop that was closed without waiting for us has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)


class _Owner:
    """What runs in the thread."""

    def __init__(
        self,
        open_device: Opener,
        requests: queue.SimpleQueue[_Request | None],
        tell: Callable[[ReaderEvent], None],
        look_each_s: float,
        reopen_after_s: tuple[float, float],
    ) -> None:
        self._open = open_device
        self._requests = requests
        self._tell = tell
        self._look_each_s = look_each_s
        self._reopen_after_s = reopen_after_s
        self._state = ReaderState(ReaderStatus.LOOKING)
        self._lying: str | None = None
        """The UID of the card that was told of."""
        self._misses = 0
        self.stopping = False

    def stop(self) -> None:
        """From the loop: end soon."""
        self.stopping = True
        self._requests.put(None)

    def run(self) -> None:
        """Open, serve, close; again, until stopped."""
        wait_s = self._reopen_after_s[0]
        while not self.stopping:
            try:
                device = self._open()
            except CannotOpen as error:
                self._become(error.state)
            except Exception:
                # An edge: whatever is wrong with one reader must not cost the desk all the others, nor this one for good.
                log.exception("a reader could not be opened")
                self._become(ReaderState(ReaderStatus.LOOKING))
            else:
                wait_s = self._reopen_after_s[0]
                self._serve(device)
            self._idle(wait_s)
            wait_s = min(wait_s * REOPEN_GROWTH, self._reopen_after_s[1])
        self.refuse_all()

    def refuse_all(self) -> None:
        """Whoever still waits learns that there is no card."""
        while not self._requests.empty():
            self._refuse(self._requests.get())

    def _serve(self, device: Device) -> None:
        """Until it fails or we are stopped."""
        self._become(ReaderState(ReaderStatus.READY, device.name))
        log.info("reader opened", extra={"reader": device.name})
        try:
            self._look_and_work(device)
        except ReaderGone as error:
            log.warning("reader lost", extra={"reader": device.name, "why": str(error)})
        except Exception:
            log.exception("a reader is opened anew")
        finally:
            device.close()
            self._take()
            if not self.stopping:
                self._become(ReaderState(ReaderStatus.LOOKING))

    def _look_and_work(self, device: Device) -> None:
        faults = 0
        while not self.stopping:
            try:
                self._look_once(device)
                faults = 0
            except ReaderGone:
                faults += 1
                if faults >= FAULTS_UNTIL_GONE:
                    raise
            request = self._next(AFTER_FAULT_S if faults else self._look_each_s)
            if request is not None:
                self._answer(request, device)

    def _look_once(self, device: Device) -> None:
        field = device.find(self._lying)
        if field is None:
            self._misses += 1
            if self._misses >= MISSES_UNTIL_TAKEN:
                self._take()
            return
        self._misses = 0
        if self._is_lying(field.uid):
            return
        self._take()
        seen = self._read(device, field)
        if seen is not None:
            self._lay(seen)

    def _read(self, device: Device, field: CardField) -> Seen | None:
        """What it is; None if it went away meanwhile."""
        with contextlib.suppress(TagTrouble, CardSilent):
            several = device.several()
            again = device.find(field.uid)
            if again is not None:
                seen = tags.inspect(again)
                return replace(seen, several=True) if several else seen
        return None

    def perform(self, device: Device, work: AnyWork) -> Seen:
        """Work on the card meant; which one lies there is known to us anew afterwards."""
        field = self._find_for(device, work.uid)
        try:
            seen = tags.perform(field, work)
        except (ReaderGone, CardSilent) as error:
            self._take()
            log.info("work on a card was torn", extra={"card": masked(work.uid), "why": str(error)})
            raise TagTrouble(Trouble.TORN) from error
        except TagTrouble as error:
            if error.trouble in (Trouble.GONE, Trouble.TORN):
                self._take()
            raise
        self._misses = 0
        if not self._is_lying(seen.uid):
            self._take()
            self._lay(seen)
        return seen

    def look(self, device: Device) -> Seen | None:
        """Read anew what lies there, and tell of it if it is another card."""
        try:
            field = device.find(self._lying)
            seen = self._read(device, field) if field is not None else None
        except ReaderGone:
            return None
        if seen is not None and seen.uid != self._lying:
            self._take()
            self._lay(seen)
        return seen

    def _find_for(self, device: Device, uid: str) -> CardField:
        trouble = Trouble.GONE
        for _ in range(FIND_FOR_WORK):
            with contextlib.suppress(ReaderGone):
                field = device.find(uid)
                if field is not None and field.uid == uid:
                    return field
                trouble = Trouble.OTHER_CARD if field is not None else trouble
        if trouble is Trouble.GONE:
            self._take()
        raise TagTrouble(trouble)

    def _is_lying(self, uid: str) -> bool:
        """Whether it is the card that was told of. A telephone has another UID at each look, and is still the same one."""
        return self._lying is not None and (uid == self._lying or (is_random(uid) and is_random(self._lying)))

    def _lay(self, seen: Seen) -> None:
        self._lying = seen.uid
        self._misses = 0
        self._tell(CardLaid(seen))

    def _take(self) -> None:
        if self._lying is not None:
            self._lying = None
            self._tell(CardTaken())

    def _become(self, state: ReaderState) -> None:
        if state != self._state:
            self._state = state
            self._tell(StateChanged(state))

    def _next(self, wait_s: float) -> _Request | None:
        try:
            return self._requests.get(timeout=wait_s)
        except queue.Empty:
            return None

    def _answer(self, request: _Request, device: Device) -> None:
        if not request.answer.set_running_or_notify_cancel():
            return
        try:
            seen = request.errand(device)
        except TagTrouble as error:
            request.answer.set_exception(error)
        except Exception as error:
            log.exception("work on a card failed")
            request.answer.set_exception(error)
        else:
            request.answer.set_result(seen)

    def _idle(self, wait_s: float) -> None:
        """Wait before the reader is looked for again; who asks for a card meanwhile learns that there is none."""
        until_s = time.monotonic() + wait_s
        while not self.stopping and (left_s := until_s - time.monotonic()) > 0:
            self._refuse(self._next(left_s))

    def _refuse(self, request: _Request | None) -> None:
        if request is not None and request.answer.set_running_or_notify_cancel():
            request.answer.set_exception(TagTrouble(Trouble.GONE))
