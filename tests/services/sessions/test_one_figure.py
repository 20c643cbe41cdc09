"""Whatever happens to sessions, every figure that is shown anywhere is the same one, to the minor unit.

Random histories go through the services into a real database; after each step tiles, the board's sums, pages, lists, files, the
API, slices, limits of cards, days, bills and the ledger are compared with one another.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from appliance.db import board as board_rows
from appliance.db import reports
from appliance.db.people import people
from appliance.db.sessions import samples, sessions, used
from appliance.db.sessions import session_list as history
from appliance.db.wallets import statement
from appliance.domain import energies, registers, scale, session
from appliance.domain.calendar import day_of
from appliance.domain.cards.limits import Limits, Whose
from appliance.domain.errors import Refusal
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import CardId, PersonId, SessionId, StationId
from appliance.domain.ledger import AMOUNT_MINOR_MAX
from appliance.domain.meter import Reading
from appliance.domain.session import CLOSED, SessionState, bill_for, bill_until, usage_until
from appliance.domain.tariff import Bill, DayShare, Usage, idle_after_grace
from appliance.services import health
from appliance.services.announce import Hub
from appliance.services.cards import limits
from appliance.services.sessions import closing, metering, reading, review, start_requests, stopping
from appliance.services.sessions import days as day_units
from appliance.services.sessions import starting as service
from appliance.services.stations import status as status_units
from appliance.ui.api import sessions as api
from appliance.ui.api.operations import Call
from appliance.ui.console.board import board, tiles
from appliance.ui.console.sessions import session as session_page
from appliance.ui.console.sessions import sessions as session_list
from appliance.ui.frame.context import PRINCIPAL, Console, Principal, PrincipalKind
from appliance.ui.writing.formats import formats
from tests.support.books import BY, NOON_MS, SITE, Books, open_books
from tests.support.statuses import status_changed

HISTORIES = 10_000
SAMPLE = (*range(0, HISTORIES, 20), 638, 1841)
STEPS_MAX = 16
DAY_MS = 86_400_000
CARDS = ("04A1B2C3", "04D4E5F6", "04E7F8A9", "04C0FFEE")
FMT = formats(SITE.currency, SITE.exponent, SITE.zone)
EVSES = 2


Spans = Sequence[tuple[int, int | None]]


class AllOnline:
    """All chargers have a connection."""

    def __init__(self, known: list[StationId]) -> None:
        self._known = frozenset(known)

    def online(self) -> frozenset[StationId]:
        return self._known


@dataclass(slots=True)
class Told:
    """A transaction as its station knows it."""

    station: StationId
    evse: int
    uid: str
    started_ms: int
    start_wh: int
    meter_wh: int
    ref: int


@dataclass(slots=True)
class SiteFixture:
    """Two stations, four cards, and every place at which a figure is shown."""

    books: Books
    places: list[StationId]
    owners: list[PersonId]
    cards: list[CardId]
    console: Console
    told: list[Told] = field(default_factory=list)
    known: dict[tuple[int, bool], tuple[list[registers.Sampled], Spans, int]] = field(default_factory=dict)
    """Of sessions that had just been billed: their registers, and the idle time that was kept and charged."""
    steps: list[str] = field(default_factory=list)

    # --- what happens

    def step(self, chance: random.Random) -> None:
        """Something happens."""
        names = list(STEPS)
        name = chance.choices(names, [STEPS[one] for one in names])[0]
        self.steps.append(f"{name} at {(self.books.now_ms - NOON_MS) // 1000} s")
        getattr(self, name)(chance)

    def wait(self, chance: random.Random) -> None:
        longest_s = chance.choice([3, 120, 3_600, 40_000])
        self.books.now_ms += chance.randrange(longest_s * 1_000)

    def start(self, chance: random.Random) -> None:
        now_ms = self.books.now_ms
        ago_ms = chance.choice([0, 0, 0, 0, 90_000, 7_200_000, 60 * DAY_MS, -5 * 3_600_000])
        place, evse, uid = chance.choice(self.places), chance.randint(1, EVSES), chance.choice([*CARDS, "04BADBAD"])
        start_wh = chance.choice([0, 1_000, 120_000])
        event = TransactionStarted(evse, uid, start_wh, now_ms - ago_ms, now_ms)
        ref = service.transaction_started(self.books.db, place, event).ref
        self.told.append(Told(place, evse, uid, event.at_ms, start_wh, start_wh, int(ref)))

    def start_request(self, chance: random.Random) -> None:
        place, evse, number = chance.choice(self.places), chance.randint(0, EVSES), chance.randrange(len(CARDS))
        who: dict[str, object] = chance.choice([{"card": CARDS[number]}, {"person": self.owners[number]}])
        with suppress(Refusal):
            found = start_requests.request_start(self.books.db, place, evse, self.books.by, **who)  # type: ignore[arg-type]
            if chance.random() < 0.7:
                start_wh = chance.choice([0, 5_000])
                event = TransactionStarted(max(1, evse), found.id_token, start_wh, self.books.now_ms, self.books.now_ms)
                ref = service.transaction_started(self.books.db, place, event).ref
                self.told.append(Told(place, max(1, evse), found.id_token, event.at_ms, start_wh, start_wh, int(ref)))

    def read(self, chance: random.Random) -> None:
        for one in chance.sample(self.told[-3:], min(2, len(self.told[-3:]))):
            one.meter_wh += chance.choice([0, 7, 333, 2_500])
            shown_wh = chance.choice([one.meter_wh] * 5 + [0, one.start_wh, max(0, one.meter_wh - 400)])
            at_ms = self.books.now_ms - chance.choice([0, 0, 0, 300_000])
            readings = [Reading(at_ms, shown_wh, chance.choice([None, 7_000])), Reading(at_ms, voltage_mv=230_000)]
            ref = chance.choice([one.ref, one.ref, None])
            metering.meter_read(self.books.db, one.station, MeterRead(ref, one.evse, readings, self.books.now_ms))
            running = self.books.running(one.ref)
            if ref is not None and running is not None and running.policy == "prepaid" and not running.stop_wanted:
                assert running.held_minor >= bill_until(running, at_ms).total_minor

    def strange(self, chance: random.Random) -> None:
        """A meter of the field: garbage, counts that begin anew or change, intervals, samples of another number or time."""
        for one in self.told[-2:]:
            now_ms, db = self.books.now_ms, self.books.db
            kind = chance.choice(
                ["garbage", "anew", "from the start", "interval", "another number", "backwards", "ahead"]
            )
            at_ms, ref, shown_wh, interval_wh = now_ms, one.ref, one.meter_wh, None
            if kind == "garbage":
                shown_wh = chance.choice([0, 2**32 - 1, one.meter_wh + 350_400, 10**12])
            elif kind == "anew":
                one.meter_wh = shown_wh = chance.choice([0, 300])
            elif kind == "from the start":
                shown_wh = max(0, one.meter_wh - one.start_wh)
            elif kind == "another number":
                ref = chance.choice([told.ref for told in self.told] + [987_654])
            elif kind == "backwards":
                at_ms -= chance.choice([60_000, 900_000, 40 * DAY_MS])
            elif kind == "ahead":
                at_ms += chance.choice([60_000, 5 * 3_600_000])
            else:
                interval_wh = chance.choice([0, 200, 900, 10**9])
            readings = [Reading(at_ms, None if interval_wh is not None else shown_wh, interval_wh=interval_wh)]
            metering.meter_read(db, one.station, MeterRead(ref, one.evse, readings, now_ms))

    def status(self, chance: random.Random) -> None:
        for _ in range(chance.choice([1, 1, 2, 3])):
            place, evse = chance.choice(self.places), chance.randint(1, EVSES)
            if self.told and chance.random() < 0.7:
                place, evse = self.told[-1].station, self.told[-1].evse
            word = chance.choice(["Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEV", "Finishing"])
            at_ms = self.books.now_ms + chance.choice([0, 0, 0, 0, -400_000, 1_800_000, -60 * DAY_MS])
            changed = status_changed(evse, word, at_ms, self.books.now_ms)
            status_units.status_changed(self.books.db, place, changed)

    def stop(self, chance: random.Random) -> None:
        if not self.told:
            return
        one = chance.choice(self.told[-4:])
        stop_wh = chance.choice([one.meter_wh] * 6 + [one.meter_wh + 1_234, -1, None, one.start_wh, 910_000_000])
        at_ms = self.books.now_ms - chance.choice([0, 0, 0, 600_000, 60 * DAY_MS])
        last = (Reading(at_ms, one.meter_wh),) if chance.random() < 0.3 else ()
        event = TransactionEnded(one.ref, one.uid, stop_wh, at_ms, "Local", last, self.books.now_ms)
        stopping.transaction_ended(self.books.db, one.station, event)

    def again(self, chance: random.Random) -> None:
        if self.told:
            one = chance.choice(self.told)
            event = TransactionStarted(one.evse, one.uid, one.start_wh, one.started_ms, self.books.now_ms)
            service.transaction_started(self.books.db, one.station, event)

    def by_hand(self, chance: random.Random) -> None:
        if self.told:
            with suppress(Refusal):
                number = SessionId(chance.choice(self.told).ref)
                closing.close_by_hand(self.books.db, number, self.books.by)

    def looked(self, chance: random.Random) -> None:
        for one in self.told:
            if chance.random() < 0.5:
                with suppress(Refusal):
                    self.decide(SessionId(one.ref), chance)

    def decide(self, session: SessionId, chance: random.Random) -> None:
        """Staff look at a session: they bill nothing, what is proposed, or any other of its figures."""
        db, by = self.books.db, self.books.by
        found = history.show(db, session)
        assert found is not None
        energies = [None, *(one.figure.usage.energy_wh for one in review.choices(found))]
        if chance.random() < 0.5:
            review.acknowledge(db, session, by)
        else:
            review.bill(db, session, by, chance.choice(energies))

    def clock(self, chance: random.Random) -> None:
        self.books.now_ms += chance.choice([1_000, 100_000])
        start_requests.expire(self.books.db, self.books.now_ms)
        health.watch_balances(self.books.db, self.books.now_ms)
        health.check_sessions(self.books.db, self.books.now_ms)
        limits.watch(self.books.db, self.books.now_ms)

    def restart(self, _chance: random.Random) -> None:
        self.books.db.flush()
        self.books.db.forget()

    # --- what is shown

    def compare(self) -> None:
        """All figures of now, with one another."""
        db, now_ms = self.books.db, self.books.now_ms
        db.flush()
        rows = history.page(db, history.Filter(), limit=1_000)
        assert [history.show(db, row.id) for row in rows] == rows
        for row in rows:
            self.compare_row(row, usage_until(row, now_ms), bill_until(row, now_ms))
            if row.state == SessionState.RUNNING:
                self.compare_running(row)
            elif row.state in CLOSED:
                self.compare_closed(row)
        self.compare_sums(rows)

    def compare_row(self, row: history.Session, usage: Usage, bill: Bill) -> None:
        """One session's page, its line in the list, its JSON, its line in the file."""
        now_ms = self.books.now_ms
        runs, closed = row.state == SessionState.RUNNING, row.state in CLOSED
        cost_minor = bill.total_minor if runs else row.fee_minor
        page = session_page.build(session_page._facts(self.books.db, row.id, now_ms), SITE, now_ms)
        assert page.usage == usage
        assert usage.energy_wh or not cost_minor
        choices = review.choices(row)
        waits = bool(choices) and not row.fee_minor
        assert page.choices == [one for one in choices if one.bill.total_minor <= AMOUNT_MINOR_MAX]
        for one in choices:
            assert one.figure.usage.energy_wh > 0
            assert one.bill == bill_for(one.figure.usage, row.tariff)
        assert page.cost_minor == (cost_minor if row.state != SessionState.REQUESTED else None)
        if page.lines:
            assert sum(line.amount_minor for line in page.lines) == page.bill.net_minor
            assert page.bill.total_minor == (page.choices[0].bill.total_minor if waits else cost_minor)
        json = api.as_json(self.call(), row)
        assert (json["energy_wh"], json["duration_s"], json["idle_s"]) == (
            usage.energy_wh, usage.duration_s, usage.idle_s,
        )  # fmt: skip
        assert [(one["energy_wh"], one["cost_minor"]) for one in json["figures"]] == [
            (one.figure.usage.energy_wh, one.bill.total_minor) for one in choices
        ]
        assert json["cost_minor"] == (choices[0].bill.total_minor if waits else cost_minor)
        assert json["fee_minor"] == (cost_minor if closed else 0)
        assert json["net_minor"] + json["tax_minor"] == json["fee_minor"]
        in_file = session_list._row(row)
        told = (usage.duration_s, usage.energy_wh, row.net_minor, row.tax_minor, cost_minor) if closed else (None,) * 5
        assert (in_file[8], *in_file[11:15]) == told

    def compare_running(self, row: history.Session) -> None:
        """What the writer remembers, its tile, its slices, its card, its days."""
        db, now_ms = self.books.db, self.books.now_ms
        usage, bill = usage_until(row, now_ms), bill_until(row, now_ms)
        running = sessions.find_open(db, row.id)
        assert running is not None
        loaded = sessions.load(db, row.id)
        assert loaded is not None
        shown = next(one for one in board_rows.all_running(db) if one.id == row.id)
        for facts in (running, loaded, shown):
            assert (usage_until(facts, now_ms), bill_until(facts, now_ms)) == (usage, bill)

        place = next(one for one in board_rows.connectors(db) if (one.station, one.evse) == (row.station_id, row.evse))
        reader = tiles.Reader(FMT, lambda _method, _path: True, now_ms, opens_stations=True)
        tile = tiles.tile(place, shown, None, online=True, reader=reader)
        money_minor = bill.total_minor if row.tariff is not None else None
        assert tile.what == tiles._energy_and_money(usage.energy_wh, money_minor, FMT)
        assert tile.who.endswith(FMT.duration(usage.duration_s))

        held = db.execute(
            """SELECT coalesce(sum(amount_minor), 0) FROM transfer WHERE op = 'hold' AND reference = ?
            AND NOT EXISTS (SELECT 1 FROM transfer AS later WHERE later.hold = transfer.key)""",
            (str(row.id),),
        ).fetchone()[0]
        assert held == running.held_minor == row.held_minor == shown_held(self.call(), row)

        shares = self.shares(running, now_ms)
        assert sum(share.working_s for share in shares) == usage.duration_s
        assert sum(share.energy_wh for share in shares) == usage.energy_wh
        assert sum(share.fee_minor for share in shares) == bill.total_minor

    def compare_closed(self, row: history.Session) -> None:
        """The bill against what was measured, against the days, and against the money that moved."""
        db = self.books.db
        usage = Usage(row.energy_wh, row.duration_s, row.idle_s)
        days = db.execute(
            """SELECT coalesce(sum(working_s), 0), sum(energy_wh), sum(fee_minor), sum(first_day) FROM session_day
            WHERE session_id = ?""",
            (row.id,),
        ).fetchone()
        assert days == (usage.duration_s, usage.energy_wh, row.fee_minor, 1)

        # What is doubted is billed for nothing until somebody has decided, or for what was billed before.
        assert (row.net_minor, row.tax_minor, row.fee_minor) == bill_for(usage, row.tariff)[1:]
        if row.note not in set(energies.Doubt):
            assert usage == self.reckoned(row)

        flows = db.execute(
            """SELECT coalesce(sum(CASE WHEN credit = 1 THEN amount_minor ELSE 0 END), 0)
                 - coalesce(sum(CASE WHEN debit = 1 AND credit <> 2 THEN amount_minor ELSE 0 END), 0)
                 - coalesce(sum(CASE WHEN debit = 2 THEN amount_minor ELSE 0 END), 0),
                 coalesce(sum(CASE WHEN credit = 2 THEN amount_minor WHEN debit = 2 THEN -amount_minor ELSE 0 END), 0)
            FROM transfer WHERE reference = ? AND op IN ('post', 'capture')""",
            (str(row.id),),
        ).fetchone()
        assert flows == (row.fee_minor, row.tax_minor)

    def reckoned(self, row: history.Session) -> Usage:
        """What was used, from nothing but the samples and the spans that are kept."""
        db = self.books.db
        assert row.started_at_ms is not None
        assert row.meter_start_wh is not None
        assert row.ended_at_ms is not None
        # What comes after the end is kept and changes nothing.
        now = (samples.registers(db, row.id), sessions.idle_spans(db, row.id), row.idle_s)
        measured, idle, idle_s = self.known.setdefault((row.id, row.estimated), now)
        stop = None if row.estimated else (row.ended_at_ms, row.meter_stop_wh)
        running = sessions.load(db, row.id)
        assert running is not None
        begun = reading.begun(db, running)
        found, progress = energies.read(begun, measured, stop), registers.all_of(begun, measured)[0]
        told = None if row.meter_stop_wh is None or row.estimated else (row.ended_at_ms, row.meter_stop_wh)
        energy_wh = scale.looked_at(progress, found, told).energy_wh
        begun_ms = session.begun_ms(row.started_at_ms, row.heard_at_ms, row.ended_at_ms)
        duration_s = max(0, row.ended_at_ms - begun_ms) // 1000
        if row.idle_s == idle_s:
            return Usage(energy_wh, duration_s, min(charged_s(row, idle), duration_s))
        # The car stayed: that has been added, as far as spans tell of it.
        assert idle_s < row.idle_s <= charged_s(row, now[1])
        return Usage(energy_wh, duration_s, row.idle_s)

    def compare_sums(self, rows: list[history.Session]) -> None:
        """The board's figures, the totals of lists and reports, and the wallets."""
        db, now_ms = self.books.db, self.books.now_ms
        closed = [row for row in rows if row.state in CLOSED]
        running = [row for row in rows if row.state == SessionState.RUNNING]
        energy_wh, fee_minor = sum(row.energy_wh for row in closed), sum(row.fee_minor for row in closed)
        assert history.totals(db, history.Filter(), now_ms) == (len(closed), energy_wh, fee_minor)
        total = reports.total(db, "1970-01-01", "9999-12-31")
        assert (total.energy_wh, total.fees_minor, total.sessions) == (energy_wh, fee_minor, len(closed))
        assert total.working_s == sum(row.duration_s for row in closed)

        today = day_of(now_ms, SITE.zone)
        ended_today = reports.total(db, today, today)
        figures = board.build(board.read(db, today), self.console, "owner", now_ms).figures
        assert figures.energy_wh == ended_today.energy_wh + sum(row.energy_wh for row in running)
        costs_minor = sum(bill_until(row, now_ms).total_minor for row in running)
        assert figures.fee_minor == ended_today.fees_minor + costs_minor
        assert figures.sessions == ended_today.sessions + len(running)

        for person, card in zip(self.owners, self.cards, strict=True):
            self.compare_person(person, card, [row for row in rows if row.person_id == person])

    def compare_person(self, person: PersonId, card: CardId, theirs: list[history.Session]) -> None:
        """The wallet against bills and the site's loss; the card's own figures against its sessions."""
        db, now_ms = self.books.db, self.books.now_ms
        found = people.find(db, person)
        assert found is not None
        closed = [row for row in theirs if row.state in CLOSED]
        total = reports.person_total(db, person)
        assert (total.fees_minor, total.sessions) == (sum(row.fee_minor for row in closed), len(closed))
        assert total.working_s == sum(row.duration_s for row in closed)
        on_card = [row for row in closed if row.card_id == card]
        for wanted, fitting in ((history.Filter(person=person), closed), (history.Filter(card=card), on_card)):
            sums = (len(fitting), sum(row.energy_wh for row in fitting), sum(row.fee_minor for row in fitting))
            assert history.totals(db, wanted, now_ms) == sums
        shown = [
            one for one in statement.of_person(db, person, found.wallet, limit=1_000).shown if one.kind == "session"
        ]
        lost = db.execute(
            "SELECT coalesce(sum(amount_minor), 0) FROM transfer WHERE debit = 3 AND reference IN (SELECT id FROM session WHERE person_id = ?)",
            (person,),
        ).fetchone()[0]
        assert found.balance_minor == PAID_IN[self.owners.index(person)] - (total.fees_minor - lost)
        assert {one.id: one.energy_wh for one in shown if one.state in CLOSED} == {
            row.id: row.energy_wh for row in closed
        }

        runs = [row for row in theirs if row.state == SessionState.RUNNING and row.card_id == card]
        remembered = [running for row in runs if (running := sessions.find_open(db, row.id)) is not None]
        so_far = limits.so_far(db, card, now_ms)
        bills = [bill_until(one, one.measured_at_ms).total_minor for one in remembered]
        assert so_far.session_minor == (max(bills) if bills else None)
        assert so_far.session_energy_wh == (max(row.energy_wh for row in runs) if runs else None)
        today = day_of(now_ms, SITE.zone)
        shares = [share for one in remembered for share in self.shares(one, one.measured_at_ms) if share.day == today]
        before = tuple(used.used_in(db, Whose.CARD, card, today))
        assert so_far.day_minor == before[1] + sum(share.fee_minor for share in shares)
        assert so_far.day_energy_wh == before[0] + sum(share.energy_wh for share in shares)

    def shares(self, running: sessions.Running, until_ms: int) -> list[DayShare]:
        """The days of a session that runs."""
        usage = usage_until(running, until_ms)
        return day_units.days_of(self.books.db, running, usage, bill_for(usage, running.tariff), until_ms)

    def call(self) -> Call:
        """A program asks."""
        request = make_mocked_request("GET", "/api/v1/sessions")
        request[PRINCIPAL] = Principal(PrincipalKind.PROGRAM, 1, "Test", "owner", "")
        return Call(request, self.console, {}, {}, self.books.now_ms)


