"""A site with something of everything that its database can hold, made by the services: what `scripts/make-release-database` keeps
of each release. `tests/db/test_releases.py` finds out what is missing.
"""

from __future__ import annotations

from appliance.db import old_cards as old_rows
from appliance.db import vouchers as rows
from appliance.db.cards import cards
from appliance.db.holidays import Holiday
from appliance.db.integrity import anchors
from appliance.db.sessions import sessions, signed_values
from appliance.db.stations import message_log, message_log_size
from appliance.domain.approval import ApprovalKind
from appliance.domain.bill import Party
from appliance.domain.by import By
from appliance.domain.cards.limits import Limits
from appliance.domain.cards.tag import Kind, Trouble
from appliance.domain.cash import Cash, counted
from appliance.domain.events import (
    MeterRead,
    Stage,
    StationBooted,
    StatusChanged,
    TransactionEnded,
    TransactionEvent,
    TransactionStarted,
)
from appliance.domain.id_token import IdTokenType
from appliance.domain.identifiers import CardId, GroupId, PersonId, StationId
from appliance.domain.meter import Reading
from appliance.domain.moments import Source
from appliance.domain.money import Currency
from appliance.domain.peer import Peer
from appliance.domain.problem import ProblemKind
from appliance.domain.roles import Role
from appliance.domain.signed import SignedValue
from appliance.domain.statement import month_bounds, month_of, moved
from appliance.domain.station import ConnectorStatus
from appliance.domain.tariff import Tariff
from appliance.host import owner_key
from appliance.host.secrets import SealingKey
from appliance.services import (
    admin_commands,
    health,
    holidays,
    old_cards,
    place_tariffs,
    problems,
    secrets,
    settings,
    site,
    tariffs,
)
from appliance.services.approvals import approvals
from appliance.services.card_desk import jobs
from appliance.services.cards import aliases, limits, pin, unknown
from appliance.services.cards import cards as card_units
from appliance.services.operators import log_ins, operators, passwords, tokens
from appliance.services.people import groups, importing, pools
from appliance.services.people import limits as person_limits
from appliance.services.people import people as people_units
from appliance.services.people.groups import Thresholds
from appliance.services.people.pools import About, Own
from appliance.services.people.spreadsheets import Row
from appliance.services.sessions import (
    closing,
    in_part,
    metering,
    review,
    start_requests,
    starting,
    stopping,
    transactions,
)
from appliance.services.statements import issuing
from appliance.services.stations import admission, credentials, power
from appliance.services.stations import status as status_units
from appliance.services.till import shifts
from appliance.services.till.shifts import Counterpart, Way
from appliance.services.vouchers import batches, vouchers
from appliance.services.vouchers.codes import Asked
from appliance.services.wallets import buyers, form_bookings, wallets
from tests.support.books import ACTOR, NOON_MS, SECRET, SITE, Books
from tests.support.desk_fixture import DeskFixture
from tests.support.one_desk import Chip
from tests.support.price_lines import line, terms
from tests.support.vouchers import printed

PASSWORD = "seven green kettles"
"""Of all who are made here."""
STATION_PASSWORD = b"charger-password"
DAY_S = 86_400
OTHER_DESK = "gate"


def fill(books: Books) -> None:
    """All of it; some days of a busy site, ending with sessions that run."""
    staff(books)
    prices(books)
    yard = chargers(books)
    crowd(books, yard[0])
    desk(books)
    places(books, yard)
    over(books, yard)
    pool(books, yard[0])
    signatures(books, yard[1])
    named(books, yard[2])
    taps(books, yard)
    till(books)
    running(books, yard)
    hindsight(books, yard)
    kept_secret(books)
    papers(books)
    months(books)
    cards_of_before(books)
    books.db.flush()
    anchors.keep(books.db, anchors.take(books.db, SECRET, books.now_ms))
    anchors.lies_beside(books.db)


# --- who works here, and at what price -------------------------------------------------------------------------------------


