"""Old cards come along: each is booked once, whatever is pulled when, and copies are named."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from appliance.db import old_cards as rows
from appliance.db import problems
from appliance.db.old_cards import OldState
from appliance.db.reconciling.rows import Sums
from appliance.domain.by import By
from appliance.domain.cards.old_value import OldLayout, read_layout
from appliance.domain.cards.tag import AnyWork, ClearOld, Kind, ReadOld, Seen, Trouble
from appliance.domain.desk_job import Advice, DeskJobState
from appliance.domain.errors import Conflict, Invalid
from appliance.domain.identifiers import PersonId
from appliance.domain.ledger import OLD_CARDS
from appliance.domain.problem import ProblemKind
from appliance.services import old_cards, settings
from appliance.services.card_desk import forms, jobs, taps, undo
from appliance.services.card_desk.taps import DeskKey
from appliance.services.operators.authority import NotAllowed
from appliance.services.reconciling.reconciling import reconcile
from appliance.services.wallets import receipts
from tests.support.books import SECRET, Books
from tests.support.staff import hired
from tests.support.vouchers import VAULT

DESK = "desk"
KEY = DeskKey(SECRET, "http://10.0.0.1:8081/card/", VAULT)
LAYOUT = "block=8 key=B form=value unit=100"
OLD_KEY = bytes.fromhex("A0A1A2A3A4A5")
CAP = 50_000


@dataclass(slots=True)
class OldChip:
    """A card of the earlier system in somebody's hand, and what stands on it."""

    uid: str
    minor: int
    key: bytes = OLD_KEY
    broken: bool = field(default=False)

    def obey(self, work: AnyWork) -> Seen:
        assert isinstance(work, ReadOld | ClearOld)
        assert work.layout == read_layout(LAYOUT)
        if work.key != self.key:
            raise Torn(Trouble.LOCKED)
        if isinstance(work, ClearOld):
            self.minor = 0
        return self.seen(self.minor)

    def seen(self, old_minor: int | None = None) -> Seen:
        return Seen(self.uid, Kind.CLASSIC, old_minor=old_minor)


class Torn(Exception):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class Counter:
    """A desk that takes old cards over, and a card that may be pulled away at every step."""

    def __init__(self, books: Books) -> None:
        self.books, self.db = books, books.db

    def begin(self, person: PersonId | None = None, **more: object) -> int:
        name = (
            {}
            if person is not None
            else {"name": f"Holder {len(self.db.execute('SELECT 1 FROM person').fetchall())}", "group": 1}
        )
        job = jobs.begin_issue(self.db, DESK, self.books.by, person=person, old=True, **name, **more)  # type: ignore[arg-type]
        self.db.flush()
        return job

    def lay(self, chip: OldChip, pull_at: int = 99) -> None:
        """Lay it; it is pulled away before the step of that number: 0 before the balance is read, 1 before it is booked, 2 before
        it is taken off, 3 before that is told.
        """
        steps = iter(range(99))
        seen: Seen | None = chip.seen()
        while seen is not None:
            plan = taps.tapped(self.db, DESK, seen, KEY, self.books.now_ms)
            self.db.flush()
            seen = None
            if plan.work is None or next(steps) == pull_at:
                self.failed(plan.card)
                return
            try:
                looked = chip.obey(plan.work)
            except Torn as torn:
                if plan.card is None:
                    taps.not_read(self.db, DESK, torn.trouble, self.books.now_ms)
                self.failed(plan.card)
                return
            if next(steps) == pull_at:
                self.failed(plan.card)
                return
            if plan.card is None:
                seen = looked
            else:
                taps.written(self.db, plan.card, self.books.now_ms)

    def failed(self, card: int | None) -> None:
        if card is not None:
            taps.failed(self.db, card, Trouble.TORN, self.books.now_ms)  # type: ignore[arg-type]
        self.db.flush()

    def row(self, uid: str) -> rows.OldCard | None:
        return rows.find(self.db, uid)

    def booked_minor(self) -> int:
        (minor,) = self.db.execute(
            "SELECT debit_posted - credit_posted FROM account WHERE id = ?", (OLD_CARDS,)
        ).fetchone()
        return int(minor)


