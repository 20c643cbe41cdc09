"""People and cards as the console lists them: searched, filtered, sorted, summed up. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.people.people import CARD, PERSON, Card, Person, cards_in
from appliance.domain.id_token import HEX, SEPARATORS, normal_form

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
DIGITS = {ord(native): str(number % 10) for number, native in enumerate("০১২৩৪৫৬৭৮৯٠١٢٣٤٥٦٧٨٩")}


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


PEOPLE_WHERE = r"""
WHERE (closed_at_ms IS NOT NULL) = :closed AND (group_id = :group OR :group IS NULL)
  AND (:text = '' OR person.name LIKE :pattern ESCAPE '\' OR (NOT :names_only AND (
       note LIKE :pattern ESCAPE '\'
       OR (:phone <> '' AND replace(replace(phone, ' ', ''), '-', '') LIKE :phone_pattern ESCAPE '\')
       OR EXISTS (SELECT 1 FROM card WHERE card.person_id = person.id
                  AND (uid LIKE :uid_pattern ESCAPE '\' OR label LIKE :pattern ESCAPE '\')))))
"""
CARDS_WHERE = r"""
WHERE (:text = '' OR uid LIKE :uid_pattern ESCAPE '\' OR label LIKE :pattern ESCAPE '\'
       OR person.name LIKE :pattern ESCAPE '\' OR printf('%04d', card.number) = :number)
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
    found = cards_in(rows)
    count = db.execute(f"SELECT count(*) FROM card JOIN person ON person.id = person_id {CARDS_WHERE}", values)
    return Cards(found, count.fetchone()[0])


def patterns(text: str) -> dict[str, str]:
    """What `text` is compared with: as it is, as a telephone number, as a card's UID in normal form."""
    text = " ".join(text.split())
    plain = text.translate(DIGITS)
    phone = "".join(character for character in plain if character.isdigit() or character == "+")
    if any(character.isalpha() for character in plain):
        phone = ""
    return {
        "text": text,
        "pattern": _pattern(text),
        "phone": phone,
        "phone_pattern": _pattern(phone),
        "uid_pattern": _pattern(_part_of_uid(plain)),
        "number": plain.zfill(4),
    }


def _part_of_uid(text: str) -> str:
    """Part of a UID as UIDs are kept: of a hexadecimal one without what separates its bytes."""
    joined = SEPARATORS.sub("", text).upper()
    return joined if HEX.fullmatch(joined) else normal_form(text)


def _pattern(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"
