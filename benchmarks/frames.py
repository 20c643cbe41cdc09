"""What the load client says, as bytes: OCPP 1.6 calls spliced from templates, and the few websocket frames it needs.

Frames are masked with zeros, which the protocol permits and which leaves the payload as it is; a client that spends its time on
masking measures itself. Nothing here does I/O.
"""

from __future__ import annotations

import struct
import time
from typing import Final

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

ACTIONS: Final = (
    "Authorize",
    "StatusNotification",
    "StartTransaction",
    "StatusNotification",
    "MeterValues",
    "MeterValues",
    "MeterValues",
    "StopTransaction",
    "Heartbeat",
)
"""One round: nine calls, as a person's visit to the charger gives rise to them."""

BOOT: Final = (
    b'[2,"%b","BootNotification",{"chargePointVendor":"Forecourt","chargePointModel":"Load",'
    b'"chargePointSerialNumber":"%b","firmwareVersion":"1"}]'
)
HEARTBEAT: Final = b'[2,"%b","Heartbeat",{}]'
AUTHORIZE: Final = b'[2,"%b","Authorize",{"idTag":"%b"}]'
STATUS: Final = b'[2,"%b","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"%b","timestamp":"%b"}]'
START: Final = b'[2,"%b","StartTransaction",{"connectorId":1,"idTag":"%b","meterStart":%d,"timestamp":"%b"}]'
METER: Final = (
    b'[2,"%b","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%b","sampledValue":['
    b'{"value":"%d","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},'
    b'{"value":"7360","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"},'
    b'{"value":"32.0","context":"Sample.Periodic","measurand":"Current.Import","phase":"L1","unit":"A"},'
    b'{"value":"230.0","context":"Sample.Periodic","measurand":"Voltage","phase":"L1-N","unit":"V"},'
    b'{"value":"%d","context":"Sample.Periodic","measurand":"SoC","unit":"Percent"}]}]}]'
)
STOP: Final = (
    b'[2,"%b","StopTransaction",{"idTag":"%b","meterStop":%d,"reason":"Local","timestamp":"%b","transactionId":%d}]'
)

ANSWERS: Final = {
    "GetConfiguration": b'{"configurationKey":[],"unknownKey":[]}',
    "ChangeConfiguration": b'{"status":"Accepted"}',
    "RemoteStopTransaction": b'{"status":"Accepted"}',
    "RemoteStartTransaction": b'{"status":"Rejected"}',
    "TriggerMessage": b'{"status":"Rejected"}',
}
"""What a server's own calls are told, so that it does not wait for them."""


class StationClock:
    """A station's clock as RFC 3339 text that never repeats itself.

    `pace_ms` 0 follows the real time; otherwise each reading is so many milliseconds after the one before.
    """

    def __init__(self, pace_ms: int, begin_ms: int) -> None:
        self._pace_ms = pace_ms
        self._now_ms = begin_ms
        self._second = -1
        self._text = b""

    def read(self) -> bytes:
        """The time now, later than all readings before."""
        if self._pace_ms:
            self._now_ms += self._pace_ms
        else:
            self._now_ms = max(self._now_ms + 1, time.time_ns() // 1_000_000)
        second, millisecond = divmod(self._now_ms, 1000)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
        return b"%b.%03dZ" % (self._text, millisecond)


class Round:
    """The calls of one station, one after another: times and meter readings only grow."""

    def __init__(self, number: int, run: bytes, clock: StationClock, energy_wh: int) -> None:
        self.identity = b"CP%05d" % number
        self.transaction_id = 0
        self._card = b"TAG%05d" % number
        self._run = run
        self._clock = clock
        self._energy_wh = energy_wh
        self._register_wh = 1000 * number
        self._calls = 0
        self.step = 0

    def boot(self) -> tuple[bytes, bytes]:
        """Message id and text of the first call of a connection."""
        message_id = self._message_id()
        return message_id, BOOT % (message_id, self.identity)

    def heartbeat(self) -> tuple[bytes, bytes]:
        """Message id and text of a call outside the round."""
        message_id = self._message_id()
        return message_id, HEARTBEAT % message_id

    def following(self) -> tuple[str, bytes, bytes]:
        """Action, message id and text of the next call."""
        action, message_id = ACTIONS[self.step], self._message_id()
        if action == "MeterValues":
            self._register_wh += self._energy_wh
            state_of_charge = 20 + 10 * (self.step - 4)
            text = METER % (message_id, self.transaction_id, self._clock.read(), self._register_wh, state_of_charge)
        elif action == "StatusNotification":
            text = STATUS % (message_id, b"Preparing" if self.step == 1 else b"Charging", self._clock.read())
        elif action == "StartTransaction":
            text = START % (message_id, self._card, self._register_wh, self._clock.read())
        elif action == "StopTransaction":
            text = STOP % (message_id, self._card, self._register_wh, self._clock.read(), self.transaction_id)
        elif action == "Authorize":
            text = AUTHORIZE % (message_id, self._card)
        else:
            text = HEARTBEAT % message_id
        self.step = (self.step + 1) % len(ACTIONS)
        return action, message_id, text

    def _message_id(self) -> bytes:
        self._calls += 1
        return b"%b-%d" % (self._run, self._calls)


def masked(opcode: int, payload: bytes) -> bytes:
    """One whole websocket frame from client to server, masked with zeros."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BBI", 0x80 | opcode, 0x80 | length, 0) + payload
    return struct.pack("!BBHI", 0x80 | opcode, 0x80 | 126, length, 0) + payload


def frames(buffer: bytearray) -> list[tuple[int, bytes]]:
    """Take the whole frames off the front of `buffer`: opcode and payload of each. Frames of a server are not masked."""
    found, at, end = [], 0, len(buffer)
    while end - at >= 2:
        length, head = buffer[at + 1] & 0x7F, 2
        if length == 126:
            if end - at < 4:
                break
            length, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
        elif length == 127:
            if end - at < 10:
                break
            length, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
        if end - at < head + length:
            break
        found.append((buffer[at] & 0x0F, bytes(buffer[at + head : at + head + length])))
        at += head + length
    del buffer[:at]
    return found
