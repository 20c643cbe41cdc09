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
from tests.support.desk_fixture import DESK, DeskFixture
from tests.support.one_desk import Chip

UID = "04A1B2C3D4E5F6"
OTHER = "04B7C8D9EAFB0C"


def test_a_job_that_waits_is_told_and_books_nothing(desk: DeskFixture) -> None:
    desk.announced(DeskChanged)
    job = desk.issue(topup_minor=500)
    assert desk.announced(DeskChanged) == [DeskChanged(DESK, DeskNews.PROGRESS, job)]
    found = desk.job(job)
    assert (found.state, found.person_id, found.card_id, found.receipt) == ("waiting", None, None, None)
    assert desk.db.execute("SELECT count(*) FROM person").fetchone()[0] == 0
    assert desk.money()["cash"] == 0


def test_a_new_job_takes_the_place_of_the_one_that_waits_at_this_desk_only(desk: DeskFixture) -> None:
    first, elsewhere = desk.issue(), desk.begin(jobs.begin_read, desk="office")
    second = desk.begin(jobs.begin_read)
    assert (desk.job(first).state, desk.job(first).advice) == ("failed", "superseded")
    assert (desk.job(second).state, desk.job(elsewhere).state) == ("waiting", "waiting")


def test_nothing_is_begun_at_a_desk_while_a_card_is_written_there(desk: DeskFixture) -> None:
    desk.issue()
    desk.tap(Chip(UID))
    with pytest.raises(Conflict):
        desk.begin(jobs.begin_read)
    assert desk.job(desk.begin(jobs.begin_read, desk="office")).state == "waiting"


def test_a_torn_card_does_not_hold_up_the_desk(desk: DeskFixture) -> None:
    torn = desk.issue()
    desk.lay(Chip(UID), Trouble.TORN)
    other = desk.issued(Chip(OTHER))
    assert (desk.job(torn).state, other.state) == ("torn", "done")
    assert [job.id for job in rows.open_at(desk.db, DESK)] == [torn]


def test_only_a_job_that_waits_is_cancelled(desk: DeskFixture) -> None:
    job = desk.issue()
    desk.cancel(job)
    assert (desk.job(job).state, desk.job(job).advice) == ("failed", "cancelled")
    for number in (job, desk.issued(Chip(UID)).id):
        with pytest.raises(Conflict):
            desk.cancel(number)
    with pytest.raises(NotFound):
        desk.cancel(4711)


@pytest.mark.parametrize("how", ["cancelled", "superseded", "restarted", "expired"])
def test_a_stack_that_is_given_up_ends_with_what_it_has_made(desk: DeskFixture, how: str) -> None:
    stack = desk.begin(jobs.begin_batch, 3, group=desk.books.group())
    desk.lay(Chip(UID))
    if how == "cancelled":
        desk.cancel(stack)
    elif how == "superseded":
        desk.begin(jobs.begin_read)
    elif how == "restarted":
        desk.restart()
    else:
        jobs.expire(desk.db, desk.books.now_ms + WAITING_MS_MAX + 1)
    found = desk.job(stack)
    assert (found.state, found.made, found.advice) == ("done", 1, "")


def test_nobody_waits_for_ever(desk: DeskFixture) -> None:
    job = desk.issue()
    desk.books.wait(WAITING_MS_MAX // 1000)
    jobs.expire(desk.db, desk.books.now_ms)
    assert desk.job(job).state == "waiting"
    desk.books.wait(1)
    jobs.expire(desk.db, desk.books.now_ms)
    assert (desk.job(job).state, desk.job(job).advice) == ("failed", "expired")


def test_a_card_that_was_being_written_when_the_server_died_is_torn_and_what_waited_is_over(desk: DeskFixture) -> None:
    chip = Chip(UID)
    written = desk.issue(topup_minor=500)
    desk.tap(chip)
    waiting = desk.begin(jobs.begin_read, desk="office")
    desk.restart()
    assert (desk.job(written).state, desk.job(written).advice) == ("torn", "present_again")
    assert (desk.job(waiting).state, desk.job(waiting).advice) == ("failed", "restarted")
    assert desk.problems() == ["torn_card"]
    desk.lay(chip, desk="office")
    assert (desk.job(written).state, desk.problems()) == ("done", [])
    assert desk.money()["cash"] == 500


def test_a_clock_that_starts_in_the_past_leaves_no_job_behind(desk: DeskFixture) -> None:
    written, waiting = desk.issue(), desk.begin(jobs.begin_read, desk="office")
    desk.tap(Chip(UID))
    desk.books.now_ms -= 40 * 365 * 86_400_000
    desk.restart()
    assert (desk.job(written).state, desk.job(waiting).state) == ("torn", "failed")
    desk.begin(jobs.begin_read)


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
def test_an_issue_that_cannot_be_is_refused_at_once(desk: DeskFixture, what: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        desk.issue(**what)
    assert refused.value.field == field
    assert rows.open_at(desk.db, DESK) == []


def test_who_has_left_or_was_never_there_gets_no_card(desk: DeskFixture) -> None:
    person = desk.books.person()
    people.close(desk.db, person, desk.books.by)
    with pytest.raises(Refusal):
        desk.issue(person=person)
    with pytest.raises(NotFound):
        desk.issue(person=PersonId(4711))
    with pytest.raises(NotFound):
        desk.issue(group=GroupId(4711))


def test_the_group_of_a_new_person_is_chosen_where_there_is_no_doubt(desk: DeskFixture) -> None:
    with pytest.raises(Invalid):
        desk.begin(jobs.begin_issue, name="Rahima")
    free = desk.books.group("free")
    assert group_of(desk.job(desk.begin(jobs.begin_issue, name="Rahima"))) == free
    desk.books.group("postpaid")
    with pytest.raises(Invalid):
        desk.begin(jobs.begin_issue, name="Rahima")
    prepaid = desk.books.group("prepaid")
    assert group_of(desk.job(desk.begin(jobs.begin_issue, name="Rahima"))) == prepaid


def group_of(job: Job) -> GroupId | None:
    assert isinstance(job.request, Issue)
    return job.request.group_id


def test_what_concerns_a_card_needs_that_card(desk: DeskFixture) -> None:
    nobodys = CardId(9)
    with pytest.raises(NotFound):
        desk.begin(jobs.begin_recharge, 5, "cash", card=nobodys)
    with pytest.raises(NotFound):
        desk.begin(jobs.begin_replace, nobodys)
    with pytest.raises(NotFound):
        desk.begin(jobs.begin_decommission, card=nobodys)
    with pytest.raises(NotFound):
        desk.begin(jobs.begin_rewrite, nobodys)


def test_a_card_that_was_replaced_or_came_back_is_not_replaced_and_a_blocked_one_not_written(desk: DeskFixture) -> None:
    lost = desk.issued(Chip(UID)).card_id
    assert lost is not None
    desk.begin(jobs.begin_replace, lost)
    new = Chip(OTHER)
    desk.lay(new)
    with pytest.raises(Refusal):
        desk.begin(jobs.begin_replace, lost)
    with pytest.raises(Refusal):
        desk.begin(jobs.begin_rewrite, lost)
    desk.begin(jobs.begin_decommission)
    desk.lay(new)
    with pytest.raises(Refusal):
        desk.begin(jobs.begin_replace, desk.card(new).id)


@pytest.mark.parametrize("count", [0, -1, BATCH_MAX + 1])
def test_a_stack_has_a_reasonable_size(desk: DeskFixture, count: int) -> None:
    with pytest.raises(Invalid):
        desk.begin(jobs.begin_batch, count, group=desk.books.group())
