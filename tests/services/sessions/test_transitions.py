"""What can happen to a session in each of its states: the table of the domain against what the site really does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import product

import pytest

from appliance.domain.errors import Refusal
from appliance.domain.events import TransactionStarted
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.session import TRANSITIONS, SessionEvent, SessionState
from appliance.services import admin_commands
from appliance.services.sessions import closing, review, start_requests, starting
from tests.support.books import BY, NOON_MS, Books

CARD = "04A1B2C3"
TOO_MUCH_WH = 910_000_000
ANOTHER_NAME = {(SessionState.RUNNING, SessionEvent.CORRECTED): SessionState.ENDED}
"""A stop is a correction only after an estimate."""
AFTER_AN_ESTIMATE = {(SessionState.ENDED, SessionEvent.CORRECTED), (SessionState.ENDED, SessionEvent.DOUBTED)}
"""What comes after the station's own stop is doubted for being another."""


class Place:
    """A connector, and whoever charges there."""

    def __init__(self, books: Books) -> None:
        books.tariff(energy=2_000_000, idle=100_000)
        self.books = books
        self.station = books.station("CS-01", evses=1)
        self.person = books.person(paid_in=50_000)
        books.card(CARD, self.person)

    # --- how a session comes into each state; its number

    def none(self) -> int:
        return 0

    def requested(self) -> int:
        return int(start_requests.request_start(self.books.db, self.station, 1, BY, card=CARD).id)

    def running(self) -> int:
        return int(self.start().ref)

    def ended(self) -> int:
        number = self.running()
        self.books.status(self.station, 1, "Charging")
        self.stop(number, 3_000)
        return number

    def estimated(self) -> int:
        number = self.running()
        closing.close_by_hand(self.books.db, SessionId(number), self.books.by)
        return number

    def doubted_estimate(self) -> int:
        number = self.running()
        self.books.read(self.station, number, TOO_MUCH_WH)
        closing.close_by_hand(self.books.db, SessionId(number), self.books.by)
        return number

    def failed(self) -> int:
        number = self.requested()
        assert start_requests.cancel(self.books.db, SessionId(number), "cancelled", NOON_MS)
        return number

    def review(self) -> int:
        number = self.running()
        self.stop(number, TOO_MUCH_WH)
        return number

    # --- what may happen

    def start(self) -> starting.Started:
        """The same start, however often."""
        event = TransactionStarted(1, CARD, 1_000, NOON_MS, self.books.now_ms)
        return starting.transaction_started(self.books.db, StationId(self.station), event)

    def stop(self, number: int, meter_wh: int) -> None:
        self.books.wait(60)
        self.books.stop(self.station, number, meter_wh)

    def happen(self, number: int, event: SessionEvent) -> None:
        books, session = self.books, SessionId(number)
        actions: dict[SessionEvent, Callable[[], object]] = {
            SessionEvent.REQUESTED: self.requested,
            SessionEvent.BEGAN: self.start,
            SessionEvent.CANCELLED: lambda: start_requests.cancel(books.db, session, "cancelled", books.now_ms),
            SessionEvent.STOPPED: lambda: self.stop(number, 3_000),
            SessionEvent.ESTIMATED: lambda: closing.close_by_hand(books.db, session, books.by),
            SessionEvent.DOUBTED: lambda: self.stop(number, TOO_MUCH_WH),
            SessionEvent.CORRECTED: lambda: self.stop(number, 5_000),
            SessionEvent.UNPLUGGED: lambda: books.status(self.station, 1, "Available"),
            SessionEvent.ACKNOWLEDGED: lambda: review.acknowledge(books.db, session, books.by),
            SessionEvent.BILLED: lambda: review.bill(books.db, session, books.by),
            SessionEvent.RENUMBERED: lambda: admin_commands.restored(books.db, books.now_ms, replaced=None),
        }
        with suppress(Refusal):
            actions[event]()


def state_of(books: Books, number: int) -> SessionState | None:
    row = books.db.execute("SELECT state FROM session WHERE id = ?", (number,)).fetchone()
    return SessionState(row[0]) if row else None


def fee_of(books: Books, number: int) -> int:
    return int(books.session(number)["fee_minor"])


@pytest.mark.parametrize(("state", "event"), list(product([None, *SessionState], SessionEvent)))
def test_what_happens_is_what_the_table_says_and_what_it_does_not_say_changes_nothing(
    books: Books, state: SessionState | None, event: SessionEvent
) -> None:
    place = Place(books)
    prepare = place.estimated if (state, event) in AFTER_AN_ESTIMATE else getattr(place, state or "none")
    if (state, event) == (SessionState.REVIEW, SessionEvent.CORRECTED):
        prepare = place.doubted_estimate
    number = prepare()
    assert state_of(books, number) == state
    before = books.db.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()[0]

    place.happen(number, event)

    if state is None:
        newest = books.db.execute("SELECT max(id) FROM session WHERE id > ?", (before,)).fetchone()[0]
        assert state_of(books, newest or 0) == TRANSITIONS.get((None, event))
    else:
        expected = TRANSITIONS.get((state, event)) or ANOTHER_NAME.get((state, event), state)
        assert state_of(books, number) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((SessionEvent.CORRECTED, SessionEvent.STOPPED, SessionEvent.DOUBTED, SessionEvent.ACKNOWLEDGED), [8_000] * 4),
        ((SessionEvent.DOUBTED, SessionEvent.CORRECTED, SessionEvent.ACKNOWLEDGED, SessionEvent.CORRECTED), [0] * 4),
    ],
)
def test_what_comes_late_after_an_estimate_counts_once(
    books: Books, events: tuple[SessionEvent, ...], expected: list[int]
) -> None:
    place = Place(books)
    number = place.estimated()
    fees = []
    for event in events:
        place.happen(number, event)
        fees.append(fee_of(books, number))

    assert fees == expected


def test_a_car_that_leaves_while_its_session_is_in_review_ends_no_parking(books: Books) -> None:
    place = Place(books)
    number = place.ended()
    for event in (SessionEvent.CORRECTED, SessionEvent.UNPLUGGED):
        place.happen(number, event)

    assert (state_of(books, number), fee_of(books, number)) == (SessionState.REVIEW, 4_000)


def test_a_car_that_stays_is_charged_for_the_place_once_when_it_leaves(books: Books) -> None:
    place = Place(books)
    number = place.ended()
    books.wait(600)
    fees = [fee_of(books, number)]
    for event in (SessionEvent.STOPPED, SessionEvent.UNPLUGGED, SessionEvent.UNPLUGGED):
        place.happen(number, event)
        books.wait(600)
        fees.append(fee_of(books, number))

    assert fees == [4_000, 4_000, 4_000 + 2_100, 4_000 + 2_100]
