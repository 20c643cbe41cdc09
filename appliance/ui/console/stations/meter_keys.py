"""The public keys of a charger's meters, one for each connector: by them signed readings are checked."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions import signed_values
from appliance.db.stations.stations import Station
from appliance.domain.by import By
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import StationId
from appliance.services.signed_meter import evidence
from appliance.ui.console.stations.common import station_of, station_path
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render


@dataclass(frozen=True, slots=True)
class KeysPage:
    """A field for each connector."""

    station: Station
    form: Form
    evses: list[int]


async def show(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/meter-keys`."""
    return await _page(request)


async def change(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/meter-keys`."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    try:
        await console.store.write(_store, station, form, asked_by(request))
    except Changed as changed:
        return await _page(request, edits.again(changed), changed.status)
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), refusal.status)
    return done(request, station_path(station.identity), _("Saved."))


def _evses(station: Station) -> list[int]:
    return sorted({one.evse for one in station.connectors}) or [1]


def _values(db: Readable, station: Station) -> dict[str, str]:
    keys = signed_values.keys_of(db, station.id)
    return {f"key_{evse}": keys.get(evse, "") for evse in _evses(station)}


def _store(db: Database, station: Station, form: Form, by: By) -> None:
    """A unit: what was changed in the form, and nothing else."""
    wanted = edits.merged(form, _values(db, station))
    for evse in _evses(station):
        try:
            evidence.set_key(db, StationId(station.id), evse, wanted.text(f"key_{evse}"), by)
        except Invalid as wrong:
            raise Invalid(f"key_{evse}", wrong.message, wrong.advice) from None


async def _page(request: web.Request, form: Form | None = None, status: int = 200) -> web.Response:
    console, station = request.app[CONSOLE], await station_of(request)
    values = await console.store.read(_values, station)
    page = KeysPage(station, form or edits.filled(values), _evses(station))
    return render(request, "stations/meter_keys.html", page, status=status)


PAGE = Page(
    routes=[
        web.get("/stations/{identity}/meter-keys", show),
        web.post("/stations/{identity}/meter-keys", change),
    ]
)
