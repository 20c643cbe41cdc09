"""The SQL outside the engine of the database is what SQLite and PostgreSQL both speak: the sources are read for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

APPLIANCE = Path(__file__).parents[2] / "appliance"
ENGINE = re.compile(r"db/(engine/|(store|connection|migrate|backup|files)\.py$)")
"""The files that may speak an engine's own words."""
SQL = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|AND|JOIN|ORDER BY|GROUP BY|VALUES|SET|CASE|ON CONFLICT|RETURNING|LIMIT"
    r"|PRAGMA|VACUUM|ATTACH|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b"
)
LITERAL = re.compile(r"'(?:[^']|'')*'")
FIRST_PLACE = "the type of a parameter comes from its first place: (c = :x OR :x IS NULL)"
UNNAMED = "a subquery in FROM has a name: (SELECT …) AS name"
UPSERT = "an upsert's own column has its table's name: n = counter.n + 1"
RULES = {
    "IN of nothing: marks() from db/engine/sql.py": r"\bIN \((?!\s*(?:\{marks\}\)|['\d:?]|SELECT\b))|\bNOT IN \(\{",
    "IS is for NULL: IS NOT DISTINCT FROM": r"\bIS (?:NOT )?(?!NOT\b|NULL\b|DISTINCT\b|TRUE\b|FALSE\b)",
    "iif, ifnull: CASE, coalesce": r"\b(?:iif|ifnull)\(",
    "INSERT OR, REPLACE: ON CONFLICT": r"\b(?:INSERT|UPDATE) OR\b|\bREPLACE INTO\b",
    "total, group_concat: sum, or Python": r"\b(?:total|group_concat)\(",
    "functions of dates: milliseconds as parameters": r"\b(?:date|time|datetime|julianday|strftime|unixepoch)\(",
    "functions of JSON: Python": r"\bjson\w*\(|->",
    "functions of SQLite": r"\b(?:hex|zeroblob|randomblob|random|typeof|instr|char|last_insert_rowid|changes)\(",
    "operators of SQLite": r"\b(?:GLOB|REGEXP|MATCH)\b|==",
    "rowid and the tables of SQLite": r"\b(?:rowid|oid|sqlite_\w+)\b",
    "substr from the end: length()": r"\bsubstr\([^()]*, -",
    "CAST AS INTEGER, which may be of 32 bits: BIGINT": r"\bAS (?:INTEGER|INT)\)",
    "LIMIT a, b: OFFSET": r"\bLIMIT (?:-|[\w:?]+,)",
    "a truth as a number: CASE WHEN … THEN 1 ELSE 0 END": (
        r"\b(?:sum|max|min|avg|coalesce)\((?!CASE\b)[^(),]*(?: IS | IN |[<>=])"
    ),
    "a number among truths: TRUE": (
        r"(?s)\bTHEN (?:(?!\b(?:WHEN|ELSE|END)\b).)*?(?:[<>=]|\bNULL|\bIN \()(?:(?!\bEND\b).)*?\bELSE \d+ END"
    ),
    "a number as a truth: TRUE": r"\b(?:WHERE|AND|OR|NOT|HAVING) \d+\b(?! *[-+*/<>=])",
    'a reserved word: "authorization"': r'(?<!")\bauthorization\b',
    "quoted like a name, but none": r'`|\[|"(?!authorization\b)\w+"',
    "settings and files: in the engine": r"\b(?:PRAGMA|VACUUM|ATTACH|DETACH|REINDEX)\b|\bBEGIN (?:IMMEDIATE|EXCLUSIVE)\b",
}
"""What must not stand in a text, and what stands there instead."""

