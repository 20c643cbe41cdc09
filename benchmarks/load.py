"""The load: many OCPP 1.6 stations in one process, each asking again as soon as it is answered.

`python -m benchmarks.load --url ws://127.0.0.1:9000/ocpp/ --pid SERVER` prints one line of JSON. Stations are `CP00000` and on,
their cards `TAG00000` and on; the server must know them. Loopback only: it is no weapon. What is said is in `frames`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import ipaddress
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import orjson
import uvloop

from benchmarks.frames import ANSWERS, CLOSE, PING, PONG, TEXT, Round, StationClock, frames, masked

STATIONS_MAX: Final = 20_000
SECONDS_MAX: Final = 3600
BOOT_TIMEOUT_S: Final = 60
FINISH_S: Final = 5.0
"""How long stations have to end their sessions when all is measured."""
CONNECTING_AT_ONCE: Final = 256
"""How many stations are between their first packet and their Boot at a time: a power cut does not wait, the backlog does."""


@dataclass(slots=True)
class Tally:
    """What was seen while `counting`."""

    counting: bool = False
    latencies_ms: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    calls_of_server: Counter[str] = field(default_factory=Counter)

    def answered(self, action: str, latency_ms: float) -> None:
        """One call and its answer."""
        self.latencies_ms.setdefault(action, []).append(latency_ms)


class StationLink(asyncio.Protocol):
    """One station on one TCP connection: handshake, Boot, then round after round until it is told to stop."""

    def __init__(self, round_: Round, host: str, path: str, tally: Tally) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.booted: asyncio.Future[float] = loop.create_future()
        self.finished: asyncio.Future[None] = loop.create_future()
        self.running = False
        self._is_last_round = False
        self._round = round_
        self._host = host
        self._path = path
        self._tally = tally
        self._buffer = bytearray()
        self._upgraded = False
        self._action = ""
        self._expected = b""
        self._sent_at = 0.0
        self._first_heartbeats = int(round_.identity[2:]) % 9

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the websocket."""
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path}{self._round.identity.decode()} HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Answers, mostly."""
        self._buffer += data
        if not self._upgraded and not self._upgrade():
            return
        for opcode, payload in frames(self._buffer):
            if opcode == TEXT:
                self._received(payload)
            elif opcode == PING:
                self._transport.write(masked(PONG, payload))
            elif opcode == CLOSE:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for a station that has gone."""
        lost = ConnectionError(f"{self._round.identity.decode()} lost its connection: {exc or 'closed by the server'}")
        if self.running:
            self._tally.errors["connection lost"] += 1
        for future in (self.opened, self.booted):
            if not future.done():
                future.set_exception(lost)
                future.exception()

    def start(self) -> None:
        """Begin the rounds. Stations begin at different places, or else all would do the same thing at the same time."""
        self.running = True
        self._next()

    def finish(self) -> None:
        """Begin no further round: the next run shall find no session that is open."""
        self._is_last_round = True

    def close(self) -> None:
        """Leave as a well-bred client does."""
        self.running = False
        self._transport.write(masked(CLOSE, b"\x03\xe8"))
        self._transport.close()

    def _upgrade(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = self._buffer[: self._buffer.find(b"\r\n")].decode(errors="replace")
        if " 101 " not in status:
            self._tally.errors[f"handshake: {status}"] += 1
            self._transport.close()
            return False
        del self._buffer[: end + 4]
        self._upgraded = True
        self.opened.set_result(None)
        self._send("BootNotification", *self._round.boot())
        return True

    def _send(self, action: str, message_id: bytes, text: bytes) -> None:
        self._action, self._expected = action, b'[3,"%b",' % message_id
        self._sent_at = time.perf_counter()
        self._transport.write(masked(TEXT, text))

    def _received(self, payload: bytes) -> None:
        if payload.startswith(self._expected):
            latency_ms = (time.perf_counter() - self._sent_at) * 1000
            if self._tally.counting:
                self._tally.answered(self._action, latency_ms)
            self._read(payload, latency_ms)
        elif payload.startswith(b"[2,"):
            self._called(payload)
            return
        else:
            self._tally.errors[f"{self._action}: {payload[:120].decode(errors='replace')}"] += 1
            if not self.booted.done():
                self.booted.set_exception(ConnectionError(payload.decode(errors="replace")))
                self.booted.exception()
        if self.running and self._is_last_round and self._action == "StopTransaction":
            self.running = False
            self.finished.set_result(None)
        if self.running:
            self._next()

    def _read(self, payload: bytes, latency_ms: float) -> None:
        if self._action == "StartTransaction":
            answer = orjson.loads(payload)[2]
            self._round.transaction_id = answer["transactionId"]
            self._tally.refused += answer["idTagInfo"]["status"] != "Accepted"
        elif self._action == "Authorize":
            self._tally.refused += b'"Accepted"' not in payload
        elif self._action == "BootNotification":
            if b'"Accepted"' in payload:
                self.booted.set_result(latency_ms)
            else:
                self.booted.set_exception(ConnectionError(payload.decode()))
                self.booted.exception()

    def _called(self, payload: bytes) -> None:
        _, message_id, action, _ = orjson.loads(payload)
        self._tally.calls_of_server[action] += 1
        told = ANSWERS.get(action)
        quoted = orjson.dumps(message_id)
        text = b"[3,%b,%b]" % (quoted, told) if told else b'[4,%b,"NotImplemented","",{}]' % quoted
        self._transport.write(masked(TEXT, text))

    def _next(self) -> None:
        if self._first_heartbeats:
            self._first_heartbeats -= 1
            self._send("Heartbeat", *self._round.heartbeat())
        else:
            self._send(*self._round.following())


async def connect(arguments: argparse.Namespace, tally: Tally) -> tuple[list[StationLink], dict[str, Any]]:
    """Connect and boot every station, as after a power cut; how long that took."""
    url = urlsplit(arguments.url)
    host, port = url.hostname or "", url.port or 80
    path = url.path if url.path.endswith("/") else url.path + "/"
    loop = asyncio.get_running_loop()
    run = b"%x" % (time.time_ns() // 1_000_000)
    begin_ms = time.time_ns() // 1_000_000 - arguments.behind * 1000
    turn = asyncio.Semaphore(CONNECTING_AT_ONCE)
    boots_ms: list[float] = []

    async def one(number: int) -> StationLink | None:
        clock = StationClock(round(arguments.pace * 1000), begin_ms)
        round_ = Round(number, run, clock, arguments.energy)
        async with turn:
            try:
                _, link = await loop.create_connection(
                    lambda: StationLink(round_, f"{host}:{port}", path, tally), host, port
                )
                async with asyncio.timeout(BOOT_TIMEOUT_S):
                    await link.opened
                    boots_ms.append(await link.booted)
            except (OSError, TimeoutError) as error:
                tally.errors[f"boot: {str(error)[:120] or 'no answer'}"] += 1
                return None
            return link

    began = time.perf_counter()
    first = arguments.first
    links = await asyncio.gather(*(one(number) for number in range(first, first + arguments.n)))
    booted_s = time.perf_counter() - began
    connected = [link for link in links if link is not None]
    return connected, {"booted": len(connected), "all_booted_s": round(booted_s, 3), "boot_ms": percentiles(boots_ms)}


async def load(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything the command line asked for, as the figures that are printed."""
    tally = Tally()
    links, figures = await connect(arguments, tally)
    figures = {"stations": arguments.n, **figures}
    gc.freeze()
    if links and not arguments.storm:
        for link in links:
            link.start()
        await asyncio.sleep(arguments.warmup)
        cpu_began, own_began, began = cpu_s(arguments.pid), time.process_time(), time.perf_counter()
        tally.counting = True
        await asyncio.sleep(arguments.seconds)
        tally.counting = False
        seconds = time.perf_counter() - began
        own_s, server_s = time.process_time() - own_began, cpu_s(arguments.pid) - cpu_began
        for link in links:
            link.finish()
        await asyncio.wait([link.finished for link in links], timeout=FINISH_S)
        messages = sum(len(each) for each in tally.latencies_ms.values())
        figures |= {
            "messages": messages,
            "messages_per_s": round(messages / seconds, 1),
            "ms": percentiles([latency for each in tally.latencies_ms.values() for latency in each]),
            "ms_by_action": {action: percentiles(each) for action, each in sorted(tally.latencies_ms.items())},
            "client_cpu_share": round(own_s / seconds, 2),
        }
        if arguments.pid and messages:
            figures["server_cpu_us_per_message"] = round(server_s / messages * 1e6, 1)
    if arguments.hold:
        await asyncio.sleep(arguments.hold)
    if arguments.pid:
        figures["server_rss_mib"], figures["server_rss_peak_mib"] = rss_mib(arguments.pid)
    figures |= {"refused": tally.refused, "errors": sum(tally.errors.values())}
    if tally.errors:
        figures["errors_seen"] = dict(tally.errors.most_common(8))
    if tally.calls_of_server:
        figures["calls_of_server"] = dict(tally.calls_of_server)
    for link in links:
        link.close()
    await asyncio.sleep(0.05)
    return figures


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95 and p99, in the unit of the values; empty if there are none."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        f"p{percent}": round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 3)
        for percent in (50, 95, 99)
    }


def cpu_s(pid: int | None) -> float:
    """Processor seconds that `pid` has used, all threads, user and system."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid: int) -> tuple[float, float]:
    """Resident memory of `pid`, now and at its highest."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, highest = (round(int(lines[key].split()[0]) / 1024, 1) for key in ("VmRSS", "VmHWM"))
    return now, highest


def is_loopback(url: str) -> bool:
    """Whether `url` leads nowhere but to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main() -> int:
    """Parse the command line, run the load, print one line."""
    parser = argparse.ArgumentParser(description="Load for an OCPP 1.6 server on this machine.")
    parser.add_argument("--url", required=True, help="ws://127.0.0.1:PORT/ocpp/")
    parser.add_argument("--n", type=int, default=100, help="stations")
    parser.add_argument("--first", type=int, default=0, help="number of the first station")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long is measured")
    parser.add_argument("--warmup", type=float, default=1.0, help="seconds before that")
    parser.add_argument("--storm", action="store_true", help="only connect and boot, and measure that")
    parser.add_argument("--hold", type=float, default=0.0, help="seconds to stay connected before memory is read")
    parser.add_argument("--pid", type=int, help="the server, for its processor time and memory")
    parser.add_argument(
        "--pace", type=float, default=0.0, help="seconds of station time between messages; 0: real time"
    )
    parser.add_argument(
        "--behind", type=int, default=0, help="seconds that the stations' clocks begin behind real time"
    )
    parser.add_argument("--energy", type=int, default=100, help="Wh between two meter readings")
    arguments = parser.parse_args()
    if not is_loopback(arguments.url):
        parser.error("The load is for this machine only: give a loopback address.")
    if not 1 <= arguments.n <= STATIONS_MAX or arguments.seconds + arguments.warmup + arguments.hold > SECONDS_MAX:
        parser.error(f"At most {STATIONS_MAX} stations and {SECONDS_MAX} seconds.")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limit_s = arguments.seconds + arguments.warmup + arguments.hold + BOOT_TIMEOUT_S * 2

    async def bounded() -> dict[str, Any]:
        async with asyncio.timeout(limit_s):
            return await load(arguments)

    try:
        figures = uvloop.run(bounded())
    except TimeoutError:
        print(f"The load was given up after {limit_s:g} seconds.", file=sys.stderr)
        return 1
    print(orjson.dumps(figures).decode(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
