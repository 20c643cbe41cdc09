"""Talking to a charger directly: the settings inside it, messages it is asked for, and any call as it is."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from aiohttp import web

from appliance.db.stations.stations import Station
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.order import natural
from appliance.services.foreign_json import read_json
from appliance.services.ports.stations import CommandFailed, Variable, VariableName
from appliance.services.stations.private_messages import masked_payload, masked_variable
from appliance.ui.console.stations.common import refused_words, station_of, station_path
from appliance.ui.console.stations.stations import triggers_of
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame.context import CONSOLE, Page, principal
from appliance.ui.frame.errors import command_failure
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, render
from appliance.ui.frame.roles import SEES_CARDS


@dataclass(frozen=True, slots=True)
class VariablesPage:
    """What the charger says about itself; `failure` if it did not."""

    station: Station
    variables: list[tuple[Variable, Form]]
    """Each with the form that changes it."""
    failure: str
    form: Form


@dataclass(frozen=True, slots=True)
class CallPage:
    """A call and what came back."""

    station: Station
    answer: str
    failure: str
    form: Form


async def show_variables(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/variables`: asks the charger."""
    return await _variables_page(request, Form())


async def _variables_page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    """What it says now; `form` is the one setting that comes back."""
    console, station = request.app[CONSOLE], await station_of(request)
    failure, variables = "", list[Variable]()
    try:
        variables = as_seen(request, await console.control.get_variables(station.id, [], principal(request).actor))
    except CommandFailed as error:
        failure = command_failure(error)
    known = sorted(variables, key=lambda one: (one.readonly, natural(str(one.name))))
    rows = [(one, form if _is_about(form, one) else edits.filled(_values(one))) for one in known]
    return render(request, "stations/variables.html", VariablesPage(station, rows, failure, form), status=status)


def as_seen(request: web.Request, variables: list[Variable]) -> list[Variable]:
    """As far as the role may see cards: some chargers keep lists of them among their settings."""
    return variables if principal(request).role in SEES_CARDS else list(map(masked_variable, variables))


def _is_about(form: Form, variable: Variable) -> bool:
    return (form.text("name"), form.text("component")) == variable.name


def _values(variable: Variable | None) -> dict[str, str]:
    """What a setting is, as its form has it; of one that is not told nothing."""
    return {"value": (variable.value or "") if variable is not None else ""}


async def set_variable(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/variables` with `name`, `component` and `value`."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    name = VariableName(form.text("name"), form.text("component"))
    back, actor = f"{station_path(station.identity)}/variables", principal(request).actor
    try:
        if form.value(edits.SHOWN):
            found = as_seen(request, await console.control.get_variables(station.id, [name], actor))
            form = edits.merged(form, _values(next((one for one in found if one.name == name), None)))
        answer = await console.control.set_variable(station.id, name, form.value("value").strip(), actor)
    except Changed as changed:
        return await _variables_page(request, edits.again(changed), changed.status)
    except CommandFailed as error:
        return done(request, back, f"{name}: {command_failure(error)}", "failed")
    if answer.status == "RebootRequired":
        return done(request, back, _("{name} is stored; it holds after a restart.").format(name=name))
    if not answer.accepted:
        return done(request, back, f"{name}: {refused_words(answer)}", "failed")
    return done(request, back, _("{name} is changed.").format(name=name))


async def trigger(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/trigger` with `message`."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    message, back = form.text("message"), station_path(station.identity)
    if message not in triggers_of(console, station):
        raise Invalid("message", N_("There is no message {name} to ask for."), name=message)
    try:
        answer = await console.control.trigger(station.id, message, principal(request).actor)
    except CommandFailed as error:
        return done(request, back, command_failure(error), "failed")
    if not answer.accepted:
        return done(request, back, refused_words(answer), "failed")
    return done(request, back, _("The charger will send {message}; see its message log.").format(message=message))


async def stop_transaction(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/stop-transaction` with `transaction_id`: one that nobody here knows, too."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    name, back = form.text("transaction_id"), station_path(station.identity)
    try:
        _session, answer = await console.control.stop_transaction(station.id, name, principal(request).actor)
    except CommandFailed as error:
        return done(request, back, command_failure(error), "failed")
    if not answer.accepted:
        return done(request, back, refused_words(answer), "failed")
    return done(request, back, _("The charger is stopping transaction {name}.").format(name=name))


async def show_call(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/call`."""
    return render(request, "stations/call.html", CallPage(await station_of(request), "", "", Form()))


async def call(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/call` with `action` and `payload`, sent as they are."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    answer, failure = "", ""
    try:
        payload = _payload(form.text("payload") or "{}")
        said = await console.control.raw_call(station.id, form.text("action"), payload, principal(request).actor)
        shown = said if principal(request).role in SEES_CARDS else masked_payload(said)
        answer = orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()
    except CommandFailed as error:
        failure = command_failure(error)
    except Refusal as refusal:
        form = form.refused(refusal)
    return render(request, "stations/call.html", CallPage(station, answer, failure, form))


def _payload(text: str) -> object:
    try:
        found = read_json(text)
    except ValueError as error:
        raise Invalid("payload", N_("This is no JSON: {error}"), error=str(error)) from None
    if not isinstance(found, dict):
        raise Invalid("payload", N_("A payload is a JSON object, in curly brackets."))
    return found


PAGE = Page(
    routes=[
        web.get("/stations/{identity}/variables", show_variables),
        web.post("/stations/{identity}/variables", set_variable),
        web.post("/stations/{identity}/trigger", trigger),
        web.post("/stations/{identity}/stop-transaction", stop_transaction),
        web.get("/stations/{identity}/call", show_call),
        web.post("/stations/{identity}/call", call),
    ]
)
