"""Readers that nfcpy drives: a PN532 on a serial port, and the USB readers it knows. nfcpy is used for the wire and for ISO-DEP;
its discovery loop is not, because it passes over telephones and cannot be told to stop.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from typing import Any

import nfc
import nfc.clf
import nfc.tag
from nfc.clf import RemoteTarget, pn53x
from nfc.tag import tt4

from appliance.domain.cards.tag import TagTrouble, Trouble
from appliance.domain.id_token import is_random
from appliance.rfid.faults import FAULTS, as_os_error, reader_faults
from appliance.rfid.field import CardSilent, ReaderGone, Technology
from appliance.rfid.pn532 import close_line, open_pn532

ACKNOWLEDGED = b"\x0a"
"""What a Type 2 card answers to a command without data (4 bits); any other single byte is a NAK."""
LIST_PASSIVE_TARGET = 0x4A
TYPE_A = 0x00
NO_ANSWER = 0x01
"""The chip's word for a card that did not answer in time (UM0701-02, 7.1)."""
TIMEOUT_STEP = 2
"""The chip's own timeouts are powers of two (UM0701-02, 7.3.1): it may wait almost twice as long as it was asked to."""
ANSWER_MARGIN_S = 0.1
CRC_BYTES = 2
RESENDS = 2
SENSES = 2
FELICA_EACH = 4
"""FeliCa is looked for at each fourth look only, since it costs as much as all the rest and is rare."""
ABORT_S = 0.005

# nfcpy writes whole frames into its log, passwords among them, and calls an unplugged reader an error many times over.
logging.getLogger("nfc").setLevel(logging.CRITICAL)


class NfcpyDevice:
    """A reader opened by nfcpy."""

    def __init__(self, frontend: nfc.ContactlessFrontend, name: str) -> None:
        self._frontend = frontend
        self._looks = 0
        self.name = name

    def find(self, known_uid: str | None = None) -> NfcpyField | None:
        """One look: type A, and from time to time, or where the known card is one, FeliCa."""
        self._looks += 1
        try:
            with reader_faults():
                target = self._sense_again(known_uid) or self._sense(RemoteTarget("106A"))
                if target is None and self._looks % FELICA_EACH == 0:
                    target = self._sense(RemoteTarget("212F"))
        except ReaderGone:
            self._abort()
            raise
        # A Type 1 card (Topaz) has no UID of this kind, and no charger takes it.
        return NfcpyField(self._frontend, target) if target and _uid_of(target) else None

    def several(self) -> bool:
        """Asks a PN53x for two cards instead of one; other chips only ever tell of one."""
        chipset = self._frontend.device.chipset
        if not hasattr(chipset, "in_list_passive_target"):
            return False
        with reader_faults():
            self._frontend.device.mute()
            answer = chipset.command(LIST_PASSIVE_TARGET, bytes((2, TYPE_A)), timeout=1.0)
        return bool(answer) and answer[0] > 1

    def close(self) -> None:
        """Puts the chip to sleep, and closes the port even if it no longer hears."""
        device, self._frontend.device = self._frontend.device, None
        if device is None:
            return
        chipset = device.chipset
        line = chipset.transport
        with contextlib.suppress(*FAULTS):
            device.close()
        if getattr(line, "TYPE", "") == "TTY":
            close_line(line)
        else:
            with contextlib.suppress(*FAULTS):
                line.close()

    def _sense_again(self, uid: str | None) -> RemoteTarget | None:
        """The known card, by name: whether it is still there does not depend on what lies beside it."""
        return self._sense(_by_name(uid)) if uid and not is_random(uid) else None

    def _sense(self, target: RemoteTarget) -> RemoteTarget | None:
        try:
            return self._frontend.sense(target)
        except nfc.clf.UnsupportedTargetError:
            return None

    def _abort(self) -> None:
        """Tell the chip to forget the command that failed, so that a late answer does not spoil the next one."""
        with contextlib.suppress(*FAULTS):
            self._frontend.device.chipset.send_ack()
            time.sleep(ABORT_S)


CLASSIC_S = 1.0


