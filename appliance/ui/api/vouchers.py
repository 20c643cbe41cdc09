"""Vouchers, for programs: made in batches, sold, redeemed, voided. Their codes go out once."""

from __future__ import annotations

import asyncio

import orjson

from appliance.db import vouchers as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.vouchers import Voucher
from appliance.domain.identifiers import BatchId, PersonId
from appliance.domain.ledger import Method
from appliance.domain.paper_code import grouped
from appliance.domain.voucher import COUNT_MAX, VoucherState
from appliance.services.texts import TEXT_CHARS_MAX
from appliance.services.vouchers import batches, codes, vouchers
from appliance.services.vouchers.batches import NewBatch
from appliance.services.vouchers.codes import Asked
from appliance.services.wallets.wallets import AMOUNT_MINOR_MAX
from appliance.ui.api.checks import Parameter, moment_of
from appliance.ui.api.operations import PAGING, Answer, Body, Call, Operation, at, listed, once
from appliance.ui.api.people import BOOKED, METHOD, booked_as
from appliance.ui.api.shapes import (
    CURRENCY,
    CURRENCY_ASKED,
    Schema,
    amount,
    choice,
    flag,
    form,
    moment,
    money,
    number_of,
    or_null,
    record,
    several,
    text,
    whole,
    words,
)
from appliance.ui.frame.voucher_codes import read_voucher

VOUCHER_FIELDS: dict[str, Schema] = {
    "id": whole(),
    "number": words("As it is printed: 12-7. It is no secret, and buys nothing."),
    "batch_id": whole(),
    "state": choice(*VoucherState, description="made: not sold yet, or given away."),
    "amount_minor": money(),
    "currency": CURRENCY,
    "given_away": flag("Worth its amount without having been sold."),
    "expires_at": or_null(moment()),
    "note": words(),
    "made_by": words(),
    "made_at": moment(),
    "sold_by": words("Empty: nobody has bought it."),
    "sold_at": or_null(moment()),
    "receipt": or_null(whole("For what was paid.")),
    "over_by": words("Who redeemed it, voided it or wrote it off."),
    "over_at": or_null(moment()),
    "person_id": or_null(whole("Into whose wallet it went.")),
}
VOUCHER = record("Voucher", **VOUCHER_FIELDS)
SOLD = record(
    "VouchersSold",
    **VOUCHER_FIELDS,
    sold=several(VOUCHER.reference),
)
BATCH = record(
    "VoucherBatch",
    id=whole(),
    count=whole(),
    amount_minor=money("Of each voucher."),
    currency=CURRENCY,
    given_away=flag(),
    expires_at=or_null(moment()),
    note=words(),
    made_at=moment(),
    codes=several(
        words("In the order of the numbers. The same request gives them again for a quarter of an hour, then none.")
    ),
)
NEW_BATCH = form(
    "NewVouchers",
    ("count", "amount_minor"),
    count=whole("How many.", least=1, most=COUNT_MAX),
    amount_minor=amount(AMOUNT_MINOR_MAX, "Of each voucher, in minor units of the currency."),
    currency=CURRENCY_ASKED,
    expires_at=or_null(moment("Before which they are to be redeemed; null: without end.")),
    given_away=flag("Worth their amount without having been sold, at the site's cost."),
    note=text(TEXT_CHARS_MAX),
)
SALE = form(
    "VoucherSale",
    method=METHOD,
    count=whole(
        "How many of the batch, from this one on in the order of their numbers: all of them, or none.",
        least=1, most=vouchers.SOLD_AT_ONCE_MAX,
    ),
)  # fmt: skip
REDEMPTION = form("VoucherRedemption", ("person",), person=number_of("whose wallet it goes into"))
VOID = form(
    "VoucherVoid",
    method=choice(*Method, description="How the money of one that was sold goes back; the way it came if left out."),
)


async def list_vouchers(call: Call) -> Answer:
    """`GET /vouchers`."""
    state = VoucherState(call.query["state"]) if "state" in call.query else None
    found = await call.console.store.read(
        rows.page, state=state, batch=call.query.get("batch"), before=call.after or None, limit=call.limit + 1
    )
    return listed(found, call.limit, lambda one: as_json(call, one), lambda one: one.id)


