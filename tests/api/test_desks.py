"""Card desks through the API: what lies there, jobs from the start request to what came of it, and the stream that tells of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from appliance.domain.by import By
from appliance.domain.cards.tag import Kind, ReaderState, ReaderStatus, Trouble
from appliance.services import settings
from appliance.services.operators import log_ins, operators, tokens
from appliance.ui.api.card_desk.events import CLOSE_REFUSED, DESKS_OF_ONE_MAX, MESSAGE_BYTES_MAX
from tests.api.site import PREFIX, Answer, Client, Running
from tests.support.one_desk import Chip

TIMEOUT_S = 20.0
UID = "04A1B2C3D4E5F6"
OTHER = "04B7C8D9EAFB0C"


@pytest.fixture(name="group")
async def _group(api: Client) -> int:
    return int((await api.post("/groups", {"name": "Customers", "policy": "prepaid"}))["id"])


async def next_event(response: aiohttp.ClientResponse) -> tuple[str, dict[str, Any]]:
    """Name and data of the next event."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            line = await response.content.readline()
            assert line, "the stream has ended"
            if line.startswith(b"event: "):
                name = line.removeprefix(b"event: ").strip().decode()
                data: dict[str, Any] = json.loads((await response.content.readline()).removeprefix(b"data: "))
                return name, data


async def told(response: aiohttp.ClientResponse, name: str, **what: Any) -> dict[str, Any]:
    """The data of the next event of this name with these values."""
    while True:
        found, data = await next_event(response)
        if found == name and all(data[key] == value for key, value in what.items()):
            return data


async def over(api: Client, begun: Answer, *states: str) -> Answer:
    """The job, once it is in one of these states."""
    assert begun.status == 202, begun.body
    path = f"/desks/counter/jobs/{begun['job']}"
    async with await api.stream("/desks/counter/events") as stream:
        while (found := await api.get(path))["state"] not in (states or ("done",)):
            await next_event(stream)
    return found


async def issued(site: Running, api: Client, group: int, chip: Chip, **body: Any) -> Answer:
    """A card for a new person, done; it stays on the reader."""
    asked = {"name": "Rahima Khatun", "group_id": group, **body}
    begun = await api.pay("/desks/counter/issue", asked)
    site.desk.lay(chip)
    return await over(api, begun)


async def test_desks_are_listed_with_their_reader_and_an_empty_place_for_the_card(site: Running, api: Client) -> None:
    desks = await api.get("/desks")
    reader = {
        "state": "ready",
        "name": "PN532v1.6 at /dev/ttyUSB0",
        "detail": "/dev/ttyUSB0",
        "advice": "",
    }
    counter = {"id": "counter", "name": "Counter", "remote": False, "reader": reader, "card": None}
    assert (desks["items"], desks["next"]) == ([counter], None)
    assert (await api.get("/desks/counter")).body == counter
    site.desk.set_reader(ReaderState(ReaderStatus.DEAF, "", "/dev/ttyUSB0"))
    deaf = (await api.get("/desks/counter"))["reader"]
    assert deaf["state"] == "deaf"
    assert deaf["advice"].endswith(".")


async def test_a_desk_that_is_not_there_is_404_whatever_is_asked_of_it(api: Client) -> None:
    assert (await api.get("/desks/cellar")).status == 404
    assert (await api.post("/desks/cellar/read")).status == 404
    assert (await api.pay("/desks/cellar/recharge", {"amount_minor": 5})).status == 404
    async with await api.stream("/desks/cellar/events") as answer:
        assert answer.status == 404
    assert (await api.get("/desks/counter/jobs/1")).status == 404


async def test_a_blank_card_is_nobodys(site: Running, api: Client) -> None:
    site.desk.lay(Chip(UID))
    card = (await api.get("/desks/counter"))["card"]
    assert (card["uid"], card["kind"], card["ours"], card["origin"]) == (UID, "NTAG213", False, "blank")
    assert (card["person_id"], card["number"], card["card_id"]) == (None, None, None)
    assert (card["writable"], card["locked"], card["genuine"], card["advice"]) == (True, False, True, "")


