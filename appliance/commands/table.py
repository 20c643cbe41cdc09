"""The commands that look something up or change it, and end."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from appliance.commands import access, doctor, safekeeping, sites
from appliance.domain.clock import Clock

COMMANDS: dict[str, Callable[[argparse.Namespace, Clock], int]] = {
    "init": sites.init,
    "token": access.token,
    "operator": access.operator,
    "setup-code": access.setup_code,
    "backup": safekeeping.backup,
    "restore": safekeeping.restore,
    "doctor": doctor.doctor,
}
