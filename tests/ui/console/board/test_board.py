"""What the board shows, and what its buttons do."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from appliance.db import audit, board
from appliance.db.stations import stations
from appliance.domain.by import By
from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import PersonId, StationId
from appliance.domain.roles import Role
from appliance.domain.site import Site
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.operators import tokens
from appliance.services.people import groups, people
from appliance.services.ports.stations import CommandAnswer, CommandFailed, FailureKind
from appliance.services.sessions import start_requests
from appliance.services.stations import admission, status
from tests.support.statuses import status_changed
from tests.ui.console_fixture import BY, NOW_MS, SITE, ConsoleFixture, open_console

OURS = {"Sec-Fetch-Site": "same-origin"}


async def tiles(served: ConsoleFixture, path: str = "/") -> dict[str, str]:
    """The text of each tile by its name."""
    page = await (await (await served.logged_in()).get(path)).text()
    found = {}
    for article in re.findall(r"<article.*?</article>", page, re.DOTALL):
        text = " ".join(unescape(re.sub(r"<[^>]+>", " ", article)).split())
        name = " ".join(unescape(re.sub(r"<[^>]+>", " ", re.findall(r"<h2>(.*?)</h2>", article)[0])).split())
        found[name] = text
    return found


async def answered(served: ConsoleFixture, path: str, form: dict[str, str] | None = None) -> str:
    """What the page after a form says, the form sent by the owner."""
    client = await served.logged_in()
    page = await (await client.post(path, data=form or {}, headers=OURS)).text()
    note = re.search(r'<div class="note is-(\w+)".*?<span>(.*?)</span>', page, re.DOTALL)
    assert note is not None
    return f"{note[1]}: {unescape(note[2])}"


async def test_each_connector_tells_its_state_in_words(served: ConsoleFixture) -> None:
    words = {
        "Gate 1 · 1": "Charging", "Gate 1 · 2": "Free", "Ramp A": "Plugged in", "Hall 1": "Fault",
        "Hall 2": "Please unplug", "Hall 3": "Reserved", "Court 1": "Offline", "Court 2": "Out of service",
        "Court 3": "Car paused",
    }  # fmt: skip
    shown = await tiles(served)

    assert {name: word for name, word in words.items() if word in shown[name]} == words


async def test_a_charging_tile_tells_energy_money_power_time_and_who(served: ConsoleFixture) -> None:
    text = (await tiles(served))["Gate 1 · 1"]

    assert "12.40 kWh" in text
    assert "৳240.87" in text  # 12.4 kWh at 18.50, and five percent tax.
    assert "Karim Ahmed · 7.2 kW · 1 h 42 min" in text


async def test_a_fault_is_told_in_words_not_in_codes(served: ConsoleFixture) -> None:
    assert "Ground fault: do not touch" in (await tiles(served))["Hall 1"]


async def test_tiles_are_ordered_as_people_count(served: ConsoleFixture) -> None:
    for number in (10, 9):
        station = await served.store.read(stations.by_identity, f"CS-0{number - 5 if number == 10 else 6}")
        assert station is not None
        await served.store.write(admission.rename, station.id, f"Bay {number}", served.by)

    names = [name for name in await tiles(served) if name.startswith("Bay")]

    assert names == ["Bay 9", "Bay 10"]


async def test_the_figures_are_those_of_now_and_today(served: ConsoleFixture) -> None:
    page = await (await (await served.logged_in()).get("/")).text()
    figures = " ".join(unescape(re.sub(r"<[^>]+>", " ", page.split('id="figures"')[1].split("<section")[0])).split())

    assert "29.0 kW now, 3 cars" in figures
    assert "75.4 kWh today, 4 sessions" in figures
    assert "2 need a hand" in figures


async def test_a_session_whose_connector_has_two_plugs_counts_once(served: ConsoleFixture) -> None:
    async def figures() -> str:
        page = await (await (await served.logged_in()).get("/")).text()
        return " ".join(re.sub(r"<[^>]+>", " ", page.split('id="figures"')[1].split("<section")[0]).split())

    before = await figures()
    await served.store.write(
        status.status_changed, StationId(1), replace(status_changed(1, "Charging", NOW_MS, NOW_MS), connector=2)
    )
    after = await figures()

    assert after.split("kWh")[1] == before.split("kWh")[1]


async def test_a_site_without_chargers_is_told_the_very_address_to_enter(bare: ConsoleFixture) -> None:
    page = await (await (await bare.logged_in()).get("/")).text()

    assert "ws://192.168.1.10:9000/ocpp/" in page
    assert "<article" not in page


async def test_a_demo_says_so_on_every_page(tmp_path: Path) -> None:
    async with open_console(tmp_path, site=Site("Yard", "BDT", 2, "Asia/Dhaka", "en", demo=True)) as served:
        client = await served.logged_in()
        for path in ("/", "/stations", "/settings", "/nothing", "/account"):
            assert 'class="demo"' in await (await client.get(path)).text()
        assert 'class="demo"' in await (await served.anybody().get("/login")).text()
    assert not SITE.demo


async def test_no_page_has_code_or_style_inside(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    for path in PAGES:
        answer = await client.get(path)
        page = await answer.text()
        assert answer.status == 200, path
        assert " style=" not in page, path
        assert "<style" not in page, path
        assert not re.search(r"<script(?![^>]* src=)", page), path
        assert not re.search(r"\son[a-z]+=", page), path
        assert not re.search(r"""(src|href)=["'](https?:)?//""", page), path


