"""One card under several names: backwards, and as chargers have been learned to call it. It is one card in the books."""

from __future__ import annotations

import pytest

from appliance.db import problems
from appliance.db.cards import aliases as alias_rows
from appliance.db.stations import stations
from appliance.domain.errors import Conflict, Invalid, NotFound
from appliance.domain.events import StationBooted, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import CardId, StationId
from appliance.services.cards import aliases, cards
from appliance.services.sessions import start_requests, starting, stopping
from tests.support.books import Books

CARD = "04A1B2C3D4E580"
BACKWARDS = "80E5D4C3B2A104"
SHORT = "04A1B2C3"
OTHER = "04D4E5F6"


def rahima(books: Books, *, transactions_max: int = 1) -> CardId:
    books.tariff()
    return CardId(books.card(CARD, books.person(paid_in=50_000), transactions_max=transactions_max))


def test_a_card_that_is_read_backwards_charges_and_is_the_same_card(books: Books) -> None:
    card, station = rahima(books), books.station()
    assert starting.authorize(books.db, station, BACKWARDS, books.now_ms).accepted

    started = books.start(station, 1, BACKWARDS)

    row = books.session(started.ref)
    assert (started.authorization.status, row["id_token"], row["card_id"]) == ("Accepted", CARD, card)


@pytest.mark.parametrize("token", [SHORT, "C3D4E580", "00" + CARD, CARD + "00", str(int(CARD, 16))])
def test_a_name_that_is_only_alike_charges_nothing(books: Books, token: str) -> None:
    rahima(books)
    station = books.station()

    assert starting.authorize(books.db, station, token, books.now_ms).status == "Invalid"
    assert books.start(station, 1, token).authorization.status == "Invalid"


def test_a_name_that_was_learned_charges_and_is_the_same_card(books: Books) -> None:
    card, station = rahima(books), books.station()
    aliases.add(books.db, SHORT, card, books.by)

    started = books.start(station, 1, SHORT)

    row = books.session(started.ref)
    assert (started.authorization.status, row["id_token"], row["card_id"]) == ("Accepted", CARD, card)


def test_one_card_under_two_names_charges_once_at_a_time(books: Books) -> None:
    card, station = rahima(books), books.station()
    aliases.add(books.db, SHORT, card, books.by)

    assert books.start(station, 1, SHORT).authorization.accepted
    assert books.start(station, 2, BACKWARDS).authorization.status == "ConcurrentTx"
    assert books.start(station, 2, CARD).authorization.status == "ConcurrentTx"


def test_a_blocked_card_is_stopped_and_refused_under_all_its_names(books: Books) -> None:
    card, station = rahima(books), books.station()
    aliases.add(books.db, SHORT, card, books.by)
    started = books.start(station, 1, SHORT)
    cards.block(books.db, card, "lost", books.by)

    assert books.session(started.ref)["stop_wanted"] == "blocked"
    for token in (CARD, BACKWARDS, SHORT):
        assert starting.authorize(books.db, station, token, books.now_ms).status == "Blocked"


@pytest.mark.parametrize("token", [SHORT, BACKWARDS])
def test_the_holder_who_stops_an_emptied_wallets_session_is_not_refused(books: Books, token: str) -> None:
    books.tariff()
    station, poor = books.station(), books.person(paid_in=4_000)
    card = CardId(books.card(CARD, poor))
    aliases.add(books.db, SHORT, card, books.by)
    started = books.start(station, 1, token, meter_wh=0)
    books.wait(60)
    event = TransactionEnded(started.ref, token, 2_000, books.now_ms, "Local", (), books.now_ms)

    answer = stopping.transaction_ended(books.db, station, event)

    assert answer is not None
    assert answer.status == "Accepted"
    assert books.balance(poor) == 0


def test_a_stop_without_a_number_finds_its_session_under_another_name(books: Books) -> None:
    card, station = rahima(books), books.station()
    aliases.add(books.db, SHORT, card, books.by)
    one = books.start(station, 1, SHORT, meter_wh=0)
    books.card(OTHER, books.person("Karim", paid_in=5_000))
    two = books.start(station, 2, OTHER, meter_wh=0)
    books.stop(station, -1, 1_000, BACKWARDS)

    assert books.session(one.ref)["state"] == "ended"
    assert books.session(two.ref)["state"] == "running"


def test_a_start_that_comes_again_after_its_name_was_learned_is_the_same_start(books: Books) -> None:
    card, station = rahima(books), books.station()
    first = books.start(station, 1, SHORT)
    aliases.add(books.db, SHORT, card, books.by)

    assert books.start(station, 1, SHORT) == first
    assert books.db.execute("SELECT count(*) FROM session").fetchone()[0] == 1


def test_a_start_that_comes_again_under_a_known_name_is_the_same_start(books: Books) -> None:
    card, station = rahima(books), books.station()
    aliases.add(books.db, SHORT, card, books.by)
    first = books.start(station, 1, SHORT)

    assert books.start(station, 1, SHORT) == first
    assert books.db.execute("SELECT count(*) FROM session").fetchone()[0] == 1


@pytest.mark.parametrize("token", [CARD, BACKWARDS, SHORT])
def test_a_start_that_staff_wished_for_is_fulfilled_by_the_card_under_any_name(books: Books, token: str) -> None:
    card, station = rahima(books), books.station()
    aliases.add(books.db, SHORT, card, books.by)
    wish = start_requests.request_start(books.db, station, 1, books.by, card=SHORT)
    assert wish.id_token == CARD

    first = books.start(station, 1, token)

    assert first.ref == wish.id
    assert books.start(station, 1, token).ref == wish.id
    assert books.db.execute("SELECT count(*) FROM session").fetchone()[0] == 1


