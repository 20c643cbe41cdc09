"""A card desk on a test's books: chips that are plain values, and the steps of services/card_desk/taps.py in the order in which a
desk takes them, with all the misfortunes in between. No event loop, no reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from appliance.db import ledger, problems
from appliance.db.card_desk import jobs as job_rows
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import cards as card_rows
from appliance.db.cards.cards import Card
from appliance.db.engine.unit import Database
from appliance.domain.cards import content
from appliance.domain.cards.tag import Content, Trouble
from appliance.domain.identifiers import CardId
from appliance.domain.ledger import DEPOSITS, Method
from appliance.services.card_desk import jobs, taps, undo
from appliance.services.card_desk.taps import DeskKey, Plan
from tests.support.books import SECRET, Books
from tests.support.one_desk import Chip

T = TypeVar("T")
DESK = "desk"
KEY = DeskKey(SECRET, "http://10.0.0.1:8081/card/")
LOOKS_MAX = 6
"""A card that stays is looked at again after each work; more often than this would be for ever."""


class DeskFixture:
    """What a member of the staff does with jobs and cards."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.db = books.db

    # Jobs.

    def begin(self, begin: Callable[..., int], *args: Any, desk: str = DESK, **more: Any) -> int:
        """One of `jobs.begin_…`, now; `args` stand between desk and `by`."""
        with self.unit():
            return begin(self.db, desk, *args, self.books.by, **more)

    def issue(self, **more: Any) -> int:
        """A job that waits for a card for somebody."""
        wanted = more if "person" in more else {"name": "Rahima Khatun", "group": self.books.group(), **more}
        return self.begin(jobs.begin_issue, **wanted)

    def issued(self, chip: Chip, **more: Any) -> Job:
        """A card given out, written and all."""
        number = self.issue(**more)
        self.lay(chip)
        return self.job(number)

    def undo(self, job: int) -> int | None:
        """Take a job back."""
        with self.unit():
            return undo.undo(self.db, job, self.books.by)

    def may_undo(self, job: int) -> bool:
        """Whether a page would offer to take a job back."""
        self.db.flush()
        return undo.may_undo(self.db, self.job(job), self.books.now_ms)

    def cancel(self, job: int) -> None:
        """Wait no more."""
        with self.unit():
            jobs.cancel(self.db, job, self.books.now_ms)

    def accept(self, job: int) -> None:
        """Use the card by its number."""
        with self.unit():
            taps.accept_unwritten(self.db, job, self.books.by)

    def restart(self) -> None:
        """The server was killed and is back."""
        self.db.flush()
        self.db.forget()
        with self.unit():
            jobs.recover(self.db, self.books.now_ms)

    # Cards.

    def tap(self, chip: Chip, *, desk: str = DESK) -> Plan:
        """The booking alone: nothing is written yet."""
        with self.unit():
            return taps.tapped(self.db, desk, chip.seen(), KEY, self.books.now_ms)

    def lay(self, chip: Chip, trouble: Trouble | None = None, *, desk: str = DESK) -> None:
        """Lay a card down and leave it there until nothing is to be done; the first work comes to `trouble`, if any."""
        for _look in range(LOOKS_MAX):
            plan = self.tap(chip, desk=desk)
            if plan.work is None:
                return
            assert plan.card is not None
            if trouble is Trouble.TORN:
                chip.tear(plan.work)
            found = trouble or chip.obey(plan.work)
            if found is not None:
                self.fail(plan.card, found)
                return
            with self.unit():
                taps.written(self.db, plan.card, self.books.now_ms)
        raise AssertionError("the desk would write for ever")

    def fail(self, card: CardId, trouble: Trouble) -> None:
        """What the desk reports when work came to nothing."""
        with self.unit():
            taps.failed(self.db, card, trouble, self.books.now_ms)

    # What the books say.

    def job(self, number: int) -> Job:
        """A job as it is now."""
        return jobs.need(self.db, number)

    def card(self, chip: Chip) -> Card:
        """The row of a chip."""
        found = card_rows.by_uid(self.db, chip.uid)
        assert found is not None
        return found

    def problems(self) -> list[str]:
        """The kinds that are open."""
        return [problem.kind for problem in problems.open_problems(self.db)]

    def announced(self, kind: type[T]) -> list[T]:
        """What was told since the last time."""
        found = [one for one in self.db.announcements if isinstance(one, kind)]
        self.db.announcements.clear()
        return found

    def money(self) -> dict[str, int]:
        """What came in by each method, and what is owed for cards, as the ledger has it."""
        self.db.flush()
        found = {str(method): -ledger.balance(self.db, method.account).balance_minor for method in Method}
        # Cash is in the safe and in the drawers.
        found["cash"] = -sum(one.balance_minor for one in ledger.accounts(self.db) if one.kind == "cash")
        return {**found, "deposits": ledger.balance(self.db, DEPOSITS).balance_minor}

    def check(self) -> None:
        """What holds after every step, whatever happened."""
        db = self.db
        assert self.books.wrong() == []
        assert sum(account.balance_minor for account in ledger.trial_balance(db)) == 0
        money = self.money()
        receipts = db.execute("SELECT number, method, amount_minor FROM receipt ORDER BY number").fetchall()
        assert [row[0] for row in receipts] == list(range(1, len(receipts) + 1))
        for method in Method:
            assert money[method] == sum(amount for _number, by, amount in receipts if by == method), method
        deposits, cards, uids = db.execute(
            "SELECT sum(deposit_minor), count(*), count(DISTINCT uid) FROM card"
        ).fetchone()
        assert money["deposits"] == (deposits or 0)
        assert cards == uids
        torn = {f"card:{job.card_id}" for job in job_rows.torn(db)}
        reported = {one.subject for one in problems.open_problems(db) if one.kind == "torn_card"}
        assert reported == torn
        for number, state, receipt in db.execute("SELECT id, state, receipt FROM desk_job").fetchall():
            assert state != "waiting" or receipt is None, number

    def check_settled(self, chips: list[Chip]) -> None:
        """What holds when every card was laid down once more: all is over, and each chip says what its row says."""
        open_jobs = self.db.execute("SELECT id FROM desk_job WHERE state IN ('writing', 'torn')").fetchall()
        assert open_jobs == []
        for chip in chips:
            card = card_rows.by_uid(self.db, chip.uid)
            if card is None:
                continue
            assert card.content in ("none", "written", "wiped"), card
            if card.content == "written":
                record = content.sign(SECRET, chip.uid, card.number, card.issue)
                assert chip.content == Content(KEY.link_base + card.token, record)
                assert chip.keys == content.keys(SECRET, chip.uid)
            elif card.content == "wiped":
                assert (chip.content, chip.keys) == (Content(), None)

    @contextmanager
    def unit(self) -> Iterator[Database]:
        """A unit of work as the store runs it: it is all there, or nothing of it."""
        self.db.flush()
        self.db.execute("SAVEPOINT unit")
        try:
            yield self.db
            self.db.flush()
        except BaseException:
            self.db.execute("ROLLBACK TO unit")
            self.db.execute("RELEASE unit")
            self.db.forget()
            raise
        self.db.execute("RELEASE unit")
