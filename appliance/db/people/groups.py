"""Groups as rows: who pays how."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import AccountId, GroupId
from appliance.domain.order import natural


@dataclass(frozen=True, slots=True)
class Group:
    """Who pays how."""

    id: GroupId
    name: str
    policy: str
    limit_minor: int | None
    tariff_id: int | None
    people: int
    minimum_minor: int | None = None
    """With how much a session may begin; None: as the site's setting."""
    emergency_minor: int = 0
    """How far below nothing whoever pays beforehand may go, once until it is paid in again."""
    low_minor: int | None = None
    """Below what somebody calls them; None: as the site's setting, 0: never."""


GROUP = """
SELECT id, name, policy, limit_minor, tariff_id,
       (SELECT count(*) FROM person WHERE group_id = person_group.id AND closed_at_ms IS NULL),
       minimum_minor, emergency_minor, low_minor
FROM person_group
"""


def all_by_name(db: Readable) -> list[Group]:
    """All groups, by name."""
    return sorted((Group(*row) for row in db.execute(GROUP)), key=lambda group: natural(group.name))


def find(db: Readable, group: GroupId) -> Group | None:
    """One group."""
    row = db.execute(GROUP + "WHERE id = ?", (group,)).fetchone()
    return Group(*row) if row else None


def named(db: Readable, name: str) -> Group | None:
    """One group by its name."""
    row = db.execute(GROUP + "WHERE name = ?", (name,)).fetchone()
    return Group(*row) if row else None


def add(db: Database, name: str, policy: str, limit_minor: int | None, tariff_id: int | None, now_ms: int) -> GroupId:
    """A new group."""
    row = db.execute(
        "INSERT INTO person_group (name, policy, limit_minor, tariff_id, created_at_ms) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (name, policy, limit_minor, tariff_id, now_ms),
    ).fetchone()
    return GroupId(row[0])


def change(
    db: Database, group: GroupId, *, name: str, policy: str, limit_minor: int | None, tariff_id: int | None
) -> None:
    """Name, policy, limit and tariff."""
    db.execute(
        "UPDATE person_group SET name = ?, policy = ?, limit_minor = ?, tariff_id = ? WHERE id = ?",
        (name, policy, limit_minor, tariff_id, group),
    )


def set_thresholds(
    db: Database, group: GroupId, *, minimum_minor: int | None, emergency_minor: int, low_minor: int | None
) -> None:
    """With how much they may begin, how far below nothing they may go, and below what somebody calls them."""
    db.execute(
        "UPDATE person_group SET minimum_minor = ?, emergency_minor = ?, low_minor = ? WHERE id = ?",
        (minimum_minor, emergency_minor, low_minor, group),
    )


def move_to_tariff(db: Database, from_tariff: int, to_tariff: int) -> None:
    """Groups of a tariff that was replaced go with the new one."""
    db.execute("UPDATE person_group SET tariff_id = ? WHERE tariff_id = ?", (to_tariff, from_tariff))


def wallets(db: Readable, group: GroupId) -> list[AccountId]:
    """The wallets of all who are in it."""
    return [AccountId(row[0]) for row in db.execute("SELECT wallet_id FROM person WHERE group_id = ?", (group,))]
