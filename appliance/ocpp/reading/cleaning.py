"""What means nothing in what stations write: firmwares pad texts with NUL, end lines in the middle of them, and spell names their own way."""

from __future__ import annotations

import re

CLEANING = {code: " " if chr(code).isspace() else None for code in (*range(0x20), *range(0x7F, 0xA0))}
"""For `str.translate`: control characters are taken out, those that part words leave a blank."""
PADDING = "".join(map(chr, (*range(0x21), 0xFEFF, 0xFFFE)))
"""What may stand around a frame: blanks, control characters, the byte order mark."""
RAW = {code: into for code, into in CLEANING.items() if code < 0x20}
"""Those that JSON forbids as they are."""
NAME_CHARS_MAX = 100
BETWEEN = re.compile(r"[\W_]+")


def plain_name(name: str) -> str:
    """The name of an action or a field without capitals, blanks and signs: for others that mean the same.

    >>> plain_name(" Stop_Transaction.req") == plain_name("stopTransactionReq")
    True
    """
    return BETWEEN.sub("", name[:NAME_CHARS_MAX]).casefold()
