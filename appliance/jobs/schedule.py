"""The table of what happens by the clock. A job is a use case plus a time: safe to repeat, safe to cancel."""

from __future__ import annotations

import asyncio
import functools
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from appliance.db import housekeeping
from appliance.db.engine.store import Store
from appliance.db.integrity import anchors
from appliance.db.stations import message_log_size
from appliance.domain.clock import Clock
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.room import shares
from appliance.domain.site import Site
from appliance.services import health, integrity, problems, settings, tariffs
from appliance.services.approvals import approvals
from appliance.services.card_desk import charger_jobs
from appliance.services.card_desk import jobs as desk_jobs
from appliance.services.cards import limits, revocation
from appliance.services.ports.anchors import Anchors, AnchorsChanged
from appliance.services.ports.stations import Stations
from appliance.services.printing import Printing
from appliance.services.reconciling.reconciling import Reconciler
from appliance.services.sessions import guard, start_requests
from appliance.services.statements import issuing
from appliance.services.stations import admission
from appliance.services.stations.commands import RemoteControl
from appliance.services.stations.upkeep import Upkeep
from appliance.services.tasks import Tasks
from appliance.services.vouchers import batches as vouchers

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
LOG_INS_KEPT_MS = 30 * DAY_MS

EXPIRE_START_REQUESTS_S = 3
STOP_AGAIN_S = 15
WATCH_BALANCES_S = guard.WATCH_S
WATCH_CARDS_S = 15
EXPIRE_CHARGER_JOBS_S = 5
EXPIRE_DESK_JOBS_S = 15
EXPIRE_VOUCHERS_S = 60
CHECK_S = 20
CHANGE_PRICES_S = 10
CHECK_BOX_S = 60
LOOK_FOR_PRINTER_S = 60
LOG_WITHIN_S = 60
ANCHOR_MINUTES = 10
RECONCILE_MINUTES = 15
STATEMENTS_MINUTES = 5
TIDY_MINUTE = 17
VERIFY_HOUR = 3

