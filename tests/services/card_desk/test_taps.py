"""A card lies on the reader: each kind of job, each card that will not do, each way in which a card is torn away."""

from __future__ import annotations

import pytest

from appliance.db.card_desk import jobs as rows
from appliance.db.cards import cards, limits
from appliance.domain.cards import content as card_content
from appliance.domain.cards.content import Origin
from appliance.domain.cards.limits import Limits
from appliance.domain.cards.tag import Content, Kind, Trouble, Wipe, Write
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import CardId, PersonId
from appliance.services import settings
from appliance.services.announce import CardDied, DeskChanged, DeskNews
from appliance.services.card_desk import jobs, taps
from appliance.services.cards import cards as card_units
from appliance.services.people import people as people_units
from tests.support.books import ACTOR, SECRET
from tests.support.desk_bench import DESK, KEY, Bench
from tests.support.one_desk import Chip

UID = "04A1B2C3D4E5F6"
OTHER = "04B7C8D9EAFB0C"
THIRD = "04112233445566"


def card_of(bench: Bench, chip: Chip) -> CardId:
    return bench.card(chip).id


def recharge(bench: Bench, amount_minor: int = 700, card: CardId | None = None, method: str = "cash") -> int:
    return bench.begin(jobs.begin_recharge, amount_minor, method, card=card)


def give_back(bench: Bench, chip: Chip, *, refund: bool = True) -> int:
    job = bench.begin(jobs.begin_decommission, refund=refund, rest=refund)
    bench.lay(chip)
    return job


# --- issue -----------------------------------------------------------------------------------------------------------------


def test_a_card_is_booked_before_it_is_written_and_done_after_it_was_read_back(bench: Bench) -> None:
    settings.change(bench.db, "card_deposit_minor", "300")
    job = bench.issue(topup_minor=500, phone="01712", label="blue", expires_at_ms=bench.books.now_ms + 1)
    bench.announced(DeskChanged)
    chip = Chip(UID)
    plan = bench.tap(chip)
    booked, card = bench.job(job), bench.card(chip)
    assert (booked.state, booked.card_id, booked.person_id, booked.receipt) == ("writing", card.id, card.person_id, 1)
    assert (card.content, card.deposit_minor, card.label, card.kind) == ("pending", 300, "blue", "NTAG213")
    assert (bench.books.balance(card.person_id), bench.money()["cash"], bench.money()["deposits"]) == (500, 800, 300)
    assert isinstance(plan.work, Write)
    assert plan.work.content.link == KEY.link_base + card.token
    bench.lay(chip)
    assert (bench.job(job).state, bench.card(chip).content) == ("done", "written")
    assert bench.announced(DeskChanged)[-1] == DeskChanged(DESK, DeskNews.DONE, job)


def test_a_card_for_somebody_who_is_known_adds_nobody(bench: Bench) -> None:
    person = bench.books.person()
    job = bench.issued(Chip(UID), person=person)
    assert (job.person_id, job.receipt) == (person, None)
    assert bench.db.execute("SELECT count(*) FROM person").fetchone()[0] == 1


def test_the_same_card_tapped_again_and_again_is_booked_once(bench: Bench) -> None:
    job, chip = bench.issue(topup_minor=500), Chip(UID)
    works = [bench.tap(chip).work for _ in range(3)]
    assert works[0] == works[1] == works[2]
    bench.lay(chip)
    bench.lay(chip)
    assert (bench.job(job).state, bench.money()["cash"]) == ("done", 500)
    assert bench.db.execute("SELECT count(*) FROM receipt").fetchone()[0] == 1


def test_a_chip_that_cannot_be_written_is_used_by_its_number(bench: Bench) -> None:
    chip = Chip("A1B2C3D4", Kind.CLASSIC, writable=False)
    assert bench.issued(chip).state == "done"
    assert (bench.card(chip).content, bench.card(chip).kind) == ("none", "MIFARE Classic")


