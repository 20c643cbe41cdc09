"""Where somebody goes on after a form: to the page that sent them here because it needed something, else where the form says."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from aiohttp import web

from appliance.ui.forms.forms import Form

THEN = "then"
PATH_CHARS_MAX = 4000


def then_of(request: web.Request, form: Form | None = None) -> str:
    """The page that waits for this form, out of its address or of its hidden field; "" for none."""
    return inside(form.value(THEN) if form is not None else request.query.get(THEN, ""))


def with_query(path: str, **values: str) -> str:
    """A link with what of these is not empty, behind what it says already."""
    said = {name: value for name, value in values.items() if value}
    return f"{path}{'&' if '?' in path else '?'}{urlencode(said)}" if said else path


def typed_before(request: web.Request, names: Collection[str]) -> Form:
    """What was typed before a detour, out of the address."""
    values = {name: request.query[name] for name in names if name in request.query}
    return Form(values | ({THEN: then_of(request)} if THEN in names else {}))


def inside(target: str) -> str:
    """A path of ours, or ""."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and len(target) <= PATH_CHARS_MAX
    return target if plain and target.isprintable() else ""
