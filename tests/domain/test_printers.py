"""Where a printer may be: on the premises, and nowhere else."""

from __future__ import annotations

import pytest

from appliance.domain.printers import DevicePrinter, NetworkPrinter, place_of


@pytest.mark.parametrize(
    ("typed", "place", "written"),
    [
        ("192.168.7.20", NetworkPrinter("192.168.7.20", 9100), "192.168.7.20:9100"),
        (" 10.0.0.5:9101 ", NetworkPrinter("10.0.0.5", 9101), "10.0.0.5:9101"),
        ("172.31.255.254", NetworkPrinter("172.31.255.254"), "172.31.255.254:9100"),
        ("127.0.0.1:9100", NetworkPrinter("127.0.0.1"), "127.0.0.1:9100"),
        ("fd00::20", NetworkPrinter("fd00::20"), "[fd00::20]:9100"),
        ("[fd00::20]:9102", NetworkPrinter("fd00::20", 9102), "[fd00::20]:9102"),
        ("fe80::1%eth0", NetworkPrinter("fe80::1%eth0"), "[fe80::1%eth0]:9100"),
        ("/dev/usb/lp0", DevicePrinter("/dev/usb/lp0"), "/dev/usb/lp0"),
        ("/dev/usb/lp12", DevicePrinter("/dev/usb/lp12"), "/dev/usb/lp12"),
    ],
)
def test_a_place_on_the_premises_is_read(typed: str, place: NetworkPrinter | DevicePrinter, written: str) -> None:
    assert place_of(typed) == place
    assert str(place) == written
    assert place_of(written) == place


def test_nothing_is_no_printer() -> None:
    assert place_of("  ") is None


@pytest.mark.parametrize(
    "typed",
    [
        "8.8.8.8", "8.8.8.8:9100", "203.0.113.7", "172.32.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "2001:db8::1",
        "[2001:db8::1]:9100", "::ffff:8.8.8.8", "ff02::1", "printer.local", "localhost", "192.168.7.20:80", "192.168.7.20:99999",
        "192.168.7.20:", "192.168.7", "192.168.7.20/24", "http://192.168.7.20", "0xc0a80714", "3232237332", "user@192.168.7.20",
        "192.168.7.20 8.8.8.8", "/dev/sda", "/dev/usb/lp", "/dev/usb/lp0/../../sda", "/dev/usb/lp0\n/dev/sda", "/dev/usb/../sda",
        "/dev/ttyUSB0", "dev/usb/lp0", "/dev/usb/lp১",
    ],
)  # fmt: skip
def test_nothing_else_is_a_place_for_a_printer(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever is wrong with it
        place_of(typed)
