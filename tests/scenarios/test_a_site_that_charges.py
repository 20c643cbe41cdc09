"""Whole stories on a running server: what the owner is promised, told from the driver's side and checked through the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios.conftest import Site

RAHIMA, GREEN_TAXI, NASRIN = "04A1B2C3", "04D4E5F6", "04E7F8A9"


def around_today() -> str:
    """A span that has today in it, whatever the time zone."""
    now = datetime.now(UTC)
    return f"from={(now - timedelta(days=1)):%Y-%m-%d}&to={(now + timedelta(days=1)):%Y-%m-%d}"


async def test_private_use_is_swipe_and_charge(site: Site) -> None:
    await site.price(2_000)
    nasrin = await site.person("Nasrin Akter", "free", NASRIN)
    taxi = await site.person("Green Taxi", "postpaid", GREEN_TAXI)
    station = await site.station("GATE-1", connectors=2, behind_s=3 * 3600)

    for connector, card in ((1, NASRIN), (2, GREEN_TAXI)):
        await station.plug_in(connector=connector)
        assert await station.present_card(card, connector=connector) == "Accepted"
        await station.charge(7_200, connector=connector)
        await station.present_card(card, connector=connector)
        await station.unplug(connector=connector)

    assert (await site.wallet(nasrin))[0] == 0
    assert (await site.wallet(taxi))[0] == -14_400
    sessions = await site.sessions()
    assert [(one["state"], one["energy_wh"], one["fee_minor"]) for one in sessions] == [
        ("ended", 7_200, 0),
        ("ended", 7_200, 14_400),
    ]


async def test_commercial_use_is_top_up_swipe_and_deducted(site: Site) -> None:
    await site.price(2_000)
    rahima = await site.person("Rahima Khatun", "prepaid", RAHIMA)
    station = await site.station("RAMP-A", behind_s=3 * 3600)
    await station.plug_in()
    assert await station.present_card(RAHIMA) == "Blocked"  # OCPP 1.6 has no word for an empty wallet.

    await site.pay_in(rahima, 50_000)
    assert await station.present_card(RAHIMA) == "Accepted"
    balance, available = await site.wallet(rahima)
    assert balance == 50_000
    assert available is not None
    assert available < 50_000
    await station.charge(7_200)
    await station.present_card(RAHIMA)
    await station.unplug()

    assert await site.wallet(rahima) == (35_600, 35_600)
    (session,) = await site.sessions(f"?person={rahima}")
    assert (session["station"], session["connector"], session["energy_wh"]) == ("RAMP-A", 1, 7_200)
    assert (session["fee_minor"], session["stop_reason"]) == (14_400, "Local")
    report = (await site.get(f"/reports/stations?{around_today()}"))["items"]
    assert sum(row["energy_wh"] for row in report) == 7_200
    assert sum(row["fees_minor"] for row in report) == 14_400
    assert sum(row["sessions"] for row in report) == 1
    assert sum(row["working_s"] for row in report) == pytest.approx(3_503, abs=2)  # 7.2 kWh at 7.4 kW
    entries = (await site.get(f"/people/{rahima}/ledger"))["items"]
    assert sum(entry["amount_minor"] for entry in entries) == 35_600


async def test_after_payment_the_server_deducts_and_then_sends_the_start_to_the_charger(site: Site) -> None:
    await site.price(2_000)
    rahima = await site.person("Rahima Khatun", "prepaid", RAHIMA)
    await site.pay_in(rahima, 20_000)
    station = await site.station("RAMP-A", behind_s=3 * 3600)
    await station.plug_in()

    wish = await site.post("/stations/RAMP-A/start", {"connector": 1, "person_id": rahima}, status=202)
    asked = await station.expect_call("RemoteStartTransaction")
    assert await site.wallet(rahima) == (20_000, 19_000)
    transaction = await station.start_transaction(asked["idTag"], connector=asked["connectorId"])
    assert (transaction.id, transaction.status) == (wish["session_id"], "Accepted")
    await station.charge(5_000)

    await site.post("/stations/RAMP-A/stop", {"session_id": wish["session_id"]}, status=202)
    assert (await station.expect_call("RemoteStopTransaction"))["transactionId"] == transaction.id
    await station.stop_transaction(reason="Remote")

    ended = await site.until_session(transaction.id, "ended")
    assert (ended["fee_minor"], ended["stop_reason"]) == (10_000, "Remote")
    assert await site.wallet(rahima) == (10_000, 10_000)


async def test_a_charger_that_refuses_the_start_costs_nobody_anything(site: Site) -> None:
    await site.price(2_000)
    rahima = await site.person("Rahima Khatun", "prepaid", RAHIMA)
    await site.pay_in(rahima, 20_000)
    station = await site.station("RAMP-A")
    station.answers["RemoteStartTransaction"] = {"status": "Rejected"}

    wish = await site.post("/stations/RAMP-A/start", {"connector": 1, "card": RAHIMA}, status=202)
    await site.until_session(wish["session_id"], "failed")

    assert await site.wallet(rahima) == (20_000, 20_000)


async def test_the_power_fails_in_the_middle_of_a_charge_and_nothing_is_lost(site: Site) -> None:
    """The server's power, not the car's: the charger goes on and tells everything when the server is back."""
    await site.price(2_000)
    rahima = await site.person("Rahima Khatun", "prepaid", RAHIMA)
    await site.pay_in(rahima, 50_000)
    station = await site.station("RAMP-A", behind_s=3 * 3600)
    await station.plug_in()
    await station.present_card(RAHIMA)
    await station.charge(2_400)

    await site.server.kill()
    await station.go_offline()
    await station.charge(4_800)
    await station.stop_transaction()
    assert len(station.unacknowledged) == 4
    await site.server.start()
    await station.come_back()

    assert station.unacknowledged == []
    (session,) = await site.sessions()
    assert (session["state"], session["energy_wh"], session["fee_minor"]) == ("ended", 7_200, 14_400)
    assert await site.wallet(rahima) == (35_600, 35_600)


async def test_a_charger_that_was_offline_for_two_customers_is_billed_to_both(site: Site) -> None:
    await site.price(2_000)
    rahima = await site.person("Rahima Khatun", "prepaid", RAHIMA)
    taxi = await site.person("Green Taxi", "postpaid", GREEN_TAXI)
    await site.pay_in(rahima, 50_000)
    station = await site.station("RAMP-A", behind_s=6 * 3600)
    await station.go_offline()
    for card, energy_wh in ((RAHIMA, 7_200), (GREEN_TAXI, 3_000)):
        await station.plug_in()
        await station.present_card(card)
        await station.charge(energy_wh)
        await station.present_card(card)
        await station.unplug()
    await station.come_back()

    assert [one["energy_wh"] for one in await site.sessions()] == [7_200, 3_000]
    assert (await site.wallet(rahima))[0] == 35_600
    assert (await site.wallet(taxi))[0] == -6_000


async def test_a_payment_repeated_across_a_power_cut_is_taken_once(site: Site) -> None:
    rahima = await site.person("Rahima Khatun", "prepaid", RAHIMA)
    body, path = {"amount_minor": 5_000, "method": "cash"}, f"/people/{rahima}/topups"

    first = await site.post(path, body, key="till-1-slip-88")
    await site.server.kill()
    await site.server.start()
    again = await site.post(path, body, key="till-1-slip-88")

    assert again == first
    assert await site.wallet(rahima) == (5_000, 5_000)
    await site.post(path, body | {"amount_minor": 6_000}, key="till-1-slip-88", status=422)
