"""`forecourt verify`: whether the books are as they were kept, and what no program can find."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path

from appliance.db.engine.files import about
from appliance.db.engine.migrate import migrations, version
from appliance.db.engine.open import open_to_read
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal
from appliance.host.anchors import AnchorFile, anchor_file
from appliance.host.control_socket import change
from appliance.host.data_directory import DataDirectory
from appliance.services import integrity


def verify(arguments: argparse.Namespace, clock: Clock) -> int:
    """Print what is wrong; 0 when nothing is, or when it is accepted."""
    data = DataDirectory(arguments.data_dir)
    data.need_site()
    kept_by = anchor_file(data)
    wrong = examine(data, kept_by, arguments.journal, clock())
    for sentence in wrong:
        print(f"- {sentence}")
    print(f"{len(wrong)} to look at." if wrong else "The books are as they were kept.")
    print("What no program can find:", *(f"- {sentence}" for sentence in integrity.CANNOT_BE_FOUND), sep="\n")
    if wrong and arguments.accept:
        change(data, "books.accept", clock, wrong=wrong[:5])
        data.anchors.unlink(missing_ok=True)
        print("Taken as they are. That is on record.")
        return 0
    return 1 if wrong else 0


def examine(data: DataDirectory, kept_by: AnchorFile | None, journal: str | None, now_ms: int) -> list[str]:
    """What is wrong with the books of a folder.

    Raises:
        Refusal: They are of another release, or there is nothing to compare a journal with.
    """
    with about(data.database), closing(open_to_read(data.database)) as db:
        if version(db) != len(migrations()):
            raise Refusal(
                "The database {path} is of another release.",
                "Start the server once; then say it again.",
                path=data.database,
            )
        db.execute("BEGIN")
        wrong = integrity.verify(db, kept_by, now_ms)
        if journal is None:
            return wrong
        if kept_by is None:
            raise Refusal("Without {path} nobody can say which anchors are this site's.", path=data.sealing_key)
        return wrong + integrity.against_journal(db, kept_by.key, lines_of(journal))


def lines_of(journal: str) -> list[str]:
    """What `journalctl -u forecourt -o cat` gave."""
    if journal == "-":
        return sys.stdin.read().splitlines()
    path = Path(journal)
    with about(path, foreign=True):
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