EXAMPLES = (
    (FIRST_PLACE, "WHERE (:x IS NULL OR c = :x)", "WHERE (c = :x OR :x IS NULL)"),
    (FIRST_PLACE, "WHERE (? IS NULL OR c = 1)", "WHERE (c = ? OR c IS NULL)"),
    (
        UNNAMED,
        "SELECT a FROM (SELECT max(b) AS a FROM t) WHERE a > 1",
        "SELECT a FROM (SELECT 1 AS a) AS t WHERE a > 1",
    ),
    (UNNAMED, "SELECT 1 FROM t JOIN (SELECT 1)", "SELECT 1 FROM t JOIN (SELECT 1) AS u"),
    (UNNAMED, "SELECT (SELECT a FROM (SELECT a FROM t LIMIT 4)) FROM t", "SELECT (SELECT a FROM t) FROM t"),
    (UPSERT, "ON CONFLICT (a) DO UPDATE SET n = n + 1", "ON CONFLICT (a) DO UPDATE SET n = t.n + excluded.n, m = :m"),
    (UPSERT, "ON CONFLICT (a) DO UPDATE SET b = 1, n = max(n, ?)", "ON CONFLICT (a) DO UPDATE SET n = 1 RETURNING n"),
    (UPSERT, "ON CONFLICT (a) DO UPDATE SET n = 1 WHERE n < 1", "ON CONFLICT (a) DO UPDATE SET n = 1 WHERE t.n < 1"),
    ("IN of nothing", "WHERE a IN ()", "WHERE a IN ('b', 'c') AND d NOT IN (1, :d)"),
    ("IN of nothing", "WHERE a IN ({})", "WHERE a IN ({marks}) OR b IN (SELECT b FROM t)"),
    ("IN of nothing", "WHERE a NOT IN ({marks})", "WHERE NOT a IN (?, ?)"),
    ("IS is for NULL", "WHERE a IS NOT :a", "WHERE a IS NOT DISTINCT FROM :a AND b IS NOT NULL"),
    ("iif", "SELECT iif(a, b, c)", "SELECT CASE WHEN a > 1 THEN b ELSE c END"),
    ("iif", "SELECT ifnull(a, 1)", "SELECT coalesce(a, 1)"),
    ("INSERT OR", "INSERT OR IGNORE INTO t VALUES (1)", "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING"),
    ("total", "SELECT total(a) FROM t", "SELECT coalesce(sum(a), 0) AS total FROM t"),
    ("total", "SELECT group_concat(a) FROM t", "SELECT a FROM t"),
    ("functions of dates", "WHERE at < strftime('%s', 'now')", "WHERE at < :now_ms"),
    ("functions of JSON", "SELECT json_extract(a, '$.b') FROM t", "SELECT json FROM t"),
    ("functions of JSON", "SELECT a ->> 'b' FROM t", "SELECT a - b > c FROM t"),
    ("functions of SQLite", "SELECT last_insert_rowid()", "INSERT INTO t (a) VALUES (1) RETURNING id"),
    ("operators of SQLite", "WHERE a == 1", "WHERE a = 1"),
    ("operators of SQLite", "WHERE a GLOB 'b*'", "WHERE a LIKE 'b%'"),
    ("rowid", "SELECT max(rowid) FROM t", "SELECT max(id) FROM t"),
    ("rowid", "SELECT 1 FROM sqlite_schema", "SELECT 1 FROM site"),
    ("substr from the end", "SELECT substr(uid, -8)", "SELECT substr(uid, length(uid) - 7)"),
    ("CAST", "SELECT CAST(a AS INTEGER)", "SELECT CAST(a AS BIGINT)"),
    ("LIMIT", "SELECT a FROM t LIMIT 1, 2", "SELECT a FROM t LIMIT 2 OFFSET 1"),
    ("a truth as a number", "SELECT min(a = 'b') FROM t", "SELECT min(CASE WHEN a = 'b' THEN 1 ELSE 0 END) FROM t"),
    ("a truth as a number", "WHERE coalesce(a > :b, 1)", "WHERE (a IS NULL OR a > :b) AND coalesce(a, 0) > :b"),
    ("a number among truths", "CASE WHEN a THEN b < 1 ELSE 1 END", "CASE WHEN a THEN b < 1 ELSE TRUE END"),
    ("a number as a truth", "SELECT a FROM t WHERE 1 AND b", "SELECT a FROM t WHERE TRUE AND 1 < b"),
    ("a reserved word", "SELECT id, authorization FROM t", 'SELECT id, "authorization" FROM t'),
    ("quoted like a name", 'SELECT a FROM t WHERE b = "c"', "SELECT a FROM t WHERE b = 'c'"),
    ("settings and files", "PRAGMA foreign_keys = ON", "BEGIN"),
    ("settings and files", "BEGIN IMMEDIATE", "COMMIT"),
)
"""The beginning of a rule, what it refuses, and what is written instead."""


