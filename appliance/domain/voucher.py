"""Vouchers: codes on paper that are worth an amount, once.

One that is for sale is worth nothing until it is sold: a sheet that was stolen buys nothing. What was paid for it is owed to
whoever has the paper (the account VOUCHERS) until it is redeemed, paid back or written off. One that is given away is worth its
amount from the start, at the site's cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from appliance.domain.digits import WESTERN
from appliance.domain.identifiers import VoucherId
from appliance.domain.paper_code import DASHES
from appliance.domain.transitions import follow

CODE_CHARS = 12
"""One of them checks the others: 29 ** 11 codes, 53 bits. With the wrong guesses of one operator held up to a minute apart, a
million unused vouchers would be found out once in 23,000 years."""
COUNT_MAX = 1_000
"""Of one batch: a hundred sheets of paper."""
NUMBER_CHARS_MAX = 18


class VoucherState(StrEnum):
    """What has become of one."""

    MADE = "made"
    """Printed. For sale: not sold yet; given away: worth its amount."""
    SOLD = "sold"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    """Its time is over before it was used. What was paid for it is owed all the same."""
    VOIDED = "voided"
    """It is worth nothing any more; what was paid for it was paid back."""
    WRITTEN_OFF = "written_off"
    """It expired, and an owner has taken what was paid for it as the site's."""
    HELD = "held"
    """The books are a backup's, and those that they replaced knew of something else: somebody must look first."""


class VoucherEvent(StrEnum):
    """What happens to one."""

    MADE = "made"
    SOLD = "sold"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    VOIDED = "voided"
    WRITTEN_OFF = "written_off"
    HELD = "held"
    RELEASED = "released"
    """Somebody has looked: one that was not sold goes on as made."""
    RELEASED_SOLD = "released_sold"


TRANSITIONS: Mapping[tuple[VoucherState | None, VoucherEvent], VoucherState] = MappingProxyType(
    {
        (None, VoucherEvent.MADE): VoucherState.MADE,
        (VoucherState.MADE, VoucherEvent.SOLD): VoucherState.SOLD,
        (VoucherState.MADE, VoucherEvent.REDEEMED): VoucherState.REDEEMED,
        (VoucherState.SOLD, VoucherEvent.REDEEMED): VoucherState.REDEEMED,
        (VoucherState.MADE, VoucherEvent.EXPIRED): VoucherState.EXPIRED,
        (VoucherState.SOLD, VoucherEvent.EXPIRED): VoucherState.EXPIRED,
        (VoucherState.MADE, VoucherEvent.VOIDED): VoucherState.VOIDED,
        (VoucherState.SOLD, VoucherEvent.VOIDED): VoucherState.VOIDED,
        (VoucherState.EXPIRED, VoucherEvent.VOIDED): VoucherState.VOIDED,
        (VoucherState.HELD, VoucherEvent.VOIDED): VoucherState.VOIDED,
        (VoucherState.EXPIRED, VoucherEvent.WRITTEN_OFF): VoucherState.WRITTEN_OFF,
        (VoucherState.MADE, VoucherEvent.HELD): VoucherState.HELD,
        (VoucherState.SOLD, VoucherEvent.HELD): VoucherState.HELD,
        (VoucherState.EXPIRED, VoucherEvent.HELD): VoucherState.HELD,
        (VoucherState.HELD, VoucherEvent.HELD): VoucherState.HELD,
        (VoucherState.HELD, VoucherEvent.RELEASED): VoucherState.MADE,
        (VoucherState.HELD, VoucherEvent.RELEASED_SOLD): VoucherState.SOLD,
    }
)
OVER = frozenset({VoucherState.REDEEMED, VoucherState.VOIDED, VoucherState.WRITTEN_OFF})
"""Nothing happens to one of these any more."""


def after(state: VoucherState | None, event: VoucherEvent) -> VoucherState:
    """The state that an event leads to; see TRANSITIONS."""
    return follow(TRANSITIONS, state, event)


def transfer_key(voucher: VoucherId, state: VoucherState) -> str:
    """The name of the transfer with which a voucher came into a state: it can do so once."""
    return f"voucher|{voucher}|{state}"


def printed_number(batch: int, number: int) -> str:
    """What a voucher is called, on its paper too. It is no secret, and buys nothing."""
    return f"{batch}-{number}"


def read_number(text: str) -> tuple[int, int] | None:
    """Batch and number in it; None if the text is no such number."""
    plain = text.strip().lstrip("#").strip()[:NUMBER_CHARS_MAX].translate(WESTERN)
    for dash in DASHES:
        plain = plain.replace(dash, "-")
    batch, dash, number = plain.partition("-")
    fits = dash and batch.isdecimal() and number.isdecimal() and len(batch) + len(number) < CODE_CHARS
    return (int(batch), int(number)) if fits else None


def as_ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers in rising order, as pairs of first and last."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges
