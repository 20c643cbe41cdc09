"""Bills: each session that costs something has one, numbered without gaps; what is billed anew is credited, and billed."""

from __future__ import annotations

import pytest

from appliance.db.engine.errors import IntegrityError
from appliance.db.wallets import bills
from appliance.db.wallets.bills import Paper
from appliance.domain.bill import BillKind, PaperTax, Party
from appliance.domain.pricing.lines import Terms
from appliance.domain.tariff import Tariff
from appliance.services import settings, tariffs
from appliance.services.sessions import closing, review
from tests.support.books import Books
from tests.support.price_lines import line, terms

UID = "04A1B2C3D4E5F6"


def charge(books: Books, energy_wh: int = 5_000, meter_wh: int = 1_000) -> int:
    """A session of half an hour."""
    station = books.station(f"CS-{books.now_ms}")
    started = books.start(station, 1, UID, meter_wh)
    books.wait(1800)
    books.stop(station, started.ref, meter_wh + energy_wh)
    return started.ref


def papers(books: Books, session: int) -> list[Paper]:
    books.db.flush()
    return bills.of_session(books.db, session)


def sums(found: list[Paper]) -> list[tuple[int, str, int, int, int, int | None]]:
    return [(one.number, str(one.kind), one.net_minor, one.tax_minor, one.total_minor, one.corrects) for one in found]


def test_a_session_that_costs_has_a_bill_with_all_that_the_law_asks_for(books: Books) -> None:
    settings.change(books.db, "seller_name", "Purbachal EV hub Ltd")
    settings.change(books.db, "seller_address", "Sector 4, Purbachal, Dhaka")
    settings.change(books.db, "seller_tax_number", "001234567-0101")
    books.tariff(2_000_000, time=1_000, tax=750)
    person = books.person(paid_in=100_000)
    books.card(UID, person)
    began_ms = books.now_ms
    session = charge(books)
    (paper,) = papers(books, session)
    row, said = books.session(session), paper.particulars
    assert (paper.number, paper.person, paper.total_minor) == (1, person, row["fee_minor"])
    assert said.seller == Party("Purbachal EV hub Ltd", "Sector 4, Purbachal, Dhaka", "001234567-0101")
    assert (said.person, said.meter_start_wh, said.meter_stop_wh) == ("Rahima Khatun", 1_000, 6_000)
    assert (said.started_at_ms, said.ended_at_ms, said.duration_s) == (began_ms, books.now_ms, 1800)
    assert [(one.kind, one.quantity, one.amount_minor) for one in said.lines] == [
        ("energy", 5_000, 10_000),
        ("time", 1800, 30),
    ]
    assert said.taxes == (PaperTax("", 750, 752),)


def test_names_on_a_bill_stay_what_they_were(books: Books) -> None:
    books.tariff()
    person = books.person(paid_in=100_000)
    wallet = books.db.execute("SELECT wallet_id FROM person WHERE id = ?", (person,)).fetchone()[0]
    bills.set_buyer(books.db, wallet, Party("Green Taxi Ltd", "Banani, Dhaka", "004567891-0202"))
    books.card(UID, person)
    session = charge(books)
    bills.set_buyer(books.db, wallet, Party())
    settings.change(books.db, "seller_name", "Somebody else")
    (paper,) = papers(books, session)
    assert paper.particulars.buyer == Party("Green Taxi Ltd", "Banani, Dhaka", "004567891-0202")
    assert paper.particulars.seller.name == "Test yard"


@pytest.mark.parametrize(
    ("included", "taxes"),
    [(False, (("vat", 750, 750), ("city", 150, 0))), (True, (("vat", 750, 698), ("city", 150, 0)))],
)
def test_each_tax_stands_under_its_code_and_together_they_are_the_tax(
    books: Books, included: bool, taxes: tuple[tuple[str, int, int], ...]
) -> None:
    made: Terms = terms(
        line("energy", 2_000, "vat"), line("idle_time", 50, "city"), taxes={"vat": "7.5", "city": "1.5"},
        tax_included=included,
    )  # fmt: skip
    tariffs.make_default(books.db, tariffs.add(books.db, Tariff(0, "lines", terms=made), books.by), books.by)
    books.card(UID, books.person(paid_in=100_000))
    (paper,) = papers(books, charge(books))
    said = paper.particulars
    assert [tuple(one) for one in said.taxes if one.tax_minor] == [one for one in taxes if one[2]]
    assert sum(one.tax_minor for one in said.taxes) == paper.tax_minor
    assert sum(one.amount_minor for one in said.lines) == (paper.total_minor if included else paper.net_minor)


