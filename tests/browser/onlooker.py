"""Eyes on a browser: what no page may do, whatever the test is about. Fixtures in `conftest` ask it at the end of each test.

A complaint is an error in the console (a broken content security policy is one), an uncaught exception, an answer that says the
server failed, or a request that goes anywhere but to the site.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError

REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d)")
"""Chromium writes a refused page into the console; whether it may be refused the test says."""


@dataclass
class Onlooker:
    """Watches all pages of its contexts. Without slots: Playwright leaves a mark on the object whose methods it calls."""

    hosts: set[str]
    """Host and port of the site; anything else is outside."""
    complaints: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """Status of each answer from 400 to 499."""

    def watch(self, context: BrowserContext) -> None:
        """From now on."""
        context.on("console", self._said)
        context.on("weberror", self._failed)
        context.on("request", self._asked)
        context.on("response", self._answered)

    def expect_refusals(self, *statuses: int) -> None:
        """The test has met exactly these; it may meet others later."""
        assert self.refused == list(statuses)
        self.refused.clear()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not REFUSED.match(message.text):
            self.complaints.append(f"{_where(message.page)}: {message.text}")

    def _failed(self, error: WebError) -> None:
        self.complaints.append(f"{_where(error.page)}: {error.error}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob", "about"} and address.netloc not in self.hosts:
            self.complaints.append(f"a request left the site: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")
        elif response.status >= 400:
            self.refused.append(response.status)


def _where(page: Page | None) -> str:
    return page.url if page is not None else "no page"
