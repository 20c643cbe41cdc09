"""A station's own record of a charge: what it is called, and in which order its messages come. Pure.

In OCPP 1.6 we number a transaction, and its messages come in order or not at all. In 2.x the station names it with a text and
numbers its messages from 0, so that whoever hears of them knows which is a repetition, which is missing, and which comes late.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TransactionRef = int | str
"""A transaction's name: a number that we gave (OCPP 1.6), or a text that the station gave (2.x)."""

BEYOND_MAX = 256
"""So many numbers may be kept that came before one which is missing; then the missing ones count as lost."""


class Arrival(StrEnum):
    """How a message comes, by its number."""

    NEW = "new"
    """In its turn, too early or late: it tells something that was not known."""
    REPEATED = "repeated"
    """It was received before: the same answer, and no second effect."""
    AFTER_END = "after_end"
    """It is numbered beyond the message that ended the transaction, which changes nothing any more."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which messages of a transaction have come."""

    next_seq: int = 0
    """The lowest number that has not been received."""
    beyond: frozenset[int] = frozenset()
    """Numbers beyond it that have."""
    last_seq: int | None = None
    """That of the message which ended it."""


def receive(order: Order, seq: int | None, *, ends: bool = False) -> tuple[Order, Arrival]:
    """One more message has come: what is known of the order then, and how it comes. A message without a number is new."""
    if seq is None:
        return order, Arrival.NEW
    if seq < order.next_seq or seq in order.beyond:
        return order, Arrival.REPEATED
    after_end = order.last_seq is not None and seq > order.last_seq
    last_seq = seq if ends and order.last_seq is None else order.last_seq
    return closed_up(order.next_seq, order.beyond | {seq}, last_seq), Arrival.AFTER_END if after_end else Arrival.NEW


def closed_up(next_seq: int, beyond: frozenset[int], last_seq: int | None) -> Order:
    """The order, with what follows without a gap counted in; too many beyond a gap close it."""
    if len(beyond) > BEYOND_MAX:
        next_seq = min(beyond)
    while next_seq in beyond:
        next_seq += 1
    return Order(next_seq, frozenset(seq for seq in beyond if seq > next_seq), last_seq)
