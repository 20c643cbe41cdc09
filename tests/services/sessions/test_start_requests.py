"""Pay, then start: what is held with the start request, and how each way it can go wrong ends in the money back."""

from __future__ import annotations

import pytest

from appliance.db import problems
from appliance.db.engine.protocols import Readable
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal, TooLittleMoney
from appliance.domain.identifiers import CardId, PersonId, SessionId, StationId
from appliance.services import settings
from appliance.services.announce import SessionChanged
from appliance.services.cards import cards
from appliance.services.sessions import start_requests, starting
from appliance.services.stations import admission
from tests.support.books import Books

CARD = "04A1B2C3"
OTHER = "04D4E5F6"


@pytest.fixture
def rahima(books: Books) -> PersonId:
    """Somebody with 500.00 in the wallet, a slice of 10.00 at a time, and a price of 20.00 a kilowatt-hour."""
    books.tariff(energy=2_000_000)
    return books.person(paid_in=50_000)


@pytest.fixture
def station(books: Books) -> StationId:
    return books.station()


def start_request(
    books: Books, station: StationId, evse: int = 1, *, person: PersonId | None = None, card: str = ""
) -> SessionId:
    return start_requests.request_start(books.db, station, evse, books.by, person=person, card=card).id


def holds(db: Readable) -> list[tuple[str, int]]:
    """All holds ever made, by name and amount."""
    return db.execute("SELECT key, amount_minor FROM transfer WHERE op = 'hold' ORDER BY seq").fetchall()


