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
LINK = re.compile(r"\]\(([^)#\s]+)")


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(paper: Path) -> None:
    missing = [
        target
        for target in LINK.findall(paper.read_text())
        if "://" not in target and not (paper.parent / target).exists()
    ]

    assert missing == []


def test_every_command_is_told_about() -> None:
    told = "\n".join(path.read_text() for path in PAPERS)
    commands = next(action for action in parser({})._actions if isinstance(action, argparse._SubParsersAction))

    assert [name for name in commands.choices if f"forecourt {name}" not in told] == []


def test_folders_named_in_the_architecture_exist() -> None:
    text = (ROOT / "docs/ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`((?:domain|db|services|ocpp|ui|jobs|simulator)/[\w./]*)`", text))

    assert named
    assert [name for name in named if not (ROOT / "appliance" / name.replace("*", "")).exists()] == []


def test_the_changelog_knows_the_version_or_what_comes_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()

    assert "## Unreleased" in text or f"## {__version__}" in text
