"""Problems: what an operator should see or do, in the reader's language and as facts."""

from __future__ import annotations

from dataclasses import replace

from appliance.db import problems
from appliance.db.engine.protocols import Readable
from appliance.db.problems import Problem
from appliance.db.stations import stations
from appliance.db.stations.stations import Named
from appliance.domain.order import natural
from appliance.services import problems as units
from appliance.services.problems import groups
from appliance.services.problems.groups import Group
from appliance.services.problems.private import without_cards
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import anything, choice, flag, moment, or_null, record, several, whole, words
from appliance.ui.frame.roles import SEES_CARDS
from appliance.ui.wording.problems import describe, describe_group, station_number
from appliance.ui.writing.formats import formats

PROBLEMS_MAX = 100_000
"""More than ever stand open at once: all of them are told in a few rows."""

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
    times=whole("How often it has happened; of what lasts, 1."),
    last_at=moment("When it happened last."),
    dismissed_at=or_null(moment("When somebody put it aside while it lasts.")),
)
ROW = record(
    "ProblemRow",
    key=words("The kind, and what sets it apart from other rows of its kind."),
    kind=words("A word that never changes, such as `offline`."),
    sentence=words("For people: of several, `9 chargers are offline`."),
    advice=words("What to do."),
    urgent=flag(),
    count=whole("How many problems it holds."),
    times=whole("How often they have happened, all together; of what lasts, 1."),
    since=moment("When the first of them began."),
    last_at=moment("When one happened last."),
    problems=several(whole("The number of a problem.")),
    stations=several(words("What a station calls itself.")),
)

Names = dict[int, Named]


async def list_problems(call: Call) -> Answer:
    """`GET /problems`: the open ones by number, or those that are over, the newest first."""
    state = call.query.get("state", "open")
    names, rows = await call.console.store.read(_rows, state, call.after, call.limit + 1)
    return listed(rows, call.limit, lambda row: as_json(call, names, row), lambda row: row.id)


async def list_rows(call: Call) -> Answer:
    """`GET /problems/rows`: the open ones as people see them, like ones in one row; the urgent first."""
    names, found = await call.console.store.read(_rows, "open", 0, PROBLEMS_MAX)
    newest_first = sorted(found, key=lambda problem: (problem.since_ms, problem.id), reverse=True)
    rows = [row_as_json(call, names, group) for group in groups.grouped(newest_first)]
    return Answer({"items": sorted(rows, key=lambda row: not row["urgent"]), "next": None})


async def acknowledge(call: Call) -> Answer:
    """`POST /problems/{id}/acknowledge`: somebody has looked at it."""
    number = call.number()
    await call.console.store.write(units.acknowledge, number, call.by)
    names, found = await call.console.store.read(_one, number)
    assert found is not None, "problems are never deleted"
    return Answer(as_json(call, names, found))


def as_json(call: Call, names: Names, problem: Problem) -> Body:
    """As JSON."""
    site = call.console.site
    if call.principal.role not in SEES_CARDS:
        problem = without_cards(problem)
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
        "times": problem.times,
        "last_at": at(problem.last_at_ms),
        "dismissed_at": at(problem.dismissed_at_ms),
    }


def row_as_json(call: Call, names: Names, group: Group) -> Body:
    """A row as JSON."""
    site = call.console.site
    if call.principal.role not in SEES_CARDS:
        group = replace(group, members=tuple(map(without_cards, group.members)))
    text = describe_group(group, names, formats(site.currency, site.exponent, site.zone), call.now_ms)
    numbers = {number for one in group.members if (number := station_number(one)) in names}
    return {
        "key": group.key,
        "kind": text.kind,
        "sentence": text.sentence,
        "advice": text.advice,
        "urgent": text.urgent,
        "count": len(group.members),
        "times": group.times,
        "since": at(group.since_ms),
        "last_at": at(group.last_at_ms),
        "problems": sorted(one.id for one in group.members),
        "stations": sorted((names[number].identity for number in numbers), key=natural),
    }


def _rows(db: Readable, state: str, after: int, limit: int) -> tuple[Names, list[Problem]]:
    if state == "cleared":
        return stations.names(db), problems.history(db, after or None, limit)
    found = problems.dismissed(db) if state == "dismissed" else problems.open_problems(db)
    rows = sorted(found, key=lambda row: row.id)
    return stations.names(db), [row for row in rows if row.id > after][:limit]


def _one(db: Readable, number: int) -> tuple[Names, Problem | None]:
    return stations.names(db), problems.show(db, number)


OPERATIONS = (
    Operation(
        "GET", "/problems", "What needs a hand", list_problems, PROBLEM, listed=True,
        query=(Parameter("state", choice("open", "cleared", "dismissed", description="open if left out; dismissed: put aside, and not over.")), *PAGING),
    ),
    Operation("GET", "/problems/rows", "What needs a hand, like problems in one row", list_rows, ROW, listed=True),
    Operation("POST", "/problems/{id}/acknowledge", "Say that somebody has looked at it", acknowledge, PROBLEM, takes=EMPTY),
)  # fmt: skip