NAMES_KEPT = {"expire_start_requests": "give_up_old_wishes"}
"""What a job was called when problems of it may have been written down: by that name they go away again."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The parts that jobs work with."""

    store: Store
    stations: Stations
    control: RemoteControl
    clock: Clock
    site: Site
    serving_since_ms: int
    upkeep: Upkeep
    anchors: Anchors | None = None
    """None: the site's sealing key is missing."""
    printing: Printing | None = None
    reconciler: Reconciler = field(default_factory=Reconciler)

    async def expire_start_requests(self) -> None:
        """Money held for a start that never came goes back."""
        await self.store.write(start_requests.expire, self.clock())

    async def stop_wanted_sessions(self) -> None:
        """Stops that the server wants, of stations that are back or did not obey."""
        await self.control.stop_wanted_sessions()

    async def watch_balances(self) -> None:
        """Cover for what costs by the minute, and for what nobody has measured for too long; and who may not charge."""
        await self.store.write(health.watch_balances, self.clock())
        await self.store.write(guard.watch, self.stations.online(), self.clock())

    async def look_after_stations(self) -> None:
        """Readings that are overdue, how chargers that have booted measure, and what they have."""
        await self.upkeep.look()

    async def watch_cards(self) -> None:
        """Limits of cards in sessions that run, and cards whose time has run out."""
        await self.store.write(limits.watch, self.clock())
        await self.store.write(revocation.announce_expired, self.clock())

    async def expire_charger_jobs(self) -> None:
        """Nobody showed the card for which a charger waited."""
        await self.store.write(charger_jobs.expire, self.clock())

    async def expire_desk_jobs(self) -> None:
        """Nobody laid the card for which a desk waited."""
        await self.store.write(desk_jobs.expire, self.clock())

    async def check_stations(self) -> None:
        """Offline stations, silent sessions, what nobody watches, and what has waited too long: knocks of stations that have gone, approvals."""
        await self.store.write(admission.expire_knocks, self.clock())
        await self.store.write(approvals.expire, self.clock())
        await self.store.write(health.check_stations, self.stations.online(), self.serving_since_ms, self.clock())
        await self.store.write(health.check_sessions, self.clock())
        await self.store.write(health.check_watch, self.stations.online(), self.clock())

    async def change_prices(self) -> None:
        """Tariffs whose moment has come take the place of those that they follow."""
        await self.store.write(tariffs.take_effect, self.clock())

    async def expire_vouchers(self) -> None:
        """Vouchers whose time is over, and codes that were kept to be printed again."""
        while await self.store.write(vouchers.expire, self.clock()) >= vouchers.EXPIRED_AT_ONCE:  # noqa: ASYNC110  # a pause between
            await asyncio.sleep(0.1)

    async def check_box(self) -> None:
        """Disk, backup, settings."""
        usage = await asyncio.to_thread(shutil.disk_usage, self.store.path.parent)
        await self.store.write(health.check_box, usage.free >> 20, self.clock())

    async def look_after_printer(self) -> None:
        """A printer that did not print may be there again."""
        if self.printing is not None:
            await self.printing.look()

    async def tidy(self) -> None:
        """Forget what was to be kept for a while only."""
        values = await self.store.read(settings.load)
        now_ms = self.clock()
        for forget, before_ms in (
            (housekeeping.forget_messages, now_ms - values.message_log_days * DAY_MS),
            (housekeeping.forget_samples, now_ms - values.sample_days * DAY_MS),
            (housekeeping.forget_log_ins, now_ms - LOG_INS_KEPT_MS),
        ):
            # A pause between, for others want to write too.
            while await self.store.write(forget, before_ms) >= housekeeping.ROWS_AT_ONCE:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def keep_log_within(self) -> None:
        """The message log has its bounds, for each charger and for all: a flood costs whoever sends it its own past only."""
        values = await self.store.read(settings.load)
        while await self.store.write(message_log_size.count):  # noqa: ASYNC110  # a pause between, as above
            await asyncio.sleep(0.1)
        used = await self.store.read(message_log_size.used_bytes)
        allowed = shares(used, values.message_log_charger_max_mb << 20, values.message_log_max_mb << 20)
        for station, bytes_max in allowed.items():
            while await self.store.write(message_log_size.trim, StationId(station), bytes_max):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def issue_statements(self) -> None:
        """The statements of a month that is over, some at a time; after months without power, month by month."""
        await self.store.write(issuing.begin, self.clock())
        while (month := await self.store.read(issuing.due, self.clock())) is not None:
            wallets = await self.store.read(issuing.wallets_of, month)
            for begin in range(0, len(wallets), issuing.WALLETS_AT_ONCE):
                some = wallets[begin : begin + issuing.WALLETS_AT_ONCE]
                await self.store.write(issuing.issue, month, some, self.clock())
            await self.store.write(issuing.finish, month)

    async def verify_books(self) -> None:
        """Every night the whole ledger is computed anew from its rows, and compared with what was anchored."""
        await self.reconciler.whole(self.store, self.clock())
        wrong = await self.store.read(integrity.verify, self.anchors, self.clock())
        await self.store.write(health.report_books, wrong, self.clock())
        if not wrong:
            await anchor_now(self, sealing=True)

    async def anchor_books(self) -> None:
        """At each start, and every ten minutes if anything has happened, what the books are goes where nobody who changes them reaches it."""
        await anchor_now(self, sealing=False)

    async def reconcile(self) -> None:
        """At each start, and every quarter of an hour: a difference stops money."""
        await self.reconciler.since(self.store, self.clock())


@asynccontextmanager
async def keeping_time(jobs: Jobs) -> AsyncIterator[AsyncIOScheduler]:
    """Run all jobs at their times until the block ends. One that runs just then is cancelled, and comes again after the next start."""
    runs = Tasks()
    scheduler = schedule(jobs, runs)
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.pause()
        # What has fallen due but not begun begins in this turn of the loop: cancelled before, it could not end quietly.
        await asyncio.sleep(0)
        await runs.cancel()
        scheduler.shutdown()


