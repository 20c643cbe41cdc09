"""A simulated station at work in a terminal: by single keys above a status line, or one whole charge for a script."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import ssl
import sys
import termios
import tty
from collections.abc import Iterator
from typing import Final

from appliance.domain.clock import system_clock
from appliance.simulator.charger import Charger, Transaction
from appliance.simulator.connection import HandshakeRefused
from appliance.simulator.output import EXIT_DONE, EXIT_NOT_CHARGED, EXIT_REFUSED, say
from appliance.simulator.station import Battery, Station
from appliance.simulator.v16.charge_point import ChargePoint, Options, first

KEYS: Final = "p plug in · c card · u unplug · f fault · 1-9 connector · q quit"
REDRAW_S: Final = 0.5
BATTERY_WH: Final = 60_000


async def run(arguments: argparse.Namespace) -> int:
    """Be the station."""
    station = Station.of(
        system_clock,
        connectors=arguments.connectors,
        power_w=arguments.power,
        speed=arguments.speed,
        serial=arguments.id,
    )
    options = Options(
        arguments.url,
        arguments.id,
        password=arguments.password_file.read_bytes().rstrip(b"\r\n") if arguments.password_file else None,
        tls=ssl.create_default_context(cafile=arguments.ca_file) if arguments.url.startswith("wss:") else None,
        sample_interval_s=arguments.sample_interval,
        give_up_when_refused=arguments.once,
    )
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not arguments.once
    charge_point = ChargePoint(station, options, say)
    loop = asyncio.get_running_loop()
    quitting = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, quitting.set)
    running = asyncio.create_task(charge_point.run(), name="station")
    work = asyncio.create_task(_work(charge_point, arguments, quitting, interactive=interactive), name="work")
    try:
        await asyncio.wait({running, work}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        return await work
    except* HandshakeRefused as refused:
        say(str(first(refused)))
    finally:
        for task in (work, running):
            task.cancel()
        await asyncio.gather(work, running, return_exceptions=True)
    return EXIT_REFUSED


async def charge_once(charge_point: ChargePoint, card: str, energy_wh: int) -> int:
    """Plug in, present the card, charge, stop, unplug, and wait until all of it has been acknowledged; an exit code."""
    charger = charge_point.charger
    await charge_point.registered.wait()
    charger.plug_in(1, Battery.charged(10, max(BATTERY_WH, energy_wh * 2)))
    authorization = await charger.present_card(card, 1)
    transaction = charger.places[0].transaction
    if transaction is None:
        say(f"Card {card} may not charge here: {authorization.status}.")
        charger.unplug(1)
        return EXIT_NOT_CHARGED
    await charge_point.until(lambda: transaction.end is not None or _charged_wh(charger, transaction) >= energy_wh)
    if transaction.end is None:
        await charger.present_card(card, 1)
    charger.unplug(1)
    await charge_point.outbox.emptied()
    charged_wh = _charged_wh(charger, transaction)
    if charged_wh < energy_wh:
        say(f"The charge ended early, after {charged_wh} of {energy_wh} Wh ({transaction.reason}).")
        return EXIT_NOT_CHARGED
    say(f"Charged {charged_wh} Wh.")
    return EXIT_DONE


def status_line(charge_point: ChargePoint, number: int) -> str:
    """What stands below: the chosen connector in a few words."""
    place = charge_point.charger.places[number - 1]
    evse = place.evse
    parts = [
        charge_point.options.identity,
        "online" if charge_point.registered.is_set() else "offline",
        f"connector {number} {charge_point.status(number)}",
        f"{evse.power_w} W",
    ]
    if place.transaction is not None:
        parts.append(f"{_charged_wh(charge_point.charger, place.transaction)} Wh")
    if evse.battery is not None:
        parts.append(f"battery {evse.battery.percent} %")
    if len(charge_point.outbox):
        parts.append(f"{len(charge_point.outbox)} messages wait")
    return " · ".join(parts)


async def _work(
    charge_point: ChargePoint, arguments: argparse.Namespace, quitting: asyncio.Event, *, interactive: bool
) -> int:
    if interactive:
        await _by_keys(charge_point, arguments.card, quitting)
        return EXIT_DONE
    quit_ = asyncio.create_task(quitting.wait())
    if not arguments.once:
        await quit_
        return EXIT_DONE
    charge = asyncio.create_task(charge_once(charge_point, arguments.card, arguments.energy))
    try:
        await asyncio.wait({charge, quit_}, return_when=asyncio.FIRST_COMPLETED)
        return charge.result() if charge.done() else EXIT_NOT_CHARGED
    finally:
        charge.cancel()
        quit_.cancel()


async def _by_keys(charge_point: ChargePoint, card: str, quitting: asyncio.Event) -> None:
    """Do what the keys say until q, keeping the status line fresh."""
    charger, chosen = charge_point.charger, 1
    keys: asyncio.Queue[str] = asyncio.Queue()
    say(KEYS)
    with _single_keys():
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin, _read_keys, keys)
        try:
            while not quitting.is_set():
                sys.stdout.write("\r\x1b[K" + status_line(charge_point, chosen))
                sys.stdout.flush()
                try:
                    async with asyncio.timeout(REDRAW_S):
                        key = (await keys.get()).lower()
                except TimeoutError:
                    continue
                if key in {"q", ""}:
                    break
                if key.isdecimal() and charger.place(int(key)) is not None:
                    chosen = int(key)
                elif key == "c":
                    authorization = await charger.present_card(card, chosen)
                    if not authorization.accepted:
                        say(f"Card {card} may not charge here: {authorization.status}.")
                else:
                    _turn(charger, chosen, key)
        finally:
            loop.remove_reader(sys.stdin)
            sys.stdout.write("\r\x1b[K")


def _read_keys(keys: asyncio.Queue[str]) -> None:
    """All keys that were pressed, past Python's buffer, which would hide the second; nothing at all is the end."""
    pressed = os.read(sys.stdin.fileno(), 64).decode(errors="replace")
    for key in pressed or [""]:
        keys.put_nowait(key)


def _turn(charger: Charger, number: int, key: str) -> None:
    """The keys that act at once."""
    if key == "p":
        charger.plug_in(number)
    elif key == "u":
        charger.unplug(number)
    elif key == "f":
        if charger.places[number - 1].evse.fault is None:
            charger.break_down(number)
        else:
            charger.repair(number)


@contextlib.contextmanager
def _single_keys() -> Iterator[None]:
    """Read keys as they are pressed; the terminal is put back as it was, whatever happens."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _charged_wh(charger: Charger, transaction: Transaction) -> int:
    end_wh = transaction.end.register_wh if transaction.end else charger.places[transaction.evse - 1].evse.register_wh
    return end_wh - transaction.begin.register_wh
