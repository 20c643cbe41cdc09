"""Whoever may not see cards reads messages without whole card numbers."""

from __future__ import annotations

import orjson
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
        f'[2,"1","Authorize",{{"idTag":["{UID}"]}}]',
        f'[2,"1","Authorize",{{"idTag":{{"value":"{UID}"}}}}]',
        f'[2,"1","X",{{"serialNumber":"{UID}"}}]',
        f'[2,"1","X",{{"{UID}":"Accepted"}}]',
        f'[3,"{UID}",{{}}]',
        f'[2,"{UID}","X",{{}}]',
        f'[2,"1","{UID}",{{}}]',
    ],
)
def test_a_card_is_masked_wherever_it_stands(text: str) -> None:
    assert UID[:8] not in masked_text(text)
    assert "••" in masked_text(text)


@pytest.mark.parametrize(
    "written",
    ["0x04A1B2C3", "04-A1-B2-C3", "04 A1 B2 C3", "04:a1:b2:c3", "4:A1:B2:C3", "uid_04A1B2C3", "card-04A1B2C3", "tag 0x04A1B2C3",
     "0x04, 0xA1, 0xB2, 0xC3", "04A1 B2C3", "a tap of 04.A1.B2.C3 now", "DEADBEEF", "tag deadbeef", "DE:AD:BE:EF", "2712847316",
     "idTag=DRIVER8", "refused, tag=DRIVER8", "at 1; tags: DRIVER8", "vin:DRIVER8", "rfid-tag = DRIVER8", "a=idTag=DRIVER8", "<rfid>DRIVER8</rfid>", "{'idTag':'DRIVER8'}", '{"idTag":"DRIVER8","idTag":""}', '"DEADBEEF"'],
)  # fmt: skip
@pytest.mark.parametrize("action", ["DataTransfer", "StatusNotification", "BootNotification"])
@pytest.mark.parametrize("field", ["data", "techInfo", "info", "vendorErrorCode", "imei"])
def test_a_card_is_masked_however_it_is_written(written: str, action: str, field: str) -> None:
    shown = masked_text(orjson.dumps([2, "1", action, {field: written}]).decode(), action)

    for whole in (
        "04A1B2C3",
        "04-A1",
        "04 A1",
        "04:a1",
        "4:A1",
        "04.A1",
        "0x04, 0x",
        "04A1 B2",
        "DEADBE",
        "deadbe",
        "DE:AD",
        "27128",
        "DRI",
    ):
        assert whole not in shown


@pytest.mark.parametrize(
    "fields",
    [
        {"idTag": "DRIVER8"}, {"idTag": ["DRIVER8"]}, {"idTag": {"x": {"y": ["DRIVER8"]}}}, {"rfid_tag": "DRIVER8"}, {"lastCard": "DRIVER8"}, {"cardInfo": "DRIVER8"},
        {"badge": "DRIVER8"}, {"tag": "DRIVER8"}, {"key": "MasterCard", "value": "DRIVER8"},
        {"variable": {"name": "MasterPassGroupId"}, "attributeValue": "DRIVER8"}, {"data": orjson.dumps({"user": "DRIVER8"}).decode()},
    ],
)  # fmt: skip
def test_what_may_hold_a_token_is_masked_whatever_its_shape(fields: dict[str, object]) -> None:
    shown = masked_text(orjson.dumps([2, "1", "DataTransfer", fields]).decode(), "DataTransfer")

    assert "••VER8" in shown.replace("••ER8", "••VER8")
    assert "DRI" not in shown


@pytest.mark.parametrize("name", ["uid", "tag_tag", "token", "card-", "id_tag '"])
def test_a_text_of_nothing_but_names_is_searched_once(name: str) -> None:
    """It would take a quarter of an hour if it was searched again for each of them."""
    text = name * 200_000

    assert masked_text(orjson.dumps({"data": text}).decode()) == orjson.dumps({"data": text}).decode()


def test_numbers_that_are_no_text_are_masked_too() -> None:
    assert "2712847316" not in masked_text('[2,"1","DataTransfer",{"data":{"n":2712847316,"uid":77}}]')
    assert "12345678" not in masked_text('[2,"1","DataTransfer",{"serial":12345678}]')


@pytest.mark.parametrize(
    "text",
    [
        f'[2,"1","Authorize",{{"idTag":"{UID}"',
        f'[2,"1","StartTransaction",{{"connectorId":1,"idTag":"{UID[:12]}…',
        f"[2,'1','Authorize',{{'idTag':'{UID}'}}]",
        f"idTag {UID}",
        UID,
    ],
)
def test_of_what_cannot_be_read_only_action_and_length_are_shown(text: str) -> None:
    assert masked_text(text, "Authorize") == f"Authorize •• {len(text)}"


def test_of_a_name_that_is_there_twice_nothing_is_shown_that_was_not_read() -> None:
    assert UID not in masked_text(f'[2,"1","Authorize",{{"idTag":"{UID}","idTag":""}}]')


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("BootNotification", '[2,"1","BootNotification",{"chargePointSerialNumber":"12345678","firmwareVersion":"20251123"}]'),
        ("MeterValues", ('[2,"1","MeterValues",{"transactionId":12345678,"meterValue":[{"timestamp":"2026-11-30T12:07:28.123Z",'
                        '"sampledValue":[{"value":"12345678"},{"value":12345678.5},{"value":"230.1","measurand":"Voltage"}]}]}]')),
        ("Authorize", '[3,"5b9f2f0c-1e7e-4a55-9ddc-0f41a4b3a111",{"idTagInfo":{"status":"Accepted","expiryDate":"2026-11-30T12:07:28Z"}}]'),
        ("StatusNotification", '[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Preparing","info":"phase L1 is back"}]'),
        ("Heartbeat", '[2,"1","Heartbeat",{}]'),
    ],
)  # fmt: skip
def test_other_numbers_stay_as_they_are(action: str, text: str) -> None:
    assert masked_text(text, action) == text


def test_remarks_and_answers_are_masked_too() -> None:
    message = Message(
        1, StationId(1), 0, "in", "Authorize", "", f'[4,"1","X","\'{UID}\' is too long",{{}}]', f"'{UID}' is too long"
    )
    hidden = without_cards(message)

    assert UID not in f"{hidden.answer}{hidden.violation}"
    assert MASKED in (hidden.violation or "")
