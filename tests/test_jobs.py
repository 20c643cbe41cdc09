"""What happens by the clock, with the real scheduler on a real store: it ends quietly, and a failure is told."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apscheduler.events import EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from appliance.db import problems
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.db.integrity import anchors
from appliance.host.anchors import AnchorFile
from appliance.jobs.schedule import Jobs, keeping_time, schedule
from appliance.services import integrity
from appliance.services.announce import Hub
from appliance.services.ports.anchors import Kept
from appliance.services.stations.commands import RemoteControl
from appliance.services.stations.upkeep import Upkeep
from appliance.services.tasks import Tasks
from tests.support.books import NOON_MS, SITE, open_books
from tests.support.fake_stations import FakeStations

HUNG_S = 20.0


@dataclasses.dataclass(frozen=True, slots=True)
class Hindered(Jobs):
    """Jobs of which one does what a test wants."""

    begun: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    error: list[Exception] = dataclasses.field(default_factory=list)

    async def expire_start_requests(self) -> None:
        """Fails with the error given; with none it does not end."""
        self.begun.set()
        if self.error:
            raise self.error[0]
        await asyncio.Event().wait()


@pytest.fixture
async def jobs(tmp_path: Path) -> AsyncIterator[Hindered]:
    """The jobs of a site with nothing in it."""
    books = open_books(tmp_path / "forecourt.db")
    books.db.flush()
    books.db.close()
    hub = Hub()
    store = Store(books.path, announce=hub.announce)
    stations = FakeStations(books.path)
    control = RemoteControl(store, stations, hub, lambda: NOON_MS)
    await store.open()
    upkeep = Upkeep(store, stations, hub, lambda: NOON_MS)
    yield Hindered(store, stations, control, lambda: NOON_MS, SITE, NOON_MS, upkeep)
    await upkeep.close()
    await control.close()
    await store.close()


def make_due(scheduler: AsyncIOScheduler, name: str) -> None:
    """Have this job run at the loop's next turn."""
    scheduler.modify_job(name, next_run_time=datetime.now(UTC))


async def run_once(jobs: Jobs, name: str) -> None:
    """One run of this job, to its end."""
    done = asyncio.Event()

    def ended(event: JobExecutionEvent) -> None:
        if event.job_id == name:
            done.set()

    async with keeping_time(jobs) as scheduler, asyncio.timeout(HUNG_S):
        scheduler.add_listener(ended, EVENT_JOB_EXECUTED)
        make_due(scheduler, name)
        await done.wait()


async def test_a_job_that_runs_when_the_server_ends_leaves_no_error(
    jobs: Hindered, caplog: pytest.LogCaptureFixture
) -> None:
    async with keeping_time(jobs) as scheduler, asyncio.timeout(HUNG_S):
        make_due(scheduler, "expire_start_requests")
        await jobs.begun.wait()

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_job_that_has_just_fallen_due_when_the_server_ends_leaves_no_error(
    jobs: Hindered, caplog: pytest.LogCaptureFixture
) -> None:
    async with keeping_time(jobs) as scheduler:
        make_due(scheduler, "expire_start_requests")
        await asyncio.sleep(0)
        assert not jobs.begun.is_set()

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_job_that_fails_is_a_problem_until_it_succeeds(jobs: Hindered) -> None:
    jobs.error.append(OSError("the disk is gone"))
    await run_once(jobs, "expire_start_requests")
    (problem,) = await jobs.store.read(problems.open_problems)
    assert (problem.kind, problem.subject) == ("job_failed", "job:give_up_old_wishes")

    healthy = Jobs(*(getattr(jobs, field.name) for field in dataclasses.fields(Jobs)))
    await run_once(healthy, "expire_start_requests")
    assert await jobs.store.read(problems.open_problems) == []


async def test_every_job_runs_on_a_site_with_nothing_in_it(jobs: Hindered) -> None:
    healthy = Jobs(*(getattr(jobs, field.name) for field in dataclasses.fields(Jobs)))
    for job in schedule(healthy, Tasks()).get_jobs():
        await run_once(healthy, job.id)

    assert [found.kind for found in await jobs.store.read(problems.open_problems) if found.kind == "job_failed"] == []


# --- anchors ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def anchoring(jobs: Hindered, tmp_path: Path) -> Hindered:
    """The jobs of a site with its key."""
    return dataclasses.replace(jobs, anchors=AnchorFile(tmp_path / "anchors", bytes(32)))