@pytest.mark.parametrize(
    ("chip", "advice"),
    [
        (Chip("08A1B2C3", Kind.TYPE4, random=True), "random"),
        (Chip(OTHER, several=True), "several"),
        (Chip(OTHER, foreign=True), "foreign"),
        (Chip(OTHER, content=Content("https://elsewhere.example/")), "foreign"),
        (Chip(OTHER, content=Content("", b"\x01" * 31)), "foreign"),
    ],
)
def test_a_card_that_will_not_do_says_why_and_the_job_waits_for_another(bench: Bench, chip: Chip, advice: str) -> None:
    job = bench.issue(topup_minor=500)
    bench.lay(chip)
    assert (bench.job(job).state, bench.job(job).advice) == ("waiting", advice)
    assert bench.db.execute("SELECT count(*) FROM card").fetchone()[0] == 0
    bench.lay(Chip(UID))
    assert (bench.job(job).state, bench.job(job).advice) == ("done", "")


def test_the_same_advice_is_told_once(bench: Bench) -> None:
    job = bench.issue()
    bench.announced(DeskChanged)
    for _ in range(3):
        bench.tap(Chip(OTHER, foreign=True))
    assert bench.announced(DeskChanged) == [DeskChanged(DESK, DeskNews.PROGRESS, job)]


def test_what_is_written_on_a_card_is_written_over_if_so_wished_but_not_through_a_strangers_lock(bench: Bench) -> None:
    job = bench.issue(overwrite=True)
    strangers = Chip(OTHER, foreign=True, keys=card_content.keys(b"another site's key", OTHER))
    bench.lay(strangers)
    assert bench.job(job).advice == "locked"
    chip = Chip(UID, foreign=True, content=Content("https://elsewhere.example/"))
    bench.lay(chip)
    assert bench.job(job).state == "done"
    assert chip.content.link.startswith(KEY.link_base)


def test_somebody_elses_card_is_taken(bench: Bench) -> None:
    mine = Chip(UID)
    bench.issued(mine)
    job = bench.issue(topup_minor=500)
    bench.lay(mine)
    assert (bench.job(job).state, bench.job(job).advice) == ("waiting", "taken")
    assert bench.money()["cash"] == 0


def test_a_card_that_came_back_is_given_to_somebody_else_with_its_number_and_nothing_else(bench: Bench) -> None:
    chip = Chip(UID)
    first = bench.issued(chip, label="blue")
    before = bench.card(chip)
    limits.store(bench.db, before.id, Limits(day_minor=100))
    cards.set_pin_hash(bench.db, before.id, "a hash")
    give_back(bench, chip)
    second = bench.issued(chip, name="Karim Ahmed", topup_minor=50)
    after = bench.card(chip)
    assert (second.card_id, after.number, after.issue) == (first.card_id, before.number, before.issue + 1)
    assert (after.person, after.label, after.has_pin) == ("Karim Ahmed", "", False)
    assert after.token != before.token
    assert limits.find(bench.db, after.id) == Limits()
    assert bench.db.execute("SELECT count(*) FROM card").fetchone()[0] == 1


