"""With how much a session may begin, emergency credit, who owes since when, and whose money is running low."""

from __future__ import annotations

import pytest

from appliance.db import ledger
from appliance.db.integrity.figures import wrong_figures
from appliance.domain.errors import Invalid, Refusal, TooLittleMoney
from appliance.domain.identifiers import AccountId, GroupId, PersonId, StationId
from appliance.services import settings
from appliance.services.people import groups, people, pools, readiness
from appliance.services.people.groups import Thresholds
from appliance.services.people.pools import About, Own
from appliance.services.people.readiness import Missing
from appliance.services.sessions import starting
from appliance.services.wallets import notices, receipts, wallets
from tests.support.books import Books

CARD = "04A1B2C3"


def lent(books: Books, *, minimum: int | None = None, emergency: int = 0, low: int | None = None) -> GroupId:
    """A group that pays beforehand, with these thresholds."""
    return groups.add(books.db, "Lent", "prepaid", books.by, thresholds=Thresholds(minimum, emergency, low))


def somebody(books: Books, group: GroupId, paid_in: int = 0) -> tuple[PersonId, StationId]:
    """Rahima with a card, at 20.00 a kilowatt-hour."""
    books.tariff()
    person = books.person(group=group, paid_in=paid_in)
    books.card(CARD, person)
    return person, books.station()


def charge(books: Books, station: StationId, minutes: int) -> int:
    """A session at 6 kW with a reading each minute, ended when the server wants; its number."""
    started = books.start(station, 1, CARD, meter_wh=0)
    assert started.authorization.accepted
    meter_wh = 0
    for _ in range(minutes):
        books.wait(60)
        meter_wh += 100
        books.read(station, started.ref, meter_wh, 6_000)
        if books.session(started.ref)["stop_wanted"]:
            break
    books.stop(station, started.ref, meter_wh, CARD)
    return int(started.ref)


def shown(books: Books, station: StationId) -> str:
    return str(starting.authorize(books.db, station, CARD, books.now_ms).status)


def test_a_group_has_a_minimum_of_its_own(books: Books) -> None:
    settings.change(books.db, "minimum_minor", "100")
    person, station = somebody(books, lent(books, minimum=500), paid_in=499)
    assert shown(books, station) == "NoCredit"
    wallets.top_up(books.db, person, 1, "cash", "more", books.by)
    assert shown(books, station) == "Accepted"


def test_a_session_begins_on_emergency_credit_once_until_it_is_paid_in_again(books: Books) -> None:
    person, station = somebody(books, lent(books, emergency=5_000))
    assert (books.available(person), shown(books, station)) == (0, "Accepted")
    assert readiness.missing(books.db, person, books.now_ms) is Missing.NOTHING

    charge(books, station, 300)

    assert -5_000 <= books.balance(person) < -3_000
    assert shown(books, station) == "NoCredit"
    assert readiness.missing(books.db, person, books.now_ms) is Missing.MONEY
    wallets.top_up(books.db, person, -books.balance(person) - 1, "cash", "part", books.by)
    assert shown(books, station) == "NoCredit"
    wallets.top_up(books.db, person, 1, "cash", "rest", books.by)
    assert (books.balance(person), shown(books, station)) == (0, "Accepted")
    assert not books.wrong()
    assert not wrong_figures(books.db)


def test_two_cards_do_not_begin_on_one_emergency_credit(books: Books) -> None:
    group = lent(books, emergency=5_000)
    books.tariff()
    station = books.station()
    pool = pools.add(books.db, About("Acme", group), books.by)
    for uid in (CARD, "04D4E5F6"):
        driver = books.person(f"Driver {uid}", group=group)
        books.card(uid, driver)
        pools.join(books.db, pool, driver, Own.KEPT, uid, books.by)

    assert books.start(station, 1, CARD).authorization.accepted
    assert books.start(station, 2, "04D4E5F6").authorization.status == "NoCredit"


