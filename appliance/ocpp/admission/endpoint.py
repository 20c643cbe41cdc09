"""Where stations knock: the URL, who it is, which version, and then a connection.

The whole listener is theirs, so that it can have a network of its own; a request that is none of this is told which URL to use.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import WSCloseCode, hdrs, web

from appliance.db.engine.store import Store
from appliance.domain import network
from appliance.domain.clock import Clock
from appliance.domain.errors import Invalid
from appliance.domain.peer import peer_of
from appliance.domain.problem import ProblemKind
from appliance.ocpp.admission.credentials import Failures, basic_credentials, password_matches, password_suffices
from appliance.ocpp.admission.neighbours import read_neighbours
from appliance.ocpp.admission.rebinding import is_rebound
from appliance.ocpp.commands import StationCommands
from appliance.ocpp.connection.connection import Connection
from appliance.ocpp.connection.context import Context
from appliance.ocpp.connection.masks import insist_on_masks
from appliance.ocpp.connection.registry import Registry
from appliance.ocpp.connection.station import Station
from appliance.ocpp.reading.schemas import shortened
from appliance.ocpp.settings import Settings
from appliance.ocpp.version import Version
from appliance.ocpp.versions import versions
from appliance.services import problems
from appliance.services.announce import AdmissionChanged, CardRefused, Hub
from appliance.services.counters import Counters
from appliance.services.stations import admission, credentials

log = logging.getLogger(__name__)

FRAME_BYTES_MAX = 1 << 20
"""The stop of a long session brings all its readings: 8 hours, one a minute, are 120 kB (`READINGS_MAX` of them fit)."""
KNOCKING_FRAME_BYTES_MAX = 16 * 1024
"""Of a station nobody has let in, only its boot is read."""
CLOSE_TIMEOUT_S = 2.0
CONNECTIONS_WAITING_MAX = 4096
"""The listener's backlog: after a power cut all stations come back at once."""
HEAD_SIZES: dict[str, Any] = {"max_line_size": 4096, "max_field_size": 4096}
"""For the `AppRunner` of the stations' listener: a handshake is small."""
PATH_CHARS_MAX = 1024
STRAYS_MAX = 50
"""From so many addresses wrong URLs and web pages are reported; a scanner must not fill the list of problems."""
STRAY_SEEN_MS = 60_000
"""What staff could read for so long makes room for another address: many that are wrong hide no charger."""
HOST_CHARS_MAX = 100
PATH = "ocpp"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="charging stations", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class StationsListener:
    """All of the stations' side that the rest of the program sees."""

    application: web.Application
    commands: StationCommands
    registry: Registry
    counters: Counters


@asynccontextmanager
async def open_stations(
    store: Store,
    hub: Hub,
    settings: Settings,
    site_key: bytes,
    clock: Clock,
    *,
    neighbours: Callable[[], str] = read_neighbours,
) -> AsyncIterator[StationsListener]:
    """The stations' side while the server runs. Leaving it closes all connections with 1001."""
    context = Context(store, settings, clock)
    registry = Registry(context)
    stop_listening = hub.listen(registry.admission_changed, AdmissionChanged, CardRefused)
    spoken = versions(settings)
    await registry.load(replayed_actions(spoken))
    pinging = asyncio.create_task(registry.keep_alive(), name="keep stations alive")
    endpoint = Endpoint(context, registry, spoken, site_key, neighbours)
    try:
        yield StationsListener(endpoint.application(), StationCommands(registry, spoken), registry, context.counters)
    finally:
        stop_listening()
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)
        await registry.close()


def replayed_actions(spoken: Iterable[Version]) -> frozenset[str]:
    """The actions whose last answers are read back from the message log at start, to be given again."""
    return frozenset(action for one in spoken for action, message in one.inbound.items() if message.replayed)


