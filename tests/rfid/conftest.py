"""The simulated reader behind a link that stays, and the product's reader on it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from appliance.domain.cards.tag import ReaderStatus
from appliance.rfid.opening import opener
from appliance.simulator.nfc.reader import SimulatedReader
from tests.support.reader_desk import Desk


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedReader]:
    """A PN532 on a pseudo terminal."""
    with SimulatedReader(link=tmp_path / "reader") as reader:
        yield reader


@pytest.fixture
async def desk(simulated: SimulatedReader) -> AsyncIterator[Desk]:
    """The product's reader, open; its thread has ended afterwards."""
    found = Desk(opener(str(simulated.path)))
    found.reader.start()
    await found.until_status(ReaderStatus.READY)
    yield found
    await found.reader.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "card-reader"]
