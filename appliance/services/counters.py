"""What is only counted, for monitoring: plain numbers since the program started, never written anywhere.

The edges count, `/metrics` shows. Whatever must survive a restart is a row in the database and does not belong here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

KINDS_MAX = 200
OTHER = "other"


@dataclass(slots=True)
class Counters:
    """One object for the whole program, handed round by `server.py`."""

    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    """OCPP calls by direction (`in`: the station called, `out`: we did) and action."""
    mended: Counter[str] = field(default_factory=Counter)
    """Calls with something wrong in them that were read all the same, by station."""

    def message(self, direction: str, action: str) -> None:
        """Count one call. A station that invents actions cannot fill the memory: beyond a bound they are one."""
        key = (direction, action)
        if key not in self.messages and len(self.messages) >= KINDS_MAX:
            key = (direction, OTHER)
        self.messages[key] += 1
