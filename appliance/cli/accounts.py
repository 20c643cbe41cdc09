"""`forecourt token`, `forecourt operator` and `forecourt setup-code`: who may come in."""

from __future__ import annotations

import argparse
import getpass
import sys
from contextlib import closing

from appliance.db import operators
from appliance.db import site as sites
from appliance.db.engine.open import open_to_read
from appliance.domain.clock import Clock
from appliance.host.control_socket import change
from appliance.host.data_directory import DataDirectory
from appliance.services.operators import passwords


def token(arguments: argparse.Namespace, clock: Clock) -> int:
    """Print a new token and nothing else."""
    data = DataDirectory(arguments.data_dir)
    print(change(data, "token.create", clock, name=arguments.name, role=arguments.role))
    return 0


def operator(arguments: argparse.Namespace, clock: Clock) -> int:
    """Add a member of the staff, whose password comes from standard input, never from the command line."""
    data = DataDirectory(arguments.data_dir)
    data.need_site()
    name = arguments.name or arguments.login
    password = read_password()
    site_name, *site_words = words_of_site(data)
    passwords.check_password(password, login=arguments.login, name=name, site_name=site_name, site_words=site_words)
    change(
        data,
        "operator.add",
        clock,
        login=arguments.login,
        name=name,
        role=arguments.role,
        password_hash=passwords.hash_password(password),
        language=arguments.language,
    )
    print(f"{name} may log in as {arguments.login} ({arguments.role}).")
    return 0


def setup_code(arguments: argparse.Namespace, clock: Clock) -> int:
    """Print a new one-time code for the set-up page."""
    code = change(DataDirectory(arguments.data_dir), "setup.code", clock)
    if code is None:
        print("This site has been set up. Add people with `forecourt operator add`.", file=sys.stderr)
        return 1
    print(code)
    return 0


def read_password() -> str:
    """From the terminal, twice, or the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    while True:
        first = getpass.getpass("Password: ")
        if first == getpass.getpass("Once more: "):
            return first
        print("These two are not the same.", file=sys.stderr)


def words_of_site(data: DataDirectory) -> list[str]:
    """What the site is called, and what else everybody there knows: no password may be that."""
    with closing(open_to_read(data.database)) as db:
        site = sites.load(db)
        return [site.name if site else "", *operators.site_words(db)]
