"""The page of a card desk when a card is laid: whose it is, and what is wrong with it."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from appliance.domain.cards import content
from appliance.domain.cards.tag import Kind, ReaderState, ReaderStatus
from appliance.domain.desk_job import Advice
from appliance.domain.desk_request import ReaderRequest
from appliance.ui.wording import card_desk
from tests.support.one_desk import Chip
from tests.ui.console.card_desk.counter import BLANK, Browser, Counter, get, send, watch
from tests.ui.frame.test_live import next_event


async def test_an_empty_reader_asks_for_a_card(client: Browser) -> None:
    html = await get(client, "/desk")

    assert "Lay a card on the reader" in html
    assert "Reader ready" in html


async def test_a_card_with_a_holder_shows_who_how_much_and_what_was_last(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip("04A1B2C3"))
    html = await get(client)

    assert ">Rahima Khatun</a></h2>" in html
    assert "Card 0001" in html
    assert "is what it buys" in html
    assert "Hall 2" in html
    assert html.count("<tr><td") <= 10


async def test_a_tap_reaches_the_page_that_is_open(counter: Counter, client: Browser) -> None:
    stream = await watch(client, "desk:counter")
    await next_event(stream)

    counter.desk.lay(Chip("04A1B2C3"))
    _, fragments = await next_event(stream)

    assert "Rahima Khatun" in fragments["desk-who"]
    assert 'name="card" value="1"' in fragments["desk-act"]


async def test_what_somebody_types_in_stands_still_while_the_balance_moves(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip("04A1B2C3"))
    stream = await watch(client, "desk:counter")
    _, before = await next_event(stream)

    await send(client, "recharge", card="1", at="number", preset="200.00", method="cash")
    _, fragments = await next_event(stream)

    assert "desk-who" in fragments
    assert "desk-act" not in fragments
    assert "key" not in re.findall(r'name="([^"]+)"', before["desk-act"])


async def test_a_tap_is_told_on_other_pages_of_a_browser_that_has_opened_the_desk(
    counter: Counter, client: Browser
) -> None:
    assert 'data-live="tap:' not in await get(client, "/people")
    await get(client)
    assert 'data-live="tap:counter"' in await get(client, "/people")
    stream = await watch(client, "tap:counter")
    _, fragments = await next_event(stream)
    assert "hidden" in fragments["tap"]

    counter.desk.lay(Chip("04A1B2C3"))
    _, fragments = await next_event(stream)

    assert "Rahima Khatun" in fragments["tap"]
    assert 'href="/desk/counter"' in fragments["tap"]


@pytest.mark.parametrize(
    ("chip", "words"),
    [
        (Chip("08A1B2C3", random=True), "another number at each tap"),
        (Chip(BLANK, several=True), "More than one card lies on the reader"),
        (Chip(BLANK, foreign=True), "what stands on it is written over"),
        (Chip(BLANK, genuine=False), "not its maker&#39;s own"),
        (Chip("6ADE4704", Kind.CLASSIC, writable=False), "Nothing can be written on this kind of card"),
    ],
)
async def test_what_is_wrong_with_a_card_is_said(counter: Counter, client: Browser, chip: Chip, words: str) -> None:
    counter.desk.lay(chip)

    assert words in await get(client)


async def test_a_card_locked_by_a_stranger_is_not_offered_to_anybody(counter: Counter, client: Browser) -> None:
    stranger = Chip(BLANK, foreign=True)
    stranger.keys = content.keys(b"another site's key", BLANK)
    counter.desk.lay(stranger)
    html = await get(client)

    assert "locked with a key that is not ours" in html
    assert 'id="desk-issue"' not in html


async def test_a_copy_is_said_and_not_recharged(counter: Counter, client: Browser) -> None:
    await counter.give_out(client, Chip(BLANK))
    counter.desk.lay(Chip(BLANK))  # The same number, and nothing of ours on it.
    html = await get(client)

    assert "This is a copy" in html
    assert 'id="desk-recharge"' not in html


@pytest.mark.parametrize("status", list(ReaderStatus))
async def test_every_state_of_a_reader_has_words(counter: Counter, client: Browser, status: ReaderStatus) -> None:
    counter.desk.set_reader(ReaderState(status, "ACR122U", "pn533_usb"))
    html = await get(client)
    words = card_desk.READERS[status]

    assert words.word in html
    assert "{" not in re.sub(r"data-\w+=\"[^\"]*\"", "", html)
    if words.tone == "fault":
        assert "pn533_usb" in html


def test_the_tables_of_words_know_every_kind_and_every_advice() -> None:
    assert set(card_desk.ADVICE) == set(Advice) - {Advice.NONE}
    assert set(card_desk.KINDS) == {one.kind for one in get_args(ReaderRequest)}
