"""The holidays of the site: typed, or copied for a year and a country out of a package that needs no internet, and then the site's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from appliance.db import holidays as rows
from appliance.db.engine.unit import Database
from appliance.db.holidays import Holiday
from appliance.domain.by import By
from appliance.domain.digits import WESTERN
from appliance.domain.errors import Invalid
from appliance.services import audit
from appliance.services.announce import SettingsChanged

DAYS_MAX = 1_000
NAME_CHARS_MAX = 100
NAMES_IN = "en_US"
"""The language of the names, where the package has it; else that of the country. Left out, it would be that of whoever started the server."""
YEARS = range(2000, 2101)


def change(db: Database, days: Sequence[Holiday], by: By) -> None:
    """From now on these are the site's holidays, for sessions that begin from now on.

    Raises:
        Invalid: There are too many, or one is there twice.
    """
    wanted = sorted(days)
    if len(wanted) > DAYS_MAX:
        raise Invalid("days", "A list has at most {most} holidays.", most=DAYS_MAX)
    for one, following in pairwise(wanted):
        if one.day == following.day:
            raise Invalid("days", "The day {day} is there twice.", day=one.day)
    before = rows.current(db)
    if wanted == before:
        return
    rows.add(db, wanted, by)
    audit.record(
        db, by, "setting.holidays", "site", days=[one.day for one in wanted], before=[one.day for one in before]
    )
    db.announce(SettingsChanged())


def read(text: str) -> list[Holiday]:
    """A line for each: `2026-12-16 Victory Day`; digits may be Bengali.

    Raises:
        Invalid: A line does not begin with a day.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        day, _, name = line.strip().partition(" ")
        if line.strip():
            found.append(checked(day.translate(WESTERN), name.strip(), number))
    return found


def checked(day: str, name: str, number: int) -> Holiday:
    """One of them.

    Raises:
        Invalid: It is no day, or its name is too long.
    """
    try:
        is_day = date.fromisoformat(day).isoformat() == day
    except ValueError:
        is_day = False
    if not is_day:
        raise Invalid("days", "Line {line} does not begin with a day; write it as 2026-12-16.", line=number)
    if len(name) > NAME_CHARS_MAX:
        raise Invalid("days", "The name in line {line} is too long.", line=number)
    return Holiday(day, name)


def written(days: Sequence[Holiday]) -> str:
    """What `read` reads."""
    return "\n".join(f"{one.day} {one.name}".rstrip() for one in days)


def with_year(days: Sequence[Holiday], offered: Sequence[Holiday], year: int) -> list[Holiday]:
    """The list with those of a year in the place of what it has of that year."""
    return sorted([*(one for one in days if not one.day.startswith(f"{year}-")), *offered])


def offered(country: str, subdivision: str, year: int) -> list[Holiday]:
    """The public holidays of a country (ISO 3166) or one of its parts in a year, as far as the package knows.

    Raises:
        Invalid: It knows no such country or part, or the year is too far away.
    """
    import holidays  # noqa: PLC0415  # Megabytes that are asked for once a year.

    parts = holidays.list_supported_countries(include_aliases=False).get(country.upper())
    if parts is None or len(country) != 2:
        raise Invalid(
            "country",
            "Nobody here knows the holidays of this country.",
            "Enter two letters such as BD, or the days by hand.",
        )
    if subdivision and subdivision.upper() not in parts:
        raise Invalid("subdivision", "This country has no such part: {parts}.", parts=", ".join(parts) or "–")
    if year not in YEARS:
        raise Invalid("year", "Enter a year between {first} and {last}.", first=YEARS[0], last=YEARS[-1])
    found = holidays.country_holidays(
        country.upper(), subdiv=subdivision.upper() or None, years=year, language=NAMES_IN
    )
    return sorted(Holiday(day.isoformat(), name[:NAME_CHARS_MAX]) for day, name in found.items())
