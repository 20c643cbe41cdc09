"""The statement of a wallet and a month: as it was issued, or, of a month that runs or has none, as the books say it now."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db import ledger
from appliance.db import site as sites
from appliance.db.engine.protocols import Readable
from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.db.statements import charged, movements
from appliance.db.statements import statements as rows
from appliance.db.statements.charged import Charged
from appliance.db.statements.statements import Issued, Names
from appliance.db.wallets import bills
from appliance.domain import statement as rules
from appliance.domain.authorization import Policy
from appliance.domain.bill import Party
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.identifiers import AccountId, PersonId
from appliance.domain.site import Site
from appliance.domain.statement import Entry, Settled, Sums
from appliance.services import settings as settings_of_site
from appliance.services.settings import Settings

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Statement:
    """What happened to a wallet in a month."""

    number: int | None
    """None: the month runs, nothing moved in it, or it was over before statements were numbered."""
    month: str
    runs: bool
    person: PersonId | None
    wallet: AccountId
    names: Names
    issued_at_ms: int | None
    until_ms: int
    """Its end; of a month that runs the moment of reading."""
    before_minor: int
    entries: list[Entry]
    sums: Sums
    after_minor: int
    due_at_ms: int | None
    state: Settled
    paid_since_minor: int
    """What came in after its end."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A statement with what its page tells besides."""

    person: Person
    statement: Statement
    sessions: dict[int, Charged]


def read(db: Readable, person: PersonId, month: str, now_ms: int) -> Shown:
    """The person, the statement, and the sessions that it tells of.

    Raises:
        NotFound, Invalid: There is no such person; the month is none, or has not begun.
    """
    holder = _need(db, person)
    found = of_wallet(db, holder, month, now_ms)
    numbers = sorted({one.session for one in found.entries if one.session is not None})
    return Shown(holder, found, charged.of_sessions(db, numbers, found.until_ms))


def of_person(db: Readable, person: PersonId, month: str, now_ms: int) -> Statement:
    """A person's wallet in a month.

    Raises:
        NotFound, Invalid: There is no such person; the month is none, or has not begun.
    """
    return of_wallet(db, _need(db, person), month, now_ms)


def need_month(text: str, now: str) -> str:
    """A month that has begun.

    Raises:
        Invalid: It is none, or has not begun.
    """
    month = rules.read_month(text)
    if month is None:
        raise Invalid("month", "Write the month as year-month, such as 2026-11.")
    if month > now:
        raise Invalid("month", "This month has not begun.")
    return month


def of_wallet(db: Readable, holder: Person, month: str, now_ms: int) -> Statement:
    """The same of somebody who was looked up already."""
    site = sites.read(db)
    now = rules.month_of(now_ms, site.zone)
    month = need_month(month, now)
    issued = rows.find(db, holder.wallet, month)
    if issued is not None:
        return _as_issued(db, issued, site, now_ms)
    after_seq, until_seq = bounds(db, holder.wallet, month, site)
    before_minor = balance_at(db, holder.wallet, after_seq)
    entries = rules.entries(before_minor, movements.between(db, holder.wallet, after_seq, until_seq))
    sums = rules.sums(entries)
    _, end_ms = rules.month_bounds(month, site.zone)
    return Statement(
        number=None,
        month=month,
        runs=month == now,
        person=holder.id,
        wallet=holder.wallet,
        names=names_of(db, holder, site),
        issued_at_ms=None,
        until_ms=min(end_ms, now_ms),
        before_minor=before_minor,
        entries=entries,
        sums=sums,
        after_minor=before_minor + sums.total,
        due_at_ms=None,
        state=Settled.NOTHING_DUE,
        paid_since_minor=0,
    )


def bounds(db: Readable, wallet: AccountId, month: str, site: Site) -> tuple[int, int]:
    """After which row of the ledger a month begins, and with which it ends: it goes on where the one before it ended."""
    begin_ms, end_ms = rules.month_bounds(month, site.zone)
    before = rows.find(db, wallet, rules.moved(month, -1))
    after_seq = before.until_seq if before is not None else movements.last_before(db, begin_ms)
    return after_seq, max(after_seq, movements.last_before(db, end_ms))


def balance_at(db: Readable, wallet: AccountId, seq: int) -> int:
    """What was in a wallet after a row of the ledger: back from the next statement that says it, else from now."""
    known = rows.next_after(db, wallet, seq)
    until_seq, balance_minor = known if known is not None else (2**62, ledger.balance(db, wallet).balance_minor)
    return balance_minor - movements.moved_minor(db, wallet, seq, until_seq)


def due_at(after_minor: int, policy: str, settings: Settings, now_ms: int) -> int | None:
    """Until when what is owed is to be paid; None: nothing is, or nobody may owe anything here."""
    owes = after_minor < 0 and policy == Policy.POSTPAID
    return now_ms + settings.statement_due_days * DAY_MS if owes else None


def names_of(db: Readable, holder: Person, site: Site) -> Names:
    """As they are now."""
    settings = settings_of_site.load(db)
    seller = Party(settings.seller_name or site.name, settings.seller_address, settings.seller_tax_number)
    buyer = bills.buyer_of(db, holder.wallet)
    return Names(seller, buyer, holder.name, holder.language, holder.group, holder.policy)


def state_of(db: Readable, issued: Issued, now_ms: int) -> tuple[Settled, int]:
    """Whether it is paid, and what came in since."""
    if issued.due_at_ms is None:
        return Settled.NOTHING_DUE, 0
    paid_minor = max(0, movements.paid_since_minor(db, issued.wallet, issued.until_seq))
    return rules.settled(issued.after_minor, issued.due_at_ms, paid_minor, now_ms), paid_minor


def _as_issued(db: Readable, issued: Issued, site: Site, now_ms: int) -> Statement:
    state, paid_minor = state_of(db, issued, now_ms)
    moved = movements.between(db, issued.wallet, issued.after_seq, issued.until_seq)
    return Statement(
        number=issued.number,
        month=issued.month,
        runs=False,
        person=issued.person,
        wallet=issued.wallet,
        names=issued.names,
        issued_at_ms=issued.issued_at_ms,
        until_ms=rules.month_bounds(issued.month, site.zone)[1],
        before_minor=issued.before_minor,
        entries=rules.entries(issued.before_minor, moved),
        sums=issued.sums,
        after_minor=issued.after_minor,
        due_at_ms=issued.due_at_ms,
        state=state,
        paid_since_minor=paid_minor,
    )


def _need(db: Readable, person: PersonId) -> Person:
    found = people.find(db, person)
    if found is None:
        raise NotFound("There is no such person.")
    return found
