"""What pages ask of the certificates that the listeners show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Root:
    """A certificate authority of the site, as it is given to devices."""

    pem: bytes
    fingerprint: str
    """SHA-256, upper-case hexadecimal pairs with colons, as browsers show it."""
    left_out: tuple[str, ...] = ()
    """Names and addresses of this box that it may not vouch for."""


class Certificates(Protocol):
    """The site's authorities."""

    def browsers(self) -> Root | None:
        """What the staff's devices are given; None where the console is not served over HTTPS."""

    def stations(self) -> Root | None:
        """What chargers are given; None where they are not served over TLS."""

    def share_root(self) -> bool:
        """Whether chargers were given the browsers' one by an earlier release, which the smallest of them cannot read."""

    async def part_stations(self) -> None:
        """Give chargers one of their own, and show them a certificate under it from now on. Done again it changes nothing."""
