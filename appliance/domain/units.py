"""How stations write numbers and times, and how we do: decimal strings to integers, RFC 3339 to UTC milliseconds and back.

Both directions are exact: no float is involved. What a number means (which measurand, which unit) is told by
the OCPP translations, which pass the factor.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

INTEGER_MAX = 2**53
"""What every JSON program and every column of the database still holds exactly."""
DECIMAL_CHARS_MAX = 64
TIME_CHARS_MAX = 64
PLAIN_CHARS_MAX = 20
POWERS_OF_TEN = tuple(10**exponent for exponent in range(PLAIN_CHARS_MAX))
DOUBLED_MAX = 2 * INTEGER_MAX
SECONDS_KEPT = 1024
NUMBERS_KEPT = 4096
SECOND_CHARS = len("2026-11-23T05:00:00")
MILLISECONDS = {"Z": 0} | {f".{number:03d}Z": number for number in range(1000)}
"""What stands behind the second."""

AT_MS_END = 253_370_764_800_000
"""9999-01-01: beyond it a time zone's offset may carry a time out of the calendar."""

# Nothing raises here: what cannot be read becomes not-a-number. The precision holds any text of the length that is
# read times any factor up to 10**36, so the one rounding is the last step.
EXACT = Context(prec=DECIMAL_CHARS_MAX + 36, rounding=ROUND_HALF_UP, traps=[])
LIMIT = Decimal(INTEGER_MAX)
LIMIT_NEGATIVE = Decimal(-INTEGER_MAX)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LENIENT_TIME = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d*))?)? *(?:Z|UTC|GMT|([+-])(\d\d?)(?::?([0-5]\d))?)?",
    re.ASCII | re.IGNORECASE,
)


def to_integer(text: str, factor: int = 1) -> int | None:
    """A decimal string times a whole factor, as an integer: `to_integer("7.2", 1000)` is 7200.

    What is left behind the point is rounded half away from zero, as people read a meter. None when the text is no
    finite decimal number, or the product is beyond ±2**53.
    """
    # Nearly all readings look like 1234567 or 7.234, and are done without the detour over Decimal.
    if len(text) > PLAIN_CHARS_MAX:
        return _to_integer_exactly(text, factor) if len(text) <= DECIMAL_CHARS_MAX else None
    if text.isdecimal():
        product = int(text) * factor
        return product if product <= INTEGER_MAX else None
    return _to_integer_rounded(text, factor)


@lru_cache(maxsize=NUMBERS_KEPT)
def _to_integer_rounded(text: str, factor: int) -> int | None:
    """Of a short text. What has a point are voltages, currents and powers, which are much the same from reading to reading."""
    whole, _, fraction = text.partition(".")
    if whole.isdecimal() and fraction.isdecimal():
        scale = POWERS_OF_TEN[len(fraction)]
        doubled = int(whole + fraction) * factor * 2
        return (doubled + scale) // (scale + scale) if doubled <= DOUBLED_MAX * scale else None
    return _to_integer_exactly(text, factor)


def _to_integer_exactly(text: str, factor: int) -> int | None:
    number = EXACT.multiply(EXACT.create_decimal(text.strip()), factor)
    if number.is_finite() and LIMIT_NEGATIVE <= number <= LIMIT:
        return int(EXACT.to_integral_value(number))
    return None


def rfc3339(at_ms: int) -> str:
    """UTC with milliseconds, as OCPP wants it: `2026-11-23T05:00:00.000Z`. For times from 1970 to 9999."""
    second, millisecond = divmod(at_ms, 1000)
    return f"{_to_the_second(second)}.{millisecond:03d}Z"


def parse_rfc3339(text: str) -> int | None:
    """UTC milliseconds of a time as stations write it; fractions beyond the millisecond are cut off.

    No zone means UTC; `+03`, `+0300`, small `t` and `z`, a blank for the T, missing seconds, a leap second and 24:00 are
    read. None when there is no time of day, when it cannot be read, and outside 1970 to 9998.
    """
    milliseconds = MILLISECONDS.get(text[SECOND_CHARS:])
    if milliseconds is not None:
        # As nearly all are written; those of one second are read once.
        second_ms = _of_second(text[:SECOND_CHARS])
        if second_ms is not None:
            return second_ms + milliseconds
    return _read_time(text) if len(text) <= TIME_CHARS_MAX else None


@lru_cache(maxsize=SECONDS_KEPT)
def _of_second(text: str) -> int | None:
    """The same of a whole second that is told without a zone; None where it is not as RFC 3339 wants it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if text[10] != "T" or moment.tzinfo is not None or moment.microsecond else _ms_of(moment)


def _read_time(text: str) -> int | None:
    try:
        # It reads more than times of RFC 3339 (days alone, weeks, any sign for the T), hence the look at the T.
        moment = datetime.fromisoformat(text) if text[10:11] == "T" else _parse_leniently(text)
    except ValueError:
        moment = _parse_leniently(text)
    return None if moment is None else _ms_of(moment)


def _ms_of(moment: datetime) -> int | None:
    since = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - EPOCH
    at_ms = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    return at_ms if 0 <= at_ms < AT_MS_END else None


@lru_cache(maxsize=SECONDS_KEPT)
def _to_the_second(second: int) -> str:
    """Nearly all times that are written are of this very second."""
    return (EPOCH + timedelta(seconds=second)).isoformat()[:19]


def _parse_leniently(text: str) -> datetime | None:
    """What `datetime.fromisoformat` does not read."""
    match = LENIENT_TIME.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups(default="")
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    time_of_day = timedelta(
        hours=int(hour), minutes=int(minute), seconds=int(second or 0), microseconds=int(fraction.ljust(6, "0")[:6])
    )
    # Second 60 and 24:00 may be written, and mean the next minute and the next day.
    if int(minute) > 59 or int(second or 0) > 60 or time_of_day > timedelta(days=1, seconds=int(second == "60")):
        return None
    try:
        zone = timezone(-offset if sign == "-" else offset)
        return datetime(int(year), int(month), int(day), tzinfo=zone) + time_of_day
    except (ValueError, OverflowError):
        return None
