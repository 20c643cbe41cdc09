"""Pay, then start: a start asked for by staff or by a program holds the money in the commit that records the start request.

Only then is the station asked. Refused, unanswered, or not followed by a transaction in time: the hold is let go.
"""

from __future__ import annotations

from appliance.db import disk
from appliance.db.cards import cards
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import payers, people
from appliance.db.sessions import sessions, transactions
from appliance.db.sessions import start_requests as rows
from appliance.db.sessions.sessions import Running
from appliance.db.stations import stations
from appliance.domain.authorization import Authorization, AuthorizationStatus, Policy
from appliance.domain.by import By
from appliance.domain.cards.limits import NO_LIMITS, Whose
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal, TooLittleMoney
from appliance.domain.id_token import IdToken, IdTokenType, normal_form, remote_token
from appliance.domain.identifiers import PersonId, SessionId, StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.session import SessionEvent, SessionState, after
from appliance.domain.station import StationState
from appliance.services import audit, problems, settings
from appliance.services.announce import SessionChanged
from appliance.services.cards import limits
from appliance.services.operators.authority import NotAllowed, is_manager
from appliance.services.place_tariffs import placed
from appliance.services.reconciling import stop
from appliance.services.sessions import billing, closing, courses
from appliance.services.sessions.authorization import decide


def request_start(
    db: Database, station: StationId, evse: int, by: By, *, person: PersonId | None = None, card: str = ""
) -> Running:
    """Record the start request and hold its money.

    With a card its UID is what the station is told, and the driver can stop with it; a person without one gets a token
    for this start alone.

    Raises:
        NotFound, Invalid: The station, the person or the card is not known.
        NotAllowed: Only a manager starts for them.
        Refusal, TooLittleMoney: The card may not charge, the EVSE is taken, the wallet is empty.
    """
    found = stations.show(db, station)
    if found is None or found.state != StationState.APPROVED:
        raise NotFound("There is no such charger.")
    if disk.is_short(db):
        raise Refusal(
            "The disk of this server is nearly full: nobody new can start.", "Make room on it; what charges goes on."
        )
    if evse < 0 or (evse and found.connectors and evse not in {connector.evse for connector in found.connectors}):
        raise Invalid("connector", "This charger has no connector {number}.", number=evse)
    closing.close_left(db, station, evse, by.at_ms)
    running = sessions.on_evse(db, station, evse) if evse else None
    if evse and ((running is not None and not is_nobodys(db, running)) or rows.on_evse(db, station, evse)):
        raise Conflict(
            "A session is open on this connector already.",
            "Stop it first. If the charger knows nothing of it any more, end it on the session's own page.",
        )

    payer, token = resolve_payer(db, person, card, by.at_ms)
    check_may_start(db, payer, by)
    payer = placed(db, closing.close_left_by(db, payer, station, evse, by.at_ms), station, evse)
    if stop.is_refused(db, payer):
        stop.check(db)
    authorization = decide(db, payer, station, by.at_ms, starting=True)
    if not authorization.accepted:
        raise refusal(authorization)
    held_minor = billing.first_slice_minor(db, payer)
    running = rows.insert(
        db,
        state=after(None, SessionEvent.REQUESTED),
        station=station,
        evse=evse,
        id_token=token,
        payer=payer,
        held_minor=held_minor,
        by=by,
    )
    courses.remember_start(db, running, payer)
    billing.hold_first(db, running, by)
    audit.record(
        db, by, "station.start", f"station:{station}", session=int(running.id), evse=evse, person=int(payer.person),
        policy=payer.holder.policy,
    )  # fmt: skip
    db.announce(SessionChanged(running.id, station, evse, running.person, "requested"))
    return running


def check_may_start(db: Database, payer: payers.Payer, by: By) -> None:
    """Whether they may let somebody charge who need not be there: anybody's car may be plugged in.

    Raises:
        NotAllowed: It is on credit or for nothing, or past what limits a card, and these are a manager's.
    """
    if is_manager(db, by.actor):
        return
    who = people.find(db, payer.person)
    name = who.name if who is not None else ""
    if payer.holder.policy != Policy.PREPAID:
        raise NotAllowed(
            "A manager does this: {name} pays later, or not at all.",
            "With their card they start at the charger.",
            name=name,
        )
    has_cards = any(card.blocked_at_ms is None for card in cards.of_person(db, payer.person))
    if payer.card is None and (has_cards or limits.of_holder(db, payer.person) != NO_LIMITS):
        raise NotAllowed(
            "A manager does this: no card of {name} may begin another session now, and without one its limits would be passed.",
            "Look on the page of the card what limits it.",
            name=name,
        )


def is_nobodys(db: Database, running: Running) -> bool:
    """Whether it only waits for somebody to show a card: the cable was plugged in first (OCPP 2.x)."""
    return not running.id_token and isinstance(transactions.ref_of(db, running.id), str)


