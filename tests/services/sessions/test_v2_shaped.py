"""Stations of another shape than OCPP 1.6 has: they name their transactions, number their messages, plug in first and show the
card later. Told by hand, as 2.0.1 would; nothing of this version exists yet, and nothing of the services knows of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.db import board, problems, reports
from appliance.db.sessions import session_list, sessions, transactions
from appliance.domain.authorization import Authorization
from appliance.domain.errors import Conflict
from appliance.domain.events import MeterRead, Stage, TransactionEvent
from appliance.domain.identifiers import PersonId, SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.transaction import BEYOND_MAX, Arrival, Order, receive
from appliance.services.sessions import closing, metering, start_requests
from appliance.services.sessions import transactions as seam
from tests.support.books import NOON_MS, Books, open_books

CARD, OTHER = "04A1B2C3", "04D4E5F6"
MINUTE_MS = 60_000
NAME = "af3c-0001-tx"
FIRST_REGISTER_WH = 50_000


@dataclass(frozen=True, slots=True)
class Message:
    """As much of a TransactionEventRequest as matters here; `minute` is the station's own time."""

    event_type: str
    seq_no: int
    minute: int
    meter_wh: int | None = None
    id_token: str = ""
    evse: int = 0
    transaction_id: str = NAME

    def told(self, received_at_ms: int) -> TransactionEvent:
        """What a version makes of it."""
        at_ms, stage = NOON_MS + self.minute * MINUTE_MS, Stage(self.event_type.lower())
        between = stage is Stage.UPDATED and self.meter_wh is not None
        return TransactionEvent(
            ref=self.transaction_id,
            seq_no=self.seq_no,
            stage=stage,
            evse=self.evse,
            id_token=self.id_token,
            register_wh=None if between else self.meter_wh,
            at_ms=at_ms,
            reason="EVDisconnected" if stage is Stage.ENDED else "",
            readings=(Reading(at_ms, energy_wh=self.meter_wh, power_w=7_000),) if between else (),
            received_at_ms=received_at_ms,
        )


CABLE_FIRST = (
    Message("Started", 0, 0, 50_000, evse=1),
    Message("Updated", 1, 2, id_token=CARD),
    Message("Updated", 2, 10, 51_000),
    Message("Updated", 3, 20, 52_500),
    Message("Ended", 4, 30, 54_000),
)
"""4 kWh in 30 minutes, two of them before anybody showed a card."""


class Site:
    """A station, two drivers, and a server that is told in some order."""

    def __init__(self, books: Books) -> None:
        self.books = books
        books.tariff(energy=2_000_000, time=30_000, flat=1_500_000, tax=750)
        self.station: StationId = books.station("CS-01", evses=2)
        self.rahima: PersonId = books.person(paid_in=90_000)
        self.karim: PersonId = books.person("Karim Ahmed", group=books.group("postpaid"))
        books.card(CARD, self.rahima)
        books.card(OTHER, self.karim)
        books.now_ms = NOON_MS + 120 * MINUTE_MS

    def tell(self, message: Message) -> Authorization | None:
        self.books.wait(1)
        return seam.transaction_event(self.books.db, self.station, message.told(self.books.now_ms))

    def restart(self) -> None:
        self.books.db.flush()
        self.books.db.forget()

    def number(self, name: str = NAME) -> int:
        found = transactions.session_of(self.books.db, self.station, name)
        assert found is not None
        return int(found)

    def result(self) -> dict[str, object]:
        """All that must come out the same."""
        db = self.books.db
        assert self.books.wrong() == []
        return {
            "accounts": db.execute(
                "SELECT id, credit_posted - debit_posted, debit_pending FROM account ORDER BY id"
            ).fetchall(),
            "sessions": db.execute(
                """SELECT name, state, started_at_ms, ended_at_ms, evse, id_token, person_id, meter_start_wh, meter_stop_wh,
                energy_wh, duration_s, net_minor, tax_minor, estimated
                FROM session JOIN station_transaction ON session_id = session.id ORDER BY name"""
            ).fetchall(),
            "days": [
                (day.day, day.working_s, day.energy_wh, day.fees_minor)
                for day in reports.station_days(db, "2025-01-01", "2026-12-31")
            ],
        }


@pytest.fixture
def site(books: Books) -> Site:
    return Site(books)


@contextmanager
def new_site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        found = Site(open_books(Path(folder) / "forecourt.db"))
        yield found
        found.books.db.close()


