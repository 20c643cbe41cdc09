"""Times in the ways in which stations write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.domain.units import AT_MS_END, rfc3339
from appliance.ocpp.reading.times import is_rfc3339, parse_time
from tests.ocpp.raw import CARD, Client, Server

ONE_O_CLOCK_MS = 1_796_000_400_000
FORMS = [
    "2026-11-30T01:00:00Z",
    "2026-11-30T01:00:00+00:00Z",
    "2026-11-30T07:00:00+06:00Z",
    "2026-11-30T07:00:00.000+0600Z",
    "2026-11-30T07:00:00UTC+6",
    "2026-11-30 07:00:00 GMT+06:00",
    "20261130T010000Z",
    "20261130T010000.000Z",
    "20261130T010000,5Z",
    "20261130T010000",
    "20261130T0100Z",
    "20261130T070000+0600",
    "20261130t070000+06:00",
    "20261130 010000",
    "20261130010000",
    "2026-11-30T01:00Z",
    "2026-11-30 01:00",
    "2026-11-30T01:00:00,25Z",
    "2026-11-30 01:00:00Z",
    "2026-11-30T01:00:00",
    "2026/11/30 01:00:00",
    "2026/11/30T01:00:00Z",
    "2026.11.30 01:00:00",
    "2026-11-30T01:00:00Z\0\0",
    '"2026-11-30T01:00:00Z"',
    "Mon, 30 Nov 2026 01:00:00 GMT",
    "30 Nov 2026 07:00:00 +0600",
    "Mon Nov 30 01:00:00 2026",
    "30.11.2026 01:00:00",
    "30.11.2026, 01:00:00",
    "30.11.2026T07:00:00+06:00",
    "30.11.2026 07:00 +0600",
    "2026-11-30 01:00:00 AM",
    "30.11.2026 1:00:00 a.m.",
    "29.11.2026 07:00:00 PM -06:00",
    "2026-11-30T07:00:00+06:00[Asia/Dhaka]",
    "2026-11-30T01:00:00Z[UTC]",
    "Mon Nov 30 2026 07:00:00 GMT+0600 (Bangladesh Standard Time)",
    "Monday, 30 November 2026 01:00:00",
    "Nov 30, 2026, 1:00:00 AM",
    "30-NOV-2026 01:00:00",
    "1796000400",
    " 1796000400 ",
    "1796000400.25",
    "1796000400000",
    "1796000400000.0",
    "1796000400000000",
    "1796000400000000000",
    1796000400,
    1796000400.25,
    1796000400000,
    1.7960004e12,
    1796000400000000,
]


@pytest.mark.parametrize("stamp", FORMS)
def test_every_form_means_its_second(stamp: object) -> None:
    found = parse_time(stamp)

    assert found is not None
    assert found // 1000 * 1000 == ONE_O_CLOCK_MS


@pytest.mark.parametrize("stamp", [None, True, "", "now", "2026-11-30", "20261130", 20261130, 5, "5", -1, 1e300, float("nan"), [], {},
                                   "30/11/2026 01:00:00", "03/04/2026 01:00:00", "30-11-2026 01:00:00", "30.11.26 01:00:00", "11.30.2026 01:00:00",
                                   "30.11.2026", "2026-11-30 13:00:00 PM", "2026-11-30 00:00:00 AM", "2026-11-30T01:00:00[Asia/Dhaka]",
                                   "30 Novem 2026 01:00:00", "30 Foo 2026 01:00:00", "Nov 01:00:00 2026", "20261330T010000Z",
                                   "9" * 20, "9" * 2000, "2026-11-30T01:00:00Z" + "Z" * 100])  # fmt: skip
def test_what_may_be_two_moments_or_none_is_no_time(stamp: object) -> None:
    assert parse_time(stamp) is None


@given(some.text(max_size=70) | some.from_regex(r"[0-9]{1,20}([-/.: T]{0,2}[0-9]{1,4}){0,5}[Z+.,0-9:-]{0,8}", fullmatch=True)
       | some.floats() | some.integers())  # fmt: skip
def test_whatever_comes_is_a_time_within_bounds_or_none(stamp: object) -> None:
    at_ms = parse_time(stamp)

    assert at_ms is None or 0 <= at_ms < AT_MS_END


@given(some.integers(10**12, 10**13 - 1))
def test_a_time_in_any_unit_of_the_epoch_is_the_same_moment(at_ms: int) -> None:
    forms = [f"{at_ms // 1000}.{at_ms % 1000:03d}", at_ms, f"{at_ms}999", at_ms * 10**6, rfc3339(at_ms)]

    assert {parse_time(form) for form in forms} == {at_ms}


def test_only_what_keeps_to_rfc_3339_is_said_to() -> None:
    assert all(is_rfc3339(one) for one in ("2026-11-30T01:00:00Z", "2026-11-30t01:00:00.5+06:00"))
    assert not any(is_rfc3339(one) for one in ("2026-11-30 01:00:00Z", "2026-11-30T01:00:00", "2026-11-30T01:00Z"))


@pytest.mark.parametrize("stamp", FORMS)
async def test_a_session_of_an_hour_ago_has_its_times_and_its_duration(
    client: Client, server: Server, stamp: object
) -> None:
    server.now_ms = lambda: ONE_O_CLOCK_MS + 3_600_000
    start = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": stamp}
    number = (await client.call("StartTransaction", start))["transactionId"]
    stop = {"transactionId": number, "meterStop": 2000, "timestamp": "2026-11-30T01:30:00Z"}
    await client.call("StopTransaction", stop)

    (started_ms, duration_s), *_ = await server.rows("SELECT started_at_ms, duration_s FROM session")
    assert (started_ms // 1000 * 1000, duration_s in (1799, 1800)) == (ONE_O_CLOCK_MS, True)


async def test_a_valid_time_is_not_noted_as_wrong_beside_something_that_is(client: Client, server: Server) -> None:
    await client.call("StatusNotification", {"connectorId": "1", "status": "Available", "errorCode": "NoError", "timestamp": "2026-11-30T01:00:00Z"})  # fmt: skip

    (logged,) = await server.log_of(1)
    assert logged.violation == "connectorId: not a whole number"


@pytest.mark.parametrize("stamp", ["03/04/2026 01:00:00", "30-11-2026 01:00:00", "yesterday", "1970-01-01T00:00:00Z"])
async def test_what_may_be_two_moments_or_none_is_now_and_that_is_on_record(
    client: Client, server: Server, stamp: str
) -> None:
    server.now_ms = lambda: ONE_O_CLOCK_MS
    status = {"connectorId": 1, "status": "Charging", "errorCode": "NoError", "timestamp": stamp}
    await client.call("StatusNotification", status)
    start = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": stamp}
    number = (await client.call("StartTransaction", start))["transactionId"]
    server.now_ms = lambda: ONE_O_CLOCK_MS + 3_600_000
    values = {"connectorId": 1, "transactionId": number, "meterValue": [{"timestamp": stamp, "sampledValue": [{"value": "1500"}]}]}  # fmt: skip
    await client.call("MeterValues", values)
    await client.call("StopTransaction", {"transactionId": number, "meterStop": 2000, "timestamp": stamp})

    assert [one.violation is not None for one in await server.log_of(1)] == [True] * 4
    assert await server.rows("SELECT state, started_at_ms, duration_s FROM session") == [
        ("ended", ONE_O_CLOCK_MS, 3600)
    ]
    assert await server.rows("SELECT sampled_at_ms FROM sample") == [(ONE_O_CLOCK_MS + 3_600_000,)]
