"""Compares what stations remember with what is in the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from appliance.db import audit, ledger
from appliance.db.engine.unit import Database
from tests.reliability.fleet import PAID_IN_MINOR, PRICE_MINOR_PER_KWH, Fleet, FleetStation
from tests.support.process import look_into


def differences(data_dir: Path, fleet: Fleet) -> list[str]:
    """Everything acknowledged that is not in the file, or is there more than once, or costs something else."""
    db = look_into(data_dir)
    try:
        found = [*ledger.verify(db)]
        if (row := audit.broken_at(db)) is not None:
            found.append(f"the audit list breaks at {row}")
        if (text := db.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
            found.append(f"the file: {text}")
        for station in fleet.stations:
            found += [f"{station.identity}: {text}" for text in of_station(db, station)]
        found += captures(db)
        return found
    finally:
        db.close()


def of_station(db: Database, station: FleetStation) -> Iterator[str]:
    """What one station was promised."""
    known = station.known
    (number,) = db.execute("SELECT id FROM station WHERE identity = ?", (station.identity,)).fetchone()
    rows = {
        row[0]: row[1:]
        for row in db.execute(
            "SELECT id, state, energy_wh, fee_minor, person_id FROM session WHERE station_id = ? AND note <> 'restored'",
            (number,),
        )
    }
    for stamp, transaction in known.starts.items():
        if transaction not in rows:
            yield f"the start of {stamp} was acknowledged as {transaction} and is lost"
    for transaction in rows.keys() - set(known.starts.values()):
        yield f"session {transaction} was begun by nothing that was sent"
    fees_minor = 0
    for transaction, energy_wh in known.stops.items():
        fee_minor = round(energy_wh * PRICE_MINOR_PER_KWH / 1000)
        fees_minor += fee_minor
        if rows.get(transaction, ())[:3] != ("ended", energy_wh, fee_minor):
            yield f"the stop of {transaction} with {energy_wh} Wh was acknowledged; the row is {rows.get(transaction)}"
    for transaction in rows.keys() - known.stops.keys():
        if rows[transaction][0] != "running":
            yield f"session {transaction} has ended without a stop"
    samples = set(
        db.execute(
            "SELECT session_id, sample.energy_wh FROM sample JOIN session ON session.id = session_id WHERE station_id = ?",
            (number,),
        )
    )
    for transaction, register_wh in known.readings - samples:
        yield f"the reading {register_wh} Wh of {transaction} was acknowledged and is lost"
    for (balance_minor,) in db.execute(
        """SELECT credit_posted - debit_posted FROM account JOIN person ON wallet_id = account.id
        JOIN card ON card.person_id = person.id WHERE uid = ?""",
        (f"04{station.number:06X}",),
    ):
        if balance_minor != PAID_IN_MINOR - fees_minor:
            yield f"the wallet holds {balance_minor} instead of {PAID_IN_MINOR - fees_minor}"


def captures(db: Database) -> Iterator[str]:
    """Each session that has ended was paid exactly once, out of its own holds and what exceeded them."""
    # One pass over the transfers: they have no index by what they are about, and there may be a million.
    for session, slices, fee_minor, resolved, paid_minor in db.execute(
        """WITH paid AS (
          SELECT reference, sum(op IN ('capture', 'void')) AS resolved,
                 sum(CASE WHEN op IN ('capture', 'post') AND code = 'charge' THEN amount_minor ELSE 0 END) AS minor
          FROM transfer GROUP BY reference)
        SELECT session.id, slices, fee_minor, coalesce(paid.resolved, 0), coalesce(paid.minor, 0)
        FROM session LEFT JOIN paid ON paid.reference = CAST(session.id AS TEXT) WHERE state = 'ended'"""
    ):
        if (resolved, paid_minor) != (slices, fee_minor):
            yield f"session {session}: {resolved} of {slices} holds resolved, {paid_minor} paid of {fee_minor}"
