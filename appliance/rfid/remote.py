"""Both ends of a desk on another computer: `RemoteReader` stands at the site for a reader that is elsewhere, `FarDesk` stands beside
the reader and does what the site asks. What they say is in rfid/wire.py; how texts travel is a Channel's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from appliance.domain.cards.tag import (
    AnyWork,
    ClearOld,
    ReaderState,
    ReaderStatus,
    ReadOld,
    Seen,
    TagTrouble,
    Trouble,
    Work,
)
from appliance.rfid import wire
from appliance.rfid.events import CardLaid, CardTaken, ReaderEvent, StateChanged
from appliance.rfid.wire import Malformed
from appliance.services.ports.readers import Channel

log = logging.getLogger(__name__)

GREETING_S = 10.0
BYE_S = 1.0
WORK_S = 30.0
"""Writing a card takes a second; a reader that is opened anew in between, some more."""
TEXTS_MAX = 500
TEXTS_SPAN_S = 10.0
"""More texts than TEXTS_MAX in such a span come from no desk."""


class NotWelcome(Exception):
    """The site does not take this desk; the argument is its sentence."""


class WorkingReader(Protocol):
    """The reader beside a FarDesk (rfid/reader.py)."""

    async def work(self, work: Work) -> Seen:
        """Do it to the card that lies there. Raises TagTrouble."""

    async def look(self) -> Seen | None:
        """Read again what lies there."""


# --- at the site -----------------------------------------------------------------------------------------------------------


class RemoteReader:
    """A reader on another computer. What it tells goes to `heard`, in order; when the connection ends, the card is taken."""

    def __init__(self, channel: Channel, heard: Callable[[ReaderEvent], None]) -> None:
        self._channel = channel
        self._heard = heard
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Seen | None]] = {}
        self._gone = False
        self.said_bye = False
        """It ended as it was told to, and is not missed."""

    async def greet(self) -> None:
        """Hear its hello, and welcome it.

        Raises:
            Malformed: It is no desk, or one of another version; it was told so.
            ConnectionError, TimeoutError: It went, or says nothing.
        """
        async with asyncio.timeout(GREETING_S):
            text = await self._channel.receive()
        if text is None:
            raise ConnectionError("closed before its hello")
        try:
            hello = wire.read_up(text)
            if not isinstance(hello, wire.Hello):
                raise Malformed("a desk begins with hello")
            if hello.version != wire.VERSION:
                raise Malformed(
                    f"Desk and site speak different versions, {hello.version} and {wire.VERSION}: upgrade both."
                )
        except Malformed as error:
            await self._tell(wire.Refused(str(error)))
            raise
        await self._tell(wire.Welcome())

    async def serve(self) -> None:
        """Hear it until it goes. Call after `greet`."""
        try:
            await first_of(self._listen(), keep_alive(self._tell))
        except Malformed as error:
            log.warning("a desk was sent away", extra={"why": str(error)})
            with contextlib.suppress(ConnectionError):
                await self._tell(wire.Refused(str(error)))
        except (ConnectionError, TimeoutError) as error:
            log.info("a desk is gone", extra={"why": str(error) or type(error).__name__})
        finally:
            self._end()

    async def work(self, work: AnyWork) -> Seen:
        """Have it done; TagTrouble, and TORN when it went away meanwhile, for then nobody knows. Keys of other systems stay at this box."""
        if isinstance(work, ReadOld | ClearOld):
            raise TagTrouble(Trouble.REFUSED)
        seen = await self._ask(lambda number: wire.DoWork(number, work))
        if seen is None or seen.uid != work.uid:
            raise TagTrouble(Trouble.DIFFERENT)
        return seen

    async def look(self) -> Seen | None:
        """What lies there, read again; None without a card, or a reader."""
        try:
            return await self._ask(wire.Look)
        except TagTrouble:
            return None

    async def _ask(self, message_of: Callable[[int], wire.DoWork | wire.Look]) -> Seen | None:
        if self._gone:
            raise TagTrouble(Trouble.GONE)
        number = next(self._numbers)
        answer: asyncio.Future[Seen | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(WORK_S):
                await self._tell(message_of(number))
                return await answer
        except (ConnectionError, TimeoutError) as error:
            raise TagTrouble(Trouble.TORN) from error
        finally:
            del self._waiting[number]

    async def _receive(self) -> str | None:
        async with asyncio.timeout(wire.SILENCE_S_MAX):
            return await self._channel.receive()

    async def _listen(self) -> None:
        flood = Flood()
        while (text := await self._receive()) is not None:
            flood.count()
            message = wire.read_up(text)
            match message:
                case wire.State(state):
                    self._heard(StateChanged(state))
                case wire.Laid(seen):
                    self._heard(CardLaid(seen))
                case wire.Taken():
                    self._heard(CardTaken())
                case wire.Result(number, found):
                    if (answer := self._waiting_for(number)) is not None:
                        answer.set_result(found)
                case wire.Failed(number, trouble):
                    if (answer := self._waiting_for(number)) is not None:
                        answer.set_exception(TagTrouble(trouble))
                case wire.Bye():
                    self.said_bye = True
                    return
                case wire.Hello():
                    raise Malformed("a second hello")
                case wire.Alive():
                    pass

    def _waiting_for(self, number: int) -> asyncio.Future[Seen | None] | None:
        """Whoever asked may have given up by now."""
        answer = self._waiting.get(number)
        return answer if answer is not None and not answer.done() else None

    async def _tell(self, message: wire.Down) -> None:
        await self._channel.send(wire.write(message))

    def _end(self) -> None:
        self._gone = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(TagTrouble(Trouble.TORN))
        self._heard(CardTaken())
        self._heard(StateChanged(ReaderState(ReaderStatus.LOOKING)))


class Flood:
    """Counts texts, and has enough when there are too many."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._texts = 0

    def count(self) -> None:
        """One more; Malformed."""
        now_s = time.monotonic()
        if now_s - self._began_s > TEXTS_SPAN_S:
            self._began_s, self._texts = now_s, 0
        self._texts += 1
        if self._texts > TEXTS_MAX:
            raise Malformed("too many texts")


