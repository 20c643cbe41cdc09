"""Opens a PN532 on a serial port so that it can always be opened again. The chip stays at 115200 baud, at which it wakes up; one
that another program left at a higher speed when it was killed is found there and called back. Cards are nfcpy's business.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path

import nfc
import serial
from nfc.clf import pn532, transport

from appliance.rfid.faults import FAULTS

SPEEDS_BAUD = (115_200, 921_600, 460_800, 230_400)
"""The first is where it should be; nfcpy and libnfc lift it to one of the others."""
HOME_BAUD = SPEEDS_BAUD[0]
ANSWER_TIMEOUT_MS = 100
BUSY_S = 1.0
"""So long an answer of a chip that was found may take: nfcpy gives up after a tenth of it, which a busy box needs now and then."""
RASPBERRY_TIMEOUT_MS = 1500
"""The USB of older Raspberry Pis holds back the first bytes of a port that was closed a moment ago for up to a second."""
WAKE_UP = bytes(16)
"""Ends a frame that was begun before, and wakes the chip when it sleeps (UM0701-02, 7.2.11)."""
GET_FIRMWARE_VERSION = bytes.fromhex("0000ff02fed4022a00")
VERSION_OF_PN532 = bytes.fromhex("0000ff06fad50332")
SAM_NORMAL_MODE = bytes((0x01, 0x00, 0x00))
SETTLE_S = 0.02
ACK_BYTES = 6
EXTENDED = 0xFF
"""In place of the length: two bytes of length follow (UM0701-02, 6.2.1.2)."""
READ_TIMEOUT_S = 0.05
MODEL = Path("/sys/firmware/devicetree/base/model")
"""Not /proc/device-tree, its other name: of /proc the service sees processes alone (ProcSubset=pid)."""


class Line(transport.TTY):  # type: ignore[misc]  # nfcpy has no types
    """nfcpy's serial line over a port that is open already. Its timeout stays as it is, since pyserial sets up the whole port anew
    each time it is changed, which nfcpy does twice for each command; one waits several times instead.
    """

    def __init__(self, port: serial.Serial) -> None:
        self.tty = port
        self.patience_s = 0.0
        """How long it waits at least."""

    def read(self, timeout: int) -> bytearray:
        """One frame of the chip, or as much of it as came; OSError (ETIMEDOUT) if none begins within `timeout` milliseconds."""
        until_s = time.monotonic() + max(timeout / 1000, self.patience_s)
        frame = bytearray()
        self._read_on(frame, ACK_BYTES, until_s)
        if len(frame) < ACK_BYTES:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if frame == pn532.Chipset.ACK:
            return frame
        length = frame[3]
        if length == EXTENDED:
            self._read_on(frame, ACK_BYTES + 3, until_s)
            length = frame[5] << 8 | frame[6]
        self._read_on(frame, len(frame) + length + 1, until_s)
        return frame

    def _read_on(self, frame: bytearray, length: int, until_s: float) -> None:
        """Up to this length, or until nothing more comes in time."""
        while len(frame) < length:
            more = self.tty.read(length - len(frame))
            if not more and time.monotonic() >= until_s:
                return
            frame += more


class NoChip(OSError):
    """The port can be opened, but no PN532 answers there."""


def open_pn532(path: str) -> nfc.ContactlessFrontend:
    """nfcpy's frontend for the PN532 at the serial port `path`, any path.

    Raises:
        NoChip: The port opens, but no PN532 answers.
        OSError: EACCES, EBUSY (another program holds the port), ENOENT …
    """
    line = Line(_open_port(path))
    try:
        chipset = _wake(line, path)
        frontend = nfc.ContactlessFrontend()
        frontend.device = pn532.Device(chipset, logger=pn532.log)
    except FAULTS as error:
        close_line(line)
        raise NoChip(errno.ENODEV, f"no PN532 answers: {error}", path) from error
    except BaseException:
        close_line(line)
        raise
    return frontend


def close_line(line: transport.TTY) -> None:
    """Close a serial port, whatever state it is in."""
    port, line.tty = line.tty, None
    if port is not None:
        with contextlib.suppress(*FAULTS):
            port.close()


def _open_port(path: str) -> serial.Serial:
    """The port, held against other programs that ask (flock)."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        # pyserial reports a missing right, a missing device and a held one all alike; the system tells them apart.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path) from error
    finally:
        os.close(descriptor)
    try:
        return serial.Serial(path, HOME_BAUD, timeout=READ_TIMEOUT_S, exclusive=True)
    except FAULTS as error:
        number = getattr(error, "errno", None)
        raise OSError(number or errno.ENODEV, str(error), path) from error


def _wake(line: transport.TTY, path: str) -> pn532.Chipset:
    """The chip, awake, at HOME_BAUD, its security module out of the way."""
    for speed_baud in SPEEDS_BAUD:
        line.baudrate = speed_baud
        if _answers(line, _patience_ms(path)):
            break
    else:
        raise NoChip(errno.ENODEV, "no PN532 answers at any speed", path)
    line.patience_s = BUSY_S
    chipset = pn532.Chipset(line, logger=pn532.log)
    chipset.command(0x14, SAM_NORMAL_MODE, timeout=0.1)
    if speed_baud != HOME_BAUD:
        chipset.set_serial_baudrate(HOME_BAUD)
        line.baudrate = HOME_BAUD
        time.sleep(SETTLE_S)
    return chipset


def _answers(line: transport.TTY, patience_ms: int) -> bool:
    """Whether a PN532 hears at the speed the port has now. Asked twice at most: noise may have spoilt the first question."""
    for _ in range(2):
        line.tty.reset_input_buffer()
        line.write(WAKE_UP + GET_FIRMWARE_VERSION)
        with contextlib.suppress(OSError, IndexError):
            if line.read(patience_ms) == pn532.Chipset.ACK:
                return bool(line.read(ANSWER_TIMEOUT_MS).startswith(VERSION_OF_PN532))
            continue
        # Nothing at all came: it is at another speed, or not there.
        return False
    return False


def _patience_ms(path: str) -> int:
    try:
        raspberry = MODEL.read_bytes().startswith(b"Raspberry Pi")
    except OSError:
        raspberry = False
    slow = raspberry and "ttyUSB" in os.path.realpath(path)
    return RASPBERRY_TIMEOUT_MS if slow else ANSWER_TIMEOUT_MS
