"""The composition root: puts the parts together, in the order in which this file reads, and takes them apart backwards."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import functools
import gc
import logging
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType
from typing import Any

import uvloop

from appliance import logs, notify
from appliance.certificates import SiteCertificate, server_context
from appliance.control_socket import listening
from appliance.data_directory import DataDirectory
from appliance.db import operators
from appliance.db import site as sites
from appliance.db.migrate import migrate
from appliance.db.store import Store
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import Refusal
from appliance.domain.site import Site
from appliance.jobs.schedule import Jobs, schedule
from appliance.listeners import Faces, addresses, card_link_base, keep_certificate, listen, site_certificate
from appliance.ocpp.endpoint import StationsFace, open_stations
from appliance.rfid.desks import CardDesks
from appliance.services import changes, desk_jobs, health, settings
from appliance.services.announce import Announcement, Hub, SettingsChanged
from appliance.services.card_desk import DeskKey
from appliance.services.dead_cards import DeadCards
from appliance.services.remote_control import RemoteControl
from appliance.services.station_passwords import hash_password
from appliance.settings import LiveSettings
from appliance.ui.api.app import PAGES as API
from appliance.ui.app import create_console
from appliance.ui.context import Console
from appliance.ui.driver.app import create_drivers
from appliance.ui.redirect import create_redirect

log = logging.getLogger(__name__)

READER_SEARCH_AFTER_S = 2.0
"""After a restart chargers come first: what drives readers takes some tenths of a second of the processor to load."""
COLLECTIONS = (10_000, 20, 20)
"""When garbage is looked for. By the interpreter's own figures, two thousand stations that come back are looked through a dozen
times while they do; nearly nothing of ours needs more than a count of its references to be freed."""
COMMIT_S_MAX = 10.0
"""A commit that takes longer than this is no sign of life."""


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    logs.configure()
    return uvloop.run(serve(arguments, system_clock))


async def serve(arguments: argparse.Namespace, clock: Clock) -> int:
    """Everything, from the lock to the last good-bye.

    Raises:
        Refusal: There is no site, the folder is in use, the database is too new, or a port is taken.
    """
    data = DataDirectory(arguments.data_dir)
    async with AsyncExitStack() as stack:
        stop = stop_on_signals()
        demo = demo_wanted(arguments)
        if demo is not None:
            demo.prepare(data, clock)
        data.need_site()
        stack.enter_context(data.lock())
        migrate(data.database)

        hub = Hub()
        store = Store(data.database, announce=hub.announce)
        await store.open()
        stack.push_async_callback(store.close)
        site = await load_site(store, is_demo=arguments.demo)
        live_settings = LiveSettings(await store.read(settings.load))
        await stack.enter_async_context(following(hub, store, live_settings))

        site_key = await store.read(sites.secret)
        stations = await stack.enter_async_context(open_stations(store, hub, live_settings, site_key, clock))
        control = RemoteControl(store, stations.commands, hub, clock)
        stack.push_async_callback(control.close)
        dead_cards = DeadCards(store, stations.commands, hub, clock)
        stack.push_async_callback(dead_cards.close)
        await dead_cards.open()
        await store.write(desk_jobs.recover, clock())
        toy_reader = demo.toy_reader(stack, data) if demo is not None and not arguments.reader else None
        readers = [str(toy_reader.path)] if toy_reader is not None else arguments.reader
        desks = CardDesks(store, hub, clock, readers, search_after_s=READER_SEARCH_AFTER_S)
        cars = demo.Cars(store, clock) if demo is not None else None

        certificate = await site_certificate(arguments, data.path, clock)
        console = Console(
            store=store,
            hub=hub,
            clock=clock,
            site=site,
            stations=stations.commands,
            control=control,
            hash_station_password=functools.partial(hash_password, site_key),
            counters=stations.counters,
            desks=desks,
            desk_key=DeskKey(site_key, ""),
            toy_reader=toy_reader,
            toy_chargers=cars,
        )
        faces = await open_faces(stack, arguments, console, stations, certificate, data)
        await stack.enter_async_context(desks.running(DeskKey(site_key, card_link_base(arguments, faces))))
        await stack.enter_async_context(listening(data, store, clock))
        stack.push_async_callback(stations.links.close)

        jobs = schedule(Jobs(store, stations.commands, control, clock, site, serving_since_ms=clock()))
        jobs.start()
        stack.callback(jobs.shutdown, wait=False)
        if cars is not None:
            await stack.enter_async_context(running(cars.run(faces.urls["stations"]), "demo cars"))

        await say_where(faces, store, clock, demo)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTIONS)
        notify.ready("Serving.")
        await stack.enter_async_context(running(beat_for_watchdog(store, clock), "watchdog"))
        await stop.wait()
        notify.stopping("Stopping.")
        log.info("stopping")
    return 0


def demo_wanted(arguments: argparse.Namespace) -> ModuleType | None:
    """The demo, if this is one. A real site does without the simulator, and is back the sooner after a restart."""
    if not arguments.demo:
        return None
    from appliance import demo  # noqa: PLC0415  # see above

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


async def open_faces(
    stack: AsyncExitStack,
    arguments: argparse.Namespace,
    console: Console,
    stations: StationsFace,
    certificate: SiteCertificate | None,
    data: DataDirectory,
) -> Faces:
    """Bind all listeners; with a certificate the console is served over HTTPS, and over http only redirects there."""
    faces = Faces()
    contexts = []
    await listen(stack, faces, "stations", stations.application, arguments.stations, None)
    if certificate is not None and arguments.stations_tls is not None:
        contexts.append(server_context(certificate, for_stations=True))
        await listen(stack, faces, "stations-tls", stations.application, arguments.stations_tls, contexts[-1])
    named = dataclasses.replace(console, addresses=addresses(arguments, certificate, faces))
    await listen(stack, faces, "drivers", create_drivers(named), arguments.drivers, None)
    # Port 0 is any that is free: which ones is known only now, and pages say what to enter in a charger and what to print.
    named = dataclasses.replace(
        console,
        addresses=addresses(arguments, certificate, faces),
        desk_key=dataclasses.replace(console.desk_key, link_base=card_link_base(arguments, faces)),
    )
    pages = create_console(named, more=API)
    if certificate is not None and arguments.console_tls is not None:
        contexts.append(server_context(certificate))
        await listen(stack, faces, "console-tls", pages, arguments.console_tls, contexts[-1])
        redirect = create_redirect(faces.ports["console-tls"])
        await listen(stack, faces, "console", redirect, arguments.console, None)
    else:
        await listen(stack, faces, "console", pages, arguments.console, None)
    if contexts:
        renewing = keep_certificate(arguments, data.path, contexts, console.clock)
        await stack.enter_async_context(running(renewing, "certificate"))
    return faces


async def say_where(faces: Faces, store: Store, clock: Clock, demo: ModuleType | None) -> None:
    """One line for each face on standard output, and how to get in as long as nobody can."""
    for face in ("stations", "stations-tls", "console-tls", "console", "drivers"):
        if face in faces.urls:
            name = (
                "console"
                if face == "console-tls"
                else "console-redirect"
                if "console-tls" in faces.urls and face == "console"
                else face
            )
            print(f"{name} {faces.urls[face]}", flush=True)  # noqa: T201  # the contract of `forecourt serve`
    if demo is not None:
        print(f"log in as {demo.LOGIN}, password {demo.PASSWORD}", flush=True)  # noqa: T201
    elif not await store.read(operators.exists):
        code = await store.write(changes.new_setup_code, clock())
        print(f"set-up code {code}", flush=True)  # noqa: T201


async def beat_for_watchdog(store: Store, clock: Clock) -> None:
    """Tell systemd that the server lives, each time that a real commit has gone to the disk."""
    interval_s = notify.watchdog_interval_s()
    while interval_s is not None:
        async with asyncio.timeout(COMMIT_S_MAX):
            await store.write(health.beat, clock())
        notify.alive()
        await asyncio.sleep(interval_s)


@asynccontextmanager
async def following(hub: Hub, store: Store, live: LiveSettings) -> AsyncIterator[None]:
    """Keep the settings in force up to date."""
    tasks: set[asyncio.Task[None]] = set()

    async def read_again() -> None:
        live.values = await store.read(settings.load)

    def heard(announcements: list[Announcement]) -> None:
        if any(isinstance(one, SettingsChanged) for one in announcements):
            task = asyncio.create_task(read_again(), name="settings")
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    stop_listening = hub.listen(heard)
    try:
        yield
    finally:
        stop_listening()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """A task beside the server, ended with it. If it fails, that is logged, and the server goes on."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(log_failure)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def log_failure(task: asyncio.Task[None]) -> None:
    """Say that a task beside the server has failed."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a task failed", exc_info=error, extra={"task": task.get_name()})


def stop_on_signals() -> asyncio.Event:
    """Set when somebody wants the server to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
