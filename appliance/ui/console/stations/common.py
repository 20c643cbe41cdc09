"""What several page modules need: the station of a URL, and a command's answer in words."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from aiohttp import web

from appliance.db.stations import stations
from appliance.db.stations.stations import Station
from appliance.domain.errors import NotFound
from appliance.services.ports.stations import CommandAnswer, SpokenVersion
from appliance.ui.frame.context import CONSOLE, Console
from appliance.ui.frame.language import N_, _

REFUSED = {
    "Rejected": N_("The charger refused."),
    "Blocked": N_("The charger refused: the card is blocked."),
    "Invalid": N_("The charger refused: it does not know the card."),
    "Expired": N_("The charger refused: the card has expired."),
    "ConcurrentTx": N_("The charger refused: the card is charging elsewhere."),
    "UnlockFailed": N_("The charger tried, but the plug stayed locked."),
    "NotSupported": N_("This charger cannot do that."),
    "NotImplemented": N_("This charger cannot do that."),
    "Occupied": N_("The charger refused: the connector is taken."),
    "Faulted": N_("The charger refused: it is faulty."),
    "Unavailable": N_("The charger refused: it is out of service."),
    "offline": N_("The charger is offline, so it was not asked."),
    "timeout": N_("The charger did not answer. Nobody knows whether it obeyed: look at it before you try again."),
    "lost": N_("The connection broke before the charger answered. Nobody knows whether it obeyed."),
    "busy": N_("The charger is still busy with earlier commands. Try again in a moment."),
    "not_sent": N_("The command could not be sent."),
    "refused": N_("The charger answered with an error; its message log has the words."),
    "unsupported": N_("This charger does not know this command."),
}
"""What a charger says when it does not do it, or why it was not asked."""


async def station_of(request: web.Request) -> Station:
    """The station that the URL names.

    Raises:
        NotFound: There is none.
    """
    identity = request.match_info["identity"]
    found = await request.app[CONSOLE].store.read(stations.by_identity, identity)
    if found is None:
        raise NotFound(N_("There is no charger {identity}."), N_("Look under Chargers."), identity=identity)
    return found


def versions_of(console: Console, station: Station) -> list[SpokenVersion]:
    """The version of OCPP that the station spoke last; all of them for one that has never come."""
    spoken = console.stations.versions()
    return [one for one in spoken if one.version == station.ocpp_version] or list(spoken)


@lru_cache(maxsize=4096)
def station_path(identity: str) -> str:
    """Where its page is."""
    return f"/stations/{quote(identity, safe='')}"


def refused_words(answer: CommandAnswer) -> str:
    """Why a command was not accepted."""
    known = REFUSED.get(answer.status)
    return _(known) if known else _("The charger answered {status}.").format(status=answer.status)
