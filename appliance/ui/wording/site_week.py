"""On which day the site's week begins, and which of its days are weekdays to whoever lives there.

As the CLDR has it, by the country of the site's time zone; written out, because no page reads a file.
"""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from appliance.domain.pricing.lines import WEEK

MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 1, 4, 5, 6, 7
FIRST_DAYS = {
    FRIDAY: "MV",
    SATURDAY: "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY",
    SUNDAY: (
        "AG AO AS BD BR BS BT BW BZ CA CO CV DM DO ET GT GU GW HK HN ID IL IN JM JP KE KH KR LA MH MM MO MT MX MZ NI NP PA PE PH PK PR "
        "PT PY SA SG ST SV TH TL TT TW UM US VE VI WS YE ZA ZW"
    ),
}
WEEKENDS = {
    (THURSDAY, FRIDAY): "AF",
    (FRIDAY,): "IR",
    (FRIDAY, SATURDAY): "BD BH DZ EG IL IQ JO KW LY OM QA SA SD SY YE",
    (SUNDAY,): "IN UG",
}
"""But Bangladesh, whose Friday and Saturday the CLDR does not know. Everywhere else: Saturday and Sunday."""


@lru_cache(maxsize=16)
def first_day(zone: ZoneInfo) -> int:
    """1 is Monday."""
    country = _country(zone)
    return next((day for day, countries in FIRST_DAYS.items() if country in countries.split()), MONDAY)


@lru_cache(maxsize=16)
def weekend(zone: ZoneInfo) -> frozenset[int]:
    """Of the country in which the zone is."""
    country = _country(zone)
    days = next((days for days, countries in WEEKENDS.items() if country in countries.split()), (SATURDAY, SUNDAY))
    return frozenset(days)


def weekdays(zone: ZoneInfo) -> frozenset[int]:
    """All others."""
    return WEEK - weekend(zone)


def days_in_order(zone: ZoneInfo) -> list[int]:
    """The seven of them as a week shows them there."""
    first = first_day(zone)
    return [(first + day - 1) % 7 + 1 for day in range(7)]


def _country(zone: ZoneInfo) -> str:
    return str(get_global("zone_territories").get(zone.key, ""))


_country(ZoneInfo("UTC"))  # Its table is read when the program starts.
