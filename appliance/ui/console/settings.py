"""The site's name and language, and what the owner may change, in words. Bounds and defaults are in services/settings.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from appliance.db import operators as rows
from appliance.db.engine.unit import Database
from appliance.db.operators import Facts
from appliance.domain.by import By
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.money import Currency, format_amount, parse_amount
from appliance.domain.roles import Role
from appliance.domain.words import has_all
from appliance.services import settings
from appliance.services import site as site_service
from appliance.services.settings import BOUNDS, OWNERS_OWN, TEXTS, Settings
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE, Page, asked_by, principal
from appliance.ui.frame.language import LANGUAGES, N_, _
from appliance.ui.frame.render import FACTS, done, formats_of, render
from appliance.ui.writing.durations import read_duration, write_duration
from appliance.ui.writing.formats import Formats


class Kind(StrEnum):
    """How a setting is written; what is stored is a number of the unit that its name ends on."""

    SWITCH = "switch"
    NUMBER = "number"
    DURATION = "duration"
    ENERGY = "energy"
    MONEY = "money"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Words:
    """How a setting is called, what it does, and the unit of a plain number."""

    label: str
    hint: str
    unit: str = ""


GROUPS: dict[str, dict[str, Words]] = {
    N_("Chargers"): {
        "accept_unknown": Words(
            N_("Unknown chargers may ask for approval"), N_("Off: they are refused with “not found”.")
        ),
        "assume_ocpp16": Words(
            N_("Take chargers that name no protocol for OCPP 1.6"), N_("Some old ones forget to say what they speak.")
        ),
        "upgrade_always": Words(
            N_("Connect chargers that speak no version known here, and hang up"),
            N_("Off: they are refused at once, as certification wants it. Some old ones understand only this."),
        ),
        "messages_per_s": Words(
            N_("Messages a charger may send"), N_("The rest waits, nothing is lost. 0: any number."), N_("a second")
        ),
        "heartbeat_interval_s": Words(N_("Sign of life every"), N_("Chargers are told this when they start.")),
        "call_timeout_s": Words(N_("Wait for an answer for"), N_("Then a command counts as unanswered.")),
        "sample_interval_s": Words(N_("Chargers measure every"), N_("The last slice is not overrun if this is true.")),
        "set_sampling": Words(
            N_("Set chargers so that they measure so often"),
            N_("Read whenever one starts; changed only where it measures less often, or does not tell its meter."),
        ),
        "stop_latency_s": Words(
            N_("A stop takes up to"), N_("So long before the money is used up a prepaid session is told to stop.")
        ),
    },
    N_("Sessions"): {
        "start_timeout_s": Words(
            N_("Wait for the car for"), N_("From a start until charging begins; then the money is free again.")
        ),
        "parking_max_s": Words(
            N_("Idle time after a session is charged for at most"),
            N_("The charger may not have told when the cable was pulled."),
        ),
        "session_energy_max_wh": Words(
            N_("More than this in one session is looked at first"), N_("Until somebody has decided, it is not billed.")
        ),
        "power_max_kw": Words(
            N_("The greatest power of a charger here"),
            N_("A meter that rises faster is not believed. 0: not known, and 400 kW counts."),
            N_("kW"),
        ),
    },
    N_("Money"): {
        "slice_minor": Words(
            N_("Held at a time while somebody charges"), N_("0: as much as ten units of the currency.")
        ),
        "minimum_minor": Words(
            N_("Least credit to begin with"), N_("With less in the wallet a prepaid session does not begin.")
        ),
        "low_balance_minor": Words(
            N_("Call people below"),
            N_(
                "Who pays beforehand and has less is told so, and is on the list of those to call. 0: never; a group may have its own."
            ),
        ),
        "second_person_minor": Words(
            N_("Needs a second person above"),
            N_(
                "More than this in one wallet within a day, by one person, waits until another manager or the owner agrees. 0: never."
            ),
        ),
        "old_card_max_minor": Words(
            N_("Most that the balance of one old card may bring"),
            N_("Of cards of an earlier system at this site, which are taken over at the desk. 0: none are."),
        ),
        "old_card_layout": Words(
            N_("Where an old card has its balance"),
            N_(
                "Of MIFARE Classic: block=8 key=A form=value unit=1. The form is value (a value block), little or big (a plain number, with offset and length); unit is what one of it is worth in the smallest coin. The key is entered under Cards, Old cards."
            ),
        ),
        "refund_cashier_minor": Words(
            N_("Cashiers refund alone up to"),
            N_("To one person within a day. Above it a manager is asked to agree. 0: always."),
        ),
        "cash_needs_shift": Words(
            N_("Cash only with an open shift"), N_("Off: what is taken without one lies in the safe, not in a drawer.")
        ),
        "guards_take_cash": Words(
            N_("Guards take cash"),
            N_("Each has a drawer in a shift, and tops up at the till. Off: guards take no money."),
        ),
        "hide_drawer": Words(
            N_("Hide from cashiers what must be in the drawer"),
            N_("They count, and managers see what was over or short."),
        ),
        "card_deposit_minor": Words(N_("Deposit for a card"), N_("Given back when the card comes back.")),
    },
    N_("Holidays"): {
        "country": Words(N_("Country"), N_("Two letters such as BD: whose holidays are copied.")),
        "subdivision": Words(N_("Part of the country"), N_("Where its parts have holidays of their own: BY, MH.")),
    },
    N_("Bills and statements"): {
        "seller_name": Words(
            N_("Who sells the energy"), N_("The name on bills and statements. Empty: the name of the site.")
        ),
        "seller_address": Words(N_("Address of the seller"), N_("In one line, as it is printed.")),
        "seller_tax_number": Words(
            N_("Tax number of the seller"), N_("BIN, GSTIN, VAT number: as the tax office writes it.")
        ),
        "buyer_from_minor": Words(
            N_("The buyer must be named above"),
            N_("A bill over more has a place for name, address and tax number of the buyer. 0: never."),
        ),
        "statement_due_days": Words(
            N_("Statements are to be paid within"), N_("For who pays later. After that they are overdue."), N_("days")
        ),
        "bill_copies": Words(N_("Copies of a bill"), N_("Some laws want two: one for the buyer, one to be kept.")),
    },
    N_("Receipt printer"): {
        "printer": Words(
            N_("Printer for receipts"),
            N_(
                "Its address in the site's network such as 192.168.7.20, or the device it is at: /dev/usb/lp0. It must understand ESC/POS, as nearly all do. Empty: the browser prints."
            ),
        ),
        "printer_narrow": Words(N_("Its paper is 58 mm wide"), N_("Off: 80 mm.")),
        "printer_cuts": Words(N_("It cuts the paper"), N_("Off: it feeds as far as paper is torn off.")),
        "printer_drawer": Words(
            N_("It opens the cash drawer"),
            N_(
                "When cash was just taken or paid out and the receipt is printed. The drawer is plugged into the printer."
            ),
        ),
    },
    N_("When something is a problem"): {
        "drawer_off_minor": Words(
            N_("A drawer that is over or short is a problem from"), N_("Counted at the end of a shift. 0: never.")
        ),
        "offline_after_s": Words(N_("Offline is a problem after"), N_("Shorter breaks are told to nobody.")),
        "clock_skew_s": Words(
            N_("A wrong clock is a problem beyond"), N_("So far may the clock of a charger be from this box's.")
        ),
        "silent_session_s": Words(
            N_("A session without readings is a problem after"),
            N_("Its charger has told nothing of its meter for so long."),
        ),
        "card_hop_s": Words(
            N_("A card at two chargers is a problem within"), N_("Nobody is that quick: it may be a copy. 0: never.")
        ),
        "disk_free_min_mb": Words(
            N_("Free disk space is a problem below"), N_("Sessions and money need room for every day."), N_("MB")
        ),
        "backup_age_max_days": Words(
            N_("A backup is too old after"), N_("Counted from the last one that was made."), N_("days")
        ),
    },
    N_("Log-ins"): {
        "idle_owner_s": Words(
            N_("Owners are logged out after"), N_("So long without opening a page or sending a form.")
        ),
        "idle_manager_s": Words(
            N_("Managers are logged out after"), N_("So long without opening a page or sending a form.")
        ),
        "idle_cashier_s": Words(
            N_("Cashiers are logged out after"), N_("What they had typed is kept in their browser.")
        ),
        "idle_guard_s": Words(
            N_("Guards are logged out after"), N_("So long without opening a page or sending a form.")
        ),
        "idle_installer_s": Words(
            N_("Installers are logged out after"), N_("So long without opening a page or sending a form.")
        ),
        "idle_viewer_s": Words(
            N_("Viewers are logged out after"),
            N_("0: never. For a board on a wall: log in on that screen, once, as a viewer made for it."),
        ),
    },
    N_("What is kept"): {
        "message_log_days": Words(
            N_("Keep the message log for"), N_("What chargers and this box have said to each other."), N_("days")
        ),
        "message_log_charger_max_mb": Words(
            N_("Keep messages of one charger up to"), N_("The oldest go first, and only its own."), N_("MB")
        ),
        "message_log_max_mb": Words(
            N_("Keep messages of all chargers up to"), N_("Those who send most give way first."), N_("MB")
        ),
        "sample_days": Words(N_("Keep meter readings for"), N_("Sessions and money are kept for ever."), N_("days")),
    },
    N_("Network"): {
        "host_names": Words(
            N_("Further names of this box"),
            N_("Names and addresses under which browsers may open these pages, with commas. Its own are known."),
        ),
        "trusted_proxies": Words(
            N_("Trusted proxies"),
            N_(
                "Addresses of reverse proxies in front of this box, with commas: only they are believed when they say who asks."
            ),
        ),
    },
}
"""All settings, in the order of the page."""
DEFAULTS = Settings()
KINDS = {"s": Kind.DURATION, "wh": Kind.ENERGY, "minor": Kind.MONEY}
"""By what the name of a number ends on."""
RATES = frozenset({"messages_per_s"})
"""Numbers whose names end as if they were lengths of time."""
KWH = Currency("kWh", 3)
"""Energies are typed as amounts are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as the page shows it."""

    name: str
    label: str
    hint: str
    default: str
    unit: str
    kind: Kind
    is_fixed: bool = False
    """Whether who reads the page may not change it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How who reads the page writes figures."""

    language: str
    fmt: Formats
    currency: Currency
    is_owner: bool


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """All settings by group, or those that were searched for."""

    text: str
    """What was searched for."""
    groups: list[tuple[str, list[Entry]]]
    form: Form
    site: Form
    timezone: str
    may_change: bool
    """Whether who reads the page changes any of those that are shown."""
    has_printer: bool
    """Whether a test can be printed: one is set up, and is among those that are shown."""


async def show(request: web.Request) -> web.Response:
    """`GET /settings?q=`."""
    return await _page(request)


async def change(request: web.Request) -> web.Response:
    """`POST /settings`: all of them at once; those that differ are stored."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        changed = await console.store.write(_change_all, form, _reader(request), asked_by(request))
    except Changed as conflict:
        return await _page(request, edits.again(conflict), status=conflict.status)
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), status=refusal.status)
    return done(request, "/settings", _("Stored.") if changed else _("Nothing was different."))


