"""While money is stopped no way leads to the ledger: every place that writes a transfer is here, so that a new one is not forgotten."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import appliance
from appliance.db import ledger
from appliance.domain.approval import ApprovalKind
from appliance.domain.cash import Cash
from appliance.domain.desk_job import Advice, DeskJobState
from appliance.domain.identifiers import BatchId, VoucherId
from appliance.domain.reconciling import Difference, DifferenceKind
from appliance.services import settings
from appliance.services.approvals import approvals
from appliance.services.card_desk import forms as desk_forms
from appliance.services.card_desk import jobs, undo
from appliance.services.people import merge, pools
from appliance.services.people.pools import About, Own
from appliance.services.reconciling import stop
from appliance.services.reconciling.stop import MoneyStopped
from appliance.services.till import shifts
from appliance.services.till.shifts import Counterpart, Way
from appliance.services.vouchers import batches, vouchers
from appliance.services.wallets import form_bookings, wallets
from appliance.services.wallets import undo as top_up_undo
from appliance.services.wallets.form_bookings import NewPerson
from tests.support.books import Books
from tests.support.desk_fixture import DeskFixture
from tests.support.one_desk import Chip
from tests.support.staff import hired
from tests.support.vouchers import asked, printed

ROOT = Path(appliance.__file__).parent
UID, OTHER_UID = "04A1B2C3D4E580", "04A1B2C3D4E581"
KEY = "a-key-of-some-length"


@pytest.fixture(autouse=True)
def _owner(books: Books) -> None:
    hired(books, "owner")


class Site:
    """Everything that money can be moved with, made before it is stopped."""

    def __init__(self, books: Books, desk: DeskFixture) -> None:
        self.books, self.db, self.desk = books, books.db, desk
        self.person, self.other = books.person(paid_in=10_000), books.person("Karim", paid_in=500)
        self.pool = pools.add(self.db, About("Acme", books.group()), books.by)
        settings.change(self.db, "card_deposit_minor", "100")
        settings.change(self.db, "old_card_max_minor", "1000")
        self.chip = Chip(UID)
        self.job = desk.issued(self.chip, person=self.person, topup_minor=300)
        self.shift = shifts.open_shift(self.db, Cash(5_000, ((500, 10),)), books.by)
        _, (self.sold, self.unsold, self.late) = printed(books, 700)
        _, (self.gift, *_) = printed(books, 700, given_away=True)
        batch, (expired,) = printed(books, 700, count=1, expires_at_ms=books.now_ms + 1)
        for code in (self.sold, expired):
            vouchers.sell(self.db, asked(code), "cash", books.by)
        books.now_ms += 10
        batches.expire(self.db, books.now_ms)
        (self.expired,) = self.db.execute("SELECT id FROM voucher WHERE batch_id = ?", (batch,)).fetchone()
        self.receipt = wallets.top_up(self.db, self.person, 50, "cash", "undo-me", books.by).receipt or 0
        settings.change(self.db, "second_person_minor", "20000")
        self.approval = approvals.ask(
            self.db, ApprovalKind.TOPUP, self.person, 30_000, {"method": "card", "note": ""}, KEY, books.by
        ).id
        self.pool = pools.add(self.db, About("Acme", books.group()), books.by)
        self.manager = hired(books, "manager")

    def waits(self, begin: Callable[[], int], chip: Chip) -> None:
        """A job that was begun before money was stopped objects to the card."""
        stop.lift(self.db, "for a moment", self.books.by)
        job = begin()
        stopped(self.books, 2)
        self.desk.lay(chip)
        found = self.desk.job(job)
        assert (found.state, found.advice) == (DeskJobState.WAITING, Advice.MONEY_STOPPED)
        raise MoneyStopped("as a piece of advice")


def stopped(books: Books, number: int = 1) -> None:
    """Something differs."""
    stop.report(books.db, [Difference(DifferenceKind.VOUCHERS, 0, number, 0)], books.now_ms)


WAYS: dict[str, list[Callable[[Site], object]]] = {
    "wallets/wallets.pay_in": [
        lambda site: form_bookings.top_up(site.db, site.person, 100, "card", "", KEY, site.books.by),
        lambda site: form_bookings.take_in(
            site.db, NewPerson("New", site.books.group(), amount_minor=100), KEY, site.books.by
        ),
        lambda site: desk_forms.recharge_by_number(
            site.db, site.desk.card(site.chip).id, 100, "cash", KEY, site.books.by
        ),
        lambda site: approvals.approve(site.db, site.approval, site.manager),
        lambda site: approvals.ask(site.db, ApprovalKind.TOPUP, site.person, 30_000, {}, "another", site.books.by),
        lambda site: site.desk.begin(jobs.begin_recharge, 100, "cash"),
        lambda site: site.waits(lambda: site.desk.begin(jobs.begin_recharge, 100, "cash"), site.chip),
        lambda site: site.desk.begin(jobs.begin_issue, person=site.person),
    ],
    "wallets/wallets.pay_out": [
        lambda site: form_bookings.refund(site.db, site.person, 100, "card", "", KEY, site.books.by),
        lambda site: site.desk.begin(jobs.begin_decommission, rest=True),
        lambda site: site.waits(lambda: site.desk.begin(jobs.begin_decommission, rest=True), site.chip),
    ],
    "wallets/wallets.correct": [
        lambda site: form_bookings.correct(site.db, site.person, 100, "why", KEY, site.books.by),
        lambda site: form_bookings.correct(site.db, site.person, -100, "why", KEY, site.books.by),
    ],
    "wallets/undo.undo": [lambda site: top_up_undo.undo(site.db, site.receipt, site.books.by)],
    "people/merge.merge": [
        lambda site: merge.merge(site.db, site.other, site.person, KEY, site.books.by),
        lambda site: form_bookings.merge(site.db, site.other, site.person, KEY, site.books.by),
    ],
    "people/pools.join": [
        lambda site: pools.join(site.db, site.pool, site.other, Own.MOVED, KEY, site.books.by),
        lambda site: form_bookings.join_pool(site.db, site.pool, site.other, Own.MOVED, KEY, site.books.by),
    ],
    "card_desk/steps.take_money": [
        lambda site: site.desk.issue(person=site.other),
        lambda site: site.waits(lambda: site.desk.issue(person=site.other), Chip(OTHER_UID)),
    ],
    "card_desk/steps.give_back": [
        lambda site: site.desk.begin(jobs.begin_decommission, refund=True),
        lambda site: site.waits(lambda: site.desk.begin(jobs.begin_decommission, refund=True), site.chip),
    ],
    "card_desk/undo._money_back": [lambda site: undo.undo(site.db, site.job.id, site.books.by)],
    "old_cards.take_over": [
        lambda site: site.desk.begin(jobs.begin_taking_over, old_minor=100),
        lambda site: site.desk.issue(person=site.other, old=True, old_minor=100),
        lambda site: site.waits(lambda: site.desk.begin(jobs.begin_taking_over, old_minor=100), site.chip),
    ],
    "till/shifts.open_shift": [
        lambda site: shifts.open_shift(site.db, Cash(500, ((500, 1),)), hired(site.books, "cashier"))
    ],
    "till/shifts.move": [
        lambda site: shifts.move(site.db, site.shift.id, Way.IN, Counterpart.SAFE, 5, "", KEY, site.books.by),
        lambda site: shifts.move(site.db, site.shift.id, Way.OUT, Counterpart.SAFE, 5, "", KEY, site.books.by),
    ],
    "vouchers/vouchers.sell": [lambda site: vouchers.sell(site.db, asked(site.unsold), "cash", site.books.by)],
    "vouchers/vouchers.redeem": [
        lambda site: vouchers.redeem(site.db, asked(site.sold), site.person, site.books.by),
        lambda site: vouchers.redeem(site.db, asked(site.gift), site.person, site.books.by),
    ],
    "vouchers/vouchers.void": [lambda site: vouchers.void(site.db, asked(site.sold), "", site.books.by)],
    "vouchers/vouchers.write_off": [lambda site: vouchers.write_off(site.db, VoucherId(site.expired), site.books.by)],
}
"""Each function that books, and each way that leads to it."""
GOES_ON = {
    "till/shifts.close": "a drawer is counted, for that is what one wants to know then",
    "cards/cards.keep_deposit": "no money passes a hand: a deposit that is the site's is called so",
    "sessions/billing._hold": "cars that charge go on",
    "sessions/billing._resolve": "cars that charge go on",
    "sessions/billing._post": "cars that charge go on",
    "wallets/wallets.book": "it is where all others are stopped",
}


def booking() -> Iterator[str]:
    """Every function of services that calls one that writes a transfer."""
    for path in sorted((ROOT / "services").rglob("*.py")):
        name = str(path.relative_to(ROOT / "services").with_suffix(""))
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and ast.unparse(call.func) in ("ledger.transfer", "wallets.book", "book")
                for call in ast.walk(function)
            ):
                yield f"{name}.{function.name}"


def test_no_place_that_books_is_forgotten() -> None:
    assert set(booking()) == WAYS.keys() | GOES_ON.keys()
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "ledger.transfer(" in path.read_text() and path.parts[len(ROOT.parts)] != "services"
    ]
    assert elsewhere == []


@pytest.mark.parametrize("name", [f"{name}-{number}" for name, ways in WAYS.items() for number in range(len(ways))])
def test_every_way_is_refused_and_books_nothing(books: Books, desk: DeskFixture, name: str) -> None:
    place, _dash, number = name.rpartition("-")
    site = Site(books, desk)
    stopped(books)
    before = ledger.newest(books.db)[0]

    with pytest.raises(MoneyStopped):
        WAYS[place][int(number)](site)

    assert ledger.newest(books.db)[0] == before


def test_what_moves_no_money_goes_on(books: Books, desk: DeskFixture) -> None:
    site = Site(books, desk)
    stopped(books)
    settings.change(books.db, "card_deposit_minor", "0")
    desk.issued(Chip(OTHER_UID), person=site.other)
    batches.void_rest(books.db, BatchId(1), books.by)
    assert desk.card(Chip(OTHER_UID)).person_id == site.other
