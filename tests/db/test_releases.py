"""A database of each release, kept as that release left it (`scripts/make-release-database`): today's program takes it up as it is,
checks it, serves it, and goes on where the release before was stopped.
"""

from __future__ import annotations

import asyncio
import lzma
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import aiohttp
import pytest

from appliance.db import reports
from appliance.db.engine import backup
from appliance.db.engine.migrate import migrate, migrations
from appliance.db.engine.open import open_to_read
from appliance.db.people.people import phone_digits
from appliance.domain.order import natural
from appliance.domain.units import rfc3339
from tests.support.full_site import PASSWORD, fill
from tests.support.process import ServerProcess, look_into, make_site, run
from tests.support.station import Station

KEPT = sorted(Path(__file__).with_name("releases").glob("*.db.xz"))
BYTES_MAX = 200_000
CHOICE = re.compile(r"(\w+)\s+TEXT[^,\n]*CHECK \(\1 IN \(('[^)]*)\)\)")
"""A column of a few words: its name, and the words in quotes."""
NEVER = ("site", "demo")
"""A real site is none."""
LINK = re.compile(r'href="(/[^"#]*)"')
PAGES_MIN = 40
"""Fewer means that the walk has lost its way."""
CHARGED_WH = 6_000
ANCHORED_S = 30


@pytest.fixture(params=KEPT, ids=lambda path: path.name.removesuffix(".db.xz"))
def data_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a site, as a release left it."""
    folder = tmp_path / "site"
    folder.mkdir(mode=0o700)
    (folder / "forecourt.db").write_bytes(lzma.decompress(request.param.read_bytes()))
    return folder


@pytest.fixture
async def served(data_dir: Path) -> AsyncIterator[ServerProcess]:
    """The site, with today's program running on it."""
    server = ServerProcess(data_dir)
    try:
        await server.start()
        yield server
    finally:
        await server.clean_up()


def missing(database: Path) -> Iterator[str]:
    """What a database could hold and does not: tables without a row, columns without a value, and words that no row has."""
    with closing(sqlite3.connect(database)) as db:
        for name, definition in db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall():
            if db.execute(f"SELECT 1 FROM {name}").fetchone() is None:
                yield name
            for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall():
                said = db.execute(f"SELECT 1 FROM {name} WHERE {column} NOT IN ('', 0)").fetchone()
                if said is None and (name, column) != NEVER:
                    yield f"{name}.{column}"
            for column, words in CHOICE.findall(definition):
                found = {word for (word,) in db.execute(f"SELECT DISTINCT {column} FROM {name}")}
                yield from (f"{name}.{column} {word}" for word in set(re.findall("'(.*?)'", words)) - found)


def kind_of(link: str) -> str:
    """The page that it leads to, whatever it is about."""
    return re.sub(r"/(\d+|[A-Z]+-\d+)(?=/|$)", "/{}", link.partition("?")[0])


def test_there_is_one_and_each_is_small() -> None:
    assert KEPT != []
    assert [path.name for path in KEPT if path.stat().st_size > BYTES_MAX] == []


def test_each_has_something_of_everything(data_dir: Path) -> None:
    assert list(missing(data_dir / "forecourt.db")) == []


def test_what_will_be_kept_of_this_release_has_something_of_everything(tmp_path: Path) -> None:
    make_site(tmp_path / "site", fill)

    assert list(missing(tmp_path / "site/forecourt.db")) == []
    assert backup.problems_of(tmp_path / "site/forecourt.db") == []


def test_each_is_brought_to_the_schema_of_today_and_is_sound(data_dir: Path) -> None:
    database = data_dir / "forecourt.db"
    with closing(sqlite3.connect(database)) as db:
        found = db.execute("PRAGMA user_version").fetchone()[0]
    wanted = [number for number, _script in migrations() if number > found]
    assert backup.problems_of(database) == []

    assert migrate(database) == wanted
    assert backup.problems_of(database) == []
    assert migrate(database) == []
    with closing(open_to_read(database)) as db:
        assert db.execute("SELECT count(*) FROM holder_sum").fetchone()[0] > 1
        assert reports.unequal_sums(db) == []
        numbers = db.execute("SELECT phone, phone_digits FROM person WHERE phone <> ''").fetchall()
        assert [digits for _phone, digits in numbers] == [phone_digits(phone) for phone, _digits in numbers] != []
        for table, column in (("person", "name"), ("card", "label")):
            keys = db.execute(f"SELECT {column}, {column}_key FROM {table}").fetchall()
            assert [key for _name, key in keys] == [natural(name) for name, _key in keys] != []
    new = database.with_name("new.db")
    migrate(new)
    assert defined(database) == defined(new)


def defined(database: Path) -> dict[str, str]:
    """All tables, indexes and triggers."""
    with closing(sqlite3.connect(database)) as db:
        return dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


async def test_each_is_served_with_all_of_its_pages(data_dir: Path, served: ServerProcess) -> None:
    """Twice: the second start finds what the first one left."""
    assert await served.stop() == 0
    await served.start()
    console = served.urls["console"].rstrip("/")
    jar = aiohttp.CookieJar(unsafe=True)
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with aiohttp.ClientSession(console, cookie_jar=jar, headers=headers) as session:
        async with session.post("/login", data={"login": "owner", "password": PASSWORD}) as answer:
            assert answer.url.path == "/"
        to_visit = ["/", *of_each(data_dir)]
        seen, refused = set(to_visit), []
        kinds: set[str] = set()
        while to_visit:
            path = to_visit.pop()
            async with session.get(path) as answer:
                text = await answer.text() if answer.content_type == "text/html" else ""
                if answer.status != 200:
                    refused.append((path, answer.status))
            for link in map(unescape, LINK.findall(text)):
                if link not in seen and kind_of(link) not in kinds and not link.startswith("/static"):
                    kinds.add(kind_of(link))
                    seen.add(link)
                    to_visit.append(link)

    assert refused == []
    assert len(seen) > PAGES_MIN
    assert "Traceback" not in served.log()


