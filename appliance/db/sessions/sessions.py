"""Sessions as rows: beginning and running. Before they begin they may be `start_requests`; how they end is in `closing`; what they cost is
decided in services/sessions/billing.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people.payers import PAYS, Payer, remembered_tariff
from appliance.db.sessions import samples
from appliance.db.sessions.open_sessions import BY_NUMBER, IS_OPEN, IS_RUNNING
from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.course import SoFar
from appliance.domain.id_token import IdTokenType
from appliance.domain.identifiers import AccountId, CardId, PersonId, SessionId, StationId
from appliance.domain.moments import Source, Told
from appliance.domain.registers import Progress
from appliance.domain.scale import NOTHING_GIVEN, Given
from appliance.domain.session import OPEN, SessionState
from appliance.domain.tariff import Tariff, Usage
from appliance.domain.watch import Moved, Paced

NUMBERS_SKIPPED = 100_000
"""After a restore: more than a site has sessions between two backups."""


Spans = tuple[tuple[int, int | None], ...]
"""(begin_ms, end_ms), in order; None for the one that goes on."""


@dataclass(slots=True)
class Running:
    """An open session as the writer remembers it, with the Facts of domain/session.py. Changed in place; a rollback forgets it."""

    id: SessionId
    state: SessionState
    station: StationId
    evse: int
    started_at_ms: int
    id_token: str
    meter_start_wh: int
    person: PersonId | None
    wallet: AccountId | None
    policy: str
    tariff: Tariff | None
    held_minor: int
    slices: int
    stop_wanted: str
    energy_wh: int
    """What its registers say so far."""
    measured_at_ms: int
    """When the register was last read."""
    idle_spans: Spans
    heard_at_ms: int
    """When we heard of its start, or of the start request."""
    status_at_ms: int = 0
    """When the connector's status was of which the idle time was last reckoned."""
    card: CardId | None = None
    billed: Usage | None = None
    """Of an open one nothing is billed."""
    id_token_type: IdTokenType = IdTokenType.UNKNOWN
    """Known of a start request, for the station is told."""
    read_at_ms: int | None = None
    """When its register was last told so that it can be believed, at its start at first; None: it was loaded, and has been read before."""
    moved: Moved | None = None
    """When its energy last grew as it does while a car charges; None: nothing was read since it began. Of one that was loaded: what was read."""
    paced: Paced | None = None
    """By what it is told how fast it goes; None: nothing was read since it began, or was loaded."""
    has_left: bool | None = None
    """Whether its connector has said since that it is free; None: it was loaded, and nothing was heard since."""
    refused: bool = False
    """The station was told that this card may not charge."""
    progress: Progress | None = None
    """How far its registers were read; None: not yet since it was loaded."""
    is_plain: bool = True
    """Whether its row leaves its energy to the highest register above that of the start; else it tells it."""
    power_seen_w: int = 0
    """The greatest power that was measured since it was loaded."""
    given: Given = NOTHING_GIVEN
    """What that gave since then, at least."""
    by_clock: bool | None = None
    """Whether the intervals that are summed up are those of the clock; None: none came since it began, or was loaded."""
    is_numbered: bool = False
    """Whether its station names it in its readings, as far as is remembered."""
    tells_kwh: bool = False
    """Whether its station has named kilowatt-hours beside its register, as far as is remembered."""
    start_known: bool = True
    """Whether its station has told with which register it began; else the lowest that was seen stands for that."""
    later_minor: list[int] = field(default_factory=list)
    """What each slice after the first holds, as far as it was held since the session was loaded."""
    so_far_minor: int | None = None
    """What it costs by a tariff with lines, as of its last reading; None: it was not priced since it was loaded."""
    group: int | None = None
    """In which group who pays was at its start; None: no line of its tariff asks, or nobody knows."""
    holiday_list: int | None = None
    """Which list of holidays held at its start; None: no line of its tariff asks, or there was none."""
    pause_spans: Spans = ()
    """When its charger, or the site, had paused it; not kept where flat prices do not ask for it."""
    so_far: SoFar | None = None
    """What its lines have priced by its last reading; None: not reckoned since it was loaded."""
    so_far_after: Progress | None = None
    """How far its registers were read then."""
    is_asked: bool = False
    """Whether its station was asked for a reading that is overdue, and none has come since."""
    is_signed: bool = False
    """Whether something that its meter has signed came with its stop, as nothing does before."""
    stamp_ms: int | None = None
    """What its station's clock showed at its start; None: `started_at_ms`."""
    source: Source = Source.QUEUE
    """Where its start came from."""
    pool: PersonId | None = None
    """Which pool pays for it."""
    behind_then_ms: int | None = None
    """How far its station's clock was behind ours when a reading was told live last; None: none was since it began, or was loaded."""

    @property
    def behind_ms(self) -> int:
        """How far its station's clock was behind ours when that was last known; less than nothing: ahead."""
        if self.behind_then_ms is not None:
            return self.behind_then_ms
        return 0 if self.stamp_ms is None else self.started_at_ms - self.stamp_ms

    @property
    def start(self) -> Told:
        """Its start, as it was told."""
        stamp_ms = self.started_at_ms if self.stamp_ms is None else self.stamp_ms
        return Told(stamp_ms, self.started_at_ms, self.heard_at_ms, self.source)

    @property
    def is_idle(self) -> bool:
        """Whether the car is full, by what its connector told last."""
        return bool(self.idle_spans) and any(end_ms is None for _, end_ms in self.idle_spans)

    @property
    def is_paused(self) -> bool:
        """Whether its charger or the site has paused it, by what its connector told last."""
        return bool(self.pause_spans) and any(end_ms is None for _, end_ms in self.pause_spans)

    @property
    def minds_pauses(self) -> bool:
        """Whether it may be priced by lines, which tell charging from pauses."""
        return self.tariff is None or self.tariff.terms is not None


OPEN_SESSIONS = Slots[SessionId, Running]()
ON_EVSE = Slots[tuple[StationId, int], tuple[SessionId, ...]]()
"""The transactions that run on an EVSE, oldest first."""

LATEST_START = Slots[tuple[StationId, int], tuple[int, SessionId]]()
"""The transaction that began last on an EVSE, whether or not it runs: (started_at_ms, session); of two at one moment the later number."""
TOLD_LATE_MS = 60_000
"""A start that was told later than this may have a higher number than those which followed it."""

# --- beginning -----------------------------------------------------------------------------------------------------------

INSERT_STARTED = """
INSERT INTO session (state, started_at_ms, station_id, evse, id_token, id_token_type, meter_start_wh, person_id, card_id,
                     wallet_id, policy, tariff_id, "authorization", received_at_ms, held_minor, slices, note, stamped_at_ms, start_source,
                     pool_id, limited_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""
STAMPED = "coalesce(stamped_at_ms, started_at_ms)"
"""By its station's clock."""
FIND_STARTED = f"""
SELECT id, "authorization" FROM session
WHERE {STAMPED} = ? AND station_id = ? AND evse = ? AND id_token = ? AND meter_start_wh = ?
"""


def find_started(
    db: Database, stamp_ms: int, station: StationId, evse: int, id_token: str, meter_start_wh: int
) -> tuple[SessionId, AuthorizationStatus] | None:
    """The session that this very start began, and what the station was told then."""
    row = db.execute(FIND_STARTED, (stamp_ms, station, evse, id_token, meter_start_wh)).fetchone()
    return (SessionId(row[0]), AuthorizationStatus(row[1])) if row else None


def find_begun(
    db: Database, started_at_ms: int, station: StationId, evse: int, id_token: str
) -> tuple[SessionId, AuthorizationStatus] | None:
    """The same, whatever its register."""
    row = db.execute(
        """SELECT id, "authorization" FROM session
        WHERE started_at_ms = ? AND station_id = ? AND evse = ? AND id_token = ? LIMIT 1""",
        (started_at_ms, station, evse, id_token),
    ).fetchone()
    return (SessionId(row[0]), AuthorizationStatus(row[1])) if row else None


