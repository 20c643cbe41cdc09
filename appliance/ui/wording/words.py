"""Words that many pages use: roles, the status of a connector, why a station refused. One table each.

A status is never told by colour alone: each has a word, an icon, a tone (the colour's name in app.css) and a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.domain.roles import Role
from appliance.domain.station import ChargingState, ConnectorStatus
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.roles import GUARD_AT_TILL

ROLES = {
    Role.OWNER: (N_("owner"), N_("may do everything")),
    Role.MANAGER: (N_("manager"), N_("everything but the staff")),
    Role.CASHIER: (N_("cashier"), N_("people, cards, top-ups, start and stop")),
    Role.GUARD: (N_("guard"), N_("board, start, stop, unlock, problems")),
    Role.INSTALLER: (N_("installer"), N_("chargers, their settings and messages")),
    Role.VIEWER: (N_("viewer"), N_("looks at board, sessions and reports")),
}


@dataclass(frozen=True, slots=True)
class Status:
    """How a state is shown."""

    word: str
    tone: str
    """free, waiting, charging, fault, reserved or off."""
    icon: str
    sentence: str


FREE = Status(N_("Free"), "free", "plug", N_("Ready for a car"))
PLUGGED_IN = Status(N_("Plugged in"), "waiting", "plug-zap", N_("Waiting for card or payment"))
CHARGING = Status(N_("Charging"), "charging", "zap", N_("Energy flows"))
CAR_PAUSED = Status(N_("Car paused"), "charging", "battery-charging", N_("The car is full or paused by itself"))
WE_PAUSED = Status(N_("We paused"), "waiting", "gauge", N_("The charger holds back: load limit or no permission"))
PLEASE_UNPLUG = Status(N_("Please unplug"), "waiting", "unplug", N_("Finished, the cable is still in"))
OUT_OF_SERVICE = Status(N_("Out of service"), "off", "power", N_("Closed for drivers"))
NO_CAR = Status(N_("No car"), "waiting", "unplug", N_("The cable was pulled at the car"))
TAKEN_BESIDE = Status(N_("In use"), "off", "plug-zap", N_("A car hangs at the other plug of this place"))

STATUSES: dict[str, Status] = {
    ConnectorStatus.AVAILABLE: FREE,
    ConnectorStatus.OCCUPIED: PLUGGED_IN,
    ConnectorStatus.RESERVED: Status(N_("Reserved"), "reserved", "clock", N_("Kept for somebody")),
    ConnectorStatus.UNAVAILABLE: OUT_OF_SERVICE,
    ConnectorStatus.FAULTED: Status(N_("Fault"), "fault", "triangle-alert", N_("The charger reports a fault")),
}
CHARGING_STATES = {
    ChargingState.CHARGING: CHARGING,
    ChargingState.EV_CONNECTED: PLUGGED_IN,
    ChargingState.SUSPENDED_EV: CAR_PAUSED,
    ChargingState.SUSPENDED_EVSE: WE_PAUSED,
    ChargingState.IDLE: NO_CAR,
}
FINER = {
    "Preparing": PLUGGED_IN,
    "Charging": CHARGING,
    "SuspendedEV": CAR_PAUSED,
    "SuspendedEVSE": WE_PAUSED,
    "Finishing": PLEASE_UNPLUG,
}
"""The words of OCPP 1.6 for what 2.x calls Occupied."""
OFFLINE = Status(N_("Offline"), "off", "wifi-off", N_("No connection to the charger"))
STARTING = Status(N_("Starting…"), "reserved", "hourglass", N_("Waiting for the car to begin"))
STOPPING = Status(N_("Stopping…"), "charging", "hourglass", N_("Waiting for the charger to stop"))
UNKNOWN = Status(N_("No word yet"), "off", "circle-question-mark", N_("The charger has not told its state"))

ERROR_CODES = {
    "NoError": "",
    "ConnectorLockFailure": N_("The plug could not be locked"),
    "EVCommunicationError": N_("Car and charger do not understand each other"),
    "GroundFailure": N_("Ground fault: do not touch"),
    "HighTemperature": N_("Too hot inside"),
    "InternalError": N_("Something failed inside the charger"),
    "LocalListConflict": N_("Its list of cards is out of date"),
    "OtherError": N_("An error the charger does not name"),
    "OverCurrentFailure": N_("Too much current"),
    "OverVoltage": N_("Voltage too high"),
    "PowerMeterFailure": N_("The meter cannot be read"),
    "PowerSwitchFailure": N_("The contactor is stuck: do not touch"),
    "ReaderFailure": N_("The card reader is broken"),
    "ResetFailure": N_("It could not restart"),
    "UnderVoltage": N_("Voltage too low"),
    "WeakSignal": N_("Its radio signal is weak"),
}
"""What chargers call a fault, in words for the staff. OCPP 2.x has no such list: there it is the vendor's own text."""


def role_name(role: str) -> str:
    """The word for a role."""
    role = Role.GUARD if role == GUARD_AT_TILL else role
    return _(ROLES[Role(role)][0]) if role in ROLES else role


def status_of(
    status: str, charging_state: str = "", finer: str = "", *, runs: bool = False, parked: bool = False
) -> Status:
    """How a connector's status is shown; one that no specification has is shown as the charger wrote it.

    A charging state counts while a session `runs`, or if its car is `parked`; finer words tell it by themselves.
    """
    if status == ConnectorStatus.OCCUPIED and not finer:
        if runs and charging_state:
            return CHARGING_STATES[ChargingState(charging_state)]
        return PLEASE_UNPLUG if parked and not runs else PLUGGED_IN
    word = finer or status
    found = FINER.get(word) or STATUSES.get(word)
    return found if found is not None else Status(word, "off", "circle-question-mark", "") if word else UNKNOWN


def error_sentence(code: str) -> str:
    """The fault in words; a code of the vendor's own stays as it is; "" for none."""
    sentence = ERROR_CODES.get(code, code)
    return _(sentence) if sentence and code in ERROR_CODES else sentence


def with_impersonal(names: Mapping[str, str]) -> dict[str, str]:
    """The names of people and programs by what they are on record as, and the words for who has none."""
    return {**names, "console": _("the console"), "clock": _("by itself"), "stranger": _("a stranger")}
