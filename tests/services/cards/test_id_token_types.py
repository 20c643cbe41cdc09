"""Tokens of a known type: kept beside their value, and never taken for one of another kind."""

from __future__ import annotations

import pytest

from appliance.domain.errors import Invalid
from appliance.domain.events import TransactionEnded, TransactionStarted
from appliance.domain.id_token import ID_TOKEN_CHARS_MAX, IdTokenType, are_compatible
from appliance.domain.identifiers import CardId, SessionId, StationId
from appliance.services.cards import cards, unknown
from appliance.services.sessions import start_requests, starting, stopping
from tests.support.books import Books

VALUE = "04A1B2C3"
ISO14443, VIN, UNKNOWN = IdTokenType.ISO14443, IdTokenType.VIN, IdTokenType.UNKNOWN


def start(books: Books, station: StationId, id_token_type: IdTokenType) -> starting.Started:
    """A start with a token of this type, now."""
    event = TransactionStarted(1, VALUE, 0, books.now_ms, books.now_ms, id_token_type)
    return starting.transaction_started(books.db, station, event)


def type_in(books: Books, table: str) -> list[str]:
    """What is kept."""
    books.db.flush()
    return [row[0] for row in books.db.execute(f"SELECT id_token_type FROM {table}")]


@pytest.mark.parametrize("told", IdTokenType)
def test_a_card_whose_type_nobody_told_is_known_by_its_value(books: Books, told: IdTokenType) -> None:
    books.card(VALUE, books.person(paid_in=100_000))

    assert starting.authorize(books.db, books.station(), VALUE, books.now_ms, told).accepted


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (UNKNOWN, "Accepted"),
        (ISO14443, "Accepted"),
        (IdTokenType.LOCAL, "Accepted"),
        (IdTokenType.CENTRAL, "Accepted"),
        (VIN, "Invalid"),
        (IdTokenType.KEY_CODE, "Invalid"),
    ],
)
def test_what_is_no_card_is_not_taken_for_one(books: Books, told: IdTokenType, status: str) -> None:
    person, station = books.person(paid_in=100_000), books.station()
    cards.add(books.db, VALUE, person, books.by, id_token_type=ISO14443)

    assert starting.authorize(books.db, station, VALUE, books.now_ms, told).status == status
    assert start(books, station, told).authorization.status == status


def test_types_are_compatible_both_ways_and_each_with_itself() -> None:
    for one in IdTokenType:
        assert are_compatible(one, one)
        assert are_compatible(one, UNKNOWN)
        for other in IdTokenType:
            assert are_compatible(one, other) == are_compatible(other, one)


def test_the_type_is_kept_with_the_session_and_with_what_nobody_knows(books: Books) -> None:
    station = books.station()
    start(books, station, ISO14443)

    assert type_in(books, "session") == ["ISO14443"]
    assert type_in(books, "unknown_tag") == ["ISO14443"]


def test_a_card_enrolled_at_a_charger_has_the_type_that_it_told(books: Books) -> None:
    person, station = books.person(paid_in=100_000), books.station()
    unknown.begin_enrol(books.db, station, person, books.by)
    starting.authorize(books.db, station, VALUE, books.now_ms, ISO14443)

    assert type_in(books, "card") == ["ISO14443"]


def test_a_start_that_is_asked_for_tells_the_type_of_its_token(books: Books) -> None:
    person, station = books.person(paid_in=100_000), books.station()
    central = start_requests.request_start(books.db, station, 1, books.by, person=person, card="")
    start_requests.cancel(books.db, central.id, "cancelled", books.now_ms)
    cards.add(books.db, VALUE, person, books.by, id_token_type=ISO14443)
    carded = start_requests.request_start(books.db, station, 1, books.by, person=person, card="")

    assert (central.id_token_type, carded.id_token_type) == ("Central", "ISO14443")
    assert type_in(books, "session") == ["Central", "ISO14443"]


def test_who_stops_with_a_token_of_another_kind_is_nobody_we_know(books: Books) -> None:
    person, station = books.person(paid_in=100_000), books.station()
    other = "04D1D2D3"
    books.card(other, person)
    cards.add(books.db, VALUE, person, books.by, id_token_type=ISO14443)
    cards.block(books.db, enrolled(books), "lost", books.by)
    answers = []
    for told in (ISO14443, VIN):
        ref = books.start(station, 1, other).ref
        event = TransactionEnded(SessionId(ref), VALUE, 1_500, books.now_ms, "Local", (), books.now_ms, told)
        answers.append(stopping.transaction_ended(books.db, station, event))
        books.wait(60)

    assert [answer and answer.status for answer in answers] == ["Blocked", None]


def enrolled(books: Books) -> CardId:
    """The number of the card with the value."""
    row = books.db.execute("SELECT id FROM card WHERE uid = ?", (VALUE,)).fetchone()
    return CardId(row[0])


def test_a_token_is_as_long_as_any_version_has_it_and_no_longer(books: Books) -> None:
    person = books.person()
    cards.add(books.db, "X" * 36, person, books.by)
    with pytest.raises(Invalid):
        cards.add(books.db, "X" * (ID_TOKEN_CHARS_MAX + 1), person, books.by)
