"""Shifts: who has which drawer, what must be in it, and what was counted. Each sees their own; managers see all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance.db import operators
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.till import shifts as rows
from appliance.db.till.shifts import Moved
from appliance.domain.cash import COUNT_MAX, NOTHING, Cash, counted, plain
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import ShiftId
from appliance.domain.ledger import AMOUNT_MINOR_MAX, Method
from appliance.domain.money import Currency
from appliance.services.operators import authority
from appliance.services.till import shifts
from appliance.services.till.shifts import Counterpart, Figures, Way
from appliance.ui.api.operations import PAGING, Answer, Body, Call, Operation, at, listed, once
from appliance.ui.api.shapes import (
    CURRENCY,
    CURRENCY_ASKED,
    amount,
    choice,
    form,
    moment,
    money,
    number_of,
    or_null,
    record,
    several,
    text,
    thing,
    whole,
    with_example,
    words,
)

PIECES_MAX = 50
PIECE_OUT = thing(value_minor=money("Of one note or coin."), count=whole("How many."))
PIECES = {
    "type": "array",
    "maxItems": PIECES_MAX,
    "items": {
        "type": "object",
        "properties": {
            "value_minor": whole("Of one note or coin, in minor units.", least=1, most=AMOUNT_MINOR_MAX),
            "count": whole("How many of them.", least=0, most=COUNT_MAX),
        },
        "required": ["value_minor", "count"],
        "additionalProperties": False,
    },
}
MOVED = thing(
    method=words("cash, card, mobile or bank."),
    code=words("What for: topup, refund, deposit, correction, pay_in, pay_out, …"),
    times_in=whole(),
    in_minor=money(),
    times_out=whole(),
    out_minor=money(),
)
SHIFT = record(
    "Shift",
    id=whole(),
    state=choice("open", "closed"),
    drawer=whole("Its number."),
    actor=words("Whose it is: operator:3, token:2."),
    by=words("Their name."),
    opened_at=moment(),
    float_minor=money(),
    float=several(PIECE_OUT) | {"description": "Empty where only the amount is known."},
    taken_over=or_null(whole("The shift whose counted money is its float.")),
    expected_minor=or_null(
        money("What must be in the drawer, or had to be when it was closed. null: a setting hides it from cashiers.")
    ),
    moved=several(MOVED)
    | {"description": "What moved, by way of paying and by what it was for; cash is left out where it is hidden."},
    closed_at=or_null(moment()),
    closed_by=or_null(words()),
    counted_minor=or_null(money()),
    counted=several(PIECE_OUT),
    difference_minor=or_null(
        money("Counted beyond what had to be there; below zero: missing. null like `expected_minor`.")
    ),
    reason=or_null(words()),
    z_number=or_null(whole("Of its Z report, without gaps.")),
    next_shift=or_null(whole("Who took the drawer over, with the counted money.")),
    currency=CURRENCY,
)
NEW_SHIFT = with_example(
    form(
        "NewShift",
        float=PIECES,
        float_minor=amount(AMOUNT_MINOR_MAX, "Instead, where nobody counts by note and coin.", least=0),
        currency=CURRENCY_ASKED,
    ),
    float=[{"value_minor": 10000, "count": 20}, {"value_minor": 1000, "count": 5}],
)
COUNT = with_example(
    form(
        "ShiftCount",
        counted=PIECES,
        counted_minor=amount(AMOUNT_MINOR_MAX, "Instead, where nobody counts by note and coin.", least=0),
        reason=text(1000, "What is known of a difference."),
        hand_to=number_of("who of the staff takes the drawer over; without it all goes to the safe"),
        currency=CURRENCY_ASKED,
    ),
    counted=[{"value_minor": 10000, "count": 31}, {"value_minor": 500, "count": 3}],
)
MOVEMENT = with_example(
    form(
        "ShiftMovement",
        ("way", "amount_minor"),
        way=choice(*Way, description="`in` to the drawer, or `out` of it."),
        amount_minor=amount(AMOUNT_MINOR_MAX, "Minor units."),
        counterpart=choice(*Counterpart, description="Where it comes from or goes: the safe, if nothing is said."),
        reason=text(1000, "Of what was bought it is needed."),
        currency=CURRENCY_ASKED,
    ),
    way="out",
    amount_minor=50000,
    counterpart="safe",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A shift as one asker sees it."""

    figures: Figures
    name: str
    sees_expected: bool
    following: ShiftId | None


async def list_shifts(call: Call) -> Answer:
    """`GET /shifts`: the newest first; the next page goes on `after` the lowest number."""
    found = await call.console.store.read(_page, call.actor, call.after or None, call.limit + 1)
    return listed(found, call.limit, lambda one: as_json(call, one), lambda one: one.figures.shift.id)


async def show_shift(call: Call) -> Answer:
    """`GET /shifts/{id}`."""
    return Answer(as_json(call, await call.console.store.read(_read, call.number(), call.actor)))


