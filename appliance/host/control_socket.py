"""How a command changes the books: through the running server, which alone writes, or by itself when none runs.

A request is one line of JSON (`{"change": "token.create", "arguments": {…}}`), the answer another. Whoever may open the
socket, in a folder that belongs to the service alone, may do all of this.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.db.engine.files import about
from appliance.db.engine.migrate import migrate
from appliance.db.engine.open import alone
from appliance.db.engine.store import Store
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal
from appliance.host.data_directory import DataDirectory
from appliance.services import admin_commands
from appliance.services.foreign_json import read_json

log = logging.getLogger(__name__)

LINE_BYTES_MAX = 64 * 1024
ANSWER_S = 30.0


@asynccontextmanager
async def listening(data: DataDirectory, store: Store, clock: Clock) -> AsyncIterator[None]:
    """Take requests until the block ends."""
    path = data.control_socket
    path.unlink(missing_ok=True)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                line = await reader.readline()
            writer.write(json.dumps(await answer(store, clock, line)).encode() + b"\n")
            await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            log.info("a command went away")
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path, limit=LINE_BYTES_MAX)
    path.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def answer(store: Store, clock: Clock, line: bytes) -> dict[str, Any]:
    """What a request comes to: a result, or a refusal as a sentence."""
    try:
        request = read_json(line)
        unit = admin_commands.CHANGES[request["change"]]
        return {"result": await store.write(unit, clock(), **request["arguments"])}
    except Refusal as refusal:
        return {"refused": str(refusal), "advice": refusal.advice_in_full}
    except (KeyError, TypeError, ValueError):
        return {"refused": "The running server does not know this command.", "advice": "Is it of the same release?"}


def change(data: DataDirectory, name: str, clock: Clock, /, **arguments: Any) -> Any:
    """Carry out a change of the books: through the server if one runs, else here and now.

    Raises:
        Refusal: It cannot be done; the message says why.
    """
    data.need_site()
    through = _ask(data.control_socket, {"change": name, "arguments": arguments})
    if through is None:
        with data.lock():
            migrate(data.database)
            return carry_out(data.database, admin_commands.CHANGES[name], clock(), **arguments)
    if "refused" in through:
        raise Refusal(through["refused"].replace("{", "{{").replace("}", "}}"), through.get("advice", ""))
    return through["result"]


def _ask(path: Path, request: dict[str, Any]) -> dict[str, Any] | None:
    """The server's answer; None if none runs."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(ANSWER_S)
    try:
        client.connect(str(path))
    except OSError:
        return None
    with client, client.makefile("rwb") as stream:
        stream.write(json.dumps(request).encode() + b"\n")
        stream.flush()
        answered: dict[str, Any] = json.loads(stream.readline())
        return answered


def carry_out(path: Path, unit: Callable[..., Any], now_ms: int, /, **arguments: Any) -> Any:
    """What the unit returns for the database at `path`, which nobody else has, once it is on the disk.

    Raises:
        Refusal: The unit's, or the database cannot be written.
    """
    with about(path), alone(path) as db:
        return unit(db, now_ms, **arguments)
