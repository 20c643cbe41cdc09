"""Problems with cards in words: names instead of numbers, and the way to the card."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.db.problems import Problem
from appliance.db.stations.stations import Named
from appliance.ui.wording.problems import describe
from appliance.ui.writing.formats import formats
from tests.ui.console_fixture import NOW_MS, SITE

STATIONS = {3: Named("CS-03", "Gate", 1), 4: Named("CS-04", "Hall 1", 1)}
DETAILS: dict[str, Any] = {"station": 4, "other": 3, "number": 17, "person": "Rahima Khatun"}


@pytest.mark.parametrize(
    ("kind", "details", "sentence"),
    [
        (
            "card_twice",
            DETAILS,
            "Card 17 of Rahima Khatun was shown for a start at Hall 1 while it charges at Gate.",
        ),
        (
            "card_hop",
            DETAILS | {"after_s": 90},
            "Card 17 of Rahima Khatun began to charge at Gate, and 1 min later at Hall 1.",
        ),
    ],
)
def test_a_card_in_two_places_is_told_with_its_names(kind: str, details: dict[str, Any], sentence: str) -> None:
    fmt = formats(SITE.currency, SITE.exponent, SITE.zone)

    one = describe(Problem(1, kind, "card:7", details, NOW_MS, None), STATIONS, fmt, NOW_MS)

    assert one.sentence == sentence
    assert one.advice
    assert one.href == "/cards/7"