def outcome(messages: Sequence[Message | None]) -> dict[str, object]:
    """What comes of these messages; None: the server restarts."""
    with new_site() as site:
        for message in messages:
            site.tell(message) if message is not None else site.restart()
        return site.result()


# --- one transaction, as it should be --------------------------------------------------------------------------------------


def test_a_cable_comes_first_and_the_card_later(site: Site) -> None:
    started, authorized, *rest = CABLE_FIRST
    assert site.tell(started) is None
    row = site.books.session(site.number())
    assert (row["state"], row["id_token"], row["person_id"], row["held_minor"]) == ("running", "", None, 0)

    answer = site.tell(authorized)
    assert answer is not None
    assert answer.accepted
    held_minor = site.books.session(site.number())["held_minor"]
    assert held_minor >= 1_613, "the flat fee, at least"
    assert site.books.available(site.rahima) == 90_000 - held_minor
    for message in rest:
        site.tell(message)

    row = site.books.session(site.number())
    assert (row["state"], row["energy_wh"], row["duration_s"]) == ("ended", 4_000, 1_800)
    net_minor = 8_000 + 900 + 1_500
    assert (row["net_minor"], row["fee_minor"]) == (net_minor, net_minor + 780)
    assert site.books.balance(site.rahima) == site.books.available(site.rahima) == 90_000 - net_minor - 780


def test_a_transaction_that_nobody_pays_for_ends_with_nothing(site: Site) -> None:
    site.tell(CABLE_FIRST[0])
    assert site.tell(Message("Ended", 1, 3, 50_000)) is None

    row = site.books.session(site.number())
    assert (row["state"], row["authorization"], row["fee_minor"]) == ("ended", "", 0)


def test_a_card_that_nobody_knows_is_answered_and_the_next_one_does_not_pay_for_it(site: Site) -> None:
    site.tell(CABLE_FIRST[0])
    invalid = site.tell(Message("Updated", 1, 1, id_token="04BADBAD"))
    again = site.tell(Message("Updated", 1, 1, id_token="04BADBAD"))
    site.tell(Message("Ended", 2, 3, 50_500, id_token=CARD))

    assert invalid == again
    assert invalid is not None
    assert invalid.status == "Invalid"
    assert site.books.balance(site.rahima) == 90_000


def test_another_card_of_the_same_person_stops_it_and_is_told_the_group(site: Site) -> None:
    site.books.card("04E7F8A9", site.rahima)
    for message in CABLE_FIRST[:-1]:
        site.tell(message)
    answer = site.tell(replace(CABLE_FIRST[-1], id_token="04E7F8A9"))

    assert answer is not None
    assert (answer.accepted, answer.group_token) == (True, f"PERSON{site.rahima}")
    assert site.books.session(site.number())["id_token"] == CARD


def test_the_register_at_the_start_is_the_lowest_that_was_seen_if_it_was_not_told(site: Site) -> None:
    site.tell(Message("Started", 0, 0, id_token=CARD, evse=1))
    for message in (Message("Updated", 2, 20, 52_500), Message("Updated", 1, 10, 51_000)):
        site.tell(message)
    running = site.books.running(site.number())
    assert running is not None
    assert (running.meter_start_wh, running.energy_wh) == (51_000, 1_500)
    shown = board.all_running(site.books.db)[0]
    assert shown.energy_wh == 1_500

    site.tell(Message("Ended", 3, 30, 54_000))
    assert site.books.session(site.number())["energy_wh"] == 3_000


def test_two_transactions_of_a_clock_that_starts_anew_are_two_sessions(site: Site) -> None:
    for name in ("one", "two"):
        site.tell(Message("Started", 0, 0, 50_000, evse=1, id_token=CARD, transaction_id=name))
        site.tell(Message("Ended", 1, 10, 50_000 if name == "one" else 51_000, transaction_id=name))

    assert site.number("one") != site.number("two")
    assert site.books.session(site.number("two"))["energy_wh"] == 1_000


@pytest.mark.parametrize("late", [False, True], ids=["in order", "its start comes late"])
def test_what_flowed_before_it_began_is_told(site: Site, late: bool) -> None:
    for message in CABLE_FIRST:
        site.tell(message)
    following = [
        Message("Started", 0, 90, 57_000, evse=1, transaction_id="next"),
        Message("Updated", 1, 91, 57_200, evse=1, id_token=CARD, transaction_id="next"),
    ]
    for message in following[::-1] if late else following:
        site.tell(message)

    found = [one for one in problems.open_problems(site.books.db) if one.kind == "unbilled"]
    assert [(one.details["session"], one.details["energy_wh"]) for one in found] == [(site.number(), 3_000)]


