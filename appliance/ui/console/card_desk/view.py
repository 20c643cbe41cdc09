"""What the page of a desk shows, read in one snapshot: the card that lies there or was looked up, with all that its panel
needs. The jobs beside it are in `progress`, routes and live views in `desk`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from appliance.db import tariffs
from appliance.db.cards import cards as card_rows
from appliance.db.cards import limits as limit_rows
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.people import groups as group_rows
from appliance.db.people.groups import Group
from appliance.db.people.people import Person
from appliance.db.wallets import statement
from appliance.db.wallets.statement import Record
from appliance.domain.authorization import Policy
from appliance.domain.cards.content import Origin
from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.cards.tag import Seen
from appliance.domain.desk_job import Advice
from appliance.domain.errors import NotFound
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.money import Currency, format_amount
from appliance.domain.tariff import Tariff
from appliance.services import settings
from appliance.services.card_desk import forms, taps
from appliance.services.card_desk.taps import Described
from appliance.services.cards import cards as card_units
from appliance.services.cards.limits import SoFar
from appliance.ui.console.cards.limits import so_far_of
from appliance.ui.console.wallets import wallets
from appliance.ui.console.wallets.wallets import Buys, MoneyForm
from appliance.ui.forms.forms import Form, read_number
from appliance.ui.frame.context import Console
from appliance.ui.frame.language import N_, _
from appliance.ui.wording.card_desk import advice_sentence, card_number
from appliance.ui.wording.cards import Bound, bounds
from appliance.ui.wording.sessions import POLICIES
from appliance.ui.wording.statement import Row, row_of
from appliance.ui.writing.formats import Formats, formats

RECORDS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address bar asks for instead of the card on the reader."""

    card: CardId | None = None
    person: PersonId | None = None
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """One snapshot about a card, a person, or nobody yet."""

    seen: Seen | None
    described: Described | None
    buys: Buys | None
    cards: list[Card]
    records: list[Record]
    groups: list[Group]
    group_id: int
    tariff: Tariff | None
    deposit_minor: int
    limits: Limits
    """Of the card, where one is shown."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the card that staff should know before they go on."""

    tone: str
    """`failed` or `waiting`, as notes are called."""
    text: str


class PanelMode(StrEnum):
    """Whom the left half of the page is about."""

    LAY = "lay"
    """Nobody is there."""
    CARD = "card"
    """The card has a holder."""
    NEW = "new"
    """It can be given to somebody."""
    UNFIT = "unfit"
    """It can be given to nobody."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The left half of the page."""

    part: str
    """How its elements are called: `desk` is kept true, `chosen` stands still."""
    mode: PanelMode
    at_reader: bool
    seen: Seen | None
    card: Card | None
    number: str
    person: Person | None
    account: Person | None
    """Who pays for them: themselves, or the pool that they are in."""
    low: bool
    cards: list[Card]
    policy: str
    energy_wh: int | None
    standing: str
    """Why the card does not charge; "" if it does."""
    bounds: list[Bound]
    """Those of its limits of which something counts today, or in the session that runs."""
    remarks: list[Remark]
    may_recharge: bool
    overwrite: bool
    """Whether something stands on the card that giving it out would destroy."""
    uid: str
    """Of a card that is given out by its number only."""
    rows: list[Row]
    form: Form
    money: MoneyForm
    groups: list[tuple[int, str]]
    group_id: int
    deposit_minor: int


