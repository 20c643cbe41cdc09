"""The commands of a PN532 (UM0701-02): as many as card readers' programs use, answered from the cards in its field.

It knows nothing of serial lines; frames go in as command code and data, and come out as the answer's data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from appliance.simulator.nfc.antenna import Antenna
from appliance.simulator.nfc.cards import CASCADE_TAG, Answer, Silent, Technology, crc_a
from appliance.simulator.nfc.classic import AUTHENTICATE_A, AUTHENTICATE_B, ClassicCard

BAUD_RATES: Final = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1288000)
FACTORY_BAUD: Final = 115200
FIRMWARE: Final = bytes.fromhex("32010607")

TX_MODE: Final = 0x6302
RX_MODE: Final = 0x6303
TX_CONTROL: Final = 0x6304
FIFO_DATA: Final = 0x6339
CHECKS_CRC: Final = 0x80
MODE_106_A: Final = 0x80
MODE_212_F: Final = 0x92
REQA: Final = 0x26
"""It stays in the buffer when no card of type A has answered."""

OK: Final = b"\x00"
TIME_OUT: Final = b"\x01"
CRC_ERROR: Final = b"\x02"
NOT_ALLOWED: Final = b"\x13"
AUTHENTICATION_ERROR: Final = b"\x14"

FIELD: Final = 0x01
"""The item of RFConfiguration that switches the field."""
KIND_106_A: Final = 0
KINDS_F: Final = (1, 2)


class Pn532:
    """The chip behind the serial line."""

    def __init__(self) -> None:
        self.antenna = Antenna()
        self.baud = FACTORY_BAUD
        self.next_baud: int | None = None
        """Asked for; taken with the host's next ACK."""
        self.asleep = True
        """In power down: only a frame after a long preamble wakes it, as after power was put on."""
        self.counts: Counter[int] = Counter()
        """How often each command came."""
        self._registers: dict[int, int] = {}
        self._commands: dict[int, Callable[[bytes], bytes]] = {
            0x00: self._diagnose,
            0x02: lambda _data: FIRMWARE,
            0x04: self._general_status,
            0x06: self._read_registers,
            0x08: self._write_registers,
            0x0C: lambda _data: bytes(3),
            0x0E: lambda _data: b"",
            0x10: self._set_baud,
            0x12: lambda _data: b"",
            0x14: lambda _data: b"",
            0x16: self._power_down,
            0x32: self._configure_field,
            0x40: self._data_exchange,
            0x42: self._communicate_through,
            0x44: self._release,
            0x4A: self._list_passive_targets,
            0x52: self._release,
            0x54: self._select,
        }

    def power_on(self) -> None:
        """As after its lead was put in."""
        self.baud, self.next_baud, self.asleep = FACTORY_BAUD, None, True
        self._registers.clear()
        self.antenna.switch(on=False)

    def power_off(self) -> None:
        """No power, no field."""
        self.antenna.switch(on=False)

    def acknowledged(self) -> None:
        """The host's ACK: the new speed is taken from here on."""
        if self.next_baud is not None:
            self.baud, self.next_baud = self.next_baud, None

    def obey(self, code: int, data: bytes) -> bytes | None:
        """The data of the answer; None: a syntax error."""
        self.counts[code] += 1
        command = self._commands.get(code)
        if command is None:
            return None
        try:
            return command(data)
        except IndexError:
            # Too few bytes for this command.
            return None

    def _diagnose(self, data: bytes) -> bytes:
        """The line test comes back as it is; the others have nothing to report."""
        return data if data[:1] == OK else OK

    def _general_status(self, data: bytes) -> bytes:
        del data
        return bytes((0, self.antenna.is_on, 0, 0x80))

    def _read_registers(self, data: bytes) -> bytes:
        return bytes(self._register(int.from_bytes(data[at : at + 2], "big")) for at in range(0, len(data), 2))

    def _register(self, address: int) -> int:
        if address == TX_CONTROL:
            return 0x80 | (0x03 if self.antenna.is_on else 0)
        return self._registers.get(address, 0)

    def _write_registers(self, data: bytes) -> bytes:
        for at in range(0, len(data), 3):
            self._registers[int.from_bytes(data[at : at + 2], "big")] = data[at + 2]
        return b""

    def _set_baud(self, data: bytes) -> bytes:
        self.next_baud = BAUD_RATES[data[0]]
        return b""

    def _power_down(self, data: bytes) -> bytes:
        del data
        self.asleep = True
        self.antenna.switch(on=False)
        return OK

    def _configure_field(self, data: bytes) -> bytes:
        if data[0] == FIELD:
            self.antenna.switch(on=bool(data[1] & 1))
        return b""

    def _release(self, data: bytes) -> bytes:
        del data
        self.antenna.release()
        return OK

    def _select(self, data: bytes) -> bytes:
        try:
            self.antenna.target(data[0])
        except Silent:
            return TIME_OUT
        return OK

    def _list_passive_targets(self, data: bytes) -> bytes:
        most, kind, wanted = data[0], data[1], data[2:]
        if kind == KIND_106_A:
            return self._list_type_a(most, _uid(wanted))
        if kind in KINDS_F:
            return self._list_type_f(wanted)
        self.antenna.release()
        return b"\x00"

    def _list_type_a(self, most: int, uid: bytes) -> bytes:
        found = self.antenna.find_type_a(uid, most=most)
        self._registers[TX_MODE] = self._registers[RX_MODE] = MODE_106_A
        self._registers[FIFO_DATA] = 0 if found else REQA
        targets = (
            bytes([number]) + card.atqa + bytes((card.sak, len(card.uid))) + card.uid
            for number, card in enumerate(found, 1)
        )
        return bytes([len(found)]) + b"".join(targets)

    def _list_type_f(self, wanted: bytes) -> bytes:
        polled = self.antenna.find_type_f(wanted[1:3], wanted[3])
        self._registers[TX_MODE] = self._registers[RX_MODE] = MODE_212_F
        return b"\x00" if polled is None else bytes((1, 1, len(polled) + 1)) + polled

    def _communicate_through(self, data: bytes) -> bytes:
        """InCommunicateThru: the frame as it is, with the checksum according to the registers."""
        modulation = self._registers.get(TX_MODE, 0) & 0x03
        technology = next((technology for technology in Technology if technology.value == modulation), None)
        if technology is None:
            return TIME_OUT
        try:
            answer = self.antenna.exchange(data, technology)
        except Silent:
            return TIME_OUT
        if self._registers.get(RX_MODE, 0) & CHECKS_CRC:
            return OK + answer.data if answer.checked else CRC_ERROR
        return OK + answer.data + (crc_a(answer.data) if answer.checked else b"")

    def _data_exchange(self, data: bytes) -> bytes:
        """InDataExchange: the chip itself knows ACK and NAK, and the cipher of MIFARE Classic."""
        frame = data[1:]
        try:
            card = self.antenna.target(data[0] & 0x0F)
            if isinstance(card, ClassicCard) and frame[0] in {AUTHENTICATE_A, AUTHENTICATE_B}:
                right = card.authenticate(frame[0], frame[1], frame[2:8], frame[8:12])
                return OK if right else AUTHENTICATION_ERROR
            answer: Answer = self.antenna.exchange(frame)
        except Silent:
            return TIME_OUT
        if answer.checked:
            return OK + answer.data
        return OK if answer.data[0] == 0x0A else NOT_ALLOWED


def _uid(wanted: bytes) -> bytes:
    """The UID out of what the host wants to select: before each but the last three or four bytes stands a cascade tag."""
    uid = bytes(wanted)
    if len(uid) in {8, 12} and uid[0] == CASCADE_TAG:
        uid = uid[1:4] + uid[4:]
    if len(uid) == 11 and uid[3] == CASCADE_TAG:
        uid = uid[:3] + uid[4:]
    return uid
