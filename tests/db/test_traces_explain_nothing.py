"""What only says that somebody tried is on record, and explains no change of the row that it names."""

from __future__ import annotations

import pytest

from appliance.db.integrity import anchors
from appliance.domain.roles import Role
from appliance.services.operators import failed_log_ins, tokens
from appliance.services.operators.failed_log_ins import Trace
from tests.support.books import Books

KEY = bytes(32)


@pytest.mark.parametrize("is_on_record", [False, True])
def test_a_revoked_token_that_was_sent_again_is_not_allowed_to_open_by_that(books: Books, is_on_record: bool) -> None:
    secret = tokens.create_token(books.db, "display", Role.OWNER, by=books.by)
    (number,) = books.db.execute("SELECT id FROM api_token").fetchone()
    tokens.revoke_token(books.db, number, by=books.by)
    books.db.flush()
    before = anchors.of_rows(books.db, KEY)
    (since,) = books.db.execute("SELECT max(seq) FROM audit").fetchone()
    trace = Trace(row=is_on_record, missed=0, problem=0)
    failed_log_ins.record_token(books.db, trace, tokens.hash_token(secret), "10.0.0.9", books.now_ms)
    books.db.flush()
    books.db.execute("UPDATE api_token SET revoked_at_ms = NULL")

    now = anchors.of_rows(books.db, KEY)
    wrong = anchors.unexplained(books.db, KEY, before, now, since, 0, books.now_ms)
    assert wrong == ["token:1 was changed, and nothing on record says so"]
