"""The tables of words are complete: a kind of problem or a setting without its sentence is found here."""

from __future__ import annotations

import pytest
from ocpp.v16.enums import ChargePointErrorCode
from ocpp.v16.enums import Reason as V16Reason
from ocpp.v201.enums import ReasonEnumType as V201Reason

from appliance.db.problems import Problem
from appliance.db.stations.stations import Named
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.pricing.coverage import Hours, WeekHours
from appliance.domain.problem import ProblemKind
from appliance.domain.roles import Role
from appliance.domain.station import ChargingState, ConnectorStatus
from appliance.ocpp.v16.translate import CONNECTOR_STATES
from appliance.services.settings import NAMES
from appliance.ui.console.settings import GROUPS
from appliance.ui.frame.language import preferred, speak
from appliance.ui.wording.problem_texts import TEXTS
from appliance.ui.wording.problems import describe
from appliance.ui.wording.sessions import stop_sentence
from appliance.ui.wording.words import CHARGING_STATES, FINER, ROLES, STATUSES, error_sentence, status_of
from appliance.ui.writing.formats import formats, sentences
from tests.ui.console_fixture import NOW_MS, SITE


def test_every_kind_of_problem_has_its_sentence_and_advice() -> None:
    assert set(TEXTS) == set(ProblemKind)
    assert all(text.sentence and text.advice for text in TEXTS.values())


def test_every_setting_stands_on_the_page_once() -> None:
    shown = [name for group in GROUPS.values() for name in group]

    assert sorted(shown) == sorted(NAMES)


def test_every_status_and_role_has_its_word() -> None:
    assert set(STATUSES) == set(ConnectorStatus) - {ConnectorStatus.UNKNOWN}
    assert set(CHARGING_STATES) == set(ChargingState) - {ChargingState.NONE}
    assert set(FINER) == {finer for _status, _state, finer in CONNECTOR_STATES.values() if finer}
    assert set(ROLES) == set(Role)


def test_what_chargers_say_is_told_in_words_and_what_nobody_knows_as_it_is() -> None:
    speak("en")
    for reason in (*V16Reason, *V201Reason):
        assert stop_sentence(reason, "", estimated=False) != reason.value
    for code in set(ChargePointErrorCode) - {ChargePointErrorCode.no_error}:
        assert error_sentence(code) != code.value

    assert [error_sentence(code) for code in ("", "NoError", "E42")] == ["", "", "E42"]
    assert stop_sentence("Bored", "", estimated=False) == "Bored"
    assert status_of("", finer="Humming").word == "Humming"


def test_a_problem_is_told_with_its_names_and_numbers() -> None:
    fmt = formats(SITE.currency, SITE.exponent, SITE.zone)
    fault = Problem(
        1, "faulted", "station:4:2", {"station": 4, "evse": 2, "error": "GroundFailure", "info": ""}, NOW_MS, None
    )

    one = describe(fault, {4: Named("CS-04", "Hall 1", 2)}, fmt, NOW_MS)

    assert one.sentence == "Hall 1 · 2 reports a fault: Ground fault: do not touch."
    assert one.href == "/stations/CS-04"
    assert one.urgent


def test_a_problem_of_an_older_release_is_told_all_the_same() -> None:
    fmt = formats(SITE.currency, SITE.exponent, SITE.zone)
    for kind in (*ProblemKind, "of another release"):
        assert describe(Problem(1, kind, "station:4", {}, NOW_MS, None), {}, fmt, NOW_MS).sentence


@pytest.mark.parametrize(
    ("language", "money", "energy", "lakh"),
    [("en", "৳1,234.50", "12.40", "1,234,567"), ("bn", "১,২৩৪.৫০৳", "১২.৪০", "১২,৩৪,৫৬৭")],
)
def test_numbers_are_written_as_the_reader_writes_them(language: str, money: str, energy: str, lakh: str) -> None:
    speak(language)
    fmt = formats("BDT", 2, SITE.zone)

    assert (fmt.money(123_450), fmt.energy(12_400), fmt.number(1_234_567)) == (money, energy, lakh)
    assert fmt.money(-150).startswith("\N{MINUS SIGN}")


def test_times_are_the_sites_own() -> None:
    fmt = formats("BDT", 2, SITE.zone)

    assert fmt.time(NOW_MS) == "16:50"
    assert fmt.when(NOW_MS - 86_400_000, NOW_MS) == "yesterday 16:50"
    assert [fmt.duration(seconds) for seconds in (40, 300, 3600, 6120, 200_000)] == [
        "40 s", "5 min", "1 h", "1 h 42 min", "2 days"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("The file has more than 50,000 rows.", "Split it.")),
        ("bn", ("ফাইলে ৫০,০০০টির বেশি সারি আছে।", "ফাইলটি ভাগ করুন।")),
    ],
)
def test_a_refusal_writes_numbers_in_the_readers_digits(language: str, told: tuple[str, str]) -> None:
    speak(language)

    assert sentences(Refusal("The file has more than {most} rows.", "Split it.", most=50_000)) == told


@pytest.mark.parametrize(("language", "hours"), [("en", "Fri–Sat 05:00–09:00"), ("bn", "শুক্র–শনি ০৫:০০–০৯:০০")])
def test_hours_of_a_week_are_written_with_the_readers_days_and_digits(language: str, hours: str) -> None:
    speak(language)

    refusal = Refusal("No line prices energy at these hours: {hours}.", hours=WeekHours([Hours((5, 6), 300, 540)]))

    assert hours in sentences(refusal)[0]


def test_an_identity_in_a_refusal_stays_as_the_charger_says_it() -> None:
    speak("bn")

    message, _advice = sentences(NotFound("There is no station {identity}.", identity="CS-07"))

    assert "CS-07" in message


@pytest.mark.parametrize(
    ("header", "language"),
    [("bn-BD,bn;q=0.9,en;q=0.8", "bn"), ("fr;q=0.9, en-GB;q=0.5", "en"), ("fr", None), ("", None), ("bn;q=x", None)],
)
def test_the_browsers_wish_is_followed_where_we_can(header: str, language: str | None) -> None:
    assert preferred(header) == language