async def test_a_card_is_issued_to_a_new_person_with_a_first_top_up(site: Running, api: Client, group: int) -> None:
    body = {
        "name": "Rahima Khatun",
        "phone": "01712 345678",
        "group_id": group,
        "topup_minor": 50_000,
        "method": "cash",
    }
    begun = await api.pay("/desks/counter/issue", body)
    assert begun.status == 202
    assert begun.headers["Location"] == f"{PREFIX}/desks/counter/jobs/{begun['job']}"
    waiting = await api.get(f"/desks/counter/jobs/{begun['job']}")
    assert (waiting["state"], waiting["card_id"], waiting["receipt"], waiting["advice"]) == ("waiting", None, None, "")
    assert (await api.get("/people"))["items"] == []

    chip = Chip(UID)
    site.desk.lay(chip)
    job = await over(api, begun)
    person = await api.get(f"/people/{job['person_id']}")
    assert (person["name"], person["phone"], person["balance_minor"]) == ("Rahima Khatun", "01712 345678", 50_000)
    card = await api.get(f"/cards/{job['card_id']}")
    assert (card["uid"], card["number"], card["kind"], card["content"]) == (UID, 1, "NTAG213", "written")
    assert (card["deposit_minor"], card["aliases"]) == (0, [])
    assert chip.content.link.startswith("http://127.0.0.1:8081/card/")
    there = (await api.get("/desks/counter"))["card"]
    assert (there["ours"], there["person_id"], there["number"]) == (True, person["id"], 1)
    assert (there["card_id"], there["balance_minor"], there["locked"]) == (card["id"], 50_000, True)

    receipt = await api.get(f"/receipts/{job['receipt']}")
    assert (receipt["number"], receipt["kind"], receipt["amount_minor"]) == (1, "issue", 50_000)
    assert (receipt["person"], receipt["card_number"], receipt["balance_minor"]) == ("Rahima Khatun", 1, 50_000)
    assert (receipt["method"], receipt["by"]) == ("cash", "a test as owner")


