"""The listeners as they are reached by others: the addresses that pages and cards name."""

from __future__ import annotations

import argparse

from appliance.host.addresses import Address, local_addresses, own_hosts
from appliance.host.listeners import EVERYWHERE, Listeners
from appliance.ui.frame.context import Addresses


def addresses(arguments: argparse.Namespace, listeners: Listeners) -> Addresses:
    """Where the listeners that are bound by now are reached by others, as pages say it."""
    return Addresses(
        stations=urls_of(listeners, "stations", arguments.stations),
        stations_tls=urls_of(listeners, "stations-tls", arguments.stations_tls),
        drivers=urls_of(listeners, "drivers", arguments.drivers),
        hosts=own_hosts(arguments),
    )


def card_link_base(arguments: argparse.Namespace, listeners: Listeners) -> str:
    """What stands on cards before a card's token: the drivers' listener as phones reach it."""
    urls = urls_of(listeners, "drivers", arguments.drivers)
    url: str = arguments.drivers_url or (urls[0] if urls else f"{listeners.urls['drivers']}/")
    return f"{url}card/"


def urls_of(listeners: Listeners, listener: str, bound: Address | None) -> tuple[str, ...]:
    """The URLs of a listener, one for each address of this box that others on the network can reach; none if it is not served."""
    if bound is None or listener not in listeners.urls:
        return ()
    hosts = local_addresses() if bound.host in EVERYWHERE else (bound.host,)
    reachable = [host for host in hosts if not host.startswith(("127.", "::1", "fe80"))] or hosts[:1]
    scheme, _colon, rest = listeners.urls[listener].partition("://")
    path = rest.partition("/")[2]
    return tuple(f"{scheme}://{Address(host, listeners.ports[listener])}/{path}" for host in reachable)
