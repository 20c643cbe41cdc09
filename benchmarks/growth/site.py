"""A site of two years, and a young one beside it: the same stations and the same day, with a month behind it.

What is in the books is as the product writes it (the chains hold, the balances are the sums of their transfers, the roll-ups are those
of their sessions), but written in bulk: the guards of the schema are taken down meanwhile, and put up again.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import orjson

from appliance.cli.init import create
from appliance.db import audit, ledger
from appliance.db import site as sites
from appliance.db.card_desk.requests import write_request
from appliance.db.engine.open import WRITER_SETTINGS
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.desk_request import Recharge
from appliance.domain.identifiers import CardId, SessionId
from appliance.domain.ledger import CASH, FIRST_HASH, FIRST_WALLET, REVENUE, TAX, Method, end_key, fingerprint, hold_key
from appliance.domain.order import natural
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff, Usage, price
from appliance.host.data_directory import DataDirectory
from appliance.ocpp.v16.translate import connector_state
from appliance.services import tariffs
from appliance.services.operators import log_ins, operators, tokens
from appliance.services.people import groups

ACTOR = "operator:1"
MINUTE_MS = 60_000
DAY_MS = 86_400_000
STATIONS = 200
ZONE_MS = 6 * 3_600_000
"""Asia/Dhaka has no summer time: a day is found by adding."""
SAMPLES = 10
"""Of each session."""
SLICE_MINOR = 65_000
"""More than any of the sessions costs."""
TOP_UP_MINOR = 100_000
FUNDS_MINOR = 1_000_000_000
"""What the cards of the load have in their wallets besides."""
LOADED = 100
"""Stations 0 to 99 and their cards are the load's; on the others something runs while pages are asked for."""
BUSY_SHARE = 50
"""One session of so many is on the card of the busiest person."""
TARIFF = Tariff(
    0, "Day", energy_milli_per_kwh=1_850_000, idle_milli_per_minute=100_000, idle_grace_s=600, tax_basis_points=500
)
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much has happened at a site, and in how many days."""

    days: int
    sessions: int
    people: int
    messages: int

    @property
    def busiest(self) -> int:
        """The number of the person on whose card a fleet charges."""
        return self.people


def grown(share: float) -> Size:
    """Two years of a large site, or a part of them."""
    return Size(730, int(1_000_000 * share), max(400, int(10_000 * share)), int(400_000 * share))


YOUNG = Size(30, 40_000, 400, 40_000)
"""A month of the same site: so much that every list is longer than a page."""


def build(folder: Path, size: Size, now_ms: int) -> None:
    """A site in an empty folder; its owner is operator 1."""
    data = DataDirectory(folder)
    create(
        data,
        name="Depot",
        currency_code="BDT",
        timezone="Asia/Dhaka",
        language="en",
        demo=False,
        now_ms=now_ms - size.days * DAY_MS,
    )
    db = sqlite3.connect(data.database, isolation_level=None, factory=Database)
    db.executescript(WRITER_SETTINGS)
    db.execute("PRAGMA foreign_keys = OFF")  # A backup checks them all.
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    db.execute("BEGIN IMMEDIATE")
    first_ms = now_ms - size.days * DAY_MS
    by = By(ACTOR, first_ms)
    tariff = tariffs.add(db, TARIFF, by)
    tariffs.make_default(db, tariff, by)
    payers, staff = (groups.add(db, name, policy, by) for name, policy in (("Customers", "prepaid"), ("Staff", "free")))
    operators.add(
        db, login="bench", name="Nasrin", role=Role.OWNER, password_hash="-", language="", by=By("console", first_ms)
    )
    sites.set_setting(db, "messages_per_s", "0")
    db.flush()
    with guards_down(db):
        people(db, size, payers, staff, first_ms)
        stations(db, now_ms)
        books = Books(db, size, now_ms)
        books.write(tariff)
        other_lists(db, size, books, first_ms, now_ms)
        fill_roll_ups(db)
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()


def analyze(folder: Path) -> None:
    """Let the planner know how large everything is. The product itself never does: its plans are to be right without."""
    with closing(sqlite3.connect(DataDirectory(folder).database, isolation_level=None)) as db:
        db.execute("ANALYZE")


def log_in(folder: Path, now_ms: int) -> str:
    """The token of the owner's browser."""
    db = sqlite3.connect(DataDirectory(folder).database, isolation_level=None, factory=Database)
    db.executescript(WRITER_SETTINGS)
    token = tokens.new_token()
    db.execute("BEGIN IMMEDIATE")
    log_ins.log_in(db, 1, token, address="127.0.0.1", browser="benchmark", now_ms=now_ms)
    db.flush()
    db.execute("COMMIT")
    db.close()
    return token


