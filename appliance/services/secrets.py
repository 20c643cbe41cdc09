"""What the site keeps secret for others: sealed in the books, under a key that is not in them (docs/decisions/0013-secrets.md).

Where there is no vault, because that key is lost, what needs a secret is off, and the rest runs.
"""

from __future__ import annotations

from appliance.db import secrets as rows
from appliance.db import vouchers
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.secrets import OwnerKey
from appliance.domain.by import By
from appliance.domain.problem import ProblemKind
from appliance.services import audit
from appliance.services.ports.vault import CannotOpen, Vault
from appliance.services.problems import clear_problem, raise_problem

SELF_CHECK = "self-check"
"""The secret that is none: whatever opens it is this site's key."""


def keep_secret(db: Database, vault: Vault, name: str, plain: bytes, now_ms: int) -> None:
    """Keep a secret under a name such as `stripe.key`, in the place of the one before."""
    rows.store(db, name, vault.seal(name, plain), now_ms)


def read_secret(db: Readable, vault: Vault, name: str) -> bytes | None:
    """The secret of this name; None if none is kept.

    Raises:
        CannotOpen: It was sealed by another key, or under another name, or was changed.
    """
    sealed = rows.find(db, name)
    return vault.open(name, sealed) if sealed is not None else None


def is_marked(db: Readable) -> bool:
    """Whether the site has its key. Before its first start, and after an upgrade, it has none yet."""
    return rows.find(db, SELF_CHECK) is not None


def opens(db: Readable, vault: Vault) -> bool:
    """Whether this is the key of the site."""
    try:
        return read_secret(db, vault, SELF_CHECK) is not None
    except CannotOpen:
        return False


def take_up(db: Database, vault: Vault | None, now_ms: int) -> bool:
    """At the start: whether this is the site's key, which it becomes if the site has none. None: the key is not there."""
    if vault is not None and not is_marked(db):
        keep_secret(db, vault, SELF_CHECK, b"", now_ms)
    well = vault is not None and opens(db, vault)
    if well:
        clear_problem(db, ProblemKind.SECRETS, "site", now_ms)
    else:
        raise_problem(db, ProblemKind.SECRETS, "site", now_ms, why="missing" if vault is None else "foreign")
    return well


def needs_owner_key(db: Readable) -> bool:
    """Whether there are secrets, or codes of vouchers, that no backup could bring back on another box."""
    return (rows.others_than(db, SELF_CHECK) or vouchers.any_unused(db)) and rows.owner_key(db) is None


def set_owner_key(db: Database, key: OwnerKey, by: By) -> None:
    """From now on every backup can be opened by whoever has the words of this key."""
    rows.set_owner_key(db, key, by.at_ms)
    audit.record(db, by, "site.owner_key", "site")


def start_over(db: Database, vault: Vault, owner: OwnerKey | None, by: By) -> None:
    """The key is lost for good: forget what nobody can open any more, and begin with another. `owner`: it, enclosed anew."""
    rows.forget_all(db)
    if owner is not None:
        rows.set_owner_key(db, owner, by.at_ms)
    audit.record(db, by, "site.new_secrets", "site")
    take_up(db, vault, by.at_ms)
