"""Problems: what an operator should see or do, in the reader's language and as facts."""

from __future__ import annotations

from appliance.db import problems
from appliance.db.engine.protocols import Readable
from appliance.db.problems import Problem
from appliance.db.stations import stations
from appliance.db.stations.stations import Named
from appliance.domain.errors import NotFound
from appliance.services import problems as units
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import anything, choice, flag, moment, or_null, record, whole, words
from appliance.ui.wording.problems import describe
from appliance.ui.writing.formats import formats

PROBLEM = record(
    "SiteProblem",
    id=whole(),
    kind=words("A word that never changes, such as `offline`."),
    subject=words("What it is about: station:17, session:12, disk."),
    sentence=words("For people."),
    advice=words("What to do."),
    urgent=flag(),
    details=anything("The numbers of the sentence; they differ from kind to kind."),
    since=moment(),
    cleared_at=or_null(moment("null: it still is so.")),
)

Names = dict[int, Named]


async def list_problems(call: Call) -> Answer:
    """`GET /problems`: the open ones by number, or those that are over, the newest first."""
    over = call.query.get("state") == "cleared"
    names, rows = await call.console.store.read(_rows, over, call.after, call.limit + 1)
    return listed(rows, call.limit, lambda row: as_json(call, names, row), lambda row: row.id)


async def acknowledge(call: Call) -> Answer:
    """`POST /problems/{id}/acknowledge`: somebody has looked at it."""
    number = call.number()
    names, found = await call.console.store.read(_open, number)
    if found is None:
        raise NotFound("There is no such problem, or it is over already.")
    await call.console.store.write(units.acknowledge, number, call.by)
    return Answer(as_json(call, names, found) | {"cleared_at": at(call.now_ms)})


def as_json(call: Call, names: Names, problem: Problem) -> Body:
    """As JSON."""
    site = call.console.site
    text = describe(problem, names, formats(site.currency, site.exponent, site.zone), call.now_ms)
    return {
        "id": problem.id,
        "kind": problem.kind,
        "subject": problem.subject,
        "sentence": text.sentence,
        "advice": text.advice,
        "urgent": text.urgent,
        "details": problem.details,
        "since": at(problem.since_ms),
        "cleared_at": at(problem.cleared_at_ms),
    }


def _rows(db: Readable, over: bool, after: int, limit: int) -> tuple[Names, list[Problem]]:
    if over:
        return stations.names(db), problems.history(db, after or None, limit)
    rows = sorted(problems.open_problems(db), key=lambda row: row.id)
    return stations.names(db), [row for row in rows if row.id > after][:limit]


def _open(db: Readable, number: int) -> tuple[Names, Problem | None]:
    return stations.names(db), next((row for row in problems.open_problems(db) if row.id == number), None)


OPERATIONS = (
    Operation(
        "GET", "/problems", "What needs a hand", list_problems, PROBLEM, listed=True,
        query=(Parameter("state", choice("open", "cleared", description="open if left out.")), *PAGING),
    ),
    Operation("POST", "/problems/{id}/acknowledge", "Say that somebody has looked at it", acknowledge, PROBLEM, takes=EMPTY),
)  # fmt: skip
