"""install.sh, run for real on a machine that is a folder; virtual environments and pip are stand-ins that record."""

import shutil
import socket
import stat

import pytest

from tests.install.conftest import LOOPBACK, REPOSITORY, Machine

ENVIRONMENT_FILE = "/etc/forecourt/forecourt.env"
UNIT = "/etc/systemd/system/forecourt.service"


def test_a_first_installation_ends_with_a_started_service_and_its_set_up_code(machine: Machine) -> None:
    result = machine.install_site("--timezone", "Asia/Dhaka", "--language", "bn", "--site-name", "Gulshan North")

    data = machine.path("/var/lib/forecourt")
    made = (
        f"forecourt init --data-dir {data} --currency BDT --timezone Asia/Dhaka --language bn --site-name Gulshan North"
    )
    assert made in machine.calls
    services = [call for call in machine.calls if call.startswith("systemctl")]
    assert services == [
        "systemctl daemon-reload",
        "systemctl enable --quiet forecourt.service",
        "systemctl restart forecourt.service",
    ]
    assert "Console:   https://127.0.0.1:0" in result.stdout
    assert "Set-up code, for the first visit: 1234-5678" in result.stdout
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_the_unit_is_the_one_in_the_repository(machine: Machine) -> None:
    machine.install_site()

    assert machine.path(UNIT).read_bytes() == (REPOSITORY / "systemd/forecourt.service").read_bytes()


def test_what_is_installed_is_checked_against_the_locks_hashes(machine: Machine) -> None:
    machine.install_site()

    installs = [call for call in machine.calls if call.startswith("pip") and "--requirement" in call]
    assert len(installs) == 2
    assert all("--require-hashes" in call for call in installs)
    assert any(call.endswith("requirements/runtime.txt") for call in installs)


def test_with_a_wheel_folder_the_internet_is_not_asked(machine: Machine) -> None:
    wheels = machine.root / "wheels"
    wheels.mkdir()
    (wheels / "forecourt-0.1.0-py3-none-any.whl").touch()

    machine.install_site("--wheels", str(wheels))

    asked = [call for call in machine.calls if call.startswith("pip")]
    assert [call.rpartition("/")[2] for call in asked] == [
        "build.txt",
        "runtime.txt",
        "forecourt-0.1.0-py3-none-any.whl",
    ]
    assert all("--no-index" in call for call in asked)
    assert all(f"--find-links {wheels}" in call and "--require-hashes" in call for call in asked[:2])


def test_a_wheel_folder_without_our_wheel_is_refused_before_anything_is_changed(machine: Machine) -> None:
    result = machine.install("--non-interactive", "--currency", "BDT", "--wheels", str(machine.root))

    assert result.returncode == 1
    assert "make wheels" in result.stderr
    assert not machine.path("/").exists()


def test_the_settings_are_written_once_for_each_face(machine: Machine) -> None:
    machine.install_site("--tls-names", "charge.example,192.168.7.2")

    lines = machine.path(ENVIRONMENT_FILE).read_text(encoding="utf-8").splitlines()
    assert lines[1:] == [
        "FORECOURT_STATIONS=127.0.0.1:0",
        "FORECOURT_CONSOLE=127.0.0.1:0",
        "FORECOURT_CONSOLE_TLS=127.0.0.1:0",
        "FORECOURT_DRIVERS=127.0.0.1:0",
        "FORECOURT_TLS_NAMES=charge.example,192.168.7.2",
        "FORECOURT_DRIVERS_URL=",
        "FORECOURT_READER=",
    ]


def test_check_changes_nothing_and_says_what_it_would_do(machine: Machine) -> None:
    result = machine.install("--check", *LOOPBACK)

    assert result.returncode == 0, result.stderr
    assert "would: Start the service and wait until it is ready" in result.stdout
    assert "would ask: Currency" in result.stdout
    assert result.stdout.endswith("Nothing was changed.\n")
    assert machine.calls == []
    assert not machine.path("/").exists()


