"""What OCPP 1.6 says, in the domain's words. Pure functions: payloads that fit their schema, or were mended to, in; events out.

A 1.6 connector n is EVSE n with connector 1; 0 is the station. Numbers are bounded here, because the schemas leave them free.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import orjson

from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.events import (
    MeterRead,
    StationBooted,
    StatusChanged,
    TransactionEnded,
    TransactionStarted,
    TransactionStartedInPart,
)
from appliance.domain.id_token import normal_form
from appliance.domain.meter import Reading
from appliance.domain.moments import SET_MS_MIN
from appliance.domain.signed import SignedValue
from appliance.domain.station import ChargingState, ConnectorStatus
from appliance.domain.units import INTEGER_MAX, to_integer
from appliance.ocpp.reading.cleaning import CLEANING
from appliance.ocpp.reading.figures import Rounded, figure
from appliance.ocpp.reading.quirks import NONE, Quirks
from appliance.ocpp.reading.schemas import Payload
from appliance.ocpp.reading.times import parse_time
from appliance.ocpp.v16.power import power_of_current
from appliance.ocpp.version import Unreadable
from appliance.services.stations.private_messages import masked_words

EVSE_MAX = 999
ID_TAG_CHARS_MAX = 20
"""OCPP 1.6, IdToken (7.28)."""
REASON_CHARS_MAX = 50
INFO_CHARS_MAX = 200
WORDS_KEPT = 512
READINGS_MAX = 2_000
OTHERS_CHARS_MAX = 16_384
REGISTER_WH_MAX = 10**12
"""No meter of a charger shows more: what says so is no reading. It also keeps the sums of a day within what a column can hold."""
UNKNOWN_TRANSACTION = -1
"""What stations send for a transaction whose number they never learned (1.6 errata 3.18)."""

STATUSES = frozenset(
    {
        AuthorizationStatus.ACCEPTED,
        AuthorizationStatus.BLOCKED,
        AuthorizationStatus.EXPIRED,
        AuthorizationStatus.INVALID,
        AuthorizationStatus.CONCURRENT_TX,
    }
)
"""OCPP 1.6, AuthorizationStatus (7.2): all that it can say."""

CONNECTOR_STATES = {
    "Available": (ConnectorStatus.AVAILABLE, ChargingState.NONE, ""),
    "Preparing": (ConnectorStatus.OCCUPIED, ChargingState.NONE, "Preparing"),
    "Charging": (ConnectorStatus.OCCUPIED, ChargingState.CHARGING, "Charging"),
    "SuspendedEV": (ConnectorStatus.OCCUPIED, ChargingState.SUSPENDED_EV, "SuspendedEV"),
    "SuspendedEVSE": (ConnectorStatus.OCCUPIED, ChargingState.SUSPENDED_EVSE, "SuspendedEVSE"),
    "Finishing": (ConnectorStatus.OCCUPIED, ChargingState.EV_CONNECTED, "Finishing"),
    "Reserved": (ConnectorStatus.RESERVED, ChargingState.NONE, ""),
    "Unavailable": (ConnectorStatus.UNAVAILABLE, ChargingState.NONE, ""),
    "Faulted": (ConnectorStatus.FAULTED, ChargingState.NONE, ""),
}
"""OCPP 1.6, ChargePointStatus (7.7): status, charging state, and the finer word where it is one."""

BETWEEN = re.compile(r"[\s.·-]+")
"""What stations write between the letters of a unit."""
AHEAD_MS_MAX = 86_400_000


def booted(payload: Payload, received_at_ms: int) -> StationBooted:
    """Core: BootNotification."""
    return StationBooted(
        vendor=text(payload.get("chargePointVendor"), 100),
        model=text(payload.get("chargePointModel"), 100),
        serial=text(payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber"), 100),
        firmware=text(payload.get("firmwareVersion"), 100),
        received_at_ms=received_at_ms,
        part=text(payload.get("iccid") or payload.get("imsi") or payload.get("meterSerialNumber"), 100),
    )


def status_changed(payload: Payload, received_at_ms: int, quirks: Quirks = NONE) -> StatusChanged:
    """Core: StatusNotification. Raises Unreadable without a connector or a status."""
    evse = evse_of(payload)
    status = payload.get("status")
    if evse is None or not isinstance(status, str):
        raise Unreadable("no connector or no status")
    # Whoever may see no cards reads these two masked (ui/console/board/board.py): a code of the vendor may look like a card's number.
    info = text(payload.get("info"), INFO_CHARS_MAX)
    if code := text(payload.get("vendorErrorCode"), 50):
        info = f"{info} ({code})" if info else code
    known, charging_state, finer = connector_state(public_text(status, 50))
    return StatusChanged(
        evse=evse,
        connector=1 if evse else 0,
        status=known,
        error_code=public_text(payload.get("errorCode"), 50),
        info=info,
        at_ms=believable(payload.get("timestamp"), received_at_ms, quirks),
        received_at_ms=received_at_ms,
        charging_state=charging_state,
        finer=finer,
    )


def connector_state(word: str) -> tuple[ConnectorStatus, ChargingState, str]:
    """Status, charging state and finer word; a word that 1.6 does not have is kept as it is."""
    known = CONNECTOR_STATES.get(word)
    return known if known is not None else (ConnectorStatus.UNKNOWN, ChargingState.NONE, word)


def id_token(payload: Payload) -> str | None:
    """The normal form of `idTag`; one that is too long is cut to what 1.6 can carry, as some append garbage."""
    found = payload.get("idTag")
    if found is None:
        return None
    return normal_form(found)[:ID_TAG_CHARS_MAX]


def transaction_started(payload: Payload, received_at_ms: int, quirks: Quirks = NONE) -> TransactionStarted:
    """Core: StartTransaction. Raises Unreadable if it could not be billed."""
    evse, token, meter_wh = evse_of(payload), id_token(payload), register(payload, "meterStart", quirks)
    if evse is None or token is None or meter_wh is None:
        lacks = {"connectorId": evse, "idTag": token, "meterStart": meter_wh}
        raise Unreadable(f"no {', '.join(name for name, found in lacks.items() if found is None)} that can be read")
    return TransactionStarted(
        evse=evse or 1,
        id_token=token,
        meter_start_wh=meter_wh,
        at_ms=believable(payload.get("timestamp"), received_at_ms, quirks),
        received_at_ms=received_at_ms,
        meter_start_mwh=register_mwh(payload, "meterStart"),
    )


def transaction_started_in_part(
    payload: Payload, received_at_ms: int, quirks: Quirks = NONE
) -> TransactionStartedInPart:
    """The same, as far as it can be read."""
    evse = evse_of(payload)
    return TransactionStartedInPart(
        evse=0 if evse is None else evse or 1,
        id_token=id_token(payload) or "",
        meter_start_wh=register(payload, "meterStart", quirks),
        at_ms=believable(payload.get("timestamp"), received_at_ms, quirks),
        received_at_ms=received_at_ms,
    )


def transaction_ended(payload: Payload, received_at_ms: int, quirks: Quirks = NONE) -> TransactionEnded:
    """Core: StopTransaction. A transaction that is missing is one whose number is unknown; a reading may be missing too."""
    return TransactionEnded(
        ref=transaction_ref(payload.get("transactionId")),
        id_token=id_token(payload),
        meter_stop_wh=register(payload, "meterStop", quirks),
        meter_stop_mwh=register_mwh(payload, "meterStop"),
        at_ms=believable(payload.get("timestamp"), received_at_ms, quirks),
        reason=public_text(payload.get("reason"), REASON_CHARS_MAX) or "Local",
        readings=readings(payload.get("transactionData") or (), received_at_ms, quirks),
        received_at_ms=received_at_ms,
    )


def meter_read(payload: Payload, received_at_ms: int, quirks: Quirks = NONE) -> MeterRead:
    """Core: MeterValues. Transaction 0 or less is none."""
    ref = transaction_ref(payload.get("transactionId"))
    return MeterRead(
        ref=ref if ref > 0 else None,
        evse=evse_of(payload) or 0,
        readings=readings(payload.get("meterValue") or (), received_at_ms, quirks),
        received_at_ms=received_at_ms,
    )


def id_tag_info(authorization: Authorization) -> Payload:
    """1.6 has no words for too little money, another place, another time and limits: such a card is told Blocked."""
    status = authorization.status
    info = {"status": status.value if status in STATUSES else AuthorizationStatus.BLOCKED.value}
    if authorization.group_token is not None:
        info["parentIdTag"] = authorization.group_token[:ID_TAG_CHARS_MAX]
    return info


# --- fields --------------------------------------------------------------------------------------------------------------


def evse_of(payload: Payload) -> int | None:
    """The connector, if it can be one."""
    number = payload.get("connectorId")
    return number if type(number) is int and 0 <= number <= EVSE_MAX else None


def transaction_ref(number: Any) -> int:
    """A transaction's number; -1 for one that no column can hold."""
    return number if type(number) is int and -INTEGER_MAX <= number <= INTEGER_MAX else UNKNOWN_TRANSACTION


