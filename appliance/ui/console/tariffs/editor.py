"""The editor of a tariff: any of its forms, beside it the week and what some sessions would cost, all of it true while it is typed.

Every button but Save sends the form and gets it back; scripts (static/tariffs.js) exchange what follows from the fields without
that, by the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from aiohttp import web

from appliance.db.tariffs import TariffRow
from appliance.domain.errors import Conflict, Invalid, Refusal
from appliance.domain.money import format_amount
from appliance.domain.pricing.flat import terms_of
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.idempotency import KeyReused
from appliance.ui.api.ocpi_tariffs import write_in_ocpi
from appliance.ui.console.tariffs import drafts, flat_form, line_form, storing, tries, views, week
from appliance.ui.console.tariffs.drafts import Draft
from appliance.ui.console.tariffs.patterns import LINES, ONE, PATTERNS, Pattern, as_lines, begun
from appliance.ui.console.tariffs.tries import Example, Try
from appliance.ui.console.tariffs.views import Facts, OneTariff, TariffView
from appliance.ui.console.tariffs.week import Week
from appliance.ui.console.wallets.wallets import currency_of, new_key
from appliance.ui.forms import edits
from appliance.ui.forms.edits import SHOWN, Changed
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.forms.way_back import THEN, then_of
from appliance.ui.frame import kept
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import N_, _, ngettext, spoken
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.wording import price_lines, site_week
from appliance.ui.wording.price_lines import Said
from appliance.ui.writing.formats import LOCALES, Formats, day_names, sentences

FIELDS_MAX = 2500
"""Fifty lines with all that can be asked of each."""
ADDED = (
    ("energy:kwh", N_("Energy")),
    ("charging_time:minute", N_("Charging time")),
    ("duration:minute", N_("Time at the charger")),
    ("idle_time:minute", N_("Idle fee")),
    ("flat:once", N_("Per session")),
    ("reservation:minute", N_("Reservation")),
)
"""What a line can be added for, and its button."""
KINDS = {
    "energy:kwh": N_("energy, per kWh"),
    "charging_time:minute": N_("charging, per minute"),
    "charging_time:hour": N_("charging, per hour"),
    "idle_time:minute": N_("standing after charging, per minute"),
    "idle_time:hour": N_("standing after charging, per hour"),
    "duration:minute": N_("all the time at the charger, per minute"),
    "duration:hour": N_("all the time at the charger, per hour"),
    "flat:once": N_("each session, once"),
    "reservation:minute": N_("keeping the place, per minute"),
    "reservation:hour": N_("keeping the place, per hour"),
    "reservation:once": N_("keeping the place, once"),
}
"""What a line charges for, as it is chosen."""


@dataclass(frozen=True, slots=True)
class LineView:
    """A line in the form."""

    place: int
    said: Said | None
    """None: it cannot be read yet."""
    band: str
    letter: str
    is_now: bool
    is_open: bool
    asks: bool
    """Whether it asks for more than hours and days."""
    doubt: str
    groups: list[tuple[int, str]]

    @property
    def name(self) -> str:
        """For buttons: which line they move."""
        return str(self.said) if self.said else _("line {place}").format(place=self.place + 1)


@dataclass(frozen=True, slots=True)
class Side:
    """What follows from the fields."""

    week: Week | None
    tries: list[Try]
    unread: str
    """Which lines are not in it yet."""


@dataclass(frozen=True, slots=True)
class EditorPage:
    """One tariff, or the form for a new one."""

    shown: TariffView | None
    form: Form
    pattern: Pattern
    patterns: Sequence[Pattern]
    """Empty for what exists."""
    lines: list[LineView]
    taxes: int
    draft: Draft
    side: Side
    before: list[TariffRow]
    follows: TariffRow | None
    places: list[tuple[str, str, int]]
    running: int
    """How many sessions charge by it now."""
    days: list[tuple[int, str]]
    """Of the week, as it begins here: number and short name."""
    long_days: list[str]
    kinds: list[tuple[str, str]]
    added: list[tuple[str, str]]
    methods: list[tuple[str, str]]
    no_file: str
    """Why it cannot be a file; "" where it can."""
    imported: bool = False


async def show_new(request: web.Request) -> web.Response:
    """`GET /tariffs/new`."""
    facts = await request.app[CONSOLE].store.read(views.read_all)
    typed = kept.typed_for(request)
    form = Form(typed) if typed is not None else _begun(request, request.query.get("pattern", ONE))
    return _page(request, None, facts, form)


async def show(request: web.Request) -> web.Response:
    """`GET /tariffs/{tariff}`; `?as=lines` opens one price line by line."""
    found = await request.app[CONSOLE].store.read(views.read_one, number_of(request, "tariff"))
    typed = kept.typed_for(request)
    lines = found.row.tariff.terms is not None or request.query.get("as") == LINES
    form = Form(typed) if typed is not None else _form_of(request, found.row.tariff, lines=lines)
    return _page(request, found, found.facts, form)


async def add(request: web.Request) -> web.Response:
    """`POST /tariffs/new`; every button but Save only answers with the form."""
    console, form = request.app[CONSOLE], await read_form(request, FIELDS_MAX)
    facts = await console.store.read(views.read_all)
    if form.text("do"):
        return _answered(request, None, facts, form)
    draft = drafts.read(form, _pattern(form, None).key, currency_of(request))
    try:
        from_ms = storing.valid_from_of(form, console.site.zone, console.clock())
        if not draft.whole or draft.tariff is None:
            return _page(request, None, facts, form, draft, status=422)
        await console.store.write(storing.add_once, draft.tariff, asked_by(request), from_ms, form.text("key"))
    except Refusal as refusal:
        again = Form({**form.values, "key": new_key()}) if isinstance(refusal, KeyReused) else form
        return _page(request, None, facts, again.refused(refusal), status=refusal.status)
    return done(
        request, then_of(request, form) or "/tariffs", _("The tariff {name} is there.").format(name=draft.tariff.name)
    )


async def change(request: web.Request) -> web.Response:
    """`POST /tariffs/{tariff}`: a new version takes its place, at once or when its day comes."""
    console, form = request.app[CONSOLE], await read_form(request, FIELDS_MAX)
    number = await console.store.read(tariffs.newest_version, number_of(request, "tariff"))
    if number is None:
        return await _taken_out(request, form)
    found = await console.store.read(views.read_one, number)
    if form.text("do"):
        return _answered(request, found, found.facts, form)
    currency, by = currency_of(request), asked_by(request)
    draft = drafts.read(form, _pattern(form, found.row.tariff).key, currency)
    try:
        from_ms = storing.valid_from_of(form, console.site.zone, console.clock())
        if not draft.whole or draft.tariff is None:
            return _page(request, found, found.facts, form, draft, status=422)
        if draft.tariff.terms is None:
            await console.store.write(storing.change_flat, number, form, currency, by, from_ms)
        else:
            typed = Form({**storing.values_of(draft.tariff), SHOWN: form.value(SHOWN)})
            await console.store.write(storing.change_lines, number, typed, by, from_ms)
    except Changed as changed:
        flat = _pattern(form, found.row.tariff).key == ONE
        again = edits.again(changed) if flat else _both(request, form, changed, found.facts)
        return _page(request, found, found.facts, again, status=changed.status)
    except Refusal as refusal:
        return _page(request, found, found.facts, form.refused(refusal), status=refusal.status)
    if from_ms is None:
        return done(request, "/tariffs", _("The new prices hold for sessions that begin from now on."))
    fmt = formats_of(request)
    when = f"{fmt.day(from_ms)}, {fmt.time(from_ms)}"
    return done(request, "/tariffs", _("The new prices hold for sessions that begin from {when} on.").format(when=when))


def page_of_import(request: web.Request, facts: Facts, form: Form) -> web.Response:
    """The editor with what a file says; nothing is stored yet."""
    return _page(request, None, facts, Form({**form.values, "pattern": LINES, "key": new_key()}), imported=True)


def _begun(request: web.Request, pattern: str) -> Form:
    form = begun(PATTERNS.get(pattern, PATTERNS[ONE]), "", with_prices=request.app[CONSOLE].site.currency == "BDT")
    values = {**form.values, THEN: then_of(request), "key": new_key()}
    if pattern == LINES:
        values = dict(line_form.done(Form(values), "line:energy:kwh").values)
    return Form(values)


def _form_of(request: web.Request, tariff: Tariff, *, lines: bool) -> Form:
    """The form of a tariff that exists, with what it shows."""
    currency = currency_of(request)
    if not lines:
        return edits.filled(flat_form.form_of(tariff, currency).values)
    shown = edits.filled(storing.values_of(tariff)).value(SHOWN)
    values = line_form.form_of(tariff.name, terms_of(tariff), currency).values
    return Form({**values, SHOWN: shown, "pattern": LINES})


def _answered(request: web.Request, found: OneTariff | None, facts: Facts, form: Form) -> web.Response:
    """The page after one of the form's buttons. Whoever asks what it comes to is told what cannot be read, too."""
    tariff = found.row.tariff if found else None
    after = _after(request, form, tariff)
    draft = (
        drafts.read(after, _pattern(after, tariff).key, currency_of(request)) if form.text("do") == "preview" else None
    )
    return _page(request, found, facts, after, draft, opened=_opens(form))