class NfcpyField:
    """A card in the field of a reader that nfcpy drives."""

    def __init__(self, frontend: nfc.ContactlessFrontend, target: RemoteTarget) -> None:
        self.clf = frontend
        self.target = target
        self._iso_dep: tt4.Type4ATag | None = None
        self._prepared_for_s: float | None = None
        """For which timeout the chip has been set up since the card was selected."""

    @property
    def uid(self) -> str:
        """Upper-case hex."""
        return _uid_of(self.target)

    @property
    def technology(self) -> Technology:
        """How it talks."""
        return Technology.F if self.target.sensf_res else Technology.A

    @property
    def sak(self) -> int:
        """SEL_RES."""
        return self.target.sel_res[0] if self.target.sel_res else 0

    @property
    def atqa(self) -> bytes:
        """SENS_RES, the byte that comes second first."""
        return bytes(self.target.sens_res[::-1]) if self.target.sens_res else b""

    @property
    def polling_response(self) -> bytes:
        """SENSF_RES."""
        return bytes(self.target.sensf_res or b"")

    def sense(self) -> None:
        """Off, on, and select this one again; a second time if the first found nothing, for a card held in the air."""
        self._iso_dep = self._prepared_for_s = None
        wanted = _by_name(self.uid) if not is_random(self.uid) else RemoteTarget("106A")
        with reader_faults():
            for _ in range(SENSES):
                target = self.clf.sense(wanted)
                if target is not None and (_uid_of(target) == self.uid or is_random(_uid_of(target))):
                    self.target = target
                    return
        raise TagTrouble(Trouble.GONE)

    def transceive(self, command: bytes, timeout_s: float = 0.1) -> bytes:
        """One frame and its answer."""
        answer = self._exchange(command, timeout_s)
        if not answer:
            raise CardSilent("no answer")
        if len(answer) == 1 and self.technology is Technology.A and answer != ACKNOWLEDGED:
            raise CardSilent(f"NAK {answer[0]:X}", refused=True)
        return answer

    def apdu(self, command: bytes, timeout_s: float = 1.0) -> bytes:
        """One APDU and its answer."""
        try:
            with reader_faults():
                if self._iso_dep is None:
                    self._iso_dep = tt4.Type4ATag(_Blocks(self), self.target)
                answer = self._iso_dep.transceive(bytearray(command), timeout_s)
        except (nfc.clf.CommunicationError, nfc.tag.TagCommandError) as error:
            raise CardSilent(str(error) or type(error).__name__) from error
        if answer is None or len(answer) < 2:
            raise CardSilent("no status word")
        return bytes(answer)

    def classic(self, command: bytes) -> bytes:
        """By InDataExchange, in which a PN53x does the cipher of MIFARE Classic itself (PN532 user manual, 7.3.8)."""
        chipset = self.clf.device.chipset
        if not hasattr(chipset, "in_data_exchange"):
            raise CardSilent("this reader has no key for it", refused=True)
        with reader_faults():
            try:
                answer, _more = chipset.in_data_exchange(bytearray(command), CLASSIC_S)
            except pn53x.Chipset.Error as error:
                raise CardSilent(str(error), refused=error.errno != NO_ANSWER) from error
        return bytes(answer)

    def activate(self) -> Any | None:
        """nfcpy's object for it."""
        with reader_faults():
            return nfc.tag.activate(self.clf, self.target)

    def exchange(self, frame: bytearray, timeout_s: float) -> bytes:
        """One frame and its answer as nfcpy has them: what fails is a CommunicationError of its own, or one of FAULTS."""
        if self._prepared_for_s == timeout_s:
            return self._exchange_prepared(frame, timeout_s)
        self._prepared_for_s = None
        answer = bytes(self.clf.exchange(frame, timeout_s) or b"")
        if isinstance(self.clf.device, pn53x.Device):
            self._prepared_for_s = timeout_s
        return answer

    def _exchange(self, command: bytes, timeout_s: float, resends: int = RESENDS) -> bytes:
        try:
            with reader_faults():
                return self.exchange(bytearray(command), timeout_s)
        except nfc.clf.TransmissionError as error:
            if resends == 0:
                raise CardSilent(str(error)) from error
            return self._exchange(command, timeout_s, resends - 1)
        except nfc.clf.CommunicationError as error:
            raise CardSilent(type(error).__name__) from error

    def _exchange_prepared(self, command: bytearray, timeout_s: float) -> bytes:
        """Without setting up the chip, as nfcpy does before each frame though nothing has changed: one command instead of four."""
        device = self.clf.device
        try:
            answer = device.chipset.in_communicate_thru(command, timeout_s * TIMEOUT_STEP + ANSWER_MARGIN_S)
        except pn53x.Chipset.Error as error:
            if error.errno == NO_ANSWER:
                raise nfc.clf.TimeoutError from error
            raise nfc.clf.TransmissionError(str(error)) from error
        # The check of a Type 2 card's frames is left to us, because a NAK has none.
        if self.technology is Technology.A and not self.sak & 0x60 and len(answer) > CRC_BYTES:
            if not device.check_crc_a(answer):
                raise nfc.clf.TransmissionError("crc_a check error")
            answer = answer[:-CRC_BYTES]
        return bytes(answer)


class _Blocks:
    """The frontend as nfcpy's ISO-DEP sees it: its blocks go the way of all other frames, which sets up the chip once."""

    def __init__(self, field: NfcpyField) -> None:
        self._field = field

    @property
    def max_recv_data_size(self) -> int:
        """Bytes."""
        return int(self._field.clf.max_recv_data_size)

    @property
    def max_send_data_size(self) -> int:
        """Bytes."""
        return int(self._field.clf.max_send_data_size)

    def exchange(self, frame: bytes, timeout: float) -> bytes:
        """One block and its answer."""
        return self._field.exchange(bytearray(frame), timeout)


def open_serial(path: str) -> NfcpyDevice:
    """A PN532 at a serial port, any path; OSError as open_pn532."""
    frontend = open_pn532(path)
    return NfcpyDevice(frontend, f"{frontend.device.chipset_name} at {path}")


def open_path(path: str) -> NfcpyDevice:
    """A reader by nfcpy's own grammar: `usb:054c:06c3`, `usb:001:023`, `tty:USB0:arygon`.

    Raises:
        OSError: EACCES, EBUSY; EIO, ETIMEDOUT when it does not answer; ENODEV when there is none.
    """
    try:
        frontend = nfc.ContactlessFrontend()
        found = frontend.open(path)
    except OSError:
        raise
    except FAULTS as error:
        raise as_os_error(error, path) from error
    if not found:
        raise OSError(errno.ENODEV, "no such reader", path)
    return NfcpyDevice(frontend, str(frontend.device))


def _by_name(uid: str) -> RemoteTarget:
    """What to sense for to find just this card; 8 bytes are an IDm of FeliCa, to which one polls for all."""
    raw = bytearray.fromhex(uid)
    return RemoteTarget("212F") if len(raw) == 8 else RemoteTarget("106A", sel_req=raw)


def _uid_of(target: RemoteTarget) -> str:
    raw = target.sensf_res[1:9] if target.sensf_res else target.sdd_res
    return bytes(raw or b"").hex().upper()
