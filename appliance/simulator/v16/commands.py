"""What the central system may ask of an OCPP 1.6 station.

Every message of Core, FirmwareManagement, LocalAuthListManagement, Reservation, SmartCharging and RemoteTrigger is answered. An
effect that takes its own calls follows after the answer, as a task, so that the reader never waits for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ocpp import routing
from ocpp.v16 import call, call_result
from ocpp.v16.enums import (
    Action,
    AvailabilityStatus,
    CancelReservationStatus,
    ChargingProfileStatus,
    ClearCacheStatus,
    ClearChargingProfileStatus,
    ConfigurationStatus,
    DataTransferStatus,
    DiagnosticsStatus,
    FirmwareStatus,
    GetCompositeScheduleStatus,
    MessageTrigger,
    ReadingContext,
    RemoteStartStopStatus,
    ReservationStatus,
    ResetStatus,
    TriggerMessageStatus,
    UnlockStatus,
    UpdateStatus,
    UpdateType,
)

from appliance.domain.units import parse_rfc3339, rfc3339
from appliance.simulator.charger import Place, Reservation, StopReason
from appliance.simulator.v16 import messages
from appliance.simulator.v16.speaker import Speaker16

FIRMWARE_STEP_S: Final = 0.5

Handler = TypeVar("Handler", bound=Callable[..., Any])


def on(action: Action) -> Callable[[Handler], Handler]:
    """What answers `action`: the package's decorator, with a type."""
    decorator: Callable[[Handler], Handler] = routing.on(action)
    return decorator


def after(action: Action) -> Callable[[Handler], Handler]:
    """What happens once the answer to `action` has been sent."""
    decorator: Callable[[Handler], Handler] = routing.after(action)
    return decorator


