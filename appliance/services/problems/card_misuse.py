"""Signs that a card was copied: once it is blocked, nobody charges with either."""

from __future__ import annotations

from appliance.db.cards import cards
from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.domain.identifiers import CardId
from appliance.domain.problem import ProblemKind
from appliance.services.problems.check import Ending, Facts, number_in


def is_over(db: Database, problem: Problem, _facts: Facts) -> bool:
    """The card is blocked."""
    card = cards.find(db, CardId(number_in(problem.subject, "card")))
    return card is not None and card.blocked_at_ms is not None


CHECK = Ending((ProblemKind.CARD_COPY, ProblemKind.CARD_TWICE, ProblemKind.CARD_HOP), is_over)
