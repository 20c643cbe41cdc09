"""A printer of receipts on a real socket, as a bench has one: what comes is taken apart byte by byte, by code that shares none with the product."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from appliance.domain.printers import NetworkPrinter


@dataclass(slots=True)
class Paper:
    """What came out: pictures as lines of `#` and blanks, and what was done besides, in its order."""

    did: list[str] = field(default_factory=list)
    """`reset`, `drawer`, `picture`, `cut`, `feed`, `paper?`, `done?`."""
    pictures: list[list[str]] = field(default_factory=list)
    widths: set[int] = field(default_factory=set)
    band_rows: int = 0
    """Of the highest band."""


def read_escpos(data: bytes) -> Paper:
    """Take a job apart.

    Raises:
        ValueError: There is a byte that no command explains.
    """
    paper, at = Paper(), 0
    goes_on = False
    while at < len(data):
        if data.startswith(b"\x1dv0\x00", at):
            across, rows = struct.unpack_from("<HH", data, at + 4)
            bits = data[at + 8 : at + 8 + across * rows]
            if len(bits) != across * rows:
                raise ValueError("a band is cut off")
            lines = ["".join(f"{byte:08b}" for byte in bits[row * across :][:across]) for row in range(rows)]
            lines = [line.replace("0", " ").replace("1", "#") for line in lines]
            if goes_on:
                paper.pictures[-1] += lines
            else:
                paper.pictures.append(lines)
                paper.did.append("picture")
            paper.widths.add(across * 8)
            paper.band_rows = max(paper.band_rows, rows)
            at += 8 + across * rows
            goes_on = True
            continue
        goes_on = False
        for begins, length, what in COMMANDS:
            if data.startswith(begins, at):
                paper.did.append(what)
                at += length
                break
        else:
            raise ValueError(f"nothing begins with {data[at : at + 4]!r}")
    return paper


COMMANDS = (
    (b"\x1b@", 2, "reset"), (b"\x1bp\x00", 5, "drawer"), (b"\x1dV\x42", 4, "cut"), (b"\x1bd", 3, "feed"), (b"\x10\x04\x04", 3, "paper?"),
    (b"\x1dr\x01", 3, "done?"),
)  # fmt: skip


@dataclass(slots=True)
class FakePrinter:
    """How it behaves may be changed while it stands there."""

    port: int
    reads: bool = True
    """False: it takes the connection and nothing else."""
    hangs_up_after: int = 0
    """So many bytes; 0: never."""
    says: bytes = b""
    """At once, when it is connected."""
    says_done: bool = False
    jobs: list[bytes] = field(default_factory=list)
    at_once_max: int = 0
    """The most jobs that it was asked to print at the same time."""
    open_now: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def place(self) -> NetworkPrinter:
        return NetworkPrinter("127.0.0.1", self.port)

    @property
    def papers(self) -> list[Paper]:
        """Of all jobs; a look whether it is there is none."""
        return [read_escpos(job) for job in self.jobs if job]


@asynccontextmanager
async def fake_printer() -> AsyncIterator[FakePrinter]:
    """On a free port of this machine."""
    printer = FakePrinter(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        printer.open_now += 1
        printer.at_once_max = max(printer.at_once_max, printer.open_now)
        job = b""
        try:
            writer.write(printer.says)
            if not printer.reads:
                reader._transport.pause_reading()  # type: ignore[attr-defined]  # deaf, as one whose cover is open
                await printer.ended.wait()
                return
            while data := await reader.read(1024):
                job += data
                if printer.hangs_up_after and len(job) > printer.hangs_up_after:
                    # As a plug that is pulled: what was not read is not acknowledged either.
                    line: socket.socket = writer.get_extra_info("socket")
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    return
                if printer.says_done and job.endswith(b"\x1dr\x01"):
                    writer.write(b"\x00")
        except ConnectionError:
            pass
        finally:
            printer.open_now -= 1
            printer.jobs.append(job)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2048)
    printer.port = server.sockets[0].getsockname()[1]
    try:
        yield printer
    finally:
        printer.ended.set()
        server.close()
        await server.wait_closed()
