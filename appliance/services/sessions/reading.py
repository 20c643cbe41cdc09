"""What the books know of an EVSE when its meter is read."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.domain.identifiers import StationId
from appliance.domain.session import POWER_W_MAX


def greatest_power_w(db: Database, station: StationId, evse: int) -> int:  # noqa: ARG001 - nothing is known of it yet.
    """The greatest power that an EVSE can give."""
    return POWER_W_MAX