def staff(books: Books) -> None:
    """An operator of each role, log-ins open and over, tokens, settings."""
    db, now_ms = books.db, books.now_ms
    kept = passwords.hash_password(PASSWORD)
    by = By(ACTOR, now_ms)
    for role in Role:
        operator = operators.add(
            db, login=role, name=f"The {role}", role=role, password_hash=kept,
            language="bn" if role is Role.GUARD else "", by=By("console", now_ms),
        )  # fmt: skip
        log_in = log_ins.log_in(
            db, operator, tokens.new_token(), address="192.168.7.2", browser="A browser", now_ms=now_ms
        )
        if role is Role.CASHIER:
            log_ins.log_out(db, log_in, now_ms)
        if role is Role.VIEWER:
            operators.disable(db, operator, by=by)
    for role in Role:
        tokens.create_token(db, f"program of the {role}", role, by=by)
    tokens.revoke_token(db, 2, by=by)
    for name, text in (("card_deposit_minor", "300"), ("heartbeat_interval_s", "120"), ("assume_ocpp16", "1")):
        settings.change(db, name, text)
    site.rename(db, "Dhanmondi yard", "bn", by)


FLEET = terms(
    line("energy", 1_500, "vat", from_time="09:00", to_time="17:00"), line("energy", 1_400, "vat"), line("flat", 100),
    taxes={"vat": "7.5"}, minimum_minor=500,
)  # fmt: skip
"""Dearer by day."""


def prices(books: Books) -> None:
    """The default tariff, one before it, one of the night, and one that is archived."""
    before = books.tariff()
    old = books.tariff(1_800_000)
    books.tariff(2_000_000, time=10_000, idle=100_000, grace_s=300, flat=50_000, tax=750)
    fleet = tariffs.add(books.db, Tariff(0, "Fleet", terms=FLEET), books.by)
    next_year = Tariff(0, "Fleet, next year", terms=FLEET)
    tariffs.change(books.db, fleet, next_year, books.by, books.now_ms + 365 * DAY_S * 1000)
    for number in (before, old):
        tariffs.archive(books.db, number, books.by)


def till(books: Books) -> None:
    """A shift with a bit of everything that was handed over short, and goes on at the next one's."""
    db = books.db
    of = Currency(SITE.currency, SITE.exponent)
    holder = By(ACTOR, books.now_ms)
    shift = shifts.open_shift(db, counted([(10_000, 20)], of, "float"), holder)
    shifts.open_shift(db, Cash(50_000), By("token:1", books.now_ms))
    wallets.top_up(db, PersonId(1), 5_000, "cash", "till-1", holder)
    wallets.top_up(db, PersonId(1), 7_000, "mobile", "till-2", holder)
    shifts.move(db, shift.id, Way.IN, Counterpart.SAFE, 10_000, "", "till-3", holder)
    shifts.move(db, shift.id, Way.OUT, Counterpart.EXPENSES, 1_500, "a lamp", "till-4", holder)
    books.wait(3_600)
    holder = By(ACTOR, books.now_ms)
    money = counted([(10_000, 21), (1_000, 3)], of, "counted")
    shifts.close(db, shift.id, money, "a note was given out twice", holder, hand_to="operator:2")


# --- chargers --------------------------------------------------------------------------------------------------------------


