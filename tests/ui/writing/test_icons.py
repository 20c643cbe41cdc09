"""Every icon that a page or a table of words names is in the installed collection: a wrong name fails only when it is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import appliance.ui
from appliance.ui.wording import sessions, words
from appliance.ui.writing.icons import ARCHIVE, icon

UI = Path(appliance.ui.__file__).parent
IN_TEMPLATES = re.compile(r"""\b(?:icon|empty)\(["']([a-z0-9-]+)["']""")
COLLECTION = {name.removesuffix(".svg") for name in ARCHIVE.namelist()}


def named_in_templates() -> set[str]:
    """By `icon("zap")` and `empty("zap", …)`."""
    return {name for path in UI.rglob("*.html") for name in IN_TEMPLATES.findall(path.read_text())}


def named_in_tables() -> set[str]:
    """By the states of connectors and sessions."""
    statuses = [value for value in vars(words).values() if isinstance(value, words.Status)]
    statuses += words.STATUSES.values()
    return {one.icon for one in statuses} | {words.status_of("Humming").icon} | {
        sessions.state_of(state).icon for state in (*sessions.STATES, "unheard of")
    }  # fmt: skip


def test_every_icon_of_the_templates_is_in_the_collection() -> None:
    assert len(named_in_templates()) > 40
    assert named_in_templates() - COLLECTION == set()


def test_every_icon_of_the_tables_is_in_the_collection() -> None:
    assert named_in_tables() - COLLECTION == set()


def test_icon_that_is_not_there_is_said_so() -> None:
    with pytest.raises(KeyError, match="no-such-icon"):
        icon("no-such-icon")
