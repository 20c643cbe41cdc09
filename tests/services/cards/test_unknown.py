"""Cards that nobody knows: listed, suggested, made somebody's at the charger, learned under another name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.db.card_desk import jobs
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import aliases as alias_rows
from appliance.db.stations import stations
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.events import TransactionStarted
from appliance.domain.id_token import likeness, remote_token, stems
from appliance.domain.identifiers import CardId, StationId
from appliance.services.announce import DeskChanged, DeskNews, UnknownTagSeen
from appliance.services.card_desk import charger_jobs
from appliance.services.cards import aliases, unknown
from appliance.services.cards.unknown import TAGS_MAX
from appliance.services.people import people
from appliance.services.sessions import start_requests, starting
from tests.support.books import Books

CARD = "04A1B2C3D4E580"
SHORT = "04A1B2C3"
STRANGE = "04FFEEDD"


def show(books: Books, station: StationId, token: str) -> str:
    """An Authorize, now."""
    return starting.authorize(books.db, station, token, books.now_ms).status.value


def listed(books: Books) -> list[tuple[str, str, int]]:
    """What is on the list: token, station, how often."""
    return [(one.tag.token, one.tag.identity, one.tag.times) for one in unknown.page(books.db)]


def job(books: Books, number: int) -> Job:
    found = jobs.find(books.db, number)
    assert found is not None
    return found


def test_a_card_that_nobody_knows_is_listed_at_each_charger_it_was_shown_at(books: Books) -> None:
    one, two = books.station("CS-1"), books.station("CS-2")
    books.db.announcements.clear()
    show(books, one, STRANGE)
    first_ms = books.now_ms
    books.wait(10)
    show(books, one, STRANGE)
    books.start(two, 1, STRANGE)

    assert sorted(listed(books)) == [(STRANGE, "CS-1", 2), (STRANGE, "CS-2", 1)]
    (tag,) = (one.tag for one in unknown.page(books.db) if one.tag.identity == "CS-1")
    assert (tag.first_at_ms, tag.last_at_ms) == (first_ms, books.now_ms)
    assert books.db.announcements.count(UnknownTagSeen(one, STRANGE)) == 2


def test_known_cards_wishes_and_our_own_tokens_are_not_listed(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=5_000)
    books.card(CARD, rahima)
    wish = start_requests.request_start(books.db, station, 1, books.by, person=books.person("Karim", paid_in=500))
    for token in (CARD, wish.id_token, remote_token(), ""):
        show(books, station, token)
    books.start(station, 1, wish.id_token)

    assert listed(books) == []


def test_the_list_keeps_what_was_shown_last(books: Books) -> None:
    station = books.station()
    for number in range(TAGS_MAX + 20):
        books.now_ms += 1
        show(books, station, f"04{number:06X}")

    tokens = [one.tag.token for one in unknown.page(books.db, limit=1000)]
    assert len(tokens) == TAGS_MAX
    assert tokens[0] == f"04{TAGS_MAX + 19:06X}"
    assert "04000000" not in tokens


def test_a_listed_card_that_is_dismissed_is_back_when_it_is_shown_again(books: Books) -> None:
    station = books.station()
    show(books, station, STRANGE)
    unknown.dismiss(books.db, station, STRANGE, books.by)
    assert listed(books) == []
    with pytest.raises(NotFound):
        unknown.dismiss(books.db, station, STRANGE, books.by)

    show(books, station, STRANGE)
    assert listed(books) == [(STRANGE, "CS-01", 1)]


def test_a_listed_card_that_becomes_somebodys_is_off_the_list(books: Books) -> None:
    station = books.station()
    show(books, station, STRANGE)
    show(books, station, SHORT)
    show(books, station, "80E5D4C3B2A104")
    books.card(STRANGE, books.person())
    aliases.add(books.db, SHORT, CardId(books.card(CARD, books.person("Karim"))), books.by)

    assert listed(books) == []


def test_cards_that_are_alike_are_suggested_and_nothing_more(books: Books) -> None:
    station, rahima = books.station(), books.person()
    card = books.card(CARD, rahima)
    books.card("04A1B2C399E580", rahima)
    books.card(STRANGE, rahima)
    for token in ("04A1B2C3D4E5", "08A1B2C3", "04112233"):
        show(books, station, token)

    found = {one.tag.token: one for one in unknown.page(books.db)}

    assert [(one.card.id, one.likeness) for one in found["04A1B2C3D4E5"].suggestions] == [(card, "truncated")]
    assert found["08A1B2C3"].is_random
    assert found["04112233"].suggestions == ()
    assert show(books, station, "04A1B2C3D4E5") == "Invalid"


@given(st.binary(min_size=7, max_size=7), st.sampled_from([slice(0, 4), slice(3, 7), slice(0, 6), slice(1, 7)]))
def test_a_suggestion_is_found_by_the_ends_of_its_uid(uid: bytes, part: slice) -> None:
    token, whole = uid[part].hex().upper(), uid.hex().upper()

    assert likeness(token, whole) is not None
    assert {whole[:8], whole[-8:]} & stems(token)


# --- a new card at the charger ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", ["Authorize", "StartTransaction"])
def test_a_card_that_is_waited_for_becomes_the_persons_and_charges_at_once(books: Books, message: str) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=5_000)
    number = unknown.begin_enrol(books.db, station, rahima, books.by, label="Blue")
    books.db.announcements.clear()
    books.wait(20)

    if message == "Authorize":
        assert show(books, station, STRANGE) == "Accepted"
    started = books.start(station, 1, STRANGE)

    assert started.authorization.accepted
    done = job(books, number)
    row = books.db.execute("SELECT id, person_id, label FROM card WHERE uid = ?", (STRANGE,)).fetchone()
    assert (done.state, done.card_id, done.advice) == ("done", row[0], "")
    assert row[1:] == (rahima, "Blue")
    assert DeskChanged(f"station:{station}", DeskNews.DONE, number) in books.db.announcements
    assert listed(books) == []
    assert books.start(station, 1, STRANGE) == started


def test_only_the_charger_that_waits_takes_the_card_and_only_the_first(books: Books) -> None:
    one, two, rahima = books.station("CS-1"), books.station("CS-2"), books.person()
    number = unknown.begin_enrol(books.db, one, rahima, books.by)

    show(books, two, STRANGE)
    assert job(books, number).state == "waiting"
    show(books, one, SHORT)
    show(books, one, "04998877")

    assert job(books, number).state == "done"
    assert sorted(token for token, _, _ in listed(books)) == ["04998877", STRANGE]


def test_nobody_waits_longer_than_two_minutes(books: Books) -> None:
    station, rahima = books.station(), books.person()
    number = unknown.begin_enrol(books.db, station, rahima, books.by)
    books.wait(119)
    assert charger_jobs.expire(books.db, books.now_ms) == 0
    books.wait(1)

    assert show(books, station, STRANGE) == "Invalid"
    assert charger_jobs.expire(books.db, books.now_ms) == 1
    assert (job(books, number).state, job(books, number).advice) == ("failed", "expired")
    assert charger_jobs.expire(books.db, books.now_ms) == 0


def test_who_waits_later_at_a_charger_takes_the_place_of_who_waited_before(books: Books) -> None:
    station, rahima, karim = books.station(), books.person(), books.person("Karim")
    first = unknown.begin_enrol(books.db, station, rahima, books.by)
    second = unknown.begin_enrol(books.db, station, karim, books.by)
    show(books, station, STRANGE)

    assert (job(books, first).state, job(books, first).advice) == ("failed", "superseded")
    assert (job(books, second).state, job(books, second).person_id) == ("done", karim)


def test_a_telephone_never_becomes_a_card(books: Books) -> None:
    station, rahima = books.station(), books.person()
    number = unknown.begin_enrol(books.db, station, rahima, books.by)

    assert show(books, station, "08A1B2C3") == "Invalid"
    assert (job(books, number).state, job(books, number).advice) == ("failed", "random")


def test_a_start_out_of_a_queue_is_not_the_card_that_is_waited_for(books: Books) -> None:
    station, rahima = books.station(), books.person()
    shown_ms = books.now_ms
    books.wait(7_200)
    number = unknown.begin_enrol(books.db, station, rahima, books.by)
    starting.transaction_started(books.db, station, TransactionStarted(1, STRANGE, 0, shown_ms, books.now_ms))

    assert job(books, number).state == "waiting"


def test_a_charger_whose_clock_is_wrong_is_understood_all_the_same(books: Books) -> None:
    station, rahima = books.station(), books.person()
    stations.set_skew(books.db, station, -3_600_000)
    number = unknown.begin_enrol(books.db, station, rahima, books.by)
    event = TransactionStarted(1, STRANGE, 0, books.now_ms - 3_600_000, books.now_ms)
    starting.transaction_started(books.db, station, event)

    assert job(books, number).state == "done"


def test_a_start_that_was_told_before_anybody_waited_is_answered_as_then(books: Books) -> None:
    station, rahima = books.station(), books.person()
    first = books.start(station, 1, STRANGE)
    number = unknown.begin_enrol(books.db, station, rahima, books.by)

    assert books.start(station, 1, STRANGE) == first
    assert job(books, number).state == "waiting"


def test_one_waits_only_for_people_who_are_there_at_chargers_that_are_there(books: Books) -> None:
    station, rahima = books.station(), books.person()
    with pytest.raises(NotFound):
        unknown.begin_enrol(books.db, StationId(99), rahima, books.by)
    people.close(books.db, rahima, books.by)
    with pytest.raises(Refusal):
        unknown.begin_enrol(books.db, station, rahima, books.by)


# --- a known card under another name ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "what"), [(SHORT, "truncated"), (CARD + "00", "padded"), (str(int(CARD, 16)), "decimal")]
)
def test_what_a_charger_calls_a_card_is_learned_by_showing_it(books: Books, token: str, what: str) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=5_000)
    card = CardId(books.card(CARD, rahima))
    number = aliases.begin_learn(books.db, station, card, books.by)

    assert show(books, station, token) == "Accepted"

    assert job(books, number).state == "done"
    assert alias_rows.of_card(books.db, card) == [token]
    assert books.db.execute("SELECT likeness FROM card_alias").fetchone()[0] == what
    assert listed(books) == []
    assert books.session(books.start(station, 1, token).ref)["id_token"] == CARD


def test_a_charger_that_never_asks_is_learned_from_its_start(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=5_000)
    card = CardId(books.card(CARD, rahima))
    aliases.begin_learn(books.db, station, card, books.by)

    started = books.start(station, 1, SHORT)

    assert started.authorization.accepted
    assert books.session(started.ref)["id_token"] == CARD
    assert books.start(station, 1, SHORT) == started


@pytest.mark.parametrize("token", [CARD, "80E5D4C3B2A104"])
def test_there_is_nothing_to_learn_where_the_card_is_known_already(books: Books, token: str) -> None:
    station, rahima = books.station(), books.person()
    card = CardId(books.card(CARD, rahima))
    number = aliases.begin_learn(books.db, station, card, books.by)
    show(books, station, token)

    assert job(books, number).state == "done"
    assert alias_rows.of_card(books.db, card) == []


def test_another_card_than_the_one_meant_is_not_learned(books: Books) -> None:
    station, rahima = books.station(), books.person()
    card = CardId(books.card(CARD, rahima))
    number = aliases.begin_learn(books.db, station, card, books.by)

    assert show(books, station, STRANGE) == "Invalid"

    assert (job(books, number).state, job(books, number).advice) == ("failed", "unlike")
    assert alias_rows.of_card(books.db, card) == []
    assert listed(books) == [(STRANGE, "CS-01", 1)]


def test_somebody_elses_known_card_does_not_end_the_waiting(books: Books) -> None:
    station, rahima = books.station(), books.person()
    card = CardId(books.card(CARD, rahima))
    books.card(STRANGE, books.person("Karim"))
    number = aliases.begin_learn(books.db, station, card, books.by)
    show(books, station, STRANGE)

    assert job(books, number).state == "waiting"