def resolve_payer(db: Database, person: PersonId | None, card: str, now_ms: int) -> tuple[payers.Payer, IdToken]:
    """Who pays, and the token that the station is told."""
    if card:
        payer = payers.by_token(db, normal_form(card))
        if payer is None:
            raise NotFound("Nobody has a card with this number.")
        return payer, IdToken(payer.uid, payers.type_of(db, payer.uid))
    if person is None:
        raise Invalid("person_id", "Say who is to charge: a person or a card.")
    for owned in cards.of_person(db, person):
        if owned.blocked_at_ms is None:
            by_card = payers.by_token(db, owned.uid)
            assert by_card is not None
            expired = owned.expires_at_ms is not None and owned.expires_at_ms <= now_ms
            if not expired and by_card.holder.running < by_card.holder.transactions_max:
                return by_card, IdToken(owned.uid, payers.type_of(db, owned.uid))
    payer = payers.by_person(db, person)
    if payer is None:
        raise NotFound("There is no such person.")
    return payer, IdToken(remote_token(), IdTokenType.CENTRAL)


def refusal(authorization: Authorization) -> Refusal:
    """Why it cannot start, as a sentence."""
    status, whose = authorization.status, authorization.limited_by.partition(":")[0]
    if status is AuthorizationStatus.NO_CREDIT:
        return TooLittleMoney("There is not enough money in the wallet.", "Top it up first.")
    if status is AuthorizationStatus.EXPIRED:
        return Refusal("This card has expired.", "Give it a later date, or issue a new one.")
    if status is AuthorizationStatus.CONCURRENT_TX:
        return Refusal("This card has a session running already.", "Stop that one first.")
    if status is AuthorizationStatus.NOT_AT_THIS_LOCATION:
        return Refusal(
            "This card may not charge at this charger.", "Choose another charger, or change the card's limits."
        )
    if status is AuthorizationStatus.NOT_AT_THIS_TIME:
        return Refusal("This card may not charge at this time.", "Wait for its hours, or change the card's limits.")
    if status is AuthorizationStatus.LIMIT_REACHED:
        of_month = ":month_" in authorization.limited_by
        if whose == Whose.POOL:
            return (
                Refusal("The pool has used up what it may this month.", "A manager can change the limits of the pool.")
                if of_month
                else Refusal("The pool has used up what it may today.", "A manager can change the limits of the pool.")
            )
        if whose == Whose.PERSON:
            return (
                Refusal("This person has used up what they may this month.", "A manager can change their limits.")
                if of_month
                else Refusal("This person has used up what they may today.", "A manager can change their limits.")
            )
        if of_month:
            return Refusal(
                "This card has used up what it may this month.",
                "Wait until the next month, or change the card's limits.",
            )
        return Refusal("This card has used up what it may today.", "Wait until tomorrow, or change the card's limits.")
    return Refusal("This card is blocked, or its holder's account is closed.", "Unblock it under Cards.")


def cancel(db: Database, session: SessionId, why: str, now_ms: int) -> bool:
    """The start request came to nothing: void what was held. False if it is no longer a start request (it runs, or was cancelled before)."""
    running = sessions.find_open(db, session)
    if running is None or running.state is not SessionState.REQUESTED:
        return False
    billing.release(db, running, By("clock", now_ms))
    rows.fail(db, running, after(running.state, SessionEvent.CANCELLED), why, now_ms)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, "failed"))
    return True


def cancel_all(db: Database, station: StationId, now_ms: int) -> None:
    """Nothing begins at this station any more."""
    for session in rows.on_station(db, station):
        cancel(db, session, "cancelled", now_ms)


def expire(db: Database, now_ms: int) -> int:
    """Expire all start requests whose time has run out; how many."""
    before_ms = now_ms - settings.of(db).start_timeout_s * 1000
    late = rows.older_than(db, before_ms)
    for session, station in late:
        if cancel(db, session, "no_transaction", now_ms):
            problems.raise_problem(
                db, ProblemKind.START_LOST, f"session:{session}", now_ms, station=int(station), session=int(session)
            )
    return len(late)


def under_another_name(
    db: Database, station: StationId, evse: int, payer: payers.Payer | None, at_ms: int
) -> Running | None:
    """The start request that a start at this EVSE fulfils although its station calls the driver by a name of its own.

    Some send a constant, nothing, or the id token changed. A card that somebody else is known by is their own start; and
    a start that began before it was asked for comes out of the station's queue. `at_ms` is the station's word, where it has no better.
    """
    if payer is not None and payer.holder.blocked:
        return None  # Whoever holds it need not be its owner.
    waiting = [one for one in rows.waiting_at(db, station, evse) if payer is None or payer.person == one.person]
    if not waiting:
        return None
    began_ms = at_ms + max(0, -stations.skew_ms(db, station))
    return next((one for one in waiting if began_ms >= one.heard_at_ms - settings.of(db).clock_skew_s * 1000), None)


def wanted_stops(db: Readable) -> list[tuple[SessionId, StationId, str]]:
    """Running sessions that the server wants stopped: session, station, why."""
    return sessions.wanted_stops(db)


def order_stop(db: Database, session: SessionId, by: By) -> Running:
    """Staff or a program want a session stopped."""
    running = sessions.find_open(db, session)
    if running is None:
        raise NotFound("There is no such session running.")
    audit.record(db, by, "station.stop", f"station:{running.station}", session=int(session))
    if running.state is SessionState.REQUESTED:
        cancel(db, session, "cancelled", by.at_ms)
    return running


def running_on(db: Readable, station: StationId, evse: int) -> SessionId | None:
    """The session that runs on an EVSE, or was asked for there or without saying where."""
    return rows.open_on(db, station, evse)
