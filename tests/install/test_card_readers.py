"""What an installation does for card readers: device rules, the kernel's drivers, PC/SC, and what it says is in the way."""

import re
import subprocess
from pathlib import Path

import pytest
from nfc.clf.device import usb_device_map

from appliance.cli.parser import DRIVERS_URL_LENGTH_MAX, parser
from appliance.domain.cards.content import RECORD_BYTES
from appliance.domain.cards.tag import Content
from appliance.rfid import hotplug
from appliance.rfid.tags import ndef_message
from tests.install.conftest import REPOSITORY, Machine

RULES = "/etc/udev/rules.d/70-forecourt-readers.rules"
BLACKLIST = "/etc/modprobe.d/forecourt-readers.conf"
POLKIT = "/etc/polkit-1/rules.d/70-forecourt-readers.rules"
ENVIRONMENT_FILE = "/etc/forecourt/forecourt.env"
NTAG213_BYTES_MAX = 137
"""144 bytes of data, less a block of the maker's (5) and type and length of the message (2)."""


def advice(machine: Machine) -> list[str]:
    """What stands in a reader's way on this machine."""
    command = [str(REPOSITORY / "scripts/card-readers"), "advise", str(machine.path("/"))]
    said: str = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return said.splitlines()


def with_file(machine: Machine, path: str, text: str = "") -> None:
    machine.path(path).parent.mkdir(parents=True, exist_ok=True)
    machine.path(path).write_text(text, encoding="utf-8")


def test_every_reader_that_nfcpy_knows_has_its_rule() -> None:
    text = (REPOSITORY / "systemd/70-forecourt-readers.rules").read_text(encoding="utf-8")
    matched = re.findall(r'^ATTR\{idVendor\}=="(\w+)", ATTR\{idProduct\}=="([\w|]+)"', text, re.MULTILINE)

    ruled = {(int(vendor, 16), int(product, 16)) for vendor, products in matched for product in products.split("|")}
    assert ruled == set(usb_device_map)


def test_the_serial_adapters_that_are_looked_at_are_those_the_rules_give_us() -> None:
    text = (REPOSITORY / "systemd/70-forecourt-readers.rules").read_text(encoding="utf-8")
    (adapters,) = re.findall(r'^ATTR\{idVendor\}=="([\w|]+)", ENV\{FORECOURT_DEVICE\}="adapter"', text, re.MULTILINE)
    (ports,) = re.findall(r'^SUBSYSTEMS=="usb", ATTRS\{idVendor\}=="([\w|]+)"', text, re.MULTILINE)

    assert adapters == ports
    assert {int(vendor, 16) for vendor in adapters.split("|")} == set(hotplug.SERIAL_ADAPTERS)


def test_the_rules_give_every_device_to_the_services_group_alone() -> None:
    text = (REPOSITORY / "systemd/70-forecourt-readers.rules").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]

    assert [line for line in lines if "GROUP=" in line and 'MODE="0660", GROUP="forecourt"' not in line] == []
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(re.findall(r'LABEL="(\w+)"', text))
    assert lines[-1] == 'LABEL="forecourt_end"'


def test_an_installation_brings_the_rules_and_keeps_the_kernels_drivers_off(machine: Machine) -> None:
    machine.install_site()

    assert machine.path(RULES).read_bytes() == (REPOSITORY / "systemd/70-forecourt-readers.rules").read_bytes()
    blacklist = machine.path(BLACKLIST).read_text(encoding="utf-8")
    assert re.findall(r"^blacklist (\w+)$", blacklist, re.MULTILINE) == ["pn533_usb", "pn533", "port100", "nfc"]
    assert not machine.path(POLKIT).exists()


def test_readers_and_the_address_on_cards_are_settings_that_an_upgrade_keeps(machine: Machine) -> None:
    machine.install_site(
        *("--reader", "/dev/ttyUSB0", "--reader", "usb:072f:2200"), *("--drivers-url", "http://192.168.7.2:8081/")
    )
    result = machine.install("--non-interactive")

    assert result.returncode == 0, result.stderr
    lines = machine.path(ENVIRONMENT_FILE).read_text(encoding="utf-8").splitlines()
    assert "FORECOURT_READER=/dev/ttyUSB0 usb:072f:2200" in lines
    assert "FORECOURT_DRIVERS_URL=http://192.168.7.2:8081/" in lines
    settings = dict(line.split("=", 1) for line in lines[1:])
    understood = parser(settings).parse_args(["serve", "--data-dir", "/var/lib/forecourt"])
    assert list(understood.reader) == ["/dev/ttyUSB0", "usb:072f:2200"]
    assert understood.drivers_url == "http://192.168.7.2:8081/"


