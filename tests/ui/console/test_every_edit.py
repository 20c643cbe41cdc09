"""Every form of the console that edits what stands, found by the table of routes: it carries what it showed, and says a conflict."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from aiohttp.test_utils import TestClient

from appliance.domain.cash import NOTHING
from appliance.domain.identifiers import GroupId
from appliance.domain.roles import Role
from appliance.services.people import pools
from appliance.services.people.pools import About
from appliance.services.ports.stations import Variable, VariableName
from appliance.services.till import shifts
from appliance.ui.frame import roles
from tests.ui.console.test_two_at_once import attribute, fields_of, send
from tests.ui.console_fixture import ConsoleFixture

VALUES = {
    "identity": "CS-01", "evse": "1", "problem": "1", "operator": "1", "token": "1", "log_in": "1", "person": "1", "card": "1",
    "group": "1", "tariff": "1", "session": "1", "desk": "desk",
}  # fmt: skip
FORM = re.compile(r'<form(?P<of>[^>]*\bmethod="post"[^>]*)>(?P<inside>.*?)</form>', re.DOTALL)
FIELD = re.compile(r'<textarea|<select|<input(?![^>]*type="(?:hidden|submit)")')
ENTERS = {
    "/account/language": "one's own, and shown at once",
    "/account/password": "a new password, and the one that holds",
    "/approvals/{approval}/refuse": "why; what is decided is decided once",
    "/cards/import/{key}": "a list that was read",
    "/cards/{card}/aliases/remove": "a number to be taken away",
    "/cards/{card}/block": "why",
    "/cards/{card}/learn": "which charger shows the number",
    "/cards/{card}/pin": "a new PIN; none is shown",
    "/desk/{desk}/batch": "cards to be made",
    "/desk/{desk}/issue": "a card to be made",
    "/desk/{desk}/recharge": "money to be booked",
    "/groups/new": "a new group",
    "/operators": "a new member of the staff",
    "/operators/{operator}/password": "a new password; none is shown",
    "/cards/import": "a list",
    "/cards/old/key": "a key; the one that is kept is not shown",
    "/cards/old/list": "a file that is read",
    "/people/new": "a new person",
    "/pools/new": "a new pool",
    "/people/{person}/correction": "money to be booked; the balance has its floor",
    "/people/{person}/enrol": "which charger shows the card",
    "/people/{person}/merge": "the other account; what is asked first names both",
    "/people/{person}/refund": "money to be booked; the balance has its floor",
    "/people/{person}/topup": "money to be booked",
    "/people/{person}/voucher": "money to be booked; a voucher is redeemed once",
    "/stations/new": "a new charger",
    "/vouchers/find": "which voucher",
    "/vouchers/new": "vouchers to be made",
    "/vouchers/sell": "money to be booked; a voucher is sold once",
    "/stations/new/root": "that it was understood",
    "/stations/{identity}/approve": "the name of a charger that has none; let in under another one it is refused",
    "/stations/{identity}/call": "a call",
    "/stations/{identity}/stop-transaction": "a number",
    "/stations/{identity}/trigger": "a message to ask for",
    "/stations/{identity}/reset": "how",
    "/stations/{identity}/{evse}/start": "who; a connector that is taken is refused",
    "/tariffs/import": "a file that is read",
    "/tariffs/new": "a new tariff",
    "/till/open": "what lies in the drawer",
    "/till/shifts/{shift}/count": "what was counted; what must be there is not shown",
    "/till/shifts/{shift}/pay": "money to be booked",
    "/tokens": "a new token",
}
"""Forms with fields that change nothing that they show: what is entered there."""


class Found(NamedTuple):
    """A form with fields."""

    page: str
    action: str
    route: str
    fields: dict[str, str]


def forms_of(page: str, html: str) -> Iterator[Found]:
    """Those on a page in which something is entered or chosen."""
    for form in FORM.finditer(html):
        if FIELD.search(form["inside"]):
            action = attribute(form["of"], "action") or page
            named = f'<form method="post" action="{action}">{form["inside"]}</form>'
            yield Found(page, action, route_of(action), fields_of(named, action))


def route_of(action: str) -> str:
    """The path in the table of routes that a form is sent to; of several the one with the fewest values in it."""
    path = action.partition("?")[0]
    fits = [
        route
        for method, route in roles.ROUTES
        if method == "POST" and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)), path)
    ]
    return min(fits, key=lambda route: route.count("{"))


async def all_forms(client: TestClient[Any, Any]) -> list[Found]:
    """Those of all pages of the console."""
    found: list[Found] = []
    for method, path in sorted(roles.ROUTES):
        if method != "GET" or path.startswith(("/api", "/live", "/static")):
            continue
        page = re.sub(r"\{(\w+)\}", lambda match: VALUES.get(match[1], "1"), path)
        async with client.get(page, allow_redirects=False) as answer:
            if answer.status == 200 and answer.content_type == "text/html":
                found += forms_of(page, await answer.text())
    return found


async def prepared(served: ConsoleFixture) -> TestClient[Any, Any]:
    """The owner; somebody who can be changed; a pool; a charger with a setting."""
    pool = await served.store.write(pools.add, About("Acme", GroupId(1)), served.by)
    VALUES["pool"] = str(pool)
    await served.logged_in(Role.CASHIER)
    await served.store.write(shifts.open_shift, NOTHING, served.by)
    served.stations.variables = [Variable(VariableName("HeartbeatInterval"), "300", readonly=False)]
    client = await served.logged_in(Role.OWNER)
    await send(client, "/account/language", {"language": "en"})
    return client


async def test_every_form_that_edits_carries_what_it_showed(served: ConsoleFixture) -> None:
    found = await all_forms(await prepared(served))
    edits = {one.route for one in found if one.fields.get("shown")}

    assert {one.route for one in found} - edits - set(ENTERS) == set()
    assert edits & set(ENTERS) == set()
    assert edits == {
        "/cards/{card}", "/cards/{card}/limits", "/groups/{group}", "/operators/{operator}", "/people/{person}/buyer", "/people/{person}/edit", "/people/{person}/limits", "/pools/{pool}/edit", "/settings", "/settings/holidays",
        "/settings/site", "/stations/{identity}/meter-keys", "/stations/{identity}/name", "/stations/{identity}/power", "/stations/{identity}/security", "/stations/{identity}/tariff", "/stations/{identity}/variables",
        "/tariffs/{tariff}",
    }  # fmt: skip


async def test_every_form_that_edits_says_what_became_different_meanwhile_and_keeps_what_was_typed(
    served: ConsoleFixture,
) -> None:
    client = await prepared(served)
    silent: list[tuple[str, str, str]] = []
    for one in await all_forms(client):
        shown = json.loads(one.fields.get("shown") or "{}")
        for field in shown:
            if field not in one.fields and field not in ("profile", "known_by"):
                continue  # A box that is not ticked is not sent.
            word = "7" if one.fields.get(field) != "7" else "8"
            typed = {field: word} if field in one.fields else {}
            stale = one.fields | typed | {"shown": json.dumps(shown | {field: "6"})}
            status, html = await send(client, one.action, stale)
            if status != 409 or "Somebody else has changed this in the meantime." not in html:
                silent.append((one.action, field, f"answered {status}"))
            inputs = [line for line in re.findall("<input[^>]*>", html) if attribute(line, "name") == field]
            kept = [attribute(line, "value") for line in inputs if attribute(line, "type") not in ("radio", "checkbox")]
            if typed and kept not in ([], [word]):
                silent.append((one.action, field, "not kept"))

    assert silent == []


async def test_two_who_rename_a_charger_are_told_and_what_only_one_has_changed_is_kept(served: ConsoleFixture) -> None:
    client = await prepared(served)
    mine, theirs = [await fields_at(client, "/stations/CS-01", "name") for _ in range(2)]
    place = await fields_at(client, "/stations/CS-01", "place")
    assert (await send(client, "/stations/CS-01/name", theirs | {"name": "Gate A"}))[0] == 303
    assert (await send(client, "/stations/CS-01/name", place | {"place": "North court"}))[0] == 303

    status, html = await send(client, "/stations/CS-01/name", mine | {"name": "Gate B"})
    assert status == 409
    assert "In the meantime it has become “Gate A”." in html
    again = next(one.fields for one in forms_of("", html) if "name" in one.fields and one.action.endswith("/name"))
    assert again["name"] == "Gate B"
    assert (await send(client, "/stations/CS-01/name", again))[0] == 303
    assert (await fields_at(client, "/stations/CS-01", "name"))["name"] == "Gate B"
    assert (await fields_at(client, "/stations/CS-01", "place"))["place"] == "North court"


async def test_a_password_that_somebody_else_has_just_given_is_not_taken_away(served: ConsoleFixture) -> None:
    client = await prepared(served)
    mine, theirs = [await fields_at(client, "/stations/CS-01/security", "how") for _ in range(2)]
    path = "/stations/CS-01/security"
    assert (await send(client, path, theirs | {"how": "password", "password": "a good long one"}))[0] == 200

    answers = [
        await send(client, path, mine | {"how": how, "password": "another long one"})
        for how in ("password", "send", "open")
    ]
    assert [status for status, _ in answers] == [409] * 3
    assert all("Somebody else has changed this in the meantime." in html for _, html in answers)
    assert served.stations.asked == []
    again = next(iter(forms_of(path, answers[-1][1]))).fields
    assert (await send(client, path, again | {"how": "open"}))[0] == 303


async def test_a_setting_inside_a_charger_that_became_another_is_said(served: ConsoleFixture) -> None:
    client = await prepared(served)
    path = "/stations/CS-01/variables"
    mine = await fields_at(client, path, "value")
    served.stations.variables = [Variable(VariableName("HeartbeatInterval"), "600", readonly=False)]

    status, html = await send(client, path, mine | {"value": "900"})
    assert status == 409
    assert "In the meantime it has become “600”." in html
    assert "set_variable" not in [command for command, *_ in served.stations.asked]
    again = next(iter(forms_of(path, html))).fields
    assert again["value"] == "900"
    assert (await send(client, path, again))[0] == 303
    assert ("set_variable", 1, VariableName("HeartbeatInterval"), "900") in served.stations.asked


async def test_of_two_who_let_a_charger_in_the_second_does_not_rename_it(served: ConsoleFixture) -> None:
    client = await prepared(served)
    path = "/stations/ACME-0042/approve"
    assert (await send(client, path, {"name": "Gate 2"}))[0] == 303

    status, html = await send(client, path, {"name": "Gate 3"})
    assert status == 409
    assert "It was let in already, as Gate 2." in html
    assert (await send(client, path, {"name": "Gate 2"}))[0] == 303


async def fields_at(client: TestClient[Any, Any], page: str, field: str) -> dict[str, str]:
    """The fields of the form with this one."""
    async with client.get(page) as answer:
        return next(
            one.fields for one in forms_of(page, await answer.text()) if field in one.fields and "shown" in one.fields
        )
