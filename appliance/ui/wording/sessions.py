"""Words for sessions and money movements: states, why one stopped, why one waits for somebody's look. One table each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.domain.authorization import Policy
from appliance.domain.ledger import BY_OLD_CARD, BY_VOUCHER, Method, Operation, TransferCode
from appliance.ui.frame.language import N_, _


@dataclass(frozen=True, slots=True)
class State:
    """How a session's state is shown: never by colour alone."""

    word: str
    tone: str
    """As in words.py: free, waiting, charging, fault, reserved or off."""
    icon: str


STATES = {
    "requested": State(N_("Starting…"), "reserved", "hourglass"),
    "running": State(N_("Charging"), "charging", "zap"),
    "ended": State(N_("Ended"), "off", "circle-check"),
    "failed": State(N_("Not started"), "off", "circle-slash"),
    "review": State(N_("To be looked at"), "waiting", "eye"),
}

STOP_REASONS = {
    "Local": N_("Stopped at the charger"),
    "Remote": N_("Stopped from here"),
    "EVDisconnected": N_("The cable was pulled at the car"),
    "EmergencyStop": N_("Emergency stop was pressed"),
    "HardReset": N_("The charger was restarted hard"),
    "SoftReset": N_("The charger was restarted"),
    "Reboot": N_("The charger restarted by itself"),
    "PowerLoss": N_("The power failed"),
    "UnlockCommand": N_("The plug was unlocked from here"),
    "DeAuthorized": N_("The card was not allowed"),
    "Other": N_("Another reason the charger does not name"),
    "EnergyLimitReached": N_("A limit of energy was reached"),
    "TimeLimitReached": N_("A limit of time was reached"),
    "SOCLimitReached": N_("The battery was as full as was wanted"),
    "StoppedByEV": N_("The car stopped it"),
    "ReqEnergyTransferRejected": N_("The charger could not give what the car asked for"),
    "LocalOutOfCredit": N_("The money was used up, as the charger reckons"),
    "MasterPass": N_("Stopped at the charger with a card of the staff"),
    "Timeout": N_("The car did not begin in time"),
    "ImmediateReset": N_("The charger was restarted hard"),
    "GroundFault": N_("Ground fault: do not touch"),
    "OvercurrentFault": N_("Too much current"),
    "PowerQuality": N_("The power of the grid was not good enough"),
}
"""What chargers call the end of a transaction (OCPP 1.6, Reason, 7.37; OCPP 2.1, ReasonEnumType), in words for the staff."""

STOPS_WANTED = {
    "credit": N_("The money was used up"),
    "blocked": N_("The card was blocked"),
    "limit": N_("A limit of the card was reached"),
    "operator": N_("The staff stopped it"),
    "refused": N_("The card may not charge here"),
    "unwatched": N_("Nothing was measured for so long that the money could have been used up"),
}

LIMITED_BY = {
    "card:session_energy_wh": N_("What the card may use in one session was reached"),
    "card:session_minor": N_("What one session of the card may cost was reached"),
    "card:day_energy_wh": N_("What the card may use in a day was reached"),
    "card:day_minor": N_("What the card may cost in a day was reached"),
    "card:month_energy_wh": N_("What the card may use in a month was reached"),
    "card:month_minor": N_("What the card may cost in a month was reached"),
    "card:hours": N_("The hours of the card were over"),
    "card:stations": N_("The card may not charge at this charger"),
    "person:day_energy_wh": N_("What the person may use in a day was reached"),
    "person:day_minor": N_("What the person may spend in a day was reached"),
    "person:month_energy_wh": N_("What the person may use in a month was reached"),
    "person:month_minor": N_("What the person may spend in a month was reached"),
    "pool:day_energy_wh": N_("What the pool may use in a day was reached"),
    "pool:day_minor": N_("What the pool may spend in a day was reached"),
    "pool:month_energy_wh": N_("What the pool may use in a month was reached"),
    "pool:month_minor": N_("What the pool may spend in a month was reached"),
}
"""Whose limit refused or stopped a session, and which: as `session.limited_by` has it."""

