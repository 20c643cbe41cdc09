"""The command line: what may be said, and what an environment variable says when it is not."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance import __version__
from appliance.cli import simulate as terminal
from appliance.domain.errors import Refusal
from appliance.domain.roles import Role
from appliance.domain.site import LANGUAGES
from appliance.host.addresses import Address

DRIVERS_URL = re.compile(r"https?://[\]A-Za-z0-9._:\[-]+(/[A-Za-z0-9._~/-]*)?")
DRIVERS_URL_LENGTH_MAX = 62
"""With `card/`, the token of the card and the signed record it fills the smallest chip, an NTAG213."""


STATIONS_PORT = 9000
UNSAID = {"stations": f"0.0.0.0:{STATIONS_PORT}, with --demo 127.0.0.1:{STATIONS_PORT}"}
"""What is taken where nothing was said, as far as that depends on something else."""


class Misconfigured(Refusal):
    """What was said on the command line or in the environment cannot work, however often it is tried."""


class SaidInstead(argparse.Action):
    """Of an option that may be repeated: what is said on the command line replaces what the environment says."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  # argparse calls it so
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        """One more; the environment's are a tuple."""
        said = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [values] if isinstance(said, tuple) else [*said, values])


def drivers_url(text: str) -> str:
    """The address that is written on cards, with a slash at its end; argparse's error says what is wrong."""
    url = text if not text or text.endswith("/") else f"{text}/"
    if url and (len(url) > DRIVERS_URL_LENGTH_MAX or not DRIVERS_URL.fullmatch(url)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an address such as http://192.168.7.2:8081/ of at most {DRIVERS_URL_LENGTH_MAX} characters"
        )
    return url


