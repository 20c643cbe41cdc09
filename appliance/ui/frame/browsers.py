"""Browsers that somebody has logged in with before: a signed cookie that opens nothing and only tells them from strangers.

When passwords are tried out from everywhere, or from the one address that all have behind a router, such a browser is heard
all the same, and waits for nobody's guesses but its own.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from aiohttp import web

from appliance.ui.frame.context import CONSOLE

KEPT_S = 400 * 86_400
"""Browsers keep no cookie for longer."""
PURPOSE = b"browser that has logged in\n"
COOKIE_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """What the cookie says."""

    operator: int
    """Who logged in there last."""
    browser: str
    """Random; the same for as long as the browser keeps it."""

    @property
    def place(self) -> str:
        """What guesses from there are counted under, instead of the address."""
        return f"browser {self.browser}"


def mark_of(request: web.Request) -> Mark | None:
    """The mark of this browser, if it has one of ours."""
    operator, _dot, rest = request.cookies.get(_cookie(request), "")[:COOKIE_CHARS_MAX].partition(".")
    browser, _dot, seal = rest.partition(".")
    if not (operator.isascii() and operator.isdecimal() and browser):
        return None
    mark = Mark(int(operator), browser)
    return mark if hmac.compare_digest(seal.encode(), _seal(request, mark).encode()) else None


def mark(request: web.Request, response: web.StreamResponse, operator: int) -> None:
    """Somebody has logged in here."""
    before = mark_of(request)
    made = Mark(operator, before.browser if before is not None else secrets.token_urlsafe(16))
    response.set_cookie(
        _cookie(request), f"{operator}.{made.browser}.{_seal(request, made)}",
        path="/", max_age=KEPT_S, httponly=True, secure=request.secure, samesite="Strict",
    )  # fmt: skip


def _seal(request: web.Request, mark: Mark) -> str:
    key = request.app[CONSOLE].desk_key.site_key
    return hmac.digest(key, PURPOSE + f"{mark.operator}.{mark.browser}".encode(errors="replace"), "sha256").hex()


def _cookie(request: web.Request) -> str:
    return "__Host-known" if request.secure else "known"
