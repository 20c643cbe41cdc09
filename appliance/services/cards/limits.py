"""What a card may do at most, enforced: before a session begins, with each reading, and by the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appliance.db import site as sites
from appliance.db.cards import cards
from appliance.db.cards import limits as rows
from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.db.sessions.sessions import Running
from appliance.db.stations import stations
from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.by import By
from appliance.domain.calendar import day_of
from appliance.domain.cards import limits as card_limits
from appliance.domain.cards.limits import EVERY_DAY, MINUTES_PER_DAY, NO_LIMITS, Limits, Used
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.domain.session import usage_until
from appliance.services import audit, settings
from appliance.services.announce import PersonChanged
from appliance.services.sessions import billing, courses, days
from appliance.services.sessions.billing import Pace

ENERGY_WH_MAX = 100_000_000
AMOUNT_MINOR_MAX = 100_000_000_000


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a card has used by the last reading: on the site's day, and in the session that runs (None: none runs).

    Nothing is looked ahead, as a decision does. Of several sessions at once, the most of each.
    """

    day_energy_wh: int
    day_minor: int
    session_energy_wh: int | None = None
    session_minor: int | None = None


def of(db: Database, card: CardId) -> Limits:
    """The limits of a card; NO_LIMITS if there are none. The writer remembers them."""
    return rows.of(db, card)


def of_holder(db: Database, person: PersonId) -> Limits:
    """The limits of a person's newest card that has some; NO_LIMITS if there is none.

    A card that was replaced has handed its limits on. Blocked ones count where no other is left, so that a card that is lost or given
    back takes no limits with it.
    """
    kept = [card for card in cards.of_person(db, person) if card.replaced_by is None]
    charging = [card for card in kept if card.blocked_at_ms is None]
    found = (of(db, card.id) for card in charging or kept)
    return next((one for one in found if one != NO_LIMITS), NO_LIMITS)


def change(db: Database, card: CardId, limits: Limits, by: By) -> None:
    """Set all limits of a card. What runs on it is held to them with its next reading.

    Raises:
        NotFound: There is no such card.
        Invalid: A limit is out of bounds, or names a station that is not there.
    """
    found = cards.find(db, card)
    if found is None:
        raise NotFound("There is no such card.")
    check(db, limits)
    before = in_words(of(db, card))
    rows.store(db, card, limits)
    audit.record(db, by, "card.limits", f"card:{card}", **in_words(limits), before=before)
    db.announce(PersonChanged(found.person_id))


def used(db: Database, card: CardId, now_ms: int, *, but: Running | None = None) -> Used:
    """What a card has used on the site's day of `now_ms`, in sessions that are over and in those that run (except `but`)."""
    energy_wh, minor = rows.used_on(db, card, day_of(now_ms, sites.of(db).zone))
    for session in rows.open_of(db, card):
        running = sessions.find_open(db, session)
        if running is None or running is but:
            continue
        usage = usage_until(running, running.measured_at_ms)
        bill = courses.bill_of(db, running, usage, running.measured_at_ms)
        earlier_wh, earlier_minor = used_before_today(db, running, running.measured_at_ms, now_ms)
        energy_wh += usage.energy_wh - earlier_wh
        minor += bill.total_minor - earlier_minor
    return Used(energy_wh, minor)


def so_far(db: Database, card: CardId, now_ms: int) -> SoFar:
    """What a card has used of its limits. Asked of the writer, which knows what has not reached the disk yet."""
    today = used(db, card, now_ms)
    found = [running for session in rows.open_of(db, card) if (running := sessions.find_open(db, session)) is not None]
    if not found:
        return SoFar(today.day_energy_wh, today.day_minor)
    return SoFar(
        today.day_energy_wh,
        today.day_minor,
        max(usage_until(running, running.measured_at_ms).energy_wh for running in found),
        max(courses.bill_until(db, running, running.measured_at_ms).total_minor for running in found),
    )


def decide_start(db: Database, card: CardId, station: StationId, now_ms: int) -> AuthorizationStatus:
    """Whether its limits let a card begin a session now."""
    limits = rows.of(db, card)
    if limits is NO_LIMITS:
        return AuthorizationStatus.ACCEPTED
    so_far = used(db, card, now_ms) if is_by_day(limits) else Used()
    return card_limits.decide(limits, station, local_time(db, now_ms), so_far)


def keep_within(db: Database, running: Running, pace: Pace, at_ms: int, now_ms: int) -> None:
    """Want a session stopped that by the time the stop takes effect will have used what its card may, or outlasts its hours.

    `at_ms` is the moment of what was measured last, `now_ms` the moment of this decision.
    """
    if running.card is None or running.stop_wanted:
        return
    limits = rows.of(db, running.card)
    if limits is NO_LIMITS:
        return
    so_far = used_by(db, running, limits, pace, at_ms, now_ms)
    status = card_limits.decide(limits, running.station, local_time(db, now_ms), so_far)
    if status is not AuthorizationStatus.ACCEPTED:
        billing.want_stop(db, running, "unwatched" if pace.unseen_wh else "limit")


