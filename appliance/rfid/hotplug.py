"""Which readers are plugged in, from what the kernel tells of USB under /sys: nothing is opened here and nothing is sent. Serial
ports are only named when a USB adapter is behind them, since a port on the board may switch a machine.
"""

from __future__ import annotations

import contextlib
import grp
import os
from dataclasses import dataclass
from pathlib import Path

SYSTEM = Path("/")
USBFS = "usbfs"
CCID_CLASS = 0x0B
"""The USB class of PC/SC readers."""
SERIAL_ADAPTERS = {
    0x0403: "FTDI",
    0x067B: "Prolific",
    0x10C4: "Silicon Labs",
    0x1A86: "WCH",
    0x303A: "Espressif",
}
"""Makers of the chips that stand between USB and a PN532."""
DRIVEN = {
    (0x04CC, 0x2533): "NXP PN533",
    (0x04E6, 0x5591): "SCM SCL3711",
    (0x04E6, 0x5593): "SCM SCL3712",
    (0x04CC, 0x0531): "NXP PN531",
    (0x054C, 0x0193): "Sony PN531",
    (0x054C, 0x02E1): "Sony RC-S330",
    (0x054C, 0x06C1): "Sony RC-S380",
    (0x054C, 0x06C3): "Sony RC-S380",
    (0x072F, 0x2200): "ACS ACR122U",
}
"""What nfcpy 1.0.4 drives over USB (nfc/clf/device.py), vendor and product."""
NOT_DRIVEN = {
    (0x054C, 0x0DC8): "Sony RC-S300",
    (0x054C, 0x0DC9): "Sony RC-S300",
    (0x072F, 0x223B): "ACS ACR1252U",
    (0x076B, 0x5022): "HID Omnikey 5022",
    (0x04E6, 0x5790): "Identiv uTrust 3700 F",
}
"""Readers that speak PC/SC only; others are known by their USB class."""
CHIPS_ON_THE_BOARD = ("pn544", "pn547", "pn5xx_i2c", "nq-nci")
"""Devices of PN7150 and its like on an I²C bus, which nobody drives from here."""


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """Something on the USB."""

    vendor: int
    product: int
    bus: int
    address: int
    name: str
    """What it calls itself; "" if it does not."""
    drivers: tuple[str, ...]
    """Kernel drivers that hold one of its interfaces."""
    classes: tuple[int, ...]
    ports: tuple[str, ...]
    """Its serial ports: `ttyUSB0`."""

    @property
    def numbers(self) -> str:
        """As lsusb prints it."""
        return f"{self.vendor:04x}:{self.product:04x}"

    @property
    def node(self) -> str:
        """Its file."""
        return f"/dev/bus/usb/{self.bus:03}/{self.address:03}"

    @property
    def is_driven(self) -> bool:
        """Whether nfcpy knows it."""
        return (self.vendor, self.product) in DRIVEN

    @property
    def is_unsupported(self) -> bool:
        """Whether it is a reader, for which only PC/SC is left."""
        known = (self.vendor, self.product)
        return known not in DRIVEN and (known in NOT_DRIVEN or CCID_CLASS in self.classes)

    @property
    def kernel_driver(self) -> str:
        """The driver to be kept from it, or ""; usbfs stands for a program instead."""
        return next((driver for driver in self.drivers if driver != USBFS), "")

    @property
    def title(self) -> str:
        """For people: `Sony RC-S300 (054c:0dc8)`."""
        known = (self.vendor, self.product)
        name = DRIVEN.get(known) or NOT_DRIVEN.get(known) or self.name
        return f"{name} ({self.numbers})".strip()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Where a reader may be."""

    path: str
    """What the opener takes: a device path that stays the same when it is plugged in again, or `usb:VVVV:PPPP`."""
    name: str
    """What a desk may be called after it: `ttyUSB0`, `usb-054c-06c3`."""


def find_readers(system: Path = SYSTEM) -> list[Candidate]:
    """What looks like a reader and can be driven; without having been asked yet, a serial adapter may be something else."""
    devices = usb_devices(system)
    readers = [
        Candidate(f"usb:{device.numbers}", f"usb-{device.vendor:04x}-{device.product:04x}")
        for device in devices
        if device.is_driven
    ]
    return readers + [Candidate(path, Path(port).name) for port, path in serial_ports(devices, system).items()]


def usb_devices(system: Path = SYSTEM) -> list[UsbDevice]:
    """All that is on the USB, hubs included; nothing where there is no /sys."""
    found = []
    for folder in sorted((system / "sys/bus/usb/devices").glob("*")):
        # A device may go while it is read.
        with contextlib.suppress(OSError, ValueError):
            if (folder / "idVendor").exists():
                found.append(_read_device(folder))
    return found


def serial_ports(devices: list[UsbDevice], system: Path = SYSTEM) -> dict[str, str]:
    """The ports behind USB adapters, and for each the name that stays when it is plugged in again."""
    links = {os.path.realpath(link): str(link) for link in sorted((system / "dev/serial/by-id").glob("*"))}
    ports = [
        str(system / "dev" / port) for device in devices if device.vendor in SERIAL_ADAPTERS for port in device.ports
    ]
    return {port: links.get(os.path.realpath(port), port) for port in ports}


def chip_on_the_board(system: Path = SYSTEM) -> str:
    """The device of an NFC chip on an I²C bus, or ""."""
    return next((f"/dev/{name}" for name in CHIPS_ON_THE_BOARD if (system / "dev" / name).exists()), "")


def group_of(path: str) -> str:
    """Who may open a device: the name of its group, or the path if it has none with rights."""
    try:
        about = Path(path).stat()
        return grp.getgrgid(about.st_gid).gr_name if about.st_mode & 0o060 == 0o060 else path
    except (OSError, KeyError):
        return path


def holder_of(path: str, processes: Path = Path("/proc")) -> str:
    """Which other program has a device open, by its name; "" if none is, or none that may be looked at."""
    device = os.path.realpath(path)
    for process in processes.glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) == device for link in (process / "fd").iterdir()):
                return (process / "comm").read_text().strip()
    return ""


def _read_device(folder: Path) -> UsbDevice:
    interfaces = sorted(folder.glob(f"{folder.name}:*"))
    words = (_text(folder / "manufacturer"), _text(folder / "product"))
    return UsbDevice(
        vendor=int(_text(folder / "idVendor"), 16),
        product=int(_text(folder / "idProduct"), 16),
        bus=int(_text(folder / "busnum")),
        address=int(_text(folder / "devnum")),
        name=" ".join(word for word in words if word),
        drivers=tuple(
            (interface / "driver").resolve().name for interface in interfaces if (interface / "driver").is_symlink()
        ),
        classes=tuple(int(_text(interface / "bInterfaceClass") or "0", 16) for interface in interfaces),
        ports=tuple(
            port.name
            for interface in interfaces
            for port in (*interface.glob("tty*/tty/tty*"), *interface.glob("tty/tty*"))
        ),
    )


def _text(path: Path) -> str:
    return path.read_text(errors="replace").strip() if path.exists() else ""
