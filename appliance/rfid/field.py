"""What the card code (rfid/tags/) may ask of a reader: one card in the field, and three ways to talk to it. Both back ends,
nfcpy and PC/SC, offer exactly this, so that what is written on a card is written once. Nothing here is asynchronous: all
of it runs in the thread that owns the reader.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol


class Technology(StrEnum):
    """How a card talks over the air."""

    A = "A"
    """ISO/IEC 14443 A at 106 kbit/s: NTAG, Ultralight, MIFARE, DESFire, telephones."""
    F = "F"
    """FeliCa at 212 kbit/s."""


class ReaderGone(Exception):
    """The reader, not the card, failed: pulled out, gone deaf, or in the hands of another program.

    It wraps what serial ports and drivers raise (OSError, termios.error, AssertionError, …). Card code lets it through.
    """


class CardSilent(Exception):
    """The card gave no answer, or said no. Either way it hears nothing more until `CardField.sense`.

    Whether it is still there only `sense` can tell.
    """

    def __init__(self, what: str, *, refused: bool = False) -> None:
        super().__init__(what)
        self.refused = refused
        """It was there and answered NAK: it did not like the command, the address or the password."""


class CardField(Protocol):
    """One card on a reader, selected when handed over.

    Every method raises ReaderGone when the reader fails.
    """

    @property
    def uid(self) -> str:
        """Upper-case hex as the chip sends it: 4, 7 or 10 bytes; of FeliCa the 8 bytes of the IDm."""

    @property
    def technology(self) -> Technology:
        """How it talks."""

    @property
    def sak(self) -> int:
        """SEL_RES of a type A card: 00 Type 2, 08 and 18 Classic, 20 and 60 ISO-DEP; 0 of FeliCa."""

    @property
    def atqa(self) -> bytes:
        """SENS_RES of a type A card as it is written in data sheets (NTAG213: 00 44); empty of FeliCa and where a reader
        does not tell."""

    @property
    def polling_response(self) -> bytes:
        """Of FeliCa the answer to Polling: response code 01, IDm, PMm and maybe the system code; empty of type A."""

    def sense(self) -> None:
        """Switch the field off and on, and select this card again: needed after CardSilent, and to see what a chip makes of
        its configuration after a reset. Authentication is lost.

        Raises:
            TagTrouble: GONE, it is not there any more.
        """

    def transceive(self, command: bytes, timeout_s: float = 0.1) -> bytes:
        """Send one frame to a Type 2 card (`30 04`, `A2 05 …`, `1B …`) or, with its length byte first, to a FeliCa card, and
        return the answer. Check bytes (CRC) are added and taken off here; a 4-bit acknowledgement comes as the byte 0A.
        A frame spoiled on the way is asked for again once or twice; nothing else is.

        Raises:
            CardSilent: No answer, or NAK (`refused`); `sense` before the next command.
        """

    def apdu(self, command: bytes, timeout_s: float = 1.0) -> bytes:
        """Send one command APDU (ISO/IEC 7816-4) to an ISO-DEP card and return data and status word, the last two bytes,
        whatever the status is. The card is activated (RATS) at the first one after `sense`.

        Raises:
            CardSilent: No answer, or no ISO-DEP card; `sense` before the next command.
        """

    def classic(self, command: bytes) -> bytes:
        """Send one command to a MIFARE Classic, whose cipher the reader knows: `60 08` or `61 08` with six bytes of key and four of the
        UID opens a sector, `30 08` reads a block, `A0 08` with sixteen bytes writes it. The answer, without acknowledgement.

        Raises:
            CardSilent: No answer, or it said no (`refused`: the key is another, or the reader cannot do this); `sense` before the next
                command.
        """

    def activate(self) -> Any | None:
        """nfcpy's own object for the card (nfc.tag.Tag), for what the frames above cannot do; None where the back end is not
        nfcpy, or the card does not answer. Prefer the frames: they work on every reader."""
