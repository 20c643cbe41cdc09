"""Words that many pages use: roles, the status of a connector, why a station refused. One table each.

A status is never told by colour alone: each has a word, an icon, a tone (the colour's name in app.css) and a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.roles import Role
from appliance.ui.frame.language import N_, _

ROLES = {
    Role.OWNER: (N_("owner"), N_("may do everything")),
    Role.MANAGER: (N_("manager"), N_("everything but operators")),
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


STATUSES = {
    "Available": Status(N_("Free"), "free", "plug", N_("Ready for a car")),
    "Preparing": Status(N_("Plugged in"), "waiting", "plug-zap", N_("Waiting for card or payment")),
    "Charging": Status(N_("Charging"), "charging", "zap", N_("Energy flows")),
    "SuspendedEV": Status(N_("Car paused"), "charging", "battery-charging", N_("The car is full or paused by itself")),
    "SuspendedEVSE": Status(
        N_("We paused"), "waiting", "gauge", N_("The charger holds back: load limit or no permission")
    ),
    "Finishing": Status(N_("Please unplug"), "waiting", "unplug", N_("Finished, the cable is still in")),
    "Reserved": Status(N_("Reserved"), "reserved", "clock", N_("Kept for somebody")),
    "Unavailable": Status(N_("Out of service"), "off", "power", N_("Closed for drivers")),
    "Faulted": Status(N_("Fault"), "fault", "triangle-alert", N_("The charger reports a fault")),
}
OFFLINE = Status(N_("Offline"), "off", "wifi-off", N_("No connection to the charger"))
STARTING = Status(N_("Starting…"), "reserved", "hourglass", N_("Waiting for the car to begin"))
STOPPING = Status(N_("Stopping…"), "charging", "hourglass", N_("Waiting for the charger to stop"))
UNKNOWN = Status(N_("No word yet"), "off", "circle-question-mark", N_("The charger has not told its state"))

PAUSED = frozenset({"SuspendedEV", "SuspendedEVSE"})
"""Shown striped."""

ERROR_CODES = {
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
"""What OCPP 1.6 calls a fault, in words for the staff."""


def role_name(role: str) -> str:
    """The word for a role."""
    return _(ROLES[Role(role)][0]) if role in ROLES else role


def status_of(status: str) -> Status:
    """How a connector's status is shown; one that no specification has is shown as the charger wrote it."""
    found = STATUSES.get(status)
    return found if found is not None else Status(status, "off", "circle-question-mark", "") if status else UNKNOWN


def error_sentence(code: str) -> str:
    """The fault in words; a code of the vendor's own stays as it is; "" for none."""
    if code in ("", "NoError"):
        return ""
    return _(ERROR_CODES[code]) if code in ERROR_CODES else code
