"""Every sentence that people read is there in Bengali, with its values in place."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from appliance.domain import site
from appliance.ui.frame import language

ROOT = Path(__file__).parent.parent
CATALOG = ROOT / "appliance/ui/locales/bn/LC_MESSAGES/messages.po"
VALUES = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")
SAME = {"kWh", "kW", "Wh", "{energy} kWh", "{power} kW"}
"""Units and their values, which Bengali writes the same."""


def catalog() -> Catalog:
    with CATALOG.open("rb") as file:
        return read_po(file, locale="bn")


def forms(message: Message) -> list[tuple[str, str]]:
    """Each English form with its Bengali."""
    if isinstance(message.id, tuple):
        return [(str(one), str(bengali)) for one, bengali in zip(message.id, message.string or (), strict=True)]
    return [(str(message.id), str(message.string))]


def collected(package: Path, into: Path) -> set[object]:
    """The sentences that `make messages` finds in a package.

    Raises:
        CalledProcessError: A file cannot be read.
    """
    subprocess.run(
        [
            Path(sys.executable).with_name("pybabel"), "--quiet", "extract", "--mapping-file", "babel.cfg",
            "--output", into / "messages.pot", package,
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "scripts"},
        check=True,
        capture_output=True,
    )  # fmt: skip
    with (into / "messages.pot").open("rb") as file:
        return {message.id for message in read_po(file) if message.id}


def test_every_sentence_of_the_program_is_in_the_catalog(tmp_path: Path) -> None:
    known = {message.id for message in catalog() if message.id}

    assert collected(ROOT / "appliance", tmp_path) - known == set(), "run `make messages`, and translate"


def test_a_template_that_the_pages_can_read_is_searched_and_any_other_is_an_error(tmp_path: Path) -> None:
    template = tmp_path / "package/ui/templates/page.html"
    template.parent.mkdir(parents=True)
    template.write_text("{% do [].append(1) %}{{ _('Found') }}")
    found = collected(template.parents[2], tmp_path)
    template.write_text("{% no such thing %}{{ _('Lost') }}")

    assert found == {"Found"}
    with pytest.raises(subprocess.CalledProcessError):
        collected(template.parents[2], tmp_path)


def test_what_can_be_chosen_is_what_there_is_a_catalog_for() -> None:
    catalogs = {path.parent.parent.name for path in ROOT.glob("appliance/ui/locales/*/LC_MESSAGES/messages.po")}

    assert {language.DEFAULT, *catalogs} == set(site.LANGUAGES) == set(language.LANGUAGES)
    assert language.LANGUAGES == {"en": "English", "bn": "বাংলা"}


def test_every_sentence_has_its_bengali() -> None:
    missing = [
        one for message in catalog() if message.id for one, bengali in forms(message) if not bengali or message.fuzzy
    ]

    assert missing == []


def test_no_sentence_was_left_in_english() -> None:
    same = {one for message in catalog() if message.id for one, bengali in forms(message) if one == bengali}

    assert same - SAME == set()


def test_values_are_the_same_in_both_languages() -> None:
    differing = [
        one
        for message in catalog()
        if message.id
        for one, bengali in forms(message)
        if sorted(VALUES.findall(one)) != sorted(VALUES.findall(bengali))
    ]

    assert differing == []


def test_no_query_looks_up_a_sentence() -> None:
    """Queries run in a reader's thread, which has no language: what they looked up would be English for everybody."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sorted((ROOT / "appliance" / "ui").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and node.args.args
        and node.args.args[0].arg == "db"
        and any(isinstance(one, ast.Call) and getattr(one.func, "id", "") == "_" for one in ast.walk(node))
    ]

    assert found == []