def read_subject(db: Readable, seen: Seen | None, chosen: Chosen | None, site_key: bytes) -> Subject:
    """The card on the reader; with `chosen`, what was looked up.

    Raises:
        NotFound: There is no such person or card.
    """
    described, card, person = None, None, None
    if chosen is not None and chosen.card is not None:
        card = card_units.need(db, chosen.card)
        if seen is not None and taps.describe(db, seen, site_key).card == card:
            described = taps.describe(db, seen, site_key)
        else:
            described = Described(card.uid, card.kind, True, card, Origin.OURS, Advice.NONE)
            seen = None
        person = card.person_id
    elif chosen is not None:
        seen = forms.by_number(db, chosen.uid) if chosen.uid else seen
        person = chosen.person
        described = taps.describe(db, seen, site_key) if seen is not None else None
        if person is None and described is not None and described.card is not None:
            person = None if card_units.has_come_back(described.card) else described.card.person_id
    elif seen is not None:
        described = taps.describe(db, seen, site_key)
        if described.card is not None and not card_units.has_come_back(described.card) and not described.objection:
            person = described.card.person_id
    buys = wallets.what_it_buys(db, person) if person is not None else None
    groups = group_rows.all_by_name(db)
    return Subject(
        seen=seen,
        described=described,
        buys=buys,
        cards=card_rows.of_person(db, person) if person is not None else [],
        records=statement.of_person(
            db, buys.person.id, buys.person.wallet, is_pool=buys.person.is_pool, limit=RECORDS_SHOWN
        ).shown
        if buys
        else [],
        groups=groups,
        group_id=next((int(group.id) for group in groups if group.policy == Policy.PREPAID), 0),
        tariff=buys.tariff if buys is not None else tariffs.default(db),
        deposit_minor=settings.load(db).card_deposit_minor,
        limits=limit_rows.find(db, described.card.id) if described is not None and described.card else NO_LIMITS,
    )


async def so_far(console: Console, subject: Subject, now_ms: int) -> SoFar | None:
    """What the card has used of its limits; None where there is none, or nothing is counted."""
    card = subject.described.card if subject.described is not None else None
    return await so_far_of(console, card.id, subject.limits, now_ms) if card is not None else None


def panel_of(
    console: Console,
    subject: Subject,
    now_ms: int,
    used: SoFar | None = None,
    *,
    chosen: Chosen | None = None,
    form: Form | None = None,
) -> Panel:
    """The panel out of what was read. With `form`, one that was refused: it stands still, so that it can be read."""
    site = console.site
    fmt = formats(site.currency, site.exponent, site.zone)
    described, buys = subject.described, subject.buys
    mode = mode_of(subject, chosen)
    card = described.card if described is not None and mode is PanelMode.CARD else None
    standing = standing_of(card, buys.person if buys else None, fmt, now_ms) if card is not None else ""
    remarks = remarks_of(subject, mode)
    copied = described is not None and card is not None and subject.seen is not None and not described.ours
    return Panel(
        part="desk" if chosen is None and form is None else "chosen",
        mode=mode,
        at_reader=subject.seen is not None and not (chosen is not None and chosen.uid),
        seen=subject.seen,
        card=card,
        number=card_number(card.number) if card is not None else "",
        person=buys.person if buys is not None else None,
        cards=[one for one in subject.cards if card is None and not card_units.has_come_back(one)],
        account=buys.account if buys is not None else None,
        low=buys is not None and buys.low,
        policy=_(POLICIES[buys.account.policy][0]) if buys is not None else "",
        energy_wh=buys.energy_wh if buys is not None else None,
        standing=standing,
        bounds=[one for one in bounds(subject.limits, {}, fmt, used) if one.used] if card is not None else [],
        remarks=remarks,
        may_recharge=card is not None
        and card.blocked_at_ms is None
        and not copied
        and buys is not None
        and buys.person.closed_at_ms is None,
        overwrite=mode is PanelMode.NEW
        and described is not None
        and described.origin in (Origin.FOREIGN, Origin.COPIED)
        and not (chosen is not None and chosen.uid),
        uid=chosen.uid if chosen is not None else "",
        rows=[row_of(record) for record in subject.records],
        form=form or Form(),
        money=money_of(subject.tariff, console, fmt, form or Form()),
        groups=[(group.id, f"{group.name} · {_(POLICIES[group.policy][0])}") for group in subject.groups],
        group_id=subject.group_id,
        deposit_minor=subject.deposit_minor,
    )


