"""The ledger, for programs: accounts, transfers, and whether it is in order."""

from __future__ import annotations

import asyncio

from aiohttp import web

from appliance.db import ledger
from appliance.db.engine.protocols import Readable
from appliance.db.ledger import Account
from appliance.ui.api.operations import PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import (
    CURRENCY,
    flag,
    moment,
    money,
    or_null,
    record,
    several,
    whole,
    words,
)

CHECKING = web.AppKey("checking", asyncio.Lock)
"""The whole ledger is read through for a trial balance: one at a time is enough."""


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
    code=words("topup, refund, charge, tax, overrun, correction; voucher_sale, voucher_refund, voucher_write_off."),
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


def _verified(db: Readable) -> tuple[list[Account], list[str]]:
    rows, wrong = ledger.trial_balance(db), ledger.verify(db)
    if sum(row.balance_minor for row in rows):
        wrong = [*wrong, "the accounts do not add up to nothing"]
    return rows, wrong


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
    Operation("GET", "/ledger/accounts", "The accounts, all wallets in one", accounts, ACCOUNT, listed=True),
    Operation(
        "GET", "/ledger/transfers", "The journal, the newest first", transfers, TRANSFER, query=PAGING, listed=True
    ),
    Operation("GET", "/ledger/trial-balance", "Whether the books balance", trial_balance, TRIAL_BALANCE),
)
