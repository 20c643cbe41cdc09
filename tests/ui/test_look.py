"""The colours of app.css can be read, by day and by night; and its files are small and our own."""

from __future__ import annotations

import gzip
import re

import pytest

from appliance.ui.frame.files import STATIC

CONTRAST_LEAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""
BYTES_MAX = 30_000
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


def test_the_files_of_a_page_are_small() -> None:
    files = [path for path in STATIC.iterdir() if path.suffix in (".css", ".js", ".svg")]

    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < BYTES_MAX


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|url\(|@import", text), path
