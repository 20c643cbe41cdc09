"""`forecourt backup` and `forecourt restore`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from appliance.cli.secrets import read_words
from appliance.db import restoring
from appliance.db import secrets as rows
from appliance.db.engine import backup as backups
from appliance.db.engine.errors import DatabaseError
from appliance.db.engine.files import about
from appliance.db.engine.migrate import migrate, migrations, version
from appliance.db.engine.open import open_to_read
from appliance.db.restoring import Replaced
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal
from appliance.host import owner_key
from appliance.host import secrets as vaults
from appliance.host.control_socket import carry_out, change
from appliance.host.data_directory import DataDirectory
from appliance.host.secrets import SealingKey
from appliance.services import admin_commands, secrets
from appliance.services.restoring import Restored


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
    with closing(open_to_read(target)) as db:
        if version(db) == len(migrations()) and rows.owner_key(db) is None:
            print(f"What opens its secrets is not in it: keep {data.sealing_key}, or see forecourt secrets owner-key.")
    return 0


def restore(arguments: argparse.Namespace, clock: Clock) -> int:
    """Put a backup in place once it is whole and on the disk; what was there is set aside, not deleted."""
    data = DataDirectory(arguments.directory)
    backups.verify(arguments.file)
    data.make()
    aside = data.path / f"forecourt.db.replaced-{clock()}"
    with data.lock(), about(data.database), backups.unfinished(data.database) as partial:
        try:
            restored = prepare(arguments.file, partial, data, clock)
            key = missing_key(partial, data, ask=arguments.owner_key)
        except (Refusal, OSError, DatabaseError, KeyboardInterrupt):
            print(f"Nothing was changed in {data.path}.", file=sys.stderr)
            raise
        was_there = backups.put_in_place(partial, data.database, aside)
        if data.anchors.exists():
            # What is compared with is begun anew: that these are older books is on record.
            data.anchors.rename(data.anchors.with_name(f"{data.anchors.name}.replaced-{clock()}"))
        if key is not None:
            vaults.set_aside(data, clock())
            vaults.put(data, key.key)
    print(f"Restored {arguments.file} to {data.path}.")
    print(*describe(restored), sep="\n")
    if key is not None:
        print(f"Put {data.sealing_key} in place: it opens the secrets.")
    if was_there:
        print(f"What was there before is kept as {aside}.", file=sys.stderr)
    return 0


def describe(restored: Restored) -> Iterator[str]:
    """What a restore did besides, in sentences."""
    yield f"All log-ins have ended ({restored.log_ins}). New receipts begin at number {restored.receipts_from:,}."
    if restored.approvals:
        yield f"{restored.approvals} approvals that waited have expired: they may have been decided since. Ask again."
    if not restored.known:
        yield (
            "There were no books to compare with: look yourself at operators and their roles and passwords, API tokens, chargers, people, "
            "and cards that were disabled, revoked, retired, closed, blocked, limited or wiped since the backup."
        )
        return
    yield (
        f"Carried over: {restored.operators} operators disabled, {restored.tokens} API tokens revoked, {restored.cards} cards blocked, "
        f"{restored.roles} narrower roles, {restored.passwords} passwords of operators, {restored.stations_retired} chargers retired, "
        f"{restored.stations_secured} chargers secured, {restored.people_closed} people closed."
    )
    yield "Prices, groups, settings, and whatever was made wider since, are as they were in the backup."
    yield (
        f"{restored.waiting} cards wait for somebody to look: they were given away, wiped, paid out or limited since, or their "
        f"holders pay otherwise. "
        f"{restored.receipts_lost} receipts of since are not in these books."
    )
    if restored.vouchers:
        yield (
            f"{restored.vouchers} vouchers are held until a manager has looked at them: they were sold, used or voided since. "
            "Vouchers that were printed since are not in these books, and buy nothing."
        )


def prepare(file: Path, partial: Path, data: DataDirectory, clock: Clock) -> Restored:
    """Copy a backup into an empty file, and make it the books that this release goes on with."""
    backups.copy(file, partial)
    backups.verify(partial)
    migrate(partial, set_aside=False)  # The backup itself is how it was.
    restored: Restored = carry_out(partial, admin_commands.restored, clock(), replaced=replaced_books(data.database))
    backups.sync(partial)
    return restored


def missing_key(partial: Path, data: DataDirectory, *, ask: bool) -> SealingKey | None:
    """The key of the secrets in restored books; None if it lies in the folder already, or stays missing because nobody asked for it.

    Raises:
        Refusal: It is not in the backup, or the words that were given are not those of its owner's key.
    """
    with closing(open_to_read(partial)) as db:
        present = vaults.load(data)
        if not secrets.is_marked(db) or (present is not None and secrets.opens(db, present)):
            return None
        owner = rows.owner_key(db)
        if not ask:
            print(without_key(data, in_backup=owner is not None), file=sys.stderr)
            return None
        if owner is None:
            raise Refusal(
                "What opens the secrets is not in this backup: the site had no owner's key when it was made.",
                "Leave out --owner-key, and put the file sealing.key of that site into the folder yourself.",
            )
        found = owner_key.disclose(owner, read_words())
        if not secrets.opens(db, found):
            raise Refusal("What this backup has as its key does not open its secrets.", "Take another backup.")
        return found


def without_key(data: DataDirectory, *, in_backup: bool) -> str:
    """That the secrets stay closed, and what opens them."""
    remedy = "say it again with --owner-key, or put" if in_backup else "put"
    return f"Its secrets stay closed: {remedy} the sealing.key of the site that was backed up into {data.path}."


def replaced_books(database: Path) -> Replaced | None:
    """What matters of the books that are replaced; None if there are none that can tell."""
    if not database.is_file():
        return None
    with suppress(DatabaseError), closing(open_to_read(database)) as db:
        return restoring.replaced(db)
    return None