async def books_problems(jobs: Jobs) -> list[str]:
    return [one.kind for one in await jobs.store.read(problems.open_problems)]


async def test_the_books_are_anchored_in_the_file_in_themselves_and_in_the_journal(
    anchoring: Hindered, caplog: pytest.LogCaptureFixture
) -> None:
    assert anchoring.anchors is not None
    with caplog.at_level(logging.INFO):
        await anchoring.anchor_books()
        await anchoring.anchor_books()  # Nothing has happened since.

    lines = [f"anchor={record.anchor}" for record in caplog.records if record.message == "books anchored"]  # type: ignore[attr-defined]
    kept, written = anchoring.anchors.load(), await anchoring.store.read(anchors.newest)
    assert len(lines) == 1
    assert kept is not None
    assert kept.anchor == written
    assert await anchoring.store.read(integrity.against_journal, bytes(32), lines) == []
    assert await anchoring.store.read(integrity.against_journal, bytes(range(32)), lines) != []
    assert await anchoring.store.read(integrity.against_journal, bytes(32), ["nothing"]) != []


async def test_anchors_that_are_gone_are_told_at_night_and_not_made_again(anchoring: Hindered) -> None:
    assert isinstance(anchoring.anchors, AnchorFile)
    await anchoring.anchor_books()
    await anchoring.verify_books()
    assert await books_problems(anchoring) == []

    anchoring.anchors.path.unlink()
    await anchoring.anchor_books()
    await anchoring.verify_books()
    assert await books_problems(anchoring) == ["books"]
    assert not anchoring.anchors.path.exists()


async def test_a_quiet_week_is_no_alarm(anchoring: Hindered) -> None:
    for hour in range(24 * 7):
        later = dataclasses.replace(anchoring, clock=lambda: NOON_MS + hour * 3_600_000)  # noqa: B023  # called at once
        await (later.verify_books() if hour % 24 == 23 else later.anchor_books())

    assert await books_problems(anchoring) == []


async def test_anchors_that_somebody_wrote_are_told_at_night(anchoring: Hindered) -> None:
    assert isinstance(anchoring.anchors, AnchorFile)
    await anchoring.anchor_books()
    text = anchoring.anchors.path.read_bytes()
    anchoring.anchors.path.write_bytes(text.replace(b'"sealed_seq":', b'"sealed_seq":9'))
    await anchoring.anchor_books()
    await anchoring.verify_books()

    assert await books_problems(anchoring) == ["books"]


class FullDisk(AnchorFile):
    """The books can be written, and nothing beside them: or the power goes just then."""

    def save(self, kept: Kept) -> None:  # noqa: ARG002
        raise OSError(errno.ENOSPC, "full")


async def test_a_first_anchor_that_did_not_get_beside_the_books_is_taken_again(anchoring: Hindered) -> None:
    assert isinstance(anchoring.anchors, AnchorFile)
    torn = dataclasses.replace(anchoring, anchors=FullDisk(anchoring.anchors.path, anchoring.anchors.key))
    with pytest.raises(OSError, match="full"):
        await torn.anchor_books()
    assert not anchoring.anchors.path.exists()

    await anchoring.verify_books()
    assert await books_problems(anchoring) == []
    await anchoring.anchor_books()
    assert anchoring.anchors.path.exists()

    anchoring.anchors.path.unlink()
    await anchoring.verify_books()
    assert await books_problems(anchoring) == ["books"]


async def test_the_books_are_anchored_when_the_server_starts(anchoring: Hindered) -> None:
    assert anchoring.anchors is not None
    done = asyncio.Event()
    async with keeping_time(anchoring) as scheduler, asyncio.timeout(HUNG_S):
        scheduler.add_listener(lambda event: done.set() if event.job_id == "anchor_books" else None, EVENT_JOB_EXECUTED)
        await done.wait()

    assert anchoring.anchors.load() is not None


def without_anchors(db: Database) -> None:
    db.execute("DROP TRIGGER anchor_no_delete")
    db.execute("DELETE FROM anchor")


async def test_anchors_that_are_all_gone_do_not_make_a_new_site(anchoring: Hindered) -> None:
    assert isinstance(anchoring.anchors, AnchorFile)
    await anchoring.anchor_books()
    anchoring.anchors.path.unlink()
    await anchoring.store.write(without_anchors)
    await anchoring.anchor_books()
    await anchoring.verify_books()

    assert "books" in await books_problems(anchoring)
    assert not anchoring.anchors.path.exists()
