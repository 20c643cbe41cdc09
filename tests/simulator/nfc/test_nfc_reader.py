"""The reader as a device: opened, closed, pulled out, put back, deaf, at the wrong speed, with two cards on it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import nfc.clf
import nfc.clf.transport
import pytest
import serial

from appliance.simulator.nfc import ntag
from appliance.simulator.nfc.classic import ClassicCard
from appliance.simulator.nfc.ntag import PasswordCard
from appliance.simulator.nfc.reader import SimulatedReader
from appliance.simulator.nfc.type4 import Telephone
from tests.simulator.nfc.driver import READER_GONE, drop, open_reader, opened, sense, tap, uid

PATIENCE_S = 20.0
GET_FIRMWARE = bytes.fromhex("0000FF02FED4022A00")
ACK = bytes.fromhex("0000FF00FF00")
FIRMWARE = bytes.fromhex("0000FF06FAD50332010607E800")
PREAMBLE = bytes(10)
UID_A = bytes.fromhex("04A1B2C3D4E580")
UID_B = bytes.fromhex("04112233445566")


def _card(uid: bytes | None = None) -> PasswordCard:
    return PasswordCard(ntag.NTAG213, uid)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _ask(path: Path, data: bytes, *, baud: int = 115200, answer_bytes: int = 19) -> bytes:
    """What a serial port hears in answer; less than expected when nothing more comes."""
    with serial.Serial(str(path), baud, timeout=0.1) as port:
        port.write(data)
        return bytes(port.read(answer_bytes))


def test_nfcpy_opens_the_reader_and_knows_the_chip(reader: SimulatedReader) -> None:
    with opened(reader.path) as frontend:
        assert frontend.device.chipset_name == "PN532v1.6"
        assert reader.chip.baud == 921600

    assert reader.chip.baud == 115200


def test_reader_that_was_closed_can_be_opened_again(reader: SimulatedReader) -> None:
    reader.lay(_card(UID_A))
    with opened(reader.path) as frontend:
        assert uid(frontend) == UID_A.hex().upper()
    with opened(reader.path) as frontend:
        assert uid(frontend) == UID_A.hex().upper()


def test_empty_reader_finds_no_card(frontend: Any) -> None:
    assert sense(frontend) is None


def test_card_is_there_from_when_it_is_laid_until_it_is_taken(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(_card(UID_A))
    assert uid(frontend) == UID_A.hex().upper()

    reader.take()
    assert sense(frontend) is None


def test_sleeping_chip_hears_only_what_follows_a_long_preamble(reader: SimulatedReader) -> None:
    assert _ask(reader.path, GET_FIRMWARE) == b""
    assert _ask(reader.path, PREAMBLE + GET_FIRMWARE) == ACK + FIRMWARE
    assert _ask(reader.path, GET_FIRMWARE) == ACK + FIRMWARE


def test_chip_left_at_high_speed_is_deaf_at_the_usual_one() -> None:
    with SimulatedReader(baud=921600) as reader:
        with pytest.raises(READER_GONE):
            open_reader(reader.path)
        assert _ask(reader.path, GET_FIRMWARE, baud=115200) == b""
        assert _ask(reader.path, GET_FIRMWARE, baud=921600) == ACK + FIRMWARE


def test_chip_left_at_high_speed_can_be_set_back(reader: SimulatedReader) -> None:
    frontend = open_reader(reader.path)
    drop(frontend)
    with pytest.raises(READER_GONE):
        open_reader(reader.path)

    set_baud_115200 = bytes.fromhex("0000FF03FDD41004")
    set_baud_115200 += bytes([-sum(set_baud_115200[5:]) & 0xFF, 0])
    _ask(reader.path, set_baud_115200, baud=921600, answer_bytes=15)
    _ask(reader.path, ACK, baud=921600, answer_bytes=1)

    with opened(reader.path) as again:
        assert sense(again) is None


def test_unplugged_reader_fails_the_program_that_has_it_open(reader: SimulatedReader) -> None:
    frontend = open_reader(reader.path)
    reader.unplug()

    with pytest.raises(READER_GONE):
        sense(frontend)
    assert not reader.plugged
    drop(frontend)


def test_link_leads_to_the_reader_wherever_it_was_plugged_in(tmp_path: Path) -> None:
    link = tmp_path / "reader"
    with SimulatedReader(link=link) as reader:
        first = link.resolve()
        holding = os.open(first, os.O_RDWR | os.O_NOCTTY)
        reader.lay(_card(UID_A))
        reader.unplug()
        assert not link.is_symlink()

        reader.replug()
        assert link.resolve() != first
        with opened(reader.path) as frontend:
            assert uid(frontend) == UID_A.hex().upper()
        os.close(holding)
    assert not link.is_symlink()


def test_lead_can_be_pulled_in_the_middle_of_a_card(reader: SimulatedReader) -> None:
    frontend = open_reader(reader.path)
    reader.lay(_card())
    reader.unplug_after(1)

    with pytest.raises(READER_GONE):
        tap(frontend)
    # The host hears of it while the reader's thread is still at it.
    assert reader.mishap.wait(PATIENCE_S)
    assert not reader.plugged
    drop(frontend)

    reader.replug()
    with opened(reader.path) as again:
        assert tap(again) is not None


def test_deaf_chip_answers_nothing_until_it_hears_again(reader: SimulatedReader, frontend: Any) -> None:
    reader.set_deaf(True)
    with pytest.raises(OSError, match=r".*"):
        sense(frontend)

    reader.set_deaf(False)
    assert sense(frontend) is None


def test_new_power_cures_a_deaf_chip(reader: SimulatedReader) -> None:
    reader.set_deaf(True)
    reader.unplug()
    reader.replug()

    with opened(reader.path) as frontend:
        assert sense(frontend) is None


def test_garbled_answers_are_noticed_and_then_over(reader: SimulatedReader, frontend: Any) -> None:
    reader.garble(1)
    with pytest.raises(OSError, match=r".*"):
        sense(frontend)

    assert sense(frontend) is None


def test_unknown_command_is_a_syntax_error(reader: SimulatedReader, frontend: Any) -> None:
    with pytest.raises(frontend.device.chipset.Error):
        frontend.device.chipset.command(0x86, b"", timeout=0.1)

    assert reader.counts[0x86] == 1


def test_of_two_cards_one_answers_and_then_the_other(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(_card(UID_A))
    reader.put_second(_card(UID_B))

    seen = [uid(frontend) for _ in range(4)]

    assert set(seen) == {UID_A.hex().upper(), UID_B.hex().upper()}
    assert seen[:2] == seen[2:]


def test_both_cards_are_listed_when_two_are_asked_for(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(_card(UID_A))
    reader.put_second(_card(UID_B))

    listed = frontend.device.chipset.command(0x4A, bytes((2, 0)), timeout=1.0)

    assert listed[0] == 2
    assert UID_A in listed
    assert UID_B in listed


def test_halted_card_leaves_the_other_one_to_answer(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(_card(UID_A))
    reader.put_second(_card(UID_B))
    chipset = frontend.device.chipset
    first = bytes(chipset.in_list_passive_target(1, 0, b""))[-7:]
    with pytest.raises(chipset.Error):
        chipset.in_communicate_thru(b"\x50\x00", 0.1)

    second = bytes(chipset.in_list_passive_target(1, 0, b""))[-7:]

    assert {first, second} == {UID_A, UID_B}


def test_one_of_two_cards_is_found_by_its_uid(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(_card(UID_A))
    reader.put_second(_card(UID_B))
    wanted = nfc.clf.RemoteTarget("106A", sel_req=bytearray(UID_B))

    assert {bytes(frontend.sense(wanted).sdd_res) for _ in range(3)} == {UID_B}


def test_telephone_has_another_uid_at_each_tap(reader: SimulatedReader, frontend: Any) -> None:
    telephone = Telephone()
    seen = []
    for _ in range(3):
        reader.lay(telephone)
        seen.append(uid(frontend))

    assert all(one is not None and one.startswith("08") for one in seen)
    assert len(set(seen)) == 3
    assert tap(frontend).ndef is None


@pytest.mark.parametrize(("peer_to_peer", "sak"), [(False, 0x20), (True, 0x60)])
def test_telephone_offers_peer_to_peer_or_not(
    reader: SimulatedReader, frontend: Any, peer_to_peer: bool, sak: int
) -> None:
    reader.lay(Telephone(peer_to_peer=peer_to_peer))

    assert sense(frontend).sel_res[0] == sak


def test_some_telephones_change_their_uid_with_every_field(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Telephone(each_field=True))

    assert uid(frontend) != uid(frontend)


def test_classic_is_recognised_and_holds_no_ndef(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(ClassicCard())

    tag = tap(frontend)

    assert tag.target.sel_res == b"\x08"
    assert tag.ndef is None


def test_classic_is_read_and_written_after_its_key(reader: SimulatedReader, frontend: Any) -> None:
    card = ClassicCard()
    reader.lay(card)
    assert sense(frontend) is not None
    chipset = frontend.device.chipset

    chipset.in_data_exchange(bytearray([0x60, 4]) + b"\xff" * 6 + card.uid, 0.1)
    chipset.in_data_exchange(bytearray([0xA0, 4]) + bytes(range(16)), 0.1)

    assert chipset.in_data_exchange(bytearray([0x30, 4]), 0.1)[0] == bytes(range(16))
    assert card.block(4) == bytes(range(16))


def test_classic_refuses_a_wrong_key(reader: SimulatedReader, frontend: Any) -> None:
    card = ClassicCard()
    reader.lay(card)
    assert sense(frontend) is not None
    chipset = frontend.device.chipset

    with pytest.raises(chipset.Error) as refused:
        chipset.in_data_exchange(bytearray([0x60, 4]) + bytes(6) + card.uid, 0.1)

    assert refused.value.errno == 0x14


def test_stopped_reader_leaves_no_thread_and_no_open_file(tmp_path: Path) -> None:
    files = _open_files()
    threads = threading.active_count()
    reader = SimulatedReader(link=tmp_path / "reader")
    reader.start()
    reader.lay(_card())
    reader.unplug()
    reader.replug()
    reader.stop()
    reader.stop()

    assert threading.active_count() == threads
    assert _open_files() == files


def test_reader_that_was_never_started_can_be_stopped() -> None:
    files = _open_files()
    SimulatedReader().stop()

    assert _open_files() == files


def test_program_that_closes_the_port_does_not_disturb_the_reader(reader: SimulatedReader) -> None:
    for _ in range(3):
        assert _ask(reader.path, PREAMBLE + GET_FIRMWARE) == ACK + FIRMWARE
