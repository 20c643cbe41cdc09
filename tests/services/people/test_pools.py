"""Pools: several people and cards on one wallet, their limits, and what becomes of everybody's own money."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.db import ledger
from appliance.db.integrity.figures import wrong_figures
from appliance.db.people import people as rows
from appliance.domain.bill import Party
from appliance.domain.by import By
from appliance.domain.cards.limits import Limits
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal, TooLittleMoney
from appliance.domain.identifiers import AccountId, PersonId, StationId
from appliance.domain.roles import Role
from appliance.domain.site import Site
from appliance.services import settings as site_settings
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.operators import tokens
from appliance.services.operators.authority import NotAllowed
from appliance.services.people import limits, people, pools
from appliance.services.people.pools import About, Own
from appliance.services.sessions import start_requests, starting
from appliance.services.wallets import buyers, form_bookings, receipts, undo, wallets
from tests.support.books import Books, open_books

CARDS = ("04A1B2C3", "04D4E5F6", "04E7F8A9")


def pool_of(books: Books, *uids: str, paid_in: int = 0, policy: str = "prepaid") -> tuple[PersonId, list[PersonId]]:
    """A pool of people with a card each."""
    group = books.group(policy)
    pool = pools.add(books.db, About("Acme", group, contact="Mrs Rahman", tax_number="BIN 000123"), books.by)
    found = []
    for uid in uids:
        person = books.person(f"Driver {uid}", group=group)
        books.card(uid, person)
        pools.join(books.db, pool, person, Own.KEPT, f"join-{uid}", books.by)
        found.append(person)
    if paid_in:
        wallets.top_up(books.db, pool, paid_in, "cash", "pool-1", books.by)
    return pool, found


def charge(
    books: Books, station: StationId, evse: int, uid: str, minutes: int, power_w: int = 6_000
) -> tuple[int, str]:
    """A session with a reading each minute, ended when the server wants; its number and why, "" if it was not."""
    started = books.start(station, evse, uid, meter_wh=0)
    meter_wh = 0
    for _ in range(minutes):
        books.wait(60)
        meter_wh += power_w // 60
        books.read(station, started.ref, meter_wh, power_w)
        if books.session(started.ref)["stop_wanted"]:
            break
    books.stop(station, started.ref, meter_wh, uid)
    row = books.session(started.ref)
    return int(started.ref), f"{row['stop_wanted']} {row['limited_by']}".strip()


# --- one wallet ------------------------------------------------------------------------------------------------------------


def test_everybody_in_a_pool_charges_from_its_wallet(books: Books) -> None:
    books.tariff()
    station = books.station()
    pool, (one, two) = pool_of(books, *CARDS[:2], paid_in=50_000)

    for evse, uid in ((1, CARDS[0]), (2, CARDS[1])):
        started = books.start(station, evse, uid)
        books.wait(600)
        books.stop(station, started.ref, 2_000, uid)

    assert [books.balance(person) for person in (pool, one, two)] == [46_000, 0, 0]
    assert (books.session(1)["person_id"], books.session(1)["pool_id"]) == (one, pool)
    assert not books.wrong()
    assert not wrong_figures(books.db)


def test_a_card_of_the_pool_itself_charges_from_its_wallet_too(books: Books) -> None:
    books.tariff()
    station = books.station()
    pool, _ = pool_of(books, paid_in=50_000)
    books.card(CARDS[2], pool)

    started = books.start(station, 1, CARDS[2])
    books.wait(600)
    books.stop(station, started.ref, 2_000, CARDS[2])

    assert books.balance(pool) == 48_000
    assert books.session(started.ref)["pool_id"] == pool
    assert not wrong_figures(books.db)


def test_how_the_pool_pays_holds_for_everybody_in_it(books: Books) -> None:
    books.tariff()
    station = books.station()
    pool, (one,) = pool_of(books, CARDS[0], policy="postpaid")

    started = books.start(station, 1, CARDS[0])
    books.wait(600)
    books.stop(station, started.ref, 2_000, CARDS[0])

    assert started.authorization.accepted
    assert (books.balance(pool), books.balance(one)) == (-2_000, 0)


def test_a_pool_costs_no_statement_more(books: Books) -> None:
    station = books.station()
    books.tariff()
    pool_of(books, CARDS[0], paid_in=5_000)
    starting.authorize(books.db, station, CARDS[0], books.now_ms)
    statements: list[str] = []
    books.db.set_trace_callback(statements.append)
    starting.authorize(books.db, station, CARDS[0], books.now_ms)
    books.db.set_trace_callback(None)

    assert len(statements) == 1


def test_staff_start_for_somebody_out_of_the_wallet_of_the_pool(books: Books) -> None:
    books.tariff()
    station = books.station()
    pool, (one,) = pool_of(books, CARDS[0], paid_in=5_000)

    running = start_requests.request_start(books.db, station, 1, By("console", books.now_ms), person=one)

    assert (running.pool, running.wallet) == (pool, people.need(books.db, pool).wallet)
    assert books.available(pool) == 4_000


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40_000),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 22_000), st.booleans()), min_size=1, max_size=80),
)
def test_several_cards_never_spend_the_same_money(
    tmp_path_factory: pytest.TempPathFactory, paid_in: int, steps: list[tuple[int, int, bool]]
) -> None:
    """Starts, readings and stops of three cards in any order: the wallet never holds less than is held or spent, and never less than nothing."""
    books = open_books(tmp_path_factory.mktemp("pool") / "site.sqlite")
    books.tariff()
    station = books.station(evses=3)
    pool, _ = pool_of(books, *CARDS, paid_in=paid_in)
    wallet = AccountId(people.need(books.db, pool).wallet)
    running: dict[int, int] = {}
    meters = [0, 0, 0]
    for card, power_w, stops in steps:
        books.wait(60)
        if card not in running:
            started = books.start(station, card + 1, CARDS[card], meters[card])
            if started.authorization.accepted:
                running[card] = started.ref
            else:
                books.stop(station, started.ref, meters[card], CARDS[card])
            continue
        meters[card] += power_w // 60
        books.read(station, running[card], meters[card], power_w)
        if stops or books.session(running[card])["stop_wanted"]:
            books.stop(station, running.pop(card), meters[card], CARDS[card])
        books.db.flush()
        balance, held = ledger.balance(books.db, wallet), ledger.held_minor(books.db, wallet)
        open_slices = sum(books.session(ref)["held_minor"] for ref in running.values())
        assert held == open_slices
        assert 0 <= held <= balance.balance_minor
    for card, ref in running.items():
        books.stop(station, ref, meters[card], CARDS[card])

    fees = books.db.execute("SELECT coalesce(sum(fee_minor), 0) FROM session").fetchone()[0]
    lost = -ledger.balance(books.db, AccountId(3)).balance_minor
    assert books.balance(pool) == paid_in - fees + lost
    assert not books.wrong()
    assert not wrong_figures(books.db)
    books.db.close()


# --- money in and out ------------------------------------------------------------------------------------------------------


def test_the_tax_number_of_a_pool_is_that_of_the_buyer_on_its_bills(books: Books) -> None:
    pool, _people = pool_of(books)
    assert buyers.of(books.db, pool) == Party("", "", "BIN 000123")

    buyers.change(books.db, pool, Party("Acme Ltd", "Banani", "BIN 7"), books.by)
    assert pools.need(books.db, pool).tax_number == "BIN 7"
    pools.change(books.db, pool, About("Acme", books.group("prepaid"), tax_number=" BIN  8 "), books.by)
    assert buyers.of(books.db, pool) == Party("Acme Ltd", "Banani", "BIN 8")


def test_what_is_paid_in_for_somebody_in_a_pool_is_the_pools_and_the_receipt_says_for_whom(books: Books) -> None:
    pool, (one,) = pool_of(books, CARDS[0])

    moved = form_bookings.top_up(books.db, one, 5_000, "cash", "", "form-1", books.by)
    again = form_bookings.top_up(books.db, one, 5_000, "cash", "", "form-1", books.by)

    assert (moved.balance_minor, again.repeated, again.balance_minor) == (5_000, True, 5_000)
    assert moved.receipt is not None
    receipt = receipts.need(books.db, moved.receipt)
    assert (receipt.person_id, receipt.balance_minor) == (pool, 5_000)
    assert receipt.details["person"] == "Acme"
    assert receipt.details["member"] == f"Driver {CARDS[0]}"
    assert receipt.details["tax_number"] == "BIN 000123"
    undo.undo(books.db, moved.receipt, books.by)
    assert (books.balance(pool), books.balance(one)) == (0, 0)
    assert not wrong_figures(books.db)


def test_nobody_in_a_pool_is_paid_out_of_it(books: Books) -> None:
    pool, (one,) = pool_of(books, CARDS[0], paid_in=5_000)

    with pytest.raises(TooLittleMoney) as refused:
        wallets.refund(books.db, one, 100, "cash", "out-1", books.by)
    assert refused.value.values["pool"] == "Acme"
    with pytest.raises(TooLittleMoney) as refused:
        wallets.correct(books.db, one, -100, "typed wrong", "out-2", books.by)
    assert refused.value.values["pool"] == "Acme"
    wallets.refund(books.db, pool, 5_000, "cash", "out-3", books.by)
    assert books.balance(pool) == 0


def test_a_pool_needs_a_second_person_as_anybody_does(books: Books) -> None:
    pool, (one,) = pool_of(books, CARDS[0], paid_in=5_000)
    site_settings.change(books.db, "second_person_minor", "1000")
    manager = By(f"token:{token(books, Role.MANAGER)}", books.now_ms)

    with pytest.raises(NeedsSecondPerson):
        wallets.refund(books.db, pool, 1_001, "cash", "out-1", manager)
    with pytest.raises(NeedsSecondPerson):
        wallets.correct(books.db, pool, 1_001, "typed wrong", "out-2", manager)
    with pytest.raises(NeedsSecondPerson):
        wallets.top_up(books.db, one, 1_001, "cash", "in-1", manager)
    wallets.refund(books.db, pool, 600, "cash", "out-4", manager)
    with pytest.raises(NeedsSecondPerson):
        wallets.top_up(books.db, one, 600, "cash", "in-2", manager)


# --- joining and leaving -----------------------------------------------------------------------------------------------------


def test_own_money_is_kept_or_moved_and_never_lost(books: Books) -> None:
    pool, _ = pool_of(books)
    group = people.need(books.db, pool).group_id
    keeps, moves = books.person("Keeps", group=group, paid_in=700), books.person("Moves", group=group, paid_in=300)

    assert pools.join(books.db, pool, keeps, Own.KEPT, "a", books.by) == 0
    assert pools.join(books.db, pool, moves, Own.MOVED, "b", books.by) == 300

    assert [books.balance(one) for one in (pool, keeps, moves)] == [300, 700, 0]
    assert [one.name for one in rows.members(books.db, pool)] == ["Keeps", "Moves"]
    wallets.refund(books.db, keeps, 100, "cash", "own", books.by)  # Their own is theirs.
    pools.leave(books.db, pool, keeps, books.by)
    pools.leave(books.db, pool, moves, books.by)
    assert [books.balance(one) for one in (pool, keeps, moves)] == [300, 600, 0]
    assert people.account_of(books.db, keeps).id == keeps
    assert not wrong_figures(books.db)


def test_who_has_left_pays_for_themselves_again(books: Books) -> None:
    books.tariff()
    station = books.station()
    pool, (one,) = pool_of(books, CARDS[0], paid_in=5_000)
    pools.leave(books.db, pool, one, books.by)

    assert starting.authorize(books.db, station, CARDS[0], books.now_ms).status == "NoCredit"
    wallets.top_up(books.db, one, 5_000, "cash", "own", books.by)
    started = books.start(station, 1, CARDS[0])
    books.stop(station, started.ref, 1_100, CARDS[0])
    assert (books.balance(pool), books.balance(one)) == (5_000, 4_800)


def test_nobody_joins_or_leaves_while_a_session_is_open(books: Books) -> None:
    books.tariff()
    station = books.station()
    pool, (one,) = pool_of(books, CARDS[0], paid_in=5_000)
    other = books.person("Other", group=people.need(books.db, pool).group_id, paid_in=5_000)
    books.card(CARDS[1], other)
    books.start(station, 1, CARDS[0])
    books.start(station, 2, CARDS[1])

    with pytest.raises(Refusal, match="session"):
        pools.leave(books.db, pool, one, books.by)
    with pytest.raises(Refusal, match="session"):
        pools.join(books.db, pool, other, Own.KEPT, "c", books.by)
    with pytest.raises(Refusal, match="session"):
        pools.close(books.db, pool, books.by)


def test_who_cannot_join_is_told_why(books: Books) -> None:
    pool, (one,) = pool_of(books, CARDS[0])
    group = people.need(books.db, pool).group_id
    second = pools.add(books.db, About("Family", group), books.by)
    owes = books.person("Owes", group=books.group("postpaid"))
    wallets.correct(books.db, owes, -500, "as agreed", "owes", books.by)
    gone = books.person("Gone", group=group)
    people.close(books.db, gone, books.by)

    for person, error in ((one, Conflict), (owes, Refusal), (gone, Refusal), (second, Invalid), (99, NotFound)):
        with pytest.raises(error):
            pools.join(books.db, pool, PersonId(person), Own.KEPT, f"no-{person}", books.by)
    with pytest.raises(NotFound):
        pools.join(books.db, one, gone, Own.KEPT, "no-pool", books.by)
    with pytest.raises(NotFound):
        pools.leave(books.db, second, one, books.by)


def test_other_terms_are_granted_by_a_manager(books: Books) -> None:
    pool, _ = pool_of(books, policy="postpaid")
    person = books.person("Karim", group=books.group("prepaid"))
    cashier = By(f"token:{token(books, Role.CASHIER)}", books.now_ms)

    with pytest.raises(NotAllowed):
        pools.join(books.db, pool, person, Own.KEPT, "d", cashier)
    pools.join(books.db, pool, person, Own.KEPT, "d", By(f"token:{token(books, Role.MANAGER)}", books.now_ms))


def test_who_pays_later_by_themselves_is_let_out_by_a_manager(books: Books) -> None:
    pool, _ = pool_of(books)
    person = books.person("Karim", group=books.group("postpaid"))
    pools.join(books.db, pool, person, Own.KEPT, "d", books.by)

    with pytest.raises(NotAllowed):
        pools.leave(books.db, pool, person, By(f"token:{token(books, Role.CASHIER)}", books.now_ms))
    pools.leave(books.db, pool, person, By(f"token:{token(books, Role.MANAGER)}", books.now_ms))


def test_a_pool_is_closed_when_it_is_empty_and_its_people_go_on_by_themselves(books: Books) -> None:
    pool, (one,) = pool_of(books, CARDS[0], paid_in=500)

    with pytest.raises(Refusal, match="not zero"):
        pools.close(books.db, pool, books.by)
    wallets.refund(books.db, pool, 500, "cash", "rest", books.by)
    pools.close(books.db, pool, books.by)

    assert people.need(books.db, pool).closed_at_ms is not None
    assert people.need(books.db, one).pool_id is None
    assert not wrong_figures(books.db)


# --- limits ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_pool", "limit", "word"),
    [
        (True, Limits(day_energy_wh=3_000), "pool:day_energy_wh"),
        (True, Limits(month_minor=6_000), "pool:month_minor"),
        (False, Limits(day_minor=6_000), "person:day_minor"),
        (False, Limits(month_energy_wh=3_000), "person:month_energy_wh"),
    ],
)
def test_sessions_stop_at_the_limit_of_a_person_and_of_a_pool(
    books: Books, of_pool: bool, limit: Limits, word: str
) -> None:
    books.tariff()
    station = books.station()
    pool, (one, _) = pool_of(books, *CARDS[:2], paid_in=5_000_000)
    limits.change(books.db, pool if of_pool else one, limit, books.by)

    assert charge(books, station, 1, CARDS[0], 20)[1] == ""
    session, why = charge(books, station, 1, CARDS[0], 60)

    assert why == f"limit {word}"
    used_wh = 2_000 + books.session(session)["energy_wh"]
    assert 2_700 <= used_wh <= 3_000
    refused = books.start(station, 1, CARDS[0])
    assert refused.authorization.status == "LimitReached" or used_wh < 3_000
    others = books.start(station, 2, CARDS[1]).authorization.status
    assert others == ("LimitReached" if of_pool and used_wh >= 3_000 else "Accepted")


def test_cards_that_charge_at_once_share_the_limit_of_their_pool(books: Books) -> None:
    books.tariff()
    station = books.station(evses=3)
    pool, _ = pool_of(books, *CARDS, paid_in=5_000_000)
    limits.change(books.db, pool, Limits(day_energy_wh=10_000), books.by)
    running = {evse: books.start(station, evse, uid, meter_wh=0).ref for evse, uid in enumerate(CARDS, start=1)}
    meters = dict.fromkeys(running, 0)
    chance = random.Random(7)
    while running:
        books.wait(20)
        for evse, ref in list(running.items()):
            if chance.random() < 0.33:
                meters[evse] += 22_000 * 60 // 3600
                books.read(station, ref, meters[evse], 22_000)
            if books.session(ref)["stop_wanted"]:
                books.stop(station, ref, meters[evse], CARDS[evse - 1])
                del running[evse]

    assert 7_000 <= sum(meters.values()) <= 10_000


def test_a_month_is_the_sites_calendar_month(books: Books) -> None:
    books.tariff()
    station = books.station()
    pool, _ = pool_of(books, CARDS[0], paid_in=5_000_000)
    limits.change(books.db, pool, Limits(month_energy_wh=3_000), books.by)
    charge(books, station, 1, CARDS[0], 60)
    refused = books.start(station, 1, CARDS[0], meter_wh=9_000)
    assert (refused.authorization.status, books.session(refused.ref)["limited_by"]) in {
        ("LimitReached", "pool:month_energy_wh"),
        ("Accepted", ""),
    }
    books.stop(station, refused.ref, 9_000, CARDS[0])

    books.wait(int(7.5 * 86_400))  # From noon of 23 November to midnight of 1 December in Dhaka, and no further.

    assert limits.so_far(books.db, pool, books.now_ms).month_energy_wh == 0
    assert books.start(station, 1, CARDS[0], meter_wh=9_000).authorization.accepted


def test_a_day_on_which_clocks_change_is_one_day(tmp_path: Path) -> None:
    books = open_books(tmp_path / "site.sqlite", Site("Hof", "EUR", 2, "Europe/Berlin", "en"))
    begun_ms = int(
        datetime(2026, 10, 24, 22, 30, tzinfo=UTC).timestamp() * 1000
    )  # 00:30 on the 25th, a day of 25 hours.
    books.tariff()
    station = books.station()
    pool, _ = pool_of(books, CARDS[0], paid_in=5_000_000)
    limits.change(books.db, pool, Limits(day_energy_wh=1_500), books.by)
    books.now_ms = begun_ms
    charge(books, station, 1, CARDS[0], 10)

    books.now_ms = begun_ms + 24 * 3_600_000  # 23:30 of the same day.
    assert limits.so_far(books.db, pool, books.now_ms).day_energy_wh == 1_000
    _, why = charge(books, station, 1, CARDS[0], 30)
    assert why == "limit pool:day_energy_wh"
    books.wait(3_600)
    assert limits.so_far(books.db, pool, books.now_ms).day_energy_wh == 0
    books.db.close()


def test_limits_that_make_no_sense_are_refused(books: Books) -> None:
    pool, _ = pool_of(books)
    for wrong, field in (
        (Limits(day_minor=0), "day_minor"),
        (Limits(month_energy_wh=10**9), "month_energy_wh"),
        (Limits(session_minor=5), "session_minor"),
        (Limits(weekdays=1), "weekdays"),
    ):
        with pytest.raises(Invalid) as refused:
            limits.change(books.db, pool, wrong, books.by)
        assert refused.value.field == field
    with pytest.raises(NotFound):
        limits.change(books.db, PersonId(99), Limits(), books.by)


def token(books: Books, role: Role) -> int:
    tokens.create_token(books.db, f"{role}", role, by=By("console", books.now_ms))
    return int(books.db.execute("SELECT max(id) FROM api_token").fetchone()[0])
