"""Seals of what never changes once it is over: sessions with their bills, days and readings, jobs of the card desk, vouchers, and
requests that were done.

Full hundreds have one seal together, so that years are a small file.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Any

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.sessions.open_sessions import IS_OPEN

BLOCK = 100
SEAL_CHARS = 16
DAY_MS = 86_400_000
READINGS_MS = 35 * DAY_MS
"""Readings of older sessions are looked at no more: there are many, and in time they go."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that have seals, by number: their own values, after whether they may change yet, and those of other tables."""

    query: str
    parts: tuple[str, ...] = ()
    """By the same number, in its order."""
    grows: bool = False
    """Rows may be added to it later: what was there then is there still."""
    called: str = "session"
    """What it is, in words."""


KINDS = {
    "session": Kind(f"""
SELECT id, CASE WHEN {IS_OPEN} THEN 1 ELSE 0 END, station_id, evse, id_token, policy, tariff_id, "authorization", started_at_ms, requested_at_ms,
  requested_by, received_at_ms FROM session WHERE id >= :least ORDER BY id"""),
    "session.bill": Kind(
        f"""
SELECT id, CASE WHEN {IS_OPEN} OR parked_since_ms IS NOT NULL THEN 1 ELSE 0 END, state, meter_start_wh, person_id, card_id, wallet_id, held_minor,
  slices, stop_wanted, ended_at_ms, meter_stop_wh, stop_reason, energy_wh, duration_s, idle_s, net_minor, tax_minor, fee_minor, estimated, note,
  id_token_type, read_wh, stamped_at_ms, start_source, stood_still, so_far_minor, limited_by FROM session WHERE id >= :least ORDER BY id""",
        (
            """SELECT session_id, day, station_id, working_s, energy_wh, fee_minor, first_day FROM session_day WHERE session_id >= :least
            ORDER BY session_id, day""",
            """SELECT session_id, position, line, kind, quantity, amount_minor, parts FROM session_line WHERE session_id >= :least
            ORDER BY session_id, position""",
            """SELECT session_id, energy_wh, position, duration_s, idle_s, ended_at_ms, meter_stop_wh, net_minor, tax_minor FROM session_figure
            WHERE session_id >= :least ORDER BY session_id, energy_wh""",
            "SELECT session_id, begin_at_ms, end_at_ms FROM pause_span WHERE session_id >= :least ORDER BY session_id, begin_at_ms",
            "SELECT session_id, start_mwh FROM register_fraction WHERE session_id >= :least ORDER BY session_id",
            "SELECT session_id, begin_at_ms, end_at_ms FROM idle_span WHERE session_id >= :least ORDER BY session_id, begin_at_ms",
        ),
    ),
    "session.course": Kind(
        f"""
SELECT id, CASE WHEN {IS_OPEN} OR parked_since_ms IS NOT NULL THEN 1 ELSE 0 END, group_id, holiday_list_id FROM session WHERE id >= :least ORDER BY id""",
        (
            "SELECT session_id, begin_at_ms, end_at_ms FROM pause_span WHERE session_id >= :least ORDER BY session_id, begin_at_ms",
            "SELECT session_id, position, parts FROM session_line WHERE session_id >= :least ORDER BY session_id, position",
        ),
    ),
    "session.readings": Kind(
        f"""
SELECT session_id, CASE WHEN {IS_OPEN} THEN 1 ELSE 0 END, sampled_at_ms, sample.energy_wh, power_w, current_ma, voltage_mv, soc_percent, others,
  interval_wh, content FROM sample JOIN session ON session.id = session_id WHERE session_id >= :least ORDER BY session_id, sampled_at_ms, content""",
        grows=True,
        called="readings of session",
    ),
    "session.signed": Kind(
        f"""
SELECT session_id, CASE WHEN {IS_OPEN} THEN 1 ELSE 0 END, position, at_ms, context, data, digest FROM signed_value
JOIN session ON session.id = session_id WHERE session_id >= :least ORDER BY session_id, position""",
        grows=True,
        called="signed values of session",
    ),
    "bill": Kind(
        """
SELECT number, 0, kind, at_ms, session_id, wallet_id, person_id, net_minor, tax_minor, total_minor, corrects, details FROM bill
WHERE number >= :least ORDER BY number""",
        called="bill",
    ),
    "statement": Kind(
        """
SELECT number, 0, wallet_id, person_id, group_id, month, issued_at_ms, due_at_ms, after_seq, until_seq, before_minor, sessions_minor, topups_minor,
  refunds_minor, corrections_minor, after_minor, details FROM statement WHERE number >= :least ORDER BY number""",
        called="statement",
    ),
    "desk_job": Kind(
        """
SELECT id, CASE WHEN state IN ('done', 'failed') THEN 0 ELSE 1 END, desk, kind, state, request, person_id, card_id, receipt, made, undone, actor,
  created_at_ms FROM desk_job WHERE id >= :least ORDER BY id""",
        ("SELECT job_id, card_id FROM batch_card WHERE job_id >= :least ORDER BY job_id, card_id",),
        called="job of the card desk",
    ),
    "voucher": Kind(
        """
SELECT id, CASE WHEN over_at_ms IS NULL THEN 1 ELSE 0 END, batch_id, number, state, sold_at_ms, sold_by, receipt, over_at_ms, over_by, person_id
FROM voucher WHERE id >= :least ORDER BY id""",
        called="voucher",
    ),
    "request": Kind(
        f"""
SELECT at_ms / {DAY_MS}, 0, scope, key, request_hash, status, response, at_ms FROM idempotency WHERE at_ms >= :least * {DAY_MS}
ORDER BY at_ms / {DAY_MS}, scope, key""",
        grows=True,
        called="requests that were done, day",
    ),
}  # fmt: skip
"""By name. A new one is looked at from the first time that it is sealed; the values of those that there are do not change."""
BEGUN = "session.begun"
ASKED = f"""
SELECT id, station_id, id_token, id_token_type, policy, tariff_id, person_id, card_id, wallet_id, requested_at_ms, requested_by, evse,
  "authorization", meter_start_wh FROM session
WHERE {IS_OPEN} AND evse > 0 AND meter_start_wh IS NOT NULL AND id NOT IN (SELECT session_id FROM station_transaction)
"""
"""What a session is that runs, from its first moment to its end; but of one that its station names much may be told later."""
SAME = ASKED.replace(f"{IS_OPEN} AND", "id = ? AND")


