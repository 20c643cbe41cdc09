"""install.sh on a real Debian, without internet: once, twice, back, away, and once more."""

from __future__ import annotations

import re

import pytest

from tests.machine.box import DATA, OFFLINE, SITE, Box

pytestmark = pytest.mark.machine


PLACES = "/etc /opt /root /usr /var/lib/dpkg /var/lib/forecourt"
LIST = f"find {PLACES} -xdev -not -path '*.db-*' -printf '%p %y %s %m %u:%g %T@ %l\\n' 2>/dev/null | sort"
"""Of the running database only what is committed for good counts."""


def test_check_says_what_would_be_done_and_changes_nothing(bare: Box) -> None:
    assert not bare.said, "the product is there already"
    before = bare.machine.run(LIST)

    said = bare.install("--check", *SITE, *OFFLINE)

    assert "would: Make the system user forecourt" in said
    assert said.endswith("Nothing was changed.\n")
    assert bare.machine.run(LIST) == before


async def test_installation_without_internet_ends_with_a_service_that_has_said_it_is_ready(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    assert re.search(r"Set-up code, for the first visit: [A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}\n", box.said)
    assert (box.shown("Type"), box.shown("ActiveState"), box.shown("StatusText")) == ("notify", "active", "Serving.")
    assert "Started forecourt.service" in box.journal()
    async with box.site() as site:
        assert (await site.get("/stations"))["items"] == []
    with capsys.disabled():
        print(f"\ninstalled in {box.took_s:.0f} s")  # noqa: T201  # a measurement that is worth seeing


def test_check_of_an_installed_machine_changes_nothing_either(box: Box) -> None:
    before = box.machine.run(LIST)

    said = box.install("--check", *OFFLINE)

    assert "would: Back the data up" in said
    assert box.machine.run(LIST) == before


async def test_second_installation_is_an_upgrade_and_can_be_taken_back(box: Box) -> None:
    first = box.machine.run("readlink -f /opt/forecourt/venv").strip()
    async with box.site() as site:
        await site.person("Rahima Khatun", "prepaid", "04A1B2C3D4E5F6")

    box.install("--non-interactive", *OFFLINE)
    second = box.machine.run("readlink -f /opt/forecourt/venv").strip()
    assert second != first
    box.machine.run(f"test -s {DATA}/backups/before-{second.rpartition('/')[2]}.db")
    async with box.site() as site:
        assert [person["name"] for person in (await site.get("/people"))["items"]] == ["Rahima Khatun"]

    box.install("--rollback")
    assert box.machine.run("readlink -f /opt/forecourt/venv").strip() == first
    async with box.site() as site:
        assert [person["name"] for person in (await site.get("/people"))["items"]] == ["Rahima Khatun"]


async def test_uninstalling_leaves_the_data_alone_and_installing_again_finds_it(box: Box) -> None:
    said = box.install("--uninstall")

    assert f"The data is still in {DATA}" in said
    left = f"find / -xdev -iname '*forecourt*' -not -path '{DATA}/*' -not -path '/srv/*' | sort"
    assert box.machine.run(left).split() == ["/etc/forecourt", "/etc/forecourt/forecourt.env", DATA]
    assert box.machine.run("systemctl list-units --all --no-legend 'forecourt*'") == ""
    assert box.machine.attempt("pgrep --euid forecourt")[0] == 1

    assert "stay as they are" in box.install(*SITE, *OFFLINE)
    async with box.site() as site:
        assert [person["name"] for person in (await site.get("/people"))["items"]] == ["Rahima Khatun"]
