"""A slip at the card desk, taken back: the money, the card and the chip are what they were, and it is on record."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.db import audit
from appliance.db.card_desk.jobs import Job
from appliance.domain.cards.tag import Content, Kind, Trouble
from appliance.domain.errors import NotFound, Refusal, TooLittleMoney
from appliance.domain.identifiers import PersonId
from appliance.services import settings
from appliance.services.announce import CardRevoked, DeskChanged, DeskNews
from appliance.services.card_desk import jobs, undo
from appliance.services.card_desk.undo import UNDO_MS_MAX
from appliance.services.cards import cards
from appliance.services.people import people
from appliance.services.wallets import receipts, wallets
from tests.support.books import ACTOR
from tests.support.desk_fixture import DESK, DeskFixture
from tests.support.one_desk import Chip

UID = "04A1B2C3D4E5F6"
OTHER = "04B7C8D9EAFB0C"


@pytest.fixture(autouse=True)
def _deposit(desk: DeskFixture) -> None:
    settings.change(desk.db, "card_deposit_minor", "300")


def closed(desk: DeskFixture, person: PersonId | None) -> bool:
    assert person is not None
    return people.need(desk.db, person).closed_at_ms is not None


def test_an_issue_is_taken_back_with_its_money_its_card_and_its_person(desk: DeskFixture) -> None:
    chip = Chip(UID)
    job = desk.issued(chip, topup_minor=500)
    desk.announced(CardRevoked)
    note = desk.undo(job.id)
    assert CardRevoked(int(desk.card(chip).id), (UID,)) in desk.announced(CardRevoked)
    assert note == 2
    assert (desk.money()["cash"], desk.money()["deposits"]) == (0, 0)
    assert closed(desk, job.person_id)
    card = desk.card(chip)
    assert (card.blocked_why, card.content, card.deposit_minor) == ("undone", "wiping", 0)
    desk.lay(chip)
    assert (desk.card(chip).content, chip.content, chip.keys) == ("wiped", Content(), None)
    assert desk.job(job.id).undone
    row = audit.page(desk.db, action="desk.undo")[0]
    assert (row.actor, row.subject) == (ACTOR, f"card:{card.id}")


def test_the_desk_is_told_so_that_a_card_that_still_lies_there_is_emptied_at_once(desk: DeskFixture) -> None:
    job = desk.issued(Chip(UID))
    desk.announced(DeskChanged)
    desk.undo(job.id)
    assert DeskChanged(DESK, DeskNews.PROGRESS, job.id) in desk.announced(DeskChanged)


def test_a_card_that_was_taken_back_is_given_to_somebody_else(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.undo(desk.issued(chip).id)
    assert desk.issued(chip, name="Karim Ahmed").state == "done"
    assert desk.card(chip).person == "Karim Ahmed"
    desk.check_settled([chip])


def test_a_person_who_was_known_stays_when_their_card_is_taken_back(desk: DeskFixture) -> None:
    person = desk.books.person(paid_in=1_000)
    job = desk.issued(Chip(UID), person=person, topup_minor=500)
    desk.undo(job.id)
    assert (closed(desk, person), desk.books.balance(person)) == (False, 1_000)


def test_a_new_person_with_a_second_card_stays_when_the_first_is_taken_back(desk: DeskFixture) -> None:
    job = desk.issued(Chip(UID))
    desk.issued(Chip(OTHER), person=job.person_id)
    desk.undo(job.id)
    assert not closed(desk, job.person_id)


def test_a_torn_issue_is_taken_back_and_the_card_is_emptied_when_it_comes(desk: DeskFixture) -> None:
    chip = Chip(UID)
    number = desk.issue(topup_minor=500)
    desk.lay(chip, Trouble.TORN)
    desk.undo(number)
    job = desk.job(number)
    assert (job.state, job.advice, job.undone, desk.problems()) == ("failed", "undone", True, [])
    assert desk.money()["cash"] == 0
    desk.lay(chip)
    desk.check_settled([chip])
    assert desk.card(chip).content == "wiped"


def test_a_recharge_is_taken_back_and_the_card_is_left_as_it_is(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    job = desk.begin(jobs.begin_recharge, 700, "mobile")
    desk.lay(chip)
    before = desk.card(chip)
    desk.undo(job)
    assert (desk.card(chip), desk.money()["mobile"]) == (before, 0)


def test_a_replacement_is_taken_back_and_the_old_card_charges_again(desk: DeskFixture) -> None:
    old, new = Chip(UID), Chip(OTHER)
    desk.issued(old, topup_minor=500)
    before = desk.card(old)
    job = desk.begin(jobs.begin_replace, before.id)
    desk.lay(new)
    assert desk.undo(job) is None
    assert desk.card(old) == before
    assert (desk.card(new).blocked_why, desk.card(new).deposit_minor) == ("undone", 0)
    desk.lay(new)
    desk.check_settled([old, new])


def test_a_card_that_was_blocked_as_lost_stays_so_when_its_replacement_is_taken_back(desk: DeskFixture) -> None:
    old, new = Chip(UID), Chip(OTHER)
    desk.issued(old)
    cards.block(desk.db, desk.card(old).id, "lost", desk.books.by)
    before = desk.card(old)
    job = desk.begin(jobs.begin_replace, before.id)
    desk.lay(new)
    desk.undo(job)
    assert desk.card(old) == before
    assert before.blocked_why == "lost"


def test_a_return_is_taken_back_and_the_card_is_written_again(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip, topup_minor=500)
    before = desk.card(chip)
    job = desk.begin(jobs.begin_decommission, refund=True, rest=True)
    desk.lay(chip)
    assert desk.undo(job) == 3
    assert (desk.money()["cash"], desk.money()["deposits"]) == (800, 300)
    assert desk.books.balance(before.person_id) == 500
    desk.lay(chip)
    assert desk.card(chip) == before
    desk.check_settled([chip])


def test_a_lost_card_that_was_returned_does_not_charge_beside_its_successor_when_that_is_taken_back(
    desk: DeskFixture,
) -> None:
    old, new = Chip(UID), Chip(OTHER)
    desk.issued(old)
    desk.begin(jobs.begin_replace, desk.card(old).id)
    desk.lay(new)
    before = desk.card(old)
    job = desk.begin(jobs.begin_decommission)
    desk.lay(old)
    desk.undo(job)
    desk.lay(old)
    assert desk.card(old) == before
    assert before.replaced_by == desk.card(new).id


@pytest.mark.parametrize("kind", [Kind.NTAG213, Kind.CLASSIC])
def test_taken_back_means_once(desk: DeskFixture, kind: Kind) -> None:
    job = desk.issued(Chip(UID, kind, writable=kind is Kind.NTAG213), topup_minor=500)
    desk.undo(job.id)
    with pytest.raises(Refusal):
        desk.undo(job.id)
    assert desk.money()["cash"] == 0


def test_after_a_minute_nothing_is_taken_back(desk: DeskFixture) -> None:
    job = desk.issued(Chip(UID))
    now_ms = desk.books.now_ms
    assert undo.may_undo(desk.db, job, now_ms + UNDO_MS_MAX)
    assert not undo.may_undo(desk.db, job, now_ms + UNDO_MS_MAX + 1)
    desk.books.now_ms += UNDO_MS_MAX + 1
    with pytest.raises(Refusal):
        desk.undo(job.id)
    with pytest.raises(NotFound):
        desk.undo(4711)


def test_what_waits_was_given_up_or_moved_nothing_is_not_taken_back(desk: DeskFixture) -> None:
    chip = Chip(UID)
    waiting = desk.issue()
    with pytest.raises(Refusal):
        desk.undo(waiting)
    desk.cancel(waiting)
    desk.issued(chip)
    read = desk.begin(jobs.begin_read)
    desk.lay(chip)
    rewrite = desk.begin(jobs.begin_rewrite, desk.card(chip).id)
    desk.lay(chip)
    stack = desk.begin(jobs.begin_batch, 1, person=desk.books.person())
    desk.lay(Chip(OTHER))
    for job in (waiting, read, rewrite, stack):
        with pytest.raises(Refusal):
            desk.undo(job)


def test_money_that_was_spent_is_not_given_back_and_nothing_else_happens(desk: DeskFixture) -> None:
    chip = Chip(UID)
    job = desk.issued(chip, topup_minor=500)
    assert job.person_id is not None
    wallets.refund(desk.db, job.person_id, 1, "cash", "one", desk.books.by)
    with pytest.raises(TooLittleMoney):
        desk.undo(job.id)
    assert (desk.card(chip).blocked_at_ms, desk.job(job.id).undone) == (None, False)
    assert desk.money()["deposits"] == 300


def test_a_new_person_with_other_money_by_now_is_not_undone(desk: DeskFixture) -> None:
    job = desk.issued(Chip(UID), topup_minor=500)
    assert job.person_id is not None
    wallets.top_up(desk.db, job.person_id, 50, "cash", "more", desk.books.by)
    with pytest.raises(Refusal):
        desk.undo(job.id)
    assert desk.books.balance(job.person_id) == 550


def test_a_card_that_charges_already_is_not_taken_back(desk: DeskFixture) -> None:
    desk.books.tariff()
    station = desk.books.station()
    job = desk.issued(Chip(UID), topup_minor=50_000)
    desk.books.start(station, 1, UID)
    with pytest.raises(Refusal):
        desk.undo(job.id)


def test_what_was_built_on_is_not_taken_back_before_that(desk: DeskFixture) -> None:
    chip, new = Chip(UID), Chip(OTHER)
    issued = desk.issued(chip)
    returned = desk.begin(jobs.begin_decommission, refund=True, rest=True)
    desk.lay(chip)
    with pytest.raises(Refusal):
        desk.undo(issued.id)  # Its deposit was given back already.
    assert desk.money()["deposits"] == 0
    desk.undo(returned)
    desk.lay(chip)
    replaced = desk.begin(jobs.begin_replace, desk.card(chip).id)
    desk.lay(new)
    with pytest.raises(Refusal):
        desk.undo(issued.id)
    desk.undo(replaced)
    desk.undo(issued.id)
    assert (desk.money()["cash"], desk.money()["deposits"]) == (0, 0)


def test_a_return_is_not_taken_back_once_somebody_else_has_the_card(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    returned = desk.begin(jobs.begin_decommission, refund=True, rest=True)
    desk.lay(chip)
    desk.issued(chip, name="Karim Ahmed")
    with pytest.raises(Refusal):
        desk.undo(returned)
    assert desk.card(chip).person == "Karim Ahmed"


def test_a_replacement_is_not_taken_back_once_the_old_card_came_back(desk: DeskFixture) -> None:
    old, new = Chip(UID), Chip(OTHER)
    desk.issued(old)
    replaced = desk.begin(jobs.begin_replace, desk.card(old).id)
    desk.lay(new)
    desk.begin(jobs.begin_decommission)
    desk.lay(old)
    with pytest.raises(Refusal):
        desk.undo(replaced)
    assert desk.card(new).blocked_at_ms is None


def test_a_card_in_the_middle_of_being_written_is_not_taken_back(desk: DeskFixture) -> None:
    chip = Chip(UID)
    issued = desk.issued(chip)
    desk.begin(jobs.begin_rewrite, desk.card(chip).id)
    desk.tap(chip)
    with pytest.raises(Refusal):
        desk.undo(issued.id)
    desk.lay(chip)
    desk.undo(issued.id)
    desk.lay(chip)
    desk.check_settled([chip])


def test_the_credit_note_names_what_it_corrects(desk: DeskFixture) -> None:
    job = desk.issued(Chip(UID), topup_minor=500, method="bank")
    number = desk.undo(job.id)
    assert (job.receipt, number) == (1, 2)
    note = receipts.need(desk.db, 2)
    assert (note.kind, note.corrects, note.amount_minor, note.deposit_minor) == ("credit_note", 1, -800, -300)
    assert (note.method, note.balance_minor) == ("bank", 0)
    assert receipts.need(desk.db, 1).corrected_by == 2


def test_the_problem_of_a_torn_card_stays_while_another_job_with_it_is_torn(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    returned = desk.begin(jobs.begin_decommission)
    desk.lay(chip, Trouble.GONE)
    again = desk.issue(name="Karim Ahmed")
    desk.lay(chip, Trouble.TORN)
    desk.undo(again)
    assert (desk.job(returned).state, desk.problems()) == ("torn", ["torn_card"])
    desk.lay(chip)
    assert (desk.job(returned).state, desk.problems()) == ("done", [])


def somebody_else_gets_it(desk: DeskFixture, job: Job, chip: Chip) -> None:
    desk.begin(jobs.begin_decommission)
    desk.lay(chip)
    desk.issued(chip, name="Karim Ahmed")


def it_comes_back(desk: DeskFixture, job: Job, chip: Chip) -> None:
    desk.begin(jobs.begin_decommission)
    desk.lay(chip)


def it_is_replaced_by_number(desk: DeskFixture, job: Job, chip: Chip) -> None:
    cards.replace(desk.db, desk.card(chip).id, OTHER, desk.books.by)


def it_is_being_written(desk: DeskFixture, job: Job, chip: Chip) -> None:
    desk.begin(jobs.begin_rewrite, desk.card(chip).id)
    desk.tap(chip)


def it_charges(desk: DeskFixture, job: Job, chip: Chip) -> None:
    desk.books.tariff()
    desk.books.start(desk.books.station(), 1, UID)


def money_is_spent(desk: DeskFixture, job: Job, chip: Chip) -> None:
    assert job.person_id is not None
    wallets.refund(desk.db, job.person_id, 1, "cash", "one", desk.books.by)


def other_money_comes_in(desk: DeskFixture, job: Job, chip: Chip) -> None:
    assert job.person_id is not None
    wallets.top_up(desk.db, job.person_id, 50, "cash", "more", desk.books.by)


def they_leave(desk: DeskFixture, job: Job, chip: Chip) -> None:
    assert job.person_id is not None
    balance_minor = desk.books.balance(job.person_id)
    wallets.refund(desk.db, job.person_id, balance_minor, "cash", "all", desk.books.by)
    people.close(desk.db, job.person_id, desk.books.by)


def a_minute_passes(desk: DeskFixture, job: Job, chip: Chip) -> None:
    desk.books.now_ms += UNDO_MS_MAX + 1


def it_is_taken_back(desk: DeskFixture, job: Job, chip: Chip) -> None:
    desk.undo(job.id)


@pytest.mark.parametrize(
    "happens",
    [
        somebody_else_gets_it,
        it_comes_back,
        it_is_replaced_by_number,
        it_is_being_written,
        it_charges,
        money_is_spent,
        other_money_comes_in,
        they_leave,
        a_minute_passes,
        it_is_taken_back,
    ],
)
def test_what_cannot_be_taken_back_any_more_is_not_offered(
    desk: DeskFixture, happens: Callable[[DeskFixture, Job, Chip], None]
) -> None:
    chip = Chip(UID)
    job = desk.issued(chip, topup_minor=50_000)
    assert desk.may_undo(job.id)
    happens(desk, job, chip)
    assert not desk.may_undo(job.id)
    with pytest.raises(Refusal):
        desk.undo(job.id)


def test_money_is_not_given_back_to_the_wallet_of_somebody_who_has_left(desk: DeskFixture) -> None:
    chip = Chip(UID)
    issued = desk.issued(chip, topup_minor=500)
    returned = desk.begin(jobs.begin_decommission, rest=True)
    desk.lay(chip)
    assert issued.person_id is not None
    assert desk.may_undo(returned)
    people.close(desk.db, issued.person_id, desk.books.by)
    assert not desk.may_undo(returned)
    with pytest.raises(Refusal):
        desk.undo(returned)
    assert desk.books.balance(issued.person_id) == 0
