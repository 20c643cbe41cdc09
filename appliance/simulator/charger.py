"""What the controller of a charging station decides, whatever OCPP version it speaks.

A transaction runs where a car and an authorised card meet; it ends by the same card, by unplugging, or from afar. How that is told
to the central system is the business of a `Speaker`; what energy flows, of `station`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Protocol

from appliance.simulator.station import Battery, Evse, Reading, Station


class EvseState(Enum):
    """What an EVSE is doing, as whoever stands before it would say."""

    FREE = auto()
    WAITS = auto()
    """A car without a card, or a card without a car."""
    CHARGES = auto()
    CAR_PAUSES = auto()
    HOLDS_BACK = auto()
    """The charger gives the car nothing."""
    DONE = auto()
    RESERVED = auto()
    CLOSED = auto()
    FAULTED = auto()


class StopReason(Enum):
    """Why a transaction ended."""

    LOCAL = auto()
    REMOTE = auto()
    UNPLUGGED = auto()
    DEAUTHORIZED = auto()
    SOFT_RESET = auto()
    HARD_RESET = auto()
    UNLOCKED = auto()
    OTHER = auto()


class Reserved(StrEnum):
    """What became of the wish to reserve an EVSE."""

    ACCEPTED = "Accepted"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"


@dataclass(frozen=True, slots=True)
class Authorization:
    """The central system's word on a card, or the station's own when it is offline."""

    accepted: bool
    status: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """An EVSE kept for a card until a time."""

    id: int
    token: str
    group: str | None
    expires_at_ms: int


@dataclass(slots=True)
class Transaction:
    """The station's record of one charge. `id` is what the central system calls it, once that is known."""

    evse: int
    token: str
    group: str | None
    begin: Reading
    reservation_id: int | None = None
    id: int | None = None
    end: Reading | None = None
    end_token: str | None = None
    reason: StopReason | None = None
    refused: bool = False
    sampled_at_ms: int = 0


@dataclass(slots=True)
class Settings:
    """What the central system may set, in whatever words."""

    sample_interval_s: int = 10
    connection_timeout_s: int = 60
    stop_on_invalid_token: bool = True
    stop_on_unplug: bool = True


@dataclass(slots=True)
class Place:
    """An EVSE and the driver's business at it."""

    evse: Evse
    token: str | None = None
    group: str | None = None
    authorized_at_ms: int = 0
    transaction: Transaction | None = None
    finishing: bool = False
    inoperative_after: bool = False
    """Wanted out of service once the transaction has ended."""
    reservation: Reservation | None = None


class Speaker(Protocol):
    """Tells the central system. What is told without waiting is kept until the line is there."""

    async def authorize(self, token: str) -> Authorization:
        """Ask whether a card may charge."""

    def status_changed(self, evse: int) -> None:
        """The status of an EVSE may have changed."""

    def transaction_started(self, transaction: Transaction) -> None:
        """`transaction` has begun."""

    def sampled(self, transaction: Transaction, reading: Reading) -> None:
        """A reading while `transaction` runs."""

    def transaction_ended(self, transaction: Transaction) -> None:
        """`transaction` has ended."""


