"""Nothing gets slower with the years: no query of a page, a live tile, a charger's message or the clock looks at all rows of a table that grows.

Every statement is noted while a real site is asked for everything; then the planner says how it would find the rows in a site of two years:
without statistics, as the product runs, and with those that `ANALYZE` would have made by day or at night, when nothing was open.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestClient, TestServer

from appliance.db import vouchers as vouchers_rows
from appliance.db.cards import unknown
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.clock import system_clock
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.roles import Role
from appliance.domain.units import rfc3339
from appliance.jobs.schedule import Jobs
from appliance.ocpp.settings import StationSettings
from appliance.services import problems
from appliance.services.cards import cards
from appliance.services.operators import tokens
from appliance.services.stations.upkeep import Upkeep
from appliance.services.vouchers import batches, codes, vouchers
from appliance.services.vouchers.batches import NewBatch
from appliance.services.vouchers.codes import Asked
from appliance.ui.api.app import PAGES as API
from appliance.ui.console.app import create_console
from appliance.ui.driver.app import create_drivers
from tests.ocpp.raw import CARD, Server, connected, stop_payload
from tests.support.schema import prepare
from tests.support.statements import noted, plan_of
from tests.support.vouchers import VAULT
from tests.ui.console_fixture import BY, NOW_MS, ConsoleFixture, open_console

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROWING = {
    "session", "sample", "transfer", "account", "holder_sum", "session_day", "station_day", "station_month", "idle_span", "message_log", "audit", "receipt",
    "desk_job", "batch_card", "problem", "person", "card", "card_alias", "idempotency", "voucher", "bill", "statement",
}  # fmt: skip
FEW = re.compile(r"USING (COVERING )?INDEX (session_open|session_review|session_parked|desk_job_open|problem_open)")
"""Indices that hold what is open, waits or is to be looked at: a few rows, however many the table has."""
FEW_NAMED = re.compile(r"(session_open|session_parked|desk_job_open|problem_open)")
STATEMENTS_MIN = 200
"""Fewer means that the walk has lost its way."""
OPEN_SESSIONS = "session.state IN ('requested', 'running')"
OF_ONE_STATION = re.compile(r"SEARCH session USING (COVERING )?INDEX session_by_(station|person|token) \(\w+=\?\)$")
LISTS = ("FROM session LEFT JOIN station", "count(*), coalesce(sum(energy_wh), 0)", "ended_at_ms IS NULL")
"""The list of sessions and its sums, which are asked for page by page; and what somebody has open whose account is closed."""
BY_THE_WAY = re.compile(r"SEARCH (session|there) USING (COVERING )?INDEX (session_by_(station|token|time)|sqlite_auto)")
"""What is open is not looked for among all that a station, a card or a person ever had."""
ALLOWED = {
    "FROM session ORDER BY id DESC LIMIT :newest": "the newest sessions, a fixed number of them, in the order of their numbers",
    "ORDER BY session.id DESC LIMIT :rows": "a page of the list of sessions, in the order of their numbers",
    "FROM audit ORDER BY seq DESC LIMIT 1": "the last row",
    "FROM transfer ORDER BY seq DESC LIMIT 1": "the last row",
    "FROM message_log ORDER BY id LIMIT": "the oldest messages, a fixed number of them",
    "FROM station_month": "a row for each month and station: five thousand after two years take half a millisecond",
    "EXISTS (SELECT 1 FROM person)": "the first row",
    "SELECT count(*) FROM card WHERE TRUE": "counted in an index: ten thousand take a tenth of a millisecond",
    "SELECT count(*) FROM card WHERE (": "that most cards charge is found by looking; ten thousand take a third of a millisecond",
    "SELECT count(*) FROM person WHERE": "counted in an index: ten thousand take a fifth of a millisecond",
    "LIKE :pattern": "a piece of a name may be anybody's; there are as many people and cards as customers, however old the site is",
    "substr(uid, 1, 8)": "a card that only resembles one of ours may resemble any",
    "ORDER BY session.id LIMIT :rows": "the same, the oldest first",
    "ORDER BY person.name_key": "a page of people, or of their cards, in the order of an index",
    "WHERE is_pool = 1": "all pools, out of an index of their own: companies and families, however old the site is",
    "ORDER BY phone_digits": "the same by telephone",
    "ORDER BY credit_posted - debit_posted": "the same by balance",
    "ORDER BY card.id": "a page of cards in the order of an index",
    "ORDER BY label = ''": "the same by what is printed on them",
    "ORDER BY card.number": "the same by number",
    "ORDER BY uid": "the same by UID",
    "ORDER BY number": "a page of receipts in the order of an index",
    "ORDER BY amount_minor": "the same by amount",
    "debit_pending FROM account ORDER BY id": "every balance, four times an hour: there are as many accounts as customers",
    "FROM session INDEXED BY session_failed": "starts that came to nothing, all that there were: a few in a hundred, in an index of their own",
    "SELECT id, fee_minor FROM session WHERE": "every bill, at the start and at night",
}  # fmt: skip
"""Scans that are meant: a piece of the statement's text, and why it may."""
PAGES = re.compile(
    r"ORDER BY (person\.(name_key|id)|phone_digits|credit_posted|card\.(id|number)|label|uid|number|amount_minor)\b.* LIMIT :rows"
)
"""Lists of people, cards and receipts."""
SORTED = re.compile(
    r"(group_id = :group|closed_at_ms IS NOT NULL).* ORDER BY (credit_posted|phone_digits)"
    r"|person_id = :person_id.* ORDER BY amount_minor",
    re.DOTALL,
)
"""By balance and telephone only all who are here are kept in order; of a group, and of those who left, all are looked at, and so
are all receipts of a person for the largest.
"""

