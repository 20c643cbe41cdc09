"""Commands to charging stations: start, stop and whatever else they understand. Accepted means that the station will try."""

from __future__ import annotations

from functools import partial

from appliance.db.engine.unit import Database
from appliance.db.sessions import session_list
from appliance.db.sessions.sessions import Running
from appliance.domain.by import By
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.id_token import ID_TOKEN_CHARS_MAX
from appliance.domain.identifiers import PersonId, SessionId, StationId
from appliance.domain.station import EVSE_MAX
from appliance.services import idempotency
from appliance.services.idempotency import Stored
from appliance.services.ports.stations import CommandAnswer, CommandFailed, VariableName
from appliance.services.sessions import start_requests
from appliance.services.stations.commands import TRANSACTION_CHARS_MAX
from appliance.services.stations.private_messages import masked_payload, masked_variable
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import (
    EMPTY,
    Answer,
    Body,
    Call,
    Operation,
    fingerprint,
    key_of,
    known_answer,
    stored_answer,
)
from appliance.ui.api.shapes import (
    anything,
    choice,
    flag,
    form,
    number_of,
    or_null,
    record,
    several,
    text,
    thing,
    whole,
    words,
)
from appliance.ui.api.stations.stations import station_of
from appliance.ui.frame.roles import SEES_CARDS

VALUE_CHARS_MAX = 2500
NAMES_MAX = 100
EVSE = whole("Which EVSE of the station.", least=1, most=EVSE_MAX)
AS_EVSE = EVSE | {"description": "The older name of `evse`."}
WANTED = record("Wanted", session_id=whole("Its number; see `/sessions/{id}`."), state=choice("requested"))
STOPPED = record(
    "Stopped",
    session_id=or_null(whole("null: a transaction that no session here is of.")),
    status=words("What the station said; `Cancelled` for one that had not begun."),
)
SAID = record("Said", accepted=flag("Whether the station will try."), status=words("What the station said."))
VARIABLE = record(
    "Variable",
    component=words("Empty where settings have keys only."),
    name=words(),
    value=or_null(words("null: it has none, or does not tell.")),
    readonly=flag(),
)
ANSWERED = form(
    "Answered",
    result=anything("The payload of the station's answer."),
    error=thing(code=words("The OCPP error code."), description=words()),
)
START = form(
    "Start",
    evse=EVSE | {"description": "Which EVSE; left out, the station chooses."},
    connector=AS_EVSE,
    person_id=number_of("the person who pays"),
    card=text(ID_TOKEN_CHARS_MAX, "Or the card of that person.", least=1),
)
STOP = form(
    "Stop",
    evse=EVSE,
    connector=AS_EVSE,
    session_id=number_of("the session"),
    transaction_id=text(
        TRANSACTION_CHARS_MAX,
        "What the station calls the transaction; it may be one that nobody here knows.",
        least=1,
    ),
)
RAW_CALL = form(
    "RawCall",
    ("action",),
    action=text(100, least=1),
    payload=anything("Sent as it is, whatever it is; {} if left out."),
)
UNLOCK = form(
    "Unlock",
    evse=EVSE,
    connector=whole(
        "Beside `evse` which of its connectors; left out, the one in use. Without `evse`, the EVSE.",
        least=1,
        most=EVSE_MAX,
    ),
)
RESET = form("Reset", kind=choice("soft", "hard", description="soft if left out."))
AVAILABILITY = form(
    "Availability",
    ("operative",),
    operative=flag("false: out of service."),
    evse=EVSE | {"description": "The whole station, if left out."},
    connector=AS_EVSE,
)
TRIGGER = form(
    "Trigger",
    ("message",),
    message=text(100, "Such as StatusNotification.", least=1),
    evse=EVSE,
    connector=AS_EVSE,
)
VARIABLE_CHANGE = form(
    "VariableChange",
    ("name", "value"),
    component=text(100, "None where settings have keys only."),
    name=text(100, least=1),
    value=text(VALUE_CHARS_MAX, lines=True),
)


