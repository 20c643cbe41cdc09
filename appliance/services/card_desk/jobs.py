"""What is asked of a card desk. A job is recorded and waits; nothing is booked before a card lies on the reader
(services/card_desk/taps.py goes on from there). The desk hears of it by the announcement.
"""

from __future__ import annotations

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups as group_rows
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.desk_job import Advice, DeskJobEvent, DeskJobState, after
from appliance.domain.desk_request import (
    Batch,
    Decommission,
    Issue,
    Read,
    ReaderRequest,
    Recharge,
    Replace,
    Rewrite,
)
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.domain.ledger import Method
from appliance.domain.problem import ProblemKind
from appliance.services import old_cards, problems, settings
from appliance.services.announce import DeskChanged, DeskNews
from appliance.services.approvals import second_person
from appliance.services.cards.cards import check_another, check_replaceable
from appliance.services.cards.cards import need as need_card
from appliance.services.people.groups import check_terms
from appliance.services.people.groups import need as need_group
from appliance.services.people.people import account_of, check_not_here, check_open
from appliance.services.people.people import need as need_person
from appliance.services.reconciling import stop
from appliance.services.texts import optional, required, telephone
from appliance.services.till import drawers
from appliance.services.wallets import wallets

WAITING_MS_MAX = 600_000
BATCH_MAX = 1000
EVER_MS = 2**62


def begin_issue(
    db: Database,
    desk: str,
    by: By,
    *,
    person: PersonId | None = None,
    name: str = "",
    phone: str = "",
    group: GroupId | None = None,
    topup_minor: int = 0,
    method: str = Method.CASH,
    label: str = "",
    expires_at_ms: int | None = None,
    overwrite: bool = False,
    another: bool = True,
    old: bool = False,
    old_minor: int = 0,
) -> int:
    """A card for somebody: for a person who is known, or for a new one by name, who is added with it; unless it is said that it is
    `another` one, only if nobody like that is here.

    `overwrite` takes a card on which something else is written. The deposit of the settings is taken besides the top-up.
    """
    wallet = None
    if person is not None:
        found = need_person(db, person)
        wallet = account_of(db, person).wallet
        check_open(found)
        check_another(db, person, by)
    else:
        name = required("name", name)
        phone = telephone(phone)
        group = default_group(db) if group is None else need_group(db, group).id
        check_terms(db, None, need_group(db, group), by)
        if not another:
            check_not_here(db, name, phone)
    check_top_up(topup_minor)
    if old:
        old_cards.check_typed(db, old_minor, by)
        stop.check(db)
    second_person.check(db, wallet, topup_minor + old_minor, by)
    if topup_minor + settings.of(db).card_deposit_minor:
        drawers.into(db, wallets.method_of(method), by)
    request = Issue(
        person_id=person,
        name=name,
        phone=phone,
        group_id=group,
        topup_minor=topup_minor,
        deposit_minor=settings.of(db).card_deposit_minor,
        method=wallets.method_of(method),
        label=optional("label", label),
        expires_at_ms=expires_at_ms,
        overwrite=overwrite,
        old=old,
        old_minor=old_minor,
    )
    return begin(db, desk, request, by, person=person)


def begin_taking_over(db: Database, desk: str, by: By, *, old_minor: int = 0, card: CardId | None = None) -> int:
    """What an earlier local system has written on a card of ours that lies there, or is laid next, comes into its wallet."""
    old_cards.check_typed(db, old_minor, by)
    stop.check(db)
    return begin(db, desk, Recharge(0, Method.CASH, card, old=True, old_minor=old_minor), by, card=card)


def begin_recharge(
    db: Database, desk: str, amount_minor: int, method: str, by: By, *, card: CardId | None = None
) -> int:
    """Money for the wallet behind the card that lies there, or is laid next; with `card`, behind that one only."""
    wallets.check_amount(amount_minor)
    wallet = account_of(db, need_card(db, card).person_id).wallet if card is not None else None
    second_person.check(db, wallet, amount_minor, by)
    drawers.into(db, wallets.method_of(method), by)
    request = Recharge(amount_minor, wallets.method_of(method), card)
    return begin(db, desk, request, by, card=card)


def begin_read(db: Database, desk: str, by: By) -> int:
    """Say what lies there."""
    return begin(db, desk, Read(), by)


def begin_replace(db: Database, desk: str, card: CardId, by: By, *, overwrite: bool = False) -> int:
    """A new card instead of a lost one. The old one dies when the new one is laid down; block it if that takes a while."""
    found = need_card(db, card)
    check_replaceable(db, found, by)
    return begin(db, desk, Replace(card, overwrite), by, person=found.person_id)


def begin_decommission(
    db: Database,
    desk: str,
    by: By,
    *,
    card: CardId | None = None,
    refund: bool = False,
    rest: bool = False,
    method: str = Method.CASH,
) -> int:
    """Take a card back: it is blocked, unlocked and emptied, and can be given to somebody else.

    `refund` gives back the deposit; `rest` pays out, with the last card of a prepaid person, what is in the wallet.
    """
    if card is not None:
        holder = need_person(db, need_card(db, card).person_id)
        if rest:
            second_person.check_cashier(db, holder.wallet, holder.payable_minor, by)
    if refund or rest:
        drawers.into(db, wallets.method_of(method), by)
    request = Decommission(card, refund, rest, wallets.method_of(method))
    return begin(db, desk, request, by, card=card)


