"""What a session costs by a tariff with lines: so far, and line by line at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions.sessions import Running
from appliance.domain.identifiers import SessionId
from appliance.domain.pricing.lines import Charged
from appliance.domain.pricing.parts import Part
from appliance.domain.tariff import Bill


def set_so_far(db: Database, running: Running, so_far_minor: int) -> None:
    """As of its last reading."""
    running.so_far_minor = so_far_minor
    db.execute("UPDATE session SET so_far_minor = ? WHERE id = ?", (so_far_minor, running.id))


def store(db: Database, session: SessionId, bill: Bill, parts: Mapping[int, Sequence[Part]]) -> None:
    """The lines of its bill in the place of those of an earlier one, with what each of them priced; a bill by flat prices has none here."""
    db.execute("DELETE FROM session_line WHERE session_id = ?", (session,))
    for position, line in enumerate(bill.lines):
        if line.priced is not None:
            place, kind, (numerator, denominator), amount_minor = line.priced
            told = None if place is None else _to_text(parts.get(place, ()))
            db.execute(
                """INSERT INTO session_line (session_id, position, line, kind, quantity, amount_minor, parts)
                VALUES (?, ?, ?, ?, ?, ?, ?)""",
                (session, position, place, str(kind), f"{numerator}/{denominator}", amount_minor, told),
            )


def of_session(db: Readable, session: int) -> list[Charged]:
    """The lines of its bill, in order."""
    found = db.execute(
        "SELECT line, kind, quantity, amount_minor FROM session_line WHERE session_id = ? ORDER BY position", (session,)
    )
    return [_charged(row) for row in found]


def parts_of(db: Readable, session: int) -> dict[int, tuple[Part, ...]] | None:
    """What each line of its bill priced, by its place in the tariff; None: an older release has not kept it."""
    found = db.execute(
        "SELECT line, parts FROM session_line WHERE session_id = ? AND line IS NOT NULL", (session,)
    ).fetchall()
    if any(told is None for _, told in found):
        return None
    return {line: _from_text(told) for line, told in found}


def as_kept(db: Readable, session: int) -> list[list[Any]]:
    """The lines of its bill with all that is kept of them, for a paper; `read_kept` reads them."""
    rows = db.execute(
        "SELECT line, kind, quantity, amount_minor, parts FROM session_line WHERE session_id = ? ORDER BY position",
        (session,),
    )
    return [[*row[:4], None if row[4] is None else orjson.loads(row[4])] for row in rows]


def read_kept(rows: Sequence[Sequence[Any]]) -> tuple[list[Charged], dict[int, tuple[Part, ...]]]:
    """The lines, and what each of them priced."""
    parts = {row[0]: tuple(map(_part, row[4] or ())) for row in rows if row[0] is not None}
    return [_charged(row[:4]) for row in rows], parts


def _charged(row: Sequence[Any]) -> Charged:
    line, kind, quantity, amount_minor = row
    return Charged(line, kind, _fraction(quantity), amount_minor)


def _to_text(parts: Sequence[Part]) -> str:
    """Quantities as those of lines: numerator/denominator."""
    return orjson.dumps([[*one[:4], f"{one.quantity.numerator}/{one.quantity.denominator}"] for one in parts]).decode()


def _from_text(text: str) -> tuple[Part, ...]:
    return tuple(map(_part, orjson.loads(text)))


def _part(row: Sequence[Any]) -> Part:
    from_ms, to_ms, from_wh, to_wh, quantity = row
    return Part(from_ms, to_ms, from_wh, to_wh, Fraction(*_fraction(quantity)))


def _fraction(text: str) -> tuple[int, int]:
    parts, _, of = text.partition("/")
    return int(parts), int(of)
