"""What card desks are to do, as rows: one job from the request to what came of it. What a job means is in the services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance.db.card_desk.requests import DamagedRequest, read_request, write_request
from appliance.db.engine.protocols import Cursor, Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.desk_job import DeskJobState
from appliance.domain.desk_request import DeskJobKind, Request
from appliance.domain.identifiers import CardId, PersonId


@dataclass(frozen=True, slots=True)
class Job:
    """One job."""

    id: int
    desk: str
    state: DeskJobState
    request: Request
    person_id: PersonId | None
    card_id: CardId | None
    receipt: int | None
    made: int
    advice: str
    undone: bool
    actor: str
    created_at_ms: int
    changed_at_ms: int

    @property
    def kind(self) -> DeskJobKind:
        """What is done with the card."""
        return self.request.kind


OPEN = "state IN ('waiting', 'writing', 'torn')"
"""Jobs that are not over: a few, with indices of their own, which are taken where just this stands in the query."""
JOB = """
SELECT id, desk, kind, state, request, person_id, card_id, receipt, made, advice, undone, actor, created_at_ms, changed_at_ms
FROM desk_job
"""


def add(
    db: Database,
    desk: str,
    state: DeskJobState,
    request: Request,
    by: By,
    *,
    person: PersonId | None = None,
    card: CardId | None = None,
) -> int:
    """A new job; its number."""
    row = db.execute(
        """INSERT INTO desk_job (desk, kind, state, request, person_id, card_id, actor, created_at_ms, changed_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        (desk, str(request.kind), str(state), write_request(request), person, card, by.actor, by.at_ms, by.at_ms),
    ).fetchone()
    return int(row[0])


def find(db: Readable, job: int) -> Job | None:
    """One job."""
    return _one(db.execute(JOB + "WHERE id = ?", (job,)))


def waiting_at(db: Readable, desk: str) -> Job | None:
    """The job that waits for a card at a desk."""
    return _one(db.execute(f"{JOB} WHERE desk = ? AND {OPEN} AND state = 'waiting' ORDER BY id DESC LIMIT 1", (desk,)))


def open_at(db: Readable, desk: str) -> list[Job]:
    """All that is not over at a desk, the newest first."""
    rows = db.execute(f"{JOB} WHERE desk = ? AND {OPEN} ORDER BY id DESC", (desk,))
    return [_job(row) for row in rows]


def latest_at(db: Readable, desk: str, limit: int) -> list[Job]:
    """What a desk did last, the newest first."""
    return [_job(row) for row in db.execute(JOB + "WHERE desk = ? ORDER BY id DESC LIMIT ?", (desk, limit))]


def unfinished_of(db: Readable, card: CardId) -> list[Job]:
    """Jobs that were begun with a card and have not ended."""
    rows = db.execute(JOB + "WHERE card_id = ? AND state IN ('writing', 'torn') ORDER BY id", (card,))
    return [_job(row) for row in rows]


def torn(db: Readable) -> list[Job]:
    """Jobs whose card is not what it should be."""
    return [_job(row) for row in db.execute(f"{JOB} WHERE {OPEN} AND state = 'torn' ORDER BY id")]


def in_state(db: Readable, state: DeskJobState, before_ms: int) -> list[Job]:
    """Jobs that are not over and came into a state before a moment."""
    rows = db.execute(f"{JOB} WHERE {OPEN} AND state = ? AND changed_at_ms < ? ORDER BY id", (str(state), before_ms))
    return [_job(row) for row in rows]


def waiting_at_stations(db: Readable, before_ms: int) -> list[Job]:
    """Jobs whose desk is a charger (`station:3`) and that have waited since before a moment."""
    rows = db.execute(
        f"""{JOB} WHERE {OPEN} AND state = 'waiting'
        AND desk >= 'station:' AND desk < 'station;' AND created_at_ms < ? ORDER BY id""",
        (before_ms,),
    )
    return [_job(row) for row in rows]


def set_state(db: Database, job: int, state: DeskJobState, now_ms: int, advice: str = "") -> None:
    """What has become of it, and the name of the sentence about it."""
    db.execute(
        "UPDATE desk_job SET state = ?, advice = ?, changed_at_ms = ? WHERE id = ?", (str(state), advice, now_ms, job)
    )


def set_result(
    db: Database, job: int, *, person: PersonId | None = None, card: CardId | None = None, receipt: int | None = None
) -> None:
    """Whom and what it was about; None leaves what is there."""
    db.execute(
        """UPDATE desk_job SET person_id = coalesce(?, person_id), card_id = coalesce(?, card_id),
        receipt = coalesce(?, receipt) WHERE id = ?""",
        (person, card, receipt, job),
    )


def set_request(db: Database, job: int, request: Request) -> None:
    """Keep with a job what will be needed to take it back."""
    db.execute("UPDATE desk_job SET request = ? WHERE id = ?", (write_request(request), job))


def later_of(db: Readable, card: CardId, job: int) -> list[Job]:
    """Jobs with a card that were begun after this one and not taken back."""
    rows = db.execute(
        JOB + "WHERE card_id = ? AND id > ? AND undone = 0 AND state IN ('writing', 'torn', 'done') ORDER BY id",
        (card, job),
    )
    return [_job(row) for row in rows]


def set_undone(db: Database, job: int) -> None:
    """It was taken back."""
    db.execute("UPDATE desk_job SET undone = 1 WHERE id = ?", (job,))


def add_to_batch(db: Database, job: int, card: CardId) -> None:
    """One more card of a batch was begun."""
    db.execute("INSERT INTO batch_card (job_id, card_id) VALUES (?, ?)", (job, card))


def count_made(db: Database, job: int) -> int:
    """One more card of a batch is finished; how many now."""
    row = db.execute("UPDATE desk_job SET made = made + 1 WHERE id = ? RETURNING made", (job,)).fetchone()
    return int(row[0])


def cards_of_batch(db: Readable, job: int) -> list[CardId]:
    """The cards of a batch, in the order in which they were made."""
    rows = db.execute("SELECT card_id FROM batch_card WHERE job_id = ? ORDER BY card_id", (job,))
    return [CardId(row[0]) for row in rows]


def _one(rows: Cursor) -> Job | None:
    row = rows.fetchone()
    return _job(row) if row else None


def _job(row: tuple[Any, ...]) -> Job:
    number, desk, kind, state, request, *rest = row
    person, card, receipt, made, advice, undone, *when = rest
    try:
        asked = read_request(kind, request)
    except DamagedRequest as error:
        error.add_note(f"It is that of desk job {number}.")
        raise
    return Job(
        number,
        desk,
        DeskJobState(state),
        asked,
        person,
        card,
        receipt,
        made,
        advice,
        bool(undone),
        *when,
    )
