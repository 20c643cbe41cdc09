"""Who may charge: one decision from the facts about a card, its holder and the wallet."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class AuthorizationStatus(StrEnum):
    """What a station is told about an id token (OCPP 2.0.1, AuthorizationStatusEnumType)."""

    ACCEPTED = "Accepted"
    INVALID = "Invalid"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    CONCURRENT_TX = "ConcurrentTx"
    NO_CREDIT = "NoCredit"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_AT_THIS_TIME = "NotAtThisTime"
    LIMIT_REACHED = "LimitReached"
    """Ours: 2.0.1 stations are told NoCredit. 1.6 has none of the last four; its stations are told Blocked."""


ACCEPTED = AuthorizationStatus.ACCEPTED
"""By a name of its own, for each card asks for it, and a member of an enum takes longer to look up than to compare."""


class Policy(StrEnum):
    """How a group pays."""

    PREPAID = "prepaid"
    POSTPAID = "postpaid"
    FREE = "free"


POLICIES = {policy.value: policy for policy in Policy}
"""By the words that are stored."""
FREE = Policy.FREE


class Authorization(NamedTuple):
    """The answer to a card. A tuple and no dataclass, because it is made for most messages, and a tuple in half the time."""

    status: AuthorizationStatus
    group_token: str | None = None
    """The same for all cards of one person: each may stop what another started."""
    limited_by: str = ""
    """Whose limit says no, and which: `card:day_minor`, `pool:month_energy_wh` (domain/cards/limits.py)."""

    @property
    def accepted(self) -> bool:
        """Whether energy may flow."""
        return self.status is ACCEPTED


class Holder(NamedTuple):
    """A card and who is behind it, as far as the decision needs to know. A tuple for the same reason."""

    policy: Policy
    available_minor: int | None
    """What can still be held or spent, emergency credit included; None: without limit."""
    blocked: bool
    expires_at_ms: int | None
    closed: bool
    transactions_max: int
    running: int
    """Open sessions of this card that may charge: one that was refused gives it no right, and takes none."""
    minimum_minor: int | None = None
    """With how much a session may begin, where their group says so."""
    emergency_minor: int = 0
    """How far below nothing the wallet of whoever pays beforehand may go."""


def decide(holder: Holder | None, now_ms: int, *, minimum_minor: int = 1, starting: bool = True) -> AuthorizationStatus:
    """Whether the card may charge.

    With `starting` False the card was only shown: whoever has a session running must be let in to stop it, whatever
    the wallet says, and a second session is refused at its start, not here (1.6, section 5.1 and errata 3.9).
    """
    if holder is None:
        return AuthorizationStatus.INVALID
    (
        policy,
        available_minor,
        blocked,
        expires_at_ms,
        closed,
        transactions_max,
        running,
        own_minimum_minor,
        emergency_minor,
    ) = holder
    if blocked or closed:
        return AuthorizationStatus.BLOCKED
    if expires_at_ms is not None and expires_at_ms <= now_ms:
        return AuthorizationStatus.EXPIRED
    if not starting and running:
        return ACCEPTED
    if starting and running >= transactions_max:
        return AuthorizationStatus.CONCURRENT_TX
    if policy is FREE or available_minor is None:
        return ACCEPTED
    enough = has_enough(available_minor, own_minimum_minor or minimum_minor, emergency_minor)
    return ACCEPTED if enough else AuthorizationStatus.NO_CREDIT


def has_enough(available_minor: int, minimum_minor: int, emergency_minor: int) -> bool:
    """Whether a session may begin with so much: with the minimum of their own, or on emergency credit that nothing was used of yet.

    Of that credit whatever a session has cost, or is held for one, counts as used until it is paid in again.
    """
    own_minor = available_minor - emergency_minor
    return own_minor >= minimum_minor or (emergency_minor > 0 and own_minor >= 0)
