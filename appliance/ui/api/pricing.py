"""`POST /tariffs/{id}/price`: what a session that is described would cost, by the function that makes a bill."""

from __future__ import annotations

from dataclasses import replace

from appliance.db import holidays, tariffs
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.pricing.flat import DIMENSION_OF, TAX, terms_of, usage_of
from appliance.domain.pricing.lines import Charged, Dimension, Period, PriceLine, Terms, Unit, Usage
from appliance.domain.pricing.reckoning import MAXIMUM, MINIMUM, Priced, price
from appliance.domain.session import bill_for
from appliance.domain.tariff import Line, Tariff
from appliance.domain.units import INTEGER_MAX
from appliance.ui.api.checks import moment_of
from appliance.ui.api.operations import Answer, Body, Call, Operation
from appliance.ui.api.shapes import (
    CURRENCY,
    choice,
    flag,
    form,
    moment,
    money,
    number,
    or_null,
    record,
    several,
    whole,
    words,
)

DAY_MS = 86_400_000
SESSION_MS_MAX = 31 * DAY_MS
PERIODS_MAX = 2000
"""A reading a minute for more than a day; a body has no room for many more."""
PERIOD = form(
    "SessionPeriod", ("until",), until=moment("The period begins where the one before ends."),
    energy_wh=whole("Taken in this period, evenly.", least=0, most=INTEGER_MAX),
    charging=or_null(flag("False: the car is full and still connected. Null: paused, which costs by duration alone.")),
    power_w=or_null(whole("If not given, what energy and time make of it.", least=0, most=INTEGER_MAX)),
)  # fmt: skip
SESSION_TO_PRICE = form(
    "SessionToPrice", ("started_at", "periods"), started_at=moment(),
    periods=several(PERIOD.schema) | {"maxItems": PERIODS_MAX},
    reserved_from=moment("The place was kept for it from then until the start."), method=choice("prepaid", "postpaid"), group_id=whole(least=1),
    ended_at=moment("If it is later than the last period, nothing is known of that time: it costs by duration alone."),
)  # fmt: skip
CHARGED = record(
    "ChargedLine",
    line=or_null(whole("Which line of the tariff, from 1; null: the difference to its minimum or maximum.")),
    dimension=choice(*Dimension, MINIMUM, MAXIMUM),
    quantity=number("Of what is charged for."),
    unit=choice("Wh", "s", "times", description="Of the quantity."),
    price_minor=or_null(number("Of the line, in minor units, …")),
    per=or_null(choice(*Unit, description="… for this.")),
    amount_minor=money(),
)
TAXED = record("ChargedTax", code=words(), percent=number("Of the amounts that have it."), tax_minor=money())
BILL = record(
    "PricedSession",
    lines=several(CHARGED.reference),
    taxes=several(TAXED.reference),
    net_minor=money(),
    tax_minor=money(),
    total_minor=money("With tax."),
    currency=CURRENCY,
)
UNITS = {Dimension.ENERGY: "Wh", Dimension.FLAT: "times"}
"""Of quantities; all others are times."""


async def price_session(call: Call) -> Answer:
    """`POST /tariffs/{id}/price`; of archived tariffs, too, because old sessions have them."""
    found = await call.console.store.read(tariffs.find, call.number())
    if found is None:
        raise NotFound("There is no such tariff.")
    session = replace(session_of(call.body), holidays=await call.console.store.read(holidays.days_now))
    if found.terms is not None:
        return Answer(priced_by_lines(price(session, found.terms, call.console.site.zone), found.terms, call.currency))
    bill = bill_for(usage_of(session, found), found)
    taxes = [{"code": TAX, "percent": found.tax_basis_points / 100, "tax_minor": bill.tax_minor}]
    body = {
        "lines": [as_json(line, found) for line in bill.lines],
        "taxes": taxes if found.tax_basis_points and bill.lines else [],
        "net_minor": bill.net_minor,
        "tax_minor": bill.tax_minor,
        "total_minor": bill.total_minor,
        "currency": call.currency,
    }
    return Answer(body)


