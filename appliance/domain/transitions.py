"""Tables of transitions: what a thing in some state becomes by an event. None is the state before there is the thing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class ImpossibleTransition(Exception):
    """Nothing of the kind can happen in this state."""


def follow(table: Mapping[tuple[State | None, Event], State], state: State | None, event: Event) -> State:
    """The state that an event leads to.

    Raises:
        ImpossibleTransition: The table does not know it.
    """
    try:
        return table[state, event]
    except KeyError:
        raise ImpossibleTransition(f"{event} cannot happen in the state {state}") from None
