"""The tile: one connector as the board shows it, in words and numbers of the reader. Pure: what it needs is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup, escape

from appliance.db.board import ConnectorTile, Parked, Running
from appliance.domain.id_token import masked
from appliance.domain.session import NOTHING, SessionState, bill_until, usage_until
from appliance.domain.station import ConnectorStatus, may_start, status_word
from appliance.domain.tariff import Usage
from appliance.domain.words import folded
from appliance.ui.console.board.states import Need, State, need_of, state_of
from appliance.ui.console.stations.common import station_path
from appliance.ui.frame.language import _
from appliance.ui.wording.words import (
    CAR_PAUSED,
    CHARGING,
    FREE,
    OFFLINE,
    OUT_OF_SERVICE,
    PLEASE_UNPLUG,
    PLUGGED_IN,
    STARTING,
    STOPPING,
    TAKEN_BESIDE,
    UNKNOWN,
    WE_PAUSED,
    Status,
    error_sentence,
    status_of,
)
from appliance.ui.writing.formats import Formats
from appliance.ui.writing.icons import icon

BUTTONS_MAX = 2
DOT = " · "
PAUSED = (CAR_PAUSED, WE_PAUSED)
"""Shown striped."""


@dataclass(slots=True)
class Button:
    """A link to a small form."""

    word: str
    href: str
    kind: str
    """main, plain or quiet."""
    dialog: bool = True


@dataclass(slots=True)
class Tile:
    """One connector. All texts are ready to be shown. Nobody changes one; but to freeze each takes ten times as long to make it."""

    id: str
    station: int
    name: str
    href: str
    """Of the station's page; "" for a role that may not open it."""
    tone: str
    striped: bool
    icon: Markup
    word: str
    sentence: str
    what: Markup
    bar: int | None
    """Percent of the car's battery or of the money; -1: energy flows, nobody knows how much is left; None: no bar."""
    bar_label: str
    who: str
    buttons: tuple[Button, ...]
    power_w: int
    """Of the session that runs."""
    identity: str
    state: State
    need: Need | None

    @property
    def peek(self) -> str:
        """Where it stands alone, for whoever sees a cell of it."""
        _tile, _station, evse, connector = self.id.split("-")
        return f"{station_path(self.identity)}/{evse}?connector={connector}"

    @property
    def words(self) -> str:
        """What it is found by on a board."""
        return folded(f"{self.name} {self.identity} {self.word} {self.who}")


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom tiles are made."""

    fmt: Formats
    may: Callable[[str, str], bool]
    now_ms: int
    opens_stations: bool
    """Whether the role may open a station's page: asked once for a board, not once for a tile."""


def tile(
    place: ConnectorTile,
    running: Running | None,
    parked: Parked | None,
    *,
    online: bool,
    reader: Reader,
    taken_beside: bool = False,
) -> Tile:
    """The tile of a connector; `taken_beside`: its EVSE is in use through another one."""
    fmt = reader.fmt
    status = status_of_tile(place, running, parked, online=online, taken_beside=taken_beside)
    usage = usage_until(running, reader.now_ms) if running else NOTHING
    fee_minor = bill_until(running, reader.now_ms).total_minor if running else 0
    flows = online and running is not None and status.word == CHARGING.word
    power_w = (running.power_w or 0) if running is not None and flows else 0
    state = state_of(status.word)
    bar, bar_label = _bar(running, fee_minor, flows=flows, fmt=fmt)
    return Tile(
        id=f"tile-{place.station}-{place.evse}-{place.connector}",
        station=place.station,
        name=place_name(place, fmt),
        href=station_path(place.identity) if reader.opens_stations else "",
        tone=status.tone,
        striped=online and _status_told(place, running, parked) in PAUSED,
        icon=icon(status.icon),
        word=_(status.word),
        sentence=_(status.sentence),
        what=_what(place, running, parked, status, fee_minor, fmt, reader.now_ms),
        bar=bar,
        bar_label=bar_label,
        who=_name_shown(place, running, parked, status, power_w, usage, fmt, reader.now_ms),
        buttons=tuple(_buttons(place, running, parked, status, reader))[:BUTTONS_MAX],
        power_w=power_w,
        identity=place.identity,
        state=state,
        need=need_of(state, _since_s(place, parked, status, reader.now_ms), unknown=running is None),
    )