def _after(request: web.Request, form: Form, tariff: Tariff | None) -> Form:
    """The form after one of its buttons."""
    action = form.text("do")
    values = {name: value for name, value in form.values.items() if name != "do"}
    form = Form(values)
    if action.startswith("pattern:") and tariff is None:
        fresh = _begun(request, action.partition(":")[2]).values
        typed = {name: value for name, value in values.items() if value and name != "pattern"}
        return Form({**fresh, **typed})
    if action == "lines":
        return _line_by_line(request, form, tariff)
    return line_form.done(form, action) if _pattern(form, tariff).key == LINES else form


def _line_by_line(request: web.Request, form: Form, tariff: Tariff | None) -> Form:
    """What was typed into a form of a few fields, as lines; what cannot be read is said first."""
    pattern, currency = _pattern(form, tariff), currency_of(request)
    draft = drafts.read(form, pattern.key, currency)
    if pattern.key in (ONE, LINES):
        if draft.tariff is None or pattern.key == LINES:
            return draft.form
        lines = line_form.form_of(form.value("name"), terms_of(draft.tariff), currency)
    else:
        lines = as_lines(form, pattern)[0]
    kept_too = {name: value for name, value in form.values.items() if name in ("from_day", "from_clock", THEN, "key")}
    shown = {} if tariff is None else {SHOWN: edits.filled(storing.values_of(tariff)).value(SHOWN)}
    return Form({**kept_too, **lines.values, **shown, "pattern": LINES})


