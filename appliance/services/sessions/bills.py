"""The paper of a session: a bill in the commit that takes its money; billed anew, a credit note for it and another bill."""

from __future__ import annotations

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.sessions import lines
from appliance.db.sessions.sessions import Running
from appliance.db.wallets import bills as rows
from appliance.db.wallets.bills import Billed, Paper, Particulars
from appliance.domain.bill import BillKind, Party, paper_lines, paper_taxes
from appliance.domain.tariff import Bill
from appliance.services import settings as settings_of_site


def issue(db: Database, running: Running, bill: Bill, at_ms: int, *, is_first: bool = False) -> None:
    """Write down what a session costs, after its row says so. Where that is what its paper says already, nothing is written.

    `is_first`: it has just ended, and has no paper yet.
    """
    if running.wallet is None or running.tariff is None:
        return
    before = None if is_first else rows.standing(db, running.id)
    if before is None and not bill.total_minor:
        return
    found = rows.billed(db, running.id)
    particulars = _particulars(db, running, bill, found)
    if before is not None:
        if _is_same(before, bill, particulars):
            return
        _take_back(db, before, at_ms)
    if bill.total_minor:
        sums = (bill.net_minor, bill.tax_minor)
        rows.add(
            db, BillKind.BILL, running.id, running.wallet, running.person, sums, None, particulars, at_ms
        )  # fmt: skip


def seller(db: Database) -> Party:
    """Who sells, as the settings say it; without a word for the name it is the site."""
    settings = settings_of_site.of(db)
    name = settings.seller_name or sites.of(db).name
    return Party(name, settings.seller_address, settings.seller_tax_number)


def _take_back(db: Database, before: Paper, at_ms: int) -> None:
    """A credit note over all of a bill: it tells of the same session in the same words."""
    sums = (-before.net_minor, -before.tax_minor)
    rows.add(
        db, BillKind.CREDIT_NOTE, before.session, before.wallet, before.person, sums, before.number, before.particulars, at_ms
    )  # fmt: skip


def _is_same(before: Paper, bill: Bill, now: Particulars) -> bool:
    """Whether the paper says all that a new one would say of the energy, the time and the money."""
    then = before.particulars
    return (before.net_minor, before.tax_minor, then.lines, then.energy_wh, then.duration_s) == (
        bill.net_minor,
        bill.tax_minor,
        now.lines,
        now.energy_wh,
        now.duration_s,
    )


def _particulars(db: Database, running: Running, bill: Bill, found: Billed) -> Particulars:
    assert running.tariff is not None
    terms = running.tariff.terms
    return Particulars(
        seller=seller(db),
        buyer=Party(found.buyer_name, found.buyer_address, found.buyer_tax_number),
        person=found.name,
        language=found.language,
        station=found.station,
        evse=found.evse,
        started_at_ms=found.started_at_ms,
        ended_at_ms=found.ended_at_ms,
        meter_start_wh=found.meter_start_wh,
        meter_stop_wh=found.meter_stop_wh,
        energy_wh=found.energy_wh,
        duration_s=found.duration_s,
        idle_s=found.idle_s,
        tariff=running.tariff.id,
        tariff_name=running.tariff.name,
        tax_included=terms is not None and terms.tax_included,
        lines=paper_lines(bill),
        taxes=paper_taxes(bill, running.tariff),
        charged=() if terms is None else lines.as_kept(db, running.id),
    )
