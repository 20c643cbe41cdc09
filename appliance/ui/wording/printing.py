"""The printer of receipts in words."""

from __future__ import annotations

from appliance.services.ports.printers import Outcome, Trouble
from appliance.ui.frame.language import N_, _

TROUBLES = {
    Trouble.AWAY: N_("The printer cannot be reached."),
    Trouble.FORBIDDEN: N_("This box may not open the printer."),
    Trouble.SILENT: N_("The printer takes nothing."),
    Trouble.BROKE_OFF: N_("The printer went away in the middle."),
    Trouble.NO_PAPER: N_("The printer has no paper."),
    Trouble.BUSY: N_("Too much waits for the printer already."),
}
REMEDIES = {
    Trouble.AWAY: N_("Is it switched on, is its cable plugged in, and is its address still the same?"),
    Trouble.FORBIDDEN: N_("The service needs the group lp: see Receipt printer in the document on installing."),
    Trouble.SILENT: N_(
        "Is its cover closed, has it paper, and does a light of it blink? Switching it off and on helps often."
    ),
    Trouble.BROKE_OFF: N_("Look at its cable, and what came out of it."),
    Trouble.NO_PAPER: N_("Put a new roll in and close the cover."),
    Trouble.BUSY: N_("Wait until it has printed what it has."),
}
OUTCOMES = {
    Outcome.PRINTED: N_("{what}: printed."),
    Outcome.SENT: N_("{what}: sent to the printer."),
    Outcome.GOING_ON: N_("{what}: the printer is slow, and has not all of it yet."),
}


def outcome_sentence(what: str, outcome: Outcome) -> str:
    """`Receipt 12: printed.`; what is not known is not said."""
    return _(OUTCOMES[outcome]).format(what=what)


def trouble_words(why: str) -> tuple[str, str]:
    """What is wrong, and what to do; of another release's word, that it cannot be reached."""
    trouble = Trouble(why) if why in set(Trouble) else Trouble.AWAY
    return _(TROUBLES[trouble]), _(REMEDIES[trouble])