def test_sql_outside_the_engine_is_portable() -> None:
    found = [
        f"{path.relative_to(APPLIANCE.parent)}:{line + text.count(chr(10), 0, place)}: {rule}"
        for path in outside_the_engine()
        for line, text in sql_in(ast.parse(path.read_text(encoding="utf-8")))
        for place, rule in offences(text)
    ]

    assert found == []


def test_no_module_outside_the_engine_knows_which_engine_it_is() -> None:
    found = [
        f"{path.relative_to(APPLIANCE.parent)}:{number}"
        for path in outside_the_engine()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\b(import (sqlite3|aiosqlite)|from (sqlite3|aiosqlite)|sqlite3\.\w+|sqlite_error\w+)\b", line)
    ]

    assert found == []


@pytest.mark.parametrize(("rule", "bad", "good"), EXAMPLES)
def test_a_rule_refuses_what_only_sqlite_speaks(rule: str, bad: str, good: str) -> None:
    assert [name for _, name in offences(bad) if name.startswith(rule)]
    assert list(offences(good)) == []


def test_every_rule_has_an_example() -> None:
    shown = [rule for rule, _, _ in EXAMPLES]

    assert [rule for rule in (FIRST_PLACE, UNNAMED, UPSERT, *RULES) if not rule.startswith(tuple(shown))] == []


def test_the_sql_of_a_source_is_found_whole_and_with_its_line() -> None:
    source = '''
"""SELECT of a docstring."""
A = "SELECT 1"
def f(n):
    """SELECT again."""
    db.execute(f"""SELECT a
        WHERE b = {n} AND c IN ({marks(n)})""" "LIMIT 1")
    raise Refusal("Choose another name.")
'''

    assert list(sql_in(ast.parse(source))) == [
        (3, "SELECT 1"),
        (6, "SELECT a\n        WHERE b = {} AND c IN ({marks})LIMIT 1"),
    ]


def outside_the_engine() -> list[Path]:
    """The sources that speak to whatever engine there is."""
    return [path for path in sorted(APPLIANCE.rglob("*.py")) if not ENGINE.match(str(path.relative_to(APPLIANCE)))]


def sql_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every piece of SQL; `{}` stands in it for what is only known when it runs."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Expr(value=ast.Constant()):
                pass  # A docstring.
            case ast.Constant(value=str(text)):
                if SQL.search(text):
                    yield node.lineno, text
            case ast.JoinedStr():
                if SQL.search(text := "".join(map(_written, node.values))):
                    yield node.lineno, text
            case _:
                yield from sql_in(node)


def _written(part: ast.expr) -> str:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="marks"))):
            return "{marks}"
        case _:
            return "{}"


def offences(text: str) -> Iterator[tuple[int, str]]:
    """Where a text breaks a rule, and which."""
    text = LITERAL.sub(lambda literal: "'" + "_" * (len(literal[0]) - 2) + "'", text)
    yield from ((found.start(), rule) for rule, pattern in RULES.items() for found in re.finditer(pattern, text))
    yield from ((place, FIRST_PLACE) for place in _untyped_parameters(text))
    yield from ((place, UNNAMED) for place in _unnamed_subqueries(text))
    yield from ((place, UPSERT) for place in _bare_names_of_upserts(text))


def _untyped_parameters(text: str) -> Iterator[int]:
    seen = set()
    for found in re.finditer(r"(:[a-z_]\w*|\?)( IS (?:NOT )?NULL)?", text):
        if found[2] and found[1] not in seen:
            yield found.start()
        if found[1] != "?":
            seen.add(found[1])


def _unnamed_subqueries(text: str) -> Iterator[int]:
    for found in re.finditer(r"\b(?:FROM|JOIN)\s*\(", text):
        depth, end = 1, found.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        if not re.match(r"\s+AS [a-z_]", text[end:]):
            yield found.start()


def _bare_names_of_upserts(text: str) -> Iterator[int]:
    for upsert in re.finditer(r"\bDO UPDATE SET\b(.*?)(?=\bRETURNING\b|$)", text, re.DOTALL):
        # What is assigned to has no table's name; all else has one, is a function, or a parameter.
        said = re.sub(r"(?<=,)\s*\w+ = |^\s*\w+ = ", lambda left: " " * len(left[0]), upsert[1])
        for name in re.finditer(r"(?<![\w.:'])[a-z_]\w*(?![\w.({])", said):
            yield upsert.start(1) + name.start()
