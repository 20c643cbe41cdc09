"""What monitoring programs ask: `/health`, a real commit, and `/metrics`, numbers in the Prometheus text format.

Anybody on the network may ask whether the server is well. The numbers are for the box itself and for tokens, because they
tell how much is going on.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import orjson
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from appliance import __version__
from appliance.db import problems
from appliance.db.engine.errors import DatabaseError
from appliance.db.engine.protocols import Readable
from appliance.db.sessions import session_list
from appliance.services import health as units
from appliance.ui.frame.context import CONSOLE, Console, Page, somebody
from appliance.ui.frame.errors import as_problem
from appliance.ui.frame.language import _

COMMIT_TIMEOUT_S = 2.0
LAG_SAMPLE_S = 0.5
LAG_KEPT = 120
"""Samples of the loop's lag: a minute of them."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATM = Path("/proc/self/statm")
FORWARDED = (hdrs.FORWARDED, hdrs.X_FORWARDED_FOR, "X-Real-IP")
"""What a proxy adds."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the database and the last minute say."""

    commit_s: float | None
    """None: it took too long, or failed."""
    sessions_open: int
    problems_open: int
    loop_lag_s: float


class CommitProbe:
    """The real commit: many who ask at once share one, so that asking cannot flood the disk."""

    def __init__(self) -> None:
        self._commit: asyncio.Task[float | None] | None = None

    async def seconds(self, console: Console) -> float | None:
        """How long a commit takes; None: longer than anybody should wait."""
        if self._commit is None or self._commit.done():
            self._commit = asyncio.create_task(_heartbeat_commit_s(console), name="heartbeat commit")
        return await asyncio.shield(self._commit)

    async def close(self, _app: web.Application) -> None:
        """Wait for the one under way."""
        if self._commit is not None:
            await asyncio.wait([self._commit])


class LoopLag:
    """How late the event loop is, sampled all the time."""

    def __init__(self) -> None:
        self._samples: list[float] = []
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, _app: web.Application) -> None:
        """Sample until `stop`."""
        self._schedule()

    async def stop(self, _app: web.Application) -> None:
        """No more."""
        if self._timer is not None:
            self._timer.cancel()

    def worst_s(self) -> float:
        """The longest delay of the last minute."""
        return max(self._samples, default=0.0)

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LAG_SAMPLE_S, self._sample, loop.time() + LAG_SAMPLE_S)

    def _sample(self, due_s: float) -> None:
        self._samples.append(max(0.0, asyncio.get_running_loop().time() - due_s))
        del self._samples[:-LAG_KEPT]
        self._schedule()


class Numbers(Collector):
    """All numbers at one moment."""

    def __init__(self, console: Console, figures: Figures) -> None:
        self._console = console
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client wants them."""
        store, figures = self._console.store, self._figures
        yield _gauge("stations_connected", "Stations with a connection", len(self._console.stations.online()))
        yield _gauge("sessions_open", "Sessions that run or were wished for", figures.sessions_open)
        yield _gauge("problems_open", "Rows under Problems", figures.problems_open)
        messages = CounterMetricFamily(
            "forecourt_messages", "OCPP calls; in: the station called", labels=["direction", "action"]
        )
        for (direction, action), count in sorted(self._console.counters.messages.items()):
            messages.add_metric([direction, action], count)
        yield messages
        mended = CounterMetricFamily(
            "forecourt_messages_mended",
            "OCPP calls that were not as they should be, and read all the same",
            labels=["station"],
        )
        for identity, count in sorted(self._console.counters.mended.items()):
            mended.add_metric([identity], count)
        yield mended
        yield CounterMetricFamily("forecourt_writer_units", "Units of work that were committed", value=store.units)
        yield CounterMetricFamily("forecourt_writer_commits", "Commits", value=store.commits)
        yield CounterMetricFamily(
            "forecourt_writer_batches_repeated", "Batches in which a unit failed", value=store.batches_repeated
        )
        yield _gauge("writer_waiting", "Units that wait for the commit before theirs", store.waiting)
        if figures.commit_s is not None:
            yield _gauge("commit_seconds", "How long a commit took, just now", figures.commit_s)
        yield _gauge("healthy", "1: a commit ends in time", int(figures.commit_s is not None))
        yield _gauge("event_loop_lag_seconds", "The longest delay of the last minute", figures.loop_lag_s)
        yield _gauge("resident_memory_bytes", "Memory of the process", _resident_bytes())
        build = GaugeMetricFamily("forecourt_build", "The release", labels=["version"])
        build.add_metric([__version__], 1)
        yield build


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What is kept between two questions."""

    commit_probe: CommitProbe
    lag: LoopLag


MONITORING = web.AppKey("monitoring", Monitoring)


def install(app: web.Application) -> None:
    """Before the server starts."""
    kept = app[MONITORING] = Monitoring(CommitProbe(), LoopLag())
    app.on_startup.append(kept.lag.start)
    app.on_cleanup.append(kept.lag.stop)
    app.on_cleanup.append(kept.commit_probe.close)


async def health(request: web.Request) -> web.Response:
    """`GET /health`: 200 when a real commit ends within two seconds, else 503. Those with a token are told more."""
    commit_s = await request.app[MONITORING].commit_probe.seconds(request.app[CONSOLE])
    well = commit_s is not None
    body: dict[str, object] = {"status": "ok" if well else "failing"}
    if somebody(request) is not None:
        figures = await _figures(request)
        body |= {
            "version": __version__,
            "commit_ms": None if commit_s is None else round(commit_s * 1000, 1),
            "stations_connected": len(request.app[CONSOLE].stations.online()),
            "sessions_open": figures.sessions_open,
            "problems_open": figures.problems_open,
        }
    return web.Response(status=200 if well else 503, body=orjson.dumps(body), content_type="application/json")


async def metrics(request: web.Request) -> web.Response:
    """`GET /metrics`, with a token of any role, or from the box itself."""
    if somebody(request) is None and not is_from_here(request):
        headers = {"WWW-Authenticate": "Bearer"}
        return as_problem(401, _("Who are you?"), _("Send a token: Authorization: Bearer …"), headers=headers)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Numbers(request.app[CONSOLE], await _figures(request)))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE})


async def _figures(request: web.Request) -> Figures:
    console, kept = request.app[CONSOLE], request.app[MONITORING]
    commit_s = await kept.commit_probe.seconds(console)
    open_sessions, open_problems = await console.store.read(_counts)
    return Figures(commit_s, open_sessions, open_problems, kept.lag.worst_s())


def _counts(db: Readable) -> tuple[int, int]:
    return session_list.count_open(db), problems.count_open(db)


async def _heartbeat_commit_s(console: Console) -> float | None:
    begin_s = perf_counter()  # The loop's own clock counts milliseconds only.
    try:
        async with asyncio.timeout(COMMIT_TIMEOUT_S):
            await console.store.write(units.heartbeat_commit, console.clock())
    except (TimeoutError, DatabaseError):
        return None
    return perf_counter() - begin_s


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"forecourt_{name}", documentation, value=value)


def _resident_bytes() -> int:
    return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def is_from_here(request: web.Request) -> bool:
    """Whether a request comes from the box itself. What a proxy on the box sends on does not, even if nobody has said that it is one."""
    return is_loopback(request.remote) and not any(name in request.headers for name in FORWARDED)


def is_loopback(remote: str | None) -> bool:
    """Whether an address is the box itself."""
    try:
        return ipaddress.ip_address(remote or "").is_loopback
    except ValueError:
        return False


PAGE = Page(routes=[web.get("/health", health), web.get("/metrics", metrics)], install=install)
