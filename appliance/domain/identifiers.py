"""Names of things as they travel through the program."""

from __future__ import annotations

from typing import NewType

StationId = NewType("StationId", int)
"""Our number of a charging station; what it calls itself is its identity."""

SessionId = NewType("SessionId", int)
"""Our number of a session. In OCPP 1.6 it is also the transaction's number, because there the server names it."""

PersonId = NewType("PersonId", int)
ShiftId = NewType("ShiftId", int)
CardId = NewType("CardId", int)
AccountId = NewType("AccountId", int)
TariffId = NewType("TariffId", int)
GroupId = NewType("GroupId", int)
VoucherId = NewType("VoucherId", int)
BatchId = NewType("BatchId", int)
"""Our number of a batch of vouchers."""

IDENTITY_CHARS_MAX = 48
"""OCPP 2.x; 1.6 stations use 20 in practice."""
