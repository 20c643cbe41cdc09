"""What stands in the editor: read as far as it can be, with what contradicts itself in it and the ways out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from appliance.domain.errors import Invalid
from appliance.domain.money import Currency
from appliance.domain.pricing.checks import check
from appliance.domain.pricing.coverage import TooManyCases, gaps, never_applies
from appliance.domain.pricing.lines import Dimension, Terms, Unit
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.ui.console.tariffs import line_form
from appliance.ui.console.tariffs.flat_form import read_tariff
from appliance.ui.console.tariffs.patterns import LINES, ONE, PATTERNS, as_lines
from appliance.ui.forms.forms import Form
from appliance.ui.frame.language import N_
from appliance.ui.writing.formats import sentences

OF_SEVERAL = re.compile(r"lines(\.[0-9]+)?")
"""The field of what the domain refuses of lines that make sense one by one."""

UNNAMED = "–"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that cannot be meant: what it is, and what each button would do about it."""

    sentence: str
    ways: Sequence[tuple[str, str]]
    """What the button sends, and its words."""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A form of the editor, read."""

    form: Form
    """With its errors."""
    tariff: Tariff | None
    """As far as it can be read, for the week and the examples; None: nothing of it can."""
    whole: bool
    """Whether all of it was read, and can be stored if nothing is in doubt."""
    doubts: list[Doubt] = field(default_factory=list)
    unread: tuple[int, ...] = ()
    """Lines that cannot be read yet, by their place."""
    places: tuple[int, ...] = ()
    """Where in the form each line of the tariff stands."""


def read(form: Form, pattern: str, currency: Currency) -> Draft:
    """Whatever was typed; nothing is refused but told beside its field."""
    if pattern == ONE:
        return _read_flat(form, currency)
    if pattern == LINES:
        return _read_lines(form, currency)
    lines, came_from = as_lines(form, PATTERNS[pattern])
    draft = _read_lines(lines, currency)
    errors = {
        came_from.get(name, name if name in form.values else ""): text for name, text in draft.form.errors.items()
    }
    said = " ".join(doubt.sentence for doubt in draft.doubts)
    found = replace(form, errors={**errors, **({"": said} if said else {})})
    return replace(draft, form=found, doubts=[], whole=draft.whole and not said)


def _read_flat(form: Form, currency: Currency) -> Draft:
    """What has no name yet has prices all the same."""
    named = {**form.values, "name": form.text("name") or UNNAMED}
    try:
        tariff = read_tariff(replace(form, values=named), currency)
    except Invalid as refusal:
        return Draft(form.refused(refusal), None, whole=False)
    try:
        return Draft(form, read_tariff(form, currency), whole=True)
    except Invalid as refusal:
        return Draft(form.refused(refusal), tariff, whole=False)


def _read_lines(form: Form, currency: Currency) -> Draft:
    found = line_form.read(form, currency)
    errors, places = dict(found.errors), tuple(found.lines)
    unread = tuple(place for place in range(line_form.count_of(form, "l")) if place not in found.lines)
    name, doubts = form.text("name"), []
    if not unread:
        try:
            name = tariffs.check(Tariff(0, name, terms=check(found.terms))).name
        except Invalid as refusal:
            doubts = doubts_about(found.terms) if OF_SEVERAL.fullmatch(refusal.field) else []
            if not doubts:
                errors[line_form.refused_at(refusal.field)] = " ".join(filter(None, sentences(refusal)))
    tariff = Tariff(0, name, terms=found.terms) if found.lines else None
    read_form = replace(form, errors=errors)
    return Draft(read_form, tariff, not errors and not doubts, doubts, unread, places)


def doubts_about(terms: Terms) -> list[Doubt]:
    """Lines that never apply, and hours without a price. Each line must make sense by itself."""
    try:
        return [*_never(terms), *_gaps(terms)]
    except TooManyCases:
        return []  # The check of the domain says it in its own words.


def _never(terms: Terms) -> list[Doubt]:
    found = []
    for dimension, once in {(line.dimension, line.unit is Unit.ONCE): None for line in terms.lines}:
        kind = [
            place
            for place, line in enumerate(terms.lines)
            if (line.dimension, line.unit is Unit.ONCE) == (dimension, once)
        ]
        at = never_applies([terms.lines[place] for place in kind])
        if at is not None:
            sentence = Invalid(
                "", N_("Line {line} never applies: the lines before it price all that it would."), line=kind[at] + 1
            )
            ways = [(f"first:{kind[at]}", N_("Move it to the top")), (f"remove:{kind[at]}", N_("Remove it"))]
            found.append(Doubt(sentences(sentence)[0], ways, kind[at]))
    return found


def _gaps(terms: Terms) -> list[Doubt]:
    energy = [line for line in terms.lines if line.dimension is Dimension.ENERGY]
    if not energy or terms.gaps_are_free:
        return []
    hours, never = gaps(energy)
    if not hours:
        return []
    message = (
        N_("No line prices energy at these hours: {hours}.")
        if never
        else N_("At these hours no line prices energy in every case: {hours}.")
    )
    ways = [("rest", N_("Give them a price…")), ("free", N_("Free is meant"))]
    return [Doubt(sentences(Invalid("", message, hours=hours))[0], ways)]
