"""What may change about the site: its name and its language. Currency, time zone and kind are fixed by the schema."""

from __future__ import annotations

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import Invalid
from appliance.services import audit
from appliance.services.announce import SettingsChanged

NAME_CHARS_MAX = 100


def rename(db: Database, name: str, language: str, by: By) -> None:
    """Give the site another name or language.

    Raises:
        Invalid: There is no name, or it is too long.
    """
    if not 1 <= len(name.strip()) <= NAME_CHARS_MAX:
        raise Invalid("site_name", "A name has 1 to 100 characters.")
    name, before = name.strip(), sites.of(db)
    sites.rename(db, name, language)
    changed = audit.changed(before, name=name, language=language)
    audit.record(db, by, "setting.site", "site", name=name, language=language, changed=changed)
    db.announce(SettingsChanged())


def stations_got_root(db: Database, fingerprint: str, by: By) -> None:
    """Chargers are given a certificate authority of their own from now on."""
    audit.record(db, by, "site.stations_root", "site", fingerprint=fingerprint)
