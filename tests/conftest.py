"""For all tests: what is never allowed, how far hypothesis goes, and an honest word where no browser was found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.event_loop import unblocked

hypothesis.settings.register_profile("forecourt", deadline=None, print_blob=True)
hypothesis.settings.load_profile("forecourt")

BROWSERS = "chromium chromium-browser google-chrome"


def browser() -> str | None:
    """The browser that tests drive."""
    names = os.environ.get("FORECOURT_BROWSER", BROWSERS).split()
    return next((found for name in names if (found := shutil.which(name))), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser its tests are deselected, which the last lines say."""
    if browser() is None:
        left_out = [item for item in items if item.get_closest_marker("browser")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(autouse=True, scope="session")
def _unblocked_loop() -> Iterator[None]:
    """Whatever of the product blocks the event loop raises."""
    with unblocked():
        yield


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The very last line of the run."""
    if browser() is None and not hasattr(config, "workerinput"):
        print("No browser was found, so the tests marked `browser` were not run. On Debian: apt-get install chromium")  # noqa: T201
