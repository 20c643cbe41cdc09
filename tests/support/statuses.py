"""What a 1.6 station tells of a connector, as the event that services hear."""

from __future__ import annotations

from appliance.domain.events import StatusChanged
from appliance.ocpp.v16.translate import connector_state


def status_changed(
    evse: int, word: str, at_ms: int, received_at_ms: int, *, error: str = "NoError", info: str = ""
) -> StatusChanged:
    """A StatusNotification with one of 1.6's words."""
    status, charging_state, finer = connector_state(word)
    return StatusChanged(evse, 1, status, error, info, at_ms, received_at_ms, charging_state, finer)
