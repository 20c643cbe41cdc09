"""The load client of the measurements, against the limit server: both as processes of their own, as `make bench` runs them."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.frames import ACTIONS, TEXT, Round, StationClock, frames, masked
from benchmarks.load import is_loopback
from tests.support.process import gone

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60


@dataclass(frozen=True, slots=True)
class Limit:
    url: str
    pid: int
    database: Path


@pytest.fixture(name="limit")
async def _limit(tmp_path: Path) -> AsyncIterator[Limit]:
    database = tmp_path / "limit.db"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.limit_server", "--database", str(database)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(WAIT_S):
        line = (await process.stdout.readline()).decode()
    found = re.search(r"ws://\S+", line)
    assert found is not None
    yield Limit(found[0], process.pid, database)
    process.terminate()
    await gone(process)


async def load(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(WAIT_S):
        output, errors = await process.communicate()
    return process.returncode or 0, output.decode(), errors.decode()


async def test_load_measures_the_mix_and_every_transaction_message_is_on_disk(limit: Limit) -> None:
    code, output, errors = await load(
        *("--url", limit.url, "--pid", str(limit.pid), "--n", "5", "--seconds", "1", "--warmup", "0.1")
    )

    assert code == 0, errors
    figures: dict[str, Any] = orjson.loads(output)
    assert figures["booted"] == 5
    assert figures["errors"] == figures["refused"] == 0
    assert figures["messages"] > 0
    assert set(figures["ms_by_action"]) == set(ACTIONS)
    assert figures["ms"]["p50"] <= figures["ms"]["p95"] <= figures["ms"]["p99"]
    assert figures["server_rss_mib"] > 1
    rows = sqlite3.connect(limit.database).execute("SELECT station, action, frame FROM kept ORDER BY id").fetchall()
    kept = [
        orjson.loads(frame)[3]
        for station, action, frame in rows
        if station == "CP00001" and action == "StopTransaction"
    ]
    meters = [each["meterStop"] for each in kept]
    times = [each["timestamp"] for each in kept]
    assert meters == sorted(set(meters))
    assert times == sorted(set(times))


async def test_storm_boots_all_stations(limit: Limit) -> None:
    code, output, errors = await load("--url", limit.url, "--n", "50", "--storm", "--pid", str(limit.pid))

    assert code == 0, errors
    figures = orjson.loads(output)
    assert (figures["booted"], figures["errors"]) == (50, 0)
    assert "messages_per_s" not in figures


async def test_load_refuses_other_machines() -> None:
    code, _, errors = await load("--url", "ws://192.0.2.1:9000/ocpp/", "--n", "1")

    assert code == 2
    assert "loopback" in errors


def test_loopback_is_told_from_other_addresses() -> None:
    assert is_loopback("ws://127.0.0.2:9/ocpp/")
    assert is_loopback("ws://[::1]:9/ocpp/")
    assert not is_loopback("ws://127.0.0.1.example:9/ocpp/")
    assert not is_loopback("ws://10.0.0.1:9/ocpp/")


def test_round_is_nine_calls_of_the_mix() -> None:
    round_ = Round(1, b"run", StationClock(0, 0), 100)
    calls = [round_.following() for _ in range(9)]

    assert [action for action, _, _ in calls] == list(ACTIONS)
    for action, message_id, text in calls:
        assert orjson.loads(text)[:3] == [2, message_id.decode(), action]
    reading = orjson.loads(calls[4][2])[3]["meterValue"][0]["sampledValue"]
    assert len(reading) == 5


def test_frames_are_taken_off_a_stream_whole() -> None:
    length = 300
    payload = b"x" * length
    stream = b"\x81\x7e" + length.to_bytes(2, "big") + payload + b"\x89\x00"
    buffer, found = bytearray(), []
    for byte in stream:
        buffer.append(byte)
        found += frames(buffer)

    assert found == [(TEXT, payload), (9, b"")]
    assert not buffer
    assert masked(TEXT, payload)[-length:] == payload