def schedule(jobs: Jobs, runs: Tasks) -> AsyncIOScheduler:
    """All jobs with their times, not started; `runs` will hold those that run."""
    once_each = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=once_each)
    zone = jobs.site.zone
    for work, trigger in (
        (jobs.expire_start_requests, IntervalTrigger(seconds=EXPIRE_START_REQUESTS_S)),
        (jobs.stop_wanted_sessions, IntervalTrigger(seconds=STOP_AGAIN_S)),
        (jobs.watch_balances, IntervalTrigger(seconds=WATCH_BALANCES_S)),
        (jobs.look_after_stations, IntervalTrigger(seconds=WATCH_BALANCES_S)),
        (jobs.watch_cards, IntervalTrigger(seconds=WATCH_CARDS_S)),
        (jobs.expire_charger_jobs, IntervalTrigger(seconds=EXPIRE_CHARGER_JOBS_S)),
        (jobs.expire_desk_jobs, IntervalTrigger(seconds=EXPIRE_DESK_JOBS_S)),
        (jobs.check_stations, IntervalTrigger(seconds=CHECK_S)),
        (jobs.change_prices, IntervalTrigger(seconds=CHANGE_PRICES_S)),
        (jobs.expire_vouchers, IntervalTrigger(seconds=EXPIRE_VOUCHERS_S)),
        (jobs.check_box, IntervalTrigger(seconds=CHECK_BOX_S)),
        (jobs.look_after_printer, IntervalTrigger(seconds=LOOK_FOR_PRINTER_S)),
        (jobs.keep_log_within, IntervalTrigger(seconds=LOG_WITHIN_S)),
        (jobs.tidy, CronTrigger(minute=TIDY_MINUTE, timezone=zone)),
        (jobs.issue_statements, IntervalTrigger(minutes=STATEMENTS_MINUTES)),
        (jobs.anchor_books, IntervalTrigger(minutes=ANCHOR_MINUTES)),
        (jobs.reconcile, IntervalTrigger(minutes=RECONCILE_MINUTES)),
        (jobs.verify_books, CronTrigger(hour=VERIFY_HOUR, timezone=zone)),
    ):
        scheduler.add_job(guarded(jobs, work, runs), trigger, id=work.__name__)
    for work in (jobs.anchor_books, jobs.reconcile):
        scheduler.modify_job(work.__name__, next_run_time=datetime.fromtimestamp(jobs.clock() / 1000, UTC))
    return scheduler


def guarded(jobs: Jobs, work: Callable[[], Awaitable[None]], runs: Tasks) -> Callable[[], Awaitable[None]]:
    """A job whose failure is a row under Problems, and does not keep it from running again."""

    @functools.wraps(work)
    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        runs.keep(task)
        # Only the end of the server cancels a job; apscheduler would log that as the job's error.
        with suppress(asyncio.CancelledError):
            await reported()

    async def reported() -> None:
        name = NAMES_KEPT.get(work.__name__, work.__name__)
        subject = f"job:{name}"
        try:
            await work()
        except Exception as error:
            log.exception("job failed", extra={"job": work.__name__})
            await jobs.store.write(
                problems.raise_problem,
                ProblemKind.JOB_FAILED,
                subject,
                jobs.clock(),
                job=name,
                error=type(error).__name__,
            )
        else:
            await jobs.store.write(problems.clear_problem, ProblemKind.JOB_FAILED, subject, jobs.clock())

    return run


async def anchor_now(jobs: Jobs, *, sealing: bool) -> None:
    """Keep what the books are; with `sealing`, because all was found well, also what people, cards and prices are."""
    if jobs.anchors is None:
        return
    try:
        kept = await asyncio.to_thread(jobs.anchors.load)
    except AnchorsChanged:
        return  # That is for the night to say, and nobody writes over it.
    if kept is None:
        if not await jobs.store.read(anchors.begin_anew):
            return  # It is gone: the same.
        anchor, is_new = await jobs.store.write(integrity.begin, jobs.anchors.key, jobs.clock()), True
    else:
        anchor = await jobs.store.read(anchors.take, jobs.anchors.key, jobs.clock())
        is_new = await jobs.store.write(anchors.keep, anchor)
    if is_new:
        jobs.anchors.tell(anchor)
    elif (last := await jobs.store.read(anchors.newest)) is not None:
        anchor = last  # What is kept beside the books must be in them, too.
    if kept is None or sealing:
        await asyncio.to_thread(jobs.anchors.save, await jobs.store.read(integrity.reseal, jobs.anchors, anchor))
    elif is_new:
        kept = await jobs.store.read(integrity.moved_on, jobs.anchors.key, kept, anchor)
        await asyncio.to_thread(jobs.anchors.save, kept)
    await jobs.store.write(anchors.lies_beside)