def has_start(db: Database, session: SessionId) -> bool:
    """Whether it is known at which register it began."""
    return bool(db.execute("SELECT meter_start_wh IS NOT NULL FROM session WHERE id = ?", (session,)).fetchone()[0])


def find_like(
    db: Database, started_at_ms: int, station: StationId, evse: int, meter_start_wh: int | None
) -> list[SessionId]:
    """Sessions of whatever card that began just so."""
    rows = db.execute(
        "SELECT id FROM session WHERE started_at_ms = ? AND station_id = ? AND evse = ? AND meter_start_wh = ?",
        (started_at_ms, station, evse, meter_start_wh),
    )
    return [SessionId(row[0]) for row in rows]


def authorization_of(db: Database, session: SessionId) -> AuthorizationStatus:
    """What the station was told of the card that began it."""
    return AuthorizationStatus(db.execute('SELECT "authorization" FROM session WHERE id = ?', (session,)).fetchone()[0])


def insert_started(
    db: Database,
    *,
    state: SessionState,
    started_at_ms: int,
    station: StationId,
    evse: int,
    id_token: str,
    meter_start_wh: int | None,
    payer: Payer | None,
    authorization: AuthorizationStatus | None,
    received_at_ms: int,
    held_minor: int = 0,
    note: str = "",
    id_token_type: str = "",
    pays_as: AuthorizationStatus | None = None,
    stamp_ms: int | None = None,
    source: Source = Source.QUEUE,
    limited_by: str = "",
) -> Running | None:
    """A session out of a start; None if this start is known (see `find_started`), or another of its kind began in that millisecond.

    `authorization` is None while nobody has shown a card, `meter_start_wh` while no register is known. Whether the payer pays for it
    goes by `pays_as`, where something else than the card is why it may not charge.
    """
    person = payer.person if payer else None
    pays = payer if payer is not None and (pays_as or authorization) in PAYS else None
    tariff = pays.tariff if pays else None
    wallet = pays.wallet if pays else None
    pool = pays.pool if pays else None
    policy = str(pays.holder.policy) if pays else ""
    number = db.insert(
        INSERT_STARTED,
        (
            str(state), started_at_ms, station, evse, id_token, id_token_type, meter_start_wh, person,
            payer.card if payer else None, wallet, policy, tariff.id if tariff else None, str(authorization or ""),
            received_at_ms, held_minor,
            1 if held_minor else 0, note, None if stamp_ms == started_at_ms else stamp_ms, source, pool, limited_by,
        ),
    )  # fmt: skip
    if number is None:
        return None
    running = Running(
        SessionId(number), state, station, evse, started_at_ms, id_token, meter_start_wh or 0, person, wallet, policy,
        tariff, held_minor, 1 if held_minor else 0, "", 0, started_at_ms, (), received_at_ms,
        card=payer.card if payer else None, read_at_ms=received_at_ms,
        refused=authorization not in (None, AuthorizationStatus.ACCEPTED), stamp_ms=stamp_ms, source=source, pool=pool,
    )  # fmt: skip
    OPEN_SESSIONS.keep(db, running.id, running)
    samples.begin(db, running.id)
    began_on_evse(db, running)
    if LATEST_START.get(db, (station, evse)) is None and not is_told_late(running):
        LATEST_START.keep(db, (station, evse), (started_at_ms, running.id))
    return running


def keep_fraction(db: Database, session: SessionId, start_mwh: int) -> None:
    """Its start told a fraction: the whole register in thousandths of Wh."""
    db.execute(
        """INSERT INTO register_fraction (session_id, start_mwh) VALUES (?, ?)
        ON CONFLICT (session_id) DO UPDATE SET start_mwh = excluded.start_mwh""",
        (session, start_mwh),
    )


