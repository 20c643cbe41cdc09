"""Statements: what happened in a month, numbered once it is over, and never changed by what comes later."""

from __future__ import annotations

import pytest

from appliance.db.statements import statements as rows
from appliance.db.wallets import bills
from appliance.domain import statement as rules
from appliance.domain.bill import Party
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.identifiers import AccountId, GroupId, PersonId
from appliance.domain.statement import Section, Settled
from appliance.services import settings
from appliance.services.people import people as people_units
from appliance.services.people import pools
from appliance.services.people.pools import About, Own
from appliance.services.sessions import closing
from appliance.services.statements import issuing, statements
from appliance.services.statements.statements import Statement
from appliance.services.wallets import buyers, wallets
from tests.support.books import SITE, Books

UID = "04A1B2C3D4E5F6"
NOVEMBER, DECEMBER = "2025-11", "2025-12"
DAY_S = 86_400


def issue_due(books: Books) -> None:
    """What the clock does."""
    issuing.begin(books.db, books.now_ms)
    while (month := issuing.due(books.db, books.now_ms)) is not None:
        issuing.issue(books.db, month, issuing.wallets_of(books.db, month), books.now_ms)
        issuing.finish(books.db, month)


def until_after(books: Books, month: str) -> None:
    books.now_ms = rules.month_bounds(month, SITE.zone)[1] + issuing.AFTER_MS


def charge(books: Books, energy_wh: int = 5_000, uid: str = UID) -> int:
    station = books.station(f"CS-{books.now_ms}-{uid}")
    started = books.start(station, 1, uid)
    books.wait(1800)
    books.stop(station, started.ref, 1_000 + energy_wh)
    return started.ref


def read(books: Books, person: PersonId, month: str) -> Statement:
    books.db.flush()
    return statements.of_person(books.db, person, month, books.now_ms)


def figures(one: Statement) -> tuple[int | None, int, tuple[int, ...], int]:
    return one.number, one.before_minor, tuple(one.sums), one.after_minor


def on_account(books: Books) -> PersonId:
    """Somebody who pays later."""
    person = books.person("Green Taxi", group=books.group("postpaid", 1_000_000))
    books.card(UID, person)
    return person


def test_a_month_that_runs_says_so_and_has_no_number(books: Books) -> None:
    books.tariff()
    person = books.person(paid_in=100_000)
    books.card(UID, person)
    session = charge(books)
    issue_due(books)
    found = read(books, person, NOVEMBER)
    assert figures(found) == (None, 0, (-10_000, 100_000, 0, 0), 90_000)
    assert found.runs
    assert found.until_ms == books.now_ms
    assert [(one.section, one.session) for one in found.entries] == [
        (Section.TOPUPS, None),
        (Section.SESSIONS, session),
    ]


def test_when_it_is_over_each_wallet_that_moved_has_a_number_without_gaps(books: Books) -> None:
    books.tariff()
    moved = [books.person(f"Person {number}", paid_in=1_000) for number in range(3)]
    still = books.person("Still")
    issue_due(books)
    until_after(books, NOVEMBER)
    books.now_ms -= 1
    issue_due(books)
    assert read(books, moved[0], NOVEMBER).number is None
    books.now_ms += 1
    for _ in range(2):
        issue_due(books)
    assert [read(books, person, NOVEMBER).number for person in moved] == [1, 2, 3]
    assert figures(read(books, still, NOVEMBER)) == (None, 0, (0, 0, 0, 0), 0)
    assert rows.issued_until(books.db) == NOVEMBER


def test_months_without_power_are_made_up_for_in_order(books: Books) -> None:
    person = books.person(paid_in=1_000)
    issue_due(books)
    until_after(books, NOVEMBER)
    wallets.top_up(books.db, person, 300, "cash", "december", books.by)
    until_after(books, "2026-02")
    issue_due(books)
    assert figures(read(books, person, NOVEMBER)) == (1, 0, (0, 1_000, 0, 0), 1_000)
    assert figures(read(books, person, DECEMBER)) == (2, 1_000, (0, 300, 0, 0), 1_300)
    assert figures(read(books, person, "2026-01")) == (None, 1_300, (0, 0, 0, 0), 1_300)
    assert rows.issued_until(books.db) == "2026-02"


