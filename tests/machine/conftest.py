"""One machine for all stories, with the product installed on it as its README says; nothing of it is a stand-in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.simulator.nfc.reader import SimulatedReader
from tests.machine.box import CHECKOUT, Box
from tests.machine.machine import Machine

REPOSITORY = Path(__file__).parents[2]
PORTS = (9000, 8443, 8080, 8081)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Nothing here begins unless it is asked for by its mark: it takes minutes, and root to have made the machine."""
    if "machine" not in config.getoption("markexpr"):
        left_out = [item for item in items if item.get_closest_marker("machine")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def cargo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody carries to a machine without internet: the checkout as it is now, with its wheel folder."""
    archive = tmp_path_factory.mktemp("cargo") / "checkout.tar"
    named = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    # A file that is deleted but not yet committed is not there any more.
    present = [name for name in named.stdout.split(b"\0") if name and (REPOSITORY / name.decode()).exists()]
    pack = ("tar", "--create", "--file", archive, "--transform", f"s,^,{CHECKOUT}/,", "--null", "--files-from", "-")
    subprocess.run(pack, cwd=REPOSITORY, input=b"\0".join([*present, b"wheels"]), check=True)
    return archive


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory, cargo: Path) -> Iterator[Box]:
    """A fresh Debian 12, switched on, with the checkout unpacked; the product may not be installed yet."""
    machine = Machine(tmp_path_factory.mktemp("machine"), PORTS, cargo)
    try:
        machine.switch_on()
        machine.run("tar --extract --file /dev/vdb --directory /srv")
        yield Box(machine)
    finally:
        machine.cut_power()


@pytest.fixture(scope="session")
def box(bare: Box) -> Box:
    """With the product installed."""
    bare.install_once()
    return bare


@pytest.fixture
def simulated(bare: Box, tmp_path: Path) -> Iterator[SimulatedReader]:
    """A PN532 at the end of an adapter that is plugged into the machine."""
    with SimulatedReader(link=tmp_path / "chip") as reader:
        bare.machine.plug_in(reader.path)
        yield reader
        bare.machine.pull_out()