def test_check_of_an_installed_machine_changes_nothing_either(machine: Machine) -> None:
    machine.install_site()
    before, calls = machine.files(), machine.calls

    result = machine.install("--check")

    assert result.returncode == 0, result.stderr
    assert "would: Back the data up" in result.stdout
    assert machine.files() == before
    assert machine.calls == calls


def test_a_second_run_upgrades_and_keeps_the_program_before(machine: Machine) -> None:
    machine.install_site()
    first = machine.path("/opt/forecourt/venv").resolve()
    kept = machine.path(ENVIRONMENT_FILE).read_bytes()
    machine.forget_calls()

    machine.install_site()

    second = machine.path("/opt/forecourt/venv").resolve()
    data = machine.path("/var/lib/forecourt")
    backup = data / "backups" / f"before-{second.name}.db"
    order = [call for call in machine.calls if call.startswith(("systemctl", "forecourt", "venv"))]
    assert order == [
        "venv",
        "forecourt --help",
        "systemctl stop forecourt.service",
        f"forecourt backup {data} {backup}",
        "systemctl daemon-reload",
        "systemctl enable --quiet forecourt.service",
        "systemctl restart forecourt.service",
        f"forecourt setup-code --data-dir {data}",
    ]
    assert second != first
    assert machine.path("/opt/forecourt/previous").resolve() == first
    assert (data / "forecourt.db").read_text(encoding="utf-8") == "site\n"
    assert backup.read_text(encoding="utf-8") == "site\n"
    assert machine.path(ENVIRONMENT_FILE).read_bytes() == kept


def test_only_the_program_in_use_and_the_one_before_are_kept(machine: Machine) -> None:
    for _ in range(3):
        machine.install_site()

    releases = {path.name for path in machine.path("/opt/forecourt/releases").iterdir()}
    assert releases == {
        machine.path("/opt/forecourt/venv").resolve().name,
        machine.path("/opt/forecourt/previous").resolve().name,
    }


def test_an_upgrade_keeps_what_an_owner_wrote_into_the_settings(machine: Machine) -> None:
    machine.install_site()
    settings = machine.path(ENVIRONMENT_FILE)
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("STATIONS=127.0.0.1:0", "STATIONS=10.0.0.1:9100")
        + "# ours\nTZ=Asia/Dhaka\n",
        encoding="utf-8",
    )

    result = machine.install("--non-interactive", "--drivers", "127.0.0.1:8181")

    assert result.returncode == 0, result.stderr
    lines = settings.read_text(encoding="utf-8").splitlines()
    assert "FORECOURT_STATIONS=10.0.0.1:9100" in lines
    assert "FORECOURT_DRIVERS=127.0.0.1:8181" in lines
    assert lines[-2:] == ["# ours", "TZ=Asia/Dhaka"]
    assert len([line for line in lines if line.startswith("FORECOURT_DRIVERS=")]) == 1


def test_a_failed_download_leaves_the_installed_program_as_it_was(machine: Machine) -> None:
    machine.install_site()
    before = machine.files()
    machine.forget_calls()
    (machine.root / "pip-fails").touch()

    result = machine.install("--non-interactive")

    assert result.returncode != 0
    assert machine.files() == before
    assert not [call for call in machine.calls if call.startswith("systemctl")]


def test_a_failed_backup_starts_the_old_program_again(machine: Machine) -> None:
    machine.install_site()
    in_use = machine.path("/opt/forecourt/venv").resolve()
    machine.forget_calls()
    (machine.root / "backup-fails").touch()

    result = machine.install("--non-interactive")

    assert result.returncode == 1
    assert "nothing was upgraded" in result.stderr
    assert machine.path("/opt/forecourt/venv").resolve() == in_use
    assert [path.name for path in machine.path("/opt/forecourt/releases").iterdir()] == [in_use.name]
    assert [call for call in machine.calls if call.startswith("systemctl")] == [
        "systemctl stop forecourt.service",
        "systemctl start forecourt.service",
    ]


