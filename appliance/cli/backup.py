"""`forecourt backup` and `forecourt restore`."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing, suppress
from pathlib import Path

from appliance.db.engine import backup as backups
from appliance.db.engine.errors import DatabaseError
from appliance.db.engine.files import about
from appliance.db.engine.migrate import migrate
from appliance.db.engine.open import open_to_read
from appliance.db.sessions import sessions
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal
from appliance.host.control_socket import carry_out, change
from appliance.host.data_directory import DataDirectory
from appliance.services import admin_commands


def backup(arguments: argparse.Namespace, clock: Clock) -> int:
    """Copy the books into one verified file."""
    data = DataDirectory(arguments.directory)
    data.need_site()
    target = arguments.file.absolute()
    with about(target, foreign=True):
        if not target.parent.is_dir():
            raise Refusal("There is no folder {path}.", path=target.parent)
    backups.make(data.database, target)
    change(data, "backup.made", clock)
    print(f"Backed up to {target}: {target.stat().st_size:,} bytes, verified.")
    return 0


def restore(arguments: argparse.Namespace, clock: Clock) -> int:
    """Put a backup in place once it is whole and on the disk; what was there is set aside, not deleted."""
    data = DataDirectory(arguments.directory)
    backups.verify(arguments.file)
    data.make()
    aside = data.path / f"forecourt.db.replaced-{clock()}"
    with data.lock(), about(data.database), backups.unfinished(data.database) as partial:
        try:
            prepare(arguments.file, partial, data, clock)
        except (Refusal, OSError, DatabaseError, KeyboardInterrupt):
            print(f"Nothing was changed in {data.path}.", file=sys.stderr)
            raise
        was_there = backups.put_in_place(partial, data.database, aside)
    print(f"Restored {arguments.file} to {data.path}.")
    if was_there:
        print(f"What was there before is kept as {aside}.", file=sys.stderr)
    return 0


def prepare(file: Path, partial: Path, data: DataDirectory, clock: Clock) -> None:
    """Copy a backup into an empty file, and make it the books that this release goes on with."""
    backups.copy(file, partial)
    backups.verify(partial)
    migrate(partial, set_aside=False)  # The backup itself is how it was.
    carry_out(partial, admin_commands.restored, clock(), newest=newest_number(data.database))
    backups.sync(partial)


def newest_number(database: Path) -> int:
    """The newest session's number in the books that are replaced; 0 if there are none that can tell."""
    with suppress(DatabaseError), closing(open_to_read(database)) as db:
        return sessions.newest(db)
    return 0
