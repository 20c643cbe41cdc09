"""Sessions: listed by what the address bar says, summed, exported; one session explained to the last unit of money."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from appliance.db import audit, problems
from appliance.db.engine.unit import Database
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Filter
from appliance.db.sessions.sessions import NUMBERS_SKIPPED
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import GroupId, PersonId, SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.problem import ProblemKind
from appliance.domain.roles import Role
from appliance.services import admin_commands
from appliance.services.people import people as people_units
from appliance.services.sessions import metering, starting, stopping
from tests.ui.console_fixture import BY, HOUR_MS, NOW_MS, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
Browser = TestClient[Any, Any]


async def get(client: Browser, path: str, **asked: str) -> str:
    """A page that is there."""
    async with client.get(path, params=asked) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def text_of(html: str) -> str:
    """What a reader sees, more or less."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def doubtful(db: Database) -> SessionId:
    """A session of Rahima whose meter stops far below where it started."""
    begin_ms = NOW_MS - 5 * HOUR_MS
    started = starting.transaction_started(
        db, StationId(8), TransactionStarted(1, "04A1B2C3", 90_000, begin_ms, begin_ms)
    )
    end_ms = begin_ms + HOUR_MS
    stopping.transaction_ended(
        db, StationId(8), TransactionEnded(started.ref, "04A1B2C3", 10, end_ms, "PowerLoss", (), end_ms)
    )
    return SessionId(int(started.ref))


def too_fast(db: Database) -> SessionId:
    """A session of Rahima that takes 20 kWh in a second."""
    begin_ms = NOW_MS - 5 * HOUR_MS
    started = starting.transaction_started(db, StationId(8), TransactionStarted(1, "04A1B2C3", 0, begin_ms, begin_ms))
    end_ms = begin_ms + 1_000
    stopping.transaction_ended(
        db, StationId(8), TransactionEnded(started.ref, "04A1B2C3", 20_000, end_ms, "Local", (), end_ms)
    )
    return SessionId(int(started.ref))


async def ended(served: ConsoleFixture) -> session_list.Session:
    """The one session of the yard that is over: Rahima's, 9.87 kWh."""
    return (await served.store.read(session_list.page, Filter(state="ended")))[0]


async def test_the_row_with_which_numbers_begin_anew_after_a_restore_says_so(served: ConsoleFixture) -> None:
    owner = await served.logged_in()
    newest = (await served.store.read(session_list.page, Filter()))[0].id
    before = text_of(await get(owner, "/sessions")).partition("sessions that ended")[2]
    await served.store.write(admin_commands.restored, NOW_MS, replaced=None)
    number = newest + NUMBERS_SKIPPED
    owner = await served.logged_in()  # Everybody's log-in has ended with it.

    listed = await get(owner, "/sessions")
    assert f'href="/sessions/{number}"' in listed
    assert "Not started" in text_of(listed)
    assert text_of(listed).partition("sessions that ended")[2] == before
    page = text_of(await get(owner, f"/sessions/{number}"))
    assert "Numbers begin anew here: a backup was restored." in page
    assert "Nothing: no energy flowed." in page


