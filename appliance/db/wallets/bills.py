"""Bills of sessions as rows: numbered without gaps, in series, never changed; and on whose name they are made out.

The rules are in the schema's triggers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.lists import Listed, Part, Window
from appliance.domain.bill import BillKind, PaperLine, PaperTax, Party
from appliance.domain.identifiers import AccountId, PersonId, SessionId


@dataclass(slots=True)
class Particulars:
    """What stands on a bill besides its sums, as it was when the bill was made.

    Nothing changes it. It is not frozen only because every end of a session makes one, and that would take five times as long.
    """

    seller: Party
    buyer: Party
    person: str
    language: str
    """The person's; "" for the site's."""
    station: str
    evse: int
    started_at_ms: int
    ended_at_ms: int
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int
    duration_s: int
    idle_s: int
    tariff: int
    tariff_name: str
    tax_included: bool
    """Whether the amounts of the lines are with tax."""
    lines: tuple[PaperLine, ...]
    taxes: tuple[PaperTax, ...]
    charged: Sequence[Sequence[Any]] = ()
    """By lines: what each of them priced, exactly, as db/sessions/lines.py keeps it."""

    def stored(self) -> str:
        """As it is kept."""
        return orjson.dumps(self, default=tuple).decode()  # Named tuples become lists.

    @classmethod
    def read(cls, text: str) -> Particulars:
        """Back from that."""
        found: dict[str, Any] = orjson.loads(text)
        found["seller"], found["buyer"] = Party(**found["seller"]), Party(**found["buyer"])
        found["lines"] = tuple(PaperLine(*one) for one in found["lines"])
        found["taxes"] = tuple(PaperTax(*one) for one in found["taxes"])
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Paper:
    """A bill or a credit note; the sums of a credit note are below zero."""

    number: int
    kind: BillKind
    at_ms: int
    session: SessionId
    wallet: AccountId
    person: PersonId | None
    net_minor: int
    tax_minor: int
    total_minor: int
    corrects: int | None
    corrected_by: int | None
    particulars: Particulars


PAPER = """
SELECT number, kind, at_ms, session_id, wallet_id, person_id, net_minor, tax_minor, total_minor, corrects,
       (SELECT later.number FROM bill AS later WHERE later.corrects = bill.number), details
FROM bill
"""
LIST = Listed("bill", "number", {"number": ("number",)})


def add(
    db: Database,
    kind: BillKind,
    session: SessionId,
    wallet: AccountId,
    person: PersonId | None,
    sums: tuple[int, int],
    corrects: int | None,
    particulars: Particulars,
    at_ms: int,
) -> int:
    """The next paper; `sums` are net and tax. Its number."""
    net_minor, tax_minor = sums
    number = db.insert(
        """INSERT INTO bill (number, kind, at_ms, session_id, wallet_id, person_id, net_minor, tax_minor, total_minor, corrects, details)
        VALUES ((SELECT CASE WHEN newest < bills_from THEN bills_from ELSE newest + 1 END
            FROM site, (SELECT coalesce(max(number), 0) AS newest FROM bill) AS given), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            str(kind), at_ms, session, wallet, person, net_minor, tax_minor, net_minor + tax_minor, corrects,
            particulars.stored(),
        ),
    )  # fmt: skip
    assert number is not None, "nothing leaves a bill out"
    return number


def find(db: Readable, number: int) -> Paper | None:
    """One paper."""
    row = db.execute(PAPER + "WHERE number = ?", (number,)).fetchone()
    return _paper(row) if row else None


def of_session(db: Readable, session: int) -> list[Paper]:
    """All papers of a session, the newest last."""
    rows = db.execute(PAPER + "WHERE session_id = ? ORDER BY number", (session,))
    return [_paper(row) for row in rows]


def standing(db: Readable, session: int) -> Paper | None:
    """The bill of a session that holds: the last one, unless that is a credit note."""
    row = db.execute(PAPER + "WHERE session_id = ? ORDER BY number DESC LIMIT 1", (session,)).fetchone()
    return _paper(row) if row and row[1] == BillKind.BILL else None


def part(db: Readable, window: Window, *, person: PersonId | None = None) -> Part[Paper]:
    """A page of all, or of a person's."""
    conditions, values = (["person_id = :person"], {"person": person}) if person is not None else ([], {})
    return LIST.part(db, PAPER, conditions, values, window).of(lambda rows: [_paper(row) for row in rows])


def _paper(row: tuple[Any, ...]) -> Paper:
    values: tuple[Any, ...] = (row[0], BillKind(row[1]), *row[2:-1], Particulars.read(row[-1]))
    return Paper(*values)


# --- on whose name ---------------------------------------------------------------------------------------------------------


def buyer_of(db: Readable, wallet: AccountId) -> Party:
    """On whose name the papers of a wallet are made out: as it was entered, else that of the pool whose wallet it is. Without a name it
    is the person's own.
    """
    row = db.execute(
        """SELECT CASE WHEN coalesce(buyer.name, '') <> '' THEN buyer.name WHEN is_pool = 1 THEN person.name ELSE '' END,
          coalesce(address, ''), coalesce(buyer.tax_number, '')
        FROM person LEFT JOIN buyer ON buyer.wallet_id = person.wallet_id WHERE person.wallet_id = ?""",
        (wallet,),
    ).fetchone()
    return Party(*row) if row else Party()


def entered_buyer(db: Readable, wallet: AccountId) -> Party:
    """What somebody has entered for it."""
    row = db.execute("SELECT name, address, tax_number FROM buyer WHERE wallet_id = ?", (wallet,)).fetchone()
    return Party(*row) if row else Party()


def set_buyer(db: Database, wallet: AccountId, buyer: Party) -> None:
    """From the next bill on."""
    db.execute(
        """INSERT INTO buyer (wallet_id, name, address, tax_number) VALUES (?, ?, ?, ?)
        ON CONFLICT (wallet_id) DO UPDATE SET name = excluded.name, address = excluded.address, tax_number = excluded.tax_number""",
        (wallet, buyer.name, buyer.address, buyer.tax_number),
    )


# --- what a bill is made from ------------------------------------------------------------------------------------------------


class Billed(NamedTuple):
    """A session that was just billed, as far as its paper tells of it."""

    wallet: AccountId | None
    person: PersonId | None
    name: str
    language: str
    station: str
    evse: int
    started_at_ms: int
    ended_at_ms: int
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int
    duration_s: int
    idle_s: int
    buyer_name: str
    """On whose name it is made out; see `buyer_of`."""
    buyer_address: str
    buyer_tax_number: str


def billed(db: Database, session: SessionId) -> Billed:
    """Read it."""
    row = db.execute(
        """SELECT session.wallet_id, person_id, coalesce(person.name, ''), coalesce(person.language, ''), station.name, evse,
          coalesce(started_at_ms, received_at_ms, requested_at_ms), coalesce(ended_at_ms, started_at_ms, received_at_ms),
          meter_start_wh, meter_stop_wh, energy_wh, duration_s, idle_s,
          coalesce(nullif(buyer.name, ''), pool.name, ''), coalesce(buyer.address, ''), coalesce(buyer.tax_number, '')
        FROM session JOIN station ON station.id = session.station_id LEFT JOIN person ON person.id = session.person_id
        LEFT JOIN person AS pool ON pool.id = session.pool_id
        LEFT JOIN buyer ON buyer.wallet_id = session.wallet_id
        WHERE session.id = ?""",
        (session,),
    ).fetchone()
    return Billed(*row)
