"""The commands that look something up or change it, and end."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from appliance.cli import accounts, backup, doctor, init, secrets, verify
from appliance.domain.clock import Clock

COMMANDS: dict[str, Callable[[argparse.Namespace, Clock], int]] = {
    "init": init.init,
    "token": accounts.token,
    "operator": accounts.operator,
    "setup-code": accounts.setup_code,
    "backup": backup.backup,
    "restore": backup.restore,
    "doctor": doctor.doctor,
    "verify": verify.verify,
    "secrets": secrets.secrets,
}
