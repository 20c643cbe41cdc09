"""The one place where an error becomes an answer: a page with message and advice, or problem+json for the API.

A refusal is told as it is. What nobody foresaw is logged with its traceback under a reference, and the reference is all
that the reader is shown.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.domain.errors import Invalid, Refusal
from appliance.services.ports.stations import CommandFailed, FailureKind
from appliance.ui.forms.forms import for_people
from appliance.ui.frame.language import _
from appliance.ui.frame.render import render
from appliance.ui.writing.formats import sentences

log = logging.getLogger(__name__)

API_PREFIX = "/api/"


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong, and what to do."""

    title: str
    message: str
    advice: str
    reference: str


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised further in into an answer."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        title, advice = http_words(error.status)
        return answer(request, error.status, title, "", advice, headers=_kept(error))
    except Refusal as refusal:
        message, advice = sentences(refusal if request.path.startswith(API_PREFIX) else for_people(refusal))
        field = refusal.field if isinstance(refusal, Invalid) else ""
        return answer(request, refusal.status, _("This cannot be done"), message, advice, field=field)
    except CommandFailed as failure:
        return answer(request, 502, _("The charger did not do it"), command_failure(failure), "")
    except ConnectionResetError:
        # Who asked has gone, as browsers do that leave a live page: nothing failed, and nobody reads this answer.
        return web.Response()
    except Exception:
        reference = secrets.token_hex(4)
        # As it is registered: a path may have the code of a voucher in it.
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else ""
        log.exception("a request failed", extra={"reference": reference, "path": path})
        return answer(
            request,
            500,
            _("Something went wrong here"),
            _("What you asked for was not done."),
            _("Try again. If it stays so, tell whoever looks after this server the reference."),
            reference=reference,
        )


def answer(
    request: web.Request,
    status: int,
    title: str,
    message: str,
    advice: str,
    *,
    field: str = "",
    reference: str = "",
    headers: dict[str, str] | None = None,
) -> web.StreamResponse:
    """An error in the form that suits who asked."""
    if request.path.startswith(API_PREFIX):
        detail = message or advice or title
        return as_problem(
            status, title, detail, field=field, reference=reference, advice=advice if message else "", headers=headers
        )
    page = ErrorPage(title, message, advice, reference)
    return render(request, "error.html", page, status=status, headers=headers)


def as_problem(
    status: int,
    title: str,
    detail: str = "",
    *,
    kind: str = "about:blank",
    field: str = "",
    reference: str = "",
    advice: str = "",
    headers: dict[str, str] | None = None,
) -> web.Response:
    """An error as RFC 9457 wants it."""
    body: dict[str, object] = {"type": kind, "title": title, "status": status}
    more = {"detail": detail, "advice": advice, "field": field, "reference": reference}
    body |= {name: value for name, value in more.items() if value}
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/problem+json", headers=headers
    )


def command_failure(failure: CommandFailed) -> str:
    """A sentence about a command that was not answered."""
    match failure.kind:
        case FailureKind.OFFLINE:
            return _("The charger is offline, so it was not asked.")
        case FailureKind.TIMEOUT | FailureKind.LOST:
            return _("The charger did not answer. Nobody knows whether it obeyed: look at it before you try again.")
        case FailureKind.UNREADABLE:
            return _(
                "The charger's answer cannot be read ({error}). Nobody knows whether it obeyed: look at it before you try again."
            ).format(error=failure.description)
        case FailureKind.BUSY:
            return _("The charger is still busy with earlier commands. Try again in a moment.")
        case FailureKind.UNSUPPORTED:
            return _("This charger does not know this command.")
        case FailureKind.REFUSED:
            return _("The charger answered with an error: {error}").format(
                error=f"{failure.code} {failure.description}".strip()
            )
        case FailureKind.NOT_SENT:
            return _("The command could not be sent: {error}").format(error=failure.description)


def http_words(status: int) -> tuple[str, str]:
    """Title and advice for what the frame itself refuses."""
    match status:
        case 404:
            return _("There is no such page"), _("Perhaps it was renamed. Start from the board.")
        case 403:
            return _("Your role may not do this"), _("Ask an owner of the site if you need it.")
        case 405:
            return _("This page cannot do that"), ""
        case 413:
            return _("That is too much to send at once"), ""
        case 503:
            return _("Too many people at once"), _("Try again in a few seconds.")
        case _:
            return _("This did not work"), ""


def _kept(error: web.HTTPException) -> dict[str, str]:
    """The headers of an error that mean something beside its text."""
    return {name: error.headers[name] for name in ("Allow", "Retry-After", "WWW-Authenticate") if name in error.headers}
