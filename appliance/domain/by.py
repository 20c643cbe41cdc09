"""Who does something, and when: one value, because books and audit list never keep one without the other."""

from __future__ import annotations

from typing import NamedTuple


class By(NamedTuple):
    """`By("operator:7", now_ms)`: who does it, at this moment (UTC milliseconds).

    The words of an actor: `operator:7` one of the staff, `token:3` a program, `station:5` a charger, `console` whoever is at
    the machine itself, `clock` nobody: its time had come.
    """

    actor: str
    at_ms: int
    second: str = ""
    """Who has agreed to it, where that is needed (services/approvals/)."""
