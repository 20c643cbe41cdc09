"""The composition root: puts the parts together, in the order in which this file reads, and takes them apart backwards."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import logging
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType

import uvloop

from appliance import logs
from appliance.db import site as sites
from appliance.db.disk import read_short
from appliance.db.engine.migrate import migrate
from appliance.db.engine.process import leave_memory_uncounted
from appliance.db.engine.store import Store
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import Refusal
from appliance.domain.room import room
from appliance.domain.site import Site
from appliance.host import systemd
from appliance.host.addresses import own_hosts
from appliance.host.control_socket import listening
from appliance.host.data_directory import DataDirectory
from appliance.host.disk import Disk, look, watch
from appliance.host.listeners import Listeners, listen
from appliance.host.live_settings import LiveSettings
from appliance.host.no_room import wait_for_room
from appliance.host.tasks import running
from appliance.ocpp.admission.endpoint import open_stations
from appliance.services import health, settings
from appliance.services.announce import Announcement, Hub, SettingsChanged
from appliance.services.cards.revocation import Revocation
from appliance.services.stations.commands import RemoteControl
from appliance.services.tasks import Tasks

log = logging.getLogger(__name__)

COLLECTIONS = (10_000, 20, 20)
"""When garbage is looked for: less often than by the interpreter's own figures (700, 10, 10), because nearly all of ours is freed
by the count of its references. Two thousand stations that come back at once are accepted in a seventh less time."""
COMMIT_S_MAX = 10.0
"""A commit that takes longer than this is no sign of life."""


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    logs.configure()
    take_descriptors()
    leave_memory_uncounted()
    return uvloop.run(serve(arguments, system_clock))


async def serve(arguments: argparse.Namespace, clock: Clock) -> int:
    """Everything, from the lock to the last good-bye.

    Raises:
        Refusal: There is no site, its files cannot be used, the folder is in use, the database is too new, or a port is taken.
    """
    data = DataDirectory(arguments.data_dir)
    async with AsyncExitStack() as stack:
        stop = stop_on_signals()
        demo = demo_wanted(arguments)
        if demo is not None:
            demo.prepare(data, clock)
        data.need_site()
        stack.enter_context(data.lock())
        site_disk = Disk.of(data)
        if not site_disk.make_room() and not await wait_for_room(site_disk, arguments.console, stop):
            return 0
        migrate(data.database)

        hub = Hub()
        store = Store(data.database, announce=hub.announce, wal_bytes_max=room(site_disk.size_bytes(), 0).wal_bytes)
        await store.open()
        stack.push_async_callback(store.close)
        site = await load_site(store, is_demo=arguments.demo)
        await look(site_disk, store, clock, making=False)
        live_settings = LiveSettings(await store.read(settings.load), own_hosts(arguments), disk_short=site_disk.short)
        await stack.enter_async_context(following(hub, store, live_settings))
        await stack.enter_async_context(running(watch(site_disk, store, clock), "disk"))

        site_key = await store.read(sites.secret)
        stations = await stack.enter_async_context(open_stations(store, hub, live_settings, site_key, clock))
        control = RemoteControl(store, stations.commands, hub, clock)
        stack.push_async_callback(control.close)
        revocation = Revocation(store, stations.commands, hub, clock)
        stack.push_async_callback(revocation.close)
        await revocation.open()
        await stack.enter_async_context(listening(data, store, clock))
        listeners = Listeners(proxies=lambda: live_settings.trusted_proxies)
        await listen(stack, listeners, "stations", stations.application, arguments.stations, None)

        # Chargers are served from here on, also while the rest is loaded beside them.
        await asyncio.to_thread(importlib.import_module, "appliance.host.late_start")
        from appliance.host.late_start import ChargingSide, open_rest  # noqa: PLC0415  # see above

        charging = ChargingSide(
            data, store, hub, clock, site, site_key, live_settings, stations, control, listeners
        )  # fmt: skip
        await open_rest(stack, arguments, charging, demo)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTIONS)
        gc.enable()
        systemd.ready("Serving.")
        await stack.enter_async_context(running(commit_heartbeats(store, clock), "watchdog"))
        await stop.wait()
        systemd.stopping("Stopping.")
        log.info("stopping")
    return 0


def take_descriptors() -> None:
    """As many open files and connections as this process is allowed: what a shell begins with is meant for small programs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def demo_wanted(arguments: argparse.Namespace) -> ModuleType | None:
    """The demo, if this is one. A real site does without the simulator, and is back the sooner after a restart."""
    if not arguments.demo:
        return None
    from appliance.demo import site as demo  # noqa: PLC0415  # see above

    return demo


async def load_site(store: Store, *, is_demo: bool) -> Site:
    """The site of the database; a demo and a real site are never taken for one another."""
    site = await store.read(sites.load)
    if site is None:
        raise Refusal("This database has no site.", "Make one with `forecourt init` in an empty folder.")
    if site.demo and not is_demo:
        raise Refusal("This is a demo site.", "Add --demo, or choose another folder with --data-dir.")
    if is_demo and not site.demo:
        raise Refusal(
            "This is a real site: it must not be run as a demo.", "Leave out --demo, or choose another folder."
        )
    return site


async def commit_heartbeats(store: Store, clock: Clock) -> None:
    """Tell systemd that the server lives, each time that a real commit has gone to the disk."""
    interval_s = systemd.watchdog_interval_s()
    while interval_s is not None:
        async with asyncio.timeout(COMMIT_S_MAX):
            await store.write(health.heartbeat_commit, clock())
        systemd.alive()
        await asyncio.sleep(interval_s)


@asynccontextmanager
async def following(hub: Hub, store: Store, live: LiveSettings) -> AsyncIterator[None]:
    """Keep the settings in force up to date."""
    tasks = Tasks()
    one_by_one = asyncio.Lock()  # What was read first must not come last.

    async def read_again() -> None:
        async with one_by_one:
            live.values = await store.read(settings.load)
            live.disk_short = await store.read(read_short)

    def on_settings(_announcements: list[Announcement]) -> None:
        tasks.start(read_again(), "settings")

    stop_listening = hub.listen(on_settings, SettingsChanged)
    try:
        yield
    finally:
        stop_listening()
        await tasks.settled()


def stop_on_signals() -> asyncio.Event:
    """Set when somebody wants the server to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
