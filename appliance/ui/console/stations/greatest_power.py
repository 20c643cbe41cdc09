"""How much the connectors of a charger can give, on its page."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.unit import Database
from appliance.db.stations import stations as rows
from appliance.db.stations.stations import Station
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.domain.money import Currency, format_amount, parse_amount
from appliance.services.stations import power
from appliance.ui.forms import edits
from appliance.ui.forms.forms import Form

KW = Currency("kW", 3)
"""Typed as amounts are: any digits, either decimal mark."""
POWERS = ("power_max_w", "power_told_w", "power_seen_w")


@dataclass(frozen=True, slots=True)
class PowerLine:
    """The greatest power of an EVSE."""

    evse: int
    field: str
    value: str
    """What staff have said, in kW; "" for nothing."""
    told_w: int
    """What its station says; 0: nothing."""
    seen_w: int
    """What was measured; 0: nothing."""


def store_powers(db: Database, identity: str, form: Form, by: By) -> None:
    """A unit of work: what was typed, in kW; nothing: nobody knows.

    Raises:
        Invalid: A field cannot be read.
        NotFound: There is no such charger.
    """
    station = rows.by_identity(db, identity)
    if station is None:
        raise NotFound("There is no such charger.")
    said = edits.merged(form, power_words(station))
    for evse in evses_of(station):
        text = said.text(power_field(evse))
        power_w = parse_amount(text, KW, power_field(evse)) if text else 0
        power.say(db, station.id, evse, power_w, by, power_field(evse))


def power_words(station: Station) -> dict[str, str]:
    """What staff have said of each of its EVSEs, as the form has it."""
    return {one.field: one.value for one in powers_of(station)}


def power_field(evse: int) -> str:
    """The field for the power of an EVSE."""
    return f"power-{evse}"


def evses_of(station: Station) -> tuple[int, ...]:
    """Its EVSEs, in order."""
    return tuple(dict.fromkeys(one.evse for one in station.connectors))


def powers_of(station: Station) -> list[PowerLine]:
    """The greatest power of each of its EVSEs, as it is shown."""
    lines = []
    for evse in evses_of(station):
        there = [one for one in station.connectors if one.evse == evse]
        said_w, told_w, seen_w = (max(getattr(one, name) for one in there) for name in POWERS)
        value = format_amount(said_w, KW).rstrip("0").rstrip(".") if said_w else ""
        lines.append(PowerLine(evse, power_field(evse), value, told_w, seen_w))
    return lines
