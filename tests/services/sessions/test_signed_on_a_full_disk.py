"""On a disk that is nearly full, what a meter signs takes no room but for a beginning and an end."""

from __future__ import annotations

from appliance.db import disk
from appliance.db.sessions import signed_values
from appliance.domain.identifiers import SessionId
from appliance.domain.problem import ProblemKind
from appliance.domain.signed import NEEDED_CHARS_MAX, SignedValue
from appliance.services import problems
from tests.support.books import Books

CARD = "04A1B2C3"


def test_only_short_ones_of_beginning_and_end_are_kept(books: Books) -> None:
    books.tariff()
    books.card(CARD, books.person(paid_in=50_000))
    session = SessionId(books.start(books.station(), 1, CARD).ref)
    problems.raise_problem(books.db, ProblemKind.DISK_FULL, disk.SUBJECT, books.now_ms, free_mb=1)
    disk.SHORT.drop(books.db)
    kept = SignedValue("begin", "Transaction.Begin"), SignedValue("e" * NEEDED_CHARS_MAX, "Transaction.End")
    lost = SignedValue("between", "Sample.Periodic"), SignedValue("x" * (NEEDED_CHARS_MAX + 1), "Transaction.End")

    for value in (*lost, *kept):
        signed_values.add(books.db, session, value, books.now_ms)

    assert signed_values.of_session(books.db, session) == [*kept]
