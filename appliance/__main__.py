"""`forecourt` and `python -m appliance`: reads the command line and hands over."""

from __future__ import annotations

import gc
import sys

from appliance.cli import simulate
from appliance.cli.parser import Misconfigured, read
from appliance.db.engine.files import about
from appliance.db.engine.migrate import TooNew
from appliance.domain.clock import system_clock
from appliance.domain.errors import Refusal
from appliance.host.data_directory import DataDirectory

EXIT_INTERRUPTED = 130
"""Ctrl-C, as shells say it."""
EXIT_HOPELESS = 78
"""To start again will not help, and systemd need not try (EX_CONFIG)."""


def main(words: list[str] | None = None) -> int:
    """Carry out one command; a refusal is a sentence on standard error and exit code 1."""
    arguments = read(words)
    try:
        # Each is loaded when it is wanted: chargers wait for the server.
        if arguments.command == "serve":
            gc.disable()  # Nothing of what is loaded is garbage. The server enables it when it serves.
            from appliance import server  # noqa: PLC0415

            return server.run(arguments)
        if arguments.command == "simulate":
            return simulate.simulate(arguments)
        if arguments.command == "desk":
            from appliance.cli import desk  # noqa: PLC0415

            return desk.desk(arguments)
        from appliance.cli.registry import COMMANDS  # noqa: PLC0415

        folder = getattr(arguments, "data_dir", None) or arguments.directory
        with about(DataDirectory(folder).database):
            return COMMANDS[arguments.command](arguments, system_clock)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Refusal as refusal:
        code = EXIT_HOPELESS if isinstance(refusal, TooNew | Misconfigured) else 1
        print(f"forecourt: {refusal}", refusal.advice_in_full, sep="\n  " if refusal.advice else "", file=sys.stderr)
        return code


if __name__ == "__main__":
    sys.exit(main())