def test_a_stop_that_comes_after_all_credits_the_bill_and_makes_another(books: Books) -> None:
    books.tariff(tax=750)
    books.card(UID, books.person(paid_in=100_000))
    station = books.station()
    started = books.start(station, 1, UID)
    books.wait(600)
    books.read(station, started.ref, 3_000)
    closing.close_by_hand(books.db, started.ref, books.by)
    books.wait(60)
    books.stop(station, started.ref, 3_500)
    assert sums(papers(books, started.ref)) == [
        (1, "bill", 4_000, 300, 4_300, None),
        (2, "credit_note", -4_000, -300, -4_300, 1),
        (3, "bill", 5_000, 375, 5_375, None),
    ]
    assert papers(books, started.ref)[0].corrected_by == 2
    standing = bills.standing(books.db, started.ref)
    assert standing is not None
    assert standing.number == 3


def test_a_late_stop_that_says_the_same_makes_no_paper(books: Books) -> None:
    books.tariff()
    books.card(UID, books.person(paid_in=100_000))
    station = books.station()
    started = books.start(station, 1, UID)
    books.wait(600)
    books.read(station, started.ref, 3_000)
    closing.close_by_hand(books.db, started.ref, books.by)
    books.stop(station, started.ref, 3_000)
    assert [one.number for one in papers(books, started.ref)] == [1]


def test_what_is_in_doubt_has_its_bill_when_somebody_has_decided(books: Books) -> None:
    books.tariff()
    books.card(UID, books.person(paid_in=100_000))
    station = books.station()
    started = books.start(station, 1, UID, 50_000)
    books.wait(600)
    books.read(station, started.ref, 54_000)
    books.stop(station, started.ref, 2_000_000)
    assert papers(books, started.ref) == []
    review.bill(books.db, started.ref, books.by, 4_000)
    (paper,) = papers(books, started.ref)
    assert (paper.kind, paper.total_minor, paper.particulars.energy_wh) == (BillKind.BILL, 8_000, 4_000)


def test_the_place_taken_after_the_session_is_on_another_bill(books: Books) -> None:
    books.tariff(idle=1_000)
    books.card(UID, books.person(paid_in=100_000))
    station = books.station()
    started = books.start(station, 1, UID)
    books.wait(600)
    books.status(station, 1, "Finishing")
    books.stop(station, started.ref, 2_000)
    assert sums(papers(books, started.ref)) == [(1, "bill", 2_000, 0, 2_000, None)]
    books.wait(300)
    books.status(station, 1, "Available")
    assert sums(papers(books, started.ref))[1:] == [
        (2, "credit_note", -2_000, 0, -2_000, 1),
        (3, "bill", 2_005, 0, 2_005, None),
    ]


def test_nothing_to_pay_no_bill_and_no_gap(books: Books) -> None:
    books.tariff()
    free = books.person("Nasrin", group=books.group("free"))
    books.card(UID, free)
    assert papers(books, charge(books)) == []
    books.card("04FFFFFF", books.person("Karim", paid_in=100_000))
    station = books.station("CS-99")
    started = books.start(station, 1, "04FFFFFF")
    books.wait(600)
    books.stop(station, started.ref, 2_000)
    assert [one.number for one in papers(books, started.ref)] == [1]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE bill SET total_minor = 0",
        "DELETE FROM bill",
        "INSERT INTO bill SELECT 9, kind, at_ms, session_id, wallet_id, person_id, net_minor, tax_minor, total_minor, corrects, details FROM bill",
    ],
)
def test_bills_never_change_and_leave_no_gap(books: Books, sql: str) -> None:
    books.tariff()
    books.card(UID, books.person(paid_in=100_000))
    charge(books)
    books.db.flush()
    with pytest.raises(IntegrityError):
        books.db.execute(sql)
