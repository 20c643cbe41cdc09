"""A machine for the installer: a folder as its root, and stand-ins for the commands that would change the real one."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# Stands for the interpreter: making an environment and asking pip are recorded, everything else is done for real.
PYTHON = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    echo "venv" >>{calls}
    mkdir -p "$3/bin"
    cp {folder}/python3.11 "$3/bin/python"
    cp {folder}/forecourt "$3/bin/forecourt"
    exit
elif [ "$1 $2" = "-m pip" ]; then
    echo "pip $*" >>{calls}
    if [ -e {root}/pip-fails ]; then exit 1; fi
    while [ $# -gt 1 ]; do
        if [ "$1" = "--wheel-dir" ]; then touch "$2/forecourt-0-py3-none-any.whl"; fi
        shift
    done
    exit
fi
exec {python} "$@"
"""

FORECOURT = """#!/bin/sh
echo "forecourt $*" >>{calls}
case $1 in
    init) echo site >"$3/forecourt.db" ;;
    backup) if [ -e {root}/backup-fails ]; then exit 1; fi; cp "$2/forecourt.db" "$3" ;;
    setup-code) echo 1234-5678 ;;
esac
"""

SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >>{calls}
if [ "$1" = restart ] && [ -e {root}/start-fails ]; then exit 1; fi
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the installer works, and what it was seen to do."""

    root: Path
    commands: Path

    @property
    def calls(self) -> list[str]:
        """The recorded commands so far, oldest first."""
        record = self.root / "calls"
        return record.read_text(encoding="utf-8").splitlines() if record.exists() else []

    def forget_calls(self) -> None:
        (self.root / "calls").unlink()

    def install(self, *options: str, search_path: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run install.sh with its prefix on this machine; never raises for its exit code."""
        search_path = search_path or f"{self.commands}:{os.environ['PATH']}"
        return subprocess.run(
            [REPOSITORY / "install.sh", "--prefix", self.root / "system", *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": search_path, "HOME": str(self.root), "LC_ALL": "C.UTF-8"},
        )

    def install_site(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Install with all that must be said, on ports that are free for certain."""
        result = self.install("--non-interactive", "--currency", "BDT", *LOOPBACK, *options)
        assert result.returncode == 0, result.stderr
        return result

    def path(self, absolute: str) -> Path:
        """Where a path of the real system is on this machine."""
        return self.root / "system" / absolute.removeprefix("/")

    def files(self) -> dict[str, bytes]:
        """Every file and link under the prefix."""
        system = self.root / "system"
        return {
            str(path.relative_to(system)): bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
            for path in sorted(system.rglob("*"))
            if path.is_symlink() or path.is_file()
        }


LOOPBACK = (
    *("--stations", "127.0.0.1:0"),
    *("--console", "127.0.0.1:0"),
    *("--console-tls", "127.0.0.1:0"),
    *("--drivers", "127.0.0.1:0"),
)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing is installed yet."""
    commands = tmp_path / "commands"
    commands.mkdir()
    stand_ins = {"python3.11": PYTHON, "forecourt": FORECOURT, "systemctl": SYSTEMCTL}
    for name, text in stand_ins.items():
        filled = text.replace("{calls}", str(tmp_path / "calls")).replace("{root}", str(tmp_path))
        filled = filled.replace("{folder}", str(commands)).replace("{python}", sys.executable)
        (commands / name).write_text(filled, encoding="utf-8")
        (commands / name).chmod(0o755)
    return Machine(tmp_path, commands)
