"""From what a site says about its reader to a function that opens it: a device path, nfcpy's or PC/SC's name, `none`, or nothing,
which means to look for one. What goes wrong becomes one of the states that the page has advice for.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.rfid import hotplug, nfcpy_reader, pcsc
from appliance.rfid.device import CannotOpen, Device, Opener
from appliance.rfid.pn532 import NoChip

NONE = "none"
PCSC = "pcsc"
NFCPY_SERIAL = re.compile(r"tty:([^:]+):pn532")
NFCPY_USB = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})")
NFCPY = ("usb", "udp:", "tty:")
TTY_NUMBER = re.compile(r"(?:S|ACM|AMA|USB)\d+")
DENIED = (errno.EACCES, errno.EPERM)
ASK_AGAIN_AFTER_S = (5.0, 60.0)
"""Of a serial adapter that did not answer: it may be something else, and should not be shouted at each second."""
TELLING = (
    ReaderStatus.BUSY,
    ReaderStatus.DENIED,
    ReaderStatus.UNSUPPORTED,
    ReaderStatus.DEAF,
    ReaderStatus.LOOKING,
)
"""Of several things that are wrong, the first of these is told."""


def opener(text: str = "", *, system: Path = hotplug.SYSTEM) -> Opener:
    """What opens the reader that `text` names:

    * `/dev/ttyUSB0`, `/dev/serial/by-id/…`, `/dev/pts/3`: a PN532 on this serial port
    * `tty:USB0:pn532`, `usb:054c:06c3`: as nfcpy names it
    * `pcsc`, `pcsc:NAME`: over PC/SC, the first reader or the first whose name holds NAME
    * `none`: the site wants none
    * nothing: the first that is found

    Each call of it raises CannotOpen with the state that the page shows, or hands over a reader that answered.
    """
    if not text:
        return Automatic(system)
    if text == NONE:
        return _none
    if text == PCSC or text.startswith(f"{PCSC}:"):
        return lambda: pcsc.open_reader(text[len(PCSC) + 1 :])
    if match := NFCPY_SERIAL.fullmatch(text):
        port = match[1]
        return lambda: _open_serial(f"/dev/tty{port}" if TTY_NUMBER.fullmatch(port) else f"/dev/{port}")
    if text.startswith(NFCPY):
        return lambda: _open_nfcpy(text, system)
    return lambda: _open_serial(text)


class Automatic:
    """Takes the first reader that answers."""

    def __init__(self, system: Path = hotplug.SYSTEM, now_s: Callable[[], float] = time.monotonic) -> None:
        self._system = system
        self._now_s = now_s
        self._silent: dict[str, tuple[object, float, float]] = {}
        """Of ports that did not answer: which device it was, when it may be asked again, and how long it waited for that."""

    def __call__(self) -> Device:
        """Try all that is plugged in; CannotOpen with what is most worth telling."""
        devices = hotplug.usb_devices(self._system)
        troubles = [ReaderState(ReaderStatus.LOOKING)]
        ports = hotplug.serial_ports(devices, self._system)
        attempts: list[Callable[[], Device]] = [partial(_open_usb, device) for device in devices if device.is_driven]
        attempts += [partial(self._ask, path) for path in ports.values()]
        attempts += [partial(_open_pcsc, device) for device in devices if device.is_unsupported]
        for attempt in attempts:
            try:
                return attempt()
            except CannotOpen as error:
                troubles.append(error.state)
        if chip := hotplug.chip_on_the_board(self._system):
            troubles.append(ReaderState(ReaderStatus.UNSUPPORTED, detail=f"PN7150 ({chip})"))
        worst = min(troubles, key=lambda trouble: TELLING.index(trouble.status))
        raise CannotOpen(worst.status, worst.name, worst.detail)

    def _ask(self, path: str) -> Device:
        """A port whose last answer was silence is left alone for a while, unless it was plugged in anew."""
        about = _identity(path)
        known, not_before_s, waited_s = self._silent.get(path, (None, 0.0, 0.0))
        if known == about and self._now_s() < not_before_s:
            raise CannotOpen(ReaderStatus.DEAF, detail=path)
        if holder := hotplug.holder_of(path):
            raise CannotOpen(ReaderStatus.BUSY, path, holder)
        try:
            device = _open_serial(path)
        except CannotOpen as error:
            if error.state.status is ReaderStatus.DEAF:
                wait_s = min(max(2 * waited_s, ASK_AGAIN_AFTER_S[0]), ASK_AGAIN_AFTER_S[1])
                self._silent[path] = (about, self._now_s() + wait_s, wait_s)
            raise
        self._silent.pop(path, None)
        return device


def _open_serial(path: str) -> Device:
    try:
        return nfcpy_reader.open_serial(path)
    except NoChip as error:
        # It may have been pulled out while it was asked.
        status = ReaderStatus.DEAF if Path(path).exists() else ReaderStatus.LOOKING
        raise CannotOpen(status, detail=path) from error
    except OSError as error:
        raise _cannot(error, path, path) from error


def _open_nfcpy(text: str, system: Path) -> Device:
    match = NFCPY_USB.fullmatch(text)
    if match:
        wanted = (int(match[1], 16), int(match[2], 16))
        for device in hotplug.usb_devices(system):
            if (device.vendor, device.product) == wanted:
                return _open_usb(device)
    try:
        return nfcpy_reader.open_path(text)
    except OSError as error:
        raise _cannot(error, text, text) from error


def _open_usb(device: hotplug.UsbDevice) -> Device:
    """A USB reader, unless a kernel driver sits on it: that one has to be kept away first."""
    if not device.is_driven:
        return _open_pcsc(device)
    if device.kernel_driver:
        raise CannotOpen(ReaderStatus.BUSY, device.title, device.kernel_driver)
    try:
        return nfcpy_reader.open_path(f"usb:{device.bus:03}:{device.address:03}")
    except FileNotFoundError as error:
        # usb1 says so when the C library is missing.
        raise CannotOpen(ReaderStatus.UNSUPPORTED, device.title, "libusb-1.0") from error
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.EIO, errno.ETIMEDOUT):
            raise CannotOpen(ReaderStatus.DEAF, device.title, device.title) from error
        raise _cannot(error, device.title, device.node) from error


def _open_pcsc(device: hotplug.UsbDevice) -> Device:
    """A reader for which only PC/SC is left; where that is not installed, it is named as unsupported."""
    try:
        return pcsc.open_reader()
    except CannotOpen as error:
        raise CannotOpen(ReaderStatus.UNSUPPORTED, device.title, device.title) from error


def _cannot(error: OSError, name: str, path: str) -> CannotOpen:
    if error.errno in DENIED:
        return CannotOpen(ReaderStatus.DENIED, name, hotplug.group_of(path))
    if error.errno == errno.EBUSY:
        return CannotOpen(ReaderStatus.BUSY, name, hotplug.holder_of(path) or path)
    return CannotOpen(ReaderStatus.LOOKING, detail=path)


def _none() -> Device:
    raise CannotOpen(ReaderStatus.NONE)


def _identity(path: str) -> object:
    """Which device a path leads to now; another one after it was plugged in anew."""
    try:
        about = Path(path).stat()
    except OSError:
        return None
    return about.st_rdev, about.st_ino, about.st_ctime_ns
