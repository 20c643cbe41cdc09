"""What the board shows, read in a few statements: every connector, what runs on it, and the day's figures.

What a running session costs so far is decided by `domain.tariff`; how anything is shown, by the console. Connectors and sessions
are hundreds a page, so they are not frozen: that would take ten times as long to make each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.lists import Window
from appliance.db.people import people, people_search
from appliance.db.sessions.open_sessions import BY_NUMBER, IS_OPEN
from appliance.domain.station import is_parked
from appliance.domain.tariff import TARIFF_FIELDS, Tariff, Usage

NEWEST_MAX = 10_000
"""Among so many sessions of the site the board looks for those whose cable is still in."""
RECENT_MAX = 200
"""Whoever began none of so many sessions is not among those who charged last."""


@dataclass(slots=True)
class ConnectorTile:
    """A connector; with `evse` 0 a station that has not told of any."""

    station: int
    identity: str
    name: str
    seen_at_ms: int | None
    station_error: str
    place: str
    """Where the staff say that it stands; "" if they do not."""
    evse: int
    connector: int
    status: str
    charging_state: str
    finer_status: str
    error_code: str
    info: str
    changed_at_ms: int
    evses: int
    """How many the station has."""
    connectors: int
    """How many its EVSE has."""


@dataclass(slots=True)
class Running:
    """An open session, with the Facts of domain/session.py; power and battery are those of the last few readings, if these tell them.

    `state` is `requested` or `running`.
    """

    id: int
    state: str
    station: int
    evse: int
    person_id: int | None
    person: str
    """With the pool that pays for them."""
    token: str
    requested_at_ms: int | None
    started_at_ms: int | None
    heard_at_ms: int
    energy_wh: int
    """What its registers say so far."""
    power_w: int | None
    soc_percent: int | None
    policy: str
    stop_wanted: str
    credit_minor: int | None
    """What the wallet can still pay for, this session's holds included; None without limit."""
    so_far_minor: int | None
    """What it costs by a tariff with lines, as of its last reading."""
    tariff: Tariff | None
    idle_spans: tuple[tuple[int, int | None], ...]
    billed: Usage | None = None
    """Of an open one nothing is billed."""


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


CONNECTORS = """
SELECT station.id, identity, name, seen_at_ms, station.error_code, place, coalesce(evse, 0), coalesce(connector, 0),
       coalesce(connector.status, station.status), coalesce(charging_state, ''), coalesce(finer_status, ''),
       coalesce(connector.error_code, ''), coalesce(info, ''), coalesce(changed_at_ms, 0)
FROM station LEFT JOIN connector ON connector.station_id = station.id
WHERE state = 'approved'
"""

RUNNING = f"""
SELECT session.id, state, station_id, evse, session.person_id, coalesce(person.name || ' · ' || pool.name, person.name, ''), id_token,
       requested_at_ms, started_at_ms, coalesce(received_at_ms, started_at_ms, 0),
       coalesce(read_wh, (SELECT max(energy_wh) FROM sample WHERE session_id = session.id) - coalesce(meter_start_wh, 0), 0),
       (SELECT power_w FROM (SELECT power_w FROM sample WHERE session_id = session.id ORDER BY sampled_at_ms DESC LIMIT 4) AS last
        WHERE power_w IS NOT NULL LIMIT 1),
       (SELECT soc_percent FROM (SELECT soc_percent FROM sample WHERE session_id = session.id
                                 ORDER BY sampled_at_ms DESC LIMIT 4) AS last WHERE soc_percent IS NOT NULL LIMIT 1),
       policy, stop_wanted,
       CASE WHEN policy = 'prepaid' THEN credit_posted - debit_posted - debit_pending - floor_minor + held_minor END,
       so_far_minor,
       {", ".join(f"tariff.{field}" for field in TARIFF_FIELDS)}
FROM session
LEFT JOIN person ON person.id = session.person_id
LEFT JOIN person AS pool ON pool.id = session.pool_id
LEFT JOIN account ON account.id = session.wallet_id
LEFT JOIN tariff ON tariff.id = session.tariff_id
WHERE {IS_OPEN}
"""
# Written as a cross join, because the order is meant: from what is open to its spans, never through all spans there ever were.
IDLE = f"""
SELECT session_id, begin_at_ms, end_at_ms FROM session CROSS JOIN idle_span WHERE idle_span.session_id = session.id AND {IS_OPEN}
"""
PARKED = """
SELECT connector.station_id, connector.evse, session.id, coalesce(person.name, ''), coalesce(session.ended_at_ms, 0), session.energy_wh,
       session.fee_minor, connector.status, charging_state, finer_status, changed_at_ms
FROM connector
JOIN session ON session.id = (
  SELECT there.id FROM session AS there
  WHERE there.station_id = connector.station_id AND there.id > :beyond AND there.evse = connector.evse AND there.state IN ('ended', 'review')
  ORDER BY there.id DESC LIMIT 1)
LEFT JOIN person ON person.id = session.person_id
WHERE connector.status = 'Occupied' AND (charging_state = 'EVConnected' OR finer_status = '')
"""


