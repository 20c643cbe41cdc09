"""What a charger keeps and says of cards, for roles that may see cards, and for those that may not."""

from __future__ import annotations

import pytest

from appliance.domain.identifiers import StationId
from appliance.domain.roles import Role
from appliance.services.ports.stations import Variable, VariableName
from tests.ui.console_fixture import ConsoleFixture, status

UID = "04A1B2C3D4E5F6"
KEPT = [
    Variable(VariableName("LocalAuthList", ""), f"{UID},DRIVER-8", readonly=False),
    Variable(VariableName("MasterCard", ""), "DRIVER-8", readonly=False),
    Variable(VariableName("HeartbeatInterval", ""), "300", readonly=False),
    Variable(VariableName("ChargeBoxSerialNumber", ""), "20240917", readonly=True),
]


@pytest.mark.parametrize("role", [Role.OWNER, Role.INSTALLER])
async def test_settings_inside_a_charger_tell_cards_only_to_whom_cards_are_shown(
    served: ConsoleFixture, role: Role
) -> None:
    served.stations.variables = KEPT
    client = await served.logged_in(role)

    page = await (await client.get("/stations/CS-01/variables")).text()

    assert (UID in page, "DRIVER-8" in page) == ((role is Role.OWNER),) * 2
    assert 'value="300"' in page
    assert "20240917" in page


async def test_nor_does_a_conflict_tell_what_is_there_now(served: ConsoleFixture) -> None:
    served.stations.variables = KEPT
    client = await served.logged_in(Role.INSTALLER)

    answer = await client.post(
        "/stations/CS-01/variables", data={"name": "MasterCard", "value": "x", "shown.value": "y"}
    )

    assert "DRIVER-8" not in await answer.text()


@pytest.mark.parametrize("role", [Role.OWNER, Role.GUARD, Role.INSTALLER, Role.VIEWER])
async def test_a_vendors_code_that_looks_like_a_card_is_shown_to_whom_cards_are_shown(
    served: ConsoleFixture, role: Role
) -> None:
    await served.store.write(status, StationId(3), 1, "Faulted", 1, error="OtherError", info="relay (0000F0A1)")
    client = await served.logged_in(role)

    pages = [await (await client.get(path)).text() for path in ("/", "/problems", "/stations/CS-03")]

    assert any("relay" in page for page in pages) or role is Role.VIEWER  # Who sees a light on the wall only.
    assert any("0000F0A1" in page for page in pages) is (role is Role.OWNER)
