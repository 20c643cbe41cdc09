"""A slip for a roll of paper: rows of text, as a printer of receipts sets them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """What a row is; how large, how bold and where it stands follows from that."""

    TITLE = "title"
    """Whose slip it is, and what it is: in the middle."""
    AMOUNT = "amount"
    """The one figure of the slip, large."""
    MIDDLE = "middle"
    HEADING = "heading"
    """Above rows that belong together."""
    PLAIN = "plain"
    SUM = "sum"
    """What the rows above it come to, below a line."""
    SMALL = "small"
    """More about the row above."""
    RULE = "rule"
    """A line across the paper; it has no text."""
    SIGN = "sign"
    """A line to sign on, with room above; the text says who."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. What stands at its right end goes below the rest where both are too long for one line."""

    style: Style
    text: str = ""
    right: str = ""


Slip = tuple[Row, ...]
