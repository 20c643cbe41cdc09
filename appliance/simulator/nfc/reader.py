"""The reader as a device: a PN532 on a pseudo terminal, which programs open like a serial port, and its misfortunes.

The thread waits in `select` and costs nothing while nobody talks to it. Like a USB adapter the device keeps its symbolic
link when it is pulled out and put back, while the terminal behind it is a new one.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import termios
import threading
import tty
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from appliance.simulator.nfc.antenna import Mishap
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.chip import BAUD_RATES, Pn532
from appliance.simulator.nfc.frames import (
    ACK_FRAME,
    ERROR_BODY,
    NACK_FRAME,
    TO_HOST,
    WAKE_UP_BYTES,
    Acknowledged,
    Command,
    Damaged,
    Incoming,
    Parser,
    answer,
)

READ_BYTES: Final = 4096
SEARCH: Final = 0x4A
"""InListPassiveTarget."""
RETRY_S: Final = 0.05
TERMINAL_SPEEDS: Final = {getattr(termios, f"B{baud}"): baud for baud in BAUD_RATES if hasattr(termios, f"B{baud}")}


class SimulatedReader:
    """A PN532 board on a serial adapter. Use it as a context manager, or call `start` and `stop`.

    All methods may be called from any thread but the reader's own.
    """

    def __init__(
        self, *, link: Path | None = None, baud: int | None = None, changed: Callable[[], None] | None = None
    ) -> None:
        """A reader that is plugged in.

        Args:
            link: A symbolic link that always leads to the terminal, as udev makes it; gone while it is unplugged.
            baud: The speed at which somebody has left the chip, awake; None: it has just got power.
            changed: Called from the reader's thread when a search for cards follows changes of their memory.
        """
        self.chip = Pn532()
        self._lock = threading.RLock()
        self._link = link
        self._parser = Parser()
        self._changed = changed
        self._writes_seen = 0
        self._deaf = False
        self._garbled = 0
        self._master = self._slave = -1
        self._terminal = Path()
        self._wake_read, self._wake_write = os.pipe()
        self._stopping = False
        self._wanted_plugged = True
        self._settled = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="simulated reader", daemon=True)
        self._plug()
        if baud is not None:
            self.chip.baud, self.chip.asleep = baud, False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def path(self) -> Path:
        """What to open: the link if there is one, otherwise the terminal, which is another one after each `replug`."""
        return self._link if self._link is not None else self._terminal

    @property
    def plugged(self) -> bool:
        """Whether there is a device."""
        return self._master >= 0

    @property
    def cards(self) -> list[Card]:
        """What lies on it."""
        with self._lock:
            return list(self.chip.antenna.cards)

    @property
    def counts(self) -> Counter[int]:
        """How often each command of the chip was sent to it so far."""
        with self._lock:
            return self.chip.counts.copy()

    @property
    def mishap(self) -> threading.Event:
        """Set when the last thing that was arranged (`tear_after` …) has happened."""
        return self.chip.antenna.happened

    def quiet(self) -> threading.RLock:
        """A lock: while it is held, nothing happens on the reader."""
        return self._lock

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Take all cards off, unplug, and wait for the thread."""
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
            self._wake()
        if self._thread.ident is not None:
            self._thread.join()
        self._unplug()
        self.chip.antenna.clear()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def lay(self, card: Card) -> None:
        """Lay a card on the reader instead of what lies there; ends an arranged mishap."""
        with self._lock:
            self.chip.antenna.arrange(None)
            self.chip.antenna.clear()
            self.chip.antenna.put(card)

    def put_second(self, card: Card) -> None:
        """Lay another card beside the one that lies there. A reader that asks for one card gets them in turn."""
        with self._lock:
            self.chip.antenna.put(card)

    def take(self) -> None:
        """Take everything off."""
        with self._lock:
            self.chip.antenna.clear()

    def tear_after(self, commands: int) -> None:
        """Pull the cards away after so many more commands to them."""
        self._arrange(commands, counts_writes=False, answer_lost=False, unplugs=False)

    def tear_after_writes(self, writes: int, *, answer_lost: bool = False) -> None:
        """Pull the cards away after so many changes of their memory: before the next one, or before the answer."""
        self._arrange(writes, counts_writes=True, answer_lost=answer_lost, unplugs=False)

    def unplug_after(self, commands: int) -> None:
        """Pull the lead after so many more commands to cards."""
        self._arrange(commands, counts_writes=False, answer_lost=False, unplugs=True)

    def unplug_after_writes(self, writes: int, *, answer_lost: bool = False) -> None:
        """Pull the lead after so many changes of a card's memory."""
        self._arrange(writes, counts_writes=True, answer_lost=answer_lost, unplugs=True)

    def keep_all(self) -> None:
        """Call off the mishap that was arranged."""
        with self._lock:
            self.chip.antenna.arrange(None)

    def unplug(self) -> None:
        """Pull the lead: the terminal is gone under whoever has it open. The cards stay where they lie."""
        self._want_plugged(plugged=False)

    def replug(self) -> None:
        """Put the lead back: a new terminal, and a chip that has just got power."""
        self._want_plugged(plugged=True)

    def set_deaf(self, deaf: bool) -> None:
        """Let the chip hang: it hears nothing until it is told to hear again, or is unplugged and put back."""
        with self._lock:
            self._deaf = deaf

    def garble(self, responses: int) -> None:
        """Damage the next answers to the host."""
        with self._lock:
            self._garbled = responses

    def _arrange(self, count: int, *, counts_writes: bool, answer_lost: bool, unplugs: bool) -> None:
        with self._lock:
            happens = self._pull_lead if unplugs else self.chip.antenna.clear
            self.chip.antenna.arrange(Mishap(count, counts_writes, answer_lost, happens))

    def _pull_lead(self) -> None:
        """From inside the thread, in the middle of a command."""
        self._wanted_plugged = False
        self._unplug()

    def _want_plugged(self, *, plugged: bool) -> None:
        """The thread opens and closes the terminal, so that it never waits for a descriptor that is somebody else's."""
        with self._settled:
            if self._stopping:
                return
            self._wanted_plugged = plugged
            if not self._thread.is_alive():
                self._settle()
                return
            self._wake()
            self._settled.wait_for(lambda: self.plugged == plugged or self._stopping)

    def _wake(self) -> None:
        os.write(self._wake_write, b"\x00")

    def _run(self) -> None:
        while True:
            with self._settled:
                if self._stopping:
                    self._settled.notify_all()
                    return
                self._settle()
                self._settled.notify_all()
                waiting_for = [self._wake_read, self._master] if self.plugged else [self._wake_read]
            ready, _, _ = select.select(waiting_for, [], [])
            if self._wake_read in ready:
                os.read(self._wake_read, READ_BYTES)
            elif not self._hear():
                # Nobody holds the other end for a moment: wait for that, or for a call.
                select.select([self._wake_read], [], [], RETRY_S)

    def _settle(self) -> None:
        if self._wanted_plugged and not self.plugged:
            self._plug()
        elif not self._wanted_plugged and self.plugged:
            self._unplug()

    def _plug(self) -> None:
        self._master, self._slave = pty.openpty()
        # The other end stays open here as well; otherwise the terminal hangs up whenever a program closes it to open it
        # at another speed, as nfcpy does.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._terminal = Path(os.ttyname(self._slave))
        self._parser.clear()
        self._deaf = False
        self.chip.power_on()
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._terminal)

    def _unplug(self) -> None:
        if not self.plugged:
            return
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        self.chip.power_off()
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def _hear(self) -> bool:
        """Read what the host has sent, and obey; False if the terminal could not be read."""
        with self._lock:
            try:
                data = os.read(self._master, READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if self._deaf or not self._same_speed():
                self._parser.clear()
                return True
            for incoming in self._parser.feed(data):
                self._take(incoming)
                if not self.plugged:
                    break
        return True

    def _same_speed(self) -> bool:
        """Whether host and chip talk at one speed; at another, all that comes is noise."""
        host = TERMINAL_SPEEDS.get(termios.tcgetattr(self._slave)[5], 0)
        if host == self.chip.next_baud:
            # Its ACK went out at the old speed, and may have been thrown away when it opened the terminal anew.
            self.chip.acknowledged()
        return host == self.chip.baud

    def _take(self, incoming: Incoming) -> None:
        match incoming:
            case Acknowledged():
                self.chip.acknowledged()
            case Damaged():
                self._send(NACK_FRAME)
            case Command(code, data, preamble):
                if self.chip.asleep and preamble < WAKE_UP_BYTES:
                    return
                self.chip.asleep = False
                self._send(ACK_FRAME)
                result = self.chip.obey(code, data)
                body = ERROR_BODY if result is None else bytes((TO_HOST, code + 1)) + result
                damaged, self._garbled = self._garbled > 0, max(0, self._garbled - 1)
                self._send(answer(body, damaged=damaged))
                if code == SEARCH:
                    self._tell_changes()

    def _tell_changes(self) -> None:
        """After a search, because then nobody waits for the next answer of a card that is being written."""
        writes = sum(card.writes for card in self.chip.antenna.cards)
        if writes != self._writes_seen:
            self._writes_seen = writes
            if self._changed is not None:
                self._changed()

    def _send(self, data: bytes) -> None:
        if self.plugged:
            # A host that does not read loses what does not fit, as with a serial line.
            with contextlib.suppress(OSError):
                os.write(self._master, data)