def watch(db: Database, now_ms: int) -> None:
    """By the clock: hours end, a day begins, and minutes cost, between readings too."""
    for session, heard_ms in rows.running(db):
        running = sessions.find_open(db, session)
        if running is not None:
            at_ms = max(running.measured_at_ms, min(running.started_at_ms, heard_ms) + max(0, now_ms - heard_ms))
            keep_within(db, running, Pace(0, 0, 0), at_ms, now_ms)


def used_by(db: Database, running: Running, limits: Limits, pace: Pace, at_ms: int, now_ms: int) -> Used:
    """What a card will have used when a stop of this session takes effect: the session, and its day where that is limited."""
    ahead_s = look_ahead_s(db, pace)
    power_w = billing.expected_power_w(pace, settings.of(db).stop_latency_s)
    usage = billing.with_unseen(usage_until(running, at_ms), pace)
    session_minor = courses.most_minor(
        db, running, usage_until(running, at_ms), at_ms, power_w, ahead_s, unseen_wh=pace.unseen_wh
    )
    session_wh = usage.energy_wh + power_w * ahead_s // 3600
    if not is_by_day(limits):
        return Used(session_energy_wh=session_wh, session_minor=session_minor)
    assert running.card is not None
    others = used(db, running.card, now_ms, but=running)
    earlier_wh, earlier_minor = used_before_today(db, running, at_ms, now_ms)
    return Used(others.day_energy_wh, others.day_minor, session_wh, session_minor, earlier_wh, earlier_minor)


def used_before_today(db: Database, running: Running, at_ms: int, now_ms: int) -> tuple[int, int]:
    """What of a session as it was at `at_ms` belongs to days of the site before that of `now_ms`: (Wh, minor units)."""
    usage = usage_until(running, at_ms)
    shares = days.days_of(db, running, usage, courses.bill_of(db, running, usage, at_ms), at_ms)
    today = day_of(now_ms, sites.of(db).zone)
    before = [share for share in shares if share.day != today]
    return sum(share.energy_wh for share in before), sum(share.fee_minor for share in before)


def look_ahead_s(db: Database, pace: Pace) -> int:
    """How long it takes until a stop that is wanted after the next reading has happened."""
    values = settings.of(db)
    interval_s = min(values.sample_interval_s, pace.step_s) if pace.step_s > 0 else values.sample_interval_s
    return interval_s + values.stop_latency_s


def is_counted(limits: Limits) -> bool:
    """Whether energy or money is limited, so that it matters what was used."""
    return is_by_day(limits) or limits.session_energy_wh is not None or limits.session_minor is not None


def is_by_day(limits: Limits) -> bool:
    """Whether what other sessions used counts."""
    return limits.day_energy_wh is not None or limits.day_minor is not None


def local_time(db: Database, at_ms: int) -> datetime:
    """A moment on the site's clock."""
    return datetime.fromtimestamp(at_ms // 1000, sites.of(db).zone)


def check(db: Database, limits: Limits) -> None:
    """Refuse what makes no sense."""
    for name, most in (
        ("session_energy_wh", ENERGY_WH_MAX),
        ("session_minor", AMOUNT_MINOR_MAX),
        ("day_energy_wh", ENERGY_WH_MAX),
        ("day_minor", AMOUNT_MINOR_MAX),
    ):
        value: int | None = getattr(limits, name)
        if value is not None and not 1 <= value <= most:
            raise Invalid(
                name, "Enter a limit above zero. This one is too small or too large.", "Leave it empty for none."
            )
    if not 1 <= limits.weekdays <= EVERY_DAY:
        raise Invalid("weekdays", "Choose at least one day of the week.")
    if not 0 <= limits.from_minute < MINUTES_PER_DAY:
        raise Invalid("from_minute", "This is no time of the day.")
    if not 1 <= limits.until_minute <= MINUTES_PER_DAY:
        raise Invalid("until_minute", "This is no time of the day.")
    if any(stations.show(db, StationId(one)) is None for one in limits.stations):
        raise Invalid("stations", "There is no such charger.")


def in_words(limits: Limits) -> dict[str, object]:
    """What is limited, for the audit list: only what differs from no limit."""
    found = {
        name: getattr(limits, name)
        for name in (
            "session_energy_wh",
            "session_minor",
            "day_energy_wh",
            "day_minor",
            "weekdays",
            "from_minute",
            "until_minute",
        )
        if getattr(limits, name) != getattr(NO_LIMITS, name)
    }
    return {**found, "stations": sorted(limits.stations)} if limits.stations else found
