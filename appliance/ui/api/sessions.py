"""Sessions: what was charged, by whom, and what it cost or costs at this moment."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from appliance.db.engine.unit import Database
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Filter, Session
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.domain.id_token import ID_TOKEN_CHARS_MAX, is_remote, masked, normal_form
from appliance.domain.identifiers import IDENTITY_CHARS_MAX, PersonId, SessionId
from appliance.domain.session import OPEN, SessionState, bill_until, usage_until
from appliance.services.sessions import closing, review
from appliance.ui.api.checks import Parameter, span_of
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, listed, once
from appliance.ui.api.shapes import (
    CURRENCY,
    WATT_HOURS,
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
    thing,
    whole,
    words,
)
from appliance.ui.api.stations.stations import station_named
from appliance.ui.frame.roles import may

SESSION = record(
    "Session",
    id=whole(),
    state=choice(
        *SessionState,
        description="failed: it never began. review: somebody must look at it before it is billed, and what is held stays held.",
    ),
    station=words("What the station calls itself."),
    station_name=words(),
    evse=whole("0: the station will say."),
    connector=whole("The older name of `evse`."),
    person_id=or_null(whole("null: nobody we know.")),
    person=words(),
    card=or_null(
        words("UID of the card, its last four characters only for who may not list cards; null: it began without one.")
    ),
    policy=words("How it is paid: prepaid, postpaid, free; empty for nobody."),
    authorization=words("What the station was answered."),
    tariff_id=or_null(whole()),
    transaction_id=whole("The station's transaction."),
    requested_at=or_null(moment()),
    started_at=or_null(moment("When we heard of it; the station's word if it waited in its queue, or is as good.")),
    ended_at=or_null(moment("As `started_at`.")),
    duration_s=whole("So far, while it runs."),
    idle_s=whole("Chargeable idle time; so far, while it runs."),
    meter_start_wh=or_null(WATT_HOURS),
    meter_stop_wh=or_null(WATT_HOURS),
    energy_wh=WATT_HOURS,
    net_minor=money(),
    tax_minor=money(),
    fee_minor=money("Net and tax. 0 until it has ended."),
    cost_minor=money("What it would cost if it ended now, in review if it were billed; the fee once it has ended."),
    held_minor=money("Held for it while it is open or in review."),
    currency=CURRENCY,
    stop_reason=words(),
    estimated=flag("Closed without a stop from the station."),
    note=words(
        "Why it failed, or needs review: registers, too_much, too_fast, no_start, stop_below, stop_beyond, start_apart, anew, next_start, "
        "second_stop, unit, power or nobody."
    ),
    figures=several(
        thing(energy_wh=WATT_HOURS, duration_s=whole(), cost_minor=money("What it costs if it is billed for this."))
        | {
            "description": "In review: what it may be billed for, the likeliest first; until then `energy_wh` is what was billed."
        }
    ),
    pool_id=or_null(whole("The pool that pays for it; null: who charges does.")),
    limited_by=words(
        "Whose limit refused or stopped it, and which: `card:day_minor`, `person:month_minor`, `pool:day_energy_wh`; else empty."
    ),
)
BILLED = form(
    "SessionBill",
    energy_wh=whole(
        "Which of its `figures` is right; without it the first that was not billed yet.", least=0, most=10**13
    ),
)
SAMPLE = record(
    "Sample",
    at=moment(),
    energy_wh=or_null(WATT_HOURS | {"description": "The station's register."}),
    power_w=or_null(whole()),
    current_ma=or_null(whole()),
    voltage_mv=or_null(whole()),
    soc_percent=or_null(whole()),
)


async def list_sessions(call: Call) -> Answer:
    """`GET /sessions`."""
    query, site = call.query, call.console.site
    if "card" in query and not _sees_cards(call):
        raise web.HTTPForbidden  # Trying UIDs would tell whose they are.
    wanted = Filter(
        station=(await station_named(call, query["station"])).id if "station" in query else None,
        person=PersonId(query["person"]) if "person" in query else None,
        pool=PersonId(query["pool"]) if "pool" in query else None,
        id_token=normal_form(query["card"]) if "card" in query else "",
        state=query.get("state", ""),
        from_ms=span_of("from", query["from"], site)[0] if "from" in query else None,
        to_ms=span_of("to", query["to"], site)[1] if "to" in query else None,
    )
    rows = await call.console.store.read(session_list.page, wanted, before=call.after, limit=call.limit + 1)
    return listed(rows, call.limit, lambda session: as_json(call, session), lambda session: session.id)


async def show_session(call: Call) -> Answer:
    """`GET /sessions/{id}`."""
    found = await call.console.store.read(session_list.show, call.number())
    if found is None:
        raise NotFound("There is no such session.")
    return Answer(as_json(call, found))


async def samples(call: Call) -> Answer:
    """`GET /sessions/{id}/samples`."""
    number = call.number()
    if await call.console.store.read(session_list.show, number) is None:
        raise NotFound("There is no such session.")
    found = await call.console.store.read(session_list.curve, number)
    items = [
        {
            "at": at(sample.at_ms),
            "energy_wh": sample.energy_wh,
            "power_w": sample.power_w,
            "current_ma": sample.current_ma,
            "voltage_mv": sample.voltage_mv,
            "soc_percent": sample.soc_percent,
        }
        for sample in found
    ]
    return Answer({"items": items, "next": None})


async def close(call: Call) -> Answer:
    """`POST /sessions/{id}/close`: it is billed, which moves money."""
    return await _settle(call, closing.close_by_hand)


async def acknowledge_session(call: Call) -> Answer:
    """`POST /sessions/{id}/acknowledge`: what is held for it is given back, which moves money."""
    return await _settle(call, review.acknowledge)


async def bill_session(call: Call) -> Answer:
    """`POST /sessions/{id}/bill`: what one of its `figures` costs becomes its fee."""
    energy_wh = call.body.get("energy_wh")
    return await _settle(call, lambda db, session, by: review.bill(db, session, by, energy_wh))


async def _settle(call: Call, settle: Callable[[Database, SessionId, By], None]) -> Answer:
    number, by = SessionId(call.number()), call.by

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        settle(db, number, by)
        found = session_list.show(db, number)
        assert found is not None, "it was just settled"
        return 200, as_json(call, found)

    return await once(call, unit)


def as_json(call: Call, session: Session) -> Body:
    """As JSON."""
    usage = usage_until(session, call.now_ms)
    choices = review.choices(session)
    cost_minor = session.fee_minor
    if session.state == SessionState.RUNNING:
        cost_minor = bill_until(session, call.now_ms).total_minor
    elif choices and not cost_minor:
        cost_minor = choices[0].bill.total_minor
    return {
        "id": session.id,
        "state": session.state,
        "station": session.identity,
        "station_name": session.station,
        "evse": session.evse,
        "connector": session.evse,
        "person_id": session.person_id,
        "person": session.person,
        "card": _card(call, session),
        "policy": session.policy,
        "authorization": session.authorization,
        "tariff_id": session.tariff_id,
        "transaction_id": session.id,
        "requested_at": at(session.requested_at_ms),
        "started_at": at(session.started_at_ms),
        "ended_at": at(session.ended_at_ms),
        "duration_s": usage.duration_s,
        "idle_s": usage.idle_s,
        "meter_start_wh": session.meter_start_wh,
        "meter_stop_wh": session.meter_stop_wh,
        "energy_wh": usage.energy_wh,
        "net_minor": session.net_minor,
        "tax_minor": session.tax_minor,
        "fee_minor": session.fee_minor,
        "cost_minor": cost_minor,
        "held_minor": session.held_minor if session.state in OPEN | {SessionState.REVIEW} else 0,
        "currency": call.currency,
        "stop_reason": session.stop_reason,
        "estimated": session.estimated,
        "note": session.note,
        "figures": [
            {
                "energy_wh": one.figure.usage.energy_wh,
                "duration_s": one.figure.usage.duration_s,
                "cost_minor": one.bill.total_minor,
            }
            for one in choices
        ],
        "pool_id": session.pool_id,
        "limited_by": session.limited_by,
    }


def _card(call: Call, session: Session) -> str | None:
    """A start without a card got a token that is no card's. Whoever knows a whole UID can make a copy of the card."""
    made_here = session.card_id is None and is_remote(session.id_token)
    if made_here or not session.id_token:
        return None
    return session.id_token if _sees_cards(call) else masked(session.id_token)


