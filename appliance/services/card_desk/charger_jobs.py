"""Jobs of which the card is to be shown at a charger instead of a desk: who waits for it, for how long, and how that ended.

What is done with the card is in `unknown_tags` (a new card) and `aliases` (what the charger calls a card we have).
"""

from __future__ import annotations

from appliance.db.card_desk import jobs
from appliance.db.card_desk.jobs import Job
from appliance.db.engine.memory import Slot
from appliance.db.engine.unit import Database
from appliance.db.stations import stations
from appliance.domain.by import By
from appliance.domain.desk_job import Advice, DeskJobEvent, after
from appliance.domain.desk_request import ChargerRequest
from appliance.domain.errors import NotFound
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.domain.station import StationState
from appliance.services.announce import DeskChanged, DeskNews

VALID_MS = 120_000
"""How long the charger waits for the card."""
CLOCK_MS = 60_000
"""How far a charger's clock may be off after its known skew, before what it tells counts as older than the job."""
DESK = "station:"
NOBODY_WAITS = Slot[bool]()


def desk_of(station: StationId) -> str:
    """The desk that a charger is."""
    return f"{DESK}{station}"


def begin(
    db: Database,
    station: StationId,
    request: ChargerRequest,
    by: By,
    *,
    person: PersonId | None = None,
    card: CardId | None = None,
) -> int:
    """Wait for a card at a charger; whoever waited there before waits no longer. The job's number.

    Raises:
        NotFound: There is no such station.
    """
    found = stations.show(db, station)
    if found is None or found.state != StationState.APPROVED:
        raise NotFound("There is no such charger.")
    desk = desk_of(station)
    for older in jobs.open_at(db, desk):
        finish(db, older, DeskJobEvent.CANCELLED, by.at_ms, Advice.SUPERSEDED)
    job = jobs.add(db, desk, after(None, DeskJobEvent.ASKED), request, by, person=person, card=card)
    NOBODY_WAITS.drop(db)
    db.announce(DeskChanged(desk, DeskNews.PROGRESS, job))
    return job


def waiting(db: Database, station: StationId, shown_at_ms: int, now_ms: int) -> Job | None:
    """The job that a card shown at `shown_at_ms` (the station's word) is for; costs nothing while nobody waits anywhere."""
    if NOBODY_WAITS.get(db):
        return None
    if not jobs.waiting_at_stations(db, now_ms + VALID_MS):
        NOBODY_WAITS.keep(db, True)
        return None
    job = jobs.waiting_at(db, desk_of(station))
    if job is None or now_ms >= job.created_at_ms + VALID_MS:
        return None
    if shown_at_ms != now_ms:
        found = stations.show(db, station)
        behind_ms = max(0, -found.clock_skew_ms) if found is not None else 0
        if shown_at_ms + behind_ms < job.created_at_ms - CLOCK_MS:
            return None  # An old message of a queue: the card was shown before anybody waited for one.
    return job


def finish(
    db: Database,
    job: Job,
    event: DeskJobEvent,
    now_ms: int,
    advice: Advice = Advice.NONE,
    *,
    card: CardId | None = None,
) -> None:
    """It is answered, or cancelled for the reason that `advice` names: expired, superseded, unlike, random, taken."""
    jobs.set_state(db, job.id, after(job.state, event), now_ms, advice)
    if card is not None:
        jobs.set_result(db, job.id, card=card)
    db.announce(DeskChanged(job.desk, DeskNews.DONE, job.id))


def expire(db: Database, now_ms: int) -> int:
    """Wait no longer where nobody came; how many."""
    late = jobs.waiting_at_stations(db, now_ms - VALID_MS + 1)
    for job in late:
        finish(db, job, DeskJobEvent.CANCELLED, now_ms, Advice.EXPIRED)
    return len(late)
