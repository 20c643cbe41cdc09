"""The configuration keys of an OCPP 1.6 station (§9 of the specification): what may be read, what may be changed, and to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ocpp.v16.datatypes import KeyValue
from ocpp.v16.enums import ConfigurationStatus

KEYS_PER_ANSWER_MAX: Final = 100
MEASURANDS: Final = frozenset(
    {"Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage", "SoC"}
)


@dataclass(slots=True)
class Key:
    """One key. Without `accepts` it is read-only; a hidden one can be written but not read."""

    value: str
    accepts: Callable[[str], bool] | None = None
    hidden: bool = False


def whole(least: int = 0, most: int = 2**31 - 1) -> Callable[[str], bool]:
    """Accepts whole numbers in a range."""
    return lambda text: text.strip().isdecimal() and least <= int(text) <= most


def truth(text: str) -> bool:
    """Accepts true and false."""
    return text.strip().lower() in {"true", "false"}


def measurands(text: str) -> bool:
    """Accepts a list of what the meter can measure, or nothing."""
    return all(part.strip() in MEASURANDS for part in text.split(",") if part.strip())


def secret(text: str) -> bool:
    """Accepts the hexadecimal digits of 16 to 20 bytes, or as many plain characters (security whitepaper, §4)."""
    return 16 <= len(text) <= 40


class Configuration:
    """All keys of one station; names are compared without case (§5.3)."""

    def __init__(self, *, connectors: int, sample_interval_s: int, heartbeat_interval_s: int = 300) -> None:
        every = ",".join(sorted(MEASURANDS))
        self._keys = {
            "AllowOfflineTxForUnknownId": Key("false", truth),
            "AuthorizationCacheEnabled": Key("true", truth),
            "AuthorizationKey": Key("", secret, hidden=True),
            "AuthorizeRemoteTxRequests": Key("false", truth),
            "ChargeProfileMaxStackLevel": Key("10"),
            "ChargingScheduleAllowedChargingRateUnit": Key("Current,Power"),
            "ChargingScheduleMaxPeriods": Key("48"),
            "ClockAlignedDataInterval": Key("0", whole(most=0)),
            "ConnectionTimeOut": Key("60", whole()),
            "ConnectorPhaseRotation": Key(",".join(f"{number}.RST" for number in range(connectors + 1))),
            "GetConfigurationMaxKeys": Key(str(KEYS_PER_ANSWER_MAX)),
            "HeartbeatInterval": Key(str(heartbeat_interval_s), whole(1)),
            "LocalAuthListEnabled": Key("true", truth),
            "LocalAuthListMaxLength": Key("1000"),
            "LocalAuthorizeOffline": Key("true", truth),
            "LocalPreAuthorize": Key("false", truth),
            "MaxChargingProfilesInstalled": Key("20"),
            "MeterValueSampleInterval": Key(str(sample_interval_s), whole()),
            "MeterValuesAlignedData": Key("", measurands),
            "MeterValuesSampledData": Key(every, measurands),
            "NumberOfConnectors": Key(str(connectors)),
            "ReserveConnectorZeroSupported": Key("false"),
            "ResetRetries": Key("0", whole()),
            "SecurityProfile": Key("0"),
            "SendLocalListMaxLength": Key("200"),
            "StopTransactionOnEVSideDisconnect": Key("true"),
            "StopTransactionOnInvalidId": Key("true", truth),
            "StopTxnAlignedData": Key("", measurands),
            "StopTxnSampledData": Key("", measurands),
            "SupportedFeatureProfiles": Key(
                "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
            ),
            "TransactionMessageAttempts": Key("5", whole(1)),
            "TransactionMessageRetryInterval": Key("10", whole()),
            "UnlockConnectorOnEVSideDisconnect": Key("true", truth),
            "WebSocketPingInterval": Key("60", whole()),
        }
        self._names = {name.casefold(): name for name in self._keys}

    def text(self, name: str) -> str:
        """The value of a key there is."""
        return self._keys[name].value

    def number(self, name: str) -> int:
        """The value as a whole number."""
        return int(self._keys[name].value)

    def truth(self, name: str) -> bool:
        """The value as yes or no."""
        return self._keys[name].value.strip().lower() == "true"

    def get(self, names: Iterable[str] | None) -> tuple[list[KeyValue], list[str]]:
        """The keys asked for, or all that can be read; and the names there are no keys for."""
        wanted = list(names or ())
        known = [self._names[name.casefold()] for name in wanted if name.casefold() in self._names]
        unknown = [name for name in wanted if name.casefold() not in self._names]
        unknown += [name for name in known if self._keys[name].hidden]
        readable = [name for name in (known if wanted else self._keys) if not self._keys[name].hidden]
        return [
            KeyValue(key=name, readonly=self._keys[name].accepts is None, value=self._keys[name].value)
            for name in readable
        ], unknown

    def change(self, name: str, value: str) -> ConfigurationStatus:
        """Change a key if there is such, it may be changed, and the value makes sense."""
        known = self._names.get(name.casefold())
        if known is None:
            return ConfigurationStatus.not_supported
        key = self._keys[known]
        if key.accepts is None or not key.accepts(value):
            return ConfigurationStatus.rejected
        key.value = value.strip()
        return ConfigurationStatus.accepted

    def write(self, name: str, value: str) -> None:
        """Set a key from inside the station."""
        self._keys[name].value = value
