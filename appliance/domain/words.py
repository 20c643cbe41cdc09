"""What people type to find something."""

from __future__ import annotations


def has_all(where: str, text: str) -> bool:
    """Whether every word of a text is, or begins or ends one, somewhere else; in whatever order and case."""
    found = where.casefold()
    return all(word in found for word in text.casefold().split())
