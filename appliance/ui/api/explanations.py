"""How the amount of a session came about, for programs: exact quantities, amounts before and after rounding, readings."""

from __future__ import annotations

from appliance.domain.explanation import Explained, ExplainedLine
from appliance.domain.identifiers import SessionId
from appliance.domain.pricing.flat import terms_of
from appliance.domain.pricing.lines import BY_TIME, Dimension, Terms, Unit
from appliance.domain.pricing.parts import Part
from appliance.domain.pricing.reckoning import MAXIMUM, MINIMUM
from appliance.domain.session import KINDS
from appliance.services.sessions import explaining
from appliance.services.sessions.explaining import Explanation, ReadingRow, Stands
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import Answer, Body, Call, Operation, at
from appliance.ui.api.shapes import (
    CURRENCY,
    choice,
    flag,
    moment,
    money,
    number,
    or_null,
    percent,
    record,
    several,
    thing,
    whole,
    words,
)
from appliance.ui.wording import price_lines
from appliance.ui.writing.formats import formats

WH = whole("Wh.")
EXACT = words("Exactly, as a fraction in lowest terms: `9500`, `28499/3`.")
DIMENSIONS = {kind: str(dimension) for dimension, kind in KINDS.items()}
UNITS = {Unit.KWH: "Wh", Unit.MINUTE: "s", Unit.HOUR: "s", Unit.ONCE: "times"}
MS = 1000
PART = thing(
    **{"from": moment(), "to": moment()},
    from_wh=whole("Of the session's energy by then, cut off to whole Wh."), to_wh=whole(), quantity=EXACT,
)  # fmt: skip
LINES = several(
    thing(
        line=or_null(whole("Which line of the tariff, from 1; null: the difference to its minimum or maximum.")),
        dimension=choice(*Dimension, MINIMUM, MAXIMUM),
        sentence=words("Its price, and when it holds."),
        price_minor=or_null(number("Of the line, in minor units, …")),
        per=or_null(choice(*Unit, description="… for this.")),
        unit=choice("Wh", "s", "times", description="Of the quantity."),
        quantity=EXACT,
        exact_minor=words("Before it was rounded, half to even, once."),
        amount_minor=money("With tax where `tax_included`."),
        parts=several(PART) | {"description": "What it priced without a break; their quantities sum up to its own."},
    )
)
TAXES = several(
    thing(
        code=words('"" where the tariff has but one.'),
        percent=percent("Of it."),
        on_minor=money("The lines that have it."),
        exact_minor=words("Before it was rounded, once."),
        limit_share_minor=money("Its share of the difference to a minimum or maximum."),
        tax_minor=money(),
    )
)
BILL = {
    "lines": LINES,
    "taxes": TAXES,
    "tax_included": flag(),
    "net_minor": money(),
    "tax_minor": money(),
    "total_minor": money(),
}
EXPLANATION = record(
    "Explanation",
    session_id=whole(),
    stands=choice(*Stands),
    tariff_id=or_null(whole()),
    currency=CURRENCY,
    **{"from": or_null(moment()), "to": or_null(moment())},
    energy_wh=WH,
    duration_s=whole(),
    idle_s=whole(),
    **BILL,
    shown_minor=money("What is shown, or was booked: the same."),
    readings=several(
        thing(
            at=moment(),
            register_wh=or_null(whole("What the meter showed.")),
            interval_wh=or_null(whole("What was taken in an interval, where that is told instead.")),
            energy_wh=whole("The session's by then."),
        )
    ),
    offered=several(whole("Of one in review: the energies that it may be billed for.")),
    before=several(
        thing(
            replaced_at=moment(),
            by=words(),
            energy_wh=WH,
            duration_s=whole(),
            idle_s=whole(),
            fee_minor=money(),
            **BILL,
        )
    )
    | {"description": "The bills that credit notes took back, the first one first."},
)


