"""The schemas of OCPP 1.6 with its security extensions, less what is wrong in them."""

from __future__ import annotations

from functools import cache
from typing import Any

from appliance.ocpp.reading.schemas import Schemas, loaded, without_multiples

ERROR_CODES = {
    # J 1.6, 4.2.3, whose spelling is part of the protocol.
    "Required": "OccurenceConstraintViolation",
    "AdditionalProperties": "OccurenceConstraintViolation",
    "MinItems": "OccurenceConstraintViolation",
    "MaxItems": "OccurenceConstraintViolation",
    "Type": "TypeConstraintViolation",
}
SAMPLED_VALUES = {
    "MeterValues": ("meterValue", "sampledValue"),
    "StopTransaction": ("transactionData", "sampledValue"),
}


@cache
def schemas() -> Schemas:
    """All messages."""
    requests, answers = loaded("v16")
    for action, path in SAMPLED_VALUES.items():
        schema: Any = requests[action]
        for step in path:
            schema = schema["properties"][step]["items"]
        # The list of units lacks Hertz, and stations write others: a unit is read where it means something.
        schema["properties"]["unit"] = {"type": "string"}
    without_multiples(requests)
    return Schemas(requests, answers, ERROR_CODES)