def _since_s(place: ConnectorTile, parked: Parked | None, status: Status, now_ms: int) -> int | None:
    """For how long it has been so; None if nobody knows."""
    if status is OFFLINE:
        since_ms = place.seen_at_ms
    else:
        since_ms = parked.ended_at_ms if parked is not None else place.changed_at_ms or None
    return None if since_ms is None else (now_ms - since_ms) // 1000


def status_of_tile(
    place: ConnectorTile, running: Running | None, parked: Parked | None, *, online: bool, taken_beside: bool = False
) -> Status:
    """The status in our words: the station's, corrected by what the books know."""
    if not online:
        return OFFLINE
    if running is not None and running.state == SessionState.REQUESTED:
        return STARTING
    if running is not None and running.stop_wanted:
        return STOPPING
    if running is not None and _is_behind(place):
        return CHARGING
    if taken_beside and may_start(place.status, place.charging_state):
        return TAKEN_BESIDE
    return _status_told(place, running, parked)


def _status_told(place: ConnectorTile, running: Running | None, parked: Parked | None) -> Status:
    """What the station says."""
    runs = running is not None
    return status_of(place.status, place.charging_state, place.finer_status, runs=runs, parked=parked is not None)


def _is_behind(place: ConnectorTile) -> bool:
    """Whether the status says nothing of a transaction: that is told first, and until then the tile trusts it."""
    return (
        may_start(place.status, place.charging_state)
        or place.status == ConnectorStatus.RESERVED
        or not status_word(place.status, place.finer_status)
    )


def place_name(place: ConnectorTile, fmt: Formats) -> str:
    """The station's name, with the EVSE's number where there are several, and the connector's where its EVSE has several."""
    if place.connectors > 1:
        return f"{place.name}{DOT}{fmt.number(place.evse)}{DOT}{fmt.number(place.connector)}"
    return f"{place.name}{DOT}{fmt.number(place.evse)}" if place.evses > 1 else place.name


def _what(
    place: ConnectorTile,
    running: Running | None,
    parked: Parked | None,
    status: Status,
    fee_minor: int,
    fmt: Formats,
    now_ms: int,
) -> Markup:
    """The large line: what matters most now."""
    if running is not None and running.state == SessionState.RUNNING:
        return _energy_and_money(running.energy_wh, fee_minor if running.tariff else None, fmt)
    if status is OFFLINE:
        if place.seen_at_ms is None:
            return escape(_("Never connected"))
        return escape(_("Last seen {ago}").format(ago=fmt.ago(place.seen_at_ms, now_ms)))
    if status.tone == "fault":
        said = error_sentence(place.error_code) or error_sentence(place.station_error)
        return escape(said or place.info or _("The charger reports a fault"))
    if parked is not None:
        return _energy_and_money(parked.energy_wh, parked.fee_minor, fmt)
    return escape(_(status.sentence))


