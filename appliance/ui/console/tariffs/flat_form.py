"""The simple form: one price for a kWh, for a minute, for a session, for standing on; one tax on top."""

from __future__ import annotations

from typing import Any

from appliance.domain.errors import Invalid
from appliance.domain.money import Currency, format_price, parse_amount, parse_price
from appliance.domain.tariff import IDLE_GRACE_S_MAX, IN_MINOR, PRICE_MILLI_MAX, TAX_BASIS_POINTS_MAX, Tariff
from appliance.services import tariffs
from appliance.ui.forms.forms import Form
from appliance.ui.frame.language import N_

PERCENT = Currency("%", 2)
"""Hundredths of a percent are read like an amount with two decimals."""


def read_tariff(form: Form, currency: Currency) -> Tariff:
    """The prices of a form; an empty field costs nothing.

    Raises:
        Invalid: One cannot be read; `field` says which.
    """
    milli: dict[str, Any] = {of: read_price(form, field, currency) for of, field in IN_MINOR.items()}
    minutes = form.number("idle_grace_min") if form.text("idle_grace_min") else 0
    if not 0 <= minutes <= IDLE_GRACE_S_MAX // 60:
        raise Invalid("idle_grace_min", N_("Between {least} and {most}."), least=0, most=IDLE_GRACE_S_MAX // 60)
    tax = read_percent(form, "tax_percent")
    return tariffs.check(Tariff(0, form.text("name"), **milli, idle_grace_s=minutes * 60, tax_basis_points=tax))


def read_price(form: Form, field: str, currency: Currency) -> int:
    """Thousandths of a minor unit; nothing typed is 0.

    Raises:
        Invalid: It is no price, or too large for one.
    """
    milli = parse_price(form.text(field), currency, field=field) if form.text(field) else 0
    if milli > PRICE_MILLI_MAX:
        raise Invalid(field, N_("Enter a price of zero or more. This one is negative or too large."))
    return milli


def read_percent(form: Form, field: str) -> int:
    """Hundredths of a percent; nothing typed is 0.

    Raises:
        Invalid: It is no share of a price.
    """
    share = parse_amount(form.text(field), PERCENT, field=field) if form.text(field) else 0
    if share > TAX_BASIS_POINTS_MAX:
        raise Invalid(field, N_("Between {least} and {most}."), least=0, most=100)
    return share


def percent_text(basis_points: int) -> str:
    """As it is read again."""
    return format_price(basis_points * 1000, PERCENT)


def form_of(tariff: Tariff, currency: Currency) -> Form:
    """The form that this tariff would come from; what costs nothing stays empty."""
    values = {"name": tariff.name}
    for of, field in IN_MINOR.items():
        milli = getattr(tariff, of)
        values[field] = format_price(milli, currency) if milli else ""
    values["tax_percent"] = percent_text(tariff.tax_basis_points) if tariff.tax_basis_points else ""
    values["idle_grace_min"] = str(tariff.idle_grace_s // 60) if tariff.idle_grace_s else ""
    return Form(values)
