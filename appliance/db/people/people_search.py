"""People and cards as they are looked for: searched, filtered, sorted, summed up. Nothing here writes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from appliance.db.cards.cards import CARD, Card, by_number, by_token, by_uid, from_rows
from appliance.db.engine.protocols import Readable
from appliance.db.people.payers import uid_behind
from appliance.db.people.people import PERSON, Person
from appliance.domain.digits import WESTERN
from appliance.domain.id_token import HEX, SEPARATORS, normal_form, readings

PEOPLE_ORDERS = {
    "name": "person.name COLLATE NOCASE, person.id",
    "balance": "credit_posted - debit_posted, person.name COLLATE NOCASE, person.id",
    "newest": "person.id DESC",
}
CARD_ORDERS = {
    "newest": "card.id DESC",
    "holder": "person.name COLLATE NOCASE, card.id DESC",
    "label": "label = '', label COLLATE NOCASE, card.id DESC",
    "number": "card.number",
}
PHONE_MARKS = " -()+"
"""What stands between the digits of a telephone number, and last what stands before them."""
WHOLE_DIGITS = 7
"""From so many digits on a telephone number is taken to be whole: zeros in front then only say from where it is dialled."""
WITH_CODE_DIGITS = 10
NUMBER_CHARS_MAX = 7
"""More digits than that are a UID or a telephone number, not the number printed on a card."""


@dataclass(frozen=True, slots=True)
class People:
    """One page of a list, and the sums of the whole list."""

    rows: list[Person]
    count: int
    balance_minor: int
    held_minor: int


@dataclass(frozen=True, slots=True)
class Cards:
    """One page of a list, and how many there are in all."""

    rows: list[Card]
    count: int


NAMED = r"""(person.name LIKE :pattern ESCAPE '\' OR person.name LIKE :lower ESCAPE '\'
              OR person.name LIKE :upper ESCAPE '\' OR person.name LIKE :title ESCAPE '\')"""
"""LIKE itself takes no notice of the case of Western letters, and of no others."""
PHONE_DIGITS = functools.reduce(
    lambda sql, mark: f"replace({sql}, '{mark}', '')", PHONE_MARKS.removesuffix("+"), "phone"
)
CARD_CALLED = r"""(uid LIKE :uid_pattern ESCAPE '\' OR label LIKE :pattern ESCAPE '\' OR card.number = :number
                   OR EXISTS (SELECT 1 FROM card_alias
                              WHERE card_alias.card_id = card.id AND token LIKE :uid_pattern ESCAPE '\'))"""
PEOPLE_WHERE = rf"""
WHERE (closed_at_ms IS NOT NULL) = :closed AND (group_id = :group OR :group IS NULL)
  AND (:text = '' OR {NAMED} OR (NOT :names_only AND (
       phone LIKE :pattern ESCAPE '\' OR note LIKE :pattern ESCAPE '\'
       OR (:phone <> '' AND ({PHONE_DIGITS} LIKE :phone_pattern
                             OR (:with_code AND ltrim({PHONE_DIGITS}, '+0') IN (:without_1, :without_2, :without_3))))
       OR EXISTS (SELECT 1 FROM card WHERE card.person_id = person.id AND {CARD_CALLED}))))
"""
CARDS_WHERE = rf"""
WHERE (:text = '' OR {NAMED} OR {CARD_CALLED})
  AND CASE :state
      WHEN 'charging' THEN blocked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)
      WHEN 'blocked' THEN blocked_at_ms IS NOT NULL
      WHEN 'lost' THEN replaced_by IS NOT NULL
      WHEN 'returned' THEN blocked_at_ms IS NOT NULL AND blocked_why IN ('returned', 'undone')
      WHEN 'expired' THEN blocked_at_ms IS NULL AND expires_at_ms <= :now_ms
      WHEN 'unwritten' THEN content IN ('pending', 'wiping')
      ELSE TRUE END
"""
CARD_STATES = ("charging", "blocked", "lost", "returned", "expired", "unwritten")
"""What the list of cards can be narrowed to."""


def people(
    db: Readable,
    *,
    text: str = "",
    group: int | None = None,
    closed: bool = False,
    order: str = "name",
    offset: int = 0,
    limit: int = 100,
    names_only: bool = False,
) -> People:
    """People whose name, phone, note or card has `text` in it. Raises KeyError for an order there is not.

    `names_only`: for those who may not see the rest, because whoever is found by it has been told it.
    """
    values = {"closed": closed, "group": group, "names_only": names_only, **patterns(text)}
    rows = db.execute(
        f"{PERSON} {PEOPLE_WHERE} ORDER BY {PEOPLE_ORDERS[order]} LIMIT :limit OFFSET :offset",
        {**values, "limit": limit, "offset": offset},
    )
    found = [Person(*row) for row in rows]
    count, balance, held = db.execute(
        f"""SELECT count(*), coalesce(sum(credit_posted - debit_posted), 0), coalesce(sum(debit_pending), 0)
        FROM person JOIN account ON account.id = wallet_id {PEOPLE_WHERE}""",
        values,
    ).fetchone()
    return People(found, count, balance, held)


def people_after(
    db: Readable, *, text: str = "", group: int | None = None, closed: bool = False, after: int, limit: int
) -> list[Person]:
    """The same people by their numbers, for programs; the next page begins `after` the last."""
    values = {"closed": closed, "group": group, "names_only": False, **patterns(text)}
    rows = db.execute(
        f"{PERSON} {PEOPLE_WHERE} AND person.id > :after ORDER BY person.id LIMIT :limit",
        {**values, "after": after, "limit": limit},
    )
    return [Person(*row) for row in rows]


def cards(
    db: Readable,
    *,
    text: str = "",
    state: str = "",
    now_ms: int = 0,
    order: str = "newest",
    offset: int = 0,
    limit: int = 100,
) -> Cards:
    """Cards whose UID, label or holder has `text` in it, or whose number it is; `state` is "" or one of CARD_STATES at `now_ms`.

    Raises KeyError for an order there is not.
    """
    values = {"state": state, "now_ms": now_ms, **patterns(text)}
    rows = db.execute(
        f"{CARD} {CARDS_WHERE} ORDER BY {CARD_ORDERS[order]} LIMIT :limit OFFSET :offset",
        {**values, "limit": limit, "offset": offset},
    )
    found = from_rows(rows)
    count = db.execute(f"SELECT count(*) FROM card JOIN person ON person.id = person_id {CARDS_WHERE}", values)
    return Cards(found, count.fetchone()[0])


def cards_numbered_after(db: Readable, number: int, *, text: str, state: str, now_ms: int, limit: int) -> list[Card]:
    """The same cards in the order of the numbers printed on them, for files; from the one after `number` on."""
    values = {"state": state, "now_ms": now_ms, "after": number, "limit": limit, **patterns(text)}
    return from_rows(
        db.execute(f"{CARD} {CARDS_WHERE} AND card.number > :after ORDER BY card.number LIMIT :limit", values)
    )


def cards_after(db: Readable, *, text: str = "", after: int, limit: int) -> list[Card]:
    """The same cards in the order in which they came, for programs; the next page begins `after` the last."""
    rows = db.execute(
        f"{CARD} {CARDS_WHERE} AND card.id > :after ORDER BY card.id LIMIT :limit",
        {"state": "", "now_ms": 0, **patterns(text), "after": after, "limit": limit},
    )
    return from_rows(rows)


def card_called(db: Readable, token: str) -> Card | None:
    """The card that a charger means by a token in normal form: its UID, a name that was learned, its UID backwards."""
    known = by_uid(db, token)
    if known is None and (uid := uid_behind(db, token)) is not None:
        known = by_uid(db, uid)
    return known


def card_meant(db: Readable, text: str) -> Card | None:
    """The card that somebody means who typed, scanned or read a text off it: all that a charger may call it, in any
    spelling; the number printed on it; the link that it carries.
    """
    for token in dict.fromkeys((normal_form(text), *readings(text))):
        if (known := card_called(db, token)) is not None:
            return known
    number = card_number(text)
    if number is not None:
        return by_number(db, number)
    return by_token(db, text.strip().partition("?")[0].rpartition("/")[2])


def patterns(text: str) -> dict[str, str | int]:
    """What `text` is compared with: as it is, as a telephone number, as a card's UID in normal form and its number."""
    text = " ".join(text.split())
    plain = text.translate(WESTERN)
    phone = _phone(plain)
    # Who typed all of a number may have typed the code of a country too, which has one to three digits.
    with_code = len(phone) >= WITH_CODE_DIGITS
    return {
        "text": text,
        "pattern": _pattern(text),
        "lower": _pattern(text.lower()),
        "upper": _pattern(text.upper()),
        "title": _pattern(text.title()),
        "phone": phone,
        "phone_pattern": _pattern(phone),
        "with_code": with_code,
        **{f"without_{code}": phone[code:].lstrip("0") for code in (1, 2, 3)},
        "uid_pattern": _pattern(_part_of_uid(plain)),
        "number": card_number(plain) or 0,
    }


def card_number(text: str) -> int | None:
    """The number that is printed on a card, as somebody read it off; None for what is none."""
    digits = text.translate(WESTERN).strip().removeprefix("#")
    return int(digits) if digits.isdecimal() and len(digits) <= NUMBER_CHARS_MAX else None


def _phone(text: str) -> str:
    """The digits of a telephone number, those before a national number left out: "" for what is none."""
    digits = "".join(character for character in text if character not in PHONE_MARKS)
    if not digits.isdecimal():
        return ""
    return digits.lstrip("0") if len(digits) >= WHOLE_DIGITS else digits


def _part_of_uid(text: str) -> str:
    """Part of a UID as UIDs are kept: of a hexadecimal one without what separates its bytes."""
    joined = SEPARATORS.sub("", text).upper()
    return joined if HEX.fullmatch(joined) else normal_form(text)


def _pattern(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"
