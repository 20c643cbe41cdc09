"""Stations that say what a test wants, for services and jobs."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import StationId
from appliance.domain.transaction import TransactionRef
from appliance.services.ports.stations import (
    CommandAnswer,
    CommandFailed,
    Sampling,
    SpokenVersion,
    Variable,
    VariableName,
)

ACCEPTED = CommandAnswer(True, "Accepted")


class FakeStations:
    """Says what it was told to say, and remembers what it was asked, and what was on disk by then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.away: set[StationId] = set()
        self.says: CommandAnswer | CommandFailed = ACCEPTED
        self.asked: list[tuple[str, int, object]] = []
        self.on_disk: list[str] = []
        self.heard = asyncio.Event()

    def is_online(self, station: StationId) -> bool:
        return station not in self.away

    def online(self) -> frozenset[StationId]:
        return frozenset()

    def versions(self) -> tuple[SpokenVersion, ...]:
        return ()

    async def remote_start(self, station: StationId, evse: int, id_token: IdToken) -> CommandAnswer:
        self.on_disk = [row[0] for row in rows(self.path, "SELECT state FROM session ORDER BY id")]
        return self._answer("start", station, (evse, id_token))

    async def remote_stop(self, station: StationId, ref: TransactionRef) -> CommandAnswer:
        return self._answer("stop", station, ref)

    async def unlock(self, station: StationId, evse: int, connector: int) -> CommandAnswer:
        return self._answer("unlock", station, (evse, connector))

    async def reset(self, station: StationId, *, hard: bool) -> CommandAnswer:
        return self._answer("reset", station, hard)

    async def set_operative(self, station: StationId, evse: int, operative: bool) -> CommandAnswer:
        return self._answer("operative", station, (evse, operative))

    async def clear_cache(self, station: StationId) -> CommandAnswer:
        return self._answer("clear cache", station, None)

    async def forget_card(self, station: StationId, tokens: tuple[str, ...]) -> CommandAnswer:
        return self._answer("forget", station, tokens)

    async def trigger(self, station: StationId, message: str, evse: int | None = None) -> CommandAnswer:
        return self._answer("trigger", station, (message, evse))

    async def get_variables(self, station: StationId, names: list[VariableName]) -> list[Variable]:
        self._answer("get", station, tuple(names))
        return []

    async def set_variable(self, station: StationId, name: VariableName, value: str) -> CommandAnswer:
        return self._answer("set", station, (name, value))

    async def set_password(self, station: StationId, password: str) -> CommandAnswer:
        return self._answer("password", station, password)

    async def read_sampling(self, station: StationId) -> Sampling:
        self._answer("read sampling", station, None)
        return Sampling(None, None)

    async def set_sampling(self, station: StationId, interval_s: int) -> Sampling:
        self._answer("set sampling", station, interval_s)
        return Sampling(interval_s, True)

    async def read_power(self, station: StationId) -> int | None:
        self._answer("read power", station, None)
        return None

    async def count_evses(self, station: StationId) -> int | None:
        self._answer("count EVSEs", station, None)
        return None

    async def raw_call(self, station: StationId, action: str, payload: Any) -> Any:
        self._answer("raw", station, action)
        return payload

    def _answer(self, command: str, station: StationId, what: object) -> CommandAnswer:
        self.asked.append((command, station, what))
        self.heard.set()
        if isinstance(self.says, CommandFailed):
            raise self.says
        return self.says


def rows(path: Path, sql: str) -> list[Any]:
    """What a stranger finds in the file."""
    db = sqlite3.connect(path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()
