"""A list of people and cards: read whatever wrote it, told row by row, done once however often it is brought."""

from __future__ import annotations

from dataclasses import asdict
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.domain.calendar import day_bounds
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import CardId
from appliance.services.cards import aliases
from appliance.services.cards import cards as card_units
from appliance.services.people import groups, importing, spreadsheets
from appliance.services.people import people as people_units
from appliance.services.people.importing import Outcome, Result
from appliance.services.people.spreadsheets import Row
from tests.support.books import Books

ZONE = ZoneInfo("Asia/Dhaka")
LIST = b"""name;phone;group;uid;label;valid_until
Rahima Khatun;+880 1712 345678;Customers;04:a1:b2:c3:d4:e5:80;;
Green Taxi;+880 1555 700700;Customers;04B1B2C3D4E580;car 7;2027-12-31
Green Taxi;+880 1555 700700;;04C1B2C3D4E580;car 8;
Nobody Yet;;;;;
"""


@pytest.fixture(name="books")
def _books(books: Books) -> Books:
    groups.add(books.db, "Customers", "prepaid", books.by)
    groups.add(books.db, "Staff", "free", books.by)
    return books


def outcomes(books: Books, data: bytes) -> list[str]:
    """What each row would do."""
    return [str(one.outcome) for one in importing.plan(books.db, spreadsheets.read(data), ZONE)]


def troubles(books: Books, data: bytes) -> list[str]:
    """Why rows are left out."""
    planned = importing.plan(books.db, spreadsheets.read(data), ZONE)
    return [str(one.trouble) for one in planned if one.trouble is not None]


def bring(books: Books, data: bytes) -> Result:
    """Do it."""
    return importing.apply(books.db, spreadsheets.read(data), ZONE, books.by)


def card(books: Books, uid: str) -> Card:
    found = cards.by_uid(books.db, uid)
    assert found is not None
    return found


def everybody(books: Books) -> list[Person]:
    books.db.flush()
    return people_search.people_after(books.db, after=0, limit=100)


def test_a_list_is_told_before_anything_is_done(books: Books) -> None:
    assert outcomes(books, LIST) == ["new_person", "new_person", "new_card", "new_person"]
    assert everybody(books) == []


def test_people_and_cards_of_a_list_are_entered(books: Books) -> None:
    assert bring(books, LIST) == Result(people=3, cards=3)

    assert [(one.name, one.phone, one.group, one.cards) for one in everybody(books)] == [
        ("Rahima Khatun", "+880 1712 345678", "Customers", 1),
        ("Green Taxi", "+880 1555 700700", "Customers", 2),
        ("Nobody Yet", "", "Customers", 0),
    ]
    seventh = card(books, "04B1B2C3D4E580")
    assert (seventh.label, seventh.expires_at_ms) == ("car 7", day_bounds("2027-12-31", ZONE)[1])
    assert card(books, "04C1B2C3D4E580").person_id == seventh.person_id


def test_the_same_list_twice_changes_nothing_the_second_time(books: Books) -> None:
    bring(books, LIST)
    before = [asdict(one) for one in everybody(books)]

    assert outcomes(books, LIST) == ["same"] * 4
    assert bring(books, LIST) == Result()
    assert [asdict(one) for one in everybody(books)] == before


def test_a_label_a_validity_and_a_missing_telephone_are_changes(books: Books) -> None:
    bring(books, b"name,uid\nRahima,04A1B2C3\n")
    later = b"name,uid,label,phone,valid_until\nRahima,04A1B2C3,blue,+880 17,31.12.2027\n"

    assert outcomes(books, later) == ["change"]
    assert bring(books, later) == Result(changed=1)
    changed = card(books, "04A1B2C3")
    assert (changed.label, changed.expires_at_ms) == ("blue", day_bounds("2027-12-31", ZONE)[1])
    assert everybody(books)[0].phone == "+880 17"
    assert bring(books, later) == Result()


