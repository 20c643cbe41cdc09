"""The roles of the staff, and of programs with a token."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What an operator is there for; what each may do is the table in ui/frame/roles.py."""

    OWNER = "owner"
    MANAGER = "manager"
    CASHIER = "cashier"
    GUARD = "guard"
    INSTALLER = "installer"
    VIEWER = "viewer"


MANAGERS = frozenset({Role.OWNER, Role.MANAGER})
"""Who says how people pay, and agrees to what others ask for."""
TAKES_MONEY = MANAGERS | {Role.CASHIER}
"""Who may have a drawer; guards may where the owner says so."""