def test_a_card_may_stop_at_the_charger_what_was_started_from_here_under_its_own_uid(books: Books) -> None:
    card, station = rahima(books), books.station()
    assert starting.authorize(books.db, station, CARD, books.now_ms).group_token is None
    aliases.add(books.db, SHORT, card, books.by)

    answers = [starting.authorize(books.db, station, token, books.now_ms) for token in (CARD, SHORT, BACKWARDS)]

    start_requests.request_start(books.db, station, 1, books.by, card=CARD)
    answers.append(books.start(station, 1, CARD).authorization)
    assert len({answer.group_token for answer in answers}) == 1
    assert answers[0].group_token is not None


def test_the_exact_card_comes_before_one_that_is_called_so(books: Books) -> None:
    rahima(books)
    station = books.station()
    # Nobody can enter such a card any more, but it may have been there before that was looked at.
    backwards = books.card("04FFFFFFFFFFFF", books.person("Karim", paid_in=5_000))
    books.db.execute("UPDATE card SET uid = ? WHERE id = ?", (BACKWARDS, backwards))

    assert books.session(books.start(station, 1, BACKWARDS).ref)["card_id"] == backwards


def test_staff_may_say_that_a_token_is_a_card_whether_or_not_it_is_alike(books: Books) -> None:
    card, station = rahima(books), books.station()
    stations.booted(books.db, station, StationBooted("Acme", "Wall 7", "1", "2", books.now_ms))
    aliases.add(books.db, SHORT, card, books.by, station=station)
    aliases.add(books.db, "Fleet-12", card, books.by)
    aliases.add(books.db, "Fleet-12", card, books.by)

    rows = books.db.execute("SELECT token, likeness, vendor, model FROM card_alias ORDER BY token").fetchall()
    assert rows == [(SHORT, "truncated", "Acme", "Wall 7"), ("FLEET-12", "other", "", "")]


def test_a_name_is_one_cards_only(books: Books) -> None:
    card = rahima(books)
    other = CardId(books.card(OTHER, books.person("Karim")))
    aliases.add(books.db, SHORT, card, books.by)

    with pytest.raises(Conflict, match="Rahima"):
        aliases.add(books.db, SHORT, other, books.by)
    with pytest.raises(Conflict, match="Karim"):
        aliases.add(books.db, OTHER, card, books.by)
    with pytest.raises(Invalid):
        aliases.add(books.db, "08A1B2C3", card, books.by)
    with pytest.raises(NotFound):
        aliases.add(books.db, "FLEET-1", CardId(99), books.by)


def test_a_name_that_was_taken_back_charges_nothing(books: Books) -> None:
    card, station = rahima(books), books.station()
    aliases.add(books.db, SHORT, card, books.by)
    aliases.remove(books.db, SHORT, books.by)

    assert starting.authorize(books.db, station, SHORT, books.now_ms).status == "Invalid"
    assert alias_rows.of_card(books.db, card) == []
    with pytest.raises(NotFound):
        aliases.remove(books.db, SHORT, books.by)


def starts(books: Books, station: StationId, at_ms: int, uid: str) -> str:
    event = TransactionStarted(1, uid, 0, at_ms, books.now_ms)
    return starting.transaction_started(books.db, station, event).authorization.status


def open_kinds(books: Books) -> list[str]:
    return [one.kind for one in problems.open_problems(books.db)]


def test_a_card_at_two_chargers_at_once_is_a_problem(books: Books) -> None:
    card = rahima(books)
    one, two = books.station("CS-1"), books.station("CS-2")
    books.start(one, 1, CARD)
    books.start(one, 2, CARD)
    assert open_kinds(books) == []

    books.wait(600)
    books.start(two, 1, BACKWARDS)
    books.start(two, 1, BACKWARDS)

    (problem,) = problems.open_problems(books.db)
    assert (problem.kind, problem.subject) == ("card_twice", f"card:{card}")
    assert problem.details == {"station": two, "other": one, "number": 1, "person": "Rahima Khatun"}


def test_a_card_that_is_quicker_than_a_car_is_a_problem(books: Books) -> None:
    rahima(books)
    one, two = books.station("CS-1"), books.station("CS-2")
    books.stop(one, books.start(one, 1, CARD).ref, 1_500)
    books.wait(90)
    books.start(two, 1, CARD)

    (problem,) = problems.open_problems(books.db)
    assert (problem.kind, problem.details["other"], problem.details["after_s"]) == ("card_hop", one, 90)


def test_a_card_that_comes_later_or_to_the_same_charger_is_none(books: Books) -> None:
    rahima(books)
    one, two = books.station("CS-1"), books.station("CS-2")
    books.stop(one, books.start(one, 1, CARD).ref, 1_500)
    books.wait(30)
    books.stop(one, books.start(one, 2, CARD).ref, 1_500)
    books.wait(120)
    books.start(two, 1, CARD)

    assert open_kinds(books) == []


def test_a_card_that_many_share_may_be_in_many_places(books: Books) -> None:
    rahima(books, transactions_max=3)
    one, two = books.station("CS-1"), books.station("CS-2")
    books.start(one, 1, CARD)
    books.start(two, 1, CARD)

    assert open_kinds(books) == []


def test_a_start_told_late_is_judged_by_when_it_was(books: Books) -> None:
    rahima(books)
    one, two = books.station("CS-1"), books.station("CS-2")
    books.stop(one, books.start(one, 1, CARD).ref, 1_500)
    books.wait(10)

    assert starts(books, two, books.now_ms - 3_600_000, CARD) == "Accepted"
    assert open_kinds(books) == []