def test_the_name_belongs_to_the_station_that_gave_it(site: Site) -> None:
    other = site.books.station("CS-02")
    site.tell(replace(CABLE_FIRST[0], id_token=CARD))
    seam.transaction_event(site.books.db, other, Message("Ended", 1, 10, 99_000, evse=1).told(site.books.now_ms))

    assert site.books.session(site.number())["state"] == "running"
    assert transactions.session_of(site.books.db, other, NAME) != site.number()


def test_meter_values_may_name_it_too(site: Site) -> None:
    site.tell(replace(CABLE_FIRST[0], id_token=CARD))
    reading = Reading(site.books.now_ms, energy_wh=50_700)
    metering.meter_read(site.books.db, site.station, MeterRead(NAME, 1, (reading,), site.books.now_ms))
    running = site.books.running(site.number())

    assert running is not None
    assert running.energy_wh == 700


def test_a_prepaid_one_is_stopped_before_the_money_runs_out_by_the_name_that_its_station_gave(site: Site) -> None:
    site.tell(replace(CABLE_FIRST[0], id_token=CARD))
    wanted, seq_no = "", 1
    while not wanted:
        site.tell(Message("Updated", seq_no, seq_no, 50_000 + seq_no * 800))
        wanted, seq_no = site.books.session(site.number())["stop_wanted"], seq_no + 1
        assert seq_no < 200
    site.tell(Message("Ended", seq_no, seq_no, 50_000 + seq_no * 800))

    assert wanted == "credit"
    assert transactions.ref_of(site.books.db, SessionId(site.number())) == NAME
    assert 0 <= site.books.balance(site.rahima) < 5_000


def test_a_number_that_we_gave_is_its_own_name(site: Site) -> None:
    ref = site.books.start(site.station, 1, CARD).ref

    assert transactions.session_of(site.books.db, site.station, ref) == ref
    assert transactions.ref_of(site.books.db, ref) == ref


# --- asked for from here ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cable_first", [True, False])
def test_a_start_that_was_asked_for_is_the_session_whether_or_not_the_cable_was_in(
    site: Site, cable_first: bool
) -> None:
    if cable_first:
        site.tell(CABLE_FIRST[0])
        site.tell(Message("Updated", 1, 1, 50_000))
    asked = start_requests.request_start(site.books.db, site.station, 1, site.books.by, person=site.karim, card=OTHER)
    for message in CABLE_FIRST if not cable_first else ():
        site.tell(replace(message, id_token=OTHER if message.id_token else ""))
    if cable_first:
        site.tell(Message("Updated", 2, 2, id_token=OTHER))
        site.tell(Message("Updated", 3, 20, 52_500))
        site.tell(Message("Ended", 4, 30, 54_000))

    row = site.books.session(int(asked.id))
    assert site.number() == asked.id
    assert (row["state"], row["energy_wh"], row["evse"], row["started_at_ms"]) == ("ended", 4_000, 1, NOON_MS)
    assert site.books.balance(site.karim) == -row["fee_minor"]
    assert len(session_list.page(site.books.db, session_list.Filter())) == 1


@pytest.mark.parametrize("token", ["VENDOR-CONSTANT", CARD])
def test_a_start_that_was_asked_for_is_it_under_a_name_of_the_stations_own_too(site: Site, token: str) -> None:
    asked = start_requests.request_start(site.books.db, site.station, 1, site.books.by, person=site.rahima)
    authorization = site.tell(Message("Started", 0, 121, 50_000, id_token=token, evse=1))

    assert authorization is not None
    assert (authorization.accepted, site.number()) == (True, asked.id)


def test_a_card_that_is_refused_does_not_charge_on(site: Site) -> None:
    site.tell(Message("Started", 0, 121, 50_000, id_token="NOBODYS", evse=1))
    site.tell(Message("Updated", 1, 122))
    assert running(site).stop_wanted == ""
    site.tell(Message("Updated", 2, 123, 50_200))
    assert running(site).stop_wanted == "refused"
    site.tell(Message("Ended", 3, 124, 50_300))

    session = site.books.session(site.number())
    assert (session["state"], session["energy_wh"], session["note"]) == ("review", 300, "nobody")


def running(site: Site) -> sessions.Running:
    """As the writer remembers it."""
    found = site.books.running(site.number())
    assert found is not None
    return found


