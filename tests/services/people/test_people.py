"""People, groups and cards, and what money has to do with changing them."""

from __future__ import annotations

import pytest

from appliance.db.people import people
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.services.cards import cards
from appliance.services.people import groups
from appliance.services.people import people as people_units
from appliance.services.sessions import starting
from tests.support.books import Books

CARD = "04A1B2C3"
OTHER = "04D4E5F6"


def move(books: Books, person: PersonId, group: GroupId) -> None:
    people_units.change(
        books.db, person, books.by, name="Rahima Khatun", phone="+880 1712", note="", language="bn", group=group
    )


def test_a_card_is_the_same_however_its_number_is_written(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=500)
    books.card("04:a1:b2:c3", rahima)

    assert starting.authorize(books.db, station, CARD, books.now_ms).accepted
    with pytest.raises(Conflict, match="Rahima"):
        books.card(" 04A1-B2C3 ", books.person("Karim Ahmed"))


@pytest.mark.parametrize("uid", ["", "  ", "\0"])
def test_a_card_without_a_number_is_none(books: Books, uid: str) -> None:
    with pytest.raises(Invalid):
        books.card(uid, books.person())


def test_all_cards_of_a_person_share_a_group_token(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=500)
    books.card(CARD, rahima)
    alone = starting.authorize(books.db, station, CARD, books.now_ms)
    books.card(OTHER, rahima)
    tokens = {starting.authorize(books.db, station, uid, books.now_ms).group_token for uid in (CARD, OTHER)}

    assert alone.group_token is None
    assert len(tokens) == 1
    assert None not in tokens


def test_a_replaced_card_is_blocked_for_good_and_the_money_stays(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=5_000)
    old = CardId(books.card(CARD, rahima))
    cards.replace(books.db, old, OTHER, books.by)

    assert starting.authorize(books.db, station, CARD, books.now_ms).status == "Blocked"
    assert starting.authorize(books.db, station, OTHER, books.now_ms).accepted
    assert books.available(rahima) == 5_000
    for again in (
        lambda: cards.unblock(books.db, old, books.by),
        lambda: cards.replace(books.db, old, "04FFFFFF", books.by),
    ):
        with pytest.raises(Refusal):
            again()


def test_a_blocked_card_charges_again_once_it_is_unblocked(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=5_000)
    card = CardId(books.card(CARD, rahima))
    cards.block(books.db, card, "lost", books.by)
    cards.block(books.db, card, "lost again", books.by)
    assert starting.authorize(books.db, station, CARD, books.now_ms).status == "Blocked"
    cards.unblock(books.db, card, books.by)

    assert starting.authorize(books.db, station, CARD, books.now_ms).accepted


def test_somebody_with_money_a_debt_or_a_session_does_not_leave(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station = books.station()
    rich, taxi, busy = (
        books.person(paid_in=1),
        books.person(group=books.group("postpaid")),
        books.person(group=books.group("free")),
    )
    books.card(CARD, taxi)
    books.card(OTHER, busy)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 1_000)
    books.start(station, 2, OTHER)

    for person in (rich, taxi, busy):
        with pytest.raises(Refusal):
            people_units.close(books.db, person, books.by)


def test_the_cards_of_somebody_who_has_left_charge_nowhere_until_they_are_back(books: Books) -> None:
    books.tariff()
    station, guest = books.station(), books.person(group=books.group("free"))
    books.card(CARD, guest)
    people_units.close(books.db, guest, books.by)
    assert starting.authorize(books.db, station, CARD, books.now_ms).status == "Blocked"
    people_units.reopen(books.db, guest, books.by)

    assert starting.authorize(books.db, station, CARD, books.now_ms).accepted


def test_how_far_a_wallet_may_fall_follows_the_group(books: Books) -> None:
    prepaid, limited, unlimited = books.group(), books.group("postpaid", limit_minor=3_000), books.group("postpaid")
    rahima = books.person(group=prepaid, paid_in=1_000)

    found = []
    for group in (limited, unlimited, prepaid):
        move(books, rahima, group)
        found.append(books.available(rahima))
    assert found == [4_000, None, 1_000]


def test_a_debtor_does_not_become_prepaid(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, taxi = books.station(), books.person(group=books.group("postpaid"))
    books.card(CARD, taxi)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 2_000)
    prepaid = books.group()

    with pytest.raises(Refusal, match="owes"):
        move(books, taxi, prepaid)
    found = people.find(books.db, taxi)
    assert found is not None
    assert found.policy == "postpaid"


def test_a_limit_below_what_a_member_owes_is_refused(books: Books) -> None:
    books.tariff(energy=2_000_000)
    group = books.group("postpaid", limit_minor=10_000)
    station, taxi = books.station(), books.person(group=group)
    books.card(CARD, taxi)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 2_000)

    def limit(limit_minor: int) -> None:
        groups.change(books.db, group, "Fleet", "postpaid", books.by, limit_minor=limit_minor)

    with pytest.raises(Refusal):
        limit(3_999)
    limit(4_000)
    assert books.available(taxi) == 0


def test_a_postpaid_limit_holds_at_the_station(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, taxi = books.station(), books.person(group=books.group("postpaid", limit_minor=4_000))
    books.card(CARD, taxi)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 2_000)

    assert books.start(station, 1, CARD, meter_wh=2_000).authorization.status == "NoCredit"


@pytest.mark.parametrize(
    ("name", "policy", "limit", "tariff"),
    [
        ("", "free", None, None),
        ("x" * 201, "free", None, None),
        ("A", "gift", None, None),
        ("A", "postpaid", -1, None),
        ("A", "free", None, 4_711),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(
    books: Books, name: str, policy: str, limit: int | None, tariff: int | None
) -> None:
    with pytest.raises(Invalid):
        groups.add(books.db, name, policy, books.by, limit_minor=limit, tariff_id=tariff)


def test_two_groups_do_not_share_a_name(books: Books) -> None:
    first = groups.add(books.db, "Fleet", "free", books.by)
    with pytest.raises(Conflict):
        groups.add(books.db, " Fleet ", "free", books.by)
    second = groups.add(books.db, "Staff", "free", books.by)
    with pytest.raises(Conflict):
        groups.change(books.db, second, "Fleet", "free", books.by)
    groups.change(books.db, first, "Fleet", "postpaid", books.by)


def test_what_is_not_there_is_not_found(books: Books) -> None:
    for attempt in (
        lambda: books.person(group=GroupId(4_711)),
        lambda: books.card(CARD, PersonId(4_711)),
        lambda: cards.block(books.db, CardId(4_711), "", books.by),
        lambda: people_units.close(books.db, PersonId(4_711), books.by),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_shared_card_charges_as_often_as_it_may(books: Books) -> None:
    books.tariff()
    station, fleet = books.station(), books.person("Green Taxi", group=books.group("postpaid"))
    books.card(CARD, fleet, transactions_max=2)

    first, second = books.start(station, 1, CARD), books.start(station, 2, CARD)
    assert (first.authorization.accepted, second.authorization.accepted) == (True, True)
    third = books.start(books.station("CS-02"), 1, CARD)
    assert third.authorization.status == "ConcurrentTx"
