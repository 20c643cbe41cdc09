"""What ran on the screen, what was booked, the paper, the explanation, the files and what programs are told are one amount, to the minor unit.

Random sessions go through the services into a real database: by flat prices and by lines, in the night in which the clocks change, told live or out
of a station's queue, while prices change, ended by an estimate that a late stop corrects, in review, paused, parked. Whoever shows an amount of
a session somewhere new adds one line to FIGURES.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from appliance.db import board as board_rows
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Session
from appliance.db.wallets import bills
from appliance.domain.errors import Refusal
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.session import SessionState, bill_until
from appliance.domain.site import Site
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.announce import Hub
from appliance.services.sessions import closing, explaining, metering, review, starting, stopping
from appliance.ui.api import explanations as api_explanations
from appliance.ui.api import sessions as api
from appliance.ui.api.operations import Call
from appliance.ui.console.sessions import explanation as explanation_page
from appliance.ui.console.sessions import session as session_page
from appliance.ui.console.sessions import sessions as sessions_page
from appliance.ui.frame.context import PRINCIPAL, Console, Principal, PrincipalKind
from appliance.ui.writing.formats import formats
from tests.services.sessions.test_lines import all_is_well, random_tariff
from tests.support.books import Books, open_books
from tests.ui.console_fixture import ScriptedStations

UID = "04A1B2C3"
HISTORIES = range(120)
DHAKA = Site("Yard", "BDT", 2, "Asia/Dhaka", "en")
BERLIN = Site("Hof", "EUR", 2, "Europe/Berlin", "en")
BEGINNINGS_MS = {DHAKA: (1_763_877_600_000,), BERLIN: (1_774_735_200_000, 1_792_875_600_000)}
"""A noon; the evenings before the clocks go forward and back in 2026."""


@dataclass(slots=True)
class Shown:
    """A site after something happened to its session."""

    books: Books
    site: Site
    console: Console
    number: SessionId

    @property
    def session(self) -> Session:
        """As pages read it."""
        found = session_list.show(self.books.db, self.number)
        assert found is not None
        return found

    def call(self) -> Call:
        """A program asks."""
        request = make_mocked_request("GET", "/api/v1/sessions")
        request[PRINCIPAL] = Principal(PrincipalKind.PROGRAM, 1, "Test", "owner", "")
        return Call(request, self.console, {}, {}, self.books.now_ms)

    def explanation(self) -> explaining.Explanation:
        """How its amount came about."""
        return explaining.explain(self.books.db, self.number, self.books.now_ms)


# --- every place at which an amount of a session is shown; None: it shows none in that state ---------------------------------


def on_its_page(one: Shown) -> int | None:
    """The large figure."""
    page = session_page.build(
        session_page._facts(one.books.db, one.number, one.books.now_ms), one.site, one.books.now_ms
    )
    return page.cost_minor if not page.choices or one.session.fee_minor else page.bill.total_minor


def in_its_bill(one: Shown) -> int | None:
    """The lines on its page, and their sum."""
    page = session_page.build(
        session_page._facts(one.books.db, one.number, one.books.now_ms), one.site, one.books.now_ms
    )
    return page.bill.total_minor if page.lines else None


def on_its_tile(one: Shown) -> int | None:
    """On the board, while it runs."""
    found = [row for row in board_rows.all_running(one.books.db) if row.id == one.number]
    return bill_until(found[0], one.books.now_ms).total_minor if found else None


def explained(one: Shown) -> int:
    """Put together again."""
    return one.explanation().explained.total_minor


def told_as_explained(one: Shown) -> int:
    """What the explanation says is shown elsewhere."""
    return one.explanation().told_minor


def on_the_page_that_explains(one: Shown) -> int | None:
    """In words, as it is printed: the lines and taxes sum up."""
    page = explanation_page.build(one.explanation(), one.site)
    lines = sum(line.amount_minor for line in page.explained.lines)
    taxes = 0 if page.explained.tax_included else sum(tax.amount_minor for tax in page.explained.taxes)
    return lines + taxes


def for_programs(one: Shown) -> Any:
    """`GET /sessions/{id}`."""
    return api.as_json(one.call(), one.session)["cost_minor"]


def explained_for_programs(one: Shown) -> Any:
    """`GET /sessions/{id}/explanation`."""
    return api_explanations.as_json(one.call(), one.explanation())["total_minor"]


def in_the_file(one: Shown) -> Any:
    """The CSV of sessions: those that are over."""
    return sessions_page._row(one.session)[14] if one.session.state == SessionState.ENDED else None


def booked(one: Shown) -> int | None:
    """What the ledger took for it."""
    if one.session.state != SessionState.ENDED:
        return None
    row = one.books.db.execute(
        """SELECT coalesce(sum(CASE WHEN credit = 1 THEN amount_minor ELSE -amount_minor END), 0) FROM transfer
        WHERE reference = ? AND op IN ('post', 'capture') AND code <> 'tax' AND (credit = 1 OR debit = 1)""",
        (str(one.number),),
    ).fetchone()
    return int(row[0])


def on_its_paper(one: Shown) -> int | None:
    """The bill that stands."""
    if one.session.state != SessionState.ENDED:
        return None
    paper = bills.standing(one.books.db, one.number)
    return paper.total_minor if paper is not None else 0


def by_its_days(one: Shown) -> int | None:
    """What the reports sum up."""
    if one.session.state != SessionState.ENDED:
        return None
    row = one.books.db.execute("SELECT sum(fee_minor) FROM session_day WHERE session_id = ?", (one.number,)).fetchone()
    return int(row[0])


FIGURES: dict[str, Callable[[Shown], int | None]] = {
    one.__name__: one
    for one in (
        on_its_page, in_its_bill, on_its_tile, explained, told_as_explained, on_the_page_that_explains, for_programs,
        explained_for_programs, in_the_file, booked, on_its_paper, by_its_days,
    )
}  # fmt: skip


def are_one(one: Shown) -> int:
    """They are all the same; the amount."""
    one.books.db.flush()
    told = {name: figure(one) for name, figure in FIGURES.items()}
    amounts = {minor for minor in told.values() if minor is not None}
    assert len(amounts) == 1, told
    return amounts.pop()


# --- what happens ------------------------------------------------------------------------------------------------------------


def new_site(folder: Path, chance: Random) -> tuple[Books, Site]:
    site = chance.choice([DHAKA, BERLIN, BERLIN])
    books = open_books(folder / "forecourt.db", site)
    books.now_ms = max(books.now_ms, chance.choice(BEGINNINGS_MS[site])) + chance.randrange(6 * 3_600_000)
    set_prices(books, chance)
    return books, site


def set_prices(books: Books, chance: Random) -> None:
    if chance.random() < 0.35:
        books.tariff(chance.choice([2_000_000, 1_837_123]), time=33_333, idle=70_001, grace_s=61, flat=4_321, tax=1_523)
        return
    number = tariffs.add(books.db, Tariff(0, "Lines", terms=random_tariff(chance)), books.by)
    tariffs.make_default(books.db, number, books.by)


def change_prices(books: Books, chance: Random) -> None:
    """A new version takes the place of what holds."""
    default = books.db.execute("SELECT id FROM tariff WHERE is_default = 1").fetchone()[0]
    tariffs.change(books.db, default, Tariff(0, "Dear", terms=random_tariff(chance)), books.by)


STATES = ("Charging", "Charging", "SuspendedEV", "SuspendedEVSE")


@pytest.mark.parametrize("seed", HISTORIES)
def test_all_amounts_of_a_session_are_one(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    books, site = new_site(tmp_path, chance)
    station = books.station()
    books.card(UID, books.person(paid_in=50_000_000))
    waited_ms = chance.choice([0, 0, 0, 7_200_000])
    at_ms = books.now_ms
    books.now_ms += waited_ms  # Its station was away, and tells of the time before.
    started = starting.transaction_started(books.db, station, TransactionStarted(1, UID, 1_000, at_ms, books.now_ms))
    shown = Shown(books, site, console_of(books, site), SessionId(int(started.ref)))
    meter_wh = measured(shown, station, chance, waited_ms)
    ended(shown, station, chance, meter_wh)
    if chance.random() < 0.3:
        set_prices(books, chance)
    are_one(shown)
    all_is_well(books)


def measured(shown: Shown, station: StationId, chance: Random, waited_ms: int) -> int:
    """It runs; the register at its end."""
    books, meter_wh = shown.books, 1_000
    for _ in range(chance.randrange(1, 10)):
        books.wait(chance.choice([1, 59, 600, 3_600, 10_000]))
        if chance.random() < 0.4 and not waited_ms:
            books.status(station, 1, chance.choice(STATES))
        if chance.random() < 0.1:
            change_prices(books, chance)
        meter_wh += chance.choice([0, 1, 37, 900, 5_000])
        told_ms = books.now_ms - waited_ms - chance.choice([0, 0, 0, 30_000])
        metering.meter_read(
            books.db, station, MeterRead(int(shown.number), 1, (Reading(told_ms, meter_wh, 7_000),), books.now_ms)
        )
        are_one(shown)
    return meter_wh


def ended(shown: Shown, station: StationId, chance: Random, meter_wh: int) -> None:
    """It ends by its stop, in doubt, or by an estimate that is set right; readings come late; its car stays."""
    books, number = shown.books, shown.number
    books.wait(chance.choice([0, 1, 400]))
    how = chance.random()
    if how < 0.25:
        closing.close_by_hand(books.db, number, books.by)
        are_one(shown)
        books.wait(chance.choice([1, 3_000]))
        meter_wh += chance.choice([0, 250, 3_000])
    stop_wh = 900_000_000 if how > 0.85 else meter_wh
    event = TransactionEnded(int(number), UID, stop_wh, books.now_ms, "Local", (), books.now_ms)
    stopping.transaction_ended(books.db, station, event)
    are_one(shown)
    if chance.random() < 0.4:
        late = (Reading(books.now_ms - 5_000, max(1_000, meter_wh - 1)),)
        metering.meter_read(books.db, station, MeterRead(int(number), 1, late, books.now_ms))
        are_one(shown)
    if shown.session.state == SessionState.REVIEW:
        with suppress(Refusal):
            review.bill(books.db, number, books.by)
        are_one(shown)
    if chance.random() < 0.5:
        books.status(station, 1, "Finishing")
        books.wait(1_800)
        books.status(station, 1, "Available")
        are_one(shown)


async def test_what_moves_on_its_page_says_the_same(tmp_path: Path) -> None:
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        chance = Random(seed)
        books, site = new_site(folder, chance)
        station = books.station()
        books.card(UID, books.person(paid_in=50_000_000))
        ref = books.start(station, 1, UID).ref
        shown = Shown(books, site, console_of(books, site), SessionId(ref))
        for _ in range(3):
            books.wait(1_000)
            books.read(station, ref, 1_000 + chance.randrange(1_000, 9_000))
            minor = are_one(shown)
            parts = await session_page.fragments(shown.console, "owner", str(ref), None)
            written = formats(site.currency, site.exponent, site.zone).money(minor)
            assert written in re.sub(r"<[^>]+>", " ", str(parts["answer"]))
            assert written in re.sub(r"<[^>]+>", " ", str(parts["bill"]))


class Reads:
    """A store of which only reading is asked for."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def read(self, query: Callable[..., Any], *values: Any, **more: Any) -> Any:
        """In the books themselves."""
        self._books.db.flush()
        return query(self._books.db, *values, **more)


def console_of(books: Books, site: Site) -> Console:
    """As much of the console as pages of a session need."""
    return Console(
        store=Reads(books),  # type: ignore[arg-type]
        hub=Hub(),
        clock=lambda: books.now_ms,
        site=site,
        stations=ScriptedStations(),
        control=None,  # type: ignore[arg-type]  # no command is given
        hash_station_password=lambda password: password,
    )
