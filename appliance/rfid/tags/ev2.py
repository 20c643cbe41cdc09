"""Proving a key to an NTAG 424 DNA, and what is sent secretly afterwards: the arithmetic alone, no card in sight.

After the datasheet NT4H2421Gx (rev. 3.0, clause 9.1) and AN12196 (clauses 4 and 5), whose examples are its tests.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK_BYTES = 16
KEY_BYTES = 16
MAC_BYTES = 8
FACTORY_KEY = bytes(KEY_BYTES)


@dataclass(slots=True)
class Session:
    """What both sides agreed on when the key was proved. Every command of the session counts."""

    encryption_key: bytes
    mac_key: bytes
    transaction: bytes
    """TI, 4 bytes."""
    commands: int = 0

    def full(self, instruction: int, header: bytes, data: bytes) -> bytes:
        """The body of a command in CommMode.Full: header, data encrypted, and eight bytes of MAC (clause 9.1.10)."""
        vector = _encrypted(self.encryption_key, bytes(BLOCK_BYTES), self._vector(b"\xa5\x5a"))
        padded = data + b"\x80"
        hidden = _encrypted(
            self.encryption_key, vector, padded.ljust(-(-len(padded) // BLOCK_BYTES) * BLOCK_BYTES, b"\0")
        )
        return header + hidden + self._mac(instruction, header + hidden)

    def sent(self) -> None:
        """A command was obeyed."""
        self.commands += 1

    def is_right_answer(self, status: int, mac: bytes) -> bool:
        """Whether an answer without data comes from the card; `status` is the low byte of the status word."""
        return self._mac(status, b"") == mac

    def _mac(self, first: int, rest: bytes) -> bytes:
        message = bytes([first]) + self.commands.to_bytes(2, "little") + self.transaction + rest
        return cmac(self.mac_key, message)[1::2]

    def _vector(self, label: bytes) -> bytes:
        return label + self.transaction + self.commands.to_bytes(2, "little") + bytes(8)


def prove(key: bytes, challenge: bytes, ours: bytes) -> tuple[bytes, bytes]:
    """The second part of AuthenticateEV2First: from the card's encrypted nonce and our nonce (16 bytes each) what is sent
    (32 bytes), and the card's nonce."""
    theirs = _decrypted(key, bytes(BLOCK_BYTES), challenge)
    return _encrypted(key, bytes(BLOCK_BYTES), ours + theirs[1:] + theirs[:1]), theirs


def begin(key: bytes, ours: bytes, theirs: bytes, answer: bytes) -> Session | None:
    """The session, from both nonces and the card's last answer (32 bytes); None when the card did not know the key."""
    opened = _decrypted(key, bytes(BLOCK_BYTES), answer)
    transaction, proof = opened[:4], opened[4:20]
    if proof != ours[1:] + ours[:1]:
        return None
    mixed = bytes(one ^ other for one, other in zip(ours[2:8], theirs[:6], strict=True))
    context = b"\x00\x01\x00\x80" + ours[:2] + mixed + theirs[6:] + ours[8:]
    return Session(
        encryption_key=cmac(key, b"\xa5\x5a" + context),
        mac_key=cmac(key, b"\x5a\xa5" + context),
        transaction=transaction,
    )


def key_data(number: int, new: bytes, old: bytes, version: int) -> bytes:
    """What ChangeKey carries (clause 10.6.1). Key 0 is the one that was proved, so its old value needs no other proof."""
    if number == 0:
        return new + bytes([version])
    mixed = bytes(one ^ other for one, other in zip(new, old, strict=True))
    return mixed + bytes([version]) + (zlib.crc32(new) ^ 0xFFFFFFFF).to_bytes(4, "little")


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC (NIST SP 800-38B), 16 bytes."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def _encrypted(key: bytes, vector: bytes, text: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return encryptor.update(text) + encryptor.finalize()


def _decrypted(key: bytes, vector: bytes, text: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    return decryptor.update(text) + decryptor.finalize()