def fraction(db: Readable, session: SessionId) -> int | None:
    """The register at its start in thousandths of Wh; None where that was a whole number."""
    row = db.execute("SELECT start_mwh FROM register_fraction WHERE session_id = ?", (session,)).fetchone()
    return int(row[0]) if row else None


def is_told_late(running: Running) -> bool:
    """Whether its start comes out of its station's queue."""
    return running.heard_at_ms - running.started_at_ms > TOLD_LATE_MS


def newest(db: Readable) -> int:
    """The highest number of a session; 0 if there was none."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()[0])


def began_after(db: Readable, station: StationId, session: SessionId) -> bool:
    """Whether one with a later number has begun at a station."""
    found = db.execute(
        "SELECT 1 FROM session WHERE station_id = ? AND id > ? AND started_at_ms IS NOT NULL LIMIT 1",
        (station, session),
    ).fetchone()
    return found is not None


def station_of(db: Readable, session: SessionId) -> StationId | None:
    """Where it is, or was; None if there is no such session."""
    row = db.execute("SELECT station_id FROM session WHERE id = ?", (session,)).fetchone()
    return StationId(row[0]) if row else None


def state_of(db: Readable, session: SessionId) -> SessionState | None:
    """Its state; None if there is no such session."""
    row = db.execute("SELECT state FROM session WHERE id = ?", (session,)).fetchone()
    return SessionState(row[0]) if row else None


def skip_numbers(db: Database, beyond: int, state: SessionState, now_ms: int) -> None:
    """Let new sessions begin far beyond all of these books and beyond that number.

    The row that takes the number says so in the list. It stands at the oldest station; without one there was no session.
    """
    db.execute(
        """INSERT INTO session (id, state, station_id, evse, id_token, policy, "authorization", requested_at_ms, ended_at_ms, note)
        SELECT :number, :state, min(id), 0, '', '', '', :now, :now, 'restored' FROM station HAVING count(*) > 0""",
        {"number": max(newest(db), beyond) + NUMBERS_SKIPPED, "state": str(state), "now": now_ms},
    )


# --- while it runs -------------------------------------------------------------------------------------------------------

FIND = """
SELECT session.id, state, station_id, evse, coalesce(started_at_ms, requested_at_ms), coalesce(received_at_ms, requested_at_ms), id_token,
       coalesce(meter_start_wh, 0), person_id, card_id, wallet_id, policy, tariff_id, held_minor, slices, stop_wanted,
       coalesce(read_wh, (SELECT max(energy_wh) FROM sample WHERE session_id = session.id) - coalesce(meter_start_wh, 0), 0),
       (SELECT max(sampled_at_ms) FROM sample WHERE session_id = session.id AND (energy_wh IS NOT NULL OR interval_wh IS NOT NULL)),
       (SELECT coalesce(max(changed_at_ms), 0) FROM connector WHERE station_id = session.station_id AND evse = session.evse),
       "authorization" NOT IN ('', 'Accepted'),
       NOT EXISTS (SELECT 1 FROM station_transaction WHERE session_id = session.id AND start_known = 0),
       stamped_at_ms, start_source, read_wh IS NULL, session.pool_id, session.group_id, session.holiday_list_id
