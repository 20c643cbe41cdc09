"""The direction of imports, as `setup.cfg` states it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
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


def test_nobody_above_db_knows_that_rows_wait_for_the_commit() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "appliance").rglob("*.py"))
        if "db" not in path.relative_to(ROOT / "appliance").parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "db.flush(" in line or "import flush" in line or ".touched" in line
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
VERSION = re.compile(r"v\d+")
"""How the folder of a version of OCPP is called."""
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


def test_only_the_folders_of_versions_speak_as_one_version_does() -> None:
    assert said_of_1_6(ROOT) == []


def test_only_the_list_of_versions_knows_their_folders() -> None:
    assert imports_of_versions(ROOT) == []


def test_each_version_has_a_folder_in_the_list() -> None:
    folders = {path.name for path in (ROOT / "appliance/ocpp").iterdir() if VERSION.fullmatch(path.name)}
    listed = re.findall(
        r"^from appliance\.ocpp\.(\w+) import version\b",
        (ROOT / "appliance/ocpp/versions.py").read_text(),
        re.MULTILINE,
    )

    assert folders == set(listed)


def test_a_second_version_is_as_free_in_its_folders_and_as_unknown_outside_of_them(tmp_path: Path) -> None:
    for name, text in {
        "ocpp/v201/incoming.py": "from appliance.ocpp.v201 import translate\nEVSE = ('id', 'connectorId')\n",
        "simulator/v201/station.py": "from appliance.simulator.v201 import words\nEVSE = ('id', 'connectorId')\n",
        "ocpp/versions.py": "from appliance.ocpp.v201 import version\n",
        "services/stations/status.py": "from appliance.ocpp.v201 import translate\nEVSE = ('id', 'connectorId')\n",
    }.items():
        path = tmp_path / "appliance" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert said_of_1_6(tmp_path) == ["services/stations/status.py:2: connectorId"]
    assert imports_of_versions(tmp_path) == ["services/stations/status.py:1"]


def said_of_1_6(root: Path) -> list[str]:
    """Where words of OCPP 1.6 stand outside the folders of versions; 2.x has some of them, too."""
    appliance = root / "appliance"
    files = [path for ending in ("*.py", "*.html", "*.js") for path in sorted(appliance.rglob(ending))]
    return [
        f"{name}:{number}: {word[0]}"
        for path in files
        if not is_of_a_version(name := path.relative_to(appliance))
        for number, text in said(path)
        for word in OF_1_6.finditer(text)
        if word[0] not in MAY_SAY.get(name.as_posix(), set())
    ]


def imports_of_versions(root: Path) -> list[str]:
    """Where the folder of a version is imported from outside of all of them. A simulated station is of one version."""
    appliance = root / "appliance"
    folder = re.compile(rf"\.{VERSION.pattern}\b")
    return [
        f"{name}:{number}"
        for path in sorted(appliance.rglob("*.py"))
        if not is_of_a_version(name := path.relative_to(appliance))
        and name.parts[0] not in ("simulator", "demo")
        and name.name != "versions.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.lstrip().startswith(("import ", "from ")) and folder.search(line)
    ]


def is_of_a_version(name: Path) -> bool:
    """Whether a file, by its path below the package, is in the folder of a version."""
    return name.parts[0] in ("ocpp", "simulator") and VERSION.fullmatch(name.parts[1]) is not None


def test_no_circle_of_imports() -> None:
    assert circles_of_imports(ROOT) == []


def test_a_circle_is_found_also_in_a_function_and_for_types_only(tmp_path: Path) -> None:
    package = tmp_path / "appliance"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "eggs.py").write_text("def hatch():\n    from appliance import hen\n")
    (package / "hen.py").write_text("if TYPE_CHECKING:\n    import appliance.farm\n")
    (package / "farm.py").write_text("from appliance.eggs import hatch\n")
    (package / "sky.py").write_text("from appliance.farm import hatch\n")

    assert circles_of_imports(tmp_path) == [["appliance/eggs.py", "appliance/farm.py", "appliance/hen.py"]]


def circles_of_imports(root: Path) -> list[list[str]]:
    """The files of each circle. Imports inside functions and for types only count: they hide a circle, and do not break it."""
    paths = {module_name(path.relative_to(root)): path for path in sorted((root / "appliance").rglob("*.py"))}
    imports = {name: imported(path, paths.keys()) - {name} for name, path in paths.items()}
    reached = {name: reachable(imports, name) for name in paths}
    circles = {frozenset(other for other in reached[name] if name in reached[other]) for name in paths}
    return sorted(sorted(str(paths[name].relative_to(root)) for name in circle) for circle in circles if circle)


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path, modules: Collection[str]) -> set[str]:
    """Which modules a file imports; a name that is none is in the module before it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in modules else node.module for name in inside}
    return names & set(modules)


def reachable(imports: dict[str, set[str]], begin: str) -> set[str]:
    """What is imported in the end, itself only if it is so."""
    found: set[str] = set()
    waiting = [begin]
    while waiting:
        fresh = imports[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found
