"""The site's name and language, and what the owner may change, in words. Bounds and defaults are in services/settings.py."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators as rows
from appliance.db.engine.unit import Database
from appliance.db.operators import Facts
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.domain.money import Currency, format_amount, parse_amount
from appliance.services import audit, settings
from appliance.services import site as site_service
from appliance.services.settings import BOUNDS, TEXTS, Settings
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import LANGUAGES, N_, _
from appliance.ui.frame.render import FACTS, done, render


@dataclass(frozen=True, slots=True)
class Words:
    """How a setting is called, what it does, and its unit."""

    label: str
    hint: str = ""
    unit: str = ""


GROUPS: dict[str, dict[str, Words]] = {
    N_("Chargers"): {
        "accept_unknown": Words(N_("Unknown chargers may knock"), N_("Off: they are refused with “not found”.")),
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
        "heartbeat_interval_s": Words(N_("Sign of life every"), N_("Chargers are told this when they start."), N_("s")),
        "call_timeout_s": Words(N_("Wait for an answer for"), N_("Then a command counts as unanswered."), N_("s")),
        "start_timeout_s": Words(
            N_("Wait for the car for"), N_("From a start until charging begins; then the money is free again."), N_("s")
        ),
        "offline_after_s": Words(N_("Offline is a problem after"), "", N_("s")),
        "clock_skew_s": Words(N_("A wrong clock is a problem beyond"), "", N_("s")),
    },
    N_("Money and sessions"): {
        "slice_minor": Words(
            N_("Held at a time while somebody charges"), N_("0: as much as ten units of the currency."), "money"
        ),
        "minimum_minor": Words(N_("Least credit to begin with"), "", "money"),
        "second_person_minor": Words(
            N_("Needs a second person above"),
            N_("A larger top-up, refund or correction waits until another manager or the owner agrees. 0: never."),
            "money",
        ),
        "card_deposit_minor": Words(N_("Deposit for a card"), N_("Given back when the card comes back."), "money"),
        "sample_interval_s": Words(
            N_("Chargers measure every"), N_("The last slice is not overrun if this is true."), N_("s")
        ),
        "set_sampling": Words(
            N_("Set chargers so that they measure so often"),
            N_("Read whenever one starts; changed only where it measures less often, or does not tell its meter."),
        ),
        "stop_latency_s": Words(N_("A stop takes up to"), "", N_("s")),
        "parking_max_s": Words(
            N_("Idle time after a session is charged for at most"),
            N_("The charger may not have told when the cable was pulled."),
            N_("s"),
        ),
        "silent_session_s": Words(N_("A session without readings is a problem after"), "", N_("s")),
        "card_hop_s": Words(
            N_("A card at two chargers is a problem within"),
            N_("Nobody is that quick: it may be a copy. 0: never."),
            N_("s"),
        ),
        "session_energy_max_wh": Words(N_("More than this in one session is looked at first"), "", N_("Wh")),
    },
    N_("Log-ins"): {
        "idle_owner_s": Words(
            N_("Owners are logged out after"), N_("So long without opening a page or sending a form."), N_("s")
        ),
        "idle_manager_s": Words(N_("Managers are logged out after"), "", N_("s")),
        "idle_cashier_s": Words(
            N_("Cashiers are logged out after"), N_("What they had typed is kept in their browser."), N_("s")
        ),
        "idle_guard_s": Words(N_("Guards are logged out after"), "", N_("s")),
        "idle_installer_s": Words(N_("Installers are logged out after"), "", N_("s")),
        "idle_viewer_s": Words(
            N_("Viewers are logged out after"),
            N_("0: never. For a board on a wall: log in on that screen, once, as a viewer made for it."),
            N_("s"),
        ),
    },
    N_("This box"): {
        "message_log_days": Words(N_("Keep the message log for"), "", N_("days")),
        "message_log_charger_max_mb": Words(
            N_("Keep messages of one charger up to"), N_("The oldest go first, and only its own."), N_("MB")
        ),
        "message_log_max_mb": Words(
            N_("Keep messages of all chargers up to"), N_("Those who send most give way first."), N_("MB")
        ),
        "sample_days": Words(N_("Keep meter readings for"), N_("Sessions and money are kept for ever."), N_("days")),
        "disk_free_min_mb": Words(N_("Free disk space is a problem below"), "", N_("MB")),
        "backup_age_max_days": Words(N_("A backup is too old after"), "", N_("days")),
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
MONEY = frozenset(name for group in GROUPS.values() for name, words in group.items() if words.unit == "money")


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as the page shows it."""

    name: str
    label: str
    hint: str
    unit: str
    is_switch: bool
    is_text: bool


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """All settings by group."""

    groups: list[tuple[str, list[Entry]]]
    form: Form
    site: Form
    timezone: str