def mode_of(subject: Subject, chosen: Chosen | None) -> PanelMode:
    """Which panel it is."""
    described = subject.described
    if chosen is not None and chosen.card is not None:
        return PanelMode.CARD
    if described is None:
        return PanelMode.NEW if chosen is not None else PanelMode.LAY
    if described.objection:
        return PanelMode.UNFIT
    taken = described.card is not None and not card_units.has_come_back(described.card)
    if taken:
        # Looking for a card to give to somebody, with one on the reader that has a holder already.
        return PanelMode.NEW if chosen is not None and chosen.person is not None else PanelMode.CARD
    seen = subject.seen
    closed = seen is not None and seen.writable and seen.locked and described.origin is Origin.FOREIGN
    return PanelMode.UNFIT if closed else PanelMode.NEW


def remarks_of(subject: Subject, mode: PanelMode) -> list[Remark]:
    """What staff should know of the chip."""
    described, seen = subject.described, subject.seen
    if described is None or seen is None:
        return []
    found = []
    if described.objection:
        return [Remark("failed", advice_sentence(described.objection))]
    if mode is PanelMode.UNFIT:
        return [Remark("failed", advice_sentence(Advice.LOCKED))]
    if mode is PanelMode.CARD and not described.ours:
        found.append(Remark("failed", _(COPIED)))
    elif mode is PanelMode.NEW and described.card is not None and not card_units.has_come_back(described.card):
        found.append(Remark("waiting", advice_sentence(Advice.TAKEN)))
    elif mode is PanelMode.NEW and described.origin is Origin.COPIED:
        found.append(Remark("failed", advice_sentence(Advice.COPIED)))
    elif mode is PanelMode.NEW and described.origin is Origin.FOREIGN:
        found.append(Remark("waiting", _(FOREIGN)))
    if mode is PanelMode.NEW and seen.genuine is False:
        found.append(Remark("waiting", _(NOT_GENUINE)))
    if mode is PanelMode.NEW and not seen.writable:
        found.append(Remark("waiting", advice_sentence(Advice.NOT_WRITABLE)))
    return found


def standing_of(card: Card, person: Person | None, fmt: Formats, now_ms: int) -> str:
    """Why a card does not charge; "" if it does."""
    if card.replaced_by is not None:
        return _("Replaced by another card: it charges nowhere.")
    if card.blocked_at_ms is not None:
        return _("Blocked {when}: it charges nowhere.").format(when=fmt.when(card.blocked_at_ms, now_ms))
    if person is not None and person.closed_at_ms is not None:
        return _("The account of {name} is closed: the card charges nowhere.").format(name=person.name)
    if card.expires_at_ms is not None and card.expires_at_ms <= now_ms:
        return _("Expired: it charges nowhere.")
    return ""


def money_of(tariff: Tariff | None, console: Console, fmt: Formats, form: Form) -> MoneyForm:
    """The pieces of a form that takes money in. Its key stands outside, where nothing is replaced while somebody types."""
    currency = Currency(console.site.currency, console.site.exponent)
    amounts = wallets.presets(tariff, currency)
    choices = [(format_amount(amount, currency), fmt.money_short(amount)) for amount in amounts]
    return MoneyForm(form, "", choices, wallets.method_choices())


def need_number(text: str) -> int:
    """A number out of the address bar.

    Raises:
        NotFound: It is none.
    """
    number = read_number(text)
    if number is None:
        raise NotFound(N_("There is no such card."))
    return number


COPIED = N_(
    "This is a copy: the chip has the number of this card, but not what we wrote on it. Block the card and give its holder"
    " another."
)
FOREIGN = N_("Something else is written on this card. Giving it out writes over it.")
NOT_GENUINE = N_("The chip is not its maker's own. Cheap copies break sooner: better take another card.")
