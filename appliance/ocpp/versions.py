"""The one list of the versions of OCPP that are spoken here. A version is a folder beside this file, and a line in it."""

from __future__ import annotations

from appliance.ocpp.settings import Settings
from appliance.ocpp.v16 import version as v16
from appliance.ocpp.version import Version

ASSUMED = v16.SUBPROTOCOL
"""What stations speak that name nothing, where the owner takes them: only those of the oldest version do so."""


def versions(settings: Settings) -> tuple[Version, ...]:
    """All of them, the oldest first."""
    return (v16.version(settings),)
