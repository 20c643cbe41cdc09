"""Stations that knock: how many, from where, for how long, and what is left of those that were turned away."""

from __future__ import annotations

import re

import pytest

from appliance.db import problems as rows
from appliance.db.stations import message_log, stations
from appliance.domain.errors import NotFound
from appliance.domain.events import StationBooted
from appliance.domain.identifiers import StationId
from appliance.domain.peer import Peer
from appliance.domain.problem import ProblemKind
from appliance.domain.station import StationState
from appliance.services.stations import admission, status
from tests.support.books import Books


def kinds(books: Books) -> list[str]:
    return [one.kind for one in rows.open_problems(books.db)]


def test_at_most_fifty_strangers_knock(books: Books) -> None:
    for number in range(admission.KNOCKING_MAX):
        assert admission.knock(books.db, f"X-{number}", f"10.0.0.{number}", books.now_ms) is not None
    everybody = [one.id for one in stations.knocks(books.db)]

    assert admission.knock(books.db, "one-too-many", "10.0.0.99", books.now_ms, everybody) is None
    assert admission.knock(books.db, "X-7", "10.0.0.99", books.now_ms, everybody) is not None
    assert sorted(kinds(books)) == ["knocking"] * admission.KNOCKING_MAX + ["no_room_to_knock"]


def names_that_knock(books: Books) -> list[str]:
    return [one.identity for one in stations.all_stations(books.db, StationState.KNOCKING)]


def test_at_most_five_knock_from_one_address_and_the_oldest_that_has_gone_makes_room(books: Books) -> None:
    numbers = []
    for number in range(admission.KNOCKING_OF_ADDRESS_MAX):
        known = admission.knock(books.db, f"X-{number}", "10.0.0.9", books.now_ms + number)
        assert known is not None
        numbers.append(known.id)
    assert admission.knock(books.db, "one-too-many", "10.0.0.9", books.now_ms, numbers) is None
    assert admission.knock(books.db, "elsewhere", "10.0.0.8", books.now_ms, numbers) is not None

    assert admission.knock(books.db, "new", "10.0.0.9", books.now_ms, numbers[:1]) is not None
    assert sorted(names_that_knock(books)) == ["X-0", "X-2", "X-3", "X-4", "elsewhere", "new"]


def test_the_oldest_of_all_that_has_gone_makes_room(books: Books) -> None:
    for number in range(admission.KNOCKING_MAX + 20):
        assert admission.knock(books.db, f"X-{number}", f"10.0.0.{number}", books.now_ms + number) is not None

    assert sorted(names_that_knock(books)) == sorted(f"X-{number}" for number in range(20, 70))
    assert books.db.execute("SELECT count(*) FROM station").fetchone()[0] <= admission.KNOCKING_MAX + 1


def test_a_knock_expires_a_day_after_the_last_sign_of_life(books: Books) -> None:
    known = admission.knock(books.db, "X-1", "10.0.0.9", books.now_ms)
    assert known is not None
    later_ms = books.now_ms + admission.KNOCKS_KEPT_MS
    admission.expire_knocks(books.db, later_ms)
    status.booted(books.db, known.id, StationBooted("Acme", "A1", "", "", later_ms))
    admission.expire_knocks(books.db, later_ms + admission.KNOCKS_KEPT_MS)
    assert names_that_knock(books) == ["X-1"]
    admission.expire_knocks(books.db, later_ms + admission.KNOCKS_KEPT_MS + 1)
    assert names_that_knock(books) == []
    assert kinds(books) == []


def test_all_that_knock_from_one_address_are_turned_away_at_once(books: Books) -> None:
    for number in range(4):
        admission.knock(books.db, f"X-{number}", "10.0.0.9" if number else "10.0.0.8", books.now_ms)
    assert admission.dismiss_address(books.db, "10.0.0.9", books.by) == 3
    assert names_that_knock(books) == ["X-0"]
    with pytest.raises(NotFound):
        admission.dismiss_address(books.db, "10.0.0.9", books.by)


def test_who_was_turned_away_leaves_nothing_to_who_knocks_next(books: Books) -> None:
    first = admission.knock(books.db, "X-1", "10.0.0.9", books.now_ms)
    assert first is not None
    message_log.record(books.db, (first.id, books.now_ms, "in", "BootNotification", "{}", "{}", None))
    status.booted(books.db, first.id, StationBooted("Acme", "A1", "S-1", "1.0", books.now_ms))
    admission.bind(books.db, first.id, Peer("10.0.0.9"), books.now_ms)
    admission.dismiss(books.db, first.id, books.by)
    assert stations.show(books.db, first.id) is None
    with pytest.raises(NotFound):
        admission.approve(books.db, first.id, "", books.by)

    again = admission.knock(books.db, "X-2", "10.0.0.8", books.now_ms + 1)
    assert again is not None
    found = stations.show(books.db, again.id)
    assert found is not None
    assert (found.identity, found.vendor, found.serial, found.bound_to) == ("X-2", "", "", "")
    assert message_log.page(books.db, again.id).messages == []
    assert admission.knock(books.db, "X-1", "10.0.0.9", books.now_ms + 2) is not None