class Commands:
    """What is answered, and what happens then: found by the `ocpp` package through `on` and `after`."""

    def __init__(self, speaker: Speaker16) -> None:
        self._speaker = speaker

    # Core.

    @on(Action.remote_start_transaction)
    def _remote_start(
        self, id_tag: str, connector_id: int | None = None, charging_profile: Any = None, **_: Any
    ) -> call_result.RemoteStartTransaction:
        place = self._speaker.charger.remote_start(id_tag, connector_id)
        if place is None:
            return call_result.RemoteStartTransaction(status=RemoteStartStopStatus.rejected)
        if charging_profile is not None:
            self._speaker.profiles.set(place.evse.number, charging_profile, charging=True)
        self._speaker.later(self._start(place, id_tag))
        return call_result.RemoteStartTransaction(status=RemoteStartStopStatus.accepted)

    async def _start(self, place: Place, token: str) -> None:
        group = None
        if self._speaker.configuration.truth("AuthorizeRemoteTxRequests"):
            authorization = await self._speaker.authorize(token)
            if not authorization.accepted:
                return
            group = authorization.group
        self._speaker.charger.authorized(place, token, group)

    @on(Action.remote_stop_transaction)
    def _remote_stop(self, transaction_id: int, **_: Any) -> call_result.RemoteStopTransaction:
        running = self._speaker.charger.transaction(transaction_id) is not None
        status = RemoteStartStopStatus.accepted if running else RemoteStartStopStatus.rejected
        return call_result.RemoteStopTransaction(status=status)

    @after(Action.remote_stop_transaction)
    def _remote_stopped(self, transaction_id: int, **_: Any) -> None:
        if (transaction := self._speaker.charger.transaction(transaction_id)) is not None:
            self._speaker.charger.end(transaction, StopReason.REMOTE)

    @on(Action.reset)
    def _reset(self, **_: Any) -> call_result.Reset:
        return call_result.Reset(status=ResetStatus.accepted)

    @after(Action.reset)
    def _reset_now(self, type: str, **_: Any) -> None:  # noqa: A002 - the package passes the name of the field.
        self._speaker.tell(f"The central system wants a reset ({type}).")
        self._speaker.charger.end_all(StopReason.SOFT_RESET if type == "Soft" else StopReason.HARD_RESET)
        self._speaker.later(self._speaker.restart())

    @on(Action.unlock_connector)
    def _unlock(self, connector_id: int, **_: Any) -> call_result.UnlockConnector:
        place = self._speaker.charger.place(connector_id)
        if place is None:
            return call_result.UnlockConnector(status=UnlockStatus.not_supported)
        if place.transaction is not None:
            self._speaker.charger.end(place.transaction, StopReason.UNLOCKED)
        failed = place.evse.fault == "ConnectorLockFailure"
        return call_result.UnlockConnector(status=UnlockStatus.unlock_failed if failed else UnlockStatus.unlocked)

    @on(Action.change_availability)
    def _change_availability(
        self,
        connector_id: int,
        type: str,  # noqa: A002 - the package passes the name of the field.
        **_: Any,
    ) -> call_result.ChangeAvailability:
        if connector_id != 0 and self._speaker.charger.place(connector_id) is None:
            return call_result.ChangeAvailability(status=AvailabilityStatus.rejected)
        at_once = self._speaker.charger.set_operative(connector_id, operative=type == "Operative")
        status = AvailabilityStatus.accepted if at_once else AvailabilityStatus.scheduled
        return call_result.ChangeAvailability(status=status)

    @on(Action.get_configuration)
    def _get_configuration(self, key: list[str] | None = None, **_: Any) -> call_result.GetConfiguration:
        known, unknown = self._speaker.configuration.get(key)
        return call_result.GetConfiguration(configuration_key=known, unknown_key=unknown)

    @on(Action.change_configuration)
    def _change_configuration(self, key: str, value: str, **_: Any) -> call_result.ChangeConfiguration:
        status = self._speaker.configuration.change(key, value)
        if status is ConfigurationStatus.accepted:
            self._speaker.apply_configuration()
        return call_result.ChangeConfiguration(status=status)

    @after(Action.change_configuration)
    def _configuration_changed(self, key: str, value: str, **_: Any) -> None:
        accepted = self._speaker.configuration.text("AuthorizationKey") == value.strip()
        if key.casefold() == "authorizationkey" and accepted:
            self._speaker.later(self._speaker.change_password())

    @on(Action.clear_cache)
    def _clear_cache(self, **_: Any) -> call_result.ClearCache:
        if not self._speaker.configuration.truth("AuthorizationCacheEnabled"):
            return call_result.ClearCache(status=ClearCacheStatus.rejected)
        self._speaker.tokens.cached.clear()
        return call_result.ClearCache(status=ClearCacheStatus.accepted)

    @on(Action.data_transfer)
    def _data_transfer(self, **_: Any) -> call_result.DataTransfer:
        return call_result.DataTransfer(status=DataTransferStatus.unknown_vendor_id)

    # RemoteTrigger.

    @on(Action.trigger_message)
    def _trigger(self, requested_message: str, connector_id: int | None = None, **_: Any) -> call_result.TriggerMessage:
        if connector_id is not None and not 0 <= connector_id <= len(self._speaker.station.evses):
            return call_result.TriggerMessage(status=TriggerMessageStatus.rejected)
        known = requested_message in set(MessageTrigger)
        status = TriggerMessageStatus.accepted if known else TriggerMessageStatus.not_implemented
        return call_result.TriggerMessage(status=status)

    @after(Action.trigger_message)
    def _triggered(self, requested_message: str, connector_id: int | None = None, **_: Any) -> None:
        speaker, count = self._speaker, len(self._speaker.station.evses)
        if connector_id is not None and not 0 <= connector_id <= count:
            return
        if requested_message == MessageTrigger.boot_notification:
            speaker.boot_again()
        elif requested_message == MessageTrigger.heartbeat:
            speaker.later(self._send(call.Heartbeat()))
        elif requested_message == MessageTrigger.status_notification:
            speaker.report_status(connector_id)
        elif requested_message == MessageTrigger.meter_values:
            now_ms = speaker.station.advance()
            wanted = speaker.configuration.text("MeterValuesSampledData")
            for number in [connector_id] if connector_id else range(1, count + 1):
                place = speaker.charger.places[number - 1]
                reading = place.evse.reading(now_ms)
                speaker.later(
                    self._send(
                        messages.meter_values(number, reading, wanted, ReadingContext.trigger, place.transaction)
                    )
                )
        elif requested_message == MessageTrigger.diagnostics_status_notification:
            speaker.later(self._send(call.DiagnosticsStatusNotification(status=DiagnosticsStatus.idle)))
        elif requested_message == MessageTrigger.firmware_status_notification:
            speaker.later(self._send(call.FirmwareStatusNotification(status=FirmwareStatus.idle)))

    async def _send(self, payload: Any) -> None:
        await self._speaker.call(payload)

    # FirmwareManagement: nothing is transferred, the steps are told.

    @on(Action.get_diagnostics)
    def _get_diagnostics(self, **_: Any) -> call_result.GetDiagnostics:
        return call_result.GetDiagnostics(file_name=f"{self._speaker.identity}.log")

    @after(Action.get_diagnostics)
    def _upload(self, **_: Any) -> None:
        async def steps() -> None:
            for status in (DiagnosticsStatus.uploading, DiagnosticsStatus.uploaded):
                await self._speaker.call(call.DiagnosticsStatusNotification(status=status))
                await asyncio.sleep(FIRMWARE_STEP_S)

        self._speaker.later(steps())

    @on(Action.update_firmware)
    def _update_firmware(self, **_: Any) -> call_result.UpdateFirmware:
        return call_result.UpdateFirmware()

    @after(Action.update_firmware)
    def _install(self, retrieve_date: str, **_: Any) -> None:
        wait_s = max(0, (parse_rfc3339(retrieve_date) or 0) - self._speaker.station.clock()) / 1000

        async def steps() -> None:
            await asyncio.sleep(wait_s)
            for status in (
                FirmwareStatus.downloading,
                FirmwareStatus.downloaded,
                FirmwareStatus.installing,
                FirmwareStatus.installed,
            ):
                await self._speaker.call(call.FirmwareStatusNotification(status=status))
                await asyncio.sleep(FIRMWARE_STEP_S)

        self._speaker.later(steps())

    # LocalAuthListManagement.

    @on(Action.get_local_list_version)
    def _local_list_version(self, **_: Any) -> call_result.GetLocalListVersion:
        enabled = self._speaker.configuration.truth("LocalAuthListEnabled")
        return call_result.GetLocalListVersion(list_version=self._speaker.tokens.list_version if enabled else -1)

    @on(Action.send_local_list)
    def _send_local_list(
        self, list_version: int, update_type: str, local_authorization_list: list[Any] | None = None, **_: Any
    ) -> call_result.SendLocalList:
        tokens = self._speaker.tokens
        if not self._speaker.configuration.truth("LocalAuthListEnabled"):
            return call_result.SendLocalList(status=UpdateStatus.not_supported)
        if update_type == UpdateType.differential and list_version <= tokens.list_version:
            return call_result.SendLocalList(status=UpdateStatus.version_mismatch)
        listed = {} if update_type == UpdateType.full else dict(tokens.listed)
        for entry in local_authorization_list or []:
            key = str(entry["id_tag"]).casefold()
            if entry.get("id_tag_info") is None:
                listed.pop(key, None)
            else:
                listed[key] = messages.authorization(entry["id_tag_info"])
        tokens.listed, tokens.list_version = listed, list_version
        return call_result.SendLocalList(status=UpdateStatus.accepted)

    # Reservation.

    @on(Action.reserve_now)
    def _reserve(
        self,
        connector_id: int,
        expiry_date: str,
        id_tag: str,
        reservation_id: int,
        parent_id_tag: str | None = None,
        **_: Any,
    ) -> call_result.ReserveNow:
        expires_at_ms = parse_rfc3339(expiry_date) or 0
        status = self._speaker.charger.reserve(
            connector_id, Reservation(reservation_id, id_tag, parent_id_tag, expires_at_ms)
        )
        return call_result.ReserveNow(status=ReservationStatus(status.value))

    @on(Action.cancel_reservation)
    def _cancel_reservation(self, reservation_id: int, **_: Any) -> call_result.CancelReservation:
        cancelled = self._speaker.charger.cancel_reservation(reservation_id)
        status = CancelReservationStatus.accepted if cancelled else CancelReservationStatus.rejected
        return call_result.CancelReservation(status=status)

    # SmartCharging.

    @on(Action.set_charging_profile)
    def _set_profile(self, connector_id: int, cs_charging_profiles: Any, **_: Any) -> call_result.SetChargingProfile:
        place = self._speaker.charger.place(connector_id)
        if connector_id != 0 and place is None:
            return call_result.SetChargingProfile(status=ChargingProfileStatus.rejected)
        transaction = place.transaction if place else None
        wanted = cs_charging_profiles.get("transaction_id")
        charging = transaction is not None and wanted in {None, transaction.id}
        stored = self._speaker.profiles.set(connector_id, cs_charging_profiles, charging=charging)
        status = ChargingProfileStatus.accepted if stored else ChargingProfileStatus.rejected
        return call_result.SetChargingProfile(status=status)

    @on(Action.clear_charging_profile)
    def _clear_profile(
        self,
        id: int | None = None,  # noqa: A002 - the package passes the name of the field.
        connector_id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
        **_: Any,
    ) -> call_result.ClearChargingProfile:
        cleared = self._speaker.profiles.clear(id, connector_id, charging_profile_purpose, stack_level)
        status = ClearChargingProfileStatus.accepted if cleared else ClearChargingProfileStatus.unknown
        return call_result.ClearChargingProfile(status=status)

    @on(Action.get_composite_schedule)
    def _composite_schedule(
        self, connector_id: int, duration: int, charging_rate_unit: str = "W", **_: Any
    ) -> call_result.GetCompositeSchedule:
        place = self._speaker.charger.place(connector_id)
        if place is None:
            return call_result.GetCompositeSchedule(status=GetCompositeScheduleStatus.rejected)
        now_ms, evse = self._speaker.station.clock(), place.evse
        began_at_ms = place.transaction.begin.at_ms if place.transaction else None
        periods: list[dict[str, Any]] = []
        for offset_s in range(0, max(1, duration), max(1, duration // 1000)):
            limit_w = self._speaker.profiles.limit_w(evse, now_ms + offset_s * 1000, began_at_ms)
            limit_w = evse.rating_w if limit_w is None else min(limit_w, evse.rating_w)
            limit = limit_w if charging_rate_unit == "W" else limit_w * 10_000 // (evse.voltage_mv * evse.phases) / 10
            if not periods or periods[-1]["limit"] != limit:
                periods.append({"start_period": offset_s, "limit": limit})
        return call_result.GetCompositeSchedule(
            status=GetCompositeScheduleStatus.accepted,
            connector_id=connector_id,
            schedule_start=rfc3339(now_ms),
            charging_schedule={
                "duration": duration,
                "charging_rate_unit": charging_rate_unit,
                "charging_schedule_period": periods,
            },
        )
