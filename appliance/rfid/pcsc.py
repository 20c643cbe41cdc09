"""Readers that speak PC/SC only, over pcscd and the optional package pyscard. The card code is the same as with nfcpy: reading and
writing pages are the standard's pseudo-APDUs, everything else a Type 2 card knows goes through to it as it is, in the way of the
ACR122U or in a transparent session (PC/SC part 3, supplement 2.02).
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from typing import Any, Protocol

from appliance.domain.cards.tag import ReaderStatus, TagTrouble, Trouble
from appliance.rfid.device import CannotOpen
from appliance.rfid.field import CardSilent, ReaderGone, Technology

GET_UID = bytes.fromhex("FFCA000000")
RID_OF_PCSC = bytes.fromhex("A000000306")
"""In the ATR of a card that is not a smart card: then follow its standard and its name (PC/SC part 3, 3.1.3.2.3)."""
SAK_BY_NAME = {b"\x00\x01": 0x08, b"\x00\x02": 0x18, b"\x00\x26": 0x09}
"""MIFARE Classic 1K, 4K and Mini; all other names of type A are Type 2 cards, 0."""
FELICA_STANDARDS = (0x11, 0x12)
ISO_DEP_SAK = 0x20
READ, WRITE = 0x30, 0xA2
PAGE_BYTES, READ_BYTES = 4, 16
ACKNOWLEDGED = b"\x0a"
SUCCESS = b"\x90\x00"
BEGIN_SESSION = bytes.fromhex("FFC20000028100")
END_SESSION = bytes.fromhex("FFC20000028200")
SWITCH_TO = {Technology.A: bytes.fromhex("FFC20002048F020003"), Technology.F: bytes.fromhex("FFC20002048F020300")}
"""To bare frames: ISO/IEC 14443-3 A, and FeliCa."""
ANSWER_TAG = 0x97
STATUS_TAG = 0xC0
PN532_THRU = bytes((0xD4, 0x42))
PN532_ANSWER = bytes((0xD5, 0x43))
NOT_FOR_CARDS = ("SAM", "ICC", "CONTACT READER")
"""In the names of slots that take no contactless card."""
NO_READER = "PC/SC"


class Connection(Protocol):
    """pyscard's connection to a card, as far as it is used."""

    def connect(self) -> None:
        """Power the card."""

    def disconnect(self) -> None:
        """Switch it off."""

    def transmit(self, apdu: list[int]) -> tuple[list[int], int, int]:
        """Data and status word."""

    def getATR(self) -> list[int]:  # noqa: N802
        """What the reader says the card is."""


def open_reader(name: str = "") -> PcscDevice:
    """The first reader whose name holds `name`.

    Raises:
        CannotOpen: UNSUPPORTED without pyscard, LOOKING without pcscd or without a reader.
    """
    try:
        system = importlib.import_module("smartcard.System")
        exceptions = importlib.import_module("smartcard.Exceptions")
        lower = importlib.import_module("smartcard.pcsc.PCSCExceptions")
    except ImportError as error:
        raise CannotOpen(ReaderStatus.UNSUPPORTED, NO_READER, "pyscard") from error
    faults = (exceptions.SmartcardException, lower.BaseSCardException, OSError)
    try:
        slots = list(system.readers())
    except faults as error:
        raise CannotOpen(ReaderStatus.LOOKING, NO_READER, "pcscd") from error
    for slot in slots:
        title = str(slot)
        if name.casefold() in title.casefold() and not any(word in title.upper() for word in NOT_FOR_CARDS):
            return PcscDevice(title, slot.createConnection, exceptions.NoCardException, faults)
    raise CannotOpen(ReaderStatus.LOOKING, detail=name or NO_READER)