class Endpoint:
    """The stations' listener."""

    def __init__(
        self,
        context: Context,
        registry: Registry,
        spoken: Sequence[Version],
        site_key: bytes,
        neighbours: Callable[[], str],
    ) -> None:
        self._context = context
        self._registry = registry
        self._versions = {version.subprotocol: version for version in spoken}
        self._site_key = site_key
        self._neighbours = neighbours
        self._failures = Failures()
        self._connections = 0
        self._strays: dict[str, int] = {}
        """Since when an address is told of; the oldest first."""

    def application(self) -> web.Application:
        """For a listener of its own."""
        application = web.Application(client_max_size=0)
        application.router.add_route("*", "/{path:.*}", self.accept)

        async def close_connections(application: web.Application) -> None:  # noqa: ARG001 - aiohttp passes it.
            await self._registry.close()

        application.on_shutdown.append(close_connections)
        return application

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """GET /ocpp/{identity}, as a websocket.

        404 for a wrong URL or a station that is not wanted, 403 for a web page, 401 for a wrong password, 429 after too many of
        them, 400 without a version that both speak, 503 when full.
        """
        identity = identity_of(request.rel_url.raw_path)
        origin, host = request.headers.get(hdrs.ORIGIN), request.headers.get(hdrs.HOST, "")
        names = self._context.settings.host_names
        if is_websocket(request) and (is_foreign(origin, host) or is_rebound(origin, host, names)):
            return self._foreign_page(request)
        if identity is None or not is_websocket(request):
            return self._stray(request)
        if self._connections >= self._context.settings.connections_max:
            return web.Response(status=503, text="Too many stations are connected.")
        self._connections += 1
        try:
            station = await self._admit(request, identity)
            if not isinstance(station, Station):
                return station
            return await self._speak(request, station)
        finally:
            self._connections -= 1

    async def _admit(self, request: web.Request, identity: str) -> Station | web.Response:
        """The station that this is, or why it is not let in."""
        address, now_ms = request.remote or "", self._context.clock()
        station = await self._registry.find(identity)
        if station is not None and station.retired:
            return refused(404, "This station was retired.")
        refusal = self._check(request, identity, station, address, now_ms)
        if refusal is not None:
            return refusal
        if station is not None and self._uses_next_password(request, station):
            used = await self._context.store.write(credentials.use_next_password, station.id, now_ms)
            station = self._registry.learn(used)
        if station is None:
            if not self._context.settings.accept_unknown:
                return refused(404, "This station is not registered here.")
            mac = peer_of(address, await asyncio.to_thread(self._neighbours)).mac
            connected = self._registry.knocking()
            known = await self._context.store.write(admission.knock, identity, address, now_ms, connected, mac=mac)
            if known is None:
                return refused(404, "This station is not registered here, and no more may knock.")
            station = self._registry.learn(known)
            log.info("station knocks", extra={"station": identity, "address": address})
        refusal = None if station.is_secured else await self._check_peer(station, address, now_ms)
        return refusal or station

    def _check(
        self, request: web.Request, identity: str, station: Station | None, address: str, now_ms: int
    ) -> web.Response | None:
        """Security profiles 0 to 2; 3 lets nobody in, for no certificate is asked for yet. A name nobody knows is told the same as a wrong password, after the same work."""
        credentials = basic_credentials(request.headers.get(hdrs.AUTHORIZATION))
        secured = station is not None and station.is_secured
        unknown = station is None and credentials is not None and not self._context.settings.accept_unknown
        if not secured and not unknown:
            return None
        username, password = credentials or (b"", b"")
        stored = (station.password_hash, station.next_password_hash) if station is not None else (None, None)
        matches = True in [password_matches(self._site_key, one, password) for one in stored]
        secure_enough = station is not None and password_suffices(station.security_profile, tls=request.secure)
        proven = matches and username == identity.encode() and secure_enough
        at_home = station is not None and station.address == address
        wait_s = self._failures.retry_after_s(address, identity, now_ms, at_home=at_home, proven=proven)
        if wait_s:
            return too_many(wait_s)
        if proven:
            return None
        self._failures.add(address, identity, now_ms)
        log.warning("station refused", extra={"station": identity, "address": address, "why": "password"})
        if station is not None and station.accepted:
            what = "password" if secure_enough else "profile"
            self._context.report_violation(station, what, found=address, identity=identity)
        return challenge()

    def _uses_next_password(self, request: web.Request, station: Station) -> bool:
        """Whether it shows for the first time the password that it was sent."""
        if station.next_password_hash is None:
            return False
        username, password = basic_credentials(request.headers.get(hdrs.AUTHORIZATION)) or (b"", b"")
        return username == station.identity.encode() and password_matches(
            self._site_key, station.next_password_hash, password
        )

    async def _check_peer(self, station: Station, address: str, now_ms: int) -> web.Response | None:
        """A name alone proves nothing: the device counts that it is bound to, and the connection that stands.

        A station that nobody has let in is bound anew by each device that says its name, for nothing is entrusted to it yet.
        """
        peer = peer_of(address, await asyncio.to_thread(self._neighbours))
        fits = not station.accepted or peer.fits(station.bound_to)
        wait_s = self._failures.retry_after_s(address, station.identity, now_ms, at_home=fits)
        if wait_s:
            return too_many(wait_s)
        if fits and not await self._registry.keeps_out(station, address):
            if station.bound_to != peer.word:
                bound = await self._context.store.write(admission.bind, station.id, peer, now_ms)
                fits = bound is not None
                if bound is not None:
                    self._registry.learn(bound)
            if fits:
                # It may have been given a password while it was looked at.
                return challenge() if station.is_secured else None
            await self._registry.find(station.identity)  # Staff have let another device in meanwhile.
        self._failures.add(address, station.identity, now_ms)
        log.warning("station refused", extra={"station": station.identity, "address": address, "why": "another device"})
        if station.accepted:
            await self._context.store.write(admission.newcomer, station.id, peer, now_ms, waits=not fits)
        return refused(403, "This name is another device's. Somebody of the site must let this one in.")

    async def _speak(self, request: web.Request, station: Station) -> web.StreamResponse:
        """Agree on a version and read until the end."""
        offered = [part.strip() for part in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
        offered = [name for name in offered if name]
        subprotocol = next((name for name in offered if name in self._versions), "")
        version = self._versions.get(subprotocol or ("" if offered else self._context.settings.assume_version))
        if version is None:
            return await self._part(request, station, offered)
        socket = self._socket(subprotocol, FRAME_BYTES_MAX if station.accepted else KNOCKING_FRAME_BYTES_MAX)
        await socket.prepare(request)
        insist_on_masks(request, socket)
        address = request.remote or ""
        station.address = address
        await self._registry.run(Connection(station, socket, request.transport, version, self._context, address))
        await let_go(socket)
        return socket

    async def _part(self, request: web.Request, station: Station, offered: list[str]) -> web.StreamResponse:
        """There is no version that both speak. RFC 6455 and the certification profile want no upgrade, J 1.6 (3.1.2) a handshake
        without the header and then the end of the connection: what some old stations understand.
        """
        spoken = ", ".join(self._versions)
        found = shortened(", ".join(offered), 100)
        what = "subprotocol" if offered else "no_subprotocol"
        self._context.report_violation(station, what, found, spoken=spoken)
        if not self._context.settings.upgrade_always:
            return refused(400, f"Offer one of these subprotocols: {spoken}.")
        socket = self._socket("", KNOCKING_FRAME_BYTES_MAX)
        await socket.prepare(request)
        await socket.close(code=WSCloseCode.PROTOCOL_ERROR, message=b"no common subprotocol")
        return socket

    def _socket(self, subprotocol: str, frame_bytes_max: int) -> web.WebSocketResponse:
        return web.WebSocketResponse(
            protocols=(subprotocol,) if subprotocol else (),
            timeout=CLOSE_TIMEOUT_S,
            autoping=False,
            max_msg_size=frame_bytes_max,
            compress=False,
        )

    def _stray(self, request: web.Request) -> web.Response:
        """A wrong URL: say which is right, to the technician by the answer and to the staff as a problem."""
        host = request.headers.get(hdrs.HOST, "")
        if network.host_in(host) is None or len(host) > HOST_CHARS_MAX:
            host = "this-server"
        url = f"{'wss' if request.secure else 'ws'}://{host}/{PATH}/"
        address = request.remote or ""
        if is_websocket(request):
            # What staff are told to enter is where it came in, not the name that a stranger has said.
            ours = f"{'wss' if request.secure else 'ws'}://{met_at(request) or host}/{PATH}/"
            self._report_stray(ProblemKind.WRONG_URL, address, path=shortened(request.rel_url.raw_path, 200), url=ours)
        return refused(404, f"Charging stations connect to {url} followed by their identity.")

    def _foreign_page(self, request: web.Request) -> web.Response:
        """A browser knocks because of the page it shows: any page of the web could otherwise play a station from inside."""
        address = request.remote or ""
        origin = shortened(request.headers[hdrs.ORIGIN].encode(errors="replace").decode(), 100)
        path = shortened(request.rel_url.raw_path, 200)
        log.warning("web page refused", extra={"address": address, "origin": origin})
        self._report_stray(ProblemKind.FOREIGN_PAGE, address, origin=origin, path=path)
        return refused(403, "Web pages are no charging stations.")

    def _report_stray(self, kind: ProblemKind, address: str, **details: object) -> None:
        """Tell the staff what knocks at an address that is no station's."""
        now_ms = self._context.clock()
        if address not in self._strays and len(self._strays) >= STRAYS_MAX:
            oldest, since_ms = next(iter(self._strays.items()))
            if 0 <= now_ms - since_ms < STRAY_SEEN_MS:
                return
            del self._strays[oldest]
            self._context.store.write_unheard(problems.clear_subject, f"address:{oldest}", now_ms)
        self._strays.setdefault(address, now_ms)
        self._context.report(kind, f"address:{address}", **details, address=address)


async def let_go(socket: web.WebSocketResponse) -> None:
    """Close a socket that was read to its end, as aiohttp would next.

    If the other side went without a word, the error that this meets stays with the socket and leads back to it: two thousand
    connections that a power cut ends at once would stay in memory until somebody searches for garbage.
    """
    await socket.close(drain=False)
    met = socket.exception()
    if met is not None:
        met.__traceback__ = met.__context__ = None


def identity_of(raw_path: str) -> str | None:
    """The last part of a path below `ocpp`, decoded once; None if there is none, or it cannot be an identity.

    Stations put things before and between, repeat their name, and end with a slash: /x/ocpp/CS-1/CS-1/ is CS-1.
    """
    parts = [part for part in raw_path[:PATH_CHARS_MAX].split("/") if part]
    if len(parts) < 2 or PATH not in (part.casefold() for part in parts[:-1]):
        return None
    try:
        identity = unquote(parts[-1], errors="strict").strip()
        admission.check_identity(identity)
    except (UnicodeDecodeError, Invalid):
        return None
    return identity


def is_websocket(request: web.Request) -> bool:
    """Whether this wants to become one."""
    return request.method == hdrs.METH_GET and request.headers.get(hdrs.UPGRADE, "").casefold() == "websocket"


def met_at(request: web.Request) -> str:
    """Address and port of ours at which a request came in; "" once its connection is gone."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    if not name:
        return ""
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def is_foreign(origin: str | None, host: str) -> bool:
    """Whether a web page that did not come from `host` opens this websocket; both are headers (RFC 6455, 10.2).

    Browsers always say which, and `null` where it has no name. Most stations say nothing; the libraries of some fill in the host
    they connect to, with whatever port, or none at all (`file://`, arduinoWebSockets), which no page of the web can say.
    """
    if origin is None:
        return False
    try:
        page, ours = (_host_in(text) for text in (origin, host))
    except ValueError:
        return True
    return origin.strip().casefold() == "null" or (page is not None and page != ours)


def _host_in(text: str) -> str | None:
    """The host of an origin or of a Host header, in the one way to write it; None if there is none."""
    host = urlsplit(f"//{text.rpartition('://')[2]}").hostname
    return host.rstrip(".") if host else None


def challenge() -> web.Response:
    """Come back with the password."""
    return web.Response(status=401, text="Who are you?", headers=CHALLENGE)


def too_many(wait_s: int) -> web.Response:
    """Come back later."""
    return web.Response(status=429, text="Too many attempts.", headers={"Retry-After": str(wait_s)})


def refused(status: int, text: str) -> web.Response:
    """An answer before the handshake; technicians see it in their charger's log."""
    return web.Response(status=status, text=text + "\n")