def test_turning_away_looks_through_no_message_log(books: Books) -> None:
    known = admission.knock(books.db, "X-1", "10.0.0.9", books.now_ms)
    assert known is not None
    plans: list[str] = []
    books.db.set_trace_callback(plans.append)
    admission.dismiss(books.db, known.id, books.by)
    books.db.set_trace_callback(None)
    assert plans
    assert not [one for one in plans if "message_log" in one or re.match(r"DELETE FROM station\b", one)]


def test_one_network_of_ipv6_knocks_as_one_address(books: Books) -> None:
    knocks = [
        admission.knock(books.db, f"X-{number}", f"2001:db8::{number:x}", books.now_ms)
        for number in range(admission.KNOCKING_OF_ADDRESS_MAX)
    ]
    connected = [one.id for one in knocks if one is not None]
    assert len(connected) == admission.KNOCKING_OF_ADDRESS_MAX

    assert admission.knock(books.db, "NEW", "2001:db8::ff", books.now_ms, connected) is None
    assert admission.knock(books.db, "NEW", "2001:db8:0:1::1", books.now_ms, connected) is not None


def test_where_every_address_has_one_place_nobody_loses_it(books: Books) -> None:
    knocks = [
        admission.knock(books.db, f"X-{number}", f"10.0.1.{number}", books.now_ms)
        for number in range(admission.KNOCKING_MAX)
    ]
    connected = [one.id for one in knocks if one is not None]

    assert admission.knock(books.db, "NEW", "10.0.2.1", books.now_ms, connected) is None
    (told,) = [one for one in rows.open_problems(books.db) if one.kind == ProblemKind.NO_ROOM_TO_KNOCK]
    assert told.details == {"who": "NEW (10.0.2.1)", "places": admission.KNOCKING_MAX}


@pytest.mark.parametrize("strangers", [50, 500])
def test_however_many_addresses_knock_who_is_new_is_soon_seen(books: Books, strangers: int) -> None:
    """Each stays connected, and comes again and again."""
    inside: dict[str, StationId] = {}

    def come(identity: str, address: str) -> bool:
        known = admission.knock(books.db, identity, address, books.now_ms, list(inside.values()))
        if known is not None:
            inside[identity] = known.id
        return known is not None

    for number in range(strangers):
        come(f"X-{number}", f"10.0.{number // 250}.{number % 250}")
    assert not come("NEW", "10.0.9.9"), "they have just come themselves"
    books.wait(admission.KNOCK_SEEN_MS // 1000)

    assert come("NEW", "10.0.9.9")
    for number in range(strangers):
        come(f"X-{number}", f"10.0.{number // 250}.{number % 250}")
        assert "NEW" in names_that_knock(books)
        books.now_ms += admission.KNOCK_SEEN_MS // strangers - 1


def test_one_device_has_no_more_places_for_its_many_addresses(books: Books) -> None:
    mac = "02:00:00:00:00:99"
    inside: list[StationId] = []
    for number in range(500):
        address = f"10.0.{number // 250}.{number % 250}"
        known = admission.knock(books.db, f"X-{number}", address, books.now_ms, inside, mac=mac)
        if known is not None:
            inside.append(known.id)
            admission.bind(books.db, known.id, Peer(address, mac), books.now_ms)

    assert len(inside) == admission.KNOCKING_OF_ADDRESS_MAX
    assert admission.knock(books.db, "NEW", "10.0.9.9", books.now_ms, inside) is not None


def test_who_finds_no_place_is_told_by_name_and_comes_in_when_it_is_added(books: Books) -> None:
    inside = []
    for number in range(admission.KNOCKING_OF_ADDRESS_MAX):
        known = admission.knock(books.db, f"X-{number}", "10.0.0.9", books.now_ms)
        assert known is not None
        inside.append(known.id)
    for number in range(7):
        books.now_ms += admission.NO_ROOM_EVERY_MS
        assert admission.knock(books.db, f"N-{number}", "10.0.0.9", books.now_ms, inside) is None

    (told,) = [one for one in rows.open_problems(books.db) if one.kind == ProblemKind.NO_ROOM_TO_KNOCK]
    assert (told.times, told.details["who"]) == (7, [f"N-{number} (10.0.0.9)" for number in range(2, 7)])
    admission.register(books.db, "N-0", "Gate", 0, None, books.by)
    assert admission.knock(books.db, "N-0", "10.0.0.9", books.now_ms, inside) is not None
