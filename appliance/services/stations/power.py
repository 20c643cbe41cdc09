"""The greatest power that an EVSE can give: what staff say, what its station says, what was measured there."""

from __future__ import annotations

from appliance.db import audit as rows
from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.db.stations import stations
from appliance.db.stations.stations import Powers
from appliance.domain.by import By
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.identifiers import StationId
from appliance.domain.registers import POWER_W_MAX
from appliance.services import audit, settings
from appliance.services.announce import StationChanged

SAID_W_MIN, SAID_W_MAX = 1_000, 4_000_000
AGAIN_MS = 3_600_000
"""So seldom is put on record what a station says of its power."""
TOLD_W_MIN = 22_000
"""What a station says may hold for the moment only, and the largest of those with alternating current give so much."""


def greatest_w(db: Database, station: StationId, evse: int) -> int:
    """What staff have said of it, else its station, else staff of all that are here, else what no charger exceeds; or what was measured to
    be more. What was measured never lowers it, or the first big car at a place of small ones would be doubted.
    """
    powers = stations.powers(db, station, evse)
    told_w = powers.said_w or powers.told_w or settings.of(db).power_max_kw * 1000 or POWER_W_MAX
    return max(told_w, powers.seen_w)


def say(db: Database, station: StationId, evse: int, power_w: int, by: By, field: str = "power_max_w") -> None:
    """Staff say how much an EVSE can give; 0: they do not know. Nothing is recorded where nothing changes.

    Raises:
        NotFound, Invalid: There is no such connector, or no charger gives so little or so much.
    """
    found = stations.show(db, station)
    if found is None or evse not in {one.evse for one in found.connectors}:
        raise NotFound("There is no such connector.")
    if power_w and not SAID_W_MIN <= power_w <= SAID_W_MAX:
        raise Invalid(field, "A charger gives between 1 and 4,000 kW. Leave the field empty if you do not know.")
    known = stations.powers(db, station, evse)
    if power_w == known.said_w:
        return
    stations.set_powers(db, station, evse, known._replace(said_w=power_w))
    audit.record(
        db, by, "station.power", f"station:{station}", name=found.name, evse=evse, power_w=power_w, before=known.said_w
    )
    read_anew(db, station, evse)
    db.announce(StationChanged(station, evse))


def learn(db: Database, station: StationId, power_w: int, now_ms: int) -> None:
    """A station says by its settings what each of its EVSEs can give."""
    power_w = max(with_margin(power_w), TOLD_W_MIN)
    for evse in {one.evse for one in stations.connectors(db, station)}:
        known = stations.powers(db, station, evse)
        if known.told_w != power_w:
            put_down(db, station, evse, known._replace(told_w=power_w), now_ms)
            read_anew(db, station, evse)


def offered(db: Database, station: StationId, evse: int, power_w: int, at_ms: int) -> bool:
    """A station offers so much to the car; whether that changes what is known."""
    known = stations.powers(db, station, evse)
    power_w = max(with_margin(power_w), TOLD_W_MIN) if power_w <= SAID_W_MAX else 0
    if power_w <= known.told_w:
        return False
    put_down(db, station, evse, known._replace(told_w=power_w), at_ms)
    return True


def measured(db: Database, station: StationId, evse: int, power_w: int, now_ms: int) -> None:
    """So much was measured there; what is less teaches nothing."""
    known = stations.powers(db, station, evse)
    if power_w > known.seen_w:
        put_down(db, station, evse, known._replace(seen_w=power_w), now_ms)


def put_down(db: Database, station: StationId, evse: int, powers: Powers, at_ms: int) -> None:
    """What a station says, or shows, is on record, too, or it would look like somebody's hand in the books; but no station fills the
    audit list with it.
    """
    stations.set_powers(db, station, evse, powers)
    by = By(f"station:{station}", at_ms)
    last_ms = rows.last_at_ms(db, by.actor, "station.gives")
    if last_ms is None or at_ms - last_ms >= AGAIN_MS:
        audit.record(
            db, by, "station.gives", f"station:{station}", evse=evse, power_w=powers.told_w, measured_w=powers.seen_w
        )


def with_margin(power_w: int) -> int:
    """Meters tell a little more than what is meant."""
    return power_w * 11 // 10


def read_anew(db: Database, station: StationId, evse: int) -> None:
    """What runs there has been read by another power."""
    for number in sessions.all_on_evse(db, station, evse):
        running = sessions.find_open(db, number)
        if running is not None:
            running.progress = None