async def test_the_list_shows_all_and_its_foot_sums_those_that_are_over(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    text = text_of(await get(client, "/sessions"))

    assert all(name in text for name in ("Rahima Khatun", "Karim Ahmed", "Green Taxi, car 7", "Jamal Uddin"))
    assert "1 session that ended 9.87 ৳191.73" in text


@pytest.mark.parametrize(
    ("asked", "people"),
    [
        ({"state": "running"}, {"Karim Ahmed", "Green Taxi, car 7", "Jamal Uddin"}),
        ({"station": "CS-05"}, {"Rahima Khatun"}),
        ({"person": "1"}, {"Rahima Khatun"}),
        ({"person": "karim"}, {"Karim Ahmed"}),
        ({"card": "3"}, {"Green Taxi, car 7"}),
        ({"from": "2026-11-22", "to": "2026-11-22"}, {"Rahima Khatun", "Karim Ahmed", "Green Taxi, car 7", "Jamal Uddin"}),
        ({"to": "2026-11-21"}, set()),
        ({"from": "2026-11-23"}, set()),
        ({"person": "nobody like this"}, set()),
        ({"from": "২০২৬-১১-২২", "state": "ended"}, {"Rahima Khatun"}),
        ({"from": "rubbish", "state": "rubbish", "before": "rubbish", "card": "rubbish", "station": "CS-05"}, {"Rahima Khatun"}),
    ],
)  # fmt: skip
async def test_filters_stand_in_the_address_bar(
    served: ConsoleFixture, asked: dict[str, str], people: set[str]
) -> None:
    client = await served.logged_in(Role.OWNER)
    body = (await get(client, "/sessions", **asked)).partition("<tbody>")[2]

    assert {
        one for one in ("Rahima Khatun", "Karim Ahmed", "Green Taxi, car 7", "Jamal Uddin") if one in body
    } == people


@pytest.mark.parametrize(
    "asked",
    [{"from": "2025-01-01", "to": "2026-11-22"}, {"to": "2026-11-22"}, {"from": "2025-01-01", "state": "ended"}],
)
async def test_of_a_long_time_the_report_has_the_sums(served: ConsoleFixture, asked: dict[str, str]) -> None:
    client = await served.logged_in(Role.CASHIER)
    html = await get(client, "/sessions", station="CS-05", **asked)

    assert "The report sums up so many days." in html
    assert "session that ended" not in text_of(html)
    (address,) = re.findall(r'href="(/reports\?[^"]+)"', html)
    assert "CS-05" in await get(client, unescape(address))


@pytest.mark.parametrize(
    "filter_", [Filter(), Filter(station=StationId(5)), Filter(state="ended"), Filter(state="review")]
)
async def test_sums_out_of_the_roll_up_are_those_of_the_sessions(served: ConsoleFixture, filter_: Filter) -> None:
    await served.store.write(doubtful)
    listed = [one for one in await served.store.read(session_list.page, filter_) if one.has_ended]

    assert await served.store.read(session_list.totals, filter_, NOW_MS) == (
        len(listed), sum(one.energy_wh for one in listed), sum(one.fee_minor for one in listed)
    )  # fmt: skip


async def test_sessions_of_some_days_are_listed_by_their_beginning_and_none_is_left_out_between_two_pages(
    served: ConsoleFixture,
) -> None:
    def late(db: Database) -> None:
        """One of five hours ago that is heard of last, and two of the same moment."""
        for card, hours in (("04B1B2C3", 5), ("04C1B2C3", 30), ("04D1B2C3", 30)):
            begin_ms = NOW_MS - hours * HOUR_MS
            starting.transaction_started(db, StationId(8), TransactionStarted(1, card, 90_000, begin_ms, NOW_MS))

    await served.store.write(late)
    wanted = Filter(from_ms=NOW_MS - 48 * HOUR_MS, to_ms=NOW_MS)
    whole = await served.store.read(session_list.page, wanted)
    paged: list[session_list.Session] = []
    for _ in range(len(whole)):
        paged += await served.store.read(session_list.page, wanted, before=paged[-1].id if paged else 0, limit=2)

    began = [one.started_at_ms or 0 for one in whole]
    assert began == sorted(began, reverse=True)
    assert [one.id for one in paged] == [one.id for one in whole]
    assert len(whole) == 7


@pytest.mark.parametrize("text", ["345678", "pays late", "04A1B2C3"])
async def test_a_viewer_finds_nobody_by_telephone_note_or_card(served: ConsoleFixture, text: str) -> None:
    await served.store.write(
        people_units.change, PersonId(1), BY,
        name="Rahima Khatun", phone="+880 1712 345678", note="pays late", language="", group=GroupId(1),
    )  # fmt: skip
    manager, viewer = await served.logged_in(Role.MANAGER), await served.logged_in(Role.VIEWER)

    assert "Rahima Khatun" in await get(manager, "/sessions", person=text)
    assert "Rahima Khatun" not in await get(viewer, "/sessions", person=text)
    async with viewer.get("/sessions.csv", params={"person": text}) as answer:
        assert "Rahima Khatun" not in await answer.text()
    assert "Rahima Khatun" in await get(viewer, "/sessions", person="rahima")


async def test_a_name_that_fits_several_asks_whom_it_means(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    html = await get(client, "/sessions", person="a")

    assert "Whom do you mean?" in html
    assert 'href="/sessions?person=2"' in html


async def test_the_file_has_what_the_list_has(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    async with client.get("/sessions.csv", params={"person": "1"}) as answer:
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))

    session = await ended(served)
    assert len(rows) == 3
    assert rows[1][0] == str(session.id)
    assert rows[1][4] == "Rahima Khatun"
    assert rows[1][11] == "9.870"
    assert rows[1][14] == "191.73"
    assert (rows[2][1], rows[2][11], rows[2][14]) == ("1 session that ended", "9.870", "191.73")


async def test_sessions_that_run_have_no_figures_in_the_file_so_that_its_columns_add_up(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    async with client.get("/sessions.csv") as answer:
        _heads, *rows, sums = csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline=""))

    running = [row for row in rows if row[1] == "Charging"]
    assert len(running) > 1
    assert {cell for row in running for cell in (row[8], *row[11:15])} == {""}
    for column in (11, 14):
        assert sum(Decimal(row[column]) for row in rows if row[column]) == Decimal(sums[column])


