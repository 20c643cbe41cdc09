"""`forecourt backup` and `forecourt restore`."""

from __future__ import annotations

import argparse
import shutil
import sys

from appliance.control_socket import change
from appliance.data_directory import DataDirectory
from appliance.db import backup as backups
from appliance.db.files import about
from appliance.db.migrate import migrate
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal


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
    """Put a backup in place; what was there is set aside, not deleted."""
    data = DataDirectory(arguments.directory)
    backups.verify(arguments.file)
    data.make()
    with data.lock():
        aside = None
        if data.database.exists():
            aside = data.path / f"forecourt.db.replaced-{clock()}"
            for suffix in ("", "-wal", "-shm"):
                old = data.database.with_name(data.database.name + suffix)
                if old.exists():
                    old.rename(aside.with_name(aside.name + suffix))
        partial = data.path / ".forecourt.db.partial"
        shutil.copyfile(arguments.file, partial)
        partial.chmod(0o600)
        backups.verify(partial)
        backups.sync(partial)
        partial.rename(data.database)
        backups.sync(data.path)
        migrate(data.database)
    print(f"Restored {arguments.file} to {data.path}.")
    if aside is not None:
        print(f"What was there before is kept as {aside}.", file=sys.stderr)
    return 0
