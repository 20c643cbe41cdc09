"""Charging profiles of an OCPP 1.6 station (§3.13): which are stored, and what limit they make at a time.

Absolute, relative and recurring schedules are honoured; validity, duration and stack levels too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from appliance.domain.units import parse_rfc3339
from appliance.simulator.station import Evse

Profile = Mapping[str, Any]
"""csChargingProfiles as the `ocpp` package hands it over: snake case."""

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
PROFILES_MAX: Final = 20

STATION_MAX: Final = "ChargePointMaxProfile"
DEFAULT: Final = "TxDefaultProfile"
TRANSACTION: Final = "TxProfile"


@dataclass(frozen=True, slots=True)
class Stored:
    """A profile and the connector it was set for; 0 is the whole station."""

    connector: int
    profile: Profile

    @property
    def purpose(self) -> str:
        """One of the three above."""
        return str(self.profile["charging_profile_purpose"])

    @property
    def stack_level(self) -> int:
        """The highest of those that are valid wins."""
        return int(self.profile["stack_level"])


class Profiles:
    """All profiles of one station."""

    def __init__(self) -> None:
        self._stored: list[Stored] = []

    def set(self, connector: int, profile: Profile, *, charging: bool) -> bool:
        """Store a profile in place of the one with its id, or its purpose and level; False when it makes no sense here."""
        new = Stored(connector, profile)
        if new.purpose == TRANSACTION and (connector == 0 or not charging):
            return False
        if new.purpose == STATION_MAX and connector != 0:
            return False
        kept = [
            old
            for old in self._stored
            if old.profile["charging_profile_id"] != profile["charging_profile_id"]
            and (old.connector, old.purpose, old.stack_level) != (connector, new.purpose, new.stack_level)
        ]
        if len(kept) >= PROFILES_MAX:
            return False
        self._stored = [*kept, new]
        return True

    def clear(
        self,
        profile_id: int | None = None,
        connector: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> bool:
        """Remove all that fit everything that is given; whether there was one."""
        kept = [
            old
            for old in self._stored
            if (profile_id is not None and old.profile["charging_profile_id"] != profile_id)
            or (connector is not None and old.connector != connector)
            or (purpose is not None and old.purpose != purpose)
            or (stack_level is not None and old.stack_level != stack_level)
        ]
        removed = len(kept) < len(self._stored)
        self._stored = kept
        return removed

    def transaction_ended(self, connector: int) -> None:
        """A TxProfile lives no longer than its transaction."""
        self._stored = [old for old in self._stored if (old.connector, old.purpose) != (connector, TRANSACTION)]

    def limit_w(self, evse: Evse, now_ms: int, began_at_ms: int | None) -> int | None:
        """The power an EVSE may deliver now, or None without a limit. `began_at_ms`: of its transaction."""
        ceiling_w = self._strongest([STATION_MAX], evse, now_ms, began_at_ms)
        own_w = self._strongest([TRANSACTION], evse, now_ms, began_at_ms)
        if own_w is None:
            own_w = self._strongest([DEFAULT], evse, now_ms, began_at_ms)
        limits_w = [limit_w for limit_w in (ceiling_w, own_w) if limit_w is not None]
        return min(limits_w, default=None)

    def _strongest(self, purposes: list[str], evse: Evse, now_ms: int, began_at_ms: int | None) -> int | None:
        """The limit of the highest level that says anything now; the connector's own before the station's."""
        fitting = [old for old in self._stored if old.purpose in purposes and old.connector in {0, evse.number}]
        for old in sorted(fitting, key=lambda old: (old.stack_level, old.connector), reverse=True):
            limit_w = limit_of(old.profile, evse, now_ms, began_at_ms)
            if limit_w is not None:
                return limit_w
        return None


def limit_of(profile: Profile, evse: Evse, now_ms: int, began_at_ms: int | None) -> int | None:
    """What one profile allows now, in W; None when it says nothing at this time."""
    valid_from_ms = parse_rfc3339(str(profile.get("valid_from") or ""))
    valid_to_ms = parse_rfc3339(str(profile.get("valid_to") or ""))
    if (valid_from_ms is not None and now_ms < valid_from_ms) or (valid_to_ms is not None and now_ms >= valid_to_ms):
        return None
    schedule = profile["charging_schedule"]
    start_ms = parse_rfc3339(str(schedule.get("start_schedule") or ""))
    kind = profile["charging_profile_kind"]
    if kind == "Relative" or start_ms is None:
        start_ms = began_at_ms if began_at_ms is not None else now_ms
    elapsed_ms = now_ms - start_ms
    if kind == "Recurring":
        elapsed_ms %= WEEK_MS if profile.get("recurrency_kind") == "Weekly" else DAY_MS
    duration_s = schedule.get("duration")
    if elapsed_ms < 0 or (duration_s is not None and elapsed_ms >= duration_s * 1000):
        return None
    limit_w = None
    for period in schedule["charging_schedule_period"]:
        if period["start_period"] * 1000 <= elapsed_ms:
            amount_milli = round(period["limit"] * 1000)
            if schedule["charging_rate_unit"] == "A":
                phases = min(evse.phases, period.get("number_phases") or 3)
                limit_w = amount_milli * evse.voltage_mv * phases // 1_000_000
            else:
                limit_w = amount_milli // 1000
    return limit_w