def of_each(data_dir: Path) -> list[str]:
    """The pages of all that has a page of its own."""
    with closing(open_to_read(data_dir / "forecourt.db")) as db:
        return [
            f"/{page}/{name}"
            for page, query in (
                ("sessions", "SELECT id FROM session"),
                ("people", "SELECT id FROM person"),
                ("cards", "SELECT id FROM card"),
                ("stations", "SELECT identity FROM station WHERE state <> 'knocking'"),
                ("receipts", "SELECT number FROM receipt"),
                ("operators", "SELECT id FROM operator"),
                ("groups", "SELECT id FROM person_group"),
                ("tariffs", "SELECT id FROM tariff"),
            )
            for (name,) in db.execute(query).fetchall()
        ]


async def test_each_goes_on_with_the_sessions_that_ran(data_dir: Path, served: ServerProcess) -> None:
    with closing(open_to_read(data_dir / "forecourt.db")) as db:
        ran = db.execute(
            """SELECT s.id, s.meter_start_wh, s.id_token, c.identity, max(started_at_ms, coalesce(max(sampled_at_ms), 0))
            FROM session AS s JOIN station AS c ON c.id = s.station_id LEFT JOIN sample ON session_id = s.id
            WHERE s.state = 'running' GROUP BY s.id"""
        ).fetchall()
    assert len(ran) > 1
    for number, meter_start_wh, id_token, identity, last_ms in ran:
        station = Station(served.urls["stations"], identity)
        await station.connect()
        stop = {
            "transactionId": number, "idTag": id_token, "meterStop": meter_start_wh + CHARGED_WH,
            "timestamp": rfc3339(last_ms + 600_000), "reason": "Local",
        }  # fmt: skip
        await station.call("StopTransaction", stop)
        await station.close()
    assert await served.stop() == 0

    with closing(look_into(data_dir)) as db:
        over = db.execute(
            f"""SELECT id, state, energy_wh, estimated, (fee_minor > 0) = (wallet_id IS NOT NULL AND policy <> 'free')
            FROM session WHERE id IN ({",".join(str(number) for number, *_rest in ran)})"""
        ).fetchall()
    assert over == [(number, "ended", CHARGED_WH, 0, 1) for number, *_rest in ran]
    assert backup.problems_of(data_dir / "forecourt.db") == []


async def test_a_command_before_the_first_start_leaves_the_first_anchor_to_it(data_dir: Path) -> None:
    made = await asyncio.to_thread(run, "token", "create", "--role", "owner", "--name", "first", "--data-dir", data_dir)
    assert made.returncode == 0
    said = await asyncio.to_thread(run, "verify", "--data-dir", data_dir)
    assert said.stdout.startswith("The books are as they were kept.")

    served = ServerProcess(data_dir)
    try:
        await served.start()
        async with asyncio.timeout(ANCHORED_S):
            while not (data_dir / "anchors").exists():  # noqa: ASYNC110 - a file tells nobody that it is there.
                await asyncio.sleep(0.05)
        assert await served.stop() == 0
    finally:
        await served.clean_up()
    with closing(open_to_read(data_dir / "forecourt.db")) as db:
        assert db.execute("SELECT count(*) FROM audit WHERE action = 'site.anchor'").fetchone() == (1,)
    said = await asyncio.to_thread(run, "verify", "--data-dir", data_dir)
    assert (said.returncode, said.stdout.splitlines()[0]) == (0, "The books are as they were kept.")


async def test_a_command_believes_no_books_that_had_anchors_before(data_dir: Path, served: ServerProcess) -> None:
    """Somebody has taken them out, and made the books look like those of an older release."""
    async with asyncio.timeout(ANCHORED_S):
        while not (data_dir / "anchors").exists():  # noqa: ASYNC110 - a file tells nobody that it is there.
            await asyncio.sleep(0.05)
    assert await served.stop() == 0
    (data_dir / "anchors").unlink()
    with closing(sqlite3.connect(data_dir / "forecourt.db", isolation_level=None)) as db:
        db.execute("DROP TRIGGER anchor_no_delete")
        db.execute("DELETE FROM anchor")

    assert not (data_dir / "anchors").exists()
    said = await asyncio.to_thread(run, "verify", "--data-dir", data_dir)
    assert (said.returncode, "are gone" in said.stdout) == (1, True)


async def test_the_books_of_each_are_anchored_by_its_first_start_and_are_as_they_were_kept(
    data_dir: Path, served: ServerProcess
) -> None:
    async with asyncio.timeout(ANCHORED_S):
        while not (data_dir / "anchors").exists():  # noqa: ASYNC110 - a file tells nobody that it is there.
            await asyncio.sleep(0.05)
    assert await served.stop() == 0
    said = await asyncio.to_thread(run, "verify", "--data-dir", data_dir)

    assert said.stdout.startswith("The books are as they were kept.")
    assert said.returncode == 0