def register(payload: Payload, name: str, quirks: Quirks) -> int | None:
    """A reading of the main register in Wh; none below zero or beyond what can be counted."""
    value = payload.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    energy_wh = value * quirks.energy_factor
    return energy_wh if energy_wh <= REGISTER_WH_MAX else None


def register_mwh(payload: Payload, name: str) -> int | None:
    """The same in thousandths, where it was told with a fraction."""
    value = payload.get(name)
    return value.thousandths if isinstance(value, Rounded) and 0 <= value <= REGISTER_WH_MAX else None


def text(value: Any, chars_max: int) -> str:
    """A text as it may be stored: no control characters, not longer than it should be; "" for nothing."""
    if not isinstance(value, str):
        return ""
    clean = value if value.isprintable() else value.translate(CLEANING)
    return clean.strip()[:chars_max]


def public_text(value: Any, chars_max: int) -> str:
    """The same of what stands on the board and in lists for everybody: some stations write there whose card it was."""
    if not value:
        return ""
    if isinstance(value, str) and len(value) <= INFO_CHARS_MAX:
        return _public_word(value, chars_max)
    return masked_words(text(value, chars_max))


@lru_cache(maxsize=WORDS_KEPT)
def _public_word(word: str, chars_max: int) -> str:
    """Stations say the same few words again and again."""
    return masked_words(text(word, chars_max))


