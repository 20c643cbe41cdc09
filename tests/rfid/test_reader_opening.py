"""Which readers are found, and what is told of those that cannot be opened: on a tree of files like the kernel's /sys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self, TypeVar

import nfc.clf.device
import nfc.clf.transport
import pytest
import usb1

from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.rfid import hotplug
from appliance.rfid.device import CannotOpen, Opener
from appliance.rfid.faults import reader_faults
from appliance.rfid.field import ReaderGone
from appliance.rfid.hotplug import Candidate
from appliance.rfid.opening import Automatic, opener
from appliance.simulator.nfc.reader import SimulatedReader

T = TypeVar("T")
CCID_INTERFACE = "0b"
VENDOR_INTERFACE = "ff"


def plug(
    system: Path,
    numbers: str,
    name: str = "",
    *,
    driver: str = "",
    interface: str = VENDOR_INTERFACE,
    ports: dict[str, Path] | None = None,
) -> None:
    """Put a device on the USB of `system`, with serial ports that lead to a terminal."""
    devices = system / "sys/bus/usb/devices"
    number = len(list(devices.glob("1-?"))) + 1
    folder = devices / f"1-{number}"
    face = folder / f"1-{number}:1.0"
    face.mkdir(parents=True)
    vendor, product = numbers.split(":")
    texts = {"idVendor": vendor, "idProduct": product, "busnum": "1", "devnum": str(number), "product": name}
    for file, text in texts.items():
        (folder / file).write_text(f"{text}\n")
    (face / "bInterfaceClass").write_text(f"{interface}\n")
    if driver:
        (system / "sys/bus/usb/drivers" / driver).mkdir(parents=True)
        (face / "driver").symlink_to(system / "sys/bus/usb/drivers" / driver)
    for port, terminal in (ports or {}).items():
        (face / port / "tty" / port).mkdir(parents=True)
        (system / "dev").mkdir(exist_ok=True)
        (system / "dev" / port).symlink_to(terminal)


def state_of(open_device: Opener) -> ReaderState:
    with pytest.raises(CannotOpen) as caught:
        open_device()
    return caught.value.state


def test_nothing_plugged_in_is_looked_for(tmp_path: Path) -> None:
    assert state_of(opener("", system=tmp_path)) == ReaderState(ReaderStatus.LOOKING)
    assert hotplug.find_readers(tmp_path) == []


def test_serial_adapter_with_a_chip_behind_it_is_found_and_opened(simulated: SimulatedReader, tmp_path: Path) -> None:
    plug(tmp_path, "1a86:7523", "USB Serial", ports={"ttyUSB3": simulated.path.readlink()})
    [found] = hotplug.find_readers(tmp_path)
    assert found == Candidate(str(tmp_path / "dev/ttyUSB3"), "ttyUSB3")
    device = opener("", system=tmp_path)()
    assert device.name == f"PN532v1.6 at {tmp_path}/dev/ttyUSB3"
    device.close()


def test_port_is_called_by_the_name_that_stays(simulated: SimulatedReader, tmp_path: Path) -> None:
    plug(tmp_path, "10c4:ea60", ports={"ttyUSB0": simulated.path.readlink()})
    links = tmp_path / "dev/serial/by-id"
    links.mkdir(parents=True)
    (links / "usb-Silicon_Labs_CP2102-if00-port0").symlink_to("../../ttyUSB0")
    expected = Candidate(str(links / "usb-Silicon_Labs_CP2102-if00-port0"), "ttyUSB0")
    assert hotplug.find_readers(tmp_path) == [expected]


def test_serial_port_of_something_else_is_never_asked(simulated: SimulatedReader, tmp_path: Path) -> None:
    plug(tmp_path, "2341:0043", "Arduino Uno", ports={"ttyACM0": simulated.path.readlink()})
    assert state_of(opener("", system=tmp_path)).status is ReaderStatus.LOOKING
    assert not simulated.counts


def test_silent_adapter_is_left_alone_for_a_while(simulated: SimulatedReader, tmp_path: Path) -> None:
    plug(tmp_path, "1a86:7523", ports={"ttyUSB0": simulated.path.readlink()})
    now_s = [100.0]
    automatic = Automatic(tmp_path, now_s=lambda: now_s[0])
    simulated.set_deaf(True)
    port = str(tmp_path / "dev/ttyUSB0")
    assert state_of(automatic) == ReaderState(ReaderStatus.DEAF, detail=port)
    simulated.set_deaf(False)
    assert state_of(automatic).status is ReaderStatus.DEAF
    now_s[0] += 60
    automatic().close()


def test_silent_adapter_plugged_in_anew_is_asked_at_once(simulated: SimulatedReader, tmp_path: Path) -> None:
    plug(tmp_path, "1a86:7523", ports={"ttyUSB0": simulated.path})
    automatic = Automatic(tmp_path, now_s=lambda: 100.0)
    simulated.set_deaf(True)
    assert state_of(automatic).status is ReaderStatus.DEAF
    # A terminal of the same number may come back: only what the system knows of it is another.
    simulated.unplug()
    with SimulatedReader(), SimulatedReader():
        simulated.replug()
        automatic().close()


@pytest.mark.parametrize(
    ("numbers", "driver"), [("04e6:5591", "pn533_usb"), ("054c:06c3", "port100"), ("054c:06c1", "port100")]
)
def test_reader_that_a_kernel_driver_holds_names_it(tmp_path: Path, numbers: str, driver: str) -> None:
    plug(tmp_path, numbers, driver=driver)
    state = state_of(opener("", system=tmp_path))
    assert (state.status, state.detail) == (ReaderStatus.BUSY, driver)
    assert numbers in state.name
    assert state_of(opener(f"usb:{numbers}", system=tmp_path)) == state


@pytest.mark.parametrize(
    ("numbers", "name", "interface", "told"),
    [
        ("054c:0dc8", "", VENDOR_INTERFACE, "Sony RC-S300 (054c:0dc8)"),
        ("072f:223b", "", CCID_INTERFACE, "ACS ACR1252U (072f:223b)"),
        ("072f:fff0", "ACR1552 1S CL Reader", CCID_INTERFACE, "ACR1552 1S CL Reader (072f:fff0)"),
    ],
)
def test_reader_that_nobody_drives_is_named(tmp_path: Path, numbers: str, name: str, interface: str, told: str) -> None:
    plug(tmp_path, numbers, name, interface=interface)
    assert state_of(opener("", system=tmp_path)) == ReaderState(ReaderStatus.UNSUPPORTED, told, told)


def test_chip_on_the_board_is_named(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/pn544").touch()
    assert state_of(opener("", system=tmp_path)).status is ReaderStatus.UNSUPPORTED


def test_most_telling_trouble_is_told(simulated: SimulatedReader, tmp_path: Path) -> None:
    simulated.set_deaf(True)
    plug(tmp_path, "1a86:7523", ports={"ttyUSB0": simulated.path.readlink()})
    plug(tmp_path, "054c:0dc8")
    plug(tmp_path, "054c:06c3", driver="port100")
    assert state_of(opener("", system=tmp_path)).detail == "port100"


def test_port_that_another_program_has_open_is_left_alone(simulated: SimulatedReader, tmp_path: Path) -> None:
    plug(tmp_path, "1a86:7523", ports={"ttyUSB0": simulated.path.readlink()})
    held = "import sys; port = open(sys.argv[1], 'rb', buffering=0); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", held, str(simulated.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"open\n"
        state = state_of(opener("", system=tmp_path))
        assert program.stdin is not None
        program.stdin.close()
    assert (state.status, state.name) == (ReaderStatus.BUSY, str(tmp_path / "dev/ttyUSB0"))
    assert state.detail.startswith("python")
    assert not simulated.counts


def test_reader_that_may_not_be_opened_names_the_group(simulated: SimulatedReader, tmp_path: Path) -> None:
    terminal = simulated.path.readlink()
    terminal.chmod(0o660)
    group = terminal.group()
    # Whoever runs the tests may open everything; somebody else tries.
    script = (
        "import os, sys; from appliance.rfid.opening import opener\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: opener(sys.argv[1])()\n"
        "except Exception as error: print(error.state.status, error.state.detail)"
    )
    if os.getuid() != 0:
        terminal.chmod(0o060)
        script = script.replace("os.setgroups([]); os.setgid(65534); os.setuid(65534)\n", "")
    done = subprocess.run([sys.executable, "-c", script, str(terminal)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["denied", group]


@pytest.mark.parametrize("name", [str, lambda path: f"/{path}"])
def test_serial_reader_opens_by_any_path(simulated: SimulatedReader, name: Callable[[Path], str]) -> None:
    device = opener(name(simulated.path))()
    assert device.name.startswith("PN532v1.6 at ")
    device.close()


def test_reader_that_nfcpy_cannot_find_is_looked_for(tmp_path: Path) -> None:
    assert state_of(opener("tty:USB77:pn532", system=tmp_path)) == ReaderState(
        ReaderStatus.LOOKING, detail="/dev/ttyUSB77"
    )


def test_pcsc_without_its_package_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "smartcard"
    blocked.mkdir()
    (blocked / "__init__.py").write_text("raise ImportError('not installed')")
    script = "from appliance.rfid.opening import opener\ntry: opener('pcsc')()\nexcept Exception as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )
    assert done.stdout.strip() == "unsupported PC/SC pyscard"


class Bus:
    """A USB bus as libusb tells of it, with one reader that fails in libusb's own words at some point of being opened."""

    def __init__(self, error: usb1.USBError, fails_at: str) -> None:
        self.error, self.fails_at = error, fails_at

    def __call__(self) -> Bus:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def exit(self) -> None:
        """The context is closed."""

    def getDeviceList(self, *, skip_on_error: bool) -> list[Bus]:  # noqa: N802
        assert skip_on_error
        return self._answer("list", [self])

    def getVendorID(self) -> int:  # noqa: N802
        return 0x054C

    def getProductID(self) -> int:  # noqa: N802
        return 0x06C3

    def getBusNumber(self) -> int:  # noqa: N802
        return 255

    def getDeviceAddress(self) -> int:  # noqa: N802
        return 254

    def iterSettings(self) -> Iterator[Bus]:  # noqa: N802
        return iter([self])

    def iterEndpoints(self) -> Iterator[Endpoint]:  # noqa: N802
        return iter([Endpoint(0x81), Endpoint(0x02)])

    def getManufacturer(self) -> str:  # noqa: N802
        return self._answer("name", "SONY")

    def getProduct(self) -> str:  # noqa: N802
        return "RC-S380/P"

    def open(self) -> Bus:
        return self

    def claimInterface(self, number: int) -> None:  # noqa: N802
        self._answer("claim", number)

    def close(self) -> None:
        pass

    def _answer(self, point: str, answer: T) -> T:
        if point == self.fails_at:
            raise self.error
        return answer