def read(words: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> argparse.Namespace:
    """What a command line says. A demo is for whoever looks at it: its chargers come from this machine, and nobody else's are let in."""
    arguments = parser(environment).parse_args(words)
    if arguments.command == "serve" and arguments.stations is None:
        everywhere = Address.read(f":{STATIONS_PORT}")
        arguments.stations = Address("127.0.0.1", STATIONS_PORT) if arguments.demo else everywhere
    return arguments


def parser(environment: Mapping[str, str] = os.environ) -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="forecourt", description="The server of an EV charging site.")
    top.add_argument("--version", action="version", version=f"forecourt {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the site", description="Run the site until SIGTERM or Ctrl-C.")
    _data_dir(serve, environment)
    for name, default, what in (
        ("stations", "", "chargers, over ws"),
        ("stations-tls", "", "chargers, over wss with the site's own certificate"),
        ("console", "127.0.0.1:8080", "staff and API; with --console-tls it only redirects there"),
        ("console-tls", "", "staff and API, over https with the site's own certificate"),
        ("drivers", "127.0.0.1:8081", "drivers' phones"),
    ):
        variable = f"FORECOURT_{name.upper().replace('-', '_')}"
        given = environment.get(variable) or default
        serve.add_argument(
            f"--{name}",
            type=Address.read,
            default=given or None,
            metavar="HOST:PORT",
            help=f"listener for {what} (default: {given or UNSAID.get(name, 'none')}; {variable})",
        )
    serve.add_argument(
        "--tls-names",
        default=environment.get("FORECOURT_TLS_NAMES", ""),
        metavar="NAMES",
        help="further names and addresses of this box, comma separated (FORECOURT_TLS_NAMES)",
    )
    serve.add_argument(
        "--drivers-url",
        type=drivers_url,
        default=environment.get("FORECOURT_DRIVERS_URL", ""),
        metavar="URL",
        help="what stands on cards before card/…, for phones (default: the address of --drivers; FORECOURT_DRIVERS_URL)",
    )
    _reader(serve, environment)
    serve.add_argument(
        "--demo",
        action="store_true",
        default=environment.get("FORECOURT_DEMO") == "1",
        help="a made-up site with simulated stations; never on a real site's data (FORECOURT_DEMO=1)",
    )

    init = commands.add_parser("init", help="make a new site")
    _data_dir(init, environment)
    init.add_argument("--currency", required=True, help="ISO 4217 code such as BDT; fixed for good")
    init.add_argument("--timezone", required=True, help="IANA name such as Asia/Dhaka; fixed for good")
    init.add_argument("--language", default="en", help="of the console: en or bn")
    init.add_argument("--site-name", default="Charging site", help="what stands on top of every page")

    token = commands.add_parser("token", help="tokens of programs that use the API")
    token_create = token.add_subparsers(dest="action", required=True).add_parser(
        "create", help="print a new token, and nothing else"
    )
    _data_dir(token_create, environment)
    token_create.add_argument("--role", required=True, choices=[*Role])
    token_create.add_argument("--name", required=True, help="what it is for")

    operator = commands.add_parser("operator", help="members of the staff")
    operator_add = operator.add_subparsers(dest="action", required=True).add_parser(
        "add", help="add one; the password is read from standard input or asked for"
    )
    _data_dir(operator_add, environment)
    operator_add.add_argument("--login", required=True)
    operator_add.add_argument("--name", default="", help="their full name (default: the login)")
    operator_add.add_argument("--role", required=True, choices=[*Role])
    operator_add.add_argument("--language", default="", choices=LANGUAGES, help="the site's if left out")

    setup_code = commands.add_parser("setup-code", help="print a new one-time code for the console's set-up page")
    _data_dir(setup_code, environment)

    backup = commands.add_parser("backup", help="copy the site's books into one verified file, also while it runs")
    backup.add_argument("directory", type=Path, metavar="DIR", help="the data directory")
    backup.add_argument("file", type=Path, metavar="FILE", help="the new file")

    restore = commands.add_parser("restore", help="put a backup in place, after verifying it")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("directory", type=Path, metavar="DIR", help="the data directory")

    restore.add_argument(
        "--owner-key",
        action="store_true",
        help="open the secrets in it with the words of the owner's key, which are asked for or read from standard input",
    )

    secrets = commands.add_parser("secrets", help="the keys of what the site keeps secret")
    secret_actions = secrets.add_subparsers(dest="action", required=True)
    owner_key = secret_actions.add_parser(
        "owner-key", help="make the owner's key and print its words, this once: they open the secrets in backups"
    )
    _data_dir(owner_key, environment)
    owner_key.add_argument("--replace", action="store_true", help="make another, if the words are lost")
    start_over = secret_actions.add_parser(
        "start-over", help="forget all secrets, whose key is lost for good, and begin with a new one"
    )
    _data_dir(start_over, environment)

    _looking(commands, environment)

    desk = commands.add_parser(
        "desk",
        help="a card reader on this PC that works for a site elsewhere",
        description="Join the card reader of this PC to a site, until SIGTERM or Ctrl-C.",
    )
    server = environment.get("FORECOURT_SERVER")
    desk.add_argument(
        "--server",
        default=server,
        required=not server,
        metavar="URL",
        help="the site's console, such as https://192.168.7.2:8443 (FORECOURT_SERVER)",
    )
    desk.add_argument(
        "--token-file", type=Path, required=True, metavar="FILE", help="holds a token of the role cashier or higher"
    )
    _reader(desk, environment)
    desk.add_argument(
        "--name",
        default=environment.get("FORECOURT_DESK_NAME", ""),
        help="what the desk is called at the site (default: this PC's name; FORECOURT_DESK_NAME)",
    )
    ca = environment.get("FORECOURT_CA")
    desk.add_argument(
        "--ca",
        type=Path,
        default=Path(ca) if ca else None,
        metavar="FILE",
        help="the site's authority, as its console offers it under ca.crt (default: the system's; FORECOURT_CA)",
    )
    desk.add_argument(
        "--insecure",
        action="store_true",
        help="allow http to another machine: who listens learns the token and the keys of cards",
    )

    simulate = commands.add_parser("simulate", help="a charging station in the terminal, for any central system")
    terminal.add_arguments(simulate)
    return top


def _looking(commands: Any, environment: Mapping[str, str]) -> None:
    """Those that only look."""
    doctor = commands.add_parser("doctor", help="say in sentences what is wrong with a site")
    _data_dir(doctor, environment)
    verify = commands.add_parser("verify", help="reckon the books anew and compare them with what was anchored")
    _data_dir(verify, environment)
    verify.add_argument(
        "--journal", metavar="FILE", help="compare with the anchors in this journal, too (-: standard input)"
    )
    verify.add_argument(
        "--accept", action="store_true", help="take the books as they are from now on, and put that on record"
    )


def _data_dir(command: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    given = environment.get("FORECOURT_DATA_DIR")
    command.add_argument(
        "--data-dir",
        type=Path,
        default=Path(given) if given else None,
        required=not given,
        metavar="DIR",
        help="where the site's files are (FORECOURT_DATA_DIR)",
    )


def _reader(command: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    command.add_argument(
        "--reader",
        action=SaidInstead,
        default=tuple(environment.get("FORECOURT_READER", "").split()),
        metavar="PATH",
        help="a card reader: a device such as /dev/ttyUSB0, usb:VVVV:PPPP, pcsc or none; may be repeated "
        "(default: whatever is plugged in; FORECOURT_READER)",
    )
