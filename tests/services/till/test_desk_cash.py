"""Cash at a card desk: it is in the drawer of whoever asked for it, also when the card is laid much later."""

from __future__ import annotations

import pytest

from appliance.db.till import shifts as rows
from appliance.domain.by import By
from appliance.domain.cash import Cash
from appliance.domain.desk_job import Advice
from appliance.domain.identifiers import CardId
from appliance.services import settings
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.card_desk import jobs
from appliance.services.till import shifts
from appliance.services.till.drawers import NeedsShift
from tests.support.books import Books
from tests.support.desk_fixture import DESK, DeskFixture
from tests.support.one_desk import Chip
from tests.support.staff import hired

UID = "04A1B2C3D4E580"


@pytest.fixture(autouse=True)
def _owner(books: Books) -> None:
    """`books.by`."""
    assert hired(books, "owner").actor == books.by.actor


def in_drawer(books: Books) -> int:
    books.db.flush()
    shift = rows.open_of(books.db, books.by.actor)
    assert shift is not None
    return shifts.figures(books.db, shift).expected_minor


def test_top_up_and_deposit_are_in_the_drawer_and_leave_it_when_they_are_taken_back(
    books: Books, desk: DeskFixture
) -> None:
    settings.change(books.db, "card_deposit_minor", "300")
    shifts.open_shift(books.db, Cash(1_000), books.by)
    job = desk.issued(Chip(UID), topup_minor=5_000)
    assert in_drawer(books) == 6_300
    desk.undo(job.id)
    assert in_drawer(books) == 1_000


def test_deposit_and_rest_of_a_card_that_comes_back_leave_the_drawer(books: Books, desk: DeskFixture) -> None:
    settings.change(books.db, "card_deposit_minor", "300")
    shifts.open_shift(books.db, Cash(0), books.by)
    chip = Chip(UID)
    desk.issued(chip, topup_minor=5_000)
    desk.begin(jobs.begin_decommission, card=desk.card(chip).id, refund=True, rest=True)
    desk.lay(chip)

    assert in_drawer(books) == 0


def test_no_more_is_paid_out_for_a_card_than_is_in_the_drawer(books: Books, desk: DeskFixture) -> None:
    chip = Chip(UID)
    desk.issued(chip, topup_minor=5_000)
    shift = shifts.open_shift(books.db, Cash(4_999), books.by)
    job = desk.begin(jobs.begin_decommission, card=desk.card(chip).id, rest=True)
    desk.lay(chip)
    assert desk.job(job).advice == Advice.DRAWER
    assert desk.card(chip).blocked_at_ms is None

    shifts.move(books.db, shift.id, shifts.Way.IN, shifts.Counterpart.SAFE, 1, "", "one", books.by)
    desk.lay(chip)
    assert in_drawer(books) == 0


def test_a_job_that_asks_for_cash_needs_a_shift_and_so_does_its_tap(books: Books, desk: DeskFixture) -> None:
    settings.change(books.db, "cash_needs_shift", "1")
    with pytest.raises(NeedsShift):
        desk.issue(topup_minor=5_000)
    desk.issue(topup_minor=0)
    shift = shifts.open_shift(books.db, Cash(0), books.by)
    job = desk.issue(topup_minor=5_000)
    shifts.close(books.db, shift.id, Cash(0), "", books.by)
    chip = Chip(UID)
    desk.lay(chip)
    assert desk.job(job).advice == Advice.DRAWER
    assert books.db.execute("SELECT count(*) FROM card").fetchone()[0] == 0

    shifts.open_shift(books.db, Cash(0), books.by)
    desk.lay(chip)
    assert in_drawer(books) == 5_000


def test_a_cashier_pays_out_the_rest_of_a_wallet_as_far_as_they_may_refund(books: Books, desk: DeskFixture) -> None:
    cashier = hired(books, "cashier")
    chip = Chip(UID)
    desk.issued(chip, topup_minor=5_000)

    def begin(by: By) -> int:
        card: CardId = desk.card(chip).id
        return jobs.begin_decommission(books.db, DESK, by, card=card, rest=True)

    with pytest.raises(NeedsSecondPerson):
        begin(cashier)
    settings.change(books.db, "refund_cashier_minor", "5000")
    begin(cashier)
    desk.lay(chip)
    assert desk.money()["cash"] == 0