async def explain(call: Call) -> Answer:
    """`GET /sessions/{id}/explanation`."""
    number = SessionId(call.number())
    found = await call.console.store.read(explaining.explain, number, call.now_ms, call.query.get("energy_wh"))
    return Answer(as_json(call, found))


def as_json(call: Call, found: Explanation) -> Body:
    """As JSON."""
    began = found.session.started_at_ms is not None
    return {
        "session_id": found.session.id,
        "stands": found.stands,
        "tariff_id": found.session.tariff_id,
        "currency": call.currency,
        "from": at(found.begun_ms) if began else None,
        "to": at(found.until_ms) if began else None,
        "energy_wh": found.usage.energy_wh,
        "duration_s": found.usage.duration_s,
        "idle_s": found.usage.idle_s,
        **_bill(call, found, found.explained),
        "shown_minor": found.told_minor,
        "readings": [_reading(one) for one in found.readings],
        "offered": [one.figure.usage.energy_wh for one in found.offered],
        "before": [
            {
                "bill": one.paper.number,
                "credit_note": one.paper.corrected_by,
                "billed_at": at(one.paper.at_ms),
                "energy_wh": one.usage.energy_wh,
                "duration_s": one.usage.duration_s,
                "idle_s": one.usage.idle_s,
                **_bill(call, found, one.explained),
            }
            for one in found.before
        ],
    }


def _bill(call: Call, found: Explanation, explained: Explained) -> Body:
    return {
        "lines": [_line(call, found, one) for one in explained.lines],
        "taxes": [
            {
                "code": one.code,
                "percent": one.basis_points / 100,
                "on_minor": one.on_minor,
                "exact_minor": str(one.exact_minor),
                "limit_share_minor": one.limit_share_minor,
                "tax_minor": one.tax_minor,
            }
            for one in explained.taxes
        ],
        "tax_included": explained.tax_included,
        "net_minor": explained.net_minor,
        "tax_minor": explained.tax_minor,
        "total_minor": explained.total_minor,
    }


def _line(call: Call, found: Explanation, one: ExplainedLine) -> Body:
    tariff, by = found.session.tariff, MS if one.unit in BY_TIME else 1
    place = None
    if one.unit is not None and tariff is not None:
        lines, dimension = terms_of(tariff).lines, DIMENSIONS[one.kind]
        place = (
            one.line
            if one.line is not None
            else next(at for at, line in enumerate(lines) if line.dimension == dimension)
        )
    return {
        "line": None if place is None else place + 1,
        "dimension": DIMENSIONS[one.kind],
        "sentence": "" if place is None or tariff is None else _sentence(call, terms_of(tariff), place),
        "price_minor": None if one.unit is None else one.price_milli / 1000,
        "per": one.unit,
        "unit": "times" if one.unit is None else UNITS[one.unit],
        "quantity": str(one.quantity / by),
        "exact_minor": str(one.exact_minor),
        "amount_minor": one.amount_minor,
        "parts": [_part(part, by) for part in one.parts],
    }


def _sentence(call: Call, terms: Terms, place: int) -> str:
    """As pages say it."""
    site = call.console.site
    fmt = formats(site.currency, site.exponent, site.zone)
    return str(price_lines.sentence(terms, place, fmt))


def _part(one: Part, by: int) -> Body:
    return {
        "from": at(one.from_ms),
        "to": at(one.to_ms),
        "from_wh": one.from_wh,
        "to_wh": one.to_wh,
        "quantity": str(one.quantity / by),
    }


def _reading(one: ReadingRow) -> Body:
    return {
        "at": at(one.at_ms),
        "register_wh": one.register_wh,
        "interval_wh": one.interval_wh,
        "energy_wh": one.energy_wh,
    }


OPERATIONS = (
    Operation(
        "GET", "/sessions/{id}/explanation", "How its amount came about: readings × lines, rounding, taxes", explain, EXPLANATION,
        query=(Parameter("energy_wh", whole("Which of the `figures` of one in review is meant.", least=0, most=10**13)),),
    ),
)  # fmt: skip
