"""Bills of sessions and their credit notes: numbered without gaps, never changed."""

from __future__ import annotations

from dataclasses import asdict

from appliance.db.engine.protocols import Readable
from appliance.db.lists import Window
from appliance.db.wallets import bills
from appliance.db.wallets.bills import Paper
from appliance.domain.bill import Party
from appliance.domain.errors import NotFound
from appliance.domain.identifiers import PersonId
from appliance.services.wallets import buyers
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import (
    CURRENCY,
    choice,
    flag,
    form,
    moment,
    money,
    number_of,
    or_null,
    record,
    several,
    text,
    whole,
    words,
)

PARTY = record("Party", name=words(), address=words(), tax_number=words("BIN, GSTIN, VAT number."))
NEW_BUYER = form("NewBuyer", name=text(), address=text(), tax_number=text())
BILL_LINE = record(
    "BillLine",
    kind=words("energy, time, idle, flat, charging, reservation, minimum or maximum."),
    quantity=whole("Wh, seconds or times."),
    amount_minor=money("With tax where the tariff's prices are."),
    line=or_null(whole("Its place among the tariff's lines; null: of flat prices, or the difference to a limit.")),
)
BILL_TAX = record(
    "BillTax",
    code=words("Empty for the one tax of a tariff with flat prices."),
    basis_points=whole("Hundredths of a percent."),
    tax_minor=money(),
)
BILL = record(
    "Bill",
    number=whole("Without gaps, from 1."),
    kind=choice("bill", "credit_note"),
    at=moment(),
    session_id=whole(),
    person_id=or_null(whole()),
    person=words("Names are as they were then."),
    seller=PARTY.reference,
    buyer=PARTY.reference,
    station=words(),
    evse=whole(),
    started_at=moment(),
    ended_at=moment(),
    meter_start_wh=or_null(whole()),
    meter_stop_wh=or_null(whole()),
    energy_wh=whole(),
    duration_s=whole(),
    idle_s=whole(),
    tariff_id=whole(),
    tax_included=flag("Whether the amounts of the lines are with tax."),
    lines=several(BILL_LINE.reference),
    taxes=several(BILL_TAX.reference),
    net_minor=money("Below zero on a credit note, as tax and total."),
    tax_minor=money(),
    total_minor=money(),
    currency=CURRENCY,
    corrects=or_null(whole("The bill that this credit note takes back.")),
    corrected_by=or_null(whole("The credit note that takes this bill back.")),
)


async def list_bills(call: Call) -> Answer:
    """`GET /bills`: the newest first; the next page goes on `after` the lowest number."""
    window = Window("number", falls=True, mark=call.after, rows=call.limit + 1)
    rows = await call.console.store.read(_listed, window, call.query.get("person"), call.query.get("session"))
    return listed(rows, call.limit, lambda row: as_json(call, row), lambda row: row.number)


async def show_bill(call: Call) -> Answer:
    """`GET /bills/{number}`."""
    found = await call.console.store.read(bills.find, call.number("number"))
    if found is None:
        raise NotFound("There is no such bill.")
    return Answer(as_json(call, found))


def as_json(call: Call, bill: Paper) -> Body:
    """As JSON."""
    said = bill.particulars
    return {
        "number": bill.number,
        "kind": str(bill.kind),
        "at": at(bill.at_ms),
        "session_id": bill.session,
        "person_id": bill.person,
        "person": said.person,
        "seller": party(said.seller),
        "buyer": party(said.buyer),
        "station": said.station,
        "evse": said.evse,
        "started_at": at(said.started_at_ms),
        "ended_at": at(said.ended_at_ms),
        "meter_start_wh": said.meter_start_wh,
        "meter_stop_wh": said.meter_stop_wh,
        "energy_wh": said.energy_wh,
        "duration_s": said.duration_s,
        "idle_s": said.idle_s,
        "tariff_id": said.tariff,
        "tax_included": said.tax_included,
        "lines": [one._asdict() for one in said.lines],
        "taxes": [one._asdict() for one in said.taxes],
        "net_minor": bill.net_minor,
        "tax_minor": bill.tax_minor,
        "total_minor": bill.total_minor,
        "currency": call.currency,
        "corrects": bill.corrects,
        "corrected_by": bill.corrected_by,
    }


def party(one: Party) -> Body:
    """Who sells or buys."""
    return asdict(one)


def _listed(db: Readable, window: Window, person: int | None, session: int | None) -> list[Paper]:
    if session is not None:
        found = [one for one in bills.of_session(db, session) if person is None or one.person == person]
        return [one for one in reversed(found) if not window.mark or one.number < window.mark][: window.rows]
    return bills.part(db, window, person=PersonId(person) if person is not None else None).rows


async def show_buyer(call: Call) -> Answer:
    """`GET /people/{id}/buyer`."""
    return Answer(party(await call.console.store.read(buyers.of, PersonId(call.number()))))


async def change_buyer(call: Call) -> Answer:
    """`PUT /people/{id}/buyer`: what is not named is empty then."""
    buyer = Party(**call.body)
    return Answer(party(await call.console.store.write(buyers.change, PersonId(call.number()), buyer, call.by)))


OPERATIONS = (
    Operation("GET", "/people/{id}/buyer", "On whose name their bills are made out", show_buyer, PARTY),
    Operation(
        "PUT", "/people/{id}/buyer", "Make their bills out to another name", change_buyer, PARTY, takes=NEW_BUYER
    ),
    Operation(
        "GET", "/bills", "Bills of sessions, the newest first", list_bills, BILL, listed=True,
        query=(Parameter("person", number_of("the person")), Parameter("session", number_of("the session")), *PAGING),
        parts=(PARTY, BILL_LINE, BILL_TAX),
    ),
    Operation("GET", "/bills/{number}", "One bill", show_bill, BILL, parts=(PARTY, BILL_LINE, BILL_TAX)),
)  # fmt: skip
