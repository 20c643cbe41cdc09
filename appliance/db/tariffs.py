"""Tariffs as rows. A price never changes: a tariff that is edited becomes a new row."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.order import natural
from appliance.domain.tariff import TARIFF_FIELDS, Tariff

COLUMNS = ", ".join(TARIFF_FIELDS)
GIVEN = TARIFF_FIELDS[1:]
"""What a new row is given: all but its number."""


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A tariff and its standing."""

    tariff: Tariff
    is_default: bool
    created_at_ms: int
    archived_at_ms: int | None


def find(db: Readable, tariff_id: int | None) -> Tariff | None:
    """A tariff by number, archived ones included: old sessions refer to them."""
    row = db.execute(f"SELECT {COLUMNS} FROM tariff WHERE id = ?", (tariff_id,)).fetchone()
    return Tariff(*row) if row else None


def default(db: Readable) -> Tariff | None:
    """The tariff of groups that have none of their own."""
    row = db.execute(f"SELECT {COLUMNS} FROM tariff WHERE is_default = 1").fetchone()
    return Tariff(*row) if row else None


def current(db: Readable) -> list[TariffRow]:
    """All that are not archived, the default first."""
    found = db.execute(
        f"SELECT {COLUMNS}, is_default, created_at_ms, archived_at_ms FROM tariff WHERE archived_at_ms IS NULL ORDER BY id"
    )
    return sorted(map(to_row, found), key=lambda row: (not row.is_default, natural(row.tariff.name)))


def successor(db: Readable, row: TariffRow) -> int | None:
    """The tariff that took the place of an archived one: added after it, in the very moment in which it was archived."""
    found = db.execute(
        "SELECT min(id) FROM tariff WHERE created_at_ms = ? AND id > ?", (row.archived_at_ms, row.tariff.id)
    ).fetchone()
    return None if found[0] is None else int(found[0])


def show(db: Readable, tariff_id: int) -> TariffRow | None:
    """One, with its standing."""
    row = db.execute(
        f"SELECT {COLUMNS}, is_default, created_at_ms, archived_at_ms FROM tariff WHERE id = ?", (tariff_id,)
    ).fetchone()
    return to_row(row) if row else None


def add(db: Database, tariff: Tariff, now_ms: int) -> int:
    """A new row; its number. `tariff.id` is not used."""
    row = db.execute(
        f"""INSERT INTO tariff ({", ".join(GIVEN)}, created_at_ms) VALUES ({"?, " * len(GIVEN)}?) RETURNING id""",
        (*(getattr(tariff, field) for field in GIVEN), now_ms),
    ).fetchone()
    return int(row[0])


def make_default(db: Database, tariff_id: int) -> None:
    """Let this one stand for groups without their own."""
    db.execute("UPDATE tariff SET is_default = 0 WHERE is_default = 1")
    db.execute("UPDATE tariff SET is_default = 1 WHERE id = ?", (tariff_id,))


def archive(db: Database, tariff_id: int, now_ms: int) -> None:
    """Take it out of use; sessions that began with it keep it."""
    db.execute("UPDATE tariff SET archived_at_ms = ?, is_default = 0 WHERE id = ?", (now_ms, tariff_id))


def to_row(row: tuple[object, ...]) -> TariffRow:
    *values, is_default, created_at_ms, archived_at_ms = row
    return TariffRow(Tariff(*values), bool(is_default), created_at_ms, archived_at_ms)  # type: ignore[arg-type]
