"""Slips on the printer of receipts. Whatever it does, the money is booked already: what fails is said, and is a problem until it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from appliance.db import problems as rows
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.db.wallets.receipts import Receipt
from appliance.domain.clock import Clock
from appliance.domain.ledger import Method
from appliance.domain.printers import place_of
from appliance.domain.problem import ProblemKind
from appliance.domain.slip import Slip
from appliance.services import problems
from appliance.services.ports.printers import NotPrinted, Outcome, Printer, PrinterSetup, Trouble
from appliance.services.settings import Settings
from appliance.services.tasks import Tasks

DOTS, DOTS_NARROW = 576, 384
"""Across paper of 80 and of 58 mm, 8 to a millimetre of what can be printed on."""
ANSWER_S: Final = 6.0
"""So long somebody waits before the screen; the job goes on behind it."""
DRAWER_MS: Final = 10 * 60_000
"""Printed later than this, or by somebody else, a receipt opens no drawer."""

log = logging.getLogger(__name__)


def setup_of(settings: Settings) -> PrinterSetup | None:
    """The printer as the owner has set it up; None: only browsers print."""
    place = place_of(settings.printer)
    if place is None:
        return None
    width = DOTS_NARROW if settings.printer_narrow else DOTS
    return PrinterSetup(place, width, settings.printer_cuts, settings.printer_drawer)


def opens_drawer(receipt: Receipt, actor: str, now_ms: int) -> bool:
    """Whether coins are moved for it just now. Who prints an old receipt again has no business in the drawer."""
    return receipt.method == Method.CASH and receipt.actor == actor and now_ms - receipt.at_ms < DRAWER_MS


class Printing:
    """The site's printer, and what staff are told about it."""

    def __init__(self, store: Store, clock: Clock, settings: Callable[[], Settings], printer: Printer) -> None:
        self._store, self._clock, self._settings, self._printer = store, clock, settings, printer
        self._jobs = Tasks()

    async def send(self, slips: Sequence[Slip], *, drawer: bool = False) -> Outcome:
        """Print slips, and wait a few seconds for what becomes of them.

        Raises:
            NotPrinted: Why. It is a problem already.
        """
        setup = setup_of(self._settings())
        if setup is None:
            raise NotPrinted(Trouble.AWAY)
        job = self._jobs.start(self._job(setup, slips, drawer), "printing")
        done, _going_on = await asyncio.wait([job], timeout=ANSWER_S)
        if not done:
            return Outcome.GOING_ON
        end = job.result()
        if isinstance(end, Trouble):
            raise NotPrinted(end)
        return end

    async def look(self) -> None:
        """A problem with the printer is over once it can be reached, or is used no more."""
        for problem in await self._store.read(rows.lasting, ProblemKind.PRINTER):
            setup = setup_of(self._settings())
            if setup is not None and problem.subject == _subject(setup):
                try:
                    await self._printer.reach(setup)
                except NotPrinted:
                    continue
            await self._store.write(_is_over, problem.subject, self._clock())

    async def close(self) -> None:
        """What is being printed is broken off."""
        await self._jobs.cancel()

    async def _job(self, setup: PrinterSetup, slips: Sequence[Slip], drawer: bool) -> Outcome | Trouble:
        try:
            outcome = await self._printer.send(setup, slips, opens_drawer=drawer)
        except NotPrinted as failed:
            log.warning("not printed", extra={"why": failed.trouble})
            if failed.trouble is not Trouble.BUSY:
                await self._store.write(_not_printed, setup, failed.trouble, self._clock())
            return failed.trouble
        await self._store.write(_is_over, _subject(setup), self._clock())
        return outcome


def _subject(setup: PrinterSetup) -> str:
    return f"printer:{setup.place}"


def _not_printed(db: Database, setup: PrinterSetup, why: Trouble, now_ms: int) -> None:
    problems.raise_problem(db, ProblemKind.PRINTER, _subject(setup), now_ms, printer=str(setup.place), why=str(why))


def _is_over(db: Database, subject: str, now_ms: int) -> None:
    problems.clear_problem(db, ProblemKind.PRINTER, subject, now_ms)
