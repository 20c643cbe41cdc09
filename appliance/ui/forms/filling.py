"""A page of ours with one of its forms filled in again: what was typed into it comes from elsewhere than its view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

NEVER_FILLED = frozenset({"password", "file", "submit", "button", "reset", "image"})
SHOWN_THEN = frozenset({"shown"})
"""Hidden fields that go with what was typed (ui/forms/edits.py); all others are the page's own."""

Typed = Sequence[tuple[str, str]]
"""Fields of a form by name, some of them several times."""


def fill(html: str, page: str, action: str, typed: Typed, note: str) -> str | None:
    """The page at the path `page` with `typed` in its form that is sent to `action`, and `note` (HTML) at its head.

    None where no such form with a field is on it. Fields of the form that are not in `typed` are as an empty form has them: boxes
    that were not ticked are not sent.
    """
    reader = Reader(html, page, action, typed)
    reader.feed(html)
    reader.close()
    if not reader.filled:
        return None
    reader.edits.append((reader.head, reader.head, note))
    for begin, end, text in sorted(reader.edits, reverse=True):
        html = html[:begin] + text + html[end:]
    return html


@dataclass(slots=True)
class Around:
    """A part that can be opened: where its start tag ends, and whether it is open."""

    end: int
    is_open: bool


@dataclass(slots=True)
class Area:
    """A text that is being read: where it begins, and what becomes of it."""

    begin: int
    value: str


class Reader(HTMLParser):
    """Notes what is to be changed where, in the first form of that action that has a field."""

    def __init__(self, html: str, page: str, action: str, typed: Typed) -> None:
        super().__init__(convert_charrefs=True)
        self.page, self.action, self.typed = page, action, list(typed)
        self.names = {name for name, _value in typed}
        self.lines = [0]
        for line in html.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.edits: list[tuple[int, int, str]] = []
        self.head = 0
        self.filled = False
        self._inside = False
        self._done = False
        self._select = ""
        self._area: Area | None = None
        self._around: list[Around] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One piece of the page."""
        given = {name: value or "" for name, value in attrs}
        begin, end = self._place()
        if tag == "details":
            self._around.append(Around(end, "open" in given))
        elif tag == "form":
            target = urlsplit(urljoin(self.page, given.get("action", ""))).path
            self._inside = not self._done and given.get("method", "").lower() == "post" and target == self.action
            self.head = end if self._inside else self.head
        elif self._inside and tag == "select" and given.get("name", "") in self.names:
            self._select = given["name"]
        elif self._inside and tag == "option" and self._select:
            self._mark(begin, end, given, "selected", (self._select, given.get("value", "")) in self.typed)
        elif self._inside and tag == "textarea" and given.get("name", "") in self.names:
            self._area = Area(end, self._value(given["name"]))
        elif self._inside and tag == "input":
            self._input(begin, end, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<input />` is `<input>`."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """The end of a piece."""
        begin, _end = self._place()
        if tag == "details" and self._around:
            self._around.pop()
        elif tag == "form" and self._inside:
            self._inside = False
            self._done = self.filled
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area is not None:
            # A line break right behind the start tag is none of the text.
            self._change(self._area.begin, begin, "\n" + escape(self._area.value))
            self._area = None

    def _input(self, begin: int, end: int, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text").lower()
        if kind in ("checkbox", "radio"):
            self._mark(begin, end, given, "checked", (name, given.get("value", "on")) in self.typed)
        elif name in self.names and kind not in NEVER_FILLED and (kind != "hidden" or name in SHOWN_THEN):
            wanted = {**given, "value": self._value(name)}
            if kind == "hidden":
                self.edits.append((begin, end, _tag("input", wanted)))
            else:
                self._change(begin, end, _tag("input", wanted))

    def _mark(self, begin: int, end: int, given: dict[str, str], mark: str, on: bool) -> None:
        wanted = {name: value for name, value in given.items() if name != mark} | ({mark: ""} if on else {})
        self._change(begin, end, _tag("option" if mark == "selected" else "input", wanted))

    def _change(self, begin: int, end: int, text: str) -> None:
        self.edits.append((begin, end, text))
        self.filled = True
        for one in self._around:
            if not one.is_open:
                self.edits.append((one.end - 1, one.end - 1, " open"))
                one.is_open = True

    def _value(self, name: str) -> str:
        return next(value for one, value in reversed(self.typed) if one == name)

    def _place(self) -> tuple[int, int]:
        line, column = self.getpos()
        begin = self.lines[line - 1] + column
        return begin, begin + len(self.get_starttag_text() or "")


def _tag(name: str, attributes: dict[str, str]) -> str:
    written = " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name} {written}>"
