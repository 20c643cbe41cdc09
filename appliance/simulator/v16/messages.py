"""What the simulated station knows, in the words of OCPP 1.6: payloads of the `ocpp` package."""

from __future__ import annotations

from typing import Any

from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, Location, Measurand, Phase, ReadingContext, Reason
from ocpp.v16.enums import UnitOfMeasure as Unit

from appliance.domain.units import rfc3339
from appliance.simulator.charger import Authorization, StopReason, Transaction
from appliance.simulator.station import Reading, Station

UNKNOWN_TRANSACTION = -1
"""Stands for the id that the central system never told (errata §3.18)."""

REASONS = {
    StopReason.LOCAL: Reason.local,
    StopReason.REMOTE: Reason.remote,
    StopReason.UNPLUGGED: Reason.ev_disconnected,
    StopReason.DEAUTHORIZED: Reason.de_authorized,
    StopReason.SOFT_RESET: Reason.soft_reset,
    StopReason.HARD_RESET: Reason.hard_reset,
    StopReason.UNLOCKED: Reason.unlock_command,
    StopReason.OTHER: Reason.other,
}


def boot_notification(station: Station) -> call.BootNotification:
    """Who the station is."""
    return call.BootNotification(
        charge_point_vendor=station.vendor,
        charge_point_model=station.model,
        charge_point_serial_number=station.serial[:25],
        firmware_version=station.firmware,
    )


def status_notification(connector: int, status: str, fault: str | None, now_ms: int) -> call.StatusNotification:
    """A connector, or 0 for the station. A fault that 1.6 has no code for is told as OtherError, with its name."""
    known = fault is None or fault in set(ChargePointErrorCode)
    return call.StatusNotification(
        connector_id=connector,
        error_code=ChargePointErrorCode(fault or "NoError") if known else ChargePointErrorCode.other_error,
        status=ChargePointStatus(status),
        info=None if known else str(fault)[:50],
        timestamp=rfc3339(now_ms),
    )


def start_transaction(transaction: Transaction) -> call.StartTransaction:
    """The begin of a transaction, as it was then."""
    return call.StartTransaction(
        connector_id=transaction.evse,
        id_tag=transaction.token,
        meter_start=transaction.begin.register_wh,
        timestamp=rfc3339(transaction.begin.at_ms),
        reservation_id=transaction.reservation_id,
    )


def stop_transaction(transaction: Transaction, wanted: str) -> call.StopTransaction:
    """The end of a transaction; `wanted` are the measurands of StopTxnSampledData."""
    end = transaction.end
    assert end is not None
    assert transaction.reason is not None
    data = None
    if wanted:
        data = [
            meter_value(transaction.begin, wanted, ReadingContext.transaction_begin),
            meter_value(end, wanted, ReadingContext.transaction_end),
        ]
    return call.StopTransaction(
        meter_stop=end.register_wh,
        timestamp=rfc3339(end.at_ms),
        transaction_id=known_id(transaction),
        reason=REASONS[transaction.reason],
        id_tag=transaction.end_token,
        transaction_data=data,
    )


def meter_values(
    connector: int, reading: Reading, wanted: str, context: ReadingContext, transaction: Transaction | None
) -> call.MeterValues:
    """One reading of a connector."""
    return call.MeterValues(
        connector_id=connector,
        meter_value=[meter_value(reading, wanted, context)],
        transaction_id=known_id(transaction) if transaction else None,
    )


def meter_value(reading: Reading, wanted: str, context: ReadingContext) -> MeterValue:
    """The measurands that are `wanted`, comma separated, of one reading."""
    volts, amperes = f"{reading.voltage_mv / 1000:.1f}", f"{reading.current_ma / 1000:.1f}"
    phases = [None] if reading.phases == 1 else [Phase.l1, Phase.l2, Phase.l3]
    to_neutral = {Phase.l1: Phase.l1_n, Phase.l2: Phase.l2_n, Phase.l3: Phase.l3_n}
    values = {
        Measurand.energy_active_import_register: [(str(reading.register_wh), Unit.wh, None)],
        Measurand.power_active_import: [(str(reading.power_w), Unit.w, None)],
        Measurand.current_import: [(amperes, Unit.a, phase) for phase in phases],
        Measurand.voltage: [(volts, Unit.v, to_neutral[phase] if phase else None) for phase in phases],
    }
    if reading.state_of_charge_percent is not None:
        values[Measurand.soc] = [(str(reading.state_of_charge_percent), Unit.percent, None)]
    asked = {part.strip() for part in wanted.split(",")}
    return MeterValue(
        timestamp=rfc3339(reading.at_ms),
        sampled_value=[
            SampledValue(
                value=value,
                context=context,
                measurand=measurand,
                phase=phase,
                location=Location.ev if measurand is Measurand.soc else Location.outlet,
                unit=unit,
            )
            for measurand, readings in values.items()
            if measurand.value in asked
            for value, unit, phase in readings
        ],
    )


def authorization(id_tag_info: Any) -> Authorization:
    """What an answer says about a card; anything unreadable is a no."""
    info = id_tag_info if isinstance(id_tag_info, dict) else {}
    status = str(info.get("status", "Invalid"))
    return Authorization(status == "Accepted", status, info.get("parent_id_tag"))


def known_id(transaction: Transaction) -> int:
    """What the central system calls the transaction."""
    return UNKNOWN_TRANSACTION if transaction.id is None else transaction.id
