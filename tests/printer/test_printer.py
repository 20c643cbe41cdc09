"""The printer over a real socket and into a real pipe: what comes out, and how it fails."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from appliance.domain.printers import DevicePrinter, NetworkPrinter, PrinterPlace
from appliance.domain.slip import Row, Slip, Style
from appliance.printer import printer as module
from appliance.printer.printer import WAITING_MAX, ReceiptPrinter
from appliance.printer.raster import draw
from appliance.services.ports.printers import NotPrinted, Outcome, PrinterSetup, Trouble
from tests.support.fake_printer import FakePrinter, fake_printer, read_escpos

SLIP: Slip = (
    Row(Style.TITLE, "গুলশান উত্তর"),
    Row(Style.MIDDLE, "Receipt 12 · 30 Nov 2026"),
    Row(Style.AMOUNT, "৳500.00"),
    Row(Style.RULE),
    Row(Style.PLAIN, "নাম", "রাহিমা খাতুন"),
    Row(Style.SUM, "Balance after it", "৳1,234.56"),
)
LONG: Slip = SLIP * 200
"""Some megabytes: more than the system itself takes between two ends of a connection."""


def setup(place: PrinterPlace, *, width: int = 576, cuts: bool = False, drawer: bool = False) -> PrinterSetup:
    return PrinterSetup(place, width, cuts, drawer)


def dots(slip: Slip, width: int) -> list[str]:
    """A picture as the fake printer writes it down."""
    picture = draw(slip, width)
    across = width // 8
    rows = [picture.data[begin : begin + across] for begin in range(0, len(picture.data), across)]
    return ["".join(f"{byte:08b}" for byte in row).replace("0", " ").replace("1", "#") for row in rows]


@pytest.fixture(name="fake")
async def _fake() -> AsyncIterator[FakePrinter]:
    async with fake_printer() as fake:
        yield fake


async def trouble(setup: PrinterSetup, slip: Slip = SLIP) -> Trouble:
    with pytest.raises(NotPrinted) as failed:
        await ReceiptPrinter().send(setup, [slip], opens_drawer=False)
    return failed.value.trouble


async def all_hung_up(fake: FakePrinter, jobs: int) -> None:
    while len(fake.jobs) < jobs:  # noqa: ASYNC110  # it has no other ear
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("width", [576, 384])
async def test_every_dot_of_a_slip_arrives_in_bands_that_small_printers_take(fake: FakePrinter, width: int) -> None:
    await ReceiptPrinter().send(setup(fake.place, width=width), [SLIP], opens_drawer=False)
    await all_hung_up(fake, 1)
    (paper,) = fake.papers

    assert paper.pictures == [dots(SLIP, width)]
    assert paper.widths == {width}
    assert paper.band_rows <= 128
    assert paper.did == ["paper?", "reset", "picture", "feed", "done?"]


async def test_the_drawer_opens_before_the_paper_comes_and_each_copy_is_cut(fake: FakePrinter) -> None:
    await ReceiptPrinter().send(setup(fake.place, cuts=True, drawer=True), [SLIP, SLIP], opens_drawer=True)
    await all_hung_up(fake, 1)

    assert fake.papers[0].did == ["paper?", "reset", "drawer", "picture", "cut", "picture", "cut", "done?"]


@pytest.mark.parametrize(("has_drawer", "opens"), [(False, True), (True, False)])
async def test_no_drawer_opens_that_is_not_there_or_not_asked_for(
    fake: FakePrinter, has_drawer: bool, opens: bool
) -> None:
    await ReceiptPrinter().send(setup(fake.place, drawer=has_drawer), [SLIP], opens_drawer=opens)
    await all_hung_up(fake, 1)

    assert "drawer" not in fake.papers[0].did


async def test_printed_is_said_only_if_the_printer_says_so(fake: FakePrinter) -> None:
    assert await ReceiptPrinter().send(setup(fake.place), [SLIP], opens_drawer=False) is Outcome.SENT
    fake.says_done = True
    assert await ReceiptPrinter().send(setup(fake.place), [SLIP], opens_drawer=False) is Outcome.PRINTED


async def test_a_printer_without_paper_is_told_from_one_that_prints(fake: FakePrinter) -> None:
    fake.says = b"\x72"
    assert await trouble(setup(fake.place)) is Trouble.NO_PAPER
    fake.says, fake.says_done = b"\x12", True
    assert await ReceiptPrinter().send(setup(fake.place), [SLIP], opens_drawer=False) is Outcome.PRINTED


async def test_a_printer_that_is_off_is_told(fake: FakePrinter) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nowhere = NetworkPrinter("127.0.0.1", nobody.getsockname()[1])
        assert await trouble(setup(nowhere)) is Trouble.AWAY
        with pytest.raises(NotPrinted):
            await ReceiptPrinter().reach(setup(nowhere))
    await ReceiptPrinter().reach(setup(fake.place))


async def test_a_printer_that_takes_nothing_is_given_up(fake: FakePrinter) -> None:
    fake.reads = False
    assert await trouble(setup(fake.place), LONG) is Trouble.SILENT


async def test_a_printer_that_goes_away_in_the_middle_is_told(fake: FakePrinter) -> None:
    fake.hangs_up_after = 5_000
    assert await trouble(setup(fake.place)) is Trouble.BROKE_OFF
    assert await trouble(setup(fake.place), LONG) is Trouble.BROKE_OFF


async def test_jobs_stand_in_a_line_and_the_line_has_an_end(fake: FakePrinter) -> None:
    printer = ReceiptPrinter()
    ends = await asyncio.gather(
        *(printer.send(setup(fake.place), [SLIP], opens_drawer=False) for _job in range(WAITING_MAX + 2)),
        return_exceptions=True,
    )
    await all_hung_up(fake, WAITING_MAX)

    assert [one.trouble for one in ends if isinstance(one, NotPrinted)] == [Trouble.BUSY] * 2
    assert fake.at_once_max == 1
    assert len(fake.papers) == WAITING_MAX


# --- devices ---------------------------------------------------------------------------------------------------------------


async def test_a_device_gets_all_of_it_however_slowly_it_takes_it(tmp_path: Path) -> None:
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    device = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    two = [SLIP, SLIP]
    job = asyncio.create_task(
        ReceiptPrinter().send(setup(DevicePrinter(str(pipe)), width=384), two, opens_drawer=False)
    )
    came = b""
    while not job.done() or came[-3:] != b"\x1bd\x05":
        with suppress(BlockingIOError):
            came += os.read(device, 700)
        await asyncio.sleep(0.001)
    os.close(device)

    assert await job is Outcome.SENT
    assert read_escpos(came).pictures == [dots(SLIP, 384), dots(SLIP, 384)]


async def test_a_device_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert await trouble(setup(DevicePrinter(str(tmp_path / "lp0")))) is Trouble.AWAY


async def test_a_device_that_takes_nothing_is_given_up_and_nothing_waits_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    job = asyncio.create_task(trouble(setup(DevicePrinter(str(pipe))), LONG))
    turns = 0
    while not job.done():
        turns += 1
        await asyncio.sleep(0.01)
    os.close(reader)

    assert await job is Trouble.SILENT
    assert turns > module.PATIENCE_S * 10, "the loop went on meanwhile"


async def test_a_device_whose_plug_is_pulled_is_told(tmp_path: Path) -> None:
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    job = asyncio.create_task(trouble(setup(DevicePrinter(str(pipe))), LONG))
    while True:
        await asyncio.sleep(0.01)
        try:
            if os.read(reader, 100):
                break
        except BlockingIOError:
            continue
    os.close(reader)

    assert await job is Trouble.BROKE_OFF
