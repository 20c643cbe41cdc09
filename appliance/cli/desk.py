"""`forecourt desk`: the card reader of this PC works for a site elsewhere. It joins over one websocket, tells in sentences what it
does, and joins again for ever, however often the site, the network or the reader goes away.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import ssl
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from appliance import logs
from appliance.cli.parser import Misconfigured
from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.rfid import wire
from appliance.rfid.desks import load_drivers
from appliance.rfid.events import CardLaid, CardTaken, ReaderEvent, StateChanged
from appliance.rfid.remote import FarDesk, NotWelcome
from appliance.rfid.wire import Malformed

if TYPE_CHECKING:
    from appliance.rfid.reader import Reader

JOIN_PATH = "/api/v1/desks/join"
CONNECT_S = 10.0
HEARTBEAT_S = 10.0
WRONG_HOST = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""
CLOSE_REFUSED = 4409
"""The site's code for a desk that may not join."""
AGAIN_AFTER_S = (1.0, 30.0)
"""The first wait and the longest; each is twice the one before."""
REFUSED_AGAIN_AFTER_S = 30.0
"""A token that is not taken will hardly be taken a second later."""
TOKEN_CHARACTERS_MAX = 1000
READER_WORDS = {
    ReaderStatus.LOOKING: "No reader is there. Plug one in.",
    ReaderStatus.READY: "The reader is ready: {name}.",
    ReaderStatus.DENIED: "This user may not open the reader; its group is {detail}.",
    ReaderStatus.BUSY: "Somebody else has the reader: {detail}.",
    ReaderStatus.UNSUPPORTED: "This reader cannot be driven: {detail}.",
    ReaderStatus.DEAF: "The reader {detail} is there, but its chip does not answer. Unplug it, wait, and plug it in again.",
    ReaderStatus.NONE: "No reader is wanted.",
}
MakeReader = Callable[[Callable[[ReaderEvent], None]], "Reader"]


@dataclass(frozen=True, slots=True)
class Site:
    """Where to join, and as whom."""

    url: str
    token: str
    tls: ssl.SSLContext | None


def desk(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    logs.configure()
    site = Site(
        join_url(arguments.server, insecure=arguments.insecure),
        read_token(arguments.token_file, say),
        trust(arguments.server, arguments.ca),
    )
    try:
        reader_type, opener = load_drivers()
    except ImportError as error:
        raise Misconfigured("{name} is not installed: no reader can be driven.", name=error.name) from error
    readers = [path for path in dict.fromkeys(arguments.reader) if path != "none"] or [""]
    name = desk_name(arguments.name or gethostname())
    makers = [partial(reader_type, opener(path)) for path in readers]
    asyncio.run(serve(site, name, makers))
    return 0


async def serve(
    site: Site, name: str, readers: Sequence[MakeReader], tell: Callable[[str], None] | None = None
) -> None:
    """Join each reader under the name, the second with a 2 behind it, until a signal comes."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    names = [name if count == 1 else f"{name[:28]}-{count}" for count in range(1, len(readers) + 1)]
    parts = [
        asyncio.create_task(serve_reader(site, desk, make_reader, tell or say))
        for desk, make_reader in zip(names, readers, strict=True)
    ]
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*parts, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in (*parts, stopping):
        task.cancel()
    await asyncio.gather(*parts, stopping, return_exceptions=True)
    for task in done:
        task.result()


async def serve_reader(site: Site, name: str, make_reader: MakeReader, tell: Callable[[str], None]) -> None:
    """One reader, joined again and again until cancelled."""
    far = FarDesk()

    def hear(event: ReaderEvent) -> None:
        far.hear(event)
        tell(sentence_about(event))

    reader = make_reader(hear)
    reader.start()
    wait_s = AGAIN_AFTER_S[0]
    try:
        while True:
            joined = False

            def join() -> None:
                nonlocal joined
                joined = True
                tell(f"Joined {site.url} as “{name}”.")

            try:
                await connect(site, name, far, reader, join)
            except Refused as error:
                tell(str(error))
                wait_s = max(wait_s, REFUSED_AGAIN_AFTER_S) if error.lasting else wait_s
            except (aiohttp.ClientError, ConnectionError, TimeoutError, ssl.SSLError) as error:
                tell(f"No connection to {site.url}: {why_not_connected(error)}")
            except (NotWelcome, Malformed) as error:
                # Often it is this desk itself, whose last connection the site has not given up yet.
                tell(f"The site sent this desk away: {error}")
            if joined:
                wait_s = AGAIN_AFTER_S[0]
            tell(f"It is tried again in {wait_s:.0f} s.")
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, AGAIN_AFTER_S[1])
    finally:
        await reader.close()


class Refused(Exception):
    """The site answers, but does not let us in; `lasting`: it will hardly change its mind by itself."""

    def __init__(self, sentence: str, *, lasting: bool) -> None:
        super().__init__(sentence)
        self.lasting = lasting


class Socket:
    """A websocket as a Channel."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        """One text."""
        await self._socket.send_str(text)

    async def receive(self) -> str | None:
        """The next text; None at the end, and after anything that is no text.

        Raises:
            NotWelcome: The site has closed it because this desk may not join.
        """
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.CLOSE and message.data == CLOSE_REFUSED:
            raise NotWelcome(message.extra or "no reason was given")
        return str(message.data) if message.type is aiohttp.WSMsgType.TEXT else None


async def connect(site: Site, name: str, far: FarDesk, reader: Reader, joined: Callable[[], None]) -> None:
    """One connection, until it ends; it always ends with an exception."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
    headers = {"Authorization": f"Bearer {site.token}"}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await session.ws_connect(
                    site.url,
                    params={"name": name},
                    ssl=site.tls if site.tls is not None else True,
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=4 * wire.TEXT_CHARACTERS_MAX,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise refusal(error.status) from error
        try:
            await far.serve(Socket(socket), reader, joined)
        finally:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await socket.close()


def refusal(status: int) -> Refused:
    """What an answer other than a websocket means."""
    if status == 401:
        return Refused(
            "The site does not know the token. Make one there: forecourt token create --role cashier", lasting=True
        )
    if status == 403:
        return Refused("The token may not work at a card desk: it needs the role cashier or higher.", lasting=True)
    if status == 404:
        return Refused("The site knows no card desks: it may be an older version, or another program.", lasting=True)
    if status == 421:
        return Refused(
            "The site is not called so. Give its address with --server, or enter the name there under Settings, Further names of this box.",
            lasting=True,
        )
    return Refused(f"The site answers with an error ({status}).", lasting=False)


def why_not_connected(error: Exception) -> str:
    """What a failed connection means, in a sentence; what aiohttp says of it itself shows its own objects."""
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as why):
            if why.verify_code in WRONG_HOST:
                return "its certificate is for another address. Use the address that the certificate was made for."
            return f"its certificate is not trusted ({why.verify_message}). Give the site's authority with --ca."
        case aiohttp.ClientConnectorError(os_error=ssl.SSLError()) | ssl.SSLError():
            return "what answers there does not speak HTTPS as it should."
        case aiohttp.ClientConnectorError(os_error=OSError() as why):
            # A name that nobody knows has a number of its own, below zero.
            return f"{os.strerror(why.errno) if why.errno and why.errno > 0 else why.strerror or 'out of reach'}."
        case TimeoutError():
            return f"no answer within {CONNECT_S:.0f} s."
    return "it broke off."


def join_url(server: str, *, insecure: bool) -> str:
    """Where the websocket is, from the address of the console.

    Raises:
        Misconfigured: It is no address; or the keys of cards would go over a network in clear.
    """
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured(
            "{server} is not the address of a console.", "Write it as https://192.168.7.2:8443", server=server
        )
    if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname):
        raise Misconfigured(
            "With {server} the token and the keys of cards would cross the network for everybody to read.",
            "Use the site's https address; or add --insecure if nobody else is on this network.",
            server=server,
        )
    return f"{parts.scheme}://{parts.netloc}{JOIN_PATH}"


