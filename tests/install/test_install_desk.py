"""install.sh --desk: a reader on another PC, without a site and without data."""

import stat
from pathlib import Path

import pytest

from appliance.cli.parser import parser
from tests.install.conftest import REPOSITORY, Machine

ENVIRONMENT_FILE = "/etc/forecourt/forecourt-desk.env"
UNIT = "/etc/systemd/system/forecourt-desk.service"
TOKEN = "/etc/forecourt/desk-token"


@pytest.fixture(name="desk")
def _desk(machine: Machine) -> Machine:
    """A machine on which a desk is installed."""
    (machine.root / "token").write_text("fct_secret\n", encoding="utf-8")
    (machine.root / "ca.pem").write_text("authority\n", encoding="utf-8")
    install_desk(
        machine,
        *("--server", "https://192.168.7.2:8443", "--name", "front-desk", "--reader", "/dev/ttyUSB0"),
        *("--token-file", str(machine.root / "token"), "--ca", str(machine.root / "ca.pem")),
    )
    return machine


def install_desk(machine: Machine, *options: str) -> None:
    result = machine.install("--desk", "--non-interactive", *options)
    assert result.returncode == 0, result.stderr


def test_a_desk_is_a_service_without_a_site(desk: Machine) -> None:
    assert desk.path(UNIT).read_bytes() == (REPOSITORY / "systemd/forecourt-desk.service").read_bytes()
    assert not desk.path("/var/lib/forecourt").exists()
    assert not desk.path("/etc/systemd/system/forecourt.service").exists()
    assert [call for call in desk.calls if call.startswith(("systemctl", "forecourt "))] == [
        "forecourt --help",
        "systemctl daemon-reload",
        "systemctl enable --quiet forecourt-desk.service",
        "systemctl restart forecourt-desk.service",
    ]


def test_the_settings_of_a_desk_are_those_its_unit_uses(desk: Machine) -> None:
    lines = desk.path(ENVIRONMENT_FILE).read_text(encoding="utf-8").splitlines()

    assert lines[1:] == [
        "FORECOURT_SERVER=https://192.168.7.2:8443",
        "FORECOURT_DESK_NAME=front-desk",
        "FORECOURT_READER=/dev/ttyUSB0",
        "FORECOURT_CA=/etc/forecourt/site-ca.pem",
    ]
    assert desk.path("/etc/forecourt/site-ca.pem").read_text(encoding="utf-8") == "authority\n"


def test_the_command_understands_the_settings_that_are_written(desk: Machine) -> None:
    lines = desk.path(ENVIRONMENT_FILE).read_text(encoding="utf-8").splitlines()[1:]
    settings = dict(line.split("=", 1) for line in lines)

    understood = parser(settings).parse_args(["desk", "--token-file", TOKEN])

    assert (understood.server, understood.name) == ("https://192.168.7.2:8443", "front-desk")
    assert list(understood.reader) == ["/dev/ttyUSB0"]
    assert understood.ca == Path("/etc/forecourt/site-ca.pem")


def test_the_token_is_readable_by_root_alone_and_in_no_setting(desk: Machine) -> None:
    assert stat.S_IMODE(desk.path(TOKEN).stat().st_mode) == 0o600
    assert [name for name, content in desk.files().items() if b"fct_secret" in content] == [TOKEN.removeprefix("/")]


def test_a_desk_gets_at_its_reader(desk: Machine) -> None:
    assert desk.path("/etc/udev/rules.d/70-forecourt-readers.rules").exists()


def test_an_upgrade_of_a_desk_needs_to_be_told_nothing_again(desk: Machine) -> None:
    before = desk.path("/opt/forecourt/venv").resolve()
    kept = desk.path(ENVIRONMENT_FILE).read_bytes(), desk.path(TOKEN).read_bytes()

    install_desk(desk)
    back = desk.install("--rollback")

    assert (desk.path(ENVIRONMENT_FILE).read_bytes(), desk.path(TOKEN).read_bytes()) == kept
    assert back.returncode == 0, back.stderr
    assert desk.path("/opt/forecourt/venv").resolve() == before
    assert desk.calls[-2:] == ["systemctl stop forecourt-desk.service", "systemctl start forecourt-desk.service"]


def test_uninstalling_a_desk_says_where_its_token_still_is(desk: Machine) -> None:
    result = desk.install("--uninstall")

    assert result.returncode == 0, result.stderr
    assert f"The settings and the token are still in {desk.path('/etc/forecourt')}." in result.stdout
    assert sorted(desk.files()) == [
        "etc/forecourt/desk-token",
        "etc/forecourt/forecourt-desk.env",
        "etc/forecourt/site-ca.pem",
    ]


def test_a_desk_is_not_made_a_site_by_mistake(desk: Machine) -> None:
    before = desk.files()

    result = desk.install("--non-interactive", "--currency", "BDT")

    assert result.returncode == 1
    assert "This machine is a card desk." in result.stderr
    assert desk.files() == before


def test_a_site_is_not_made_a_desk_by_mistake(machine: Machine) -> None:
    machine.install_site()
    before = machine.files()

    result = machine.install("--desk", "--server", "https://192.168.7.2:8443")

    assert result.returncode == 1
    assert "There is a site on this machine" in result.stderr
    assert machine.files() == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "--token-file FILE"),
        (["--token-file", "/nowhere"], "/nowhere is empty or not there"),
        (["--token-file", "{token}"], "Address of the site's console"),
        (["--token-file", "{token}", "--server", "192.168.7.2"], "cannot be used for FORECOURT_SERVER"),
        (["--token-file", "{token}", "--server", "http://box:8080"], "cannot be used for FORECOURT_SERVER"),
        (["--token-file", "{token}", "--server", "https://box:8443", "--ca", "/nowhere"], "/nowhere is empty or not"),
        (["--token-file", "{token}", "--server", "https://box:8443", "--name", "At the gate"], "FORECOURT_DESK_NAME"),
    ],
)
def test_what_a_desk_lacks_is_said_before_anything_is_changed(
    machine: Machine, options: list[str], sentence: str
) -> None:
    token = machine.root / "token"
    token.write_text("fct_secret\n", encoding="utf-8")

    result = machine.install("--desk", "--non-interactive", *(option.format(token=token) for option in options))

    assert result.returncode == 1
    assert sentence in result.stderr
    assert machine.calls == []
    assert not machine.path("/").exists()
