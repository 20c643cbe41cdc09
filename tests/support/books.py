"""A site's books for tests: the real schema in a real database, and a few people in it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from appliance.db import ledger, reports, site
from appliance.db.engine.open import WRITER_SETTINGS
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.reconciling.rows import Sums
from appliance.db.reports import StationDay
from appliance.db.sessions import sessions
from appliance.domain.by import By
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import GroupId, PersonId, SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.site import Site
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.cards import cards
from appliance.services.people import groups
from appliance.services.people import people as people_units
from appliance.services.reconciling.reconciling import reconcile
from appliance.services.sessions import metering, stopping
from appliance.services.sessions import starting as service
from appliance.services.sessions.starting import Started
from appliance.services.stations import admission
from appliance.services.stations import status as status_units
from appliance.services.wallets import wallets
from tests.support.schema import prepare
from tests.support.statuses import status_changed

NOON_MS = 1_763_877_600_000
"""2025-11-23, noon in Dhaka."""
SECRET = bytes(range(32))
ACTOR = "operator:1"
BY = By(ACTOR, NOON_MS)
SITE = Site("Test yard", "BDT", 2, "Asia/Dhaka", "en")

numbers = count(1)


@dataclass(slots=True)
class Books:
    """A database with a site, and short words for what tests do to it."""

    db: Database
    path: Path
    now_ms: int = NOON_MS

    @property
    def by(self) -> By:
        """The member of the staff that does it all, now."""
        return By(ACTOR, self.now_ms)

    def group(self, policy: str = "prepaid", limit_minor: int | None = None) -> GroupId:
        """A new group of this policy."""
        return groups.add(self.db, f"group {next(numbers)}", policy, self.by, limit_minor=limit_minor)

    def tariff(
        self, energy: int = 2_000_000, *, time: int = 0, idle: int = 0, grace_s: int = 0, flat: int = 0, tax: int = 0
    ) -> int:
        """The default tariff: thousandths of a minor unit; 2,000,000 is 20.00 a kilowatt-hour."""
        number = tariffs.add(
            self.db, Tariff(0, f"tariff {next(numbers)}", energy, time, idle, grace_s, flat, tax), self.by
        )
        tariffs.make_default(self.db, number, self.by)
        return number

    def person(self, name: str = "Rahima Khatun", *, group: GroupId | None = None, paid_in: int = 0) -> PersonId:
        """A person with money in the wallet."""
        person = people_units.add(self.db, name, group or self.group(), self.by)
        if paid_in:
            wallets.top_up(self.db, person, paid_in, "cash", f"paid-{next(numbers)}", self.by)
        return person

    def card(self, uid: str, person: PersonId, *, transactions_max: int = 1, expires_at_ms: int | None = None) -> int:
        """A card for a person."""
        return cards.add(self.db, uid, person, self.by, transactions_max=transactions_max, expires_at_ms=expires_at_ms)

    def station(self, identity: str = "CS-01", evses: int = 2) -> StationId:
        """An approved station with free connectors."""
        station = admission.register(self.db, identity, "", 0, None, self.by)
        for evse in range(1, evses + 1):
            self.status(station, evse, "Available")
        return station

    def status(self, station: StationId, evse: int, status: str) -> None:
        """A StatusNotification."""
        status_units.status_changed(self.db, station, status_changed(evse, status, self.now_ms, self.now_ms))

    def start(self, station: StationId, evse: int, uid: str, meter_wh: int = 1_000) -> Started:
        """A StartTransaction, now."""
        event = TransactionStarted(evse, uid, meter_wh, self.now_ms, self.now_ms)
        return service.transaction_started(self.db, station, event)

    def read(self, station: StationId, ref: int, meter_wh: int, power_w: int | None = None) -> None:
        """A MeterValues, now."""
        reading = Reading(self.now_ms, energy_wh=meter_wh, power_w=power_w)
        metering.meter_read(self.db, station, MeterRead(ref, 1, (reading,), self.now_ms))

    def stop(
        self, station: StationId, ref: int, meter_wh: int | None, uid: str | None = None, reason: str = "Local"
    ) -> None:
        """A StopTransaction, now."""
        event = TransactionEnded(ref, uid, meter_wh, self.now_ms, reason, (), self.now_ms)
        stopping.transaction_ended(self.db, station, event)

    def wait(self, seconds: int) -> None:
        """Time goes by."""
        self.now_ms += seconds * 1000

    def balance(self, person: PersonId) -> int:
        """What is in the wallet, held or not."""
        self.db.flush()
        found = people.find(self.db, person)
        assert found is not None
        return found.balance_minor

    def available(self, person: PersonId) -> int | None:
        """What can still be spent."""
        self.db.flush()
        found = people.find(self.db, person)
        assert found is not None
        return found.available_minor

    def session(self, number: int) -> sqlite3.Row:
        """The row of a session."""
        self.db.flush()
        cursor = self.db.cursor()
        cursor.row_factory = sqlite3.Row
        row: sqlite3.Row = cursor.execute("SELECT * FROM session WHERE id = ?", (number,)).fetchone()
        return row

    def days(self, first: str, last: str) -> list[StationDay]:
        """The daily report."""
        self.db.flush()
        return reports.station_days(self.db, first, last)

    def running(self, number: int) -> sessions.Running | None:
        """The session as the writer remembers it."""
        return sessions.find_open(self.db, SessionId(number))

    def wrong(self) -> list[str]:
        """What is wrong in the ledger and in the sums of the reports, and what would stop money."""
        self.db.flush()
        differences = [str(one) for one in reconcile(self.db, Sums())]
        return ledger.verify(self.db) + reports.unequal_sums(self.db) + differences


def open_books(path: Path, where: Site = SITE) -> Books:
    """New books in a file."""
    prepare(path)
    db = sqlite3.connect(path, isolation_level=None, factory=Database)
    db.executescript(WRITER_SETTINGS.replace("synchronous = FULL", "synchronous = OFF"))
    site.create(db, where, SECRET, NOON_MS)
    return Books(db, path)