async def show(request: web.Request) -> web.Response:
    """`GET /settings`."""
    return await _page(request)


async def change(request: web.Request) -> web.Response:
    """`POST /settings`: all of them at once; those that differ are stored."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        changed = await console.store.write(_change_all, form, _currency(request), asked_by(request))
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
    language = wanted.text("language") if wanted.text("language") in LANGUAGES else now["language"]
    site_service.rename(db, wanted.text("site_name"), language, by)


def _site_values(facts: Facts) -> dict[str, str]:
    return {"site_name": facts.site_name, "language": facts.site_language}


def _change_all(db: Database, form: Form, currency: Currency, by: By) -> list[str]:
    """A unit: store what was changed in the form, in one go, and put it on record."""
    current = settings.load(db)
    shown = edits.merged(form, _values(current, currency))
    wanted = {name: _text(name, shown, currency) for name in settings.NAMES}
    changed = [name for name, text in wanted.items() if settings.parse(name, text) != getattr(current, name)]
    for name in changed:
        settings.change(db, name, wanted[name])
        audit.record(db, by, "setting.change", f"setting:{name}", value=wanted[name])
    return changed


async def _page(
    request: web.Request, form: Form | None = None, *, site: Form | None = None, status: int = 200
) -> web.Response:
    console = request.app[CONSOLE]
    currency = _currency(request)
    values = _values(await console.store.read(settings.load), currency)
    groups = [
        (_(title), [_entry(name, words, currency) for name, words in group.items()]) for title, group in GROUPS.items()
    ]
    page = SettingsPage(
        groups,
        form or edits.filled(values),
        site or edits.filled(_site_values(request[FACTS])),
        console.site.timezone,
    )
    return render(request, "settings/settings.html", page, status=status)


def _entry(name: str, words: Words, currency: Currency) -> Entry:
    return Entry(
        name=name,
        label=_(words.label),
        hint=_(words.hint),
        unit=currency.code if words.unit == "money" else _(words.unit),
        is_switch=name not in BOUNDS and name not in TEXTS,
        is_text=name in TEXTS,
    )


def _values(current: Settings, currency: Currency) -> dict[str, str]:
    """The settings as the form has them."""
    return {name: _written(name, getattr(current, name), currency) for name in settings.NAMES}


def _written(name: str, value: object, currency: Currency) -> str:
    if name in TEXTS:
        return str(value)
    if name not in BOUNDS:
        return "1" if value else ""
    return format_amount(int(str(value)), currency) if name in MONEY else str(value)


def _text(name: str, form: Form, currency: Currency) -> str:
    """What a field means, as it is stored."""
    if name in TEXTS:
        return form.text(name)
    if name not in BOUNDS:
        return "1" if form.on(name) else "0"
    if name in MONEY:
        return str(parse_amount(form.text(name), currency, field=name))
    return str(form.number(name))


def _currency(request: web.Request) -> Currency:
    site = request.app[CONSOLE].site
    return Currency(site.currency, site.exponent)


PAGE = Page(routes=[web.get("/settings", show), web.post("/settings", change), web.post("/settings/site", change_site)])
