"""Problems for the eyes of somebody who may not see cards: some show what a charger sent word for word."""

from __future__ import annotations

from dataclasses import replace

from appliance.db.problems import Problem
from appliance.services.problems import listed
from appliance.services.stations.private_messages import masked_remark, masked_text, masked_words

TEXT, NOTE, SAID = "text", "note", "info"


def without_cards(problem: Problem) -> Problem:
    """The problem with the last characters of each id token only."""
    hidden: dict[str, object] = {}
    if TEXT in problem.details:
        hidden[TEXT] = [masked_text(str(one)) for one in listed(problem.details[TEXT])]
    if NOTE in problem.details:
        hidden[NOTE] = masked_remark(str(problem.details[NOTE]))
    if SAID in problem.details:
        hidden[SAID] = masked_words(str(problem.details[SAID]))
    return replace(problem, details=problem.details | hidden) if hidden else problem