def test_the_longest_address_that_may_stand_on_cards_fits_on_the_smallest_of_them(machine: Machine) -> None:
    address = f"http://{'a' * 54}/"

    taken = machine.install("--check", "--currency", "BDT", "--drivers-url", address)
    refused = machine.install("--check", "--currency", "BDT", "--drivers-url", f"{address[:-1]}a")

    assert taken.returncode == 0, taken.stderr
    assert "cannot be used for FORECOURT_DRIVERS_URL" in refused.stderr
    message = ndef_message.encode(Content(f"{address}card/{'0' * 24}", bytes(RECORD_BYTES)))
    assert len(message) == NTAG213_BYTES_MAX
    assert len(address) == DRIVERS_URL_LENGTH_MAX


def test_an_upgrade_from_a_release_without_a_card_desk_brings_all_of_it(machine: Machine) -> None:
    machine.install_site()
    settings = machine.path(ENVIRONMENT_FILE)
    earlier = [
        line
        for line in settings.read_text(encoding="utf-8").splitlines()
        if not line.startswith(("FORECOURT_READER", "FORECOURT_DRIVERS_URL"))
    ]
    settings.write_text("\n".join([*earlier, ""]), encoding="utf-8")
    machine.path(RULES).unlink()
    machine.path(BLACKLIST).unlink()

    result = machine.install("--non-interactive")

    assert result.returncode == 0, result.stderr
    assert {"FORECOURT_READER=", "FORECOURT_DRIVERS_URL="} <= set(settings.read_text(encoding="utf-8").splitlines())
    assert machine.path(RULES).exists()
    assert machine.path(BLACKLIST).exists()


def test_pcsc_is_compiled_from_the_lock_when_asked_for_and_kept_by_an_upgrade(machine: Machine) -> None:
    machine.install_site("--pcsc", "--reader", "pcsc")
    # The stand-in for pip brings nothing.
    (machine.path("/opt/forecourt/venv/lib/python3.11/site-packages") / "smartcard").mkdir(parents=True)
    asked = [call for call in machine.calls if call.endswith("requirements/pcsc.txt")]
    machine.forget_calls()

    machine.install_site()

    again = [call for call in machine.calls if call.endswith("requirements/pcsc.txt")]
    assert len(asked) == len(again) == 1
    assert all("--require-hashes" in call and "--no-binary pyscard" in call for call in asked + again)
    assert 'subject.user == "forecourt"' in machine.path(POLKIT).read_text(encoding="utf-8")


def test_without_being_asked_nothing_is_compiled_for_pcsc(machine: Machine) -> None:
    machine.install_site()

    assert [call for call in machine.calls if "pcsc" in call] == []


def test_check_says_what_would_be_done_for_readers_and_changes_nothing(machine: Machine) -> None:
    result = machine.install("--check", "--currency", "BDT", "--pcsc")

    assert result.returncode == 0, result.stderr
    assert "would: Let the service, and nobody else, use card readers" in result.stdout
    assert "would: Let the service use readers through pcscd" in result.stdout
    assert "libusb is missing" in result.stdout
    assert not machine.path("/").exists()


def test_uninstalling_takes_away_what_was_there_for_readers(machine: Machine) -> None:
    machine.install_site("--pcsc")

    machine.install("--uninstall")

    assert [path for path in (RULES, BLACKLIST, POLKIT) if machine.path(path).exists()] == []


def test_a_machine_in_order_needs_no_advice(machine: Machine) -> None:
    with_file(machine, "/proc/modules", "usbserial 69632 1 ch341, Live 0x0\n")
    with_file(machine, "/usr/lib/aarch64-linux-gnu/libusb-1.0.so.0")

    assert advice(machine) == []


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("/proc/modules", "nfc 131072 2 pn533_usb,pn533, Live 0x0\n", "driver nfc takes readers"),
        ("/proc/modules", "port100 24576 0 - Live 0x0\n", "driver port100 takes readers"),
        ("/usr/bin/brltty", "", "apt-get remove brltty"),
        ("/usr/sbin/pcscd", "", "FORECOURT_READER=pcsc"),
        ("/etc/hostname", "box", "apt-get install libusb-1.0-0"),
    ],
    ids=["nfc", "port100", "brltty", "pcscd", "libusb"],
)
def test_what_is_in_a_readers_way_is_said_with_what_to_do(
    machine: Machine, path: str, text: str, sentence: str
) -> None:
    with_file(machine, path, text)
    if path != "/etc/hostname":
        with_file(machine, "/usr/lib/x86_64-linux-gnu/libusb-1.0.so.0")

    (line,) = advice(machine)

    assert sentence in line


def test_pcscd_is_in_nobodys_way_when_the_service_uses_it(machine: Machine) -> None:
    with_file(machine, "/usr/lib/x86_64-linux-gnu/libusb-1.0.so.0")
    with_file(machine, "/usr/sbin/pcscd")
    with_file(machine, POLKIT)

    assert advice(machine) == []


def test_an_unknown_word_is_answered_with_how_to_use_the_script(tmp_path: Path) -> None:
    result = subprocess.run(
        [REPOSITORY / "scripts/card-readers", "frobnicate", tmp_path], capture_output=True, text=True, check=False
    )

    assert result.returncode == 2
    assert "scripts/card-readers install [PREFIX]" in result.stderr
    assert list(tmp_path.iterdir()) == []
