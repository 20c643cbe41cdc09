"""On whose name the bills and statements of a wallet are made out."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.wallets import bills
from appliance.domain.bill import Party
from appliance.domain.by import By
from appliance.domain.identifiers import PersonId
from appliance.services import audit
from appliance.services.announce import PersonChanged
from appliance.services.people.people import need
from appliance.services.texts import one_line


def of(db: Readable, person: PersonId) -> Party:
    """On whose name they are made out; empty: on the person's own.

    Raises:
        NotFound: There is no such person.
    """
    return bills.entered_buyer(db, need(db, person).wallet)


def change(db: Database, person: PersonId, buyer: Party, by: By) -> Party:
    """From the next bill on, those of this person's wallet have this name; what was given away stays as it is.

    Raises:
        NotFound, Invalid: There is no such person; a field is too long.
    """
    found = need(db, person)
    cleaned = Party(
        one_line("name", buyer.name), one_line("address", buyer.address), one_line("tax_number", buyer.tax_number)
    )
    if cleaned != bills.entered_buyer(db, found.wallet):
        bills.set_buyer(db, found.wallet, cleaned)
        audit.record(db, by, "person.buyer", f"person:{person}", name=cleaned.name or found.name)
        db.announce(PersonChanged(person))
    return cleaned
