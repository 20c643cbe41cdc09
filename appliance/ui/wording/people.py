"""Words about one person: what they need before they can charge."""

from __future__ import annotations

from appliance.db.people.people import Person
from appliance.services.people.readiness import Missing
from appliance.ui.frame.language import N_, _

READINESS: dict[Missing, str] = {
    Missing.NOTHING: N_("{name} may charge now."),
    Missing.CARD: N_("Before {name} can charge, a card is needed."),
    Missing.MONEY: N_("Before {name} can charge, money must be paid in."),
    Missing.CARD | Missing.MONEY: N_("Before {name} can charge, a card is needed and money must be paid in."),
}


def readiness_sentence(name: str, missing: Missing) -> str:
    """Whether they may charge now, or what is needed first."""
    return _(READINESS[missing]).format(name=name)


def who_words(person: Person) -> str:
    """What tells somebody from others of the same name, for those who see telephone numbers."""
    left = _("closed account") if person.closed_at_ms is not None else ""
    return " · ".join(filter(None, (person.name, person.phone, person.group, left)))
