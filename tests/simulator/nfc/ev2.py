"""The reader's side of an NTAG 424 DNA's secure messaging (AN12196), as small as a test needs it, over a tag of nfcpy.

Written apart from the card's, so that a mistake in one is found by the other.
"""

from __future__ import annotations

import binascii
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

FACTORY_KEY = bytes(16)
SELECT_APPLICATION = bytes.fromhex("00A4040C07D2760000850101")


class Refused(Exception):
    """The card answered with this status."""

    def __init__(self, status: bytes) -> None:
        super().__init__(status.hex())
        self.status = status


def mac(key: bytes, data: bytes) -> bytes:
    """The full CMAC."""
    calculator = CMAC(algorithms.AES(key))
    calculator.update(data)
    return calculator.finalize()


def cbc(key: bytes, data: bytes, start: bytes = bytes(16), *, backwards: bool = False) -> bytes:
    """AES-128 in CBC mode."""
    cipher = Cipher(algorithms.AES(key), modes.CBC(start))
    context = cipher.decryptor() if backwards else cipher.encryptor()
    return context.update(data) + context.finalize()


def native(tag: Any, code: int, data: bytes = b"") -> bytes:
    """A native command; its answer without the status word.

    Raises:
        Refused: Neither done nor to be continued.
    """
    length = bytes([len(data)]) if data else b""
    answer = bytes(tag.transceive(bytes((0x90, code, 0, 0)) + length + data + b"\0"))
    if answer[-2:] not in {b"\x91\x00", b"\x91\xaf", b"\x91\x90"}:
        raise Refused(answer[-2:])
    return answer[:-2]


class Host:
    """Authenticated to a card with one of its keys."""

    def __init__(self, tag: Any, number: int = 0, key: bytes = FACTORY_KEY) -> None:
        self.tag = tag
        assert bytes(tag.transceive(SELECT_APPLICATION)) == b"\x90\x00"
        theirs = cbc(key, native(tag, 0x71, bytes((number, 0))), backwards=True)
        ours = bytes(range(16))
        answer = native(tag, 0xAF, cbc(key, ours + theirs[1:] + theirs[:1]))
        proof = cbc(key, answer, backwards=True)
        assert proof[4:20] == ours[1:] + ours[:1]
        self.transaction = proof[:4]
        middle = bytes(a ^ b for a, b in zip(ours[2:8], theirs[:6], strict=True))
        vector = bytes.fromhex("00010080") + ours[:2] + middle + theirs[6:] + ours[8:]
        self.cipher_key = mac(key, b"\xa5\x5a" + vector)
        self.mac_key = mac(key, b"\x5a\xa5" + vector)
        self.counter = 0

    def plain(self, code: int, data: bytes) -> bytes:
        """A command in CommMode.Plain."""
        answer = native(self.tag, code, data)
        self.counter += 1
        return answer

    def authentic(self, code: int, header: bytes, data: bytes = b"") -> bytes:
        """A command in CommMode.MAC; what it answers, its MAC checked."""
        signed = bytes([code]) + self._count() + self.transaction + header + data
        answer = native(self.tag, code, header + data + mac(self.mac_key, signed)[1::2])
        self.counter += 1
        return self._checked(answer)

    def secret(self, code: int, header: bytes, data: bytes = b"") -> bytes:
        """A command in CommMode.Full; what it answers, in plain."""
        if data:
            filled = data + b"\x80" + bytes(-(len(data) + 1) % 16)
            data = cbc(self.cipher_key, filled, self._start(b"\xa5\x5a"))
        answer = self.authentic(code, header, data)
        if not answer:
            return b""
        return cbc(self.cipher_key, answer, self._start(b"\x5a\xa5"), backwards=True).rstrip(b"\0")[:-1]

    def change_key(self, number: int, new: bytes, old: bytes = FACTORY_KEY, version: int = 1) -> None:
        """ChangeKey; after that of key 0 the session is over."""
        if number == 0:
            filled = new + bytes([version]) + b"\x80" + bytes(14)
            data = cbc(self.cipher_key, filled, self._start(b"\xa5\x5a"))
            signed = b"\xc4" + self._count() + self.transaction + b"\0" + data
            assert native(self.tag, 0xC4, b"\0" + data + mac(self.mac_key, signed)[1::2]) == b""
            return
        mixed = bytes(a ^ b for a, b in zip(new, old, strict=True))
        checksum = (binascii.crc32(new) ^ 0xFFFFFFFF).to_bytes(4, "little")
        self.secret(0xC4, bytes([number]), mixed + bytes([version]) + checksum)

    def _checked(self, answer: bytes) -> bytes:
        if not answer:
            return b""
        data, sent = answer[:-8], answer[-8:]
        assert sent == mac(self.mac_key, b"\0" + self._count() + self.transaction + data)[1::2]
        return data

    def _count(self) -> bytes:
        return self.counter.to_bytes(2, "little")

    def _start(self, label: bytes) -> bytes:
        return cbc(self.cipher_key, label + self.transaction + self._count() + bytes(8))
