"""Each version that is spoken, put together: what it understands and sends can be looked for in the message log."""

from __future__ import annotations

import inspect
import re

import pytest

from appliance.ocpp.settings import StationSettings
from appliance.ocpp.version import Version
from appliance.ocpp.versions import versions

SPOKEN = versions(StationSettings())
SENT = re.compile(r'\bcall\("(\w+)"')


@pytest.mark.parametrize("one", SPOKEN, ids=[one.name for one in SPOKEN])
def test_every_message_can_be_looked_for_in_the_message_log(one: Version) -> None:
    sent = set(SENT.findall(inspect.getsource(type(one.outgoing))))

    assert sent
    assert (one.inbound.keys() | sent) - set(one.messages) == set()
    assert set(one.triggers) <= one.inbound.keys()
