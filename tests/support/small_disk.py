"""A disk that is soon full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL_BYTES = 2 << 20
ROOMY_BYTES = 64 << 20


class SmallDisk:
    """A folder in which there is little room, until `enlarge`.

    A file system of its own where that may be mounted; where not, a bound on the size of a file, which stops SQLite as well.
    """

    def __init__(self, folder: Path, *, mounted: bool, size_bytes: int) -> None:
        self.folder = folder
        self.mounted = mounted
        self.size_bytes = size_bytes

    @property
    def prefix(self) -> list[str]:
        """What a process is started under."""
        return [] if self.mounted else ["prlimit", f"--fsize={self.size_bytes}"]

    def enlarge(self) -> None:
        """Somebody has made room."""
        if self.mounted:
            subprocess.run(["mount", "-o", f"remount,size={ROOMY_BYTES}", self.folder], check=True)


@contextmanager
def small_disk(folder: Path, size_bytes: int = FULL_BYTES) -> Iterator[SmallDisk]:
    """A small tmpfs."""
    folder.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "forecourt-test", folder], capture_output=True, check=False
    )
    disk = SmallDisk(folder, mounted=mounting.returncode == 0, size_bytes=size_bytes)
    try:
        yield disk
    finally:
        if disk.mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