def test_an_empty_cell_takes_nothing_away(books: Books) -> None:
    bring(books, LIST)
    assert outcomes(books, b"name,phone,uid,label,valid_until\nGreen Taxi,,04B1B2C3D4E580,,\n") == ["same"]


def test_a_card_does_not_change_hands(books: Books) -> None:
    bring(books, LIST)
    taken = b"name,uid\nKarim,04A1B2C3D4E580\n"

    assert troubles(books, taken) == ["This card belongs to Rahima Khatun already."]
    assert bring(books, taken) == Result(wrong=1)
    assert card(books, "04A1B2C3D4E580").person == "Rahima Khatun"
    assert len(everybody(books)) == 3


def test_a_card_that_came_back_is_given_out_again(books: Books) -> None:
    bring(books, LIST)
    card_units.block(books.db, card(books, "04A1B2C3D4E580").id, "returned", books.by)

    assert bring(books, b"name,uid\nKarim,04A1B2C3D4E580\n") == Result(people=1, cards=1)
    assert card(books, "04A1B2C3D4E580").person == "Karim"


def test_a_card_that_the_list_has_backwards_is_the_same_card(books: Books) -> None:
    bring(books, LIST)
    assert outcomes(books, b"name,uid\nRahima Khatun,80E5D4C3B2A104\n") == ["same"]


def test_two_of_one_name_are_told_apart_by_their_telephones(books: Books) -> None:
    bring(books, b"name,phone\nKarim,017-1\nKarim,017-2\n")
    assert len(everybody(books)) == 2

    assert troubles(books, b"name,uid\nKarim,04A1B2C3\n") == ["Several people are called Karim."]
    bring(books, "name,phone,uid\nkarim,০১৭ ২,04A1B2C3\n".encode())
    assert card(books, "04A1B2C3").person_id == everybody(books)[1].id


def test_who_has_left_gets_no_card(books: Books) -> None:
    bring(books, LIST)
    people_units.close(books.db, everybody(books)[2].id, books.by)
    assert troubles(books, b"name,uid\nNobody Yet,04A1B2C3\n") == ["The account of Nobody Yet is closed."]


def test_what_a_charger_calls_somebodys_card_is_nobodys_new_card(books: Books) -> None:
    bring(books, LIST)
    aliases.add(books.db, "FFEEDDCC", CardId(card(books, "04A1B2C3D4E580").id), books.by)
    assert troubles(books, b"name,uid\nKarim,FFEEDDCC\n") == ["A charger calls the card of Rahima Khatun so."]


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("Karim,,Guests,04A1B2C3,,", "There is no group Guests."),
        (",,,04A1B2C3,,", "There is no name for this card."),
        ("Karim,,,08A1B2C3,,", "08A1B2C3 changes at every tap: it identifies nobody."),
        ("Karim,,,4.1E+13,,", "The spreadsheet has made a number of this UID: 4.1E+13."),
        ("Karim,,,hello,,", "hello is not the number of a card."),
        ("Karim,,,04A1B2C3,,31.02.2027", "31.02.2027 is no day."),
        ("Karim,,,04A1B2C3,,03/04/2027", "03/04/2027 may be two days."),
        ("Karim,,,04A1B2C3," + "x" * 1001 + ",", "At most 1000 characters."),
    ],
)
def test_a_row_that_makes_no_sense_is_left_out_and_said_why(books: Books, line: str, trouble: str) -> None:
    data = f"name,phone,group,uid,label,valid_until\n{line}\nSalma,,Staff,04D1B2C3,,\n".encode()

    assert troubles(books, data) == [trouble]
    assert bring(books, data) == Result(people=1, cards=1, wrong=1)


def test_a_card_twice_in_one_list_is_left_out_the_second_time(books: Books) -> None:
    assert troubles(books, b"name,uid\nKarim,04A1B2C3\nSalma,04:A1:B2:C3\n") == [
        "The card is in this list before, in line 2."
    ]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2027-12-31", "2027-12-31"),
        ("31.12.2027", "2027-12-31"),
        ("31/12/2027", "2027-12-31"),
        ("12/31/2027", "2027-12-31"),
        ("05/05/2027", "2027-05-05"),
        ("২০২৭-১২-৩১", "2027-12-31"),
        ("2027-12-31 00:00:00", "2027-12-31"),
        ("", ""),
    ],
)
def test_days_are_read_as_spreadsheets_write_them(text: str, day: str) -> None:
    assert importing.day_of_text(text) == day


