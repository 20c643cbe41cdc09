"""A card desk: one reader, here or on another computer, joined with the books. It hears of cards from the reader and of jobs from
the announcements, and does one thing at a time: ask the books what is to stand on the card that lies there, have it written,
tell the books what became of it (services/card_desk/taps.py). What a job means is none of its business.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Protocol

from appliance.db.card_desk import jobs as rows
from appliance.db.cards import cards
from appliance.db.engine.protocols import Readable
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.domain.cards.tag import AnyWork, ReaderState, ReaderStatus, Seen, TagTrouble, Trouble
from appliance.domain.clock import Clock
from appliance.domain.desk_job import Advice, DeskJobEvent
from appliance.domain.errors import Refusal
from appliance.domain.id_token import masked, normal_form
from appliance.domain.problem import ProblemKind
from appliance.rfid.events import CardLaid, CardTaken, ReaderEvent, StateChanged
from appliance.services import problems
from appliance.services.announce import DeskChanged, DeskNews, Hub
from appliance.services.card_desk import jobs, taps
from appliance.services.card_desk.taps import DeskKey, Plan
from appliance.services.ports.readers import DeskView

log = logging.getLogger(__name__)

LOOKS_MAX = 4
"""How often a card that was told of is looked at again before it counts as unreadable."""
LOOK_AGAIN_AFTER_S = 0.1
COMPLAIN_AFTER_S = 10.0
"""A reader that was pulled out and put back is no problem."""
CLOSE_S = 5.0
"""A write that was begun takes a second or two; it is waited for when the server ends."""
IN_ORDER = frozenset({ReaderStatus.READY, ReaderStatus.NONE})
MAY_BE_NOTHING = frozenset({ReaderStatus.LOOKING, ReaderStatus.DEAF})
"""Where nobody has said that there is a reader, there may be none, and a serial adapter may be something else."""

Standing = tuple[int | None, int, AnyWork | None]
"""What waits here: the number of the job, how many cards of it are made, and the work that the card needs."""


class DeskReader(Protocol):
    """A reader, as a desk uses it: rfid/reader.py, or rfid/remote.py for one on another computer."""

    async def work(self, work: AnyWork) -> Seen:
        """Do it to the card that lies there; what the card is afterwards. Raises TagTrouble."""

    async def look(self) -> Seen | None:
        """Read again what lies there."""


class Desk:
    """One desk. Made and used in the event loop."""

    def __init__(
        self,
        desk: str,
        store: Store,
        hub: Hub,
        clock: Clock,
        *,
        remote: bool = False,
        expected: bool = False,
        complain_after_s: float = COMPLAIN_AFTER_S,
    ) -> None:
        """A desk without a reader yet.

        Args:
            desk: What it is called, in addresses and by people.
            remote: Its reader is on another computer.
            expected: Somebody has said that there is a reader; that it is missing is a Problem from the beginning.
            complain_after_s: How long a reader may be out of use before that is a Problem.
        """
        self.id = desk
        self.state = ReaderState(ReaderStatus.LOOKING)
        self.seen: Seen | None = None
        self._remote = remote
        self._expected = expected
        self._complain_after_s = complain_after_s
        self._store = store
        self._hub = hub
        self._clock = clock
        self._key: DeskKey | None = None
        self._reader: DeskReader | None = None
        self._wake = asyncio.Event()
        self._laid = False
        """A card was laid and the books have not been asked about it yet."""
        self._times_laid = 0
        """Grows with each card laid or taken: what was found out about the card before is no longer true."""
        self._answered: Standing | None = None
        """What the books were asked about the card that lies there, and have said what they have to say."""
        self._complaint: asyncio.TimerHandle | None = None
        self._in_trouble = False
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def subject(self) -> str:
        """How Problems call it."""
        return f"desk:{self.id}"

    def view(self) -> DeskView:
        """As it is now."""
        return DeskView(self.id, self.id, self._remote, self.state, self.seen)

    def start(self, reader: DeskReader, key: DeskKey) -> None:
        """Begin to serve cards with a reader; another reader may take its place later."""
        self._reader, self._key = reader, key
        if self._task is None:
            self._watch_reader()
            self._task = asyncio.create_task(self._run(), name=f"desk {self.id}")
        self._wake.set()

    @property
    def started(self) -> bool:
        """Whether it has ever had a reader."""
        return self._task is not None

    def forgive(self) -> None:
        """Its reader is no problem, or no longer."""
        self._store.write_unheard(problems.clear_problem, ProblemKind.READER, self.subject, self._clock())

    def stop(self) -> None:
        """Begin nothing any more."""
        self._closing = True
        self._wake.set()
        self._withdraw_complaint()

    async def close(self) -> None:
        """Stop. A write that was begun is finished first, if that does not take long."""
        self.stop()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self._task

    def hear(self, event: ReaderEvent) -> None:
        """From the reader."""
        match event:
            case StateChanged(state):
                self.state = state
                self._watch_reader()
                self._announce(DeskNews.READER)
            case CardLaid(seen):
                self.seen, self._laid, self._answered = seen, True, None
                self._times_laid += 1
                self._announce(DeskNews.CARD)
            case CardTaken():
                self.seen, self._laid, self._answered = None, False, None
                self._times_laid += 1
                self._announce(DeskNews.GONE)
        self._wake.set()

    def look_again(self) -> None:
        """Something was asked of this desk: the card that lies there may be the one that is meant."""
        self._wake.set()

    # --- one thing at a time -----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self._closing:
            await self._wake.wait()
            self._wake.clear()
            if self.seen is None or self._closing:
                continue
            try:
                if await self._turn(self.seen):
                    await self._end_trouble()
            except Exception as error:
                # An edge: a desk that cannot go on with one card must serve the next one.
                log.exception("a card could not be served", extra={"desk": self.id})
                await self._begin_trouble(error)

    async def _turn(self, seen: Seen) -> bool:
        """Whether there was anything to do; that there was nothing shows nothing about whether the desk is able to."""
        assert self._reader is not None
        assert self._key is not None
        times_laid = self._times_laid
        if self._laid:
            self._laid = False
        else:
            if await self._store.read(standing, self.id, seen, self._key) in (self._answered, (None, 0, None)):
                return False
            # Money is about to be booked for this card: it must be there.
            looked = await self._look(times_laid)
            if looked is None or looked.uid != seen.uid or self._times_laid != times_laid:
                return False
            self.seen = seen = looked
        try:
            plan, self._answered = await self._store.write(ask, self.id, seen, self._key, self._clock())
        except Refusal as refusal:
            log.warning("a job was refused", extra={"desk": self.id, "why": str(refusal)})
            await self._store.write(cancel_waiting, self.id, self._clock())
            return True
        if self._times_laid != times_laid:
            self._answered = None
        if plan.work is not None:
            await self._do(plan, self._reader)
        return True

    async def _look(self, times_laid: int) -> Seen | None:
        """Read the card that lies there anew; None if it is not there, or another one is by now."""
        assert self._reader is not None
        for attempt in range(LOOKS_MAX):
            if attempt:
                await asyncio.sleep(LOOK_AGAIN_AFTER_S)
            if self._times_laid != times_laid:
                return None
            seen = await self._reader.look()
            if seen is not None:
                return seen
        return None

    async def _do(self, plan: Plan, reader: DeskReader) -> None:
        """Have it written, and tell the books."""
        assert plan.work is not None
        if plan.card is None:
            await self._look_into(plan.work, reader)
            return
        try:
            seen = await reader.work(plan.work)
        except TagTrouble as error:
            trouble = error.trouble
        except Exception:
            # Nobody knows how far it came, which is what TORN means; the card is repaired when it comes back.
            log.exception("work on a card failed", extra={"desk": self.id})
            trouble = Trouble.TORN
        else:
            log.info(
                "card done", extra={"desk": self.id, "card": masked(plan.work.uid), "work": type(plan.work).__name__}
            )
            if self.seen is not None and self.seen.uid == seen.uid:
                # It may have been told of anew between the asking and the writing, as it was before.
                self.seen = seen
            self._answered = None
            await self._store.write(taps.written, plan.card, self._clock())
            return
        log.info("card not done", extra={"desk": self.id, "card": masked(plan.work.uid), "why": str(trouble)})
        await self._store.write(taps.failed, plan.card, trouble, self._clock())

    async def _look_into(self, work: AnyWork, reader: DeskReader) -> None:
        """Have a card say what an earlier system has written on it, and ask the books again."""
        try:
            seen = await reader.work(work)
        except TagTrouble as error:
            log.info("an old card was not read", extra={"desk": self.id, "why": str(error.trouble)})
            await self._store.write(taps.not_read, self.id, error.trouble, self._clock())
            return
        if self.seen is not None and self.seen.uid == seen.uid:
            self.seen, self._laid = seen, True
            self._wake.set()

    # --- what people are told ----------------------------------------------------------------------------------------------

    def _announce(self, what: DeskNews) -> None:
        self._hub.announce([DeskChanged(self.id, what)])

    def _watch_reader(self) -> None:
        """Complain about a reader that stays out of use, and stop when it is back."""
        self._withdraw_complaint()
        if self._closing:
            return
        status = self.state.status
        self._expected = self._expected or status is ReaderStatus.READY
        if status in IN_ORDER or (status in MAY_BE_NOTHING and not self._expected):
            self.forgive()
        else:
            self._complaint = asyncio.get_running_loop().call_later(self._complain_after_s, self._complain)

    def _complain(self) -> None:
        self._store.write_unheard(report_reader, self.subject, self._clock(), self.id, self.state)

    def _withdraw_complaint(self) -> None:
        if self._complaint is not None:
            self._complaint.cancel()
            self._complaint = None

    async def _begin_trouble(self, error: Exception) -> None:
        """What waits here would come to the same again: it is given up, and staff are told."""
        self._in_trouble = True
        with contextlib.suppress(Exception):
            await self._store.write(report_trouble, self.id, self.subject, self._clock(), type(error).__name__)

    async def _end_trouble(self) -> None:
        if self._in_trouble:
            self._in_trouble = False
            await self._store.write(problems.clear_problem, ProblemKind.JOB_FAILED, self.subject, self._clock())


# --- units of work and queries -----------------------------------------------------------------------------------------------


def ask(db: Database, desk: str, seen: Seen, key: DeskKey, now_ms: int) -> tuple[Plan, Standing]:
    """Book what waits, and what is to be written; and what this answered, so that it is not asked again in vain."""
    plan = taps.tapped(db, desk, seen, key, now_ms)
    return plan, standing(db, desk, seen, key)


def standing(db: Readable, desk: str, seen: Seen, key: DeskKey) -> Standing:
    """What waits at this desk for the card that lies there."""
    job = rows.waiting_at(db, desk)
    card = None if taps.objection(seen) else cards.by_uid(db, normal_form(seen.uid))
    work = taps.wanted(db, card.id, seen, key) if card is not None else None
    return (job.id, job.made, work) if job is not None else (None, 0, work)


def cancel_waiting(db: Database, desk: str, now_ms: int) -> None:
    """What waits at this desk cannot be done any more, whatever card is laid: things have changed since it was begun."""
    job = rows.waiting_at(db, desk)
    if job is not None:
        jobs.end(db, job, DeskJobEvent.ANSWERED if job.made else DeskJobEvent.CANCELLED, now_ms, Advice.REFUSED)


def report_trouble(db: Database, desk: str, subject: str, now_ms: int, error: str) -> None:
    """Something is wrong inside the program."""
    cancel_waiting(db, desk, now_ms)
    problems.raise_problem(db, ProblemKind.JOB_FAILED, subject, now_ms, job=f"card desk {desk}", error=error)


def report_reader(db: Database, subject: str, now_ms: int, desk: str, state: ReaderState) -> None:
    """The reader of a desk stays out of use."""
    problems.raise_problem(
        db,
        ProblemKind.READER,
        subject,
        now_ms,
        desk=desk,
        status=str(state.status),
        name=state.name,
        detail=state.detail,
    )
