"""Who pays beforehand, or has a limit, and a charger that does not say what it gives: reckoned by time, told, and stopped in time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from appliance.domain.by import By
from appliance.domain.cards.limits import Limits
from appliance.services import settings
from appliance.services.cards import limits
from tests.support.clocked_site import BY, ClockedSite, clocked_site
from tests.support.station import Station

CARD = "04AABBCC"
KWH_MINOR = 1200
"""The price of the site."""


START_WH, STEP_WH = 120_500, 367
"""A register, and what 22 kW add to it each minute."""
Sampled = dict[str, str]
POWER: Sampled = {"value": "22000", "measurand": "Power.Active.Import", "unit": "W"}
NO_POWER: Sampled = POWER | {"value": "0"}
INTERVAL: Sampled = {"value": str(STEP_WH), "measurand": "Energy.Active.Import.Interval", "unit": "Wh"}


def register(value: float, unit: str | None = "Wh") -> Sampled:
    """The main register as a station tells it."""
    told = {"value": str(value), "measurand": "Energy.Active.Import.Register"}
    return told if unit is None else told | {"unit": unit}


async def sample(station: Station, number: int, sampled: list[Sampled]) -> None:
    """One reading of the transaction."""
    meter_value = [{"timestamp": station.timestamp(), "sampledValue": sampled}]
    await station.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": meter_value})


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[ClockedSite]:
    async with clocked_site(tmp_path / "forecourt.db") as site:
        yield site


async def begin(site: ClockedSite, station: Station, paid_in: int = 100 * KWH_MINOR, **person: object) -> int:
    """A session of somebody with this much money; its number."""
    await site.person(CARD, paid_in, **person)  # type: ignore[arg-type]
    begun = await station.start_transaction(CARD)
    assert begun.status == "Accepted"
    return begun.id


async def seconds_until_stopped(site: ClockedSite, number: int, most: int = 3600) -> int | None:
    """How long the clock runs until a stop is wanted."""
    for seconds in range(15, most + 1, 15):
        await site.wait(15)
        if (await site.session(number))["stop_wanted"]:
            return seconds
    return None


async def test_without_readings_it_is_stopped_when_the_money_could_have_been_used_up(site: ClockedSite) -> None:
    """100 kWh at 400 kW last for 900 s."""
    async with site.station() as station:
        number = await begin(site, station)
        stopped_after_s = await seconds_until_stopped(site, number)

        assert stopped_after_s is not None
        assert 800 <= stopped_after_s <= 900 - 15
        assert (await site.session(number))["stop_wanted"] == "unwatched"
        assert (await station.expect_call("RemoteStopTransaction"))["transactionId"] == number


async def test_staff_are_told_after_two_missed_readings_and_no_more_when_readings_come(site: ClockedSite) -> None:
    async with site.station() as station:
        await begin(site, station)
        await site.wait(120)
        assert await site.kinds() == set()
        await site.wait(30)
        (unwatched,) = await site.problems()
        assert (unwatched.kind, unwatched.subject) == ("unwatched", f"station:{await site.number_of('CS-1')}")
        assert unwatched.details["why"] == "nothing"

        station.connectors[1].register_wh += 500
        await station.meter_values()
        await site.wait(15)
        assert await site.kinds() == set()


async def test_a_reading_that_was_asked_for_may_come_without_its_transaction(site: ClockedSite) -> None:
    async with site.station() as station:
        await begin(site, station)
        await site.wait(15)
        await station.meter_values()
        await site.wait(150)
        assert await site.kinds() == {"missed_readings"}

        station.connectors[1].transaction = None
        station.connectors[1].register_wh += 500
        await station.meter_values()
        await site.wait(15)
        assert await site.kinds() == set()


async def test_readings_in_time_are_believed_and_nothing_is_reckoned(site: ClockedSite) -> None:
    async with site.station() as station:
        number = await begin(site, station)
        for _ in range(20):
            await site.wait(60)
            station.connectors[1].register_wh += 120
            await station.meter_values()

        session = await site.session(number)
        assert (session["stop_wanted"], session["held_minor"] <= 100 * KWH_MINOR // 10) == ("", True)
        assert await site.kinds() == set()


@pytest.mark.parametrize("power_w", [600_000, 90_000, 4_000_000])
@pytest.mark.parametrize("number", [0, 3, 9], ids=["first", "in between", "last"])
async def test_a_power_that_its_connector_cannot_give_stops_nobody_and_teaches_nothing(
    site: ClockedSite, power_w: int, number: int
) -> None:
    await site.store.write(settings.change, "power_max_kw", "22")
    async with site.station() as station:
        session = await begin(site, station, 20 * KWH_MINOR)
        for minute in range(10):
            await site.wait(60)
            station.connectors[1].register_wh += 360
            power = POWER | {"value": str(power_w if minute == number else 21_600)}
            await sample(station, session, [register(station.connectors[1].register_wh), power])
        assert (await site.session(session))["stop_wanted"] == ""
        assert (await site.session(session))["held_minor"] < 10 * KWH_MINOR
        await site.wait(15)
        await station.stop_transaction()

        assert (await site.session(session))["energy_wh"] == 3_600
        assert await site.server.rows("SELECT power_seen_w FROM connector WHERE evse = 1") == [(21_600,)]
        assert await site.kinds() == set()


async def test_a_power_beyond_what_was_said_is_learned_where_the_register_shows_it(site: ClockedSite) -> None:
    await site.store.write(settings.change, "power_max_kw", "22")
    async with site.station() as station:
        session = await begin(site, station)
        for _ in range(10):
            await site.wait(60)
            station.connectors[1].register_wh += 400
            await sample(station, session, [register(station.connectors[1].register_wh), POWER | {"value": "24000"}])
        await station.stop_transaction()

        assert await site.server.rows("SELECT power_seen_w FROM connector WHERE evse = 1") == [(24_000,)]


async def test_a_reading_without_a_register_is_no_reading(site: ClockedSite) -> None:
    async with site.station() as station:
        number = await begin(site, station)
        for _ in range(3):
            await site.wait(60)
            sampled = [{"value": "7000", "measurand": "Power.Active.Import", "unit": "W"}]
            meter_value = [{"timestamp": station.timestamp(), "sampledValue": sampled}]
            await station.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": meter_value})

        assert await site.kinds() == {"unwatched"}


READINGS: dict[str, Callable[[int], list[Sampled]]] = {
    "watt-hours called kilowatt-hours": lambda n: [register(START_WH + n * STEP_WH, "kWh")],
    "kilowatt-hours without their unit at 150 kW": lambda n: [register((START_WH + n * 2_500) / 1000, None)],
    "kilowatt-hours without their unit at 400 kW": lambda n: [register((START_WH + n * 6_667) / 1000, None)],
    "kilowatt-hours without their unit beside a power": lambda n: [
        register((START_WH + n * 2_500) / 1000, None),
        POWER,
    ],
    "kilowatt-hours without their unit": lambda n: [register((START_WH + n * STEP_WH) / 1000, None)],
    "a thousand times too much": lambda n: [register((START_WH + n * STEP_WH) * 1000)],
    "falling": lambda n: [register(START_WH - n * STEP_WH)],
    "frozen": lambda _: [register(START_WH)],
    "frozen after a while": lambda n: [register(START_WH + min(n, 3) * STEP_WH)],
    "frozen beside a power": lambda _: [register(START_WH), POWER],
    "frozen after a while beside a power": lambda n: [register(START_WH + min(n, 3) * STEP_WH), POWER],
    "frozen beside intervals": lambda _: [register(START_WH), INTERVAL],
    "zero beside intervals": lambda _: [register(0), INTERVAL],
    "one, then only intervals": lambda n: [register(START_WH + STEP_WH) if n == 1 else INTERVAL],
    "frozen at whole kilowatt-hours beside a power": lambda _: [register(120_000), POWER],
}


@pytest.mark.parametrize("what", READINGS)
async def test_readings_that_say_nothing_are_as_good_as_none(site: ClockedSite, what: str) -> None:
    """22 kW give 5 kWh in less than 14 minutes."""
    start_wh = 120_000 if "whole" in what else START_WH
    async with site.station() as station:
        station.connectors[1].register_wh = start_wh
        number = await begin(site, station, 5 * KWH_MINOR)
        await station.status("Charging")
        for minute in range(1, 14):
            await site.wait(60)
            await sample(station, number, READINGS[what](minute))

        assert (await site.session(number))["stop_wanted"] == "unwatched"


async def test_staff_hear_of_readings_that_say_nothing(site: ClockedSite) -> None:
    async with site.station() as station:
        station.connectors[1].register_wh = START_WH
        number = await begin(site, station)
        await station.status("Charging")
        for _ in range(3):
            await site.wait(60)
            await sample(station, number, [register(START_WH)])
        assert await site.kinds() == {"unwatched"}
        await sample(station, number, [register(START_WH + STEP_WH)])
        await site.wait(15)
        assert await site.kinds() == set()


@pytest.mark.parametrize("taken_wh", [0, 100])
async def test_readings_that_stood_still_were_true_if_the_stop_says_so(site: ClockedSite, taken_wh: int) -> None:
    """A cable that is plugged in and gives nothing makes no charger one that cannot be watched."""
    async with site.station() as station:
        station.connectors[1].register_wh = START_WH
        number = await begin(site, station)
        await station.status("Charging")
        for _ in range(4):
            await site.wait(60)
            await sample(station, number, [register(START_WH)])
        assert "unwatched" in await site.kinds()
        station.connectors[1].register_wh += taken_wh
        await station.stop_transaction()
        await site.wait(15)

        assert await site.kinds() == ({"unwatched"} if taken_wh else set())


@pytest.mark.parametrize(
    "readings",
    [
        lambda n: [register(START_WH + n * STEP_WH // 10)],
        lambda n: [register((START_WH + n * STEP_WH) / 1000, "kWh")],
        lambda _: [INTERVAL],
        lambda n: [register(START_WH + n * 4), POWER | {"value": "240"}],
        lambda n: [register((START_WH + n * 4) / 1000, "kWh")],
        lambda n: [register((START_WH + n * 117) // 1000 * 1000)],
        lambda n: [register(START_WH + min(n, 3) * STEP_WH)] if n < 4 else [register(START_WH + 3 * STEP_WH), NO_POWER],
        lambda n: [register(START_WH + min(n, 3) * STEP_WH), POWER if n < 4 else NO_POWER],
    ],
    ids=[
        "2 kW",
        "kilowatt-hours",
        "intervals",
        "240 W",
        "240 W in kilowatt-hours",
        "whole kilowatt-hours at 7 kW",
        "full",
        "a pause",
    ],
)
async def test_readings_that_say_something_are_believed(
    site: ClockedSite, readings: Callable[[int], list[Sampled]], request: pytest.FixtureRequest
) -> None:
    async with site.station() as station:
        station.connectors[1].register_wh = START_WH // 1000 * 1000 if "whole" in request.node.name else START_WH
        number = await begin(site, station, 30 * KWH_MINOR)
        await station.status("Charging")
        for minute in range(1, 21):
            await site.wait(60)
            if minute == 4 and "full" in request.node.name:
                await station.status("SuspendedEV")
            await sample(station, number, readings(minute))

        assert (await site.session(number))["stop_wanted"] == ""
        assert await site.kinds() == set()


@pytest.mark.parametrize("watts", [1_250, 1_400, 2_300, 3_700])
async def test_a_meter_that_counts_in_steps_of_100_wh_is_no_silent_one(site: ClockedSite, watts: int) -> None:
    """A wallet for 8 kWh would not last for a minute, if it were reckoned by the greatest power."""
    async with site.station() as station:
        station.connectors[1].register_wh = START_WH
        await site.person("04DDEEFF", 10 * KWH_MINOR)
        await station.start_transaction("04DDEEFF")
        station.connectors[1].register_wh += 1_000
        site.at_ms += 600_000
        await station.stop_transaction()
        number = await begin(site, station, 8 * KWH_MINOR)
        await station.status("Charging")
        begun_wh = station.connectors[1].register_wh
        for minute in range(1, 91):
            await site.wait(60)
            station.connectors[1].register_wh = begun_wh + watts * minute // 60 // 100 * 100
            await station.meter_values()
            assert await site.kinds() == set()

        assert (await site.session(number))["stop_wanted"] == ""


async def test_such_a_meter_that_stands_still_for_longer_is_told(site: ClockedSite) -> None:
    async with site.station() as station:
        station.connectors[1].register_wh = START_WH
        number = await begin(site, station, 15 * KWH_MINOR)
        await station.status("Charging")
        for minute in range(1, 14):
            await site.wait(60)
            station.connectors[1].register_wh = START_WH + min(minute, 4) * 100
            await station.meter_values()

        assert (await site.session(number))["stop_wanted"] == "unwatched"


async def test_what_comes_without_samples_is_one_problem_of_its_charger(site: ClockedSite) -> None:
    async with site.station() as station:
        number = await begin(site, station, 5_000 * KWH_MINOR)
        await site.wait(2_400)

        (problem,) = await site.problems()
        assert (problem.kind, problem.details["why"]) == ("unwatched", "nothing")
        station.connectors[1].register_wh += 9_000
        await station.stop_transaction()
        assert (await site.session(number))["energy_wh"] == 9_000


@pytest.mark.parametrize("every_s", [300, 900])
async def test_a_charger_that_measures_seldom_is_no_problem_that_comes_and_goes(
    site: ClockedSite, every_s: int
) -> None:
    async with site.station() as station:
        kinds = []
        number = await begin(site, station, 5_000 * KWH_MINOR)
        for _ in range(6):
            await site.wait(every_s)
            station.connectors[1].register_wh += 2 * every_s
            await station.meter_values()
            await site.wait(15)
            kinds.append(await site.kinds())
        assert kinds == [set()] * 6
        told = await site.server.rows("SELECT kind FROM problem")
        assert told == [("unwatched",)], "before it had sent its first reading"
        await site.wait(2 * every_s + 60)
        assert await site.kinds() == {"missed_readings"}
        await station.stop_transaction()
        assert (await site.session(number))["state"] == "ended"


async def test_readings_that_only_come_with_the_stop_watch_nobody(site: ClockedSite) -> None:
    async with site.station() as station:
        number = await begin(site, station, 5_000 * KWH_MINOR)
        await site.wait(150)
        assert await site.kinds() == {"unwatched"}
        station.connectors[1].register_wh += 500
        sampled = [register(station.connectors[1].register_wh)]
        await station.stop_transaction(transactionData=[{"timestamp": station.timestamp(), "sampledValue": sampled}])
        await site.wait(15)

        assert await site.kinds() == {"unwatched"}
        assert (await site.session(number))["energy_wh"] == 500


async def test_readings_that_end_are_one_problem_of_their_session(site: ClockedSite) -> None:
    async with site.station() as station:
        number = await begin(site, station, 5_000 * KWH_MINOR)
        await site.wait(60)
        station.connectors[1].register_wh += 100
        await station.meter_values()
        await site.wait(2_400)

        (problem,) = await site.problems()
        assert (problem.kind, problem.details["session"]) == ("missed_readings", number)


async def test_a_charger_that_is_known_to_be_silent_is_reckoned_from_the_first_second(site: ClockedSite) -> None:
    """10 kWh at 400 kW last for 90 s, which is sooner than two readings are missed."""
    async with site.station() as station:
        first = await begin(site, station)
        await site.wait(150)
        await station.stop_transaction()
        await site.wait(15)
        assert await site.kinds() == {"unwatched"}, "the charger's page says so"
        assert (await site.session(first))["state"] == "ended"
        await site.person("04DDEEFF", 10 * KWH_MINOR)
        second = await station.start_transaction("04DDEEFF")

        stopped_after_s = await seconds_until_stopped(site, second.id)
        assert stopped_after_s is not None
        assert stopped_after_s <= 90 - 15


@pytest.mark.parametrize(("policy", "limit_minor"), [("postpaid", 100 * KWH_MINOR), ("postpaid", None), ("free", None)])
async def test_whoever_has_an_end_to_their_credit_is_bounded_too(
    site: ClockedSite, policy: str, limit_minor: int | None
) -> None:
    async with site.station() as station:
        number = await begin(site, station, 0, policy=policy, limit_minor=limit_minor)
        stopped_after_s = await seconds_until_stopped(site, number, 1200)

        assert (stopped_after_s is not None) == (limit_minor is not None)
        assert ("unwatched" in await site.kinds()) == (limit_minor is not None)


@pytest.mark.parametrize("what", [Limits(session_energy_wh=50_000), Limits(day_minor=50 * KWH_MINOR)])
async def test_a_card_with_a_limit_is_bounded_although_its_holder_pays_nothing(site: ClockedSite, what: Limits) -> None:
    """50 kWh at 400 kW last for 450 s; of what is free no money is limited."""
    async with site.station() as station:
        policy = "free" if what.session_energy_wh else "postpaid"
        await site.person(CARD, 0, policy=policy)
        card = (await site.server.rows("SELECT id FROM card WHERE uid = ?", CARD))[0][0]
        await site.store.write(limits.change, card, what, By(BY, site.at_ms))
        begun = await station.start_transaction(CARD)
        stopped_after_s = await seconds_until_stopped(site, begun.id, 1200)

        assert stopped_after_s is not None
        assert 300 <= stopped_after_s <= 450 - 15


async def test_a_charger_that_is_away_is_told_as_such_and_its_queue_is_waited_for(site: ClockedSite) -> None:
    async with site.station() as station:
        number = await begin(site, station)
        await site.wait(60)
        await station.meter_values()
        await station.go_offline()
        await site.wait(1200)
        assert await site.kinds() == {"offline"}
        await station.come_back()
        await site.wait(60)
        station.connectors[1].register_wh += 1000
        await station.meter_values()
        await site.wait(60)

        assert (await site.session(number))["stop_wanted"] == ""
        assert await site.kinds() == set()


async def test_a_full_car_takes_nothing_and_is_left_in_peace(site: ClockedSite) -> None:
    async with site.station() as station:
        number = await begin(site, station)
        await site.wait(60)
        await station.meter_values()
        await station.status("SuspendedEV")
        await site.wait(1800)

        assert (await site.session(number))["stop_wanted"] == ""
        await station.status("Charging")
        stopped_after_s = await seconds_until_stopped(site, number)
        assert stopped_after_s is not None


@pytest.mark.parametrize("state", ["SuspendedEV", "SuspendedEVSE"])
async def test_a_car_that_is_said_to_be_full_and_was_never_measured_may_charge(site: ClockedSite, state: str) -> None:
    async with site.station() as station:
        number = await begin(site, station)
        await station.status(state)
        stopped_after_s = await seconds_until_stopped(site, number)

        assert stopped_after_s is not None
        assert 800 <= stopped_after_s <= 900 - 15


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_register_that_stands_still_is_no_sign_that_a_car_is_there(site: ClockedSite, forgets: bool) -> None:
    """Some tell their register for ever, also of a transaction whose stop was lost."""
    async with site.station(connectors=2) as station:
        station.connectors[1].register_wh = 0
        number = await begin(site, station, 50 * KWH_MINOR)
        await station.status("Charging")
        await site.wait(60)
        await sample(station, number, [register(800)])
        await site.wait(15)
        await station.status("Available")
        for _ in range(3):
            await site.wait(900)
            await sample(station, number, [register(800)])
        if forgets:
            await site.forget()
        assert (await site.session(number))["stop_wanted"] == ""

        assert (await station.start_transaction(CARD, connector=2)).status == "Accepted"
        left = await site.session(number)
        assert (left["state"], left["energy_wh"], left["note"]) == ("ended", 800, "left")


async def test_and_it_ends_after_a_day(site: ClockedSite) -> None:
    async with site.station() as station:
        station.connectors[1].register_wh = 0
        number = await begin(site, station, 50 * KWH_MINOR)
        await sample(station, number, [register(800)])
        await station.status("Available")
        for _ in range(25):
            site.at_ms += 3_600_000
            await sample(station, number, [register(800)])
        await site.wait(15)

        assert (await site.session(number))["state"] == "ended"


async def test_a_register_that_moves_on_is_a_sign(site: ClockedSite) -> None:
    async with site.station(connectors=2) as station:
        number = await begin(site, station)
        await station.status("Available")
        await site.wait(60)
        station.connectors[1].register_wh += 500
        await station.meter_values()

        assert (await station.start_transaction(CARD, connector=2)).status == "ConcurrentTx"
        assert (await site.session(number))["state"] == "running"


async def test_readings_every_ten_seconds_tell_the_pace(site: ClockedSite) -> None:
    """150 kW give 417 Wh in ten seconds, and 625 Wh in the 15 s that a stop takes; no power is told."""
    async with site.station() as station:
        station.connectors[1].register_wh = 0
        number = await begin(site, station, 20 * KWH_MINOR)
        await station.status("Charging")
        tens = 0
        while not (await site.session(number))["stop_wanted"]:
            site.at_ms += 10_000
            tens += 1
            await sample(station, number, [register(tens * 417)])
        station.connectors[1].register_wh = tens * 417 + 625
        await site.wait(15)
        await station.stop_transaction()

        assert 15_000 <= tens * 417 <= 19_000
        assert (await site.session(number))["fee_minor"] == (tens * 417 + 625) * KWH_MINOR // 1000
        assert (await site.server.rows("SELECT debit_posted FROM account WHERE kind = 'overrun'"))[0][0] == 0


async def test_a_stop_that_takes_its_time_overruns_nothing(site: ClockedSite) -> None:
    """150 kW give 2.5 kWh a minute, and 625 Wh in the 15 s that a stop takes; the wallet has 12.6 kWh, the charger tells no power."""
    async with site.station() as station:
        station.connectors[1].register_wh = 0
        number = await begin(site, station, 126 * KWH_MINOR // 10)
        await station.status("Charging")
        minutes = 0
        while not (await site.session(number))["stop_wanted"]:
            await site.wait(60)
            minutes += 1
            await sample(station, number, [register(minutes * 2_500)])
        station.connectors[1].register_wh = minutes * 2_500 + 625
        await site.wait(15)
        await station.stop_transaction()

        assert (await site.session(number))["fee_minor"] == (minutes * 2_500 + 625) * KWH_MINOR // 1000
        assert (await site.server.rows("SELECT debit_posted FROM account WHERE kind = 'overrun'"))[0][0] == 0


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_lost_stop_holds_no_money_and_ends_with_the_next_start(site: ClockedSite, forgets: bool) -> None:
    """800 Wh cost 9.60, and the bill comes before the next session, of the whole wallet."""
    async with site.station(connectors=2) as station:
        number = await begin(site, station, 50 * KWH_MINOR)
        await station.status("Charging")
        station.connectors[1].register_wh += 800
        await site.wait(60)
        await station.meter_values()
        station.connectors[1].transaction = None
        await site.wait(15)
        await station.status("Available")
        if forgets:
            await site.forget()
        held_minor = (await site.session(number))["held_minor"]
        await site.wait(3600)
        left = await site.session(number)
        assert (left["state"], left["stop_wanted"], left["held_minor"]) == ("running", "", held_minor)
        assert await site.kinds() == {"silent_session"}

        begun = await station.start_transaction(CARD, connector=2)
        assert begun.status == "Accepted"
        left = await site.session(number)
        assert (left["state"], left["energy_wh"], left["fee_minor"]) == ("ended", 800, 800 * KWH_MINOR // 1000)
        (person,) = (await site.server.rows("SELECT person_id FROM session WHERE id = ?", number))[0]
        assert await site.balance(person) == (50 * KWH_MINOR - left["fee_minor"], 0)


async def test_a_card_that_begins_elsewhere_ends_nothing_that_it_has_not_left(site: ClockedSite) -> None:
    async with site.station(connectors=2) as station:
        number = await begin(site, station)
        await station.status("Charging")
        assert (await station.start_transaction(CARD, connector=2)).status == "ConcurrentTx"
        assert (await site.session(number))["state"] == "running"


async def test_a_silent_session_is_reckoned_from_its_start_after_a_restart_too(site: ClockedSite) -> None:
    async with site.station() as station:
        number = await begin(site, station)
        await site.wait(300)
        await site.forget()
        stopped_after_s = await seconds_until_stopped(site, number)

        assert stopped_after_s is not None
        assert 500 <= stopped_after_s <= 600 - 15
