"""Whoever may not see cards reads messages without whole card numbers."""

from __future__ import annotations

import pytest

from appliance.db.stations.message_log import Message
from appliance.domain.identifiers import StationId
from appliance.services.stations.private_messages import masked_text, without_cards

UID = "04A1B2C3D4E5F6"
MASKED = "••E5F6"


@pytest.mark.parametrize(
    "text",
    [
        f'[2,"1","Authorize",{{"idTag":"{UID}"}}]',
        f'[2,"1","Authorize",{{"IDTAG":"{UID}"}}]',
        f'[3,"1",{{"idTagInfo":{{"status":"Accepted","parentIdTag":"{UID}"}}}}]',
        f'[2,"1","Authorize",{{"idToken":{{"idToken":"{UID}","type":"ISO14443"}}}}]',
        f'[2,"1","SendLocalList",{{"localAuthorizationList":[{{"idTag":"{UID}"}}]}}]',
        f'[2,"1","DataTransfer",{{"data":"{{\\"card\\":\\"{UID}\\"}}"}}]',
        f'[2,"1","DataTransfer",{{"data":"tapped {UID} at 1"}}]',
        f'[2,"1","Authorize",{{"idTag":"{UID}"',
        f'[2,"1","StartTransaction",{{"connectorId":1,"idTag":"{UID[:12]}…',
    ],
)
def test_a_card_is_masked_wherever_it_stands(text: str) -> None:
    assert UID[:8] not in masked_text(text)
    assert "••" in masked_text(text)


@pytest.mark.parametrize(
    "text",
    [
        '[2,"12345678","BootNotification",{"chargePointSerialNumber":"12345678","firmwareVersion":"20251123"}]',
        '[2,"9a2f1c3e","MeterValues",{"transactionId":12345678,"meterValue":[{"sampledValue":[{"value":"12345678"}]}]}]',
        '[2, "1", "Heartbeat", {}]',
    ],
)
def test_other_numbers_stay_as_they_are(text: str) -> None:
    assert masked_text(text) == text


def test_remarks_and_answers_are_masked_too() -> None:
    message = Message(
        1, StationId(1), 0, "in", "Authorize", "", f'[4,"1","X","\'{UID}\' is too long",{{}}]', f"'{UID}' is too long"
    )
    hidden = without_cards(message)

    assert UID not in f"{hidden.answer}{hidden.violation}"
    assert MASKED in (hidden.violation or "")
