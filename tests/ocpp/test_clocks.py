"""What a person pays by the minute does not follow a charger's clock: it is behind or ahead, is set while a car charges, stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.db.sessions import session_list
from appliance.domain.by import By
from appliance.domain.identifiers import SessionId
from appliance.domain.session import bill_until, usage_until
from appliance.domain.tariff import Tariff
from appliance.domain.units import rfc3339
from appliance.services import tariffs
from appliance.services.sessions import closing
from appliance.services.stations import admission
from tests.support.clocked_site import BY, ClockedSite, clocked_site
from tests.support.station import Station

CARD = "04AABBCC"
OTHERS_CARD = "04DDEEFF"
MINUTE_S = 60
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
BEHIND_MIN = [3, 60, 180, 330, 360, 1_440 * 3, 1_440 * 400, -3, -60, -180, -360, -1_440 * 400, 56 * 365 * 1_440]
"""A clock that drifts, one of another time zone or without daylight saving, one never set; negative: ahead."""


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[ClockedSite]:
    async with clocked_site(tmp_path / "forecourt.db") as site:
        by = By(BY, site.at_ms)
        number = await site.store.write(tariffs.add, Tariff(0, "By the minute", 1_000, 1_000, 0, 0, 0, 0), by)
        await site.store.write(tariffs.make_default, number, by)
        yield site


def go_on(site: ClockedSite, minutes: int) -> None:
    """Time goes by, and nothing happens."""
    site.at_ms += minutes * MINUTE_MS


async def running(site: ClockedSite, session: int) -> tuple[int, int]:
    """The minutes and the price that a page shows of a session that runs."""
    await site.server.rows("SELECT 1")
    found = await site.store.read(session_list.show, SessionId(session))
    assert found is not None
    return usage_until(found, site.at_ms).duration_s // MINUTE_S, bill_until(found, site.at_ms).total_minor


async def billed(site: ClockedSite, session: int) -> tuple[str, int, int]:
    """State, minutes, and what time cost (a minor unit a minute) of a session that is over."""
    row = await site.session(session)
    days = await site.server.rows(
        "SELECT sum(working_s), sum(fee_minor) FROM session_day WHERE session_id = ?", session
    )
    assert days == [(row["duration_s"], row["fee_minor"])]
    return row["state"], round(row["duration_s"] / MINUTE_S), row["fee_minor"]


async def told_at(site: ClockedSite, session: int) -> tuple[int, int]:
    """How many minutes ago it began and ended by our books."""
    row = await site.session(session)
    return tuple(round((site.at_ms - row[name]) / MINUTE_MS) for name in ("started_at_ms", "ended_at_ms"))


# --- both ends heard live ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind_min", BEHIND_MIN)
@pytest.mark.parametrize("connected_min", [0, 20])
@pytest.mark.parametrize("then_min", [0, None, -60, 200])
async def test_a_live_session_takes_as_long_as_by_our_clock(
    site: ClockedSite, behind_min: int, connected_min: int, then_min: int | None
) -> None:
    """Its clock is set right (0) while it charges, stays as it is (None), or is set wrong otherwise."""
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, connected_min)
        begun = await station.start_transaction(CARD)
        go_on(site, 30)
        station.connectors[1].register_wh += 1_000
        await station.meter_values()
        assert await running(site, begun.id) == (30, 31)
        if then_min is not None:
            station.set_clock(behind_s=then_min * MINUTE_S)
        go_on(site, 30)
        await station.meter_values()
        assert await running(site, begun.id) == (60, 61)
        await station.stop_transaction()

        assert await billed(site, begun.id) == ("ended", 60, 61)
        assert await told_at(site, begun.id) == (60, 0)
        assert (await site.session(begun.id))["energy_wh"] == 1_000


@pytest.mark.parametrize("behind_min", BEHIND_MIN)
async def test_so_it_does_without_any_reading(site: ClockedSite, behind_min: int) -> None:
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        begun = await station.start_transaction(CARD)
        station.set_clock()
        go_on(site, 60)
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()

        assert await billed(site, begun.id) == ("ended", 60, 61)
        assert await told_at(site, begun.id) == (60, 0)


@pytest.mark.parametrize("behind_min", BEHIND_MIN)
async def test_a_clock_that_is_lost_while_it_charges_costs_and_gives_nothing(
    site: ClockedSite, behind_min: int
) -> None:
    """It loses its power for a moment, is back with another time, and knows its transaction."""
    await site.person(CARD, 50_000)
    async with site.station() as station:
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        go_on(site, 30)
        await station.meter_values()
        await station.go_offline()
        station.set_clock(behind_s=behind_min * MINUTE_S)
        await station.come_back()
        go_on(site, 30)
        station.connectors[1].register_wh += 1_000
        await station.meter_values()
        await station.stop_transaction()

        assert await billed(site, begun.id) == ("ended", 60, 61)
        assert (await site.session(begun.id))["energy_wh"] == 1_000


@pytest.mark.parametrize("behind_min", BEHIND_MIN)
async def test_idle_time_does_not_follow_a_clock_either(site: ClockedSite, behind_min: int) -> None:
    by = By(BY, site.at_ms)
    number = await site.store.write(tariffs.add, Tariff(0, "Idle", 1_000, 0, 1_000, 0, 0, 0), by)
    await site.store.write(tariffs.make_default, number, by)
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        station.connectors[1].register_wh += 1_000
        await station.meter_values()
        await station.status("SuspendedEV")
        go_on(site, 20)
        station.set_clock()
        await station.status("Charging")
        go_on(site, 10)
        await station.status("SuspendedEV")
        station.set_clock(behind_s=behind_min * MINUTE_S)
        go_on(site, 5)
        await station.stop_transaction()

        row = await site.session(begun.id)
        assert (row["idle_s"], row["fee_minor"]) == (25 * MINUTE_S, 26)


# --- one end, or both, out of a queue --------------------------------------------------------------------------------------------


async def away(site: ClockedSite, station: Station, minutes: int) -> None:
    """It is offline for so long, and comes back with what waited."""
    await station.go_offline()
    go_on(site, minutes)
    await station.come_back()


@pytest.mark.parametrize("behind_min", [0, 3, 60, 180, -3, -35, -60, -75, -180, -1_440 * 400])
@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("energy_wh", [1_000, 40_000])
async def test_a_session_that_was_offline_takes_as_long_as_by_its_own_clock(
    site: ClockedSite, behind_min: int, reads: bool, energy_wh: int
) -> None:
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        await station.go_offline()
        go_on(site, 10)
        begun = await station.start_transaction(CARD)
        for _ in range(4):
            go_on(site, 10)
            station.connectors[1].register_wh += energy_wh // 4
            if reads:
                await station.meter_values()
        await station.stop_transaction()
        go_on(site, 30)
        await station.come_back()

        state, minutes, _ = await billed(site, begun.id)
        assert (state, minutes) == ("ended", 40)
        began_min, ended_min = await told_at(site, begun.id)
        assert behind_min > 0 or 0 <= ended_min <= began_min <= 80, "while it was away"
        assert (await site.session(begun.id))["energy_wh"] == energy_wh


@pytest.mark.parametrize("behind_min", [0, 3, 60, 180, 1_440 * 3, -3, -60, -180])
@pytest.mark.parametrize("is_set", [False, True])
async def test_a_start_of_a_queue_costs_no_more_than_the_time_away(
    site: ClockedSite, behind_min: int, is_set: bool
) -> None:
    """It began 20 minutes after the line was lost, came back after 10 more, and charged for 30; meanwhile its clock was set, or not."""
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        await station.go_offline()
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        go_on(site, 10)
        if is_set:
            station.set_clock()
        await station.come_back()
        go_on(site, 30)
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()

        state, minutes, _ = await billed(site, begun.id)
        assert state == "ended"
        if behind_min == 0 or (not is_set and behind_min > 0):
            assert minutes == 40
        assert 30 <= minutes <= 60


@pytest.mark.parametrize("behind_min", [0, 3, 60, 180, 1_440 * 3, -3, -15, -60, -180])
@pytest.mark.parametrize("is_set", [False, True])
async def test_a_stop_of_a_queue_costs_no_more_than_the_time_away(
    site: ClockedSite, behind_min: int, is_set: bool
) -> None:
    """It charged for 30 minutes online and for 10 offline, and came back 20 minutes later."""
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        go_on(site, 30)
        station.connectors[1].register_wh += 1_000
        await station.meter_values()
        if is_set:
            station.set_clock()
        await station.go_offline()
        go_on(site, 10)
        await station.stop_transaction()
        go_on(site, 20)
        await station.come_back()

        state, minutes, _ = await billed(site, begun.id)
        assert state == "ended"
        if behind_min == 0 or (is_set and behind_min > 0) or (not is_set and behind_min in (-3, -15)):
            assert minutes == 40
        assert 30 <= minutes <= 60


@pytest.mark.parametrize("behind_min", [0, 10, 60, 360, 1_440 * 40, -10, -60, -360])
@pytest.mark.parametrize("online", [0, 10])
@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("late_s", [0, 40])
async def test_what_waits_of_a_session_that_began_live_is_by_the_clock_of_its_beginning(
    site: ClockedSite, behind_min: int, online: int, reads: bool, late_s: int
) -> None:
    """It charges online, then for 10 minutes offline, and comes back 100 minutes later."""
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        for minute in range(online + 10):
            if minute == online:
                await station.go_offline()
            go_on(site, 1)
            station.connectors[1].register_wh += 100
            if reads or minute < online:
                await station.meter_values()
        await station.stop_transaction()
        go_on(site, 100)
        await station.connect()
        site.at_ms += late_s * 1_000
        await station.replay()

        assert await billed(site, begun.id) == ("ended", online + 10, online + 10 + (online + 10) // 10)
        assert await told_at(site, begun.id) == (
            online + 110 + round(late_s / MINUTE_S),
            100 + round(late_s / MINUTE_S),
        )
        assert {one.kind for one in await site.problems()} <= {"clock"}


# --- what follows what ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("back_min", [0, 1, 60, 180, 1_440 * 3, 1_440 * 400, -180])
@pytest.mark.parametrize("connected_min", [0, 20])
async def test_what_is_heard_live_is_later_than_what_runs(site: ClockedSite, back_min: int, connected_min: int) -> None:
    """The stop was lost, and the clock was set before the next start."""
    await site.person(CARD, 50_000)
    jamal = await site.person(OTHERS_CARD, 50_000)
    async with site.station() as station:
        go_on(site, connected_min)
        lost = await station.start_transaction(CARD)
        go_on(site, 30)
        station.connectors[1].register_wh += 1_000
        await station.meter_values()
        station.set_clock(behind_s=back_min * MINUTE_S)
        await station.status("Available")
        go_on(site, 10)
        then = await station.start_transaction(OTHERS_CARD)
        assert await billed(site, lost.id) == ("ended", 30, 31)
        assert (await site.session(then.id))["person_id"] == jamal
        go_on(site, 20)
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()

        assert await billed(site, then.id) == ("ended", 20, 21)


async def test_the_same_start_again_ends_nothing_however_it_is_dated(site: ClockedSite) -> None:
    """Its answer was lost: it comes again after minutes, also when another session runs there by then."""
    await site.person(CARD, 50_000)
    await site.person(OTHERS_CARD, 50_000)
    async with site.station(behind_s=3 * 3600) as station:
        go_on(site, 20)
        stamp = station.timestamp()
        first = await station.start_transaction(CARD, timestamp=stamp)
        again = {"connectorId": 1, "idTag": CARD, "meterStart": 1_000, "timestamp": stamp}
        for _ in range(2):
            go_on(site, 10)
            assert (await station.call("StartTransaction", again))["transactionId"] == first.id
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()
        assert await billed(site, first.id) == ("ended", 20, 21)

        then = await station.start_transaction(OTHERS_CARD)
        go_on(site, 10)
        await station.go_offline()
        await restart(site, station)
        await station.connect()
        assert (await station.call("StartTransaction", again))["transactionId"] == first.id
        assert await site.server.rows("SELECT state FROM session WHERE id = ?", then.id) == [("running",)]


async def restart(site: ClockedSite, station: Station) -> None:
    """The server loses its memory, and the station knows where to find it."""
    await site.server.restart()
    station.url = site.server.url + "/ocpp"


@pytest.mark.parametrize("numbered", [False, True])
async def test_readings_of_yesterday_are_not_those_of_today(site: ClockedSite, numbered: bool) -> None:
    """They waited in a queue, and do not say of which transaction they are."""
    await site.person(CARD, 50_000)
    async with site.station(meter_wh=0) as station:
        await away(site, station, 60)
        begun = await station.start_transaction(CARD)
        if numbered:
            await station.meter_values()
        for hours, register_wh in ((24, 30_000), (23, 34_000)):
            stamp = rfc3339(site.at_ms - hours * HOUR_MS)
            sampled = [{"value": str(register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
            values = {"connectorId": 1, "meterValue": [{"timestamp": stamp, "sampledValue": sampled}]}
            await station.call("MeterValues", values)
        assert await running(site, begun.id) == (0, 0)
        assert await site.server.rows("SELECT count(*) FROM sample WHERE energy_wh > 0") == [(0,)]
        go_on(site, 10)
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()

        assert await billed(site, begun.id) == ("ended", 10, 11)
        assert (await site.session(begun.id))["energy_wh"] == 1_000


async def test_readings_of_now_are_its_own_whatever_their_clock_says(site: ClockedSite) -> None:
    await site.person(CARD, 50_000)
    async with site.station(meter_wh=0, behind_s=DAY_MS // 1_000) as station:
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        station.set_clock(behind_s=2 * DAY_MS // 1_000)
        for _ in range(2):
            go_on(site, 10)
            station.connectors[1].register_wh += 1_000
            sampled = [{"value": str(station.connectors[1].register_wh), "unit": "Wh"}]
            values = {"connectorId": 1, "meterValue": [{"timestamp": station.timestamp(), "sampledValue": sampled}]}
            await station.call("MeterValues", values)

        assert await running(site, begun.id) == (20, 22)


# --- a clock that stands still ---------------------------------------------------------------------------------------------------


CONSTANT_MS = [1_764_464_400_000, 1_796_000_400_000 + 10 * 365 * DAY_MS, 0]
"""2025-11-30, a day of the year 2036, and 1970."""


async def charges(site: ClockedSite, station: Station, times: int) -> list[int]:
    """So many sessions of one card, whose meter begins each at 0: the numbers of their transactions, as far as they are known."""
    numbers = []
    for _ in range(times):
        station.connectors[1].register_wh = 0
        begun = await station.start_transaction(CARD)
        for _ in range(5):
            go_on(site, 2)
            station.connectors[1].register_wh += 200
            await station.meter_values()
        await station.stop_transaction()
        numbers.append(begun.id)
        go_on(site, 10)
    return numbers


@pytest.mark.parametrize("constant_ms", CONSTANT_MS)
@pytest.mark.parametrize("new_ids", [False, True])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_queue_that_comes_again_is_billed_once_although_its_clock_stands_still(
    site: ClockedSite, constant_ms: int, new_ids: bool, restarts: bool
) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station(meter_wh=0) as station:
        station.set_clock(frozen_ms=constant_ms)
        await station.go_offline()
        await charges(site, station, 3)
        queue = list(station.unacknowledged)
        for _ in range(3):
            station.unacknowledged = list(queue)
            if restarts:
                await restart(site, station)
            await station.connect()
            await station.replay(new_ids=new_ids)
            await station.go_offline()
            go_on(site, 10)

    assert await site.server.rows("SELECT count(*), sum(energy_wh) FROM session") == [(3, 3_000)]
    assert await site.server.rows("SELECT count(*) FROM session WHERE state <> 'ended'") == [(0,)]
    assert await site.balance(rahima) == (50_000 - 3, 0)


@pytest.mark.parametrize("constant_ms", CONSTANT_MS)
async def test_so_it_is_when_its_line_was_never_lost(site: ClockedSite, constant_ms: int) -> None:
    """It sends all of its messages again as they were."""
    rahima = await site.person(CARD, 50_000)
    async with site.station(meter_wh=0) as station:
        station.set_clock(frozen_ms=constant_ms)
        await station.go_offline()
        for _ in range(3):
            station.connectors[1].register_wh = 0
            await station.start_transaction(CARD)
            for register_wh in (300, 600, 900):
                station.connectors[1].register_wh = register_wh
                await station.meter_values()
            await station.stop_transaction()
        queue = list(station.unacknowledged)
        await station.connect()
        for _ in range(3):
            station.unacknowledged = list(queue)
            await station.replay()

    assert await site.server.rows("SELECT count(*), sum(energy_wh) FROM session") == [(3, 2_700)]
    assert await site.balance(rahima) == (50_000 - 3, 0)


@pytest.mark.parametrize("constant_ms", CONSTANT_MS)
async def test_sessions_by_a_clock_that_stands_still_are_told_apart_while_they_are_heard_live(
    site: ClockedSite, constant_ms: int
) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station(meter_wh=0) as station:
        station.set_clock(frozen_ms=constant_ms)
        numbers = await charges(site, station, 2)
        await station.go_offline()
        go_on(site, 60)
        await station.connect()
        go_on(site, 20)
        numbers += await charges(site, station, 2)

    assert len(set(numbers)) == 4
    for number in numbers:
        assert await billed(site, number) == ("ended", 10, 11)
    assert await site.balance(rahima) == (50_000 - 44, 0)


@pytest.mark.parametrize("constant_ms", CONSTANT_MS)
async def test_a_session_that_took_nothing_hides_none_after_it(site: ClockedSite, constant_ms: int) -> None:
    """The meter counts on, but stands where it stood."""
    rahima = await site.person(CARD, 50_000)
    async with site.station(meter_wh=70_000) as station:
        station.set_clock(frozen_ms=constant_ms)
        empty = await station.start_transaction(CARD)
        go_on(site, 2)
        await station.stop_transaction()
        go_on(site, 5)
        begun = await station.start_transaction(CARD)
        go_on(site, 10)
        station.connectors[1].register_wh += 1_000
        await station.meter_values()
        await station.stop_transaction()

    assert begun.id != empty.id
    assert await billed(site, begun.id) == ("ended", 10, 11)
    assert await site.balance(rahima) == (50_000 - 11, 0)
    assert not await site.problems()


@pytest.mark.parametrize("connected_min", [0, 20])
async def test_a_start_whose_register_has_gone_on_since_is_the_same_however_its_clock_stands(
    site: ClockedSite, connected_min: int
) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station(meter_wh=5_000) as station:
        station.set_clock(frozen_ms=CONSTANT_MS[0])
        begun = await station.start_transaction(CARD)
        go_on(site, 10)
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()
        start = {"connectorId": 1, "idTag": CARD, "meterStart": 5_000, "timestamp": rfc3339(CONSTANT_MS[0])}
        go_on(site, connected_min)

        assert (await station.call("StartTransaction", start))["transactionId"] == begun.id
        assert await site.balance(rahima) == (50_000 - 11, 0)


# --- what was told before it was known that the clock is wrong -------------------------------------------------------------------


async def test_idling_that_was_dated_by_the_wrong_clock_is_dated_anew_with_the_session(site: ClockedSite) -> None:
    by = By(BY, site.at_ms)
    number = await site.store.write(tariffs.add, Tariff(0, "Idle", 1_000, 0, 1_000, 0, 0, 0), by)
    await site.store.write(tariffs.make_default, number, by)
    await site.person(CARD, 50_000)
    async with site.station(behind_s=3 * 3_600) as station:
        begun = await station.start_transaction(CARD)
        go_on(site, 4)
        station.connectors[1].register_wh += 1_000
        station.set_clock(behind_s=3 * 3_600 - 20)
        await station.status("SuspendedEV")
        go_on(site, 20)
        station.set_clock(behind_s=3 * 3_600)
        await station.meter_values()
        await station.stop_transaction()

        row = await site.session(begun.id)
        assert 19 * MINUTE_S <= row["idle_s"] <= 20 * MINUTE_S
        assert row["duration_s"] == 24 * MINUTE_S


@pytest.mark.parametrize("behind_min", [30, 180, -30])
async def test_the_estimate_of_a_lost_stop_goes_as_far_as_it_was_measured(site: ClockedSite, behind_min: int) -> None:
    await site.person(CARD, 50_000)
    await site.person(OTHERS_CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        lost = await station.start_transaction(CARD)
        for _ in range(4):
            go_on(site, 10)
            station.connectors[1].register_wh += 250
            await station.meter_values()
        go_on(site, 10)
        await station.start_transaction(OTHERS_CARD)

        assert await billed(site, lost.id) == ("ended", 40, 41)


# --- who was away, and for how long ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind_min", [0, 180, -180])
@pytest.mark.parametrize("after_min", [1, 30])
async def test_a_server_that_starts_anew_in_the_middle_changes_nothing(
    site: ClockedSite, behind_min: int, after_min: int
) -> None:
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        go_on(site, 60 - after_min)
        await station.go_offline()
        await restart(site, station)
        await station.connect()
        go_on(site, after_min)
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()

        assert await site.server.rows("SELECT state, duration_s, fee_minor FROM session WHERE id = ?", begun.id) == [
            ("ended", 60 * MINUTE_S, 61)
        ]


async def test_a_queue_that_comes_in_parts_keeps_its_times(site: ClockedSite) -> None:
    """The line comes back for a moment, and is lost before the station has told of anything."""
    await site.person(CARD, 50_000)
    async with site.station() as station:
        go_on(site, 20)
        await station.go_offline()
        go_on(site, 10)
        begun = await station.start_transaction(CARD)
        go_on(site, 40)
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()
        for _ in range(3):
            go_on(site, 10)
            await station.connect()
            go_on(site, 1)
            await station.go_offline()
        await station.come_back()

        assert await billed(site, begun.id) == ("ended", 40, 41)
        assert await told_at(site, begun.id) == (73, 33)


async def test_what_a_charger_kept_until_it_was_let_in_keeps_its_times(site: ClockedSite) -> None:
    await site.person(CARD, 50_000)
    url = site.server.url + "/ocpp"
    async with Station.connected(url, "NEW-1", clock=site.clock, behind_s=0) as station:
        assert (await station.boot())["status"] == "Pending"
        go_on(site, 60)
        stamps = [rfc3339(site.at_ms - minutes * MINUTE_MS) for minutes in (50, 10)]
        number = await site.number_of("NEW-1")
        await site.store.write(admission.approve, number, "Gate", By(BY, site.at_ms))
        await station.expect_call("TriggerMessage")
        begun = await station.start_transaction(CARD, timestamp=stamps[0])
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction(timestamp=stamps[1])

        assert await billed(site, begun.id) == ("ended", 40, 41)


async def test_a_long_queue_is_one_however_long_it_takes(site: ClockedSite) -> None:
    """It tells a message in two minutes, and of each two hours."""
    await site.person(CARD, 50_000)
    async with site.station() as station:
        go_on(site, 20)
        stamps = [site.at_ms + hours * HOUR_MS for hours in range(1, 9)]
        await station.go_offline()
        go_on(site, 12 * 60)
        await station.connect()
        numbers = []
        for stamp_ms in stamps:
            go_on(site, 2)
            begun = await station.start_transaction(CARD, timestamp=rfc3339(stamp_ms))
            go_on(site, 2)
            station.connectors[1].register_wh += 1_000
            await station.stop_transaction(timestamp=rfc3339(stamp_ms + 30 * MINUTE_MS))
            numbers.append(begun.id)

        assert [await billed(site, number) for number in numbers] == [("ended", 30, 31)] * 8


# --- what is told once more with the stop ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind_min", BEHIND_MIN)
@pytest.mark.parametrize("is_set", [False, True])
@pytest.mark.parametrize("tells", [True, False])
async def test_readings_that_come_with_the_stop_contradict_none_of_those_before(
    site: ClockedSite, behind_min: int, is_set: bool, tells: bool
) -> None:
    """All that was measured comes with it, by the clock of then; it was told before, too, or was not."""
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        kept = []
        for number in range(6):
            if is_set and number == 3:
                station.set_clock()
            go_on(site, 10)
            station.connectors[1].register_wh += 3_000
            sampled = [{"value": str(station.connectors[1].register_wh), "unit": "Wh"}]
            kept.append({"timestamp": station.timestamp(), "sampledValue": sampled})
            if tells:
                await station.meter_values()
        await station.stop_transaction(transactionData=kept)

        assert await billed(site, begun.id) == ("ended", 60, 78)
        assert (await site.session(begun.id))["energy_wh"] == 18_000


@pytest.mark.parametrize("behind_min", BEHIND_MIN)
async def test_nor_do_those_of_a_stop_that_comes_late(site: ClockedSite, behind_min: int) -> None:
    """Staff have ended the session by then."""
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        begun = await station.start_transaction(CARD)
        kept = []
        for _ in range(6):
            go_on(site, 10)
            station.connectors[1].register_wh += 3_000
            sampled = [{"value": str(station.connectors[1].register_wh), "unit": "Wh"}]
            kept.append({"timestamp": station.timestamp(), "sampledValue": sampled})
            await station.meter_values()
        await site.store.write(closing.close_by_hand, SessionId(begun.id), By(BY, site.at_ms))
        await station.stop_transaction(transactionData=kept)

        assert await billed(site, begun.id) == ("ended", 60, 78)
        assert (await site.session(begun.id))["energy_wh"] == 18_000


@pytest.mark.parametrize("behind_min", BEHIND_MIN)
async def test_energy_that_flows_after_a_stop_is_told_whatever_the_clock_says(
    site: ClockedSite, behind_min: int
) -> None:
    await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_min * MINUTE_S) as station:
        go_on(site, 20)
        await station.start_transaction(CARD)
        go_on(site, 10)
        station.connectors[1].register_wh += 1_000
        await station.stop_transaction()
        go_on(site, 10)
        station.connectors[1].register_wh += 3_000
        await station.meter_values()

        assert "unbilled" in await site.kinds()