async def change_site(request: web.Request) -> web.Response:
    """`POST /settings/site`: the name and the language."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        await console.store.write(_change_site, form, asked_by(request))
    except Changed as changed:
        return await _page(request, site=edits.again(changed, {"language": LANGUAGES}), status=changed.status)
    except Refusal as refusal:
        return await _page(request, site=form.refused(refusal), status=refusal.status)
    return done(request, "/settings", _("Stored."))


def _change_site(db: Database, form: Form, by: By) -> None:
    """A unit: what was changed in the form, and nothing else."""
    now = _site_values(rows.facts(db))
    wanted = edits.merged(form, now)
    tongue = wanted.text("language") if wanted.text("language") in LANGUAGES else now["language"]
    site_service.rename(db, wanted.text("site_name"), tongue, by)


def _site_values(facts: Facts) -> dict[str, str]:
    return {"site_name": facts.site_name, "language": facts.site_language}


def _change_all(db: Database, form: Form, reader: Reader, by: By) -> list[str]:
    """A unit: store what was changed in the form, in one go, and put it on record."""
    # Units run where no request is: what stands now is written as the form was.
    language.speak(reader.language)
    current = settings.load(db)
    shown = edits.merged(form, _values(current, reader))
    wanted = {name: _text(name, shown, reader) for name in settings.NAMES}
    changed = [name for name, text in wanted.items() if settings.parse(name, text) != getattr(current, name)]
    for name in changed:
        settings.change_by(db, name, wanted[name], by)
    return changed


async def _page(
    request: web.Request, form: Form | None = None, *, site: Form | None = None, status: int = 200
) -> web.Response:
    console, reader = request.app[CONSOLE], _reader(request)
    text = request.query.get("q", "").strip()[:100]
    groups = [(_(title), _entries(_(title), group, text, reader)) for title, group in GROUPS.items()]
    values = _values(await console.store.read(settings.load), reader)
    asked_for = {one.name for _title, entries in groups for one in entries}
    page = SettingsPage(
        text,
        [(title, entries) for title, entries in groups if entries],
        form or edits.filled({name: value for name, value in values.items() if name in asked_for}),
        site or edits.filled(_site_values(request[FACTS])),
        console.site.timezone,
        any(not one.is_fixed for _title, entries in groups for one in entries),
        bool(console.settings().printer) and "printer" in asked_for,
    )
    return render(request, "settings/settings.html", page, status=status)


def _entries(title: str, group: dict[str, Words], text: str, reader: Reader) -> list[Entry]:
    """The settings of a group of which title, label, hint or name has all words of `text`."""
    entries = [_entry(name, words, reader) for name, words in group.items()]
    return [one for one in entries if has_all(f"{title} {one.label} {one.hint} {one.name}", text)]


def _entry(name: str, words: Words, reader: Reader) -> Entry:
    kind = kind_of(name)
    units = {Kind.MONEY: reader.currency.code, Kind.ENERGY: KWH.code, Kind.NUMBER: _(words.unit)}
    default = in_words(name, getattr(DEFAULTS, name), reader.fmt)
    is_fixed = name in OWNERS_OWN and not reader.is_owner
    return Entry(name, _(words.label), _(words.hint), default, units.get(kind, ""), kind, is_fixed)


def in_words(name: str, value: int | bool | str, fmt: Formats) -> str:
    """What a setting is, as people read it."""
    match kind_of(name):
        case Kind.TEXT:
            return str(value) or _("none")
        case Kind.SWITCH:
            return _("on") if value else _("off")
        case Kind.MONEY:
            return fmt.money(int(value))
        case Kind.DURATION:
            return write_duration(int(value), fmt)
        case Kind.ENERGY:
            return f"{fmt.energy(int(value))} kWh"
        case Kind.NUMBER:
            unit = next(group[name].unit for group in GROUPS.values() if name in group)
            return f"{fmt.number(int(value))} {_(unit) if unit else ''}".strip()


def kind_of(name: str) -> Kind:
    """How a setting is written."""
    if name in TEXTS:
        return Kind.TEXT
    if name not in BOUNDS:
        return Kind.SWITCH
    if name in RATES:
        return Kind.NUMBER
    return KINDS.get(name.rpartition("_")[2], Kind.NUMBER)


def _values(current: Settings, reader: Reader) -> dict[str, str]:
    """The settings as the form has them."""
    return {name: _written(name, getattr(current, name), reader) for name in settings.NAMES}


def _written(name: str, value: int | bool | str, reader: Reader) -> str:
    match kind_of(name):
        case Kind.TEXT:
            return str(value)
        case Kind.SWITCH:
            return "1" if value else ""
        case Kind.DURATION:
            return write_duration(int(value), reader.fmt)
        case Kind.ENERGY:
            return format_amount(int(value), KWH).rstrip("0").rstrip(".")
        case Kind.MONEY:
            return format_amount(int(value), reader.currency)
        case Kind.NUMBER:
            return str(value)


def _text(name: str, form: Form, reader: Reader) -> str:
    """What a field means, as it is stored.

    Raises:
        Invalid: It cannot be read, or is out of bounds; these are said as the field is written.
    """
    kind = kind_of(name)
    if kind == Kind.TEXT:
        return form.text(name)
    if kind == Kind.SWITCH:
        return "1" if form.on(name) else "0"
    if kind == Kind.DURATION:
        value = read_duration(form.text(name), name)
    elif kind == Kind.ENERGY:
        value = parse_amount(form.text(name), KWH, field=name)
    elif kind == Kind.MONEY:
        value = parse_amount(form.text(name), reader.currency, field=name)
    else:
        value = form.number(name)
    least, most = BOUNDS[name]
    if not least <= value <= most:
        bounds = (_written(name, bound, reader) for bound in (least, most))
        raise Invalid(name, N_("Between {least} and {most}."), least=next(bounds), most=next(bounds))
    return str(value)


def _reader(request: web.Request) -> Reader:
    site = request.app[CONSOLE].site
    is_owner = principal(request).role == Role.OWNER
    return Reader(language.spoken(), formats_of(request), Currency(site.currency, site.exponent), is_owner)


PAGE = Page(routes=[web.get("/settings", show), web.post("/settings", change), web.post("/settings/site", change_site)])
