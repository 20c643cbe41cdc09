"""`forecourt init`: a new site."""

from __future__ import annotations

import argparse
import secrets
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.db import site as sites
from appliance.db.engine.migrate import migrate
from appliance.db.engine.open import alone
from appliance.domain.clock import Clock
from appliance.domain.errors import Conflict, Invalid
from appliance.domain.money import currency
from appliance.domain.site import LANGUAGES, Site
from appliance.host import secrets as vaults
from appliance.host.data_directory import DataDirectory
from appliance.services.secrets import take_up


def init(arguments: argparse.Namespace, clock: Clock) -> int:
    """Make a site in an empty folder."""
    data = DataDirectory(arguments.data_dir)
    site = create(
        data,
        name=arguments.site_name,
        currency_code=arguments.currency.upper(),
        timezone=arguments.timezone,
        language=arguments.language,
        demo=False,
        now_ms=clock(),
    )
    print(f"Made the site {site.name!r} in {data.path}: {site.currency}, {site.timezone}.")
    return 0


def create(
    data: DataDirectory, *, name: str, currency_code: str, timezone: str, language: str, demo: bool, now_ms: int
) -> Site:
    """A database with its site.

    Raises:
        Conflict: There is one already.
        Invalid: A field cannot be used.
    """
    money = currency(currency_code)
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            "timezone", "There is no time zone {name}.", "Take an IANA name such as Asia/Dhaka.", name=timezone
        ) from None
    if language not in LANGUAGES:
        raise Invalid("language", "The language is en or bn.")
    if not 1 <= len(name.strip()) <= 100:
        raise Invalid("site_name", "A site's name has 1 to 100 characters.")
    site = Site(name.strip(), money.code, money.exponent, timezone, language, demo)
    data.make()
    with data.lock():
        if data.database.exists():
            raise Conflict("There is a site in {path} already.", "Choose another folder.", path=data.path)
        migrate(data.database)
        data.database.chmod(0o600)
        with alone(data.database) as db:
            sites.create(db, site, secrets.token_bytes(32), now_ms)
            take_up(db, vaults.load_or_make(data), now_ms)
    return site
