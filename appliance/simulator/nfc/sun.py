"""Secure dynamic messaging of NTAG 424 DNA: a file that is another at each reading, as 9.3 of its data sheet says.

The settings, how they are told, and what is mirrored into the file; who may read it is decided in `ntag424`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.simulator.nfc.aes import BLOCK_BYTES, cmac, encrypt, short_mac

MIRRORS_UID: Final = 0x80
MIRRORS_COUNTER: Final = 0x40
LIMITS_COUNTER: Final = 0x20
ENCRYPTS_FILE: Final = 0x10
FREE: Final = 0xE
NEVER: Final = 0xF
KEYS: Final = range(5)
OFFSET_BYTES: Final = 3
NOWHERE: Final = 0xFFFFFF
COUNTER_MAX: Final = 0xFFFFFF
UID_BYTES: Final = 7
MAC_LABEL: Final = bytes.fromhex("3CC300010080")
ENCRYPTION_LABEL: Final = bytes.fromhex("C33C00010080")

Place = tuple[int, int]
"""Offset and length in the file."""


class BadSettings(Exception):
    """The settings do not fit together, or not into the file."""


@dataclass(frozen=True, slots=True)
class Mirroring:
    """What ChangeFileSettings says of it (10.7.1). Offsets are None where they are not given."""

    options: int
    rights: int
    """SDMAccessRights: four bits each for reading the metadata, the file, nothing, and the counter."""
    uid_offset: int | None = None
    counter_offset: int | None = None
    metadata_offset: int | None = None
    mac_input_offset: int | None = None
    encrypted_offset: int | None = None
    encrypted_bytes: int | None = None
    mac_offset: int | None = None
    counter_limit: int | None = None

    @property
    def metadata_right(self) -> int:
        """The key that encrypts UID and counter; E: they stand there in plain."""
        return self.rights >> 12 & 0xF

    @property
    def file_right(self) -> int:
        """The key of MAC and encryption; F: there is none."""
        return self.rights >> 8 & 0xF

    @property
    def counter_right(self) -> int:
        """The key for GetFileCounters."""
        return self.rights & 0xF

    @property
    def exhausted_at(self) -> int:
        """At this counter the file is not read any more."""
        return COUNTER_MAX if self.counter_limit is None else self.counter_limit


FIELDS: Final = (
    "uid_offset",
    "counter_offset",
    "metadata_offset",
    "mac_input_offset",
    "encrypted_offset",
    "encrypted_bytes",
    "mac_offset",
    "counter_limit",
)
"""In the order in which they are told."""


def parse(data: bytes, size_bytes: int) -> Mirroring:
    """The settings out of ChangeFileSettings, from SDMOptions on.

    Args:
        data: SDMOptions, SDMAccessRights, offsets and limit.
        size_bytes: Of the file.

    Raises:
        BadSettings: Too short, too long, or out of the file.
    """
    if len(data) < OFFSET_BYTES:
        raise BadSettings
    options, rights, rest = data[0], int.from_bytes(data[1:3], "little"), data[3:]
    if rights >> 12 & 0xF not in {*KEYS, FREE, NEVER} or rights >> 8 & 0xF not in {*KEYS, NEVER}:
        raise BadSettings
    given = _given(Mirroring(options, rights))
    if len(rest) != OFFSET_BYTES * len(given):
        raise BadSettings
    numbers = [int.from_bytes(rest[at : at + OFFSET_BYTES], "little") for at in range(0, len(rest), OFFSET_BYTES)]
    mirroring = Mirroring(options, rights, **dict(zip(given, numbers, strict=True)))
    _check(mirroring, size_bytes)
    return mirroring


def settings_of(mirroring: Mirroring) -> bytes:
    """The reverse, as GetFileSettings tells it."""
    numbers = (getattr(mirroring, name) for name in _given(mirroring))
    head = bytes([mirroring.options]) + mirroring.rights.to_bytes(2, "little")
    return head + b"".join(number.to_bytes(OFFSET_BYTES, "little") for number in numbers)


def mirrored(
    mirroring: Mirroring, data: bytes, *, keys: Sequence[bytes], uid: bytes, counter: int, padding: bytes
) -> bytes:
    """The file as it is read now.

    Args:
        mirroring: The settings.
        data: What was written into the file.
        keys: The five application keys.
        uid: 7 bytes.
        counter: SDMReadCtr, already counted up for this reading.
        padding: Random bytes, enough to fill a block.
    """
    file = bytearray(data)
    count = counter.to_bytes(OFFSET_BYTES, "little")
    seen_uid = uid if mirroring.options & MIRRORS_UID else b""
    seen_count = count if mirroring.options & MIRRORS_COUNTER else b""
    _put(file, mirroring.uid_offset, uid)
    _put(file, mirroring.counter_offset, count[::-1])
    if mirroring.metadata_offset is not None:
        tag = mirroring.options & (MIRRORS_UID | MIRRORS_COUNTER) | len(seen_uid)
        plain = (bytes([tag]) + seen_uid + seen_count + padding)[:BLOCK_BYTES]
        _put(file, mirroring.metadata_offset, encrypt(keys[mirroring.metadata_right], plain))
    if mirroring.mac_offset is not None and mirroring.mac_input_offset is not None:
        key = keys[mirroring.file_right]
        context = _filled(seen_uid + seen_count)
        if mirroring.encrypted_offset is not None and mirroring.encrypted_bytes is not None:
            session = cmac(key, ENCRYPTION_LABEL + context)
            end = mirroring.encrypted_offset + mirroring.encrypted_bytes // 2
            start = encrypt(session, count + bytes(BLOCK_BYTES - len(count)))
            _put(file, mirroring.encrypted_offset, encrypt(session, data[mirroring.encrypted_offset : end], start))
        covered = bytes(file[mirroring.mac_input_offset : mirroring.mac_offset])
        _put(file, mirroring.mac_offset, short_mac(cmac(key, MAC_LABEL + context), covered))
    return bytes(file)


def _given(mirroring: Mirroring) -> list[str]:
    """Which numbers are told, in their order."""
    plain = mirroring.metadata_right == FREE
    protected = mirroring.file_right != NEVER
    encrypted = protected and bool(mirroring.options & ENCRYPTS_FILE)
    present = (
        plain and bool(mirroring.options & MIRRORS_UID),
        plain and bool(mirroring.options & MIRRORS_COUNTER),
        mirroring.metadata_right < FREE,
        protected,
        encrypted,
        encrypted,
        protected,
        bool(mirroring.options & LIMITS_COUNTER),
    )
    return [name for name, is_given in zip(FIELDS, present, strict=True) if is_given]


def _check(mirroring: Mirroring, size_bytes: int) -> None:
    counter_offset = None if mirroring.counter_offset == NOWHERE else mirroring.counter_offset
    places = (
        _place(mirroring.uid_offset, 2 * UID_BYTES),
        _place(counter_offset, 2 * OFFSET_BYTES),
        _place(mirroring.metadata_offset, 2 * BLOCK_BYTES),
        _place(mirroring.encrypted_offset, mirroring.encrypted_bytes or 0),
        _place(mirroring.mac_offset, BLOCK_BYTES),
    )
    given = sorted(place for place in places if place is not None)
    ends = [offset + length for offset, length in given]
    overlapping = any(end > following[0] for end, following in zip(ends, given[1:], strict=False))
    backwards = (mirroring.mac_input_offset or 0) > (mirroring.mac_offset or 0)
    uneven = (mirroring.encrypted_bytes or 0) % (2 * BLOCK_BYTES)
    if overlapping or backwards or uneven or any(end > size_bytes for end in ends):
        raise BadSettings


def _place(offset: int | None, length: int) -> Place | None:
    return None if offset is None else (offset, length)


def _put(file: bytearray, offset: int | None, data: bytes) -> None:
    """As capital hexadecimal characters."""
    if offset is not None and offset != NOWHERE:
        text = data.hex().upper().encode()
        file[offset : offset + len(text)] = text


def _filled(context: bytes) -> bytes:
    """With zeros, so that with the label of six bytes whole blocks come out."""
    return context + bytes(-(len(context) + len(MAC_LABEL)) % BLOCK_BYTES)