@pytest.mark.parametrize(
    "data",
    [
        b"uid,name\n04A1B2C3,Rahima\n",
        b"\xef\xbb\xbfName;UID\r\nRahima;04A1B2C3\r\n",
        b"sep=;\r\nUID;Name\r\n04A1B2C3;Rahima\r\n",
        b'"name"\t"uid"\n"Rahima"\t"04A1B2C3"\n',
        "name;uid\nRahima;04A1B2C3\n".encode("utf-16"),
        b"Holder,Shoe size,Card UID\nRahima,39,04A1B2C3\n",
        "নাম;uid\nRahima;04A1B2C3\n".encode(),
    ],
)
def test_a_file_is_read_whatever_wrote_it(data: bytes) -> None:
    (row,) = spreadsheets.read(data, {"নাম": "name"})
    assert (row.name, row.uid) == ("Rahima", "04A1B2C3")


def test_the_apostrophe_of_an_export_is_no_part_of_a_telephone_number() -> None:
    (row,) = spreadsheets.read(b"name,phone\n'=Rahima,'+880 17\n")
    assert (row.name, row.phone) == ("=Rahima", "+880 17")


def test_lines_are_counted_as_the_spreadsheet_shows_them() -> None:
    assert [row.line for row in spreadsheets.read(b"name\n\nRahima\n\nKarim\n")] == [3, 5]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty."),
        (b"name,uid\n", "Under its heads the file is empty."),
        (b"Rahima,04A1B2C3\n", "neither a column"),
        (b"name,holder\nRahima,Karim\n", "Two columns mean the same: name."),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"name\n\xff\xfe\xfa", "cannot be read"),
        (b"name\n" + b"Rahima\n" * 5001, "more than 5000 rows"),
        (b"name\n" + b"x" * 2_000_000, "larger than 2 MB"),
        (b'name\n"Rahima', "Line 2 cannot be read."),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        spreadsheets.read(data)


