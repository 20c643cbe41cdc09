"""Finds the sentences in Python files that people read, for `make messages`.

Babel's own extractor knows calls of `_` and its like. A refusal is shown to people too, and its sentences stand bare in the
call that makes it, because domain and services know nothing of languages; this extractor finds both.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final

PACKAGE: Final = Path(__file__).parents[1] / "appliance"
MARKERS: Final = frozenset({"_", "N_", "gettext"})
PLURAL_MARKERS: Final = frozenset({"ngettext", "nN_"})
SPOKEN: Final = frozenset({"message", "advice"})

Found = tuple[int, str | None, str | tuple[str, ...], list[str]]


def extract(
    file: IO[bytes],
    _keywords: Collection[str],
    _comment_tags: Collection[str],
    options: Mapping[str, Any],  # noqa: ARG001 - Babel passes it by name
) -> Iterator[Found]:
    """Babel's interface: line, function, sentence or sentences, and comments for each find."""
    refusals = sentences_of_refusals()
    for node in ast.walk(ast.parse(file.read())):
        if not isinstance(node, ast.Call):
            continue
        name = called(node.func)
        if name in MARKERS and node.args:
            yield from ((node.lineno, "gettext", text, []) for text in constants(node.args[:1]))
        elif name in PLURAL_MARKERS:
            pair = tuple(constants(node.args[:2]))
            if len(pair) == 2:
                yield node.lineno, "ngettext", pair, []
        elif name in refusals:
            spoken = [*node.args[refusals[name] :], *(word.value for word in node.keywords if word.arg in SPOKEN)]
            yield from ((node.lineno, "gettext", text, []) for text in constants(spoken))


@lru_cache(maxsize=1)
def sentences_of_refusals() -> dict[str, int]:
    """Each class in the tree of refusals, with the number of arguments that come before its message."""
    classes = [
        node
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
    ]
    before = {"Refusal": 0}
    known = 0
    # A class may stand before the one it inherits from, in another file.
    while known < len(before):
        known = len(before)
        for node in classes:
            bases = [before[base] for base in map(called, node.bases) if base in before]
            if bases:
                before[node.name] = arguments_before_message(node, bases[0])
    return before


def arguments_before_message(node: ast.ClassDef, inherited: int) -> int:
    """How many arguments of the class come before its message; as many as its base's if it does not say."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            names = [argument.arg for argument in item.args.args]
            return names.index("message") - 1 if "message" in names else len(names)
    return inherited


def called(function: ast.expr) -> str:
    """The last word of what is called."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def constants(arguments: Collection[ast.expr]) -> Iterator[str]:
    """Those arguments that are text, either side of a choice included."""
    for argument in arguments:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value:
            yield argument.value
        elif isinstance(argument, ast.IfExp):
            yield from constants([argument.body, argument.orelse])
