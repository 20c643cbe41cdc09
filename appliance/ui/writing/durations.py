"""Lengths of time as people write them: `90 s`, `30 min`, `1 h 30 min`, `7 days`, `১২ ঘণ্টা`. Written and read to the second."""

from __future__ import annotations

import re

from appliance.domain.digits import WESTERN
from appliance.domain.errors import Invalid
from appliance.ui.frame.language import N_, _, ngettext
from appliance.ui.writing.formats import Formats

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
UNITS = {
    1: ("s", "sec", "second", "seconds", "সে", "সেকেন্ড"),
    MINUTE_S: ("m", "min", "mins", "minute", "minutes", "মি", "মিনিট"),
    HOUR_S: ("h", "hr", "hrs", "hour", "hours", "ঘ", "ঘণ্টা", "ঘন্টা"),
    DAY_S: ("d", "day", "days", "দিন"),
}
"""How each is written, in the languages that pages have: somebody may read one and write the other."""
SECONDS = {word: seconds for seconds, words in UNITS.items() for word in words}
PART = re.compile(r"(\d{1,9})\s*([^\d\s,.]+)[\s,.]*")


def write_duration(seconds: int, fmt: Formats) -> str:
    """All of it, in as few parts as there are: 5,400 is `1 h 30 min`. Days from two on, and only whole ones."""
    if seconds >= 2 * DAY_S and seconds % DAY_S == 0:
        days = seconds // DAY_S
        return ngettext("{days} day", "{days} days", days).format(days=_figure(days, fmt))
    hours, minutes, rest = seconds // HOUR_S, seconds % HOUR_S // MINUTE_S, seconds % MINUTE_S
    parts = [
        _("{hours} h").format(hours=_figure(hours, fmt)) if hours else "",
        _("{minutes} min").format(minutes=_figure(minutes, fmt)) if minutes else "",
        _("{seconds} s").format(seconds=_figure(rest, fmt)) if rest or not seconds else "",
    ]
    return " ".join(filter(None, parts))


def read_duration(text: str, field: str) -> int:
    """The seconds of a length of time; a nought needs no unit.

    Raises:
        Invalid: It is none, or says no unit.
    """
    plain = text.strip().translate(WESTERN).casefold()
    if plain == "0":
        return 0
    parts = PART.findall(plain)
    if not parts or PART.sub("", plain) or any(unit not in SECONDS for _number, unit in parts):
        raise Invalid(field, N_("Enter a length of time with its unit, such as 30 min, 12 h or 1 h 30 min."))
    return sum(int(number) * SECONDS[unit] for number, unit in parts)


def _figure(number: int, fmt: Formats) -> str:
    """Without marks between its digits, which would be read as ends of a part."""
    return str(number).translate(fmt.digits)
