"""The site: what its money and its days are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "bn")
"""What its pages can be read in."""


@dataclass(frozen=True)
class Site:
    """One site. Currency, exponent and time zone never change; the name and the language may."""

    name: str
    currency: str
    exponent: int
    timezone: str
    language: str
    demo: bool = False

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return _zone(self.timezone)


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
