"""The hardware of a charging station: EVSEs with a car, a contactor and a meter, and the time that passes for them.

Nothing here knows cards, transactions or OCPP. All is synchronous and moves only when `Station.advance` is told the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from appliance.domain.clock import Clock

W_MS_PER_WH: Final = 3_600_000
STEP_MS_MAX: Final = 1000
RAMP_MS: Final = 8000
"""From nothing to full power."""
SINGLE_PHASE_W_MAX: Final = 7400
AC_W_MAX: Final = 43_000
TAPER_FROM_PERCENT: Final = 80
"""Above this state of charge a battery takes less and less."""


@dataclass(slots=True)
class Battery:
    """A car's battery. Energy is kept in watt-milliseconds, so that nothing is lost between two steps."""

    capacity_wh: int = 60_000
    power_max_w: int = 150_000
    energy_w_ms: int = 0

    @classmethod
    def charged(cls, percent: int, capacity_wh: int = 60_000, power_max_w: int = 150_000) -> Battery:
        """A battery at a state of charge."""
        return cls(capacity_wh, power_max_w, capacity_wh * W_MS_PER_WH * percent // 100)

    @property
    def percent(self) -> int:
        """State of charge, 0 to 100."""
        return min(100, self.energy_w_ms * 100 // (self.capacity_wh * W_MS_PER_WH))

    @property
    def accepts_w(self) -> int:
        """What it takes now: all at first, less and less from 80 %, nothing when full."""
        if self.percent >= 100:
            return 0
        if self.percent < TAPER_FROM_PERCENT:
            return self.power_max_w
        return max(500, self.power_max_w * (104 - self.percent) // (104 - TAPER_FROM_PERCENT))


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter of one EVSE says at one time."""

    at_ms: int
    register_wh: int
    power_w: int
    voltage_mv: int
    phases: int
    state_of_charge_percent: int | None

    @property
    def current_ma(self) -> int:
        """Current in each phase."""
        return self.power_w * 1_000_000 // (self.voltage_mv * self.phases)


@dataclass(slots=True)
class Evse:
    """Feeds one car at a time."""

    number: int
    rating_w: int
    register_w_ms: int = 0
    battery: Battery | None = None
    closed: bool = False
    """The contactor: current can flow."""
    limit_w: int | None = None
    fault: str | None = None
    operative: bool = True
    power_w: int = 0

    @property
    def phases(self) -> int:
        """Three for AC above what one phase carries; direct current counts as one."""
        return 3 if SINGLE_PHASE_W_MAX < self.rating_w <= AC_W_MAX else 1

    @property
    def voltage_mv(self) -> int:
        """Phase to neutral, or of the battery with direct current; it sags a little under load."""
        nominal_mv = 400_000 if self.rating_w > AC_W_MAX else 230_000
        return nominal_mv - 4000 * self.power_w // self.rating_w

    @property
    def available_w(self) -> int:
        """What the EVSE offers the car now."""
        offered_w = self.rating_w if self.limit_w is None else min(self.limit_w, self.rating_w)
        return max(0, offered_w) if self.closed and self.fault is None else 0

    @property
    def wanted_w(self) -> int:
        """What the car takes of that."""
        return min(self.available_w, self.battery.accepts_w) if self.battery else 0

    @property
    def register_wh(self) -> int:
        """The meter's register, which only grows."""
        return self.register_w_ms // W_MS_PER_WH

    def reading(self, at_ms: int) -> Reading:
        """What the meter says now."""
        percent = self.battery.percent if self.battery else None
        return Reading(at_ms, self.register_wh, self.power_w, self.voltage_mv, self.phases, percent)

    def advance(self, duration_ms: int) -> None:
        """Let energy flow for a while: power follows what the car wants, up gently and down at once."""
        while duration_ms > 0:
            step_ms = min(duration_ms, STEP_MS_MAX)
            duration_ms -= step_ms
            wanted_w = self.wanted_w
            self.power_w = min(wanted_w, self.power_w + max(1, self.rating_w * step_ms // RAMP_MS))
            energy_w_ms = self.power_w * step_ms
            self.register_w_ms += energy_w_ms
            if self.battery is not None:
                self.battery.energy_w_ms += energy_w_ms


@dataclass(slots=True)
class Station:
    """All EVSEs of one box. `speed` makes energy and batteries run faster than the clock."""

    clock: Clock
    evses: list[Evse]
    speed: int = 1
    vendor: str = "Forecourt"
    model: str = "Simulated station"
    firmware: str = "1.0"
    serial: str = "SIM-1"
    _advanced_at_ms: int = field(default=0, init=False)

    @classmethod
    def of(
        cls,
        clock: Clock,
        *,
        connectors: int = 1,
        power_w: int = 7400,
        speed: int = 1,
        meter_wh: int = 0,
        serial: str = "SIM-1",
        model: str = "Simulated station",
    ) -> Station:
        """A station with so many equal EVSEs, each with a meter that begins at `meter_wh`."""
        evses = [Evse(number, power_w, register_w_ms=meter_wh * W_MS_PER_WH) for number in range(1, connectors + 1)]
        return cls(clock, evses, speed=speed, serial=serial, model=model)

    def evse(self, number: int) -> Evse | None:
        """By its number, from 1; None when there is no such EVSE."""
        return self.evses[number - 1] if 1 <= number <= len(self.evses) else None

    def advance(self) -> int:
        """Bring everything to the present, which is returned."""
        now_ms = self.clock()
        passed_ms = max(0, now_ms - self._advanced_at_ms) if self._advanced_at_ms else 0
        self._advanced_at_ms = now_ms
        for evse in self.evses:
            evse.advance(passed_ms * self.speed)
        return now_ms
