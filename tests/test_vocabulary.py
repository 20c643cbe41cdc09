"""One word for one thing: docs/ARCHITECTURE.md has the table, and no name in the sources has a word that went."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| \*\*(?P<word>[^*|]+)\*\* \|[^|]*\|(?P<instead>[^|]*)\|$", re.MULTILINE)
GONE = re.compile(r"`(?P<word>[a-z_]+)`(?: \(in (?P<where>[^)]*)\))?")
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
QUOTED = re.compile(r"`([^`]+)`")
PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)s")
TESTS = ("tests", "benchmarks")
REPORTED = frozenset({"heard", "said", "shown", "taken", "told", "who"})
"""What a function is not called: it says nothing of what it does."""


class Gone(NamedTuple):
    """A word that went: what is said instead, and in which folders it means that (none: everywhere)."""

    word: str
    instead: str
    folders: tuple[str, ...]


def gone_words() -> list[Gone]:
    """The third column of the table."""
    table = (
        (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n## Words\n")[2].partition("\n##")[0]
    )
    return [
        Gone(gone["word"], row["word"], tuple(re.findall(r"`([^`]+)`", gone["where"] or "")))
        for row in ROW.finditer(table)
        for gone in GONE.finditer(row["instead"])
    ]


def gone_from_sentences() -> list[tuple[str, str]]:
    """What no sentence says, and what it says instead: the third column of the table of what people read."""
    table = (
        (ROOT / "docs/ARCHITECTURE.md")
        .read_text(encoding="utf-8")
        .partition("\n### What people read\n")[2]
        .partition("\n## ")[0]
    )
    return [(word, row["word"]) for row in ROW.finditer(table) for word in QUOTED.findall(row["instead"])]


def sentence_offences(sentence: str) -> Iterator[str]:
    """What a sentence says that it should not; the names of its values are nobody's words."""
    plain = PLACEHOLDER.sub("", sentence)
    for word, instead in gone_from_sentences():
        if re.search(
            rf"(?<!\w){re.escape(word)}(?:s|ed)?(?!\w)" if word.isascii() else re.escape(word), plain, re.IGNORECASE
        ):
            yield f"{sentence}: say {instead}, not {word}"


def names_in(source: str, *, only_types: bool = False) -> Iterator[tuple[int, str]]:
    """Line and name of all that a source defines; of tests only their classes, for a test's name is a sentence."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ClassDef(name=name):
                yield node.lineno, name
            case _ if only_types:
                continue
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def says(name: str, word: str) -> bool:
    """Whether a name has this word, or its plural, among its words.

    >>> says("give_up_old", "give_up"), says("StationLinks", "link"), says("linked", "link")
    (True, True, False)
    """
    parts = "_".join(part.lower() for part in PARTS.findall(name))
    return re.search(rf"(?:^|_){word}(?:e?s)?(?:_|$)", parts) is not None


def offences(path: str, source: str) -> Iterator[str]:
    """The names of a source that have a word which went."""
    gone = [one for one in gone_words() if not one.folders or path.startswith(one.folders)]
    names = [(1, Path(path).stem), *names_in(source, only_types=path.startswith(TESTS))]
    for line, name in names:
        yield from (f"{path}:{line}: {name}: say {one.instead}, not {one.word}" for one in gone if says(name, one.word))


def sources() -> list[Path]:
    return [path for top in ("appliance", *TESTS) for path in sorted((ROOT / top).rglob("*.py"))]


def test_no_name_has_a_word_that_went() -> None:
    found = [
        offence
        for path in sources()
        for offence in offences(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_no_sentence_has_a_word_that_went() -> None:
    found = []
    for catalog in sorted((ROOT / "appliance/ui/locales").rglob("*.po")):
        with catalog.open("rb") as file:
            messages = [message for message in read_po(file) if message.id]
        assert len(messages) > 1000
        for message in messages:
            texts = [
                each for of in (message.id, message.string) for each in ([of] if isinstance(of, str) else of or ())
            ]
            found += [offence for text in texts for offence in sentence_offences(text)]

    assert found == []


@pytest.mark.parametrize(
    ("sentence", "offends"),
    [
        ("This station is offline.", True),
        ("Look under Stations.", True),
        ("{station} is offline.", False),
        ("The workstation is here.", False),
        ("They have left", True),
        ("%(operator)s has logged in", False),
        ("রিচার্জ", True),
        ("স্টেশনের", True),
    ],
)
def test_what_went_is_found_where_people_read_it(sentence: str, offends: bool) -> None:
    assert bool(list(sentence_offences(sentence))) is offends


def test_a_function_is_called_by_what_it_does() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}"
        for path in sorted((ROOT / "appliance").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.strip("_") in REPORTED
    ]

    assert found == []


@pytest.mark.parametrize(
    ("path", "source", "offends"),
    [
        ("appliance/services/x.py", "def expire_wishes(db): ...", True),
        ("appliance/services/x.py", "def f(wish): ...", True),
        ("appliance/services/x.py", "wishes = []", True),
        ("appliance/services/wish.py", "", True),
        ("appliance/services/x.py", "wished = 'a wish in a text'", False),
        ("appliance/ocpp/x.py", "class StationLink: ...", True),
        ("appliance/ui/x.py", "link = 'https://…'", False),
        ("tests/x.py", "class Yard: ...", True),
        ("tests/x.py", "def test_a_wish_comes_true(yard): ...", False),
    ],
)
def test_what_went_is_found_where_it_is_a_name(path: str, source: str, offends: bool) -> None:
    assert bool(list(offences(path, source))) is offends


def test_the_table_is_read() -> None:
    gone = gone_words()

    assert {"wish", "dialect", "link"} <= {one.word for one in gone}
    assert all((ROOT / folder).exists() for one in gone for folder in one.folders)
