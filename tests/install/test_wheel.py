"""Our own wheel, built for real: what a site gets is what the checkout has."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module", name="wheel")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([REPOSITORY / "scripts/build-wheel", sys.executable, folder], check=True, timeout=100)
    (built,) = folder.iterdir()
    return built


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())

    meant = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "appliance").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert meant - packed == set()


def test_every_catalog_is_compiled_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())

    catalogs = {name for name in packed if name.endswith(".po")}
    assert {name.removesuffix(".po") + ".mo" for name in catalogs} <= packed


def test_the_wheel_brings_the_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))

    assert "forecourt = appliance.__main__:main" in archive.read(entry_points).decode()
