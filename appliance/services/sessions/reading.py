"""What the registers of a session say: the reading of domain/registers.py and energies.py, with what the books know of the session's EVSE.

The writer remembers how far it has read, and goes on. What comes late, and what is read after a restart, is read anew as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.db.engine.unit import Database
from appliance.db.sessions import closing, neighbours, samples, sessions
from appliance.db.sessions.sessions import Running
from appliance.domain import energies, registers, scale
from appliance.domain.energies import Energies
from appliance.domain.moments import LIVE
from appliance.domain.registers import Progress
from appliance.services.stations import power


def keep(db: Database, running: Running, progress: Progress) -> None:
    """Remember how far it was read. Its row only tells what its highest register does not."""
    energy_wh, is_plain = progress.energy_wh, progress.is_plain
    if is_plain != running.is_plain or (not is_plain and energy_wh != running.energy_wh):
        sessions.set_read(db, running, None if is_plain else energy_wh)
    running.progress, running.energy_wh, running.is_plain = progress, energy_wh, is_plain


def begin(db: Database, running: Running) -> None:
    """It has just begun, and nothing was read."""
    running.progress, running.is_plain = begun(db, running), True


def progress_of(db: Database, running: Running) -> Progress:
    """How far its registers were read."""
    if running.progress is None:
        running.progress = anew(db, running)
    return running.progress


def anew(db: Database, running: Running) -> Progress:
    """The same, out of all that is kept."""
    progress, _ = registers.all_of(begun(db, running), samples.registers(db, running.id))
    return progress


def begun(db: Database, running: Running) -> Progress:
    """Before its first reading."""
    began_ms = min(running.started_at_ms, running.heard_at_ms)
    if running.source is not LIVE:
        # Its readings go by the same clock.
        began_ms = min(began_ms, running.start.stamp_ms)
    start = (began_ms, running.meter_start_wh)
    power_w = power.greatest_w(db, running.station, running.evse)
    return registers.begin(start, power_w, neighbours.register_before(db, running))


def energies_at_end(
    db: Database,
    running: Running,
    stop: tuple[int, int | None] | None,
    next_wh: int | None = None,
    when: tuple[int, int] | None = None,
    stop_mwh: int | None = None,
) -> Energies:
    """What its registers say at its end (domain/energies.py: ended), beside the session before it, its power, and what its station told
    in others. `when` is when the stop was by its station, and when we heard of it; `stop_mwh` as in TransactionEnded.
    """
    progress = progress_of(db, running)
    found = energies.ended(progress, stop, next_wh, None if when is None else longest_ms(running, *when))
    end_ms, stop_wh = (progress.read_at_ms, None) if stop is None else stop
    told = None if stop_wh is None else (end_ms, stop_wh)
    if told is not None and not found.doubts and running.meter_start_wh <= registers.JITTER_WH:
        found = beside_the_one_before(db, running, progress, found, told)
    found = scale.looked_at(progress, found, told)
    is_suspect = scale.is_suspect(progress, found, end_ms, charged_ms(running, end_ms))
    if is_suspect and told is not None and running.tells_kwh:
        is_suspect = not scale.shows_watt_hours(progress, told)
    if is_suspect and not scale.is_too_weak(progress, found.energy_wh, running.given, end_ms):
        others, was_free = neighbours.billed_before(db, running), was_never_taken(db, running)
        found = scale.decided(found, given_wh(running, progress), others, was_free=was_free)
    if stop_wh is not None and (stop_mwh is not None or scale.is_in_kwh(found, running.meter_start_wh, stop_wh)):
        found = with_fractions(db, running, found, scale.Kilowatthours(stop_wh, stop_mwh or scale.KILO * stop_wh))
    return scale.with_power(found, given_wh(running, progress))


def with_fractions(db: Database, running: Running, found: Energies, stop: scale.Kilowatthours) -> Energies:
    """To the watt-hour, where it is in kilowatt-hours. Less than one of them is nothing, unless the station's other sessions say what it is."""
    start_wh = running.meter_start_wh
    start_mwh = sessions.fraction(db, running.id)
    start = scale.Kilowatthours(start_wh, start_mwh or scale.KILO * start_wh)
    if scale.is_in_kwh(found, start_wh, stop.told):
        return scale.finer(found, start, stop)
    is_below_one = start_wh == stop.told and stop.wh > start.wh and not found.energy_wh and not found.doubts
    if is_below_one and scale.by_others(neighbours.billed_before(db, running)):
        return found._replace(energy_wh=stop.wh - start.wh)
    return found


def longest_ms(running: Running, stop_ms: int, heard_ms: int) -> int:
    """How long it can have lasted."""
    begun_ms = min(running.started_at_ms, running.heard_at_ms)
    live = not sessions.is_told_late(running)
    return energies.longest_ms((begun_ms, stop_ms), (running.heard_at_ms, heard_ms), live=live)


def beside_the_one_before(
    db: Database, running: Running, progress: Progress, found: Energies, stop: registers.Register
) -> Energies:
    """What that says whose start told nothing; see domain/energies.py: from_nothing."""
    before_wh = neighbours.stop_before(db, running)
    if before_wh is None or stop[1] < before_wh:
        return found
    first = samples.first_register(db, running.id, registers.JITTER_WH)
    return energies.from_nothing(progress, found, stop, before_wh, first)


def was_never_taken(db: Database, running: Running) -> bool:
    """Whether its connector says, and has said since before it began, that no car is there."""
    free_since_ms = closing.free_since(db, running.station, running.evse)
    return free_since_ms is not None and free_since_ms <= min(running.started_at_ms, running.heard_at_ms)


def charged_ms(running: Running, end_ms: int) -> int:
    """For how long energy may have flowed: its car was not full."""
    begun_ms = min(running.started_at_ms, running.heard_at_ms)
    if not running.idle_spans:
        return max(0, end_ms - begun_ms)
    spans = [(begin, end_ms if end is None else min(end, end_ms)) for begin, end in running.idle_spans]
    return max(0, end_ms - begun_ms - sum(max(0, end - max(begin, begun_ms)) for begin, end in spans))


def given_wh(running: Running, progress: Progress) -> int:
    """The least that the power gave that was told; nothing where that is far more than the EVSE can give."""
    return running.given.wh if running.power_seen_w <= 2 * progress.power_w else 0


def line_of(db: Database, running: Running) -> Sequence[tuple[int, int]]:
    """Along which its energy grew: (at_ms, Wh since the start)."""
    _, line = registers.all_of(begun(db, running), samples.registers(db, running.id))
    return line
