"""What every page can reach: the console's parts, handed over once by `server.py`, and who is asking.

Nothing is done here; it exists so that pages and the frame around them need not import one another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from appliance.db.engine.store import Store
from appliance.domain.by import By
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal
from appliance.domain.site import Site
from appliance.services.announce import Announcement, Hub
from appliance.services.card_desk.taps import DeskKey
from appliance.services.counters import Counters
from appliance.services.ports.certificates import Certificates, Root
from appliance.services.ports.demo import DemoChargers, DemoReader
from appliance.services.ports.readers import Channel, Desks, DeskView
from appliance.services.ports.stations import Stations
from appliance.services.ports.vault import Vault
from appliance.services.printing import Printing
from appliance.services.settings import Settings
from appliance.services.stations.commands import RemoteControl


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the listeners are reached by others, as far as pages must say it."""

    stations: tuple[str, ...] = ()
    """What a charger is given: `ws://192.168.1.10:9000/ocpp/`, the best one first."""
    stations_tls: tuple[str, ...] = ()
    """The same for chargers that connect over TLS, `wss://…`; empty where that is not served."""
    drivers: tuple[str, ...] = ()
    """What stands on stickers before `c/` and the code: `http://192.168.1.10:8081/`, the best one first."""
    hosts: frozenset[str] = frozenset()
    """Names and addresses of this box, besides `localhost` and those in the settings."""


class NoDesks:
    """No card desk, and none can join: what a console without a reader works with."""

    def all(self) -> list[DeskView]:
        """There are none."""
        return []

    def find(self, desk: str) -> DeskView | None:  # noqa: ARG002  # none is found
        """There is none."""
        return None

    async def join(self, name: str, channel: Channel) -> None:  # noqa: ARG002  # nobody joins
        """Nobody is there who would use it."""
        raise Refusal("Card readers are not used here.")


class NoCertificates:
    """Nothing is served over TLS: what a console on loopback works with."""

    def browsers(self) -> Root | None:
        """Needs none."""
        return None

    def stations(self) -> Root | None:
        """Need none."""
        return None

    def share_root(self) -> bool:
        """There is none."""
        return False

    async def part_stations(self) -> None:
        """There is nothing to part from."""


@dataclass(frozen=True, slots=True)
class Console:
    """The parts a page works with."""

    store: Store
    hub: Hub
    clock: Clock
    site: Site
    """Currency, zone and kind; its name and language may have changed since."""
    stations: Stations
    control: RemoteControl
    hash_station_password: Callable[[bytes], bytes]
    """What is kept of a station's password: an HMAC under the site's key."""
    addresses: Addresses = field(default_factory=Addresses)
    settings: Callable[[], Settings] = Settings
    """The owner's settings in force."""
    counters: Counters = field(default_factory=Counters)
    """What the edges count."""
    certificates: Certificates = field(default_factory=NoCertificates)
    """What devices are given so that they trust this box."""
    desks: Desks = field(default_factory=NoDesks)
    """The card desks: their readers, and the cards that lie there."""
    desk_key: DeskKey = field(default_factory=lambda: DeskKey(b"", ""))
    """What cards of this site are written with."""
    vault: Vault | None = None
    """What the site keeps secret is sealed by it; None where its key is missing."""
    printing: Printing | None = None
    """The printer of receipts; None: only browsers print."""
    demo_reader: DemoReader | None = None
    """The demo's simulated reader; None on every real site."""
    demo_chargers: DemoChargers | None = None
    """The demo's simulated stations; None on every real site."""


class PrincipalKind(StrEnum):
    """A member of the staff, or a program."""

    OPERATOR = "operator"
    PROGRAM = "token"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a member of the staff in a browser, or a program with a token."""

    kind: PrincipalKind
    id: int
    name: str
    role: str
    language: str
    """"": the site's."""
    log_in: int = 0
    """The log-in that this request came with."""
    login: str = ""

    @property
    def actor(self) -> str:
        """How the ledger and the audit list call them."""
        return f"{self.kind}:{self.id}"


Fragments = Mapping[str, str]
"""HTML by the id of the element that it replaces; "" takes the element away."""


@dataclass(frozen=True, slots=True)
class LiveView:
    """Something that pages show and that changes by itself."""

    name: str
    path: str
    """The page's route: whoever may open that may watch this."""
    concerns: Callable[[Announcement, str], bool]
    """Whether an announcement may change the view; the text is what stands after the colon (`CS-07`), or ""."""
    fragments: Callable[[Console, str, str, Sequence[Announcement] | None], Awaitable[Fragments]]
    """Renders for (console, role, parameter) what these announcements change; all of it for None."""
    refresh_s: float = 30.0
    """How often it is rendered without any news, because time passes too."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a module of pages adds to the console: its routes, and what of them is live."""

    routes: Sequence[web.RouteDef]
    live: Sequence[LiveView] = ()
    install: Callable[[web.Application], None] | None = None
    """What else the module needs of the application: keys of its own, something to close at the end."""


CONSOLE = web.AppKey("console", Console)
PRINCIPAL = web.RequestKey("principal", Principal)
"""Under this name a request carries its Principal; it is absent where nobody is logged in."""


def principal(request: web.Request) -> Principal:
    """Who asks. Only for routes that nobody reaches without being somebody."""
    found: Principal = request[PRINCIPAL]
    return found


def asked_by(request: web.Request) -> By:
    """Who asks, and when: what units are given. Only for routes that nobody reaches without being somebody."""
    return By(principal(request).actor, request.app[CONSOLE].clock())


def somebody(request: web.Request) -> Principal | None:
    """Who asks, on a page that is also shown to nobody."""
    found: Principal | None = request.get(PRINCIPAL)
    return found
