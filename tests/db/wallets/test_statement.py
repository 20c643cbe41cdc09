"""A person's records, page by page."""

from __future__ import annotations

import random

from appliance.db.wallets import statement
from appliance.db.wallets.statement import Record
from appliance.domain.identifiers import AccountId, PersonId
from appliance.services.wallets import wallets
from tests.support.books import Books

CARD = "04A1B2C3"


def all_pages(books: Books, person: PersonId, wallet: AccountId, limit: int) -> list[list[Record]]:
    """From the newest page to the oldest."""
    pages, before_ms = [], None
    while True:
        page = statement.of_person(books.db, person, wallet, before_ms=before_ms, limit=limit)
        pages.append(page.shown)
        if page.older_ms is None:
            return pages
        before_ms = page.older_ms


def test_the_pages_hold_every_record_once_and_each_is_in_the_order_of_what_it_shows(books: Books) -> None:
    chance = random.Random(7)
    books.tariff(energy=2_000_000)
    person = books.person(paid_in=100_000)
    books.card(CARD, person, transactions_max=20)
    wallet = books.db.execute("SELECT wallet_id FROM person WHERE id = ?", (person,)).fetchone()[0]
    stations = [books.station(f"CS-{number:02}") for number in range(5)]
    open_on: dict[int, int] = {}
    for number in range(120):
        books.wait(chance.choice((0, 0, 60, 900)))
        place = chance.randrange(5)
        if chance.random() < 0.2:
            wallets.top_up(books.db, person, 500, "cash", f"key-{number}", books.by)
        elif place in open_on:
            books.stop(stations[place], open_on.pop(place), 1_000 + chance.randrange(50))
        else:
            open_on[place] = books.start(stations[place], 1, CARD).ref
    books.db.flush()
    sessions = {row[0] for row in books.db.execute("SELECT id FROM session")}
    for limit in (15, 30, 500):
        pages = all_pages(books, person, wallet, limit)
        found = [(record.kind, record.id) for page in pages for record in page]
        assert len(found) == len(set(found)), "none is on two pages"
        assert {number for kind, number in found if kind == "session"} == sessions
        assert sum(record.amount_minor for page in pages for record in page) == books.balance(person)
        for page in pages:
            assert [record.at_ms for record in page] == sorted((record.at_ms for record in page), reverse=True)
        assert all(0 < len(page) <= limit for page in pages)
