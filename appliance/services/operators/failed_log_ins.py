"""Log-ins that failed leave a trace: some rows in the audit list, however many there are, and a problem from twenty on. So do requests
with a token that opens nothing.

What was typed as a name is kept only if it is one: people type their password there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from appliance.db import operators as rows
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.problem import ProblemKind
from appliance.services import audit, problems

WINDOW_MS = 3_600_000
PROBLEM_FROM = 20
"""So many within the window; the problem is brought up to date at each double."""
ROWS_MAX = 20
"""Of the audit list, within the window."""
ROW_AGAIN_MS = 60_000
"""So soon there is another row of the same address."""
COUNTED_MAX = 5_000
STRANGER = "stranger"
"""Who it was, as far as the audit list can say."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is written down of one that failed."""

    row: bool
    missed: int
    """How many had no row since the last."""
    problem: int
    """How many there were within the window, when it is time to tell; else 0."""


@dataclass(slots=True)
class FailedLogIns:
    """Counts them while the program runs."""

    _times: deque[int] = field(default_factory=lambda: deque(maxlen=COUNTED_MAX))
    _rows: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=ROWS_MAX))
    _missed: int = 0
    _tell_from: int = PROBLEM_FROM

    def note(self, address: str, now_ms: int) -> Trace:
        """One more."""
        while self._times and not 0 <= now_ms - self._times[0] < WINDOW_MS:
            self._times.popleft()
        if len(self._times) < PROBLEM_FROM:
            self._tell_from = PROBLEM_FROM
        self._times.append(now_ms)
        problem = len(self._times) if len(self._times) >= self._tell_from else 0
        if problem:
            self._tell_from = 2 * problem
        return Trace(*self._row(address, now_ms), problem)

    def _row(self, address: str, now_ms: int) -> tuple[bool, int]:
        just_now = any(where == address and 0 <= now_ms - at_ms < ROW_AGAIN_MS for at_ms, where in self._rows)
        full = len(self._rows) == ROWS_MAX and 0 <= now_ms - self._rows[0][0] < WINDOW_MS
        if just_now or full:
            self._missed += 1
            return False, 0
        self._rows.append((now_ms, address))
        missed, self._missed = self._missed, 0
        return True, missed


def record(db: Database, trace: Trace, operator: int | None, address: str, now_ms: int) -> None:
    """Write it down; `operator` is whose name it was, if it was anybody's."""
    by, where = By(STRANGER, now_ms), {"address": address, "missed": trace.missed}
    if trace.row and operator is not None:
        audit.record(db, by, "operator.log_in_failed", f"operator:{operator}", **where)
    elif trace.row:
        audit.record(db, by, "operator.log_in_unknown", "site", **where)
    if trace.problem:
        problems.raise_problem(db, ProblemKind.LOG_INS_FAILED, "log-ins", now_ms, times=trace.problem, address=address)


def record_token(db: Database, trace: Trace, token_hash: bytes, address: str, now_ms: int) -> None:
    """The same of a request with a token that nobody has, or that was revoked."""
    by, where = By(STRANGER, now_ms), {"address": address, "missed": trace.missed}
    token = rows.revoked_token(db, token_hash) if trace.row else None
    if token is not None:
        audit.record(db, by, "token.use_revoked", f"token:{token}", **where)
    elif trace.row:
        audit.record(db, by, "token.use_unknown", "site", **where)
    if trace.problem:
        details = {"times": trace.problem, "address": address, "what": "token"}
        problems.raise_problem(db, ProblemKind.LOG_INS_FAILED, "tokens", now_ms, **details)
