"""Which tariffs are refused, and how the refusal names the line and the hours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.domain.errors import Invalid
from appliance.domain.pricing.checks import LINES_MAX, TAXES_MAX, check
from appliance.domain.pricing.coverage import Hours, WeekHours
from appliance.domain.pricing.lines import Tax, Terms
from tests.support.price_lines import line, terms

E = line("energy", 10)


def refusal(tariff: Terms) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        check(tariff)
    return caught.value.field, str(caught.value)


@pytest.mark.parametrize(
    "tariff",
    [
        terms(E),
        terms(line("duration", 1, from_time="09:00", to_time="10:00")),
        terms(line("energy", 1, to_wh=1000), line("energy", 2)),
        terms(line("energy", 1, to_wh=1000), line("energy", 2, from_wh=1000)),
        terms(line("energy", 1, from_w=11_000), line("energy", 2, to_w=11_000)),
        terms(line("energy", 1, from_time="17:00", to_time="23:00"), line("energy", 2, from_time="23:00", to_time="17:00")),
        terms(line("energy", 1, from_time="22:00", to_time="06:00", weekdays=[5]), E),
        terms(line("energy", 1, weekdays=range(1, 6)), line("energy", 2, weekdays=[6, 7])),
        terms(line("energy", 1, holidays=True), line("energy", 2, holidays=False)),
        terms(line("energy", 1, methods=["cash"]), line("energy", 2, groups=[1]), E),
        terms(line("energy", 1, to_date="2026-12-01"), line("energy", 2, from_date="2026-12-01")),
        terms(line("energy", 1, from_time="17:00", to_time="23:00"), gaps_are_free=True),
        terms(line("reservation", 200, unit="once"), line("reservation", 5)),
        terms(line("energy", 1, from_time="00:00", to_time="12:00", to_wh=500), line("energy", 1, to_time="12:00", from_wh=500), line("energy", 3, from_time="12:00")),
        terms(E, minimum_minor=5, maximum_minor=5),
    ],
)  # fmt: skip
def test_tariff_that_says_what_each_hour_costs_is_accepted(tariff: Terms) -> None:
    assert check(tariff) is tariff


@pytest.mark.parametrize(
    ("lines", "hours"),
    [
        ([line("energy", 1, from_time="09:00", to_time="17:00")], "00:00–09:00, 17:00–24:00"),
        ([line("energy", 1, from_time="17:00", to_time="05:00")], "05:00–17:00"),
        ([line("energy", 1, weekdays=range(1, 6))], "Sat–Sun 00:00–24:00"),
        ([line("energy", 1, weekdays=range(1, 6)), line("energy", 1, weekdays=[6], to_time="12:00")], "Sat 12:00–24:00, Sun 00:00–24:00"),
        ([line("energy", 1, from_time="22:00", to_time="06:00", weekdays=[1, 3, 5])],
         "Mon, Wed, Fri 00:00–22:00, Tue, Thu, Sat 06:00–24:00, Sun 00:00–24:00"),
    ],
)  # fmt: skip
def test_hours_without_a_price_are_named(lines: list[object], hours: str) -> None:
    field, message = refusal(terms(*lines))  # type: ignore[arg-type]
    assert (field, message) == ("lines", f"No line prices energy at these hours: {hours}.")


@pytest.mark.parametrize(
    ("lines", "hours"),
    [
        ([line("energy", 1, to_wh=10_000)], "00:00–24:00"),
        ([line("energy", 1, from_wh=1)], "00:00–24:00"),
        ([line("energy", 1, to_minutes=60), line("energy", 2, from_minutes=61)], "00:00–24:00"),
        ([line("energy", 1, from_date="2026-06-01", to_date="2026-09-01")], "00:00–24:00"),
        ([line("energy", 1, methods=["cash"])], "00:00–24:00"),
        ([line("energy", 1, groups=[7])], "00:00–24:00"),
        ([line("energy", 1, holidays=False)], "00:00–24:00"),
        ([line("energy", 1, from_time="12:00"), line("energy", 2, to_w=5_000)], "00:00–12:00"),
        ([line("energy", 1, to_wh=10_000, to_minutes=60), line("energy", 2, from_wh=10_000)], "00:00–24:00"),
    ],
)
def test_hours_that_some_case_leaves_without_a_price_are_named(lines: list[object], hours: str) -> None:
    field, message = refusal(terms(*lines))  # type: ignore[arg-type]
    assert (field, message) == ("lines", f"At these hours no line prices energy in every case: {hours}.")


@pytest.mark.parametrize(
    "lines",
    [
        [E, line("energy", 5)],
        [line("energy", 1, to_time="12:00"), line("energy", 2, from_time="12:00"), line("energy", 5, to_w=7)],
        [line("energy", 1, to_wh=10), line("energy", 1, from_wh=10), line("energy", 5)],
        [line("flat", 1, weekdays=[1, 2]), line("flat", 3), line("flat", 9, weekdays=[2])],
        [line("reservation", 1), line("reservation", 1, unit="once"), line("reservation", 2, unit="hour")],
        [
            line("energy", 1, from_time="22:00", to_time="06:00"),
            E,
            line("energy", 5, from_time="23:00", to_time="02:00"),
        ],
    ],
)
def test_line_that_can_never_apply_is_named(lines: list[object]) -> None:
    place = len(lines)
    field, message = refusal(terms(*lines))  # type: ignore[arg-type]
    assert field == f"lines.{place - 1}"
    assert message == f"Line {place} never applies: the lines before it price all that it would."


@pytest.mark.parametrize(
    ("tariff", "field", "said"),
    [
        (terms(), "lines", "between 1 and 50"),
        (terms(*[line("energy", 1, from_wh=number, to_wh=number + 1) for number in range(LINES_MAX + 1)]), "lines", "between 1 and 50"),
        (terms(E, line("energy", 1, from_wh=5, to_wh=5)), "lines.1.conditions.to_wh", "Line 2 never applies"),
        (terms(E, line("duration", 1, from_minutes=5, to_minutes=4)), "lines.1.conditions.to_minutes", "ends before it begins"),
        (terms(E, line("energy", 1, from_w=5, to_w=5)), "lines.1.conditions.to_w", "Line 2 never applies"),
        (terms(line("energy", 1, from_date="2026-12-02", to_date="2026-12-02"), E), "lines.0.conditions.to_date", "Line 1 never"),
        (terms(line("energy", 1, from_date="2026-02-30"), E), "lines.0.conditions.from_date", "A day in line 1 is none"),
        (terms(line("energy", 1, from_time="17:00", to_time="17:00"), E), "lines.0.conditions.to_time", "ends when it begins"),
        (terms(line("energy", 1, to_time="00:00"), E), "lines.0.conditions", "not between 00:00 and 24:00"),
        (terms(line("energy", 1, from_time="24:00"), E), "lines.0.conditions", "not between 00:00 and 24:00"),
        (terms(line("energy", 1, weekdays=[]), E), "lines.0.conditions.weekdays", "from 1 (Monday) to 7"),
        (terms(line("energy", 1, weekdays=[0]), E), "lines.0.conditions.weekdays", "from 1 (Monday) to 7"),
        (terms(line("energy", 1, from_wh=-1), E), "lines.0.conditions", "negative or too large"),
        (terms(line("energy", 1, to_wh=2**60), E), "lines.0.conditions", "negative or too large"),
        (terms(line("energy", -1)), "lines.0", "The price of line 1 is negative"),
        (terms(line("energy", 2_000_000)), "lines.0", "too large"),
        (terms(line("energy", 1, unit="minute")), "lines.0", "does not fit"),
        (terms(line("flat", 1, unit="kwh")), "lines.0", "does not fit"),
        (terms(line("energy", 1, "vat")), "lines.0.taxes", "Line 1 has the tax vat, which the tariff does not know."),
        (terms(line("energy", 1, "vat", "vat"), taxes={"vat": 5}), "lines.0.taxes", "has a tax twice"),
        (terms(line("energy", 1, "a", "b"), taxes={"a": 60, "b": 41}), "lines.0.taxes", "more than 100 percent"),
        (terms(line("flat", 1, from_wh=5)), "lines.0.conditions", "Line 1 is due before anything is measured"),
        (terms(line("reservation", 1, from_idle_minutes=5)), "lines.0.conditions", "due before anything is measured"),
        (terms(E, taxes={"vat": 101}), "taxes.0.percent", "between 0 and 100"),
        (terms(E, taxes={" ": 5}), "taxes.0.code", "needs a code"),
        (Terms((E,), (Tax("a", 1), Tax("a", 2))), "taxes.1.code", "The tax a is there twice."),
        (Terms((E,), tuple(Tax(f"t{n}", n) for n in range(TAXES_MAX + 1))), "taxes", "at most 10 taxes"),
        (terms(E, minimum_minor=-1), "minimum_minor", "negative"),
        (terms(E, minimum_minor=6, maximum_minor=5), "maximum_minor", "The maximum is below the minimum."),
    ],
)  # fmt: skip
def test_tariff_that_contradicts_itself_is_refused(tariff: Terms, field: str, said: str) -> None:
    found, message = refusal(tariff)
    assert found == field
    assert said in message


def test_so_many_measures_that_nobody_can_overlook_them_are_refused_in_time() -> None:
    lines = [
        line("energy", 1, from_wh=n, to_wh=n + 50, from_minutes=n, to_minutes=n + 50, from_w=n, to_w=n + 50, from_idle_minutes=n % 7)
        for n in range(LINES_MAX - 1)
    ]  # fmt: skip
    field, message = refusal(terms(*lines, E))
    assert (field, message[:14]) == ("lines", "So many condit")


def test_hours_are_written_with_any_names_of_days() -> None:
    hours = WeekHours([Hours((1, 2, 3, 5), 0, 300), Hours((7,), 60, 1440)])
    assert hours.in_words(list("abcdefg")) == "a–c, e 00:00–05:00, g 01:00–24:00"


def test_gap_matters_only_to_energy() -> None:
    check(terms(E, line("idle_time", 5, from_time="09:00", to_time="18:00")))
    with_gap = terms(line("energy", 5, from_time="09:00", to_time="18:00"))
    check(replace(with_gap, gaps_are_free=True))