def is_loopback(host: str) -> bool:
    """Whether it is this machine, over nothing that others can listen to."""
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def read_token(file: Path, tell: Callable[[str], None]) -> str:
    """The token, from a file that should be its owner's alone.

    Raises:
        Misconfigured: The file cannot be read, or there is no token in it.
    """
    try:
        with file.open() as opened:
            open_to_others = stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077
            token = opened.read(TOKEN_CHARACTERS_MAX + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise Misconfigured("The token cannot be read from {file}: {why}.", file=file, why=why) from None
    if not token or len(token) > TOKEN_CHARACTERS_MAX or not token.isascii() or not token.isprintable():
        raise Misconfigured(
            "There is no token in {file}.", "Put there what `forecourt token create` printed.", file=file
        )
    if open_to_others and not is_credential(file):
        tell(f"Warning: others on this PC can read {file}. Better: chmod 600 {file}")
    return token


def is_credential(file: Path) -> bool:
    """Whether systemd has put it there for this service alone: who may read it does not show in its mode then."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return folder != "" and file.resolve().is_relative_to(Path(folder).resolve())


def trust(server: str, authority: Path | None) -> ssl.SSLContext | None:
    """Whom to believe that it is the site; None without TLS.

    Raises:
        Misconfigured: The file holds no certificate.
    """
    if urlsplit(server).scheme != "https":
        return None
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(
            "There is no certificate to be had from {file}.", "Fetch the site's: its console has it as /ca.crt",
            file=authority,
        ) from error  # fmt: skip


def desk_name(text: str) -> str:
    """A name as desks may have it.

    Raises:
        Misconfigured: Nothing of it is left.
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:32].strip("-")
    if not name:
        raise Misconfigured("{text} is no name for a desk.", "Give it one with --name, such as office.", text=text)
    return name


def sentence_about(event: ReaderEvent) -> str:
    """What the terminal says of an event; never which card it was."""
    match event:
        case StateChanged(ReaderState() as state):
            return READER_WORDS[state.status].format(name=state.name, detail=state.detail)
        case CardLaid(seen):
            return f"A card was laid on the reader ({seen.kind})."
        case CardTaken():
            return "The card was taken."


def say(sentence: str) -> None:
    """To the terminal, or the journal."""
    print(sentence, file=sys.stdout, flush=True)