def test_what_was_torn_when_a_card_came_back_is_finished_before_it_is_given_out_again(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    back = bench.begin(jobs.begin_decommission)
    bench.lay(chip, Trouble.TORN)
    job = bench.issue(name="Karim Ahmed")
    bench.lay(chip)
    assert (bench.job(back).state, bench.job(job).state) == ("done", "done")
    assert (bench.card(chip).person, bench.card(chip).content) == ("Karim Ahmed", "written")
    bench.check_settled([chip])


# --- torn ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["issue", "replace", "decommission", "rewrite", "batch"])
@pytest.mark.parametrize("trouble", [Trouble.TORN, Trouble.GONE, Trouble.DIFFERENT, Trouble.REFUSED])
@pytest.mark.parametrize("again", [DESK, "office"])
def test_a_card_torn_away_is_finished_at_any_desk_and_booked_once(
    bench: Bench, kind: str, trouble: Trouble, again: str
) -> None:
    settings.change(bench.db, "card_deposit_minor", "300")
    chip, old = Chip(UID), Chip(OTHER)
    match kind:
        case "issue":
            job = bench.issue(topup_minor=500)
        case "replace":
            bench.issued(old, topup_minor=500)
            job = bench.begin(jobs.begin_replace, card_of(bench, old))
        case "batch":
            job = bench.begin(jobs.begin_batch, 1, person=bench.books.person())
        case "decommission":
            bench.issued(chip, topup_minor=500)
            job = bench.begin(jobs.begin_decommission, refund=True, rest=True)
        case _:
            bench.issued(chip, topup_minor=500)
            job = bench.begin(jobs.begin_rewrite, card_of(bench, chip))
    bench.lay(chip, trouble)
    torn, money = bench.job(job), bench.money()
    assert torn.state == "torn"
    assert torn.advice == ("present_again" if trouble in (Trouble.TORN, Trouble.GONE) else "cannot_write")
    assert bench.problems() == ["torn_card"]
    bench.lay(chip, trouble, desk=again)
    assert (bench.job(job).state, bench.problems()) == ("torn", ["torn_card"])
    bench.restart()
    bench.lay(chip, desk=again)
    done = bench.job(job)
    assert (done.state, done.card_id, done.receipt) == ("done", torn.card_id, torn.receipt)
    assert (bench.money(), bench.problems()) == (money, [])
    bench.check_settled([chip, old])


def test_a_recharge_finishes_what_was_torn_before(bench: Bench) -> None:
    chip = Chip(UID)
    first = bench.issue(topup_minor=500)
    bench.lay(chip, Trouble.TORN)
    second = recharge(bench)
    bench.lay(chip)
    assert [bench.job(job).state for job in (first, second)] == ["done", "done"]
    assert bench.books.balance(bench.card(chip).person_id) == 1_200
    bench.check_settled([chip])


@pytest.mark.parametrize(
    ("trouble", "advice"),
    [(Trouble.LOCKED, "locked"), (Trouble.TOO_SMALL, "too_small"), (Trouble.REFUSED, "cannot_write")],
)
def test_a_card_that_cannot_be_written_is_accepted_by_its_number_once(
    bench: Bench, trouble: Trouble, advice: str
) -> None:
    chip = Chip(UID)
    job = bench.issue(topup_minor=500)
    bench.lay(chip, trouble)
    assert bench.job(job).advice == advice
    bench.accept(job)
    assert (bench.job(job).state, bench.card(chip).content, bench.problems()) == ("done", "none", [])
    assert bench.tap(chip).work is None
    with pytest.raises(Refusal):
        bench.accept(job)


# --- recharge --------------------------------------------------------------------------------------------------------------


def test_a_recharge_is_done_as_soon_as_the_card_lies_there(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    job = recharge(bench, method="mobile")
    assert bench.tap(chip).work is None
    found = bench.job(job)
    assert (found.state, found.card_id, found.person_id) == ("done", card_of(bench, chip), bench.card(chip).person_id)
    assert bench.books.balance(bench.card(chip).person_id) == bench.money()["mobile"] == 700
    bench.lay(chip)
    assert bench.money()["mobile"] == 700


def test_a_recharge_needs_the_card_that_is_meant_and_one_that_is_not_blocked(bench: Bench) -> None:
    mine, other = Chip(UID), Chip(OTHER)
    bench.issued(mine)
    bench.issued(other)
    job = recharge(bench, card=card_of(bench, mine))
    card_units.block_card(bench.db, card_of(bench, mine), "lost", ACTOR, bench.books.now_ms)
    for chip, advice in ((Chip(THIRD), "unknown"), (other, "other_card"), (mine, "blocked")):
        bench.lay(chip)
        assert (bench.job(job).state, bench.job(job).advice) == ("waiting", advice)
    card_units.unblock_card(bench.db, card_of(bench, mine), ACTOR, bench.books.now_ms)
    bench.lay(mine)
    assert bench.job(job).state == "done"


def test_a_copy_is_not_recharged_and_raises_a_problem(bench: Bench) -> None:
    genuine = Chip(UID)
    bench.issued(genuine)
    job = recharge(bench)
    for content in (Content(), Content("https://elsewhere.example/"), Content(genuine.content.link, b"\x01" * 31)):
        bench.lay(Chip(UID, content=content))
        assert (bench.job(job).state, bench.job(job).advice) == ("waiting", "copied")
    assert bench.problems() == ["card_copy"]
    bench.lay(genuine)
    assert bench.job(job).state == "done"


def test_a_card_with_a_record_of_an_earlier_issue_is_a_copy(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    copy = Chip(UID, content=chip.content)
    bench.begin(jobs.begin_rewrite, card_of(bench, chip))
    bench.lay(chip)
    assert taps.describe(bench.db, chip.seen(), SECRET).ours
    described = taps.describe(bench.db, copy.seen(), SECRET)
    assert (described.ours, described.origin) == (False, Origin.COPIED)
    job = recharge(bench)
    bench.lay(copy)
    assert bench.job(job).advice == "copied"


def test_money_for_somebody_who_has_left_meanwhile_is_not_taken(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    job = recharge(bench)
    people_units.close_person(bench.db, bench.card(chip).person_id, ACTOR, bench.books.now_ms)
    with pytest.raises(Refusal):
        bench.tap(chip)
    assert (bench.job(job).state, bench.money()["cash"]) == ("waiting", 0)


# --- read ------------------------------------------------------------------------------------------------------------------


def test_reading_tells_whose_card_it_is_and_changes_nothing(bench: Bench) -> None:
    chip = Chip(UID)
    first = bench.issued(chip, topup_minor=500)
    give_back_chip = Chip(OTHER)
    bench.issued(give_back_chip)
    give_back(bench, give_back_chip)
    for there, expected in (
        (chip, (first.card_id, first.person_id, "")),
        (Chip(THIRD), (None, None, "unknown")),
        (Chip(THIRD, foreign=True), (None, None, "foreign")),
        (give_back_chip, (None, None, "unknown")),
        (Chip(UID), (first.card_id, first.person_id, "copied")),
    ):
        job = bench.begin(jobs.begin_read)
        money = bench.money()
        bench.lay(there)
        found = bench.job(job)
        assert found.state == "done"
        assert (found.card_id, found.person_id, found.advice) == expected
        assert (found.receipt, bench.money()) == (None, money)


def test_reading_a_card_that_is_to_be_emptied_empties_it(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    back = bench.begin(jobs.begin_decommission)
    bench.lay(chip, Trouble.GONE)
    read = bench.begin(jobs.begin_read)
    bench.lay(chip)
    assert (bench.job(read).state, bench.job(read).advice) == ("done", "unknown")
    assert (bench.job(back).state, bench.card(chip).content) == ("done", "wiped")
    bench.check_settled([chip])


# --- replace ---------------------------------------------------------------------------------------------------------------


def test_the_new_card_takes_the_place_of_the_old_which_is_dead_before_anything_is_written(bench: Bench) -> None:
    settings.change(bench.db, "card_deposit_minor", "300")
    old, new = Chip(UID), Chip(OTHER)
    first = bench.issued(old, topup_minor=500)
    limits.store(bench.db, card_of(bench, old), Limits(day_minor=100))
    job = bench.begin(jobs.begin_replace, card_of(bench, old))
    bench.announced(CardDied)
    bench.tap(new)
    assert CardDied(int(card_of(bench, old)), (UID,)) in bench.announced(CardDied)
    dead, alive = bench.card(old), bench.card(new)
    assert (dead.replaced_by, dead.blocked_why, dead.deposit_minor) == (alive.id, "replaced", 0)
    assert (alive.person_id, alive.deposit_minor, alive.number) == (first.person_id, 300, 2)
    assert limits.find(bench.db, alive.id) == Limits(day_minor=100)
    bench.lay(new)
    assert (bench.job(job).state, bench.job(job).receipt) == ("done", None)
    assert bench.books.balance(alive.person_id) == 500


def test_the_lost_card_itself_is_no_replacement(bench: Bench) -> None:
    old = Chip(UID)
    bench.issued(old)
    job = bench.begin(jobs.begin_replace, card_of(bench, old))
    bench.lay(old)
    assert (bench.job(job).state, bench.job(job).advice) == ("waiting", "taken")
    assert bench.card(old).blocked_at_ms is None


# --- decommission ------------------------------------------------------------------------------------------------------------


def test_a_card_comes_back_with_its_deposit_and_the_wallet(bench: Bench) -> None:
    settings.change(bench.db, "card_deposit_minor", "300")
    chip = Chip(UID)
    bench.issued(chip, topup_minor=500)
    job = bench.begin(jobs.begin_decommission, refund=True, rest=True)
    assert isinstance(bench.tap(chip).work, Wipe)
    bench.lay(chip)
    card = bench.card(chip)
    assert (bench.job(job).state, card.content, card.blocked_why, card.deposit_minor) == (
        "done",
        "wiped",
        "returned",
        0,
    )
    assert (bench.books.balance(card.person_id), bench.money()["cash"], bench.money()["deposits"]) == (0, 0, 0)
    assert (chip.content, chip.keys) == (Content(), None)


def test_the_wallet_stays_while_another_card_of_the_person_is_out(bench: Bench) -> None:
    first, second = Chip(UID), Chip(OTHER)
    person = bench.issued(first, topup_minor=500).person_id
    bench.issued(second, person=person)
    assert bench.job(give_back(bench, first)).receipt is None
    assert bench.job(give_back(bench, second)).receipt is not None
    assert bench.books.balance(bench.card(first).person_id) == 0


@pytest.mark.parametrize(("refund", "rest", "paid"), [(True, False, 300), (False, True, 500), (True, True, 800)])
def test_deposit_and_wallet_are_given_back_one_without_the_other(
    bench: Bench, refund: bool, rest: bool, paid: int
) -> None:
    settings.change(bench.db, "card_deposit_minor", "300")
    chip = Chip(UID)
    bench.issued(chip, topup_minor=500)
    person = bench.card(chip).person_id
    job = bench.begin(jobs.begin_decommission, refund=refund, rest=rest)
    bench.lay(chip)
    assert bench.money()["cash"] == 800 - paid
    assert bench.books.balance(person) == (0 if rest else 500)
    assert bench.card(chip).deposit_minor == (0 if refund else 300)
    bench.undo(job)
    assert (bench.money()["cash"], bench.books.balance(person), bench.card(chip).deposit_minor) == (800, 500, 300)


def test_without_a_refund_nothing_is_paid_and_the_deposit_is_the_sites_once_the_card_is_out_again(bench: Bench) -> None:
    settings.change(bench.db, "card_deposit_minor", "300")
    chip = Chip(UID)
    bench.issued(chip, topup_minor=500)
    assert bench.job(give_back(bench, chip, refund=False)).receipt is None
    assert (bench.money()["cash"], bench.money()["deposits"]) == (800, 300)
    bench.issued(chip, name="Karim Ahmed")
    assert (bench.money()["cash"], bench.money()["deposits"], bench.card(chip).deposit_minor) == (1_100, 300, 300)


def test_money_that_a_session_holds_is_not_given_back_and_a_card_that_charges_stays_out(bench: Bench) -> None:
    books = bench.books
    books.tariff()
    station = books.station()
    charging, idle = Chip(UID), Chip(OTHER)
    person = bench.issued(charging, topup_minor=5_000).person_id
    bench.issued(idle, person=person)
    books.start(station, 1, UID)
    job = bench.begin(jobs.begin_decommission, refund=True, rest=True)
    bench.lay(charging)
    assert (bench.job(job).state, bench.job(job).advice) == ("waiting", "charging")
    bench.lay(idle)
    assert (bench.job(job).state, bench.job(job).receipt) == ("done", None)


def test_a_copied_card_comes_back_all_the_same(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    chip.content, chip.keys = Content(), None
    assert bench.job(give_back(bench, chip)).state == "done"


def test_a_lost_card_that_is_found_comes_back_and_stays_replaced(bench: Bench) -> None:
    old, new = Chip(UID), Chip(OTHER)
    bench.issued(old)
    bench.begin(jobs.begin_replace, card_of(bench, old))
    bench.lay(new)
    give_back(bench, old)
    assert (bench.card(old).content, bench.card(old).blocked_why) == ("wiped", "returned")
    assert bench.card(new).blocked_at_ms is None


# --- rewrite ---------------------------------------------------------------------------------------------------------------


def test_a_card_is_written_anew_with_another_link_and_a_higher_issue(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    before, link = bench.card(chip), chip.content.link
    job = bench.begin(jobs.begin_rewrite, before.id)
    bench.lay(chip)
    after = bench.card(chip)
    assert (bench.job(job).state, after.issue) == ("done", before.issue + 1)
    assert chip.content.link == KEY.link_base + after.token != link
    bench.check_settled([chip])


def test_a_card_known_by_its_number_is_written_for_the_first_time(bench: Bench) -> None:
    chip = Chip(UID)
    card = CardId(bench.books.card(UID, bench.books.person()))
    assert bench.card(chip).content == "none"
    job = bench.begin(jobs.begin_rewrite, card)
    bench.lay(chip)
    assert (bench.job(job).state, bench.card(chip).content, bench.card(chip).kind) == ("done", "written", "NTAG213")


def test_only_the_card_that_is_meant_is_written_anew_and_only_if_it_can_be(bench: Bench) -> None:
    plain = Chip("A1B2C3D4", Kind.CLASSIC, writable=False)
    bench.issued(plain)
    bench.issued(Chip(OTHER))
    job = bench.begin(jobs.begin_rewrite, card_of(bench, plain))
    for chip, advice in ((Chip(OTHER), "other_card"), (Chip(THIRD), "unknown"), (plain, "not_writable")):
        bench.lay(chip)
        assert (bench.job(job).state, bench.job(job).advice) == ("waiting", advice)


def test_a_card_that_came_back_meanwhile_is_not_written_anew(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    job = bench.begin(jobs.begin_rewrite, card_of(bench, chip), desk="office")
    give_back(bench, chip)
    bench.lay(chip, desk="office")
    assert (bench.job(job).state, bench.job(job).advice) == ("waiting", "unknown")
    assert bench.card(chip).content == "wiped"


# --- batch -----------------------------------------------------------------------------------------------------------------


def test_a_stack_gives_each_card_a_wallet_of_its_own_named_after_its_number(bench: Bench) -> None:
    chips = [Chip(UID), Chip(OTHER), Chip(THIRD)]
    job = bench.begin(jobs.begin_batch, 3, group=bench.books.group(), label="Fleet")
    for made, chip in enumerate(chips, 1):
        bench.lay(chip)
        bench.lay(chip)
        found = bench.job(job)
        assert (found.made, found.state) == (made, "waiting" if made < 3 else "done")
        assert found.advice == ("next_card" if made < 3 else "")
    assert [bench.card(chip).person for chip in chips] == ["Fleet 0001", "Fleet 0002", "Fleet 0003"]
    assert rows.cards_of_batch(bench.db, job) == [card_of(bench, chip) for chip in chips]
    bench.lay(Chip("04AAAAAAAAAAAA"))
    assert bench.job(job).made == 3


def test_a_stack_for_somebody_is_all_theirs(bench: Bench) -> None:
    person = bench.books.person()
    bench.begin(jobs.begin_batch, 2, person=person)
    chips = [Chip(UID), Chip(OTHER)]
    for chip in chips:
        bench.lay(chip)
    assert {bench.card(chip).person_id for chip in chips} == {person}


def test_a_torn_card_of_a_stack_is_counted_once_and_the_stack_goes_on(bench: Bench) -> None:
    torn = Chip(UID)
    job = bench.begin(jobs.begin_batch, 2, group=bench.books.group())
    bench.lay(torn, Trouble.TORN)
    assert (bench.job(job).state, bench.job(job).made) == ("torn", 0)
    bench.lay(torn)
    assert (bench.job(job).state, bench.job(job).made) == ("waiting", 1)
    bench.lay(Chip(OTHER))
    assert (bench.job(job).state, bench.job(job).made) == ("done", 2)


def test_somebodys_card_in_a_stack_is_passed_over(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    job = bench.begin(jobs.begin_batch, 1, person=PersonId(bench.card(chip).person_id))
    bench.lay(chip)
    assert (bench.job(job).state, bench.job(job).advice, bench.job(job).made) == ("waiting", "taken", 0)


# --- what lies there ---------------------------------------------------------------------------------------------------------


def test_a_card_is_described_by_its_row_and_what_stands_on_it(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    described = taps.describe(bench.db, chip.seen(), SECRET)
    assert (described.uid, described.kind, described.ours, described.origin) == (UID, "NTAG213", True, Origin.OURS)
    assert described.card == bench.card(chip)
    give_back(bench, chip)
    back = taps.describe(bench.db, chip.seen(), SECRET)
    assert (back.ours, back.card is None, back.origin) == (False, False, Origin.BLANK)
    random = taps.describe(bench.db, Chip("08A1B2C3", random=True).seen(), SECRET)
    assert (random.ours, random.card, random.objection) == (False, None, "random")


def test_a_number_that_was_typed_does_not_forget_what_chip_it_is(bench: Bench) -> None:
    chip = Chip(UID)
    bench.issued(chip)
    bench.tap(Chip(UID, Kind.UNKNOWN, writable=False))
    assert bench.card(chip).kind == "NTAG213"