# --- beside the reader -------------------------------------------------------------------------------------------------------


class FarDesk:
    """A reader here that works for a site elsewhere. It outlives connections: each is served by a call of its own."""

    def __init__(self) -> None:
        self.state = ReaderState(ReaderStatus.LOOKING)
        self._lying = False
        self._out: asyncio.Queue[wire.Up] | None = None

    def hear(self, event: ReaderEvent) -> None:
        """From the reader; told to the site if there is a connection."""
        message: wire.Up
        match event:
            case StateChanged(state):
                self.state = state
                message = wire.State(state)
            case CardLaid(seen):
                self._lying = True
                message = wire.Laid(seen)
            case CardTaken():
                self._lying = False
                message = wire.Taken()
        if self._out is not None:
            self._out.put_nowait(message)

    async def serve(self, channel: Channel, reader: WorkingReader, joined: Callable[[], None]) -> None:
        """Join the site at the other end, and work for it until the connection ends. Calls `joined` once it is welcome.

        Raises:
            NotWelcome: The site said why not.
            Malformed: It says what no site says.
            ConnectionError, TimeoutError: The connection broke, or fell silent.
        """
        service = _Service(channel, reader)
        await service.join()
        joined()
        self._out = service.out
        service.out.put_nowait(wire.State(self.state))
        try:
            # What was read of the card while nobody listened may be old: it is read anew.
            if self._lying and (seen := await reader.look()) is not None:
                service.out.put_nowait(wire.Laid(seen))
            await first_of(service.hear_all(), service.say_all(), service.do_all(), keep_alive(service.say))
        except asyncio.CancelledError:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(BYE_S):
                    await service.say(wire.Bye())
            raise
        finally:
            self._out = None


class _Service:
    """One connection of a FarDesk."""

    def __init__(self, channel: Channel, reader: WorkingReader) -> None:
        self.out: asyncio.Queue[wire.Up] = asyncio.Queue()
        self._channel = channel
        self._reader = reader
        self._requests: asyncio.Queue[wire.DoWork | wire.Look] = asyncio.Queue()

    async def join(self) -> None:
        await self.say(wire.Hello(wire.VERSION))
        match await self._hear(GREETING_S):
            case wire.Welcome():
                return
            case wire.Refused(why):
                raise NotWelcome(why)
            case _:
                raise Malformed("a site begins with welcome")

    async def hear_all(self) -> None:
        while True:
            match await self._hear(wire.SILENCE_S_MAX):
                case wire.DoWork() | wire.Look() as request:
                    self._requests.put_nowait(request)
                case wire.Refused(why):
                    raise NotWelcome(why)
                case wire.Welcome():
                    raise Malformed("a second welcome")
                case wire.Alive():
                    pass

    async def do_all(self) -> None:
        while True:
            self.out.put_nowait(await do(await self._requests.get(), self._reader))

    async def say_all(self) -> None:
        while True:
            await self.say(await self.out.get())

    async def say(self, message: wire.Up) -> None:
        await self._channel.send(wire.write(message))

    async def _hear(self, patience_s: float) -> wire.Down:
        async with asyncio.timeout(patience_s):
            text = await self._channel.receive()
        if text is None:
            raise ConnectionError("closed by the site")
        return wire.read_down(text)


async def do(request: wire.DoWork | wire.Look, reader: WorkingReader) -> wire.Result | wire.Failed:
    """What the site asks, and what comes of it."""
    try:
        if isinstance(request, wire.Look):
            return wire.Result(request.number, await reader.look())
        return wire.Result(request.number, await reader.work(request.work))
    except TagTrouble as error:
        return wire.Failed(request.number, error.trouble)
    except Exception:
        # An edge: what is wrong inside the reader's code must not end the connection; how far it came nobody knows.
        log.exception("work on a card failed")
        return wire.Failed(request.number, Trouble.TORN)


# --- for both --------------------------------------------------------------------------------------------------------------


async def keep_alive(tell: Callable[[wire.Alive], Coroutine[Any, Any, None]]) -> None:
    """Let the other side know that we are there."""
    while True:
        await asyncio.sleep(wire.ALIVE_EACH_S)
        await tell(wire.Alive())


async def first_of(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all until one of them ends, and end the others; raises what it raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