def _name_shown(
    place: ConnectorTile,
    running: Running | None,
    parked: Parked | None,
    status: Status,
    power_w: int,
    usage: Usage,
    fmt: Formats,
    now_ms: int,
) -> str:
    """The quiet line: who, how fast, for how long."""
    if running is not None:
        card = _("Card {number}").format(number=masked(running.token)) if running.token else ""
        parts = list(filter(None, (running.person or card,)))
        if power_w:
            parts.append(_("{power} kW").format(power=fmt.power(power_w)))
        waits_s = max(0, now_ms - (running.requested_at_ms or now_ms)) // 1000
        parts.append(fmt.duration(waits_s if running.started_at_ms is None else usage.duration_s))
        return DOT.join(parts)
    if parked is not None:
        finished = _("finished at {time}").format(time=fmt.when(parked.ended_at_ms, now_ms))
        return DOT.join(filter(None, (parked.person, finished)))
    if status.tone == "fault" and place.info:
        return place.info
    if status is OFFLINE or not place.changed_at_ms:
        return place.identity if place.identity != place.name else ""
    return _("for {duration}").format(duration=fmt.duration(max(0, (now_ms - place.changed_at_ms) // 1000)))


def _energy_and_money(energy_wh: int, fee_minor: int | None, fmt: Formats) -> Markup:
    # Put together as text: to add Markup to Markup takes a third of a tile's time.
    html = f"{escape(fmt.energy(energy_wh))} <small>{escape(_('kWh'))}</small>"
    if fee_minor is not None:
        html += f' <span class="money">{escape(fmt.money(fee_minor))}</span>'
    return Markup(html)  # noqa: S704  # its parts are escaped


def _bar(running: Running | None, fee_minor: int, *, flows: bool, fmt: Formats) -> tuple[int | None, str]:
    if running is None or running.state != SessionState.RUNNING:
        return None, ""
    if running.soc_percent is not None:
        return running.soc_percent, _("Battery {percent} %").format(percent=fmt.number(running.soc_percent))
    if running.credit_minor:
        percent = max(0, min(100, fee_minor * 100 // running.credit_minor)) if running.credit_minor > 0 else 100
        return percent, _("{percent} per cent of the credit").format(percent=fmt.number(percent))
    return (-1, _("Energy flows")) if flows else (None, "")


def _buttons(
    place: ConnectorTile, running: Running | None, parked: Parked | None, status: Status, reader: Reader
) -> list[Button]:
    """What can be done, the likeliest first, as far as the role may."""
    station = station_path(place.identity)
    here = f"{station}/{place.evse}"
    connector = f"?connector={place.connector}" if place.connectors > 1 else ""
    session = running.id if running else parked.id if parked else None

    def action(word: str, name: str, kind: str = "plain") -> Button | None:
        allowed = reader.may("POST", "/stations/{identity}/{evse}/" + name)
        return Button(word, f"{here}/{name}{connector if name == 'unlock' else ''}", kind) if allowed else None

    def page(word: str, href: str) -> Button:
        return Button(word, href, "quiet", dialog=False)

    told = session is not None and reader.may("GET", "/sessions/{session}")
    details = page(_("Details"), f"/sessions/{session}") if told else None
    why = page(_("Why?"), station) if reader.opens_stations else None
    if status is OFFLINE:
        wanted = [why, details]
    elif status is STARTING:
        wanted = [action(_("Cancel"), "stop"), details]
    elif running is not None:
        wanted = [action(_("Stop"), "stop"), details]
    elif status.tone == "fault":
        reset = reader.may("POST", "/stations/{identity}/reset")
        wanted = [Button(_("Reset"), f"{station}/reset", "plain") if reset else None, why]
    elif status is FREE:
        wanted = [action(_("Start…"), "start", "main"), action(_("Take out of service…"), "close", "quiet")]
    elif status is PLUGGED_IN:
        wanted = [action(_("Start…"), "start", "main"), action(_("Unlock"), "unlock", "quiet")]
    elif status is PLEASE_UNPLUG:
        wanted = [action(_("Unlock"), "unlock"), details]
    elif status is OUT_OF_SERVICE:
        wanted = [action(_("Open again"), "open")]
    elif status is UNKNOWN and place.evse:
        # It may charge well all the same: its settings have told of the connector, only its status never came.
        wanted = [action(_("Start…"), "start"), why]
    else:
        wanted = [why]
    return [button for button in wanted if button is not None]
