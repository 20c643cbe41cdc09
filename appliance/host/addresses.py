"""By which names and addresses this box can be reached on the premises.

Read from the kernel's tables rather than asked of it: the hardened service may not open netlink sockets, and sees no part
of /proc but its own.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import itertools
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from appliance.domain.network import host


def local_names(extra: Iterable[str] = ()) -> tuple[str, ...]:
    """The names by which people on the premises can reach this box; `extra` ones come first."""
    hostname = socket.gethostname().rstrip(".").lower()
    label = hostname.partition(".")[0]
    found = [*extra]
    if label and label != "localhost":
        found += [hostname, f"{label}.local"]
    return tuple(dict.fromkeys([*found, "localhost"]))


def local_addresses(network_tables: Path = Path("/proc/self/net")) -> tuple[str, ...]:
    """The addresses of this box, loopback first; without link-local ones, which cannot be typed into a browser."""
    found = ["127.0.0.1", "::1"]
    with contextlib.suppress(OSError):
        found += _ipv4_addresses((network_tables / "fib_trie").read_text(encoding="ascii"))
    with contextlib.suppress(OSError):
        found += _ipv6_addresses((network_tables / "if_inet6").read_text(encoding="ascii"))
    return tuple(
        address
        for address in dict.fromkeys(found)
        if not (parsed := ipaddress.ip_address(address)).is_link_local
        and (address in found[:2] or not parsed.is_loopback)
    )


def _ipv4_addresses(fib_trie: str) -> list[str]:
    """Each local address is a line `|-- ADDRESS`, followed by one that says `/32 host LOCAL`."""
    lines = [line.split() for line in fib_trie.splitlines()]
    return [
        line[-1]
        for line, following in itertools.pairwise(lines)
        if line[:1] == ["|--"] and following[:3] == ["/32", "host", "LOCAL"]
    ]


def _ipv6_addresses(if_inet6: str) -> list[str]:
    """Each line is address, interface number, prefix length, scope, flags and interface; all but the last in hexadecimal."""
    temporary = 0x01  # IFA_F_TEMPORARY: addresses that change by the day would mean a new certificate by the day.
    fields = [line.split() for line in if_inet6.splitlines()]
    return [str(ipaddress.IPv6Address(int(line[0], 16))) for line in fields if not int(line[4], 16) & temporary]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener is bound; port 0 takes any that is free."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Address:
        """`HOST:PORT`, `[::1]:PORT` or `:PORT` for all addresses; argparse's error says what is wrong."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise argparse.ArgumentTypeError(f"{text!r} is not an address such as 0.0.0.0:8080")
        return cls(host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port))  # noqa: S104  # asked for

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def own_hosts(arguments: argparse.Namespace) -> frozenset[str]:
    """The names and addresses of this box, as Host headers are compared with them."""
    found = set()
    for one in (*local_names(names_given(arguments) + drivers_host(arguments)), *local_addresses()):
        with contextlib.suppress(ValueError):  # A host name may be anything; what no header can say need not be known.
            found.add(host(one))
    return frozenset(found)


def drivers_host(arguments: argparse.Namespace) -> list[str]:
    """The name under which phones are told to open the drivers' listener."""
    host = urlsplit(arguments.drivers_url).hostname
    return [host] if host else []


def names_given(arguments: argparse.Namespace) -> list[str]:
    """Further names of this box, from the command line."""
    return [name.strip() for name in arguments.tls_names.split(",") if name.strip()]
