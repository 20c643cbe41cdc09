"""Seals of what never changes of a session that is over: where, when, with which token and by which answer it began.

Full hundreds have one seal together, so that years of sessions are a small file.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterator, Mapping
from hashlib import sha256

import orjson

from appliance.db.engine.protocols import Readable

BLOCK = 100
SEAL_CHARS = 16
ONE, MANY = "session", "session.block"
SETTLED = """
SELECT id, state IN ('requested', 'running'), station_id, evse, id_token, policy, tariff_id, "authorization", started_at_ms, requested_at_ms,
  requested_by, received_at_ms FROM session ORDER BY id
"""


def seals(db: Readable, key: bytes) -> dict[str, str]:
    """By name; the newest hundred, and those in which a session is open, one by one."""
    blocks = _blocks(db, key)
    found = {}
    for number, block in blocks.items():
        if number < max(blocks) and all(block.values()):
            found[f"{MANY}:{number}"] = _together(block, key)
        else:
            found |= {f"{ONE}:{session}": seal for session, seal in block.items() if seal}
    return found


def unexplained(db: Readable, key: bytes, before: Mapping[str, str], explained: set[str]) -> Iterator[str]:
    """Sentences about sessions that are others than they were. One that is gone is missed as a number (figures.py)."""
    blocks: Mapping[int, dict[int, str]] | None = None
    for name, seal in before.items():
        kind, _colon, number = name.partition(":")
        if kind not in (ONE, MANY):
            continue
        blocks = _blocks(db, key) if blocks is None else blocks
        if kind == ONE:
            now = blocks.get(int(number) // BLOCK, {}).get(int(number), "")
            if now not in ("", seal) and name not in explained:
                yield f"session {number} was changed, and nothing on record says so"
        else:
            block = blocks.get(int(number), {})
            told = any(f"{ONE}:{session}" in explained for session in block)
            if all(block.values()) and not told and _together(block, key) != seal:
                yield f"one of the sessions from {int(number) * BLOCK} on was changed, and nothing on record says so"


def _blocks(db: Readable, key: bytes) -> dict[int, dict[int, str]]:
    """Seals by number of the session, "" for one that is open, by hundred."""
    blocks: dict[int, dict[int, str]] = defaultdict(dict)
    for session, is_open, *values in db.execute(SETTLED):
        plain = orjson.dumps([ONE, session, *values])
        blocks[session // BLOCK][session] = "" if is_open else hmac.new(key, plain, sha256).hexdigest()[:SEAL_CHARS]
    return dict(blocks)


def _together(block: Mapping[int, str], key: bytes) -> str:
    return hmac.new(key, orjson.dumps(list(block.items())), sha256).hexdigest()[:SEAL_CHARS]
