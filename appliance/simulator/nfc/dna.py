"""What is inside an NTAG 424 DNA: three files, five AES keys, and the native commands that get at them.

After the data sheet NT4H2421Gx (10.4 to 10.8), in AES mode only. How commands arrive, and ISO/IEC 7816-4, is in `ntag424`;
the cryptography is in `aes`, the message that proves the card at each reading in `sun`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from appliance.simulator.nfc import sun
from appliance.simulator.nfc.aes import (
    BLOCK_BYTES,
    MAC_BYTES,
    Session,
    WrongMac,
    checksum,
    decrypt,
    encrypt,
    session_keys,
)
from appliance.simulator.nfc.cards import Entropy
from appliance.simulator.nfc.dna_files import (
    ABORTED,
    AUTHENTIC,
    AUTHENTICATION,
    BOUNDARY,
    ENCIPHERED,
    FILE_NOT_FOUND,
    FREE,
    ILLEGAL_COMMAND,
    INTEGRITY,
    LENGTH,
    MIRRORS,
    NEVER,
    NO_SUCH_KEY,
    OK,
    PARAMETER,
    PERMISSION,
    PLAIN,
    SIGNATURE_OK,
    File,
    Status,
)

KEYS: Final = 5
FACTORY_KEY: Final = bytes(16)
VERSION: Final = (bytes.fromhex("04040230001105"), bytes.fromhex("04040201021105"))
PRODUCTION: Final = bytes.fromhex("CF39D449800320")
CAPABILITY: Final = bytes.fromhex("001720010000FF0406E104010000000506E10500808283")
READ_DATA: Final = 0xAD
CONTINUE: Final = 0xAF

Store = Callable[[bytearray, int, bytes], None]
"""Writes into a file, unless the card is pulled away."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """An authentication between its halves."""

    key_number: int
    challenge: bytes
    first: bool


class Application:
    """Keys, files, and who is authenticated."""

    def __init__(
        self, uid: bytes, signature: bytes, *, entropy: Entropy, changing: Callable[[], None], store: Store
    ) -> None:
        """As it leaves the factory.

        Args:
            uid: 7 bytes.
            signature: 56 bytes.
            entropy: Random bytes for challenges and padding.
            changing: Called before keys or settings change.
            store: Writes into a file.
        """
        self.uid = uid
        self.signature = signature
        self.keys = [FACTORY_KEY] * KEYS
        self.key_versions = [0] * KEYS
        self.files = {
            1: File(0xE103, bytearray(CAPABILITY + bytes(9)), PLAIN, 0xE000),
            2: File(0xE104, bytearray(256), PLAIN, 0xEEE0),
            3: File(0xE105, bytearray(bytes.fromhex("007E") + bytes(126)), ENCIPHERED, 0x2330),
        }
        self.is_selected = False
        self._entropy = entropy
        self._changing = changing
        self._store = store
        self._session: Session | None = None
        self._handshake: Handshake | None = None
        self._version_part = 0
        self._reading: tuple[int, int] | None = None
        """Which file is being read, by which command: several in a row are one reading."""
        self._reading_before: tuple[int, int] | None = None
        self._padding = b""
        self._commands: dict[int, Callable[[bytes], bytes]] = {
            0x71: lambda data: self._begin(data, first=True),
            0x77: lambda data: self._begin(data, first=False),
            CONTINUE: self._continue,
            0x60: self._get_version,
            0x3C: self._read_signature,
            0x51: self._get_uid,
            0x5F: self._change_settings,
            0xF5: self._get_settings,
            0xF6: self._get_counter,
            0x64: self._get_key_version,
            0xC4: self._change_key,
            READ_DATA: self._read_data,
            0x8D: self._write_data,
        }

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody has proved a key."""
        return self._session is not None

    def select(self, *, selected: bool) -> None:
        """Chosen, or left; either way the session is over."""
        self.is_selected = selected
        self._session = None

    def reset(self) -> None:
        """Power was gone."""
        self.select(selected=False)
        self._handshake = self._reading = self._reading_before = None
        self._version_part = 0

    def next_command(self, *, native: bool) -> None:
        """A command comes: what several commands in a row have in common ends with any other."""
        self._reading_before, self._reading = self._reading, None
        if not native:
            self._handshake, self._version_part = None, 0

    def obey(self, code: int, data: bytes) -> bytes:
        """The answer to a native command, with its status word."""
        command = self._commands.get(code)
        try:
            if command is None:
                raise Status(ILLEGAL_COMMAND)
            if (self._handshake is not None or self._version_part) and code != CONTINUE:
                raise Status(ABORTED)
            return command(data)
        except WrongMac:
            return self._fail(INTEGRITY)
        except Status as status:
            return self._fail(status.code)

    def content(self, file: File, command: int) -> bytes:
        """What a reader without a key sees of a file: the first reading counts, those right after it belong to it (9.3.1).

        Raises:
            Status: It was read as often as it may be.
        """
        if file.mirroring is None:
            return bytes(file.data)
        self._reading = (command, file.identifier)
        if self._reading != self._reading_before:
            if file.counter >= file.mirroring.exhausted_at:
                raise Status(PERMISSION)
            file.counter += 1
            self._padding = self._entropy(BLOCK_BYTES)
        return sun.mirrored(
            file.mirroring,
            bytes(file.data),
            keys=self.keys,
            uid=self.uid,
            counter=file.counter,
            padding=self._padding,
        )

    def state(self) -> dict[str, Any]:
        """Everything that lasts, as JSON can carry it."""
        return {
            "uid": self.uid.hex(),
            "signature": self.signature.hex(),
            "keys": [key.hex() for key in self.keys],
            "key_versions": self.key_versions,
            "files": {str(number): file.state() for number, file in self.files.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        self.uid = bytes.fromhex(state["uid"])
        self.signature = bytes.fromhex(state["signature"])
        self.keys = [bytes.fromhex(key) for key in state["keys"]]
        self.key_versions = [int(version) for version in state["key_versions"]]
        for number, told in state["files"].items():
            self.files[int(number)].restore(told)

    def _fail(self, code: int) -> bytes:
        self._session = self._handshake = None
        self._version_part = 0
        return bytes((0x91, code))

    def _begin(self, data: bytes, *, first: bool) -> bytes:
        if len(data) < (2 if first else 1):
            raise Status(LENGTH)
        number = data[0]
        if number >= KEYS or not self.is_selected:
            raise Status(NO_SUCH_KEY)
        if not first and self._session is None:
            raise Status(AUTHENTICATION)
        self._handshake = Handshake(number, self._entropy(BLOCK_BYTES), first)
        return encrypt(self.keys[number], self._handshake.challenge) + bytes((0x91, CONTINUE))

    def _continue(self, data: bytes) -> bytes:
        if self._version_part:
            return self._more_version()
        if self._handshake is None:
            raise Status(ILLEGAL_COMMAND)
        handshake, self._handshake = self._handshake, None
        if len(data) != 2 * BLOCK_BYTES:
            raise Status(LENGTH)
        key = self.keys[handshake.key_number]
        both = decrypt(key, data)
        theirs, ours = both[:BLOCK_BYTES], both[BLOCK_BYTES:]
        if not hmac.compare_digest(ours, _turned(handshake.challenge)):
            raise Status(AUTHENTICATION)
        previous = self._session
        encryption_key, mac_key = session_keys(key, theirs, handshake.challenge)
        if handshake.first or previous is None:
            transaction, counter = self._entropy(4), 0
            proof = transaction + _turned(theirs) + bytes(12)
        else:
            transaction, counter = previous.transaction, previous.counter
            proof = _turned(theirs)
        self._session = Session(handshake.key_number, encryption_key, mac_key, transaction, counter)
        return encrypt(key, proof) + bytes((0x91, OK))

    def _get_version(self, data: bytes) -> bytes:
        self._expect(len(data) == 0)
        if self._session is not None:
            raise Status(PERMISSION)
        self._version_part = 1
        return VERSION[0] + bytes((0x91, CONTINUE))

    def _more_version(self) -> bytes:
        if self._version_part == 1:
            self._version_part = 2
            return VERSION[1] + bytes((0x91, CONTINUE))
        self._version_part = 0
        return self.uid + PRODUCTION + bytes((0x91, OK))

    def _read_signature(self, data: bytes) -> bytes:
        self._opened(0x3C, data, 1, self._authentic_if_in_session())
        return self._closed(self.signature, ENCIPHERED if self._session else PLAIN, SIGNATURE_OK)

    def _get_uid(self, data: bytes) -> bytes:
        self._session_needed()
        self._opened(0x51, data, 0, AUTHENTIC)
        return self._closed(self.uid, ENCIPHERED)

    def _get_key_version(self, data: bytes) -> bytes:
        mode = self._authentic_if_in_session()
        header, _ = self._opened(0x64, data, 1, mode)
        if header[0] >= KEYS:
            raise Status(NO_SUCH_KEY)
        return self._closed(bytes([self.key_versions[header[0]]]), mode)

    def _change_key(self, data: bytes) -> bytes:
        if self._session_needed().key_number != 0:
            raise Status(AUTHENTICATION)
        header, plain = self._opened(0xC4, data, 1, ENCIPHERED)
        number = header[0]
        if number >= KEYS:
            raise Status(NO_SUCH_KEY)
        self._expect(len(plain) == (17 if number == 0 else 21))
        key = plain[:16]
        if number != 0:
            key = bytes(new ^ old for new, old in zip(key, self.keys[number], strict=True))
            if plain[17:] != checksum(key):
                raise Status(INTEGRITY)
        self._changing()
        self.keys[number], self.key_versions[number] = key, plain[16]
        if number == 0:
            # The key of this very session is gone, and with it the session (10.6.1).
            self._session = None
        return self._closed(b"", AUTHENTIC if self._session else PLAIN)

    def _change_settings(self, data: bytes) -> bytes:
        file = self._file(data)
        if file.changing == NEVER:
            raise Status(PERMISSION)
        by_key = self._session is not None and self._session.key_number == file.changing
        if not by_key and file.changing != FREE:
            raise Status(AUTHENTICATION)
        _header, plain = self._opened(0x5F, data, 1, ENCIPHERED if by_key else PLAIN)
        self._expect(len(plain) >= 3)
        option, rights = plain[0], int.from_bytes(plain[1:3], "little")
        if option & ~(MIRRORS | ENCIPHERED) or (plain[3:] and not option & MIRRORS):
            raise Status(PARAMETER)
        try:
            mirroring = sun.parse(plain[3:], len(file.data)) if option & MIRRORS else None
        except sun.BadSettings:
            raise Status(PARAMETER) from None
        self._changing()
        if file.mirroring is None:
            file.counter = 0
        file.mode, file.rights, file.mirroring = option & ENCIPHERED, rights, mirroring
        return self._closed(b"", AUTHENTIC if by_key else PLAIN)

    def _get_settings(self, data: bytes) -> bytes:
        file = self._file(data)
        mode = self._authentic_if_in_session()
        self._opened(0xF5, data, 1, mode)
        option = file.mode | (0 if file.mirroring is None else MIRRORS)
        told = bytes((0, option)) + file.rights.to_bytes(2, "little") + len(file.data).to_bytes(3, "little")
        return self._closed(told + (b"" if file.mirroring is None else sun.settings_of(file.mirroring)), mode)

    def _get_counter(self, data: bytes) -> bytes:
        file = self._file(data)
        if file.mirroring is None or file.mirroring.counter_right == NEVER:
            raise Status(PERMISSION)
        by_key = self._session is not None and self._session.key_number == file.mirroring.counter_right
        if not by_key and file.mirroring.counter_right != FREE:
            raise Status(AUTHENTICATION)
        self._opened(0xF6, data, 1, AUTHENTIC if self._session else PLAIN)
        return self._closed(file.counter.to_bytes(3, "little") + bytes(2), ENCIPHERED if self._session else PLAIN)

    def _read_data(self, data: bytes) -> bytes:
        file = self._file(data)
        mode = self._mode(file, file.reading) if self._session or not file.is_readable_by_all else PLAIN
        header, _ = self._opened(READ_DATA, data, 7, AUTHENTIC if mode else PLAIN)
        offset, length = int.from_bytes(header[1:4], "little"), int.from_bytes(header[4:7], "little")
        if offset >= len(file.data) or offset + length > len(file.data):
            raise Status(BOUNDARY)
        content = bytes(file.data) if self._session else self.content(file, READ_DATA)
        return self._closed(content[offset : offset + length] if length else content[offset:], mode)

    def _write_data(self, data: bytes) -> bytes:
        file = self._file(data)
        mode = self._mode(file, file.writing)
        header, plain = self._opened(0x8D, data, 7, mode)
        offset, length = int.from_bytes(header[1:4], "little"), int.from_bytes(header[4:7], "little")
        self._expect(len(plain) == length)
        if offset + length > len(file.data):
            raise Status(BOUNDARY)
        self._store(file.data, offset, plain)
        return self._closed(b"", AUTHENTIC if mode else PLAIN)

    def _file(self, data: bytes) -> File:
        if not self.is_selected:
            raise Status(PERMISSION)
        self._expect(len(data) >= 1)
        file = self.files.get(data[0] & 0x1F)
        if file is None:
            raise Status(FILE_NOT_FOUND)
        return file

    def _mode(self, file: File, rights: tuple[int, int]) -> int:
        """How a file is read or written by who is authenticated now."""
        if self._session is not None and self._session.key_number in rights:
            return file.mode
        if FREE in rights:
            return PLAIN
        raise Status(PERMISSION if set(rights) == {NEVER} else AUTHENTICATION)

    def _session_needed(self) -> Session:
        if self._session is None:
            raise Status(AUTHENTICATION)
        return self._session

    def _authentic_if_in_session(self) -> int:
        return AUTHENTIC if self._session else PLAIN

    def _opened(self, command: int, data: bytes, header_bytes: int, mode: int) -> tuple[bytes, bytes]:
        """Header and plain data of a command, its MAC checked."""
        session = self._session
        mac_bytes = MAC_BYTES if session is not None and mode else 0
        self._expect(len(data) >= header_bytes + mac_bytes)
        header, rest = data[:header_bytes], data[header_bytes:]
        if session is None:
            return header, rest
        if mode:
            rest = session.authentic(command, header, rest)
        if mode == ENCIPHERED:
            rest = session.decrypted(rest)
        session.advance()
        return header, rest

    def _closed(self, data: bytes, mode: int, status: int = OK) -> bytes:
        """The answer, protected as its mode says."""
        if self._session is not None and mode:
            data = self._session.encrypted(data) if mode == ENCIPHERED else data
            data = self._session.sealed(OK, data)
        return data + bytes((0x91, status))

    @staticmethod
    def _expect(right: bool) -> None:
        if not right:
            raise Status(LENGTH)


def _turned(data: bytes) -> bytes:
    """Rotated by one byte to the left."""
    return data[1:] + data[:1]
