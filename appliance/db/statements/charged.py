"""The sessions of a statement: what they were, by their bills as far as they have one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.engine.sql import marks
from appliance.domain.bill import PaperLine, PaperTax
from appliance.domain.tariff import Tariff

AT_ONCE = 400
FROZEN = ("station", "evse", "person", "started_at_ms", "energy_wh", "duration_s")
"""What a bill says of a session, under the same names as its row."""


@dataclass(frozen=True, slots=True)
class Charged:
    """A session as a statement tells of it."""

    id: int
    station: str
    evse: int
    person: str
    started_at_ms: int
    energy_wh: int
    duration_s: int
    bill: int | None
    """None: it ended before there were bills, and what stands here is what its row says."""
    tax_minor: int
    tax_included: bool
    tariff: Tariff | None
    lines: tuple[PaperLine, ...]
    taxes: tuple[PaperTax, ...]


def of_sessions(db: Readable, sessions: Sequence[int], until_ms: int) -> dict[int, Charged]:
    """What the last bill before a moment says of each."""
    found: dict[int, Charged] = {}
    known: dict[int | None, Tariff | None] = {}
    for begin in range(0, len(sessions), AT_ONCE):
        some = sessions[begin : begin + AT_ONCE]
        for row in db.execute(
            f"""SELECT session.id, station.name, session.evse, coalesce(person.name, ''), coalesce(started_at_ms, received_at_ms, 0), energy_wh,
              duration_s, session.tax_minor, session.tariff_id, bill.number, bill.tax_minor, bill.details
            FROM session JOIN station ON station.id = session.station_id LEFT JOIN person ON person.id = session.person_id
            LEFT JOIN bill ON bill.number = (SELECT max(paper.number) FROM bill AS paper
              WHERE paper.session_id = session.id AND paper.kind = 'bill' AND paper.at_ms < ?)
            WHERE session.id IN ({marks(some)})""",
            (until_ms, *some),
        ):
            found[row[0]] = _charged(db, row, known)
    return found


def _charged(db: Readable, row: tuple[Any, ...], known: dict[int | None, Tariff | None]) -> Charged:
    *live, tax_minor, tariff, number, billed_tax_minor, details = row
    if details is None:
        found: tuple[Any, ...] = (*live, None, tax_minor, False)
        lines: tuple[PaperLine, ...] = ()
        taxes: tuple[PaperTax, ...] = ()
    else:
        said = orjson.loads(details)
        tariff = said["tariff"]
        found = (row[0], *(said[name] for name in FROZEN), number, billed_tax_minor, said["tax_included"])
        lines = tuple(PaperLine(*one) for one in said["lines"])
        taxes = tuple(PaperTax(*one) for one in said["taxes"])
    if tariff not in known:
        known[tariff] = tariffs.find(db, tariff)
    found = (*found, known[tariff], lines, taxes)
    return Charged(*found)
