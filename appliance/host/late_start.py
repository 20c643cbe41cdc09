"""All that chargers need not wait for: the certificate, the card desks, pages, and what happens by the clock.

Loading it takes longer than loading all that chargers need, so `server.py` does so when they are served.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import ModuleType

from appliance.db import operators
from appliance.db.engine.store import Store
from appliance.domain.clock import Clock
from appliance.domain.site import Site
from appliance.host.anchors import anchor_file
from appliance.host.certificate import SiteCertificates
from appliance.host.data_directory import DataDirectory
from appliance.host.listeners import Listeners, listen
from appliance.host.live_settings import LiveSettings
from appliance.host.public_urls import addresses, card_link_base
from appliance.host.secrets import open_vault
from appliance.host.tasks import running
from appliance.jobs.schedule import Jobs, keeping_time
from appliance.ocpp.admission.endpoint import StationsListener
from appliance.printer.printer import ReceiptPrinter
from appliance.rfid.desks import CardDesks
from appliance.services import admin_commands
from appliance.services.announce import Hub
from appliance.services.card_desk import jobs as desk_jobs
from appliance.services.card_desk.taps import DeskKey
from appliance.services.printing import Printing
from appliance.services.stations.commands import RemoteControl
from appliance.services.stations.credentials import hash_password
from appliance.services.stations.upkeep import Upkeep
from appliance.ui.api.app import PAGES as API
from appliance.ui.console.app import create_console
from appliance.ui.driver.app import create_drivers
from appliance.ui.frame.context import Console
from appliance.ui.frame.redirect import create_redirect

READER_SEARCH_AFTER_S = 2.0
"""After a restart chargers come first: what drives readers takes some tenths of a second of the processor to load."""


@dataclass(frozen=True, slots=True)
class ChargingSide:
    """What runs already: chargers are served."""

    data: DataDirectory
    store: Store
    hub: Hub
    clock: Clock
    site: Site
    site_key: bytes
    settings: LiveSettings
    stations: StationsListener
    control: RemoteControl
    listeners: Listeners


async def open_rest(
    stack: AsyncExitStack, arguments: argparse.Namespace, charging: ChargingSide, demo: ModuleType | None
) -> None:
    """Open all of it, until the stack is left, and say on standard output where the listeners are.

    Raises:
        Refusal: A port is taken, or the site's authority cannot be used.
    """
    data, store, hub, clock, stations = charging.data, charging.store, charging.hub, charging.clock, charging.stations
    await store.write(desk_jobs.recover, clock())
    vault = await open_vault(data, store, clock)
    demo_reader = demo.open_reader(stack, data) if demo is not None and not arguments.reader else None
    readers = [str(demo_reader.path)] if demo_reader is not None else arguments.reader
    desks = CardDesks(store, hub, clock, readers, search_after_s=READER_SEARCH_AFTER_S)
    traffic = demo.SiteTraffic(store, clock) if demo is not None else None

    printer = ReceiptPrinter()
    stack.callback(printer.close)
    printing = Printing(store, clock, lambda: charging.settings.values, printer)
    stack.push_async_callback(printing.close)

    certificates = SiteCertificates(arguments, data.path, clock)
    await certificates.renew()
    console = Console(
        store=store,
        hub=hub,
        clock=clock,
        site=charging.site,
        stations=stations.commands,
        control=charging.control,
        hash_station_password=functools.partial(hash_password, charging.site_key),
        counters=stations.counters,
        certificates=certificates,
        settings=lambda: charging.settings.values,
        desks=desks,
        desk_key=DeskKey(charging.site_key, "", vault),
        vault=vault,
        printing=printing,
        demo_reader=demo_reader,
        demo_chargers=traffic,
    )
    await open_listeners(stack, arguments, console, charging, certificates)
    await stack.enter_async_context(
        desks.running(DeskKey(charging.site_key, card_link_base(arguments, charging.listeners), vault))
    )
    stack.push_async_callback(stations.registry.close)

    upkeep = Upkeep(store, stations.commands, hub, clock)
    stack.push_async_callback(upkeep.close)
    jobs = Jobs(
        store,
        stations.commands,
        charging.control,
        clock,
        charging.site,
        serving_since_ms=clock(),
        upkeep=upkeep,
        anchors=anchor_file(data),
        printing=printing,
    )
    await stack.enter_async_context(keeping_time(jobs))
    if traffic is not None:
        await stack.enter_async_context(running(traffic.run(charging.listeners.urls["stations"]), "demo traffic"))
    await print_urls(charging.listeners, store, clock, demo)


async def open_listeners(
    stack: AsyncExitStack,
    arguments: argparse.Namespace,
    console: Console,
    charging: ChargingSide,
    certificates: SiteCertificates,
) -> None:
    """Bind all further listeners; with a certificate the console is served over HTTPS, and over http only redirects there."""
    listeners = charging.listeners
    stations_tls, console_tls = certificates.context(for_stations=True), certificates.context()
    if stations_tls is not None:
        await listen(
            stack, listeners, "stations-tls", charging.stations.application, arguments.stations_tls, stations_tls
        )
    named = dataclasses.replace(console, addresses=addresses(arguments, listeners))
    await listen(stack, listeners, "drivers", create_drivers(named), arguments.drivers, None)
    # Port 0 is any that is free: which ones is known only now, and pages say what to enter in a charger and what to print.
    named = dataclasses.replace(
        console,
        addresses=addresses(arguments, listeners),
        desk_key=dataclasses.replace(console.desk_key, link_base=card_link_base(arguments, listeners)),
    )
    pages = create_console(named, more=API)
    if console_tls is not None:
        await listen(stack, listeners, "console-tls", pages, arguments.console_tls, console_tls)
        redirect = create_redirect(named, listeners.ports["console-tls"])
        await listen(stack, listeners, "console", redirect, arguments.console, None)
    else:
        await listen(stack, listeners, "console", pages, arguments.console, None)
    if stations_tls is not None or console_tls is not None:
        await stack.enter_async_context(running(certificates.keep(), "certificates"))


async def print_urls(listeners: Listeners, store: Store, clock: Clock, demo: ModuleType | None) -> None:
    """One line for each listener on standard output, and how to get in as long as nobody can."""
    for listener in ("stations", "stations-tls", "console-tls", "console", "drivers"):
        if listener in listeners.urls:
            name = (
                "console"
                if listener == "console-tls"
                else "console-redirect"
                if "console-tls" in listeners.urls and listener == "console"
                else listener
            )
            print(f"{name} {listeners.urls[listener]}", flush=True)  # noqa: T201  # the contract of `forecourt serve`
    if demo is not None:
        print(f"log in as {demo.LOGIN}, password {demo.PASSWORD}", flush=True)  # noqa: T201
    elif not await store.read(operators.exists):
        code = await store.write(admin_commands.new_setup_code, clock())
        print(f"set-up code {code}", flush=True)  # noqa: T201
