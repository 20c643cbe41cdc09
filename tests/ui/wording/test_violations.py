"""What stations do against the protocol, in whole sentences."""

from __future__ import annotations

import pytest

from appliance.db.problems import Problem
from appliance.db.stations.stations import Named
from appliance.domain.problem import ProblemKind
from appliance.ui.wording.problem_texts import VIOLATIONS
from appliance.ui.wording.problems import Described, describe
from appliance.ui.writing.formats import formats
from tests.ui.console_fixture import NOW_MS, SITE

STATIONS = {4: Named("CS-04", "Hall 1", 2)}


def told(what: str, kind: ProblemKind = ProblemKind.VIOLATION, **details: object) -> Described:
    fmt = formats(SITE.currency, SITE.exponent, SITE.zone)
    problem = Problem(1, kind, f"station:4:{what}", {"station": 4, "what": what, **details}, NOW_MS, None)
    return describe(problem, STATIONS, fmt, NOW_MS)


@pytest.mark.parametrize("what", sorted(VIOLATIONS))
def test_every_kind_says_which_charger_and_what_to_do_and_leads_there(what: str) -> None:
    one = told(what, found="192.168.7.9", spoken="ocpp1.6")

    assert "Hall 1" in one.sentence or "CS-04" in one.sentence
    assert one.advice
    assert "–" not in one.sentence + one.advice
    assert one.href == "/stations/CS-04"


def test_a_device_with_a_wrong_password_is_called_as_it_calls_itself() -> None:
    assert told("password", found="192.168.7.9").sentence.startswith("A device at 192.168.7.9 calls itself CS-04 ")


def test_a_charger_that_names_no_version_is_not_said_to_speak_nothing() -> None:
    assert told("no_subprotocol", found="", spoken="ocpp1.6").sentence == (
        "Hall 1 does not say which version of OCPP it speaks."
    )


def test_what_was_read_in_part_leads_to_its_session() -> None:
    fmt = formats(SITE.currency, SITE.exponent, SITE.zone)
    details: dict[str, object] = {"station": 4, "session": 17, "note": "not JSON"}
    one = describe(Problem(1, ProblemKind.UNREADABLE, "session:17", details, NOW_MS, None), STATIONS, fmt, NOW_MS)

    assert one.sentence == "What Hall 1 sent about session 17 could be read in part only: not JSON"
    assert one.href == "/sessions/17"
