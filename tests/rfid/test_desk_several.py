"""All desks of a site: readers that were named, readers that are found by themselves on a tree of files like the kernel's, none, and
a site on which readers cannot be driven at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from appliance.cli.parser import DRIVERS_URL_LENGTH_MAX, parser
from appliance.db.engine.store import Store
from appliance.domain.cards.tag import ReaderStatus
from appliance.domain.problem import ProblemKind
from appliance.rfid.desks import CardDesks, desk_name, free_name
from appliance.rfid.opening import opener
from appliance.rfid.reader import Reader
from appliance.services import problems
from appliance.services.announce import Hub
from appliance.simulator.nfc import ntag
from appliance.simulator.nfc.ntag import PasswordCard
from appliance.simulator.nfc.reader import SimulatedReader
from tests.rfid.test_reader_opening import plug
from tests.support.books import NOON_MS, open_books
from tests.support.desk_story import KEY, Watch


class DesksFixture:
    """A site whose desks are made by the test."""

    def __init__(self, store: Store, hub: Hub, stack: AsyncExitStack) -> None:
        self.store, self.hub, self.stack = store, hub, stack
        self.watch = Watch()
        hub.listen(self.watch.hear)
        self.desks: CardDesks

    async def open(self, *readers: str, **options: object) -> CardDesks:
        """The server has started."""
        self.desks = CardDesks(self.store, self.hub, lambda: NOON_MS, readers, **options)  # type: ignore[arg-type]
        await self.stack.enter_async_context(self.desks.running(KEY))
        return self.desks

    async def until(self, wanted: dict[str, ReaderStatus]) -> None:
        """These desks are there, in these states, and no others."""
        await self.watch.until_true(lambda: {view.id: view.reader.status for view in self.desks.all()} == wanted)

    async def problems(self) -> list[str]:
        """Subjects of the readers that are a Problem."""
        query = "SELECT subject FROM problem WHERE kind = 'reader' AND cleared_at_ms IS NULL"
        return [subject for (subject,) in await self.store.read(lambda db: db.execute(query).fetchall())]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[DesksFixture]:
    """A site."""
    open_books(tmp_path / "forecourt.db").db.close()
    hub = Hub()
    store = Store(tmp_path / "forecourt.db", announce=hub.announce)
    await store.open()
    async with AsyncExitStack() as stack:
        yield DesksFixture(store, hub, stack)
    await store.close()


@pytest.fixture
def second(tmp_path: Path) -> Iterator[SimulatedReader]:
    """Another reader."""
    with SimulatedReader(link=tmp_path / "second") as reader:
        yield reader


async def test_each_reader_that_was_named_is_a_desk_of_its_own(
    site: DesksFixture, simulated: SimulatedReader, second: SimulatedReader
) -> None:
    desks = await site.open(str(simulated.path), str(second.path))
    assert [view.id for view in desks.all()] == ["reader", "second"]
    await site.until({"reader": ReaderStatus.READY, "second": ReaderStatus.READY})
    card = PasswordCard(ntag.NTAG213)
    second.lay(card)
    await site.watch.until_true(lambda: any(view.seen for view in desks.all()))
    assert [(view.id, view.seen is not None) for view in desks.all()] == [("reader", False), ("second", True)]


async def test_without_a_reader_named_or_found_there_is_one_desk_that_looks_for_it_and_no_problem(
    site: DesksFixture, tmp_path: Path
) -> None:
    desks = await site.open(system=tmp_path)
    await site.until({"desk": ReaderStatus.LOOKING})
    view = desks.find("desk")
    assert view is not None
    assert not view.remote
    assert desks.find("nowhere") is None
    assert await site.problems() == []


async def test_every_reader_that_is_plugged_in_becomes_a_desk(
    site: DesksFixture, tmp_path: Path, simulated: SimulatedReader, second: SimulatedReader
) -> None:
    plug(tmp_path, "1a86:7523", ports={"ttyUSB0": simulated.path.readlink()})
    plug(tmp_path, "10c4:ea60", ports={"ttyUSB1": second.path.readlink()})
    with_system: Callable[[str], object] = partial(opener, system=tmp_path)
    await site.open(system=tmp_path, load=lambda: (Reader, with_system))
    await site.until({"desk": ReaderStatus.READY, "ttyUSB1": ReaderStatus.READY})


async def test_a_serial_adapter_with_something_else_behind_it_is_no_desk_and_no_problem(
    site: DesksFixture, tmp_path: Path, simulated: SimulatedReader, second: SimulatedReader
) -> None:
    second.set_deaf(True)
    with SimulatedReader() as third:
        plug(tmp_path, "1a86:7523", ports={"ttyUSB0": simulated.path.readlink()})
        plug(tmp_path, "10c4:ea60", ports={"ttyUSB1": second.path.readlink()})
        plug(tmp_path, "0403:6001", ports={"ttyUSB2": third.path})
        with_system: Callable[[str], object] = partial(opener, system=tmp_path)
        desks = await site.open(system=tmp_path, load=lambda: (Reader, with_system))
        await site.until({"desk": ReaderStatus.READY, "ttyUSB2": ReaderStatus.READY})
        assert desks.find("ttyUSB1") is None
        assert await site.problems() == []
        await site.stack.aclose()


async def test_a_site_that_wants_no_reader_has_no_desk(site: DesksFixture) -> None:
    desks = await site.open("none")
    assert desks.all() == []


async def test_where_nothing_that_drives_readers_is_installed_the_site_says_so_and_serves(site: DesksFixture) -> None:
    def load() -> NoReturn:
        raise ImportError("No module named 'nfc'", name="nfc")

    desks = await site.open("/dev/ttyUSB7", load=load)
    await site.until({"ttyUSB7": ReaderStatus.UNSUPPORTED})
    assert desks.all()[0].reader.detail == "nfc"


async def test_a_problem_with_a_reader_that_is_no_longer_wanted_is_over_at_the_next_start(site: DesksFixture) -> None:
    await site.store.write(
        lambda db: problems.raise_problem(
            db, ProblemKind.READER, "desk:ttyUSB9", NOON_MS, desk="ttyUSB9", status="looking", name="", detail=""
        )
    )
    await site.open("none")
    await site.watch.until(site.problems, lambda found: found == [])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/dev/ttyUSB0", "ttyUSB0"),
        ("/dev/pts/3", "pts-3"),
        ("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", "usb-1a86-USB-Serial-if00-port0"),
        ("tty:USB0:pn532", "ttyUSB0"),
        ("usb:054c:06c3", "usb-054c-06c3"),
        ("pcsc", "pcsc"),
        ("pcsc:ACS ACR1252", "pcsc-ACS-ACR1252"),
        ("/var/lib/site/reader", "reader"),
        ("/", "desk"),
    ],
)
def test_a_desk_is_called_after_its_reader(path: str, name: str) -> None:
    assert desk_name(path) == name


def test_two_desks_are_never_called_the_same() -> None:
    assert free_name("reader", {"reader": "", "reader-2": ""}) == "reader-3"


def test_readers_are_named_on_the_command_line_or_else_in_the_environment() -> None:
    environment = {"FORECOURT_READER": "/dev/ttyUSB0  pcsc", "FORECOURT_DATA_DIR": "site"}
    assert list(parser(environment).parse_args(["serve"]).reader) == ["/dev/ttyUSB0", "pcsc"]
    said = parser(environment).parse_args(["serve", "--reader", "/dev/pts/3", "--reader", "none"])
    assert said.reader == ["/dev/pts/3", "none"]
    assert list(parser({"FORECOURT_DATA_DIR": "site"}).parse_args(["serve"]).reader) == []


def test_the_address_on_cards_ends_with_a_slash_and_leaves_room_on_the_smallest_chip() -> None:
    environment = {"FORECOURT_DATA_DIR": "site"}
    said = parser(environment).parse_args(["serve", "--drivers-url", "https://charge.example"])
    assert said.drivers_url == "https://charge.example/"
    for wrong in ("charge.example", "ftp://x/", "https://x/?q", "https://" + "x" * DRIVERS_URL_LENGTH_MAX):
        with pytest.raises(SystemExit):
            parser(environment).parse_args(["serve", "--drivers-url", wrong])
