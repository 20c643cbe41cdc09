"""What does not agree in the money, in sentences: whose it is, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from appliance.domain.reconciling import DifferenceKind
from appliance.ui.frame.language import N_, _, ngettext
from appliance.ui.writing.formats import Formats

SENTENCES = {
    DifferenceKind.CHAIN: N_("Row {row} of the ledger is not as it was written."),
    DifferenceKind.BALANCE: N_("{whose} has {told} by the account, and {moved} by its transfers: {by}."),
    DifferenceKind.RESERVED: N_(
        "Of {whose} {told} is held by the account, and {moved} by the holds that are open: {by}."
    ),
    DifferenceKind.HOLDS: N_("Session {number} holds {told}, and {moved} is held in its name: {by}."),
    DifferenceKind.BILL: N_("Session {number} costs {told}, and {moved} was taken for it: {by}."),
    DifferenceKind.RECEIPTS: N_("{whose} paid in {told} by the receipts, and {moved} by the ledger: {by}."),
    DifferenceKind.DRAWER: N_(
        "In the drawer of shift {number} must be {told}, and {moved} by what went in and out: {by}."
    ),
    DifferenceKind.EMPTY_DRAWER: N_("{whose} holds {told}, and nobody has a shift there."),
    DifferenceKind.VOUCHERS: N_("For vouchers {told} is owed by the vouchers, and {moved} by the ledger: {by}."),
    DifferenceKind.OLD_CARDS: N_("From old cards {told} was taken over by the cards, and {moved} by the ledger: {by}."),
    DifferenceKind.VOUCHER_RECEIPTS: N_(
        "For vouchers {told} was paid by the receipts, and {moved} by the ledger: {by}."
    ),
}
OPENS = {
    DifferenceKind.HOLDS: "/sessions/{0}",
    DifferenceKind.BILL: "/sessions/{0}",
    DifferenceKind.DRAWER: "/till/shifts/{0}",
}


def sentence(one: dict[str, Any], fmt: Formats) -> str:
    """One difference; of a kind that this release does not know, its name."""
    text = SENTENCES.get(one["kind"])
    if text is None:
        return str(one["name"])
    number = str(one["number"]).translate(fmt.digits)
    told, moved = one["told_minor"], one["moved_minor"]
    whose = one["whose"] or _("Account {account}").format(account=number)
    by = _("{amount} too much") if told > moved else _("{amount} too little")
    return _(text).format(
        number=number,
        row=number,
        whose=whose,
        told=fmt.money(told),
        moved=fmt.money(moved),
        by=by.format(amount=fmt.money(abs(told - moved))),
    )


def href(one: dict[str, Any]) -> str:
    """Where it can be looked at; "" for nowhere."""
    if one["person_id"]:
        return f"/people/{one['person_id']}"
    return OPENS.get(one["kind"], "").format(one["number"])


def in_short(differences: Sequence[dict[str, Any]], fmt: Formats) -> str:
    """The first, and how many more; "" for none."""
    if not differences:
        return ""
    first, more = sentence(differences[0], fmt), len(differences) - 1
    if not more:
        return first
    return f"{first} " + ngettext(
        "And {number} figure more does not agree.", "And {number} figures more do not agree.", more
    ).format(number=fmt.number(more))