def test_the_money_is_held_with_the_wish_before_the_station_hears_of_it(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    books.card(CARD, rahima)
    session = start_request(books, station, card=CARD)

    assert books.session(session)["state"] == "requested"
    assert (books.balance(rahima), books.available(rahima)) == (50_000, 49_000)
    assert holds(books.db) == [(f"hold|{session}|1", 1_000)]
    assert SessionChanged(session, station, 1, rahima, "requested") in books.db.announcements


def test_the_transaction_that_follows_takes_over_the_wish_and_its_hold(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    books.card(CARD, rahima)
    session = start_request(books, station, card=CARD)
    books.wait(4)
    started = books.start(station, 1, CARD, meter_wh=1_000)

    assert (started.ref, started.authorization.accepted) == (session, True)
    assert len(holds(books.db)) == 1
    books.wait(600)
    books.stop(station, started.ref, 3_000)
    assert books.balance(rahima) == 50_000 - 4_000
    assert books.available(rahima) == 46_000


def test_a_repeated_start_of_a_wish_is_answered_with_the_same_transaction(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    books.card(CARD, rahima)
    start_request(books, station, card=CARD)

    assert books.start(station, 1, CARD) == books.start(station, 1, CARD)
    assert books.available(rahima) == 49_000


def test_the_station_may_choose_the_connector(books: Books, station: StationId, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    session = start_request(books, station, 0, card=CARD)

    assert books.start(station, 2, CARD).ref == session
    assert books.session(session)["evse"] == 2


@pytest.mark.parametrize("why", ["rejected", "offline", "not_sent", "busy", "refused"])
def test_a_wish_that_is_given_up_gives_the_money_back(
    books: Books, station: StationId, rahima: PersonId, why: str
) -> None:
    session = start_request(books, station, person=rahima)
    assert books.available(rahima) == 49_000

    assert start_requests.cancel(books.db, session, why, books.now_ms)

    assert (books.balance(rahima), books.available(rahima)) == (50_000, 50_000)
    row = books.session(session)
    assert (row["state"], row["note"], row["held_minor"], row["slices"]) == ("failed", why, 0, 0)


def test_giving_up_twice_gives_back_once(books: Books, station: StationId, rahima: PersonId) -> None:
    session = start_request(books, station, person=rahima)

    assert start_requests.cancel(books.db, session, "rejected", books.now_ms)
    assert not start_requests.cancel(books.db, session, "no_transaction", books.now_ms)
    assert books.available(rahima) == 50_000


def test_a_session_that_has_begun_is_not_given_up(books: Books, station: StationId, rahima: PersonId) -> None:
    """The station's refusal, or the clock, may come after the transaction."""
    books.card(CARD, rahima)
    session = start_request(books, station, card=CARD)
    books.start(station, 1, CARD)

    assert not start_requests.cancel(books.db, session, "rejected", books.now_ms)
    assert books.session(session)["state"] == "running"
    assert books.available(rahima) == 49_000


def test_a_wish_without_a_transaction_is_given_up_by_the_clock_within_two_minutes(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    assert settings.BOUNDS["start_timeout_s"][1] < 120
    session = start_request(books, station, person=rahima)
    books.wait(settings.Settings().start_timeout_s - 1)
    assert start_requests.expire(books.db, books.now_ms) == 0
    books.wait(1)
    assert start_requests.expire(books.db, books.now_ms) == 1

    assert books.available(rahima) == 50_000
    assert books.session(session)["note"] == "no_transaction"
    assert [one.kind for one in problems.open_problems(books.db)] == ["start_lost"]
    assert start_requests.expire(books.db, books.now_ms) == 0


def test_a_start_that_comes_after_the_money_went_back_holds_it_anew(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    """A person without a card: the token of the start request is all the station knows."""
    session = start_request(books, station, person=rahima)
    token = books.session(session)["id_token"]
    books.wait(100)
    start_requests.expire(books.db, books.now_ms)
    books.wait(5)

    late = books.start(station, 1, token, meter_wh=0)

    assert late.authorization.accepted
    assert late.ref != session
    assert books.available(rahima) == 49_000
    books.stop(station, late.ref, 2_000)
    assert books.balance(rahima) == 50_000 - 4_000


def test_a_late_start_without_money_left_is_refused(books: Books, station: StationId) -> None:
    books.tariff()
    poor = books.person(paid_in=500)
    session = start_request(books, station, person=poor)
    token = books.session(session)["id_token"]
    start_requests.cancel(books.db, session, "no_transaction", books.now_ms)
    books.card(OTHER, poor)
    books.start(station, 2, OTHER)

    assert books.start(station, 1, token).authorization.status == "NoCredit"


def test_a_one_time_token_is_worth_nothing_at_another_station(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    token = books.session(start_request(books, station, person=rahima))["id_token"]
    elsewhere = books.station("CS-02")

    assert starting.authorize(books.db, elsewhere, token, books.now_ms).status == "Invalid"
    assert books.start(elsewhere, 1, token).authorization.status == "Invalid"
    assert starting.authorize(books.db, station, token, books.now_ms).status == "Accepted"


def test_a_transaction_on_another_connector_than_the_wished_one_leaves_the_wish_to_the_clock(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    books.card(CARD, rahima)
    session = start_request(books, station, 1, card=CARD)
    books.wait(5)

    elsewhere = books.start(station, 2, CARD)

    assert elsewhere.ref != session
    assert elsewhere.authorization.status == "ConcurrentTx"
    books.stop(station, elsewhere.ref, 1_000)
    books.wait(100)
    start_requests.expire(books.db, books.now_ms)
    assert books.available(rahima) == 50_000


def test_another_card_does_not_start_on_somebody_elses_wish(books: Books, station: StationId, rahima: PersonId) -> None:
    karim = books.person("Karim Ahmed", paid_in=20_000)
    books.card(CARD, rahima)
    books.card(OTHER, karim)
    session = start_request(books, station, 1, card=CARD)

    other = books.start(station, 1, OTHER, meter_wh=0)

    assert other.ref != session
    books.stop(station, other.ref, 1_000)
    books.wait(100)
    start_requests.expire(books.db, books.now_ms)
    assert (books.balance(karim), books.balance(rahima)) == (18_000, 50_000)
    assert books.available(rahima) == 50_000


def test_a_connector_takes_one_wish_at_a_time(books: Books, station: StationId, rahima: PersonId) -> None:
    start_request(books, station, 1, person=rahima)

    with pytest.raises(Conflict):
        start_request(books, station, 1, person=rahima)
    assert books.available(rahima) == 49_000


def test_a_connector_that_charges_takes_no_wish(books: Books, station: StationId, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    books.start(station, 1, CARD)

    with pytest.raises(Conflict):
        start_request(books, station, 1, person=rahima)


def test_a_card_that_charges_is_not_started_a_second_time(books: Books, station: StationId, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    books.start(station, 1, CARD)

    with pytest.raises(Refusal, match="running already"):
        start_request(books, station, 2, card=CARD)


def test_what_cannot_be_started_is_refused_and_holds_nothing(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    poor = books.person("Jamal Uddin")
    card = books.card(CARD, rahima)
    books.card(OTHER, books.person("Karim Ahmed", paid_in=5_000), expires_at_ms=books.now_ms - 1)
    cards.block(books.db, CardId(card), "lost", books.by)
    unknown = admission.knock(books.db, "STRANGER", "10.0.0.9", books.now_ms)
    assert unknown is not None
    for error, arguments in (
        (TooLittleMoney, {"station": station, "person": poor}),
        (Refusal, {"station": station, "card": CARD}),
        (Refusal, {"station": station, "card": OTHER}),
        (Invalid, {"station": station}),
        (Invalid, {"station": station, "evse": 3, "person": rahima}),
        (Invalid, {"station": station, "evse": -1, "person": rahima}),
        (NotFound, {"station": station, "card": "04FFFFFF"}),
        (NotFound, {"station": station, "person": PersonId(4_711)}),
        (NotFound, {"station": StationId(4_711), "person": rahima}),
        (NotFound, {"station": unknown.id, "person": rahima}),
    ):
        with pytest.raises(error):
            start_request(books, **arguments)
    books.db.flush()
    assert holds(books.db) == []
    assert books.db.execute("SELECT count(*) FROM session").fetchone() == (0,)


def test_a_card_blocked_after_the_wish_does_not_start(books: Books, station: StationId, rahima: PersonId) -> None:
    card = books.card(CARD, rahima)
    session = start_request(books, station, card=CARD)
    cards.block(books.db, CardId(card), "lost", books.by)

    assert books.session(session)["state"] == "failed"
    assert books.available(rahima) == 50_000
    assert books.start(station, 1, CARD).authorization.status == "Blocked"


def test_a_person_without_a_card_gets_a_token_for_this_start_alone(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    first, second = start_request(books, station, 1, person=rahima), start_request(books, station, 2, person=rahima)
    tokens = [str(books.session(number)["id_token"]) for number in (first, second)]

    assert tokens[0] != tokens[1]
    assert all(len(token) <= 20 for token in tokens)
    assert books.start(station, 2, tokens[1]).ref == second
    assert books.start(station, 1, tokens[0]).ref == first


def test_a_persons_own_card_is_used_when_it_is_free_so_that_they_can_stop_with_it(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    books.card(CARD, rahima)

    first, second = start_request(books, station, 1, person=rahima), start_request(books, station, 2, person=rahima)

    assert books.session(first)["id_token"] == CARD
    assert books.session(second)["id_token"] != CARD


def test_a_persons_expired_card_does_not_keep_them_from_being_started(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    books.card(CARD, rahima, expires_at_ms=books.now_ms - 1)

    assert books.session(start_request(books, station, person=rahima))["id_token"] != CARD


def test_free_and_postpaid_wishes_hold_nothing(books: Books, station: StationId) -> None:
    books.tariff()
    for evse, policy in ((1, "free"), (2, "postpaid")):
        person = books.person(group=books.group(policy))
        session = start_request(books, station, evse, person=person)
        token = books.session(session)["id_token"]
        books.start(station, evse, token, meter_wh=0)
        books.stop(station, session, 1_000)
        assert books.balance(person) == (0 if policy == "free" else -2_000)
    books.db.flush()
    assert holds(books.db) == []


def test_a_cancelled_wish_gives_the_money_back(books: Books, station: StationId, rahima: PersonId) -> None:
    session = start_request(books, station, person=rahima)

    assert start_requests.running_on(books.db, station, 1) == session
    start_requests.order_stop(books.db, session, books.by)

    assert books.session(session)["note"] == "cancelled"
    assert books.available(rahima) == 50_000
    with pytest.raises(NotFound):
        start_requests.order_stop(books.db, session, books.by)


def test_stopping_a_session_leaves_it_to_the_station_to_end_it(
    books: Books, station: StationId, rahima: PersonId
) -> None:
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD)

    assert start_requests.order_stop(books.db, started.ref, books.by).state == "running"
    assert books.session(started.ref)["state"] == "running"


def test_the_same_money_is_not_held_for_two_wishes(books: Books, station: StationId) -> None:
    books.tariff()
    poor = books.person(paid_in=1_500)
    start_request(books, station, 1, person=poor)
    start_request(books, station, 2, person=poor)

    assert books.available(poor) == 0
    with pytest.raises(TooLittleMoney):
        start_request(books, books.station("CS-02"), 1, person=poor)
    assert [amount for _, amount in holds(books.db)] == [1_000, 500]
