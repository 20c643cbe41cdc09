"""What the board shows, read in a few statements: every connector, what runs on it, and the day's figures.

What a running session costs so far is decided by `domain.tariff`; how anything is shown, by the console. Connectors and sessions
are hundreds a page, so they are not frozen: that would take ten times as long to make each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.people import people
from appliance.domain.tariff import Tariff

NEWEST_MAX = 500
"""Among so many sessions the board looks for those whose cable is still in."""


@dataclass(slots=True)
class Place:
    """A connector; with `evse` 0 a station that has not told of any."""

    station: int
    identity: str
    name: str
    seen_at_ms: int | None
    station_error: str
    evse: int
    connector: int
    status: str
    error_code: str
    info: str
    changed_at_ms: int
    plugs: int
    """How many the station has."""


@dataclass(slots=True)
class Running:
    """An open session, as last measured; power and battery are those of the last few readings, if these tell them.

    `state` is `requested` or `running`.
    """

    id: int
    state: str
    station: int
    evse: int
    person_id: int | None
    person: str
    token: str
    began_at_ms: int
    energy_wh: int
    power_w: int | None
    soc_percent: int | None
    policy: str
    stop_wanted: str
    credit_minor: int | None
    """What the wallet can still pay for, this session's holds included; None without limit."""
    tariff: Tariff | None
    idle_spans: tuple[tuple[int, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """What there is of all that a site needs before anybody can charge and pay."""

    tariff: bool
    station: bool
    person: bool


@dataclass(slots=True)
class Parked:
    """A session that is over while its cable is still in."""

    id: int
    person: str
    ended_at_ms: int
    energy_wh: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Today:
    """Sums over the sessions that ended, by what they were on this day."""

    energy_wh: int
    fee_minor: int
    sessions: int


@dataclass(frozen=True, slots=True)
class Knocking:
    """A station that nobody has approved yet."""

    id: int
    identity: str
    vendor: str
    model: str
    address: str
    seen_at_ms: int | None


PLACES = """
SELECT station.id, identity, name, seen_at_ms, station.error_code, coalesce(evse, 0), coalesce(connector, 0),
       coalesce(connector.status, station.status), coalesce(connector.error_code, ''), coalesce(info, ''),
       coalesce(changed_at_ms, 0)
FROM station LEFT JOIN connector ON connector.station_id = station.id
WHERE state = 'approved' AND (station.id = :station OR :station IS NULL)
ORDER BY name COLLATE NOCASE, station.id, evse, connector
"""

RUNNING = """
SELECT session.id, state, station_id, evse, session.person_id, coalesce(person.name, ''), id_token,
       coalesce(started_at_ms, requested_at_ms, 0),
       max(0, coalesce((SELECT energy_wh FROM sample WHERE session_id = session.id AND energy_wh IS NOT NULL
                        ORDER BY sampled_at_ms DESC LIMIT 1) - meter_start_wh, 0)),
       (SELECT power_w FROM (SELECT power_w FROM sample WHERE session_id = session.id ORDER BY sampled_at_ms DESC LIMIT 4) AS last
        WHERE power_w IS NOT NULL LIMIT 1),
       (SELECT soc_percent FROM (SELECT soc_percent FROM sample WHERE session_id = session.id
                                 ORDER BY sampled_at_ms DESC LIMIT 4) AS last WHERE soc_percent IS NOT NULL LIMIT 1),
       policy, stop_wanted,
       CASE WHEN policy = 'prepaid' THEN credit_posted - debit_posted - debit_pending - floor_minor + held_minor END,
       tariff_id, coalesce(tariff.name, ''), energy_milli_per_kwh, time_milli_per_minute, idle_milli_per_minute,
       idle_grace_s, flat_milli, tax_basis_points
FROM session
LEFT JOIN person ON person.id = session.person_id
LEFT JOIN account ON account.id = session.wallet_id
LEFT JOIN tariff ON tariff.id = session.tariff_id
WHERE state IN ('requested', 'running') AND (station_id = :station OR :station IS NULL)
ORDER BY session.id
"""


def places(db: Readable, station: int | None = None) -> list[Place]:
    """The connectors of all approved stations, or of one."""
    rows = db.execute(PLACES, {"station": station}).fetchall()
    plugs = Counter(row[0] for row in rows)
    return [Place(*(*row, plugs[row[0]])) for row in rows]


def begun(db: Readable) -> Begun:
    """Whether there is a default tariff, a station that was let in, and a person."""
    found = db.execute(
        """SELECT EXISTS (SELECT 1 FROM tariff WHERE is_default = 1),
            EXISTS (SELECT 1 FROM station WHERE state = 'approved'), EXISTS (SELECT 1 FROM person)"""
    ).fetchone()
    return Begun(*map(bool, found))


def running(db: Readable, station: int | None = None) -> dict[tuple[int, int], Running]:
    """What is open, by station and EVSE; of several on one EVSE the newest."""
    idle: dict[int, list[tuple[int, int | None]]] = {}
    for session, begin, end in db.execute(
        """SELECT session_id, begin_at_ms, end_at_ms FROM idle_span JOIN session ON session.id = session_id
        WHERE state IN ('requested', 'running') ORDER BY session_id, begin_at_ms"""
    ):
        idle.setdefault(session, []).append((begin, end))
    found = {}
    for row in db.execute(RUNNING, {"station": station}):
        tariff = None if row[14] is None else Tariff(*row[14:])
        one = Running(*(*row[:14], tariff, tuple(idle.get(row[0], ()))))
        found[one.station, one.evse] = one
    return found


def parked(db: Readable, station: int | None = None) -> dict[tuple[int, int], Parked]:
    """Whose cable is still in, by station and EVSE: the last session there, if it is one of the site's newest."""
    rows = db.execute(
        """SELECT recent.station_id, recent.evse, recent.id, coalesce(person.name, ''), coalesce(ended_at_ms, 0), energy_wh,
            fee_minor
        FROM (SELECT id, station_id, evse FROM session ORDER BY id DESC LIMIT :newest) AS recent
        JOIN connector ON connector.station_id = recent.station_id AND connector.evse = recent.evse
            AND connector.status = 'Finishing'
        JOIN session ON session.id = recent.id LEFT JOIN person ON person.id = person_id
        WHERE session.state IN ('ended', 'review') AND (recent.station_id = :station OR :station IS NULL)
        ORDER BY recent.id""",
        {"station": station, "newest": NEWEST_MAX},
    )
    return {(row[0], row[1]): Parked(*row[2:]) for row in rows}


def today(db: Readable, day: str) -> Today:
    """The figures of one day, out of the roll-up."""
    row = db.execute(
        """SELECT coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0), coalesce(sum(first_day), 0)
        FROM session_day WHERE day = ?""",
        (day,),
    ).fetchone()
    return Today(*row)


def recent_people(db: Readable, station: int, limit: int) -> list[people.Person]:
    """Who charged last, those of this station first; for a site without sessions, its newest people."""
    rows = db.execute(
        """SELECT person_id FROM (
            SELECT person_id, max(id) AS newest, max(CASE WHEN station_id = :station THEN 1 ELSE 0 END) AS here FROM (
                SELECT session.person_id, session.id, station_id FROM session
                JOIN person ON person.id = session.person_id AND closed_at_ms IS NULL
                ORDER BY session.id DESC LIMIT 200) AS recent
            GROUP BY person_id) AS found
        ORDER BY here DESC, newest DESC LIMIT :limit""",
        {"station": station, "limit": limit},
    ).fetchall()
    found = [people.find(db, row[0]) for row in rows] if rows else people.page(db, newest_first=True, limit=limit)
    return [person for person in found if person is not None]


def knocking(db: Readable) -> list[Knocking]:
    """Who waits at the gate, the newest first."""
    rows = db.execute(
        """SELECT id, identity, vendor, model, remote_address, seen_at_ms FROM station WHERE state = 'knocking'
        ORDER BY created_at_ms DESC, id DESC"""
    )
    return [Knocking(*row) for row in rows]