@contextmanager
def guards_down(db: Database) -> Iterator[None]:
    """Without the triggers, which look at each row by itself."""
    kept = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _sql in kept:
        db.execute(f"DROP TRIGGER {name}")
    yield
    for _name, sql in kept:
        db.execute(sql)


def people(db: Database, size: Size, payers: int, staff: int, first_ms: int) -> None:
    """Of five people three pay, and the busiest one. Each has a card, TAG00000 and so on."""
    for number in range(size.people):
        group = payers if pays(number, size) or number < LOADED else staff
        db.execute(
            "INSERT INTO account (id, kind, name, floor_minor) VALUES (?, 'wallet', ?, ?)",
            (FIRST_WALLET + number, f"Person {number}", 0 if group == payers else None),
        )
        db.execute(
            "INSERT INTO person (id, name, name_key, phone, phone_digits, group_id, wallet_id, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number + 1,
                name := f"{NAMES[number % len(NAMES)]} {number}",
                natural(name),
                f"+8801{number:09}",
                f"8801{number:09}",
                group,
                FIRST_WALLET + number,
                first_ms,
            ),
        )
        db.execute(
            "INSERT INTO card (id, uid, person_id, label, created_at_ms, number, token, transactions_max) VALUES (?, ?, ?, '', ?, ?, ?, ?)",
            (
                number + 1,
                f"TAG{number:05}",
                number + 1,
                first_ms,
                number + 1,
                f"{number:024x}",
                50 if number + 1 == size.people else 1,
            ),
        )


NAMES = (
    "Karim Ahmed",
    "Nasrin Sultana",
    "Rahim Uddin",
    "Farida Begum",
    "Tanvir Hasan",
    "Shirin Akter",
    "Jamal Hossain",
)


def pays(number: int, size: Size) -> bool:
    """Whether person `number` (from 0) charges from a wallet."""
    return number % 5 < 3 or number + 1 == size.busiest


def stations(db: Database, now_ms: int) -> None:
    """CP00000 and so on, each with one connector."""
    for number in range(STATIONS):
        word = "Charging" if is_charging(number) else "Finishing" if number % 10 == 9 else "Available"
        status, charging_state, finer_status = connector_state(word)
        db.execute(
            "INSERT INTO station (id, identity, name, state, vendor, model, seen_at_ms, created_at_ms) VALUES (?, ?, ?, 'approved', 'Bench', 'One', ?, ?)",
            (number + 1, f"CP{number:05}", f"Gate {number}", now_ms, now_ms),
        )
        db.execute(
            """INSERT INTO connector (station_id, evse, connector, status, charging_state, finer_status, changed_at_ms)
            VALUES (?, 1, 1, ?, ?, ?, ?)""",
            (number + 1, status, charging_state, finer_status, now_ms - 50 * MINUTE_MS),
        )


def is_charging(number: int) -> bool:
    """Whether something runs on station `number` (from 0) at the end."""
    return number >= LOADED and number % 3 > 0


