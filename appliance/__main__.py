"""`forecourt` and `python -m appliance`: reads the command line and hands over."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from appliance.arguments import Misconfigured, parser
from appliance.commands import access, doctor, safekeeping, sites
from appliance.control_socket import advice_of
from appliance.db.migrate import TooNew
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import Refusal
from appliance.simulator import terminal

EXIT_HOPELESS = 78
"""To start again will not help, and systemd need not try (EX_CONFIG)."""

COMMANDS: dict[str, Callable[[argparse.Namespace, Clock], int]] = {
    "init": sites.init,
    "token": access.token,
    "operator": access.operator,
    "setup-code": access.setup_code,
    "backup": safekeeping.backup,
    "restore": safekeeping.restore,
    "doctor": doctor.doctor,
}


def main(words: list[str] | None = None) -> int:
    """Carry out one command; a refusal is a sentence on standard error and exit code 1."""
    arguments = parser().parse_args(words)
    try:
        if arguments.command == "serve":
            from appliance import server  # noqa: PLC0415  # the other commands start without the whole server

            return server.run(arguments)
        if arguments.command == "simulate":
            return terminal.simulate(arguments)
        if arguments.command == "desk":
            from appliance.commands import desk  # noqa: PLC0415  # only this one needs a web client

            return desk.desk(arguments)
        return COMMANDS[arguments.command](arguments, system_clock)
    except Refusal as refusal:
        code = EXIT_HOPELESS if isinstance(refusal, TooNew | Misconfigured) else 1
        print(f"forecourt: {refusal}", advice_of(refusal), sep="\n  " if refusal.advice else "", file=sys.stderr)
        return code


if __name__ == "__main__":
    sys.exit(main())
