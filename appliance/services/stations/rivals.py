"""Watches for two devices under one name: they push each other out, and each other's sessions get mixed up."""

from __future__ import annotations

from appliance.db.engine.memory import Slots
from appliance.db.engine.unit import Database
from appliance.db.stations import stations
from appliance.domain.events import StationBooted
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.rivals import BOOTS_REMEMBERED, Boot, Device, rivals
from appliance.services import problems

BOOTS = Slots[StationId, tuple[Boot, ...]]()
"""The last ones of each name, the oldest first; the one before the server started is in the station's row."""


def booted(db: Database, station: StationId, event: StationBooted) -> None:
    """Before the row is changed: what booted under this name, and whether it is one of two."""
    found = stations.last_boot(db, station)
    if found is None:
        return
    identity, address, before = found
    known = BOOTS.get(db, station) or ((before,) if before is not None else ())
    device = Device(event.vendor, event.model, event.serial or event.part)
    boots = (*known, Boot(device, address, event.received_at_ms))[-BOOTS_REMEMBERED:]
    BOOTS.keep(db, station, boots)
    two = rivals(boots)
    if two is not None:
        devices = sorted((as_details(one) for one in two), key=lambda one: one["serial"])
        problems.raise_problem(
            db,
            ProblemKind.DUPLICATE_IDENTITY,
            f"station:{station}",
            event.received_at_ms,
            station=int(station),
            identity=identity,
            devices=devices,
        )


def as_details(boot: Boot) -> dict[str, str]:
    """As a problem tells it."""
    device = boot.device
    return {"vendor": device.vendor, "model": device.model, "serial": device.serial, "address": boot.address}
