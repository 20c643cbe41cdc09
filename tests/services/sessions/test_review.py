"""Sessions whose figures cannot be right: their money stays held, and is taken or given back when somebody has decided."""

from __future__ import annotations

import pytest

from appliance.db import audit, problems
from appliance.db.people import people
from appliance.db.sessions import sessions as rows
from appliance.domain.errors import Conflict, Refusal
from appliance.domain.events import TransactionEnded
from appliance.domain.identifiers import SessionId, StationId
from appliance.services.people import merge
from appliance.services.people import people as people_units
from appliance.services.sessions import billing, closing, review, stopping
from appliance.services.stations import admission
from appliance.services.wallets import wallets
from tests.support.books import ACTOR, Books

CARD, OTHER = "04A1B2C3", "04D4E5F6"


def impossible(books: Books, station: StationId, *, meter_wh: int = 499_000) -> SessionId:
    """A session that begins and ends in the same second, with 499 kWh."""
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, meter_wh)
    return started.ref


def open_problems(books: Books) -> list[str]:
    """Their kinds."""
    return [one.kind for one in problems.open_problems(books.db)]


@pytest.mark.parametrize(
    ("meter_start_wh", "meter_stop_wh", "why"),
    [(0, 499_000, "too_fast"), (0, 910_000_000, "too_much"), (5_000, 10, "registers")],
)
def test_what_cannot_be_right_is_not_billed_and_its_money_stays_held(
    books: Books, meter_start_wh: int, meter_stop_wh: int, why: str
) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=meter_start_wh)
    held = 50_000 - (books.available(rahima) or 0)
    books.stop(station, started.ref, meter_stop_wh)

    row = books.session(started.ref)
    assert (row["state"], row["note"], row["fee_minor"]) == ("review", why, 0)
    assert held > 0
    assert (books.balance(rahima), books.available(rahima)) == (50_000, 50_000 - held)
    assert open_problems(books) == ["review"]
    assert books.wrong() == []


