"""What a station must not lose: transaction messages, kept in order until the central system has acknowledged them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from appliance.simulator.connection import Unanswered

MESSAGES_MAX: Final = 10_000


@dataclass(slots=True)
class Message:
    """One message; its payload is made when it is sent, because the transaction's id may not be known before."""

    payload: Callable[[], Any]
    acknowledged: Callable[[Any], None]
    droppable: bool = False
    """A reading may be dropped when memory runs out; a start or stop never."""
    attempts: int = 0


class Outbox:
    """First in, first out, one at a time."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message) -> None:
        """Keep a message, at the end of the line."""
        if message.droppable and len(self._messages) >= MESSAGES_MAX:
            return
        self._messages.append(message)
        self._empty.clear()
        self._changed.set()

    async def emptied(self) -> None:
        """Wait until everything has been acknowledged or given up."""
        await self._empty.wait()

    async def send_forever(
        self,
        send: Callable[[Any], Awaitable[Any]],
        attempts_max: Callable[[], int],
        retry_interval_s: Callable[[], float],
    ) -> None:
        """Send what is there and what comes. A message the central system fails to take is tried again, each time later
        (OCPP 1.6 §3.7.2), and at last given up; one that the line loses stays, and the error of `send` passes.
        """
        while True:
            if not self._messages:
                self._changed.clear()
                self._empty.set()
                await self._changed.wait()
                continue
            message = self._messages[0]
            try:
                answer = await send(message.payload())
            except Unanswered:
                message.attempts += 1
                if message.attempts < attempts_max():
                    await asyncio.sleep(retry_interval_s() * message.attempts)
                    continue
            else:
                message.acknowledged(answer)
            self._messages.popleft()
