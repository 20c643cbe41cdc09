"""What is done with each message of a 1.6 station: translate, hand to a service, put its answer into 1.6's words."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.domain.events import (
    MeterRead,
    StationBooted,
    StatusChanged,
    TransactionEnded,
    TransactionStarted,
    TransactionStartedInPart,
)
from appliance.domain.identifiers import StationId
from appliance.domain.units import rfc3339
from appliance.ocpp.connection.station import Station
from appliance.ocpp.reading.quirks import quirks_of
from appliance.ocpp.reading.schemas import Payload
from appliance.ocpp.settings import Settings
from appliance.ocpp.v16 import translate
from appliance.ocpp.version import Inbound, Read, Torn, Unreadable, Work
from appliance.services.sessions import in_part, metering, starting, stopping
from appliance.services.stations import status as status_units

PENDING_INTERVAL_S = 30
"""How soon a knocking station asks again whether it was let in."""
SUSPECT_CLOCK = "its time cannot be right: the time of receipt counts"
NO_TEXTS: frozenset[str] = frozenset()
STATUS_TEXTS = frozenset({"info", "vendorId", "vendorErrorCode"})


def inbound(settings: Settings) -> dict[str, Inbound]:
    """All messages of Core, Firmware Management and the security extensions that a station may send."""

    def read_boot(station: Station, payload: Payload, received_at_ms: int) -> Work:
        event = translate.booted(payload, received_at_ms)
        station.quirks = quirks_of(event.vendor, event.model)
        return Work(boot, (event, registration(station, received_at_ms)))

    def registration(station: Station, received_at_ms: int) -> Payload:
        if station.accepted:
            status, interval_s = "Accepted", settings.heartbeat_interval_s
        else:
            status, interval_s = "Pending", PENDING_INTERVAL_S
        return {"status": status, "currentTime": rfc3339(received_at_ms), "interval": interval_s}

    def unreadable_boot(station: Station, torn: Torn, received_at_ms: int) -> Work:
        return Work(reply, (registration(station, received_at_ms),), torn.why)

    return {
        "Authorize": Inbound(read_authorize, texts=NO_TEXTS, tells_of_cards=True),
        "BootNotification": Inbound(read_boot, unreadable=unreadable_boot),
        "DataTransfer": Inbound(constant({"status": "UnknownVendorId"})),
        "DiagnosticsStatusNotification": Inbound(constant({})),
        "FirmwareStatusNotification": Inbound(constant({})),
        "Heartbeat": Inbound(read_heartbeat, unreadable=unreadable_heartbeat, texts=NO_TEXTS),
        "LogStatusNotification": Inbound(constant({})),
        "MeterValues": Inbound(read_meter_values, unreadable=unreadable_meter_values, replayed=True, texts=NO_TEXTS),
        "SecurityEventNotification": Inbound(constant({})),
        "SignCertificate": Inbound(constant({"status": "Rejected"})),
        "SignedFirmwareStatusNotification": Inbound(constant({})),
        "StartTransaction": Inbound(
            read_start, unreadable=unreadable_start, replayed=True, kept_whole=True, tells_of_cards=True
        ),
        "StatusNotification": Inbound(read_status, unreadable=unreadable_status, texts=STATUS_TEXTS),
        "StopTransaction": Inbound(
            read_stop, unreadable=unreadable_stop, replayed=True, kept_whole=True, tells_of_cards=True
        ),
    }


# --- from a payload to a unit of work and what it needs ------------------------------------------------------------------


def read_authorize(station: Station, payload: Payload, received_at_ms: int) -> Work:  # noqa: ARG001 - one shape for all.
    token = translate.id_token(payload)
    assert token is not None, "the schema demands an idTag"
    return Work(authorized, (token, received_at_ms))


def read_status(station: Station, payload: Payload, received_at_ms: int) -> Work:
    dating = station.dating
    if dating.skew.wanted > 0 and "timestamp" in payload:
        dating.skew.observe(payload["timestamp"], received_at_ms)
    event = translate.status_changed(payload, received_at_ms, station.quirks)
    if event.at_ms != received_at_ms:
        dating.show(event.at_ms, received_at_ms)
    at_ms = station.date_status((event.evse, event.connector), event.at_ms, received_at_ms)
    if at_ms is None:
        event.superseded = True
    else:
        event.at_ms = at_ms
    return Work(status_changed, (event,), doubt(payload.get("timestamp"), event.at_ms, received_at_ms))


def read_meter_values(station: Station, payload: Payload, received_at_ms: int) -> Work:
    if "meterValue" not in payload:
        raise Unreadable("no reading that can be read")
    event = translate.meter_read(payload, received_at_ms, station.quirks)
    if not event.readings:
        return Work(meter_read, (event,))
    stamp, at_ms = payload["meterValue"][-1].get("timestamp"), event.readings[-1].at_ms
    if station.dating.skew.wanted > 0:
        station.dating.skew.observe(stamp, received_at_ms)
    _, event.source = station.dating.date(at_ms, received_at_ms)
    return Work(meter_read, (event,), doubt(stamp, at_ms, received_at_ms))


def read_start(station: Station, payload: Payload, received_at_ms: int) -> Work:
    event = translate.transaction_started(payload, received_at_ms, station.quirks)
    note = None if payload["connectorId"] else "connector 0 is read as 1"
    stamp, dating = payload.get("timestamp"), station.dating
    if dating.skew.wanted > 0:
        dating.skew.observe(stamp, received_at_ms)
    event.connected_at_ms = dating.connected_at_ms
    event.stamp_ms = event.at_ms if event.at_ms != received_at_ms else translate.station_time(stamp)
    note = doubt("" if stamp is None else stamp, event.at_ms, received_at_ms) or note
    if event.stamp_ms is None:
        # The time is part of what makes it this start, so it must be the same when the start comes again.
        fingerprint = hash((event.evse, event.id_token, event.meter_start_wh, stamp))
        event.at_ms = event.stamp_ms = station.date_start(fingerprint, event.id_token, received_at_ms)
    event.at_ms, event.source = dating.date(event.at_ms, received_at_ms)
    return Work(transaction_started, (event,), note)


def read_stop(station: Station, payload: Payload, received_at_ms: int) -> Work:
    event = translate.transaction_ended(payload, received_at_ms, station.quirks)
    if "transactionId" not in payload:
        raise Unreadable("no transaction that can be read")
    if event.ref == translate.UNKNOWN_TRANSACTION and event.meter_stop_wh is None and event.id_token is None:
        raise Unreadable("no transaction, no meter reading and no card that can be read")
    if station.starts:
        station.forget_starts(event.id_token)
    dating = station.dating
    if dating.skew.wanted > 0:
        dating.skew.observe(payload.get("timestamp"), received_at_ms)
    stamp = payload.get("timestamp", "")
    event.stamp_ms = event.at_ms if event.at_ms != received_at_ms else translate.station_time(stamp)
    note = doubt(stamp, event.at_ms, received_at_ms)
    event.at_ms, event.source = dating.date(event.at_ms, received_at_ms)
    event.away = dating.away_since_ms or 0, dating.connected_at_ms
    return Work(transaction_ended, (event,), note)


def read_heartbeat(station: Station, payload: Payload, received_at_ms: int) -> Work:  # noqa: ARG001 - one shape for all.
    now = current_time(received_at_ms)
    return Work(reply, (now,), answered_before_commit=now)


def constant(answer: Payload) -> Read:
    """For messages of which only the message log remains."""
    work = Work(reply, (answer,))

    def read(station: Station, payload: Payload, received_at_ms: int) -> Work:  # noqa: ARG001 - one shape for all.
        return work

    return read


def unreadable_start(station: Station, torn: Torn, received_at_ms: int) -> Work:
    event = translate.transaction_started_in_part(torn.payload, received_at_ms, station.quirks)
    at_ms, _ = station.dating.date(event.at_ms, received_at_ms)
    # Its fields may not tell it from another, but must when it comes again.
    event.at_ms = station.date_start(torn.fingerprint, event.id_token, at_ms)
    return Work(started_in_part, (event, torn.why, torn.text), torn.why)


def unreadable_stop(station: Station, torn: Torn, received_at_ms: int) -> Work:
    event = translate.transaction_ended(torn.payload, received_at_ms, station.quirks)
    if station.starts:
        station.forget_starts(event.id_token)
    event.stamp_ms = event.at_ms
    event.at_ms, event.source = station.dating.date(event.at_ms, received_at_ms)
    return Work(ended_in_part, (event, torn.why, torn.text), torn.why)


def unreadable_meter_values(station: Station, torn: Torn, received_at_ms: int) -> Work:
    event = translate.meter_read(torn.payload, received_at_ms, station.quirks)
    return Work(read_in_part, (event, torn.why, torn.text), torn.why)


def unreadable_status(station: Station, torn: Torn, received_at_ms: int) -> Work:  # noqa: ARG001 - one shape for all.
    return Work(reply, ({},), torn.why)


def unreadable_heartbeat(station: Station, torn: Torn, received_at_ms: int) -> Work:  # noqa: ARG001 - one shape for all.
    return Work(reply, (current_time(received_at_ms),), torn.why)


def doubt(stamp: object, at_ms: int, received_at_ms: int) -> str | None:
    """What is noted of a message whose time was told and cannot be read, or cannot be right; None if it can, or none was told."""
    if at_ms != received_at_ms or stamp is None:
        return None
    return None if translate.is_believable(translate.station_time(stamp), received_at_ms) else SUSPECT_CLOCK


# --- units of work -------------------------------------------------------------------------------------------------------


def boot(db: Database, station: StationId, event: StationBooted, registration: Payload) -> Payload:
    status_units.booted(db, station, event)
    return registration


def authorized(db: Database, station: StationId, token: str, now_ms: int) -> Payload:
    return {"idTagInfo": translate.id_tag_info(starting.authorize(db, station, token, now_ms))}


def status_changed(db: Database, station: StationId, event: StatusChanged) -> Payload:
    status_units.status_changed(db, station, event)
    return {}


def meter_read(db: Database, station: StationId, event: MeterRead) -> Payload:
    metering.meter_read(db, station, event)
    return {}


def transaction_started(db: Database, station: StationId, event: TransactionStarted) -> Payload:
    started = starting.transaction_started(db, station, event)
    return {"transactionId": started.ref, "idTagInfo": translate.id_tag_info(started.authorization)}


def transaction_ended(db: Database, station: StationId, event: TransactionEnded) -> Payload:
    authorization = stopping.transaction_ended(db, station, event)
    # 1.6, 6.50: only about a card that was given, and that has to do with it.
    return {} if authorization is None else {"idTagInfo": translate.id_tag_info(authorization)}


def read_in_part(db: Database, station: StationId, event: MeterRead, note: str, text: str) -> Payload:
    in_part.read_in_part(db, station, event, note, text)
    return {}


def started_in_part(db: Database, station: StationId, event: TransactionStartedInPart, note: str, text: str) -> Payload:
    started = in_part.started_in_part(db, station, event, note, text)
    return {"transactionId": started.ref, "idTagInfo": translate.id_tag_info(started.authorization)}


def ended_in_part(db: Database, station: StationId, event: TransactionEnded, note: str, text: str) -> Payload:
    authorization = in_part.ended_in_part(db, station, event, note, text)
    return {} if authorization is None else {"idTagInfo": translate.id_tag_info(authorization)}


def reply(db: Database, station: StationId, answer: Payload) -> Payload:  # noqa: ARG001 - one shape for all units.
    return answer


def current_time(received_at_ms: int) -> Payload:
    """Core: the answer to Heartbeat."""
    return {"currentTime": rfc3339(received_at_ms)}
