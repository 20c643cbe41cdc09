"""The schemas of OCPP 1.6, read before they are needed.

The `ocpp` package reads a schema from disk when its message comes by for the first time: that would be in the event loop.
"""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import Final

from ocpp.messages import MessageType, get_validator
from ocpp.v16.enums import Action

# The package compares these by decimal fractions (its `_validate_payload`), and keeps whichever form was read first.
WITH_DECIMALS: Final = {
    (MessageType.Call, Action.set_charging_profile),
    (MessageType.Call, Action.remote_start_transaction),
    (MessageType.CallResult, Action.get_composite_schedule),
}


@functools.cache
def read_all() -> None:
    """Read every schema, once; some ten milliseconds of reading files."""
    for action in Action:
        for kind in (MessageType.Call, MessageType.CallResult):
            get_validator(kind, action.value, "1.6", Decimal if (kind, action) in WITH_DECIMALS else float)
