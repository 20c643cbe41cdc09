"""Which desk a page is about, and which one this browser works at: it is remembered in a cookie, set by opening the desk's page."""

from __future__ import annotations

from aiohttp import web

from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.domain.errors import NotFound
from appliance.services.ports.readers import DeskView
from appliance.ui.frame.context import CONSOLE, Console
from appliance.ui.frame.language import N_, _

WITHOUT_READER = "desk"
"""The desk of a site that has no reader: cards are known by their numbers there."""
YEAR_S = 365 * 86_400


def all_desks(console: Console) -> list[DeskView]:
    """All desks; there is always one."""
    found = console.desks.all()
    return found or [DeskView(WITHOUT_READER, _("Card desk"), False, ReaderState(ReaderStatus.NONE), None)]


def need_desk(console: Console, desk: str) -> DeskView:
    """One desk.

    Raises:
        NotFound: There is none of this name.
    """
    found = find_desk(console, desk)
    if found is None:
        raise NotFound(
            N_("There is no such desk."), N_("Its reader may have been taken away. Open the card desk anew.")
        )
    return found


def find_desk(console: Console, desk: str) -> DeskView | None:
    """One desk, or None."""
    return next((one for one in all_desks(console) if one.id == desk), None)


def usual_desk(request: web.Request) -> DeskView:
    """The desk this browser works at; else the first with a reader that works, else the first."""
    console = request.app[CONSOLE]
    remembered = find_desk(console, remembered_desk(request))
    if remembered is not None:
        return remembered
    desks = all_desks(console)
    return next((one for one in desks if one.reader.status is ReaderStatus.READY), desks[0])


def remembered_desk(request: web.Request) -> str:
    """The name of the desk in the cookie; "" if there is none."""
    return request.cookies.get(_cookie(request), "")[:64]


def remember_desk(request: web.Request, response: web.Response, desk: str) -> web.Response:
    """From now on this browser works at `desk`."""
    if remembered_desk(request) != desk:
        response.set_cookie(
            _cookie(request), desk, path="/", max_age=YEAR_S, httponly=True, secure=request.secure, samesite="Strict"
        )
    return response


def _cookie(request: web.Request) -> str:
    return "__Host-desk" if request.secure else "desk"
