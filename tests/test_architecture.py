"""The direction of imports, as `setup.cfg` states it."""

from __future__ import annotations

import subprocess
import sys
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

    assert found == ["appliance/db/engine/store.py"]


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