def station_time(stamp: Any) -> int | None:
    """The time the station wrote, whether or not it can be believed."""
    return parse_time(stamp)


def is_believable(at_ms: int | None, received_at_ms: int) -> bool:
    """Whether a station's time can be right: not before 2015, and not more than a day ahead. Old is normal: queues exist."""
    return at_ms is not None and SET_MS_MIN <= at_ms <= received_at_ms + AHEAD_MS_MAX


def believable(stamp: Any, received_at_ms: int, quirks: Quirks) -> int:
    """The station's time, or ours when its own cannot be right."""
    if quirks.distrust_clock:
        return received_at_ms
    at_ms = parse_time(stamp)
    return at_ms if at_ms is not None and SET_MS_MIN <= at_ms <= received_at_ms + AHEAD_MS_MAX else received_at_ms


# --- meter values --------------------------------------------------------------------------------------------------------

ENERGY = "Energy.Active.Import.Register"
INTERVAL = "Energy.Active.Import.Interval"
POWER = "Power.Active.Import"
BY_CLOCK = "Sample.Clock"
(
    ENERGY_FIELD,
    POWER_FIELD,
    CURRENT_FIELD,
    VOLTAGE_FIELD,
    SOC_FIELD,
    INTERVAL_FIELD,
    OFFERED_FIELD,
    OFFERED_CURRENT_FIELD,
) = range(8)
SUMMED = (ENERGY_FIELD, POWER_FIELD, INTERVAL_FIELD)
PHASES = 3

