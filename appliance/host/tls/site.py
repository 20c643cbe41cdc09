"""The site's own certificate authority and the certificate of this box, so that every page is HTTPS from the first.

Both are made at first start and live under `tls/` in the data directory. The authority lasts ten years and is what people
install on their devices; the leaf is renewed by itself. Certificates of charging stations are not made here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.host.tls.authority import make_authority, read_authority
from appliance.host.tls.leaf import kept_leaf
from appliance.host.tls.parts import fingerprint
from appliance.host.tls.subject import permitted_subject, sorted_out

EARLIEST_PLAUSIBLE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A box without a clock of its own wakes up in 1970; a certificate of that year would serve nobody."""


@dataclass(frozen=True, slots=True)
class SiteCertificate:
    """Where the files are, and what the set-up page and the problems need to know of them."""

    ca_file: Path
    chain_file: Path
    key_file: Path
    ca_fingerprint_sha256: str
    """Upper-case hexadecimal pairs with colons, as browsers show it."""
    ca_expires_at_ms: int
    expires_at_ms: int
    renewed: bool
    """Whether the leaf was made by this very call."""
    left_out: tuple[str, ...]
    """Names and addresses that were asked for but that the authority may not vouch for."""
    rsa_files: tuple[Path, Path] | None = None
    """Chain and key of a second leaf for chargers that know nothing but RSA; None when it was not asked for."""


def ensure(
    data_directory: Path, names: Iterable[str], addresses: Iterable[str], now_ms: int, *, with_rsa: bool = False
) -> SiteCertificate:
    """Make what is missing of authority and leaf, renew what is due, and say where they are.

    `names` are DNS names, the first the one in the leaf's subject; an IP address among them is taken as one. The leaf is
    renewed when two thirds of its life are over, when it does not carry all that is asked for, and when it or its key
    cannot be read; the authority stays the same. `with_rsa` keeps a second leaf with an RSA key beside it, which OCPP asks of
    the stations' listener. Reads and writes files: not to be called in the event loop.

    Raises:
        AuthorityUnusable: The authority is damaged, or has expired and a new leaf is needed.
        ValueError: A name is none.
    """
    now = max(datetime.fromtimestamp(now_ms / 1000, UTC), EARLIEST_PLAUSIBLE)
    directory = data_directory / "tls"
    wanted_names, wanted_addresses = sorted_out(names, addresses)
    if not (directory / "ca.pem").exists() and not (directory / "ca.key").exists():
        make_authority(directory, wanted_names, wanted_addresses, now)
    authority = read_authority(directory)
    directory.chmod(0o700)

    subject = permitted_subject(authority.certificate, wanted_names, wanted_addresses)
    leaves = [kept_leaf(directory, kind, authority, subject, now) for kind in ("site", "site-rsa")[: 1 + with_rsa]]
    return SiteCertificate(
        ca_file=directory / "ca.pem",
        chain_file=directory / "site.pem",
        key_file=directory / "site.key",
        ca_fingerprint_sha256=fingerprint(authority.certificate),
        ca_expires_at_ms=milliseconds(authority.certificate.not_valid_after_utc),
        expires_at_ms=min(milliseconds(leaf.not_valid_after_utc) for leaf, _ in leaves),
        renewed=any(made for _, made in leaves),
        left_out=subject.left_out,
        rsa_files=(directory / "site-rsa.pem", directory / "site-rsa.key") if with_rsa else None,
    )


def milliseconds(moment: datetime) -> int:
    """Of the epoch, as all times of ours."""
    return int(moment.timestamp()) * 1000
