"""New, old and too new databases."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from appliance.db.engine.migrate import TooNew, apply, migrate, migrations, statements, version


def schema(path: Path) -> list[tuple[str, str]]:
    """Everything that is defined in a database."""
    db = sqlite3.connect(path)
    try:
        return db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").fetchall()
    finally:
        db.close()


def test_a_new_database_gets_all_migrations(tmp_path: Path) -> None:
    path = tmp_path / "new.db"

    assert migrate(path) == [number for number, _ in migrations()]
    assert {"transfer", "session", "account_guard"} <= {name for name, _ in schema(path)}


def test_a_database_of_this_release_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "known.db"
    migrate(path)
    before = path.read_bytes()

    assert migrate(path) == []
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["known.db"]


def test_a_newer_database_is_refused_with_a_sentence_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    migrate(path)
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {len(migrations()) + 1}")
    db.close()
    before = path.read_bytes()

    with pytest.raises(TooNew) as refused:
        migrate(path)

    assert str(refused.value).endswith(f"this release knows up to {len(migrations())}.")
    assert refused.value.advice
    assert path.read_bytes() == before


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "half.db"
    migrate(path)
    before = schema(path)
    db = sqlite3.connect(path, isolation_level=None)
    script = "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT;\nINSERT INTO nowhere VALUES (1);\n"

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        apply(db, 99, script)

    assert not db.in_transaction
    assert version(db) == len(migrations())
    db.close()
    assert schema(path) == before


def test_a_copy_is_set_aside_before_an_old_database_is_changed(tmp_path: Path) -> None:
    """A database that has a version, but is behind: the one before the first migration stands in for an older release."""
    path = tmp_path / "old.db"
    migrate(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = -1")
    db.close()

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(path)

    aside = tmp_path / "old.db.before-0001"
    assert schema(aside) == schema(path)


def test_statements_are_split_where_they_end_and_triggers_stay_whole() -> None:
    script = "-- a word; before\nCREATE TABLE a (b TEXT DEFAULT ';');\nCREATE TRIGGER t BEFORE DELETE ON a BEGIN\n  SELECT 1;\n  SELECT 2;\nEND;\n"

    found = statements(script)

    assert len(found) == 2
    assert found[1].startswith("CREATE TRIGGER")
    assert found[1].rstrip().endswith("END;")


def test_no_statement_of_a_migration_is_left_over() -> None:
    """A script whose last statement lacks its semicolon would be cut short in silence."""
    for number, script in migrations():
        rest = script
        for statement in statements(script):
            rest = rest.replace(statement, "", 1)
        left = [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("--")]
        assert left == [], number


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))
