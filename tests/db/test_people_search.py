"""Lists of people and cards: a page after the other they hold everybody once, in order, and their sums are those of their rows."""

from __future__ import annotations

import pytest

from appliance.db import ledger
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.services.cards import cards
from appliance.services.people import people as people_units
from tests.support.books import Books

NAMES = ("রহিমা", "amina", "Zahid", "Émile", "Bashir", "amina", "Zoë", "Karim", "Bilkis")


@pytest.fixture(name="staff")
def _staff(books: Books) -> GroupId:
    """People of two groups, with and without money, one of them charging, two of them gone; the group that pays later."""
    books.tariff()
    staff = books.group("postpaid")
    station = books.station()
    for number, name in enumerate(NAMES):
        group = staff if number % 3 == 0 else None
        person = books.person(name, group=group, paid_in=0 if group else 10_000 * (number % 4))
        books.card(f"0400000{number}", person)
    for person in (PersonId(4), PersonId(5)):
        people_units.close(books.db, person, books.by)
    books.start(station, 1, "04000005")
    debtor = books.start(station, 2, "04000006").ref
    books.wait(3_600)
    books.stop(station, debtor, 9_000)
    books.db.flush()
    return staff


def everybody(books: Books, **wanted: object) -> list[Person]:
    """All pages of a list, two rows at a time."""
    found: list[Person] = []
    while part := people_search.people(books.db, offset=len(found), limit=2, **wanted):  # type: ignore[arg-type]
        found += part
    return found


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("of_staff", [False, True])
def test_pages_of_people_hold_everybody_once_and_in_order(
    books: Books, staff: GroupId, closed: bool, of_staff: bool
) -> None:
    group = staff if of_staff else None
    lists = {order: everybody(books, group=group, closed=closed, order=order) for order in people_search.PEOPLE_ORDERS}
    numbers = sorted(one.id for one in lists["name"])

    assert len(set(numbers)) == len(numbers) > 0
    assert [sorted(one.id for one in found) for found in lists.values()] == [numbers] * 3
    assert [one.id for one in lists["newest"]] == numbers[::-1]
    assert lists["balance"] == sorted(lists["name"], key=lambda one: (one.balance_minor, one.wallet))
    named = [one for one in lists["name"] if one.name.isascii()]
    assert named == sorted(named, key=lambda one: (one.name.lower(), one.id))
    assert {one.closed_at_ms is not None for one in lists["name"]} == {closed}
    assert people_search.sums(books.db, group=group, closed=closed) == people_search.Sums(
        len(numbers), sum(one.balance_minor for one in lists["name"])
    )


def test_what_is_in_all_wallets_is_found_without_looking_into_each(books: Books, staff: GroupId) -> None:
    accounts = ledger.accounts(books.db)

    assert accounts == ledger.trial_balance(books.db)
    assert accounts[0].balance_minor > 0
    assert accounts[0].held_minor > 0
    assert min(one.balance_minor for one in everybody(books, group=staff)) < 0


def test_pages_of_cards_hold_every_card_once_and_in_order(books: Books, staff: GroupId) -> None:
    assert staff
    cards.block(books.db, CardId(1), "lost", books.by)
    for order in people_search.CARD_ORDERS:
        found = [people_search.cards(books.db, order=order, offset=page, limit=1)[0] for page in range(len(NAMES))]
        assert sorted(card.id for card in found) == list(range(1, len(NAMES) + 1)), order
        if order == "holder":
            plain = [card for card in found if card.person.isascii()]
            assert plain == sorted(plain, key=lambda card: (card.person.lower(), card.person_id))
    for state in ("", *people_search.CARD_STATES):
        narrowed = people_search.cards(books.db, state=state, now_ms=books.now_ms)
        assert people_search.count_cards(books.db, state=state, now_ms=books.now_ms) == len(narrowed), state
    assert people_search.count_cards(books.db, state="blocked", now_ms=books.now_ms) == 1