def test_nobody_else_may_ask_for_a_place_where_somebody_charges(site: Site) -> None:
    site.tell(replace(CABLE_FIRST[0], id_token=CARD))
    with pytest.raises(Conflict):
        start_requests.request_start(site.books.db, site.station, 1, site.books.by, card=OTHER)


# --- any order, any repetition ---------------------------------------------------------------------------------------------

IN_ORDER = outcome(CABLE_FIRST)


def test_every_order_of_its_messages_ends_in_the_same_ledger() -> None:
    for messages in permutations(CABLE_FIRST):
        assert outcome(messages) == IN_ORDER, messages


def test_a_repeated_message_is_answered_the_same_and_writes_nothing(site: Site) -> None:
    answers = [site.tell(message) for message in CABLE_FIRST]
    site.books.db.flush()
    site.books.db.announcements.clear()
    changes = site.books.db.total_changes

    assert [site.tell(message) for message in CABLE_FIRST] == answers
    site.books.db.flush()
    assert (site.books.db.total_changes, site.books.db.announcements) == (changes, [])


def test_all_of_it_may_come_when_the_station_is_online_again_days_later(site: Site) -> None:
    site.books.wait(3 * 86_400)
    for message in CABLE_FIRST:
        site.tell(message)

    assert site.result() == IN_ORDER


def test_what_is_numbered_beyond_the_end_changes_nothing() -> None:
    beyond = Message("Updated", 9, 40, 99_000, id_token=OTHER)

    assert outcome([*CABLE_FIRST, beyond]) == IN_ORDER
    assert outcome([*CABLE_FIRST, beyond, beyond, Message("Ended", 10, 50, 99_999)]) == IN_ORDER


@pytest.mark.parametrize("lost", [2, 3])
def test_a_message_that_is_lost_keeps_nobody_waiting(lost: int) -> None:
    assert outcome([one for one in CABLE_FIRST if one.seq_no != lost]) == IN_ORDER


def test_an_end_that_comes_after_staff_have_ended_it_sets_the_bill_right(site: Site) -> None:
    for message in CABLE_FIRST[:3]:
        site.tell(message)
    closing.close_by_hand(site.books.db, SessionId(site.number()), site.books.by)
    assert site.books.session(site.number())["energy_wh"] == 1_000
    for message in reversed(CABLE_FIRST[3:]):
        site.tell(message)

    assert site.result() == IN_ORDER


TWO = (
    *CABLE_FIRST,
    *(
        replace(
            one,
            minute=one.minute + 40,
            meter_wh=None if one.meter_wh is None else one.meter_wh + 4_000,
            transaction_id="second",
            id_token=OTHER if one.id_token else "",
        )
        for one in CABLE_FIRST
    ),
)
TWO_IN_ORDER = outcome(TWO)


@st.composite
def histories(draw: st.DrawFn) -> list[Message | None]:
    """Two transactions, one after the other at one place, told in any order, with repetitions and restarts."""
    repeated = draw(st.lists(st.sampled_from(TWO), max_size=8))
    restarts: list[Message | None] = [None] * draw(st.integers(0, 3))
    return list(draw(st.permutations([*TWO, *repeated, *restarts])))


@given(histories())
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_and_repetition_of_two_transactions_ends_in_the_same_ledger(messages: list[Message | None]) -> None:
    assert outcome(messages) == TWO_IN_ORDER


@pytest.mark.soak
@given(histories())
@settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_ten_thousand_orders_end_in_the_same_ledger(messages: list[Message | None]) -> None:
    assert outcome(messages) == TWO_IN_ORDER


# --- numbers ---------------------------------------------------------------------------------------------------------------


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=8))
def test_in_whatever_order_numbers_come_each_is_new_once(numbers: list[int], again: list[int]) -> None:
    order = Order()
    for number in numbers:
        order, arrival = receive(order, number)
        assert arrival is Arrival.NEW
        for other in again:
            known = other < order.next_seq or other in order.beyond
            assert (receive(order, other)[1] is Arrival.REPEATED) == known

    assert order == Order(12)


def test_what_follows_the_end_is_told_apart_from_what_was_missing_before_it() -> None:
    order, _ = receive(Order(), 3, ends=True)

    assert [receive(order, number)[1] for number in (0, 3, 4)] == [Arrival.NEW, Arrival.REPEATED, Arrival.AFTER_END]
    assert receive(order, None)[1] is Arrival.NEW


def test_a_number_that_never_comes_is_not_waited_for_for_ever() -> None:
    order = Order()
    for number in range(1, BEYOND_MAX + 3):
        order, _ = receive(order, number)

    assert order == Order(BEYOND_MAX + 3)