class Repeated(Exception):
    """This start was asked for before, under the same key."""

    def __init__(self, stored: Stored) -> None:
        super().__init__()
        self.stored = stored


async def start(call: Call) -> Answer:
    """`POST /stations/{id}/start`: the money is held and the start request on disk before the station is asked."""
    person, card = call.body.get("person_id"), call.body.get("card", "")
    if (person is None) == (not card):
        raise Invalid("person_id", "Say who is to charge: either a person or a card.")
    key = key_of(call, needed=False)
    if key is not None and (known := await known_answer(call, key)) is not None:
        return known
    station = await station_of(call)
    record = start_requests.request_start if key is None else partial(_start_once, key, fingerprint(call))
    try:
        start_request = await call.console.control.start(
            station.id,
            evse_of(call) or 0,
            call.actor,
            person=PersonId(person) if person is not None else None,
            card=card,
            record=record,
        )
    except Repeated as repeated:
        return stored_answer(repeated.stored)
    return Answer(_wanted(start_request.session), 202)


async def stop(call: Call) -> Answer:
    """`POST /stations/{id}/stop`."""
    evse, number = evse_of(call), call.body.get("session_id")
    name = call.body.get("transaction_id")
    if [evse, number, name].count(None) != 2:
        raise Invalid("session_id", "Say what to stop: a connector, a session or a transaction.")
    station = await station_of(call)
    session: SessionId | None
    if name is not None:
        session, answer = await call.console.control.stop_transaction(station.id, name, call.actor)
    elif number is None:
        session, answer = await call.console.control.stop_on(station.id, evse or 0, call.actor)
    else:
        session = SessionId(number)
        found = await call.console.store.read(session_list.show, session)
        if found is None or found.station_id != station.id:
            raise NotFound("This charger has no such session.")
        answer = await call.console.control.stop(session, call.actor)
    return Answer({"session_id": session, "status": answer.status}, 202)


async def raw_call(call: Call) -> Answer:
    """`POST /stations/{id}/calls`."""
    station = await station_of(call)
    try:
        result = await call.console.control.raw_call(
            station.id, call.body["action"], call.body.get("payload", {}), call.actor
        )
    except CommandFailed as failure:
        if failure.code:
            return Answer({"error": {"code": failure.code, "description": failure.description}})
        raise
    return Answer({"result": result if call.principal.role in SEES_CARDS else masked_payload(result)})


async def unlock(call: Call) -> Answer:
    """`POST /stations/{id}/unlock`."""
    station = await station_of(call)
    evse = evse_of(call)
    if evse is None:
        raise Invalid("evse", "Say which EVSE.")
    connector = call.body.get("connector", 0) if "evse" in call.body else 0
    return _reply(await call.console.control.unlock(station.id, evse, connector, call.actor))


async def reset(call: Call) -> Answer:
    """`POST /stations/{id}/reset`."""
    station = await station_of(call)
    return _reply(await call.console.control.reset(station.id, call.actor, hard=call.body.get("kind") == "hard"))


async def set_password(call: Call) -> Answer:
    """`POST /stations/{id}/password`."""
    station = await station_of(call)
    return _reply(await call.console.control.give_password(station.id, call.console.hash_station_password, call.actor))


async def set_availability(call: Call) -> Answer:
    """`POST /stations/{id}/availability`."""
    station = await station_of(call)
    evse, operative = evse_of(call) or 0, call.body["operative"]
    return _reply(await call.console.control.set_operative(station.id, evse, operative, call.actor))


async def trigger(call: Call) -> Answer:
    """`POST /stations/{id}/trigger`."""
    station = await station_of(call)
    return _reply(await call.console.control.trigger(station.id, call.body["message"], call.actor, evse_of(call)))


