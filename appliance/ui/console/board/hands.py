"""What needs a hand, above all connectors: one row a cause, the most urgent first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from appliance.ui.console.board.states import HAND, Need, State
from appliance.ui.console.board.tiles import Button, Tile
from appliance.ui.frame.language import N_, _, ngettext
from appliance.ui.writing.formats import Formats

FAULTS_MAX, ALIKE_MAX = 4, 2
"""So many faults, or others of one cause, have a row of their own; more are one row together."""
NAMED_MAX = 4
SENTENCES: dict[Need, str] = {
    Need.UNKNOWN: N_("Charges without a session"),
    Need.UNPLUG: N_("Finished, the cable is still in"),
}
"""Of the others the tile itself says what matters most."""
SHOWS: dict[Need, str] = {Need.FAULT: State.FAULT, Need.OFFLINE: State.OFFLINE, Need.UNPLUG: State.UNPLUG}
"""The filter that shows all of a cause."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One row."""

    tone: str
    icon: Markup
    name: str
    """The connector; "" for a row of several."""
    sentence: Markup
    small: str
    button: Button | None


def hands_of(tiles: Sequence[Tile], places: Mapping[int, str], fmt: Formats) -> list[Hand]:
    """The rows for these tiles; `places` says where each station stands."""
    rows: list[Hand] = []
    for need in Need:
        alike = [one for one in tiles if one.need is need]
        if len(alike) <= (FAULTS_MAX if need is Need.FAULT else ALIKE_MAX):
            rows += [_one(one, need) for one in alike]
        else:
            rows.append(_many(alike, need, places, fmt))
    return rows


def _one(tile: Tile, need: Need) -> Hand:
    sentence = escape(_(SENTENCES[need])) if need in SENTENCES else tile.what
    button = (tile.buttons[-1] if need is Need.FAULT else tile.buttons[0]) if tile.buttons else None
    return Hand(tile.tone, tile.icon, tile.name, sentence, tile.who, button)


def _where(tiles: Sequence[Tile], places: Mapping[int, str], fmt: Formats) -> str:
    """Their places, each with how many there; one alone by its name."""
    there: dict[str, list[str]] = {}
    for one in tiles:
        there.setdefault(places.get(one.station) or one.name, []).append(one.name)
    words = [f"{place} ({fmt.number(len(names))})" if len(names) > 1 else names[0] for place, names in there.items()]
    return ", ".join(words[:NAMED_MAX]) + (", …" if len(words) > NAMED_MAX else "")


def _many(tiles: Sequence[Tile], need: Need, places: Mapping[int, str], fmt: Formats) -> Hand:
    count, number = len(tiles), fmt.number(len(tiles))
    sentence = {
        Need.FAULT: ngettext("{number} connector reports a fault", "{number} connectors report a fault", count),
        Need.OFFLINE: ngettext("{number} connector is offline", "{number} connectors are offline", count),
        Need.UNKNOWN: ngettext(
            "{number} connector charges without a session", "{number} connectors charge without a session", count
        ),
        Need.UNPLUG: ngettext(
            "{number} car is done and still plugged in", "{number} cars are done and still plugged in", count
        ),
    }[need]
    names = _where(tiles, places, fmt)
    show = Button(_("Show"), f"/?show={SHOWS.get(need, HAND)}", "quiet", dialog=False)
    return Hand(tiles[0].tone, tiles[0].icon, "", escape(sentence.format(number=number)), names, show)
