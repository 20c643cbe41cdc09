"""The cryptography of NTAG 424 DNA: AES in CBC mode, truncated CMACs, and the secure messaging of one session.

After the data sheet NT4H2421Gx, section 9.1, seen from the card. What it protects is in `ntag424`.
"""

from __future__ import annotations

import hmac
import zlib
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK_BYTES: Final = 16
MAC_BYTES: Final = 8
NO_START: Final = bytes(BLOCK_BYTES)
ENCRYPTION_LABEL: Final = bytes.fromhex("A55A00010080")
MAC_LABEL: Final = bytes.fromhex("5AA500010080")
TO_CARD: Final = bytes.fromhex("A55A")
FROM_CARD: Final = bytes.fromhex("5AA5")


class WrongMac(Exception):
    """A command's MAC or its padding is not right."""


def encrypt(key: bytes, data: bytes, start: bytes = NO_START) -> bytes:
    """AES-128 in CBC mode over whole blocks."""
    encryptor = Cipher(AES(key), CBC(start)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt(key: bytes, data: bytes, start: bytes = NO_START) -> bytes:
    """The reverse."""
    decryptor = Cipher(AES(key), CBC(start)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def cmac(key: bytes, data: bytes) -> bytes:
    """AES-CMAC, 16 bytes."""
    mac = CMAC(AES(key))
    mac.update(data)
    return mac.finalize()


def short_mac(key: bytes, data: bytes) -> bytes:
    """Every second byte of the CMAC: 8 bytes."""
    return cmac(key, data)[1::2]


def padded(data: bytes) -> bytes:
    """ISO/IEC 9797-1, method 2: an 80, then zeros."""
    return data + b"\x80" + bytes(-(len(data) + 1) % BLOCK_BYTES)


def unpadded(data: bytes) -> bytes:
    """The reverse; WrongMac if there is no 80."""
    stripped = data.rstrip(b"\0")
    if not stripped.endswith(b"\x80"):
        raise WrongMac
    return stripped[:-1]


def checksum(key: bytes) -> bytes:
    """CRC32 of IEEE 802.3 without the last inversion, low byte first."""
    return (zlib.crc32(key) ^ 0xFFFFFFFF).to_bytes(4, "little")


def session_keys(key: bytes, theirs: bytes, ours: bytes) -> tuple[bytes, bytes]:
    """The keys for encryption and for MACs, out of the random numbers of reader and card (9.1.7)."""
    mixed = bytes(a ^ b for a, b in zip(theirs[2:8], ours[:6], strict=True))
    context = theirs[:2] + mixed + ours[6:] + theirs[8:]
    return cmac(key, ENCRYPTION_LABEL + context), cmac(key, MAC_LABEL + context)


@dataclass(slots=True)
class Session:
    """Secure messaging after an authentication."""

    key_number: int
    encryption_key: bytes
    mac_key: bytes
    transaction: bytes
    """TI, 4 bytes."""
    counter: int = 0
    """Commands so far."""

    def authentic(self, command: int, header: bytes, data: bytes) -> bytes:
        """The data of a command without its MAC.

        Raises:
            WrongMac: It is missing or wrong.
        """
        content, mac = data[:-MAC_BYTES], data[-MAC_BYTES:]
        expected = short_mac(self.mac_key, bytes([command]) + self._count() + self.transaction + header + content)
        if not hmac.compare_digest(mac, expected):
            raise WrongMac
        return content

    def decrypted(self, data: bytes) -> bytes:
        """The plain data of a command; WrongMac if it cannot be."""
        if len(data) % BLOCK_BYTES:
            raise WrongMac
        return unpadded(decrypt(self.encryption_key, data, self._start(TO_CARD))) if data else b""

    def advance(self) -> None:
        """A command was accepted; its answer counts as the next."""
        self.counter += 1

    def encrypted(self, data: bytes) -> bytes:
        """The data of an answer, enciphered."""
        return encrypt(self.encryption_key, padded(data), self._start(FROM_CARD)) if data else b""

    def sealed(self, status: int, data: bytes) -> bytes:
        """The data of an answer with its MAC."""
        mac = short_mac(self.mac_key, bytes([status]) + self._count() + self.transaction + data)
        return data + mac

    def _count(self) -> bytes:
        return self.counter.to_bytes(2, "little")

    def _start(self, label: bytes) -> bytes:
        return encrypt(self.encryption_key, label + self.transaction + self._count() + bytes(8))
