"""Codes that are printed on paper and typed by people: short, and each slip of the finger is told at once.

29 characters, because that is a prime: the last one is a check over the field of that many, which finds every single wrong
character and every two that changed places (in codes of up to 28). None of the 29 looks like another, and what looks like one of
them is read as it.
"""

from __future__ import annotations

from appliance.domain.digits import WESTERN
from appliance.domain.errors import Invalid

ALPHABET = "0123456789ACDEFGHJKMNPQRTVWXY"
LOOK_ALIKES = str.maketrans("OILZSBU", "011258V")
WEIGHT = 2
"""Its powers are all numbers below 29 (a primitive root), so that no two places weigh the same."""
GROUP = 4
"""So many characters people read at a glance."""
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212_.·/"
READ_CHARS_MAX = 100


def with_check(body: str) -> str:
    """The code whose last character checks the others, which are of the alphabet."""
    return body + ALPHABET[-_sum(body) * WEIGHT % len(ALPHABET)]


def read(text: str, chars: int, field: str = "code") -> str:
    """The code that a text is, however it was typed: capitals or not, any digits, with and without blanks and dashes.

    Raises:
        Invalid: It has more or fewer than `chars` characters, or is not as any code was printed.
    """
    plain = bare(text)
    if len(plain) != chars or any(character not in ALPHABET for character in plain):
        raise Invalid(field, "A code has {chars} letters and digits.", "Compare it with the paper.", chars=chars)
    if _sum(plain) % len(ALPHABET):
        raise Invalid(
            field, "One of its characters is not right: nobody printed this code.", "Compare it with the paper."
        )
    return plain


def bare(text: str) -> str:
    """Without what people put between characters, in capitals of the alphabet as far as they can be."""
    short = text[:READ_CHARS_MAX].translate(WESTERN).upper().translate(LOOK_ALIKES)
    return "".join(character for character in short if not character.isspace() and character not in DASHES)


def grouped(code: str) -> str:
    """As it is printed: `K7QM-2XDP-9RT4`."""
    return "-".join(code[begin : begin + GROUP] for begin in range(0, len(code), GROUP))


def _sum(code: str) -> int:
    total = 0
    for character in code:
        total = total * WEIGHT + ALPHABET.index(character)
    return total