class PcscDevice:
    """A slot of pcscd."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Connection],
        no_card: type[Exception],
        faults: tuple[type[Exception], ...],
    ) -> None:
        self.name = name
        self._connect = connect
        self._no_card = no_card
        self._faults = faults
        self._field: PcscField | None = None

    def find(self, known_uid: str | None = None) -> PcscField | None:
        """The card in the slot; PC/SC only ever shows one, so that the known one cannot be asked for by name."""
        del known_uid
        if self._field is not None and self._field.is_there():
            return self._field
        self._drop()
        connection = self._connect()
        try:
            connection.connect()
        except self._no_card:
            return None
        except self._faults as error:
            raise ReaderGone(str(error)) from error
        field = PcscField(connection, self._faults, thru_pn532="ACR122" in self.name.upper())
        if not field.is_there():
            field.leave()
            return None
        self._field = field
        return field

    def several(self) -> bool:
        """PC/SC does not tell."""
        return False

    def close(self) -> None:
        """Let the card go."""
        self._drop()

    def _drop(self) -> None:
        field, self._field = self._field, None
        if field is not None:
            field.leave()


CLASSIC_A, CLASSIC_B = 0x60, 0x61


class PcscField:
    """The card in a slot."""

    def __init__(self, connection: Connection, faults: tuple[type[Exception], ...], *, thru_pn532: bool) -> None:
        self.uid = ""
        self.technology = Technology.A
        self.sak = ISO_DEP_SAK
        self.atqa = b""
        self._connection = connection
        self._faults = faults
        self._thru_pn532 = thru_pn532
        self._in_session = False
        self._name_kind()

    @property
    def polling_response(self) -> bytes:
        """As much of it as PC/SC tells: the IDm."""
        return bytes((1,)) + bytes.fromhex(self.uid) if self.technology is Technology.F else b""

    def is_there(self) -> bool:
        """Whether the card still answers, and is the same."""
        try:
            uid, status = self._transmit(GET_UID)
        except CardSilent:
            return False
        if status != SUCCESS or not uid:
            return False
        if self.uid and uid.hex().upper() != self.uid:
            return False
        self.uid = uid.hex().upper()
        return True

    def leave(self) -> None:
        """Switch the card off."""
        if self._in_session:
            with contextlib.suppress(CardSilent):
                self._transmit(END_SESSION)
        self._in_session = False
        with contextlib.suppress(*self._faults):
            self._connection.disconnect()

    def sense(self) -> None:
        """Off and on again."""
        self.leave()
        try:
            self._connection.connect()
        except self._faults as error:
            raise TagTrouble(Trouble.GONE) from error
        if not self.is_there():
            raise TagTrouble(Trouble.GONE)

    def transceive(self, command: bytes, timeout_s: float = 0.1) -> bytes:
        """One frame. The time is the reader's own affair."""
        del timeout_s
        if self.technology is Technology.A and not self._in_session:
            if command[0] == READ and len(command) == 2:
                return self._pseudo(bytes((0xFF, 0xB0, 0x00, command[1], READ_BYTES)))
            if command[0] == WRITE and len(command) == 2 + PAGE_BYTES:
                self._pseudo(bytes((0xFF, 0xD6, 0x00, command[1], PAGE_BYTES)) + command[2:])
                return ACKNOWLEDGED
        answer = self._thru(command) if self._thru_pn532 else self._exchange(command)
        if not answer:
            raise CardSilent("no answer")
        if len(answer) == 1 and self.technology is Technology.A and answer != ACKNOWLEDGED:
            raise CardSilent(f"NAK {answer[0]:X}", refused=True)
        return answer

    def apdu(self, command: bytes, timeout_s: float = 1.0) -> bytes:
        """One APDU; the reader has activated the card already."""
        del timeout_s
        data, status = self._transmit(command)
        return data + status

    def classic(self, command: bytes) -> bytes:
        """By the pseudo-APDUs for memory cards (PC/SC 2.01, part 3, 3.2.2): load the key, open the sector, read, write."""
        kind, block = command[0], command[1]
        if kind in (CLASSIC_A, CLASSIC_B):
            self._pseudo(bytes((0xFF, 0x82, 0x00, 0x00, 0x06)) + command[2:8])
            return self._pseudo(bytes((0xFF, 0x86, 0x00, 0x00, 0x05, 0x01, 0x00, block, kind, 0x00)))
        if kind == READ:
            return self._pseudo(bytes((0xFF, 0xB0, 0x00, block, READ_BYTES)))
        return self._pseudo(bytes((0xFF, 0xD6, 0x00, block, READ_BYTES)) + command[2:])

    def activate(self) -> Any | None:
        """There is no such object here."""
        return None

    def _name_kind(self) -> None:
        """What the reader wrote into the ATR about the card."""
        atr = bytes(self._connection.getATR())
        at = atr.find(RID_OF_PCSC)
        if at < 0:
            return
        standard, name = atr[at + len(RID_OF_PCSC)], atr[at + len(RID_OF_PCSC) + 1 : at + len(RID_OF_PCSC) + 3]
        self.technology = Technology.F if standard in FELICA_STANDARDS else Technology.A
        self.sak = SAK_BY_NAME.get(name, 0)

    def _pseudo(self, apdu: bytes) -> bytes:
        data, status = self._transmit(apdu)
        if status != SUCCESS:
            raise CardSilent(f"status {status.hex()}", refused=True)
        return data

    def _thru(self, command: bytes) -> bytes:
        """The ACR122U hands its PN532 whatever it is given (ACR122U API 2.04, 4.1); its answer ends with the card's CRC."""
        payload = PN532_THRU + command
        data = self._pseudo(bytes((0xFF, 0x00, 0x00, 0x00, len(payload))) + payload)
        if not data.startswith(PN532_ANSWER) or len(data) < 3:
            raise CardSilent("no answer")
        if data[2] != 0:
            # The chip takes the 4 bits of ACK and NAK for a broken frame; neither can be told from silence here.
            raise CardSilent(f"PN532 error {data[2]:02X}", refused=True)
        return data[3:]

    def _exchange(self, command: bytes) -> bytes:
        """A frame in a transparent session, which is begun at the first one and switches the card off and on."""
        if not self._in_session:
            self._pseudo(BEGIN_SESSION)
            self._in_session = True
            self._pseudo(SWITCH_TO[self.technology])
        objects = bytes((0x95, len(command))) + command
        answer = _objects(self._pseudo(bytes((0xFF, 0xC2, 0x00, 0x01, len(objects))) + objects + b"\x00"))
        if answer.get(STATUS_TAG, b"\x00" + SUCCESS)[-2:] != SUCCESS:
            raise CardSilent("no answer")
        return answer.get(ANSWER_TAG, b"")

    def _transmit(self, apdu: bytes) -> tuple[bytes, bytes]:
        try:
            data, first, second = self._connection.transmit(list(apdu))
        except self._faults as error:
            # A card that was taken and a reader that was pulled out look the same; the next look tells them apart.
            raise CardSilent(str(error)) from error
        return bytes(data), bytes((first, second))


def _objects(data: bytes) -> dict[int, bytes]:
    """The tagged values in an answer, each with one byte of length."""
    found = {}
    while len(data) >= 2:
        tag, length = data[0], data[1]
        found[tag] = data[2 : 2 + length]
        data = data[2 + length :]
    return found
