"""A card desk from the request to the card: the product's desk and reader, and real nfcpy, on the simulated chip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.db.cards import cards
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.cards import content as card_content
from appliance.domain.cards.content import Origin
from appliance.domain.cards.tag import Kind, ReaderStatus
from appliance.domain.identifiers import CardId
from appliance.services.announce import DeskChanged
from appliance.services.card_desk import jobs, undo
from appliance.services.cards import cards as card_units
from appliance.simulator.nfc import catalogue, ntag
from appliance.simulator.nfc.ntag import PasswordCard
from tests.support.books import ACTOR, Books
from tests.support.desk_story import DESK, KEY, Story, number_of, open_story, person_of


def fill(books: Books) -> None:
    """One group of people who pay first."""
    books.group("prepaid")


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """A desk."""
    async with open_story(tmp_path, fill) as found:
        yield found
        assert await found.wrong_in_books() == []


def ntag213() -> PasswordCard:
    return PasswordCard(ntag.NTAG213)


async def issue(story: Story, card: PasswordCard, name: str = "Rahima Khatun", topup_minor: int = 50_000) -> int:
    """A card for somebody new; the job, done."""
    job = await story.begin_at_desk(jobs.begin_issue, name=name, topup_minor=topup_minor)
    await story.lay(card)
    await story.until_state(job, "done")
    return job


async def test_a_new_card_is_given_out_with_money_and_receipt_and_carries_link_and_signed_record(story: Story) -> None:
    card = ntag213()
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", phone="01712 345678", topup_minor=50_000)
    await story.lay(card)
    done = await story.until_state(job, "done")

    row = await story.card(card)
    assert row is not None
    assert (row.content, row.kind, done.card_id) == ("written", Kind.NTAG213, row.id)
    assert await story.agrees(card)
    assert card.protected_from == 4
    assert await story.balance(row.person_id) == 50_000
    (receipt,) = await story.receipts()
    assert (receipt.number, receipt.kind, receipt.amount_minor, receipt.card_id) == (1, "issue", 50_000, row.id)
    assert done.receipt == 1


async def test_what_lies_on_the_desk_is_shown_as_it_is_after_it_was_written(story: Story) -> None:
    card = ntag213()
    await issue(story, card)
    seen = story.desk.view().seen
    assert seen is not None
    assert seen.locked
    assert card_content.read(KEY.site_key, seen.uid, seen.content.record).origin is Origin.OURS


async def test_a_job_that_is_begun_while_a_card_lies_there_is_done_at_once(story: Story) -> None:
    card = ntag213()
    await story.lay(card)
    job = await story.begin_at_desk(jobs.begin_issue, name="Karim Ahmed")
    await story.until_state(job, "done")
    assert await story.agrees(card)

    recharge = await story.begin_at_desk(jobs.begin_recharge, 20_000, "cash")
    done = await story.until_state(recharge, "done")
    assert done.card_id == number_of(await story.card(card))
    assert await story.balance(person_of(await story.card(card))) == 20_000


async def test_recharging_twice_is_two_payments_and_two_receipts(story: Story) -> None:
    card = ntag213()
    await issue(story, card, topup_minor=0)
    for _ in range(2):
        job = await story.begin_at_desk(jobs.begin_recharge, 10_000, "cash")
        await story.until_state(job, "done")
    assert await story.balance(person_of(await story.card(card))) == 20_000
    assert [one.amount_minor for one in await story.receipts()] == [10_000, 10_000]


async def test_nothing_is_booked_for_a_card_that_has_been_taken_away_by_then(story: Story) -> None:
    card = ntag213()
    await issue(story, card, topup_minor=0)
    await story.take()
    job = await story.begin_at_desk(jobs.begin_recharge, 10_000, "cash")
    await story.lay(ntag213())
    waiting = await story.until_advice(job, "unknown")
    assert waiting.state == "waiting"
    assert await story.receipts() == []
    await story.lay(card)
    await story.until_state(job, "done")
    assert [one.amount_minor for one in await story.receipts()] == [10_000]


async def test_a_lost_card_is_replaced_and_the_money_stays_with_its_holder(story: Story) -> None:
    lost, new = ntag213(), ntag213()
    await issue(story, lost)
    await story.take()
    old = await story.card(lost)
    job = await story.begin_at_desk(jobs.begin_replace, number_of(old))
    await story.lay(new)
    await story.until_state(job, "done")
    old, row = await story.card(lost), await story.card(new)
    assert old is not None
    assert row is not None
    assert (old.replaced_by, old.blocked_at_ms is not None) == (row.id, True)
    assert await story.balance(row.person_id) == 50_000
    assert await story.agrees(new)


async def test_a_card_that_comes_back_is_emptied_unlocked_and_paid_out(story: Story) -> None:
    card = ntag213()
    await issue(story, card)
    job = await story.begin_at_desk(jobs.begin_decommission, refund=True, rest=True)
    await story.until_state(job, "done")
    row = await story.card(card)
    assert row is not None
    assert (row.content, row.blocked_why) == ("wiped", "returned")
    assert (card.locked, card.password) == (False, b"\xff\xff\xff\xff")
    assert await story.balance(row.person_id) == 0
    assert [one.amount_minor for one in await story.receipts()] == [50_000, -50_000]

    again = await story.begin_at_desk(jobs.begin_issue, name="Karim Ahmed")
    await story.until_state(again, "done")
    assert await story.agrees(card)


async def test_a_card_is_written_anew_with_another_link(story: Story) -> None:
    card = ntag213()
    await issue(story, card)
    before = await story.card(card)
    job = await story.begin_at_desk(jobs.begin_rewrite, number_of(before))
    await story.until_state(job, "done")
    after = await story.card(card)
    assert before is not None
    assert after is not None
    assert before.token != after.token
    assert await story.agrees(card)


async def test_a_stack_of_cards_becomes_one_card_after_another(story: Story) -> None:
    job = await story.begin_at_desk(jobs.begin_batch, 3, label="Visitor")
    stack = [ntag213() for _ in range(3)]
    for made, card in enumerate(stack[:-1], start=1):
        await story.lay(card)
        await story.until_made(job, made)
        waiting = await story.until_advice(job, "next_card")
        assert waiting.state == "waiting"
    await story.lay(stack[-1])
    done = await story.until_state(job, "done")
    assert done.made == 3
    assert [content for _uid, content in await story.cards()] == ["written"] * 3


async def test_what_was_issued_by_mistake_is_taken_back_and_the_card_that_lies_there_is_emptied_at_once(
    story: Story,
) -> None:
    card = ntag213()
    job = await issue(story, card)
    await story.store.write(undo.undo, job, By(ACTOR, story.clock()))
    await story.until(
        lambda db: cards.by_uid(db, card.uid.hex().upper()),
        lambda row: row is not None and row.content == "wiped",
    )
    assert not card.locked
    assert [one.amount_minor for one in await story.receipts()] == [50_000, -50_000]


async def test_a_telephone_is_refused_with_the_reason_and_the_job_waits_for_a_card(story: Story) -> None:
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun")
    story.simulated.lay(catalogue.make(catalogue.TELEPHONE))
    await story.until_advice(job, "random")
    card = ntag213()
    await story.lay(card)
    await story.until_state(job, "done")
    assert [uid for uid, _content in await story.cards()] == [card.uid.hex().upper()]


async def test_two_cards_at_once_are_refused_with_the_reason(story: Story) -> None:
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun")
    with story.simulated.quiet():
        story.simulated.lay(ntag213())
        story.simulated.put_second(ntag213())
    await story.until_advice(job, "several")
    assert await story.cards() == []


@pytest.mark.parametrize("kind", [Kind.CLASSIC, Kind.NTAG215, Kind.NTAG424, Kind.ULTRALIGHT_C, Kind.TYPE2, Kind.FELICA])
async def test_every_kind_of_card_is_given_out_and_recharged(story: Story, kind: Kind) -> None:
    card = catalogue.make(kind)
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", topup_minor=10_000)
    await story.lay(card)
    await story.until_state(job, "done")
    again = await story.begin_at_desk(jobs.begin_recharge, 5_000, "cash")
    await story.until_state(again, "done")
    row = await story.card(card)
    assert row is not None
    assert row.content == ("none" if kind is Kind.CLASSIC else "written")
    assert await story.balance(row.person_id) == 15_000


async def test_a_card_with_a_foreign_lock_is_told_of_once_and_not_tried_for_ever(story: Story) -> None:
    card = PasswordCard(ntag.NTAG213)
    card.memory[-8:-4] = b"abcd"
    card.memory[-16 + 3] = 4
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", topup_minor=10_000)
    await story.lay(card)
    torn = await story.until_state(job, "torn", "failed", "done")
    assert (torn.state, torn.advice) == ("torn", "locked")
    heard = len(story.watch.heard)
    # A desk that would try again for ever would announce it each time; another job is served after all that was queued.
    other = ntag213()
    second = await story.begin_at_desk(jobs.begin_issue, name="Karim Ahmed")
    await story.lay(other)
    await story.until_state(second, "done")
    progress = [one for one in story.watch.heard[heard:] if isinstance(one, DeskChanged) and one.job == job]
    assert len(progress) <= 1
    assert await story.problems("torn_card") != []


async def test_a_job_that_has_become_impossible_is_given_up_with_a_reason(story: Story) -> None:
    lost = ntag213()
    await issue(story, lost)
    await story.take()
    old = number_of(await story.card(lost))
    job = await story.begin_at_desk(jobs.begin_replace, old)
    elsewhere = await story.begin(jobs.begin_replace, "other desk", old)
    await story.store.write(replace_by_hand, old, story.clock())
    await story.lay(ntag213())
    given_up = await story.until_state(job, "failed")
    assert given_up.advice == "refused"
    assert elsewhere != job


def replace_by_hand(db: Database, card: CardId, now_ms: int) -> None:
    """Somebody was quicker."""
    card_units.replace(db, card, "04AABBCCDDEEFF", By(ACTOR, now_ms))


async def test_a_reader_that_is_pulled_out_is_a_problem_until_it_is_back(story: Story) -> None:
    await asyncio.to_thread(story.simulated.unplug)
    await story.until_true(lambda: story.desk.state.status is not ReaderStatus.READY)
    await story.until(
        lambda db: db.execute("SELECT 1 FROM problem WHERE kind = 'reader' AND cleared_at_ms IS NULL").fetchall(),
        bool,
    )
    assert await story.problems("reader") == [f"desk:{DESK}"]
    await asyncio.to_thread(story.simulated.replug)
    await story.until_ready()
    await story.until(
        lambda db: db.execute("SELECT 1 FROM problem WHERE kind = 'reader' AND cleared_at_ms IS NULL").fetchall(),
        lambda rows: not rows,
    )


async def test_a_reader_that_is_pulled_out_under_a_card_reads_it_again_when_it_is_back_and_goes_on_with_the_job(
    story: Story,
) -> None:
    card = ntag213()
    await story.lay(card)
    await asyncio.to_thread(story.simulated.unplug)
    await story.until_gone()
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", topup_minor=10_000)
    await asyncio.to_thread(story.simulated.replug)
    await story.until_state(job, "done")
    assert await story.agrees(card)
    assert [one.amount_minor for one in await story.receipts()] == [10_000]
