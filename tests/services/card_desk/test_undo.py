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
from appliance.services.announce import CardDied, DeskChanged, DeskNews
from appliance.services.card_desk import jobs, undo
from appliance.services.card_desk.undo import UNDO_MS_MAX
from appliance.services.cards import cards
from appliance.services.people import people
from appliance.services.wallets import receipts, wallets
from tests.support.books import ACTOR
from tests.support.desk_bench import DESK, Bench
from tests.support.one_desk import Chip

UID = "04A1B2C3D4E5F6"
OTHER = "04B7C8D9EAFB0C"


@pytest.fixture(autouse=True)
def _deposit(bench: Bench) -> None:
    settings.change(bench.db, "card_deposit_minor", "300")


def closed(bench: Bench, person: PersonId | None) -> bool:
    assert person is not None
    return people.need_person(bench.db, person).closed_at_ms is not None


def test_an_issue_is_taken_back_with_its_money_its_card_and_its_person(bench: Bench) -> None:
    chip = Chip(UID)
    job = bench.issued(chip, topup_minor=500)
    bench.announced(CardDied)
    note = bench.undo(job.id)
    assert CardDied(int(bench.card(chip).id), (UID,)) in bench.announced(CardDied)
    assert note == 2
    assert (bench.money()["cash"], bench.money()["deposits"]) == (0, 0)
    assert closed(bench, job.person_id)
    card = bench.card(chip)
    assert (card.blocked_why, card.content, card.deposit_minor) == ("undone", "wiping", 0)
    bench.lay(chip)
    assert (bench.card(chip).content, chip.content, chip.keys) == ("wiped", Content(), None)
    assert bench.job(job.id).undone
    row = audit.page(bench.db, action="desk.undo")[0]
    assert (row.actor, row.subject) == (ACTOR, f"card:{card.id}")


def test_the_desk_is_told_so_that_a_card_that_still_lies_there_is_emptied_at_once(bench: Bench) -> None:
    job = bench.issued(Chip(UID))
    bench.announced(DeskChanged)
    bench.undo(job.id)
    assert DeskChanged(DESK, DeskNews.PROGRESS, job.id) in bench.announced(DeskChanged)


def test_a_card_that_was_taken_back_is_given_to_somebody_else(bench: Bench) -> None:
    chip = Chip(UID)
    bench.undo(bench.issued(chip).id)
    assert bench.issued(chip, name="Karim Ahmed").state == "done"
    assert bench.card(chip).person == "Karim Ahmed"
    bench.check_settled([chip])


def test_a_person_who_was_known_stays_when_their_card_is_taken_back(bench: Bench) -> None:
    person = bench.books.person(paid_in=1_000)
    job = bench.issued(Chip(UID), person=person, topup_minor=500)
    bench.undo(job.id)
    assert (closed(bench, person), bench.books.balance(person)) == (False, 1_000)


def test_a_new_person_with_a_second_card_stays_when_the_first_is_taken_back(bench: Bench) -> None:
    job = bench.issued(Chip(UID))
    bench.issued(Chip(OTHER), person=job.person_id)
    bench.undo(job.id)
    assert not closed(bench, job.person_id)


def test_a_torn_issue_is_taken_back_and_the_card_is_emptied_when_it_comes(bench: Bench) -> None:
    chip = Chip(UID)
    number = bench.issue(topup_minor=500)
    bench.lay(chip, Trouble.TORN)
    bench.undo(number)
    job = bench.job(number)
    assert (job.state, job.advice, job.undone, bench.problems()) == ("failed", "undone", True, [])
    assert bench.money()["cash"] == 0
    bench.lay(chip)
    bench.check_settled([chip])
    assert bench.card(chip).content == "wiped"