YEARS = """
account     account_by_balance      10000 2 1
audit       audit_by_action         197359 39472 1
audit       audit_by_actor          197359 98680 39472 1
card        card_by_label           10000 10000 10000 1
card        card_by_person          10000 1
card        card_number             10000 1
card        card_token              10000 1
card        sqlite_autoindex_card_1 10000 1
connector   connector               200 1 1 1
desk_job    desk_job_by_card        197353 33
desk_job    desk_job_by_desk        197353 197353 1
idle_span   idle_span               100007 1 1
holder_sum  holder_sum_by_card      10000 1 1
holder_sum  holder_sum              10000 1 1
message_log                         400000
person      person_by_group         10000 5000 5000
person      person_by_group_and_name 10000 5000 5000 2 1 1
person      person_by_name          10000 2 1
person      person_by_phone         10000 1 1
person      sqlite_autoindex_person_1 10000 1
person_group sqlite_autoindex_person_group_1 2 1
problem                             20000
problem     problem_open            12 4 1
receipt     receipt_by_amount       197353 200 1
receipt     receipt_by_card         197353 33 1
receipt     receipt_by_person       197353 33 1
receipt     sqlite_autoindex_receipt_1 197353 197353
voucher     voucher_by_state        40000 6667 1
voucher     voucher_by_batch        40000 100 33
voucher     sqlite_autoindex_voucher_1 40000 1
voucher     sqlite_autoindex_voucher_2 40000 100 1
voucher_batch                       400
sample      sample                  10000670 10 1 1
session     session_by_person       1000067 101 1
session     session_by_station      1000067 5001 1
session     session_by_time         1000067 1 1
session     session_by_token        1000067 101 1
session     session_open            67 1 1
session     session_open_by_token   67 1 1
session     session_review          1000 1
session     session_failed          9000 1
session     sqlite_autoindex_session_1 1000067 1 1 1 1 1
session_day session_day             1048509 1435 1
session_day session_day_by_session  1048509 1
station     sqlite_autoindex_station_1 200 1
station_day station_day             146200 200 1
station_month station_month         5000 200 1
tariff                              4
transfer    sqlite_autoindex_transfer_1 1961450 1
transfer    transfer_credit         785363 130 1
transfer    transfer_debit          1373373 229 1
transfer    transfer_one_resolution 588010 1
transfer    transfer_given          1000 2 1
transfer    transfer_paid_out       197353 197353 1
"""
"""Table, index, and how many rows and how many for each value, as `ANALYZE` has it of the site of benchmarks/growth by day."""
LINE = re.compile(r"^([a-z_]+) +([a-z]\w*)? *([\d ]+)$", re.MULTILINE)
IDS = {
    "identity": "CS-01", "evse": "1", "person": "1", "card": "1", "group": "1", "tariff": "1", "session": "1", "number": "1", "operator": "1",
    "id": "1", "desk": "desk", "job": "1", "ending": "csv", "action": "replace",
}  # fmt: skip
ALSO = (
    "/sessions?state=requested", "/sessions?state=running", "/sessions?state=ended", "/sessions?state=failed", "/sessions?state=review",
    "/sessions?station=CS-01", "/sessions?station=CS-01&state=ended", "/sessions?person=1", "/sessions?person=Rahima", "/sessions?card=1",
    "/sessions?from=2026-11-01&to=2026-11-30", "/sessions?from=2026-11-01", "/sessions?to=2026-11-30", "/sessions?from=2024-01-01&to=2026-11-30",
    "/sessions?from=2026-11-01&to=2026-11-30&after=2", "/sessions?station=CS-01&from=2026-11-01&to=2026-11-30", "/sessions?after=3", "/sessions?before=3",
    "/sessions?sort=began", "/sessions?sort=began&after=1", "/sessions?sort=fee", "/sessions?station=CS-01&sort=energy", "/sessions?station=CS-01&sort=began&after=1",
    "/sessions?state=running&after=1", "/sessions?state=running&sort=energy", "/sessions?state=review&sort=fee", "/sessions?state=ended&sort=duration",
    "/sessions?from=2026-11-01&sort=fee", "/sessions?from=2026-11-01&sort=-energy&after=1", "/sessions?from=2026-11-01&to=2026-11-30&sort=began&after=1",
    "/sessions?person=1&sort=duration&after=1", "/sessions?card=1&sort=fee&before=1", "/sessions?from=2024-01-01&to=2026-11-30&sort=fee",
    "/sessions?person=1&from=2026-11-01&to=2026-11-30", "/reports?preset=today", "/reports?from=2024-12-01&to=2026-11-30",
    "/reports?from=2024-12-01&to=2026-11-30&station=CS-01", "/reports?station=CS-01", "/reports.csv?station=CS-01", "/sessions.csv", "/cards.csv",
    "/cards.csv?q=04A1", "/people?q=17", "/people?gone=1", "/people?sort=balance", "/people?sort=phone", "/people?group=1", "/people?group=1&sort=balance",
    "/people?gone=1&sort=balance", "/people?sort=phone&gone=1", "/people?sort=-balance", "/people?sort=name&after=1", "/people?sort=-name&before=1",
    "/people?sort=balance&after=1", "/people?sort=-phone&after=1", "/people?group=1&after=1", "/people?gone=1&after=1", "/people?group=1&sort=balance&after=1", "/people/1?before=1795344600000",
    "/cards?q=04", "/cards?state=blocked", "/cards?state=charging", "/cards?sort=holder", "/cards?sort=label", "/cards?sort=number", "/cards?sort=uid", "/cards?after=1",
    "/cards?sort=-holder&after=1", "/cards?sort=label&after=1", "/cards?sort=-label&before=1", "/cards?sort=-number&after=1", "/cards?sort=uid&after=1", "/cards?sort=since&after=1",
    "/receipts?person=1", "/receipts?after=1", "/receipts?sort=number&after=1", "/receipts?sort=amount", "/receipts?sort=-amount&after=1", "/receipts?sort=amount&person=1",
    "/vouchers?state=sold", "/vouchers?batch=1", "/vouchers?batch=1&state=made", "/vouchers?before=3", "/vouchers?state=made&before=3",
    "/vouchers/batches?before=9", "/vouchers/redeem?q=Karim", "/api/v1/vouchers?state=sold", "/api/v1/vouchers?batch=1", "/api/v1/vouchers?after=3",
    "/audit?actor=operator:1", "/audit?action=card.", "/audit?actor=operator:1&action=card.", "/audit?after=3", "/audit?sort=number&after=3", "/audit?sort=number&actor=operator:1", "/audit?sort=number&action=card.&after=1", "/problems?before=100",
    "/stations/CS-01/messages?action=Heartbeat", "/stations/CS-01/1/start?q=Kar", "/search?q=Karim", "/search?q=1", "/search?q=04A1B2C3",
    "/cards/unknown?station=CS-01", "/people/1/merge?q=Karim", "/people/1/merge?into=2",
    "/api/v1/sessions?station=CS-01", "/api/v1/sessions?person=1", "/api/v1/sessions?card=04A1B2C3", "/api/v1/sessions?state=running",
    "/api/v1/sessions?from=2026-11-01&to=2026-11-30", "/api/v1/people?q=Karim", "/api/v1/cards?q=04A1", "/api/v1/problems?state=cleared", "/api/v1/problems?state=dismissed",
    "/api/v1/reports/stations?from=2026-11-01&to=2026-11-30", "/api/v1/people?group=1", "/api/v1/receipts?person=1",
)  # fmt: skip
VIEWS = ("board", "problems", "station:CS-01", "session:1", "unknown-cards", "desk:desk", "desk-jobs:desk")
RECKONED_ANEW = ("/api/v1/ledger/trial-balance", "verify_books")
"""Whoever asks for these wants every row of the books to be looked at."""
STREAMS = {"/live", "/api/v1/events", "/api/v1/desks/join", "/api/v1/desks/{id}/events", "/static/{path}"}


