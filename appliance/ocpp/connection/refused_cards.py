"""Whether cards are tried out at a station: so many different ones refused that no people can be behind it."""

from __future__ import annotations

CARDS_MAX = 20
WINDOW_MS = 600_000
DELAY_S = 5.0
"""What about a card is answered then waits so long; what a transaction begins and ends with is recorded at once."""


class RefusedCards:
    """The last cards that a station was shown, and which may not charge. A card that is shown again and again is one."""

    __slots__ = ("_seen", "slow_until_ms")

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self.slow_until_ms = 0

    def note(self, token: str, now_ms: int) -> bool:
        """One more; whether it is now that they have become too many."""
        key = hash(token)
        self._seen.pop(key, None)
        self._seen[key] = now_ms
        if len(self._seen) > CARDS_MAX:
            del self._seen[next(iter(self._seen))]
        was_slow = now_ms < self.slow_until_ms
        oldest_ms = next(iter(self._seen.values()))
        if len(self._seen) == CARDS_MAX and now_ms - oldest_ms < WINDOW_MS:
            self.slow_until_ms = oldest_ms + WINDOW_MS
        return not was_slow and now_ms < self.slow_until_ms
