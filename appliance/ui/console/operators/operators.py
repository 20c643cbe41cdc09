"""Operators and the API's tokens: who is there, what they may do, adding, changing and shutting out. For owners."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.operators import ApiToken, Operator
from appliance.domain.by import By
from appliance.domain.errors import NotFound, Refusal
from appliance.services.operators import operators
from appliance.services.operators import tokens as token_units
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.frame import auth
from appliance.ui.frame.context import CONSOLE, Page, asked_by, principal
from appliance.ui.frame.language import LANGUAGES, N_, _
from appliance.ui.frame.render import done, render
from appliance.ui.wording.words import ROLES


@dataclass(frozen=True, slots=True)
class OperatorsPage:
    """All of them, and the forms for another one. `secret` is a token that is shown this once."""

    operators: list[Operator]
    tokens: list[ApiToken]
    roles: list[tuple[str, str]]
    form: Form
    secret: str
    myself: int


@dataclass(frozen=True, slots=True)
class OperatorPage:
    """One of them."""

    operator: Operator
    roles: list[tuple[str, str]]
    form: Form
    myself: bool


async def show_list(request: web.Request) -> web.Response:
    """`GET /operators`."""
    return await _list_page(request, Form())


async def add(request: web.Request) -> web.Response:
    """`POST /operators`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        login, name, role = form.value("login"), form.value("name"), form.value("role")
        await console.store.read(operators.check_new, login=login, name=name, role=role)
        password_hash = await _checked_hash(request, form, form.text("login"), form.text("name"))
        await console.store.write(
            operators.add,
            login=login,
            name=name,
            role=role,
            password_hash=password_hash,
            language=_language(form),
            by=asked_by(request),
        )
    except Refusal as refusal:
        return await _list_page(request, form.refused(refusal), status=refusal.status)
    return done(request, "/operators", _("{name} may log in now.").format(name=form.text("name")))


async def show(request: web.Request) -> web.Response:
    """`GET /operators/3`."""
    return await _operator_page(request, None)


async def change(request: web.Request) -> web.Response:
    """`POST /operators/3`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        await console.store.write(_store_change, _number(request), form, asked_by(request))
    except Changed as changed:
        words = {"role": dict(_roles()), "language": LANGUAGES}
        return await _operator_page(request, edits.again(changed, words), status=changed.status)
    except Refusal as refusal:
        return await _operator_page(request, form.refused(refusal), status=refusal.status)
    return done(request, "/operators", _("Stored."))


async def set_password(request: web.Request) -> web.Response:
    """`POST /operators/3/password`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        operator = await _operator(request)
        password_hash = await _checked_hash(request, form, operator.login, operator.name)
        await console.store.write(
            operators.set_password, operator.id, password_hash, by=asked_by(request), stay=principal(request).log_in
        )
    except Refusal as refusal:
        return await _operator_page(request, form.refused(refusal), status=refusal.status)
    return done(request, "/operators", _("{name} has a new password.").format(name=operator.name))


async def disable(request: web.Request) -> web.Response:
    """`POST /operators/3/disable`."""
    console, operator = request.app[CONSOLE], await _operator(request)
    await console.store.write(operators.disable, operator.id, by=asked_by(request))
    return done(request, "/operators", _("{name} can no longer log in.").format(name=operator.name))


async def enable(request: web.Request) -> web.Response:
    """`POST /operators/3/enable`."""
    console, operator = request.app[CONSOLE], await _operator(request)
    await console.store.write(operators.enable, operator.id, by=asked_by(request))
    return done(request, "/operators", _("{name} may log in again.").format(name=operator.name))


async def create_token(request: web.Request) -> web.Response:
    """`POST /tokens`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        secret = await console.store.write(
            token_units.create_token, form.value("token_name"), form.value("token_role"), by=asked_by(request)
        )
    except Refusal as refusal:
        return await _list_page(request, form.refused(refusal), status=refusal.status)
    return await _list_page(request, Form(), secret=secret)


async def revoke_token(request: web.Request) -> web.Response:
    """`POST /tokens/3/revoke`."""
    console = request.app[CONSOLE]
    await console.store.write(token_units.revoke_token, number_of(request, "token"), by=asked_by(request))
    return done(request, "/operators", _("The token opens nothing any more."))


async def _list_page(request: web.Request, form: Form, *, secret: str = "", status: int = 200) -> web.Response:
    found, tokens = await request.app[CONSOLE].store.read(_read)
    page = OperatorsPage(found, tokens, _roles(), form, secret, principal(request).id)
    return render(request, "operators/list.html", page, status=status)


def _store_change(db: Database, operator: int, form: Form, by: By) -> None:
    """A unit: what was changed in the form, and nothing else."""
    wanted = edits.merged(form, _values(_need(rows.find(db, operator))))
    operators.change(
        db, operator, name=wanted.value("name"), role=wanted.value("role"), language=_language(wanted), by=by
    )


def _values(operator: Operator) -> dict[str, str]:
    """One of them, as the form has them."""
    return {"name": operator.name, "role": operator.role, "language": operator.language}


async def _operator_page(request: web.Request, form: Form | None, *, status: int = 200) -> web.Response:
    operator = await _operator(request)
    form = form or edits.filled(_values(operator))
    page = OperatorPage(operator, _roles(), form, operator.id == principal(request).id)
    return render(request, "operators/operator.html", page, status=status)


async def _operator(request: web.Request) -> Operator:
    return _need(await request.app[CONSOLE].store.read(rows.find, _number(request)))


def _need(found: Operator | None) -> Operator:
    if found is None:
        raise NotFound(N_("There is no such member of the staff."))
    return found


async def _checked_hash(request: web.Request, form: Form, login: str, name: str) -> str:
    password = form.value("password")
    await auth.check_new_password(request, password, login, name)
    return await request.app[auth.HASHING].hash(password, auth.Lane.BROWSER)


def _read(db: Readable) -> tuple[list[Operator], list[ApiToken]]:
    return rows.every(db), rows.tokens(db)


def _number(request: web.Request) -> int:
    return number_of(request, "operator")


def _roles() -> list[tuple[str, str]]:
    return [(role, f"{_(word)} – {_(sentence)}") for role, (word, sentence) in ROLES.items()]


def _language(form: Form) -> str:
    return form.value("language") if form.value("language") in LANGUAGES else ""


OPERATOR = "/operators/{operator}"

PAGE = Page(
    routes=[
        web.get("/operators", show_list),
        web.post("/operators", add),
        web.get(OPERATOR, show),
        web.post(OPERATOR, change),
        web.post(f"{OPERATOR}/password", set_password),
        web.post(f"{OPERATOR}/disable", disable),
        web.post(f"{OPERATOR}/enable", enable),
        web.post("/tokens", create_token),
        web.post("/tokens/{token}/revoke", revoke_token),
    ]
)
