"""A tariff in words, as the list and its own page show it, and which versions of it there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.db import holidays, place_tariffs
from appliance.db import tariffs as rows
from appliance.db.engine.protocols import Readable
from appliance.db.people import groups as group_rows
from appliance.db.people.groups import Group
from appliance.db.sessions import session_list
from appliance.db.stations import stations
from appliance.db.tariffs import TariffRow
from appliance.domain.authorization import Policy
from appliance.domain.errors import NotFound
from appliance.domain.pricing.flat import terms_of
from appliance.domain.tariff import Tariff, Usage, price
from appliance.ui.frame.language import N_, _
from appliance.ui.wording import price_lines
from appliance.ui.wording.price_lines import Said
from appliance.ui.writing.formats import Formats

EXAMPLE = Usage(energy_wh=10_000, duration_s=7200)
VERSIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class TariffView:
    """A tariff in words."""

    row: TariffRow
    said: list[Said]
    under: str
    """Its taxes, its minimum and maximum."""
    example: str
    groups: list[Group]
    waiting: list[TariffRow]
    """Versions of it that do not hold yet, the first first."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What pages about tariffs read."""

    current: list[TariffRow]
    groups: list[Group]
    holidays: frozenset[str]
    """Of the site."""

    @property
    def names(self) -> dict[int, str]:
        """Of the groups."""
        return {group.id: group.name for group in self.groups}


@dataclass(frozen=True, slots=True)
class OneTariff:
    """What the page of one tariff reads."""

    row: TariffRow
    facts: Facts
    before: list[TariffRow]
    """The versions that held before it, the last first."""
    follows: TariffRow | None
    """Whose place it takes, when its time comes."""
    places: list[tuple[str, str, int]]
    """Where it holds instead of those of the groups: identity and name of the charger, and the EVSE; 0: all of it."""
    running: int
    """How many sessions charge by it now."""


def read_all(db: Readable) -> Facts:
    """All that are in use."""
    return Facts(rows.current(db), group_rows.all_by_name(db), holidays.days_now(db))


def read_one(db: Readable, number: int) -> OneTariff:
    """One, in use or not.

    Raises:
        NotFound: There is none.
    """
    found = rows.show(db, number)
    if found is None:
        raise NotFound(N_("There is no such tariff."))
    before: list[TariffRow] = []
    one = found
    while one.follows_id is not None and len(before) < VERSIONS_MAX:
        earlier = rows.show(db, one.follows_id)
        if earlier is None:
            break
        before.append(earlier)
        one = earlier
    follows = before.pop(0) if before and before[0].archived_at_ms is None else None
    named = stations.names(db)
    places = sorted(place for place, tariff in place_tariffs.all_of(db).items() if tariff == number)
    return OneTariff(
        found, read_all(db), before, follows,
        [(named[station].identity, named[station].name, evse) for station, evse in places],
        session_list.count_by_tariff(db, number),
    )  # fmt: skip


def view(row: TariffRow, facts: Facts, fmt: Formats) -> TariffView:
    """In the reader's language."""
    own = [group for group in facts.groups if group.tariff_id == row.tariff.id]
    by_default = [group for group in facts.groups if group.tariff_id is None and group.policy != Policy.FREE]
    in_use = row.archived_at_ms is None
    waiting = [other for other in facts.current if in_use and other.follows_id == row.tariff.id]
    terms = terms_of(row.tariff)
    return TariffView(
        row,
        price_lines.sentences(terms, fmt, facts.names),
        price_lines.taxes_and_limits(terms, fmt) if row.tariff.terms is not None else _flat_tax(row.tariff, fmt),
        example(row.tariff, fmt),
        own + (by_default if row.is_default else []),
        sorted(waiting, key=lambda other: other.valid_from_ms or 0),
    )


def in_list(facts: Facts, fmt: Formats) -> list[TariffView]:
    """Those that hold, each with what follows it; and what waits and follows none of them."""
    numbers = {row.tariff.id for row in facts.current}
    return [view(row, facts, fmt) for row in facts.current if row.follows_id not in numbers]


def example(tariff: Tariff, fmt: Formats) -> str:
    """What an ordinary charge costs; by lines that is asked of the hour, and nothing is said."""
    if tariff.terms is not None:
        return ""
    return _("{energy} kWh in {duration} cost {amount}, tax included.").format(
        energy=fmt.energy(EXAMPLE.energy_wh, 0),
        duration=fmt.duration(EXAMPLE.duration_s),
        amount=fmt.money(price(EXAMPLE, tariff).total_minor),
    )


def group_boxes(groups: Sequence[Group], asked: frozenset[int]) -> list[tuple[int, str]]:
    """Number and name of each group that a line can be for; also of those that it is for and that are there no more."""
    known = {group.id: group.name for group in groups}
    gone = {number: _("group {place}").format(place=number) for number in sorted(asked - known.keys())}
    return list((known | gone).items())


def _flat_tax(tariff: Tariff, fmt: Formats) -> str:
    points = tariff.tax_basis_points
    return _("plus {percent} % tax").format(percent=price_lines.trimmed(points, 2, fmt)) if points else _("no tax")
