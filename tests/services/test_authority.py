"""What a cashier does, and what only a manager: whatever lets more charge without paying first, by whichever way."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import orjson
import pytest

from appliance.db.sessions.sessions import Running
from appliance.domain.approval import ApprovalKind
from appliance.domain.by import By
from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.domain.tariff import Tariff
from appliance.services import settings, site, tariffs
from appliance.services.approvals import approvals
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.card_desk import jobs
from appliance.services.cards import aliases, cards, limits, unknown
from appliance.services.operators import operators, tokens
from appliance.services.operators.authority import NotAllowed
from appliance.services.people import groups, merge, people
from appliance.services.sessions import start_requests
from appliance.services.stations import admission, credentials
from appliance.services.wallets import undo, wallets
from appliance.services.wallets.form_bookings import NewPerson, take_in
from tests.support.books import NOON_MS, Books
from tests.support.staff import hired

CARD = "04A1B2C3D4E5F6"
STRANGERS = "04112233445566"
OTHER = "04FFEEDDCCBBAA"
POLICIES = ("free", "postpaid")


@pytest.fixture(autouse=True)
def _owner(books: Books) -> None:
    """Who does what comes before: `books.by`."""
    assert hired(books, "owner").actor == books.by.actor


@pytest.fixture(name="cashier")
def _cashier(books: Books) -> By:
    return hired(books, "cashier")


@pytest.fixture(name="manager")
def _manager(books: Books) -> By:
    return hired(books, "manager")


def details_of(books: Books, action: str) -> list[dict[str, Any]]:
    """What stands in the audit list of all actions of this name."""
    books.db.flush()
    found = books.db.execute("SELECT details FROM audit WHERE action = ? ORDER BY seq", (action,))
    return [orjson.loads(details) for (details,) in found]


def closed(books: Books, policy: str) -> PersonId:
    person = books.person(group=books.group(policy))
    people.close(books.db, person, books.by)
    return person


def came_back(books: Books, policy: str) -> CardId:
    """A card that was returned."""
    card = CardId(books.card(CARD, books.person(group=books.group(policy))))
    cards.block(books.db, card, "returned", books.by)
    return card


Way = Callable[[Books, str, By], object]
WAYS: dict[str, Way] = {
    "a card": lambda books, policy, by: cards.add(books.db, STRANGERS, books.person(group=books.group(policy)), by),
    "a card that came back": lambda books, policy, by: cards.add(
        books.db, cards.need(books.db, came_back(books, policy)).uid, books.person(group=books.group(policy)), by
    ),
    "a card at the desk": lambda books, policy, by: jobs.begin_issue(
        books.db, "desk", by, person=books.person(group=books.group(policy))
    ),
    "a stack of cards": lambda books, policy, by: jobs.begin_batch(
        books.db, "desk", 3, by, person=books.person(group=books.group(policy))
    ),
    "a card at a charger": lambda books, policy, by: unknown.begin_enrol(
        books.db, StationId(books.station()), books.person(group=books.group(policy)), by
    ),
    "a number that a charger reads": lambda books, policy, by: aliases.add(
        books.db, STRANGERS, CardId(books.card(CARD, books.person(group=books.group(policy)))), by
    ),
    "an account that was closed": lambda books, policy, by: people.reopen(books.db, closed(books, policy), by),
    "a new person with a card": lambda books, policy, by: take_in(
        books.db, NewPerson("Mallory", books.group(policy), uid=STRANGERS), "key", by
    ),
    "the cards of somebody else": lambda books, policy, by: merge.merge(
        books.db, books.person("Mallory"), books.person(group=books.group(policy)), "key", by
    ),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("way", WAYS)
def test_no_cashier_lets_more_charge_that_does_not_pay_first(books: Books, cashier: By, way: str, policy: str) -> None:
    with pytest.raises(NotAllowed):
        WAYS[way](books, policy, cashier)


@pytest.mark.parametrize("way", WAYS)
def test_a_cashier_does_where_it_is_paid_first(books: Books, cashier: By, way: str) -> None:
    WAYS[way](books, "prepaid", cashier)


@pytest.mark.parametrize("way", WAYS)
def test_a_manager_does(books: Books, manager: By, way: str) -> None:
    WAYS[way](books, "free", manager)


@pytest.mark.parametrize("policy", POLICIES)
def test_at_midnight_a_cashier_replaces_a_lost_card_and_the_old_one_is_blocked_with_it(
    books: Books, cashier: By, policy: str
) -> None:
    card = CardId(books.card(CARD, books.person(group=books.group(policy))))
    cards.block(books.db, card, "lost", cashier)
    cards.unblock(books.db, card, cashier)  # It lay in the car.
    cards.block(books.db, card, "lost", cashier)
    jobs.begin_replace(books.db, "desk", card, cashier)
    new = cards.replace(books.db, card, OTHER, cashier)

    assert cards.need(books.db, card).blocked_at_ms is not None
    assert cards.need(books.db, new).blocked_at_ms is None


def test_a_charger_that_reads_a_card_in_its_own_way_is_taught_by_a_cashier(books: Books, cashier: By) -> None:
    card = CardId(books.card(CARD, books.person(group=books.group("free"))))
    aliases.add(books.db, "F6E5D4C3B2A104", card, cashier)


def test_what_a_manager_has_blocked_a_cashier_neither_unblocks_nor_replaces(
    books: Books, cashier: By, manager: By
) -> None:
    card = CardId(books.card(CARD, books.person(group=books.group("free"))))
    cards.block(books.db, card, "has left the company", manager)
    for attempt in (
        lambda: cards.unblock(books.db, card, cashier),
        lambda: cards.replace(books.db, card, OTHER, cashier),
        lambda: jobs.begin_replace(books.db, "desk", card, cashier),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    cards.unblock(books.db, card, manager)


def test_nobody_is_given_a_card_in_the_place_of_one_that_came_back(books: Books, cashier: By) -> None:
    card = came_back(books, "free")
    with pytest.raises(Refusal, match="come back"):
        cards.replace(books.db, card, OTHER, cashier)


# --- limits ----------------------------------------------------------------------------------------------------------------

BOUND = Limits(day_energy_wh=5_000)


def limited(books: Books) -> tuple[PersonId, CardId]:
    """Somebody with a card that has limits."""
    person = books.person(paid_in=10_000)
    card = CardId(books.card(CARD, person))
    limits.change(books.db, card, BOUND, books.by)
    return person, card


@pytest.mark.parametrize("lost", ["", "lost", "returned"])
def test_no_cashier_gives_another_card_to_who_is_limited_and_a_managers_has_the_same_limits(
    books: Books, cashier: By, manager: By, lost: str
) -> None:
    person, card = limited(books)
    if lost:
        cards.block(books.db, card, lost, cashier)
    ways: tuple[Callable[[], object], ...] = (
        lambda: cards.add(books.db, STRANGERS, person, cashier),
        lambda: jobs.begin_issue(books.db, "desk", cashier, person=person),
        lambda: jobs.begin_batch(books.db, "desk", 2, cashier, person=person),
        lambda: unknown.begin_enrol(books.db, StationId(books.station()), person, cashier),
    )
    for way in ways:
        with pytest.raises(NotAllowed, match="limits"):
            way()
    assert limits.of(books.db, cards.add(books.db, STRANGERS, person, manager)) == BOUND


def test_a_limited_card_is_replaced_by_a_cashier_with_its_limits(books: Books, cashier: By) -> None:
    _person, card = limited(books)
    assert limits.of(books.db, cards.replace(books.db, card, OTHER, cashier)) == BOUND


def test_what_a_manager_freed_of_limits_stays_free(books: Books, cashier: By) -> None:
    person, card = limited(books)
    new = cards.replace(books.db, card, OTHER, cashier)
    limits.change(books.db, new, NO_LIMITS, books.by)
    assert limits.of(books.db, cards.add(books.db, STRANGERS, person, cashier)) == NO_LIMITS


def test_no_cashier_loses_limits_by_giving_the_card_that_has_them_to_somebody_else(
    books: Books, cashier: By, manager: By
) -> None:
    _person, card = limited(books)
    cards.block(books.db, card, "returned", cashier)
    other = books.person("Karim")
    with pytest.raises(NotAllowed):
        cards.add(books.db, CARD, other, cashier)
    cards.add(books.db, CARD, other, manager)


@pytest.mark.parametrize(
    ("most", "until_ms"), [(1000, None), (1, NOON_MS + 9_999_999), (1, None)], ids=["at once", "later", "without end"]
)
def test_a_cashier_changes_the_label_of_a_card_and_no_more(
    books: Books, cashier: By, manager: By, most: int, until_ms: int | None
) -> None:
    card = CardId(books.card(CARD, books.person(), expires_at_ms=NOON_MS + 1_000))

    def change(by: By, most: int, until_ms: int | None) -> None:
        cards.change(books.db, card, by, label="Rahima", transactions_max=most, expires_at_ms=until_ms)

    change(cashier, 1, NOON_MS + 1_000)
    with pytest.raises(NotAllowed):
        change(cashier, most, until_ms)
    change(manager, most, until_ms)


def test_no_cashier_gives_a_card_many_sessions_at_once(books: Books, cashier: By) -> None:
    with pytest.raises(NotAllowed):
        cards.add(books.db, CARD, books.person(), cashier, transactions_max=2)


# --- starting for somebody -------------------------------------------------------------------------------------------------

SERIAL = count(1)
WITH_CARD = {"by name": False, "by card": True}


def wanted_by(books: Books, by: By, person: PersonId, card: str = "") -> Running:
    """A start in somebody's name, at a charger of its own."""
    station = books.station(f"CS-{next(SERIAL)}")
    return start_requests.request_start(books.db, station, 1, by, person=None if card else person, card=card)


