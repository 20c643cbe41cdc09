"""The folder where everything of a site lives, and the lock that says who writes in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.db.engine.files import about
from appliance.domain.errors import Refusal


class InUse(Refusal):
    """Another process writes in this folder."""


class NoSite(Refusal):
    """There is no site in this folder."""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The files of one site."""

    path: Path

    @property
    def database(self) -> Path:
        """The one SQLite file."""
        return self.path / "forecourt.db"

    @property
    def control_socket(self) -> Path:
        """Where commands reach the running server."""
        return self.path / "control.sock"

    @property
    def sealing_key(self) -> Path:
        """What opens the secrets in the database, and is not in it."""
        return self.path / "sealing.key"

    @property
    def anchors(self) -> Path:
        """What the books were, to compare them with (host/anchors.py)."""
        return self.path / "anchors"

    @property
    def reserve(self) -> Path:
        """Room on the disk that only money and sessions are given (host/disk.py)."""
        return self.path / "reserve"

    def make(self) -> None:
        """Create the folder, for its owner's eyes only.

        Raises:
            FileTrouble: It cannot be made.
        """
        with about(self.path, foreign=True):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def has_database(self) -> bool:
        """Whether there is one.

        Raises:
            FileTrouble: This user may not look.
        """
        with about(self.database):
            return self.database.is_file()

    def need_site(self) -> None:
        """Refuse to go on without a database.

        Raises:
            NoSite: There is none; the advice is the way back to one that was set aside.
            FileTrouble: This user may not look.
        """
        if self.has_database():
            return
        if replaced := self.replaced():
            raise NoSite(
                "There is no site in {path}.",
                "A database that a restore set aside is still there. Put it back: forecourt restore {replaced} {path}",
                path=self.path, replaced=replaced[-1],
            )  # fmt: skip
        raise NoSite(
            "There is no site in {path}.",
            "Restore a backup: forecourt restore FILE {path} — or make a new site: "
            "forecourt init --data-dir {path} --currency BDT --timezone Asia/Dhaka",
            path=self.path,
        )

    def replaced(self) -> list[Path]:
        """The databases that restores have set aside, the newest last."""
        return sorted(path for path in self.path.glob("forecourt.db.replaced-*") if path.name[-1].isdigit())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only one who writes here, until the block or the process ends.

        Raises:
            InUse: Somebody else is.
            FileTrouble: This user may not.
        """
        file = self.path / "lock"
        with about(file):
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse(
                    "Another Forecourt works with {path} at this moment.", "Stop that one first.", path=self.path
                ) from None
            yield
        finally:
            os.close(descriptor)
