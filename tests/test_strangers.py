"""Commands of somebody who may not use the site's files: told which file, whose it is and what to do, and nothing is changed.

Root becomes nobody for them. Anybody else, who cannot become another, takes the rights from themselves: the same refusals,
with another owner in the advice.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.process import ROOT, START_S, environment, make_site, run

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
STRANGER = pwd.getpwuid(NOBODY if IS_ROOT else os.geteuid()).pw_name
STRANGERS_PYTHON = """
import os, sys
from appliance import __main__, server
from appliance.cli import registry
from appliance.demo import site
from appliance.host import late_start
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.exit(__main__.main(sys.argv[1:]))
"""


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that everybody may enter, which pytest's own is not."""
    with TemporaryDirectory(prefix="forecourt-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        for closed in Path(folder).iterdir():
            closed.chmod(0o700)


def run_as_stranger(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """One command in a process that gives its rights away once the program is loaded: nobody may enter the tests' Python."""
    done = subprocess.run(
        [sys.executable, "-c", STRANGERS_PYTHON, *map(str, words)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=START_S,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def close(path: Path, mode: int = 0) -> None:
    """To the stranger: what root has made is, to nobody; `mode` is for who cannot become nobody."""
    if not IS_ROOT:
        path.chmod(mode)


def give(*paths: Path) -> None:
    """To the stranger."""
    for path in paths:
        os.chown(path, pwd.getpwnam(STRANGER).pw_uid, -1)


@pytest.mark.parametrize(
    "words",
    [
        ("token", "create", "--role", "owner", "--name", "x", "--data-dir"),
        ("init", "--currency", "BDT", "--timezone", "Asia/Dhaka", "--data-dir"),
        ("serve", "--data-dir"),
    ],
)
def test_whoever_may_not_enter_the_site_is_told_who_may(open_path: Path, words: tuple[str, ...]) -> None:
    site = open_path / "site"
    make_site(site)
    close(site)

    done = run_as_stranger(*words, site)

    whose = "Say it as the user to whom the site belongs: sudo -u root forecourt …"
    advice = whose if IS_ROOT else f"Give it to this user: sudo chown {STRANGER} {site}"
    assert done.returncode == 1
    assert done.stderr == f"forecourt: The user {STRANGER} may not open {site}.\n  {advice}\n"


def test_the_doctor_says_that_it_may_not_look(open_path: Path) -> None:
    site = open_path / "site"
    make_site(site)
    close(site)

    done = run_as_stranger("doctor", "--data-dir", site)

    assert (done.returncode, done.stderr) == (1, "")
    assert "Whether a server runs cannot be seen." in done.stdout
    assert f"- The user {STRANGER} may not open {site}. " in done.stdout


@pytest.mark.parametrize(
    ("mode", "words"), [(0o600, ("serve",)), (0o644, ("token", "create", "--role", "owner", "--name", "x"))]
)
def test_a_file_that_somebody_else_left_in_the_services_folder_is_named(
    open_path: Path, mode: int, words: tuple[str, ...]
) -> None:
    site = open_path / "site"
    make_site(site)
    (site / "forecourt.db").chmod(mode)
    give(site)
    close(site / "forecourt.db", 0 if mode == 0o600 else 0o444)

    done = run_as_stranger(*words, "--data-dir", site)

    assert done.returncode == 1
    assert f"The user {STRANGER} may not open {site}/forecourt.db." in done.stderr
    assert f"sudo chown {STRANGER} {site}/forecourt.db" in done.stderr


def test_a_backup_that_may_not_be_written_or_read_is_not_called_damaged(open_path: Path) -> None:
    site, stick = open_path / "site", open_path / "stick"
    make_site(site)
    give(site, site / "forecourt.db")
    stick.mkdir()
    close(stick, 0o500)

    to = run_as_stranger("backup", site, stick / "backup.db")
    assert (to.returncode, f"The user {STRANGER} may not write in {stick}." in to.stderr) == (1, True)
    assert list(stick.iterdir()) == []

    stick.chmod(0o755)
    assert run("backup", site, stick / "backup.db").returncode == 0
    close(stick / "backup.db")
    back = run_as_stranger("restore", stick / "backup.db", site)
    assert (back.returncode, f"The user {STRANGER} may not open {stick}/backup.db." in back.stderr) == (1, True)
    assert "trusted" not in back.stderr