@pytest_asyncio.fixture(name="statements", scope="module", loop_scope="module")
async def _statements(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[set[str]]:
    """What a site asks its database while everything is asked of the site."""
    folder = tmp_path_factory.mktemp("plans")
    prepare(folder / "schema.db")  # Migrations are no part of it.
    with noted() as found:
        async with open_console(folder) as served:
            await every_page(served)
            await every_job(served)
        await a_day_of_messages(folder / "stations.db")
    yield {sql for sql in found if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)", sql)}


async def every_page(served: ConsoleFixture) -> None:
    """All that can be asked for with GET: pages, what their links lead to, fragments, the API, drivers' pages."""
    await served.store.write(cards.block, CardId(2), "lost", BY)
    await served.store.write(unknown.note, "04FFEE11", "", StationId(1), NOW_MS)
    await served.store.write(
        problems.raise_problem, ProblemKind.OFFLINE, "station:1", NOW_MS, station=1, since_ms=NOW_MS, ever=True
    )
    await served.store.write(every_voucher)
    token = await served.store.write(tokens.create_token, "a test", Role.OWNER, by=BY)
    async with TestClient(TestServer(create_console(served.console, more=API))) as client:
        headers = {"Authorization": f"Bearer {token}"}
        app = client.server.app  # type: ignore[attr-defined]
        for path in (*routes_of(app), *ALSO):
            if path.startswith(("/api/", "/metrics", "/health")):
                await ask(client, path, headers)
    owner = await served.logged_in(Role.OWNER)
    waiting = ["/", *(path for path in (*routes_of(served.server.app), *ALSO) if not path.startswith("/api/"))]
    met = set(waiting)
    while waiting:
        for link in await ask(owner, waiting.pop()):
            if kind_of(link) not in met and not link.startswith(("/static", "/logout")):
                met.add(kind_of(link))
                waiting.append(link)
    for view in VIEWS:
        async with owner.get("/live", params={"view": view}, timeout=ClientTimeout(20)) as stream:
            while stream.status == 200 and not (await stream.content.readline()).startswith(b"event: fragments"):
                pass
    page = await (await owner.get("/stations/CS-01")).text()
    card = await (await owner.get("/cards/1")).text()
    async with TestClient(TestServer(create_drivers(served.console))) as phone:
        for found in (
            *re.findall(r"http://192\.168\.1\.10:8081(/c/\w+)", page),
            *re.findall(r"http://192\.168\.1\.10:8081(/card/\w+)", card),
        ):
            assert (await phone.get(found)).status == 200


def every_voucher(db: Database) -> None:
    """What a till does with vouchers, and a manager."""
    batch = batches.make(db, NewBatch(5_000, expires_at_ms=NOW_MS + 1), codes.print_codes(VAULT, 4), BY)
    for number, code in enumerate(batches.sheet(db, VAULT, batch, NOW_MS)[:3], start=1):
        assert vouchers_rows.is_code(db, codes.code_hash(VAULT, code))
        vouchers.sell(db, Asked(number=(batch, number)), "cash", BY)
        if number == 1:
            vouchers.redeem(db, codes.read(VAULT, code), PersonId(1), BY)
        if number == 2:
            vouchers.void(db, Asked(number=(batch, number)), "", BY)
    batches.void_rest(db, batch, BY)


def routes_of(app: web.Application) -> list[str]:
    """The paths of its GET routes, about things that there are."""
    paths = {
        route.resource.canonical
        for route in app.router.routes()
        if route.method == "GET" and route.resource is not None
    }
    return sorted(
        re.sub(r"\{(\w+)\}", lambda match: IDS.get(match[1], "1"), path) for path in paths - STREAMS - {*RECKONED_ANEW}
    )


async def ask(client: TestClient[Any, Any], path: str, headers: dict[str, str] | None = None) -> list[str]:
    """Where its links lead; a page that is not there has none."""
    async with client.get(path, headers=headers or {}) as answer:
        assert answer.status < 500, (path, answer.status)
        body = await answer.read()
        if answer.content_type != "text/html":
            return []
    links = re.findall(r'href="([/?][^"#]*)"', body.decode())
    return [(f"{urlsplit(path).path}{link}" if link.startswith("?") else link).replace("&amp;", "&") for link in links]


def kind_of(link: str) -> str:
    """Links that lead to the same page about another thing have the same kind."""
    address = urlsplit(link)
    path = re.sub(r"/(\d+|CS-\d+|ACME-\d+)(?=/|$)", "/{}", address.path)
    return f"{path}?{'&'.join(sorted(part.partition('=')[0] for part in address.query.split('&')))}"


async def every_job(served: ConsoleFixture) -> None:
    """All that happens by the clock, once."""
    upkeep = Upkeep(served.store, served.stations, served.console.hub, lambda: served.now_ms)
    jobs = Jobs(
        served.store,
        served.stations,
        served.console.control,
        lambda: served.now_ms,
        served.console.site,
        NOW_MS,
        upkeep,
    )
    for name, work in vars(Jobs).items():
        if asyncio.iscoroutinefunction(work) and name not in RECKONED_ANEW:
            await work(jobs)
    await upkeep.settled()
    await upkeep.close()


async def a_day_of_messages(path: Path) -> None:
    """What a charger says and is told, from its boot to stops of what it forgot."""
    server = Server(path, StationSettings())
    await server.start()
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
        await client.call("Authorize", {"idTag": CARD})
        number = 0
        for tag in (CARD, "UNKNOWN1", CARD):
            number = (await client.start(tag))["transactionId"]
            for word in ("Charging", "SuspendedEV", "Charging"):
                await client.call("StatusNotification", {"connectorId": 1, "status": word, "errorCode": "NoError"})
            await client.call(
                "MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [measured(1_500)]}
            )
        for stopped in (number, number, number - 1, -1, 99_999):
            await client.call("StopTransaction", stop_payload(stopped, idTag=CARD))
        for word in ("Finishing", "Available"):
            await client.call("StatusNotification", {"connectorId": 1, "status": word, "errorCode": "NoError"})
        await client.call("Heartbeat", {})
    await server.stop()


def measured(energy_wh: int) -> dict[str, Any]:
    """A reading."""
    value = {"value": str(energy_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    return {"timestamp": rfc3339(system_clock()), "sampledValue": [value]}


# --- what the planner says -------------------------------------------------------------------------------------------------


@pytest.fixture(name="books", params=["no statistics", "by day", "at night"])
def _books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The schema, and what the planner knows of a site of two years."""
    prepare(tmp_path / "forecourt.db")
    with closing(sqlite3.connect(tmp_path / "forecourt.db", isolation_level=None)) as db:
        if request.param != "no statistics":
            db.execute("ANALYZE")
            db.execute("DELETE FROM sqlite_stat1")
            for table, index, rows in LINE.findall(YEARS):
                if request.param == "by day" or not FEW_NAMED.match(index):
                    db.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, index or None, rows))
            db.execute("ANALYZE sqlite_schema")
        yield db


async def test_no_table_that_grows_is_looked_through(statements: set[str], books: Readable) -> None:
    assert len(statements) > STATEMENTS_MIN, len(statements)
    wrong = {}
    for sql in sorted(statements):
        lines = [line for line in plan_of(books, sql) if looks_through(line, sql)]
        if lines and not any(piece in sql for piece in ALLOWED):
            wrong[sql] = lines

    assert wrong == {}


async def test_what_is_open_is_found_among_what_is_open(statements: set[str], books: Readable) -> None:
    asked = [sql for sql in sorted(statements) if OPEN_SESSIONS in sql]
    assert len(asked) > 10
    wrong = {sql: lines for sql in asked if (lines := [line for line in plan_of(books, sql) if BY_THE_WAY.match(line)])}

    assert wrong == {}


async def test_no_message_looks_at_all_sessions_of_its_station_card_or_person(
    statements: set[str], books: Readable
) -> None:
    asked = [sql for sql in sorted(statements) if not any(piece in sql for piece in LISTS)]
    wrong = {
        sql: lines for sql in asked if (lines := [line for line in plan_of(books, sql) if OF_ONE_STATION.match(line)])
    }

    assert wrong == {}
    pages = [sql for sql in statements if any(OF_ONE_STATION.match(line) for line in plan_of(books, sql))]
    assert [piece for piece in LISTS if not any(piece in sql for sql in pages)] == []


@pytest.mark.parametrize("books", ["no statistics"], indirect=True)
async def test_a_page_of_people_or_cards_is_not_sorted(statements: set[str], books: Readable) -> None:
    asked = [sql for sql in sorted(statements) if PAGES.search(sql) and not SORTED.search(sql)]
    assert len(asked) > 10
    wrong = {sql: lines for sql in asked if (lines := [line for line in plan_of(books, sql) if "TEMP B-TREE" in line])}

    assert wrong == {}


@pytest.mark.parametrize("books", ["no statistics"], indirect=True)
async def test_a_further_page_begins_where_the_one_before_it_ended(statements: set[str], books: Readable) -> None:
    asked = [sql for sql in sorted(statements) if ":key_0" in sql]
    assert len(asked) > 25
    wrong = {
        sql: lines
        for sql in asked
        if (lines := [line for line in plan_of(books, sql) if line.startswith("SCAN") and not FEW.search(line)])
    }

    assert wrong == {}


@pytest.mark.parametrize("books", ["no statistics"], indirect=True)
async def test_every_exception_is_one(statements: set[str], books: Readable) -> None:
    """One that no statement needs any more would only hide the next."""
    scanning = [sql for sql in statements if any(looks_through(line, sql) for line in plan_of(books, sql))]

    assert [piece for piece in ALLOWED if not any(piece in sql for sql in scanning)] == []


def looks_through(line: str, sql: str) -> bool:
    """Whether this line of a plan goes through all rows of a table that grows, or makes an index of them for the moment."""
    found = re.match(r"(?:SCAN|SEARCH) (\w+)", line)
    if found is None or (line.startswith("SEARCH") and "AUTOMATIC" not in line):
        return False
    renamed = re.search(rf"(\w+) AS {found[1]}\b", sql)
    return (renamed[1] if renamed else found[1]) in GROWING and FEW.search(line) is None