def _sees_cards(call: Call) -> bool:
    return may(call.principal.role, "GET", "/api/v1/cards")


MOMENT_OR_DAY = "A time, or a day in the site's time zone, all of it."
OPERATIONS = (
    Operation(
        "GET",
        "/sessions",
        "Sessions, the newest first",
        list_sessions,
        SESSION,
        query=(
            Parameter("station", text(IDENTITY_CHARS_MAX, "What the station calls itself.", least=1)),
            Parameter("person", number_of("the person")),
            Parameter("pool", number_of("the pool that pays")),
            Parameter("card", text(ID_TOKEN_CHARS_MAX, "The UID of the card, in any of the usual ways.", least=1)),
            Parameter("from", text(64, f"Begun at or after this. {MOMENT_OR_DAY}")),
            Parameter("to", text(64, f"Begun before this. {MOMENT_OR_DAY}")),
            Parameter("state", choice(*SessionState)),
            *PAGING,
        ),
        listed=True,
    ),
    Operation("GET", "/sessions/{id}", "One session", show_session, SESSION),
    Operation(
        "POST", "/sessions/{id}/close", "End it without its station, billed up to the last reading", close, SESSION,
        takes=EMPTY, key="needed",
    ),
    Operation(
        "POST", "/sessions/{id}/acknowledge", "Say that somebody has looked at one in review: nothing is billed, what is held is given back",
        acknowledge_session, SESSION, takes=EMPTY, key="needed",
    ),
    Operation(
        "POST", "/sessions/{id}/bill", "Say which of the `figures` of one in review is right: it is billed for that",
        bill_session, SESSION, takes=BILLED, key="needed",
    ),
    Operation(
        "GET", "/sessions/{id}/samples", "What was measured, thinned out to what a chart can show", samples, SAMPLE,
        listed=True,
    ),
)  # fmt: skip