def test_what_was_before_statements_were_numbered_is_shown_without_a_number(books: Books) -> None:
    person = books.person(paid_in=1_000)
    until_after(books, NOVEMBER)
    issue_due(books)
    wallets.refund(books.db, person, 400, "cash", "back", books.by)
    assert figures(read(books, person, NOVEMBER)) == (None, 0, (0, 1_000, 0, 0), 1_000)
    assert figures(read(books, person, DECEMBER)) == (None, 1_000, (0, 0, -400, 0), 600)


def test_a_correction_is_in_the_month_in_which_it_is_made_and_the_old_statement_stays(books: Books) -> None:
    books.tariff(tax=750)
    person = books.person(paid_in=100_000)
    books.card(UID, person)
    issue_due(books)
    station = books.station()
    started = books.start(station, 1, UID)
    books.wait(600)
    books.read(station, started.ref, 3_000)
    closing.close_by_hand(books.db, started.ref, books.by)
    until_after(books, NOVEMBER)
    issue_due(books)
    before = read(books, person, NOVEMBER)
    people_units.change(
        books.db, person, books.by, name="Another name", phone="", note="", language="", group=_group(books, person)
    )
    books.stop(station, started.ref, 3_500)
    assert read(books, person, NOVEMBER) == before
    assert before.names.person == "Rahima Khatun"
    after = read(books, person, DECEMBER)
    assert figures(after) == (None, 95_700, (0, 0, 0, -1_075), 94_625)
    assert [(one.section, one.session) for one in after.entries] == [(Section.CORRECTIONS, started.ref)]


def test_what_is_booked_late_into_a_month_is_in_the_next_statement(books: Books) -> None:
    person = books.person(paid_in=1_000)
    issue_due(books)
    begin_ms, end_ms = rules.month_bounds(DECEMBER, SITE.zone)
    issuing.issue(books.db, NOVEMBER, [_wallet(books, person)], begin_ms)
    books.now_ms = begin_ms - 1
    wallets.top_up(books.db, person, 50, "cash", "late", books.by)
    books.now_ms = end_ms - 1
    assert figures(read(books, person, NOVEMBER)) == (1, 0, (0, 1_000, 0, 0), 1_000)
    assert figures(read(books, person, DECEMBER)) == (None, 1_000, (0, 50, 0, 0), 1_050)


def test_who_pays_later_is_asked_for_what_they_owe_and_pays_the_oldest_first(books: Books) -> None:
    settings.change(books.db, "statement_due_days", "10")
    books.tariff()
    person = on_account(books)
    issue_due(books)
    charge(books)
    until_after(books, NOVEMBER)
    issue_due(books)
    issued = read(books, person, NOVEMBER)
    assert (issued.after_minor, issued.state) == (-10_000, Settled.OPEN)
    assert issued.due_at_ms == books.now_ms + 10 * DAY_S * 1000
    charge(books)
    wallets.top_up(books.db, person, 4_000, "bank", "one", books.by)
    part = read(books, person, NOVEMBER)
    assert (part.state, part.paid_since_minor) == (Settled.PART, 4_000)
    until_after(books, DECEMBER)
    issue_due(books)
    assert read(books, person, NOVEMBER).state is Settled.OVERDUE
    wallets.top_up(books.db, person, 6_000, "bank", "two", books.by)
    assert [read(books, person, month).state for month in (NOVEMBER, DECEMBER)] == [Settled.SETTLED, Settled.PART]
    wallets.top_up(books.db, person, 10_000, "bank", "three", books.by)
    assert read(books, person, DECEMBER).state is Settled.SETTLED


def test_nobody_who_pays_beforehand_is_asked_for_anything(books: Books) -> None:
    person = books.person(paid_in=1_000)
    issue_due(books)
    until_after(books, NOVEMBER)
    issue_due(books)
    assert (read(books, person, NOVEMBER).due_at_ms, read(books, person, NOVEMBER).state) == (None, Settled.NOTHING_DUE)


def test_a_group_has_the_statements_of_those_who_were_in_it(books: Books) -> None:
    books.tariff()
    person = on_account(books)
    group = _group(books, person)
    issue_due(books)
    charge(books)
    until_after(books, NOVEMBER)
    issue_due(books)
    people_units.change(
        books.db, person, books.by, name="Green Taxi", phone="", note="", language="", group=books.group("postpaid")
    )
    assert [one.number for one in rows.of_month(books.db, NOVEMBER, group)] == [1]
    assert [one.number for one in rows.of_month(books.db, NOVEMBER)] == [1]
    assert rows.of_month(books.db, NOVEMBER, GroupId(group + 1)) == []