FIELDS = {
    # measurand and unit: the field of a Reading, the factor to its unit, the least and the most that can be true
    (ENERGY, None): (ENERGY_FIELD, 1, 0, REGISTER_WH_MAX),
    (ENERGY, "Wh"): (ENERGY_FIELD, 1, 0, REGISTER_WH_MAX),
    (ENERGY, "kWh"): (ENERGY_FIELD, 1000, 0, REGISTER_WH_MAX),
    (INTERVAL, None): (INTERVAL_FIELD, 1, 0, REGISTER_WH_MAX),
    (INTERVAL, "Wh"): (INTERVAL_FIELD, 1, 0, REGISTER_WH_MAX),
    (INTERVAL, "kWh"): (INTERVAL_FIELD, 1000, 0, REGISTER_WH_MAX),
    (POWER, None): (POWER_FIELD, 1, -10_000_000, 10_000_000),
    (POWER, "W"): (POWER_FIELD, 1, -10_000_000, 10_000_000),
    (POWER, "kW"): (POWER_FIELD, 1000, -10_000_000, 10_000_000),
    ("Current.Import", None): (CURRENT_FIELD, 1000, 0, 10_000_000),
    ("Current.Import", "A"): (CURRENT_FIELD, 1000, 0, 10_000_000),
    ("Voltage", None): (VOLTAGE_FIELD, 1000, 0, 10_000_000),
    ("Voltage", "V"): (VOLTAGE_FIELD, 1000, 0, 10_000_000),
    ("Power.Offered", None): (OFFERED_FIELD, 1, 1, 10_000_000),
    ("Power.Offered", "W"): (OFFERED_FIELD, 1, 1, 10_000_000),
    ("Power.Offered", "kW"): (OFFERED_FIELD, 1000, 1, 10_000_000),
    ("Current.Offered", None): (OFFERED_CURRENT_FIELD, 1000, 1, 10_000_000),
    ("Current.Offered", "A"): (OFFERED_CURRENT_FIELD, 1000, 1, 10_000_000),
    ("SoC", None): (SOC_FIELD, 1, 0, 100),
    ("SoC", "Percent"): (SOC_FIELD, 1, 0, 100),
    ("SoC", "%"): (SOC_FIELD, 1, 0, 100),
    # Some say that the state of charge is in volts (evcc-io/evcc#18109).
    ("SoC", "V"): (SOC_FIELD, 1, 0, 100),
}
MEGA = {
    # No meter of a charger tells thousandths of a watt-hour, so mWh is a slip for MWh, too.
    "mwh": ("Wh", 1_000_000),
    "mw": ("W", 1_000_000),
}
UNITS = {unit.casefold(): unit for _, unit in FIELDS if unit is not None}
"""How each unit is spelled, by how it may be."""


def field_of(measurand: str, unit: str | None) -> tuple[int, int, int, int] | None:
    """The field of a measurand, with the factor of its unit and its bounds; blanks, dots and capitals in a unit do not matter, and an empty
    one is none.
    """
    found = FIELDS.get((measurand, unit))
    if found is not None or unit is None:
        return found
    plain = BETWEEN.sub("", unit).casefold()
    if plain in MEGA:
        unit, factor = MEGA[plain]
        found = FIELDS.get((measurand, unit))
        return None if found is None else (found[0], factor, *found[2:])
    return FIELDS.get((measurand, UNITS.get(plain) if plain else None)) if plain in UNITS or not plain else None


def readings(meter_values: Any, received_at_ms: int, quirks: Quirks = NONE) -> list[Reading]:
    """A Reading for each moment, in the order in which they were sent."""
    return [
        reading(moment.get("sampledValue") or (), believable(moment.get("timestamp"), received_at_ms, quirks), quirks)
        for moment in meter_values[:READINGS_MAX]
    ]


