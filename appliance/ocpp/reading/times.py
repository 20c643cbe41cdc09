"""Times as stations write them where they do not keep to RFC 3339: none of these forms can mean two moments.

What has no time of day is no time. What a time of a wrong clock is worth is not decided here.
"""

from __future__ import annotations

import re

from appliance.domain.units import AT_MS_END, TIME_CHARS_MAX, parse_rfc3339

RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)  # fmt: skip
EPOCH = re.compile(r"(\d{9,19})(?:[.,](\d*))?", re.ASCII)
EPOCH_UNITS = ((10**11, 1, 1000), (10**14, 1, 1), (10**17, 1000, 1), (10**20, 1_000_000, 1))
"""Below which number it counts seconds, milliseconds, microseconds or nanoseconds, and what it is divided and multiplied by to be
milliseconds. The bounds are times of the year 5138, so that no time of any unit falls among those of another.
"""
COMPACT = re.compile(
    r"((?:19|20)\d\d)(\d\d)(\d\d)[T_ -]?(\d\d)(\d\d)(?:(\d\d)(?:[.,](\d*))?)? *(Z|UTC|GMT|[+-]\d\d?(?::?[0-5]\d)?)?",
    re.ASCII | re.IGNORECASE,
)
DATE = re.compile(r"(\d{4})([/.])(\d\d?)\2(\d\d?)(?=\D)", re.ASCII)
DAY_FIRST = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})(?=\D),?", re.ASCII)
"""With points it is day, month, year wherever dates are written so; with strokes it may be month, day, year as well."""
HALF_DAY = re.compile(r"\b(0?[1-9]|1[0-2])(:\d\d(?::\d\d(?:[.,]\d+)?)?) ?([AP])\.?M\b\.?", re.ASCII | re.IGNORECASE)
ZONE_NAMED = re.compile(r"(Z|UTC|GMT|[+-]\d\d:?\d\d) ?(?:\[[^\]]*\]|\([^)]*\))$", re.ASCII | re.IGNORECASE)
"""A zone that is named after its offset, as Java and JavaScript do."""
ZONE = re.compile(r"(?:([+-]\d\d?(?::?\d\d)?) *Z|(?:UTC|GMT) *([+-]\d\d?(?::?\d\d)?))", re.ASCII | re.IGNORECASE)
"""A zone said twice: the offset is the finer word."""
SPELLED = re.compile(
    r"(?:[A-Z]{3,9},? )? *(?:(\d\d?)[ -])?([A-Z]{3,9})[ -] *(?:(\d\d?),? )?(?:(\d{4}),? )?(\d\d?:\d\d:\d\d)(?: (\d{4}))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
"""RFC 1123 (`Mon, 30 Nov 2026 01:00:00 GMT`) and C's asctime (`Mon Nov 30 01:00:00 2026`)."""
MONTHS = (
    "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER",
)  # fmt: skip
MONTHS_BY_NAME = {name: number for number, full in enumerate(MONTHS, 1) for name in (full, full[:3])}


def parse_time(stamp: object) -> int | None:
    """UTC milliseconds of what stands where a time belongs, text or number; None if it cannot be read."""
    if isinstance(stamp, str):
        at_ms = parse_rfc3339(stamp)
        return _parse_other(stamp) if at_ms is None and len(stamp) <= TIME_CHARS_MAX else at_ms
    if isinstance(stamp, int | float) and not isinstance(stamp, bool) and 0 <= stamp < EPOCH_UNITS[-1][0]:
        return _parse_other(str(stamp) if isinstance(stamp, int) else f"{stamp:.3f}".removesuffix(".000"))
    return None


def is_rfc3339(stamp: str) -> bool:
    """Whether a time is written as RFC 3339 wants it, whatever zone it is told in."""
    return RFC_3339.fullmatch(stamp) is not None


def _parse_other(text: str) -> int | None:
    """What is not written as RFC 3339 wants it."""
    text = "".join(character for character in text if character.isprintable()).strip(" \"'")
    text = ZONE_NAMED.sub(r"\1", text)
    text = ZONE.sub(lambda found: found[1] or found[2], text, count=1)
    text = DATE.sub(r"\1-\3-\4", text, count=1)
    text = DAY_FIRST.sub(r"\3-\2-\1", text, count=1)
    text = HALF_DAY.sub(_of_whole_day, text, count=1)
    if (found := COMPACT.fullmatch(text)) is not None:
        year, month, day, hour, minute, second, fraction, zone = found.groups(default="")
        text = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{fraction or '0'}{zone}"
    elif (found := EPOCH.fullmatch(text)) is not None:
        return _of_epoch(int(found[1]), (found[2] or "").ljust(3, "0")[:3])
    elif (found := SPELLED.fullmatch(text)) is not None:
        text = _respelled(found)
    return parse_rfc3339(text)


def _respelled(found: re.Match[str]) -> str:
    """Digits for the name of the month; "" where it is none."""
    day_before, month, day_after, year_before, time_of_day, year_after, zone = found.groups(default="")
    day, year = day_before or day_after, year_before or year_after
    number = MONTHS_BY_NAME.get(month.upper())
    return f"{year}-{number}-{day} {time_of_day}{zone}" if number is not None and day and year else ""


def _of_whole_day(found: re.Match[str]) -> str:
    """13:00 for 1 PM."""
    hour = int(found[1]) % 12 + (12 if found[3].upper() == "P" else 0)
    return f"{hour:02d}{found[2]}"


def _of_epoch(number: int, fraction: str) -> int | None:
    """A number since 1970, of seconds or thousandths, millionths or milliardths of them, as its size tells."""
    divisor, factor = next((by, times) for below, by, times in EPOCH_UNITS if number < below)
    at_ms = number * factor // divisor + (int(fraction) if factor > 1 else 0)
    return at_ms if at_ms < AT_MS_END else None
