"""The papers say what is true, as far as a test can tell."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from appliance import __version__
from appliance.cli.parser import parser

ROOT = Path(__file__).parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
PATH = re.compile(
    r"`((?:domain|db|services|ocpp|rfid|ui|jobs|host|cli|simulator|tests|docs|systemd|scripts)/[\w./-]+)[`:]"
)
"""A file or a folder, by its path below one of `BELOW`."""
BELOW = (ROOT, ROOT / "appliance", ROOT / "tests")
TO_COME = {"db/migrations/NNNN_what.sql", "services/ports/payments.py", "services/payments/", "db/payments/"}
"""What whoever follows a recipe makes first."""
ROW = re.compile(r"^\| `(\w+/(?:\w+/)*)` \| (.+) \|$", re.MULTILINE)
NAME = re.compile(r"`([a-z_0-9]+(?:/[a-z_0-9]+)*)/?(?:\.py)?`")
"""A file or a folder in the folder that a row is about."""


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_places_that_are_there(paper: Path) -> None:
    missing = [
        f"{target}#{anchor}"
        for target, anchor in LINK.findall(paper.read_text())
        if "://" not in target and not is_there(paper.parent / target if target else paper, anchor)
    ]

    assert missing == []


def is_there(place: Path, anchor: str) -> bool:
    """Whether there is such a file or folder, and in it a heading that GitHub links so."""
    return place.exists() and (not anchor or anchor in anchors(place.read_text()))


def anchors(text: str) -> set[str]:
    """Small letters, hyphens for blanks, and no other signs."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_an_anchor_is_what_a_heading_makes() -> None:
    assert anchors("# The site's key\n\ntext\n\n## PC/SC\n") == {"the-sites-key", "pcsc"}
    assert not is_there(ROOT / "README.md", "no-such-heading")
    assert is_there(ROOT / "README.md", "try-it")


def test_every_command_is_told_about() -> None:
    told = "\n".join(path.read_text() for path in PAPERS)
    commands = next(action for action in parser({})._actions if isinstance(action, argparse._SubParsersAction))

    assert [name for name in commands.choices if f"forecourt {name}" not in told] == []


@pytest.mark.parametrize("paper", ["docs/ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_files_that_are_named_exist(paper: str) -> None:
    named = {path.rstrip(".") for path in PATH.findall((ROOT / paper).read_text())}

    assert len(named) > 20
    assert {path for path in named - TO_COME if not any((base / path).exists() for base in BELOW)} == set()


def test_the_map_of_a_folder_names_what_is_in_it() -> None:
    rows = ROW.findall((ROOT / "docs/ARCHITECTURE.md").read_text())
    named = [(ROOT / "appliance" / folder, name) for folder, text in rows for name in NAME.findall(text)]

    assert len(named) > 60
    assert [f"{folder.name}/{name}" for folder, name in named if not has(folder, name)] == []


def has(folder: Path, name: str) -> bool:
    """Whether such a file or folder is somewhere in a folder, or by its whole path in the package."""
    files = (name, f"{name}.py")
    return any((ROOT / "appliance" / file).exists() or any(folder.glob(f"**/{file}")) for file in files)


def test_every_decision_says_its_number() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))

    assert [path.name for path in decisions if not path.read_text().startswith(f"# {path.name[:4]}: ")] == []
    assert len({path.name[:4] for path in decisions}) == len(decisions)


def test_the_changelog_knows_the_version_or_what_comes_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()

    assert "## Unreleased" in text or f"## {__version__}" in text
