"""Words about one card wherever it is listed: its state, why it is blocked, what chargers make of its number, its limits.

What a desk does with a card has its words in `desk_words`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from babel.dates import get_day_names

from appliance.db.people import Card
from appliance.db.stations import Named
from appliance.domain.card_limits import EVERY_DAY, MINUTES_PER_DAY, Limits
from appliance.services.enrolment import has_come_back
from appliance.ui.formats import Formats
from appliance.ui.language import N_, _

LIKENESSES = {
    "reversed": N_("read backwards"),
    "truncated": N_("cut short"),
    "padded": N_("filled up with zeros"),
    "decimal": N_("as a decimal number"),
    "other": N_("told by the staff"),
}
"""How a charger's name for a card comes from its UID."""

REASONS = {
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


def limit_sentences(limits: Limits, names: Mapping[int, Named], fmt: Formats) -> list[str]:
    """All that a card may not; nothing if it may all."""
    found = []
    if limits.session_energy_wh is not None:
        found.append(_("At most {energy} kWh in one session").format(energy=fmt.energy(limits.session_energy_wh)))
    if limits.session_minor is not None:
        found.append(_("At most {amount} in one session").format(amount=fmt.money(limits.session_minor)))
    if limits.day_energy_wh is not None:
        found.append(_("At most {energy} kWh in one day").format(energy=fmt.energy(limits.day_energy_wh)))
    if limits.day_minor is not None:
        found.append(_("At most {amount} in one day").format(amount=fmt.money(limits.day_minor)))
    if limits.weekdays != EVERY_DAY:
        days = [name for day, name in enumerate(day_names(fmt)) if limits.weekdays >> day & 1]
        found.append(_("Only on {days}").format(days=", ".join(days)))
    if (limits.from_minute, limits.until_minute) != (0, MINUTES_PER_DAY):
        over_midnight = limits.until_minute <= limits.from_minute
        words = _("Only from {begin} to {end} on the next day") if over_midnight else _("Only from {begin} to {end}")
        begin, end = (clock(minute).translate(fmt.digits) for minute in (limits.from_minute, limits.until_minute))
        found.append(words.format(begin=begin, end=end))
    if limits.stations:
        places = sorted(names[one].name or names[one].identity for one in limits.stations if one in names)
        found.append(_("Only at {places}").format(places=", ".join(places)))
    return found


def day_names(fmt: Formats) -> list[str]:
    """Monday first."""
    names = get_day_names("wide", "stand-alone", fmt.locale)
    return [str(names[day]) for day in range(7)]


def clock(minute: int) -> str:
    """A minute of the day as clocks show it: `18:00`; the end of the day is `24:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"