def test_nothing_but_a_session_takes_emergency_credit(books: Books) -> None:
    person, _ = somebody(books, lent(books, emergency=5_000), paid_in=100)
    with pytest.raises(TooLittleMoney):
        wallets.refund(books.db, person, 101, "cash", "out", books.by)
    with pytest.raises(TooLittleMoney):
        wallets.correct(books.db, person, -101, "typed wrong", "out", books.by)


def test_credit_that_is_used_is_not_taken_away(books: Books) -> None:
    group = lent(books, emergency=5_000)
    person, station = somebody(books, group)
    charge(books, station, 300)
    with pytest.raises(Refusal):
        groups.change(books.db, group, "Lent", "prepaid", books.by, thresholds=Thresholds())
    groups.change(books.db, group, "Lent", "prepaid", books.by, thresholds=Thresholds(emergency_minor=9_000))
    wallet = AccountId(people.need(books.db, person).wallet)
    assert ledger.balance(books.db, wallet).available_minor == 9_000 + books.balance(person)


def test_emergency_credit_is_for_who_pays_beforehand(books: Books) -> None:
    with pytest.raises(Invalid):
        groups.add(books.db, "Taxis", "postpaid", books.by, thresholds=Thresholds(emergency_minor=1))
    for wrong in (Thresholds(minimum_minor=0), Thresholds(emergency_minor=-1), Thresholds(low_minor=-1)):
        with pytest.raises(Invalid):
            groups.add(books.db, "Lent", "prepaid", books.by, thresholds=wrong)


def test_a_top_up_pays_what_is_owed_first_and_the_receipt_says_so(books: Books) -> None:
    person, station = somebody(books, lent(books, emergency=5_000))
    charge(books, station, 300)
    owed_minor = -books.balance(person)

    booked = wallets.top_up(books.db, person, 50_000, "cash", "pays", books.by)

    assert booked.receipt is not None
    assert receipts.need(books.db, booked.receipt).details["debt_minor"] == owed_minor
    again = wallets.top_up(books.db, person, 100, "cash", "more", books.by)
    assert again.receipt is not None
    assert "debt_minor" not in receipts.need(books.db, again.receipt).details


def test_who_owes_is_listed_with_since_when_the_most_first(books: Books) -> None:
    group = books.group("postpaid")
    little, much = books.person("Little", group=group), books.person("Much", group=group, paid_in=700)
    wallets.correct(books.db, much, -900, "as agreed", "c1", books.by)  # Owes 200 from here on.
    since_ms = books.now_ms
    books.wait(3600)
    wallets.correct(books.db, little, -50, "as agreed", "c2", books.by)
    wallets.top_up(books.db, much, 100, "cash", "part", books.by)
    wallets.correct(books.db, much, -300, "as agreed", "c3", books.by)

    found = notices.to_call(books.db).debts

    assert [(one.person.name, one.amount_minor, one.since_ms) for one in found] == [
        ("Much", 400, since_ms),
        ("Little", 50, since_ms + 3_600_000),
    ]


def test_whose_money_is_running_low_is_listed_by_the_threshold_of_group_or_site(books: Books) -> None:
    own, sites = lent(books, low=1_000), books.group()
    for name, group, paid_in, uid in (
        ("Below own", own, 999, "01"),
        ("At own", own, 1_000, "02"),
        ("Below the site's", sites, 299, "03"),
        ("At the site's", sites, 300, "04"),
        ("Without a card", sites, 5, ""),
        ("Never paid in", sites, 0, "05"),
    ):
        person = books.person(name, group=group, paid_in=paid_in)
        if uid:
            books.card(f"04A1B2{uid}", person)
    settings.change(books.db, "low_balance_minor", "300")

    assert [one.name for one in notices.to_call(books.db).low] == ["Below the site's", "Below own"]
    settings.change(books.db, "low_balance_minor", "0")
    assert [one.name for one in notices.to_call(books.db).low] == ["Below own"]
