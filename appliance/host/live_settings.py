"""The settings in force while the server runs, as the edges read them at use."""

from __future__ import annotations

from collections.abc import Collection

from appliance.domain.network import Network, hosts, networks
from appliance.ocpp import versions
from appliance.services.settings import Settings

CONNECTIONS_MAX = 4096


class LiveSettings:
    """The owner's settings, exchanged as a whole when one of them is changed."""

    def __init__(self, values: Settings, own_hosts: frozenset[str] = frozenset(), *, disk_short: bool = False) -> None:
        self.values = values
        self.disk_short = disk_short
        self._own_hosts = own_hosts

    @property
    def heartbeat_interval_s(self) -> int:
        """Told to stations in the answer to BootNotification."""
        return self.values.heartbeat_interval_s

    @property
    def accept_unknown(self) -> bool:
        """Whether a station nobody knows may knock."""
        return self.values.accept_unknown

    @property
    def call_timeout_s(self) -> float:
        """How long a station may take to answer a call of ours."""
        return self.values.call_timeout_s

    @property
    def strict_stations(self) -> Collection[str]:
        """Identities whose messages are not mended before they are checked: none, but in conformance tests."""
        return ()

    @property
    def assume_version(self) -> str:
        """The subprotocol of stations that name none; "": they are turned away."""
        return versions.ASSUMED if self.values.assume_ocpp16 else ""

    @property
    def upgrade_always(self) -> bool:
        """Whether the handshake of a station is completed that speaks no version that is spoken here."""
        return self.values.upgrade_always

    @property
    def messages_per_s(self) -> int:
        """How many messages a station may send for long."""
        return self.values.messages_per_s

    @property
    def logs_messages(self) -> bool:
        """Whether there is room for a message log."""
        return not self.disk_short

    @property
    def host_names(self) -> Collection[str]:
        """The names and addresses of this box."""
        return self._own_hosts | hosts(self.values.host_names)

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        """Who is believed when it says who asks."""
        return networks(self.values.trusted_proxies)

    @property
    def connections_max(self) -> int:
        """More stations than this are answered 503."""
        return CONNECTIONS_MAX