STEPS = {
    "wait": 5, "start": 4, "start_request": 2, "read": 6, "strange": 3, "status": 4, "stop": 4, "again": 1, "by_hand": 1, "looked": 1, "clock": 1,
    "restart": 1,
}  # fmt: skip
PAID_IN = (90_000, 6_000, 40_000, 0)


def charged_s(row: history.Session, spans: Spans) -> int:
    """The seconds of idling beyond the grace."""
    ended = [(begin, end) for begin, end in spans if end is not None]
    grace_s = row.tariff.idle_grace_s if row.tariff is not None else 0
    return session.length_s(idle_after_grace(ended, grace_s))


def shown_held(call: Call, row: history.Session) -> object:
    """What the API says is held."""
    return api.as_json(call, row)["held_minor"]


def console_of(books: Books, places: list[StationId]) -> Console:
    """As much of the console as tiles and figures need."""
    return Console(
        store=None,  # type: ignore[arg-type]  # what is shown is read from the books themselves
        hub=Hub(),
        clock=lambda: books.now_ms,
        site=SITE,
        stations=AllOnline(places),  # type: ignore[arg-type]  # nothing asks for more than who is online
        control=None,  # type: ignore[arg-type]  # no command is given
        hash_station_password=lambda password: password,
    )


def new_yard(folder: Path) -> SiteFixture:
    """The site before anything happens."""
    books = open_books(folder / "forecourt.db")
    books.tariff(energy=2_000_000, time=100_000, idle=250_000, grace_s=120, flat=300_000, tax=750)
    groups = [books.group("prepaid"), books.group("prepaid"), books.group("postpaid"), books.group("free")]
    owners = [
        books.person(f"Driver {number}", group=group, paid_in=paid_in)
        for number, (group, paid_in) in enumerate(zip(groups, PAID_IN, strict=True))
    ]
    cards = [
        CardId(books.card(uid, owner, transactions_max=1 + number % 2))
        for number, (uid, owner) in enumerate(zip(CARDS, owners, strict=True))
    ]
    limits.change(books.db, cards[2], Limits(day_minor=30_000, session_energy_wh=9_000), BY)
    places = [books.station(f"CS-0{number}", evses=EVSES) for number in (1, 2)]
    books.db.flush()
    return SiteFixture(books, places, owners, cards, console_of(books, places))


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteFixture]:
    """One site for all histories; each is undone before the next."""
    found = new_yard(tmp_path_factory.mktemp("one-figure"))
    yield found
    assert found.books.wrong() == []
    found.books.db.close()


