"""The roles, wherever they are spoken of."""

from __future__ import annotations

import re

from appliance.cli.parser import parser
from appliance.db.engine.migrate import migrations
from appliance.domain.roles import Role
from appliance.ui.frame.roles import ROUTES
from appliance.ui.wording.words import ROLES

SCHEMA = "".join(script for _number, script in migrations())


def test_what_is_stored_said_and_allowed_are_the_same_roles() -> None:
    stored = [re.findall(r"'(\w+)'", names) for names in re.findall(r"CHECK \(role IN \(([^)]*)\)", SCHEMA)]

    assert stored == [list(Role)] * 2
    assert list(ROLES) == list(Role)
    assert frozenset().union(*ROUTES.values()) == set(Role)


def test_the_command_line_takes_each() -> None:
    for role in Role:
        assert (
            parser({}).parse_args(["token", "create", "--data-dir", "here", "--name", "x", "--role", role]).role == role
        )
