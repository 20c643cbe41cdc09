"""Reports and the ledger: sums by day and station, the accounts, the journal, and whether it all balances."""

from __future__ import annotations

import asyncio
from datetime import date

from aiohttp import web

from appliance.db import ledger, reports
from appliance.db.engine.protocols import Readable
from appliance.db.ledger import Account
from appliance.db.reports import StationDay, Total
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import IDENTITY_CHARS_MAX
from appliance.ui.api.checks import Parameter, day_of
from appliance.ui.api.operations import LIMIT_MAX, PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import (
    CURRENCY,
    WATT_HOURS,
    day,
    flag,
    moment,
    money,
    or_null,
    record,
    several,
    text,
    thing,
    whole,
    words,
)
from appliance.ui.api.stations.stations import station_named

DAYS_MAX = 366
CHECKING = web.AppKey("checking", asyncio.Lock)
"""The whole ledger is read through for a trial balance: one at a time is enough."""

STATION_DAY = record(
    "StationDay",
    day=day(),
    station=words("What the station calls itself."),
    station_name=words(),
    working_s=whole("How long it charged cars on this day, in sessions that have ended."),
    energy_wh=WATT_HOURS,
    fees_minor=money("Net and tax."),
    sessions=whole("How many that began on this day have ended."),
    currency=CURRENCY,
)
TOTAL = thing(working_s=whole(), energy_wh=WATT_HOURS, fees_minor=money(), sessions=whole())
ACCOUNT = record(
    "Account",
    id=whole("0: all wallets together."),
    kind=words(),
    name=words(),
    balance_minor=money("Credit minus debit."),
    held_minor=money("Held and not yet captured."),
    currency=CURRENCY,
)
TRANSFER = record(
    "Transfer",
    id=whole("1, 2, 3 … without gaps."),
    key=words("Its name for ever."),
    op=words("post, hold, capture, void."),
    debit=whole("Account."),
    credit=whole("Account."),
    amount_minor=money(),
    currency=CURRENCY,
    hold=or_null(words("What it captures or voids.")),
    code=words("topup, refund, charge, tax, overrun, correction."),
    reference=words("The session's number, or why."),
    actor=words("Who: operator:3, token:2, station:17, clock."),
    at=moment(),
)
TRIAL_BALANCE = record(
    "TrialBalance",
    balanced=flag("Whether the rows alone give every balance, every hold and an unbroken chain."),
    accounts=several(ACCOUNT.reference),
    wrong=several(words("What is wrong.")),
    currency=CURRENCY,
)


async def station_days(call: Call) -> Answer:
    """`GET /reports/stations`. Without `limit` the whole report, because a report that ends in the middle is none."""
    first, last = day_of("from", call.query["from"]), day_of("to", call.query["to"])
    if not 0 <= (date.fromisoformat(last) - date.fromisoformat(first)).days < DAYS_MAX:
        raise Invalid("to", "A report is about 1 to {most} days.", most=DAYS_MAX)
    station = (await station_named(call, call.query["station"])).id if "station" in call.query else None
    rows, total = await call.console.store.read(_report, first, last, station)
    begin = int(call.query.get("after", 0))
    limit = call.query.get("limit") or max(1, len(rows))
    numbered = list(enumerate(rows[begin : begin + limit + 1], begin + 1))
    page = listed(
        numbered,
        limit,
        lambda row: _station_day(call, row[1]),
        lambda row: row[0],
        total={
            "working_s": total.working_s,
            "energy_wh": total.energy_wh,
            "fees_minor": total.fees_minor,
            "sessions": total.sessions,
        },
        currency=call.currency,
    )
    # The same list under the name that every list has, and under the one that a report has.
    return Answer({**page.body, "rows": page.body["items"]})


async def accounts(call: Call) -> Answer:
    """`GET /ledger/accounts`."""
    rows = await call.console.store.read(ledger.accounts)
    return Answer({"items": [_account(call, row) for row in rows], "next": None})


async def transfers(call: Call) -> Answer:
    """`GET /ledger/transfers`."""
    rows = await call.console.store.read(ledger.transfers, before_seq=call.after or None, limit=call.limit + 1)
    return listed(rows, call.limit, lambda row: _transfer(call, row), lambda row: row[0])


async def trial_balance(call: Call) -> Answer:
    """`GET /ledger/trial-balance`."""
    async with call.request.app[CHECKING]:
        rows, wrong = await call.console.store.read(_verified)
    return Answer(
        {
            "balanced": not wrong,
            "accounts": [_account(call, row) for row in rows],
            "wrong": wrong,
            "currency": call.currency,
        }
    )


def _report(db: Readable, first: str, last: str, station: int | None) -> tuple[list[StationDay], Total]:
    return reports.station_days(db, first, last, station), reports.total(db, first, last, station)


def _verified(db: Readable) -> tuple[list[Account], list[str]]:
    rows, wrong = ledger.accounts(db), ledger.verify(db)
    if sum(row.balance_minor for row in rows):
        wrong = [*wrong, "the accounts do not add up to nothing"]
    return rows, wrong


def _station_day(call: Call, row: StationDay) -> Body:
    return {
        "day": row.day,
        "station": row.identity,
        "station_name": row.name,
        "working_s": row.working_s,
        "energy_wh": row.energy_wh,
        "fees_minor": row.fees_minor,
        "sessions": row.sessions,
        "currency": call.currency,
    }


def _account(call: Call, row: Account) -> Body:
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "balance_minor": row.balance_minor,
        "held_minor": row.held_minor,
        "currency": call.currency,
    }


def _transfer(call: Call, row: tuple[int, str, str, int, int, int, str | None, str, str, str, int]) -> Body:
    seq, key, op, debit, credit, amount_minor, hold, code, reference, actor, at_ms = row
    return {
        "id": seq,
        "key": key,
        "op": op,
        "debit": debit,
        "credit": credit,
        "amount_minor": amount_minor,
        "currency": call.currency,
        "hold": hold,
        "code": code,
        "reference": reference,
        "actor": actor,
        "at": at(at_ms),
    }


OPERATIONS = (
    Operation(
        "GET", "/reports/stations", "Each station's days: working time, energy, fees", station_days, STATION_DAY,
        query=(
            Parameter("from", day("The first day."), required=True),
            Parameter("to", day(f"The last day, at most {DAYS_MAX} days in all."), required=True),
            Parameter("station", text(IDENTITY_CHARS_MAX, "What the station calls itself.", least=1)),
            Parameter("limit", whole("How many rows at most; all if left out.", least=1, most=LIMIT_MAX)),
            PAGING[1],
        ),
        listed=True,
        beside={"total": TOTAL, "currency": CURRENCY, "rows": several(STATION_DAY.reference)},
    ),
    Operation("GET", "/ledger/accounts", "The accounts, all wallets in one", accounts, ACCOUNT, listed=True),
    Operation("GET", "/ledger/transfers", "The journal, the newest first", transfers, TRANSFER, query=PAGING, listed=True),
    Operation("GET", "/ledger/trial-balance", "Whether the books balance", trial_balance, TRIAL_BALANCE),
)  # fmt: skip
