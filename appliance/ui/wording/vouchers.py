"""Words for vouchers: what has become of one."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.vouchers import Voucher
from appliance.domain.voucher import VoucherState
from appliance.ui.frame.language import N_, _


@dataclass(frozen=True, slots=True)
class State:
    """How a state is shown: never by colour alone."""

    word: str
    tone: str
    icon: str


STATES: dict[VoucherState, State] = {
    VoucherState.MADE: State(N_("not sold"), "off", "circle-dashed"),
    VoucherState.SOLD: State(N_("sold"), "free", "circle-check"),
    VoucherState.REDEEMED: State(N_("redeemed"), "charging", "circle-check-big"),
    VoucherState.EXPIRED: State(N_("expired"), "waiting", "hourglass"),
    VoucherState.VOIDED: State(N_("void"), "fault", "ban"),
    VoucherState.WRITTEN_OFF: State(N_("written off"), "off", "archive"),
    VoucherState.HELD: State(N_("held"), "waiting", "hand"),
}
GIVEN_AWAY = State(N_("given away"), "free", "gift")

SENTENCES: dict[VoucherState, str] = {
    VoucherState.MADE: N_("Nobody has bought it yet, so it is worth nothing."),
    VoucherState.SOLD: N_("It was paid for, and can be redeemed."),
    VoucherState.REDEEMED: N_("It was redeemed, and is worth nothing any more."),
    VoucherState.EXPIRED: N_("Its time is over. What was paid for it is owed until it is paid back or written off."),
    VoucherState.VOIDED: N_("It is void. What was paid for it was paid back."),
    VoucherState.WRITTEN_OFF: N_("It has expired, and what was paid for it is the site's."),
    VoucherState.HELD: N_(
        "It is held: the books were restored from a backup, and it may have been sold, used or voided since. Look at the receipts of that time before you let it go on."
    ),
}
OF_A_GIFT = N_("It can be redeemed without having been sold, at the site's cost.")
OF_AN_UNSOLD: dict[VoucherState, str] = {
    VoucherState.EXPIRED: N_("Its time is over, and nobody had bought it."),
    VoucherState.VOIDED: N_("It is void. Nobody had bought it."),
}


def state_of(voucher: Voucher) -> State:
    """How one is shown in lists."""
    return GIVEN_AWAY if voucher.state is VoucherState.MADE and voucher.given_away else STATES[voucher.state]


def sentence_of(voucher: Voucher) -> str:
    """What has become of one."""
    if voucher.state is VoucherState.MADE and voucher.given_away:
        return _(OF_A_GIFT)
    if voucher.sold_at_ms is None and voucher.state in OF_AN_UNSOLD:
        return _(OF_AN_UNSOLD[voucher.state])
    return _(SENTENCES[voucher.state])
