"""The rules of a session: what a charger, a car and a clock can do."""

from __future__ import annotations

POWER_W_MAX = 400_000
"""No charger for cars gives more; a larger figure comes from two readings with a wrong clock."""
SLACK_WH = 10_000
"""What times and registers may be coarse by: a minute at full power (6.7 kWh) where a clock tells whole minutes, and a
kilowatt-hour each for the two readings of a register that tells whole ones; rounded up."""


def doubt_about(energy_wh: int | None, duration_s: int, energy_wh_max: int) -> str:
    """Why a session is not billed before somebody has looked; "" if it can be. `energy_wh` is None where the registers
    contradict each other.
    """
    if energy_wh is None:
        return "registers"
    if energy_wh > energy_wh_max:
        return "too_much"
    return "too_fast" if energy_wh > POWER_W_MAX * duration_s // 3600 + SLACK_WH else ""
