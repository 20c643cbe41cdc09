"""What a list of people and cards changes: told row by row before anything is done, then done.

The same list twice changes nothing the second time: people are known by name and telephone, cards by their UIDs. Nothing is
taken away by an import, no card changes hands, and no money moves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from appliance.db.cards import aliases
from appliance.db.cards import cards as card_rows
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups as group_rows
from appliance.db.people import importing as rows
from appliance.db.people.groups import Group
from appliance.db.people.importing import Known
from appliance.domain.by import By
from appliance.domain.calendar import day_bounds, day_of
from appliance.domain.digits import WESTERN
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.id_token import (
    HEX,
    SEPARATORS,
    UID_CHARS,
    is_random,
    normal_form,
    readings,
    reversed_form,
)
from appliance.domain.identifiers import GroupId, PersonId
from appliance.services import audit, texts
from appliance.services.card_desk import jobs
from appliance.services.cards import cards as card_units
from appliance.services.people import people as people_units
from appliance.services.people.spreadsheets import Row

ROWS_AT_ONCE = 10
"""So many are one unit of work, so that chargers need not wait for a long list: a unit is to hold the writer for 50 ms at most, and
at 5,000 people reading who is known takes a third of that already (measured by benchmarks/import_units.py).
"""
SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E\+\d+|\d+[.,]0+", re.IGNORECASE)
"""What spreadsheets make of a UID of digits only."""
PREFIX = re.compile(r"^0x(?=[0-9A-F]{8,20}$)", re.IGNORECASE)
MAC_CHARS = 12
CONTRACT = re.compile(r"[A-Z0-9][A-Z0-9*:._/+=|@#-]{3,}")
TIME_BEHIND = re.compile(r"(?:T| +|, *)\d{1,2}:\d\d.*$", re.IGNORECASE)
SPELLED_DATE = re.compile(r"(\d{1,2})[ .-]+([A-Z]{3})[A-Z]*[ .,-]+(\d{4})", re.IGNORECASE)
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DATE = re.compile(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})")


class Outcome(StrEnum):
    """What a row does."""

    NEW_PERSON = "new_person"
    NEW_CARD = "new_card"
    """A card for somebody who is here, or was entered by an earlier row."""
    CHANGE = "change"
    """A telephone number, a label or a validity."""
    SAME = "same"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Planned:
    """A row and what it will do."""

    row: Row
    outcome: Outcome
    uid: str = ""
    """The card in normal form; "" for a person without one."""
    group: str = ""
    """Of a new person."""
    valid_until: str = ""
    """The last day on which the card charges, as `2026-12-31`."""
    trouble: Refusal | None = None
    """Why nothing comes of it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was done."""

    people: int = 0
    cards: int = 0
    changed: int = 0
    wrong: int = 0

    def __add__(self, other: Result) -> Result:
        return Result(
            self.people + other.people,
            self.cards + other.cards,
            self.changed + other.changed,
            self.wrong + other.wrong,
        )


@dataclass(slots=True)
class Register:
    """Who and what is known, in the books and by earlier rows of the same list."""

    groups: dict[str, Group]
    usual: GroupId | None
    """The group of those of whom the list says none."""
    by_name: dict[str, list[Known]] = field(default_factory=dict)

    def matching(self, name: str, phone: str) -> list[Known]:
        """Everybody here who may be meant: of this name, and with this telephone or (in list or books) none."""
        wanted = digits_of(phone)
        named = self.by_name.get(folded(name), [])
        exact = [one for one in named if digits_of(one.phone) == wanted]
        found = exact or [one for one in named if not wanted or not digits_of(one.phone)]
        return [one for one in found if not one.closed] or found

    def add(self, known: Known) -> None:
        """One more."""
        self.by_name.setdefault(folded(known.name), []).append(known)


def plan(db: Readable, listed: Sequence[Row], zone: ZoneInfo) -> list[Planned]:
    """What each row would do, in order; nothing is changed."""
    register = register_of(db)
    uids: dict[str, int] = {}
    found = []
    for row in listed:
        try:
            planned, known = decide(db, register, uids, row, zone)
        except Refusal as trouble:
            planned = Planned(row, Outcome.WRONG, trouble=trouble)
        else:
            known.phone = known.phone or row.phone
        found.append(planned)
    return found


def apply(db: Database, listed: Sequence[Row], zone: ZoneInfo, by: By) -> Result:
    """Do what the rows say, leaving out those that are wrong; a unit of work for up to ROWS_AT_ONCE of them."""
    register, uids, result = register_of(db), dict[str, int](), Result()
    for row in listed:
        try:
            planned, known = decide(db, register, uids, row, zone)
        except Refusal:
            result += Result(wrong=1)
        else:
            result += _do(db, register, planned, known, zone, by)
    return result


def record(db: Database, result: Result, by: By) -> None:
    """That a list was imported, besides what stands under each person and card."""
    audit.record(db, by, "card.import", "card:0", people=result.people, cards=result.cards, changed=result.changed)


def decide(db: Readable, register: Register, uids: dict[str, int], row: Row, zone: ZoneInfo) -> tuple[Planned, Known]:
    """What one row does, and to whom. `uids` are those of earlier rows, with their lines; this one's is added.

    Raises:
        Refusal: It can do nothing.
    """
    uid = uid_of(db, row.uid)
    label, phone = texts.optional("label", row.label), texts.telephone(row.phone)
    until = day_of_text(row.valid_until)
    card = card_rows.by_uid(db, uid) if uid else None
    holder = person_of(register, card, row)
    if uid in uids:
        raise Invalid("uid", "The card is in this list before, in line {line}.", line=uids[uid])
    group = group_of(register, row.group) if holder is None else None
    if uid and (card is None or card_units.has_come_back(card)):
        check_free(db, uid)
        outcome = Outcome.NEW_PERSON if holder is None else Outcome.NEW_CARD
    elif holder is None:
        outcome = Outcome.NEW_PERSON
    else:
        outcome = Outcome.CHANGE if is_change(holder, card, phone, label, until, zone) else Outcome.SAME
    if uid:
        uids[uid] = row.line
    planned = Planned(row, outcome, uid, group.name if group is not None else "", until)
    if holder is None:
        holder = Known(None, name_of(row), phone)
        register.add(holder)
    return planned, holder


def person_of(register: Register, card: Card | None, row: Row) -> Known | None:
    """Whom a row means; None for somebody new.

    Raises:
        Refusal: The card is somebody else's, or several people may be meant.
    """
    if card is not None and not card_units.has_come_back(card):
        if row.name and folded(row.name) != folded(card.person):
            raise Refusal("This card belongs to {name} already.", "Replace or return it at the desk.", name=card.person)
        return next(one for one in register.by_name[folded(card.person)] if one.person == card.person_id)
    name_of(row)
    found = register.matching(row.name, row.phone)
    if len(found) > 1:
        raise Refusal(
            "Several people are called {name}.", "Add the telephone number, as it is kept here.", name=row.name
        )
    if found and found[0].closed:
        raise Refusal("The account of {name} is closed.", "Open it again first.", name=row.name)
    return found[0] if found else None


def name_of(row: Row) -> str:
    """The name of a new person.

    Raises:
        Invalid: There is none, or a book.
    """
    if not row.name.split():
        raise Invalid(
            "name",
            "There is no name for this card.",
            "Write whose it is into a column “name”; only a card that is known here needs none.",
        )
    return texts.required("name", row.name)


def uid_of(db: Readable, text: str) -> str:
    """The card that a cell means, in normal form; "" for an empty one.

    Raises:
        Invalid: It is none, or the spreadsheet may have changed it.
    """
    plain = text.translate(WESTERN).strip(" =\"'")
    plain = PREFIX.sub("", plain)
    normal = normal_form(plain)
    if not normal or card_rows.by_uid(db, normal) is not None:
        return normal
    backwards = reversed_form(normal)
    if backwards is not None and card_rows.by_uid(db, backwards) is not None:
        return backwards
    if SCIENTIFIC.fullmatch(plain):
        raise Invalid(
            "uid",
            "The spreadsheet has made a number of this UID: {text}.",
            "Make the column one of texts, enter the UIDs again, and save.",
            text=text,
        )
    joined = SEPARATORS.sub("", normal)
    if len(joined) + 1 in UID_CHARS and HEX.fullmatch(joined):
        whole = f"0{joined}"
        if card_rows.by_uid(db, whole) is not None:
            return whole
        raise Invalid(
            "uid",
            "{text} may have lost a zero at its beginning, as spreadsheets do with numbers.",
            "Make the column one of texts, and enter {whole} if that is meant.",
            text=text,
            whole=whole,
        )
    uid = joined if len(joined) in UID_CHARS else next(iter(readings(plain)), "")
    if (len(uid) not in UID_CHARS or not HEX.fullmatch(uid)) and not is_contract(normal):
        raise Invalid(
            "uid",
            "{text} is not the number of a card.",
            "A UID has 8, 14, 16 or 20 hex digits; the MAC of a car has 12, and a contract has letters and digits.",
            text=text,
        )
    if is_random(uid):
        raise Invalid("uid", "{text} changes at every tap: it identifies nobody.", "Take a card instead.", text=text)
    return uid


def is_contract(normal: str) -> bool:
    """Whether it is what chargers say that know cars and contracts: a MAC (Autocharge), `VID:…`, `DE-8XY-C12345678-9`, `FLEET-CAR-7`."""
    if HEX.fullmatch(normal):
        return len(normal) == MAC_CHARS
    return CONTRACT.fullmatch(normal) is not None and any(letter.isdigit() for letter in normal)


def day_of_text(text: str) -> str:
    """A day as spreadsheets write it, as `2026-12-31`; "" for none. Of a day with a time the day counts, as it is written.

    Raises:
        Invalid: It is no day, or may be two.
    """
    plain = TIME_BEHIND.sub("", text.translate(WESTERN).strip())
    if not plain:
        return ""
    found, spelled = DATE.fullmatch(plain), SPELLED_DATE.fullmatch(plain)
    wrong = Invalid("valid_until", "{text} is no day.", "Write it as year-month-day.", text=text)
    if spelled is not None and spelled[2].upper() in MONTHS:
        year, month, day = int(spelled[3]), MONTHS.index(spelled[2].upper()) + 1, int(spelled[1])
    elif found is None:
        raise wrong
    else:
        year, month, day = _ordered(found, text)
    try:
        parsed = date(year, month, day)
    except ValueError:
        raise wrong from None
    if not 1970 <= parsed.year <= 9998:
        raise wrong
    return parsed.isoformat()


def _ordered(found: re.Match[str], text: str) -> tuple[int, int, int]:
    """Year, month and day out of three numbers."""
    first, second, third = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4:
        return first, second, third
    if len(found[4]) != 4:
        raise Invalid("valid_until", "{text} is no day.", "Write it as year-month-day.", text=text)
    if found[2] == "." or first > 12 or first == second:
        return third, second, first
    if second > 12:
        return third, first, second
    raise Invalid("valid_until", "{text} may be two days.", "Write it as year-month-day.", text=text)


def group_of(register: Register, name: str) -> Group:
    """The group of a new person.

    Raises:
        Invalid: There is no such group, or none is usual.
    """
    if name:
        found = register.groups.get(folded(name))
        if found is None:
            raise Invalid("group", "There is no group {name}.", "Make it under Groups first.", name=name)
        return found
    if register.usual is None:
        raise Invalid("group", "Choose a group.")
    return next(one for one in register.groups.values() if one.id == register.usual)


def check_free(db: Readable, uid: str) -> None:
    """Whether nobody's card is called so.

    Raises:
        Refusal: A charger calls somebody's card so.
    """
    alias = aliases.find(db, uid)
    if alias is not None:
        raise Refusal("A charger calls the card of {name} so.", name=card_units.need(db, alias).person)


def is_change(holder: Known, card: Card | None, phone: str, label: str, until: str, zone: ZoneInfo) -> bool:
    """Whether the row says something that is not in the books. An empty cell says nothing."""
    if phone and not digits_of(holder.phone):
        return True
    return card is not None and (bool(label and label != card.label) or bool(until and until != last_day(card, zone)))


def last_day(card: Card, zone: ZoneInfo) -> str:
    """The last day on which a card charges; "" for ever."""
    return "" if card.expires_at_ms is None else day_of(card.expires_at_ms - 1, zone)


def register_of(db: Readable) -> Register:
    """Who is known."""
    groups = group_rows.all_by_name(db)
    try:
        usual: GroupId | None = jobs.default_group(db)
    except Refusal:
        usual = None
    register = Register({folded(group.name): group for group in groups}, usual)
    for known in rows.everybody(db):
        register.add(known)
    return register


def folded(name: str) -> str:
    """A name as it is compared."""
    return " ".join(name.casefold().split())


def digits_of(phone: str) -> str:
    """A telephone number as it is compared: its digits, without a leading 00 of the country's code."""
    digits = "".join(character for character in phone.translate(WESTERN) if character.isdigit())
    return digits.removeprefix("00")


