"""Books with a ledger in them, checked or attacked by each test itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.books import Books, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """A site whose ledger may be broken by the test."""
    found = open_books(tmp_path / "forecourt.db")
    yield found
    found.db.close()
