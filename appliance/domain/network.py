"""Names and addresses as headers and settings write them, each in the one way in which it can be compared."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

HOST_HEADER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:@/?#\\%,]+)(?::([0-9]{1,5}))?", re.ASCII)
PORT_MAX = 65_535
HOP = re.compile(r"\[?([^\[\]]+?)\]?(?::[0-9]{1,5})?", re.ASCII)
FORWARDED_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*"?([^";]*)"?\s*(?=;|$)', re.IGNORECASE)
HOME_BITS = 64
"""Whoever has one IPv6 address has as many as they like: so much of it tells them apart."""


def dns_name(name: str) -> str:
    """The name as certificates and headers carry it, in small ASCII letters and without a dot at its end.

    Raises:
        ValueError: It is none.
    """
    try:
        ascii_name = name.strip().removesuffix(".").lower().encode("idna").decode()
    except UnicodeError as error:
        raise ValueError(f"“{name}” is not a name a computer can have.") from error
    if (
        not ascii_name
        or ascii_name.endswith(".")
        or not all(character.isalnum() or character in "-._" for character in ascii_name)
    ):
        raise ValueError(f"“{name}” is not a name a computer can have.")
    return ascii_name


def plain_address(text: str) -> str | None:
    """An address without its zone, an IPv4 one as such however it is wrapped; None if it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def home_of(address: str) -> str:
    """What of an address its owner cannot choose."""
    plain = plain_address(address) or ""
    return str(ipaddress.ip_network((plain, HOME_BITS), strict=False)) if ":" in plain else plain


def host(text: str) -> str:
    """A name or an address, as somebody typed it.

    Raises:
        ValueError: It is neither.
    """
    return plain_address(text.strip().removeprefix("[").removesuffix("]")) or dns_name(text)


def host_in(header: str) -> str | None:
    """The name or address in a Host header, without its port; None if it is none (RFC 9110, 7.2)."""
    match = HOST_HEADER.fullmatch(header)
    if match is None or int(match[2] or 0) > PORT_MAX:
        return None
    try:
        return host(match[1])
    except ValueError:
        return None


@lru_cache(maxsize=16)
def hosts(text: str) -> frozenset[str]:
    """Names and addresses, parted by commas or blanks.

    Raises:
        ValueError: One of them is neither.
    """
    return frozenset(host(one) for one in text.replace(",", " ").split())


@lru_cache(maxsize=16)
def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks such as 10.1.2.0/24, parted by commas or blanks.

    Raises:
        ValueError: One of them is neither.
    """
    return tuple(ipaddress.ip_network(one, strict=False) for one in text.replace(",", " ").split())


def is_in(address: str, trusted: Iterable[Network]) -> bool:
    """Whether an address is in one of the networks."""
    plain = plain_address(address)
    return plain is not None and any(ipaddress.ip_address(plain) in network for network in trusted)


def forwarded_for(
    x_forwarded_for: Sequence[str], forwarded: Sequence[str], x_real_ip: Sequence[str], trusted: Collection[Network]
) -> str | None:
    """Who asks, by the headers (all lines of each) that a trusted proxy has sent on; "" if they do not say it, None without any.

    The addresses are read from the right, where the nearest proxy has written, and the first that is no trusted proxy's counts:
    what stands left of it is the asker's own invention. Where a proxy writes one header and passes on another that the asker
    invented, the two differ, and neither is believed.
    """
    chains = [
        [hop for line in x_forwarded_for for hop in line.split(",")],
        [_hop_of(element) for line in forwarded for element in line.split(",")],
    ]
    told = {_asker(chain, trusted) for chain in chains if chain}
    if not told and x_real_ip:
        told = {plain_address(x_real_ip[-1].strip()) or ""}
    return told.pop() if len(told) == 1 else ("" if told else None)


def _hop_of(element: str) -> str:
    """The node of one element of a Forwarded header (RFC 7239, 6); "" if it names none."""
    match = FORWARDED_FOR.search(element)
    return match[1] if match else ""


def _asker(chain: Sequence[str], trusted: Collection[Network]) -> str:
    address = ""
    for hop in reversed(chain):
        address = _address_of(hop.strip())
        if not is_in(address, trusted):
            break
    return address


def _address_of(hop: str) -> str:
    """An address with or without a port, brackets around IPv6; "" for `unknown` and the like."""
    plain = plain_address(hop)
    if plain is None and (match := HOP.fullmatch(hop)):
        plain = plain_address(match[1])
    return plain or ""
