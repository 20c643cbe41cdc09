"""The program's log: one line an event, with its fields, for journald or a terminal."""

from __future__ import annotations

import logging
import sys
import time
from functools import lru_cache
from textwrap import indent

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class EventFormatter(logging.Formatter):
    """`2026-11-23 05:28:48 INFO sessions: session ended  session=12 energy_wh=7200`"""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback if there is one, indented. Nothing from outside can begin a line of its own."""
        fields = " ".join(f"{name}={value}" for name, value in vars(record).items() if name not in STANDARD)
        module = record.name.removeprefix("appliance.")
        event = " ".join(f"{record.getMessage()}  {fields}".rstrip().splitlines())
        text = f"{written_second(int(record.created))} {record.levelname} {module}: {event}"
        if record.exc_info:
            text = f"{text}\n{indent(self.formatException(record.exc_info), '  ')}"
        return text


@lru_cache(maxsize=2)
def written_second(second: int) -> str:
    """Local time, to the second, of a time in seconds; most lines come in the same second as the one before."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


def configure(level: int = logging.INFO) -> None:
    """Send the log to standard error; libraries that talk too much, or tell secrets, are quietened."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("apscheduler", "aiosqlite", "asyncio", "ocpp"):
        logging.getLogger(name).setLevel(logging.WARNING)
