"""What cards, people and pools may do at most, enforced: before a session begins, with each reading, and by the clock.

The limits of a card are set here, those of people and pools in services/people/limits.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from appliance.db import site as sites
from appliance.db.cards import cards
from appliance.db.cards import limits as rows
from appliance.db.engine.unit import Database
from appliance.db.people import limits as people_limits
from appliance.db.people.payers import Payer
from appliance.db.sessions import sessions
from appliance.db.sessions import used as rows_used
from appliance.db.sessions.sessions import Running
from appliance.db.stations import stations
from appliance.domain.authorization import ACCEPTED, AuthorizationStatus
from appliance.domain.by import By
from appliance.domain.calendar import day_of
from appliance.domain.cards import limits as card_limits
from appliance.domain.cards.limits import EVERY_DAY, MINUTES_PER_DAY, NO_LIMITS, Limits, Used, Whose
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.domain.session import usage_until
from appliance.domain.station import StationState
from appliance.services import audit, settings
from appliance.services.announce import PersonChanged
from appliance.services.sessions import billing, courses, days
from appliance.services.sessions.billing import Pace

ENERGY_WH_MAX = 100_000_000
AMOUNT_MINOR_MAX = 100_000_000_000
BY_AMOUNT = (
    "session_energy_wh", "session_minor", "day_energy_wh", "day_minor", "month_energy_wh", "month_minor",
)  # fmt: skip
MONTH_CHARS = 7
"""Of a day `2026-11-23`, its month."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a card, a person or a pool has used by the last reading: on the site's day, and in the session that runs (None: none runs).

    Nothing is looked ahead, as a decision does. Of several sessions at once, the most of each.
    """

    day_energy_wh: int
    day_minor: int
    session_energy_wh: int | None = None
    session_minor: int | None = None
    month_energy_wh: int | None = None
    """Of the site's month; None: not asked for."""
    month_minor: int | None = None


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
    before = of(db, card)
    check(db, limits, before.stations)
    rows.store(db, card, limits)
    audit.record(db, by, "card.limits", f"card:{card}", **in_words(limits), before=in_words(before))
    db.announce(PersonChanged(found.person_id))


def used(db: Database, card: CardId, now_ms: int, *, but: Running | None = None) -> Used:
    """What a card has used on the site's day of `now_ms`, in sessions that are over and in those that run (except `but`)."""
    return used_by(db, Whose.CARD, card, now_ms, but=but)


def used_by(
    db: Database,
    whose: Whose,
    number: int,
    now_ms: int,
    *,
    but: Running | None = None,
    month: bool = False,
    ahead_s: int = 0,
) -> Used:
    """The same of a card, a person or a pool; with `month` also in the site's month of `now_ms`.

    `ahead_s`: what runs is reckoned on for so long, as fast as it went.
    """
    today = day_of(now_ms, sites.of(db).zone)
    day = rows_used.used_in(db, whose, number, today)
    months = rows_used.used_in(db, whose, number, today[:MONTH_CHARS]) if month else rows_used.Sums(0, 0)
    found = [day.energy_wh, day.minor, months.energy_wh, months.minor]
    for session in rows_used.open_of(db, whose, number):
        running = sessions.find_open(db, session)
        if running is None or running is but:
            continue
        energy_wh, minor = expected(db, running, now_ms, ahead_s)
        earlier = used_before(db, running, running.measured_at_ms, today)
        found[0] += energy_wh - earlier.earlier_energy_wh
        found[1] += minor - earlier.earlier_minor
        if month:
            found[2] += energy_wh - earlier.before_month_energy_wh
            found[3] += minor - earlier.before_month_minor
    return Used(found[0], found[1], month_energy_wh=found[2], month_minor=found[3])


