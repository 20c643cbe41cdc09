"""What a meter has signed, in words that claim no more than is known."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.services.signed_meter.comparing import TOLERANCE_WH
from appliance.services.signed_meter.evidence import Evidence, Piece
from appliance.services.signed_meter.signatures import Verdict
from appliance.ui.frame.language import N_, _

VERDICTS = {
    Verdict.VERIFIED: ("free", "circle-check", N_("Verified: the signature fits the public key of this meter.")),
    Verdict.SENT_KEY: (
        "waiting",
        "circle-question-mark",
        N_(
            "The signature fits the key that the charger sent along. Enter the key that stands on the meter to be sure."
        ),
    ),
    Verdict.NO_KEY: (
        "waiting",
        "circle-question-mark",
        N_("Not checked: nobody has entered the public key of this meter."),
    ),
    Verdict.WRONG: (
        "fault",
        "circle-alert",
        N_("The signature does not fit: what it says was changed, or the key is another meter's."),
    ),
    Verdict.NOT_HERE: ("waiting", "circle-question-mark", N_("Cannot be checked here: its method is not known.")),
    Verdict.UNREADABLE: ("waiting", "circle-question-mark", N_("Kept as it came; it is no OCMF that can be read.")),
}
"""Tone, icon and sentence."""


@dataclass(frozen=True, slots=True)
class SignedLine:
    """One signed value."""

    piece: Piece
    tone: str
    icon: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Signed:
    """All of a session's."""

    lines: list[SignedLine]
    energy_wh: int | None
    differs: bool
    """Whether other energy was billed than was signed."""
    downloads: bool


def signed_words(found: Evidence, billed_wh: int) -> Signed:
    """In the reader's language."""
    lines = []
    for piece in found.pieces:
        tone, icon, sentence = VERDICTS[piece.verdict]
        lines.append(SignedLine(piece, tone, icon, _(sentence)))
    energy_wh = None if found.energy_wh is None else round(found.energy_wh)
    differs = energy_wh is not None and abs(energy_wh - billed_wh) > TOLERANCE_WH
    return Signed(lines, energy_wh, differs, any(piece.container is not None for piece in found.pieces))
