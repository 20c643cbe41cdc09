"""Where the printer of receipts is, as the owner's setting says it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

PORT: Final = 9100
"""On which printers take what is to be printed, raw."""
PORT_MIN, PORT_MAX = 1024, 65_535
SITE_NETWORKS: Final = tuple(
    ipaddress.ip_network(one)
    for one in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "::1/128", "fc00::/7",
        "fe80::/10",
    )
)  # fmt: skip
"""What is on the premises, the same as in systemd/forecourt.service: the printer is no way out of the site."""
DEVICE: Final = re.compile(r"/dev/usb/lp[0-9]{1,2}", re.ASCII)
ADDRESS: Final = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?|([0-9A-Fa-f:.]+(?:%\w+)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class NetworkPrinter:
    """A printer with an address of its own."""

    address: str
    port: int = PORT

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DevicePrinter:
    """A printer on a USB port of this box."""

    path: str

    def __str__(self) -> str:
        return self.path


PrinterPlace = NetworkPrinter | DevicePrinter


def place_of(text: str) -> PrinterPlace | None:
    """`192.168.7.20`, `192.168.7.20:9100`, `[fd00::20]:9100` or `/dev/usb/lp0`; None for "", which is no printer.

    Names are refused: what they stand for is for others to say.

    Raises:
        ValueError: It is none of these, or no place on the premises.
    """
    text = text.strip()
    if not text:
        return None
    if DEVICE.fullmatch(text):
        return DevicePrinter(text)
    match = ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError(text)
    address, port = ipaddress.ip_address(match[1] or match[2] or match[4]), int(match[3] or PORT)
    if not PORT_MIN <= port <= PORT_MAX or not any(address in network for network in SITE_NETWORKS):
        raise ValueError(text)
    return NetworkPrinter(str(address), port)
