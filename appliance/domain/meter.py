"""What a station measures."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.signed import SignedValue


@dataclass(slots=True)
class Reading:
    """All that was measured at one moment. None: not measured. Not frozen only because it is built field by field."""

    at_ms: int
    energy_wh: int | None = None
    """The main register (Energy.Active.Import.Register), not the session's energy."""
    power_w: int | None = None
    current_ma: int | None = None
    voltage_mv: int | None = None
    soc_percent: int | None = None
    others: str | None = None
    """JSON: what has no field here, as the station sent it."""
    interval_wh: int | None = None
    """What was taken in the interval that ended then (Energy.Active.Import.Interval)."""
    by_clock: bool = False
    """Whether that interval is one of the clock, and not of the session: stations that tell both tell the same energy twice."""
    in_kwh: bool = False
    """Whether the register was told in kilowatt-hours, by name."""
    offered_w: int | None = None
    """The most that the station offered to the car. Kept in `others` only."""
    signed: tuple[SignedValue, ...] = ()
    """What the meter has signed, word for word."""
