"""Whether cards are tried out: so many different ones refused at a station, or to an address, that no people can be behind it."""

from __future__ import annotations

from collections import OrderedDict

from appliance.domain.network import home_of

CARDS_MAX = 20
WINDOW_MS = 600_000
DELAY_S = 5.0
"""What about a card is answered then waits so long; what a transaction begins and ends with is recorded at once."""
STATIONS_COUNTED_MAX = 10
"""Where many stations have one address (a router, a proxy), so many times as many cards may be refused there."""
HOMES_MAX = 1_000


class RefusedCards:
    """The last cards that somebody was shown, and which may not charge. A card that is shown again and again is one."""

    __slots__ = ("_seen", "slow_until_ms")

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self.slow_until_ms = 0

    def note(self, token: str, now_ms: int, most: int = CARDS_MAX) -> bool:
        """One more; whether it is now that they have become too many."""
        key = hash(token)
        self._seen.pop(key, None)
        self._seen[key] = now_ms
        while len(self._seen) > most:
            del self._seen[next(iter(self._seen))]
        was_slow = now_ms < self.slow_until_ms
        oldest_ms = next(iter(self._seen.values()))
        if len(self._seen) == most and now_ms - oldest_ms < WINDOW_MS:
            self.slow_until_ms = oldest_ms + WINDOW_MS
        return not was_slow and now_ms < self.slow_until_ms


class RefusedThere:
    """The same by address, for stations that prove nothing: whoever has several names of such has no more cards for it."""

    def __init__(self) -> None:
        self._homes: OrderedDict[str, RefusedCards] = OrderedDict()

    def note(self, address: str, token: str, now_ms: int, stations: int) -> bool:
        """One more; whether it is now that they have become too many for the `stations` that are connected from there."""
        home = home_of(address)
        cards = self._homes.setdefault(home, RefusedCards())
        self._homes.move_to_end(home)
        while len(self._homes) > HOMES_MAX:
            self._homes.popitem(last=False)
        return cards.note(token, now_ms, CARDS_MAX * max(1, min(stations, STATIONS_COUNTED_MAX)))

    def slow_until_ms(self, address: str) -> int:
        """Until when what is told there about cards waits."""
        cards = self._homes.get(home_of(address))
        return cards.slow_until_ms if cards is not None else 0
