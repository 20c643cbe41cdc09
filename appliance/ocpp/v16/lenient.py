"""What stations that speak OCPP 1.6 get wrong, and what they mean by it."""

from __future__ import annotations

from appliance.ocpp.reading.normalise import Leniency
from appliance.ocpp.version import Foreign

LENIENCY = Leniency(
    missing={
        "errorCode": "NoError",
        "chargePointVendor": "",
        "chargePointModel": "",
    },
    aliases={
        ("errorCode", "error"): "OtherError",
        ("errorCode", "none"): "NoError",
        ("errorCode", ""): "NoError",
        ("status", "occupied"): "Charging",
        ("measurand", "energy"): "Energy.Active.Import.Register",
        ("measurand", "power"): "Power.Active.Import",
        ("reason", "deauthorised"): "DeAuthorized",
    },
    id_tokens=frozenset({"idTag"}),
    not_empty={"meterValue": "sampledValue"},
    telling=("transactionId", "meterStop", "meterStart", "connectorId", "idTag"),
    numbers=frozenset({"transactionId", "connectorId", "reservationId"}),
    energies=frozenset({"meterStart", "meterStop"}),
)

FOREIGN = Foreign(
    actions=frozenset(
        {
            "TransactionEvent",
            "NotifyReport",
            "NotifyEvent",
            "NotifyChargingLimit",
            "NotifyEVChargingNeeds",
            "ReservationStatusUpdate",
            "GetCertificateStatus",
            "Get15118EVCertificate",
        }
    ),
    fields=frozenset({"chargingStation", "evseId", "connectorStatus", "idToken", "transactionInfo", "triggerReason"}),
)
"""Of OCPP 2.0.1 and 2.1."""
