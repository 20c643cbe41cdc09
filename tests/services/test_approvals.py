"""What one person asks for and another must agree to; and what of how people pay is a manager's."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from appliance.db import approvals as rows
from appliance.domain.approval import ApprovalKind, ApprovalState
from appliance.domain.by import By
from appliance.domain.errors import Conflict
from appliance.domain.identifiers import GroupId, PersonId
from appliance.services import settings
from appliance.services.approvals import approvals
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.card_desk import jobs
from appliance.services.operators.authority import NotAllowed
from appliance.services.people import groups, people
from appliance.services.wallets import wallets
from tests.support.books import NOON_MS, Books
from tests.support.staff import hired

REQUEST = {"method": "cash", "note": ""}


@pytest.fixture(autouse=True)
def _owner(books: Books) -> None:
    """Who does what comes before: `books.by`."""
    assert hired(books, "owner").actor == books.by.actor


@pytest.fixture(name="cashier")
def _cashier(books: Books) -> By:
    return hired(books, "cashier")


@pytest.fixture(name="manager")
def _manager(books: Books) -> By:
    return hired(books, "manager")


@pytest.fixture(name="rahima")
def _rahima(books: Books) -> PersonId:
    return books.person(paid_in=10_000)


def balance(books: Books, person: PersonId) -> int:
    return people.need(books.db, person).balance_minor


def audit_of(books: Books, action: str) -> list[Any]:
    books.db.flush()
    found = books.db.execute("SELECT details FROM audit WHERE action = ? ORDER BY seq", (action,))
    return [orjson.loads(details) for (details,) in found]


def test_it_is_off_until_somebody_sets_an_amount(books: Books, cashier: By, rahima: PersonId) -> None:
    wallets.top_up(books.db, rahima, wallets.AMOUNT_MINOR_MAX, "cash", "k", cashier)


@pytest.mark.parametrize("way", ["top up", "refund", "correct", "correct out", "desk recharge", "desk issue"])
def test_no_way_leads_past_the_second_person(
    books: Books, cashier: By, manager: By, rahima: PersonId, way: str
) -> None:
    settings.change(books.db, "second_person_minor", "5000")
    settings.change(books.db, "refund_cashier_minor", "10000")

    def move(amount_minor: int, by: By) -> object:
        match way:
            case "top up":
                return wallets.top_up(books.db, rahima, amount_minor, "cash", f"k{amount_minor}", by)
            case "refund":
                return wallets.refund(books.db, rahima, amount_minor, "cash", f"k{amount_minor}", by)
            case "correct":
                return wallets.correct(books.db, rahima, amount_minor, "why", f"k{amount_minor}", by)
            case "correct out":
                return wallets.correct(books.db, rahima, -amount_minor, "why", f"k{amount_minor}", by)
            case "desk recharge":
                return jobs.begin_recharge(books.db, f"desk-{by.actor}", amount_minor, "cash", by)
        return jobs.begin_issue(books.db, f"desk-{by.actor}", by, person=rahima, topup_minor=amount_minor)

    for by in (cashier, manager):
        with pytest.raises(NeedsSecondPerson):
            move(5_001, by)
    move(5_000, cashier)


def test_another_manager_agrees_and_then_it_is_booked_as_theirs_who_asked(
    books: Books, cashier: By, manager: By, rahima: PersonId
) -> None:
    asked = approvals.ask(books.db, ApprovalKind.TOPUP, rahima, 90_000, REQUEST, "form", cashier)
    assert balance(books, rahima) == 10_000
    approvals.approve(books.db, asked.id, manager)

    assert balance(books, rahima) == 100_000
    (agreed,) = audit_of(books, "approval.approve")
    assert (agreed["before_minor"], agreed["after_minor"], agreed["asked_by"]) == (10_000, 100_000, cashier.actor)
    actor = books.db.execute("SELECT actor FROM transfer WHERE amount_minor = 90000").fetchone()[0]
    assert actor == cashier.actor
    with pytest.raises(Conflict):
        approvals.approve(books.db, asked.id, manager)
    assert balance(books, rahima) == 100_000


@pytest.mark.parametrize(
    ("kind", "amount_minor", "request_", "after_minor"),
    [
        (ApprovalKind.REFUND, 7_000, REQUEST, 3_000),
        (ApprovalKind.CORRECTION, -7_000, {"reason": "slip"}, 3_000),
        (ApprovalKind.CORRECTION, 7_000, {"reason": "slip"}, 17_000),
    ],
)
def test_each_kind_is_done_as_it_was_asked(
    books: Books, cashier: By, manager: By, rahima: PersonId,
    kind: ApprovalKind, amount_minor: int, request_: dict[str, Any], after_minor: int,
) -> None:  # fmt: skip
    settings.change(books.db, "second_person_minor", "100")
    asked = approvals.ask(books.db, kind, rahima, amount_minor, request_, "form", cashier)
    approvals.approve(books.db, asked.id, manager)
    assert balance(books, rahima) == after_minor


def test_nobody_agrees_to_what_they_asked_for_themselves_and_no_cashier_to_anything(
    books: Books, cashier: By, manager: By, rahima: PersonId
) -> None:
    mine = approvals.ask(books.db, ApprovalKind.TOPUP, rahima, 90_000, REQUEST, "form", manager)
    theirs = approvals.ask(books.db, ApprovalKind.TOPUP, rahima, 90_000, REQUEST, "form", cashier)
    for number, by in (
        (mine.id, manager),
        (mine.id, cashier),
        (theirs.id, cashier),
        (theirs.id, hired(books, "guard")),
    ):
        with pytest.raises(NotAllowed):
            approvals.approve(books.db, number, by)
    with pytest.raises(NotAllowed):
        approvals.refuse(books.db, mine.id, cashier)
    assert balance(books, rahima) == 10_000


def test_the_same_form_asks_once_and_what_was_refused_or_expired_is_never_done(
    books: Books, cashier: By, manager: By, rahima: PersonId
) -> None:
    asked = [approvals.ask(books.db, ApprovalKind.TOPUP, rahima, 90_000, REQUEST, "one", cashier) for _turn in range(2)]
    assert asked[0] == asked[1]
    approvals.refuse(books.db, asked[0].id, manager)
    second = approvals.ask(books.db, ApprovalKind.TOPUP, rahima, 90_000, REQUEST, "two", cashier)
    approvals.refuse(books.db, second.id, cashier)
    third = approvals.ask(books.db, ApprovalKind.TOPUP, rahima, 90_000, REQUEST, "three", cashier)
    approvals.expire(books.db, NOON_MS + approvals.KEPT_PENDING_MS)
    assert [one.id for one in rows.pending(books.db)] == [third.id]
    approvals.expire(books.db, NOON_MS + approvals.KEPT_PENDING_MS + 1)

    states = [one.state for one in rows.page(books.db, None, 9)]
    assert states == [ApprovalState.EXPIRED, ApprovalState.WITHDRAWN, ApprovalState.REFUSED]
    for one in (asked[0], second, third):
        with pytest.raises(Conflict):
            approvals.approve(books.db, one.id, manager)
    with pytest.raises(Conflict):
        approvals.ask(books.db, ApprovalKind.TOPUP, rahima, 90_000, REQUEST, "one", cashier)
    assert balance(books, rahima) == 10_000
    open_ones = books.db.execute("SELECT count(*) FROM problem WHERE kind = 'approval' AND cleared_at_ms IS NULL")
    assert open_ones.fetchone()[0] == 0


# --- how people pay ------------------------------------------------------------------------------------------------------


@pytest.fixture(name="free")
def _free(books: Books) -> GroupId:
    return groups.add(books.db, "Family", "free", books.by)


def move(books: Books, person: PersonId, group: GroupId, by: By) -> None:
    people.change(books.db, person, by, name="Rahima", phone="", note="", language="", group=group)


def test_a_cashier_puts_nobody_into_a_group_that_pays_otherwise(
    books: Books, cashier: By, manager: By, rahima: PersonId, free: GroupId
) -> None:
    credit = groups.add(books.db, "Taxis", "postpaid", books.by)
    prepaid = people.need(books.db, rahima).group_id
    alike = groups.add(books.db, "Guests of the hotel", "prepaid", books.by)
    for target in (free, credit):
        with pytest.raises(NotAllowed):
            move(books, rahima, target, cashier)
        with pytest.raises(NotAllowed):
            people.add(books.db, "Mallory", target, cashier)
        with pytest.raises(NotAllowed):
            jobs.begin_issue(books.db, "desk", cashier, name="Mallory", group=target)
        with pytest.raises(NotAllowed):
            jobs.begin_batch(books.db, "desk", 2, cashier, group=target)
    move(books, rahima, alike, cashier)
    people.add(books.db, "Karim", prepaid, cashier)
    move(books, rahima, free, manager)
    with pytest.raises(NotAllowed):
        move(books, rahima, prepaid, cashier)
    move(books, rahima, free, cashier)  # A new name, the same group.

    assert [one["before"] for one in audit_of(books, "person.change")][-2:] == ["Guests of the hotel", "Family"]


def test_a_cashier_gives_nobody_another_price(books: Books, cashier: By, rahima: PersonId) -> None:
    cheap = groups.add(books.db, "Friends", "prepaid", books.by, tariff_id=books.tariff(energy=1))
    with pytest.raises(NotAllowed):
        move(books, rahima, cheap, cashier)


def test_what_a_group_was_before_stands_in_the_audit_list(books: Books, free: GroupId) -> None:
    groups.change(books.db, free, "Family", "postpaid", books.by, limit_minor=5_000)
    (row,) = audit_of(books, "group.change")
    assert (row["before"], row["policy"], row["before_limit_minor"], row["limit_minor"]) == (
        "free",
        "postpaid",
        None,
        5_000,
    )
