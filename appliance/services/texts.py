"""Words that people enter: how long they may be, and what is left of the spaces around them."""

from __future__ import annotations

import re

from appliance.domain.digits import WESTERN
from appliance.domain.errors import Invalid

NAME_CHARS_MAX = 200
TITLE_CHARS_MAX = 100
"""Of a group and a tariff."""
TEXT_CHARS_MAX = 1000
TELEPHONE = re.compile(r"[0-9 +./()-]+")
TELEPHONE_DIGITS_MIN = 3


def required(field: str, text: str, chars_max: int = NAME_CHARS_MAX) -> str:
    """A name: something, but not a book."""
    text = " ".join(text.split())
    if not text:
        raise Invalid(field, "This must not be empty.")
    if len(text) > chars_max:
        raise Invalid(field, "At most {most} characters.", most=chars_max)
    return text


def optional(field: str, text: str) -> str:
    """Some words, or none."""
    text = text.strip()
    if len(text) > TEXT_CHARS_MAX:
        raise Invalid(field, "At most {most} characters.", most=TEXT_CHARS_MAX)
    return text


def one_line(field: str, text: str, chars_max: int = NAME_CHARS_MAX) -> str:
    """Some words in one line, or none."""
    text = " ".join(text.split())
    if len(text) > chars_max:
        raise Invalid(field, "At most {most} characters.", most=chars_max)
    return text


def telephone(text: str) -> str:
    """A telephone number, or none, in digits that everybody's search finds.

    Raises:
        Invalid: It is none.
    """
    number = optional("phone", text).translate(WESTERN)
    if number and (not TELEPHONE.fullmatch(number) or sum(sign.isdecimal() for sign in number) < TELEPHONE_DIGITS_MIN):
        raise Invalid(
            "phone",
            "This is no telephone number.",
            "It has digits, with blanks and - + . / ( ) between them. Other words have their place in the note.",
        )
    return number