def expected(db: Database, running: Running, now_ms: int, ahead_s: int) -> tuple[int, int]:
    """What a session that runs comes to: energy (Wh) and money, by its last reading, or `ahead_s` from now as fast as it went.

    Of a station that has been silent for long nothing is foretold: that is reckoned where it is missed (services/sessions/guard.py).
    """
    at_ms = running.measured_at_ms
    usage = usage_until(running, at_ms)
    if not ahead_s or running.paced is None:
        return usage.energy_wh, courses.bill_of(db, running, usage, at_ms).total_minor
    pace = Pace(0, *running.paced.step(at_ms, running.energy_wh))
    power_w = billing.expected_power_w(pace, settings.of(db).stop_latency_s)
    for_s = ahead_s + min(max(0, now_ms - at_ms) // 1000, ahead_s)
    most_minor = courses.most_minor(db, running, usage, at_ms, power_w, for_s, unseen_wh=0)
    return usage.energy_wh + power_w * for_s // 3600, most_minor


def so_far(db: Database, card: CardId, now_ms: int) -> SoFar:
    """What a card has used of its limits. Asked of the writer, which knows what has not reached the disk yet."""
    return so_far_of(db, Whose.CARD, card, now_ms, month=is_by_month(rows.of(db, card)))


def so_far_of(db: Database, whose: Whose, number: int, now_ms: int, *, month: bool = True) -> SoFar:
    """The same of a card, a person or a pool."""
    until_now = used_by(db, whose, number, now_ms, month=month)
    of_month = (until_now.month_energy_wh, until_now.month_minor) if month else (None, None)
    open_sessions = (sessions.find_open(db, session) for session in rows_used.open_of(db, whose, number))
    found = [running for running in open_sessions if running is not None]
    if not found:
        return SoFar(until_now.day_energy_wh, until_now.day_minor, None, None, *of_month)
    return SoFar(
        until_now.day_energy_wh,
        until_now.day_minor,
        max(usage_until(running, running.measured_at_ms).energy_wh for running in found),
        max(courses.bill_until(db, running, running.measured_at_ms).total_minor for running in found),
        *of_month,
    )


def limited(
    db: Database, card: CardId | None, person: PersonId | None, pool: PersonId | None
) -> list[tuple[Whose, int, Limits]]:
    """Who of those behind a session has limits: the card, the person with all their cards, the pool that pays."""
    found: list[tuple[Whose, int, Limits]] = []
    if card is not None and (of_card := rows.of(db, card)) is not NO_LIMITS:
        found.append((Whose.CARD, card, of_card))
    people = people_limits.all_limited(db)
    if not people:
        return found
    if person is not None and person != pool and person in people:
        found.append((Whose.PERSON, person, people[person]))
    if pool is not None and pool in people:
        found.append((Whose.POOL, pool, people[pool]))
    return found


def decide_start(db: Database, payer: Payer, station: StationId, now_ms: int) -> tuple[AuthorizationStatus, str]:
    """Whether the limits of a card, its holder and their pool let a session begin now; whose limit does not, and which."""
    for whose, number, limits in limited(db, payer.card, payer.person, payer.pool):
        counts = is_by_day(limits) or is_by_month(limits)
        so_far = used_by(db, whose, number, now_ms, month=is_by_month(limits)) if counts else Used()
        decision = card_limits.decide(limits, station, local_time(db, now_ms), so_far)
        if decision.limit:
            return decision.status, f"{whose}:{decision.limit}"
    return ACCEPTED, ""


def keep_within(db: Database, running: Running, pace: Pace, at_ms: int, now_ms: int) -> None:
    """Want a session stopped that by the time the stop takes effect will have used what its card, person or pool may, or outlasts its hours.

    `at_ms` is the moment of what was measured last, `now_ms` the moment of this decision.
    """
    if running.stop_wanted:
        return
    for whose, number, limits in limited(db, running.card, running.person, running.pool):
        so_far = used_at_stop(db, running, (whose, number, limits), pace, at_ms, now_ms)
        decision = card_limits.decide(limits, running.station, local_time(db, now_ms), so_far)
        if decision.limit:
            why = "unwatched" if pace.unseen_wh else "limit"
            billing.want_stop(db, running, why, f"{whose}:{decision.limit}")
            return


def watch(db: Database, now_ms: int) -> None:
    """By the clock: hours end, a day begins, and minutes cost, between readings too."""
    for session, heard_ms in rows.running(db):
        running = sessions.find_open(db, session)
        if running is not None:
            at_ms = max(running.measured_at_ms, min(running.started_at_ms, heard_ms) + max(0, now_ms - heard_ms))
            keep_within(db, running, Pace(0, 0, 0), at_ms, now_ms)


def used_at_stop(
    db: Database, running: Running, of_whom: tuple[Whose, int, Limits], pace: Pace, at_ms: int, now_ms: int
) -> Used:
    """What will have been used when a stop of this session takes effect: the session, and its day and month where these are limited.

    What other sessions are about to use is looked ahead, too, where several share a limit.
    """
    whose, number, limits = of_whom
    ahead_s = look_ahead_s(db, pace)
    power_w = billing.expected_power_w(pace, settings.of(db).stop_latency_s)
    usage = billing.with_unseen(usage_until(running, at_ms), pace)
    session_minor = courses.most_minor(
        db, running, usage_until(running, at_ms), at_ms, power_w, ahead_s, unseen_wh=pace.unseen_wh
    )
    session_wh = usage.energy_wh + power_w * ahead_s // 3600
    month = is_by_month(limits)
    if not is_by_day(limits) and not month:
        return Used(session_energy_wh=session_wh, session_minor=session_minor)
    others = used_by(db, whose, number, now_ms, but=running, month=month, ahead_s=ahead_s)
    earlier = used_before(db, running, at_ms, day_of(now_ms, sites.of(db).zone))
    return replace(
        earlier,
        day_energy_wh=others.day_energy_wh,
        day_minor=others.day_minor,
        session_energy_wh=session_wh,
        session_minor=session_minor,
        month_energy_wh=others.month_energy_wh,
        month_minor=others.month_minor,
    )


def used_before(db: Database, running: Running, at_ms: int, today: str) -> Used:
    """What of a session as it was at `at_ms` belongs to days of the site before `today`, and to months before its month."""
    usage = usage_until(running, at_ms)
    shares = days.days_of(db, running, usage, courses.bill_of(db, running, usage, at_ms), at_ms)
    before = [share for share in shares if share.day != today]
    before_month = [share for share in before if share.day[:MONTH_CHARS] != today[:MONTH_CHARS]]
    return Used(
        earlier_energy_wh=sum(share.energy_wh for share in before),
        earlier_minor=sum(share.fee_minor for share in before),
        before_month_energy_wh=sum(share.energy_wh for share in before_month),
        before_month_minor=sum(share.fee_minor for share in before_month),
    )


def look_ahead_s(db: Database, pace: Pace) -> int:
    """How long it takes until a stop that is wanted after the next reading has happened."""
    values = settings.of(db)
    interval_s = min(values.sample_interval_s, pace.step_s) if pace.step_s > 0 else values.sample_interval_s
    return interval_s + values.stop_latency_s


def is_counted(limits: Limits) -> bool:
    """Whether energy or money is limited, so that it matters what was used."""
    by_session = limits.session_energy_wh is not None or limits.session_minor is not None
    return by_session or is_by_day(limits) or is_by_month(limits)


def is_by_day(limits: Limits) -> bool:
    """Whether what other sessions of the day used counts."""
    return limits.day_energy_wh is not None or limits.day_minor is not None


def is_by_month(limits: Limits) -> bool:
    """The same for those of the month."""
    return limits.month_energy_wh is not None or limits.month_minor is not None


def local_time(db: Database, at_ms: int) -> datetime:
    """A moment on the site's clock."""
    return datetime.fromtimestamp(at_ms // 1000, sites.of(db).zone)


def check(db: Database, limits: Limits, known: Collection[int] = ()) -> None:
    """Refuse what makes no sense. A charger that was retired since stays where it stands (`known`)."""
    check_amounts(limits)
    if not 1 <= limits.weekdays <= EVERY_DAY:
        raise Invalid("weekdays", "Choose at least one day of the week.")
    if not 0 <= limits.from_minute < MINUTES_PER_DAY:
        raise Invalid("from_minute", "This is no time of the day.")
    if not 1 <= limits.until_minute <= MINUTES_PER_DAY:
        raise Invalid("until_minute", "This is no time of the day.")
    named = [stations.show(db, StationId(one)) for one in limits.stations if one not in known]
    if any(one is None or one.state != StationState.APPROVED for one in named):
        raise Invalid("stations", "There is no such charger.")


def check_amounts(limits: Limits) -> None:
    """Refuse limits of energy or money that are none."""
    for name in BY_AMOUNT:
        value: int | None = getattr(limits, name)
        most = ENERGY_WH_MAX if name.endswith("_wh") else AMOUNT_MINOR_MAX
        if value is not None and not 1 <= value <= most:
            raise Invalid(
                name, "Enter a limit above zero. This one is too small or too large.", "Leave it empty for none."
            )


def in_words(limits: Limits) -> dict[str, object]:
    """What is limited, for the audit list: only what differs from no limit."""
    found = {
        name: getattr(limits, name)
        for name in (
            *BY_AMOUNT,
            "weekdays",
            "from_minute",
            "until_minute",
        )
        if getattr(limits, name) != getattr(NO_LIMITS, name)
    }
    return {**found, "stations": sorted(limits.stations)} if limits.stations else found
