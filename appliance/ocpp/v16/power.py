"""What a 1.6 station can give by its own settings. OCPP 1.6 has no key for it, so those of the vendors are read by their names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from appliance.services.ports.stations import Variable

NAME = re.compile(r"max(imum)?[a-z]*(power|current|amps|amperage)|(power|current|amps|amperage)[a-z]*max(imum)?")
"""Of a key in small letters without signs: evb_MaxStationCurrent, MaxChargingPower, ChargerMaxPower."""
OTHERS = re.compile(r"profile|length|schedule|temp|time|error|phase|discharg|export|grid|mains|fuse|solar")
AMPERES_MIN, AMPERES_MAX = 6, 1_000
WATTS_MIN, WATTS_MAX = 1_000, 4_000_000
PHASES, PHASE_V, LOW_AMPERES_MAX, HIGH_V = 3, 240, 125, 1_000


def power_by_settings(variables: Iterable[Variable]) -> int | None:
    """The most that any of its connectors can give in W, as far as its settings tell; None: they do not.

    Where a unit is not told it is the one that makes sense, and where several settings tell, some are limits of something else: the most counts.
    """
    found = (power_of(re.sub(r"[^a-z]", "", one.name.variable.casefold()), one.value) for one in variables)
    return max((one for one in found if one is not None), default=None)


def power_of(name: str, value: str | None) -> int | None:
    """What one setting says."""
    if NAME.search(name) is None or OTHERS.search(name) or value is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value.strip(), re.ASCII) is None:
        return None
    number = float(value)
    if "power" in name:
        watts = round(number * 1_000 if number < WATTS_MIN else number)
        return watts if WATTS_MIN <= watts <= WATTS_MAX else None
    amperes = number / 1_000 if number > AMPERES_MAX else number
    return round(power_of_current(amperes)) if AMPERES_MIN <= amperes <= AMPERES_MAX else None


def power_of_current(amperes: float, volts: float = 0) -> float:
    """The most that such a current gives: in three phases, or as direct current at the highest voltage where none is told."""
    if amperes > LOW_AMPERES_MAX:
        return amperes * (volts or HIGH_V)
    return amperes * PHASES * max(PHASE_V, volts)
