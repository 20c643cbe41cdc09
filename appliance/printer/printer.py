"""Jobs for the printer: one at a time, bounded in time and number, over a socket or into a device."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from appliance.domain.printers import DevicePrinter, NetworkPrinter, PrinterPlace
from appliance.domain.slip import Slip
from appliance.printer import escpos
from appliance.printer.raster import draw
from appliance.services.ports.printers import NotPrinted, Outcome, PrinterSetup, Trouble

T = TypeVar("T")

PATIENCE_S: Final = 5.0
"""For a connection, and for the next bytes to be taken: a printer that prints does both at once."""
JOB_MAX_S: Final = 60.0
"""For all of a job, however slowly it goes."""
WORD_S: Final = 2.0
"""For the printer's own word that it is done: most have none."""
WAITING_MAX: Final = 8
"""Jobs that wait: a cashier who presses again and again has not so many customers."""
CHUNK: Final = 2048


class ReceiptPrinter:
    """The site's printer. Jobs for it stand in a line, and nothing else of the server waits for it."""

    def __init__(self) -> None:
        self._line = asyncio.Lock()
        self._waiting = 0
        self._closed = threading.Event()

    async def send(self, setup: PrinterSetup, slips: Sequence[Slip], *, opens_drawer: bool) -> Outcome:
        """As `services/ports/printers.py` says."""
        if self._waiting >= WAITING_MAX:
            raise NotPrinted(Trouble.BUSY)
        self._waiting += 1
        try:
            async with self._line:
                pages = await asyncio.to_thread(_pages, setup, slips)
                drawer = escpos.OPEN_DRAWER if opens_drawer and setup.has_drawer else b""
                return await self._deliver(setup.place, escpos.RESET + drawer + pages)
        finally:
            self._waiting -= 1

    async def reach(self, setup: PrinterSetup) -> None:
        """As `services/ports/printers.py` says."""
        if self._line.locked():
            return  # It prints just now, and that job will tell.
        if isinstance(setup.place, DevicePrinter):
            await asyncio.to_thread(_put, setup.place.path, b"", self._closed)
            return
        async with _connected(setup.place):
            pass

    def close(self) -> None:
        """What goes into a device just now is broken off: its thread would outlive the server."""
        self._closed.set()

    async def _deliver(self, place: PrinterPlace, job: bytes) -> Outcome:
        if isinstance(place, DevicePrinter):
            await asyncio.to_thread(_put, place.path, job, self._closed)
            return Outcome.SENT
        return await _within(JOB_MAX_S, _send(place, job))


def _pages(setup: PrinterSetup, slips: Sequence[Slip]) -> bytes:
    return b"".join(escpos.page(draw(slip, setup.width), cuts=setup.cuts) for slip in slips)


# --- over the network ------------------------------------------------------------------------------------------------------


async def _send(place: NetworkPrinter, job: bytes) -> Outcome:
    """All of it, as fast as it is taken; then whatever the printer says about it."""
    async with _connected(place) as (reader, writer):
        try:
            writer.write(escpos.ASK_FOR_PAPER)
            for begin in range(0, len(job), CHUNK):
                writer.write(job[begin : begin + CHUNK])
                await _within(PATIENCE_S, writer.drain())
            writer.write(escpos.ASK_WHETHER_DONE)
            # Nothing of it is left on this side.
            await _within(PATIENCE_S, writer.drain())
        except OSError:
            raise NotPrinted(Trouble.BROKE_OFF) from None
        return await _word(reader)


async def _word(reader: asyncio.StreamReader) -> Outcome:
    """The first answer is about paper, if there is any; another byte says that it is done."""
    about_paper = False
    with suppress(TimeoutError):
        async with asyncio.timeout(WORD_S):
            while True:
                try:
                    said = await reader.read(1)
                except OSError:
                    raise NotPrinted(Trouble.BROKE_OFF) from None
                if not said:
                    return Outcome.SENT  # It has read everything, and hung up in good order.
                # Dots may look like questions, which printers answer from within a picture: only the first answer was asked for.
                if about_paper and escpos.is_about_paper(said[0]):
                    continue
                if escpos.is_out_of_paper(said[0]):
                    raise NotPrinted(Trouble.NO_PAPER)
                if not escpos.is_about_paper(said[0]):
                    return Outcome.PRINTED
                about_paper = True
    return Outcome.SENT


@asynccontextmanager
async def _connected(place: NetworkPrinter) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    try:
        reader, writer = await _within(PATIENCE_S, asyncio.open_connection(place.address, place.port, limit=CHUNK))
    except (NotPrinted, OSError):
        raise NotPrinted(Trouble.AWAY) from None
    # What is not taken shows at once: no more than a chunk waits here.
    writer.transport.set_write_buffer_limits(high=0)
    try:
        yield reader, writer
    finally:
        writer.close()
        if writer.transport.get_write_buffer_size():
            writer.transport.abort()


async def _within(seconds: float, what: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await what
    except TimeoutError:
        raise NotPrinted(Trouble.SILENT) from None


# --- into a device ---------------------------------------------------------------------------------------------------------


def _put(path: str, job: bytes, closed: threading.Event) -> None:
    """Write all of it, in a thread that ends by itself. What the device has not taken when it is closed is lost, so that is waited for."""
    until = time.monotonic() + JOB_MAX_S
    try:
        device = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise NotPrinted(OPENING.get(error.errno or 0, Trouble.AWAY)) from None
    try:
        _wait(device, until, closed)
        for begin in range(0, len(job), CHUNK):
            rest = job[begin : begin + CHUNK]
            while rest:
                with suppress(BlockingIOError):
                    rest = rest[os.write(device, rest) :]
                _wait(device, until, closed)
    except OSError:
        raise NotPrinted(Trouble.BROKE_OFF) from None
    finally:
        os.close(device)


OPENING: Final = {errno.EACCES: Trouble.FORBIDDEN, errno.EPERM: Trouble.FORBIDDEN, errno.EBUSY: Trouble.BUSY}
"""Why a device does not open; else it is away."""


def _wait(device: int, until: float, closed: threading.Event) -> None:
    """Until the device takes more."""
    ready = select.poll()
    ready.register(device, select.POLLOUT)
    if closed.is_set() or time.monotonic() > until or not ready.poll(PATIENCE_S * 1000):
        raise NotPrinted(Trouble.SILENT)
