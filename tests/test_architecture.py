"""The direction of imports, as `setup.cfg` states it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_imports_point_downwards_and_the_edges_do_not_know_each_other() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run(
        [linter, "--config", "setup.cfg", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout


def test_chargers_do_not_wait_for_pages_and_desks_to_load() -> None:
    late = (
        "appliance.host.late_start",
        "appliance.ui",
        "appliance.rfid",
        "appliance.jobs",
        "jinja2",
        "apscheduler",
        "cryptography",
        "xlsxwriter",
    )
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, appliance.__main__, appliance.server; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "appliance.ocpp.admission.endpoint" in loaded
    assert set(late).isdisjoint(loaded)


def test_no_sql_stands_outside_db() -> None:
    words = ("SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "appliance").rglob("*.py"))
        if "db" not in path.relative_to(ROOT / "appliance").parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(word in line for word in words) and ("execute" in line or '"""' in line)
    ]

    assert found == []


def test_the_connection_that_writes_is_opened_in_one_place() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "appliance").rglob("*.py"))
        if "factory=Database" in path.read_text()
    ]

    assert found == ["appliance/db/engine/open.py"]


def test_only_the_clock_asks_what_time_it_is() -> None:
    asking = ("datetime.now(", "time.time(", "time.time_ns(", "utcnow(", "date.today(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "appliance").rglob("*.py"))
        if path.name != "clock.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(word in line for word in asking)
    ]

    assert found == []


OF_1_6 = re.compile(
    r"\b(Preparing|Finishing|NoError|idTag|parentIdTag|idTagInfo|StartTransaction|StopTransaction|RemoteStartTransaction"
    r"|RemoteStopTransaction|chargePoint\w+|chargeBox\w+|connectorId|transactionData|meterStart|meterStop|configurationKey"
    r"|GetConfiguration|ChangeConfiguration|DiagnosticsStatusNotification|SoftReset|HardReset|UnlockCommand"
    r"|FormationViolation|OccurenceConstraintViolation|(ocpp)?1\.6)\b"
)
SPEAK_1_6 = ("ocpp/v16", "simulator/v16")
MAY_SAY = {
    # What the staff are told of words that chargers say, and of a setting whose name is stored.
    "ui/wording/words.py": {"Preparing", "Finishing", "NoError"},
    "ui/wording/sessions.py": {"SoftReset", "HardReset", "UnlockCommand"},
    "ui/console/settings.py": {"1.6"},
    # The command line.
    "cli/simulate.py": {"1.6"},
}


def said(path: Path) -> Iterator[tuple[int, str]]:
    """The texts in a module, but its docstrings; a template's lines."""
    if path.suffix != ".py":
        yield from enumerate(path.read_text().splitlines(), 1)
        return
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_only_its_folders_speak_one_version() -> None:
    appliance = ROOT / "appliance"
    files = [path for ending in ("*.py", "*.html", "*.js") for path in sorted(appliance.rglob(ending))]
    found = [
        f"{name}:{number}: {word[0]}"
        for path in files
        if not (name := path.relative_to(appliance).as_posix()).startswith(SPEAK_1_6)
        for number, text in said(path)
        for word in OF_1_6.finditer(text)
        if word[0] not in MAY_SAY.get(name, set())
    ]

    assert found == []


def test_only_the_list_of_versions_knows_their_folders() -> None:
    folder = re.compile(r"\.(v16|v2|v201|v21)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "appliance").rglob("*.py"))
        if not {"simulator", "demo"} & set(path.parts) and path.parent.name != "v16" and path.name != "versions.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.lstrip().startswith(("import ", "from ")) and folder.search(line)
    ]

    assert found == []
