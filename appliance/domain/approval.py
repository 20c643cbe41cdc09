"""What needs a second person, and the states of such a request."""

from __future__ import annotations

from enum import StrEnum


class ApprovalKind(StrEnum):
    """What is asked for."""

    TOPUP = "topup"
    REFUND = "refund"
    CORRECTION = "correction"


class ApprovalState(StrEnum):
    """Whether somebody has agreed. Only what is pending is decided, once."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """By who had asked."""
    EXPIRED = "expired"
