"""What people type to find something: one rule, wherever they do.

Columns that are searched are stored so, too (`person.name_words`, `card.label_words`), and `static/board.js` does the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from appliance.domain.digits import WESTERN

ACCENTS = re.compile(r"[\u0300-\u036f]")
"""Those of Latin, Greek and Cyrillic letters. The signs of Bengali and Arabic are letters of their own."""


def folded(text: str) -> str:
    """A text as it is compared: whatever its case, its accents, and whoever's digits it has.

    >>> folded("José, গেট ২")
    'jose, গেট 2'
    """
    if text.isascii():
        return text.lower()
    plain = ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", plain).translate(WESTERN)


def has_all(where: str, text: str) -> bool:
    """Whether every word of a text is, or begins or ends one, somewhere else; in whatever order."""
    found = folded(where)
    return all(word in found for word in folded(text).split())


def wanted(there: Iterable[str], text: str) -> tuple[str, ...]:
    """What is looked for among folded texts: all of `text` as it was typed, where it stands so anywhere, for the words of “Gate 1” are in
    many names; else each of its words.
    """
    phrase = " ".join(folded(text).split())
    return (phrase,) if any(phrase in one for one in there) else tuple(phrase.split())


def has_each(there: str, words: Iterable[str]) -> bool:
    """Whether all that is `wanted` stands in a folded text."""
    return all(word in there for word in words)
