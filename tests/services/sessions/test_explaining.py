"""An amount of a session is taken apart, and put together again it is the same: of every state, by flat prices and by lines."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from appliance.db.sessions import session_list
from appliance.domain.errors import NotFound
from appliance.domain.events import MeterRead
from appliance.domain.explanation import Explained
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.money import round_half_even
from appliance.domain.pricing.lines import Terms
from appliance.domain.session import bill_until
from appliance.services.sessions import closing, explaining, metering, review
from appliance.services.sessions.explaining import Explanation, Stands
from tests.services.sessions.test_lines import BANDS, all_is_well, charge, random_tariff, with_lines
from tests.support.books import Books, open_books
from tests.support.price_lines import line, terms

UID = "04A1B2C3"


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return open_books(tmp_path / "forecourt.db")


def explained(books: Books, ref: int, energy_wh: int | None = None) -> Explanation:
    """How it was priced, and that this is all consistent."""
    books.db.flush()
    found = explaining.explain(books.db, SessionId(ref), books.now_ms, energy_wh)
    is_whole(found.explained)
    assert found.explained.total_minor == found.told_minor
    for one in found.before:
        is_whole(one.explained)
        assert one.explained.total_minor == one.paper.total_minor
    assert [one.at_ms for one in found.readings] == sorted(one.at_ms for one in found.readings)
    return found


def is_whole(bill: Explained) -> None:
    """Parts sum up to quantities, quantities × prices round to amounts, amounts to the net, taxes to the tax."""
    for one in bill.lines:
        if one.unit is not None and one.parts and one.kind != "time":
            assert sum((part.quantity for part in one.parts), Fraction(0)) == one.quantity
        assert round_half_even(one.exact_minor.numerator, one.exact_minor.denominator) == one.amount_minor
        assert all(part.from_ms <= part.to_ms and part.from_wh <= part.to_wh for part in one.parts)
    for tax in bill.taxes:
        rounded = round_half_even(tax.exact_minor.numerator, tax.exact_minor.denominator)
        assert rounded + tax.limit_share_minor == tax.tax_minor
    amounts = sum(one.amount_minor for one in bill.lines)
    assert amounts == (bill.total_minor if bill.tax_included else bill.net_minor)
    assert sum(tax.tax_minor for tax in bill.taxes) == bill.tax_minor == bill.total_minor - bill.net_minor


def place(books: Books) -> StationId:
    return StationId(books.db.execute("SELECT station_id FROM session").fetchone()[0])


def test_each_line_says_from_when_to_when_and_from_which_energy_to_which(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000), (60, 6_000), (60, 4_000))
    books.stop(place(books), ref, 14_000)
    found = explained(books, ref)
    noon = found.begun_ms
    parts = {(one.kind, one.line): [tuple(part) for part in one.parts] for one in found.explained.lines}
    hour = 3_600_000
    assert parts == {
        ("energy", 0): [(noon + hour, noon + 2 * hour, 6_000, 11_000, 5_000)],
        ("energy", 1): [(noon, noon + hour, 0, 6_000, 6_000), (noon + 2 * hour, noon + 5 * hour // 2, 11_000, 13_000, 2_000)],
        ("flat", 3): [(noon, noon, 0, 0, 1)],
    }  # fmt: skip
    assert [(one.register_wh, one.energy_wh) for one in found.readings] == [
        (1_000, 0), (4_000, 3_000), (10_000, 9_000), (14_000, 13_000), (14_000, 13_000),
    ]  # fmt: skip
    (tax,) = found.explained.taxes
    assert (tax.code, tax.on_minor, tax.exact_minor, tax.tax_minor) == ("vat", 12_998, Fraction(12_998, 20), 650)


def test_readings_that_come_after_the_bill_change_no_explanation(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000), (60, 6_000))
    books.stop(place(books), ref, 10_000)
    before = explained(books, ref)
    late = (Reading(books.now_ms - 50 * 60_000, 9_800),)
    metering.meter_read(books.db, place(books), MeterRead(ref, 1, late, books.now_ms))
    after = explained(books, ref)
    assert after.explained == before.explained
    assert len(after.readings) == len(before.readings) + 1


def test_session_that_runs_is_explained_by_its_readings_so_far(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000), (60, 6_000))
    books.wait(20)
    shown = session_list.show(books.db, SessionId(ref))
    assert shown is not None
    found = explained(books, ref)
    assert found.stands is Stands.SO_FAR
    assert found.explained.total_minor == bill_until(shown, books.now_ms).total_minor > 0


def test_flat_prices_are_explained_with_the_idle_time_that_is_charged(books: Books) -> None:
    books.tariff(2_000_000, time=10_000, idle=100_000, grace_s=300, flat=50_000, tax=750)
    ref = charge(books, (30, 3_000))
    idle_from = books.now_ms
    books.status(place(books), 1, "SuspendedEV")
    books.wait(900)
    books.stop(place(books), ref, 4_000)
    found = explained(books, ref)
    parts = {one.kind: one.parts for one in found.explained.lines}
    assert [one.kind for one in found.explained.lines] == ["energy", "time", "idle", "flat"]
    assert [(part.from_ms, part.to_ms) for part in parts["idle"]] == [(idle_from + 300_000, books.now_ms)]
    assert found.explained.total_minor == books.session(ref)["fee_minor"]


def test_bill_that_was_set_right_keeps_what_it_was_and_why(books: Books) -> None:
    for tariff in (BANDS, None):
        if tariff is None:
            books.tariff(tax=500)
        else:
            with_lines(books, tariff)
        station = books.station(f"CS-{tariff is None}")
        uid = f"04A1B2C{int(tariff is None)}"
        books.card(uid, books.person(paid_in=100_000))
        ref = books.start(station, 1, uid).ref
        books.wait(1_800)
        books.read(station, ref, 4_000)
        closing.close_by_hand(books.db, SessionId(ref), books.by)
        first_minor = books.session(ref)["fee_minor"]
        books.wait(60)
        books.stop(station, ref, 5_000)
        found = explained(books, ref)
        (before,) = found.before
        assert (before.paper.total_minor, before.usage.energy_wh) == (first_minor, 3_000)
        assert found.explained.total_minor == books.session(ref)["fee_minor"] != first_minor
        all_is_well(books)


def test_place_taken_after_the_end_is_in_the_explanation_and_the_bill_before_it_too(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    station = place(books)
    books.status(station, 1, "SuspendedEV")
    books.wait(15 * 60)
    books.stop(station, ref, 4_000)
    books.status(station, 1, "Finishing")
    books.wait(20 * 60)
    books.status(station, 1, "Available")
    found = explained(books, ref)
    idle = next(one for one in found.explained.lines if one.kind == "idle")
    assert idle.quantity == 25 * 60_000
    assert len(found.before) == 1


def test_session_in_review_is_explained_for_each_of_its_figures(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    books.wait(60)
    books.stop(place(books), ref, 900_000_000)
    shown = session_list.show(books.db, SessionId(ref))
    assert shown is not None
    costs = {one.figure.usage.energy_wh: one.bill.total_minor for one in review.choices(shown)}
    for energy_wh, minor in costs.items():
        found = explained(books, ref, energy_wh)
        assert (found.stands, found.explained.total_minor) == (Stands.OFFERED, minor)
    with pytest.raises(NotFound):
        explained(books, ref, 77)
    least = min(costs)
    review.bill(books.db, SessionId(ref), books.by, least)
    assert explained(books, ref).explained.total_minor == costs[least]
    assert explained(books, ref).stands is Stands.BILLED


def test_nothing_is_explained_where_nothing_is_billed(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 0))
    assert explained(books, ref).stands is Stands.NOTHING
    books.stop(place(books), ref, 1_000)
    assert explained(books, ref).stands is Stands.NOTHING
    with pytest.raises(NotFound):
        explained(books, 77)


def test_bill_of_an_older_release_is_reckoned_again_out_of_its_readings(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000), (60, 6_000))
    books.stop(place(books), ref, 10_000)
    kept = explained(books, ref)
    books.db.execute("UPDATE session_line SET parts = NULL")
    found = explained(books, ref)
    assert found.is_reckoned
    assert found.explained == kept.explained


def test_bill_that_the_books_do_not_have_is_not_explained_away(books: Books) -> None:
    with_lines(books)
    ref = charge(books, (30, 3_000))
    books.stop(place(books), ref, 4_000)
    books.db.execute("UPDATE session SET fee_minor = fee_minor + 1, net_minor = net_minor + 1 WHERE id = ?", (ref,))
    found = explaining.explain(books.db, SessionId(ref), books.now_ms)
    assert found.told_minor == found.explained.total_minor + 1


LIMITED = (
    terms(line("energy", 1_000, "vat", "city"), line("duration", 3), taxes={"vat": 15, "city": "1.5"}, minimum_minor=100_000),
    terms(line("energy", 1_000, "vat", "city"), line("duration", 3), taxes={"vat": 15, "city": "1.5"}, maximum_minor=777),
    terms(line("energy", 1_000, "vat"), line("flat", 7), taxes={"vat": 15}, tax_included=True, maximum_minor=777),
)  # fmt: skip


@pytest.mark.parametrize("tariff", LIMITED)
def test_difference_to_a_limit_is_a_line_and_taxes_have_their_share(books: Books, tariff: Terms) -> None:
    with_lines(books, tariff)
    ref = charge(books, (30, 3_003), (31, 1_007))
    books.stop(place(books), ref, 5_010)
    found = explained(books, ref)
    assert found.explained.lines[-1].kind in ("minimum", "maximum")
    assert found.explained.total_minor in (100_000, 777)


@pytest.mark.parametrize("seed", range(20))
def test_random_session_is_explained_to_the_minor_unit_in_each_of_its_moments(books: Books, seed: int) -> None:
    chance = Random(seed)
    with_lines(books, random_tariff(chance))
    station = books.station()
    books.card(UID, books.person(paid_in=10_000_000))
    ref, meter_wh = books.start(station, 1, UID).ref, 1_000
    for _ in range(chance.randrange(1, 9)):
        books.wait(chance.randrange(60, 5_400))
        books.status(station, 1, chance.choice(["Charging", "SuspendedEV", "SuspendedEVSE"]))
        meter_wh += chance.choice([0, 1, 333, 2_500])
        books.read(station, ref, meter_wh)
        explained(books, ref)
    books.stop(station, ref, meter_wh)
    found = explained(books, ref)
    if found.stands is not Stands.OFFERED:
        assert found.explained.total_minor == books.session(ref)["fee_minor"]
