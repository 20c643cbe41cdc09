"""Lists of people and cards: a page after the other they hold everybody once, in order, and their sums are those of their rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from appliance.db import ledger
from appliance.db.lists import Part, Window
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.services.cards import cards
from appliance.services.people import people as people_units
from tests.support.books import Books

T = TypeVar("T")
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


def everybody(books: Books, sort: str = "name", *, falls: bool = False, **wanted: Any) -> list[Person]:
    """All pages of a list, two rows at a time; and all of them backwards, which are the same."""
    return every_page(
        lambda window: people_search.people_page(books.db, window, **wanted),
        Window(sort, falls, rows=2),
        lambda one: one.id,
    )


def every_page(read: Callable[[Window], Part[T]], window: Window, number: Callable[[T], int]) -> list[T]:
    """The rows of a list, there and back again."""
    pages = [read(window)]
    while pages[-1].after:
        pages.append(read(replace(window, mark=number(pages[-1].rows[-1]))))
    assert [page.before for page in pages] == [False] + [True] * (len(pages) - 1)
    back = [pages[-1]]
    while back[-1].before:
        back.append(read(replace(window, mark=number(back[-1].rows[0]), backwards=True)))
    assert [page.rows for page in back[::-1]] == [page.rows for page in pages]
    return [row for page in pages for row in page.rows]


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("of_staff", [False, True])
def test_pages_of_people_hold_everybody_once_and_in_order(
    books: Books, staff: GroupId, closed: bool, of_staff: bool
) -> None:
    group = staff if of_staff else None
    lists = {sort: everybody(books, sort, group=group, closed=closed) for sort in people_search.PEOPLE.orders}
    numbers = sorted(one.id for one in lists["name"])

    assert len(set(numbers)) == len(numbers) > 0
    assert [sorted(one.id for one in found) for found in lists.values()] == [numbers] * len(lists)
    assert [one.id for one in lists["since"]] == numbers
    for sort, rising in lists.items():
        assert everybody(books, sort, falls=True, group=group, closed=closed) == rising[::-1], sort
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
    for sort in people_search.CARDS.orders:
        found = every_page(
            lambda window: people_search.cards_page(books.db, window), Window(sort, rows=2), lambda card: card.id
        )
        assert sorted(card.id for card in found) == list(range(1, len(NAMES) + 1)), sort
        if sort == "holder":
            plain = [card for card in found if card.person.isascii()]
            assert plain == sorted(plain, key=lambda card: (card.person.lower(), card.person_id))
    for state in ("", *people_search.CARD_STATES):
        narrowed = people_search.cards(books.db, state=state, now_ms=books.now_ms)
        assert people_search.count_cards(books.db, state=state, now_ms=books.now_ms) == len(narrowed), state
    assert people_search.count_cards(books.db, state="blocked", now_ms=books.now_ms) == 1


def test_people_and_labels_are_in_the_order_in_which_one_counts(books: Books) -> None:
    names = ["Flat 10", "flat 2", "ফ্ল্যাট ১০", "ফ্ল্যাট ২", "Flat 1"]
    for number, name in enumerate(names):
        cards.add(books.db, f"0400000{number}", books.person(name), books.by, label=f"CP{10 - number}")
    renamed = everybody(books)[0]
    people_units.change(
        books.db, renamed.id, books.by, name="Flat 11", phone="", note="", language="", group=renamed.group_id
    )
    by_label = people_search.cards_page(books.db, Window("label")).rows

    assert [one.name for one in everybody(books)] == ["flat 2", "Flat 10", "Flat 11", "ফ্ল্যাট ২", "ফ্ল্যাট ১০"]
    assert [card.label for card in by_label] == ["CP6", "CP7", "CP8", "CP9", "CP10"]


def test_a_page_before_which_less_than_a_page_is_left_is_the_first(books: Books) -> None:
    for name in "ABCDE":
        books.person(name)
    part = people_search.people_page(books.db, Window("name", mark=2, backwards=True, rows=2))

    assert [one.name for one in part.rows] == ["A", "B"]
    assert (part.before, part.after) == (False, True)


@pytest.mark.parametrize("text", ["Rahman Karim", "karim rahman", "rah kar", "Karim", "করিম রহমান", "রহমান করিম"])
def test_words_of_a_name_are_looked_for_in_any_order(books: Books, text: str) -> None:
    wanted = [books.person("Karim Rahman"), books.person("করিম রহমান")]
    books.person("Karima Khatun")
    books.person("Abdul Rahman")
    found = [one.id for one in people_search.people(books.db, text=text)]

    assert len({*found} & {*wanted}) == 1
    if " " in text:
        assert len(found) == 1


@pytest.mark.parametrize(
    ("said", "text"),
    [("José Núñez", "nunez jose"), ("Zoë", "ZOE"), ("Emile", "Émile"), ("Rahima 2", "rahima ২"), ("রহিমা ২", "2")],
)
def test_people_notes_and_labels_are_found_without_accents_and_by_any_digits(
    books: Books, said: str, text: str
) -> None:
    by_name, by_note = books.person(said), books.person("Somebody")
    people_units.change(
        books.db, by_note, name="Somebody", phone="", note=said, language="", group=GroupId(1), by=books.by
    )
    labelled = CardId(cards.add(books.db, "0400000A", books.person("Another"), books.by, label=said))

    found = {one.id for one in people_search.people(books.db, text=text)}

    words = text.split()
    assert by_name in found
    # Notes and labels have them as they stand.
    if len(words) == 1 or said.casefold().startswith(words[0]):
        assert by_note in found
        assert labelled in {one.id for one in people_search.cards(books.db, text=text)}
