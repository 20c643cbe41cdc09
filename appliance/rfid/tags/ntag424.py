"""NTAG 424 DNA: a Type 4 tag with five AES keys, which puts its UID and a count of its taps, signed, into its link (SUN).

After the datasheet NT4H2421Gx (rev. 3.0) and AN12196. Whoever opens the link can be told from somebody who copied it:
services/cards/secure_tap.py checks that. Key 0 is written last when the card is locked and when it is opened again, so that it tells, on a
card that was torn away, which way the work was going; and every other key is tried before it is replaced.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from appliance.domain.cards.content import SUN_FILE_KEY, SUN_META_KEY, chip_key
from appliance.domain.cards.tag import Content, Keys, Kind, Seen, TagTrouble, Trouble
from appliance.rfid.field import CardSilent
from appliance.rfid.tags import ev2, ndef_message
from appliance.rfid.tags.link import Link
from appliance.rfid.tags.originality import is_genuine
from appliance.rfid.tags.type4 import LENGTH_BYTES, File, Type4Chip

GET_VERSION = bytes.fromhex("9060000000")
READ_SIGNATURE = bytes.fromhex("903C0000010000")
SIGNATURE_BYTES = 56
MORE = bytes.fromhex("90AF000000")
VERSION_PARTS = 3
IS_NTAG = 0x04
IS_424_DNA = 0x30
"""Second and fourth byte of the version: type of hardware, and its major number."""

AUTHENTICATE_FIRST = 0x71
AUTHENTICATE_SECOND = 0xAF
GET_FILE_SETTINGS = 0xF5
CHANGE_FILE_SETTINGS = 0x5F
CHANGE_KEY = 0xC4
WRITE_DATA = 0x8D
DONE = 0x9100
CONTINUED = 0x91AF
DELAYED = 0x91AD
"""Too many wrong keys in a row: it lets one wait."""

MESSAGE_FILE = 2
KEYS = range(5)
KEY_VERSION = 1
"""Of ours; the maker's has 0."""
FREE = 0xE
BY_KEY_0 = 0x0
FACTORY_SETTINGS = bytes.fromhex("00E0EE")
"""No SUN, plain, everything free but the settings themselves, which need key 0."""
LOCKED_RIGHTS = bytes.fromhex("00E0")
"""Reading free, the rest by key 0."""
SUN_ON = 0x40
SUN_MIRRORS = 0xC1
"""UID and counter, as hex digits."""
NO_COUNTER_FOR_ANYONE = 0xFF
PICC_DIGITS = 32
MAC_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to stand in the file, and how the chip is to fill it in."""

    message: bytes
    settings: bytes


def plan(content: Content) -> Plan:
    """The message with room for what the chip puts in, and the settings that tell it where (ChangeFileSettings, 10.7.1)."""
    if not content.link:
        return Plan(ndef_message.encode(content), bytes([0]) + LOCKED_RIGHTS)
    mark = "&" if "?" in content.link else "?"
    tail = f"{mark}p={'0' * PICC_DIGITS}&m={'0' * MAC_DIGITS}"
    message = ndef_message.encode(Content(content.link + tail, content.record))
    picc_at = LENGTH_BYTES + message.index(tail.encode()) + len("?p=")
    mac_at = picc_at + PICC_DIGITS + len("&m=")
    # The signature covers nothing but UID and counter: its input begins where it stands itself.
    offsets = b"".join(at.to_bytes(3, "little") for at in (picc_at, mac_at, mac_at))
    keys = bytes((NO_COUNTER_FOR_ANYONE, SUN_META_KEY << 4 | SUN_FILE_KEY))
    return Plan(message, bytes([SUN_ON]) + LOCKED_RIGHTS + bytes([SUN_MIRRORS]) + keys + offsets)


def is_ntag424(link: Link) -> bool:
    """Whether the ISO-DEP card that was just selected says so."""
    data, status = link.apdu(GET_VERSION)
    for _ in range(VERSION_PARTS - 1):
        if status == CONTINUED:
            more, status = link.apdu(MORE)
            data += more
    return status == DONE and len(data) > 3 and data[1] == IS_NTAG and data[3] == IS_424_DNA


class Ntag424Chip(Type4Chip):
    """An NTAG 424 DNA."""

    kind = Kind.NTAG424

    def see(self) -> Seen:
        """What stands on it, without what the chip puts into its link."""
        file = self.open_file()
        if file is None:
            return Seen(uid=self.link.uid, kind=self.kind)
        reading = ndef_message.decode(self.message(file))
        content = Content(ndef_message.SUN_TAIL.sub("", reading.content.link), reading.content.record)
        return Seen(
            uid=self.link.uid,
            kind=self.kind,
            content=content,
            writable=True,
            locked=not _is_free(self._settings()),
            genuine=self._is_genuine(),
            foreign=reading.foreign,
        )

    def write(self, content: Content, keys: Keys) -> None:
        """Message, settings, keys 1 to 4, length of the message, key 0."""
        wanted = plan(content)
        file = self._file()
        if LENGTH_BYTES + len(wanted.message) > file.size:
            raise TagTrouble(Trouble.TOO_SMALL)
        is_right = self._settings() == wanted.settings and self._stands_there(file, wanted.message)
        held, session = self._prove(keys)
        if not is_right:
            self._write(session, file, 0, bytes(LENGTH_BYTES))
            self._write(session, file, LENGTH_BYTES, wanted.message)
            self._secret(session, CHANGE_FILE_SETTINGS, MESSAGE_FILE, wanted.settings)
        self._change_keys(session, held, [chip_key(keys, number) for number in KEYS], KEY_VERSION)
        if not is_right:
            self._write(session, file, 0, len(wanted.message).to_bytes(LENGTH_BYTES, "big"))
        self._change_key(session, 0, held[0], chip_key(keys, 0), KEY_VERSION)

    def wipe(self, keys: Keys) -> None:
        """No message, the maker's settings, zeros, the maker's keys."""
        file = self._file()
        has_makers_settings = self._settings() == FACTORY_SETTINGS
        is_empty = has_makers_settings and not any(self.read(file, 0, file.size))
        held, session = self._prove(keys)
        if not is_empty:
            self._write(session, file, 0, bytes(LENGTH_BYTES))
            if not has_makers_settings:
                self._secret(session, CHANGE_FILE_SETTINGS, MESSAGE_FILE, FACTORY_SETTINGS)
            self._write(session, file, LENGTH_BYTES, bytes(file.size - LENGTH_BYTES))
        self._change_keys(session, held, [ev2.FACTORY_KEY for _ in KEYS], 0)
        self._change_key(session, 0, held[0], ev2.FACTORY_KEY, 0)

    def is_locked_with(self, keys: Keys) -> bool:
        """Whether writing needs key 0, and that key and both of SUN are ours."""
        if self.open_file() is None or self._settings()[1:3] != LOCKED_RIGHTS:
            return False
        return all(self._authenticate(number, chip_key(keys, number)) for number in (0, SUN_FILE_KEY, SUN_META_KEY))

    def _file(self) -> File:
        file = self.open_file()
        if file is None:
            raise TagTrouble(Trouble.REFUSED)
        return file

    def _stands_there(self, file: File, message: bytes) -> bool:
        """Whether the message is the one there, whatever the chip has put into its link while it was read."""
        found = self.message(file)
        if found is None or len(found) != len(message):
            return False
        now, wanted = ndef_message.decode(found).content, ndef_message.decode(message).content
        return (ndef_message.SUN_TAIL.sub("", now.link), now.record) == (
            ndef_message.SUN_TAIL.sub("", wanted.link),
            wanted.record,
        )

    def _settings(self) -> bytes:
        """Of the file with the message, in the form in which they are set."""
        data, status = self.link.apdu(bytes((0x90, GET_FILE_SETTINGS, 0, 0, 1, MESSAGE_FILE, 0)))
        if status != DONE:
            raise CardSilent(f"GetFileSettings: {status:04X}", refused=True)
        # Type of the file in front, and its size behind the rights, are not settings.
        return data[1:4] + data[7:]

    def _is_genuine(self) -> bool | None:
        data, status = self.link.apdu(READ_SIGNATURE)
        if status & 0xFF00 != DONE or len(data) != SIGNATURE_BYTES:
            return None
        return is_genuine(self.kind, self.link.uid, data)

    def _prove(self, keys: Keys) -> tuple[list[bytes], ev2.Session]:
        """Which key stands in each place, and a session with key 0.

        Raises:
            TagTrouble: LOCKED, there is a key that is neither ours nor the maker's, or the file cannot be changed.
        """
        settings = self._settings()
        if settings[1] & 0x0F != BY_KEY_0:
            raise TagTrouble(Trouble.LOCKED)
        # Wrong keys are counted by the chip, so the likelier one is tried first.
        ours_first = not _is_free(settings)
        held: list[bytes] = []
        session = None
        for number in reversed(KEYS):
            likely = [chip_key(keys, number), ev2.FACTORY_KEY]
            for key in likely if ours_first else reversed(likely):
                session = self._authenticate(number, key)
                if session:
                    held.insert(0, key)
                    break
            else:
                raise TagTrouble(Trouble.LOCKED)
        if session is None:
            raise TagTrouble(Trouble.LOCKED)
        return held, session

    def _change_keys(self, session: ev2.Session, held: list[bytes], wanted: list[bytes], version: int) -> None:
        for number in KEYS[1:]:
            self._change_key(session, number, held[number], wanted[number], version)

    def _change_key(self, session: ev2.Session, number: int, old: bytes, new: bytes, version: int) -> None:
        if old != new:
            self._secret(session, CHANGE_KEY, number, ev2.key_data(number, new, old, version))

    def _authenticate(self, number: int, key: bytes) -> ev2.Session | None:
        """AuthenticateEV2First; None for a wrong key."""
        challenge, status = self._native(AUTHENTICATE_FIRST, bytes((number, 0)))
        if status != CONTINUED:
            raise CardSilent(f"AuthenticateEV2First: {status:04X}", refused=status != DELAYED)
        ours = secrets.token_bytes(ev2.KEY_BYTES)
        sent, theirs = ev2.prove(key, challenge, ours)
        answer, status = self._native(AUTHENTICATE_SECOND, sent)
        return ev2.begin(key, ours, theirs, answer) if status == DONE else None

    def _write(self, session: ev2.Session, file: File, offset: int, data: bytes) -> None:
        """WriteData in CommMode.Plain: not encrypted, but counted."""
        for at in range(0, len(data), file.chunk_bytes):
            part = data[at : at + file.chunk_bytes]
            place = (offset + at).to_bytes(3, "little") + len(part).to_bytes(3, "little")
            _answer, status = self._native(WRITE_DATA, bytes([MESSAGE_FILE]) + place + part, changes=True)
            if status != DONE:
                raise CardSilent(f"WriteData: {status:04X}", refused=True)
            session.sent()

    def _secret(self, session: ev2.Session, instruction: int, number: int, data: bytes) -> None:
        """A command in CommMode.Full that changes something."""
        answer, status = self._native(instruction, session.full(instruction, bytes([number]), data), changes=True)
        session.sent()
        # Key 0 takes the session with it, and with it the signature of the answer.
        ends_session = instruction == CHANGE_KEY and number == 0
        if status != DONE or not (ends_session or session.is_right_answer(status & 0xFF, answer)):
            raise CardSilent(f"command {instruction:02X}: {status:04X}", refused=True)

    def _native(self, instruction: int, body: bytes, *, changes: bool = False) -> tuple[bytes, int]:
        """A command of the chip's own, wrapped as ISO/IEC 7816-4 wants it (clause 8.4)."""
        return self.link.apdu(bytes((0x90, instruction, 0, 0, len(body))) + body + b"\0", changes=changes)


def _is_free(settings: bytes) -> bool:
    """Whether anybody may write: the right to write, or the one to read and write, is free."""
    return settings[2] & 0x0F == FREE or settings[1] >> 4 == FREE