@pytest.fixture(name="counter")
def _counter(books: Books) -> Counter:
    hired(books, "owner")
    books.group()
    settings.change(books.db, "old_card_max_minor", str(CAP))
    settings.change(books.db, "old_card_layout", LAYOUT)
    old_cards.set_key(books.db, VAULT, OLD_KEY.hex(), books.by)
    return Counter(books)


def test_its_balance_is_booked_once_and_taken_off_the_card(counter: Counter, books: Books) -> None:
    chip = OldChip("6A010203", 12_300)
    job = counter.begin()
    counter.lay(chip)

    found = jobs.need(books.db, job)
    assert (found.state, chip.minor, counter.booked_minor()) == (DeskJobState.DONE, 0, 12_300)
    assert found.person_id is not None
    assert books.balance(found.person_id) == 12_300
    row = counter.row("6A010203")
    assert row is not None
    assert (row.state, row.amount_minor, row.receipt) == (OldState.CLEARED, 12_300, found.receipt)
    assert receipts.need(books.db, found.receipt or 0).method == "old_card"


def test_the_same_card_is_refused_again(counter: Counter) -> None:
    chip = OldChip("6A010203", 12_300)
    counter.begin()
    counter.lay(chip)
    job = jobs.begin_taking_over(counter.db, DESK, counter.books.by)
    counter.lay(chip)

    assert jobs.need(counter.db, job).advice == Advice.OLD_TAKEN
    assert counter.booked_minor() == 12_300


def test_a_copy_with_money_on_it_is_named_and_books_nothing(counter: Counter) -> None:
    counter.begin()
    counter.lay(OldChip("6A010203", 12_300))
    job = jobs.begin_taking_over(counter.db, DESK, counter.books.by)
    counter.lay(OldChip("6A010203", 12_300))

    assert jobs.need(counter.db, job).advice == Advice.OLD_COPY
    assert counter.booked_minor() == 12_300
    (problem,) = [one for one in problems.open_problems(counter.db) if one.kind == ProblemKind.CARD_COPY]
    assert problem.details["person"].startswith("Holder")
    row = counter.row("6A010203")
    assert row is not None
    assert row.copies == 1


@pytest.mark.parametrize("pull_at", range(5))
def test_pulled_away_at_every_step_it_is_booked_once(counter: Counter, pull_at: int) -> None:
    chip = OldChip("6A010203", 12_300)
    counter.begin()
    counter.lay(chip, pull_at)
    jobs.recover(counter.db, counter.books.now_ms)
    if counter.row(chip.uid) is None:
        counter.begin()
    counter.lay(chip)

    row = counter.row(chip.uid)
    assert row is not None
    assert (row.state, chip.minor, counter.booked_minor()) == (OldState.CLEARED, 0, 12_300)
    assert [one for one in problems.open_problems(counter.db) if one.kind == ProblemKind.TORN_CARD] == []