@dataclass(slots=True)
class Charger:
    """See the module."""

    station: Station
    settings: Settings = field(default_factory=Settings)
    places: list[Place] = field(init=False)
    speaker: Speaker = field(init=False)

    def __post_init__(self) -> None:
        self.places = [Place(evse) for evse in self.station.evses]

    # What a driver does.

    def plug_in(self, number: int, battery: Battery | None = None) -> None:
        """A car is connected; nothing happens where one is."""
        place = self.place(number)
        if place is None or place.evse.battery is not None:
            return
        place.evse.battery = battery or Battery.charged(30)
        place.finishing = False
        self._begin_if_ready(place)
        self.speaker.status_changed(number)

    def unplug(self, number: int) -> None:
        """The car goes, and with it the transaction."""
        place = self.place(number)
        if place is None or place.evse.battery is None:
            return
        if place.transaction is not None:
            self.end(place.transaction, StopReason.UNPLUGGED)
        place.evse.battery = None
        place.finishing = False
        place.token = None
        self.speaker.status_changed(number)

    async def present_card(self, token: str, number: int | None = None) -> Authorization:
        """A card at the reader: ends what it began, or else asks and begins. Without a number the station picks the EVSE."""
        for place in self.places:
            running = place.transaction
            if running and number in {None, place.evse.number} and running.token.casefold() == token.casefold():
                self.end(running, StopReason.LOCAL, token)
                return Authorization(accepted=True, status="Accepted", group=running.group)
        authorization = await self.speaker.authorize(token)
        if not authorization.accepted:
            return authorization
        chosen = self.place(number) if number is not None else self._free_place(token)
        if chosen is None:
            return Authorization(accepted=False, status="Occupied")
        running = chosen.transaction
        if running is not None:
            if authorization.group is None or authorization.group != running.group:
                return Authorization(accepted=False, status="Occupied")
            self.end(running, StopReason.LOCAL, token)
        elif not self._grant(chosen, token, authorization.group):
            return Authorization(accepted=False, status="Reserved" if chosen.reservation else "Unavailable")
        return authorization

    def break_down(self, number: int, fault: str = "OtherError") -> None:
        """Something fails: no energy flows, and what ran has ended."""
        if (place := self.place(number)) is not None:
            place.evse.fault = fault
            if place.transaction is not None:
                self.end(place.transaction, StopReason.OTHER)
            self.speaker.status_changed(number)

    def repair(self, number: int) -> None:
        """All is well again."""
        if (place := self.place(number)) is not None:
            place.evse.fault = None
            self.speaker.status_changed(number)

    # What the central system wants.

    def remote_start(self, token: str, number: int | None) -> Place | None:
        """The EVSE where a remote start is possible, or None. `authorized` follows, at once or after asking."""
        place = self.place(number) if number is not None else self._free_place(token)
        return place if place is not None and self._is_free(place, token, None) else None

    def authorized(self, place: Place, token: str, group: str | None = None) -> bool:
        """A card may charge at `place`; the transaction begins as soon as a car is there."""
        return self._grant(place, token, group)

    def refused(self, transaction: Transaction) -> None:
        """The central system does not want a transaction that already runs."""
        transaction.refused = True
        if transaction.end is not None:
            return
        if self.settings.stop_on_invalid_token:
            self.end(transaction, StopReason.DEAUTHORIZED)
        else:
            self._of(transaction).evse.closed = False
            self.speaker.status_changed(transaction.evse)

    def reserve(self, number: int, reservation: Reservation) -> Reserved:
        """Keep an EVSE for a card; a reservation with the same id is replaced."""
        place = self.place(number)
        if place is None:
            return Reserved.REJECTED
        if place.evse.fault is not None:
            return Reserved.FAULTED
        if not place.evse.operative:
            return Reserved.UNAVAILABLE
        other = place.reservation is not None and place.reservation.id != reservation.id
        if other or place.transaction is not None or place.evse.battery is not None:
            return Reserved.OCCUPIED
        for each in self.places:
            if each.reservation is not None and each.reservation.id == reservation.id:
                self._release(each)
        place.reservation = reservation
        self.speaker.status_changed(number)
        return Reserved.ACCEPTED

    def cancel_reservation(self, reservation_id: int) -> bool:
        """Whether there was such a reservation."""
        for place in self.places:
            if place.reservation is not None and place.reservation.id == reservation_id:
                self._release(place)
                return True
        return False

    def set_operative(self, number: int, *, operative: bool) -> bool:
        """Take into or out of service (0: all); False when that waits for a transaction to end."""
        at_once = True
        for place in self.places:
            if number not in {0, place.evse.number}:
                continue
            place.inoperative_after = not operative and place.transaction is not None
            if place.inoperative_after:
                at_once = False
            else:
                place.evse.operative = operative
            self.speaker.status_changed(place.evse.number)
        return at_once

    def end(self, transaction: Transaction, reason: StopReason, token: str | None = None) -> None:
        """End a transaction that runs; nothing happens to one that has ended."""
        if transaction.end is not None:
            return
        now_ms = self.station.advance()
        place = self._of(transaction)
        place.evse.closed = False
        place.evse.power_w = 0
        transaction.end = place.evse.reading(now_ms)
        transaction.end_token, transaction.reason = token, reason
        place.transaction, place.token = None, None
        place.finishing = place.evse.battery is not None
        if place.inoperative_after:
            place.evse.operative, place.inoperative_after = False, False
        self.speaker.transaction_ended(transaction)
        self.speaker.status_changed(place.evse.number)

    def end_all(self, reason: StopReason) -> None:
        """End whatever runs."""
        for place in self.places:
            if place.transaction is not None:
                self.end(place.transaction, reason)

    # Time and state.

    def tick(self) -> None:
        """Bring all to the present: energy, samples that are due, authorizations and reservations that have lapsed."""
        now_ms = self.station.advance()
        for place in self.places:
            transaction = place.transaction
            interval_ms = self.settings.sample_interval_s * 1000
            if transaction is not None and interval_ms and now_ms - transaction.sampled_at_ms >= interval_ms:
                transaction.sampled_at_ms = now_ms
                self.speaker.sampled(transaction, place.evse.reading(now_ms))
            lapse_ms = place.authorized_at_ms + self.settings.connection_timeout_s * 1000
            if transaction is None and place.token is not None and now_ms >= lapse_ms:
                place.token = None
            if place.reservation is not None and now_ms >= place.reservation.expires_at_ms:
                place.reservation = None
            self.speaker.status_changed(place.evse.number)

    def place(self, number: int) -> Place | None:
        """By the number of its EVSE; None when there is no such."""
        return self.places[number - 1] if 1 <= number <= len(self.places) else None

    def transaction(self, transaction_id: int) -> Transaction | None:
        """The running transaction that the central system calls so."""
        running = (place.transaction for place in self.places)
        return next((each for each in running if each is not None and each.id == transaction_id), None)

    def state(self, number: int) -> EvseState:
        """What the EVSE is doing."""
        place = self.places[number - 1]
        evse = place.evse
        if evse.fault is not None:
            return EvseState.FAULTED
        if place.transaction is not None:
            if evse.available_w == 0:
                return EvseState.HOLDS_BACK
            return EvseState.CHARGES if evse.wanted_w else EvseState.CAR_PAUSES
        if not evse.operative:
            return EvseState.CLOSED
        if place.finishing:
            return EvseState.DONE
        if evse.battery is not None or place.token is not None:
            return EvseState.WAITS
        return EvseState.RESERVED if place.reservation else EvseState.FREE

    # Helpers.

    def _of(self, transaction: Transaction) -> Place:
        return self.places[transaction.evse - 1]

    def _free_place(self, token: str) -> Place | None:
        """Where a card presented to the whole station would charge: where a car waits, otherwise anywhere free."""
        free = [place for place in self.places if self._is_free(place, token, None)]
        waiting = [place for place in free if place.evse.battery is not None]
        return next(iter(waiting or free), None)

    def _is_free(self, place: Place, token: str, group: str | None) -> bool:
        reservation = place.reservation
        mine = (
            reservation is None
            or reservation.token.casefold() == token.casefold()
            or (group is not None and reservation.group == group)
        )
        return place.transaction is None and place.evse.fault is None and place.evse.operative and mine

    def _grant(self, place: Place, token: str, group: str | None) -> bool:
        if not self._is_free(place, token, group):
            return False
        place.token, place.group = token, group
        place.authorized_at_ms = self.station.clock()
        self._begin_if_ready(place)
        self.speaker.status_changed(place.evse.number)
        return True

    def _begin_if_ready(self, place: Place) -> None:
        evse = place.evse
        ready = evse.battery is not None and place.token is not None and place.transaction is None
        if not ready or not self._is_free(place, place.token or "", place.group):
            return
        now_ms = self.station.advance()
        reserved = place.reservation.id if place.reservation else None
        transaction = Transaction(
            evse.number, place.token or "", place.group, evse.reading(now_ms), reserved, sampled_at_ms=now_ms
        )
        place.transaction, place.reservation, place.finishing = transaction, None, False
        evse.closed = True
        self.speaker.transaction_started(transaction)

    def _release(self, place: Place) -> None:
        place.reservation = None
        self.speaker.status_changed(place.evse.number)
