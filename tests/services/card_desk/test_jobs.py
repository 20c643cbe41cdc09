"""Jobs at a card desk before and beside the card: begun, given up, forgotten, found again after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.domain.cards.tag import Trouble
from appliance.domain.desk_request import Issue
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.services.announce import DeskChanged, DeskNews
from appliance.services.card_desk import jobs
from appliance.services.card_desk.jobs import BATCH_MAX, WAITING_MS_MAX
from appliance.services.people import people
from tests.support.books import ACTOR
from tests.support.desk_bench import DESK, Bench
from tests.support.one_desk import Chip

UID = "04A1B2C3D4E5F6"
OTHER = "04B7C8D9EAFB0C"


def test_a_job_that_waits_is_told_and_books_nothing(bench: Bench) -> None:
    bench.announced(DeskChanged)
    job = bench.issue(topup_minor=500)
    assert bench.announced(DeskChanged) == [DeskChanged(DESK, DeskNews.PROGRESS, job)]
    found = bench.job(job)
    assert (found.state, found.person_id, found.card_id, found.receipt) == ("waiting", None, None, None)
    assert bench.db.execute("SELECT count(*) FROM person").fetchone()[0] == 0
    assert bench.money()["cash"] == 0


def test_a_new_job_takes_the_place_of_the_one_that_waits_at_this_desk_only(bench: Bench) -> None:
    first, elsewhere = bench.issue(), bench.begin(jobs.begin_read, desk="office")
    second = bench.begin(jobs.begin_read)
    assert (bench.job(first).state, bench.job(first).advice) == ("failed", "superseded")
    assert (bench.job(second).state, bench.job(elsewhere).state) == ("waiting", "waiting")


def test_nothing_is_begun_at_a_desk_while_a_card_is_written_there(bench: Bench) -> None:
    bench.issue()
    bench.tap(Chip(UID))
    with pytest.raises(Conflict):
        bench.begin(jobs.begin_read)
    assert bench.job(bench.begin(jobs.begin_read, desk="office")).state == "waiting"


def test_a_torn_card_does_not_hold_up_the_desk(bench: Bench) -> None:
    torn = bench.issue()
    bench.lay(Chip(UID), Trouble.TORN)
    other = bench.issued(Chip(OTHER))
    assert (bench.job(torn).state, other.state) == ("torn", "done")
    assert [job.id for job in rows.open_at(bench.db, DESK)] == [torn]


def test_only_a_job_that_waits_is_cancelled(bench: Bench) -> None:
    job = bench.issue()
    bench.cancel(job)
    assert (bench.job(job).state, bench.job(job).advice) == ("failed", "cancelled")
    for number in (job, bench.issued(Chip(UID)).id):
        with pytest.raises(Conflict):
            bench.cancel(number)
    with pytest.raises(NotFound):
        bench.cancel(4711)


@pytest.mark.parametrize("how", ["cancelled", "superseded", "restarted", "expired"])
def test_a_stack_that_is_given_up_ends_with_what_it_has_made(bench: Bench, how: str) -> None:
    stack = bench.begin(jobs.begin_batch, 3, group=bench.books.group())
    bench.lay(Chip(UID))
    if how == "cancelled":
        bench.cancel(stack)
    elif how == "superseded":
        bench.begin(jobs.begin_read)
    elif how == "restarted":
        bench.restart()
    else:
        jobs.expire(bench.db, bench.books.now_ms + WAITING_MS_MAX + 1)
    found = bench.job(stack)
    assert (found.state, found.made, found.advice) == ("done", 1, "")


def test_nobody_waits_for_ever(bench: Bench) -> None:
    job = bench.issue()
    bench.books.wait(WAITING_MS_MAX // 1000)
    jobs.expire(bench.db, bench.books.now_ms)
    assert bench.job(job).state == "waiting"
    bench.books.wait(1)
    jobs.expire(bench.db, bench.books.now_ms)
    assert (bench.job(job).state, bench.job(job).advice) == ("failed", "expired")


def test_a_card_that_was_being_written_when_the_server_died_is_torn_and_what_waited_is_over(bench: Bench) -> None:
    chip = Chip(UID)
    written = bench.issue(topup_minor=500)
    bench.tap(chip)
    waiting = bench.begin(jobs.begin_read, desk="office")
    bench.restart()
    assert (bench.job(written).state, bench.job(written).advice) == ("torn", "present_again")
    assert (bench.job(waiting).state, bench.job(waiting).advice) == ("failed", "restarted")
    assert bench.problems() == ["torn_card"]
    bench.lay(chip, desk="office")
    assert (bench.job(written).state, bench.problems()) == ("done", [])
    assert bench.money()["cash"] == 500


def test_a_clock_that_starts_in_the_past_leaves_no_job_behind(bench: Bench) -> None:
    written, waiting = bench.issue(), bench.begin(jobs.begin_read, desk="office")
    bench.tap(Chip(UID))
    bench.books.now_ms -= 40 * 365 * 86_400_000
    bench.restart()
    assert (bench.job(written).state, bench.job(waiting).state) == ("torn", "failed")
    bench.begin(jobs.begin_read)


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"topup_minor": -5}, "amount_minor"),
        ({"topup_minor": 2**70}, "amount_minor"),
        ({"topup_minor": 0.0}, "topup_minor"),
        ({"method": "shells"}, "method"),
        ({"label": "x" * 2000}, "label"),
    ],
)
def test_an_issue_that_cannot_be_is_refused_at_once(bench: Bench, what: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        bench.issue(**what)
    assert refused.value.field == field
    assert rows.open_at(bench.db, DESK) == []


def test_who_has_left_or_was_never_there_gets_no_card(bench: Bench) -> None:
    person = bench.books.person()
    people.close_person(bench.db, person, ACTOR, bench.books.now_ms)
    with pytest.raises(Refusal):
        bench.issue(person=person)
    with pytest.raises(NotFound):
        bench.issue(person=PersonId(4711))
    with pytest.raises(NotFound):
        bench.issue(group=GroupId(4711))


def test_the_group_of_a_new_person_is_chosen_where_there_is_no_doubt(bench: Bench) -> None:
    with pytest.raises(Invalid):
        bench.begin(jobs.begin_issue, name="Rahima")
    free = bench.books.group("free")
    assert group_of(bench.job(bench.begin(jobs.begin_issue, name="Rahima"))) == free
    bench.books.group("postpaid")
    with pytest.raises(Invalid):
        bench.begin(jobs.begin_issue, name="Rahima")
    prepaid = bench.books.group("prepaid")
    assert group_of(bench.job(bench.begin(jobs.begin_issue, name="Rahima"))) == prepaid


def group_of(job: Job) -> GroupId | None:
    assert isinstance(job.request, Issue)
    return job.request.group_id


def test_what_concerns_a_card_needs_that_card(bench: Bench) -> None:
    nobodys = CardId(9)
    with pytest.raises(NotFound):
        bench.begin(jobs.begin_recharge, 5, "cash", card=nobodys)
    with pytest.raises(NotFound):
        bench.begin(jobs.begin_replace, nobodys)
    with pytest.raises(NotFound):
        bench.begin(jobs.begin_decommission, card=nobodys)
    with pytest.raises(NotFound):
        bench.begin(jobs.begin_rewrite, nobodys)


def test_a_card_that_was_replaced_or_came_back_is_not_replaced_and_a_blocked_one_not_written(bench: Bench) -> None:
    lost = bench.issued(Chip(UID)).card_id
    assert lost is not None
    bench.begin(jobs.begin_replace, lost)
    new = Chip(OTHER)
    bench.lay(new)
    with pytest.raises(Refusal):
        bench.begin(jobs.begin_replace, lost)
    with pytest.raises(Refusal):
        bench.begin(jobs.begin_rewrite, lost)
    bench.begin(jobs.begin_decommission)
    bench.lay(new)
    with pytest.raises(Refusal):
        bench.begin(jobs.begin_replace, bench.card(new).id)


@pytest.mark.parametrize("count", [0, -1, BATCH_MAX + 1])
def test_a_stack_has_a_reasonable_size(bench: Bench, count: int) -> None:
    with pytest.raises(Invalid):
        bench.begin(jobs.begin_batch, count, group=bench.books.group())