NOTES = {
    "registers": N_("The meter readings at start and end contradict each other."),
    "too_much": N_("The charger reports more energy than one session can take."),
    "too_fast": N_("The charger reports more energy than any charger can give in that time."),
    "nobody": N_("The charger was told that this card may not charge, and nobody is known who pays for what it took."),
    "no_start": N_(
        "Its start told no register; the energy counts from the register before it, or the first one since."
    ),
    "stop_below": N_("The stop says less than the readings before it."),
    "stop_beyond": N_("The stop says more than can have been given since the last reading."),
    "start_apart": N_("The readings do not go on from the register of the start."),
    "anew": N_("The register fell, and nothing tells whether it began anew."),
    "next_start": N_("Its register goes on beyond the one with which the next session at this connector began."),
    "unit": N_("Its readings may be kilowatt-hours, and not watt-hours."),
    "power": N_("By the power that was measured it took far more than its register says."),
    "second_stop": N_("The charger told of the stop twice, each time with another register."),
    "other_number": N_(
        "Its readings carry the number of another session; they were counted here, for this one ran at their connector."
    ),
    "by_hand": N_("It was ended from here, without the charger; its end is the last reading."),
    "unheard": N_("Nothing was heard of it for a day while the connector was free; its end is the last reading."),
    "clock": N_("The charger's clock was wrong; the time counts from when this server heard of the start."),
    "superseded": N_("The charger began the next session without ending this one; its end is the last reading."),
    "left": N_(
        "The charger said that the connector was free again, and never told of the end; its end is the last reading."
    ),
    "no_transaction": N_("The car did not begin in time; what was held was given back."),
    "cancelled": N_("It was cancelled before the car began; what was held was given back."),
    "offline": N_("The charger was offline; what was held was given back."),
    "not_sent": N_("The charger lost its connection; what was held was given back."),
    "timeout": N_("The charger did not answer; what was held was given back."),
    "refused": N_("The charger refused the start; what was held was given back."),
    "busy": N_("The charger was busy with other commands; what was held was given back."),
    "unsupported": N_("The charger does not know this command; what was held was given back."),
    "rejected": N_("The charger refused the start; what was held was given back."),
    "restored": N_("Numbers begin anew here: a backup was restored."),
}

CONTRADICTIONS = {
    "too_fast": N_(
        "The readings say {this} kWh, the stop says {that} kWh, which is more than this connector can give in that time."
    ),
    "stop_below": N_("The readings say {this} kWh, but the stop after them says {that} kWh."),
    "stop_beyond": N_(
        "The last reading says {this} kWh, but the stop says {that} kWh: more than can have been given in between."
    ),
    "start_apart": N_(
        "Going by the register before and the readings it took {this} kWh, but going by the register at its start {that} kWh."
    ),
    "anew": N_(
        "It had taken {this} kWh when the register fell; if the register began anew from zero, it took {that} kWh."
    ),
    "next_start": N_(
        "The next session at this connector began when this one had taken {this} kWh, but its stop says {that} kWh."
    ),
    "unit": N_(
        "If its readings are kilowatt-hours, at the start or at the stop, it took {this} kWh; as watt-hours they come to {that} kWh."
    ),
    "power": N_("Its register says {this} kWh, but the power that was measured gives at least {that} kWh."),
    "second_stop": N_("The charger told of the stop twice: first it took {this} kWh, then {that} kWh."),
}
"""The same with the two figures that contradict each other."""

ENTRIES: dict[str, str] = {
    TransferCode.TOPUP: N_("Top-up"),
    TransferCode.REFUND: N_("Refund"),
    TransferCode.CORRECTION: N_("Correction"),
    TransferCode.MERGE: N_("From wallet to wallet"),
    TransferCode.POOL: N_("Into a pool"),
    TransferCode.CHARGE: N_("Charge"),
    TransferCode.TAX: N_("Tax of it"),
    TransferCode.OVERRUN: N_("Not covered by the wallet"),
    TransferCode.DEPOSIT: N_("Deposit"),
    TransferCode.VOUCHER_SALE: N_("Voucher sold"),
    TransferCode.VOUCHER_REFUND: N_("Voucher paid back"),
    TransferCode.VOUCHER_WRITE_OFF: N_("Voucher written off"),
}
"""Codes of the ledger."""

MOVEMENTS: dict[str, str] = {
    Operation.HOLD: N_("Held beforehand, slice by slice"),
    Operation.CAPTURE: N_("Taken out of what was held"),
    Operation.VOID: N_("Given back of what was held"),
    TransferCode.CHARGE: N_("Taken out of the wallet beyond what was held"),
    TransferCode.OVERRUN: N_("Not covered by the wallet: the loss of the site"),
    TransferCode.CORRECTION: N_("Given back when the bill was set right"),
    TransferCode.TAX: N_("Of this, set aside as tax"),
}
"""What happened to a session's money, in the order in which it happens."""
SINGLE_MOVEMENTS: dict[str, str] = {
    Operation.HOLD: N_("Held"),
    Operation.CAPTURE: N_("Taken"),
    Operation.VOID: N_("Given back"),
    TransferCode.CHARGE: N_("Taken from the wallet"),
    TransferCode.OVERRUN: N_("Not covered"),
    TransferCode.CORRECTION: N_("Set right"),
    TransferCode.TAX: N_("Tax"),
}
"""The same for one row of the ledger."""

