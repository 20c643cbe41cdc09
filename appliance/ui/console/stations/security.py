"""How a charger proves who it is: the page, a password of ours or theirs, one that it is sent, or none."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.stations import stations as rows
from appliance.db.stations.stations import Station
from appliance.domain.by import By
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.identifiers import StationId
from appliance.services.ports.stations import CommandFailed
from appliance.services.stations import credentials
from appliance.services.stations.credentials import Asked
from appliance.ui.console.stations.common import refused_words, station_of, station_path
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame.context import CONSOLE, Addresses, Page, asked_by, principal
from appliance.ui.frame.errors import command_failure
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render

PASSWORD_BYTES = 16


@dataclass(frozen=True, slots=True)
class SecurityPage:
    """How it proves who it is. `password` is shown this once, after it was made."""

    station: Station
    password: str
    form: Form
    addresses: Addresses


async def show_security(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/security`."""
    return await _security_page(request)


async def _security_page(
    request: web.Request, form: Form | None = None, *, password: str = "", status: int = 200
) -> web.Response:
    console, station = request.app[CONSOLE], await station_of(request)
    form = form or edits.filled(await console.store.read(_security, station.id))
    page = SecurityPage(station, password, form, console.addresses)
    return render(request, "stations/security.html", page, status=status)


def _security(db: Readable, station: StationId) -> dict[str, str]:
    """How it proves who it is, to be compared: of its password only whether it is the same."""
    known = rows.find_known(db, station)
    if known is None:
        raise NotFound("There is no such charger.")
    password = hashlib.sha256(known.password_hash).hexdigest()[:12] if known.password_hash is not None else ""
    return {"profile": str(known.security_profile), "known_by": password}


def _secure(db: Database, station: StationId, form: Form, asked: Asked, by: By) -> None:
    """A unit: as the form says, if it showed how things stand."""
    edits.need_unchanged(form, _security(db, station))
    credentials.change(db, station, asked, by)


async def secure(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/security`: with a password of ours or theirs, or the one it has, or without."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    by = asked_by(request)
    password, profile = form.text("password"), 2 if form.on("tls") else 1
    try:
        if form.value("how") == "send":
            edits.need_unchanged(form, await console.store.read(_security, station.id))
            return await _send_password(request, station)
        if form.value("how") == "open":
            await console.store.write(_secure, station.id, form, Asked(0, drops_password=True), by)
            return done(request, station_path(station.identity), _("It may connect without a password."))
        if form.value("how") == "keep":
            await console.store.write(_secure, station.id, form, Asked(profile), by)
            return done(request, station_path(station.identity), _("Stored. Its password is the same."))
        # Chargers type it from a small screen, or are sent it in hexadecimal digits.
        password = password or secrets.token_hex(PASSWORD_BYTES)
        credentials.check_password(password)
        hashed = console.hash_station_password(password.encode())
        await console.store.write(_secure, station.id, form, Asked(profile, hashed), by)
    except Changed as changed:
        return await _security_page(request, edits.again(changed), status=changed.status)
    except Refusal as refusal:
        return await _security_page(request, form.refused(refusal), status=refusal.status)
    return await _security_page(request, password=password)


async def _send_password(request: web.Request, station: Station) -> web.Response:
    """A password of ours, set by the charger itself."""
    console, back = request.app[CONSOLE], f"{station_path(station.identity)}/security"
    try:
        answer = await console.control.give_password(
            station.id, console.hash_station_password, principal(request).actor
        )
    except CommandFailed as failure:
        return done(request, back, command_failure(failure), "failed")
    if not answer.accepted:
        return done(request, back, refused_words(answer), "failed")
    text = _("The charger has its new password. It holds from the first time that the charger uses it.")
    return done(request, station_path(station.identity), text)


PAGE = Page(
    routes=[
        web.get("/stations/{identity}/security", show_security),
        web.post("/stations/{identity}/security", secure),
    ]
)
