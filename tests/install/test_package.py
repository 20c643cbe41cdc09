"""An ordinary Python package: built from its source distribution, it runs in an environment that has what it asks for, and no more.

What it asks for comes from the environment of the tests, so that nothing is fetched; pip then judges whether that is enough.
"""

import asyncio
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import AsyncIterator
from email.parser import HeaderParser
from importlib.metadata import distribution
from pathlib import Path

import aiohttp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from appliance import __version__
from tests.support.process import ServerProcess

REPOSITORY = Path(__file__).parents[2]
BUILD = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


@pytest.fixture(scope="module", name="wheel")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a source distribution of a checkout in which nothing was made."""
    folder = tmp_path_factory.mktemp("package")
    checkout = folder / "checkout"
    shutil.copytree(
        REPOSITORY / "appliance", checkout / "appliance", ignore=shutil.ignore_patterns("__pycache__", "*.mo")
    )
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, checkout)
    subprocess.run((sys.executable, "-c", BUILD, folder), cwd=checkout, check=True, capture_output=True, timeout=100)
    (source,) = folder.glob("forecourt-*.tar.gz")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, source)
    subprocess.run((*PIP, *build), check=True, timeout=100)
    (built,) = folder.glob("forecourt-*.whl")
    return built


@pytest.fixture(scope="module", name="environment")
def _environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the package, installed by pip without `--no-deps`."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    copied: set[str] = set()
    for requirement in asked_for(wheel):
        bring(requirement, packages, copied)
    install = ("--python", folder / "bin/python", "install", "--no-index", wheel)
    subprocess.run((*PIP, *install), check=True, timeout=100)
    return folder


def asked_for(wheel: Path) -> list[Requirement]:
    """What the package needs, by its metadata."""
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
    found = HeaderParser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    return [requirement for requirement in map(Requirement, found) if wanted(requirement)]


def wanted(requirement: Requirement, extra: str = "") -> bool:
    """Whether it is needed here."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def bring(requirement: Requirement, packages: Path, copied: set[str]) -> None:
    """Copy a package with all that it needs out of the environment of the tests."""
    if (name := canonicalize_name(requirement.name)) in copied:
        return
    copied.add(name)
    found = distribution(name)
    for file in found.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (packages / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), packages / file)
    for further in map(Requirement, found.requires or ()):
        if any(wanted(further, extra) for extra in requirement.extras or {""}):
            bring(further, packages, copied)


@pytest.fixture
async def server(environment: Path, tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A new site, made and served by what was installed."""
    data_dir = tmp_path / "site"
    program = environment / "bin/forecourt"
    words = ("init", "--data-dir", data_dir, "--currency", "BDT", "--timezone", "Asia/Dhaka", "--language", "bn")
    await asyncio.to_thread(subprocess.run, (program, *words), check=True, cwd=tmp_path, capture_output=True)
    found = ServerProcess(data_dir, program=[str(program)])
    try:
        await found.start()
        yield found
    finally:
        await found.clean_up()


def test_there_is_one_version(environment: Path, wheel: Path) -> None:
    said = subprocess.run((environment / "bin/forecourt", "--version"), check=True, capture_output=True, text=True)

    assert said.stdout == f"forecourt {__version__}\n"
    assert wheel.name == f"forecourt-{__version__}-py3-none-any.whl"


def test_all_of_the_package_was_installed(environment: Path) -> None:
    (package,) = environment.glob("lib/*/site-packages/appliance")
    meant = {
        path.relative_to(REPOSITORY / "appliance").with_suffix(".mo" if path.suffix == ".po" else path.suffix)
        for path in (REPOSITORY / "appliance").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".mo"
    }

    assert {path for path in meant if not (package / path).is_file()} == set()


async def test_a_site_runs_and_speaks_its_language(server: ServerProcess, environment: Path) -> None:
    words = ("token", "create", "--role", "owner", "--name", "x", "--data-dir", server.data_dir)
    made = await asyncio.to_thread(
        subprocess.run, (environment / "bin/forecourt", *words), check=True, capture_output=True, text=True
    )
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    async with aiohttp.ClientSession(server.urls["console"].rstrip("/")) as session:
        async with session.get("/login", headers={"Accept-Language": "bn"}) as answer:
            page = await answer.text()
        async with session.get("/api/v1/openapi.json", headers=headers) as answer:
            document = await answer.json()

    assert "পাসওয়ার্ড" in page
    assert document["info"]["version"] == __version__
    assert await server.stop() == 0
    assert "Traceback" not in server.log()