def reading(sampled_values: Any, at_ms: int, quirks: Quirks) -> Reading:
    """What was measured at one moment.

    The first value of a kind without a phase, taken at the outlet, counts. A value of one phase or another place counts if it
    is the only one of its kind; three phases of power or energy are added up. All that did not find its field alone is kept in
    `others` as it was sent, and so is what is signed.
    """
    values: list[int | None] = [None, None, None, None, None, None, None, None]
    by_clock = in_kwh = False
    lone: dict[int, tuple[int, Payload]] | None = None
    crowd: list[tuple[int, int, Payload]] = []
    others: list[Payload] = []
    for sampled in sampled_values:
        get = sampled.get
        measurand, unit = get("measurand", ENERGY), get("unit")
        found = FIELDS.get((measurand, unit)) or field_of(measurand, unit)
        if found is not None and get("format") != "SignedData":
            field, factor, least, most = found
            told = sampled["value"]
            value = to_integer(told, factor)
            if value is None:
                value = for_people(told, measurand, factor)
            if value is not None and least <= value <= most:
                if field >= OFFERED_FIELD:
                    keep_offered(values, field, value, sampled)
                elif "phase" in sampled or get("location", "Outlet") != "Outlet":
                    if lone is None:
                        lone = {field: (value, sampled)}
                    elif field in lone:
                        crowd.append((field, value, sampled))
                    else:
                        lone[field] = value, sampled
                    continue
                elif values[field] is None:
                    values[field] = value
                    by_clock = by_clock or (field == INTERVAL_FIELD and get("context") == BY_CLOCK)
                    in_kwh = in_kwh or (field == ENERGY_FIELD and factor > 1)
                    continue
                elif field == ENERGY_FIELD:
                    # Begin and end of a transaction in one moment: the register only grows.
                    values[field] = max(value, values[field] or 0)
        others.append(sampled)
    if lone is not None:
        others += place_phases(values, lone, crowd)
    measured = as_reading(at_ms, values, others, quirks)
    measured.by_clock, measured.in_kwh = by_clock, in_kwh
    return measured


def signed_in(others: list[Payload]) -> tuple[SignedValue, ...]:
    """What the meter has signed, word for word."""
    return tuple(
        SignedValue(str(one["value"]), str(one.get("context", "")))
        for one in others
        if one.get("format") == "SignedData"
    )


def for_people(text: str, measurand: str, factor: int) -> int | None:
    """A value that is written for people; a unit behind it is the finer word."""
    found = figure(text)
    if found is None or not found.unit:
        return None if found is None else to_integer(found.number, factor)
    meant = field_of(measurand, found.unit)
    return None if meant is None else to_integer(found.number, meant[1])


def as_reading(at_ms: int, values: list[int | None], others: list[Payload], quirks: Quirks) -> Reading:
    """The fields of a moment, put together."""
    energy_wh, power_w, current_ma, voltage_mv, soc_percent, interval_wh, offered_w, offered_ma = values
    if energy_wh is not None and (energy_wh := energy_wh * quirks.energy_factor) > REGISTER_WH_MAX:
        energy_wh = None
    if interval_wh is not None and (interval_wh := interval_wh * quirks.energy_factor) > REGISTER_WH_MAX:
        interval_wh = None
    if offered_ma is not None:
        offered_w = max(offered_w or 0, round(power_of_current(offered_ma / 1_000, (voltage_mv or 0) / 1_000)))
    return Reading(
        at_ms, energy_wh, power_w, current_ma, voltage_mv, soc_percent, written(others) if others else None, interval_wh,
        offered_w=offered_w, signed=signed_in(others) if others else (),
    )  # fmt: skip


def keep_offered(values: list[int | None], field: int, value: int, sampled: Payload) -> None:
    """The most counts of what is offered; of three phases none tells the power of all."""
    if field == OFFERED_FIELD and "phase" in sampled:
        value *= PHASES
    values[field] = max(value, values[field] or 0)


def place_phases(
    values: list[int | None], lone: dict[int, tuple[int, Payload]], crowd: list[tuple[int, int, Payload]]
) -> list[Payload]:
    """Fill the fields that only phases tell of: `lone` has the first of each kind, `crowd` the others. What found no field alone."""
    left = []
    for field, (value, sampled) in lone.items():
        more = [one for one in crowd if one[0] == field] if crowd else ()
        if values[field] is None and not more:
            values[field] = value
            continue
        if values[field] is None and field in SUMMED and 1 + len(more) == PHASES and "phase" in sampled:
            values[field] = value + sum(one[1] for one in more)
        left.append(sampled)
        left += [one[2] for one in more]
    return left


def written(others: list[Payload]) -> str:
    """As JSON, as much of it as is reasonable: whole elements only."""
    out = orjson.dumps(others).decode()
    while len(out) > OTHERS_CHARS_MAX:
        others = others[: len(others) // 2]
        out = orjson.dumps(others).decode()
    return out