def _pattern(form: Form, tariff: Tariff | None) -> Pattern:
    usual = LINES if tariff is not None and tariff.terms is not None else ONE
    found = PATTERNS.get(form.text("pattern"), PATTERNS[usual])
    return found if tariff is None or found.key in (ONE, LINES) else PATTERNS[usual]


def _opens(form: Form) -> int | None:
    """The line that a button has added, or moved."""
    kind, _colon, what = form.text("do").partition(":")
    if kind in ("line", "rest"):
        return line_form.count_of(form, "l")
    return 0 if kind == "first" and what else None


async def _taken_out(request: web.Request, form: Form) -> web.Response:
    """What was typed for a tariff that went out of use meanwhile: it can be a new one."""
    refusal = Conflict(
        N_("Somebody has taken this tariff out of use in the meantime."), N_("Save it as a new tariff, or leave it.")
    )
    facts = await request.app[CONSOLE].store.read(views.read_all)
    values = {name: value for name, value in form.values.items() if name not in (SHOWN, "do")}
    return _page(request, None, facts, Form({**values, "key": new_key()}).refused(refusal), status=refusal.status)


def _both(request: web.Request, form: Form, changed: Changed, facts: Facts) -> Form:
    """The form of lines after somebody else has changed the same: what was typed, beside it what stands now, and all else as it stands."""
    fmt, currency, merged = formats_of(request), currency_of(request), storing.tariff_of(changed.form.values)
    theirs = terms_of(storing.tariff_of(changed.now))
    lines = "; ".join(map(str, price_lines.sentences(theirs, fmt, facts.names)))
    words = {
        "lines": {changed.now["lines"]: f"{lines} ({price_lines.taxes_and_limits(theirs, fmt)})"},
        **{name: {changed.now[name]: format_amount(int(changed.now[name]), currency)} for name in ("minimum", "maximum") if changed.now[name]},
        "gaps_are_free": {"1": _("ticked")},
    }  # fmt: skip
    told = edits.again(changed, words)
    values = dict(form.values)
    fresh = line_form.form_of(merged.name, terms_of(merged), currency).values
    of_lines = {name for name in values if line_form.NAME.fullmatch(name)} | {"tax_included"}
    for name in fresh.keys() | values.keys():
        belongs_to = "lines" if name in of_lines or line_form.NAME.fullmatch(name) else name
        if belongs_to in changed.now and belongs_to not in changed.fields:
            values[name] = fresh.get(name, "")
    return replace(Form({**values, SHOWN: told.value(SHOWN)}), errors=told.errors)