PAGES = (
    "/", "/stations", "/stations/new", "/stations/CS-01", "/stations/CS-01/messages", "/stations/CS-01/variables",
    "/stations/CS-01/call", "/stations/CS-01/security", "/stations/CS-01/retire", "/stations/ACME-0042/approve",
    "/stations/CS-02/1/start", "/stations/CS-01/1/stop", "/stations/CS-02/1/unlock", "/stations/CS-02/1/close",
    "/stations/CS-08/1/open", "/stations/CS-04/reset", "/problems", "/settings", "/operators", "/operators/1", "/audit",
    "/account", "/more", "/search?q=a",
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "bn"])
async def test_every_page_can_be_shown_in_every_language(served: ConsoleFixture, language: str) -> None:
    client = await served.logged_in()
    await client.post("/account/language", data={"language": language}, headers=OURS)
    for path in PAGES:
        answer = await client.get(path)
        assert answer.status == 200, path
        assert f'<html lang="{language}"' in await answer.text()


async def test_bengali_pages_write_bengali_digits(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await client.post("/account/language", data={"language": "bn"}, headers=OURS)
    page = await (await client.get("/")).text()

    assert "১২.৪০" in page
    assert "২৪০.৮৭" in page


async def test_bengali_pages_refuse_in_bengali_digits_too(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await client.post("/account/language", data={"language": "bn"}, headers=OURS)

    answer = await client.post("/tariffs/new", data={"name": "Night", "idle_grace_min": "9999"}, headers=OURS)
    wrong = "".join(re.findall(r'class="wrong"[^>]*>(.*?)</p>', await answer.text()))
    assert answer.status == 422
    assert "১,৪৪০" in wrong
    assert not re.search(r"[0-9]", re.sub(r"<[^>]+>", "", wrong))


# --- commands ------------------------------------------------------------------------------------------------------------


async def person_number(served: ConsoleFixture, name: str) -> str:
    """The number of a person, as a form has it."""
    found = await served.store.read(lambda db: db.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone())
    return str(found[0])


async def test_a_start_holds_the_money_and_then_asks_the_charger(served: ConsoleFixture) -> None:
    said = await answered(served, "/stations/CS-02/1/start", {"person": await person_number(served, "Rahima Khatun")})

    station, evse, token = served.stations.asked[0][1:]
    held = await served.store.read(
        lambda db: db.execute(
            "SELECT held_minor, state FROM session WHERE id_token = ? AND state = 'requested'", (token.value,)
        ).fetchone()
    )
    assert served.stations.asked[0][0] == "remote_start"
    assert (station, evse) == (2, 1)
    assert held[0] > 0
    assert said.startswith("waiting: Ramp A: the charger has accepted")


async def test_accepted_is_not_charging(served: ConsoleFixture) -> None:
    await answered(served, "/stations/CS-02/1/start", {"person": await person_number(served, "Rahima Khatun")})

    assert "Starting…" in (await tiles(served))["Ramp A"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (CommandAnswer(False, "Rejected"), "The charger refused."),
        (CommandFailed(FailureKind.TIMEOUT, "no answer"), "Nobody knows whether it obeyed"),
        (CommandFailed(FailureKind.BUSY, "queue full"), "still busy"),
    ],
)
async def test_a_start_that_fails_says_why(served: ConsoleFixture, answer: Any, words: str) -> None:
    served.stations.answers["remote_start"] = answer

    said = await answered(served, "/stations/CS-02/1/start", {"person": await person_number(served, "Rahima Khatun")})

    assert said.startswith("failed:")
    assert words in said


async def test_a_start_without_money_comes_back_with_the_reason(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await served.store.write(
        lambda db: db.execute(
            "UPDATE account SET floor_minor = credit_posted - debit_posted - debit_pending WHERE id >= 100"
        )
    )

    answer = await client.post(
        "/stations/CS-02/1/start", data={"person": await person_number(served, "Rahima Khatun")}, headers=OURS
    )

    assert answer.status == 409
    assert 'role="alert"' in await answer.text()
    assert served.stations.asked == []


async def test_a_card_number_starts_too_in_any_writing(served: ConsoleFixture) -> None:
    await answered(served, "/stations/CS-02/1/start", {"card": "04:a1:b2:c3"})

    assert served.stations.asked == [("remote_start", 2, 1, IdToken("04A1B2C3"))]


async def test_the_search_for_a_person_finds_by_telephone(served: ConsoleFixture) -> None:
    page = await (await (await served.logged_in()).get("/stations/CS-02/1/start?q=222333")).text()

    assert "Karim Ahmed" in page
    assert "Rahima Khatun" not in page


@pytest.mark.parametrize("text", ["222333", "04B1B2C3"])
async def test_who_may_not_see_telephones_and_cards_finds_nobody_by_them(served: ConsoleFixture, text: str) -> None:
    guard = await served.logged_in(Role.GUARD)
    page = await (await guard.get(f"/stations/CS-02/1/start?q={text}")).text()

    assert "Karim Ahmed" not in page
    assert f'name="card" value="{text}"' in page
    assert "Karim Ahmed" in await (await guard.get("/stations/CS-02/1/start?q=karim")).text()


async def test_a_guard_is_offered_a_start_for_those_only_who_pay_ahead(served: ConsoleFixture) -> None:
    await served.store.write(lambda db: db.execute("UPDATE person_group SET policy = 'free' WHERE id = 1"))
    person = await person_number(served, "Rahima Khatun")
    guard, manager = await served.logged_in(Role.GUARD), await served.logged_in(Role.MANAGER)
    path = "/stations/CS-02/1/start?q=rahima"

    assert f'value="{person}" disabled' in await (await guard.get(path)).text()
    assert f'value="{person}" disabled' not in await (await manager.get(path)).text()
    async with guard.post("/stations/CS-02/1/start", data={"person": person}, headers=OURS) as answer:
        assert (answer.status, "A manager does this" in await answer.text()) == (403, True)
    assert served.stations.asked == []


async def test_a_stop_is_asked_of_the_charger_and_put_on_record(served: ConsoleFixture) -> None:
    session = (await served.store.read(board.running))[1, 1].id

    said = await answered(served, "/stations/CS-01/1/stop")

    assert ("remote_stop", 1, session) in served.stations.asked
    assert said == "done: Gate 1 · 1: the charger is stopping."
    rows = await served.store.read(audit.page, action="station.stop")
    assert rows[0].actor.startswith("operator:")


@pytest.mark.parametrize("evse", [1, 2])
async def test_a_start_that_named_no_connector_is_taken_back_at_any(served: ConsoleFixture, evse: int) -> None:
    station = StationId(1)  # On whose first connector somebody charges.
    running = (await served.store.read(board.running))[1, 1].id
    wish = await served.store.write(
        start_requests.request_start, station, 0, By("operator:1", NOW_MS), person=PersonId(1)
    )
    open_there = {1: running, 2: wish.id}

    assert await served.store.read(start_requests.running_on, station, evse) == open_there[evse]
    client = await served.logged_in()
    name = "Karim Ahmed" if evse == 1 else "Rahima Khatun"
    assert name in await (await client.get(f"/stations/CS-01/{evse}/stop")).text()
    await answered(served, f"/stations/CS-01/{evse}/stop", {})
    assert served.stations.asked == ([("remote_stop", 1, running)] if evse == 1 else [])


async def test_where_a_stop_fails_the_page_of_the_session_opens(served: ConsoleFixture) -> None:
    session = (await served.store.read(board.running))[1, 1].id
    served.stations.answers["remote_stop"] = CommandAnswer(False, "Rejected")
    client = await served.logged_in(Role.CASHIER)

    async with client.post("/stations/CS-01/1/stop", headers=OURS) as answer:
        assert answer.url.path == f"/sessions/{session}"
        assert f"/sessions/{session}/close" in await answer.text()


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/stations/CS-02/1/unlock", ("unlock", 2, 1, 1)),
        ("/stations/CS-02/1/close", ("set_operative", 2, 1, False)),
        ("/stations/CS-08/1/open", ("set_operative", 8, 1, True)),
        ("/stations/CS-04/reset", ("reset", 4, False)),
    ],
)
async def test_a_command_reaches_the_charger_and_the_audit_list(
    served: ConsoleFixture, path: str, asked: tuple[Any, ...]
) -> None:
    said = await answered(served, path)

    assert served.stations.asked == [asked]
    assert said.startswith("done:")
    assert (await served.store.read(audit.page, limit=1))[0].subject == f"station:{asked[1]}"