FROM session WHERE session.id = ?
"""


def find_open(db: Database, session: SessionId) -> Running | None:
    """The session, if it is open. It is remembered: nobody else writes, and a rollback forgets."""
    running = OPEN_SESSIONS.get(db, session)
    if running is not None:
        return running
    running = load(db, session)
    if running is None or running.state not in OPEN:
        return None
    if running.state is SessionState.RUNNING:
        OPEN_SESSIONS.keep(db, session, running)
    return running


def load(db: Database, session: SessionId) -> Running | None:
    """The session as it stands, open or not."""
    db.flush()
    row = db.execute(FIND, (session,)).fetchone()
    if row is None:
        return None
    (
        id_, state, station, evse, started, heard, token, meter, person, card, wallet, policy, tariff_id, held, slices, stop,
        energy_wh, measured, status_at, refused, start_known, stamp, source, is_plain,
        pool, group, holiday_list,
    ) = row  # fmt: skip
    tariff = None if tariff_id is None else remembered_tariff(db, tariff_id)
    running = Running(
        id_, SessionState(state), station, evse, started, token, meter, person, wallet, policy, tariff, held, slices, stop,
        max(0, energy_wh), started if measured is None else measured, idle_spans(db, id_), heard, status_at, card=card,
        read_at_ms=heard if measured is None else None,
        moved=None if measured is None else Moved(max(0, energy_wh), measured, measured), refused=bool(refused), start_known=bool(start_known),
        stamp_ms=stamp, source=Source(source), pool=pool, group=group, holiday_list=holiday_list,
        is_plain=bool(is_plain),
    )  # fmt: skip
    if running.minds_pauses:
        running.pause_spans = pause_spans(db, id_)
    return running


def on_evse(db: Database, station: StationId, evse: int) -> Running | None:
    """The transaction that runs on an EVSE, the one that began last if the station forgot to end others."""
    there = all_on_evse(db, station, evse)
    if len(there) < 2:
        return find_open(db, there[0]) if there else None
    running = [one for number in there if (one := find_open(db, number)) is not None]
    return max(running, default=None, key=lambda one: (min(one.started_at_ms, one.heard_at_ms), one.id))


def all_on_evse(db: Database, station: StationId, evse: int) -> tuple[SessionId, ...]:
    """All transactions that run on an EVSE by what its station has told, oldest first."""
    there = ON_EVSE.get(db, (station, evse))
    if there is None:
        rows = db.execute(
            f"SELECT id FROM session WHERE station_id = ? AND evse = ? AND {IS_RUNNING} ORDER BY id",
            (station, evse),
        )
        there = tuple(SessionId(row[0]) for row in rows)
        ON_EVSE.keep(db, (station, evse), there)
    return there


def began_on_evse(db: Database, running: Running) -> None:
    """Where all that runs on its EVSE is remembered, this is one of them."""
    evse = running.station, running.evse
    latest, begun = LATEST_START.get(db, evse), (running.started_at_ms, running.id)
    if latest is not None and latest < begun:
        LATEST_START.keep(db, evse, begun)
    there = ON_EVSE.get(db, evse)
    if there is not None:
        ON_EVSE.keep(db, evse, tuple(sorted({*there, running.id})) if there else (running.id,))


def ended_on_evse(db: Database, running: Running) -> None:
    """Where all that runs on its EVSE is remembered, this is none of them any more."""
    evse = running.station, running.evse
    there = ON_EVSE.get(db, evse)
    if there is not None:
        ON_EVSE.keep(db, evse, tuple(one for one in there if one != running.id))


def elsewhere(db: Readable, id_token: str, station: StationId) -> StationId | None:
    """Another station at which a session of this card runs, or is asked for."""
    row = db.execute(
        f"""SELECT station_id FROM session WHERE id_token = ? AND {IS_OPEN} AND station_id <> ?
        ORDER BY id LIMIT 1""",
        (id_token, station),
    ).fetchone()
    return StationId(row[0]) if row else None


def open_on_station(db: Readable, station: StationId) -> list[SessionId]:
    """All transactions that run on a station, oldest first."""
    rows = db.execute(
        f"SELECT id FROM session WHERE station_id = ? AND {IS_RUNNING} ORDER BY id",
        (station,),
    )
    return [SessionId(row[0]) for row in rows]


def open_of_token(db: Readable, id_token: str) -> list[SessionId]:
    """All transactions that run for a card, oldest first."""
    rows = db.execute(
        f"SELECT id FROM session WHERE id_token = ? AND {IS_RUNNING} ORDER BY id",
        (id_token,),
    )
    return [SessionId(row[0]) for row in rows]


def set_read(db: Database, running: Running, read_wh: int | None) -> None:
    """Keep its energy where it is not its highest register above that of the start (None)."""
    db.execute("UPDATE session SET read_wh = ? WHERE id = ?", (read_wh, running.id))


def set_began(db: Database, running: Running, began_ms: int, source: Source) -> None:
    """It began at another moment than was thought. What makes its start this one stays; what was told before that moment was told by
    the same clock.
    """
    while db.execute(
        """SELECT 1 FROM session WHERE started_at_ms = ? AND station_id = ? AND evse = ? AND id_token = ? AND meter_start_wh = ?
        AND id <> ?""",
        (began_ms, running.station, running.evse, running.id_token, running.meter_start_wh, running.id),
    ).fetchone():
        began_ms += 1
    db.flush()
    moved_ms = began_ms - running.started_at_ms
    spans = ("begin_at_ms", "end_at_ms")
    for table, moments in (("sample", ("sampled_at_ms",)), ("idle_span", spans), ("pause_span", spans)):
        moved = ", ".join(f"{moment} = {moment} + :moved" for moment in moments)
        db.execute(
            f"UPDATE {table} SET {moved} WHERE session_id = :session AND {moments[0]} < :began",
            {"moved": moved_ms, "session": running.id, "began": began_ms},
        )
    running.idle_spans = idle_spans(db, running.id)
    running.pause_spans = pause_spans(db, running.id) if running.pause_spans else ()
    running.stamp_ms = running.start.stamp_ms
    running.started_at_ms, running.source = began_ms, source
    read_ms = db.execute(
        "SELECT max(sampled_at_ms) FROM sample WHERE session_id = ? AND (energy_wh IS NOT NULL OR interval_wh IS NOT NULL)",
        (running.id,),
    ).fetchone()[0]
    running.measured_at_ms = began_ms if read_ms is None else read_ms
    db.execute(
        "UPDATE session SET started_at_ms = ?, stamped_at_ms = ?, start_source = ? WHERE id = ?",
        (began_ms, running.stamp_ms, source, running.id),
    )
    LATEST_START.drop(db, (running.station, running.evse))
    running.progress = None


def set_note(db: Database, session: SessionId, note: str) -> None:
    """Say something of it that staff should know, unless something is said already."""
    db.execute("UPDATE session SET note = ? WHERE id = ? AND note = ''", (note, session))


def set_slices(db: Database, running: Running) -> None:
    """Keep how much is held, in how many slices."""
    db.execute(
        "UPDATE session SET held_minor = ?, slices = ? WHERE id = ?", (running.held_minor, running.slices, running.id)
    )


def set_stop_wanted(db: Database, running: Running, why: str, limited_by: str = "") -> None:
    """The server wants this session stopped; `limited_by` is the limit that is reached, if that is why."""
    running.stop_wanted = why
    db.execute("UPDATE session SET stop_wanted = ?, limited_by = ? WHERE id = ?", (why, limited_by, running.id))


def set_group(db: Database, running: Running, group: int | None) -> None:
    """In which group who pays is at its start."""
    running.group = group
    db.execute("UPDATE session SET group_id = ? WHERE id = ?", (group, running.id))


def set_holiday_list(db: Database, running: Running, number: int | None) -> None:
    """Which list of holidays holds at its start."""
    running.holiday_list = number
    db.execute("UPDATE session SET holiday_list_id = ? WHERE id = ?", (number, running.id))


def set_tariff(db: Database, running: Running, tariff: Tariff) -> None:
    """It begins at another place than was thought, where another tariff holds."""
    running.tariff = tariff
    db.execute("UPDATE session SET tariff_id = ? WHERE id = ?", (tariff.id, running.id))


def open_idle(db: Database, running: Running, at_ms: int) -> None:
    """The car is full. What it was idle at that very moment before goes on."""
    running.idle_spans = _opened(db, "idle_span", running, running.idle_spans, at_ms)


def close_idle(db: Database, running: Running, at_ms: int) -> None:
    """It charges again, or is gone."""
    running.idle_spans = _closed(db, "idle_span", running, running.idle_spans, at_ms)


def open_pause(db: Database, running: Running, at_ms: int) -> None:
    """Its charger, or the site, gives the car nothing."""
    running.pause_spans = _opened(db, "pause_span", running, running.pause_spans, at_ms)


def close_pause(db: Database, running: Running, at_ms: int) -> None:
    """It goes on, or is over."""
    running.pause_spans = _closed(db, "pause_span", running, running.pause_spans, at_ms)


def _opened(db: Database, table: str, running: Running, spans: Spans, at_ms: int) -> Spans:
    db.execute(
        f"""INSERT INTO {table} (session_id, begin_at_ms) VALUES (?, ?)
        ON CONFLICT (session_id, begin_at_ms) DO UPDATE SET end_at_ms = NULL""",
        (running.id, at_ms),
    )
    others = (span for span in spans if span[0] != at_ms)
    return tuple(sorted((*others, (at_ms, None))))


def _closed(db: Database, table: str, running: Running, spans: Spans, at_ms: int) -> Spans:
    db.execute(
        f"UPDATE {table} SET end_at_ms = max(?, begin_at_ms) WHERE session_id = ? AND end_at_ms IS NULL",
        (at_ms, running.id),
    )
    return tuple((begin_ms, max(at_ms, begin_ms) if end_ms is None else end_ms) for begin_ms, end_ms in spans)


def idle_spans(db: Readable, session: SessionId) -> Spans:
    """The idle spans of a session, in order; of the one that goes on the end is None."""
    return _spans(db, "idle_span", session)


def pause_spans(db: Readable, session: SessionId) -> Spans:
    """When it was paused by its charger, as `idle_spans`."""
    return _spans(db, "pause_span", session)


def _spans(db: Readable, table: str, session: SessionId) -> Spans:
    return tuple(
        db.execute(f"SELECT begin_at_ms, end_at_ms FROM {table} WHERE session_id = ? ORDER BY begin_at_ms", (session,))
    )


# --- what the clock looks for -----------------------------------------------------------------------------------------------


def wanted_stops(db: Readable) -> list[tuple[SessionId, StationId, str]]:
    """Running sessions that the server wants stopped: session, station, why."""
    return db.execute(
        f"SELECT id, station_id, stop_wanted FROM session WHERE {IS_RUNNING} AND stop_wanted <> '' ORDER BY {BY_NUMBER}"
    ).fetchall()


def running_now(db: Readable) -> list[SessionId]:
    """All that run, oldest first."""
    return [SessionId(row[0]) for row in db.execute(f"SELECT id FROM session WHERE {IS_RUNNING} ORDER BY {BY_NUMBER}")]


def held_by_time(db: Readable) -> list[tuple[SessionId, int]]:
    """Running sessions for which money may be held and whose price goes by time, with when we heard of their start."""
    return db.execute(
        f"""SELECT session.id, received_at_ms FROM session JOIN tariff ON tariff.id = tariff_id
        WHERE {IS_RUNNING} AND policy IN ('prepaid', 'postpaid') AND stop_wanted = ''
          AND (time_milli_per_minute > 0 OR idle_milli_per_minute > 0 OR terms IS NOT NULL) ORDER BY {BY_NUMBER}"""
    ).fetchall()


def heard_of(db: Database) -> list[tuple[SessionId, StationId, int]]:
    """Running sessions with when something was last heard of them: session, station, when."""
    db.flush()
    return db.execute(
        f"""SELECT id, station_id, max(received_at_ms,
            coalesce((SELECT max(sampled_at_ms) FROM sample WHERE session_id = session.id), 0))
        FROM session WHERE {IS_RUNNING}"""
    ).fetchall()
