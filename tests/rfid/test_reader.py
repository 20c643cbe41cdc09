"""The product's reader on the simulated chip: real nfcpy, real pyserial, a real terminal."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from appliance.domain.cards.tag import Kind, ReaderState, ReaderStatus, TagTrouble, Trouble
from appliance.rfid.events import CardLaid, StateChanged
from appliance.rfid.opening import opener
from appliance.simulator.nfc import ntag
from appliance.simulator.nfc.classic import ClassicCard
from appliance.simulator.nfc.felica import FelicaCard
from appliance.simulator.nfc.ntag import PasswordCard
from appliance.simulator.nfc.reader import SimulatedReader
from appliance.simulator.nfc.type4 import Telephone
from tests.support.chip_fixture import uid_of, write_for
from tests.support.reader_desk import Desk

LIST_PASSIVE_TARGET = 0x4A
THROUGH = 0x42
SEVERAL_LOOKS = 12


def new_card() -> PasswordCard:
    return PasswordCard(ntag.NTAG213)


async def looks(simulated: SimulatedReader, count: int = SEVERAL_LOOKS) -> None:
    """Wait until the reader has looked for cards so many times more."""
    until = simulated.counts[LIST_PASSIVE_TARGET] + count
    while simulated.counts[LIST_PASSIVE_TARGET] < until:  # noqa: ASYNC110 - the chip is in another thread, and has no event
        await asyncio.sleep(0.005)


def open_files_now() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def trouble_of(desk: Desk, card: PasswordCard) -> Trouble:
    with pytest.raises(TagTrouble) as caught:
        await desk.reader.work(write_for(card))
    return caught.value.trouble


def cards_told(desk: Desk) -> list[CardLaid]:
    return [event for event in desk.events if isinstance(event, CardLaid)]


async def test_reader_tells_its_chip_and_its_device(simulated: SimulatedReader, desk: Desk) -> None:
    assert desk.state == ReaderState(ReaderStatus.READY, f"PN532v1.6 at {simulated.path}")


async def test_card_is_told_when_laid_and_when_taken(simulated: SimulatedReader, desk: Desk) -> None:
    card = new_card()
    simulated.lay(card)
    seen = (await desk.until_laid()).seen
    assert (seen.uid, seen.kind, seen.several) == (uid_of(card), Kind.NTAG213, False)
    simulated.take()
    await desk.until_taken()


async def test_card_that_lies_there_is_read_once(simulated: SimulatedReader, desk: Desk) -> None:
    card = new_card()
    simulated.lay(card)
    await desk.until_laid()
    # What it took to read it is over when it is told; from then on it only is asked for by its UID.
    before = simulated.counts[THROUGH]
    await looks(simulated)
    assert simulated.counts[THROUGH] == before
    assert desk.events == []


async def test_card_exchanged_for_another_is_taken_and_laid(simulated: SimulatedReader, desk: Desk) -> None:
    simulated.lay(new_card())
    await desk.until_laid()
    second = new_card()
    simulated.lay(second)
    await desk.until_taken()
    assert (await desk.until_laid()).seen.uid == uid_of(second)


@pytest.mark.parametrize("each_field", [False, True])
@pytest.mark.parametrize("peer_to_peer", [False, True])
async def test_telephone_is_seen_once_and_known_as_random(
    simulated: SimulatedReader, desk: Desk, peer_to_peer: bool, each_field: bool
) -> None:
    simulated.lay(Telephone(peer_to_peer=peer_to_peer, each_field=each_field))
    assert (await desk.until_laid()).seen.random
    await looks(simulated)
    assert desk.events == []


async def test_felica_card_is_seen_by_its_idm(simulated: SimulatedReader, desk: Desk) -> None:
    card = FelicaCard()
    simulated.lay(card)
    seen = (await desk.until_laid()).seen
    assert (seen.uid, seen.kind) == (uid_of(card), Kind.FELICA)
    await looks(simulated)
    assert desk.events == []
    simulated.take()
    await desk.until_taken()


async def test_classic_card_is_seen_by_its_uid(simulated: SimulatedReader, desk: Desk) -> None:
    card = ClassicCard()
    simulated.lay(card)
    seen = (await desk.until_laid()).seen
    assert (seen.uid, seen.kind, seen.writable) == (uid_of(card), Kind.CLASSIC, False)


async def test_two_cards_are_told_as_several_and_stay_one_event(simulated: SimulatedReader, desk: Desk) -> None:
    first, second = new_card(), new_card()
    simulated.unplug()
    await desk.until_status(ReaderStatus.LOOKING)
    simulated.lay(first)
    simulated.put_second(second)
    simulated.replug()
    seen = (await desk.until_laid()).seen
    assert seen.several
    assert seen.uid in {uid_of(first), uid_of(second)}
    await looks(simulated)
    assert cards_told(desk) == []


async def test_work_is_done_and_read_back(simulated: SimulatedReader, desk: Desk) -> None:
    card = new_card()
    simulated.lay(card)
    await desk.until_laid()
    work = write_for(card)
    seen = await desk.reader.work(work)
    assert (seen.content, seen.locked) == (work.content, True)
    assert await desk.reader.look() == seen


async def test_work_without_a_card_finds_it_gone(desk: Desk) -> None:
    assert await trouble_of(desk, new_card()) is Trouble.GONE
    assert await desk.reader.look() is None


async def test_work_meant_for_another_card_leaves_this_one_alone(simulated: SimulatedReader, desk: Desk) -> None:
    lying, meant = new_card(), new_card()
    simulated.lay(lying)
    await desk.until_laid()
    assert await trouble_of(desk, meant) is Trouble.OTHER_CARD
    assert lying.writes == 0


async def test_card_torn_away_is_told_as_taken_and_laid_again(simulated: SimulatedReader, desk: Desk) -> None:
    card = new_card()
    simulated.lay(card)
    await desk.until_laid()
    simulated.tear_after_writes(3)
    assert await trouble_of(desk, card) in {Trouble.TORN, Trouble.GONE}
    await desk.until_taken()
    simulated.lay(card)
    await desk.until_laid()
    work = write_for(card)
    assert (await desk.reader.work(work)).content == work.content


async def test_reader_pulled_out_while_idle_comes_back(simulated: SimulatedReader, desk: Desk) -> None:
    simulated.unplug()
    await desk.until_status(ReaderStatus.LOOKING)
    simulated.replug()
    await desk.until_status(ReaderStatus.READY)


async def test_reader_pulled_out_takes_the_card_along_and_brings_it_back(
    simulated: SimulatedReader, desk: Desk
) -> None:
    card = new_card()
    simulated.lay(card)
    await desk.until_laid()
    simulated.unplug()
    await desk.until_taken()
    await desk.until_status(ReaderStatus.LOOKING)
    assert await desk.reader.look() is None
    assert await trouble_of(desk, card) is Trouble.GONE
    simulated.replug()
    await desk.until_status(ReaderStatus.READY)
    assert (await desk.until_laid()).seen.uid == uid_of(card)


async def test_reader_pulled_out_in_work_tears_it(simulated: SimulatedReader, desk: Desk) -> None:
    card = new_card()
    simulated.lay(card)
    await desk.until_laid()
    simulated.unplug_after_writes(2)
    assert await trouble_of(desk, card) is Trouble.TORN
    await desk.until_status(ReaderStatus.LOOKING)
    simulated.replug()
    await desk.until_laid()
    work = write_for(card)
    assert (await desk.reader.work(work)).content == work.content


async def test_one_spoiled_frame_does_not_cost_the_reader(simulated: SimulatedReader, desk: Desk) -> None:
    card = new_card()
    simulated.lay(card)
    await desk.until_laid()
    simulated.garble(1)
    await looks(simulated)
    assert desk.events == []
    work = write_for(card)
    assert (await desk.reader.work(work)).content == work.content


async def test_chip_that_hangs_is_told_as_deaf_and_found_again(simulated: SimulatedReader, desk: Desk) -> None:
    simulated.set_deaf(True)
    deaf = await desk.until_status(ReaderStatus.DEAF)
    assert deaf.state.detail == str(simulated.path)
    simulated.set_deaf(False)
    await desk.until_status(ReaderStatus.READY)


@pytest.mark.parametrize("baud", [230_400, 460_800, 921_600])
async def test_chip_left_at_another_speed_is_called_back(tmp_path: Path, baud: int) -> None:
    with SimulatedReader(link=tmp_path / "fast", baud=baud) as simulated:
        desk = Desk(opener(str(simulated.path)))
        desk.reader.start()
        await desk.until_status(ReaderStatus.READY)
        assert simulated.chip.baud == 115_200
        await desk.reader.close()


async def test_closed_reader_can_be_opened_again(simulated: SimulatedReader) -> None:
    for _ in range(3):
        desk = Desk(opener(str(simulated.path)))
        desk.reader.start()
        await desk.until_status(ReaderStatus.READY)
        await desk.reader.close()


async def test_reader_that_is_not_there_is_looked_for(tmp_path: Path) -> None:
    desk = Desk(opener(str(tmp_path / "ttyUSB7")))
    desk.reader.start()
    event = await desk.until_status(ReaderStatus.LOOKING)
    assert event.state.detail == str(tmp_path / "ttyUSB7")
    assert await trouble_of(desk, new_card()) is Trouble.GONE
    await desk.reader.close()


async def test_reader_held_by_another_is_busy(simulated: SimulatedReader, desk: Desk) -> None:
    other = Desk(opener(str(simulated.path)))
    other.reader.start()
    event = await other.until_status(ReaderStatus.BUSY)
    assert event.state.name == str(simulated.path)
    await desk.reader.close()
    await other.until_status(ReaderStatus.READY)
    await other.reader.close()


async def test_site_without_a_reader_says_so() -> None:
    desk = Desk(opener("none"))
    desk.reader.start()
    event = await desk.until(lambda event: isinstance(event, StateChanged))
    assert event == StateChanged(ReaderState(ReaderStatus.NONE))
    await desk.reader.close()


async def test_two_readers_work_beside_each_other(tmp_path: Path, simulated: SimulatedReader, desk: Desk) -> None:
    with SimulatedReader(link=tmp_path / "second") as simulated_second:
        second = Desk(opener(str(simulated_second.path)))
        second.reader.start()
        await second.until_status(ReaderStatus.READY)
        left, right = new_card(), new_card()
        simulated.lay(left)
        simulated_second.lay(right)
        await desk.until_laid()
        await second.until_laid()
        works = write_for(left), write_for(right)
        seen = await asyncio.gather(desk.reader.work(works[0]), second.reader.work(works[1]))
        assert [one.content for one in seen] == [work.content for work in works]
        await second.reader.close()


async def test_reader_never_started_closes() -> None:
    await Desk(opener("none")).reader.close()


async def test_work_after_close_finds_no_card(simulated: SimulatedReader, desk: Desk) -> None:
    card = new_card()
    simulated.lay(card)
    await desk.until_laid()
    await desk.reader.close()
    assert await trouble_of(desk, card) is Trouble.GONE


async def test_work_that_waits_at_close_is_answered(simulated: SimulatedReader, desk: Desk) -> None:
    card = new_card()
    simulated.lay(card)
    await desk.until_laid()
    asked = [asyncio.create_task(desk.reader.work(write_for(card))) for _ in range(5)]
    await asyncio.sleep(0)
    await desk.reader.close()
    for answer in await asyncio.gather(*asked, return_exceptions=True):
        assert not isinstance(answer, Exception) or (isinstance(answer, TagTrouble) and answer.trouble is Trouble.GONE)


async def test_nothing_stays_open_after_many_replugs(simulated: SimulatedReader, desk: Desk) -> None:
    async def replug() -> int:
        simulated.unplug()
        await desk.until_status(ReaderStatus.LOOKING)
        simulated.replug()
        await desk.until_status(ReaderStatus.READY)
        return open_files_now()

    open_files = [await replug() for _ in range(10)]
    assert open_files == open_files[:1] * 10
    assert len([thread for thread in threading.enumerate() if thread.name == "card-reader"]) == 1
