"""The site's own certificate authorities and the certificates of this box, so that every page is HTTPS from the first.

All are made at first start and live under `tls/` in the data directory. The authorities last ten years: people install the one
on their devices, chargers are given the other. The leaves are renewed by themselves. Certificates of charging stations are not made here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from appliance.host.tls.authority import (
    BROWSERS,
    STATIONS,
    make_authority,
    make_stations_authority,
    read_authority,
)
from appliance.host.tls.leaf import kept_leaf
from appliance.host.tls.parts import fingerprint
from appliance.host.tls.subject import permitted_subject, sorted_out

EARLIEST_PLAUSIBLE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A box without a clock of its own wakes up in 1970; a certificate of that year would serve nobody."""
SHARED_RSA: Final = "site-rsa"
"""The second leaf under the browsers' authority. It lies there where chargers were served under that one."""


@dataclass(frozen=True, slots=True)
class SiteCertificate:
    """What a listener shows, and what is known of the authority behind it."""

    ca_file: Path
    ca_pem: bytes
    leaf_file: Path
    """Without its authority: whoever is to trust it has that."""
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
    """Certificate and key of a second leaf for chargers that know nothing but RSA; None for browsers."""

    @property
    def is_browsers(self) -> bool:
        """Whether it stands under the browsers' authority."""
        return self.ca_file.stem == BROWSERS


def ensure(data_directory: Path, names: Iterable[str], addresses: Iterable[str], now_ms: int) -> SiteCertificate:
    """What browsers are shown: make what is missing of authority and leaf, renew what is due, and say where they are.

    `names` are DNS names, the first the one in the leaf's subject; an IP address among them is taken as one. The leaf is
    renewed when two thirds of its life are over, when it does not carry all that is asked for, and when it or its key
    cannot be read; the authority stays the same. Reads and writes files: not to be called in the event loop.

    Raises:
        AuthorityUnusable: The authority is damaged, or has expired and a new leaf is needed.
        ValueError: A name is none.
    """
    return _certificate(data_directory / "tls", BROWSERS, ("site",), names, addresses, now_ms)


def ensure_for_stations(
    data_directory: Path, names: Iterable[str], addresses: Iterable[str], now_ms: int
) -> SiteCertificate:
    """What chargers are shown, as `ensure` does it, with a second leaf beside it whose key is RSA, which OCPP asks for.

    Where chargers have been given the browsers' authority by an earlier release, it stays theirs until `part_stations`.
    """
    directory = data_directory / "tls"
    if share_authority(directory):
        return _certificate(directory, BROWSERS, ("site", SHARED_RSA), names, addresses, now_ms)
    return _certificate(directory, STATIONS, ("stations", "stations-rsa"), names, addresses, now_ms)


def share_authority(directory: Path) -> bool:
    """Whether chargers have been given the browsers' authority, and none of their own since."""
    return (directory / f"{SHARED_RSA}.pem").exists() and not (directory / f"{STATIONS}.pem").exists()


def part_stations(data_directory: Path, names: Iterable[str], now_ms: int) -> None:
    """Give chargers an authority of their own: from the next `ensure_for_stations` on they are shown a leaf under that one."""
    directory = data_directory / "tls"
    if share_authority(directory):
        make_stations_authority(directory, sorted_out(names, ())[0], _moment(now_ms))


def _certificate(
    directory: Path, files: str, leaves: tuple[str, ...], names: Iterable[str], addresses: Iterable[str], now_ms: int
) -> SiteCertificate:
    now = _moment(now_ms)
    wanted_names, wanted_addresses = sorted_out(names, addresses)
    if _is_missing(directory, files, leaves[0]):
        if files == STATIONS:
            make_stations_authority(directory, wanted_names, now)
        else:
            make_authority(directory, wanted_names, wanted_addresses, now)
    authority = read_authority(directory, files)
    directory.chmod(0o700)

    subject = permitted_subject(authority.certificate, wanted_names, wanted_addresses)
    kept = [kept_leaf(directory, kind, authority, subject, now) for kind in leaves]
    first, *further = leaves
    return SiteCertificate(
        ca_file=directory / f"{files}.pem",
        ca_pem=authority.certificate.public_bytes(Encoding.PEM),
        leaf_file=directory / f"{first}.pem",
        key_file=directory / f"{first}.key",
        ca_fingerprint_sha256=fingerprint(authority.certificate),
        ca_expires_at_ms=milliseconds(authority.certificate.not_valid_after_utc),
        expires_at_ms=min(milliseconds(leaf.not_valid_after_utc) for leaf, _ in kept),
        renewed=any(made for _, made in kept),
        left_out=subject.left_out,
        rsa_files=(directory / f"{further[0]}.pem", directory / f"{further[0]}.key") if further else None,
    )


def _is_missing(directory: Path, files: str, leaf: str) -> bool:
    """Whether there is no authority, or half of one that a crash left behind before it had signed anything."""
    pem, key, signed = (directory / name for name in (f"{files}.pem", f"{files}.key", f"{leaf}.pem"))
    return not pem.exists() and not (key.exists() and signed.exists())


def _moment(now_ms: int) -> datetime:
    return max(datetime.fromtimestamp(now_ms / 1000, UTC), EARLIEST_PLAUSIBLE)


def milliseconds(moment: datetime) -> int:
    """Of the epoch, as all times of ours."""
    return int(moment.timestamp()) * 1000