class Endpoint:
    """For bulk transfers."""

    def __init__(self, address: int) -> None:
        self.address = address

    def getAddress(self) -> int:  # noqa: N802
        return self.address

    def getAttributes(self) -> int:  # noqa: N802
        return int(usb1.TRANSFER_TYPE_BULK)


@pytest.mark.parametrize("fails_at", ["list", "name", "claim"])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (usb1.USBErrorAccess(), ReaderStatus.DENIED),
        (usb1.USBErrorBusy(), ReaderStatus.BUSY),
        (usb1.USBErrorNoDevice(), ReaderStatus.LOOKING),
        (usb1.USBErrorNotFound(), ReaderStatus.LOOKING),
        (usb1.USBErrorPipe(), ReaderStatus.LOOKING),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_libusb_raises_and_nfcpy_lets_through_is_told_as_any_other_trouble(
    monkeypatch: pytest.MonkeyPatch, error: usb1.USBError, status: ReaderStatus, fails_at: str
) -> None:
    assert not isinstance(error, OSError)
    monkeypatch.setattr(nfc.clf.transport.libusb, "USBContext", Bus(error, fails_at))
    # Who may open the device file is asked before libusb is, and there is no such file here.
    monkeypatch.setattr(nfc.clf.device.os, "access", lambda *_: True)
    assert state_of(opener("usb:255:254")).status is status


def test_what_libusb_raises_while_a_reader_is_used_is_a_reader_that_has_gone() -> None:
    with pytest.raises(ReaderGone, match="USBErrorPipe"), reader_faults():
        raise usb1.USBErrorPipe
