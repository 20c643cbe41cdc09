"""Tariffs: prices as JSON numbers in minor units, kept exactly in thousandths of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from appliance.db import tariffs
from appliance.db.tariffs import TariffRow
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.pricing.flat import flat_of, terms_of
from appliance.domain.site import Site
from appliance.domain.tariff import IDLE_GRACE_S_MAX, IN_MINOR, Tariff
from appliance.services import tariffs as units
from appliance.services.texts import TITLE_CHARS_MAX
from appliance.ui.api import tariff_lines
from appliance.ui.api.checks import Parameter, hundredths, moment_of, thousandths
from appliance.ui.api.ocpi_tariffs import OCPI_TARIFF, in_its_words, left_out, name_of, read_from_ocpi, write_in_ocpi
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import (
    CURRENCY,
    flag,
    form,
    moment,
    or_null,
    percent,
    price,
    record,
    several,
    text,
    whole,
    words,
)
from appliance.ui.api.tariff_lines import read_terms, write_terms

FIELDS = {
    "energy_minor_per_kwh": price("Minor units per kWh, without tax, with up to three decimals."),
    "time_minor_per_minute": price("From the beginning of the session to its end."),
    "idle_minor_per_minute": price("In addition, while the car is full and still connected."),
    "flat_minor": price("Once for each session with energy."),
    "tax_percent": percent("Added on top, with up to two decimals."),
}
GRACE = whole("Idle time that costs nothing.", least=0, most=IDLE_GRACE_S_MAX)
SHOWN = {
    "id": whole(),
    "name": words(),
    **FIELDS,
    "idle_grace_s": GRACE,
    **tariff_lines.SHOWN,
    "currency": CURRENCY,
    "default": flag("Whether it holds for groups without their own."),
    "created_at": moment(),
    "valid_from": or_null(moment("From when it holds; null: from when it was made.")),
    "follows_id": or_null(whole("Whose place it takes then, or took.")),
    "archived_at": or_null(moment("Out of use since; its sessions keep it.")),
}
TARIFF = record("Tariff", **SHOWN)
TARIFF_FROM_OCPI = record(
    "TariffFromOcpi",
    **SHOWN,
    left_out=several(words()) | {"description": "What says nothing about a price and was not kept."},
)
COUNTRY_UNKNOWN, PARTY_UNKNOWN = "ZZ", "ZZZ"
"""ISO 3166 keeps ZZ for nobody's country. A site has no party ID before it is registered with one."""
OCPI_OWNER = (
    Parameter("country_code", text(2, "Of the site's party ID.")),
    Parameter("party_id", text(3, "As it is registered; the site does not know it.")),
)
NEW_TARIFF = form(
    "NewTariff", ("name",), name=text(TITLE_CHARS_MAX, least=1), **FIELDS, idle_grace_s=GRACE, **tariff_lines.FIELDS,
    valid_from=or_null(moment("From when it holds; left out or null: from now on.")),
)  # fmt: skip


async def list_tariffs(call: Call) -> Answer:
    """`GET /tariffs`."""
    rows = sorted(await call.console.store.read(tariffs.current), key=lambda row: row.tariff.id)
    rows = [row for row in rows if row.tariff.id > call.after]
    return listed(rows, call.limit, lambda row: as_json(call, row), lambda row: row.tariff.id)


async def show_tariff(call: Call) -> Answer:
    """`GET /tariffs/{id}`, archived ones too: old sessions refer to them."""
    return await _now(call, call.number())


async def add_tariff(call: Call) -> Answer:
    """`POST /tariffs`. The first one is the default."""
    number = await call.console.store.write(units.add, asked_for(call.body), call.by, valid_from_of(call))
    return await _now(call, number, 201)


async def replace_tariff(call: Call) -> Answer:
    """`POST /tariffs/{id}/replace`: the new tariff, which takes the old one's place; a price never changes."""
    number = await call.console.store.write(
        units.change, call.number(), asked_for(call.body), call.by, valid_from_of(call)
    )
    return await _now(call, number, 201)


async def make_default(call: Call) -> Answer:
    """`POST /tariffs/{id}/default`."""
    number = call.number()
    await call.console.store.write(units.make_default, number, call.by)
    return await _now(call, number)


async def archive(call: Call) -> Answer:
    """`DELETE /tariffs/{id}`: out of use, not out of the books."""
    number = call.number()
    await call.console.store.write(units.archive, number, call.by)
    return await _now(call, number)


async def show_in_ocpi(call: Call) -> Answer:
    """`GET /tariffs/{id}/ocpi`: the Tariff object of OCPI 2.2.1."""
    found = await call.console.store.read(tariffs.show, call.number())
    if found is None:
        raise NotFound("There is no such tariff.")
    country = call.query.get("country_code", COUNTRY_UNKNOWN)
    return Answer(in_ocpi(found, call.console.site, country, call.query.get("party_id", PARTY_UNKNOWN)))


