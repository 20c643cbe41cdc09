"""What a meter has signed, as it came: kept word for word, for a signature is over letters and not over their meaning."""

from __future__ import annotations

from dataclasses import dataclass

DATA_CHARS_MAX = 20_000
"""An OCMF container has about one thousand."""
VALUES_MAX = 40
"""Of one session. Whoever signs each reading keeps the first ones, and those of beginning and end."""
EDGES = ("Transaction.Begin", "Transaction.End")
OTHERS_MAX = 24
NEEDED_CHARS_MAX = 4_000
"""What a meter signs of a beginning or an end is no longer than this."""


@dataclass(frozen=True, slots=True)
class SignedValue:
    """One signed value."""

    data: str
    context: str = ""


def has_room(kept: int, context: str) -> bool:
    """Whether a session that has kept so many keeps one more: those of its beginning and end have places of their own."""
    return kept < (VALUES_MAX if context in EDGES else OTHERS_MAX)


def is_needed(value: SignedValue) -> bool:
    """Whether it is kept even where there is room for little else: with it a driver can check the bill."""
    return value.context in EDGES and len(value.data) <= NEEDED_CHARS_MAX