class Books:
    """Sessions with what they were measured, rolled up and paid with."""

    def __init__(self, db: Database, size: Size, now_ms: int) -> None:
        self.db = db
        self.size = size
        self.now_ms = now_ms
        self.receipts: list[tuple[Any, ...]] = []
        """Number, when, person, amount, balance."""
        self._random = random.Random(7)
        self._tip = (0, FIRST_HASH, 0)
        self._transfers: list[tuple[Any, ...]] = []
        self._sums: dict[int, list[int]] = {}
        """Credited, debited, held and last row of each account."""
        self._ends: list[tuple[int, int, int, int, int, int]] = []
        """Sessions whose money is still to be taken: when, session, wallet, held, fee and tax."""

    def write(self, tariff: int) -> None:
        """All of it, then the balances."""
        for number in range(LOADED):
            self._top_up(number, FUNDS_MINOR, self.now_ms - self.size.days * DAY_MS)
        step_ms = (self.size.days * DAY_MS - 3 * 3_600_000) // self.size.sessions
        first_ms = self.now_ms - self.size.days * DAY_MS
        for numbers in batches(self.size.sessions):
            self._write_sessions([self._session(number, first_ms + number * step_ms, tariff) for number in numbers])
        self._write_sessions([self._running(number, tariff) for number in range(STATIONS) if is_charging(number)])
        while self._ends:
            self._take()
        self._flush()
        self._measure()
        self.db.executemany(
            "UPDATE account SET credit_posted = ?, debit_posted = ?, debit_pending = ?, last_seq = ? WHERE id = ?",
            [(*sums, account) for account, sums in self._sums.items()],
        )

    def _session(self, number: int, begin_ms: int, tariff: int) -> tuple[Any, ...]:
        """One that has ended; a row of the table."""
        draw = self._random.random
        person = self.size.people - 1 if number % BUSY_SHARE == 0 else int(draw() * (self.size.people - 1))
        usage = Usage(2_000 + int(draw() * 30_000), 1_200 + int(draw() * 6_000), 0)
        end_ms = begin_ms + usage.duration_s * 1000
        bill = price(usage, TARIFF) if pays(person, self.size) else None
        net, tax = (bill.net_minor, bill.tax_minor) if bill else (0, 0)
        while self._ends and self._ends[0][0] <= begin_ms:
            self._take()
        if bill:
            self._hold(number + 1, person, begin_ms, SLICE_MINOR)
            heappush(self._ends, (end_ms, number + 1, FIRST_WALLET + person, SLICE_MINOR, bill.total_minor, tax))
        return (
            number + 1, "ended" if number % 1000 else "review", begin_ms, number * 7 % STATIONS + 1, f"TAG{person:05}", number * 1000, person + 1, person + 1,
            FIRST_WALLET + person if bill else None, "prepaid" if bill else "free", tariff if bill else None, begin_ms, SLICE_MINOR if bill else 0,
            1 if bill else 0, end_ms, number * 1000 + usage.energy_wh, "Local", usage.energy_wh, usage.duration_s, net, tax, net + tax,
        )  # fmt: skip

    def _running(self, station: int, tariff: int) -> tuple[Any, ...]:
        """One that runs at the end, begun within the last hour."""
        session, begin_ms = self.size.sessions + station + 1, self.now_ms - 50 * MINUTE_MS
        self._hold(session, station, begin_ms, SLICE_MINOR)
        return (
            session, "running", begin_ms, station + 1, f"TAG{station:05}", 5000, station + 1, station + 1, FIRST_WALLET + station, "prepaid", tariff,
            begin_ms, SLICE_MINOR, 1, None, None, "", 0, 0, 0, 0, 0,
        )  # fmt: skip

    def _write_sessions(self, rows: list[tuple[Any, ...]]) -> None:
        self.db.executemany(
            """INSERT INTO session (id, state, started_at_ms, station_id, evse, id_token, meter_start_wh, person_id, card_id, wallet_id, policy, tariff_id,
                authorization, received_at_ms, held_minor, slices, ended_at_ms, meter_stop_wh, stop_reason, energy_wh, duration_s, net_minor, tax_minor, fee_minor)
            VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, 'Accepted', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            rows,
        )
        days = [day for row in rows if row[14] is not None for day in days_of(row)]
        self.db.executemany("INSERT INTO session_day VALUES (?, ?, ?, ?, ?, ?, ?)", sorted(days))
        if len(self._transfers) > ROWS_AT_ONCE:
            self._flush()

    def _measure(self) -> None:
        """Readings at even distances, made by the database itself."""
        self.db.execute(
            """INSERT INTO sample (session_id, sampled_at_ms, energy_wh, power_w, current_ma, voltage_mv, soc_percent, others, content)
            WITH RECURSIVE step (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM step WHERE n < :samples)
            SELECT id, started_at_ms + n * (coalesce(ended_at_ms, :now) - started_at_ms) / :samples,
                   meter_start_wh + n * max(energy_wh, 900 * (state = 'running')) / :samples, 7200, 32000, 230000, 20 + 5 * n, NULL, id + n
            FROM session CROSS JOIN step ORDER BY id, n""",
            {"samples": SAMPLES, "now": self.now_ms},
        )
        self.db.execute(
            """INSERT INTO idle_span (session_id, begin_at_ms, end_at_ms)
            SELECT id, coalesce(ended_at_ms, :now) - 300000, ended_at_ms FROM session WHERE id % 10 = 0""",
            {"now": self.now_ms},
        )

    # The ledger.

    def _hold(self, session: int, person: int, at_ms: int, amount: int) -> None:
        wallet = FIRST_WALLET + person
        sums = self._sums.get(wallet, [0, 0, 0, 0])
        if sums[0] - sums[1] - sums[2] < amount:
            self._top_up(person, TOP_UP_MINOR, at_ms)
        self._add(hold_key(SessionId(session), 1), "hold", wallet, REVENUE, amount, None, "charge", str(session), at_ms)

    def _take(self) -> None:
        at_ms, session, wallet, held, fee, tax = heappop(self._ends)
        self._add(
            end_key(SessionId(session), 1),
            "capture",
            wallet,
            REVENUE,
            fee,
            hold_key(SessionId(session), 1),
            "charge",
            str(session),
            at_ms,
            held,
        )
        self._add(f"tax|{session}", "post", REVENUE, TAX, tax, None, "tax", str(session), at_ms)

    def _top_up(self, person: int, amount: int, at_ms: int) -> None:
        number, wallet = len(self.receipts) + 1, FIRST_WALLET + person
        self._add(f"topup|{number:08}", "post", CASH, wallet, amount, None, "topup", "cash", at_ms)
        sums = self._sums[wallet]
        self.receipts.append((number, self._tip[2], person + 1, amount, sums[0] - sums[1]))

    def _add(
        self,
        key: str,
        op: str,
        debit: int,
        credit: int,
        amount: int,
        hold: str | None,
        code: str,
        reference: str,
        at_ms: int,
        held: int = 0,
    ) -> None:
        seq, at_ms = self._tip[0] + 1, max(at_ms, self._tip[2])
        values = (seq, key, op, debit, credit, amount, hold, code, reference, ACTOR, at_ms)
        digest = fingerprint(self._tip[1], orjson.dumps(values))
        self._transfers.append((*values, self._tip[1], digest))
        self._tip = (seq, digest, at_ms)
        debited, credited = self._sums.setdefault(debit, [0, 0, 0, 0]), self._sums.setdefault(credit, [0, 0, 0, 0])
        debited[3] = credited[3] = seq
        if op == "hold":
            debited[2] += amount
        else:
            debited[1] += amount
            debited[2] -= held
            credited[0] += amount

    def _flush(self) -> None:
        self.db.executemany(
            f"INSERT INTO transfer ({ledger.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._transfers
        )
        self._transfers.clear()


def days_of(row: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The roll-up of a session: a row, or two if it lasted over midnight."""
    session, begin_ms, station, end_ms, energy, duration, fee = (
        row[0],
        row[2],
        row[3],
        row[14],
        row[17],
        row[18],
        row[21],
    )
    first, last = day_of(begin_ms), day_of(end_ms)
    if first == last:
        return [(first, station, session, duration, energy, fee, 1)]
    half = (duration // 2, energy // 2, fee // 2)
    return [
        (first, station, session, *half, 1),
        (last, station, session, duration - half[0], energy - half[1], fee - half[2], 0),
    ]


def day_of(at_ms: int) -> str:
    """The day at the site."""
    return str(datetime.fromtimestamp((at_ms + ZONE_MS) // 1000, UTC).date())


def other_lists(db: Database, size: Size, books: Books, first_ms: int, now_ms: int) -> None:
    """What grows beside sessions: receipts and the audit list with the top-ups, problems that are over, what desks did, messages."""
    details = orjson.dumps(
        {"site": "Depot", "person": "Karim Ahmed", "language": "", "card": 17, "label": "", "by": "Nasrin"}
    ).decode()
    db.executemany(
        """INSERT INTO receipt (number, kind, at_ms, actor, person_id, card_id, amount_minor, deposit_minor, method, balance_minor, corrects, details)
        VALUES (?, 'recharge', ?, ?, ?, ?, ?, 0, 'cash', ?, NULL, ?)""",
        (
            (number, at_ms, ACTOR, person, person, amount, balance, details)
            for number, at_ms, person, amount, balance in books.receipts
        ),
    )
    db.executemany(
        """INSERT INTO desk_job (desk, kind, state, request, person_id, card_id, receipt, actor, created_at_ms, changed_at_ms)
        VALUES ('desk', 'recharge', 'done', ?, ?, ?, ?, ?, ?, ?)""",
        (
            (write_request(Recharge(amount, Method.CASH, CardId(person))), person, person, number, ACTOR, at_ms, at_ms)
            for number, at_ms, person, amount, _balance in books.receipts
        ),
    )
    db.executemany(
        "INSERT INTO audit (seq, at_ms, actor, action, subject, details, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        audited(db, books),
    )
    db.executemany(
        "INSERT INTO problem (kind, subject, details, since_ms, cleared_at_ms) VALUES ('offline', ?, ?, ?, ?)",
        (
            (f"station:{number % STATIONS + 1}", orjson.dumps({"station": number % STATIONS + 1, "since_ms": at_ms, "ever": True}).decode(), at_ms, at_ms + 1)
            for number, at_ms in enumerate(range(first_ms, now_ms, size.days * DAY_MS // (size.sessions // 50)))
        ),
    )  # fmt: skip
    begin_ms = now_ms - min(size.days, 90) * DAY_MS
    request = orjson.dumps([{"connectorId": 1, "status": "Available", "errorCode": "NoError"}]).decode()
    db.executemany(
        "INSERT INTO message_log (station_id, at_ms, direction, action, request, answer) VALUES (?, ?, 'in', 'StatusNotification', ?, '{}')",
        (
            (number % STATIONS + 1, begin_ms + number * (now_ms - begin_ms) // size.messages, request)
            for number in range(size.messages)
        ),
    )


def audited(db: Database, books: Books) -> Iterator[tuple[Any, ...]]:
    """A row for each top-up, chained to those that are there."""
    seq, previous = audit.newest(db)
    for _number, at_ms, person, amount, _balance in books.receipts:
        seq += 1
        details = orjson.dumps({"amount_minor": amount, "method": "cash", "name": "Karim Ahmed"}).decode()
        values = (seq, at_ms, ACTOR, "person.topup", f"person:{person}", details)
        digest = audit.fingerprint(previous, values)
        yield (*values, previous, digest)
        previous = digest


def fill_roll_ups(db: Readable) -> None:
    """The sums that the product keeps with each bill."""
    db.execute(
        """INSERT INTO station_day SELECT day, station_id, sum(working_s), sum(energy_wh), sum(fee_minor), sum(first_day)
        FROM session_day GROUP BY day, station_id"""
    )
    db.execute(
        """INSERT INTO holder_sum SELECT person_id, coalesce(card_id, 0), sum(duration_s), sum(energy_wh), sum(fee_minor), count(*)
        FROM session WHERE person_id IS NOT NULL AND state IN ('ended', 'review') GROUP BY person_id, coalesce(card_id, 0)"""
    )
    db.execute(
        """INSERT INTO station_month SELECT substr(day, 1, 7), station_id, sum(working_s), sum(energy_wh), sum(fee_minor), sum(sessions)
        FROM station_day GROUP BY substr(day, 1, 7), station_id"""
    )


def batches(count: int) -> Iterator[Iterator[int]]:
    """The numbers below `count`, some at a time."""
    numbers = iter(range(count))
    while found := list(itertools.islice(numbers, ROWS_AT_ONCE)):
        yield iter(found)