def connectors(db: Readable, station: int | None = None) -> list[ConnectorTile]:
    """The connectors of all approved stations, or of one."""
    one = "" if station is None else "AND station.id = :station"
    rows = db.execute(
        f"{CONNECTORS} {one} ORDER BY name COLLATE NOCASE, station.id, evse, connector", {"station": station}
    ).fetchall()
    per_evse = Counter((row[0], row[6]) for row in rows)
    evses = Counter(station for station, _ in per_evse)
    return [ConnectorTile(*(*row, evses[row[0]], per_evse[row[0], row[6]])) for row in rows]


def begun(db: Readable) -> Begun:
    """Whether there is a default tariff, a station that was let in, and a person."""
    found = db.execute(
        """SELECT EXISTS (SELECT 1 FROM tariff WHERE is_default = 1),
            EXISTS (SELECT 1 FROM station WHERE state = 'approved'), EXISTS (SELECT 1 FROM person)"""
    ).fetchone()
    return Begun(*map(bool, found))


def running(db: Readable, station: int | None = None) -> dict[tuple[int, int], Running]:
    """What is open, by station and EVSE; of several on one EVSE the newest."""
    return by_evse(all_running(db, station))


def by_evse(running: Iterable[Running]) -> dict[tuple[int, int], Running]:
    """The same of what was read already; it comes by number."""
    return {(one.station, one.evse): one for one in running}


def all_running(db: Readable, station: int | None = None) -> list[Running]:
    """All that is open, by number."""
    one, values = ("", {}) if station is None else ("AND session.station_id = :station", {"station": station})
    idle: dict[int, list[tuple[int, int | None]]] = {}
    for session, begin, end in db.execute(f"{IDLE} {one} ORDER BY {BY_NUMBER}, begin_at_ms", values):
        idle.setdefault(session, []).append((begin, end))
    found = []
    for row in db.execute(f"{RUNNING} {one} ORDER BY {BY_NUMBER}", values):
        tariff = None if row[17] is None else tariffs.to_tariff(row[17:])
        energy_wh = max(0, row[10])
        found.append(Running(*(*row[:10], energy_wh, *row[11:17], tariff, tuple(idle.get(row[0], ())))))
    return found


def parked(db: Readable, station: int | None = None) -> dict[tuple[int, int], Parked]:
    """Whose cable is still in, by station and EVSE: the last session there, if it is one of the site's newest."""
    one = "" if station is None else "AND connector.station_id = :station"
    newest = db.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()[0]
    rows = db.execute(f"{PARKED} {one}", {"station": station, "beyond": newest - NEWEST_MAX})
    return {
        (row[0], row[1]): Parked(*row[2:7])
        for row in rows
        if is_parked(*row[7:10], changed_at_ms=row[10], ended_at_ms=row[4])
    }


def today(db: Readable, day: str) -> Today:
    """The figures of one day, out of the roll-up."""
    row = db.execute(
        """SELECT coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0), coalesce(sum(sessions), 0)
        FROM station_day WHERE day = ?""",
        (day,),
    ).fetchone()
    return Today(*row)


def recent_people(db: Readable, station: int, limit: int) -> list[people.Person]:
    """Who charged last, those of this station first; for a site without sessions, its newest people."""
    rows = db.execute(
        """SELECT recent.person_id, max(CASE WHEN recent.station_id = :station THEN 1 ELSE 0 END) AS here, max(recent.id) AS newest
        FROM (SELECT id, person_id, station_id FROM session ORDER BY id DESC LIMIT :newest) AS recent
        JOIN person ON person.id = recent.person_id AND closed_at_ms IS NULL
        GROUP BY recent.person_id ORDER BY here DESC, newest DESC LIMIT :limit""",
        {"station": station, "newest": RECENT_MAX, "limit": limit},
    ).fetchall()
    if not rows:
        return people_search.people_page(db, Window("since", falls=True, rows=limit)).rows
    found = [people.find(db, row[0]) for row in rows]
    return [person for person in found if person is not None]


def knocking(db: Readable) -> list[Knocking]:
    """Who waits at the gate, the newest first."""
    rows = db.execute(
        """SELECT id, identity, vendor, model, remote_address, seen_at_ms FROM station WHERE state = 'knocking'
            AND dismissed_at_ms IS NULL
        ORDER BY created_at_ms DESC, id DESC"""
    )
    return [Knocking(*row) for row in rows]
