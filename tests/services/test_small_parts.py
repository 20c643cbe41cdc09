"""Many small amounts are one large: whatever way money comes into a wallet, one person alone moves so much within a day."""

from __future__ import annotations

import pytest

from appliance.db.cards import cards
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import CardId
from appliance.services import old_cards, settings
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.operators.authority import NotAllowed
from appliance.services.people import merge, pools
from appliance.services.people.pools import About, Own
from appliance.services.wallets import undo, wallets
from tests.support.books import Books
from tests.support.staff import hired

MOST = 1_000


@pytest.fixture(name="manager")
def _manager(books: Books) -> By:
    hired(books, "owner")
    return hired(books, "manager")


def bounded(books: Books) -> None:
    """From now on nobody moves more alone."""
    settings.change(books.db, "second_person_minor", str(MOST))


def test_balances_of_several_old_cards(books: Books, manager: By) -> None:
    bounded(books)
    rahima = books.person()
    first, second = (cards.find(books.db, CardId(books.card(uid, rahima))) for uid in ("6A010203", "6A010204"))
    assert first is not None
    assert second is not None

    old_cards.take_over(books.db, first, MOST, manager)
    with pytest.raises(NeedsSecondPerson):
        old_cards.take_over(books.db, second, 1, manager)

    assert books.balance(rahima) == MOST


def test_what_several_people_bring_into_a_pool(books: Books, manager: By) -> None:
    group = books.group()
    pool = pools.add(books.db, About("Acme", group), books.by)
    first, second = (books.person(name, group=group, paid_in=600) for name in ("Rahima", "Karim"))
    bounded(books)

    pools.join(books.db, pool, first, Own.MOVED, "a", manager)
    with pytest.raises(Refusal, match="second person"):
        pools.join(books.db, pool, second, Own.MOVED, "b", manager)

    assert [books.balance(one) for one in (pool, first, second)] == [600, 0, 600]


def test_wallets_of_several_people_who_are_said_to_be_one(books: Books, manager: By) -> None:
    group = books.group()
    one, two, three = (books.person(name, group=group, paid_in=600) for name in ("R. Khatun", "Rahima K.", "Rahima"))
    bounded(books)

    merge.merge(books.db, two, one, "a", manager)
    with pytest.raises(Refusal, match="second person"):
        merge.merge(books.db, three, one, "b", manager)

    assert [books.balance(person) for person in (one, two, three)] == [1_200, 0, 600]


def test_what_another_has_moved_and_was_taken_back_makes_no_room(books: Books, manager: By) -> None:
    rahima, cashier = books.person(), hired(books, "cashier")
    bounded(books)
    wrong = wallets.top_up(books.db, rahima, 900, "card", "wrong", cashier).receipt or 0

    undo.undo(books.db, wrong, manager)
    wallets.top_up(books.db, rahima, MOST, "card", "right", manager)
    with pytest.raises(NeedsSecondPerson):
        wallets.top_up(books.db, rahima, 900, "card", "more", manager)
    wallets.top_up(books.db, rahima, MOST, "card", "again", cashier)

    assert books.balance(rahima) == 2 * MOST


def test_a_cashier_gives_nobodys_money_to_a_pool(books: Books) -> None:
    hired(books, "owner")
    cashier, group = hired(books, "cashier"), books.group()
    pool = pools.add(books.db, About("Friends", group), cashier)
    rahima, karim = books.person(group=group, paid_in=600), books.person("Karim", group=group)

    with pytest.raises(NotAllowed):
        pools.join(books.db, pool, rahima, Own.MOVED, "a", cashier)
    pools.join(books.db, pool, rahima, Own.KEPT, "b", cashier)
    pools.join(books.db, pool, karim, Own.MOVED, "c", cashier)

    assert (books.balance(pool), books.balance(rahima)) == (0, 600)