async def test_an_offline_charger_is_not_asked(served: ConsoleFixture) -> None:
    said = await answered(served, "/stations/CS-07/1/unlock")

    assert said == "failed: Court 1: The charger is offline, so it was not asked."
    assert served.stations.asked == []


async def test_a_charger_that_finishes_first_is_told_so(served: ConsoleFixture) -> None:
    served.stations.answers["set_operative"] = CommandAnswer(True, "Scheduled")

    assert "when its session is over" in await answered(served, "/stations/CS-01/1/close")


async def test_the_audit_chain_holds_and_shows_where_it_was_broken(served: ConsoleFixture) -> None:
    await answered(served, "/stations/CS-02/1/unlock")
    assert await served.store.read(audit.broken_at) is None

    def tamper(db: Any) -> None:
        db.execute("DROP TRIGGER audit_no_update")
        db.execute("UPDATE audit SET actor = 'operator:99' WHERE seq = 3")

    await served.store.write(tamper)
    assert await served.store.read(audit.broken_at) == 3


async def test_the_last_owner_stays(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)

    answer = await client.post("/operators/1/disable", headers=OURS)

    assert answer.status == 409
    assert "A site needs an owner." in await answer.text()


async def test_a_new_role_asks_for_a_new_log_in(served: ConsoleFixture) -> None:
    owner, cashier = await served.logged_in(Role.OWNER), await served.logged_in(Role.CASHIER)

    await owner.post("/operators/2", data={"name": "Nasrin", "role": "guard", "language": ""}, headers=OURS)

    assert (await cashier.get("/", allow_redirects=False)).status == 303


