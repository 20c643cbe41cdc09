"""What serial ports, USB and nfcpy raise when a reader fails, in one place. pyserial lets termios.error through, and nfcpy some of
libusb's errors, neither of which is an OSError; nfcpy stumbles over a frame that was cut off with IndexError or TypeError, and
has classes of its own.
"""

from __future__ import annotations

import errno
import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import usb1
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
    usb1.USBError,
)
"""To be caught around calls of nfcpy and pyserial only."""
NUMBERS = {
    usb1.ERROR_ACCESS: errno.EACCES,
    usb1.ERROR_BUSY: errno.EBUSY,
    usb1.ERROR_NO_DEVICE: errno.ENODEV,
    usb1.ERROR_NOT_FOUND: errno.ENODEV,
    usb1.ERROR_TIMEOUT: errno.ETIMEDOUT,
}
"""What libusb's errors are called by the rest of the system; the others are EIO."""


@contextmanager
def reader_faults() -> Iterator[None]:
    """Around calls of nfcpy: what they raise of FAULTS becomes ReaderGone."""
    try:
        yield
    except FAULTS as error:
        raise ReaderGone(f"{type(error).__name__}: {error}") from error


def as_os_error(error: Exception, path: str) -> OSError:
    """One of FAULTS that is no OSError, raised while a reader was opened: as the system calls it, a missing device if need be."""
    if isinstance(error, usb1.USBError):
        number = NUMBERS.get(error.value, errno.EIO)
        return OSError(number, os.strerror(number), path)
    return OSError(errno.ENODEV, str(error), path)
