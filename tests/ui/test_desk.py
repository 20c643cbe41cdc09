"""The page of a card desk: who lies there, what its forms do, and that they do it once and to nobody else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from appliance.db import desk_jobs, ledger, people, receipts
from appliance.db.desk_jobs import Job
from appliance.db.people import Card
from appliance.domain import card_content
from appliance.domain.identifiers import PersonId
from appliance.domain.tag import Kind, ReaderState, ReaderStatus, Trouble
from appliance.services import cash_desk, settings
from appliance.services import desk_jobs as service
from appliance.services.announce import Announcement, DeskChanged
from appliance.services.operators import Role
from appliance.ui import desk_words
from tests.support.one_desk import Chip, OneDesk
from tests.ui.test_live import next_event
from tests.ui.yard import ACTOR, DESK_KEY, NOW_MS, Yard, open_yard

OURS = {"Sec-Fetch-Site": "same-origin"}
HERE = "/desk/counter"
RAHIMA = PersonId(1)
BLANK = "04E1B2C3D4E580"
OTHER = "04F1B2C3D4E580"
Browser = TestClient[Any, Any]


@dataclass(slots=True)
class Counter:
    """A yard with a desk whose reader is ready."""

    yard: Yard
    desk: OneDesk

    async def job(self) -> Job:
        """The newest job."""
        return (await self.yard.store.read(desk_jobs.latest_at, "counter", 1))[0]

    async def card(self, uid: str) -> Card:
        """A card that must be there."""
        found = await self.yard.store.read(people.card_by_uid, uid)
        assert found is not None
        return found

    async def balance(self, person: int = RAHIMA) -> int:
        """Of a wallet."""
        found = await self.yard.store.read(people.find, PersonId(person))
        assert found is not None
        return found.balance_minor

    async def until(self, *states: str) -> Job:
        """The newest job, once it has come into one of these states, or has this advice."""
        news = asyncio.Event()

        def hear(announcements: list[Announcement]) -> None:
            if any(isinstance(one, DeskChanged) for one in announcements):
                news.set()

        deaf = self.yard.hub.listen(hear)
        try:
            while not {(job := await self.job()).state, job.advice} & set(states):
                await news.wait()
                news.clear()
        finally:
            deaf()
        return job

    async def give_out(self, client: Browser, chip: Chip, **form: str) -> Card:
        """A card for somebody new, by the form; it lies on the reader afterwards."""
        self.desk.lay(chip)
        await send(client, "issue", **{"name": "Anwara Begum", "preset": "", "method": "cash"} | form)
        await self.until("done")
        return await self.card(chip.uid)


@pytest.fixture(name="counter")
async def _counter(tmp_path: Path) -> AsyncIterator[Counter]:
    made: list[OneDesk] = []
    yard: Yard

    def desks(store: Any, hub: Any) -> OneDesk:
        made.append(OneDesk(store, hub, DESK_KEY, lambda: yard.now_ms))
        return made[0]

    async with open_yard(tmp_path, desks=desks) as yard, made[0].running() as desk:
        yield Counter(yard, desk)


@pytest.fixture(name="client")
async def _client(counter: Counter) -> Browser:
    """A cashier."""
    return await counter.yard.logged_in(Role.CASHIER)


async def get(client: Browser, path: str = HERE) -> str:
    """A page, redirects followed."""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def keys_in(html: str) -> dict[str, str]:
    """The one-time keys of a page by the form they belong to."""
    return dict(re.findall(r'name="key" form="([a-z-]+)" value="([^"]+)"', html))


async def send(client: Browser, action: str, key: str = "", **form: str) -> tuple[int, str]:
    """Send one of the desk's forms with the key of a page that was just opened; status and page afterwards."""
    key = key or keys_in(await get(client))["desk-issue"]
    async with client.post(f"{HERE}/{action}", data={"key": key, **form}, headers=OURS) as answer:
        return answer.status, await answer.text()


async def watch(client: Browser, view: str) -> ClientResponse:
    """A live stream."""
    stream = await client.get("/live", params={"view": view})
    assert stream.status == 200
    return stream


# --- who lies there ----------------------------------------------------------------------------------------------------------


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
    stranger.keys = card_content.keys(b"another site's key", BLANK)
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
    words = desk_words.READERS[status]

    assert words.word in html
    assert "{" not in re.sub(r"data-\w+=\"[^\"]*\"", "", html)
    if words.tone == "fault":
        assert "pn533_usb" in html


