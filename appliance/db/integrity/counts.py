"""What only ever rises: how often a card was tapped, how many rows there are of what is never taken out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from appliance.db.engine.protocols import Readable

DAY_MS = 86_400_000
COUNTED = {
    "count.taps": "SELECT id, tap_counter FROM card WHERE tap_counter >= 0",
    "count.log_in_over": "SELECT id, ended_at_ms IS NOT NULL FROM operator_session",
    "count.sessions": "SELECT 'all', coalesce(max(id), 0) FROM session",
    "count.problems": "SELECT 'all', count(*) FROM problem",
    "count.approvals": "SELECT 'all', count(*) FROM approval",
    "count.shifts": "SELECT 'all', count(*) FROM shift",
    "count.requests": f"SELECT at_ms / {DAY_MS}, count(*) FROM idempotency GROUP BY 1",
}
FORGOTTEN = "count.log_in_over"
"""Rows that go after a while (db/housekeeping.py)."""
SENTENCES = {
    "count.taps": "the count of taps of card {0} went back from {1} to {2}",
    "count.log_in_over": "the log-in {0} had ended, and holds again",
    "count.sessions": "the newest session is {2}, and was {1}",
    "count.problems": "there are {2} problems on record, and were {1}",
    "count.approvals": "there are {2} approvals on record, and were {1}",
    "count.shifts": "there are {2} shifts on record, and were {1}",
    "count.requests": "of day {0} there are {2} requests on record that must not be done twice, and were {1}",
}


def counts(db: Readable) -> dict[str, str]:
    """As they are now, by name; beside seals, so as texts."""
    return {f"{kind}:{name}": str(number) for kind, query in COUNTED.items() for name, number in db.execute(query)}


def risen(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The greater of both, each: what went back is not forgotten."""
    return {name: max(number, before.get(name, number), key=int) for name, number in now.items()}


def fallen(before: Mapping[str, str], now: Mapping[str, str], explained: set[str]) -> Iterator[str]:
    """Sentences about those that went back. A card may be written anew."""
    for name, was in before.items():
        kind, _colon, called = name.partition(":")
        if kind not in COUNTED or (kind == FORGOTTEN and name not in now):
            continue
        if int(now.get(name, -1)) < int(was) and not (kind == "count.taps" and f"card:{called}" in explained):
            yield SENTENCES[kind].format(called, was, now.get(name, "none"))
