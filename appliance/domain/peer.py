"""Which device of the network a charger without a password came from: it is bound to that, for its name proves nothing."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from appliance.domain.network import home_of

NO_MAC = "00:00:00:00:00:00"
"""Of an entry that is not complete: the kernel asked, and nobody has answered."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection. The MAC is "" where the kernel does not know it: behind a router or a proxy, or on this box."""

    address: str
    mac: str = ""

    @property
    def word(self) -> str:
        """As it is stored: by its MAC, which stays when the address changes, else by its address."""
        return f"mac {self.mac}" if self.mac else f"ip {self.address}"

    def fits(self, bound_to: str) -> bool:
        """Whether it may speak for a station that is bound so; one that is not bound yet takes the first that comes."""
        return bound_to in ("", self.word, f"ip {self.address}")

    @property
    def home(self) -> str:
        """What its owner cannot choose: one device has as many addresses as it likes."""
        return home_of_peer(self.word, self.address)


def home_of_peer(bound_to: str, address: str) -> str:
    """The same of what is stored: the word of a peer ("" if none is known) and its address."""
    return bound_to if bound_to.startswith("mac ") else home_of(address)


def peer_of(address: str, neighbours: str) -> Peer:
    """Who an address is, by the kernel's table of neighbours (the text of /proc/net/arp)."""
    address = plain_address(address)
    line = re.search(
        rf"^{re.escape(address)} .*?\b((?:[0-9a-f]{{2}}:){{5}}[0-9a-f]{{2}})\b",
        neighbours,
        re.MULTILINE | re.IGNORECASE,
    )
    mac = line[1].lower() if line else ""
    return Peer(address, "" if mac == NO_MAC else mac)


def plain_address(address: str) -> str:
    """An IPv4 address that came by a socket for both kinds (::ffff:192.168.1.9) is that address; a zone (%eth0) says where, not who."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