def live_through(fixture: SiteFixture, number: int) -> None:
    """One history, undone at its end."""
    chance, db = random.Random(number), fixture.books.db
    fixture.books.now_ms, fixture.told, fixture.known, fixture.steps = NOON_MS, [], {}, []
    db.execute("BEGIN")
    try:
        for _ in range(chance.randint(4, STEPS_MAX)):
            fixture.step(chance)
            fixture.compare()
        assert fixture.books.wrong() == []
    except AssertionError as different:
        different.add_note(f"history {number}: {fixture.steps}")
        raise
    finally:
        db.execute("ROLLBACK")
        db.forget()
        db.announcements.clear()


@pytest.mark.timeout(600)  # Five hundred histories: a machine that is busy takes its time.
def test_every_figure_is_every_other(fixture: SiteFixture) -> None:
    for number in SAMPLE:
        live_through(fixture, number)


@pytest.mark.soak
def test_every_figure_is_every_other_in_ten_thousand_histories(fixture: SiteFixture) -> None:
    for number in range(HISTORIES):
        live_through(fixture, number)


def test_a_start_dated_sixty_days_ago_costs_thirty_everywhere(books: Books) -> None:
    """Heard now, ten minutes and one kilowatt-hour later."""
    books.tariff(energy=2_000_000, time=100_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARDS[0], rahima)
    event = TransactionStarted(1, CARDS[0], 0, books.now_ms - 60 * DAY_MS, books.now_ms)
    ref = service.transaction_started(books.db, station, event).ref
    books.wait(600)
    books.read(station, ref, 1_000)
    books.db.flush()
    today = day_of(books.now_ms, SITE.zone)
    page = board.build(board.read(books.db, today), console_of(books, [station]), "owner", books.now_ms)

    assert page.figures.fee_minor == 3_000
    assert [FMT.money(3_000) in tile.what for tile in page.tiles] == [True, False]
    assert "10 min" in page.tiles[0].who
    books.stop(station, ref, 1_000)
    assert books.session(ref)["fee_minor"] == 3_000
    assert [(day.day, day.fees_minor) for day in books.days("1970-01-01", "2026-12-31")] == [(today, 3_000)]