def seals(db: Readable, key: bytes, now_ms: int) -> dict[str, str]:
    """By name; the newest hundred, and those in which something may change yet, one by one."""
    found = begun(db, key)
    for name, kind in KINDS.items():
        blocks = _blocks(db, key, name, kind, _first_sealed(db, name, now_ms))
        for number, block in blocks.items():
            if number < max(blocks) and all(block.values()):
                found[f"{name}.block:{number}"] = _together(block, key, kind)
            else:
                found |= {f"{name}:{one}": seal for one, seal in block.items() if seal}
    return found


def begun(db: Readable, key: bytes) -> dict[str, str]:
    """Seals of what runs: who pays, and by which prices."""
    return {f"{BEGUN}:{session}": _seal(key, [BEGUN, session, *values]) for session, *values in db.execute(ASKED)}


def unexplained(db: Readable, key: bytes, before: Mapping[str, str], explained: set[str], now_ms: int) -> Iterator[str]:
    """Sentences about those that are others than they were. A session that is gone is missed as a number (figures.py)."""
    yield from _others_begun(db, key, before, explained)
    sealed: dict[str, dict[int, str]] = defaultdict(dict)
    for called, seal in before.items():
        name, _colon, number = called.partition(":")
        if name.removesuffix(".block") in KINDS:
            sealed[name][int(number)] = seal
    for name, kind in KINDS.items():
        ones, manys = sealed[name], sealed[f"{name}.block"]
        if not ones and not manys:
            continue
        blocks = _blocks(db, key, name, kind, min([*ones, *(number * BLOCK for number in manys)]))
        since = _readings_since(db, now_ms) if name == "session.readings" else 0
        main = name.partition(".")[0]
        for one, was in ones.items():
            now = blocks.get(one // BLOCK, {}).get(one, "")
            if one >= since and not _fits(was, now, kind) and f"{main}:{one}" not in explained:
                yield f"{kind.called} {one} was changed, and nothing on record says so"
        for many, was in manys.items():
            block, first = blocks.get(many, {}), many * BLOCK
            told = any(f"{main}:{one}" in explained for one in block)
            if first >= since and not told and not _fits(was, _together(block, key, kind), kind):
                yield f"something from {kind.called} {first} on was changed, and nothing on record says so"


def _others_begun(db: Readable, key: bytes, before: Mapping[str, str], explained: set[str]) -> Iterator[str]:
    for called, seal in before.items():
        name, _colon, number = called.partition(":")
        if name == BEGUN and f"session:{number}" not in explained:
            row = db.execute(SAME, (int(number),)).fetchone()
            if row is None or _seal(key, [BEGUN, *row]) != seal:
                yield f"session {number} is not as it began, and nothing on record says so"


def _first_sealed(db: Readable, name: str, now_ms: int) -> int:
    """The number from which on seals are made."""
    if name != "session.readings":
        return 0
    (first,) = db.execute(
        "SELECT coalesce(min(id), 0) FROM session WHERE coalesce(started_at_ms, requested_at_ms) >= ?",
        (now_ms - READINGS_MS,),
    ).fetchone()
    return int(first) // BLOCK * BLOCK


def _readings_since(db: Readable, now_ms: int) -> int:
    """The session from which on no readings have been forgotten."""
    row = db.execute("SELECT value FROM setting WHERE name = 'sample_days'").fetchone()
    if row is None:
        return 0
    before_ms = now_ms - int(row[0]) * DAY_MS
    (last,) = db.execute(
        "SELECT coalesce(max(id), 0) FROM session WHERE coalesce(started_at_ms, requested_at_ms) < ?", (before_ms,)
    ).fetchone()
    return int(last) + BLOCK


def _blocks(db: Readable, key: bytes, name: str, kind: Kind, least: int) -> dict[int, dict[int, str]]:
    """Seals by number, "" for what may change yet, by hundred."""
    parts = [_Part(db, query, least) for query in kind.parts]
    blocks: dict[int, dict[int, str]] = defaultdict(dict)
    for number, rows in groupby(db.execute(kind.query, {"least": least}), key=lambda row: row[0]):
        found = list(rows)
        may_change, values = bool(found[0][1]), [row[2:] for row in found]
        more = [part.of(number) for part in parts]
        whole = [values, more] if kind.parts or kind.grows else values[0]
        seal = "" if may_change else _seal(key, [name, number, *whole])
        blocks[number // BLOCK][number] = f"{len(values)}/{seal}" if kind.grows and seal else seal
    return dict(blocks)


class _Part:
    """Rows of another table, read along with those that they belong to: both are in the order of the same number."""

    def __init__(self, db: Readable, query: str, least: int) -> None:
        self._groups = groupby(db.execute(query, {"least": least}), key=lambda row: row[0])
        self._next: tuple[int, list[Any]] | None = self._read()

    def _read(self) -> tuple[int, list[Any]] | None:
        for number, rows in self._groups:
            return number, [list(row[1:]) for row in rows]
        return None

    def of(self, number: int) -> list[Any]:
        while self._next is not None and self._next[0] < number:
            self._next = self._read()
        return self._next[1] if self._next is not None and self._next[0] == number else []


def _seal(key: bytes, values: list[Any]) -> str:
    return hmac.new(key, orjson.dumps(values, default=bytes.hex), sha256).hexdigest()[:SEAL_CHARS]


def _together(block: Mapping[int, str], key: bytes, kind: Kind) -> str:
    seal = _seal(key, list(block.items()))
    return f"{sum(map(_rows, block.values()))}/{seal}" if kind.grows else seal


def _rows(seal: str) -> int:
    return int(seal.partition("/")[0] or 0)


def _fits(before: str, now: str, kind: Kind) -> bool:
    """Whether it is as it was, or more was added where that may be."""
    if before == now or not kind.grows:
        return before == now
    return _rows(now) > _rows(before)