async def open_shift(call: Call) -> Answer:
    """`POST /shifts`."""
    call.check_currency()
    float_, by = _cash(call, "float"), call.by

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        return 201, as_json(call, _read(db, shifts.open_shift(db, float_, by).id, by.actor))

    return await once(call, unit)


async def move(call: Call) -> Answer:
    """`POST /shifts/{id}/movements`."""
    call.check_currency()
    shift, body, by = ShiftId(call.number()), call.body, call.by
    counterpart = Counterpart(body.get("counterpart", Counterpart.SAFE))

    def unit(db: Database, name: str) -> tuple[int, Body]:
        shifts.move(
            db, shift, Way(body["way"]), counterpart, body["amount_minor"], body.get("reason", ""), name, by
        )  # fmt: skip
        return 201, as_json(call, _read(db, shift, by.actor))

    return await once(call, unit)


async def close_shift(call: Call) -> Answer:
    """`POST /shifts/{id}/close`."""
    call.check_currency()
    shift, body, by, money_counted = ShiftId(call.number()), call.body, call.by, _cash(call, "counted")
    if "counted" not in body and "counted_minor" not in body:
        raise Invalid("counted", "The field {name} is missing.", name="counted")
    hand_to = f"operator:{body['hand_to']}" if "hand_to" in body else ""

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        shifts.close(db, shift, money_counted, body.get("reason", ""), by, hand_to=hand_to)
        return 200, as_json(call, _read(db, shift, by.actor))

    return await once(call, unit)


def as_json(call: Call, shown: Shown) -> Body:
    """As JSON."""
    shift, hidden = shown.figures.shift, not shown.sees_expected
    return {
        "id": shift.id,
        "state": "open" if shift.is_open else "closed",
        "drawer": shift.drawer,
        "actor": shift.actor,
        "by": shown.name,
        "opened_at": at(shift.opened_at_ms),
        "float_minor": shift.float.minor,
        "float": _pieces(shift.float),
        "taken_over": shift.taken_over,
        "expected_minor": None if hidden else shown.figures.expected_minor,
        "moved": [_moved(one) for one in shown.figures.moved if not (hidden and one.method is Method.CASH)],
        "closed_at": at(shift.closed_at_ms),
        "closed_by": shift.closed_by,
        "counted_minor": shift.counted.minor if shift.counted is not None else None,
        "counted": _pieces(shift.counted or NOTHING),
        "difference_minor": None if hidden else shown.figures.difference_minor,
        "reason": shift.reason,
        "z_number": shift.z_number,
        "next_shift": shown.following,
        "currency": call.currency,
    }


# --- helpers -------------------------------------------------------------------------------------------------------------


def _cash(call: Call, field: str) -> Cash:
    """The money that was counted: by note and coin, or as a plain amount."""
    body, of = call.body, Currency(call.currency, call.console.site.exponent)
    if field in body and f"{field}_minor" in body:
        raise Invalid(field, "There is a list of notes and coins, and an amount.", "Leave one of them.")
    if f"{field}_minor" in body:
        return plain(body[f"{field}_minor"], field)
    # JSON knows no whole numbers: 5.0 is 5.
    return counted(((int(one["value_minor"]), int(one["count"])) for one in body.get(field, ())), of, field)


def _pieces(cash: Cash) -> list[Body]:
    return [{"value_minor": value, "count": count} for value, count in cash.pieces]


def _moved(one: Moved) -> dict[str, Any]:
    return {
        "method": one.method,
        "code": one.code,
        "times_in": one.times_in,
        "in_minor": one.in_minor,
        "times_out": one.times_out,
        "out_minor": one.out_minor,
    }


def _read(db: Readable, shift: int, actor: str) -> Shown:
    return _as_seen(db, shifts.figures(db, shifts.need_seen(db, shift, actor)), actor)


def _page(db: Readable, actor: str, before: int | None, limit: int) -> list[Shown]:
    whose = "" if authority.is_manager(db, actor) else actor
    return [
        _as_seen(db, shifts.figures(db, one), actor) for one in rows.page(db, actor=whose, before=before, limit=limit)
    ]


def _as_seen(db: Readable, figures: Figures, actor: str) -> Shown:
    name = operators.names(db).get(figures.shift.actor, "")
    return Shown(figures, name, shifts.sees_expected(db, actor), rows.following(db, figures.shift))


OPERATIONS = (
    Operation("GET", "/shifts", "Shifts, the newest first", list_shifts, SHIFT, listed=True, query=PAGING),
    Operation(
        "POST", "/shifts", "Begin a shift: a drawer with this float in it", open_shift, SHIFT, takes=NEW_SHIFT, status=201,
        key="needed",
    ),
    Operation("GET", "/shifts/{id}", "One shift, as it stands or as it ended", show_shift, SHIFT),
    Operation(
        "POST", "/shifts/{id}/movements", "Cash into the drawer or out of it, for nobody's wallet", move, SHIFT,
        takes=MOVEMENT, status=201, key="needed",
    ),
    Operation(
        "POST", "/shifts/{id}/close", "End it with what was counted", close_shift, SHIFT, takes=COUNT, key="needed"
    ),
)  # fmt: skip
