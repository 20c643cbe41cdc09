"""Every sentence that people read is there in Bengali, with its values in place."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Collection
from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
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


# --- one, and several -----------------------------------------------------------------------------------------------------

COUNTED = re.compile(r"\{(\w+)\}|%\((\w+)\)s")
BOUNDS = {"most", "least", "rows", "decimals"}
"""Placeholders of what is fixed and more than one: at most 100 characters."""
IN_A_ROW = re.compile(r"\{(next|made)\} of \{count\}")
NAMED = re.compile(
    r"(bill|statement|copy|tax number|meter|card|voucher|batch|receipt|report|note|session|shift|drawer|problem|connector|version|no\.|back by) \{number\}",
    re.IGNORECASE,
)
"""What stands on a thing, and counts none."""
NOUNS = (
    "approvals|bytes|cards|cars|chargers|connectors|days|devices|drivers|groups|log-ins|messages|names|people"
    "|persons|problems|readers|receipts|rows|seconds|sessions|starts|stops|things|times|transactions|vouchers"
)
OF_MANY = re.compile(rf"\{{(\w+)\}} (?:\w+ )?(?:{NOUNS})\b")
COUNTS = {"count", "times", "number"}


def bypassing(sentences: Collection[str]) -> list[str]:
    """Sentences that say how many, and say it the same way of one."""
    found = []
    for one in sentences:
        rest = NAMED.sub("", IN_A_ROW.sub("", one))
        counts = {name for match in COUNTED.findall(rest) for name in match if name in COUNTS}
        counts |= set(OF_MANY.findall(rest)) - BOUNDS
        if counts:
            found.append(one)
    return found


def test_no_sentence_with_a_count_bypasses_its_plural() -> None:
    assert bypassing([str(message.id) for message in catalog() if isinstance(message.id, str) and message.id]) == []


@pytest.mark.parametrize(
    ("sentence", "bypasses"),
    [
        ("{count} chargers are offline.", True),
        ("{people} new people", True),
        ("And {number} rows more.", True),
        ("failed {times} times", True),
        ("Card {number} of {name}", False),
        ("Lay the next card on the reader: {next} of {count}.", False),
        ("A PIN has {least} to {most} digits.", False),
        ("{name} may log in now.", False),
    ],
)
def test_a_count_is_known_by_what_it_counts(sentence: str, bypasses: bool) -> None:
    assert bool(bypassing([sentence])) is bypasses


@pytest.mark.parametrize("code", sorted(set(language.LANGUAGES) - {language.DEFAULT}))
def test_a_language_says_one_and_several_by_its_own_rule(code: str) -> None:
    """That of the CLDR: in Bengali nothing, too, is like one, so that a sentence for one has its number in it."""
    rule = Locale.parse(code).plural_form
    with (ROOT / f"appliance/ui/locales/{code}/LC_MESSAGES/messages.po").open("rb") as file:
        found = read_po(file, locale=code)
    chosen = c2py(found.plural_expr)
    forms_of_rule = {rule(number): chosen(number) for number in range(200)}

    assert found.num_plurals == len(forms_of_rule)
    assert all(chosen(number) == forms_of_rule[rule(number)] for number in range(200))
    assert len({*forms_of_rule.values()}) == len(forms_of_rule)


def test_what_is_said_of_one_has_its_number_in_it() -> None:
    """One form may stand for several numbers."""
    uncounted = [
        message.id
        for message in catalog()
        if isinstance(message.id, tuple) and set(VALUES.findall(message.id[0])) != set(VALUES.findall(message.id[1]))
    ]

    assert uncounted == []


def test_sentences_about_a_number_are_looked_up_by_it() -> None:
    told = {}
    for code in language.LANGUAGES:
        language.speak(code)
        told[code] = [
            language.ngettext("{count} charger is offline.", "{count} chargers are offline.", number)
            for number in (0, 1, 2)
        ]

    assert told["en"] == [
        "{count} chargers are offline.",
        "{count} charger is offline.",
        "{count} chargers are offline.",
    ]
    assert all("{count}" in sentence and sentence.isascii() is False for sentence in told["bn"])
