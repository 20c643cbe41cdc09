"""People and cards as they are looked for: searched, filtered, sorted, summed up. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db import ledger
from appliance.db.cards.cards import CARD, Card, by_number, by_token, by_uid, from_rows
from appliance.db.engine.protocols import Readable
from appliance.db.lists import Listed, Part, Window
from appliance.db.people.payers import uid_behind
from appliance.db.people.people import PERSON, Person, count, phone_digits
from appliance.domain.digits import WESTERN
from appliance.domain.id_token import HEX, SEPARATORS, normal_form, readings
from appliance.domain.order import natural
from appliance.domain.words import folded

PEOPLE = Listed(
    "person JOIN account ON account.id = wallet_id",
    "person.id",
    {
        "name": ("person.name_key", "person.id"),
        "phone": ("phone_digits", "person.id"),
        "balance": ("credit_posted - debit_posted", "account.id"),
        "since": ("person.id",),
    },
)
WALLETS = "kind = 'wallet'"
"""Where this is said, the index of balances is the way to the people: the right one to all of them in that order, and to no others."""
CARDS = Listed(
    "card JOIN person ON person.id = card.person_id",
    "card.id",
    {
        "since": ("card.id",),
        "holder": ("person.name_key", "person.id", "card.id"),
        "label": ("label = ''", "label_key", "card.id"),
        "number": ("card.number",),
        "uid": ("uid",),
    },
)
"""Each order is that of an index: a page ends where it is full. States and groups are chosen, and so is what is open with a card."""
WHOLE_DIGITS = 7
"""From so many digits on a telephone number is taken to be whole: zeros in front then only say from where it is dialled."""
WITH_CODE_DIGITS = 10
CODE_DIGITS_MAX = 3
"""Of a country."""
NUMBER_CHARS_MAX = 7
"""More digits than that are a UID or a telephone number, not the number printed on a card."""
WORDS_MAX = 6
"""Of a name: each is one more condition for each row."""
Values = dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Sums:
    """How many people there are, and what all of them have."""

    count: int
    balance_minor: int


LEFT, HERE = "closed_at_ms IS NOT NULL", "closed_at_ms IS NULL"
CARD_STATES = {
    "charging": "blocked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)",
    "blocked": "blocked_at_ms IS NOT NULL",
    "lost": "replaced_by IS NOT NULL",
    "returned": "blocked_at_ms IS NOT NULL AND blocked_why IN ('returned', 'undone')",
    "expired": "blocked_at_ms IS NULL AND expires_at_ms <= :now_ms",
    "unwritten": "content IN ('pending', 'wiping')",
}
"""What the list of cards can be narrowed to."""


def people(db: Readable, *, text: str = "", limit: int = 100, names_only: bool = False) -> list[Person]:
    """Who is here and has `text` in name, phone, note or card, by name.

    `names_only`: for those who may not see the rest, because whoever is found by it has been told it.
    """
    window = Window("name", rows=limit)
    return people_page(db, window, text=text, names_only=names_only).rows


def people_page(
    db: Readable,
    window: Window,
    *,
    text: str = "",
    group: int | None = None,
    closed: bool = False,
    names_only: bool = False,
) -> Part[Person]:
    """A page of the same people, also of one group, or of those who left. Raises KeyError for an order there is not."""
    values = {**patterns(text), "group": group}
    which = [_which_people(values, group, closed=closed, names_only=names_only)]
    if window.sort == "balance" and group is None and not closed:
        which.append(WALLETS)
    return PEOPLE.part(db, PERSON, which, values, window).of(lambda rows: [Person(*row) for row in rows])


def alike(db: Readable, name: str, phone: str, limit: int = 5) -> list[Person]:
    """Whoever may be the same: with the same words for a name, or the same telephone; those who are here before those who left."""
    values = patterns(phone)
    numbers = [condition for condition in _is_noted(values) if "phone_digits" in condition]
    named = _words(" ".join(name.split()))
    if not named and not numbers:
        return []
    rows = db.execute(
        f"""{PERSON} WHERE merged_into IS NULL AND {_any([*_is_named(named), *numbers])}
        ORDER BY closed_at_ms IS NOT NULL, person.id""",
        {**values, **named},
    )
    found = [Person(*row) for row in rows]
    words = sorted(natural(name).split())
    same = [one for one in found if sorted(natural(one.name).split()) == words or _is_same_number(one.phone, phone)]
    return same[:limit]


def _is_same_number(one: str, other: str) -> bool:
    """Whether two telephone numbers are one, with or without the code of a country before them."""
    digits = sorted((phone_digits(one).lstrip("0"), phone_digits(other).lstrip("0")), key=len)
    if len(digits[0]) < WHOLE_DIGITS:
        return digits[0] == digits[1] != ""
    return digits[1].endswith(digits[0]) and len(digits[1]) - len(digits[0]) <= CODE_DIGITS_MAX


def people_after(
    db: Readable, *, text: str = "", group: int | None = None, closed: bool = False, after: int, limit: int
) -> list[Person]:
    """The same people by their numbers, for programs; the next page begins `after` the last."""
    values = {**patterns(text), "group": group, "after": after, "limit": limit}
    rows = db.execute(
        f"""{PERSON} WHERE {_which_people(values, group, closed=closed)} AND person.id > :after
        ORDER BY person.id LIMIT :limit""",
        values,
    )
    return [Person(*row) for row in rows]


def sums(db: Readable, *, group: int | None = None, closed: bool = False) -> Sums:
    """Of all people, or of a group. Who is looked for by a text is not counted: a page of them can be had for less."""
    if group is None and not closed:
        left = _sums_one_by_one(db, None, closed=True)
        return Sums(count(db), ledger.in_wallets_minor(db) - left.balance_minor)
    return _sums_one_by_one(db, group, closed=closed)


def _sums_one_by_one(db: Readable, group: int | None, *, closed: bool) -> Sums:
    # Written as a cross join, because the order is meant: from those people to their wallets.
    values = {**patterns(""), "group": group}
    row = db.execute(
        f"""SELECT count(*), coalesce(sum(credit_posted - debit_posted), 0)
        FROM person CROSS JOIN account WHERE account.id = wallet_id AND {_which_people(values, group, closed=closed)}""",
        values,
    ).fetchone()
    return Sums(*row)


def cards(db: Readable, *, text: str = "", state: str = "", now_ms: int = 0, limit: int = 100) -> list[Card]:
    """The newest cards whose UID, label or holder has `text` in it, or whose number it is; `state` is "" or one of CARD_STATES
    at `now_ms`.
    """
    window = Window("since", falls=True, rows=limit)
    return cards_page(db, window, text=text, state=state, now_ms=now_ms).rows


def cards_page(db: Readable, window: Window, *, text: str = "", state: str = "", now_ms: int = 0) -> Part[Card]:
    """A page of the same cards. Raises KeyError for an order there is not."""
    values = {**patterns(text), "now_ms": now_ms}
    return CARDS.part(db, CARD, [_which_cards(values, state)], values, window).of(from_rows)


def count_cards(db: Readable, *, state: str = "", now_ms: int = 0) -> int:
    """How many cards there are, or are in a state."""
    values = {**patterns(""), "now_ms": now_ms}
    row = db.execute(f"SELECT count(*) FROM card WHERE {_which_cards(values, state)}", values).fetchone()
    return int(row[0])


def cards_numbered_after(db: Readable, number: int, *, text: str, state: str, now_ms: int, limit: int) -> list[Card]:
    """The same cards in the order of the numbers printed on them, for files; from the one after `number` on."""
    values = {**patterns(text), "now_ms": now_ms, "after": number, "limit": limit}
    return from_rows(
        db.execute(
            f"{CARD} WHERE {_which_cards(values, state)} AND card.number > :after ORDER BY card.number LIMIT :limit",
            values,
        )
    )


def cards_after(db: Readable, *, text: str = "", after: int, limit: int) -> list[Card]:
    """The same cards in the order in which they came, for programs; the next page begins `after` the last."""
    values = {**patterns(text), "after": after, "limit": limit}
    return from_rows(
        db.execute(
            f"{CARD} WHERE {_which_cards(values, '')} AND card.id > :after ORDER BY card.id LIMIT :limit", values
        )
    )


# Only what is asked for stands in a query: each condition costs its time for every row, and one that may be left out hides an index.


def _which_people(values: Values, group: int | None, *, closed: bool, names_only: bool = False) -> str:
    """The condition for them, with `patterns` among the values."""
    asked = [LEFT if closed else HERE]
    if group is not None:
        asked.append("group_id = :group")
    if values["text"]:
        said = _is_named(values)
        if not names_only:
            said += [
                *_is_noted(values),
                f"person.id IN (SELECT card.person_id FROM card WHERE {_any(_is_card(values))})",
            ]
        asked.append(_any(said))
    return " AND ".join(asked)


def _which_cards(values: Values, state: str) -> str:
    asked = [f"({CARD_STATES[state]})"] if state else []
    if values["text"]:
        asked.append(_any([*_is_named(values), *_is_card(values)]))
    return " AND ".join(asked) or "TRUE"


def _is_named(values: Values) -> list[str]:
    """Each word of it is in the name, in whatever order."""
    names = [name for name in values if name.startswith("word_")]
    return [" AND ".join(rf"person.name_words LIKE :{name} ESCAPE '\'" for name in names)]


def _is_noted(values: Values) -> list[str]:
    said = [r"phone LIKE :pattern ESCAPE '\'", r"note_words LIKE :pattern ESCAPE '\'"]
    if values["phone"]:
        said.append("phone_digits LIKE :phone_pattern")
    return said + (["ltrim(phone_digits, '0') IN (:without_1, :without_2, :without_3)"] if values["with_code"] else [])


def _is_card(values: Values) -> list[str]:
    return [
        r"uid LIKE :uid_pattern ESCAPE '\'",
        r"label_words LIKE :pattern ESCAPE '\'",
        r"card.id IN (SELECT card_id FROM card_alias WHERE token LIKE :uid_pattern ESCAPE '\')",
        *(["card.number = :number"] if values["number"] else []),
    ]


def _any(conditions: list[str]) -> str:
    return f"({' OR '.join(conditions)})"


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


def patterns(text: str) -> Values:
    """What `text` is compared with: as it is, as a telephone number, as a card's UID in normal form and its number."""
    text = " ".join(text.split())
    plain = text.translate(WESTERN)
    phone = _phone(plain)
    # Who typed all of a number may have typed the code of a country too, which has one to three digits.
    with_code = len(phone) >= WITH_CODE_DIGITS
    return {
        "text": text,
        "pattern": _pattern(folded(text)),
        **_words(text),
        "phone": phone,
        "phone_pattern": _pattern(phone),
        "with_code": with_code,
        **{f"without_{code}": phone[code:].lstrip("0") for code in (1, 2, 3)},
        "uid_pattern": _pattern(_part_of_uid(plain)),
        "number": card_number(plain) or 0,
    }


def _words(text: str) -> Values:
    """Each word of a name, as it is found there; what is beyond so many counts as one."""
    return {f"word_{place}": _pattern(word) for place, word in enumerate(folded(text).split(maxsplit=WORDS_MAX - 1))}


def card_number(text: str) -> int | None:
    """The number that is printed on a card, as somebody read it off; None for what is none."""
    digits = text.translate(WESTERN).strip().removeprefix("#")
    return int(digits) if digits.isdecimal() and len(digits) <= NUMBER_CHARS_MAX else None


def _phone(text: str) -> str:
    """The digits of a telephone number, those before a national number left out: "" for what is none."""
    digits = phone_digits(text)
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
