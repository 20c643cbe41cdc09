"""Whatever is asked of a card desk, whatever card is laid and pulled away, and whenever the server dies: the ledger, the
receipts, the rows and the chips agree, and nothing happens twice.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from appliance.domain.cards.tag import Kind, Trouble
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.ledger import Method
from appliance.services import settings as site_settings
from appliance.services.card_desk import jobs
from appliance.services.cards import cards
from appliance.services.people import people
from appliance.services.wallets import wallets
from tests.support.books import open_books
from tests.support.desk_fixture import DeskFixture
from tests.support.one_desk import Chip

DESKS = st.sampled_from(["desk", "office"])
CHIPS = st.integers(0, 2)
PICKS = st.integers(0, 3)
AMOUNTS = st.sampled_from([0, 1, 250, 100_000])
METHODS = st.sampled_from([str(method) for method in Method])
TROUBLES = st.sampled_from([None, None, None, Trouble.TORN, Trouble.GONE, Trouble.REFUSED, Trouble.DIFFERENT])


class TriedOut(Exception):
    """It could be done; what was done is rolled back."""


class DeskMachine(RuleBasedStateMachine):
    """Staff, cards and misfortunes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.books = open_books(Path(self.folder.name) / "forecourt.db")
        self.desk = DeskFixture(self.books)
        self.group = self.books.group()
        self.movements = 0
        self.chips = [
            Chip("04A1B2C3D4E5F6"),
            Chip("04B7C8D9EAFB0C"),
            Chip("A1B2C3D4", Kind.CLASSIC, writable=False),
        ]

    @initialize(deposit=st.sampled_from([0, 300]), out=st.integers(0, 2))
    def open_the_desk(self, deposit: int, out: int) -> None:
        """Some cards are out already."""
        site_settings.change(self.books.db, "card_deposit_minor", str(deposit))
        for chip in self.chips[:out]:
            self.desk.issued(chip, group=self.group, topup_minor=500)

    def teardown(self) -> None:
        """Every card is laid down once more, and nothing is open any more."""
        try:
            self.desk.restart()
            for _round in range(2):
                for chip in self.chips:
                    self.desk.lay(chip)
            self.desk.check()
            self.desk.check_settled(self.chips)
        finally:
            self.books.db.close()
            self.folder.cleanup()

    @rule(desk=DESKS, topup=AMOUNTS, method=METHODS, pick=st.none() | PICKS, chip=CHIPS, trouble=TROUBLES)
    def issue(self, desk: str, topup: int, method: str, pick: int | None, chip: int, trouble: Trouble | None) -> None:
        person = self.somebody(pick)
        whom = {"name": "Rahima", "group": self.group} if person is None else {"person": person}
        with contextlib.suppress(Refusal):
            self.desk.begin(jobs.begin_issue, desk=desk, topup_minor=topup, method=method, **whom)
            self.desk.lay(self.chips[chip], trouble, desk=desk)

    @rule(desk=DESKS, amount=AMOUNTS, method=METHODS, meant=st.none() | CHIPS, chip=CHIPS, trouble=TROUBLES)
    def recharge(
        self, desk: str, amount: int, method: str, meant: int | None, chip: int, trouble: Trouble | None
    ) -> None:
        with contextlib.suppress(Refusal):
            self.desk.begin(jobs.begin_recharge, amount, method, desk=desk, card=self.card(meant))
            self.desk.lay(self.chips[chip], trouble, desk=desk)

    @rule(desk=DESKS, refund=st.booleans(), rest=st.booleans(), method=METHODS, chip=CHIPS, trouble=TROUBLES)
    def decommission(
        self, desk: str, refund: bool, rest: bool, method: str, chip: int, trouble: Trouble | None
    ) -> None:
        with contextlib.suppress(Refusal):
            self.desk.begin(jobs.begin_decommission, desk=desk, refund=refund, rest=rest, method=method)
            self.desk.lay(self.chips[chip], trouble, desk=desk)

    @rule(desk=DESKS, lost=CHIPS, chip=CHIPS, trouble=TROUBLES)
    def replace(self, desk: str, lost: int, chip: int, trouble: Trouble | None) -> None:
        with contextlib.suppress(Refusal):
            self.desk.begin(jobs.begin_replace, self.card(lost) or CardId(99), desk=desk)
            self.desk.lay(self.chips[chip], trouble, desk=desk)

    @rule(desk=DESKS, chip=CHIPS, trouble=TROUBLES)
    def rewrite(self, desk: str, chip: int, trouble: Trouble | None) -> None:
        with contextlib.suppress(Refusal):
            self.desk.begin(jobs.begin_rewrite, self.card(chip) or CardId(99), desk=desk)
            self.desk.lay(self.chips[chip], trouble, desk=desk)

    @rule(desk=DESKS, count=st.integers(1, 3), pick=st.none() | PICKS, chip=CHIPS, trouble=TROUBLES)
    def batch(self, desk: str, count: int, pick: int | None, chip: int, trouble: Trouble | None) -> None:
        with contextlib.suppress(Refusal):
            self.desk.begin(jobs.begin_batch, count, desk=desk, person=self.somebody(pick), group=self.group)
            self.desk.lay(self.chips[chip], trouble, desk=desk)

    @rule(desk=DESKS)
    def read(self, desk: str) -> None:
        """The next card that is laid there is read, or what is begun there next takes its place."""
        with contextlib.suppress(Refusal):
            self.desk.begin(jobs.begin_read, desk=desk)

    @rule(chip=CHIPS, trouble=TROUBLES, desk=DESKS)
    def lay(self, chip: int, trouble: Trouble | None, desk: str) -> None:
        with contextlib.suppress(Refusal):
            self.desk.lay(self.chips[chip], trouble, desk=desk)

    @rule(
        chip=CHIPS,
        desk=DESKS,
        when=st.sampled_from(["before", "half", "after"]),
        first=st.sampled_from(["", "issue", "back"]),
    )
    def die(self, chip: int, desk: str, when: str, first: str) -> None:
        """Killed after the booking: before anything was written, in the middle of it, or before it was recorded."""
        with contextlib.suppress(Refusal):
            if first == "issue":
                self.desk.begin(jobs.begin_issue, desk=desk, name="Karim", group=self.group, topup_minor=70)
            elif first == "back":
                self.desk.begin(jobs.begin_decommission, desk=desk, refund=True, rest=True)
            plan = self.desk.tap(self.chips[chip], desk=desk)
            if plan.work is not None and when == "half":
                self.chips[chip].tear(plan.work)
            elif plan.work is not None and when == "after":
                self.chips[chip].obey(plan.work)
        self.desk.restart()

    @rule(back=st.integers(0, 3))
    def undo(self, back: int) -> None:
        with contextlib.suppress(Refusal):
            self.desk.undo(self.latest_job() - back)

    @rule(back=st.integers(0, 1), accept=st.booleans())
    def cancel_or_accept(self, back: int, accept: bool) -> None:
        with contextlib.suppress(Refusal):
            (self.desk.accept if accept else self.desk.cancel)(self.latest_job() - back)

    @rule(amount=AMOUNTS, way=st.sampled_from(["in", "out", "correct"]))
    def move_money(self, amount: int, way: str) -> None:
        """On the page of whoever was at the desk last, without any card."""
        person, key = self.last_served(), f"page-{self.movements}"
        self.movements += 1
        if person is not None:
            with contextlib.suppress(Refusal), self.desk.unit() as db:
                if way == "correct":
                    wallets.correct(db, person, -amount, "a slip", key, self.books.by)
                else:
                    move = wallets.top_up if way == "in" else wallets.refund
                    move(db, person, amount, "cash", key, self.books.by)

    @rule(gone=st.booleans())
    def leave(self, gone: bool) -> None:
        """Whoever was at the desk last leaves the site, or is back."""
        person = self.last_served()
        if person is not None:
            with contextlib.suppress(Refusal), self.desk.unit() as db:
                (people.close if gone else people.reopen)(db, person, self.books.by)

    @rule(pick=CHIPS, blocked=st.booleans())
    def block(self, pick: int, blocked: bool) -> None:
        card = self.card(pick)
        if card is not None:
            with contextlib.suppress(Refusal), self.desk.unit() as db:
                if blocked:
                    cards.block(db, card, "lost", self.books.by)
                else:
                    cards.unblock(db, card, self.books.by)

    @rule(seconds=st.sampled_from([1, 59, 700]))
    def wait(self, seconds: int) -> None:
        self.books.wait(seconds)
        with self.desk.unit() as db:
            jobs.expire(db, self.books.now_ms)

    @invariant()
    def all_agree(self) -> None:
        self.desk.check()

    @invariant()
    def what_may_be_taken_back_can_be(self) -> None:
        """Each of the newest jobs is taken back, to see whether it can be, and that is taken back at once."""
        newest = self.latest_job()
        for job in range(max(1, newest - 1), newest + 1):
            assert self.can_be_undone(job) == self.desk.may_undo(job), self.desk.job(job)

    def can_be_undone(self, job: int) -> bool:
        """Tried out; nothing is left of it."""
        try:
            with self.desk.unit():
                self.desk.undo(job)
                raise TriedOut
        except Refusal:
            return False
        except TriedOut:
            return True

    def card(self, pick: int | None) -> CardId | None:
        """The card of a chip, if it is one."""
        if pick is None:
            return None
        row = self.books.db.execute("SELECT id FROM card WHERE uid = ?", (self.chips[pick].uid,)).fetchone()
        return CardId(row[0]) if row else None

    def latest_job(self) -> int:
        """The number of the newest job; 0: there is none."""
        return int(self.books.db.execute("SELECT coalesce(max(id), 0) FROM desk_job").fetchone()[0])

    def last_served(self) -> PersonId | None:
        """Whom the newest job with a person was for."""
        row = self.books.db.execute(
            "SELECT person_id FROM desk_job WHERE person_id IS NOT NULL ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return PersonId(row[0]) if row else None

    def somebody(self, pick: int | None) -> PersonId | None:
        """One of those who are known."""
        if pick is None:
            return None
        rows = self.books.db.execute("SELECT id FROM person ORDER BY id").fetchall()
        return PersonId(rows[pick % len(rows)][0]) if rows else None


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        DeskMachine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_ledger_receipts_rows_and_chips_agree_whatever_happens() -> None:
    run(60, 25)


@pytest.mark.soak
def test_ledger_receipts_rows_and_chips_agree_whatever_happens_for_long() -> None:
    run(5_000, 60)
