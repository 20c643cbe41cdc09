"""The colours of app.css can be read, by day and by night; and its files are small and our own."""

from __future__ import annotations

import gzip
import re

import pytest

from appliance.ui.frame.files import STATIC
from appliance.ui.frame.render import SOURCES

CONTRAST_LEAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""
BYTES_MAX = 27_000
"""Compressed, of one page."""
NAMED = re.compile(r'static\("([\w.-]+)"\)')
IMPORTED = re.compile(r'from "\./([\w.-]+)"')
TEXTS = ("ink", "ink-soft", "accent", "free", "waiting", "charging", "fault", "reserved", "off")
GROUNDS = ("ground", "surface", "sunken")


def tokens(theme: int) -> dict[str, str]:
    """The colours of a theme: 0 by day, 1 by night."""
    css = (STATIC / "app.css").read_text(encoding="utf-8")
    pairs = re.findall(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", css)
    return {name: (day, night)[theme] for name, day, night in pairs}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["day", "night"])
def test_every_text_can_be_read_on_every_ground(theme: int) -> None:
    colours = tokens(theme)
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS]
    pairs += [("on-accent", "accent"), ("on-fault", "fault")]

    too_faint = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < CONTRAST_LEAST
    }

    assert too_faint == {}


def loaded_by(template: str) -> set[str]:
    """The files that a page fetches: what it and its frame name, and what scripts import."""
    found: set[str] = set()
    waiting = {name for text in (SOURCES["base.html"], SOURCES[template]) for name in NAMED.findall(text)}
    while waiting:
        name = waiting.pop()
        found.add(name)
        if name.endswith(".js"):
            waiting |= set(IMPORTED.findall((STATIC / name).read_text(encoding="utf-8"))) - found
    return found


@pytest.mark.parametrize("template", sorted(SOURCES))
def test_the_files_of_a_page_are_small(template: str) -> None:
    sizes = {name: len(gzip.compress((STATIC / name).read_bytes())) for name in loaded_by(template)}

    assert {"app.css", "app.js", "keep.js"} <= sizes.keys()
    assert sum(sizes.values()) < BYTES_MAX, sizes


def test_there_is_no_file_that_no_page_fetches() -> None:
    assert {path.name for path in STATIC.iterdir()} == set().union(*map(loaded_by, SOURCES))


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|url\(|@import", text), path
