"""`forecourt secrets`: the owner's key, and a new beginning when the site's own key is lost."""

from __future__ import annotations

import argparse
import getpass
import sys
from contextlib import closing

from appliance.db import secrets as rows
from appliance.db.engine.migrate import migrate, migrations, version
from appliance.db.engine.open import open_to_read
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.clock import Clock
from appliance.domain.errors import Conflict, Refusal
from appliance.host import owner_key
from appliance.host import secrets as vaults
from appliance.host.control_socket import carry_out, change
from appliance.host.data_directory import DataDirectory
from appliance.host.secrets import SealingKey
from appliance.services import secrets as services
from appliance.services.admin_commands import ACTOR


def secrets(arguments: argparse.Namespace, clock: Clock) -> int:
    """One of the two."""
    data = DataDirectory(arguments.data_dir)
    data.need_site()
    return start_over(data, clock) if arguments.action == "start-over" else make_owner_key(data, arguments, clock)


def make_owner_key(data: DataDirectory, arguments: argparse.Namespace, clock: Clock) -> int:
    """Make it, enclose the sealing key to it, and print its words: on standard output they alone."""
    sealing = sealing_key_for_owner(data, replace=arguments.replace)
    words = owner_key.new_words()
    made = owner_key.enclose(sealing, owner_key.private_half(words).public_key().public_bytes_raw())
    change(data, "owner_key.set", clock, public=made.public.hex(), enclosed=made.enclosed.hex())
    print("The owner's key, shown this once. Write it on paper, and keep it where the box is not:", file=sys.stderr)
    print(words, flush=True)
    print("It opens the secrets in backups that are made from now on: forecourt restore --owner-key", file=sys.stderr)
    return 0


def sealing_key_for_owner(data: DataDirectory, *, replace: bool) -> SealingKey:
    """The site's key, if an owner's key may be made for it.

    Raises:
        Conflict: There is one.
        Refusal: The site's key is not there.
    """
    sealing = vaults.load(data)
    with closing(open_to_read(data.database)) as db:
        if version(db) < len(migrations()):
            raise Refusal("The database is of an older release.", "Start the server once; it brings it up to date.")
        if not replace and rows.owner_key(db) is not None:
            raise Conflict(
                "This site has an owner's key.",
                "Say --replace for another; the words of before then open older backups only.",
            )
        if sealing is None or not services.opens(db, sealing):
            raise Refusal(
                "{path} is missing, or is another site's.", "Ask forecourt doctor what to do.", path=data.sealing_key
            )
    return sealing


def start_over(data: DataDirectory, clock: Clock) -> int:
    """Forget what cannot be opened, and begin with a new key, which the owner's key encloses as it did the one before."""
    with data.lock():
        migrate(data.database)
        aside = vaults.set_aside(data, clock())
        sealing = vaults.load_or_make(data)
        assert sealing is not None, "it was just made"

        def unit(db: Database, now_ms: int) -> None:
            owner = rows.owner_key(db)
            enclosed = owner_key.enclose(sealing, owner.public) if owner is not None else None
            services.start_over(db, sealing, enclosed, By(ACTOR, now_ms))

        carry_out(data.database, unit, clock())
        data.anchors.unlink(missing_ok=True)  # Made with the key of before.
    print(f"All secrets are forgotten, and {data.sealing_key} is new. Enter them again in the console.")
    if aside is not None:
        print(f"The key of before is kept as {aside}.", file=sys.stderr)
    return 0


def read_words() -> str:
    """The words of an owner's key, from the terminal, or the first line of what is piped in; never from the command line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    try:
        return getpass.getpass("The twelve words of the owner's key (they are not shown): ")
    except EOFError:
        return ""
