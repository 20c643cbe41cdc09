"""Where the newest anchor is kept besides the books, and the key that anchors are made with: neither is in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from appliance.db.integrity.anchors import Anchor


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept beside the books."""

    anchor: Anchor
    seals: dict[str, str]
    """As they were when all was found well last."""
    sealed_at_ms: int
    sealed_seq: int
    """The newest row of the audit list then."""


class AnchorsChanged(Exception):
    """What is kept was changed by somebody, or was made with another key."""


class Anchors(Protocol):
    """The place; its body is host/anchors.py."""

    @property
    def key(self) -> bytes:
        """For anchors and seals."""
        ...

    def load(self) -> Kept | None:
        """What is kept; None if nothing is.

        Raises:
            AnchorsChanged: It is none of ours.
        """
        ...

    def save(self, kept: Kept) -> None:
        """Keep this instead."""
        ...

    def tell(self, anchor: Anchor) -> None:
        """Put it on record where whoever changes the disk of this box later cannot: in the journal."""
        ...
