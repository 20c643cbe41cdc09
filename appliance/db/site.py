"""The one site of this database, and its settings as stored texts."""

from __future__ import annotations

from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.site import Site

SITE = Slot[Site]()


def load(db: Readable) -> Site | None:
    """The site; None in a database that `init` has not filled."""
    row = db.execute("SELECT name, currency, exponent, timezone, language, demo FROM site").fetchone()
    if row is None:
        return None
    name, currency, exponent, timezone, language, demo = row
    return Site(name, currency, exponent, timezone, language, bool(demo))


def read(db: Readable) -> Site:
    """The site, in a database that has one."""
    site = load(db)
    assert site is not None, "a server runs only on a database that has its site"
    return site


def of(db: Database) -> Site:
    """The site, remembered by the writer."""
    site = SITE.get(db)
    if site is None:
        site = read(db)
        SITE.keep(db, site)
    return site


def create(db: Database, site: Site, secret: bytes, now_ms: int) -> None:
    """Fill an empty database; IntegrityError if it has its site. `secret` is 32 random bytes."""
    db.execute(
        """INSERT INTO site (id, name, currency, exponent, timezone, language, demo, secret, created_at_ms)
        VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (site.name, site.currency, site.exponent, site.timezone, site.language, site.demo, secret, now_ms),
    )


def secret(db: Readable) -> bytes:
    """The site's key. It is for hashing and for nothing that leaves the program."""
    return bytes(db.execute("SELECT secret FROM site").fetchone()[0])


def backed_up(db: Database, now_ms: int) -> None:
    """A backup was made, and verified."""
    db.execute("UPDATE site SET backup_at_ms = ?", (now_ms,))


def backup_at_ms(db: Readable) -> int:
    """When the last backup was made and verified; 0: never."""
    return int(db.execute("SELECT backup_at_ms FROM site").fetchone()[0])


def created_at_ms(db: Readable) -> int:
    """Since when there is something to back up."""
    return int(db.execute("SELECT created_at_ms FROM site").fetchone()[0])


def rename(db: Database, name: str, language: str) -> None:
    """Change what may change."""
    db.execute("UPDATE site SET name = ?, language = ?", (name, language))
    SITE.drop(db)


def heartbeat_commit(db: Database, now_ms: int) -> None:
    """A real commit: proof that the way to the disk is open."""
    db.execute("UPDATE site SET pulse_at_ms = ?", (now_ms,))


def settings(db: Readable) -> dict[str, str]:
    """All settings that were ever changed."""
    return dict(db.execute("SELECT name, value FROM setting").fetchall())


def set_setting(db: Database, name: str, value: str) -> None:
    """Store one."""
    db.execute(
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
