"""The systemd units of a site and of a desk on another PC, judged by systemd's own tools."""

import re
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
SITE = UNITS / "forecourt.service"
DESK = UNITS / "forecourt-desk.service"
EXPOSURE_TENTHS_MAX = 15


def systemd_analyze(unit: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["systemd-analyze", *arguments, str(unit)], capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError:
        pytest.fail("systemd-analyze judges the unit and is not here.  On Debian: apt-get install systemd")


def settings_of(section: str, unit: Path = SITE) -> list[tuple[str, str]]:
    """Every assignment of one section, repeated ones too."""
    chapters = unit.read_text(encoding="utf-8").split(f"[{section}]\n", 1)[1].split("\n[", 1)[0]
    lines = [line for line in chapters.splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


@pytest.mark.parametrize("unit", [SITE, DESK], ids=lambda unit: unit.stem)
def test_the_services_exposure_is_at_most_one_and_a_half_of_ten(unit: Path) -> None:
    result = systemd_analyze(unit, "security", "--offline=true", f"--threshold={EXPOSURE_TENTHS_MAX}", "--no-pager")

    assert result.returncode == 0, result.stdout + result.stderr
    assert f"Overall exposure level for {unit.name}" in result.stdout


@pytest.mark.parametrize("unit", [SITE, DESK], ids=lambda unit: unit.stem)
def test_systemd_knows_every_word_in_the_unit(unit: Path) -> None:
    complaints = [
        line
        for line in systemd_analyze(unit, "verify", "--man=no").stderr.splitlines()
        # The program is not installed where the tests run.
        if "/opt/forecourt/venv/bin/forecourt is not executable" not in line and unit.name in line
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


@pytest.mark.parametrize("unit", [SITE, DESK], ids=lambda unit: unit.stem)
def test_readers_and_printers_that_are_plugged_in_later_may_be_opened_and_no_other_hardware(unit: Path) -> None:
    service = settings_of("Service", unit)

    # By number, because the name of a class is unknown until its first device has been there.
    allowed = ["char-188 rw", "char-166 rw", "char-189 rw"]
    assert [value for name, value in service if name == "DeviceAllow"] == allowed + ["char-180 rw"] * (unit == SITE)
    assert dict(service)["DevicePolicy"] == "closed"
    assert "AF_NETLINK" in dict(service)["RestrictAddressFamilies"].split()


def test_nothing_but_processes_is_looked_for_in_proc_because_the_service_sees_nothing_else_there() -> None:
    program = UNITS.parent / "appliance"
    paths = {
        path
        for module in program.rglob("*.py")
        for path in re.findall(r'"(/proc/[\w/-]*)"', module.read_text(encoding="utf-8"))
    }

    assert [dict(settings_of("Service", unit))["ProcSubset"] for unit in (SITE, DESK)] == ["pid", "pid"]
    assert paths
    assert [path for path in sorted(paths) if not path.startswith("/proc/self/")] == []


def test_only_root_reads_the_token_of_a_desk() -> None:
    service = dict(settings_of("Service", DESK))

    assert service["LoadCredential"] == "token:/etc/forecourt/desk-token"
    assert service["ExecStart"].endswith("--token-file %d/token")