def in_ocpi(row: TariffRow, site: Site, country: str = COUNTRY_UNKNOWN, party: str = PARTY_UNKNOWN) -> Body:
    """The Tariff object of OCPI 2.2.1.

    Raises:
        Invalid: A line cannot be said in it; the sentence names it.
    """
    return {
        "country_code": country,
        "party_id": party,
        "id": str(row.tariff.id),
        "currency": site.currency,
        "tariff_alt_text": [{"language": site.language, "text": row.tariff.name}],
        **write_in_ocpi(terms_of(row.tariff), site.exponent),
        **({"start_date_time": at(row.valid_from_ms)} if row.valid_from_ms is not None else {}),
        "last_updated": at(row.created_at_ms),
    }


async def add_from_ocpi(call: Call) -> Answer:
    """`POST /tariffs/ocpi`: a new tariff out of the Tariff object of OCPI 2.2.1. The first one is the default."""
    call.check_currency()
    site = call.console.site
    terms = read_from_ocpi(call.body, site.exponent)
    begin = call.body.get("start_date_time")
    begin_ms = moment_of("start_date_time", begin) if begin is not None else None
    name = name_of(call.body)
    tariff = flat_of(terms, name) or in_its_words(partial(units.check, Tariff(0, name, terms=terms)), call.body)
    number = await call.console.store.write(units.add, tariff, call.by, begin_ms)
    answer = await _now(call, number, 201)
    return Answer(answer.body | {"left_out": left_out(call.body)}, answer.status)


def valid_from_of(call: Call) -> int | None:
    """From when it holds; None: from now on."""
    given = call.body.get("valid_from")
    return None if given is None else moment_of("valid_from", given)


def asked_for(body: Body) -> Tariff:
    """The tariff of a request, with lines or with flat prices; what is not named costs nothing.

    Raises:
        Invalid: A number has too many decimals, there are prices of both kinds, or the lines cannot be.
    """
    if "lines" in body:
        both = [name for name in (*FIELDS, "idle_grace_s") if name in body]
        if both:
            raise Invalid(both[0], "A tariff has lines or {name}, and not both.", name=both[0])
        return Tariff(0, body["name"], terms=read_terms(body))
    alone = [name for name in tariff_lines.FIELDS if body.get(name) is not None]
    if alone:
        raise Invalid("lines", "The field {name} belongs to a tariff with lines.", name=alone[0])
    prices: dict[str, Any] = {field: thousandths(name, body.get(name, 0)) for field, name in IN_MINOR.items()}
    return Tariff(
        0,
        body["name"],
        **prices,
        idle_grace_s=body.get("idle_grace_s", 0),
        tax_basis_points=hundredths("tax_percent", body.get("tax_percent", 0)),
    )


def as_json(call: Call, row: TariffRow) -> Body:
    """As JSON."""
    tariff = row.tariff
    return {
        "id": tariff.id,
        "name": tariff.name,
        **{name: _number(getattr(tariff, field), 1000) for field, name in IN_MINOR.items()},
        "tax_percent": _number(tariff.tax_basis_points, 100),
        "idle_grace_s": tariff.idle_grace_s,
        **write_terms(terms_of(tariff)),
        "currency": call.currency,
        "default": row.is_default,
        "created_at": at(row.created_at_ms),
        "valid_from": at(row.valid_from_ms),
        "follows_id": row.follows_id,
        "archived_at": at(row.archived_at_ms),
    }


def _number(scaled: int, by: int) -> int | float:
    """The decimal number as JSON has it: of this size and with so few decimals a float is written exactly."""
    return scaled // by if scaled % by == 0 else scaled / by


async def _now(call: Call, number: int, status: int = 200) -> Answer:
    found = await call.console.store.read(tariffs.show, number)
    if found is None:
        raise NotFound("There is no such tariff.")
    return Answer(as_json(call, found), status)


OPERATIONS = (
    Operation("GET", "/tariffs", "Tariffs in use", list_tariffs, TARIFF, query=PAGING, listed=True),
    Operation("POST", "/tariffs", "A new tariff", add_tariff, TARIFF, takes=NEW_TARIFF, status=201),
    Operation("GET", "/tariffs/{id}", "One tariff", show_tariff, TARIFF),
    Operation("POST", "/tariffs/{id}/default", "Let it hold for all groups without their own", make_default, TARIFF, takes=EMPTY),
    Operation(
        "POST", "/tariffs/{id}/replace", "Other prices from now on: a new tariff takes its place", replace_tariff, TARIFF,
        takes=NEW_TARIFF, status=201,
    ),
    Operation(
        "GET", "/tariffs/{id}/ocpi", "The same as OCPI 2.2.1 writes it", show_in_ocpi, OCPI_TARIFF, query=OCPI_OWNER,
    ),
    Operation(
        "POST", "/tariffs/ocpi", "A new tariff, as OCPI 2.2.1 writes it", add_from_ocpi, TARIFF_FROM_OCPI, takes=OCPI_TARIFF, status=201,
    ),
    Operation("DELETE", "/tariffs/{id}", "Take a tariff out of use", archive, TARIFF),
)  # fmt: skip
