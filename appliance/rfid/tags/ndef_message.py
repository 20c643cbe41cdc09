"""Our content as an NDEF message and back: a URI record first, because telephones open the first record, then ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

import ndef

from appliance.domain.cards.content import RECORD_TYPE
from appliance.domain.cards.tag import Content

SUN_TAIL = re.compile(r"[?&]p=[0-9A-Fa-f]{32}&m=[0-9A-Fa-f]{16}\Z")
"""What an NTAG 424 DNA puts in at every tap: UID and count of taps, encrypted, and its signature."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says."""

    content: Content
    foreign: bool
    """It is not made of one link and one record of ours, or nothing."""


NOTHING = Reading(Content(), foreign=False)
UNREADABLE = Reading(Content(), foreign=True)


def encode(content: Content) -> bytes:
    """The message; no bytes at all for no content."""
    records: list[ndef.Record] = []
    if content.link:
        records.append(ndef.UriRecord(content.link))
    if content.record:
        records.append(ndef.Record(RECORD_TYPE, "", content.record))
    return b"".join(ndef.message_encoder(records)) if records else b""


def decode(message: bytes | None) -> Reading:
    """What a message says; None is one that could not even be found."""
    if message is None:
        return UNREADABLE
    try:
        records = [record for record in ndef.message_decoder(message, errors="strict") if record.type]
    except (ndef.DecodeError, ValueError):
        # ndeflib lets ValueError through where a record says of itself what it is not.
        return UNREADABLE
    links = [record for record in records if isinstance(record, ndef.UriRecord)]
    ours = [record for record in records if record.type == RECORD_TYPE]
    content = Content(link=links[0].iri if links else "", record=bytes(ours[0].data) if ours else b"")
    return Reading(content, foreign=bool(records) and (len(records), len(links), len(ours)) != (2, 1, 1))
