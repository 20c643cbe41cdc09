"""Servers as processes of their own: started, read from, and ended with the block, also where a measurement raises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENDS_WITHIN_S = 60
ANYWHERE = [word for listener in ("stations", "console", "drivers") for word in (f"--{listener}", "127.0.0.1:0")]
"""Each listener on a port that the system chooses."""


@contextmanager
def serving(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process of this interpreter, by its arguments."""
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=ENDS_WITHIN_S)


def forecourt(folder: Path, listeners: list[str] = ANYWHERE) -> list[str]:
    """The product on the site in a folder, as arguments for `serving`."""
    return ["-m", "appliance", "serve", "--data-dir", str(folder), *listeners]


def addresses(process: subprocess.Popen[str]) -> dict[str, str]:
    """By listener what a server says when it serves, the drivers' at last.

    Raises:
        SystemExit: It ended before.
    """
    assert process.stdout is not None
    found: dict[str, str] = {}
    while "drivers" not in found:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the server did not start")
        name, _, rest = line.partition(" ")
        found[name] = rest.split(maxsplit=1)[0] if rest.strip() else ""
    return found
