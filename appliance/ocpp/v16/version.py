"""OCPP 1.6, put together."""

from __future__ import annotations

from appliance.ocpp.settings import Settings
from appliance.ocpp.v16.incoming import inbound
from appliance.ocpp.v16.lenient import FOREIGN, LENIENCY
from appliance.ocpp.v16.outgoing import Outgoing16
from appliance.ocpp.v16.schemas import schemas
from appliance.ocpp.version import Version

SUBPROTOCOL = "ocpp1.6"
MESSAGES = (
    "BootNotification", "StatusNotification", "Heartbeat", "Authorize", "StartTransaction", "MeterValues",
    "StopTransaction", "RemoteStartTransaction", "RemoteStopTransaction", "Reset", "UnlockConnector",
    "ChangeAvailability", "GetConfiguration", "ChangeConfiguration", "TriggerMessage", "DataTransfer", "ClearCache",
    "GetLocalListVersion", "SendLocalList", "FirmwareStatusNotification", "SignedFirmwareStatusNotification",
    "DiagnosticsStatusNotification", "LogStatusNotification", "SecurityEventNotification", "SignCertificate",
)  # fmt: skip
TRIGGERS = ("StatusNotification", "MeterValues", "BootNotification", "Heartbeat")


def version(settings: Settings) -> Version:
    """OCPP 1.6 with its security extensions."""
    return Version(
        name="1.6",
        subprotocol=SUBPROTOCOL,
        schemas=schemas(),
        inbound=inbound(settings),
        outgoing=Outgoing16(),
        leniency=LENIENCY,
        foreign=FOREIGN,
        malformed="FormationViolation",
        messages=MESSAGES,
        triggers=TRIGGERS,
    )
