"""The audit list is read as sentences: each action that is recorded has one, and it says names instead of numbers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import orjson
import pytest
from markupsafe import Markup

from appliance.db.audit import AuditRow, Subject
from appliance.ui.wording.audit import SENTENCES, THINGS, sentence
from appliance.ui.writing.formats import formats
from tests.ui.console_fixture import NOW_MS, SITE, ConsoleFixture

PACKAGE = Path(__file__).parents[3] / "appliance"
ACTION = re.compile(r"[a-z]+\.[a-z_]+")


def recorded() -> set[str]:
    """All actions that the program puts on record, read from its source."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("record", "_record")
            ):
                words = [one.value for value in node.args for one in ast.walk(value) if isinstance(one, ast.Constant)]
                found |= {word for word in words if isinstance(word, str) and ACTION.fullmatch(word)}
    return found


def told(action: str, subject: str, **details: object) -> str:
    row = AuditRow(1, NOW_MS, "operator:1", action, subject, orjson.dumps(details).decode())
    subjects = {
        "person:3": Subject("Rahima <Khatun>", "3"),
        "station:2": Subject("Ramp A", "CS/02"),
        "card:7": Subject("••C3", "7"),
    }
    return sentence(row, subjects, formats(SITE.currency, SITE.exponent, SITE.zone))


def test_every_action_that_is_recorded_has_its_sentence_and_no_other() -> None:
    actions = recorded()

    assert len(actions) > 40
    assert set(SENTENCES) == actions
    assert {action.partition(".")[0] for action in actions} == set(THINGS)


@pytest.mark.parametrize(
    ("action", "subject", "details", "words"),
    [
        ("person.topup", "person:3", {"amount_minor": 50_000, "method": "cash"},
         "Topped up the wallet of Rahima <Khatun> by ৳500.00, in cash"),
        ("person.correct", "person:3", {"amount_minor": -150, "reason": "typed twice"},
         "Corrected the wallet of Rahima <Khatun> by \N{MINUS SIGN}৳1.50: typed twice"),
        ("station.start", "station:2", {"session": 12, "evse": 1, "person": 3},
         "Started session 12 at Ramp A · 1 for Rahima <Khatun>"),
        ("station.close", "station:2", {"evse": 0}, "Took Ramp A out of service"),
        ("card.block", "card:7", {"uid": "••C3", "why": "lost"}, "Blocked the card ••C3: lost"),
        ("card.block", "card:7", {"uid": "••C3", "why": ""}, "Blocked the card ••C3"),
        ("operator.change", "operator:9", {"name": "Salma", "role": "owner", "was": "guard"},
         "Changed Salma: owner, before that guard"),
        ("card.change", "card:7", {"uid": "••C3", "changed": {"label": ["", "<b>"], "transactions_max": [1, 1000]}},
         "Changed the card ••C3 · Label: – → <b> · Sessions at once: 1 → 1000"),
        ("setting.change", "setting:slice_minor", {"value": "20000"},
         "Set “Held at a time while somebody charges” to ৳200.00"),
        ("setting.change", "setting:accept_unknown", {"value": "0"}, "Set “Unknown chargers may ask for approval” to off"),
        ("kiosk.open", "kiosk:4", {"by": "<key>"}, "kiosk.open kiosk:4 by: <key>"),
    ],
)  # fmt: skip
def test_a_row_is_told_with_names_and_amounts(
    action: str, subject: str, details: dict[str, object], words: str
) -> None:
    assert Markup(told(action, subject, **details)).striptags() == words


def test_names_lead_to_their_pages_and_are_escaped() -> None:
    assert '<a href="/stations/CS%2F02">Ramp A</a>' in told("station.unlock", "station:2", evse=1)
    assert '<a href="/people/3">Rahima &lt;Khatun&gt;</a>' in told("person.reopen", "person:3")


def test_a_row_that_lacks_a_detail_is_told_all_the_same() -> None:
    for action in SENTENCES:
        assert told(action, f"{action.partition('.')[0]}:99")


async def test_the_page_says_who_did_what_to_whom(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    async with client.get("/audit?action=person.") as answer:
        html = await answer.text()

    assert "Topped up the wallet of" in html
    assert ">Karim Ahmed</a> by ৳1,200.00, in cash" in html
    assert "person:" not in html
    assert "Gave" not in html
