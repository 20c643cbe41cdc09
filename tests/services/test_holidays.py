"""The holidays of the site: typed or copied, and a session keeps the list of its start."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.db import holidays as rows
from appliance.db.holidays import Holiday
from appliance.domain.errors import Invalid
from appliance.domain.tariff import Tariff
from appliance.services import holidays, tariffs
from tests.support.books import Books, open_books
from tests.support.price_lines import line, terms

UID = "04A1B2C3"
TODAY = Holiday("2025-11-23", "Day of the test")


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return open_books(tmp_path / "forecourt.db")


def begin(books: Books) -> tuple[object, int]:
    tariff = terms(line("energy", 1_000, holidays=True), line("energy", 3_000))
    number = tariffs.add(books.db, Tariff(0, "Holidays", terms=tariff), books.by)
    tariffs.make_default(books.db, number, books.by)
    station = books.station()
    books.card(UID, books.person(paid_in=900_000))
    return station, books.start(station, 1, UID).ref


def fee(books: Books) -> int:
    station, ref = begin(books)
    books.wait(600)
    books.read(station, ref, 1_500)  # type: ignore[arg-type]
    books.stop(station, ref, 2_000)  # type: ignore[arg-type]
    return int(books.session(ref)["fee_minor"])


def test_line_for_holidays_holds_on_them_alone(books: Books) -> None:
    holidays.change(books.db, [TODAY], books.by)
    assert fee(books) == 1_000


def test_without_a_list_no_day_is_a_holiday(books: Books) -> None:
    assert fee(books) == 3_000


def test_session_keeps_the_holidays_of_its_start(books: Books) -> None:
    holidays.change(books.db, [TODAY], books.by)
    station, ref = begin(books)
    books.wait(600)
    holidays.change(books.db, [], books.by)
    books.db.flush()
    books.db.forget()
    books.stop(station, ref, 2_000)  # type: ignore[arg-type]
    assert books.session(ref)["fee_minor"] == 1_000
    assert rows.current(books.db) == []


@pytest.mark.parametrize("spoken", ["", "bn", "en_US"])
def test_year_is_copied_into_the_list_and_can_be_edited(monkeypatch: pytest.MonkeyPatch, spoken: str) -> None:
    """Whatever language whoever started the server speaks."""
    monkeypatch.setenv("LANGUAGE", spoken)
    offered = holidays.offered("bd", "", 2026)
    assert Holiday("2026-12-16", "Victory Day") in offered
    ours = [Holiday("2026-02-02", "Ours"), Holiday("2027-01-01", "Next year")]
    both = holidays.with_year(ours, offered, 2026)
    assert ours[1] in both
    assert ours[0] not in both
    assert holidays.read(holidays.written(both)) == both
    assert {one.day for one in holidays.offered("DE", "BY", 2026)} > {
        one.day for one in holidays.offered("DE", "BE", 2026)
    } - {"2026-03-08"}


def test_digits_may_be_bengali() -> None:
    assert holidays.read("২০২৬-১২-১৬ বিজয় দিবস\n\n") == [Holiday("2026-12-16", "বিজয় দিবস")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("soon Eid", "Line {line} does not begin"),
        ("2026-13-01 x", "Line {line} does not begin"),
        ("2026-1-1", "Line {line} does"),
    ],
)
def test_what_is_no_day_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says.replace("{line}", ".*")):
        holidays.read(text)


def test_day_twice_and_country_that_is_none_are_refused(books: Books) -> None:
    with pytest.raises(Invalid, match="twice"):
        holidays.change(books.db, [TODAY, TODAY], books.by)
    for country, part, year in (("XX", "", 2026), ("", "", 2026), ("DE", "QQ", 2026), ("BD", "", 1066)):
        with pytest.raises(Invalid):
            holidays.offered(country, part, year)