async def test_a_token_is_shown_once_and_can_be_revoked(served: ConsoleFixture) -> None:
    owner = await served.logged_in(Role.OWNER)
    made = await (
        await owner.post("/tokens", data={"token_name": "Accounting", "token_role": "viewer"}, headers=OURS)
    ).text()
    token = re.findall(rf"{tokens.TOKEN_PREFIX}[\w-]+", made)[0]

    assert token not in await (await owner.get("/operators")).text()
    assert (await owner.post("/tokens/1/revoke", headers=OURS, allow_redirects=False)).status == 303
    assert (await owner.post("/tokens/1/revoke", headers=OURS)).status == 404


async def test_a_new_site_is_told_what_it_needs_until_all_is_there(bare: ConsoleFixture) -> None:
    owner = await bare.logged_in(Role.OWNER)

    async def steps() -> list[tuple[str, bool]]:
        html = await (await owner.get("/")).text()
        part = html.partition('id="begin"')[2].partition("</section>")[0]
        return [(path, "is-done" in more) for path, more in re.findall(r'<a href="([^"]+)"([^>]*)>', part)]

    assert await steps() == [
        ("/tariffs/new?then=/", False),
        ("/stations/new?then=/", False),
        ("/people/new?then=/", False),
    ]
    tariff = Tariff(
        0, "Day", energy_milli_per_kwh=1_850_000, time_milli_per_minute=0, idle_milli_per_minute=0, idle_grace_s=0,
        flat_milli=0, tax_basis_points=0,
    )  # fmt: skip
    number = await bare.store.write(tariffs.add, tariff, BY)
    await bare.store.write(tariffs.make_default, number, BY)
    await bare.store.write(admission.register, "CS-01", "Gate 1", 0, None, BY)
    assert await steps() == [("/tariffs", True), ("/stations", True), ("/people/new?then=/", False)]
    group = await bare.store.write(groups.add, "Customers", "prepaid", BY)
    await bare.store.write(people.add, "Rahima Khatun", group, BY)
    assert await steps() == []


async def test_steps_of_a_new_site_are_told_to_those_who_can_take_them(bare: ConsoleFixture) -> None:
    cashier = await (await (await bare.logged_in(Role.CASHIER)).get("/")).text()
    viewer = await (await (await bare.logged_in(Role.VIEWER)).get("/")).text()

    assert 'href="/people/new?then=/"' in cashier
    assert "/tariffs/new" not in cashier
    assert 'id="begin"' not in viewer