def test_a_thousand_cards_with_cuts_and_copies_are_each_booked_once(counter: Counter) -> None:
    rng = random.Random(12)
    chips = [OldChip(f"6A{number:06X}", rng.randrange(1, CAP // 100) * 100) for number in range(1, 1001)]
    worth = {chip.uid: chip.minor for chip in chips}
    copies = [OldChip(chip.uid, chip.minor) for chip in rng.sample(chips, 50)]
    hands = [*chips, *copies]
    rng.shuffle(hands)
    for number, chip in enumerate(hands):
        known = counter.row(chip.uid)
        if known is None:
            counter.begin()
        else:
            jobs.begin_taking_over(counter.db, DESK, counter.books.by)
        counter.lay(chip, rng.randrange(8))
        if number % 97 == 0:
            counter.db.forget()
            jobs.recover(counter.db, counter.books.now_ms)
    for chip in hands:
        if counter.row(chip.uid) is None:
            counter.begin()
        else:
            jobs.begin_taking_over(counter.db, DESK, counter.books.by)
        counter.lay(chip)

    assert counter.booked_minor() == sum(worth.values())
    booked = dict(counter.db.execute("SELECT uid, amount_minor FROM old_card WHERE state = 'cleared'").fetchall())
    assert booked == worth
    twins = {copy.uid for copy in copies}
    left = {chip.uid for chip in hands if chip.minor}
    assert left <= twins
    named = {uid for (uid,) in counter.db.execute("SELECT uid FROM old_card WHERE copies > 0")}
    assert named == left
    assert reconcile(counter.db, Sums()) == []


def test_a_list_says_what_a_card_is_worth_that_no_reader_reads(counter: Counter, books: Books) -> None:
    assert old_cards.put_on_list(books.db, [("6a:01:02:03", 700, "Rahima"), ("04A1B2C3D4E580", 900, "")], books.by) == 2
    job = counter.begin()
    forms.without_reader(books.db, job, "04A1B2C3D4E580", KEY, books.now_ms)

    assert jobs.need(books.db, job).state is DeskJobState.DONE
    assert counter.booked_minor() == 900
    again = jobs.begin_taking_over(books.db, DESK, books.by)
    with pytest.raises(Conflict, match="taken over already"):
        forms.without_reader(books.db, again, "04A1B2C3D4E580", KEY, books.now_ms)
    assert counter.booked_minor() == 900
    assert old_cards.put_on_list(books.db, [("04A1B2C3D4E580", 5_000, "")], books.by) == 0


def test_a_listed_card_that_a_reader_reads_is_emptied_too(counter: Counter, books: Books) -> None:
    old_cards.put_on_list(books.db, [("6A010203", 700, "Rahima")], books.by)
    chip = OldChip("6A010203", 12_300)
    counter.begin()
    counter.lay(chip)
    assert (counter.booked_minor(), chip.minor) == (700, 0)


@pytest.mark.parametrize(
    ("chip", "advice"),
    [
        (OldChip("6A010203", 0), Advice.OLD_NOTHING),
        (OldChip("6A010203", CAP + 100), Advice.OLD_TOO_MUCH),
        (OldChip("6A010203", 500, key=bytes(6)), Advice.OLD_LOCKED),
    ],
)
def test_what_cannot_be_taken_over_says_why_and_books_nothing(counter: Counter, chip: OldChip, advice: Advice) -> None:
    job = counter.begin()
    counter.lay(chip)
    found = jobs.need(counter.db, job)
    assert (found.state, found.advice, counter.booked_minor()) == (DeskJobState.WAITING, advice, 0)


def test_what_it_was_worth_is_typed_by_a_manager_only_and_within_the_cap(counter: Counter, books: Books) -> None:
    cashier = hired(books, "cashier")
    with pytest.raises(NotAllowed):
        jobs.begin_taking_over(books.db, DESK, cashier, old_minor=100)
    with pytest.raises(Invalid):
        jobs.begin_taking_over(books.db, DESK, books.by, old_minor=CAP + 1)
    assert jobs.begin_taking_over(books.db, DESK, cashier)
    job = counter.begin(old_minor=300)
    forms.without_reader(books.db, job, "6A010203", KEY, books.now_ms)
    assert counter.booked_minor() == 300


def test_it_is_off_until_the_owner_says_how_much(counter: Counter, books: Books) -> None:
    settings.change(books.db, "old_card_max_minor", "0")
    with pytest.raises(Invalid):
        counter.begin()


def test_a_list_with_a_slip_in_it_is_refused_whole(counter: Counter, books: Books) -> None:
    for wrong in (("no number", 5, ""), ("6A010203", 0, ""), ("6A010203", CAP + 1, "")):
        with pytest.raises(Invalid):
            old_cards.put_on_list(books.db, [("6A000001", 5, ""), wrong], books.by)
    with pytest.raises(Invalid, match="twice"):
        old_cards.put_on_list(books.db, [("6A000001", 5, ""), ("6a000001", 6, "")], books.by)
    with pytest.raises(NotAllowed):
        old_cards.put_on_list(books.db, [("6A000001", 5, "")], hired(books, "cashier"))
    assert rows.sums(books.db) == {}


def test_it_is_not_taken_back_in_a_minute(counter: Counter, books: Books) -> None:
    job = counter.begin()
    counter.lay(OldChip("6A010203", 12_300))
    assert not undo.may_undo(books.db, jobs.need(books.db, job), books.now_ms)


def test_the_key_is_nowhere_but_sealed(counter: Counter, books: Books) -> None:
    dump = "\n".join(books.db.iterdump())
    assert OLD_KEY.hex().upper() not in dump.upper()
    work = ReadOld("6A010203", OldLayout(8), OLD_KEY)
    assert OLD_KEY.hex() not in repr(work)
    assert "a0\\xa1" not in repr(work)
    assert By("x", 1).actor == "x"
