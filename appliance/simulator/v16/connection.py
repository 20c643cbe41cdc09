"""One connection of a simulated station, in the hands of the `ocpp` package."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from ocpp import routing
from ocpp.exceptions import OCPPError
from ocpp.v16 import ChargePoint as OcppChargePoint

from appliance.simulator.connection import ConnectionLost, Socket, Unanswered

log = logging.getLogger(__name__)

# The package logs whole messages, passwords included, at INFO and with its errors: it is given a logger that says nothing.
SILENT: Final = logging.getLogger(__name__ + ".silent")
SILENT.disabled = True
SILENT.setLevel(logging.CRITICAL + 1)


class Connection(OcppChargePoint):  # type: ignore[misc]  # The package has no types.
    """Calls go out, and what the central system asks goes to the methods of `commands` that say so (`routing.on`)."""

    def __init__(self, identity: str, socket: Socket, answer_timeout_s: float, commands: object) -> None:
        super().__init__(identity, socket, answer_timeout_s, SILENT)
        self.route_map = routing.create_route_map(commands)
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def read(self) -> None:
        """Read until the line is lost, which is raised; no message can end it before."""
        while True:
            text = await self._connection.recv()
            try:
                await self.route_message(text)
            except ConnectionLost:
                raise
            except Exception:  # noqa: BLE001 - the read loop: whatever a central system sends, the station stays.
                log.warning("a message of the central system could not be read", extra={"station": self.id})

    async def ask(self, payload: Any) -> Any:
        """Send a call and return its answer; raises `ConnectionLost` or `Unanswered`."""
        asked = asyncio.ensure_future(self.call(payload, suppress=False))
        try:
            await asyncio.wait({asked, self._lost}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                raise ConnectionLost("The connection was lost.")
            return await asked
        except TimeoutError:
            raise Unanswered("there was no answer in time") from None
        except OCPPError as error:
            raise Unanswered(f"{error.code}: {error.description}", error.code) from error
        except (TypeError, KeyError, AttributeError) as error:
            raise Unanswered(f"the answer cannot be read: {error}") from error
        finally:
            asked.cancel()

    def lost(self) -> None:
        """Nobody waits for an answer any longer."""
        if not self._lost.done():
            self._lost.set_result(None)
