"""The systemd unit, judged by systemd's own tools."""

import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "systemd/forecourt.service"
EXPOSURE_TENTHS_MAX = 15


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["systemd-analyze", *arguments, str(UNIT)], capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError:
        pytest.fail("systemd-analyze judges the unit and is not here.  On Debian: apt-get install systemd")


def settings_of(section: str) -> list[tuple[str, str]]:
    """Every assignment of one section, repeated ones too."""
    chapters = UNIT.read_text(encoding="utf-8").split(f"[{section}]\n", 1)[1].split("\n[", 1)[0]
    lines = [line for line in chapters.splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def test_the_services_exposure_is_at_most_one_and_a_half_of_ten() -> None:
    result = systemd_analyze("security", "--offline=true", f"--threshold={EXPOSURE_TENTHS_MAX}", "--no-pager")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Overall exposure level for forecourt.service" in result.stdout


def test_systemd_knows_every_word_in_the_unit() -> None:
    complaints = [
        line
        for line in systemd_analyze("verify", "--man=no").stderr.splitlines()
        # The program is not installed where the tests run.
        if "/opt/forecourt/venv/bin/forecourt is not executable" not in line and "forecourt.service" in line
    ]

    assert complaints == []


def test_the_service_manager_waits_for_readiness_and_watches_the_pulse() -> None:
    service = dict(settings_of("Service"))

    assert service["Type"] == "notify"
    assert service["WatchdogSec"] == "20"
    assert service["Restart"] == "always"
    assert dict(settings_of("Unit"))["StartLimitIntervalSec"] == "0"


def test_the_service_runs_the_installed_program_on_its_own_data() -> None:
    service = dict(settings_of("Service"))

    assert service["ExecStart"] == "/opt/forecourt/venv/bin/forecourt serve --data-dir /var/lib/forecourt"
    assert (service["User"], service["StateDirectory"], service["StateDirectoryMode"]) == (
        "forecourt",
        "forecourt",
        "0700",
    )
    assert service["EnvironmentFile"] == "-/etc/forecourt/forecourt.env"


def test_nothing_but_the_premises_can_be_reached() -> None:
    service = dict(settings_of("Service"))

    assert service["IPAddressDeny"] == "any"
    assert "any" not in service["IPAddressAllow"].split()
    assert "0.0.0.0/0" not in service["IPAddressAllow"]