AUTHORIZATIONS = {
    "Accepted": N_("it may charge"),
    "Invalid": N_("nobody knows this card"),
    "Blocked": N_("the card is blocked, or its holder's account is closed"),
    "Expired": N_("the card has expired"),
    "ConcurrentTx": N_("the card was charging elsewhere already"),
    "NoCredit": N_("not enough money in the wallet"),
    "NotAtThisLocation": N_("the card may not charge at this charger"),
    "NotAtThisTime": N_("the card may not charge at this time"),
    "LimitReached": N_("a limit of the card was reached"),
}
"""What the station was told when it asked."""

METHODS: dict[str, str] = {
    Method.CASH: N_("Cash"),
    Method.CARD: N_("Bank card"),
    Method.MOBILE: N_("Mobile money"),
    Method.BANK: N_("Bank transfer"),
}
IN_METHODS: dict[str, str] = {
    Method.CASH: N_("in cash"),
    Method.CARD: N_("by bank card"),
    Method.MOBILE: N_("by mobile money"),
    Method.BANK: N_("by bank transfer"),
    BY_VOUCHER: N_("by voucher"),
    BY_OLD_CARD: N_("from an old card"),
}
"""The same within a sentence."""

POLICIES: dict[str, tuple[str, str]] = {
    Policy.PREPAID: (N_("Prepaid"), N_("Top up, swipe, deducted: charging stops before the money runs out.")),
    Policy.POSTPAID: (N_("On account"), N_("Swipe and charge: what was used is owed, up to the limit.")),
    Policy.FREE: (N_("Free of charge"), N_("Swipe and charge: it is measured, and costs nothing.")),
}

LINES = {
    "energy": N_("Energy"),
    "time": N_("Time"),
    "idle": N_("Place taken after charging"),
    "flat": N_("Per session"),
    "charging": N_("Time while charging"),
    "reservation": N_("Place kept"),
    "minimum": N_("Up to the minimum"),
    "maximum": N_("Beyond the maximum"),
}


def state_of(state: str) -> State:
    """How a state is shown."""
    return STATES.get(state) or State(state, "off", "circle-question-mark")


def stop_sentence(stop_reason: str, stop_wanted: str, estimated: bool, limited_by: str = "") -> str:
    """Why a session ended; "" for one that has not. `limited_by` says which limit it was, where that is known."""
    by_server = stop_reason in ("Remote", "DeAuthorized", "")
    if by_server and limited_by in LIMITED_BY and stop_wanted != "unwatched":
        return _(LIMITED_BY[limited_by])
    if by_server and stop_wanted in STOPS_WANTED:
        return _(STOPS_WANTED[stop_wanted])
    if stop_reason:
        return _(STOP_REASONS[stop_reason]) if stop_reason in STOP_REASONS else stop_reason
    return _("The charger never said that it ended") if estimated else ""


def note_sentence(note: str) -> str:
    """Why it failed or waits for a look; a note that is no key of ours stays as it is."""
    return _(NOTES[note]) if note in NOTES else note


def authorization_words(status: str) -> str:
    """What a station was told of a card; a word that is no key of ours stays as it is."""
    return _(AUTHORIZATIONS[status]) if status in AUTHORIZATIONS else status


def contradiction_sentence(note: str, energies: Sequence[str]) -> str:
    """What contradicts what, with the energies (kWh) that it may be billed for; else as much as the note alone says."""
    this, that = (energies[0], energies[-1]) if energies else ("", "")
    if note not in CONTRADICTIONS or this == that:
        return note_sentence(note)
    return _(CONTRADICTIONS[note]).format(this=this, that=that)


def method_word(method: str) -> str:
    """How money came in; a note of the cashier's own stays as it is."""
    if method == BY_VOUCHER:
        return _("Voucher")
    if method == BY_OLD_CARD:
        return _("Old card")
    if method.startswith(f"{BY_VOUCHER} "):
        return _("Voucher {number}").format(number=method.removeprefix(f"{BY_VOUCHER} "))
    return _(METHODS[method]) if method in METHODS else method
