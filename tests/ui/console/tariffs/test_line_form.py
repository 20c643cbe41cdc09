"""Lines as a form: there and back without loss, in any digits, moved and removed without a script."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random

import pytest

from appliance.domain.money import Currency
from appliance.domain.pricing.checks import LINES_MAX
from appliance.domain.pricing.lines import Conditions, PriceLine, Terms
from appliance.domain.tariff import Tariff
from appliance.ui.console.tariffs import line_form, storing
from appliance.ui.console.tariffs.patterns import PATTERNS, as_lines, begun
from appliance.ui.forms.forms import Form
from tests.support.price_lines import line, terms
from tests.support.random_tariffs import random_terms

TAKA = Currency("BDT", 2)
BANDS = terms(
    line("energy", 1214, "VAT", from_time="17:00", to_time="23:00"),
    line("energy", 768, "VAT", from_time="05:00", to_time="09:00"),
    line("energy", 866, "VAT"),
    taxes={"VAT": 5},
)


def known(tariff: Terms) -> Terms:
    """With the ways of paying that the site has."""
    lines = [
        replace(one, conditions=replace(one.conditions, methods=frozenset(one.conditions.methods & set(line_form.METHODS))))
        for one in tariff.lines
    ]  # fmt: skip
    return line_form.terms_with(tariff, lines)


@pytest.mark.parametrize("seed", range(200))
def test_lines_are_read_back_as_they_were(seed: int) -> None:
    tariff = known(random_terms(Random(seed)))
    form = line_form.form_of("Any", tariff, TAKA)

    found = line_form.read(form, TAKA)

    assert found.errors == {}
    assert found.terms == tariff


def test_no_condition_is_lost_on_the_way_whatever_else_a_line_can_ask() -> None:
    """A condition that the form does not know would be dropped from a tariff that somebody opens and saves."""
    chance = Random(7)
    asked: set[str] = set()
    for _ in range(300):
        tariff = known(random_terms(chance))
        for one in tariff.lines:
            asked |= {
                field.name for field in fields(Conditions) if getattr(one.conditions, field.name) != field.default
            }

    assert {field.name for field in fields(Conditions)} <= asked, "let random_tariffs ask for it, too"


@pytest.mark.parametrize("seed", range(40))
def test_what_two_people_can_change_apart_is_the_whole_tariff(seed: int) -> None:
    found = storing.tariff_of(storing.values_of(Tariff(0, "Any", terms=known(random_terms(Random(seed))))))

    assert found.terms == known(random_terms(Random(seed)))


@pytest.mark.parametrize(
    ("field", "typed", "is_wrong"),
    [
        ("l0-price", "১২.১৪", False),
        ("l0-price", "-5", True),
        ("l0-price", "", True),
        ("l0-price", "99999999999", True),
        ("l0-price", "much", True),
        ("l0-from", "২৩:০০", False),
        ("l0-from", "2300", False),
        ("l0-from", "23.00", False),
        ("l0-from", "23", False),
        ("l0-from", "25:00", True),
        ("l0-from", "12:60", True),
        ("l0-from", "five", True),
        ("l0-to", "24:00", False),
        ("l0-from_date", "2026-02-30", True),
        ("l0-from_date", "২০২৬-১২-০১", False),
        ("l0-from_kwh", "20.5", False),
        ("l0-from_kwh", "20.1234", True),
        ("l0-to_min", "90:30", False),
        ("l0-to_min", "an hour", True),
        ("l0-from_kw", "-1", True),
        ("t0-percent", "101", True),
        ("t0-percent", "", True),
        ("t0-percent", "৭.৫", False),
        ("minimum", "-1", True),
        ("maximum", "1e9", True),
        ("l0-what", "water:litre", True),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_field_and_nowhere_else(field: str, typed: str, is_wrong: bool) -> None:
    form = line_form.form_of("Any", BANDS, TAKA)

    found = line_form.read(Form({**form.values, field: typed}), TAKA)

    assert set(found.errors) == ({field} if is_wrong else set())


def test_a_line_of_no_day_is_told_at_its_days() -> None:
    form = line_form.form_of("Any", BANDS, TAKA)
    values = {name: value for name, value in form.values.items() if not name.startswith("l1-d")}

    assert set(line_form.read(Form(values), TAKA).errors) == {"l1-days"}


@pytest.mark.parametrize(
    ("action", "order"),
    [
        ("up:1", [1, 0, 2]),
        ("up:0", [0, 1, 2]),
        ("down:1", [0, 2, 1]),
        ("down:2", [0, 1, 2]),
        ("first:2", [2, 0, 1]),
        ("remove:1", [0, 2]),
        ("remove:9", [0, 1, 2]),
        ("up:999999999999", [0, 1, 2]),
        ("dance:1", [0, 1, 2]),
    ],
)
def test_lines_are_moved_and_removed_by_buttons(action: str, order: list[int]) -> None:
    form = line_form.form_of("Any", BANDS, TAKA)

    found = line_form.read(line_form.done(form, action), TAKA)

    assert found.terms.lines == tuple(BANDS.lines[place] for place in order)


def test_a_new_line_is_for_every_day_with_all_taxes_and_waits_for_its_price() -> None:
    form = line_form.done(line_form.form_of("Any", BANDS, TAKA), "line:idle_time:minute")

    assert set(line_form.read(form, TAKA).errors) == {"l3-price"}
    found = line_form.read(Form({**form.values, "l3-price": "2"}), TAKA)
    assert found.terms.lines[3] == line("idle_time", 200, "VAT")


def test_there_are_no_more_lines_than_a_tariff_can_have() -> None:
    form = line_form.form_of("Any", BANDS, TAKA)
    for _ in range(LINES_MAX + 5):
        form = line_form.done(form, "line:energy:kwh")

    assert line_form.count_of(form, "l") == LINES_MAX


def test_a_tax_that_is_removed_leaves_the_others_where_they_belong() -> None:
    tariff = terms(line("energy", 900, "VAT", "city"), line("flat", 100, "city"), taxes={"VAT": 5, "city": "1.5"})
    form = line_form.done(line_form.form_of("Any", tariff, TAKA), "untax:0")

    found = line_form.read(form, TAKA).terms

    assert found == terms(line("energy", 900, "city"), line("flat", 100, "city"), taxes={"city": "1.5"})
    form = line_form.done(line_form.done(form, "untax:0"), "tax:")
    again = line_form.read(Form({**form.values, "t0-percent": "7"}), TAKA).terms
    assert again == terms(line("energy", 900, "VAT"), line("flat", 100, "VAT"), taxes={"VAT": 7})


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("lines.2.conditions.to_wh", "l2-to_kwh"),
        ("lines.2.conditions.weekdays", "l2-days"),
        ("lines.2.conditions", "l2-what"),
        ("lines.0", "l0-what"),
        ("lines", ""),
        ("taxes.1.percent", "t1-percent"),
        ("maximum_minor", "maximum"),
        ("name", "name"),
    ],
)
def test_what_the_domain_refuses_has_its_field(path: str, name: str) -> None:
    assert line_form.refused_at(path) == name


def test_the_preset_of_three_bands_is_the_lines_of_the_law() -> None:
    form = begun(PATTERNS["bands"], "Bands", with_prices=True)
    lines, came_from = as_lines(Form({**form.values, "tax_percent": "5"}), PATTERNS["bands"])

    assert line_form.read(lines, TAKA).terms == BANDS
    assert came_from["l0-price"] == "peak_price"


def test_free_hours_are_free_then_cost_and_the_place_costs_after_its_hour() -> None:
    form = begun(PATTERNS["free"], "Mall", with_prices=True)
    filled = {**form.values, "energy_price": "9", "free_from": "12:00", "free_to": "14:00", "idle_price": "২"}
    lines, _came_from = as_lines(Form(filled), PATTERNS["free"])
    free: PriceLine = line("energy", 0, from_time="12:00", to_time="14:00")

    assert line_form.read(lines, TAKA).terms == terms(
        free, line("energy", 900), line("idle_time", 200, from_idle_minutes=60)
    )
    always, _came_from = as_lines(Form({**filled, "energy_price": ""}), PATTERNS["free"])
    assert line_form.read(always, TAKA).terms.lines == (line("idle_time", 200, from_idle_minutes=60),)


def test_day_and_night_are_two_lines_the_night_first() -> None:
    form = begun(PATTERNS["night"], "Home", with_prices=True)
    lines, _came_from = as_lines(Form({**form.values, "day_price": "10", "night_price": "7"}), PATTERNS["night"])

    assert line_form.read(lines, TAKA).terms == terms(
        line("energy", 700, from_time="22:00", to_time="06:00"), line("energy", 1000)
    )
