"""Which device an address is."""

from __future__ import annotations

import pytest

from appliance.domain.peer import Peer, peer_of

ARP = """IP address       HW type     Flags       HW address            Mask     Device
192.168.1.9      0x1         0x2         02:1A:2B:3C:4D:5E     *        eth0
192.168.1.90     0x1         0x2         02:00:00:00:00:90     *        eth0
192.168.1.7      0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.1         0x20        0x2         80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:31:78:f2     *        ib0
"""


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("192.168.1.9", "mac 02:1a:2b:3c:4d:5e"),
        ("192.168.1.90", "mac 02:00:00:00:00:90"),
        ("::ffff:192.168.1.9", "mac 02:1a:2b:3c:4d:5e"),
        ("192.168.1.7", "ip 192.168.1.7"),
        ("192.168.1.8", "ip 192.168.1.8"),
        ("192.168.1", "ip 192.168.1"),
        ("127.0.0.1", "ip 127.0.0.1"),
        ("fe80::1%eth0", "ip fe80::1"),
        ("FD00:0::1", "ip fd00::1"),
        ("", "ip "),
        ("a.*b", "ip a.*b"),
    ],
)
def test_a_device_is_known_by_its_mac_or_else_by_its_address(address: str, word: str) -> None:
    assert peer_of(address, ARP).word == word


def test_without_a_table_the_address_counts() -> None:
    assert peer_of("192.168.1.9", "").word == "ip 192.168.1.9"


@pytest.mark.parametrize(
    ("bound_to", "fits"),
    [
        ("", True),
        ("mac 02:00:00:00:00:01", True),
        ("ip 192.168.1.9", True),
        ("mac 02:00:00:00:00:02", False),
        ("ip 192.168.1.8", False),
    ],
)
def test_who_fits(bound_to: str, fits: bool) -> None:
    assert Peer("192.168.1.9", "02:00:00:00:00:01").fits(bound_to) is fits


def test_an_address_alone_does_not_stand_for_a_device_that_is_known_by_its_mac() -> None:
    assert not Peer("192.168.1.9").fits("mac 02:00:00:00:00:01")
