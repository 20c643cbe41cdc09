"""The names and addresses a certificate speaks for."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from cryptography import x509

from appliance.domain.network import dns_name

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Subject:
    """What a leaf is to carry, and which of the wanted names it may not."""

    names: tuple[str, ...]
    addresses: tuple[Address, ...]
    left_out: tuple[str, ...]

    def general_names(self) -> list[x509.GeneralName]:
        """As an extension wants them."""
        return [*map(x509.DNSName, self.names), *map(x509.IPAddress, self.addresses)]


def sorted_out(names: Iterable[str], addresses: Iterable[str]) -> tuple[tuple[str, ...], tuple[Address, ...]]:
    """DNS names and addresses, each once, in their order; an address among the names goes to the addresses.

    Raises:
        ValueError: Something is no name.
    """
    dns_names: dict[str, None] = {}
    parsed = dict.fromkeys(ipaddress.ip_address(address) for address in addresses)
    for name in names:
        try:
            parsed[ipaddress.ip_address(name)] = None
        except ValueError:
            dns_names[dns_name(name)] = None
    return tuple(dns_names), tuple(parsed)


def constraints_of(authority: x509.Certificate) -> x509.NameConstraints | None:
    """What an authority may vouch for; None: for everything."""
    try:
        return authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None


def permitted_subject(authority: x509.Certificate, names: tuple[str, ...], addresses: tuple[Address, ...]) -> Subject:
    """What of the wanted names and addresses the authority may vouch for (RFC 5280, 4.2.1.10)."""
    limits = constraints_of(authority)
    if limits is None:
        # Chargers are given an address more often than a name, and mbedTLS before 3.5 finds it among the names only.
        spelled = (str(address) for address in addresses if address.version == 4)  # IPv4
        return Subject((*names, *spelled), addresses, ())
    subtrees = limits.permitted_subtrees or []
    domains = [subtree.value for subtree in subtrees if isinstance(subtree, x509.DNSName)]
    networks = [subtree.value for subtree in subtrees if isinstance(subtree, x509.IPAddress)]
    good_names = tuple(n for n in names if any(n == domain or n.endswith(f".{domain}") for domain in domains))
    good_addresses = tuple(
        address
        for address in addresses
        if any(isinstance(net, (ipaddress.IPv4Network, ipaddress.IPv6Network)) and address in net for net in networks)
    )
    left_out = [*(n for n in names if n not in good_names), *(str(a) for a in addresses if a not in good_addresses)]
    return Subject(good_names, good_addresses, tuple(left_out))
