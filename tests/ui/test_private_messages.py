"""Who is shown whole numbers of cards in the message log and its file: those who may see cards, and nobody else."""

from __future__ import annotations

import threading

import pytest

from appliance.db.stations import message_log
from appliance.db.stations.message_log import Message
from appliance.domain.identifiers import StationId
from appliance.domain.roles import Role
from appliance.services.stations import private_messages
from appliance.ui.console.stations import messages
from tests.ui.console_fixture import NOW_MS, ConsoleFixture

UID = "04A1B2C3D4E5F6"


@pytest.mark.parametrize(("role", "whole"), [(Role.OWNER, True), (Role.MANAGER, True), (Role.INSTALLER, False)])
async def test_messages_show_a_card_as_cards_are_shown_to_the_role(
    served: ConsoleFixture, role: Role, whole: bool
) -> None:
    client = await served.logged_in(role)
    frame, answer = f'[2,"a1","Authorize",{{"idTag":"{UID}"}}]', f'[3,"a1",{{"idTagInfo":{{"parentIdTag":"{UID}"}}}}]'
    row = (StationId(1), NOW_MS, "in", "Authorize", frame, answer, f"FormationViolation: '{UID}' is too long")
    await served.store.write(message_log.record, row)

    for page in ("messages", "messages.jsonl"):
        async with client.get(f"/stations/CS-01/{page}") as found:
            text = await found.text()
            assert found.status == 200
            assert (UID in text) is whole
            assert ("••E5F6" in text) is not whole


async def test_many_messages_are_masked_beside_the_loop(
    served: ConsoleFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await served.logged_in(Role.INSTALLER)
    threads: list[threading.Thread] = []
    mask = private_messages.without_cards

    def noted(message: Message) -> Message:
        threads.append(threading.current_thread())
        return mask(message)

    monkeypatch.setattr(messages, "without_cards", noted)
    frame = f'[2,"a1","Authorize",{{"idTag":"{UID}"}}]'
    await served.store.write(message_log.record, (StationId(1), NOW_MS, "in", "Authorize", frame, "", None))
    async with client.get("/stations/CS-01/messages.jsonl") as found:
        assert UID not in await found.text()

    assert threads
    assert threading.current_thread() not in threads