@given(data=st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        rows = spreadsheets.read(b"name,uid\n" + data)
    except Refusal:
        return
    assert all(isinstance(row, Row) for row in rows)


@given(text=st.text(max_size=40))
def test_no_text_is_more_than_no_day(text: str) -> None:
    try:
        day = importing.day_of_text(text)
    except Invalid:
        return
    assert day == "" or day_bounds(day, ZONE)


def test_a_long_list_in_parts_does_what_its_dry_run_said(books: Books) -> None:
    data = b"name,phone,uid\n" + b"".join(
        b"Person %d,01700 %03d,04%010X80\n" % (number // 2, number // 2, number) for number in range(500)
    )
    rows = spreadsheets.read(data)
    planned = importing.plan(books.db, rows, ZONE)
    done = Result()
    for begin in range(0, len(rows), importing.ROWS_AT_ONCE):
        part = rows[begin : begin + importing.ROWS_AT_ONCE]
        done += importing.apply(books.db, part, ZONE, books.by)

    said = Result(people=sum(one.outcome is Outcome.NEW_PERSON for one in planned), cards=len(planned))
    assert done == said == Result(people=250, cards=500)


# --- lists as people export them -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "whole"),
    [
        ("4112233445566", "04112233445566"),
        ("4112233", "04112233"),
        ("411223344556677", "0411223344556677"),
        ("4.112.233.445.566", "04112233445566"),
        ("4 112 233 445 566", "04112233445566"),
        ("4A1B2C3D4E5F6", "04A1B2C3D4E5F6"),
    ],
)
def test_a_zero_that_a_spreadsheet_ate_is_said_and_the_card_that_is_known_is_found(
    books: Books, cell: str, whole: str
) -> None:
    data = f"name;group;uid\nKarim;Customers;{cell}\n".encode()
    (planned,) = importing.plan(books.db, spreadsheets.read(data), ZONE)
    assert planned.trouble is not None
    assert str(planned.trouble) == f"{cell} may have lost a zero at its beginning, as spreadsheets do with numbers."
    assert whole in str(planned.trouble.advice).format_map(planned.trouble.values)

    bring(books, f"name;group;uid\nKarim;Customers;{whole}\n".encode())
    assert outcomes(books, data) == ["same"]


@pytest.mark.parametrize("cell", ["4112233445566.0", "4112233445566,00", "4.1122E+12", "4,1122e+12"])
def test_a_number_that_a_spreadsheet_made_is_no_other_card(books: Books, cell: str) -> None:
    assert troubles(books, f"name;group;uid\nKarim;Customers;{cell}\n".encode()) == [
        f"The spreadsheet has made a number of this UID: {cell}."
    ]


@pytest.mark.parametrize(
    ("cell", "uid"),
    [
        ("0A:1B:2C:3D:4E:5F", "0A1B2C3D4E5F"),
        ("0a1b2c3d4e5f", "0A1B2C3D4E5F"),
        ("VID:0A1B2C3D4E5F", "VID:0A1B2C3D4E5F"),
        ("DE-8XY-C12345678-9", "DE-8XY-C12345678-9"),
        ("DE*ICE*E00001234*7", "DE*ICE*E00001234*7"),
        ("fleet-car-7", "FLEET-CAR-7"),
        ("'04A1B2C3", "04A1B2C3"),
        ('="04A1B2C3"', "04A1B2C3"),
        ("0x04A1B2C3", "04A1B2C3"),
        ("04A1B2C3\u200b", "04A1B2C3"),
    ],
)
def test_what_the_api_takes_for_a_card_the_list_takes_too(books: Books, cell: str, uid: str) -> None:
    quoted = cell.replace('"', '""')
    assert bring(books, f'name;group;uid\nKarim;Customers;"{quoted}"\n'.encode()) == Result(people=1, cards=1)
    assert card(books, uid).person == "Karim"


@pytest.mark.parametrize("cell", ["n/a", "none", "-", "lost card", "Karim Ahmed 2", "04A1B2C3D", "abc"])
def test_what_names_no_card_is_none(books: Books, cell: str) -> None:
    (trouble,) = troubles(books, f"name;group;uid\nKarim;Customers;{cell}\n".encode())
    assert trouble == f"{cell} is not the number of a card."


HEADS = ["UID", "RFID", "Tag ID", "RFID tag", "idTag", "id_tag", "RFID-UID", "UID (hex)", "Card UID", "Card No.", "NFC UID", "Token",
         "Card number [hex]", "Contract ID", "EVCO-ID", "MAC address", "\ufeffUID", "uid "]  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_the_column_of_the_card_is_understood_in_many_spellings(head: str) -> None:
    (row,) = spreadsheets.read(f"Full Name;{head};Expiry date\nKarim;04A1B2C3;2027-12-31\n".encode())

    assert (row.name, row.uid, row.valid_until) == ("Karim", "04A1B2C3", "2027-12-31")


def test_a_card_beside_a_uid_is_something_else() -> None:
    (row,) = spreadsheets.read(b"name;Card;UID\nKarim;17;04A1B2C3\n")

    assert row.uid == "04A1B2C3"


@pytest.mark.parametrize(
    "cell",
    ["2027-12-31T23:59:59Z", "2027-12-31T00:00:00.000+06:00", "2027-12-31 23:59", "31.12.2027 00:00:00", "2027/12/31, 23:59:59",
     "12/31/2027 11:59 PM", "31-Dec-2027", "31 December 2027", "31 Dec 2027 23:59"],
)  # fmt: skip
def test_a_day_with_a_time_is_the_day_as_it_is_written(cell: str) -> None:
    assert importing.day_of_text(cell) == "2027-12-31"
