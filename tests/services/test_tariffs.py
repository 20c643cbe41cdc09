"""Prices never change under a session."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest

from appliance.db import problems
from appliance.db import tariffs as rows
from appliance.db.people import groups as group_rows
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.tariff import IN_MINOR, PRICE_MILLI_MAX, PRICES, Kind, Tariff, is_cheaper
from appliance.services import health, tariffs
from appliance.services.people import groups
from appliance.ui.api.tariffs import TARIFF
from tests.support.books import Books
from tests.support.price_lines import line, terms

CARD = "04A1B2C3"


def test_a_session_keeps_the_price_it_began_with(books: Books) -> None:
    number = books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=90_000)
    books.card(CARD, rahima)
    before = books.start(station, 1, CARD, meter_wh=0)
    tariffs.change(books.db, number, Tariff(0, "dearer", 3_000_000), books.by)
    books.db.flush()
    books.db.forget()
    books.stop(station, before.ref, 1_000)
    books.wait(60)
    after = books.start(station, 1, CARD, meter_wh=1_000)
    books.stop(station, after.ref, 2_000)

    assert books.session(before.ref)["fee_minor"] == 2_000
    assert books.session(after.ref)["fee_minor"] == 3_000


def test_the_groups_of_a_changed_tariff_go_with_it(books: Books) -> None:
    books.tariff(energy=2_000_000)
    special = tariffs.add(books.db, Tariff(0, "night", 1_000_000), books.by)
    group = groups.add(books.db, "Night", "postpaid", books.by, tariff_id=special)
    station, guard = books.station(), books.person("Abdul Malek", group=group)
    books.card(CARD, guard)
    tariffs.change(books.db, special, Tariff(0, "night", 1_500_000), books.by)

    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 1_000)
    assert books.balance(guard) == -1_500


def test_another_default_holds_for_the_next_session(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, rahima = books.station(), books.person(paid_in=90_000)
    books.card(CARD, rahima)
    first = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, first.ref, 1_000)
    books.tariff(energy=500_000)
    books.wait(60)
    second = books.start(station, 1, CARD, meter_wh=1_000)
    books.stop(station, second.ref, 2_000)

    assert books.balance(rahima) == 90_000 - 2_000 - 500


def test_the_first_tariff_is_the_default_and_its_lack_is_a_problem(books: Books) -> None:
    health.check_box(books.db, 50_000, books.now_ms)
    assert "no_tariff" in [one.kind for one in problems.open_problems(books.db)]

    number = tariffs.add(books.db, Tariff(0, "first", 1), books.by)

    default = rows.default(books.db)
    assert default is not None
    assert default.id == number
    assert "no_tariff" not in [one.kind for one in problems.open_problems(books.db)]


def test_a_tariff_in_use_is_not_archived(books: Books) -> None:
    default = books.tariff()
    other = tariffs.add(books.db, Tariff(0, "fleet", 1), books.by)
    group = groups.add(books.db, "Fleet", "postpaid", books.by, tariff_id=other)

    for number in (default, other):
        with pytest.raises(Refusal):
            tariffs.archive(books.db, number, books.by)
    groups.change(books.db, group, "Fleet", "postpaid", books.by)
    tariffs.archive(books.db, other, books.by)
    for attempt in (tariffs.archive, tariffs.make_default):
        with pytest.raises(NotFound):
            attempt(books.db, other, books.by)


@pytest.mark.parametrize("name", ["", "x" * 201])
def test_a_tariff_needs_a_name(books: Books, name: str) -> None:
    with pytest.raises(Invalid):
        tariffs.add(books.db, Tariff(0, name, 1), books.by)


def test_without_a_tariff_everybody_charges_for_nothing(books: Books) -> None:
    station, rahima = books.station(), books.person()
    books.card(CARD, rahima)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 9_000)

    assert started.authorization.accepted
    assert books.balance(rahima) == 0


def test_every_component_is_known_to_all_who_speak_of_prices(books: Books) -> None:
    columns = [row[1] for row in books.db.execute("PRAGMA table_info(tariff)")]

    assert set(PRICES) == set(get_args(Kind))
    assert [name for name in columns if "_milli" in name] == list(PRICES.values())
    standing = {"is_default", "created_at_ms", "archived_at_ms", "valid_from_ms", "follows_id"}
    assert set(columns) - standing == {field.name for field in fields(Tariff)}
    limits = ["minimum_minor", "maximum_minor"]
    assert [name for name in TARIFF.schema["properties"] if "_minor" in name] == [*IN_MINOR.values(), *limits]


def test_a_price_that_is_accepted_is_one_that_a_tariff_can_have(books: Books) -> None:
    for kind, name in PRICES.items():
        most = replace(Tariff(0, f"dear {kind}"), **{name: PRICE_MILLI_MAX})  # type: ignore[arg-type]
        number = tariffs.add(books.db, most, books.by)
        assert rows.find(books.db, number) == replace(most, id=number)
        with pytest.raises(ValueError, match="a price is between"):
            replace(Tariff(0, "dearer"), **{name: PRICE_MILLI_MAX + 1})  # type: ignore[arg-type]
        assert TARIFF.schema["properties"][IN_MINOR[name]]["maximum"] * 1000 == PRICE_MILLI_MAX


def test_lines_may_be_cheaper_than_anything_but_the_same_lines() -> None:
    bands, flat = replace(DEAR, terms=terms(line("energy", 9_999))), Tariff(0, "Flat", 1_000)
    assert is_cheaper(bands, flat)
    assert is_cheaper(flat, bands)
    assert not is_cheaper(bands, replace(bands, name="Other"))


DAY_MS = 86_400_000
DEAR = Tariff(0, "Dear", 9_000_000)


def test_version_that_is_to_come_takes_the_place_of_the_other_when_its_moment_has_come(books: Books) -> None:
    old = books.tariff()
    group = books.group()
    groups.change(books.db, group, name="Ours", policy="prepaid", limit_minor=None, tariff_id=old, by=books.by)
    new = tariffs.change(books.db, old, DEAR, books.by, books.now_ms + DAY_MS)
    tariffs.take_effect(books.db, books.now_ms + DAY_MS - 1)
    default = rows.default(books.db)
    assert (default and default.id, tariffs.newest_version(books.db, old)) == (old, old)

    tariffs.take_effect(books.db, books.now_ms + DAY_MS)
    default, own = rows.default(books.db), group_rows.find(books.db, group)
    assert (default and default.id, own and own.tariff_id) == (new, new)
    assert tariffs.newest_version(books.db, old) == new
    shown = rows.show(books.db, old)
    assert shown is not None
    assert shown.archived_at_ms == books.now_ms + DAY_MS
    tariffs.take_effect(books.db, books.now_ms + 2 * DAY_MS)
    assert tariffs.newest_version(books.db, old) == new


def test_session_that_runs_keeps_the_version_with_which_it_began(books: Books) -> None:
    old = books.tariff(1_000_000)
    tariffs.change(books.db, old, DEAR, books.by, books.now_ms + 60_000)
    station = books.station()
    books.card(CARD, books.person(paid_in=100_000))
    ref = books.start(station, 1, CARD).ref
    books.wait(120)
    tariffs.take_effect(books.db, books.now_ms)
    books.stop(station, ref, 2_000)
    assert books.session(ref)["fee_minor"] == 1_000
    ref = books.start(station, 1, CARD, 2_000).ref
    books.stop(station, ref, 3_000)
    assert books.session(ref)["fee_minor"] == 9_000


def test_version_to_come_follows_what_has_taken_the_place_of_the_one_it_was_made_for(books: Books) -> None:
    old = books.tariff()
    later = tariffs.change(books.db, old, DEAR, books.by, books.now_ms + DAY_MS)
    meanwhile = tariffs.change(books.db, old, Tariff(0, "Cheap", 1_000), books.by)
    assert tariffs.newest_version(books.db, old) == meanwhile
    tariffs.take_effect(books.db, books.now_ms + DAY_MS)
    assert tariffs.newest_version(books.db, old) == later
    default = rows.default(books.db)
    assert default is not None
    assert default.id == later


def test_tariff_that_does_not_hold_yet_is_given_to_nobody(books: Books) -> None:
    books.tariff()
    number = tariffs.add(books.db, DEAR, books.by, books.now_ms + DAY_MS)
    with pytest.raises(Conflict, match="does not hold yet"):
        tariffs.make_default(books.db, number, books.by)
    with pytest.raises(Invalid, match="does not hold yet"):
        groups.add(books.db, "Ours", "prepaid", books.by, tariff_id=number)
    books.now_ms += DAY_MS
    tariffs.make_default(books.db, number, books.by)


def test_first_tariff_is_the_default_only_if_it_holds(books: Books) -> None:
    tariffs.add(books.db, DEAR, books.by, books.now_ms + DAY_MS)
    assert rows.default(books.db) is None


def test_version_that_waits_is_changed_where_it_stands(books: Books) -> None:
    number = books.tariff(energy=2_000_000)
    moment_ms = books.now_ms + 3_600_000
    waiting = tariffs.change(books.db, number, Tariff(0, "dearer", 3_000_000), books.by, moment_ms)
    corrected = tariffs.change(books.db, waiting, Tariff(0, "a little dearer", 2_500_000), books.by)

    assert [row.tariff.id for row in rows.current(books.db)] == [number, corrected]
    books.wait(3_601)
    tariffs.take_effect(books.db, books.now_ms)
    held = rows.default(books.db)
    assert held is not None
    assert (held.id, held.energy_milli_per_kwh) == (corrected, 2_500_000)


def test_two_versions_never_begin_at_the_same_moment(books: Books) -> None:
    number = books.tariff(energy=2_000_000)
    moment_ms = books.now_ms + 3_600_000
    waiting = tariffs.change(books.db, number, Tariff(0, "dearer", 3_000_000), books.by, moment_ms)
    with pytest.raises(Conflict, match="wait for that moment already"):
        tariffs.change(books.db, number, Tariff(0, "dearest", 4_000_000), books.by, moment_ms)
    later = tariffs.change(books.db, number, Tariff(0, "dearest", 4_000_000), books.by, moment_ms + 1_000)
    with pytest.raises(Conflict, match="wait for that moment already"):
        tariffs.change(books.db, later, Tariff(0, "dearest", 4_000_000), books.by, moment_ms)

    assert waiting in [row.tariff.id for row in rows.current(books.db)]


def test_a_line_for_a_group_that_there_is_not_is_refused(books: Books) -> None:
    lines = terms(line("energy", 900, groups=[999]), line("energy", 1_000))
    number = books.tariff(energy=2_000_000)
    with pytest.raises(Invalid, match="Line 1 is for a group that there is not") as refused:
        tariffs.add(books.db, Tariff(0, "lines", terms=lines), books.by)
    assert refused.value.field == "lines.0.conditions.groups"
    with pytest.raises(Invalid, match="a group that there is not"):
        tariffs.change(books.db, number, Tariff(0, "lines", terms=lines), books.by)