def chargers(books: Books) -> list[StationId]:
    """Three that are approved, one of them with a connector in each status; one that knocks; one that is retired."""
    db = books.db
    yard = [books.station("CS-01", 4), books.station("CS-02", len(ConnectorStatus)), books.station("CS-03", 2)]
    for evse, status in enumerate(ConnectorStatus, start=1):
        books.status(yard[1], evse, status)
    faulted = ConnectorStatus.FAULTED
    status_units.status_changed(
        db,
        yard[1],
        StatusChanged(len(ConnectorStatus), 1, faulted, "GroundFailure", "left plug", books.now_ms, books.now_ms),
    )
    status_units.status_changed(
        db, yard[2], StatusChanged(0, 0, ConnectorStatus.AVAILABLE, "NoError", "ready", books.now_ms, books.now_ms)
    )
    for number, station in enumerate(yard, start=1):
        status_units.connected(db, station, "1.6", f"192.168.7.{number}", books.now_ms)
        status_units.booted(db, station, StationBooted("Acme", f"A{number}", f"S-{number}", "1.2.3", books.now_ms))
        message_log.record(db, (station, books.now_ms, "in", "BootNotification", '{"chargePointVendor":"Acme"}', '{"status":"Accepted"}', None))  # fmt: skip
    message_log.record(db, (yard[0], books.now_ms, "out", "Reset", '{"type":"Soft"}', '{"status":"Accepted"}', None))
    message_log.record(db, (yard[0], books.now_ms, "in", "", "{[", None, "no JSON"))
    db.flush()
    message_log_size.count(db)
    password = credentials.hash_password(SECRET, STATION_PASSWORD)
    credentials.secure(db, yard[2], 1, password, books.by)
    status_units.clock_skew(db, yard[2], 3_600_000, books.now_ms)
    admission.rename(db, yard[0], "Gate", books.by)
    assert admission.knock(db, "NEW-1", "192.168.7.77", books.now_ms) is not None
    admission.bind(db, yard[0], Peer("", "02:1a:2b:3c:4d:5e"), books.now_ms)
    admission.newcomer(db, yard[0], Peer("192.168.7.77"), books.now_ms, waits=True)
    credentials.offer_password(db, yard[0], bytes(32), books.by)
    for identity in ("STRAY-1", "STRAY-2"):
        if (stray := admission.knock(db, identity, "192.168.7.66", books.now_ms)) is not None:
            admission.dismiss(db, stray.id, books.by)
    admission.place(db, yard[0], "North court", books.by)
    power.say(db, yard[0], 1, 22_000, books.by)
    power.learn(db, yard[1], 150_000, books.now_ms)
    admission.retire(db, books.station("OLD-1", 1), books.by)
    return yard


# --- people and cards ------------------------------------------------------------------------------------------------------


