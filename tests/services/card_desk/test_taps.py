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
from appliance.services.announce import CardRevoked, DeskChanged, DeskNews
from appliance.services.card_desk import jobs, taps
from appliance.services.cards import cards as card_units
from appliance.services.people import people as people_units
from tests.support.books import SECRET
from tests.support.desk_fixture import DESK, KEY, DeskFixture
from tests.support.one_desk import Chip
from tests.support.staff import hired

UID = "04A1B2C3D4E5F6"
OTHER = "04B7C8D9EAFB0C"
THIRD = "04112233445566"


def card_of(desk: DeskFixture, chip: Chip) -> CardId:
    return desk.card(chip).id


def recharge(desk: DeskFixture, amount_minor: int = 700, card: CardId | None = None, method: str = "cash") -> int:
    return desk.begin(jobs.begin_recharge, amount_minor, method, card=card)


def give_back(desk: DeskFixture, chip: Chip, *, refund: bool = True) -> int:
    job = desk.begin(jobs.begin_decommission, refund=refund, rest=refund)
    desk.lay(chip)
    return job


# --- issue -----------------------------------------------------------------------------------------------------------------


def test_a_card_is_booked_before_it_is_written_and_done_after_it_was_read_back(desk: DeskFixture) -> None:
    settings.change(desk.db, "card_deposit_minor", "300")
    job = desk.issue(topup_minor=500, phone="01712", label="blue", expires_at_ms=desk.books.now_ms + 1)
    desk.announced(DeskChanged)
    chip = Chip(UID)
    plan = desk.tap(chip)
    booked, card = desk.job(job), desk.card(chip)
    assert (booked.state, booked.card_id, booked.person_id, booked.receipt) == ("writing", card.id, card.person_id, 1)
    assert (card.content, card.deposit_minor, card.label, card.kind) == ("pending", 300, "blue", "NTAG213")
    assert (desk.books.balance(card.person_id), desk.money()["cash"], desk.money()["deposits"]) == (500, 800, 300)
    assert isinstance(plan.work, Write)
    assert plan.work.content.link == KEY.link_base + card.token
    desk.lay(chip)
    assert (desk.job(job).state, desk.card(chip).content) == ("done", "written")
    assert desk.announced(DeskChanged)[-1] == DeskChanged(DESK, DeskNews.DONE, job)


def test_a_card_for_somebody_who_is_known_adds_nobody(desk: DeskFixture) -> None:
    person = desk.books.person()
    job = desk.issued(Chip(UID), person=person)
    assert (job.person_id, job.receipt) == (person, None)
    assert desk.db.execute("SELECT count(*) FROM person").fetchone()[0] == 1


def test_the_same_card_tapped_again_and_again_is_booked_once(desk: DeskFixture) -> None:
    job, chip = desk.issue(topup_minor=500), Chip(UID)
    works = [desk.tap(chip).work for _ in range(3)]
    assert works[0] == works[1] == works[2]
    desk.lay(chip)
    desk.lay(chip)
    assert (desk.job(job).state, desk.money()["cash"]) == ("done", 500)
    assert desk.db.execute("SELECT count(*) FROM receipt").fetchone()[0] == 1


def test_a_chip_that_cannot_be_written_is_used_by_its_number(desk: DeskFixture) -> None:
    chip = Chip("A1B2C3D4", Kind.CLASSIC, writable=False)
    assert desk.issued(chip).state == "done"
    assert (desk.card(chip).content, desk.card(chip).kind) == ("none", "MIFARE Classic")


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
def test_a_card_that_will_not_do_says_why_and_the_job_waits_for_another(
    desk: DeskFixture, chip: Chip, advice: str
) -> None:
    job = desk.issue(topup_minor=500)
    desk.lay(chip)
    assert (desk.job(job).state, desk.job(job).advice) == ("waiting", advice)
    assert desk.db.execute("SELECT count(*) FROM card").fetchone()[0] == 0
    desk.lay(Chip(UID))
    assert (desk.job(job).state, desk.job(job).advice) == ("done", "")


def test_the_same_advice_is_told_once(desk: DeskFixture) -> None:
    job = desk.issue()
    desk.announced(DeskChanged)
    for _ in range(3):
        desk.tap(Chip(OTHER, foreign=True))
    assert desk.announced(DeskChanged) == [DeskChanged(DESK, DeskNews.PROGRESS, job)]