def test_a_service_that_does_not_become_ready_is_said_with_the_way_back(machine: Machine) -> None:
    machine.install_site()
    before = machine.path("/opt/forecourt/venv").resolve()
    (machine.root / "start-fails").touch()

    result = machine.install("--non-interactive")
    back = machine.install("--rollback")

    assert result.returncode == 1
    assert "journalctl -u forecourt" in result.stderr
    assert "--rollback" in result.stderr
    assert back.returncode == 0, back.stderr
    assert machine.path("/opt/forecourt/venv").resolve() == before


def test_rollback_without_an_earlier_program_is_refused(machine: Machine) -> None:
    machine.install_site()

    result = machine.install("--rollback")

    assert result.returncode == 1
    assert "no earlier program" in result.stderr


def test_uninstall_leaves_the_data_and_says_where(machine: Machine) -> None:
    machine.install_site()
    data = machine.path("/var/lib/forecourt")

    result = machine.install("--uninstall")

    assert result.returncode == 0, result.stderr
    assert f"The data is still in {data}" in result.stdout
    assert sorted(machine.files()) == ["etc/forecourt/forecourt.env", "var/lib/forecourt/forecourt.db"]
    assert "systemctl disable --now --quiet forecourt.service" in machine.calls


def test_uninstalling_twice_does_no_harm(machine: Machine) -> None:
    machine.install_site()
    machine.install("--uninstall")
    machine.forget_calls()

    result = machine.install("--uninstall")

    assert result.returncode == 0, result.stderr
    assert machine.calls == []


def test_after_uninstalling_the_same_site_is_installed_again(machine: Machine) -> None:
    machine.install_site()
    machine.install("--uninstall")
    machine.forget_calls()

    result = machine.install("--non-interactive")

    assert result.returncode == 0, result.stderr
    assert not [call for call in machine.calls if call.startswith("forecourt init")]


def test_a_site_that_exists_keeps_its_currency(machine: Machine) -> None:
    machine.install_site()
    machine.forget_calls()

    result = machine.install_site("--currency", "EUR")

    assert "stay as they are" in result.stdout
    assert not [call for call in machine.calls if call.startswith("forecourt init")]


def test_a_port_in_use_is_found_before_anything_is_changed(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        taken = f"127.0.0.1:{occupant.getsockname()[1]}"

        result = machine.install("--non-interactive", "--currency", "BDT", *LOOPBACK, "--drivers", taken)

    assert result.returncode == 1
    assert f"{taken} cannot be used: Address already in use." in result.stderr
    assert "FORECOURT_DRIVERS" in result.stderr
    assert not machine.path("/").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--currency", "taka"], "“TAKA” is not a currency"),
        (["--currency", "BDT", "--timezone", "Dhaka; rm"], "is not a time zone"),
        (["--currency", "BDT", "--language", "xx"], "no pages in “xx”"),
        (["--currency", "BDT", "--tls-names", "a b"], "cannot be used for FORECOURT_TLS_NAMES"),
        (["--currency", "BDT", "--drivers-url", "192.168.7.2:8081"], "cannot be used for FORECOURT_DRIVERS_URL"),
        (["--currency", "BDT", "--reader", "$(id)"], "cannot be used for FORECOURT_READER"),
        (["--stations", "9000"], "--stations needs HOST:PORT"),
        (["--currency"], "--currency needs a value"),
        (["--frobnicate"], "no option “--frobnicate”"),
        ([], "give it as an option"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_before_anything_is_changed(
    machine: Machine, options: list[str], sentence: str
) -> None:
    result = machine.install("--non-interactive", *options)

    assert result.returncode == 1
    assert sentence in result.stderr
    assert machine.calls == []
    assert not machine.path("/").exists()


def test_without_systemd_the_installer_says_so(machine: Machine) -> None:
    few = machine.root / "few"
    few.mkdir()
    for name in ("bash", "date", "dirname", "env", "find", "sed", "uname"):
        found = shutil.which(name)
        assert found is not None
        (few / name).symlink_to(found)
    (few / "python3.11").symlink_to(machine.commands / "python3.11")

    result = machine.install("--check", "--currency", "BDT", search_path=str(few))

    assert result.returncode == 1
    assert "not run by systemd" in result.stderr
