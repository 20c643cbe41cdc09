"""How the amount of a session came about: of one that runs by its readings so far, of one that is billed as it was billed, of one that waits
for somebody's look by the figure that is looked at. It only reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database, as_writer_sees
from appliance.db.sessions import lines as line_rows
from appliance.db.sessions import samples, session_list, sessions
from appliance.db.sessions.session_list import Session
from appliance.db.sessions.sessions import Running
from appliance.db.wallets import bills as papers
from appliance.db.wallets.bills import Paper
from appliance.domain import explanation, registers
from appliance.domain import session as rules
from appliance.domain.errors import NotFound
from appliance.domain.explanation import NOTHING, Explained
from appliance.domain.identifiers import SessionId
from appliance.domain.pricing.parts import Part, parts
from appliance.domain.pricing.reckoning import price
from appliance.domain.pricing.rules import NO_END
from appliance.domain.session import CLOSED, SessionState, bill_for
from appliance.domain.tariff import Bill, Tariff, Usage
from appliance.services.sessions import courses, reading, review
from appliance.services.sessions.review import Choice


class Stands(StrEnum):
    """How firm an amount is."""

    SO_FAR = "so_far"
    OFFERED = "offered"
    """What it costs if it is billed for this figure."""
    BILLED = "billed"
    NOTHING = "nothing"
    """Nothing is billed, or it has not begun."""


class ReadingRow(NamedTuple):
    """One reading, and what the session had taken by then."""

    at_ms: int
    register_wh: int | None
    interval_wh: int | None
    energy_wh: int


class Before(NamedTuple):
    """A bill that a credit note took back, taken apart."""

    paper: Paper
    usage: Usage
    explained: Explained


@dataclass(frozen=True, slots=True)
class Explanation:
    """An amount of a session, taken apart."""

    session: Session
    stands: Stands
    usage: Usage
    begun_ms: int
    until_ms: int
    explained: Explained
    told_minor: int
    """What is shown, or was booked; the explanation comes to the same, but where the books are not as they were."""
    readings: Sequence[ReadingRow]
    """From the start to the stop, as far as these were told."""
    offered: Sequence[Choice]
    """Of one in review: what it may be billed for."""
    before: Sequence[Before]
    """The bills that were given before, the first one first."""
    is_reckoned: bool = False
    """Whether its parts were reckoned just now from what is kept of a bill of an older release."""


def explain(db: Readable, number: SessionId, now_ms: int, energy_wh: int | None = None) -> Explanation:
    """How its amount came about; `energy_wh` is which figure of one in review is meant.

    Raises:
        NotFound: There is no such session, or no such figure.
    """
    unit = as_writer_sees(db)
    session, running = session_list.show(unit, number), sessions.load(unit, number)
    if session is None or running is None:
        raise NotFound("There is no such session.")
    offered = review.choices(session)
    chosen = _choice_meant(session, offered, energy_wh)
    if session.started_at_ms is None or session.state not in {SessionState.RUNNING, *CLOSED}:
        at_ms = session.started_at_ms or session.requested_at_ms or 0
        return Explanation(session, Stands.NOTHING, rules.NOTHING, at_ms, at_ms, NOTHING, 0, (), (), ())
    if session.state == SessionState.RUNNING:
        found = _so_far(unit, session, running, now_ms)
    elif chosen is not None:
        found = _of_choice(unit, session, running, chosen)
    else:
        found = _billed(unit, session, running)
    return replace(
        found,
        readings=_readings(unit, running, found),
        offered=offered,
        before=_before(unit, session, running),
    )


def lines_to_come(db: Readable, session: Session) -> Bill | None:
    """The bill of one by lines that is not billed yet, as of its last reading or by the likeliest figure; None: its row tells it all."""
    if session.tariff is None or session.tariff.terms is None:
        return None
    unit, offered = as_writer_sees(db), review.choices(session)
    running = sessions.load(unit, session.id)
    if running is None:
        return None
    if session.state == SessionState.RUNNING:
        usage, until_ms = rules.usage_until(running, running.measured_at_ms), running.measured_at_ms
    elif offered and not session.fee_minor:
        usage, until_ms = offered[0].figure.usage, offered[0].figure.ended_at_ms
    else:
        return None
    return bill_for(courses.with_course(unit, running, usage, until_ms), running.tariff)


def _choice_meant(session: Session, offered: Sequence[Choice], energy_wh: int | None) -> Choice | None:
    """None: what it is billed for."""
    if energy_wh is None:
        return offered[0] if offered and not session.fee_minor else None
    for one in offered:
        if one.figure.usage.energy_wh == energy_wh:
            return one
    raise NotFound("This session may not be billed for so much energy.")


def _so_far(db: Database, session: Session, running: Running, now_ms: int) -> Explanation:
    """By its lines as of its last reading, as it is shown; by flat prices as of now."""
    by_lines = courses.terms_of(running) is not None
    until_ms = running.measured_at_ms if by_lines else now_ms
    usage = rules.usage_until(running, until_ms)
    told_minor = rules.bill_until(session, now_ms).total_minor
    return _reckoned(db, session, running, Stands.SO_FAR, usage, until_ms, told_minor)


def _of_choice(db: Database, session: Session, running: Running, chosen: Choice) -> Explanation:
    """One that waits, if it is billed for this."""
    figure, total_minor = chosen.figure, chosen.bill.total_minor
    return _reckoned(db, session, running, Stands.OFFERED, figure.usage, figure.ended_at_ms, total_minor)


def _billed(db: Database, session: Session, running: Running) -> Explanation:
    """As it was billed, whatever has been told since."""
    usage = Usage(session.energy_wh, session.duration_s, session.idle_s)
    until_ms = session.ended_at_ms or running.started_at_ms
    terms = courses.terms_of(running)
    if not session.fee_minor or running.tariff is None:
        return _with(session, running, Stands.NOTHING, usage, until_ms, NOTHING, session.fee_minor)
    if terms is None:
        return _reckoned(db, session, running, Stands.BILLED, usage, until_ms, session.fee_minor)
    charged, told = line_rows.of_session(db, session.id), line_rows.parts_of(db, session.id)
    is_reckoned = told is None
    if told is None:
        told = _parts_of(db, running, usage, until_ms)
    explained = explanation.by_lines(terms, charged, told, with_energy=usage.energy_wh > 0)
    found = _with(session, running, Stands.BILLED, usage, until_ms, explained, session.fee_minor)
    return replace(found, is_reckoned=is_reckoned)


def _reckoned(
    db: Database, session: Session, running: Running, stands: Stands, usage: Usage, until_ms: int, told_minor: int
) -> Explanation:
    """Out of its readings, as they are kept."""
    tariff, terms = running.tariff, courses.terms_of(running)
    if tariff is None or not usage.energy_wh:
        return _with(
            session, running, Stands.NOTHING if not told_minor else stands, usage, until_ms, NOTHING, told_minor
        )
    if terms is None:
        explained = _by_flat_prices(running, tariff, usage, until_ms, NO_END)
    else:
        course = courses.with_course(db, running, usage, until_ms).course
        assert course is not None, "it has energy, and lines"
        charged = price(course.session, terms, course.zone).lines
        explained = explanation.by_lines(terms, charged, parts(course.session, terms, course.zone), with_energy=True)
    return _with(session, running, stands, usage, until_ms, explained, told_minor)


def _by_flat_prices(running: Running, tariff: Tariff, usage: Usage, until_ms: int, stood_until_ms: int) -> Explained:
    """`stood_until_ms`: up to when its car took the place, after its end too."""
    begun = rules.begun_ms(running.started_at_ms, running.heard_at_ms, until_ms)
    idle = [
        (from_ms, min(to_ms, stood_until_ms))
        for from_ms, to_ms in (rules.charged_idle(running, until_ms) if usage.idle_s else ())
        if from_ms < stood_until_ms
    ]
    told = explanation.flat_parts(usage, begun, max(begun, until_ms), idle)
    return explanation.by_flat_prices(tariff, bill_for(usage, tariff), told)


def _parts_of(db: Database, running: Running, usage: Usage, until_ms: int) -> dict[int, tuple[Part, ...]]:
    terms, course = courses.terms_of(running), courses.with_course(db, running, usage, until_ms).course
    return {} if terms is None or course is None else parts(course.session, terms, course.zone)


def _with(
    session: Session,
    running: Running,
    stands: Stands,
    usage: Usage,
    until_ms: int,
    explained: Explained,
    told_minor: int,
) -> Explanation:
    begun = rules.begun_ms(running.started_at_ms, running.heard_at_ms, until_ms)
    return Explanation(session, stands, usage, begun, until_ms, explained, told_minor, (), (), ())


def _readings(db: Database, running: Running, found: Explanation) -> list[ReadingRow]:
    """From its start to its stop, in the order in which its registers are read."""
    begun, most_wh = reading.begun(db, running), found.usage.energy_wh
    told = sorted(samples.registers(db, running.id), key=lambda one: registers.in_order(begun, one))
    _, line = registers.all_of(begun, told)
    start_wh = running.meter_start_wh if sessions.has_start(db, running.id) else None
    rows = [ReadingRow(found.begun_ms, start_wh, None, 0)]
    rows += [
        ReadingRow(max(at_ms, found.begun_ms), register_wh, interval_wh, min(wh, most_wh))
        for (at_ms, register_wh, interval_wh), (_, wh) in zip(told, line[1:], strict=True)
    ]
    if found.session.meter_stop_wh is not None and found.stands is not Stands.SO_FAR:
        rows.append(ReadingRow(found.until_ms, found.session.meter_stop_wh, None, most_wh))
    return rows


def _before(db: Database, session: Session, running: Running) -> list[Before]:
    """As the papers say it that credit notes took back."""
    tariff, found = running.tariff, []
    for paper in papers.of_session(db, session.id):
        if paper.corrected_by is None or tariff is None:
            continue
        told = paper.particulars
        usage = Usage(told.energy_wh, told.duration_s, told.idle_s)
        if tariff.terms is not None:
            charged, priced = line_rows.read_kept(told.charged)
            explained = explanation.by_lines(tariff.terms, charged, priced, with_energy=usage.energy_wh > 0)
        else:
            explained = _by_flat_prices(running, tariff, usage, told.ended_at_ms, told.ended_at_ms)
        found.append(Before(paper, usage, explained))
    return found
