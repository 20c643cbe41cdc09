"""What the editor stores: a new tariff once, however often its form is sent; of a change what differs from what stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import orjson

from appliance.db import tariffs as rows
from appliance.db.engine.unit import Database
from appliance.db.tariff_terms import from_text, to_text
from appliance.db.tariffs import TariffRow
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Invalid
from appliance.domain.money import Currency
from appliance.domain.pricing.checks import check
from appliance.domain.pricing.flat import terms_of
from appliance.domain.pricing.lines import Terms
from appliance.domain.tariff import Tariff
from appliance.services import idempotency, tariffs
from appliance.ui.console.tariffs.flat_form import form_of as flat_values
from appliance.ui.console.tariffs.flat_form import read_tariff
from appliance.ui.console.tariffs.line_form import clock_minute, terms_with
from appliance.ui.forms import edits
from appliance.ui.forms.forms import Form
from appliance.ui.frame.language import N_
from appliance.ui.writing.days import read_day

Values = Mapping[str, str]


def add_once(db: Database, tariff: Tariff, by: By, valid_from_ms: int | None, key: str) -> None:
    """A unit: a new tariff, unless this form has made one already."""

    def unit(_name: str) -> tuple[int, str]:
        return 201, str(tariffs.add(db, tariff, by, valid_from_ms))

    request = orjson.dumps(["tariff", repr(tariff), valid_from_ms])
    if key:
        idempotency.once(db, by, key, request, unit)
    else:
        unit("")


def change_flat(db: Database, number: int, form: Form, currency: Currency, by: By, valid_from_ms: int | None) -> None:
    """A unit: the prices that were changed in the form, and all others as they are now.

    Raises:
        Changed: Somebody else has changed the same to something else.
        Conflict: It has lines by now.
    """
    found = tariffs.need(db, tariffs.newest_version(db, number) or number)
    if found.tariff.terms is not None:
        raise Conflict(N_("Somebody has given this tariff lines by now."), N_("Look at it once more."))
    now = flat_values(found.tariff, currency).values
    _store(db, found, read_tariff(edits.merged(form, now), currency), by, valid_from_ms)


def change_lines(db: Database, number: int, typed: Form, by: By, valid_from_ms: int | None) -> None:
    """A unit: of what `values_of` has that which was changed, and all else as it is now.

    Raises:
        Changed: Somebody else has changed the same to something else.
        Invalid: What both have changed does not go together.
    """
    found = tariffs.need(db, tariffs.newest_version(db, number) or number)
    merged = edits.merged(typed, values_of(found.tariff))
    tariff = tariff_of(merged.values)
    check(terms_of(tariff))
    # What stands as it stood keeps its form: prices without conditions are none the worse for having been looked at.
    if values_of(found.tariff) == values_of(tariff):
        tariff = found.tariff
    _store(db, found, tariff, by, valid_from_ms)


def values_of(tariff: Tariff) -> dict[str, str]:
    """What two people can change apart from each other. Lines are one thing, with their taxes: half of a list makes no sense."""
    terms = terms_of(tariff)
    lines = Terms(terms.lines, terms.taxes, terms.tax_included)
    return {
        "name": tariff.name,
        "lines": to_text(lines) or "",
        "minimum": _number(terms.minimum_minor),
        "maximum": _number(terms.maximum_minor),
        "gaps_are_free": "1" if terms.gaps_are_free else "",
    }


def tariff_of(values: Values) -> Tariff:
    """What `values_of` made these of."""
    lines = from_text(values["lines"])
    minimum, maximum = (int(values[name]) if values.get(name) else None for name in ("minimum", "maximum"))
    rest = Terms((), lines.taxes, lines.tax_included, minimum, maximum, values.get("gaps_are_free") == "1")
    return Tariff(0, values["name"], terms=terms_with(rest, lines.lines))


def valid_from_of(form: Form, zone: ZoneInfo, now_ms: int) -> int | None:
    """From when it is to hold; None: from now on.

    Raises:
        Invalid: It is no moment, or one that has passed.
    """
    typed = form.text("from_day")
    if not typed:
        return None
    day = read_day(typed)
    if day is None:
        raise Invalid("from_day", N_("This is no day of the calendar."))
    minute = clock_minute(form.text("from_clock") or "00:00", "from_clock") % (24 * 60)
    at = datetime.combine(datetime.fromisoformat(day), time(minute // 60, minute % 60), zone)
    at_ms = int(at.timestamp()) * 1000
    if at_ms <= now_ms:
        raise Invalid(
            "from_day", N_("This moment has passed."), N_("Leave the day empty: then the prices hold from now on.")
        )
    return at_ms


def _store(db: Database, found: TariffRow, tariff: Tariff, by: By, valid_from_ms: int | None) -> None:
    """A new version, unless there is nothing new in it."""
    same = replace(tariff, id=found.tariff.id) == found.tariff
    if found.waits(by.at_ms):
        valid_from_ms = valid_from_ms or found.valid_from_ms
        if not same or valid_from_ms != found.valid_from_ms:
            tariffs.change(db, found.tariff.id, tariff, by, valid_from_ms)
    elif not same and not _is_coming(db, found, tariff, valid_from_ms):
        tariffs.change(db, found.tariff.id, tariff, by, valid_from_ms)


def _is_coming(db: Database, found: TariffRow, tariff: Tariff, valid_from_ms: int | None) -> bool:
    """Whether exactly that waits already: the form was sent twice."""
    return any(
        row.follows_id == found.tariff.id
        and row.valid_from_ms == valid_from_ms
        and replace(row.tariff, id=0) == replace(tariff, id=0)
        for row in rows.current(db)
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def day_typed(form: Form) -> str | None:
    """The day from which it is to hold, if it is one."""
    return read_day(form.text("from_day")) if form.text("from_day") else None