async def test_the_table_of_words_knows_every_name_that_services_use() -> None:
    services = Path(service.__file__).parent
    used: set[str] = set()
    for name in ("desk_jobs.py", "card_desk.py", "card_checks.py", "desk_steps.py", "undo.py"):
        source = (services / name).read_text()
        used |= set(re.findall(r'Unsuitable\("(\w+)"', source))
        used |= set(re.findall(r'"failed", now_ms, (?:"" if [\w.]+ else )?"(\w+)"', source))
        used |= set(re.findall(r'Trouble\.\w+: "(\w+)"', source))

    assert len(used) > 10
    assert used <= set(desk_words.ADVICE)


# --- giving out --------------------------------------------------------------------------------------------------------------


async def test_a_card_is_given_to_somebody_new_with_a_first_top_up(counter: Counter, client: Browser) -> None:
    card = await counter.give_out(client, Chip(BLANK), phone="01911 111222", preset="500.00")
    html = await get(client)

    assert card.person == "Anwara Begum"
    assert card.content == "written"
    assert await counter.balance(card.person_id) == 500_00
    assert f"Anwara Begum has card {card.number:04}." in html
    assert "৳500.00 in cash taken." in html
    assert "Receipt 4" in html


async def test_the_form_may_be_sent_before_the_card_is_laid_down(counter: Counter, client: Browser) -> None:
    _, html = await send(client, "issue", name="Anwara Begum", preset="", method="cash")
    assert "Lay the new card for Anwara Begum on the reader." in html

    counter.desk.lay(Chip(BLANK))
    await counter.until("done")

    assert (await counter.card(BLANK)).person == "Anwara Begum"


async def test_the_same_form_twice_is_one_card_and_one_person(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK))
    key = keys_in(await get(client))["desk-issue"]
    for _ in range(2):
        await send(client, "issue", key, name="Anwara Begum", preset="500.00", method="cash")
    await counter.until("done")

    assert len(await counter.yard.store.read(people.page, text="Anwara")) == 1
    assert len(await counter.yard.store.read(desk_jobs.latest_at, "counter", 10)) == 1


async def test_a_form_with_a_mistake_comes_back_filled_and_books_nothing(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK))
    status, html = await send(client, "issue", name="Anwara Begum", phone="0191", preset="other", amount_minor="much")

    assert status == 422
    assert 'value="Anwara Begum"' in html
    assert 'data-live="desk-jobs:counter"' in html
    assert await counter.yard.store.read(desk_jobs.latest_at, "counter", 1) == []


async def test_another_card_goes_to_somebody_who_is_known(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK))
    html = await get(client, f"{HERE}?person=1")
    assert 'name="person" value="1"' in html

    await send(client, "issue", person="1", preset="", method="cash")
    await counter.until("done")

    assert (await counter.card(BLANK)).person_id == RAHIMA


async def test_a_foreign_card_is_used_all_the_same_only_if_somebody_says_so(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK, foreign=True))
    _, html = await send(client, "issue", name="Anwara Begum", preset="", method="cash")
    assert "Something else is written on this card" in html

    await send(client, "issue", name="Anwara Begum", preset="", method="cash", overwrite="1")
    await counter.until("done")

    assert (await counter.card(BLANK)).content == "written"


async def test_the_deposit_is_said_and_taken(counter: Counter, client: Browser) -> None:
    await counter.yard.store.write(settings.change, "card_deposit_minor", "5000")
    counter.desk.lay(Chip(BLANK))
    assert "A deposit of ৳50.00" in await get(client)

    card = await counter.give_out(client, Chip(BLANK), preset="200.00")

    assert card.deposit_minor == 50_00
    assert "৳250.00 in cash taken." in await get(client)


# --- recharging --------------------------------------------------------------------------------------------------------------


