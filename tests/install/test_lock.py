"""The locks: every file by its hash, from nowhere in particular, and one version of everything."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]
REQUIREMENTS = REPOSITORY / "requirements"
SETUP = ConfigParser(interpolation=None)
SETUP.read(REPOSITORY / "setup.cfg", encoding="utf-8")
DECLARED = [("options", "install_requires", "runtime"), ("options.extras_require", "pcsc", "pcsc")]
"""Section and key of setup.cfg, and the lock."""


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


def wanted(name: str) -> set[str]:
    """What the file that one lock is made of names."""
    lines = (REQUIREMENTS / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and line[0] not in "#-"}


def test_each_wanted_package_is_in_its_lock() -> None:
    for name in ("build", "pcsc", "development"):
        assert wanted(name) <= set(locked(name))


@pytest.mark.parametrize(("section", "key", "name"), DECLARED)
def test_what_the_package_asks_for_is_locked_in_a_version_that_it_takes(section: str, key: str, name: str) -> None:
    asked = [Requirement(line) for line in SETUP[section][key].strip().splitlines()]

    assert asked
    assert [one for one in asked if locked(name)[one.name][0] not in one.specifier] == []
    assert [one for one in asked if not any(bound.operator == ">=" for bound in one.specifier)] == []


def test_the_lock_for_card_readers_over_pcsc_is_that_of_the_extra() -> None:
    assert wanted("pcsc") == {
        Requirement(line).name for line in SETUP["options.extras_require"]["pcsc"].split("\n") if line
    }