async def make(call: Call) -> Answer:
    """`POST /vouchers`."""
    call.check_currency()
    body, by, console = call.body, call.by, call.console
    expires_at = body.get("expires_at")
    new = NewBatch(
        body["amount_minor"], body.get("given_away", False),
        None if expires_at is None else moment_of("expires_at", expires_at), body.get("note", ""),
    )  # fmt: skip
    printed = await asyncio.to_thread(codes.print_codes, console.vault, body["count"])

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        return 201, {"id": batches.make(db, new, printed, by)}

    answer = await once(call, unit, needed=False)
    batch = BatchId(answer.body["id"])
    # The codes are no part of what is kept of the answer.
    found, kept = await console.store.read(_read_sheet, batch, call.now_ms)
    shown = codes.open_codes(console.vault, kept) if kept is not None else []
    whole_body = {
        "id": found.id,
        "count": found.count,
        "amount_minor": found.amount_minor,
        "currency": call.currency,
        "given_away": found.given_away,
        "expires_at": at(found.expires_at_ms),
        "note": found.note,
        "made_at": at(found.made_at_ms),
        "codes": [grouped(code) for code in shown],
    }
    return Answer(whole_body, answer.status, answer.headers)


async def sell(call: Call) -> Answer:
    """`POST /vouchers/{code}/sell`: by its number, too."""
    asked, by, method = await _asked(call), call.by, call.body.get("method", Method.CASH.value)
    count = call.body.get("count", 1)

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        moved = vouchers.sell_many(db, asked, count, method, by)
        sold = [as_json(call, vouchers.need_by_id(db, one.voucher)) for one in moved]
        return 201, {**sold[0], "sold": sold}

    return await once(call, unit, request=_request("sell", asked, call.body))


async def redeem(call: Call) -> Answer:
    """`POST /vouchers/{code}/redeem`: by its code only."""
    asked, by, person = await _asked(call, code_only=True), call.by, PersonId(call.body["person"])

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        return 201, booked_as(call, vouchers.redeem(db, asked, person, by))

    return await once(call, unit, request=_request("redeem", asked, call.body))


async def void(call: Call) -> Answer:
    """`POST /vouchers/{code}/void`: by its number, too."""
    asked, by, method = await _asked(call), call.by, call.body.get("method", "")

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        return 200, as_json(call, vouchers.need_by_id(db, vouchers.void(db, asked, method, by).voucher))

    return await once(call, unit, needed=False, request=_request("void", asked, call.body))


def as_json(call: Call, voucher: Voucher) -> Body:
    """A voucher as JSON; nobody has its code any more."""
    return {
        "id": voucher.id,
        "number": voucher.name,
        "batch_id": voucher.batch_id,
        "state": voucher.state,
        "amount_minor": voucher.amount_minor,
        "currency": call.currency,
        "given_away": voucher.given_away,
        "expires_at": at(voucher.expires_at_ms),
        "note": voucher.note,
        "made_by": voucher.made_by,
        "made_at": at(voucher.made_at_ms),
        "sold_by": voucher.sold_by,
        "sold_at": at(voucher.sold_at_ms),
        "receipt": voucher.receipt,
        "over_by": voucher.over_by,
        "over_at": at(voucher.over_at_ms),
        "person_id": voucher.person_id,
    }


async def _asked(call: Call, *, code_only: bool = False) -> Asked:
    return await read_voucher(call.request, call.request.match_info["code"], code_only=code_only)


def _request(what: str, asked: Asked, body: Body) -> bytes:
    """What tells one request from another, with the hash of the code: its own hash is kept, and codes are short."""
    code_hash = asked.code_hash.hex() if asked.code_hash is not None else None
    return orjson.dumps([f"voucher {what}", code_hash, asked.number, body], option=orjson.OPT_SORT_KEYS)


def _read_sheet(db: Readable, batch: BatchId, now_ms: int) -> tuple[rows.Batch, bytes | None]:
    return batches.need(db, batch), rows.sheet(db, batch, now_ms)


OPERATIONS = (
    Operation(
        "GET", "/vouchers", "Vouchers, the newest first", list_vouchers, VOUCHER, listed=True,
        query=(Parameter("state", choice(*VoucherState)), Parameter("batch", number_of("the batch")), *PAGING),
    ),
    Operation(
        "POST", "/vouchers", "Print vouchers: their codes, once", make, BATCH, takes=NEW_BATCH, status=201, key="possible",
        codes=True,
    ),
    Operation(
        "POST", "/vouchers/{code}/sell", "Money comes in for a voucher, or for several", sell, SOLD, takes=SALE, status=201,
        key="needed", codes=True, parts=(VOUCHER,),
    ),
    Operation(
        "POST", "/vouchers/{code}/redeem", "What it is worth goes into a wallet", redeem, BOOKED, takes=REDEMPTION,
        status=201, key="needed", codes=True,
    ),
    Operation(
        "POST", "/vouchers/{code}/void", "It is worth nothing any more; what was paid for it goes back", void, VOUCHER,
        takes=VOID, key="possible", codes=True,
    ),
)  # fmt: skip
