"""A simulated reader that runs, and nfcpy on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from appliance.simulator.nfc.reader import SimulatedReader
from tests.simulator.nfc.driver import opened


@pytest.fixture(name="reader")
def _reader() -> Iterator[SimulatedReader]:
    with SimulatedReader() as reader:
        yield reader


@pytest.fixture(name="frontend")
def _frontend(reader: SimulatedReader) -> Iterator[Any]:
    with opened(reader.path) as frontend:
        yield frontend