def begin_rewrite(db: Database, desk: str, card: CardId, by: By, *, overwrite: bool = False) -> int:
    """Write a card anew, with a new link: one that was never written, or whose link has come into wrong hands."""
    found = need_card(db, card)
    if found.blocked_at_ms is not None:
        raise Refusal("This card is blocked.", "Unblock it first.")
    return begin(db, desk, Rewrite(card, overwrite), by, person=found.person_id, card=card)


def begin_batch(
    db: Database,
    desk: str,
    count: int,
    by: By,
    *,
    person: PersonId | None = None,
    group: GroupId | None = None,
    label: str = "",
    overwrite: bool = False,
) -> int:
    """A stack of cards, one after another: all for one person, or each with a wallet of its own in a group."""
    if not 1 <= count <= BATCH_MAX:
        raise Invalid("count", "Between {least} and {most}.", least=1, most=BATCH_MAX)
    if person is not None:
        check_another(db, person, by)
    else:
        group = default_group(db) if group is None else need_group(db, group).id
        check_terms(db, None, need_group(db, group), by)
    request = Batch(count, person, group, optional("label", label), overwrite)
    return begin(db, desk, request, by, person=person)


def begin(
    db: Database,
    desk: str,
    request: ReaderRequest,
    by: By,
    *,
    person: PersonId | None = None,
    card: CardId | None = None,
) -> int:
    """Record a job; what waited at this desk before is given up, for nobody can mean both."""
    for job in rows.open_at(db, desk):
        if job.state is DeskJobState.WRITING:
            raise Conflict("A card is being written at this desk.", "Wait until it is done.")
        if job.state is DeskJobState.WAITING:
            _cancel(db, job, by.at_ms, Advice.SUPERSEDED)
    number = rows.add(db, desk, after(None, DeskJobEvent.ASKED), request, by, person=person, card=card)
    db.announce(DeskChanged(desk, DeskNews.PROGRESS, number))
    return number


def cancel(db: Database, job: int, now_ms: int) -> None:
    """Nobody waits for it any more. A batch ends with what it has made."""
    found = need(db, job)
    if found.state is not DeskJobState.WAITING:
        raise Conflict("This is under way, or over.")
    _cancel(db, found, now_ms, Advice.CANCELLED)


def recover(db: Database, now_ms: int) -> None:
    """After a restart: what waited is given up, and a card that was being written may hold half of it.

    All of it, whenever it was: a box without a battery for its clock may start in the past.
    """
    for job in rows.in_state(db, DeskJobState.WAITING, EVER_MS):
        _cancel(db, job, now_ms, Advice.RESTARTED)
    for job in rows.in_state(db, DeskJobState.WRITING, EVER_MS):
        tear(db, job, now_ms, Advice.PRESENT_AGAIN)


def expire(db: Database, now_ms: int) -> None:
    """Nobody laid a card."""
    for job in rows.in_state(db, DeskJobState.WAITING, now_ms - WAITING_MS_MAX):
        _cancel(db, job, now_ms, Advice.EXPIRED)


def _cancel(db: Database, job: Job, now_ms: int, why: Advice) -> None:
    """It waits no more. A batch ends with what it has made."""
    if job.made:
        end(db, job, DeskJobEvent.ANSWERED, now_ms)
    else:
        end(db, job, DeskJobEvent.CANCELLED, now_ms, why)


def end(db: Database, job: Job, event: DeskJobEvent, now_ms: int, advice: Advice = Advice.NONE) -> None:
    """It is over."""
    rows.set_state(db, job.id, after(job.state, event), now_ms, advice)
    db.announce(DeskChanged(job.desk, DeskNews.DONE, job.id))


def tear(db: Database, job: Job, now_ms: int, advice: Advice) -> None:
    """What was booked stands; the card does not agree yet, and will when it comes back."""
    rows.set_state(db, job.id, after(job.state, DeskJobEvent.MISSED), now_ms, advice)
    if job.card_id is not None:
        card = need_card(db, job.card_id)
        number = f"{card.number:04}"
        problems.raise_problem(db, ProblemKind.TORN_CARD, f"card:{card.id}", now_ms, number=number, person=card.person)
    db.announce(DeskChanged(job.desk, DeskNews.PROGRESS, job.id))


def advise(db: Database, job: Job, advice: Advice, now_ms: int) -> None:
    """Why the card that lies there will not do; the job goes on waiting for another."""
    if job.advice != advice:
        rows.set_state(db, job.id, after(job.state, DeskJobEvent.OBJECTED), now_ms, advice)
        db.announce(DeskChanged(job.desk, DeskNews.PROGRESS, job.id))


def need(db: Readable, job: int) -> Job:
    """The job, or NotFound."""
    found = rows.find(db, job)
    if found is None:
        raise NotFound("There is no such job.")
    return found


def default_group(db: Readable) -> GroupId:
    """Where a new person goes when nobody says: the only group, or the first one that pays before charging."""
    groups = group_rows.all_by_name(db)
    prepaid = [group for group in groups if group.policy == Policy.PREPAID]
    if prepaid:
        return prepaid[0].id
    if len(groups) == 1:
        return groups[0].id
    raise Invalid("group_id", "Choose a group.")


def check_top_up(amount_minor: int) -> None:
    """Nothing, or an amount that can be taken."""
    if amount_minor:
        wallets.check_amount(amount_minor)
    elif type(amount_minor) is not int:
        raise Invalid("topup_minor", "Enter a whole number.")