@pytest.mark.parametrize("role", ["guard", "cashier"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shown", WITH_CARD)
def test_nobody_below_a_manager_lets_a_car_charge_at_the_cost_of_who_pays_later_or_not_at_all(
    books: Books, manager: By, role: str, policy: str, shown: str
) -> None:
    person = books.person(group=books.group(policy))
    books.card(CARD, person)
    card = CARD if WITH_CARD[shown] else ""
    with pytest.raises(NotAllowed, match="A manager does this"):
        wanted_by(books, hired(books, role), person, card)

    wanted_by(books, manager, person, card)
    assert [row["policy"] for row in details_of(books, "station.start")] == [policy]


@pytest.mark.parametrize("role", ["guard", "cashier"])
def test_for_who_pays_ahead_everybody_starts(books: Books, role: str) -> None:
    books.tariff()
    person = books.person(paid_in=10_000)
    books.card(CARD, person)

    assert wanted_by(books, hired(books, role), person).card is not None
    without_card = books.person("Karim", paid_in=10_000)
    assert wanted_by(books, hired(books, role), without_card).card is None


def busy(books: Books, person: PersonId) -> None:
    books.card(CARD, person)
    books.start(books.station("CS-BUSY"), 1, CARD)


def expired(books: Books, person: PersonId) -> None:
    books.card(CARD, person, expires_at_ms=NOON_MS - 1)


def limited_and_lost(books: Books, person: PersonId) -> None:
    card = CardId(books.card(CARD, person))
    limits.change(books.db, card, BOUND, books.by)
    cards.block(books.db, card, "lost", books.by)


@pytest.mark.parametrize("limited_by", [busy, expired, limited_and_lost])
def test_nobody_below_a_manager_passes_what_limits_a_card_by_starting_without_it(
    books: Books, manager: By, limited_by: Callable[[Books, PersonId], None]
) -> None:
    books.tariff()
    person = books.person(paid_in=10_000)
    limited_by(books, person)
    with pytest.raises(NotAllowed, match="A manager does this"):
        wanted_by(books, hired(books, "guard"), person)

    wanted_by(books, manager, person)


def test_a_lost_card_without_limits_keeps_nobody_from_being_started_for(books: Books, cashier: By) -> None:
    person = books.person(paid_in=10_000)
    cards.block(books.db, CardId(books.card(CARD, person)), "lost", cashier)

    wanted_by(books, cashier, person)


# --- prices ----------------------------------------------------------------------------------------------------------------

CHEAPER = {
    "energy": Tariff(0, "Staff", 1_000_000, 500, 500, 60, 500, 1500),
    "time": Tariff(0, "Staff", 2_000_000, 0, 500, 60, 500, 1500),
    "idle": Tariff(0, "Staff", 2_000_000, 500, 0, 60, 500, 1500),
    "grace": Tariff(0, "Staff", 2_000_000, 500, 500, 3600, 500, 1500),
    "flat": Tariff(0, "Staff", 2_000_000, 500, 500, 60, 0, 1500),
    "tax": Tariff(0, "Staff", 2_000_000, 500, 500, 60, 500, 0),
}


@pytest.mark.parametrize("cheaper", CHEAPER)
def test_no_cashier_enters_somebody_at_a_lower_price_than_everybodys(
    books: Books, cashier: By, manager: By, cheaper: str
) -> None:
    books.tariff(2_000_000, time=500, idle=500, grace_s=60, flat=500, tax=1500)
    lower = tariffs.add(books.db, CHEAPER[cheaper], books.by)
    group = groups.add(books.db, "Staff", "prepaid", books.by, tariff_id=lower)
    ways: tuple[Callable[[], object], ...] = (
        lambda: people.add(books.db, "Mallory", group, cashier),
        lambda: take_in(books.db, NewPerson("Mallory", group), "key", cashier),
        lambda: jobs.begin_issue(books.db, "desk", cashier, name="Mallory", group=group),
    )
    for way in ways:
        with pytest.raises(NotAllowed):
            way()
    people.add(books.db, "Rahima", group, manager)

    dearer = tariffs.add(books.db, Tariff(0, "Guests", 3_000_000, 500, 500, 60, 500, 1500), books.by)
    people.add(books.db, "Karim", groups.add(books.db, "Guests", "prepaid", books.by, tariff_id=dearer), cashier)


# --- the second person -----------------------------------------------------------------------------------------------------


def test_only_the_owner_sets_above_which_amount_a_second_person_is_needed(books: Books, manager: By) -> None:
    settings.change_by(books.db, "second_person_minor", "5000", books.by)
    with pytest.raises(NotAllowed):
        settings.change_by(books.db, "second_person_minor", "0", manager)
    settings.change_by(books.db, "start_timeout_s", "60", manager)

    assert settings.of(books.db).second_person_minor == 5_000
    assert [(row["before"], row["value"]) for row in details_of(books, "setting.change")] == [
        ("0", "5000"),
        ("90", "60"),
    ]


def program(books: Books, role: str, by: By) -> By:
    """A program with a token that somebody made."""
    tokens.create_token(books.db, "a program", role, by=by)
    number = books.db.execute("SELECT max(id) FROM api_token").fetchone()[0]
    return By(f"token:{number}", NOON_MS)


def test_nobody_is_two_persons_by_a_token_and_no_program_agrees(books: Books, manager: By) -> None:
    person, owner = books.person(), books.by
    asked = [
        approvals.ask(books.db, ApprovalKind.TOPUP, person, 90_000, {"method": "cash", "note": ""}, f"form {n}", by).id
        for n, by in enumerate((program(books, "owner", owner), manager, owner))
    ]
    for number, by in (
        (asked[0], owner),
        (asked[1], program(books, "owner", owner)),
        (asked[1], program(books, "manager", By("console", NOON_MS))),
        (asked[2], program(books, "manager", owner)),
    ):
        with pytest.raises(NotAllowed):
            approvals.approve(books.db, number, by)
    assert books.balance(person) == 0
    approvals.approve(books.db, asked[0], manager)
    approvals.approve(books.db, asked[1], owner)
    assert books.balance(person) == 180_000


def test_many_small_amounts_are_one_large(books: Books, cashier: By, manager: By) -> None:
    settings.change_by(books.db, "second_person_minor", "5000", books.by)
    person, other = books.person(), books.person("Karim")
    keys = (f"k{number}" for number in count())

    def top_up(person: PersonId, amount_minor: int, by: By) -> None:
        wallets.top_up(books.db, person, amount_minor, "cash", next(keys), by)

    top_up(person, 4_000, cashier)
    for attempt in (1_001, 4_999):
        with pytest.raises(NeedsSecondPerson, match="within a day"):
            top_up(person, attempt, cashier)
    with pytest.raises(NeedsSecondPerson):
        wallets.refund(books.db, person, 1_001, "cash", next(keys), cashier)
    with pytest.raises(NeedsSecondPerson):
        wallets.correct(books.db, person, -1_001, "slip", next(keys), cashier)
    with pytest.raises(NeedsSecondPerson):
        jobs.begin_issue(books.db, "desk", cashier, person=person, topup_minor=1_001)
    top_up(person, 1_000, cashier)
    top_up(other, 5_000, cashier)
    top_up(person, 5_000, manager)
    later = By(cashier.actor, NOON_MS + 86_400_001)
    top_up(person, 5_000, later)


def test_what_was_agreed_to_or_taken_back_does_not_count(books: Books, cashier: By, manager: By) -> None:
    settings.change_by(books.db, "second_person_minor", "5000", books.by)
    person = books.person()
    request = {"method": "cash", "note": ""}
    asked = approvals.ask(books.db, ApprovalKind.TOPUP, person, 90_000, request, "form", cashier)
    approvals.approve(books.db, asked.id, manager)
    slip = wallets.top_up(books.db, person, 5_000, "cash", "slip", cashier)
    assert slip.receipt is not None
    undo.undo(books.db, slip.receipt, cashier)
    wallets.top_up(books.db, person, 5_000, "cash", "right", cashier)


def test_a_token_of_ones_own_is_no_second_purse(books: Books) -> None:
    settings.change_by(books.db, "second_person_minor", "5000", books.by)
    person = books.person()
    wallets.top_up(books.db, person, 3_000, "cash", "page", books.by)
    with pytest.raises(NeedsSecondPerson):
        wallets.top_up(books.db, person, 3_000, "cash", "program", program(books, "cashier", books.by))


# --- what was before -------------------------------------------------------------------------------------------------------


def test_every_change_says_what_each_field_was_and_is(books: Books) -> None:
    db, by, group = books.db, books.by, books.group()
    person = books.person(group=group)
    card = CardId(books.card(CARD, person))
    tariff, station, other = books.tariff(energy=1_000), books.station(), books.group()
    cards.change(db, card, by, label="blue", transactions_max=3, expires_at_ms=NOON_MS)
    people.change(db, person, by, name="Rahima B", phone="+880 17", note="gate", language="bn", group=other)
    groups.change(db, group, "Guests", "postpaid", by, limit_minor=500)
    tariffs.change(db, tariff, Tariff(0, "Night", 2_000), by)
    operators.change(db, 1, name="Nasrin", role="owner", language="bn", by=by)
    site.rename(db, "Yard", "bn", by)
    admission.place(db, station, "Gate", by)
    admission.rename(db, station, "Ramp", by)
    credentials.secure(db, station, 1, bytes(32), by)

    def changed(action: str) -> dict[str, list[object]]:
        found: dict[str, list[object]] = details_of(books, action)[-1]["changed"]
        return found

    assert changed("card.change") == {
        "label": ["", "blue"], "transactions_max": [1, 3], "expires_at_ms": [None, NOON_MS],
    }  # fmt: skip
    assert set(changed("person.change")) == {"name", "phone", "note", "language", "group"}
    assert changed("person.change")["phone"] == ["", "+880 17"]
    assert set(changed("group.change")) == {"name", "policy", "limit_minor"}
    assert changed("tariff.change")["energy_milli_per_kwh"] == [1_000, 2_000]
    assert changed("operator.change") == {"name": ["owner", "Nasrin"], "language": ["", "bn"]}
    assert changed("setting.site") == {"name": ["Test yard", "Yard"], "language": ["en", "bn"]}
    for action, before in (("station.place", ""), ("station.rename", "CS-01"), ("station.secure", 0)):
        assert details_of(books, action)[-1]["before"] == before
