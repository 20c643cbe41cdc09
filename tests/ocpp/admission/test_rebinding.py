"""A page whose own name leads to this box is no charger, though it calls us by the name it has itself."""

from __future__ import annotations

import pytest

from appliance.ocpp.admission.rebinding import is_rebound
from appliance.ocpp.settings import StationSettings
from tests.ocpp.raw import Server, handshake_status

SWITCHED, FORBIDDEN = 101, 403


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://evil.example:9000", "evil.example:9000", FORBIDDEN),
        ("http://evil.example", "Evil.Example.:9000", FORBIDDEN),
        ("http://charge.example", "charge.example:9000", SWITCHED),
        ("http://192.168.1.10", "192.168.1.10:9000", SWITCHED),
        ("http://localhost", "localhost:9000", SWITCHED),
        ("file://", "evil.example:9000", SWITCHED),
        (None, "evil.example:9000", SWITCHED),
    ],
)
async def test_who_names_an_origin_calls_the_box_by_a_name_of_its_own(
    server: Server, settings: StationSettings, origin: str | None, host: str, status: int
) -> None:
    settings.host_names = {"charge.example"}
    headers = {"Host": host} | ({"Origin": origin} if origin is not None else {})

    found, _ = await handshake_status(server, headers=headers)

    assert found == status
    problems = await server.rows("SELECT kind FROM problem WHERE kind = 'foreign_page'")
    assert bool(problems) is (status == FORBIDDEN)


def test_what_is_no_host_at_all_is_no_name_of_ours() -> None:
    assert is_rebound("http://evil.example", "", frozenset({"charge.example"}))
