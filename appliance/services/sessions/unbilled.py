"""Energy that flows while no session runs: after a stop, between two sessions. Nobody pays for it, so staff are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from appliance.db import problems as problem_rows
from appliance.db.engine.memory import Slots
from appliance.db.engine.unit import Database
from appliance.db.sessions import neighbours
from appliance.db.sessions.neighbours import Neighbour
from appliance.db.sessions.sessions import Running
from appliance.domain import watch as rules
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.problem import ProblemKind
from appliance.domain.registers import JITTER_WH
from appliance.services import problems
from appliance.services.announce import ProblemsChanged
from appliance.services.stations import power


class Seen(NamedTuple):
    """What was read at an EVSE since its last session."""

    after: int
    """That session; 0: there was none."""
    at_ms: int
    wh: int
    taken_wh: int
    """Between these readings."""


SEEN = Slots[tuple[StationId, int], Seen]()


def look_at(db: Database, station: StationId, evse: int, readings: Sequence[Reading], now_ms: int) -> None:
    """Readings of an EVSE at which no session runs."""
    for one in readings:
        if one.energy_wh is not None:
            before = neighbours.last_ended(db, station, evse)
            found = one.at_ms, one.energy_wh
            wh = max(since_stop(db, station, evse, before, found), since_seen(db, station, evse, before, found))
            if wh > JITTER_WH:
                report(db, station, evse, before, wh, found[1], now_ms)


def at_start(db: Database, running: Running) -> None:
    """A session begins, in whatever version of OCPP: what flowed since the one before it on its EVSE is nobody's."""
    before = neighbours.before(db, running)
    found = min(running.started_at_ms, running.heard_at_ms), running.meter_start_wh
    wh = since_stop(db, running.station, running.evse, before, found)
    if wh:
        report(db, running.station, running.evse, before, wh, found[1], running.heard_at_ms)


def billed(db: Database, running: Running, meter_stop_wh: int | None) -> None:
    """A session's stop has come after all: what was missed may be in its bill."""
    if meter_stop_wh is None:
        return
    subject = subject_of(running.station, running.evse, running.id)
    known = problem_rows.find_open(db, ProblemKind.UNBILLED, subject)
    if known is not None and known.details["register_wh"] <= meter_stop_wh + JITTER_WH:
        problems.clear_problem(db, ProblemKind.UNBILLED, subject, running.heard_at_ms)


def since_stop(db: Database, station: StationId, evse: int, before: Neighbour, found: tuple[int, int]) -> int:
    """What flowed since the last session stopped, as far as it was measured by the same count."""
    if before.register_wh is None or found[1] - before.register_wh <= JITTER_WH:
        return 0
    by_itself = (before.meter_start_wh or 0) <= JITTER_WH
    stop = before.ended_at_ms, before.register_wh
    return rules.moved_on_wh(stop, found, power.greatest_w(db, station, evse), by_itself=by_itself)


def since_seen(db: Database, station: StationId, evse: int, before: Neighbour, found: tuple[int, int]) -> int:
    """What flowed from reading to reading since then."""
    seen, (at_ms, wh) = SEEN.get(db, (station, evse)), found
    if seen is None or seen.after != before.id:
        SEEN.keep(db, (station, evse), Seen(before.id, at_ms, wh, 0))
        return 0
    if at_ms <= seen.at_ms:
        return seen.taken_wh
    step_wh = rules.step_wh((seen.at_ms, seen.wh), found, power.greatest_w(db, station, evse))
    SEEN.keep(db, (station, evse), Seen(before.id, at_ms, wh, seen.taken_wh + step_wh))
    return seen.taken_wh + step_wh


def report(
    db: Database, station: StationId, evse: int, before: Neighbour, energy_wh: int, register_wh: int, now_ms: int
) -> None:
    """Say so once, and again when more has flowed."""
    subject = subject_of(station, evse, before.id)
    details: dict[str, object] = {
        "station": int(station), "evse": evse, "energy_wh": energy_wh, "register_wh": register_wh,
    }  # fmt: skip
    if before.id:
        details["session"] = int(before.id)
    known = problem_rows.last_of(db, ProblemKind.UNBILLED, subject)
    if known is None:
        problems.raise_problem(db, ProblemKind.UNBILLED, subject, now_ms, **details)
    elif register_wh > known.details["register_wh"] + JITTER_WH:
        if known.cleared_at_ms is not None:
            problems.raise_problem(db, ProblemKind.UNBILLED, subject, now_ms, **details)
        else:
            problem_rows.update(db, known.id, details)
            db.announce(ProblemsChanged())


def subject_of(station: StationId, evse: int, after: int | SessionId) -> str:
    """Each gap between two sessions is one."""
    return f"station:{station}:{evse}:{after}"