def session_of(body: Body) -> Usage:
    """The session of a request.

    Raises:
        Invalid: A time cannot be read, or lies before the one that it follows.
    """
    started_ms = before_ms = moment_of("started_at", body["started_at"])
    periods = []
    for place, period in enumerate(body["periods"]):
        name = f"periods.{place}.until"
        before_ms = _not_before(name, moment_of(name, period["until"]), before_ms)
        periods.append(
            Period(before_ms, int(period.get("energy_wh", 0)), period.get("charging", True), period.get("power_w"))
        )
    if "ended_at" in body:
        ended_ms = _not_before("ended_at", moment_of("ended_at", body["ended_at"]), before_ms)
        if ended_ms > before_ms:
            periods.append(Period(ended_ms, charging=None))
    ends_ms = periods[-1].until_ms if periods else started_ms
    if ends_ms - started_ms > SESSION_MS_MAX:
        raise Invalid("ended_at", "A session lasts {most} days at most.", most=SESSION_MS_MAX // DAY_MS)
    reserved_ms = moment_of("reserved_from", body["reserved_from"]) if "reserved_from" in body else None
    if reserved_ms is not None and not started_ms - SESSION_MS_MAX <= reserved_ms <= started_ms:
        raise Invalid("reserved_from", "The time {name} must lie before the start.", name="reserved_from")
    return Usage(started_ms, tuple(periods), reserved_ms, method=body.get("method"), group=body.get("group_id"))


def priced_by_lines(bill: Priced, terms: Terms, currency: str) -> Body:
    """A bill by the lines of a tariff."""
    return {
        "lines": [_charged(one, terms) for one in bill.lines],
        "taxes": [
            {"code": tax.code, "percent": tax.basis_points / 100, "tax_minor": tax.tax_minor} for tax in bill.taxes
        ],
        "net_minor": bill.net_minor,
        "tax_minor": bill.tax_minor,
        "total_minor": bill.total_minor,
        "currency": currency,
    }


def _charged(one: Charged, terms: Terms) -> Body:
    parts, of = one.quantity
    unit = UNITS.get(Dimension(one.kind), "s") if one.line is not None else "times"
    line = None if one.line is None else terms.lines[one.line]
    if line is not None and line.unit is Unit.ONCE:
        unit = "times"
    return {
        "line": None if one.line is None else one.line + 1,
        "dimension": str(one.kind),
        "quantity": _rounded(parts, of * (1000 if unit == "s" else 1)),
        "unit": unit,
        "price_minor": None if line is None else line.price_milli / 1000,
        "per": None if line is None else line.unit,
        "amount_minor": one.amount_minor,
    }


def _rounded(parts: int, of: int) -> int | float:
    """A quantity as people read it; the amount is that of the exact one."""
    return parts // of if parts % of == 0 else round(parts / of, 6)


def as_json(line: Line, tariff: Tariff) -> Body:
    """A line of a bill, with the price that made it."""
    dimension = DIMENSION_OF[line.kind]
    place, priced = _of(dimension, tariff)
    return {
        "line": place + 1,
        "dimension": dimension,
        "quantity": line.quantity,
        "unit": UNITS.get(dimension, "s"),
        "price_minor": priced.price_milli / 1000,
        "per": priced.unit,
        "amount_minor": line.amount_minor,
    }


def _of(dimension: Dimension, tariff: Tariff) -> tuple[int, PriceLine]:
    return next(one for one in enumerate(terms_of(tariff).lines) if one[1].dimension is dimension)


def _not_before(name: str, at_ms: int, before_ms: int) -> int:
    if at_ms < before_ms:
        raise Invalid(name, "The time {name} lies before the one that it follows.", name=name)
    return at_ms


OPERATIONS = (
    Operation(
        "POST", "/tariffs/{id}/price", "What a session would cost by it", price_session, BILL, takes=SESSION_TO_PRICE,
        parts=(CHARGED, TAXED),
    ),
)  # fmt: skip