def test_what_is_written_on_a_card_is_written_over_if_so_wished_but_not_through_a_strangers_lock(
    desk: DeskFixture,
) -> None:
    job = desk.issue(overwrite=True)
    strangers = Chip(OTHER, foreign=True, keys=card_content.keys(b"another site's key", OTHER))
    desk.lay(strangers)
    assert desk.job(job).advice == "locked"
    chip = Chip(UID, foreign=True, content=Content("https://elsewhere.example/"))
    desk.lay(chip)
    assert desk.job(job).state == "done"
    assert chip.content.link.startswith(KEY.link_base)


def test_somebody_elses_card_is_taken(desk: DeskFixture) -> None:
    mine = Chip(UID)
    desk.issued(mine)
    job = desk.issue(topup_minor=500)
    desk.lay(mine)
    assert (desk.job(job).state, desk.job(job).advice) == ("waiting", "taken")
    assert desk.money()["cash"] == 0


def test_a_card_that_came_back_is_given_to_somebody_else_with_its_number_and_nothing_else(desk: DeskFixture) -> None:
    chip = Chip(UID)
    first = desk.issued(chip, label="blue")
    before = desk.card(chip)
    limits.store(desk.db, before.id, Limits(day_minor=100))
    cards.set_pin_hash(desk.db, before.id, "a hash")
    give_back(desk, chip)
    second = desk.issued(chip, name="Karim Ahmed", topup_minor=50)
    after = desk.card(chip)
    assert (second.card_id, after.number, after.issue) == (first.card_id, before.number, before.issue + 1)
    assert (after.person, after.label, after.has_pin) == ("Karim Ahmed", "", False)
    assert after.token != before.token
    assert limits.find(desk.db, after.id) == Limits()
    assert desk.db.execute("SELECT count(*) FROM card").fetchone()[0] == 1