def _page(
    request: web.Request, found: OneTariff | None, facts: Facts, form: Form, draft: Draft | None = None, *,
    status: int = 200, opened: int | None = None, imported: bool = False,
) -> web.Response:  # fmt: skip
    """The page around a form; only what was sent to be stored has its errors told."""
    console, fmt, tariff = request.app[CONSOLE], formats_of(request), found.row.tariff if found else None
    pattern = _pattern(form, tariff)
    if draft is None:
        draft = drafts.read(replace(form, errors={}), pattern.key, currency_of(request))
    else:
        form = replace(form, errors={**draft.form.errors, **form.errors})
    own = tries.own_of(form)
    form = replace(form, values={**tries.own_values(own), **form.values})
    now_ms = console.clock()
    local = datetime.fromtimestamp(now_ms / 1000, fmt.zone)
    side = _side(draft, tariff, own, (local.date(), local.hour * 60 + local.minute), facts, fmt)
    shown = views.view(found.row, facts, fmt) if found else None
    page = EditorPage(
        shown=shown,
        form=form,
        pattern=pattern,
        patterns=() if found else tuple(PATTERNS.values()),
        lines=_lines(form, draft, side.week, opened, facts, fmt) if pattern.key == LINES else [],
        taxes=line_form.count_of(form, "t"),
        draft=draft,
        side=side,
        before=found.before if found else [],
        follows=found.follows if found else None,
        places=found.places if found else [],
        running=found.running if found else 0,
        days=[(day, day_names(spoken())[day - 1]) for day in site_week.days_in_order(fmt.zone)],
        long_days=[LOCALES[spoken()].days["format"]["wide"][day] for day in range(7)],
        kinds=[(kind, _(word)) for kind, word in KINDS.items()],
        added=[(kind, _(word)) for kind, word in ADDED],
        methods=[(method, _(price_lines.METHODS[method])) for method in line_form.METHODS],
        no_file=_no_file(found.row.tariff, console.site.exponent) if found else "",
        imported=imported,
    )
    return render(request, "tariffs/tariff.html", page, status=status)


def _no_file(tariff: Tariff, exponent: int) -> str:
    try:
        write_in_ocpi(terms_of(tariff), exponent)
    except Invalid as refusal:
        return sentences(refusal)[0]
    return ""


def _side(draft: Draft, before: Tariff | None, own: Example, now: tuple[date, int], facts: Facts, fmt: Formats) -> Side:
    """The week in which the prices begin to hold, where that is another than this one."""
    around = now[0]
    if begins := storing.day_typed(draft.form):
        around = max(around, date.fromisoformat(begins))
    unread = ""
    if draft.unread:
        numbers = ", ".join(fmt.number(place + 1) for place in draft.unread)
        unread = ngettext(
            "Line {lines} is not finished, and not counted yet.",
            "Lines {lines} are not finished, and not counted yet.",
            len(draft.unread),
        ).format(lines=numbers)
    if draft.tariff is None:
        return Side(None, [], unread)
    return Side(
        week.week_of(terms_of(draft.tariff), around, now, fmt, facts.names, facts.holidays),
        tries.tried([*tries.EXAMPLES, own], draft.tariff, before, week.first_of_week(around, fmt), fmt, facts.holidays),
        unread,
    )


def _lines(
    form: Form, draft: Draft, shown: Week | None, opened: int | None, facts: Facts, fmt: Formats
) -> list[LineView]:
    terms = draft.tariff.terms if draft.tariff is not None else None
    at = {place: number for number, place in enumerate(draft.places)}
    colours = week.bands(terms.lines) if terms is not None else {}
    is_now = {key.letter for key in shown.keys if key.is_now} if shown is not None else set()
    doubts = {doubt.line: doubt.sentence for doubt in draft.doubts if doubt.line is not None}
    found = []
    for place in range(line_form.count_of(form, "l")):
        said = price_lines.sentence(terms, at[place], fmt, facts.names) if terms is not None and place in at else None
        band, letter = colours.get(at.get(place, -1), ("", ""))
        prefix = f"l{place}-"
        wrong = any(name.startswith(prefix) for name in form.errors)
        asked = frozenset(
            int(name.removeprefix(f"{prefix}g-"))
            for name in form.values
            if name.startswith(f"{prefix}g-") and name.removeprefix(f"{prefix}g-").isdecimal()
        )
        found.append(
            LineView(
                place, said, band, letter, bool(letter) and letter in is_now, wrong or place == opened or said is None,
                any(form.text(prefix + name) for name in line_form.ASKED) or bool(asked), doubts.get(place, ""),
                views.group_boxes(facts.groups, asked),
            )
        )  # fmt: skip
    return found


PAGE = Page(
    routes=[
        web.get("/tariffs/new", show_new),
        web.post("/tariffs/new", add),
        web.get("/tariffs/{tariff}", show),
        web.post("/tariffs/{tariff}", change),
    ]
)
