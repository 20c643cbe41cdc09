"""What the service manager is told: ready, stopping, alive, and a sentence about the state.

The wire form of systemd's sd_notify(3), with the standard library alone. Outside systemd there is no socket and nothing
happens. What counts as ready or alive is decided by whoever calls.
"""

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

log = logging.getLogger(__name__)

MICROSECONDS_PER_SECOND: Final = 1_000_000
# systemd kills after the whole interval without a sign of life; its manual advises to send one every half.
SIGNS_PER_WATCHDOG: Final = 2


def ready(status: str = "", *, environment: Mapping[str, str] = os.environ) -> bool:
    """Say that the service serves: `systemctl start` returns now. False when nobody was told."""
    return _tell("READY=1", *_status_line(status), environment=environment)


def stopping(status: str = "", *, environment: Mapping[str, str] = os.environ) -> bool:
    """Say that an orderly end has begun. False when nobody was told."""
    return _tell("STOPPING=1", *_status_line(status), environment=environment)


def alive(*, environment: Mapping[str, str] = os.environ) -> bool:
    """Give the watchdog its sign of life. False when nobody was told."""
    return _tell("WATCHDOG=1", environment=environment)


def status(sentence: str, *, environment: Mapping[str, str] = os.environ) -> bool:
    """Set the sentence that `systemctl status` shows. False when nobody was told."""
    return _tell(*_status_line(sentence), environment=environment)


def watchdog_interval_s(*, environment: Mapping[str, str] = os.environ, process_id: int | None = None) -> float | None:
    """Seconds between two pulses: half of what the service manager waits; None when it does not watch this process.

    WATCHDOG_PID names the process that is watched; children inherit the environment, but not the duty.
    """
    watched = environment.get("WATCHDOG_PID", "")
    if watched and watched != str(os.getpid() if process_id is None else process_id):
        return None
    try:
        limit_us = int(environment.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return limit_us / MICROSECONDS_PER_SECOND / SIGNS_PER_WATCHDOG if limit_us > 0 else None


def _status_line(sentence: str) -> tuple[str, ...]:
    # A line break would begin another assignment.
    return (f"STATUS={' '.join(sentence.split())}",) if sentence else ()


def _tell(*assignments: str, environment: Mapping[str, str]) -> bool:
    name = environment.get("NOTIFY_SOCKET", "")
    if not name or not assignments:
        return False
    if name[0] not in "/@":
        log.warning("service manager's socket is of an unknown kind", extra={"socket": name})
        return False
    # A leading @ stands for the zero byte of an abstract socket.
    address = "\0" + name[1:] if name.startswith("@") else name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            # The event loop calls this: a full queue at the other end must not hold it up.
            channel.setblocking(False)
            channel.sendto("\n".join(assignments).encode(), address)
    except OSError as error:
        log.warning("service manager could not be told", extra={"said": assignments, "error": str(error)})
        return False
    return True
