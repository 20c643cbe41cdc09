"""Books for tests of services: no event loop in sight."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.db.integrity import anchors, figures
from tests.support.books import Books, open_books
from tests.support.desk_fixture import DeskFixture


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """A site with its ledger, checked at the end of every test."""
    found = open_books(tmp_path / "forecourt.db")
    yield found
    assert found.wrong() == []
    assert figures.wrong_figures(found.db) == []
    # Sites and settings are put in without their console.
    seals = {
        name: seal for name, seal in anchors.of_rows(found.db, b"").items() if not name.startswith(("site", "setting:"))
    }
    known = {anchors.KINDS: ",".join(anchors.SEALED)}
    assert anchors.unexplained(found.db, b"", known, seals, 0, 0, found.now_ms) == []
    found.db.close()


@pytest.fixture
def desk(books: Books) -> Iterator[DeskFixture]:
    """A card desk on these books; what always holds is checked at the end of every test."""
    found = DeskFixture(books)
    yield found
    found.check()