async def get_variables(call: Call) -> Answer:
    """`GET /stations/{id}/variables`."""
    station = await station_of(call)
    names = call.query.get("name", [])
    if len(names) > NAMES_MAX:
        raise Invalid("name", "At most {most} names at a time.", most=NAMES_MAX)
    component = call.query.get("component", "")
    wanted = [VariableName(name, component) for name in names]
    found = await call.console.control.get_variables(station.id, wanted, call.actor)
    if call.principal.role not in SEES_CARDS:
        found = list(map(masked_variable, found))
    items = [
        {"component": one.name.component, "name": one.name.variable, "value": one.value, "readonly": one.readonly}
        for one in found
    ]
    known = {folded(one.name) for one in found}
    unknown = [name.variable for name in dict.fromkeys(wanted) if folded(name) not in known]
    return Answer({"items": items, "next": None, "unknown": unknown})


def folded(name: VariableName) -> VariableName:
    """Stations know their settings by names in any case."""
    return VariableName(name.variable.casefold(), name.component.casefold())


async def set_variable(call: Call) -> Answer:
    """`PUT /stations/{id}/variables`."""
    station = await station_of(call)
    name = VariableName(call.body["name"], call.body.get("component", ""))
    return _reply(await call.console.control.set_variable(station.id, name, call.body["value"], call.actor))


def evse_of(call: Call) -> int | None:
    """The EVSE that the body names, by its older name too."""
    found: int | None = call.body.get("evse", call.body.get("connector"))
    return found


def _reply(answer: CommandAnswer) -> Answer:
    return Answer({"accepted": answer.accepted, "status": answer.status})


def _wanted(session: SessionId) -> Body:
    return {"session_id": session, "state": "requested"}


def _start_once(
    key: str, request: bytes, db: Database, station: StationId, evse: int, by: By, *, person: PersonId | None, card: str
) -> Running:
    """The start request and the answer under its key, in one commit.

    Raises:
        Repeated: The key was there already.
    """
    made: list[Running] = []

    def unit(name: str) -> tuple[int, str]:  # noqa: ARG001 - a session needs no other name than its number.
        running = start_requests.request_start(db, station, evse, by, person=person, card=card)
        made.append(running)
        return 202, f'{{"session_id":{running.id},"state":"requested"}}'

    stored = idempotency.once(db, by, key, request, unit)
    if stored.repeated:
        raise Repeated(stored)
    return made[0]


OPERATIONS = (
    Operation(
        "POST", "/stations/{id}/start", "Hold the money, then ask the station to start", start, WANTED, takes=START,
        status=202, key="possible", commands=True,
    ),
    Operation(
        "POST", "/stations/{id}/stop", "Ask the station to stop, or take back a start", stop, STOPPED, takes=STOP,
        status=202, commands=True,
    ),
    Operation(
        "POST", "/stations/{id}/calls", "Send any OCPP call as it is", raw_call, ANSWERED, takes=RAW_CALL, commands=True
    ),
    Operation("POST", "/stations/{id}/unlock", "Let go of the cable", unlock, SAID, takes=UNLOCK, commands=True),
    Operation(
        "POST", "/stations/{id}/password", "Send the station a new password; the one before holds until it uses it",
        set_password, SAID, takes=EMPTY, commands=True,
    ),
    Operation("POST", "/stations/{id}/reset", "Restart the station", reset, SAID, takes=RESET, commands=True),
    Operation(
        "POST", "/stations/{id}/availability", "Into service, or out of it", set_availability, SAID, takes=AVAILABILITY,
        commands=True,
    ),
    Operation(
        "POST", "/stations/{id}/trigger", "Ask the station for a message", trigger, SAID, takes=TRIGGER, commands=True
    ),
    Operation(
        "GET", "/stations/{id}/variables", "Settings inside the station", get_variables, VARIABLE,
        query=(
            Parameter("name", several(text(100, least=1))),
            Parameter("component", text(100, "Of all that are named; none where settings have keys only.")),
        ),
        listed=True, commands=True, beside={"unknown": several(words("Asked for, and not known to the station."))},
    ),
    Operation(
        "PUT", "/stations/{id}/variables", "Change a setting inside the station", set_variable, SAID,
        takes=VARIABLE_CHANGE, commands=True,
    ),
)  # fmt: skip