def test_what_was_torn_when_a_card_came_back_is_finished_before_it_is_given_out_again(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    back = desk.begin(jobs.begin_decommission)
    desk.lay(chip, Trouble.TORN)
    job = desk.issue(name="Karim Ahmed")
    desk.lay(chip)
    assert (desk.job(back).state, desk.job(job).state) == ("done", "done")
    assert (desk.card(chip).person, desk.card(chip).content) == ("Karim Ahmed", "written")
    desk.check_settled([chip])


# --- torn ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["issue", "replace", "decommission", "rewrite", "batch"])
@pytest.mark.parametrize("trouble", [Trouble.TORN, Trouble.GONE, Trouble.DIFFERENT, Trouble.REFUSED])
@pytest.mark.parametrize("again", [DESK, "office"])
def test_a_card_torn_away_is_finished_at_any_desk_and_booked_once(
    desk: DeskFixture, kind: str, trouble: Trouble, again: str
) -> None:
    settings.change(desk.db, "card_deposit_minor", "300")
    chip, old = Chip(UID), Chip(OTHER)
    match kind:
        case "issue":
            job = desk.issue(topup_minor=500)
        case "replace":
            desk.issued(old, topup_minor=500)
            job = desk.begin(jobs.begin_replace, card_of(desk, old))
        case "batch":
            job = desk.begin(jobs.begin_batch, 1, person=desk.books.person())
        case "decommission":
            desk.issued(chip, topup_minor=500)
            job = desk.begin(jobs.begin_decommission, refund=True, rest=True)
        case _:
            desk.issued(chip, topup_minor=500)
            job = desk.begin(jobs.begin_rewrite, card_of(desk, chip))
    desk.lay(chip, trouble)
    torn, money = desk.job(job), desk.money()
    assert torn.state == "torn"
    assert torn.advice == ("present_again" if trouble in (Trouble.TORN, Trouble.GONE) else "cannot_write")
    assert desk.problems() == ["torn_card"]
    desk.lay(chip, trouble, desk=again)
    assert (desk.job(job).state, desk.problems()) == ("torn", ["torn_card"])
    desk.restart()
    desk.lay(chip, desk=again)
    done = desk.job(job)
    assert (done.state, done.card_id, done.receipt) == ("done", torn.card_id, torn.receipt)
    assert (desk.money(), desk.problems()) == (money, [])
    desk.check_settled([chip, old])


def test_a_recharge_finishes_what_was_torn_before(desk: DeskFixture) -> None:
    chip = Chip(UID)
    first = desk.issue(topup_minor=500)
    desk.lay(chip, Trouble.TORN)
    second = recharge(desk)
    desk.lay(chip)
    assert [desk.job(job).state for job in (first, second)] == ["done", "done"]
    assert desk.books.balance(desk.card(chip).person_id) == 1_200
    desk.check_settled([chip])


@pytest.mark.parametrize(
    ("trouble", "advice"),
    [(Trouble.LOCKED, "locked"), (Trouble.TOO_SMALL, "too_small"), (Trouble.REFUSED, "cannot_write")],
)
def test_a_card_that_cannot_be_written_is_accepted_by_its_number_once(
    desk: DeskFixture, trouble: Trouble, advice: str
) -> None:
    chip = Chip(UID)
    job = desk.issue(topup_minor=500)
    desk.lay(chip, trouble)
    assert desk.job(job).advice == advice
    desk.accept(job)
    assert (desk.job(job).state, desk.card(chip).content, desk.problems()) == ("done", "none", [])
    assert desk.tap(chip).work is None
    with pytest.raises(Refusal):
        desk.accept(job)


# --- recharge --------------------------------------------------------------------------------------------------------------


def test_a_recharge_is_done_as_soon_as_the_card_lies_there(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    job = recharge(desk, method="mobile")
    assert desk.tap(chip).work is None
    found = desk.job(job)
    assert (found.state, found.card_id, found.person_id) == ("done", card_of(desk, chip), desk.card(chip).person_id)
    assert desk.books.balance(desk.card(chip).person_id) == desk.money()["mobile"] == 700
    desk.lay(chip)
    assert desk.money()["mobile"] == 700


def test_a_recharge_needs_the_card_that_is_meant_and_one_that_is_not_blocked(desk: DeskFixture) -> None:
    mine, other = Chip(UID), Chip(OTHER)
    desk.issued(mine)
    desk.issued(other)
    job = recharge(desk, card=card_of(desk, mine))
    card_units.block(desk.db, card_of(desk, mine), "lost", desk.books.by)
    for chip, advice in ((Chip(THIRD), "unknown"), (other, "other_card"), (mine, "blocked")):
        desk.lay(chip)
        assert (desk.job(job).state, desk.job(job).advice) == ("waiting", advice)
    card_units.unblock(desk.db, card_of(desk, mine), desk.books.by)
    desk.lay(mine)
    assert desk.job(job).state == "done"


def test_a_copy_is_not_recharged_and_raises_a_problem(desk: DeskFixture) -> None:
    genuine = Chip(UID)
    desk.issued(genuine)
    job = recharge(desk)
    for content in (Content(), Content("https://elsewhere.example/"), Content(genuine.content.link, b"\x01" * 31)):
        desk.lay(Chip(UID, content=content))
        assert (desk.job(job).state, desk.job(job).advice) == ("waiting", "copied")
    assert desk.problems() == ["card_copy"]
    desk.lay(genuine)
    assert desk.job(job).state == "done"


def test_a_card_with_a_record_of_an_earlier_issue_is_a_copy(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    copy = Chip(UID, content=chip.content)
    desk.begin(jobs.begin_rewrite, card_of(desk, chip))
    desk.lay(chip)
    assert taps.describe(desk.db, chip.seen(), SECRET).ours
    described = taps.describe(desk.db, copy.seen(), SECRET)
    assert (described.ours, described.origin) == (False, Origin.COPIED)
    job = recharge(desk)
    desk.lay(copy)
    assert desk.job(job).advice == "copied"


def test_money_for_somebody_who_has_left_meanwhile_is_not_taken(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    job = recharge(desk)
    people_units.close(desk.db, desk.card(chip).person_id, desk.books.by)
    with pytest.raises(Refusal):
        desk.tap(chip)
    assert (desk.job(job).state, desk.money()["cash"]) == ("waiting", 0)


# --- read ------------------------------------------------------------------------------------------------------------------


def test_reading_tells_whose_card_it_is_and_changes_nothing(desk: DeskFixture) -> None:
    chip = Chip(UID)
    first = desk.issued(chip, topup_minor=500)
    give_back_chip = Chip(OTHER)
    desk.issued(give_back_chip)
    give_back(desk, give_back_chip)
    for there, expected in (
        (chip, (first.card_id, first.person_id, "")),
        (Chip(THIRD), (None, None, "unknown")),
        (Chip(THIRD, foreign=True), (None, None, "foreign")),
        (give_back_chip, (None, None, "unknown")),
        (Chip(UID), (first.card_id, first.person_id, "copied")),
    ):
        job = desk.begin(jobs.begin_read)
        money = desk.money()
        desk.lay(there)
        found = desk.job(job)
        assert found.state == "done"
        assert (found.card_id, found.person_id, found.advice) == expected
        assert (found.receipt, desk.money()) == (None, money)


def test_reading_a_card_that_is_to_be_emptied_empties_it(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    back = desk.begin(jobs.begin_decommission)
    desk.lay(chip, Trouble.GONE)
    read = desk.begin(jobs.begin_read)
    desk.lay(chip)
    assert (desk.job(read).state, desk.job(read).advice) == ("done", "unknown")
    assert (desk.job(back).state, desk.card(chip).content) == ("done", "wiped")
    desk.check_settled([chip])


# --- replace ---------------------------------------------------------------------------------------------------------------


def test_the_new_card_takes_the_place_of_the_old_which_is_dead_before_anything_is_written(desk: DeskFixture) -> None:
    settings.change(desk.db, "card_deposit_minor", "300")
    old, new = Chip(UID), Chip(OTHER)
    first = desk.issued(old, topup_minor=500)
    limits.store(desk.db, card_of(desk, old), Limits(day_minor=100))
    job = desk.begin(jobs.begin_replace, card_of(desk, old))
    desk.announced(CardRevoked)
    desk.tap(new)
    assert CardRevoked(int(card_of(desk, old)), (UID,)) in desk.announced(CardRevoked)
    dead, alive = desk.card(old), desk.card(new)
    assert (dead.replaced_by, dead.blocked_why, dead.deposit_minor) == (alive.id, "replaced", 0)
    assert (alive.person_id, alive.deposit_minor, alive.number) == (first.person_id, 300, 2)
    assert limits.find(desk.db, alive.id) == Limits(day_minor=100)
    desk.lay(new)
    assert (desk.job(job).state, desk.job(job).receipt) == ("done", None)
    assert desk.books.balance(alive.person_id) == 500


def test_the_lost_card_itself_is_no_replacement(desk: DeskFixture) -> None:
    old = Chip(UID)
    desk.issued(old)
    job = desk.begin(jobs.begin_replace, card_of(desk, old))
    desk.lay(old)
    assert (desk.job(job).state, desk.job(job).advice) == ("waiting", "taken")
    assert desk.card(old).blocked_at_ms is None


# --- decommission ------------------------------------------------------------------------------------------------------------


def test_a_card_comes_back_with_its_deposit_and_the_wallet(desk: DeskFixture) -> None:
    settings.change(desk.db, "card_deposit_minor", "300")
    chip = Chip(UID)
    desk.issued(chip, topup_minor=500)
    job = desk.begin(jobs.begin_decommission, refund=True, rest=True)
    assert isinstance(desk.tap(chip).work, Wipe)
    desk.lay(chip)
    card = desk.card(chip)
    assert (desk.job(job).state, card.content, card.blocked_why, card.deposit_minor) == (
        "done",
        "wiped",
        "returned",
        0,
    )
    assert (desk.books.balance(card.person_id), desk.money()["cash"], desk.money()["deposits"]) == (0, 0, 0)
    assert (chip.content, chip.keys) == (Content(), None)


def test_the_wallet_stays_while_another_card_of_the_person_is_out(desk: DeskFixture) -> None:
    first, second = Chip(UID), Chip(OTHER)
    person = desk.issued(first, topup_minor=500).person_id
    desk.issued(second, person=person)
    assert desk.job(give_back(desk, first)).receipt is None
    assert desk.job(give_back(desk, second)).receipt is not None
    assert desk.books.balance(desk.card(first).person_id) == 0


@pytest.mark.parametrize(("refund", "rest", "paid"), [(True, False, 300), (False, True, 500), (True, True, 800)])
def test_deposit_and_wallet_are_given_back_one_without_the_other(
    desk: DeskFixture, refund: bool, rest: bool, paid: int
) -> None:
    settings.change(desk.db, "card_deposit_minor", "300")
    chip = Chip(UID)
    desk.issued(chip, topup_minor=500)
    person = desk.card(chip).person_id
    job = desk.begin(jobs.begin_decommission, refund=refund, rest=rest)
    desk.lay(chip)
    assert desk.money()["cash"] == 800 - paid
    assert desk.books.balance(person) == (0 if rest else 500)
    assert desk.card(chip).deposit_minor == (0 if refund else 300)
    desk.undo(job)
    assert (desk.money()["cash"], desk.books.balance(person), desk.card(chip).deposit_minor) == (800, 500, 300)


def test_without_a_refund_nothing_is_paid_and_the_deposit_is_the_sites_once_the_card_is_out_again(
    desk: DeskFixture,
) -> None:
    settings.change(desk.db, "card_deposit_minor", "300")
    chip = Chip(UID)
    desk.issued(chip, topup_minor=500)
    assert desk.job(give_back(desk, chip, refund=False)).receipt is None
    assert (desk.money()["cash"], desk.money()["deposits"]) == (800, 300)
    desk.issued(chip, name="Karim Ahmed")
    assert (desk.money()["cash"], desk.money()["deposits"], desk.card(chip).deposit_minor) == (1_100, 300, 300)


def test_money_that_a_session_holds_is_not_given_back_and_a_card_that_charges_stays_out(desk: DeskFixture) -> None:
    books = desk.books
    books.tariff()
    station = books.station()
    charging, idle = Chip(UID), Chip(OTHER)
    person = desk.issued(charging, topup_minor=5_000).person_id
    desk.issued(idle, person=person)
    books.start(station, 1, UID)
    job = desk.begin(jobs.begin_decommission, refund=True, rest=True)
    desk.lay(charging)
    assert (desk.job(job).state, desk.job(job).advice) == ("waiting", "charging")
    desk.lay(idle)
    assert (desk.job(job).state, desk.job(job).receipt) == ("done", None)


def test_a_copied_card_comes_back_all_the_same(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    chip.content, chip.keys = Content(), None
    assert desk.job(give_back(desk, chip)).state == "done"


def test_a_lost_card_that_is_found_comes_back_and_stays_replaced(desk: DeskFixture) -> None:
    old, new = Chip(UID), Chip(OTHER)
    desk.issued(old)
    desk.begin(jobs.begin_replace, card_of(desk, old))
    desk.lay(new)
    give_back(desk, old)
    assert (desk.card(old).content, desk.card(old).blocked_why) == ("wiped", "returned")
    assert desk.card(new).blocked_at_ms is None


# --- rewrite ---------------------------------------------------------------------------------------------------------------


def test_a_card_is_written_anew_with_another_link_and_a_higher_issue(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    before, link = desk.card(chip), chip.content.link
    job = desk.begin(jobs.begin_rewrite, before.id)
    desk.lay(chip)
    after = desk.card(chip)
    assert (desk.job(job).state, after.issue) == ("done", before.issue + 1)
    assert chip.content.link == KEY.link_base + after.token != link
    desk.check_settled([chip])


def test_a_card_known_by_its_number_is_written_for_the_first_time(desk: DeskFixture) -> None:
    chip = Chip(UID)
    card = CardId(desk.books.card(UID, desk.books.person()))
    assert desk.card(chip).content == "none"
    job = desk.begin(jobs.begin_rewrite, card)
    desk.lay(chip)
    assert (desk.job(job).state, desk.card(chip).content, desk.card(chip).kind) == ("done", "written", "NTAG213")


def test_only_the_card_that_is_meant_is_written_anew_and_only_if_it_can_be(desk: DeskFixture) -> None:
    plain = Chip("A1B2C3D4", Kind.CLASSIC, writable=False)
    desk.issued(plain)
    desk.issued(Chip(OTHER))
    job = desk.begin(jobs.begin_rewrite, card_of(desk, plain))
    for chip, advice in ((Chip(OTHER), "other_card"), (Chip(THIRD), "unknown"), (plain, "not_writable")):
        desk.lay(chip)
        assert (desk.job(job).state, desk.job(job).advice) == ("waiting", advice)


def test_a_card_that_came_back_meanwhile_is_not_written_anew(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    job = desk.begin(jobs.begin_rewrite, card_of(desk, chip), desk="office")
    give_back(desk, chip)
    desk.lay(chip, desk="office")
    assert (desk.job(job).state, desk.job(job).advice) == ("waiting", "unknown")
    assert desk.card(chip).content == "wiped"


# --- batch -----------------------------------------------------------------------------------------------------------------


def test_a_stack_gives_each_card_a_wallet_of_its_own_named_after_its_number(desk: DeskFixture) -> None:
    chips = [Chip(UID), Chip(OTHER), Chip(THIRD)]
    job = desk.begin(jobs.begin_batch, 3, group=desk.books.group(), label="Fleet")
    for made, chip in enumerate(chips, 1):
        desk.lay(chip)
        desk.lay(chip)
        found = desk.job(job)
        assert (found.made, found.state) == (made, "waiting" if made < 3 else "done")
        assert found.advice == ("next_card" if made < 3 else "")
    assert [desk.card(chip).person for chip in chips] == ["Fleet 0001", "Fleet 0002", "Fleet 0003"]
    assert rows.cards_of_batch(desk.db, job) == [card_of(desk, chip) for chip in chips]
    desk.lay(Chip("04AAAAAAAAAAAA"))
    assert desk.job(job).made == 3


def test_a_stack_for_somebody_is_all_theirs(desk: DeskFixture) -> None:
    person = desk.books.person()
    desk.begin(jobs.begin_batch, 2, person=person)
    chips = [Chip(UID), Chip(OTHER)]
    for chip in chips:
        desk.lay(chip)
    assert {desk.card(chip).person_id for chip in chips} == {person}


def test_a_torn_card_of_a_stack_is_counted_once_and_the_stack_goes_on(desk: DeskFixture) -> None:
    torn = Chip(UID)
    job = desk.begin(jobs.begin_batch, 2, group=desk.books.group())
    desk.lay(torn, Trouble.TORN)
    assert (desk.job(job).state, desk.job(job).made) == ("torn", 0)
    desk.lay(torn)
    assert (desk.job(job).state, desk.job(job).made) == ("waiting", 1)
    desk.lay(Chip(OTHER))
    assert (desk.job(job).state, desk.job(job).made) == ("done", 2)


def test_somebodys_card_in_a_stack_is_passed_over(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    job = desk.begin(jobs.begin_batch, 1, person=PersonId(desk.card(chip).person_id))
    desk.lay(chip)
    assert (desk.job(job).state, desk.job(job).advice, desk.job(job).made) == ("waiting", "taken", 0)


# --- what lies there ---------------------------------------------------------------------------------------------------------


def test_a_card_is_described_by_its_row_and_what_stands_on_it(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    described = taps.describe(desk.db, chip.seen(), SECRET)
    assert (described.uid, described.kind, described.ours, described.origin) == (UID, "NTAG213", True, Origin.OURS)
    assert described.card == desk.card(chip)
    give_back(desk, chip)
    back = taps.describe(desk.db, chip.seen(), SECRET)
    assert (back.ours, back.card is None, back.origin) == (False, False, Origin.BLANK)
    random = taps.describe(desk.db, Chip("08A1B2C3", random=True).seen(), SECRET)
    assert (random.ours, random.card, random.objection) == (False, None, "random")


def test_a_number_that_was_typed_does_not_forget_what_chip_it_is(desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip)
    desk.tap(Chip(UID, Kind.UNKNOWN, writable=False))
    assert desk.card(chip).kind == "NTAG213"


def test_what_needs_a_second_person_books_nothing_and_the_desk_says_so(desk: DeskFixture) -> None:
    assert hired(desk.books, "owner").actor == desk.books.by.actor
    settings.change(desk.db, "second_person_minor", "1000")
    chip = Chip(UID)
    desk.issued(chip, topup_minor=700)
    person = desk.card(chip).person_id
    top_up = recharge(desk)
    desk.lay(chip)

    assert (desk.job(top_up).state, desk.job(top_up).advice) == ("waiting", "second_person")
    assert desk.books.balance(person) == 700
    desk.cancel(top_up)
    back = give_back(desk, chip)
    assert (desk.job(back).state, desk.job(back).advice) == ("waiting", "second_person")
    assert (desk.card(chip).blocked_at_ms, desk.books.balance(person)) == (None, 700)
