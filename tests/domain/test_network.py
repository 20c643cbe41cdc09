"""Names and addresses out of headers: one way to write each, and nobody is believed who was not asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain import network

TRUSTED = network.networks("127.0.0.1, 10.0.0.0/8 fd00::/8")


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("yard.example", "yard.example"), ("YARD.Example.", "yard.example"), ("yard.example:8443", "yard.example"),
        ("192.168.1.10:8080", "192.168.1.10"), ("[FD00:0::1]:8080", "fd00::1"), ("[::ffff:10.0.0.1]", "10.0.0.1"),
        ("", None), (":8080", None), ("a b", None), ("a,b", None), ("a@b", None), ("a/b", None), ("a:b", None), ("a:", None),
        ("::1", None), ("[::1", None), ("a:123456", None), ("a\\b", None), ("a%00b", None), ("..", None), ("x" * 300, None),
    ],
)  # fmt: skip
def test_a_host_header_is_read_in_one_way_or_not_at_all(header: str, host: str | None) -> None:
    assert network.host_in(header) == host


@given(st.text())
def test_whatever_a_host_header_says_the_host_in_it_is_compared_as_itself(header: str) -> None:
    host = network.host_in(header)
    assert host is None or network.host(host) == host


def asker(x_forwarded_for: str = "", forwarded: str = "", x_real_ip: str = "") -> str | None:
    first, second, third = ([line] if line else [] for line in (x_forwarded_for, forwarded, x_real_ip))
    return network.forwarded_for(first, second, third, TRUSTED)


def test_without_a_word_of_the_proxy_nobody_else_asks() -> None:
    assert asker() is None


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("8.8.8.8, 203.0.113.7", "203.0.113.7"),
        ("8.8.8.8, 203.0.113.7, 10.1.1.1, fd00::5", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("[2001:db8::17]:4711", "2001:db8::17"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("10.1.1.1", "10.1.1.1"),
        ("8.8.8.8, unknown", ""),
        ("8.8.8.8,", ""),
        ("8.8.8.8, unknown, 10.1.1.1", ""),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxys_asks(header: str, address: str) -> None:
    assert asker(header) == address


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ('for=8.8.8.8, For="[2001:db8::17]:4711";proto=https', "2001:db8::17"),
        ("proto=https;by=1.2.3.4;for=203.0.113.7;host=x", "203.0.113.7"),
        ("for=8.8.8.8, for=_hidden", ""),
        ("for=8.8.8.8, proto=https", ""),
    ],
)
def test_the_standard_header_is_read_by_the_same_rule(header: str, address: str) -> None:
    assert asker(forwarded=header) == address


def test_the_simple_header_counts_where_there_is_no_other() -> None:
    assert asker(x_real_ip="203.0.113.7") == "203.0.113.7"
    assert asker("198.51.100.4", x_real_ip="203.0.113.7") == "198.51.100.4"


def test_a_header_that_the_proxy_only_passed_on_makes_both_worthless() -> None:
    assert asker("203.0.113.7", "for=127.0.0.1") == ""
    assert asker("203.0.113.7", "for=203.0.113.7") == "203.0.113.7"


@given(st.lists(st.text(max_size=40), max_size=5))
def test_what_the_asker_wrote_himself_never_counts(own: list[str]) -> None:
    """A proxy writes at the end, or a line of its own."""
    assert asker(", ".join([*own, "203.0.113.7"])) == "203.0.113.7"
    assert asker(forwarded=", ".join([*own, "for=203.0.113.7"])) == "203.0.113.7"
    assert network.forwarded_for([*own, "203.0.113.7"], [], [], TRUSTED) == "203.0.113.7"


@pytest.mark.parametrize("text", ["300.1.2.3", "10.0.0.0/99", "proxy.example", "10.1.1.1;10.1.1.2"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        network.networks(text)
