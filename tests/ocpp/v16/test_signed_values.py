"""Signed meter data over a real websocket: kept word for word, checked by the key of the meter, compared with the bill, and bounded."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from appliance.db import problems
from appliance.db.engine.protocols import Readable
from appliance.db.sessions import signed_values
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.signed import DATA_CHARS_MAX, VALUES_MAX
from appliance.domain.units import rfc3339
from appliance.services.signed_meter import evidence
from appliance.services.signed_meter.evidence import Evidence
from appliance.services.signed_meter.signatures import Verdict
from tests.ocpp.raw import Client, Server
from tests.services.signed_meter.test_ocmf import KNOWN, KNOWN_KEY, der_of, signed

BY = By("operator:1", 0)
STATION = StationId(1)
SIGNED_WH = 7_800


def value(data: str, context: str = "Transaction.End") -> dict[str, Any]:
    return {"value": data, "format": "SignedData", "context": context, "measurand": "Energy.Active.Import.Register"}


def moment(*values: dict[str, Any], at: str = "") -> dict[str, Any]:
    return {"timestamp": at or rfc3339(system_clock()), "sampledValue": list(values)}


async def stop(client: Client, transaction: int, energy_wh: int, *moments: dict[str, Any]) -> Any:
    now = rfc3339(system_clock())
    payload = {"transactionId": transaction, "meterStop": 1_000 + energy_wh, "timestamp": now}
    return await client.call("StopTransaction", payload | ({"transactionData": list(moments)} if moments else {}))


async def begin(client: Client) -> int:
    """Half an hour ago, so that nobody doubts what was charged."""
    answer = await client.start(at_ms=system_clock() - 3_600_000)
    return int(answer["transactionId"])


async def found(server: Server, session: int) -> Evidence:
    await server.rows("SELECT 1")
    return await server.store.read(evidence.of_session, session, STATION, 1)


async def test_what_is_signed_is_kept_word_for_word_and_checked_by_the_key_of_the_meter(
    server: Server, client: Client
) -> None:
    session = await begin(client)
    await stop(client, session, SIGNED_WH, moment({"value": "8800"}, value(KNOWN)))
    (piece,) = (await found(server, session)).pieces
    assert (piece.value.data, piece.verdict) == (KNOWN, Verdict.NO_KEY)
    await server.store.write(evidence.set_key, STATION, 1, KNOWN_KEY.lower(), BY)
    (piece,) = (await found(server, session)).pieces
    assert piece.verdict is Verdict.VERIFIED
    _, other = signed("secp256r1")
    await server.store.write(evidence.set_key, STATION, 1, der_of(other).hex(), BY)
    (piece,) = (await found(server, session)).pieces
    assert piece.verdict is Verdict.WRONG
    with pytest.raises(Invalid):
        await server.store.write(evidence.set_key, STATION, 1, "no key", BY)


async def test_the_same_energy_is_no_problem_and_another_is(server: Server, client: Client) -> None:
    session = await begin(client)
    await stop(client, session, SIGNED_WH, moment(value(KNOWN)))
    assert await server.store.read(told) == []
    session = await begin(client)
    await stop(client, session, SIGNED_WH - 500, moment(value(KNOWN)))
    (details,) = await server.store.read(told)
    assert (details["session"], details["billed_wh"], details["signed_wh"]) == (session, 7_300, 7_800)


async def test_it_comes_with_readings_too_and_the_same_once_more_is_kept_once(server: Server, client: Client) -> None:
    session = await begin(client)
    reading = {"connectorId": 1, "transactionId": session, "meterValue": [moment(value("OCMF|a", "Transaction.Begin"))]}
    for _ in range(2):
        await client.call("MeterValues", reading)
    await stop(
        client,
        session,
        1_000,
        moment(value("OCMF|a", "Transaction.Begin")),
        moment(value("OCMF|b"), at="1970-01-01T00:00:00Z"),
    )
    pieces = (await found(server, session)).pieces
    assert [(one.value.data, one.value.context) for one in pieces] == [
        ("OCMF|a", "Transaction.Begin"), ("OCMF|b", "Transaction.End"),
    ]  # fmt: skip


async def test_whoever_signs_each_reading_keeps_some_and_the_end(server: Server, client: Client) -> None:
    session = await begin(client)
    for number in range(60):
        signed_now = value(f"OCMF|{number}", "Sample.Periodic")
        await client.call(
            "MeterValues", {"connectorId": 1, "transactionId": session, "meterValue": [moment(signed_now)]}
        )
    await stop(client, session, SIGNED_WH, moment(value(KNOWN)))
    pieces = (await found(server, session)).pieces
    assert len(pieces) <= VALUES_MAX
    assert pieces[-1].value.data == KNOWN


@pytest.mark.parametrize(
    "data",
    ["", "\0", "OCMF|\0", "x" * (DATA_CHARS_MAX + 1), "{" * 5_000, '{"signedMeterData":1}', "OCMF|{}|{}", "ocmf"],
)
async def test_hostile_data_costs_no_stop(server: Server, client: Client, data: str) -> None:
    session = await begin(client)
    answer = await stop(client, session, 1_000, moment(value(data)))
    assert answer.get("idTagInfo", {"status": "Accepted"})["status"] == "Accepted"
    ((state, energy_wh),) = await server.rows("SELECT state, energy_wh FROM session WHERE id = ?", session)
    assert (state, energy_wh) == ("ended", 1_000)
    assert {piece.verdict for piece in (await found(server, session)).pieces} <= {Verdict.UNREADABLE}


async def test_transparency_software_gets_it_with_the_key_first(server: Server, client: Client) -> None:
    session = await begin(client)
    await stop(client, session, SIGNED_WH, moment(value(KNOWN)))
    await server.store.write(evidence.set_key, STATION, 1, KNOWN_KEY, BY)
    (one,) = ET.fromstring(evidence.as_xml(session, await found(server, session)))
    assert (one.tag, one.attrib) == ("value", {"transactionId": str(session), "context": "Transaction.End"})
    key, data = one
    assert (key.tag, key.text, key.attrib) == ("publicKey", KNOWN_KEY, {"encoding": "hex"})
    assert (data.tag, data.text, data.attrib) == ("signedData", KNOWN, {"format": "OCMF", "encoding": "plain"})


async def test_a_session_without_signed_values_has_none(server: Server, client: Client) -> None:
    session = await begin(client)
    await stop(client, session, 1_000)
    assert (await found(server, session)).pieces == ()
    assert await server.store.read(signed_values.of_session, session) == []


def told(db: Readable) -> list[dict[str, Any]]:
    return [one.details for one in problems.open_problems(db) if one.kind == ProblemKind.SIGNED_ENERGY]