async def test_a_job_asked_for_twice_under_its_key_is_one_job(site: Running, api: Client, group: int) -> None:
    body = {"name": "Rahima Khatun", "group_id": group, "topup_minor": 700}
    first = await api.post("/desks/counter/issue", body, key="till-1")
    again = await api.post("/desks/counter/issue", body, key="till-1")
    assert (again.status, again.body, again.headers["Location"]) == (202, first.body, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"
    site.desk.lay(Chip(UID))
    await over(api, first)
    late = await api.post("/desks/counter/issue", body, key="till-1")
    assert late.body == first.body
    assert len((await api.get("/people"))["items"]) == 1
    assert len((await api.get("/receipts"))["items"]) == 1


@pytest.mark.parametrize(
    ("call", "body"),
    [("issue", {"name": "Rahima"}), ("recharge", {"amount_minor": 5}), ("decommission", {}), ("jobs/1/undo", {})],
)
async def test_a_call_that_moves_money_at_a_desk_needs_a_key(api: Client, call: str, body: dict[str, Any]) -> None:
    assert (await api.post(f"/desks/counter/{call}", body)).status == 400


@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        ("issue", {}, "person_id"),
        ("issue", {"name": "Rahima", "person_id": 1}, "person_id"),
        ("issue", {"name": " ", "group_id": 1}, "name"),
        ("issue", {"name": "Rahima", "topup_minor": -1}, "topup_minor"),
        ("issue", {"name": "Rahima", "topup_minor": 1.5}, "topup_minor"),
        ("issue", {"name": "Rahima", "method": "shells"}, "method"),
        ("issue", {"name": "Rahima", "currency": "EUR"}, "currency"),
        ("issue", {"name": "Rahima", "expires_at": "soon"}, "expires_at"),
        ("recharge", {}, "amount_minor"),
        ("recharge", {"amount_minor": 0}, "amount_minor"),
        ("batch", {"count": 0}, "count"),
        ("batch", {"count": 1, "person_id": 1, "group_id": 1}, "person_id"),
        ("replace", {}, "old_card_id"),
        ("rewrite", {}, "card_id"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_by_its_field(
    api: Client, group: int, call: str, body: dict[str, Any], field: str
) -> None:
    assert group
    answer = await api.pay(f"/desks/counter/{call}", body)
    assert (answer.status, answer["field"]) == (422, field)


async def test_a_card_is_recharged_as_it_lies_there(site: Running, api: Client, group: int) -> None:
    first = await issued(site, api, group, Chip(UID))
    assert first["receipt"] is None
    job = await over(api, await api.pay("/desks/counter/recharge", {"amount_minor": 20_000, "method": "mobile"}))
    assert (job["card_id"], job["person_id"], job["receipt"]) == (first["card_id"], first["person_id"], 1)
    assert (await api.get(f"/people/{first['person_id']}"))["balance_minor"] == 20_000
    assert (await api.get("/ledger/trial-balance"))["balanced"] is True


async def test_a_recharge_meant_for_another_card_waits_and_says_so(site: Running, api: Client, group: int) -> None:
    mine = await issued(site, api, group, Chip(UID))
    await issued(site, api, group, Chip(OTHER), name="Karim Ahmed")
    async with await api.stream("/desks/counter/events") as stream:
        begun = await api.pay("/desks/counter/recharge", {"amount_minor": 500, "card_id": mine["card_id"]})
        waiting = await told(stream, "progress", id=begun["job"], advice_code="other_card")
    assert waiting["state"] == "waiting"
    assert waiting["advice"].endswith(".")
    cancelled = await api.post(f"/desks/counter/jobs/{begun['job']}/cancel")
    assert (cancelled["state"], cancelled["advice_code"], cancelled["receipt"]) == ("failed", "cancelled", None)
    assert (await api.post(f"/desks/counter/jobs/{begun['job']}/cancel")).status == 409
    assert (await api.get("/receipts"))["items"] == []


async def test_a_torn_card_is_finished_when_it_is_laid_again(site: Running, api: Client, group: int) -> None:
    chip = Chip(UID)
    site.desk.trouble = Trouble.TORN
    begun = await api.pay("/desks/counter/issue", {"name": "Rahima", "group_id": group, "topup_minor": 300})
    site.desk.lay(chip)
    torn = await over(api, begun, "torn")
    assert (torn["advice_code"], torn["receipt"]) == ("present_again", 1)
    assert torn["advice"]
    assert [row["kind"] for row in (await api.get("/problems"))["items"]] == ["torn_card"]
    site.desk.lay(chip)
    done = await over(api, begun)
    assert (done["card_id"], done["receipt"], done["advice"]) == (torn["card_id"], 1, "")
    assert (await api.get("/problems"))["items"] == []
    assert (await api.get(f"/people/{done['person_id']}"))["balance_minor"] == 300


async def test_a_card_that_cannot_be_written_is_accepted_by_its_number(site: Running, api: Client, group: int) -> None:
    site.desk.trouble = Trouble.REFUSED
    begun = await api.pay("/desks/counter/issue", {"name": "Rahima", "group_id": group})
    assert (await api.post(f"/desks/counter/jobs/{begun['job']}/accept")).status == 409
    site.desk.lay(Chip(UID))
    torn = await over(api, begun, "torn")
    assert torn["advice_code"] == "cannot_write"
    done = await api.post(f"/desks/counter/jobs/{begun['job']}/accept")
    assert (done.status, done["state"]) == (200, "done")
    assert (await api.get(f"/cards/{done['card_id']}"))["content"] == "none"


async def test_a_slip_is_taken_back_with_a_credit_note_and_only_once(site: Running, api: Client, group: int) -> None:
    chip = Chip(UID)
    job = await issued(site, api, group, chip, topup_minor=900)
    path = f"/desks/counter/jobs/{job['id']}"
    undone = await api.post(f"{path}/undo", key="back")
    assert (undone.status, undone.body) == (200, {"job": job["id"], "credit_note": 2})
    again = await api.post(f"{path}/undo", key="back")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (undone.body, "true")
    assert (await api.post(f"{path}/undo", key="another")).status == 409
    now = await api.get(path)
    assert (now["state"], now["undone"], now["receipt"], now["credit_note"]) == ("done", True, 1, 2)
    receipts = (await api.get("/receipts"))["items"]
    assert [(row["number"], row["amount_minor"], row["corrects"], row["corrected_by"]) for row in receipts] == [
        (2, -900, 1, None),
        (1, 900, None, 2),
    ]
    assert (await api.get(f"/people/{job['person_id']}"))["closed_at"] is not None
    async with await api.stream("/desks/counter/events") as stream:
        while (await api.get(f"/cards/{job['card_id']}"))["content"] != "wiped":
            await next_event(stream)
    assert (chip.content.link, chip.content.record, chip.keys) == ("", b"", None)
    there = (await api.get("/desks/counter"))["card"]
    assert (there["ours"], there["person_id"], there["number"]) == (False, None, 1)


async def test_a_lost_card_is_replaced_and_the_old_one_is_dead(site: Running, api: Client, group: int) -> None:
    old = await issued(site, api, group, Chip(UID), topup_minor=900)
    site.desk.take()
    begun = await api.post("/desks/counter/replace", {"old_card_id": old["card_id"]})
    site.desk.lay(Chip(OTHER))
    new = await over(api, begun)
    assert new["person_id"] == old["person_id"]
    dead = await api.get(f"/cards/{old['card_id']}")
    assert (dead["blocked"], dead["replaced_by"]) == (True, new["card_id"])
    assert (await api.get(f"/people/{old['person_id']}"))["balance_minor"] == 900
    again = await api.post("/desks/counter/replace", {"old_card_id": old["card_id"]})
    assert again.status == 409


async def test_a_card_comes_back_empty_and_its_money_is_given_back(site: Running, api: Client, group: int) -> None:
    chip = Chip(UID)
    job = await issued(site, api, group, chip, topup_minor=900)
    asked = {"card_id": job["card_id"], "refund": True, "rest": True}
    back = await over(api, await api.pay("/desks/counter/decommission", asked))
    assert (await api.get(f"/receipts/{back['receipt']}"))["amount_minor"] == -900
    card = await api.get(f"/cards/{job['card_id']}")
    assert (card["blocked"], card["blocked_why"], card["content"]) == (True, "returned", "wiped")
    assert chip.keys is None
    assert (await api.get(f"/people/{job['person_id']}"))["balance_minor"] == 0


async def test_only_who_may_refund_pays_out_what_is_left_in_the_wallet(site: Running, api: Client, group: int) -> None:
    job = await issued(site, api, group, Chip(UID), topup_minor=900)
    cashier = await site.client("cashier")
    refused = await cashier.pay("/desks/counter/decommission", {"card_id": job["card_id"], "rest": True})
    assert refused.status == 403
    assert (await api.get(f"/cards/{job['card_id']}"))["blocked"] is False
    back = await over(
        api, await cashier.pay("/desks/counter/decommission", {"card_id": job["card_id"], "refund": True})
    )
    assert (back["state"], back["receipt"]) == ("done", None)
    assert (await api.get(f"/people/{job['person_id']}"))["balance_minor"] == 900


async def test_a_card_is_written_anew_with_another_link(site: Running, api: Client, group: int) -> None:
    chip = Chip(UID)
    job = await issued(site, api, group, chip)
    link = chip.content.link
    done = await over(api, await api.post("/desks/counter/rewrite", {"card_id": job["card_id"]}))
    assert done["kind"] == "rewrite"
    assert chip.content.link not in ("", link)


async def test_a_stack_of_cards_is_made_one_after_another(site: Running, api: Client, group: int) -> None:
    async with await api.stream("/desks/counter/events") as stream:
        begun = await api.post("/desks/counter/batch", {"count": 2, "group_id": group, "label": "Fleet"})
        site.desk.lay(Chip(UID))
        first = await told(stream, "progress", made=1)
        assert (first["state"], len(first["cards"])) == ("waiting", 1)
        site.desk.lay(Chip(OTHER))
        done = await told(stream, "done")
    assert (done["id"], done["state"], done["made"]) == (begun["job"], "done", 2)
    names = [(await api.get(f"/cards/{card}"))["person"] for card in done["cards"]]
    assert names == ["Fleet 0001", "Fleet 0002"]


async def test_reading_says_what_lies_there_and_books_nothing(site: Running, api: Client, group: int) -> None:
    site.desk.lay(Chip(OTHER, foreign=True))
    foreign = await over(api, await api.post("/desks/counter/read"))
    assert (foreign["card_id"], foreign["advice_code"]) == (None, "foreign")
    assert foreign["advice"] == (await api.get("/desks/counter"))["card"]["advice"]
    job = await issued(site, api, group, Chip(UID))
    known = await over(api, await api.post("/desks/counter/read"))
    assert (known["card_id"], known["person_id"], known["advice_code"]) == (job["card_id"], job["person_id"], "")


async def test_a_copy_and_cards_that_will_not_do_are_told_apart(site: Running, api: Client, group: int) -> None:
    await issued(site, api, group, Chip(UID))
    for chip, code in (
        (Chip(UID, kind=Kind.TYPE2, genuine=None), "copied"),
        (Chip("08A1B2C3", kind=Kind.TYPE4, random=True), "random"),
        (Chip(OTHER, several=True), "several"),
        (Chip(OTHER, foreign=True), "foreign"),
    ):
        site.desk.lay(chip)
        card = (await api.get("/desks/counter"))["card"]
        assert (card["ours"], card["advice_code"]) == (False, code)
        assert card["advice"]


async def test_the_stream_begins_with_how_it_is_and_goes_on_with_what_changes(
    site: Running, api: Client, group: int
) -> None:
    async with await api.stream("/desks/counter/events") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        name, reader = await next_event(stream)
        assert (name, reader["state"]) == ("reader", "ready")
        assert await next_event(stream) == ("gone", {})
        begun = await api.pay("/desks/counter/issue", {"name": "Rahima", "group_id": group})
        assert (await told(stream, "progress", id=begun["job"]))["state"] == "waiting"
        site.desk.lay(Chip(UID))
        assert (await told(stream, "card"))["uid"] == UID
        assert (await told(stream, "done", id=begun["job"]))["state"] == "done"
        site.desk.take()
        assert await told(stream, "gone") == {}
        site.desk.set_reader(ReaderState(ReaderStatus.LOOKING))
        assert (await told(stream, "reader"))["state"] == "looking"


async def test_a_stream_that_begins_later_is_told_of_the_card_and_the_job_that_are_there(
    site: Running, api: Client
) -> None:
    site.desk.lay(Chip(OTHER, foreign=True))
    begun = await api.pay("/desks/counter/recharge", {"amount_minor": 5})
    async with await api.stream("/desks/counter/events") as stream:
        assert [(await next_event(stream))[0] for _ in range(2)] == ["reader", "card"]
        assert (await told(stream, "progress"))["id"] == begun["job"]


async def test_the_stream_of_the_site_says_nothing_of_desks(site: Running, api: Client, group: int) -> None:
    async with await api.stream() as stream:
        site.desk.lay(Chip(UID))
        site.desk.take()
        await api.post("/people", {"name": "Karim", "group_id": group})
        assert (await next_event(stream))[0] == "person"


async def test_receipts_come_in_pages_the_newest_first(api: Client, group: int) -> None:
    people = [(await api.post("/people", {"name": name, "group_id": group}))["id"] for name in ("A", "B")]
    for amount, person in ((100, 0), (200, 1), (300, 0)):
        booked = await api.pay(f"/people/{people[person]}/topups", {"amount_minor": amount})
        assert (await api.get(f"/receipts/{booked['receipt']}"))["amount_minor"] == amount
    refund = await api.pay(f"/people/{people[0]}/refunds", {"amount_minor": 50})
    assert refund["receipt"] == 4
    first = await api.get("/receipts", limit=3)
    assert [row["number"] for row in first["items"]] == [4, 3, 2]
    rest = await api.get("/receipts", limit=3, after=first["next"])
    assert ([row["number"] for row in rest["items"]], rest["next"]) == ([1], None)
    assert [row["number"] for row in (await api.get("/receipts", person=people[1]))["items"]] == [2]
    assert (await api.get("/receipts/5")).status == 404
    corrected = await api.pay(f"/people/{people[0]}/corrections", {"amount_minor": 5, "reason": "slip"})
    assert corrected["receipt"] is None


async def test_the_limits_of_a_card_are_set_whole_and_shown(api: Client, group: int) -> None:
    person = await api.post("/people", {"name": "Rahima", "group_id": group})
    card = await api.post("/cards", {"uid": "04A1B2C3", "person_id": person["id"]})
    await api.post("/stations", {"id": "CS-01"})
    path = f"/cards/{card['id']}/limits"
    unlimited = await api.get(path)
    assert (unlimited["day_minor"], unlimited["from_time"], unlimited["until_time"]) == (None, "00:00", "24:00")
    assert (len(unlimited["weekdays"]), unlimited["stations"]) == (7, [])
    wanted = {
        "session_energy_wh": 20_000,
        "day_minor": 50_000,
        "weekdays": ["sat", "mon"],
        "from_time": "22:30",
        "until_time": "06:00",
        "stations": ["CS-01"],
    }
    limited = await api.call("PUT", path, body=wanted)
    assert limited.status == 200
    assert {name: limited[name] for name in wanted} == wanted | {"weekdays": ["mon", "sat"]}
    assert (await api.get(path)).body == limited.body
    assert (await api.call("PUT", path, body={})).body == unlimited.body
    for body, field in (
        ({"day_minor": 0}, "day_minor"),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": ["someday"]}, "weekdays.0"),
        ({"from_time": "24:00"}, "from_time"),
        ({"until_time": "6"}, "until_time"),
        ({"stations": ["CS-99"]}, "stations"),
        ({"currency": "EUR"}, "currency"),
    ):
        answer = await api.call("PUT", path, body=body)
        assert (answer.status, answer["field"]) == (422, field)
    assert (await api.get("/cards/999/limits")).status == 404


# --- readers on other computers ----------------------------------------------------------------------------------------------


async def test_a_desk_on_another_computer_joins_and_is_listed_until_it_goes(site: Running, api: Client) -> None:
    async with api.join("office") as socket:
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=TIMEOUT_S) == "heard hello"
        assert [(desk["id"], desk["remote"]) for desk in (await api.get("/desks"))["items"]] == [
            ("counter", False),
            ("office", True),
        ]
        async with api.join("office") as second:
            refused = await second.receive(timeout=TIMEOUT_S)
            assert (refused.type, refused.data) == (WSMsgType.CLOSE, CLOSE_REFUSED)
            assert "office" in str(refused.extra)
    async with asyncio.timeout(TIMEOUT_S):
        await site.desk.nobody_joined.wait()


@pytest.mark.parametrize("name", ["", "join", "Office", "a_b", "-a", "a" * 33, "a/b", "a%0A"])
async def test_a_desk_must_be_called_by_a_name_that_can_stand_in_an_address(api: Client, name: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await api.join(name)
    assert refused.value.status == 422


async def test_only_a_token_that_may_use_desks_opens_the_way_for_a_reader(site: Running, api: Client) -> None:
    clients = {
        401: site.nobody(),
        403: await site.client("guard"),
    }
    for status, client in clients.items():
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.join("office")
        assert refused.value.status == status
    async with await api.stream("/desks/join?name=office") as answer:
        assert answer.status == 400
    assert site.desk.joined == []


async def test_a_cookie_opens_no_way_for_a_reader(site: Running) -> None:
    token = tokens.new_token()
    now_ms = site.console.clock()
    operator = await site.store.write(
        operators.add, login="till", name="Till", role="cashier", password_hash="$2b$04$unused", language="",
        by=By("console", now_ms),
    )  # fmt: skip
    await site.store.write(log_ins.log_in, operator, token, address="", browser="", now_ms=now_ms)
    client = site.nobody()
    client.headers = {"Cookie": f"sid={token}", "Origin": site.url}
    assert (await client.get("/desks")).status == 200
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.join("office")
    assert refused.value.status == 403


async def test_what_is_no_text_or_too_long_ends_the_connection_and_nothing_else(site: Running, api: Client) -> None:
    async with api.join("binary") as socket:
        await socket.send_bytes(b"\x00")
        assert (await socket.receive(timeout=TIMEOUT_S)).data == 1003
    async with api.join("long") as socket:
        await socket.send_str("x" * (MESSAGE_BYTES_MAX + 1))
        assert (await socket.receive(timeout=TIMEOUT_S)).data == 1009
    assert (await api.get("/desks")).status == 200
    async with asyncio.timeout(TIMEOUT_S):
        await site.desk.nobody_joined.wait()


async def test_the_end_of_the_server_is_told_to_the_readers(site: Running, api: Client) -> None:
    async with api.join("office") as socket:
        await socket.send_str("hello")
        await socket.receive_str(timeout=TIMEOUT_S)
        ending = asyncio.create_task(site.application.shutdown())
        assert (await socket.receive(timeout=TIMEOUT_S)).data == 1001
        await ending


async def test_a_token_has_so_many_desks_and_no_more(site: Running, api: Client) -> None:
    async with AsyncExitStack() as stack:
        for number in range(DESKS_OF_ONE_MAX):
            await stack.enter_async_context(api.join(f"desk-{number}"))
        with pytest.raises(WSServerHandshakeError) as refused:
            await api.join("one-too-many")
        assert refused.value.status == 503
        async with (await site.client("cashier")).join("another"):
            pass


async def test_an_old_card_is_taken_over_once_by_its_number(site: Running, api: Client, group: int) -> None:
    body = {"name": "Rahima Khatun", "group_id": group, "old_minor": 12_500, "uid": "04 A1 B2 C3"}
    refused = await api.pay("/desks/counter/take-over", body)
    assert (refused.status, refused["detail"]) == (422, "No old cards are taken over here.")
    await site.store.write(settings.change, "old_card_max_minor", "50000")

    begun = await api.post("/desks/counter/take-over", body, key="old")
    again = await api.post("/desks/counter/take-over", body, key="old")
    assert (begun.status, again.body) == (202, begun.body)
    person = (await api.get("/people"))["items"][0]
    assert (person["name"], person["balance_minor"]) == ("Rahima Khatun", 12_500)
    twice = await api.pay("/desks/counter/take-over", {"old_minor": 12_500, "uid": "04A1B2C3"})
    assert twice.status == 409
    assert (await api.get("/people"))["items"][0]["balance_minor"] == 12_500