def _do(db: Database, register: Register, planned: Planned, known: Known, zone: ZoneInfo, by: By) -> Result:
    row = planned.row
    if planned.outcome is Outcome.SAME:
        return Result()
    is_new = known.person is None
    if known.person is None:
        group = register.groups[folded(planned.group)].id
        known.person = people_units.add(db, row.name, group, by, phone=row.phone)
    elif row.phone and not digits_of(known.phone):
        _add_phone(db, known.person, row.phone, by)
    known.phone = known.phone or row.phone
    expires_at_ms = day_bounds(planned.valid_until, zone)[1] if planned.valid_until else None
    card = card_rows.by_uid(db, planned.uid) if planned.uid else None
    if planned.outcome is Outcome.CHANGE:
        if card is not None:
            if planned.valid_until == last_day(card, zone):
                expires_at_ms = card.expires_at_ms
            _change_card(db, card, row.label, expires_at_ms, by)
        return Result(changed=1)
    if planned.uid:
        card_units.add(db, planned.uid, known.person, by, label=row.label, expires_at_ms=expires_at_ms)
    return Result(people=int(is_new), cards=int(bool(planned.uid)))


def _change_card(db: Database, card: Card, label: str, expires_at_ms: int | None, by: By) -> None:
    """What an empty cell does not say stays."""
    label, expires_at_ms = label or card.label, card.expires_at_ms if expires_at_ms is None else expires_at_ms
    if (label, expires_at_ms) != (card.label, card.expires_at_ms):
        card_units.change(
            db, card.id, by, label=label, transactions_max=card.transactions_max, expires_at_ms=expires_at_ms
        )


def _add_phone(db: Database, person: PersonId, phone: str, by: By) -> None:
    found = people_units.need(db, person)
    people_units.change(
        db, person, by, name=found.name, phone=phone, note=found.note, language=found.language, group=found.group_id
    )
