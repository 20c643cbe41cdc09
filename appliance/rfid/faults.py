"""What serial ports, USB and nfcpy raise when a reader fails, in one place. pyserial lets termios.error through, which is no
OSError; nfcpy stumbles over a frame that was cut off with IndexError or TypeError, and has classes of its own.
"""

from __future__ import annotations

import termios
from collections.abc import Iterator
from contextlib import contextmanager

from nfc.clf import pn53x, rcs380

from appliance.rfid.field import ReaderGone

FAULTS: tuple[type[Exception], ...] = (
    OSError,
    termios.error,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    pn53x.Chipset.Error,
    rcs380.CommunicationError,
    rcs380.StatusError,
)
"""To be caught around calls of nfcpy and pyserial only."""


@contextmanager
def reader_faults() -> Iterator[None]:
    """Around calls of nfcpy: what they raise of FAULTS becomes ReaderGone."""
    try:
        yield
    except FAULTS as error:
        raise ReaderGone(f"{type(error).__name__}: {error}") from error
