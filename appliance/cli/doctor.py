"""`forecourt doctor`: what is wrong with a site, in sentences."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import closing

from appliance.db import problems, tariffs
from appliance.db import site as sites
from appliance.db.engine import backup
from appliance.db.engine.files import FileTrouble, about
from appliance.db.engine.migrate import migrations, version
from appliance.db.engine.open import open_to_read
from appliance.db.engine.protocols import Readable
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal
from appliance.host import secrets as vaults
from appliance.host.anchors import anchor_file
from appliance.host.data_directory import DataDirectory, InUse
from appliance.services import integrity, secrets, settings

DAY_MS = 86_400_000


def doctor(arguments: argparse.Namespace, clock: Clock) -> int:
    """Print what was looked at and what is wrong; 0 when nothing is."""
    data = DataDirectory(arguments.data_dir)
    wrong = list(examine(data, clock()))
    print(f"Looked at {data.path}: files, books, secrets, settings, disk, backup. {running(data)}")
    for sentence in wrong:
        print(f"- {sentence}")
    print(f"{len(wrong)} to look at." if wrong else "All is well.")
    print("What no program can find:", *(f"- {sentence}" for sentence in integrity.CANNOT_BE_FOUND), sep="\n")
    return 1 if wrong else 0


def examine(data: DataDirectory, now_ms: int) -> Iterator[str]:
    """Sentences about what is wrong."""
    try:
        data.need_site()
        with about(data.path):
            if data.path.stat().st_mode & 0o077:
                yield f"Others on this machine may look into {data.path}. Close it with `chmod 700 {data.path}`."
            free_mb = shutil.disk_usage(data.path).free >> 20
        broken = backup.problems_of(data.database, foreign=False)
    except Refusal as refusal:
        yield f"{refusal} {refusal.advice_in_full}"
        return
    for text in broken:
        yield f"The books: {text}. Stop the server, keep this file, and restore the newest backup."
    if broken:
        return
    with closing(open_to_read(data.database)) as db:
        db.execute("BEGIN")  # The server may be at work: all of it is from one moment.
        yield from examine_books(db, free_mb, now_ms)
        yield from examine_secrets(db, data)
        db.execute("COMMIT")
        if version(db) == len(migrations()):
            yield from examine_anchors(db, data, now_ms)


def examine_books(db: Readable, free_mb: int, now_ms: int) -> Iterator[str]:
    """What the books themselves can tell."""
    if version(db) < len(migrations()):
        yield "The database is of an older release; it is brought up to date when the server starts."
        return
    values = settings.load(db)
    if free_mb < values.disk_free_min_mb:
        yield f"Only {free_mb} MB of disk are free. Make room, or move the site to a larger disk."
    if unread := settings.unread(db):
        yield f"Settings that mean nothing to this release: {', '.join(unread)}."
    if tariffs.default(db) is None:
        yield "There is no tariff, so charging costs nothing. Add one in the console under Tariffs."
    last_ms = sites.backup_at_ms(db)
    if not last_ms:
        yield "No backup was ever made. Make one with `forecourt backup DIR FILE`, best onto another disk."
    elif now_ms - last_ms > values.backup_age_max_days * DAY_MS:
        yield f"The last backup is {(now_ms - last_ms) // DAY_MS} days old."
    count = problems.count_rows(db)
    if count:
        yield f"The console shows {count} problems."


def examine_anchors(db: Readable, data: DataDirectory, now_ms: int) -> Iterator[str]:
    """Whether somebody has rewritten the books."""
    db.execute("BEGIN")  # A moment of its own: what is kept beside the books is read before them.
    if wrong := integrity.verify(db, anchor_file(data), now_ms):
        yield f"The books are not as they were kept: {'; '.join(wrong[:3])}. Say `forecourt verify` for all of it."


def examine_secrets(db: Readable, data: DataDirectory) -> Iterator[str]:
    """Whether they can be opened, here and elsewhere."""
    if version(db) < len(migrations()) or not secrets.is_marked(db):
        return  # The first start of the server makes the key.
    key = vaults.load(data)
    if key is None or not secrets.opens(db, key):
        yield (
            f"{data.sealing_key} is {'missing' if key is None else 'of another site'}, so the secrets in the books cannot be opened. "
            "Put it back, or restore a backup with `--owner-key`; if it is lost for good: `forecourt secrets start-over`."
        )
    elif data.sealing_key.stat().st_mode & 0o077:
        yield f"Others on this machine may read {data.sealing_key}. Close it with `chmod 600 {data.sealing_key}`."
    if secrets.needs_owner_key(db):
        yield "There are secrets that no backup brings back. Make an owner's key: `forecourt secrets owner-key`."


def running(data: DataDirectory) -> str:
    """Whether a server works with this folder."""
    if not data.path.is_dir():
        return "The folder does not exist."
    try:
        with data.lock():
            return "No server is running."
    except InUse:
        return "The server is running."
    except FileTrouble:
        return "Whether a server runs cannot be seen."
