"""What was asked of a card desk is read as it was written, in this release and in those before, and nothing else is."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.db.card_desk import jobs
from appliance.db.card_desk.requests import CLASSES, DamagedRequest, read_request, write_request
from appliance.domain.by import By
from appliance.domain.desk_job import DeskJobState
from appliance.domain.desk_request import (
    Batch,
    Block,
    Decommission,
    DeskJobKind,
    Enrol,
    Issue,
    Learn,
    Read,
    Recharge,
    Replace,
    Request,
    Rewrite,
)
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.domain.ledger import Method
from tests.support.books import Books

NOW_MS = 1_767_225_600_000
NUMBERS = st.integers(-(2**63), 2**63 - 1)
PERSONS, CARDS, GROUPS = NUMBERS.map(PersonId), NUMBERS.map(CardId), NUMBERS.map(GroupId)
METHODS = st.sampled_from(Method)
BLOCKS = st.builds(Block, st.none() | NUMBERS, st.text(), st.none() | CARDS)
REQUESTS: dict[type[Request], st.SearchStrategy[Request]] = {
    Issue: st.builds(
        Issue,
        st.none() | PERSONS,
        st.text(),
        st.text(),
        st.none() | GROUPS,
        NUMBERS,
        NUMBERS,
        METHODS,
        st.text(),
        st.none() | NUMBERS,
        st.booleans(),
    ),
    Recharge: st.builds(Recharge, NUMBERS, METHODS, st.none() | CARDS),
    Read: st.just(Read()),
    Replace: st.builds(Replace, CARDS, st.booleans(), st.none() | BLOCKS),
    Decommission: st.builds(Decommission, st.none() | CARDS, st.booleans(), st.booleans(), METHODS, st.none() | BLOCKS),
    Rewrite: st.builds(Rewrite, CARDS, st.booleans()),
    Batch: st.builds(Batch, NUMBERS, st.none() | PERSONS, st.none() | GROUPS, st.text(), st.booleans()),
    Enrol: st.builds(Enrol, PERSONS, st.text()),
    Learn: st.just(Learn()),
}
STORED: list[tuple[str, Request]] = [
    (
        '{"person_id":null,"name":"Jamal","phone":"","group_id":1,"topup_minor":60000,"deposit_minor":300,"method":"cash","label":"","expires_at_ms":null,"overwrite":false}',
        Issue(None, "Jamal", "", GroupId(1), 60_000, 300, Method.CASH, "", None, overwrite=False),
    ),
    ('{"amount_minor":5000,"method":"cash","card_id":null}', Recharge(5000, Method.CASH, None)),
    (
        '{"amount_minor":0,"method":"cash","card_id":null,"old":true,"old_minor":700}',
        Recharge(0, Method.CASH, None, old=True, old_minor=700),
    ),
    ("{}", Read()),
    ('{"card_id":12,"overwrite":false}', Replace(CardId(12), overwrite=False)),
    (
        '{"card_id":12,"overwrite":false,"blocked":[null,"",null]}',
        Replace(CardId(12), overwrite=False, blocked=Block(None, "", None)),
    ),
    (
        '{"card_id":null,"refund":true,"rest":true,"method":"mobile","blocked":[7,"lost",3]}',
        Decommission(None, True, True, Method.MOBILE, Block(7, "lost", CardId(3))),
    ),
    ('{"card_id":12,"overwrite":true}', Rewrite(CardId(12), overwrite=True)),
    (
        '{"count":2,"person_id":null,"group_id":1,"label":"Guest","overwrite":false}',
        Batch(2, None, GroupId(1), "Guest", overwrite=False),
    ),
    ('{"person_id":1,"label":"second"}', Enrol(PersonId(1), "second")),
    ("{}", Learn()),
]
"""As the first release that knew them wrote them."""


def test_every_kind_has_a_class_and_every_class_is_tried() -> None:
    assert set(CLASSES) == set(DeskJobKind)
    assert set(CLASSES.values()) == set(get_args(Request)) == set(REQUESTS) == {type(one) for _, one in STORED}


@given(st.one_of(*REQUESTS.values()))
def test_what_was_written_is_read(request: Request) -> None:
    assert read_request(request.kind, write_request(request)) == request


@pytest.mark.parametrize(("stored", "request_"), STORED)
def test_the_stored_words_stay_as_they_are(stored: str, request_: Request) -> None:
    assert read_request(request_.kind, stored) == request_
    assert write_request(request_) == stored


@pytest.mark.parametrize(
    ("kind", "stored", "why"),
    [
        ("recharge", "", ""),
        ("recharge", '{"amount_minor":50', "unexpected end"),
        ("recharge", "[]", "no object"),
        ("recharge", "null", "no object"),
        ("recharge", '{"amount_minor":50,"method":"cash"}', "card_id"),
        ("recharge", '{"amount_minor":50,"method":"cash","card_id":null,"tip":1}', "tip"),
        ("recharge", '{"amount_minor":"50","method":"cash","card_id":null}', "amount_minor is '50'"),
        ("recharge", '{"amount_minor":50.0,"method":"cash","card_id":null}', "amount_minor is 50.0"),
        ("recharge", '{"amount_minor":true,"method":"cash","card_id":null}', "amount_minor is True"),
        ("recharge", '{"amount_minor":50,"method":"shells","card_id":null}', "shells"),
        ("read", '{"kind":"read"}', "kind"),
        ("rewrite", '{"card_id":null,"overwrite":false}', "card_id is None"),
        ("rewrite", '{"card_id":1,"overwrite":0}', "overwrite is 0"),
        ("replace", '{"card_id":1,"overwrite":false,"blocked":[null,""]}', "blocked is "),
        ("replace", '{"card_id":1,"overwrite":false,"blocked":["","",null]}', "at_ms is ''"),
        ("replace", '{"card_id":1,"overwrite":false,"blocked":{}}', "blocked is {}"),
        ("juggle", "{}", "juggle"),
    ],
)
def test_what_is_damaged_is_not_read(kind: str, stored: str, why: str) -> None:
    with pytest.raises(DamagedRequest, match=f"{kind}: .*{why}"):
        read_request(kind, stored)


def test_a_damaged_row_says_which_one_it_is(books: Books) -> None:
    db = books.db
    job = jobs.add(db, "desk", DeskJobState.WAITING, Read(), By("console", NOW_MS))
    db.execute("UPDATE desk_job SET request = 'what?' WHERE id = ?", (job,))
    with pytest.raises(DamagedRequest) as damaged:
        jobs.find(db, job)
    assert damaged.value.__notes__ == [f"It is that of desk job {job}."]
