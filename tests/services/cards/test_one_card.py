"""One card is one card, however its number is written and whoever writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.db.people import people_search
from appliance.domain.errors import Conflict
from appliance.domain.id_token import normal_form
from appliance.services.cards import aliases, cards
from tests.support.books import Books

(MIGRATION,) = (Path(__file__).parents[3] / "appliance/db/migrations").glob("*_one_card.sql")
SPELLINGS = {
    "0A1B2C3D4E5F": ["0A:1B:2C:3D:4E:5F", "0a-1b-2c-3d-4e-5f", "0A1B.2C3D.4E5F", "0a 1b 2c 3d 4e 5f", "0a_1b_2c_3d_4e_5f\n"],
    "0A1B2C3D4E": ["0A:1B:2C:3D:4E", "0a-1b-2c-3d-4e\0"],
    "04A1B2C3": ["04:a1:b2:c3", "04 A1 B2 C3", "\ufeff04A1B2C3\u200b", "04A1\r\nB2C3"],
    "04A1B2C3D4E5F6": ["04-A1-B2-C3-D4-E5-F6", "04a1:b2c3:d4e5f6"],
    "VID:0A1B2C3D4E5F": ["vid:0a1b2c3d4e5f"],
    "FLEET-CAR-7": ["fleet-car-7", " Fleet-Car-7 "],
    "DE-8XY-C12345678-9": ["de-8xy-c12345678-9"],
}  # fmt: skip
PAIRS = [(one, other) for kept, others in SPELLINGS.items() for one in (kept, *others) for other in (kept, *others)]


@pytest.mark.parametrize(("entered", "asked"), PAIRS)
def test_every_spelling_is_the_same_card(books: Books, entered: str, asked: str) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=50_000)
    card = cards.add(books.db, entered, rahima, books.by)

    found = people_search.card_meant(books.db, asked)
    assert found is not None
    assert found.id == card
    assert books.start(station, 1, normal_form(asked), meter_wh=0).authorization.accepted
    with pytest.raises(Conflict):
        cards.add(books.db, asked, rahima, books.by)


def test_a_number_that_is_somebodys_backwards_is_told(books: Books) -> None:
    cards.add(books.db, "A1B2C3D4", books.person("Karim"), books.by)
    with pytest.raises(Conflict, match="Karim"):
        cards.add(books.db, "D4:C3:B2:A1", books.person("Rahima"), books.by)

    assert books.db.execute("SELECT count(*) FROM card").fetchone() == (1,)


def test_what_a_charger_calls_a_card_backwards_is_told_too(books: Books) -> None:
    card = cards.add(books.db, "04A1B2C3D4E5F6", books.person("Karim"), books.by)
    aliases.add(books.db, "A1B2C3D4", card, books.by)
    with pytest.raises(Conflict, match="Karim"):
        cards.add(books.db, "D4C3B2A1", books.person("Rahima"), books.by)


def test_a_number_that_reads_the_same_both_ways_is_a_card(books: Books) -> None:
    assert cards.add(books.db, "A1B2B2A1", books.person("Karim"), books.by)


def test_what_was_kept_with_separators_is_found_after_the_upgrade(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=50_000)
    before = {"0A1B2C3D4E5F": "0A:1B:2C:3D:4E:5F", "0A1B2C3D4F": "0A-1B-2C-3D-4F", "FLEET-CAR-7": "FLEET-CAR-7"}
    added = [cards.add(books.db, uid, rahima, books.by) for uid in before]
    for card, kept in zip(added, before.values(), strict=True):
        books.db.execute("UPDATE card SET uid = ? WHERE id = ?", (kept, card))
    aliases.add(books.db, "AA1B2C3D4E5F", added[-1], books.by)
    books.db.execute("UPDATE card_alias SET token = 'AA-1B-2C-3D-4E-5F'")
    for statement in MIGRATION.read_text(encoding="utf-8").split(";"):
        books.db.execute(statement)

    assert [uid for (uid,) in books.db.execute("SELECT uid FROM card ORDER BY id")] == list(before)
    for token in (*before, "aa:1b:2c:3d:4e:5f"):
        assert books.start(station, 1, normal_form(token), meter_wh=0).ref
        assert people_search.card_meant(books.db, token) is not None