def test_as_much_as_a_charger_can_give_is_billed(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=500_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    books.stop(station, started.ref, 66_666)

    assert books.session(started.ref)["state"] == "ended"


def test_a_bill_that_somebody_accepts_is_taken_out_of_what_is_held_first(books: Books) -> None:
    books.tariff(energy=2_000_000, tax=1_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = impossible(books, station, meter_wh=20_000)

    review.bill(books.db, session, books.by)

    row = books.session(session)
    assert (row["state"], row["net_minor"], row["tax_minor"], row["fee_minor"]) == ("ended", 40_000, 4_000, 44_000)
    assert books.balance(rahima) == books.available(rahima) == 6_000
    assert [(day.energy_wh, day.fees_minor) for day in books.days("2025-01-01", "2026-12-31")] == [(20_000, 44_000)]
    assert open_problems(books) == []
    (entry,) = audit.page(books.db, action="session.bill")
    assert (entry.actor, entry.subject) == (ACTOR, f"session:{session}")
    assert books.wrong() == []
    with pytest.raises(Conflict):
        review.bill(books.db, session, books.by)
    with pytest.raises(Conflict):
        review.acknowledge(books.db, session, books.by)


def test_what_the_wallet_cannot_give_is_the_loss_of_the_site(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = impossible(books, station)

    review.bill(books.db, session, books.by)

    assert books.balance(rahima) == 0
    overrun = books.db.execute("SELECT debit_posted FROM account WHERE kind = 'overrun'").fetchone()
    assert overrun == (998_000 - 50_000,)
    assert books.wrong() == []


def test_nothing_is_billed_and_all_is_given_back_when_somebody_says_so(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = impossible(books, station)

    review.acknowledge(books.db, session, books.by)

    assert (books.session(session)["state"], books.session(session)["fee_minor"]) == ("ended", 0)
    assert books.balance(rahima) == books.available(rahima) == 50_000
    assert open_problems(books) == []
    assert books.wrong() == []


def test_a_session_without_energy_has_nothing_to_bill(books: Books) -> None:
    books.tariff(energy=2_000_000, flat=500_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=5_000)
    books.stop(station, started.ref, 10)

    with pytest.raises(Conflict):
        review.bill(books.db, started.ref, books.by)
    review.acknowledge(books.db, started.ref, books.by)
    assert books.available(rahima) == 50_000


def test_an_account_without_limit_is_billed_though_nothing_was_held(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, taxi = books.station(), books.person("Green Taxi", group=books.group("postpaid"))
    books.card(CARD, taxi)
    session = impossible(books, station)
    assert books.balance(taxi) == 0

    review.bill(books.db, session, books.by)

    assert books.balance(taxi) == -998_000
    assert books.wrong() == []


def test_money_that_an_older_program_gave_back_is_billed_out_of_the_wallet(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = impossible(books, station, meter_wh=20_000)
    doubted = rows.load(books.db, session)
    assert doubted is not None
    billing.release(books.db, doubted, books.by)
    assert books.available(rahima) == 50_000
    assert books.wrong() == []

    review.bill(books.db, session, books.by)

    assert books.balance(rahima) == books.available(rahima) == 10_000
    assert books.wrong() == []


def test_a_hold_that_a_session_in_review_forgot_is_found(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = impossible(books, station)
    books.db.execute("UPDATE session SET slices = slices - 1 WHERE id = ?", (session,))

    assert "1 holds are open, but open sessions have 0" in books.wrong()
    books.db.execute("UPDATE session SET slices = slices + 1 WHERE id = ?", (session,))


def test_the_card_charges_again_while_its_session_is_in_review(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    impossible(books, station)
    books.wait(60)

    assert books.start(station, 1, CARD, meter_wh=499_000).authorization.accepted
    assert books.wrong() == []


def test_who_waits_for_a_look_does_not_leave_and_is_not_merged_nor_paid_out(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima, karim = books.station(), books.person(paid_in=50_000), books.person("Karim Ahmed")
    books.card(CARD, rahima)
    session = impossible(books, station)

    with pytest.raises(Refusal, match="still to be looked at"):
        merge.merge(books.db, rahima, karim, "m-1", books.by)
    with pytest.raises(Refusal, match="less than that"):
        wallets.refund(books.db, rahima, 50_000, "cash", "r-1", books.by)
    wallets.refund(books.db, rahima, books.available(rahima) or 0, "cash", "r-2", books.by)
    with pytest.raises(Refusal, match="still to be looked at"):
        people_units.close(books.db, rahima, books.by)

    review.acknowledge(books.db, session, books.by)
    wallets.refund(books.db, rahima, books.balance(rahima), "cash", "r-3", books.by)
    people_units.close(books.db, rahima, books.by)
    found = people.find(books.db, rahima)
    assert found is not None
    assert found.closed_at_ms is not None


@pytest.mark.parametrize(("meter_stop_wh", "why"), [(499_000, "too_fast"), (910_000_000, "too_much")])
def test_a_late_stop_that_cannot_be_right_leaves_the_estimate_billed_and_is_shown(
    books: Books, meter_stop_wh: int, why: str
) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    lost = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    books.read(station, lost.ref, 3_000)
    closing.close_by_hand(books.db, lost.ref, books.by)
    late = TransactionEnded(lost.ref, None, meter_stop_wh, books.now_ms, "Local", (), books.now_ms)
    stopping.transaction_ended(books.db, station, late)

    row = books.session(lost.ref)
    assert (row["state"], row["note"], row["energy_wh"], row["fee_minor"]) == ("review", why, 3_000, 6_000)
    assert books.balance(rahima) == books.available(rahima) == 44_000
    assert open_problems(books) == ["review"]
    assert books.wrong() == []
    stopping.transaction_ended(books.db, station, late)

    review.acknowledge(books.db, lost.ref, books.by)

    row = books.session(lost.ref)
    assert (row["state"], row["fee_minor"], row["estimated"]) == ("ended", 6_000, 0)
    assert books.balance(rahima) == books.available(rahima) == 44_000
    assert books.wrong() == []


def test_an_estimate_that_cannot_be_right_is_not_billed_either(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    lost = books.start(station, 1, CARD, meter_wh=0)
    books.wait(1)
    books.read(station, lost.ref, 400_000)
    closing.close_by_hand(books.db, lost.ref, books.by)

    assert (books.session(lost.ref)["state"], books.session(lost.ref)["note"]) == ("review", "too_fast")
    assert books.balance(rahima) == 50_000
    assert books.wrong() == []


@pytest.mark.parametrize("how", ["by hand", "retired"])
def test_what_is_ended_without_its_station_and_cannot_be_right_stays_a_problem(books: Books, how: str) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = books.start(station, 1, CARD, meter_wh=0).ref
    books.read(station, session, 700_000)

    if how == "by hand":
        closing.close_by_hand(books.db, session, books.by)
    else:
        admission.retire(books.db, station, books.by)

    assert books.session(session)["state"] == "review"
    assert open_problems(books) == ["review"]


def test_more_than_can_be_booked_is_refused_in_a_sentence_and_can_be_let_go(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=50_000)
    books.card(CARD, rahima)
    session = impossible(books, station, meter_wh=10**12)

    with pytest.raises(Conflict, match="So much cannot be billed"):
        review.bill(books.db, session, books.by)
    review.acknowledge(books.db, session, books.by)

    assert (books.balance(rahima), books.available(rahima)) == (50_000, 50_000)
    assert books.wrong() == []