def crowd(books: Books, station: StationId) -> None:
    """A group of each policy, people in all of them, and cards in every condition."""
    db, now_ms = books.db, books.now_ms
    fleet_tariff = 4
    by = By(ACTOR, now_ms)
    customers = groups.add(db, "Customers", "prepaid", by)
    groups.add(db, "Staff", "free", by)
    groups.add(db, "Family", "postpaid", by)
    groups.add(db, "Fleet", "postpaid", by, limit_minor=500_000, tariff_id=fleet_tariff)
    rahima = form_bookings.take_in(
        db,
        form_bookings.NewPerson(
            "Rahima Khatun", customers, "01712 345678", "Knows the guard", "bn", "04A1B2C3D4E580", "0001", 250_000
        ),
        "form-1", by,
    )  # fmt: skip
    karim = books.person("Karim Ahmed", group=customers, paid_in=120_000)
    asks, decides = By("token:1", books.now_ms), By("console", books.now_ms)
    long_ago = By("token:1", books.now_ms - approvals.KEPT_PENDING_MS - 1)
    request = {"method": "cash", "note": ""}
    approvals.ask(db, ApprovalKind.REFUND, karim, 100, request, "expires", long_ago)
    approvals.expire(db, books.now_ms)
    approvals.refuse(db, approvals.ask(db, ApprovalKind.TOPUP, karim, 900_000, request, "no", asks).id, decides)
    approvals.refuse(db, approvals.ask(db, ApprovalKind.TOPUP, karim, 900_000, request, "taken back", asks).id, asks)
    reason = {"reason": "as agreed"}
    approvals.approve(db, approvals.ask(db, ApprovalKind.CORRECTION, karim, 100, reason, "yes", asks).id, decides)
    approvals.ask(db, ApprovalKind.TOPUP, karim, 900_000, request, "waits", asks)
    gone = books.person("Abdul Malek", group=customers, paid_in=45_000)
    twin = books.person("Karim Ahmad", group=customers, paid_in=2_000)
    nasrin = books.person("Nasrin Akter", group=GroupId(customers + 1))
    father = books.person("Father", group=GroupId(customers + 2))
    taxi = books.person("Green Taxi", group=GroupId(customers + 3))
    for number, (uid, person) in enumerate(
        (("04B2C3D4E5F680", karim), ("04C3D4E5F60780", nasrin), ("04D4E5F6071880", father), ("04E5F607182980", taxi)), 2
    ):
        card_units.add(db, uid, person, by, label=f"{number:04}", kind=Kind.NTAG424)
    fleet_card = books.card("04F60718293A80", taxi, transactions_max=9)
    limits.change(
        db, CardId(fleet_card),
        Limits(60_000, 200_000, 90_000, 300_000, 0b1011111, 360, 1380, frozenset({int(station)}), 900_000, 3_000_000), by,
    )  # fmt: skip
    books.card("0407182A3B4C80", karim, expires_at_ms=now_ms + DAY_S * 1000)
    lost = CardId(books.card("0418293B4C5D80", karim))
    card_units.block(db, lost, "lost", by)
    card_units.replace(db, lost, "04293B4C5D6E80", by)
    card_units.block(db, CardId(books.card("043B4C5D6E7F80", father)), "stolen", by)
    pin.set_pin(db, lost, pin.hash_pin("2580"), by)
    wallets.top_up(db, karim, 30_000, "mobile", "mobile-1", by, card=lost)
    form_bookings.refund(db, karim, 1_000, "bank", "asked for it", "form-2", by)
    wallets.correct(db, rahima, -500, "typed wrong", "correction-1", by)
    wallets.top_up(db, rahima, 700, "card", "card-1", by)
    form_bookings.merge(db, twin, karim, "form-3", by)
    wallets.refund(db, gone, 45_000, "cash", "leaves", by)
    people_units.close(db, gone, by)
    listed = [Row(1, "Shirin Sultana", "01710 101010", "Customers", "044C5D6E7F8080", "0099", "2030-12-31")]
    buyers.change(db, taxi, Party("Green Taxi Ltd", "Banani, Dhaka", "004567891-0202"), by)
    importing.record(db, importing.apply(db, listed, SITE.zone, by), by)
    first = cards.of_person(db, rahima)[0]
    for token in ("80E5D4C3B2A104", "04A1B2C3", "0004A1B2C3D4E580", str(int(first.uid, 16)), "DRIVER-7"):
        aliases.add(db, token, first.id, by, station=station)


def pool(books: Books, station: StationId) -> None:
    """A company with emergency credit and limits: somebody who kept their own money, one who brought it, one who has left."""
    db = books.db
    by = books.by
    lends = Thresholds(minimum_minor=2_000, emergency_minor=5_000, low_minor=10_000)
    group = groups.add(db, "Companies", "prepaid", by, thresholds=lends)
    about = About(
        "Acme Motors", group, "Mrs Rahman", "01911 223344", "Asks for a monthly list", "en", "BIN 000123456", True
    )
    company = pools.add(db, about, by)
    for number, (uid, own) in enumerate((("04D5E6F7081920", Own.KEPT), ("04E6F708192A30", Own.MOVED), ("", Own.KEPT))):
        driver = books.person(f"Driver {number}", group=group, paid_in=1_000)
        pools.join(db, company, driver, own, f"join-{number}", by)
        if uid:
            books.card(uid, driver)
            person_limits.change(db, driver, Limits(day_energy_wh=40_000, month_minor=500_000), by)
        else:
            pools.leave(db, company, driver, by)
    person_limits.change(db, company, Limits(day_minor=200_000, month_energy_wh=900_000), by)
    wallets.top_up(db, company, 80_000, "bank", "company-1", by)
    charge(books, station, 1, "04D5E6F7081920", 3_000, 70_000)
    # What a limit of the pool has stopped.
    person_limits.change(db, company, Limits(day_energy_wh=3_500, month_energy_wh=900_000), by)
    started = books.start(station, 1, "04E6F708192A30", 80_000)
    books.wait(600)
    books.read(station, started.ref, 80_450, 2_700)
    books.stop(station, started.ref, 80_450, "04E6F708192A30")
    person_limits.change(db, company, Limits(day_minor=200_000, month_energy_wh=900_000), by)


