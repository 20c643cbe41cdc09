"""The locks: every file by its hash, from nowhere in particular, and one version of everything."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package in one lock."""
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = [re.match(r"([a-z0-9._-]+)==([^ ;]+)", entry) for entry in entries]
    assert all(found)
    return {
        match[1]: (match[2], entry.count("--hash=sha256:"))
        for match, entry in zip(found, entries, strict=True)
        if match
    }


@pytest.mark.parametrize("name", ["build", "runtime", "pcsc", "development"])
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    packages = locked(name)

    assert packages
    assert [package for package, (_, hashes) in packages.items() if hashes == 0] == []


@pytest.mark.parametrize("name", ["build", "runtime", "pcsc", "development"])
def test_no_lock_names_an_index(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")

    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_what_is_tested_is_what_a_site_gets() -> None:
    development = locked("development")

    assert {**development, **locked("runtime"), **locked("build")} == development


def test_each_wanted_package_is_in_its_lock() -> None:
    for name in ("build", "runtime", "pcsc", "development"):
        lines = (REQUIREMENTS / f"{name}.in").read_text(encoding="utf-8").splitlines()
        wanted = {re.split(r"[<>=]", line)[0] for line in lines if line and line[0] not in "#-"}
        assert wanted <= set(locked(name))
