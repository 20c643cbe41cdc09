"""What services ask of whoever seals secrets."""

from __future__ import annotations

from typing import Protocol


class CannotOpen(Exception):
    """What was sealed is of another key or another purpose, or was changed."""


class Vault(Protocol):
    """Seals what the site keeps secret for others. Where its key is lost there is no vault."""

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Something that only the same vault opens, and only for the same purpose."""

    def digest(self, purpose: str, plain: bytes) -> bytes:
        """32 bytes by which the same is known again, and from which nobody without the key finds it by trying."""

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """What was sealed; CannotOpen otherwise."""
