"""Chargers on Go and on Java judge the certificate of their listener in their own way. `make soak` needs both: it fails without."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.host.tls.contexts import server_context
from appliance.host.tls.site import SiteCertificate, ensure_for_stations
from tests.host.test_certificates import ADDRESSES, NAMES, now_ms
from tests.host.test_certificates_for_stations import shown

pytestmark = [pytest.mark.soak]

SOURCES = Path(__file__).parents[1] / "support" / "foreign_tls"
NEEDED = {"go": ("go", "golang-go"), "java": ("javac", "default-jdk-headless")}
BUILD_S = 300


@pytest.fixture(name="client", scope="module", params=sorted(NEEDED))
def _client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A client, built."""
    compiler, package = NEEDED[request.param]
    assert shutil.which(compiler), f"`{compiler}` is missing. On Debian: apt-get install {package}"
    folder = tmp_path_factory.mktemp("client")
    if request.param == "go":
        build, run = ["go", "build", "-o", str(folder / "client"), str(SOURCES / "client.go")], [str(folder / "client")]
    else:
        build, run = ["javac", "-d", str(folder), str(SOURCES / "Client.java")], ["java", "-cp", str(folder), "Client"]
    subprocess.run(build, check=True, timeout=BUILD_S)
    return run


async def said_by(client: list[str], certificate: SiteCertificate, host: str, root: Path) -> str:
    """What a client says of the listener of chargers, having been given a root."""
    async with shown(server_context(certificate, for_stations=True)) as port:
        process = await asyncio.create_subprocess_exec(
            *client, f"127.0.0.1:{port}", host, str(root), stdout=subprocess.PIPE
        )
        said, _ = await process.communicate()
        return said.decode()


@pytest.mark.parametrize("host", ["forecourt.local", "localhost", "127.0.0.1", "192.168.1.20"])
async def test_a_charger_connects_by_name_and_by_address(client: list[str], tmp_path: Path, host: str) -> None:
    certificate = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())

    assert (await said_by(client, certificate, host, certificate.ca_file)).startswith("agreed on TLS_")


async def test_it_refuses_who_is_not_this_site(client: list[str], tmp_path: Path) -> None:
    certificate = ensure_for_stations(tmp_path / "a", NAMES, ADDRESSES, now_ms())
    other = ensure_for_stations(tmp_path / "b", NAMES, ADDRESSES, now_ms())

    assert (await said_by(client, certificate, "bank.example", certificate.ca_file)).startswith("refused: ")
    assert (await said_by(client, certificate, NAMES[0], other.ca_file)).startswith("refused: ")