def test_it_is_made_out_to_the_buyer_of_that_time(books: Books) -> None:
    settings.change(books.db, "seller_name", "Purbachal EV hub Ltd")
    person = books.person(paid_in=1_000)
    buyers.change(books.db, person, Party(" Green  Taxi Ltd ", "Banani", "0045"), books.by)
    issue_due(books)
    until_after(books, NOVEMBER)
    issue_due(books)
    buyers.change(books.db, person, Party(), books.by)
    assert bills.buyer_of(books.db, _wallet(books, person)) == Party()
    names = read(books, person, NOVEMBER).names
    assert (names.seller.name, names.buyer) == ("Purbachal EV hub Ltd", Party("Green Taxi Ltd", "Banani", "0045"))


@pytest.mark.parametrize("month", ["", "2025-13", "november", "2025-11-01", "2026-01", "9999-99"])
def test_a_month_that_is_none_or_has_not_begun_is_refused_in_a_sentence(books: Books, month: str) -> None:
    person = books.person()
    with pytest.raises(Invalid):
        read(books, person, month)


def test_of_nobody_there_is_none(books: Books) -> None:
    with pytest.raises(NotFound):
        read(books, PersonId(99), NOVEMBER)


def test_all_months_together_are_the_ledger_whatever_is_issued(books: Books) -> None:
    books.tariff(tax=500)
    person = books.person(paid_in=500_000)
    books.card(UID, person)
    issue_due(books)
    for month in range(6):
        for _ in range(3):
            charge(books, 3_000 + month)
            books.wait(DAY_S)
        wallets.top_up(books.db, person, 1_000 + month, "cash", f"of {month}", books.by)
        books.wait(25 * DAY_S)
        if month % 2:
            issue_due(books)
    months = [rules.moved(NOVEMBER, number) for number in range(7)]
    found = [read(books, person, month) for month in months if month <= rules.month_of(books.now_ms, SITE.zone)]
    assert found[0].before_minor == 0
    assert [one.before_minor for one in found[1:]] == [one.after_minor for one in found[:-1]]
    assert found[-1].after_minor == books.balance(person)
    assert [one.number for one in found if one.number] == list(
        range(1, sum(one.number is not None for one in found) + 1)
    )
    for one in found:
        assert one.before_minor + one.sums.total == one.after_minor


def _wallet(books: Books, person: PersonId) -> AccountId:
    return AccountId(books.db.execute("SELECT wallet_id FROM person WHERE id = ?", (person,)).fetchone()[0])


def _group(books: Books, person: PersonId) -> GroupId:
    return GroupId(books.db.execute("SELECT group_id FROM person WHERE id = ?", (person,)).fetchone()[0])


def test_a_pool_has_the_statement_of_its_wallet_and_says_who_has_charged(books: Books) -> None:
    books.tariff()
    pool = pools.add(
        books.db, About("Green Taxi Ltd", books.group("postpaid", 1_000_000), tax_number="004567891-0202"), books.by
    )
    people = [books.person(name, group=_group(books, pool)) for name in ("Rahima", "Karim")]
    for person, uid in zip(people, (UID, "04B1B2C3"), strict=True):
        pools.join(books.db, pool, person, Own.KEPT, f"join-{person}", books.by)
        books.card(uid, person)
    issue_due(books)
    sessions = [charge(books), charge(books, uid="04B1B2C3")]
    until_after(books, NOVEMBER)
    issue_due(books)
    books.db.flush()
    shown = statements.read(books.db, pool, NOVEMBER, books.now_ms)
    assert figures(shown.statement) == (1, 0, (-20_000, 0, 0, 0), -20_000)
    assert [shown.sessions[one].person for one in sessions] == ["Rahima", "Karim"]
    assert shown.statement.names.buyer == Party("Green Taxi Ltd", "", "004567891-0202")
    assert shown.statement.state is Settled.OPEN
    assert read(books, people[0], NOVEMBER).entries == []
    paper = bills.standing(books.db, sessions[0])
    assert paper is not None
    assert (paper.particulars.person, paper.particulars.buyer.name) == ("Rahima", "Green Taxi Ltd")
