"""What a phone is told about a charger: its state with what to do about it, and what charging costs, tax included."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.pricing.flat import terms_of
from appliance.domain.tariff import Tariff
from appliance.services.stations.qr_codes import QrPlace
from appliance.ui.frame.language import N_, _
from appliance.ui.wording import price_lines
from appliance.ui.wording.price_lines import Said
from appliance.ui.wording.words import (
    CHARGING,
    FREE,
    OFFLINE,
    PLEASE_UNPLUG,
    PLUGGED_IN,
    UNKNOWN,
    WE_PAUSED,
    Status,
    status_of,
)
from appliance.ui.writing.formats import Formats

ELSEWHERE = N_("Please take another charger, or ask the staff.")
TAKEN = N_("Somebody is charging here.")
WHAT_TO_DO: dict[Status, str] = {
    FREE: N_("Plug in, then hold your card to the charger. Without a card, ask at the desk."),
    PLUGGED_IN: N_("Hold your card to the charger. Without a card, ask at the desk."),
    PLEASE_UNPLUG: N_(
        "Charging has ended here, and the cable is still in the car. Once it is out, the charger is free."
    ),
}
"""What helps here; where nothing stands, somebody charges or nothing can be had."""
IN_USE = frozenset({"waiting", "charging"})
"""Tones of states in which a car is being served."""
PAUSED = Status(N_("Paused"), WE_PAUSED.tone, WE_PAUSED.icon, WE_PAUSED.sentence)
"""Who holds back is for the staff to know."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The state of a place in a word, and what a driver can do."""

    status: Status
    sentence: str


def answer_of(place: QrPlace, *, offline: bool) -> Answer:
    """One answer out of one state: no page tells to do what its state forbids."""
    if offline:
        return Answer(Status(N_("Not connected at the moment"), OFFLINE.tone, OFFLINE.icon, ""), ELSEWHERE)
    # A word of the vendor's own says nothing to a driver.
    status = (
        status_of(
            place.status,
            place.charging_state,
            place.finer_status,
            runs=place.taken,
            parked=place.parked and not place.taken,
        )
        if place.status
        else UNKNOWN
    )
    if status is WE_PAUSED:
        status = PAUSED
    if place.taken and status in (FREE, PLUGGED_IN):
        return Answer(CHARGING, TAKEN)
    if status in WHAT_TO_DO:
        return Answer(status, WHAT_TO_DO[status])
    return Answer(status, TAKEN if place.taken or status.tone in IN_USE else ELSEWHERE)


def prices(tariff: Tariff, fmt: Formats, now_ms: int, holidays: frozenset[str]) -> list[Said]:
    """What a driver pays, tax included; nothing where nothing costs."""
    return price_lines.in_public(terms_of(tariff), fmt, now_ms, holidays)


def tax_words(tariff: Tariff, fmt: Formats) -> str:
    """Which tax is in the prices; "" for none."""
    if tariff.terms is not None:
        return price_lines.under_prices(tariff.terms, fmt)
    points = tariff.tax_basis_points
    percent = fmt.number(points, 2) if points % 100 else fmt.number(points // 100)
    return _("{percent} % tax included").format(percent=percent) if points else ""
