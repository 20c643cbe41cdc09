"""The limit: the least an OCPP 1.6 server can do and still lose nothing, against which the product is measured.

aiohttp on uvloop, orjson, an answer that is a constant, and one SQLite row for each StartTransaction, StopTransaction and
MeterValues, group-committed at `synchronous=FULL` before the answer goes out. No schema, no business, no log: not a server
anybody should run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import queue
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Final

import orjson
import uvloop
from aiohttp import WSMsgType, web

HOST: Final = "127.0.0.1"
CONNECTIONS_WAITING_MAX: Final = 4096
ROWS_PER_COMMIT_MAX: Final = 2000

NOW: Final = '"2026-11-01T00:00:00.000Z"'
ANSWERS: Final = {
    "BootNotification": f'{{"status":"Accepted","currentTime":{NOW},"interval":300}}',
    "Heartbeat": f'{{"currentTime":{NOW}}}',
    "StatusNotification": "{}",
    "MeterValues": "{}",
    "Authorize": '{"idTagInfo":{"status":"Accepted"}}',
    "StopTransaction": '{"idTagInfo":{"status":"Accepted"}}',
}
KEPT: Final = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})

Row = tuple[str, str, int, str]
"""Station, action, received at (UTC milliseconds), the frame as it came."""


class Writer:
    """One thread that inserts whatever is queued, commits once, and then wakes everyone who waits for it."""

    def __init__(self, database: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._database = database
        self._loop = loop
        self._queue: queue.SimpleQueue[tuple[Row, asyncio.Future[int]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def write(self, row: Row) -> asyncio.Future[int]:
        """Queue `row`; the future holds its number once it is on disk."""
        written: asyncio.Future[int] = self._loop.create_future()
        self._queue.put((row, written))
        return written

    def close(self) -> None:
        """Commit what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        database = sqlite3.connect(self._database, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS kept"
            " (id INTEGER PRIMARY KEY, station TEXT, action TEXT, received_at_ms INTEGER, frame TEXT) STRICT"
        )
        while (first := self._queue.get()) is not None:
            batch, closing = [first], False
            while len(batch) < ROWS_PER_COMMIT_MAX and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    closing = True
                    break
                batch.append(following)
            database.execute("BEGIN IMMEDIATE")
            written = []
            for row, future in batch:
                cursor = database.execute(
                    "INSERT INTO kept (station, action, received_at_ms, frame) VALUES (?, ?, ?, ?)", row
                )
                written.append((future, cursor.lastrowid or 0))
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_wake, written)
            if closing:
                break
        database.close()


def _wake(written: list[tuple[asyncio.Future[int], int]]) -> None:
    for future, number in written:
        if not future.done():
            future.set_result(number)


async def answer(writer: Writer, identity: str, text: str) -> str:
    """The answer to one CALL, after its row is on disk if it is of the kind that is kept."""
    frame = orjson.loads(text)
    message_id, action = frame[1], frame[2]
    number = await writer.write((identity, action, time.time_ns() // 1_000_000, text)) if action in KEPT else 0
    if action == "StartTransaction":
        return f'[3,"{message_id}",{{"transactionId":{number},"idTagInfo":{{"status":"Accepted"}}}}]'
    return f'[3,"{message_id}",{ANSWERS[action]}]'


async def serve(port: int, database: Path) -> None:
    """Serve until SIGTERM; the port is printed once it listens."""
    loop = asyncio.get_running_loop()
    writer = Writer(database, loop)

    async def station(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("ocpp1.6",), compress=False)
        await socket.prepare(request)
        identity = request.match_info["identity"]
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(await answer(writer, identity, message.data))
        return socket

    application = web.Application()
    application.router.add_get("/ocpp/{identity}", station)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, HOST, port, backlog=CONNECTIONS_WAITING_MAX).start()
    gc.collect()
    gc.freeze()
    print(f"stations ws://{HOST}:{runner.addresses[0][1]}/ocpp/", flush=True)

    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    await stop.wait()
    await runner.cleanup()
    writer.close()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(
        description="The server that does the least: the limit the product is compared with."
    )
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--database", type=Path, required=True, help="a file that is made and grows")
    arguments = parser.parse_args()
    uvloop.run(serve(arguments.port, arguments.database))


if __name__ == "__main__":
    main()