def test_a_recharge_is_taken_back_and_the_card_is_left_as_it_is(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    job = bench.begin(jobs.begin_recharge, 700, "mobile")
    bench.lay(chip)
    before = bench.card(chip)
    bench.undo(job)
    assert (bench.card(chip), bench.money()["mobile"]) == (before, 0)


def test_a_replacement_is_taken_back_and_the_old_card_charges_again(bench: Bench) -> None:
    old, new = Chip(UID), Chip(OTHER)
    bench.issued(old, topup_minor=500)
    before = bench.card(old)
    job = bench.begin(jobs.begin_replace, before.id)
    bench.lay(new)
    assert bench.undo(job) is None
    assert bench.card(old) == before
    assert (bench.card(new).blocked_why, bench.card(new).deposit_minor) == ("undone", 0)
    bench.lay(new)
    bench.check_settled([old, new])


def test_a_card_that_was_blocked_as_lost_stays_so_when_its_replacement_is_taken_back(bench: Bench) -> None:
    old, new = Chip(UID), Chip(OTHER)
    bench.issued(old)
    cards.block_card(bench.db, bench.card(old).id, "lost", ACTOR, bench.books.now_ms)
    before = bench.card(old)
    job = bench.begin(jobs.begin_replace, before.id)
    bench.lay(new)
    bench.undo(job)
    assert bench.card(old) == before
    assert before.blocked_why == "lost"


def test_a_return_is_taken_back_and_the_card_is_written_again(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip, topup_minor=500)
    before = bench.card(chip)
    job = bench.begin(jobs.begin_decommission, refund=True, rest=True)
    bench.lay(chip)
    assert bench.undo(job) == 3
    assert (bench.money()["cash"], bench.money()["deposits"]) == (800, 300)
    assert bench.books.balance(before.person_id) == 500
    bench.lay(chip)
    assert bench.card(chip) == before
    bench.check_settled([chip])


def test_a_lost_card_that_was_returned_does_not_charge_beside_its_successor_when_that_is_taken_back(
    bench: Bench,
) -> None:
    old, new = Chip(UID), Chip(OTHER)
    bench.issued(old)
    bench.begin(jobs.begin_replace, bench.card(old).id)
    bench.lay(new)
    before = bench.card(old)
    job = bench.begin(jobs.begin_decommission)
    bench.lay(old)
    bench.undo(job)
    bench.lay(old)
    assert bench.card(old) == before
    assert before.replaced_by == bench.card(new).id


@pytest.mark.parametrize("kind", [Kind.NTAG213, Kind.CLASSIC])
def test_taken_back_means_once(bench: Bench, kind: Kind) -> None:
    job = bench.issued(Chip(UID, kind, writable=kind is Kind.NTAG213), topup_minor=500)
    bench.undo(job.id)
    with pytest.raises(Refusal):
        bench.undo(job.id)
    assert bench.money()["cash"] == 0


def test_after_a_minute_nothing_is_taken_back(bench: Bench) -> None:
    job = bench.issued(Chip(UID))
    now_ms = bench.books.now_ms
    assert undo.may_undo(bench.db, job, now_ms + UNDO_MS_MAX)
    assert not undo.may_undo(bench.db, job, now_ms + UNDO_MS_MAX + 1)
    bench.books.now_ms += UNDO_MS_MAX + 1
    with pytest.raises(Refusal):
        bench.undo(job.id)
    with pytest.raises(NotFound):
        bench.undo(4711)


def test_what_waits_was_given_up_or_moved_nothing_is_not_taken_back(bench: Bench) -> None:
    chip = Chip(UID)
    waiting = bench.issue()
    with pytest.raises(Refusal):
        bench.undo(waiting)
    bench.cancel(waiting)
    bench.issued(chip)
    read = bench.begin(jobs.begin_read)
    bench.lay(chip)
    rewrite = bench.begin(jobs.begin_rewrite, bench.card(chip).id)
    bench.lay(chip)
    stack = bench.begin(jobs.begin_batch, 1, person=bench.books.person())
    bench.lay(Chip(OTHER))
    for job in (waiting, read, rewrite, stack):
        with pytest.raises(Refusal):
            bench.undo(job)


def test_money_that_was_spent_is_not_given_back_and_nothing_else_happens(bench: Bench) -> None:
    chip = Chip(UID)
    job = bench.issued(chip, topup_minor=500)
    assert job.person_id is not None
    wallets.refund(bench.db, job.person_id, 1, "cash", "one", ACTOR, bench.books.now_ms)
    with pytest.raises(TooLittleMoney):
        bench.undo(job.id)
    assert (bench.card(chip).blocked_at_ms, bench.job(job.id).undone) == (None, False)
    assert bench.money()["deposits"] == 300


def test_a_new_person_with_other_money_by_now_is_not_undone(bench: Bench) -> None:
    job = bench.issued(Chip(UID), topup_minor=500)
    assert job.person_id is not None
    wallets.top_up(bench.db, job.person_id, 50, "cash", "more", ACTOR, bench.books.now_ms)
    with pytest.raises(Refusal):
        bench.undo(job.id)
    assert bench.books.balance(job.person_id) == 550


def test_a_card_that_charges_already_is_not_taken_back(bench: Bench) -> None:
    bench.books.tariff()
    station = bench.books.station()
    job = bench.issued(Chip(UID), topup_minor=50_000)
    bench.books.start(station, 1, UID)
    with pytest.raises(Refusal):
        bench.undo(job.id)


def test_what_was_built_on_is_not_taken_back_before_that(bench: Bench) -> None:
    chip, new = Chip(UID), Chip(OTHER)
    issued = bench.issued(chip)
    returned = bench.begin(jobs.begin_decommission, refund=True, rest=True)
    bench.lay(chip)
    with pytest.raises(Refusal):
        bench.undo(issued.id)  # Its deposit was given back already.
    assert bench.money()["deposits"] == 0
    bench.undo(returned)
    bench.lay(chip)
    replaced = bench.begin(jobs.begin_replace, bench.card(chip).id)
    bench.lay(new)
    with pytest.raises(Refusal):
        bench.undo(issued.id)
    bench.undo(replaced)
    bench.undo(issued.id)
    assert (bench.money()["cash"], bench.money()["deposits"]) == (0, 0)


def test_a_return_is_not_taken_back_once_somebody_else_has_the_card(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    returned = bench.begin(jobs.begin_decommission, refund=True, rest=True)
    bench.lay(chip)
    bench.issued(chip, name="Karim Ahmed")
    with pytest.raises(Refusal):
        bench.undo(returned)
    assert bench.card(chip).person == "Karim Ahmed"


def test_a_replacement_is_not_taken_back_once_the_old_card_came_back(bench: Bench) -> None:
    old, new = Chip(UID), Chip(OTHER)
    bench.issued(old)
    replaced = bench.begin(jobs.begin_replace, bench.card(old).id)
    bench.lay(new)
    bench.begin(jobs.begin_decommission)
    bench.lay(old)
    with pytest.raises(Refusal):
        bench.undo(replaced)
    assert bench.card(new).blocked_at_ms is None


def test_a_card_in_the_middle_of_being_written_is_not_taken_back(bench: Bench) -> None:
    chip = Chip(UID)
    issued = bench.issued(chip)
    bench.begin(jobs.begin_rewrite, bench.card(chip).id)
    bench.tap(chip)
    with pytest.raises(Refusal):
        bench.undo(issued.id)
    bench.lay(chip)
    bench.undo(issued.id)
    bench.lay(chip)
    bench.check_settled([chip])


def test_the_credit_note_names_what_it_corrects(bench: Bench) -> None:
    job = bench.issued(Chip(UID), topup_minor=500, method="bank")
    number = bench.undo(job.id)
    assert (job.receipt, number) == (1, 2)
    note = receipts.need(bench.db, 2)
    assert (note.kind, note.corrects, note.amount_minor, note.deposit_minor) == ("credit_note", 1, -800, -300)
    assert (note.method, note.balance_minor) == ("bank", 0)
    assert receipts.need(bench.db, 1).corrected_by == 2


def test_the_problem_of_a_torn_card_stays_while_another_job_with_it_is_torn(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    returned = bench.begin(jobs.begin_decommission)
    bench.lay(chip, Trouble.GONE)
    again = bench.issue(name="Karim Ahmed")
    bench.lay(chip, Trouble.TORN)
    bench.undo(again)
    assert (bench.job(returned).state, bench.problems()) == ("torn", ["torn_card"])
    bench.lay(chip)
    assert (bench.job(returned).state, bench.problems()) == ("done", [])


def somebody_else_gets_it(bench: Bench, job: Job, chip: Chip) -> None:
    bench.begin(jobs.begin_decommission)
    bench.lay(chip)
    bench.issued(chip, name="Karim Ahmed")


def it_comes_back(bench: Bench, job: Job, chip: Chip) -> None:
    bench.begin(jobs.begin_decommission)
    bench.lay(chip)


def it_is_replaced_by_number(bench: Bench, job: Job, chip: Chip) -> None:
    cards.replace_card(bench.db, bench.card(chip).id, OTHER, ACTOR, bench.books.now_ms)


def it_is_being_written(bench: Bench, job: Job, chip: Chip) -> None:
    bench.begin(jobs.begin_rewrite, bench.card(chip).id)
    bench.tap(chip)


def it_charges(bench: Bench, job: Job, chip: Chip) -> None:
    bench.books.tariff()
    bench.books.start(bench.books.station(), 1, UID)


def money_is_spent(bench: Bench, job: Job, chip: Chip) -> None:
    assert job.person_id is not None
    wallets.refund(bench.db, job.person_id, 1, "cash", "one", ACTOR, bench.books.now_ms)


def other_money_comes_in(bench: Bench, job: Job, chip: Chip) -> None:
    assert job.person_id is not None
    wallets.top_up(bench.db, job.person_id, 50, "cash", "more", ACTOR, bench.books.now_ms)


def they_leave(bench: Bench, job: Job, chip: Chip) -> None:
    assert job.person_id is not None
    balance_minor = bench.books.balance(job.person_id)
    wallets.refund(bench.db, job.person_id, balance_minor, "cash", "all", ACTOR, bench.books.now_ms)
    people.close_person(bench.db, job.person_id, ACTOR, bench.books.now_ms)


def a_minute_passes(bench: Bench, job: Job, chip: Chip) -> None:
    bench.books.now_ms += UNDO_MS_MAX + 1


def it_is_taken_back(bench: Bench, job: Job, chip: Chip) -> None:
    bench.undo(job.id)


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
    bench: Bench, happens: Callable[[Bench, Job, Chip], None]
) -> None:
    chip = Chip(UID)
    job = bench.issued(chip, topup_minor=50_000)
    assert bench.may_undo(job.id)
    happens(bench, job, chip)
    assert not bench.may_undo(job.id)
    with pytest.raises(Refusal):
        bench.undo(job.id)


def test_money_is_not_given_back_to_the_wallet_of_somebody_who_has_left(bench: Bench) -> None:
    chip = Chip(UID)
    issued = bench.issued(chip, topup_minor=500)
    returned = bench.begin(jobs.begin_decommission, rest=True)
    bench.lay(chip)
    assert issued.person_id is not None
    assert bench.may_undo(returned)
    people.close_person(bench.db, issued.person_id, ACTOR, bench.books.now_ms)
    assert not bench.may_undo(returned)
    with pytest.raises(Refusal):
        bench.undo(returned)
    assert bench.books.balance(issued.person_id) == 0
