"""One record in words, wherever records are listed: the session or the movement of money, how it was paid, who did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.db.wallets.statement import Record
from appliance.ui.frame.language import _
from appliance.ui.wording.sessions import ENTRIES, method_word, state_of


@dataclass(frozen=True, slots=True)
class Row:
    """One record in words."""

    record: Record
    word: str
    more: str
    """The state of a session that is not over, or how money was paid."""
    who: str
    """Who of the staff did it; of a session that a pool pays for who charged, or the pool; "" where nobody is named."""


def row_of(record: Record, names: Mapping[str, str] | None = None) -> Row:
    """In the reader's language. With `names`, those of the staff, whoever moved the money is named."""
    if record.kind == "session":
        return Row(
            record, word_of(record), "" if record.state == "ended" else _(state_of(record.state).word), record.other
        )
    return Row(record, word_of(record), method_word(record.reference), (names or {}).get(record.actor, ""))


def word_of(record: Record) -> str:
    """What a record is about: the station of a session, else what the money was for."""
    if record.kind == "session":
        return record.station
    return _(ENTRIES[record.code]) if record.code in ENTRIES else record.code
