"""A board of many connectors: small cells instead of tiles, grouped by place. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.domain.order import natural
from appliance.domain.places import within
from appliance.domain.words import folded
from appliance.ui.console.board.states import SHORT, State
from appliance.ui.console.board.tiles import Tile
from appliance.ui.frame.language import _
from appliance.ui.writing.formats import Formats

TILES_MAX = 24
"""More connectors are shown as cells."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A connector in the room of two short lines."""

    tile: Tile
    short: str
    """Its name within its place."""
    line: str
    """Its power, or its state in one word."""
    words: str
    """What it is found by."""


@dataclass(frozen=True, slots=True)
class Group:
    """A place with its connectors. What is written of each is made when it is shown: of most nobody asks it again."""

    id: str
    place: str
    title: str
    tiles: list[Tile]
    free: int
    charging: int
    power_w: int
    needs: int


def groups_of(tiles: Sequence[Tile], places: Mapping[int, str]) -> list[Group]:
    """The places in the order of their names as tiles have it, those that stand alone last; connectors as they come."""
    found: dict[str, list[Tile]] = {}
    for one in tiles:
        found.setdefault(places.get(one.station, ""), []).append(one)
    alone = _("Others") if len(found) > 1 else _("Connectors")
    ordered = sorted(found.items(), key=lambda item: (item[0] == "", natural(item[0])))
    return [_group(place, place or alone, there) for place, there in ordered]


def cell_of(tile: Tile, place: str, fmt: Formats) -> Cell:
    """The cell of a connector."""
    line = _("{power} kW").format(power=fmt.power(tile.power_w)) if tile.power_w else _(SHORT.get(tile.state, ""))
    return Cell(tile, within(place, tile.name), line or tile.word, f"{folded(place)} {tile.words}")


def _group(place: str, title: str, tiles: Sequence[Tile]) -> Group:
    return Group(
        id=f"place-{min(one.station for one in tiles)}",
        place=place,
        title=title,
        tiles=list(tiles),
        free=sum(one.state is State.FREE for one in tiles),
        charging=sum(one.state is State.CHARGING for one in tiles),
        power_w=sum(one.power_w for one in tiles),
        needs=sum(one.need is not None for one in tiles),
    )