async def test_a_recharge_is_booked_once_and_has_a_receipt(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    counter.desk.lay(Chip("04A1B2C3"))
    key = keys_in(await get(client))["desk-recharge"]
    for _ in range(2):
        await send(client, "recharge", key, card="1", at="reader", preset="200.00", method="cash")
    job = await counter.until("done")

    assert await counter.balance() == before + 200_00
    assert f"Receipt {job.receipt}" in await get(client)


async def test_a_card_that_was_swapped_meanwhile_gets_nothing(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip("04B1B2C3"))
    before = await counter.balance(2)

    await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash")
    await counter.until("other_card")

    _, fragments = await next_event(await watch(client, "desk:counter"))
    assert "another card than the one that was meant" in fragments["desk-job"]
    assert await counter.balance(2) == before
    assert (await counter.job()).state == "waiting"


async def test_recharge_and_print_says_which_job_is_to_be_printed(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip("04A1B2C3"))
    _, html = await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash", print="1")
    job = await counter.until("done")

    assert f'data-print="{job.id}"' in html
    assert f'data-receipt="{job.receipt}"' in await get(client)


async def test_what_is_given_up_is_quiet_and_books_nothing(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash")
    job = await counter.job()

    await send(client, f"jobs/{job.id}/cancel")
    counter.desk.lay(Chip("04A1B2C3"))

    assert (await counter.job()).state == "failed"
    assert await counter.balance() == before


# --- torn, taken back ----------------------------------------------------------------------------------------------------------


async def test_a_torn_card_stands_on_the_page_until_it_is_finished(counter: Counter, client: Browser) -> None:
    chip = Chip(BLANK)
    counter.desk.trouble = Trouble.TORN
    counter.desk.lay(chip)
    await send(client, "issue", name="Anwara Begum", preset="500.00", method="cash")
    await counter.until("torn")
    html = await get(client)
    assert "was not finished" in html
    assert "it is finished by itself, and nothing is booked twice" in html

    counter.yard.now_ms += 120_000
    assert "Booked, but the card is not finished" in await get(client)
    counter.desk.lay(chip)
    await counter.until("done")

    assert "Booked, but the card is not finished" not in await get(client)
    assert await counter.balance((await counter.card(BLANK)).person_id) == 500_00


async def test_a_torn_card_is_used_by_its_number(counter: Counter, client: Browser) -> None:
    counter.desk.trouble = Trouble.REFUSED
    counter.desk.lay(Chip(BLANK))
    await send(client, "issue", name="Anwara Begum", preset="", method="cash")
    job = await counter.until("torn")

    await send(client, f"jobs/{job.id}/accept")

    assert (await counter.job()).state == "done"
    assert (await counter.card(BLANK)).content == "none"


async def test_another_card_takes_the_place_of_a_torn_one(counter: Counter, client: Browser) -> None:
    counter.desk.trouble = Trouble.REFUSED
    counter.desk.lay(Chip(BLANK))
    await send(client, "issue", name="Anwara Begum", preset="500.00", method="cash")
    job = await counter.until("torn")

    await send(client, f"jobs/{job.id}/another")
    counter.desk.lay(Chip(OTHER))
    await counter.until("done")

    old, new = await counter.card(BLANK), await counter.card(OTHER)
    assert old.replaced_by == new.id
    assert await counter.balance(new.person_id) == 500_00


async def test_a_slip_is_taken_back_within_the_minute_and_not_after_it(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    counter.desk.lay(Chip("04A1B2C3"))
    await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash")
    job = await counter.until("done")
    assert f"jobs/{job.id}/undo" in await get(client)

    _, html = await send(client, f"jobs/{job.id}/undo")
    assert "credit note" in html
    assert await counter.balance() == before

    await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash")
    job = await counter.until("done")
    counter.yard.now_ms += 61_000
    assert f"jobs/{job.id}/undo" not in await get(client)
    status, _ = await send(client, f"jobs/{job.id}/undo")
    assert status == 409


async def test_what_could_not_be_taken_back_is_not_offered(counter: Counter, client: Browser) -> None:
    card = await counter.give_out(client, Chip(BLANK), preset="200.00")
    job = await counter.job()
    assert f'action="{HERE}/jobs/{job.id}/undo"' in await get(client)

    async with client.post(f"/cards/{card.id}/block", data={"reason": "lost"}, headers=OURS):
        pass
    assert f'action="{HERE}/jobs/{job.id}/undo"' in await get(client)
    await counter.yard.store.write(cash_desk.top_up, card.person_id, 100, "cash", "more", ACTOR, counter.yard.now_ms)

    assert f'action="{HERE}/jobs/{job.id}/undo"' not in await get(client)


# --- what is asked first -----------------------------------------------------------------------------------------------------


def asked_key(html: str) -> str:
    """The key of a form that asks first."""
    found = re.search(r'name="key" value="([^"]+)"', html)
    assert found is not None
    return found[1]


async def test_a_lost_card_is_replaced_and_the_money_stays(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    html = await get(client, f"{HERE}/cards/1/replace")
    assert "charges nowhere any more, for good" in html
    await send(client, "cards/1/replace", asked_key(html))
    counter.desk.lay(Chip(BLANK))
    await counter.until("done")

    new = await counter.card(BLANK)
    assert (await counter.card("04A1B2C3")).replaced_by == new.id
    assert await counter.balance() == before


@pytest.mark.parametrize("place", ["/cards/1", "/people/1"])
async def test_a_lost_card_is_replaced_from_its_page_and_its_holders_as_at_the_desk(
    counter: Counter, client: Browser, place: str
) -> None:
    assert f'href="{HERE}/cards/1/replace" data-dialog' in await get(client, place)
    html = await get(client, f"{HERE}/cards/1/replace")
    assert html.index("Lay the new card on the reader") < html.index('name="uid"')

    form = {"key": asked_key(html)}
    async with client.post(f"{HERE}/cards/1/replace", data=form, headers=OURS) as answer:
        assert (answer.status, answer.url.path) == (200, HERE)
        assert "Lay the new card for Rahima Khatun on the reader." in await answer.text()

    job = await counter.job()
    assert (job.kind, job.state, job.request["card_id"]) == ("replace", "waiting", 1)


async def test_beside_the_reader_the_number_of_the_new_card_can_be_typed(counter: Counter, client: Browser) -> None:
    html = await get(client, f"{HERE}/cards/1/replace")
    keys = re.findall(r'name="key" value="([^"]+)"', html)
    assert len(set(keys)) == 2
    status, html = await send(client, "cards/1/replace", keys[1], uid="nothing")
    assert status == 422
    assert 'id="uid-wrong"' in html
    assert '<details class="more" open>' in html

    await send(client, "cards/1/replace", keys[0])
    await send(client, "cards/1/replace", keys[1], uid=OTHER)

    assert (await counter.card("04A1B2C3")).replaced_by == (await counter.card(OTHER)).id


async def test_with_several_readers_the_question_lets_choose_one(counter: Counter, client: Browser) -> None:
    assert 'href="/desk/gate/' not in await get(client, f"{HERE}/cards/1/replace")
    counter.desk.joined.append("gate")

    html = await get(client, f"{HERE}/cards/1/replace")

    assert 'href="/desk/gate/cards/1/replace" data-dialog' in html
    assert "/desk/gate/" not in await get(client, f"{HERE}/cards/1/block")


async def test_a_foreign_card_takes_the_place_of_a_lost_one_only_if_somebody_says_so(
    counter: Counter, client: Browser
) -> None:
    counter.desk.lay(Chip(BLANK, foreign=True))
    html = await get(client, f"{HERE}/cards/1/replace")
    assert 'name="overwrite"' in html
    await send(client, "cards/1/replace", asked_key(html))
    assert (await counter.until("foreign")).state == "waiting"

    await send(client, "cards/1/replace", overwrite="1")
    await counter.until("done")

    assert (await counter.card("04A1B2C3")).replaced_by == (await counter.card(BLANK)).id


async def test_a_card_comes_back_with_deposit_and_rest(counter: Counter, client: Browser) -> None:
    await counter.yard.store.write(settings.change, "card_deposit_minor", "5000")
    chip = Chip(BLANK)
    card = await counter.give_out(client, chip, preset="200.00")
    manager = await counter.yard.logged_in(Role.MANAGER)
    html = await get(manager, f"{HERE}/cards/{card.id}/return")
    assert "Give back the deposit, ৳50.00" in html
    assert "Pay out the rest of the wallet, ৳200.00" in html

    await send(manager, f"cards/{card.id}/return", asked_key(html), refund="1", rest="1", method="cash")
    job = await counter.until("done")

    receipt = await counter.yard.store.read(receipts.find, job.receipt or 0)
    assert receipt is not None
    assert receipt.amount_minor == -250_00
    assert (await counter.card(BLANK)).content == "wiped"
    assert chip.content.record == b""


async def test_the_cashier_gives_back_the_deposit_and_the_rest_stays_for_a_manager(
    counter: Counter, client: Browser
) -> None:
    await counter.yard.store.write(settings.change, "card_deposit_minor", "5000")
    card = await counter.give_out(client, Chip(BLANK), preset="200.00")
    html = await get(client, f"{HERE}/cards/{card.id}/return")
    assert 'name="rest"' not in html
    assert "৳200.00 stay in the wallet. A manager can pay them out" in html
    status, _ = await send(client, f"cards/{card.id}/return", asked_key(html), rest="1", method="cash")
    assert status == 403

    await send(client, f"cards/{card.id}/return", asked_key(html), refund="1", method="cash")
    job = await counter.until("done")

    receipt = await counter.yard.store.read(receipts.find, job.receipt or 0)
    assert receipt is not None
    assert (receipt.amount_minor, receipt.deposit_minor) == (-50_00, -50_00)
    assert receipt.balance_minor == 200_00


async def test_blocking_and_unblocking_stay_at_the_desk(counter: Counter, client: Browser) -> None:
    html = await get(client, f"{HERE}/cards/1/block")
    _, html = await send(client, "cards/1/block", asked_key(html), reason="lost")
    assert "it charges nowhere" in html
    assert "Unblock…" in html

    await send(client, "cards/1/unblock", asked_key(await get(client, f"{HERE}/cards/1/unblock")))

    assert (await counter.card("04A1B2C3")).blocked_at_ms is None


async def test_a_card_is_written_anew_with_another_link(counter: Counter, client: Browser) -> None:
    card = await counter.give_out(client, Chip(BLANK))
    html = await get(client, f"{HERE}/cards/{card.id}/rewrite")
    await send(client, f"cards/{card.id}/rewrite", asked_key(html))
    await counter.until("done")

    after = await counter.card(BLANK)
    assert after.token != card.token
    assert after.issue == card.issue + 1


async def test_nothing_else_can_be_done_to_a_card(counter: Counter, client: Browser) -> None:
    for method in ("GET", "POST"):
        async with client.request(method, f"{HERE}/cards/1/burn", headers=OURS) as answer:
            assert answer.status == 404


# --- without a reader --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["04:a1:b2:c3", "C3B2A104", "0077705923", "1", "rahima", "01712345678"])
async def test_the_scan_box_finds_a_card_in_whatever_shape_it_is_told(client: Browser, text: str) -> None:
    async with client.get(HERE, params={"q": text}) as answer:
        assert str(answer.url).endswith("?card=1")
        assert "Rahima Khatun" in await answer.text()


async def test_the_scan_box_lists_people_of_whom_there_are_several(client: Browser) -> None:
    async with client.get(HERE, params={"q": "a"}) as answer:
        html = await answer.text()

    assert f"{HERE}?person=1" in html
    assert f"{HERE}?person=2" in html


async def test_an_unknown_number_is_given_out_by_its_number_only(counter: Counter, client: Browser) -> None:
    async with client.get(HERE, params={"q": "04:e1:b2:c3:d4:e5:80"}) as answer:
        assert str(answer.url).endswith(f"?uid={BLANK}")
        assert f'name="uid" value="{BLANK}"' in await answer.text()

    await send(client, "issue", uid=BLANK, name="Anwara Begum", preset="500.00", method="cash")

    card = await counter.card(BLANK)
    assert (await counter.job()).state == "done"
    assert card.content == "none"
    assert await counter.balance(card.person_id) == 500_00


async def test_a_number_that_belongs_to_somebody_is_given_to_nobody_else(counter: Counter, client: Browser) -> None:
    status, html = await send(client, "issue", uid="04A1B2C3", name="Anwara Begum", preset="500.00", method="cash")

    assert status == 409
    assert "belongs to somebody already" in html
    assert await counter.yard.store.read(people.page, text="Anwara") == []
    assert await counter.yard.store.read(desk_jobs.latest_at, "counter", 1) == []


async def test_a_telephones_number_is_refused(client: Browser) -> None:
    async with client.get(HERE, params={"uid": "08A1B2C3"}) as answer:
        assert answer.status == 422
        assert "changes at every tap" in await answer.text()


async def test_a_card_is_recharged_by_its_number_once(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    key = keys_in(await get(client, f"{HERE}?card=1"))["desk-recharge"]
    form = {"card": "1", "at": "number", "preset": "200.00", "method": "mobile"}
    pages = [await send(client, "recharge", key, **form) for _ in range(2)]

    assert all("is booked. Receipt 4." in html for _status, html in pages)
    assert await counter.balance() == before + 200_00
    assert (await counter.yard.store.read(receipts.page))[0].card_id == 1


async def test_a_card_that_is_not_there_comes_back_and_waits_to_be_emptied(counter: Counter, client: Browser) -> None:
    card = await counter.give_out(client, Chip(BLANK))
    counter.desk.take()
    html = await get(client, f"{HERE}/cards/{card.id}/return")
    await send(client, f"cards/{card.id}/return", asked_key(html), by_number="1")

    after = await counter.card(BLANK)
    assert after.blocked_at_ms is not None
    assert after.content == "wiping"
    assert "Leave it as it is" in await get(client)


async def test_a_site_without_any_reader_serves_cards_by_their_numbers(yard: Yard) -> None:
    client = await yard.logged_in(Role.CASHIER)
    html = await get(client, "/desk")
    assert "Without a reader" in html
    assert "autofocus" in html
    assert "New card…" not in html

    async with client.get("/desk/desk/cards/1/replace") as answer:
        html = await answer.text()
    form = {"key": asked_key(html), "uid": "04 e1 b2 c3 d4 e5 80"}
    async with client.post("/desk/desk/cards/1/replace", data=form, headers=OURS) as answer:
        assert answer.status == 200

    new = await yard.store.read(people.card_by_uid, BLANK)
    assert new is not None
    assert new.person_id == RAHIMA


# --- the stack ---------------------------------------------------------------------------------------------------------------


async def test_a_stack_is_made_card_by_card_and_its_sheet_has_their_numbers(counter: Counter, client: Browser) -> None:
    html = await get(client, f"{HERE}/batch")
    _, html = await send(client, "batch", asked_key(html), count="2", group_id="1", label="Guest")
    assert "Lay the next card on the reader: 1 of 2." in html
    stream = await watch(client, "batch:1")
    await next_event(stream)

    counter.desk.lay(Chip(BLANK))
    await counter.until("waiting")
    while "1 <small>" not in (await next_event(stream))[1].get("batch-now", ""):
        pass
    counter.desk.lay(Chip(OTHER))
    await counter.until("done")

    html = await get(client, f"{HERE}/batch/1")
    for uid in (BLANK, OTHER):
        card = await counter.card(uid)
        assert f"Guest {card.number:04}" in html
        assert f"…{uid[-8:]}<" in html
        assert uid not in html


async def test_a_stack_of_a_wrong_size_is_refused(client: Browser) -> None:
    for count in ("0", "1001", "many"):
        key = asked_key(await get(client, f"{HERE}/batch"))
        status, html = await send(client, "batch", key, count=count, group_id="1")
        assert status == 422
        assert f'value="{count}"' in html


# --- names and numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/desk/nowhere", f"{HERE}?card=999", f"{HERE}?person=x", f"{HERE}/batch/999", "/receipts/999", "/demo/reader"],
)
async def test_what_is_not_there_is_said(client: Browser, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 404


async def test_a_job_of_another_desk_is_none_of_this_one(counter: Counter, client: Browser) -> None:
    job = await counter.yard.store.write(service.begin_read, "office", ACTOR, NOW_MS)
    status, _ = await send(client, f"jobs/{job}/cancel")

    assert status == 404


async def test_names_are_shown_as_text(counter: Counter, client: Browser) -> None:
    await counter.give_out(client, Chip(BLANK), name="<script>x</script>", label="<b>")
    html = await get(client)

    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html


async def test_the_books_balance_after_a_day_at_the_desk(counter: Counter, client: Browser) -> None:
    await counter.give_out(client, Chip(BLANK), preset="500.00")
    await send(client, f"jobs/{(await counter.job()).id}/undo")
    counter.desk.lay(Chip("04A1B2C3"))
    await send(client, "recharge", card="1", at="reader", preset="other", amount_minor="১২৩.৪৫", method="bank")
    await counter.until("done")

    accounts = await counter.yard.store.read(ledger.accounts)
    assert sum(account.balance_minor for account in accounts) == 0
