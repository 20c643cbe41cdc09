"""Whether a meter has signed the energy that was billed: asked when a session ends, and without looking at any signature."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.sessions import signed_values
from appliance.db.sessions.sessions import Running
from appliance.domain.problem import ProblemKind
from appliance.services import problems
from appliance.services.signed_meter import ocmf

TOLERANCE_WH = 20
"""So far may both be apart: each register is rounded to ten Wh at most, at both ends."""


def compare(db: Database, running: Running, billed_wh: int, now_ms: int) -> None:
    """Tell staff where the meter has signed another energy than was billed."""
    values = signed_values.of_session(db, running.id)
    if not values:
        return
    signed_wh = ocmf.energy_wh(ocmf.readable(one.data for one in values))
    if signed_wh is not None and abs(signed_wh - billed_wh) > TOLERANCE_WH:
        problems.raise_problem(
            db, ProblemKind.SIGNED_ENERGY, f"station:{running.station}", now_ms, station=int(running.station),
            evse=running.evse, session=int(running.id), billed_wh=billed_wh, signed_wh=round(signed_wh),
        )  # fmt: skip
