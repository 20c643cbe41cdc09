"""Words about one card wherever it is listed: its state, why it is blocked, what chargers make of its number, its limits.

What a desk does with a card has its words in `desk_words`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from babel.dates import get_day_names

from appliance.db.cards.cards import Card
from appliance.db.stations.stations import Named
from appliance.domain.cards.limits import EVERY_DAY, MINUTES_PER_DAY, Limits
from appliance.domain.order import natural
from appliance.services.cards.cards import has_come_back
from appliance.services.cards.limits import SoFar
from appliance.ui.frame.language import N_, _
from appliance.ui.writing.formats import Formats

LIKENESSES = {
    "reversed": N_("read backwards"),
    "truncated": N_("cut short"),
    "padded": N_("filled up with zeros"),
    "decimal": N_("as a decimal number"),
    "other": N_("told by the staff"),
}
"""How a charger's name for a card comes from its UID."""

AMOUNTS = {
    "session_energy_wh": (
        N_("At most {energy} kWh in one session"),
        N_("{used} of {most} kWh in the session that runs"),
    ),
    "session_minor": (N_("At most {amount} in one session"), N_("{used} of {most} in the session that runs")),
    "day_energy_wh": (N_("At most {energy} kWh in one day"), N_("{used} of {most} kWh today")),
    "day_minor": (N_("At most {amount} in one day"), N_("{used} of {most} today")),
    "month_energy_wh": (N_("At most {energy} kWh in one month"), N_("{used} of {most} kWh this month")),
    "month_minor": (N_("At most {amount} in one month"), N_("{used} of {most} this month")),
}
"""What is limited by amount, as domain/cards/limits.py calls it: the limit, and what is used of it."""

REASONS = {
    "restored": N_("a backup was put in place: look whether it is right"),
    "replaced": N_("replaced"),
    "returned": N_("given back"),
    "undone": N_("taken back"),
}
"""Reasons that the program gives for a block; those of people stay as they were typed."""

STATES = {
    "": N_("all cards"),
    "charging": N_("those that charge"),
    "blocked": N_("blocked"),
    "lost": N_("lost, replaced"),
    "returned": N_("came back"),
    "expired": N_("expired"),
    "unwritten": N_("to be written"),
}
"""What the list can be narrowed to."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit of a card in words, with what is used of it where that is known."""

    sentence: str
    used: str = ""
    """`3.2 of 10 kWh today`; "" of hours and places, and of a session while none runs."""
    share: float = 0.0
    """From 0 to 1; 1: used up."""


@dataclass(frozen=True, slots=True)
class State:
    """Whether a card charges."""

    tone: str
    icon: str
    word: str
    why: str = ""
    came_back: bool = False
    """Whether it lies in the drawer."""


def state_of(card: Card, now_ms: int) -> State:
    """In the reader's language."""
    if has_come_back(card):
        return State("off", "undo-2", _("came back"), _("nobody has it"), came_back=True)
    if card.replaced_by is not None:
        return State("off", "replace", _("lost, replaced"))
    if card.blocked_at_ms is not None:
        return State("fault", "ban", _("blocked"), reason_of(card))
    if card.expires_at_ms is not None and card.expires_at_ms <= now_ms:
        return State("waiting", "calendar-x", _("expired"))
    return State("free", "circle-check", _("charges"))


def reason_of(card: Card) -> str:
    """Why it is blocked; "" if nobody said."""
    return _(REASONS[card.blocked_why]) if card.blocked_why in REASONS else card.blocked_why


def likeness_word(name: str) -> str:
    """How one number is like another."""
    return _(LIKENESSES[name]) if name in LIKENESSES else name


def bounds(limits: Limits, names: Mapping[int, Named], fmt: Formats, so_far: SoFar | None = None) -> list[Bound]:
    """All that a card may not; nothing if it may all. With `so_far`, how much of it is used."""
    found = [
        _bound(name, most, getattr(so_far, name, None), fmt)
        for name in AMOUNTS
        if (most := getattr(limits, name)) is not None
    ]
    if limits.weekdays != EVERY_DAY:
        days = [name for day, name in enumerate(day_names(fmt)) if limits.weekdays >> day & 1]
        found.append(Bound(_("Only on {days}").format(days=", ".join(days))))
    if (limits.from_minute, limits.until_minute) != (0, MINUTES_PER_DAY):
        over_midnight = limits.until_minute <= limits.from_minute
        words = _("Only from {begin} to {end} on the next day") if over_midnight else _("Only from {begin} to {end}")
        begin, end = (clock(minute).translate(fmt.digits) for minute in (limits.from_minute, limits.until_minute))
        found.append(Bound(words.format(begin=begin, end=end)))
    if limits.stations:
        places = sorted(
            (names[one].name or names[one].identity for one in limits.stations if one in names), key=natural
        )
        found.append(Bound(_("Only at {places}").format(places=", ".join(places))))
    return found


def day_names(fmt: Formats) -> list[str]:
    """Monday first."""
    names = get_day_names("wide", "stand-alone", fmt.locale)
    return [str(names[day]) for day in range(7)]


def clock(minute: int) -> str:
    """A minute of the day as clocks show it: `18:00`; the end of the day is `24:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _bound(name: str, most: int, used: int | None, fmt: Formats) -> Bound:
    sentence, words = AMOUNTS[name]
    told = _(sentence).format(energy=fmt.energy(most), amount=fmt.money(most))
    if used is None:
        return Bound(told)
    part, whole = _energies(used, most, fmt) if name.endswith("_wh") else (_money(used, fmt), _money(most, fmt))
    return Bound(told, _(words).format(used=part, most=whole), min(1.0, used / most))


def _energies(used_wh: int, most_wh: int, fmt: Formats) -> tuple[str, str]:
    """With as many digits as the limit has, but one of what is used; cut off, so that nothing looks full before it is."""
    digits = next((digits for digits in range(3) if most_wh % 10 ** (3 - digits) == 0), 3)
    step_wh: int = 10 ** (3 - max(1, digits))
    return fmt.energy(used_wh // step_wh * step_wh, max(1, digits)), fmt.energy(most_wh, digits)


def _money(minor: int, fmt: Formats) -> str:
    """Without the minor unit where there is none of it."""
    return fmt.money(minor) if minor % 10**fmt.exponent else fmt.money_short(minor)
