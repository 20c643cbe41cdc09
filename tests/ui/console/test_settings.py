"""Settings as people read them: lengths of time, energies and amounts with their units, found by what they do."""

from __future__ import annotations

import re

import pytest

from appliance.domain.roles import Role
from appliance.services import settings
from appliance.ui.console.settings import GROUPS
from tests.ui.console.test_two_at_once import opened, send
from tests.ui.console_fixture import ConsoleFixture


def test_every_setting_is_on_the_page_once_and_says_what_it_does() -> None:
    shown = [name for group in GROUPS.values() for name in group]

    assert sorted(shown) == sorted(settings.NAMES)
    assert [name for group in GROUPS.values() for name, words in group.items() if not words.hint] == []


async def test_lengths_of_time_and_energies_are_written_with_their_units(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    fields = await opened(client, "/settings", "/settings")

    assert fields["idle_owner_s"] == "30 min"
    assert fields["parking_max_s"] == "12 h"
    assert fields["start_timeout_s"] == "1 min 30 s"
    assert fields["session_energy_max_wh"] == "500"
    changed = {"idle_owner_s": "1 h 15 min", "session_energy_max_wh": "120.5", "parking_max_s": "২ দিন"}
    assert (await send(client, "/settings", fields | changed))[0] == 303
    stands = await served.store.read(settings.load)
    assert (stands.idle_owner_s, stands.session_energy_max_wh, stands.parking_max_s) == (4500, 120_500, 172_800)


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("parking_max_s", "30", "with its unit, such as 30 min"),
        ("idle_owner_s", "10 s", "Between 1 min and 12 h."),
        ("session_energy_max_wh", "0.5", "Between 1 and 5000."),
        ("messages_per_s", "many", "Enter a whole number."),
    ],
)
async def test_what_cannot_be_is_said_in_the_same_units_and_nothing_is_stored(
    served: ConsoleFixture, name: str, typed: str, said: str
) -> None:
    client = await served.logged_in(Role.OWNER)
    fields = await opened(client, "/settings", "/settings")
    status, html = await send(client, "/settings", fields | {name: typed, "sample_days": "11"})

    assert status == 422
    assert said in html
    assert f'value="{typed}"' in html
    assert await served.store.read(settings.load) == settings.Settings()


async def test_a_setting_is_found_by_what_it_does_and_the_others_stay(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    await served.store.write(settings.change, "sample_days", "123")
    fields = await opened(client, "/settings?q=wall+viewer", "/settings")

    assert set(fields) == {"idle_viewer_s", "shown"}
    assert (await send(client, "/settings", fields | {"idle_viewer_s": "0"}))[0] == 303
    stands = await served.store.read(settings.load)
    assert (stands.idle_viewer_s, stands.sample_days, stands.accept_unknown) == (0, 123, True)
    async with client.get("/settings?q=nothing+like+that") as answer:
        assert "No such setting" in await answer.text()


async def test_in_bengali_nothing_changes_that_nobody_has_touched(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    await send(client, "/account/language", {"language": "bn"})
    fields = await opened(client, "/settings", "/settings")

    assert fields["parking_max_s"] == "১২ ঘণ্টা"
    assert (await send(client, "/settings", fields | {"sample_days": "90"}))[0] == 303
    assert await served.store.read(settings.load) == settings.Settings(sample_days=90)


OWNERS = {
    "trusted_proxies": "10.1.0.0/24",
    "host_names": "charge.example",
    "printer": "192.168.7.20",
    "messages_per_s": "0",
    "message_log_days": "1",
    "message_log_max_mb": "1",
    "message_log_charger_max_mb": "1",
    **{f"idle_{role}_s": "2 h" for role in Role},
    "second_person_minor": "0.01",
    "old_card_max_minor": "50",
    "guards_take_cash": "1",
}
"""What protects the site, with other values."""


@pytest.mark.parametrize("name", OWNERS)
async def test_what_protects_the_site_is_the_owners(served: ConsoleFixture, name: str) -> None:
    owner, manager = await served.logged_in(Role.OWNER), await served.logged_in(Role.MANAGER)
    fields = await opened(manager, "/settings", "/settings")
    status, html = await send(manager, "/settings", fields | {name: OWNERS[name]})
    assert (status, "Only the owner" in html) == (403, True)
    assert await served.store.read(settings.load) == settings.Settings()

    fields = await opened(owner, "/settings", "/settings")
    assert (await send(owner, "/settings", fields | {name: OWNERS[name]}))[0] == 303
    assert getattr(await served.store.read(settings.load), name) != getattr(settings.Settings(), name)


@pytest.mark.parametrize(("role", "saves"), [(Role.OWNER, True), (Role.MANAGER, False)])
async def test_who_can_change_nothing_of_what_was_found_is_offered_no_button(
    served: ConsoleFixture, role: Role, saves: bool
) -> None:
    client = await served.logged_in(role)

    html = await (await client.get("/settings", params={"q": "trusted proxies"})).text()

    assert "Trusted proxies" in html
    assert ("is-sticky" in html) is saves


def test_the_owners_settings_are_all_of_those() -> None:
    assert set(OWNERS) == settings.OWNERS_OWN


async def test_a_manager_is_shown_what_only_the_owner_changes_and_is_refused(served: ConsoleFixture) -> None:
    owner, manager = await served.logged_in(Role.OWNER), await served.logged_in(Role.MANAGER)
    fields = await opened(owner, "/settings", "/settings")
    assert (await send(owner, "/settings", fields | {"second_person_minor": "50"}))[0] == 303
    fields = await opened(manager, "/settings", "/settings")
    html = await (await manager.get("/settings")).text()
    assert "Only the owner changes it." in html
    assert 'id="second_person_minor"' not in html
    assert (await send(manager, "/settings", fields | {"sample_days": "77"}))[0] == 303
    fields = await opened(manager, "/settings", "/settings")
    status, html = await send(manager, "/settings", fields | {"second_person_minor": "0"})
    assert (status, "Only the owner sets above which amount" in html) == (403, True)
    stands = await served.store.read(settings.load)
    assert (stands.second_person_minor, stands.sample_days) == (5_000, 77)
    audit = await (await owner.get("/audit")).text()
    assert re.search(r"Needs a second person above</a>” from [^<]*0\.00[^<]* to [^<]*50\.00", audit)
