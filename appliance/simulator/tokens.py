"""The cards a station knows by itself: the list the central system sent, and the cache of its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.simulator.charger import Authorization


@dataclass(slots=True)
class KnownTokens:
    """Keys are card numbers in one case. `list_version` 0 means that there is no list."""

    listed: dict[str, Authorization] = field(default_factory=dict)
    cached: dict[str, Authorization] = field(default_factory=dict)
    list_version: int = 0

    def remember(self, token: str, authorization: Authorization) -> None:
        """Keep the central system's latest word."""
        self.cached[token.casefold()] = authorization

    def offline(self, token: str, *, listed: bool, cached: bool, unknown_accepted: bool) -> Authorization:
        """What the station decides without the central system: by the list, then the cache, then its policy."""
        key = token.casefold()
        if listed and key in self.listed:
            return self.listed[key]
        if cached and key in self.cached:
            return self.cached[key]
        return Authorization(unknown_accepted, "Accepted" if unknown_accepted else "Invalid")
