"""People of the staff, for tests of services."""

from __future__ import annotations

from appliance.db import operators as rows
from appliance.domain.by import By
from appliance.services.operators import operators
from tests.support.books import NOON_MS, Books


def hired(books: Books, role: str) -> By:
    """One more of the staff, at noon."""
    operator = operators.add(
        books.db, login=f"{role}{len(rows.every(books.db))}", name=role, role=role, password_hash="x", language="", by=books.by,
    )  # fmt: skip
    return By(f"operator:{operator}", NOON_MS)
