"""nfcpy on the simulated reader: opened by path as it opens a serial port, and patient where the machine is busy."""

from __future__ import annotations

import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nfc
import nfc.clf.pn532
import nfc.clf.transport
import nfc.tag

READER_GONE = (OSError, termios.error)
PATIENCE = 10
"""How many times longer than by itself nfcpy waits: the simulated reader is a thread, and a busy machine may let it wait."""


class PatientLine(nfc.clf.transport.TTY):  # type: ignore[misc]  # nfcpy has no types
    """The serial port, with time for a reader that has no processor of its own."""

    def read(self, timeout: float) -> bytearray | None:
        """One frame of the reader; `timeout` in milliseconds, as nfcpy would have it."""
        frame: bytearray | None = super().read(timeout * PATIENCE)
        return frame


def open_reader(path: Path) -> Any:
    """A ContactlessFrontend on any device; its own `open` knows names in /dev only."""
    frontend = nfc.ContactlessFrontend()
    transport = PatientLine(str(path))
    try:
        frontend.device = nfc.clf.pn532.init(transport)
    except READER_GONE:
        transport.tty.close()
        raise
    frontend.device._path = str(path)
    return frontend


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The same, closed at the end."""
    frontend = open_reader(path)
    try:
        yield frontend
    finally:
        frontend.close()


def drop(frontend: Any) -> None:
    """Close a port whose reader is gone, so that `close` would fail."""
    frontend.device.chipset.transport.tty.close()


def sense(frontend: Any) -> Any:
    """The target of a card of type A, or FeliCa, or None."""
    return frontend.sense(nfc.clf.RemoteTarget("106A"), nfc.clf.RemoteTarget("212F"))


def tap(frontend: Any) -> Any:
    """Sense and activate the card that lies there: a tag of nfcpy."""
    target = sense(frontend)
    assert target is not None, "no card"
    return nfc.tag.activate(frontend, target)


def uid(frontend: Any) -> str | None:
    """Of the card that answers now, upper-case hex."""
    target = sense(frontend)
    if target is None:
        return None
    return bytes(target.sdd_res or target.sensf_res[1:9]).hex().upper()
