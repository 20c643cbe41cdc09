"""`forecourt simulate`: its options, its exit codes, and what it prints. What the station then does is in `interactive`.

It is useful against any central system.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from appliance.simulator import output
from appliance.simulator.output import EXIT_DONE, EXIT_USAGE

CARD_CHARS_MAX: Final = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `forecourt simulate`."""
    parser.add_argument(
        "--url", required=True, help="where the central system listens, such as ws://127.0.0.1:9000/ocpp/"
    )
    parser.add_argument("--id", required=True, help="the station's identity, the last part of the URL")
    parser.add_argument("--version", choices=("1.6",), default="1.6", help="of OCPP")
    parser.add_argument("--power", type=int, default=7400, metavar="W", help="most power of a connector")
    parser.add_argument("--card", default="04A1B2C3", help="number of the card that is presented")
    parser.add_argument("--connectors", type=int, default=1, metavar="N", help="how many the station has")
    parser.add_argument("--password-file", type=Path, help="a file with the password for Basic authentication")
    parser.add_argument("--ca-file", type=Path, help="certificates to trust for wss, in PEM")
    parser.add_argument("--sample-interval", type=int, default=10, metavar="S", help="seconds between meter values")
    parser.add_argument("--speed", type=int, default=1, help="how many times faster energy flows")
    parser.add_argument(
        "--once", "--plug-in", action="store_true", help="plug in, charge --energy, stop, unplug, and exit"
    )
    parser.add_argument("--energy", type=int, default=5000, metavar="WH", help="how much --once charges")


def simulate(arguments: argparse.Namespace) -> int:
    """Run a station until it is quit; the exit code of the process.

    0: quit, or charged as asked. 1: `--once` did not get its energy. 2: an argument makes no sense. 3: the central system refuses
    this station.
    """
    complaint = unusable(arguments)
    if complaint is not None:
        output.say(complaint)
        return EXIT_USAGE
    # Other commands read these options too, and need neither a websocket nor OCPP to start.
    from appliance.simulator.interactive import run  # noqa: PLC0415

    try:
        return asyncio.run(run(arguments))
    except KeyboardInterrupt:
        return EXIT_DONE


def unusable(arguments: argparse.Namespace) -> str | None:
    """A sentence about the first argument that makes no sense, or None."""
    url = urlsplit(arguments.url)
    if url.scheme not in {"ws", "wss"} or not url.hostname:
        return "The URL must begin with ws:// or wss:// and name a host."
    if not 1 <= len(arguments.card) <= CARD_CHARS_MAX:
        return f"A card number has 1 to {CARD_CHARS_MAX} characters."
    for name, least in (("power", 100), ("connectors", 1), ("speed", 1), ("energy", 1), ("sample_interval", 1)):
        if getattr(arguments, name) < least:
            return f"--{name.replace('_', '-')} must be at least {least}."
    for name in ("password_file", "ca_file"):
        path = getattr(arguments, name)
        if path is not None and not path.is_file():
            return f"There is no file {path}."
    return None
