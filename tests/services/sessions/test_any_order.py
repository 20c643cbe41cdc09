"""Whatever the order in which a station's messages arrive, and however often: the ledger ends up the same."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.db import reports
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import PersonId
from appliance.domain.meter import Reading
from appliance.services.sessions import metering, starting, stopping
from appliance.services.stations import status as status_units
from tests.support.books import NOON_MS, Books, open_books
from tests.support.statuses import status_changed

MINUTE_MS = 60_000
CARDS = ("04A1B2C3", "04D4E5F6", "04E7F8A9")
STARTS_MS = (NOON_MS, NOON_MS + 60 * MINUTE_MS, NOON_MS + 11 * 60 * MINUTE_MS + 50 * MINUTE_MS)
"""Three sessions one after the other at the same place; the last goes over midnight."""
LENGTH_MS = 45 * MINUTE_MS
STEPS = 5
SLOW_MACHINES = [HealthCheck.too_slow]
"""A busy machine is no defect."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a station tells of one of the sessions, with the station's own times in it."""

    kind: str
    session: int
    step: int = 0


FORGET = Message("forget", 0)
"""The server restarts."""
STORY = [
    message
    for session in range(len(CARDS))
    for message in (
        Message("status", session, 0),
        Message("start", session),
        Message("status", session, 1),
        *(Message("read", session, step) for step in range(1, STEPS)),
        Message("stop", session),
        Message("status", session, 2),
    )
]
"""As it happened."""


class Place:
    """One EVSE, three people, and a server that is told of them in some order."""

    def __init__(self, folder: Path) -> None:
        self.books: Books = open_books(folder / "forecourt.db")
        self.books.tariff(energy=2_000_000, time=30_000, flat=1_500_000, tax=750)
        self.station = self.books.station("CS-01", evses=1)
        self.people: list[PersonId] = []
        for number, uid in enumerate(CARDS):
            group = self.books.group("postpaid" if number == 1 else "prepaid")
            person = self.books.person(f"Driver {number}", group=group, paid_in=90_000)
            self.books.card(uid, person)
            self.people.append(person)
        self.refs: dict[int, int] = {}
        self.now_ms = STARTS_MS[-1] + 3 * LENGTH_MS

    def tell(self, message: Message) -> None:
        """Deliver one message. Without its number a station cannot tell of a transaction, so then the start comes first."""
        self.now_ms += 1_000
        if message is FORGET:
            self.books.db.flush()
            self.books.db.forget()
            return
        if message.kind in {"read", "stop"} and message.session not in self.refs:
            self.tell(Message("start", message.session))
        getattr(self, message.kind)(message)

    def start(self, message: Message) -> None:
        begin_ms = STARTS_MS[message.session]
        event = TransactionStarted(1, CARDS[message.session], self.meter_wh(message), begin_ms, self.now_ms)
        started = starting.transaction_started(self.books.db, self.station, event)
        assert self.refs.setdefault(message.session, started.ref) == started.ref
        assert started.authorization.accepted

    def read(self, message: Message) -> None:
        at_ms = STARTS_MS[message.session] + LENGTH_MS * message.step // STEPS
        readings = (Reading(at_ms, self.meter_wh(message), power_w=7_000), Reading(at_ms, voltage_mv=230_000))
        metering.meter_read(
            self.books.db, self.station, MeterRead(self.refs[message.session], 1, readings, self.now_ms)
        )

    def stop(self, message: Message) -> None:
        ended_ms = STARTS_MS[message.session] + LENGTH_MS
        meter_wh = self.meter_wh(Message("stop", message.session, STEPS))
        ref, uid = self.refs[message.session], CARDS[message.session]
        event = TransactionEnded(ref, uid, meter_wh, ended_ms, "Local", (), self.now_ms)
        stopping.transaction_ended(self.books.db, self.station, event)

    def status(self, message: Message) -> None:
        words = ("Preparing", "Charging", "Available")
        at_ms = STARTS_MS[message.session] + (LENGTH_MS * message.step // 2) + message.step - 1
        event = status_changed(1, words[message.step], at_ms, self.now_ms)
        status_units.status_changed(self.books.db, self.station, event)

    @staticmethod
    def meter_wh(message: Message) -> int:
        """The register: each session takes 5,130 Wh, in uneven steps."""
        return 1_000 + message.session * 5_130 + 5_130 * message.step * message.step // (STEPS * STEPS)

    def result(self) -> dict[str, object]:
        """All that must come out the same."""
        db = self.books.db
        assert self.books.wrong() == []
        days = reports.station_days(db, "2025-01-01", "2026-12-31")
        return {
            "accounts": db.execute(
                "SELECT id, credit_posted - debit_posted, debit_pending FROM account ORDER BY id"
            ).fetchall(),
            "bills": db.execute(
                "SELECT person_id, state, energy_wh, duration_s, fee_minor, estimated FROM session ORDER BY person_id"
            ).fetchall(),
            # How a session over midnight falls on its days depends on the readings that came before its stop; the sum does not.
            "days": [
                sum(day.working_s for day in days),
                sum(day.energy_wh for day in days),
                sum(day.fees_minor for day in days),
            ],
        }


def outcome(messages: Sequence[Message]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        for message in messages:
            place.tell(message)
        result = place.result()
        place.books.db.close()
        return result


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """The story shuffled, with repetitions and restarts. Sometimes hardly, because small disorder is what happens."""
    repeated = draw(st.lists(st.sampled_from(STORY), max_size=12))
    messages = [*STORY, *repeated, *[FORGET] * draw(st.integers(0, 3))]
    if draw(st.booleans()):
        return list(draw(st.permutations(messages)))
    messages = [*STORY]
    for message in [*repeated, *[FORGET] * draw(st.integers(0, 3))]:
        messages.insert(draw(st.integers(0, len(messages))), message)
    for _ in range(draw(st.integers(0, 10))):
        at = draw(st.integers(0, len(messages) - 2))
        messages[at], messages[at + 1] = messages[at + 1], messages[at]
    return messages


IN_ORDER = outcome(STORY)


@given(histories())
@settings(max_examples=120, deadline=None, database=None, suppress_health_check=SLOW_MACHINES)
def test_any_order_and_repetition_of_messages_ends_in_the_same_ledger(messages: list[Message]) -> None:
    assert outcome(messages) == IN_ORDER


@pytest.mark.soak
@given(histories())
@settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=SLOW_MACHINES)
def test_ten_thousand_histories_end_in_the_same_ledger(messages: list[Message]) -> None:
    assert outcome(messages) == IN_ORDER


def test_every_stop_that_comes_after_the_next_start_is_set_right() -> None:
    """Each session is first closed by an estimate, then corrected."""
    starts = [message for message in STORY if message.kind == "start"]
    others = [message for message in STORY if message.kind != "start"]

    assert outcome([*starts, *others]) == IN_ORDER
    assert outcome([*reversed(starts), *reversed(others)]) == IN_ORDER
