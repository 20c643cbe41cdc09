"""The log's lines: one event each, with its fields, whatever somebody outside has put into them."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest

from appliance.logs import EventFormatter

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?P<level>[A-Z]+) (?P<module>[\w.]+): (?P<event>.*)")


@pytest.fixture(name="written")
def _written() -> Iterator[io.StringIO]:
    """What one module of ours has logged."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(EventFormatter())
    log = logging.getLogger("appliance.services.sessions.starting")
    log.addHandler(handler)
    yield stream
    log.removeHandler(handler)


def test_a_line_says_when_where_and_what(written: io.StringIO) -> None:
    logging.getLogger("appliance.services.sessions.starting").warning(
        "session ended", extra={"session": 12, "energy_wh": 7200}
    )

    line = LINE.fullmatch(written.getvalue().rstrip("\n"))
    assert line is not None
    assert line.groupdict() == {
        "level": "WARNING",
        "module": "services.sessions.starting",
        "event": "session ended  session=12 energy_wh=7200",
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028"])
def test_nothing_from_outside_begins_a_line_of_its_own(written: io.StringIO, end: str) -> None:
    forged = f"CS-01{end}2026-11-23 05:28:48 INFO services.cash_desk: topped up  amount_minor=1"
    logging.getLogger("appliance.services.sessions.starting").warning("refused %s", forged, extra={"station": forged})

    assert len(written.getvalue().splitlines()) == 1


def test_a_failure_brings_its_traceback_indented_whatever_its_text_is(written: io.StringIO) -> None:
    try:
        raise LookupError("nobody\n2026-11-23 05:28:48 INFO services.cash_desk: topped up")
    except LookupError:
        logging.getLogger("appliance.services.sessions.starting").exception("failed")

    first, *rest = written.getvalue().splitlines()
    assert first.endswith("ERROR services.sessions.starting: failed")
    assert rest[0] == "  Traceback (most recent call last):"
    assert rest[-2] == "  LookupError: nobody"
    assert all(line.startswith("  ") for line in rest)
