"""The money, reconciled: what the rows of the ledger come to, with all that is told of it elsewhere.

Whole at the start, once chargers are served, and every night; in between only what has come since the last time. What that came to is
kept in the memory of the process, where whoever changes the books does not reach it.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.store import Store
from appliance.db.integrity import anchors
from appliance.db.reconciling import comparing, rows
from appliance.db.reconciling.rows import Sums
from appliance.domain.reconciling import Difference, DifferenceKind
from appliance.services.reconciling import stop


@dataclass(slots=True)
class Reconciler:
    """Compares, and remembers how far it has come."""

    sums: Sums | None = None

    async def whole(self, store: Store, now_ms: int) -> None:
        """All of it."""
        await self._run(store, Sums(), now_ms)

    async def since(self, store: Store, now_ms: int) -> None:
        """What has come since the last time; the first time all of it."""
        await self._run(store, self.sums.copy() if self.sums is not None else Sums(), now_ms)

    async def _run(self, store: Store, sums: Sums, now_ms: int) -> None:
        found = await store.read(reconcile, sums)
        await store.write(stop.report, found, now_ms)
        self.sums = sums


def reconcile(db: Readable, sums: Sums) -> list[Difference]:
    """What differs; [] when all agrees. `sums` are brought up to date: with none in them everything is read."""
    since, whole = sums.seq, not sums.seq
    moved = rows.add_up(db, sums)
    return [
        *moved.broken,
        *_anchored(db),
        *comparing.accounts(db, sums),
        *comparing.holds(db, sums),
        *comparing.bills(db, moved, whole=whole),
        *comparing.receipts(db, sums, moved),
        *comparing.drawers(db, since),
        *comparing.outstanding_vouchers(db, sums),
        *comparing.taken_over(db, sums),
    ]


def _anchored(db: Readable) -> list[Difference]:
    """The newest anchor names a row that is still there as it was: a chain that was written anew agrees with itself only."""
    last = anchors.newest(db)
    if last is None or not last.transfer_seq or rows.hash_of(db, last.transfer_seq) == last.transfer_hash:
        return []
    return [Difference(DifferenceKind.CHAIN, last.transfer_seq, 0, 0)]