async def test_the_spreadsheet_is_one(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    async with client.get("/sessions.xlsx") as answer:
        assert answer.status == 200
        with zipfile.ZipFile(io.BytesIO(await answer.read())) as book:
            assert book.testzip() is None
            assert b"Rahima Khatun" in book.read("xl/worksheets/sheet1.xml")


async def test_there_is_no_file_of_another_kind(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    async with client.get("/sessions.pdf") as answer:
        assert answer.status == 404


async def test_a_session_says_how_much_for_whom_and_why_it_ended(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    session = await ended(served)
    text = text_of(await get(client, f"/sessions/{session.id}"))

    assert "Rahima Khatun" in text
    assert "9.87 kWh charged" in text
    assert "৳191.73 fee, tax included" in text
    assert "Stopped at the charger." in text
    assert "Meter at start 100.000 kWh" in text
    assert "Meter at end 109.870 kWh" in text


async def test_the_lines_of_the_bill_sum_to_the_fee(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    session = await ended(served)
    text = text_of(await get(client, f"/sessions/{session.id}"))

    assert "9.870 kWh × ৳18.50 a kWh ৳182.60" in text
    assert "Tax 5 % ৳9.13" in text
    assert "In all ৳191.73" in text


async def test_what_was_held_is_what_was_taken_and_given_back(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    session = await ended(served)
    text = text_of(await get(client, f"/sessions/{session.id}"))

    def amount(words: str) -> int:
        found = re.search(words + r" ৳([\d,.]+)", text)
        return int(found[1].replace(",", "").replace(".", "")) if found else 0

    held, taken = amount("slice by slice"), amount("Taken out of what was held")
    assert held == taken + amount("Given back of what was held")
    assert taken + amount("beyond what was held") == session.fee_minor


async def test_a_running_session_shows_what_it_costs_so_far_and_its_curve(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    running = (await served.store.read(session_list.page, Filter(person=PersonId(2))))[0]
    html = await get(client, f"/sessions/{running.id}")

    assert "12.40 kWh so far" in text_of(html)
    assert "so far, tax included" in text_of(html)
    assert 'class="chart-line"' in html


async def test_the_page_of_a_running_session_is_told_what_moves(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.VIEWER)
    running = (await served.store.read(session_list.page, Filter(person=PersonId(2))))[0]
    assert f'data-live="session:{running.id}"' in await get(client, f"/sessions/{running.id}")

    async with client.get("/live", params={"view": f"session:{running.id}"}) as stream:
        first = await fragments_of(stream)
        assert "12.40" in first["answer"]
        reading = Reading(NOW_MS, 113_100, 7_240)
        await served.store.write(metering.meter_read, StationId(1), MeterRead(int(running.id), 1, (reading,), NOW_MS))
        second = await fragments_of(stream)

    assert "13.10" in second["answer"]
    assert "13.100 kWh" in second["bill"]


async def fragments_of(stream: ClientResponse) -> dict[str, str]:
    """The next update that a browser is sent."""
    while True:
        line = await stream.content.readline()
        assert line, "the stream has ended"
        if line.startswith(b"data: {"):
            found: dict[str, str] = json.loads(line.removeprefix(b"data: "))
            return found


async def test_viewers_see_neither_ledger_nor_telephone_nor_the_way_to_the_person(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.VIEWER)
    session = await ended(served)
    html = await get(client, f"/sessions/{session.id}")

    assert "How the money moved" not in html
    assert "1712" not in html
    assert "/people/" not in html
    assert "/people/" not in await get(client, "/sessions")


async def test_a_doubtful_session_is_explained_and_acknowledged_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    session = await served.store.write(doubtful)
    html = await get(client, f"/sessions/{session}")
    assert "contradict each other" in html
    assert f"/people/1/correction?session={session}" in html
    assert "contradict each other" in await get(client, "/problems")

    async with client.post(f"/sessions/{session}/acknowledge", headers=OURS) as answer:
        assert answer.status == 200
        assert "you have looked at it" in await answer.text()

    found = await served.store.read(session_list.show, session)
    assert found is not None
    assert (found.state, found.fee_minor) == ("ended", 0)
    assert await served.store.read(problems.find_open, ProblemKind.REVIEW, f"session:{session}") is None
    async with client.post(f"/sessions/{session}/acknowledge", headers=OURS) as answer:
        assert answer.status == 409


async def test_a_manager_sees_what_a_doubtful_session_would_cost_and_bills_it_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    session = await served.store.write(too_fast)
    before = await served.store.read(session_list.show, session)
    assert before is not None
    assert before.held_minor > 0
    text = text_of(await get(client, f"/sessions/{session}"))
    assert "more energy than any charger can give in that time" in text
    assert "held for it" in text
    assert "In all, if it is billed" in text
    assert "Bill nothing" in text

    async with client.post(f"/sessions/{session}/bill", headers=OURS) as answer:
        assert answer.status == 200
        text = text_of(await answer.text())

    assert "The session is billed." in text
    assert "Bill nothing" not in text
    found = await served.store.read(session_list.show, session)
    assert found is not None
    assert (found.state, found.energy_wh) == ("ended", 20_000)
    assert found.fee_minor > 0
    async with client.post(f"/sessions/{session}/bill", headers=OURS) as answer:
        assert answer.status == 409
    owner = await served.logged_in()
    assert "for session 5 after a look" in text_of(await get(owner, "/audit"))


def stop_below(db: Database) -> SessionId:
    """A session of Rahima whose readings say 4 kWh, and whose stop says none."""
    begin_ms = NOW_MS - 5 * HOUR_MS
    started = starting.transaction_started(
        db, StationId(8), TransactionStarted(1, "04A1B2C3", 10_000, begin_ms, begin_ms)
    )
    end_ms = begin_ms + HOUR_MS
    reading = Reading(end_ms - 60_000, 14_000)
    metering.meter_read(db, StationId(8), MeterRead(started.ref, 1, (reading,), end_ms - 60_000))
    stopping.transaction_ended(
        db, StationId(8), TransactionEnded(started.ref, "04A1B2C3", 12_500, end_ms, "Local", (), end_ms)
    )
    return SessionId(int(started.ref))


async def test_a_contradiction_is_said_in_a_sentence_with_a_button_for_each_figure(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    session = await served.store.write(stop_below)
    sentence = "The readings say 4.000 kWh, but the stop after them says 2.500 kWh."
    assert sentence in text_of(await get(client, "/problems"))
    html = await get(client, f"/sessions/{session}")
    assert sentence in text_of(html)
    assert "Bill 4.000 kWh:" in text_of(html)
    assert "Bill 2.500 kWh:" in text_of(html)
    assert re.findall(r'name="energy_wh" value="(\d+)"', html) == ["4000", "2500"]

    async with client.post(f"/sessions/{session}/bill", data={"energy_wh": "3000"}, headers=OURS) as answer:
        assert answer.status == 409
    async with client.post(f"/sessions/{session}/bill", data={"energy_wh": "2500"}, headers=OURS) as answer:
        assert answer.status == 200

    found = await served.store.read(session_list.show, session)
    assert found is not None
    assert (found.state, found.energy_wh, found.figures) == ("ended", 2_500, ())


async def test_a_stop_that_comes_after_somebody_looked_bills_nothing(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    session = await served.store.write(doubtful)
    async with client.post(f"/sessions/{session}/acknowledge", headers=OURS) as answer:
        assert answer.status == 200
    late = TransactionEnded(int(session), "04A1B2C3", 95_000, NOW_MS, "Local", (), NOW_MS)

    await served.store.write(stopping.transaction_ended, StationId(8), late)

    found = await served.store.read(session_list.show, session)
    assert found is not None
    assert found.fee_minor == 0


async def test_cashiers_are_told_of_a_doubt_but_do_not_settle_it(served: ConsoleFixture) -> None:
    session = await served.store.write(doubtful)
    client = await served.logged_in(Role.CASHIER)
    html = await get(client, f"/sessions/{session}")

    assert "Somebody has to look at this session" in html
    assert "/acknowledge" not in html
    assert "/bill" not in html


async def test_a_session_that_its_charger_has_forgotten_is_ended_here(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    (karims,) = await served.store.read(session_list.page, Filter(person=PersonId(2), state="running"))
    assert f"/sessions/{karims.id}/close" in await get(client, f"/sessions/{karims.id}")
    asked = text_of(await get(client, f"/sessions/{karims.id}/close"))
    assert "a car that charges goes on charging" in asked
    assert "Karim Ahmed pays for the" in asked

    async with client.post(f"/sessions/{karims.id}/close", headers=OURS) as answer:
        text = text_of(await answer.text())

    assert "It was ended from here, without the charger" in text
    assert "/close" not in text
    found = await served.store.read(session_list.show, karims.id)
    assert found is not None
    assert (found.state, found.estimated, found.energy_wh) == ("ended", True, karims.energy_wh)
    rows = await served.store.read(audit.page, action="session.close")
    assert rows[0].subject == f"session:{karims.id}"
    async with client.post(f"/sessions/{karims.id}/close", headers=OURS) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("number", ["999", "abc", "0", "99999999999999999999"])
async def test_there_is_no_session_of_a_wrong_number(served: ConsoleFixture, number: str) -> None:
    client = await served.logged_in(Role.OWNER)
    async with client.get(f"/sessions/{number}") as answer:
        assert answer.status == 404


async def test_a_site_without_sessions_says_what_to_do(bare: ConsoleFixture) -> None:
    client = await bare.logged_in(Role.OWNER)

    assert "No sessions yet" in await get(client, "/sessions")
    assert "Nobody yet" in await get(client, "/people")
    assert "No cards yet" in await get(client, "/cards")
    assert "No groups yet" in await get(client, "/groups")
    assert "No tariff yet" in await get(client, "/tariffs")
    assert "Nothing on these days" in await get(client, "/reports")
