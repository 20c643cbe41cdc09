"""Where a tariff holds: the connector's counts before the charger's, that before the group's, that before the usual one."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.domain.errors import Conflict, NotFound, Refusal
from appliance.domain.events import TransactionStarted
from appliance.domain.identifiers import StationId
from appliance.domain.tariff import Tariff
from appliance.services import place_tariffs, tariffs
from appliance.services.people import groups, people
from appliance.services.sessions import start_requests, starting
from appliance.services.stations import qr_codes
from tests.support.books import Books, open_books
from tests.support.price_lines import line, terms

UID = "04A1B2C3"


@pytest.fixture
def books(tmp_path: Path) -> Books:
    found = open_books(tmp_path / "forecourt.db")
    found.tariff(1_000_000)
    return found


def priced(books: Books, name: str, energy: int) -> int:
    return tariffs.add(books.db, Tariff(0, name, energy), books.by)


def name_at(books: Books, station: StationId, evse: int, uid: str = UID) -> str:
    """By which tariff a session there is billed."""
    ref = books.start(station, evse, uid).ref
    books.wait(60)
    books.stop(station, ref, 2_000)
    row = books.db.execute(
        "SELECT tariff.name FROM session LEFT JOIN tariff ON tariff.id = tariff_id WHERE session.id = ?", (ref,)
    )
    return str(row.fetchone()[0])


def test_the_most_specific_place_counts(books: Books) -> None:
    station, other = books.station("CS-01"), books.station("CS-02")
    of_group = priced(books, "Fleet", 2_000_000)
    group = groups.add(books.db, "Fleet", "prepaid", books.by, tariff_id=of_group)
    books.card(UID, books.person(group=group, paid_in=900_000))
    assert name_at(books, station, 1) == "Fleet"
    place_tariffs.put(books.db, station, 0, priced(books, "Gate", 3_000_000), books.by)
    place_tariffs.put(books.db, station, 2, priced(books, "Fast", 4_000_000), books.by)
    assert [name_at(books, station, evse) for evse in (1, 2)] == ["Gate", "Fast"]
    assert name_at(books, other, 1) == "Fleet"
    place_tariffs.put(books.db, station, 2, None, books.by)
    assert name_at(books, station, 2) == "Gate"


def test_who_pays_nothing_pays_nothing_there(books: Books) -> None:
    station = books.station()
    place_tariffs.put(books.db, station, 0, priced(books, "Gate", 3_000_000), books.by)
    books.card(UID, books.person(group=books.group("free")))
    assert name_at(books, station, 1) == "None"


def test_session_that_runs_keeps_its_prices(books: Books) -> None:
    station = books.station()
    books.card(UID, books.person(paid_in=900_000))
    ref = books.start(station, 1, UID).ref
    place_tariffs.put(books.db, station, 1, priced(books, "Gate", 3_000_000), books.by)
    books.wait(600)
    books.stop(station, ref, 2_000)
    assert books.session(ref)["fee_minor"] == 1_000


def test_start_that_was_asked_for_pays_what_holds_where_it_begins(books: Books) -> None:
    station, person = books.station(), books.person(paid_in=900_000)
    books.card(UID, person)
    place_tariffs.put(books.db, station, 2, priced(books, "Fast", 4_000_000), books.by)
    asked = start_requests.request_start(books.db, station, 0, books.by, person=person)
    event = TransactionStarted(2, asked.id_token, 1_000, books.now_ms, books.now_ms)
    ref = starting.transaction_started(books.db, station, event).ref
    books.wait(600)
    books.stop(station, int(ref), 2_000)
    assert books.session(int(ref))["fee_minor"] == 4_000


def test_changed_prices_hold_where_the_ones_before_did_and_what_holds_somewhere_stays_in_use(books: Books) -> None:
    station = books.station()
    books.card(UID, books.person(paid_in=900_000))
    gate = priced(books, "Gate", 3_000_000)
    place_tariffs.put(books.db, station, 0, gate, books.by)
    with pytest.raises(Refusal, match="A charger has this tariff"):
        tariffs.archive(books.db, gate, books.by)
    tariffs.change(books.db, gate, Tariff(0, "Gate, dearer", 5_000_000), books.by)
    assert name_at(books, station, 1) == "Gate, dearer"


def test_what_cannot_be_said_is_refused(books: Books) -> None:
    station = books.station()
    gate = priced(books, "Gate", 3_000_000)
    later = tariffs.add(books.db, Tariff(0, "Later"), books.by, books.now_ms + 1_000)
    for place, tariff, refused in ((9, gate, NotFound), (1, 777, NotFound), (1, later, Conflict)):
        with pytest.raises(refused):
            place_tariffs.put(books.db, station, place, tariff, books.by)


def test_driver_is_shown_what_holds_at_the_sticker(books: Books) -> None:
    station = books.station()
    place_tariffs.put(books.db, station, 2, priced(books, "Fast", 4_000_000), books.by)
    codes = qr_codes.codes(books.db, station)
    shown = {evse: qr_codes.find(books.db, code) for evse, code in codes.items()}
    names = {evse: one.tariff.name for evse, one in shown.items() if one is not None and one.tariff is not None}
    assert names[2] == "Fast"
    assert names[1] != "Fast"


def test_group_of_a_line_is_that_at_the_start_whoever_is_moved_meanwhile(books: Books) -> None:
    fleet, others = books.group(), books.group()
    tariff = terms(line("energy", 100, groups=[int(fleet)]), line("energy", 9_000))
    number = tariffs.add(books.db, Tariff(0, "By group", terms=tariff), books.by)
    tariffs.make_default(books.db, number, books.by)
    station, person = books.station(), books.person(group=fleet, paid_in=900_000)
    books.card(UID, person)
    ref = books.start(station, 1, UID).ref
    books.wait(600)
    people.change(books.db, person, books.by, group=others, name="Rahima", phone="", note="", language="")
    books.db.flush()
    books.db.forget()
    books.read(station, ref, 1_500)
    books.stop(station, ref, 2_000)
    assert books.session(ref)["fee_minor"] == 100