def desk(books: Books) -> None:
    """A job of each kind, done; others in each state; what was undone; a card in each state of its content."""
    desk = DeskFixture(books)
    person = PersonId(2)
    card, other = Chip("045D6E7F809180"), Chip("046E7F8091A280")
    with desk.unit():
        desk.issued(card, name="Jamal Uddin", group=GroupId(1), topup_minor=60_000)
        desk.begin(jobs.begin_recharge, 5_000, "cash")
        desk.lay(card)
        desk.begin(jobs.begin_read)
        desk.lay(card)
        desk.begin(jobs.begin_rewrite, desk.card(card).id)
        desk.lay(card)
        desk.begin(jobs.begin_replace, desk.card(card).id)
        desk.lay(other)
        desk.begin(jobs.begin_decommission, refund=True, rest=True)
        desk.lay(other)
        desk.undo(desk.issued(Chip("047F8091A2B380"), name="A slip", group=GroupId(1), topup_minor=100).id)
        desk.cancel(desk.issue(person=person))
        desk.issue(person=person)
        desk.lay(Chip("048091A2B3C480"), Trouble.TORN)
        desk.begin(jobs.begin_batch, 2, group=GroupId(1), label="Guest", desk=OTHER_DESK)
        desk.lay(Chip("04A2B3C4D5E680"), desk=OTHER_DESK)
        taken_back = Chip("04C4D5E6F70880")
        desk.issued(taken_back, person=person, topup_minor=200)
        desk.begin(jobs.begin_decommission, refund=True)
        desk.tap(taken_back)
        desk.begin(jobs.begin_issue, person=person, desk="office")
        desk.tap(Chip("0491A2B3C4D580"), desk="office")


# --- sessions --------------------------------------------------------------------------------------------------------------


def over(books: Books, yard: list[StationId]) -> None:
    """Sessions that came to an end in each of the ways there are."""
    db, station = books.db, yard[0]
    charge(books, station, 1, "04A1B2C3D4E580", 8_000)
    charge(books, station, 2, "04C3D4E5F60780", 20_000)
    charge(books, station, 2, "04E5F607182980", 11_000)

    # More than was held: the site's loss.
    started = books.start(station, 3, "04F60718293A80")
    books.status(station, 3, "SuspendedEVSE")
    books.wait(60)
    books.stop(station, started.ref, 300_000)

    # By lines, ended by hand; its stop came after all.
    lost = books.start(station, 3, "04F60718293A80", 400_000)
    books.wait(600)
    books.read(station, lost.ref, 401_000)
    closing.close_by_hand(db, lost.ref, books.by)
    books.stop(station, lost.ref, 401_500)

    # Over midnight, idle at its end, and then parked until the cable was pulled.
    started = books.start(station, 1, "04A1B2C3D4E580", 10_000)
    sessions.keep_fraction(db, started.ref, 10_000_400)
    books.wait(13 * 3600)
    books.read(station, started.ref, 15_000, 3_600)
    books.status(station, 1, "SuspendedEV")
    books.wait(1800)
    books.stop(station, started.ref, 15_000)
    books.status(station, 1, "Finishing")
    books.wait(900)
    books.status(station, 1, "Available")

    # Nobody we know; stopped by the guard; a start that nothing came of.
    books.stop(station, books.start(station, 4, "DEADBEEF").ref, 1_000, reason="DeAuthorized")
    asked = start_requests.request_start(db, station, 4, books.by, person=PersonId(2))
    start_requests.cancel(db, asked.id, "rejected", books.now_ms)
    start_requests.request_start(db, station, 4, books.by, card="04B2C3D4E5F680")
    books.wait(120)
    start_requests.expire(db, books.now_ms)

    # Ended by hand; by an estimate, and the true stop came later; by the next start.
    closing.close_by_hand(db, books.start(station, 4, "04B2C3D4E5F680").ref, books.by)
    lost = books.start(station, 4, "04D4E5F6071880", 2_000)
    books.wait(600)
    books.read(station, lost.ref, 3_000)
    books.wait(600)
    charge(books, station, 4, "04B2C3D4E5F680", 1_500, 4_000)
    books.stop(station, lost.ref, 4_000)
    books.start(station, 4, "04D4E5F6071880", 6_000)
    books.wait(600)
    charge(books, station, 4, "04B2C3D4E5F680", 1_500, 9_000)

    # Heard live, by a clock of long ago.
    start = TransactionStarted(
        4, "04B2C3D4E5F680", 11_000, books.now_ms, books.now_ms, stamp_ms=NOON_MS - 10**10, source=Source.LIVE
    )
    started = starting.transaction_started(db, station, start)
    books.wait(600)
    books.stop(station, started.ref, 12_000)

    # In doubt, and looked at or not.
    for _ in range(2):
        started = books.start(station, 3, "04B2C3D4E5F680", 50_000)
        books.wait(300)
        books.stop(station, started.ref, 0)
    review.acknowledge(db, started.ref, books.by)

    started = books.start(station, 2, "04E5F607182980", 50_000)
    books.wait(300)
    books.read(station, started.ref, 51_000)
    books.stop(station, started.ref, 0)

    # Its stop contradicts its readings.
    started = books.start(station, 3, "04B2C3D4E5F680", 50_000)
    books.wait(600)
    books.read(station, started.ref, 54_000, 7_400)
    books.status(station, 3, "SuspendedEV")
    books.wait(3600)
    books.status(station, 3, "Charging")
    books.stop(station, started.ref, 50_000)
    books.status(station, 3, "Available")


