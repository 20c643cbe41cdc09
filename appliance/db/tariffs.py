"""Tariffs as rows. A price never changes: a tariff that is edited becomes a new row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.tariff_terms import from_text, to_text
from appliance.domain.order import natural
from appliance.domain.tariff import TARIFF_FIELDS, Tariff

COLUMNS = ", ".join(TARIFF_FIELDS)
GIVEN = TARIFF_FIELDS[1:]
"""What a new row is given: all but its number; its lines, the last of them, as a text."""


STANDING = "is_default, created_at_ms, archived_at_ms, valid_from_ms, follows_id"


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A tariff and its standing."""

    tariff: Tariff
    is_default: bool
    created_at_ms: int
    archived_at_ms: int | None
    valid_from_ms: int | None
    """None: it held as soon as it was made."""
    follows_id: int | None
    """Whose place it takes when it holds."""

    def waits(self, now_ms: int) -> bool:
        """Whether it does not hold yet."""
        return self.valid_from_ms is not None and self.valid_from_ms > now_ms


def find(db: Readable, tariff_id: int | None) -> Tariff | None:
    """A tariff by number, archived ones included: old sessions refer to them."""
    row = db.execute(f"SELECT {COLUMNS} FROM tariff WHERE id = ?", (tariff_id,)).fetchone()
    return to_tariff(row) if row else None


def default(db: Readable) -> Tariff | None:
    """The tariff of groups that have none of their own."""
    row = db.execute(f"SELECT {COLUMNS} FROM tariff WHERE is_default = 1").fetchone()
    return to_tariff(row) if row else None


def current(db: Readable) -> list[TariffRow]:
    """All that are not archived, the default first."""
    found = db.execute(f"SELECT {COLUMNS}, {STANDING} FROM tariff WHERE archived_at_ms IS NULL ORDER BY id")
    return sorted(map(to_row, found), key=lambda row: (not row.is_default, natural(row.tariff.name)))


def successor(db: Readable, row: TariffRow) -> int | None:
    """The tariff that took the place of an archived one. Versions of older releases do not name it: they were added after it, in
    the very moment in which it was archived.
    """
    values = {"at": row.archived_at_ms, "number": row.tariff.id}
    found = db.execute(
        "SELECT min(id) FROM tariff WHERE follows_id = :number AND coalesce(valid_from_ms, 0) <= :at", values
    ).fetchone()
    if found[0] is None:
        found = db.execute(
            "SELECT min(id) FROM tariff WHERE created_at_ms = :at AND id > :number AND follows_id IS NULL", values
        ).fetchone()
    return None if found[0] is None else int(found[0])


def due(db: Readable, now_ms: int) -> list[TariffRow]:
    """Those that hold by now and have not taken the place of another yet, the first first."""
    found = db.execute(
        f"""SELECT {COLUMNS}, {STANDING} FROM tariff WHERE archived_at_ms IS NULL AND valid_from_ms <= ?
          AND follows_id IN (SELECT id FROM tariff WHERE archived_at_ms IS NULL) ORDER BY valid_from_ms, id""",
        (now_ms,),
    )
    return list(map(to_row, found.fetchall()))


def show(db: Readable, tariff_id: int) -> TariffRow | None:
    """One, with its standing."""
    row = db.execute(f"SELECT {COLUMNS}, {STANDING} FROM tariff WHERE id = ?", (tariff_id,)).fetchone()
    return to_row(row) if row else None


def add(
    db: Database, tariff: Tariff, now_ms: int, *, valid_from_ms: int | None = None, follows_id: int | None = None
) -> int:
    """A new row; its number. `tariff.id` is not used."""
    row = db.execute(
        f"""INSERT INTO tariff ({", ".join(GIVEN)}, created_at_ms, valid_from_ms, follows_id)
        VALUES ({"?, " * len(GIVEN)}?, ?, ?) RETURNING id""",
        (*(getattr(tariff, field) for field in GIVEN[:-1]), to_text(tariff.terms), now_ms, valid_from_ms, follows_id),
    ).fetchone()
    return int(row[0])


def make_default(db: Database, tariff_id: int) -> None:
    """Let this one stand for groups without their own."""
    db.execute("UPDATE tariff SET is_default = 0 WHERE is_default = 1")
    db.execute("UPDATE tariff SET is_default = 1 WHERE id = ?", (tariff_id,))


def hand_on(db: Database, tariff_id: int, number: int) -> None:
    """What waits to follow a tariff follows the one that has taken its place."""
    db.execute(
        "UPDATE tariff SET follows_id = ? WHERE follows_id = ? AND archived_at_ms IS NULL AND id <> ?",
        (number, tariff_id, number),
    )


def archive(db: Database, tariff_id: int, now_ms: int) -> None:
    """Take it out of use; sessions that began with it keep it."""
    db.execute("UPDATE tariff SET archived_at_ms = ?, is_default = 0 WHERE id = ?", (now_ms, tariff_id))


def to_row(row: tuple[object, ...]) -> TariffRow:
    *values, is_default, created_at_ms, archived_at_ms, valid_from_ms, follows_id = row
    return TariffRow(to_tariff(values), bool(is_default), created_at_ms, archived_at_ms, valid_from_ms, follows_id)  # type: ignore[arg-type]


def to_tariff(values: Sequence[Any]) -> Tariff:
    """What `COLUMNS` are."""
    terms = values[-1]
    fields = (*values[:-1], None if terms is None else from_text(terms))
    return Tariff(*fields)
