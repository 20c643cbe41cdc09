"""The closing sheet of a month: what was charged and taken, what every account held before and after, and where both chains ended."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.db import month_end as rows
from appliance.db import reports, takings
from appliance.db.engine.protocols import Readable
from appliance.db.integrity.anchors import Anchor
from appliance.db.month_end import AccountMonth, ChainEnd, Papers
from appliance.db.reports import Total
from appliance.db.takings import Taken
from appliance.domain.calendar import day_bounds


@dataclass(frozen=True, slots=True)
class MonthSheet:
    """One month."""

    is_over: bool
    """Until then its figures change."""
    charged: Total
    taken: dict[str, Taken]
    """By way of paying."""
    accounts: list[AccountMonth]
    receipts: Papers
    z_reports: Papers
    ledger_end: ChainEnd
    audit_end: ChainEnd
    anchor: Anchor | None
    """The last one of the month: the same under a key that is not in the books."""


def sheet(db: Readable, first: str, last: str, zone: ZoneInfo, now_ms: int) -> MonthSheet:
    """Of the month from its first to its last day."""
    from_ms, until_ms = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    taken: dict[str, Taken] = {}
    for (_day, _actor, method), one in takings.takings(db, first, last, zone).items():
        taken[method] = taken.get(method, Taken()).with_all_of(one)
    return MonthSheet(
        now_ms >= until_ms,
        reports.total(db, first, last),
        dict(sorted(taken.items())),
        rows.accounts(db, from_ms, until_ms),
        rows.receipts(db, from_ms, until_ms),
        rows.z_reports(db, from_ms, until_ms),
        rows.chain_end(db, "transfer", until_ms),
        rows.chain_end(db, "audit", until_ms),
        rows.last_anchor(db, until_ms),
    )
