"""Tariffs of OCPI as lines of ours, and back."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.domain.errors import Invalid
from appliance.domain.pricing.checks import check
from appliance.domain.pricing.lines import Conditions, PriceLine, Tax, Terms, Unit
from appliance.domain.pricing.reckoning import price
from appliance.ui.api.checks import validator
from appliance.ui.api.ocpi_tariffs import OCPI_TARIFF, RESTRICTIONS, left_out, name_of, read_from_ocpi, write_in_ocpi
from tests.support.price_lines import line, terms
from tests.support.random_tariffs import ZONES, random_terms, random_usage

EXPONENT = 2
WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
VALID = validator(OCPI_TARIFF.schema)


def tariff(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "12", "currency": "EUR", "elements": list(elements), **more}


def element(*components: tuple[Any, ...], **restrictions: Any) -> dict[str, Any]:
    """Components are (type, price, vat, step_size); a vat of None is left out."""
    priced = []
    for kind, amount, vat, *step in components:
        shares = {} if vat is None else {"vat": vat}
        priced.append({"type": kind, "price": amount, **shares, "step_size": step[0] if step else 1})
    return {"price_components": priced} | ({"restrictions": restrictions} if restrictions else {})


def refusal(found: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        read_from_ocpi(found, EXPONENT)
    return caught.value.field, str(caught.value)


START_AND_ENERGY = element(("FLAT", 0.50, 20.0), ("ENERGY", 0.25, 10.0))
LINES = (line("flat", 50, "VAT 20"), line("energy", 25, "VAT 10"))
BOTH = {"VAT 10": 10, "VAT 20": 20}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (tariff(element(("ENERGY", 0.25, 10.0))), terms(line("energy", 25, "VAT 10"), taxes={"VAT 10": 10})),
        (tariff(START_AND_ENERGY), terms(*LINES, taxes=BOTH)),
        (tariff(element(("TIME", 1.90, 5.2))), terms(line("charging_time", 190, "VAT 5.2", unit="hour"), taxes={"VAT 5.2": "5.2"})),
        (tariff(element(("FLAT", 0.0, None, 0))), terms(line("flat", 0))),
        (tariff(element(("ENERGY", 0.25, 0.0))), terms(line("energy", 25, "VAT 0"), taxes={"VAT 0": 0})),
        (
            tariff(START_AND_ENERGY, max_price={"excl_vat": 10.00, "incl_vat": 11.00}),
            terms(*LINES, taxes=BOTH, maximum_minor=1100),
        ),
        (
            tariff(element(("ENERGY", 0.25, 10.0)), min_price={"excl_vat": 0.50, "incl_vat": 0.55}),
            terms(line("energy", 25, "VAT 10"), taxes={"VAT 10": 10}, minimum_minor=55),
        ),
        (
            tariff(element(("ENERGY", 0.25, 10.0)), min_price={"before_taxes": 0.50, "after_taxes": 0.55}, tax_included="NO"),
            terms(line("energy", 25, "VAT 10"), taxes={"VAT 10": 10}, minimum_minor=55),
        ),
        (tariff(element(("ENERGY", 0.25, None)), min_price={"excl_vat": 0.50}), terms(line("energy", 25), minimum_minor=50)),
        (
            tariff(
                element(("FLAT", 2.00, 20.0), ("TIME", 5.00, 20.0), reservation="RESERVATION"), START_AND_ENERGY,
            ),
            terms(
                line("reservation", 200, "VAT 20", unit="once"), line("reservation", 500, "VAT 20", unit="hour"), *LINES, taxes=BOTH,
            ),
        ),
        (
            tariff(
                element(("PARKING_TIME", 5.00, 10.0), start_time="09:00", end_time="18:00", day_of_week=WEEKDAYS),
                element(("PARKING_TIME", 6.00, 10.0), start_time="20:00", end_time="00:00", day_of_week=["SATURDAY"]),
            ),
            terms(
                line("idle_time", 500, "VAT 10", unit="hour", from_time="09:00", to_time="18:00", weekdays=range(1, 6)),
                line("idle_time", 600, "VAT 10", unit="hour", from_time="20:00", to_time="24:00", weekdays=[6]),
                taxes={"VAT 10": 10},
            ),
        ),
        (
            tariff(element(("ENERGY", 0.20, None), max_power=16.0), element(("ENERGY", 0.35, None), min_power=3.7, max_kwh=12.5), element(("ENERGY", 0.5, None))),
            terms(line("energy", 20, to_w=16_000), line("energy", 35, from_w=3_700, to_wh=12_500), line("energy", 50)),
        ),
        (
            tariff(element(("ENERGY", 0.00, None, 500), max_duration=1800), element(("ENERGY", 0.25, None), min_duration=1800)),
            terms(line("energy", 0, to_minutes=30), line("energy", 25, from_minutes=30)),
        ),
        (
            tariff(element(("ENERGY", 0.25, None), start_date="2026-06-01", end_date="2026-09-01")),
            terms(line("energy", 25, from_date="2026-06-01", to_date="2026-09-01"), gaps_are_free=True),
        ),
        (tariff(element(("TIME", 2.10, None)), tax_included="YES"), terms(line("charging_time", 210, unit="hour"), tax_included=True)),
    ],
)  # fmt: skip
def test_tariff_of_ocpi_is_read(found: dict[str, Any], expected: Terms) -> None:
    assert list(VALID(found)) == []
    assert read_from_ocpi(found, EXPONENT) == expected


@pytest.mark.parametrize(
    ("found", "field", "said"),
    [
        (tariff(element(("ENERGY", 0.25, 10.0, 100))), "elements.0.price_components.0.step_size", "elements.0.price_components.0 can change a total"),
        (tariff(element(("FLAT", 1, None, 900), ("TIME", 2.00, 10.0, 60))), "elements.0.price_components.1.step_size", "step_size of elements.0.price_components.1"),
        (tariff(START_AND_ENERGY, element(("PARKING_TIME", 2.00, 20.0, 900))), "elements.1.price_components.0.step_size", "nothing is rounded up"),
        (tariff(START_AND_ENERGY, min_price={"excl_vat": 0.50}), "min_price.excl_vat", "min_price has a limit before tax"),
        (tariff(START_AND_ENERGY, min_price={"excl_vat": 0.50, "incl_vat": 0.55}), "min_price.excl_vat", "min_price has a limit before tax"),
        (tariff(START_AND_ENERGY, max_price={"excl_vat": 9.99, "incl_vat": 11.00}), "max_price.excl_vat", "max_price has a limit before tax"),
        (tariff(START_AND_ENERGY, max_price={"excl_vat": 10.00}), "max_price.excl_vat", "max_price has a limit before tax"),
        (tariff(START_AND_ENERGY, max_price={"before_taxes": 9.00, "after_taxes": 11.00}, tax_included="NO"), "max_price.excl_vat", "max_price has"),
        (tariff(START_AND_ENERGY, max_price={}), "max_price.excl_vat", "max_price has"),
        (tariff(element(("TIME", 1, None), max_current=32.0)), "elements.0.restrictions.max_current", "cannot depend on the current"),
        (tariff(element(("FLAT", 4, 20.0), reservation="RESERVATION_EXPIRES")), "elements.0", "nobody came for"),
        (tariff(element(("ENERGY", 4, 20.0), reservation="RESERVATION")), "elements.0.price_components.0.type", "A reservation has no price by energy"),
        (tariff(element(("ENERGY", 1, None), start_time="22:00", end_time="06:00", day_of_week=["FRIDAY"]), element(("ENERGY", 2, None))), "elements.0.restrictions.day_of_week", "over midnight"),
        (tariff(element(("ENERGY", 1, None), start_time="7:00")), "elements.0.restrictions.start_time", "must be a time of day"),
        (tariff(element(("ENERGY", 1, None), start_time="25:00")), "elements.0.restrictions.start_time", "must be a time of day"),
        (tariff(element(("ENERGY", 1, None), start_date="2026-13-01")), "elements.0.price_components.0", "A day in line 1 is none"),
        (tariff(element(("ENERGY", 1, None), max_kwh=0.0005)), "elements.0.restrictions.max_kwh", "at most 3 decimals"),
        (tariff(element(("ENERGY", 0.1234567, None))), "elements.0.price_components.0.price", "at most 5 decimals"),
        (tariff(element(("ENERGY", 0.1, 19.005))), "elements.0.price_components.0.vat", "at most 2 decimals"),
        (tariff(element(("ENERGY", 1, None)), element(("FLAT", 1, None), ("ENERGY", 2, None))), "elements.1.price_components.1", "Line 3 never applies"),
        (tariff(element(("ENERGY", 1, None)), end_date_time="2027-01-01T00:00:00Z"), "end_date_time", "has no end"),
        (tariff(), "elements", "no price component"),
    ],
)  # fmt: skip
def test_what_lines_cannot_say_is_refused_by_name(found: dict[str, Any], field: str, said: str) -> None:
    assert list(VALID(found)) == []
    path, message = refusal(found)
    assert path == field
    assert said in message


@pytest.mark.parametrize(
    "found", [tariff(element(("ENERGY", 1, None)), surprise=1), tariff(element(("ENERGY", 1, None), min_soc=5))]
)
def test_what_nobody_knows_is_refused_and_not_left_out(found: dict[str, Any]) -> None:
    assert [error.kind.name for error in VALID(found)] == ["additionalProperties"]


def test_name_is_the_first_text_and_what_says_nothing_about_a_price_is_named() -> None:
    texts = [{"language": "en", "text": "By night"}, {"language": "nl", "text": "’s nachts"}]
    found = tariff(
        START_AND_ENERGY, tariff_alt_text=texts, type="REGULAR", tariff_alt_url="https://a.example", party_id="ALL"
    )
    assert name_of(found) == "By night"
    assert name_of(tariff(START_AND_ENERGY)) == "12"
    assert left_out(found) == ["party_id", "type", "tariff_alt_url", "tariff_alt_text.1"]
    assert left_out(tariff(START_AND_ENERGY)) == []


@pytest.mark.parametrize(
    ("unsayable", "said"),
    [
        (terms(line("energy", 5, "a"), taxes={"a": 5}, tax_included=True), "its prices are without tax"),
        (terms(line("energy", 5, "a", "b"), taxes={"a": 5, "b": 6}), "it has one tax at most"),
        (terms(line("energy", 5, "a"), line("flat", 5, "b"), taxes={"a": 5, "b": 5}), "two taxes with the same percentage"),
        (terms(line("duration", 5)), "not of both together"),
        (terms(line("idle_time", 5, from_idle_minutes=5)), "how long a car has been idle"),
        (terms(line("duration", 5, holidays=True)), "not of both together"),
        (terms(line("energy", 5, holidays=False), gaps_are_free=True), "it does not know holidays"),
        (terms(line("energy", 5, methods=["cash"])), "groups and ways of paying"),
        (terms(line("energy", 5, groups=[1])), "groups and ways of paying"),
        (terms(line("energy", 5, from_time="22:00", to_time="06:00", weekdays=[5])), "over midnight"),
    ],
)  # fmt: skip
def test_line_that_ocpi_cannot_say_is_named(unsayable: Terms, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        write_in_ocpi(replace(unsayable, lines=(line("flat", 1), *unsayable.lines)), EXPONENT)
    assert caught.value.field == "lines.1"
    assert str(caught.value).startswith("OCPI 2.2.1 cannot say line 2: ")
    assert said in str(caught.value)


def test_limits_are_written_so_that_those_before_tax_do_not_bind() -> None:
    taxed = terms(line("energy", 25, "vat"), taxes={"vat": 10}, minimum_minor=55, maximum_minor=1100)
    written = write_in_ocpi(taxed, EXPONENT)
    assert (written["min_price"], written["max_price"]) == (
        {"excl_vat": 0, "incl_vat": 0.55},
        {"excl_vat": 11, "incl_vat": 11},
    )
    untaxed = write_in_ocpi(terms(line("energy", 25), minimum_minor=55), EXPONENT)
    assert untaxed["min_price"] == {"excl_vat": 0.55, "incl_vat": 0.55}


def sayable(found: Terms) -> Terms:
    """As much of it as OCPI can say."""
    codes = {code: Tax(f"VAT {number}", number * 100) for number, code in enumerate(("t0", "t1"), start=5)}
    lines = []
    for one in found.lines:
        conditions = replace(one.conditions, holidays=None, methods=frozenset(), groups=frozenset(), from_idle_s=0)
        if conditions.over_midnight:
            conditions = Conditions(
                conditions.from_minute, conditions.to_minute, from_wh=conditions.from_wh, to_wh=conditions.to_wh
            )
        lines.append(replace(one, taxes=tuple(codes[code].code for code in one.taxes[:1]), conditions=conditions))
    lines = [one for one in lines if one.dimension != "duration"]
    used = sorted({code for one in lines for code in one.taxes})
    taxes = tuple(tax for tax in codes.values() if tax.code in used)
    return replace(found, lines=tuple(lines), taxes=taxes, tax_included=False)


def per_hour(one: PriceLine) -> PriceLine:
    return replace(one, unit=Unit.HOUR, price_milli=one.price_milli * 60) if one.unit is Unit.MINUTE else one


@given(st.integers(0, 2**32))
def test_what_was_written_is_read_again_and_costs_the_same(seed: int) -> None:
    chance = Random(seed)
    found = sayable(random_terms(chance))
    try:
        check(replace(found, gaps_are_free=True))
    except Invalid:
        assume(False)
    written = {"id": "1", "currency": "EUR", **write_in_ocpi(found, EXPONENT)}
    assert list(VALID(written)) == []
    again = read_from_ocpi(written, EXPONENT)
    assert replace(again, gaps_are_free=found.gaps_are_free) == replace(found, lines=tuple(map(per_hour, found.lines)))
    usage, zone = random_usage(chance), chance.choice(ZONES)
    assert price(usage, again, zone).total_minor == price(usage, found, zone).total_minor


RESTRICTIONS_OF_OCPI: dict[str, tuple[Any, str]] = {
    "start_time": ("17:00", "from_minute"),
    "end_time": ("17:00", "to_minute"),
    "start_date": ("2026-11-01", "from_date"),
    "end_date": ("2026-12-01", "to_date"),
    "min_kwh": (5, "from_wh"),
    "max_kwh": (5, "to_wh"),
    "min_current": (16, ""),
    "max_current": (16, ""),
    "min_power": (11, "from_w"),
    "max_power": (11, "to_w"),
    "min_duration": (600, "from_s"),
    "max_duration": (600, "to_s"),
    "day_of_week": (["MONDAY"], "weekdays"),
    "reservation": ("RESERVATION", "dimension"),
}
"""All that OCPI 2.2.1 has (mod_tariffs, 11.4.6), a value, and what it becomes; "": refused by its name."""


@pytest.mark.parametrize("name", RESTRICTIONS_OF_OCPI)
def test_each_restriction_is_taken_or_refused_by_its_name(name: str) -> None:
    value, becomes = RESTRICTIONS_OF_OCPI[name]
    found = tariff(element(("TIME", 1.50, None), **{name: value}))
    if not becomes:
        field, sentence = refusal(found)
        assert field == f"elements.0.restrictions.{name}"
        assert "the current" in sentence
        return
    [bare], [bound] = (read_from_ocpi(one, EXPONENT).lines for one in (tariff(element(("TIME", 1.50, None))), found))
    changed = {
        field.name
        for one, other in ((bare, bound), (bare.conditions, bound.conditions))
        for field in fields(one)
        if getattr(one, field.name) != getattr(other, field.name)
    }
    assert changed - {"conditions"} == {becomes}


def test_there_are_no_other_restrictions() -> None:
    assert set(RESTRICTIONS.schema["properties"]) == set(RESTRICTIONS_OF_OCPI)
