"""What the service manager hears, on a real datagram socket in its place."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.host import systemd


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """The service manager's end, and the environment it gives to the service."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@forecourt-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name[1:] if name.startswith("@") else name)
        listener.settimeout(5)
        yield listener, {"NOTIFY_SOCKET": name}


def test_the_service_manager_hears_each_word(manager: tuple[socket.socket, dict[str, str]]) -> None:
    listener, environment = manager

    assert systemd.ready("serving 3 stations", environment=environment)
    assert systemd.alive(environment=environment)
    assert systemd.status("12 stations connected", environment=environment)
    assert systemd.stopping(environment=environment)

    heard = [listener.recv(4096) for _ in range(4)]
    assert heard == [
        b"READY=1\nSTATUS=serving 3 stations",
        b"WATCHDOG=1",
        b"STATUS=12 stations connected",
        b"STOPPING=1",
    ]


def test_a_line_break_in_the_status_is_no_second_assignment(manager: tuple[socket.socket, dict[str, str]]) -> None:
    listener, environment = manager

    systemd.status("all well\nMAINPID=1", environment=environment)

    assert listener.recv(4096) == b"STATUS=all well MAINPID=1"


def test_without_a_service_manager_nothing_happens() -> None:
    assert not systemd.ready(environment={})
    assert not systemd.alive(environment={"NOTIFY_SOCKET": ""})


def test_an_empty_status_is_not_sent(manager: tuple[socket.socket, dict[str, str]]) -> None:
    listener, environment = manager

    assert not systemd.status("", environment=environment)
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.recv(4096)


@pytest.mark.parametrize("name", ["/nowhere/at/all", "vsock:2:1234"])
def test_a_service_manager_that_cannot_be_reached_does_no_harm(name: str) -> None:
    assert not systemd.ready(environment={"NOTIFY_SOCKET": name})


def test_a_service_manager_that_does_not_listen_never_holds_up_the_loop(
    manager: tuple[socket.socket, dict[str, str]],
) -> None:
    _, environment = manager

    told = [systemd.alive(environment=environment) for _ in range(20_000)]

    assert told[0]
    assert not told[-1]


def test_pulses_are_due_at_half_the_watchdogs_patience() -> None:
    environment = {"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "4711"}

    assert systemd.watchdog_interval_s(environment=environment, process_id=4711) == 10.0
    assert systemd.watchdog_interval_s(environment=environment, process_id=4712) is None
    assert systemd.watchdog_interval_s(environment={"WATCHDOG_USEC": "3000000"}) == 1.5


@pytest.mark.parametrize("limit", ["", "0", "-5", "soon"])
def test_without_a_watchdog_no_pulse_is_due(limit: str) -> None:
    assert systemd.watchdog_interval_s(environment={"WATCHDOG_USEC": limit}) is None
    assert systemd.watchdog_interval_s(environment={}) is None
