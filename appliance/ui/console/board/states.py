"""What a board can be narrowed to: the states of its connectors under a few names, and whether one needs a hand. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup

from appliance.ui.frame.language import N_
from appliance.ui.wording.words import (
    CAR_PAUSED,
    CHARGING,
    FREE,
    NO_CAR,
    OFFLINE,
    OUT_OF_SERVICE,
    PLEASE_UNPLUG,
    PLUGGED_IN,
    STARTING,
    STATUSES,
    STOPPING,
    WE_PAUSED,
)
from appliance.ui.writing.formats import Formats


class State(StrEnum):
    """As it stands in addresses."""

    FAULT = "fault"
    OFFLINE = "offline"
    CHARGING = "charging"
    PAUSED = "paused"
    WAITING = "waiting"
    UNPLUG = "unplug"
    FREE = "free"
    RESERVED = "reserved"
    CLOSED = "closed"
    OTHER = "other"


class Need(StrEnum):
    """Why a connector needs a hand, the most urgent first."""

    FAULT = "fault"
    OFFLINE = "offline"
    UNKNOWN = "unknown"
    """It charges without a session."""
    UNPLUG = "unplug"


OF_WORD: dict[str, State] = {
    STATUSES["Faulted"].word: State.FAULT,
    OFFLINE.word: State.OFFLINE,
    CHARGING.word: State.CHARGING,
    STARTING.word: State.CHARGING,
    STOPPING.word: State.CHARGING,
    CAR_PAUSED.word: State.PAUSED,
    WE_PAUSED.word: State.PAUSED,
    PLUGGED_IN.word: State.WAITING,
    NO_CAR.word: State.WAITING,
    PLEASE_UNPLUG.word: State.UNPLUG,
    FREE.word: State.FREE,
    STATUSES["Reserved"].word: State.RESERVED,
    OUT_OF_SERVICE.word: State.CLOSED,
}
HAND = "hand"
"""The filter for whatever needs a hand, beside those of one state."""
FILTERS: tuple[tuple[str, str, str, str], ...] = (
    ("", "layout-grid", N_("All"), ""),
    (HAND, "hand", N_("Needs a hand"), "fault"),
    (State.FAULT, "triangle-alert", N_("Fault"), "fault"),
    (State.OFFLINE, "wifi-off", N_("Offline"), "off"),
    (State.CHARGING, "zap", N_("Charging"), "charging"),
    (State.PAUSED, "battery-charging", N_("Paused"), "charging"),
    (State.WAITING, "plug-zap", N_("Plugged in"), "waiting"),
    (State.UNPLUG, "unplug", N_("Please unplug"), "waiting"),
    (State.FREE, "plug", N_("Free"), "free"),
    (State.RESERVED, "clock", N_("Reserved"), "reserved"),
    (State.CLOSED, "power", N_("Out of service"), "off"),
    (State.OTHER, "circle-question-mark", N_("Others"), "off"),
)
"""Name in the address, icon, word, tone; in the order in which they stand."""
SHORT: dict[str, str] = {
    State.UNPLUG: N_("Unplug"),
    State.CLOSED: N_("Closed"),
    State.PAUSED: N_("Paused"),
}
"""Words for the little room of a cell, where the state's own is too long."""
OFFLINE_S = 180
UNKNOWN_S = 120
UNPLUG_S = 1800
"""So long a connector may be so before it needs a hand."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to narrow the board."""

    name: str
    icon: str
    word: str
    tone: str
    number: Markup
    """How many connectors it shows, as an element of its own: it is exchanged alone, the link around it stays."""


def state_of(word: str) -> State:
    """The state that a status of wording/words.py is counted under."""
    return OF_WORD.get(word, State.OTHER)


def need_of(state: State, since_s: int | None, *, unknown: bool) -> Need | None:
    """Whether a connector that has been so for `since_s` (None: nobody knows) needs a hand; `unknown`: charges without a session."""
    if state is State.FAULT:
        return Need.FAULT
    if since_s is None:
        return None
    if state is State.OFFLINE:
        return Need.OFFLINE if since_s >= OFFLINE_S else None
    if state is State.UNPLUG:
        return Need.UNPLUG if since_s >= UNPLUG_S else None
    return Need.UNKNOWN if unknown and state is State.CHARGING and since_s >= UNKNOWN_S else None


def filters(states: Iterable[tuple[State, Need | None]], fmt: Formats) -> list[Filter]:
    """All of them, with how many connectors each shows."""
    counts: Counter[str] = Counter()
    for state, need in states:
        counts[""] += 1
        counts[state] += 1
        counts[HAND] += need is not None
    return [Filter(name, icon, word, tone, _number(name, counts[name], fmt)) for name, icon, word, tone in FILTERS]


def _number(name: str, count: int, fmt: Formats) -> Markup:
    none = "" if count else ' class="is-none"'
    return Markup(f'<b id="count-{name}"{none}>{fmt.number(count)}</b>')  # noqa: S704  # a name of ours and digits
