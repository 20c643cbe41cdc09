"""A Debian 12 in QEMU: switched on and off, told what to do as root, and given hardware to plug in. It knows nothing of the product."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

IMAGE = Path(__file__).parents[2] / "build/machine"
ADDRESS = "10.0.2.15"
"""Of the machine, in QEMU's network. It knows no way out of this network, so there is no internet."""
HOST = "10.0.2.2"
"""There it finds the ports that somebody listens at on this host's loopback."""
UP_S = 300.0
ANSWER_S = 600.0
LIFE_S = 2.0


class CommandFailed(AssertionError):
    """A command in the machine ended with another code than 0."""


class Machine:
    """One machine with a disk of its own, off until `switch_on`."""

    def __init__(self, folder: Path, ports: Sequence[int], cargo: Path) -> None:
        """A machine that was never switched on.

        Args:
            folder: Empty; its disk, its sockets and what its console said are here.
            ports: TCP ports of the machine that are wanted on this host (`address`).
            cargo: A file that it finds as /dev/vdb.
        """
        self._folder = folder
        self._cargo = cargo
        self._forwarded = dict(zip(ports, free_ports(len(ports)), strict=True))
        self._asking = threading.Lock()
        self._numbers = itertools.count(1)
        self._qemu: subprocess.Popen[bytes] | None = None
        self._agent: Line
        self._monitor: Line
        self._disk = folder / "disk.img"
        subprocess.run(("cp", "--sparse=always", "--reflink=auto", IMAGE / "disk.img", self._disk), check=True)

    @property
    def console(self) -> str:
        """What kernel and systemd have said since it was switched on."""
        return (self._folder / "console.log").read_text(errors="replace")

    def address(self, port: int) -> str:
        """HOST:PORT at which this host reaches a port of the machine."""
        return f"127.0.0.1:{self._forwarded[port]}"

    def switch_on(self) -> None:
        """Power, and wait until it takes commands."""
        accelerator = (IMAGE / "accelerator").read_text().split()
        forwards = [f"hostfwd=tcp:127.0.0.1:{here}-{ADDRESS}:{there}" for there, here in self._forwarded.items()]
        for name in ("agent", "monitor"):
            (self._folder / name).unlink(missing_ok=True)
        self._qemu = subprocess.Popen(
            [
                "qemu-system-x86_64", *accelerator, "-smp", "1", "-m", "1024", "-nodefaults", "-display", "none",
                "-kernel", IMAGE / "vmlinuz", "-initrd", IMAGE / "initrd",
                "-append", "root=/dev/vda rw console=ttyS0 panic=-1",
                "-serial", f"file:{self._folder / 'console.log'}",
                # This host keeps its power: what QEMU has handed to it is on the disk, and need not be waited for.
                "-drive", f"file={self._disk},if=virtio,format=raw,cache=unsafe",
                "-drive", f"file={self._cargo},if=virtio,format=raw,readonly=on",
                "-nic", ",".join(["user,model=virtio-net-pci", *forwards]),
                "-device", "qemu-xhci,id=usb",
                "-device", "virtio-serial-pci",
                "-chardev", f"socket,id=agent,path={self._folder / 'agent'},server=on,wait=off",
                "-device", "virtserialport,chardev=agent,name=agent",
                "-qmp", f"unix:{self._folder / 'monitor'},server=on,wait=off",
            ],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self._monitor = Line(self._folder / "monitor")
        self._agent = Line(self._folder / "agent")
        assert "QMP" in self._monitor.read(LIFE_S * 10)
        self.monitor("qmp_capabilities")
        self.run("true", timeout_s=UP_S)

    def cut_power(self) -> None:
        """No more power, from one moment to the next. What the machine had not yet handed to its disk is gone."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
            self._qemu = None
            self._monitor.close()
            self._agent.close()

    def reboot(self) -> None:
        """As `systemctl reboot`, and wait until it takes commands again."""
        command = "cat /proc/sys/kernel/random/boot_id"
        before = self.run(command)
        self.run("systemctl --no-block reboot")
        until_s = time.monotonic() + UP_S
        while time.monotonic() < until_s:
            with contextlib.suppress(TimeoutError):
                if self.run(command, timeout_s=LIFE_S) != before:
                    return
        raise TimeoutError(self.console[-2000:])

    def attempt(self, command: str, *, given: str = "", timeout_s: float = ANSWER_S) -> tuple[int, str]:
        """Let root's bash do it, with `given` on its standard input; the exit code and all that was said."""
        # Stories that ask at the same time would take each other's answers.
        with self._asking:
            number = next(self._numbers)
            self._agent.write({"number": number, "command": command, "given": given})
            while True:
                answer = self._agent.read(timeout_s)
                # An answer to what was asked before it went down is nobody's any more.
                if answer["number"] == number:
                    return answer["code"], answer["said"]

    def run(self, command: str, *, given: str = "", timeout_s: float = ANSWER_S) -> str:
        """The same, for what must succeed; what was said."""
        code, said = self.attempt(command, given=given, timeout_s=timeout_s)
        if code:
            raise CommandFailed(f"{command}\nended with {code}:\n{said}")
        return said

    def until(self, command: str, *, timeout_s: float = 60.0) -> str:
        """Repeat a command until it succeeds; what it said then."""
        until_s = time.monotonic() + timeout_s
        while True:
            code, said = self.attempt(command)
            if code == 0:
                return said
            if time.monotonic() > until_s:
                raise CommandFailed(f"{command}\nstill ends with {code}:\n{said}")
            # To ask costs the machine's only processor, which others need.
            time.sleep(LIFE_S)

    def monitor(self, command: str, **arguments: Any) -> Any:
        """A command to QEMU's own monitor (QMP)."""
        self._monitor.write({"execute": command, "arguments": arguments})
        while True:
            answer = self._monitor.read(LIFE_S * 10)
            if "error" in answer:
                raise CommandFailed(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def plug_in(self, terminal: Path) -> None:
        """Put an FTDI adapter into its USB, which ends at a terminal of this host."""
        backend = {"type": "serial", "data": {"device": str(terminal.resolve())}}
        self.monitor("chardev-add", id="adapter", backend=backend)
        self.monitor("device_add", driver="usb-serial", id="adapter", chardev="adapter", bus="usb.0")

    def pull_out(self) -> None:
        """Pull the adapter out."""
        self.monitor("device_del", id="adapter")
        until_s = time.monotonic() + LIFE_S * 10
        while True:
            try:
                self.monitor("chardev-remove", id="adapter")
                return
            except CommandFailed:
                if time.monotonic() > until_s:
                    raise
                time.sleep(0.1)


class Line:
    """JSON objects, one a line, over a socket that QEMU listens at."""

    def __init__(self, path: Path) -> None:
        until_s = time.monotonic() + LIFE_S * 10
        self._socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > until_s:
                    raise
                time.sleep(0.05)
        self._rest = b""

    def write(self, value: dict[str, Any]) -> None:
        """Send one."""
        self._socket.sendall(json.dumps(value).encode() + b"\n")

    def read(self, timeout_s: float) -> dict[str, Any]:
        """The next one; TimeoutError, ConnectionError."""
        until_s = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            self._socket.settimeout(max(0.001, until_s - time.monotonic()))
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("QEMU has ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()


def free_ports(count: int) -> list[int]:
    """Ports of this host that nobody listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]
