"""What was typed into a form that was sent after its log-in had ended: kept for a while, and shown again in that form after the next one.

Pages with scripts ask before they send a form (static/keep.js); this is for those without. Nothing is done again: whoever typed it
presses the button once more. It is kept in memory, for a browser that has logged in here before, and for the one who had logged in
there; only what our own pages send is kept, and nothing that is secret.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from markupsafe import Markup

from appliance.domain.errors import Refusal
from appliance.ui.forms.bodies import read_body
from appliance.ui.forms.filling import fill
from appliance.ui.forms.forms import FIELDS_MAX
from appliance.ui.frame.browsers import mark_of
from appliance.ui.frame.context import CONSOLE, PrincipalKind, somebody
from appliance.ui.frame.csrf import from_here
from appliance.ui.frame.language import _
from appliance.ui.writing.icons import icon

KEPT_MS = 15 * 60_000
BROWSERS_MAX = 200
"""Each keeps one form, of no more bytes than a stranger may send (ui/forms/bodies.py)."""
SECRETS = frozenset({"password", "current", "pin", "key_hex"})
"""Fields of which nothing is kept."""
FORM = "application/x-www-form-urlencoded"
SLASHES_MAX = 8
"""More than any path of ours has. For each of them all routes are searched, and how many there are is said by whoever sends the form."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was sent too late."""

    operator: int
    """Who had logged in with that browser."""
    page: str
    """The path of the page on which it stood."""
    action: str
    fields: Sequence[tuple[str, str]]
    until_ms: int


@dataclass(slots=True)
class Kept:
    """The last such form of each browser, for a while."""

    forms: OrderedDict[str, Typed] = field(default_factory=OrderedDict)

    def keep(self, browser: str, typed: Typed) -> None:
        """In the place of what was kept for it before."""
        self.forms.pop(browser, None)
        self.forms[browser] = typed
        while len(self.forms) > BROWSERS_MAX:
            self.forms.popitem(last=False)

    def of(self, browser: str, operator: int, now_ms: int) -> Typed | None:
        """What is still kept for this operator at this browser."""
        found = self.forms.get(browser)
        if found is not None and found.until_ms <= now_ms:
            del self.forms[browser]
            return None
        return found if found is not None and found.operator == operator else None

    def forget(self, browser: str) -> None:
        """It was shown."""
        self.forms.pop(browser, None)


KEPT = web.AppKey("forms sent too late", Kept)


async def keep(request: web.Request, page: str) -> bool:
    """Keep the form of a request whose log-in has ended, and that stood on the page `page`; whether there is anything to keep."""
    mark = mark_of(request)
    if mark is None or not from_here(request) or request.content_type != FORM:
        return False
    try:
        body = await read_body(request)
        sent = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except (Refusal, ValueError):
        return False
    fields = [(name, value.replace("\0", "")) for name, value in sent if name not in SECRETS]
    if not any(value.strip() for _name, value in fields):
        return False
    until_ms = request.app[CONSOLE].clock() + KEPT_MS
    request.app[KEPT].keep(mark.browser, Typed(mark.operator, urlsplit(page).path, request.path, fields, until_ms))
    return True


def typed_for(request: web.Request) -> dict[str, str] | None:
    """What waits to be shown again in the form of this page that is sent to the page itself, for a page whose fields depend on it."""
    who, mark = somebody(request), mark_of(request)
    if who is None or who.kind != PrincipalKind.OPERATOR or mark is None:
        return None
    found = request.app[KEPT].of(mark.browser, who.id, request.app[CONSOLE].clock())
    return dict(found.fields) if found is not None and found.page == found.action == request.path else None


@web.middleware
async def give_back(request: web.Request, handler: Handler) -> web.StreamResponse:
    """On the page where a form was sent too late: the form as it was filled in."""
    response = await handler(request)
    who, mark = somebody(request), mark_of(request)
    if request.method != "GET" or who is None or who.kind != PrincipalKind.OPERATOR or mark is None:
        return response
    kept = request.app[KEPT].of(mark.browser, who.id, request.app[CONSOLE].clock())
    if kept is None or kept.page != request.path or not isinstance(response, web.Response):
        return response
    if response.status == 200 and response.content_type == "text/html" and response.text is not None:
        note = Markup(
            '<div class="note is-waiting" data-kept-note="back" role="status">{}<span>{}</span></div>'
        ).format(icon("history"), _("This is what you had typed. It is not stored yet."))
        filled = fill(response.text, kept.page, kept.action, kept.fields, str(note))
        if filled is not None:
            response.text = filled
            request.app[KEPT].forget(mark.browser)
    return response


async def page_behind(request: web.Request) -> str:
    """The page on which a form stood: where it was sent from, or, where that is no page by itself, the nearest one above it."""
    try:
        sent_from = urlsplit(request.headers.get("Referer", "/"))
    except ValueError:
        return "/"
    path, query = sent_from.path, sent_from.query
    if path.count("/") > SLASHES_MAX:
        return "/"
    while path.strip("/"):
        found = await request.app.router.resolve(request.clone(method="GET", rel_url=path))
        if found.http_exception is None:
            return f"{path}?{query}" if query else path
        path, query = path.rpartition("/")[0], ""
    return "/"