def charge(books: Books, station: StationId, evse: int, uid: str, energy_wh: int, meter_wh: int = 1_000) -> None:
    """An ordinary session with its readings."""
    started = books.start(station, evse, uid, meter_wh)
    for share in (1, 2, 3):
        books.wait(600)
        books.read(station, started.ref, meter_wh + energy_wh * share // 3, 7_400)
    books.stop(station, started.ref, meter_wh + energy_wh, uid)


def named(books: Books, station: StationId) -> None:
    """A transaction that its station names, told with a gap, and corrected by what came after its end."""
    began_ms = books.now_ms
    for stage, seq_no, minutes, register_wh in (
        (Stage.STARTED, 0, 0, 20_000),
        (Stage.ENDED, 3, 30, 24_000),
        (Stage.UPDATED, 1, 15, 22_000),
    ):
        books.wait(900)
        at_ms = began_ms + minutes * 60_000
        between = stage is Stage.UPDATED
        readings = (Reading(at_ms, register_wh, 8_000),) if between else ()
        transactions.transaction_event(
            books.db, station,
            TransactionEvent(
                "af3c-0001-tx", seq_no, stage, 2, "04B2C3D4E5F680", None if between else register_wh, at_ms,
                "EVDisconnected" if stage is Stage.ENDED else "", readings, books.now_ms, IdTokenType.ISO14443,
            ),
        )  # fmt: skip


def signatures(books: Books, station: StationId) -> None:
    """A session whose meter signs, and the key of that meter."""
    started = books.start(station, 1, "04B2C3D4E5F680", 30_000)
    books.wait(600)
    data = 'OCMF|{"RD":[{"TX":"B","RV":30,"RU":"kWh"},{"TX":"E","RV":31,"RU":"kWh"}]}|{"SD":"00"}'
    reading = Reading(books.now_ms, 31_000, signed=(SignedValue(data, "Transaction.End"),))
    event = TransactionEnded(started.ref, None, 31_000, books.now_ms, "Local", (reading,), books.now_ms)
    stopping.transaction_ended(books.db, station, event)
    signed_values.set_key(books.db, station, 1, "04" + "11" * 64)


def taps(books: Books, yard: list[StationId]) -> None:
    """Cards shown at chargers: unknown ones, one that was waited for, one that is waited for in vain."""
    db = books.db
    for token, kind in (
        ("0A0B0C0D", IdTokenType.UNKNOWN),
        ("4C3B2A18", IdTokenType.UNKNOWN),
        ("08ABCDEF", IdTokenType.ISO14443),
    ):
        unknown.note(db, yard[0], token, kind, books.now_ms)
    unknown.begin_enrol(db, yard[0], PersonId(1), books.by, "second")
    unknown.resolve(db, yard[0], "04B3C4D5E6F780", None, books.now_ms, books.now_ms, IdTokenType.ISO14443)
    aliases.begin_learn(db, yard[2], CardId(2), books.by)
    unknown.resolve(db, yard[2], "F6E5D4C3", None, books.now_ms, books.now_ms)
    unknown.begin_enrol(db, yard[1], PersonId(1), books.by)


def running(books: Books, yard: list[StationId]) -> None:
    """What is under way when the file is closed: on money held, on account, free, asked for, full, and parked."""
    db, station = books.db, yard[0]
    stopped = CardId(books.card("0455667788AA80", PersonId(6)))
    parked = books.start(yard[2], 1, "04B2C3D4E5F680")
    books.wait(600)
    books.status(yard[2], 1, "Charging")
    books.stop(yard[2], parked.ref, 5_000)
    books.status(yard[2], 1, "Finishing")
    rahima = books.start(station, 1, "04A1B2C3D4E580", 30_000)
    free = books.start(station, 2, "04C3D4E5F60780", 40_000)
    account = books.start(station, 3, "04F60718293A80", 310_000)
    for evse in (1, 2, 3):
        books.status(station, evse, "Charging")
    others = Reading(books.now_ms + 60_000, 31_000, 7_400, 32_000, 230_000, 55, '{"Temperature": "41"}')
    books.wait(60)
    metering.meter_read(db, station, MeterRead(rahima.ref, 1, (others,), books.now_ms))
    books.wait(600)
    books.read(station, rahima.ref, 33_000, 7_400)
    books.read(station, free.ref, 4_294_967_295)
    books.read(station, free.ref, 41_000)
    taken = Reading(books.now_ms, interval_wh=900)
    metering.meter_read(db, station, MeterRead(account.ref, 3, (taken,), books.now_ms))
    books.status(station, 1, "SuspendedEV")
    books.wait(60)
    books.status(station, 1, "Charging")
    books.status(station, 3, "SuspendedEV")
    start_requests.request_start(db, station, 4, books.by, card="04B2C3D4E5F680")
    books.start(yard[1], 3, "04D4E5F6071880", 70_000)
    books.start(yard[1], 4, "0455667788AA80", 80_000)
    card_units.block(db, stopped, "lost", books.by)


def places(books: Books, yard: list[StationId]) -> None:
    """Tariffs of a charger and of one of its connectors, and a line for one group."""
    holidays.change(books.db, [Holiday("2026-12-16", "Victory Day")], books.by)
    for_fleet = terms(line("energy", 1_000, groups=[4], holidays=True), line("energy", 1_900))
    here = tariffs.add(books.db, Tariff(0, "At the gate", terms=for_fleet), books.by)
    place_tariffs.put(books.db, yard[0], 0, here, books.by)
    place_tariffs.put(books.db, yard[0], 2, here, books.by)
    place_tariffs.put(books.db, yard[0], 0, None, books.by)


def hindsight(books: Books, yard: list[StationId]) -> None:
    """What the checks find, and what somebody has looked at."""
    db = books.db
    health.check_stations(db, yard[:2], NOON_MS, books.now_ms)
    health.check_box(db, 10, books.now_ms)
    for _time in range(2):
        books.wait(60)
        in_part.report(db, yard[0], None, "a list", "[]", books.now_ms)
    problems.raise_problem(db, ProblemKind.JOB_FAILED, "job:backup", books.now_ms, job="backup")
    problems.clear_problem(db, ProblemKind.JOB_FAILED, "job:backup", books.now_ms)
    problems.acknowledge(db, 1, books.by)
    admin_commands.backed_up(db, books.now_ms)
    health.heartbeat_commit(db, books.now_ms)


def kept_secret(books: Books) -> None:
    """A secret of another, and an owner's key; the file that opens them stays behind."""
    sealing = SealingKey(SECRET)
    secrets.take_up(books.db, sealing, books.now_ms)
    secrets.keep_secret(books.db, sealing, "mail.password", b"correct horse", books.now_ms)
    public = owner_key.private_half(owner_key.new_words()).public_key().public_bytes_raw()
    secrets.set_owner_key(books.db, owner_key.enclose(sealing, public), books.by)


# --- old cards ---------------------------------------------------------------------------------------------------------------


def cards_of_before(books: Books) -> None:
    """A list of an earlier system; of its cards one waits, one is booked, one was emptied."""
    settings.change(books.db, "old_card_max_minor", "100000")
    listed = [("6A0102A1", 4_000, "Jamal"), ("6A0102A2", 5_000, "Salma"), ("6A0102A3", 6_000, "")]
    old_cards.put_on_list(books.db, listed, books.by)
    old_cards.set_key(books.db, SealingKey(SECRET), "A0A1A2A3A4A5", books.by)
    booked, emptied = (
        card_units.need(books.db, CardId(card_units.add(books.db, uid, PersonId(1), books.by)))
        for uid in ("6A0102A2", "6A0102A3")
    )
    for card in (booked, emptied):
        old_cards.take_over(books.db, card, 5_000, books.by)
    old_cards.cleared(books.db, emptied.id, emptied.uid, books.by)
    old_rows.count_copy(books.db, emptied.uid)


# --- vouchers ----------------------------------------------------------------------------------------------------------------


def months(books: Books) -> None:
    """The statements of two months that are over, some of them to be paid."""
    month = month_of(NOON_MS, SITE.zone)
    issuing.begin(books.db, NOON_MS)
    issuing.issue(books.db, month, issuing.wallets_of(books.db, month), books.now_ms)
    books.now_ms = month_bounds(month, SITE.zone)[1]
    wallets.top_up(books.db, PersonId(2), 1_000, "cash", "of the next month", books.by)
    issuing.issue(books.db, moved(month, 1), issuing.wallets_of(books.db, moved(month, 1)), books.now_ms)
    issuing.finish(books.db, moved(month, 1))


def papers(books: Books) -> None:
    """Vouchers for sale and given away, one in each state, and a batch whose codes can still be printed."""
    db, by, person = books.db, books.by, PersonId(1)
    batch, _codes = printed(books, 20_000, count=8, expires_at_ms=books.now_ms + DAY_S * 1000, note="For the hotel")
    gifts, _codes = printed(books, 500, count=3, given_away=True)

    def one(number: int) -> Asked:
        return Asked(number=(batch, number))

    for number in (1, 2, 3, 4, 5):
        vouchers.sell(db, one(number), "mobile" if number == 2 else "cash", by)
    vouchers.redeem(db, one(1), person, by)
    vouchers.redeem(db, Asked(number=(gifts, 1)), person, by)
    vouchers.void(db, one(2), "", by)
    vouchers.void(db, one(6), "", by)
    books.wait(DAY_S)
    batches.expire(db, books.now_ms)
    vouchers.write_off(db, vouchers.need(db, one(3)).id, books.by)
    lasting, _codes = printed(books, 1_000, count=4)
    for number in (1, 2):
        vouchers.sell(db, Asked(number=(lasting, number)), "card", books.by)
    books.db.flush()
    vouchers.hold(db, [paper for paper in rows.papers(db) if paper.batch_id == lasting and paper.number > 1], books.by)
    vouchers.release(db, vouchers.need(db, Asked(number=(lasting, 4))).id, books.by)
    batches.void_rest(db, gifts, books.by)
