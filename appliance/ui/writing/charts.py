"""Charts as SVG made on the server: a power curve, and bars that stack. Their numbers stand in a table beneath them.

The drawing is stretched to the width there is; everything written stands beside it as ordinary text, so that it stays
readable on a phone. Colours are classes of app.css.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from appliance.db.sessions.session_list import Sample
from appliance.ui.writing.formats import Formats

WIDTH, HEIGHT = 1000, 240
SERIES_MAX = 8
"""Colours there are; the smallest series share the last one."""
LEVELS_MAX = 4
TIME_LABELS = 5
SECONDS_BELOW_MS = 5 * 60_000
"""Within less than this, hours and minutes would repeat one another."""
SECONDS_LABELS = 3
"""They are longer."""
BAR_LABELS_MAX = 16
BAR_WIDTH_MAX = 120
GAP_SHARE = 4
"""A gap between bars is one part of so many of a bar's place."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing and what is written around it."""

    drawing: Markup
    levels: tuple[int, ...]
    """Values along the upright axis, at even distances, the highest first."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A power curve (W) and its time axis."""

    chart: Chart
    times_ms: tuple[int, ...]
    """At even distances from the first moment to the last one."""
    in_seconds: bool
    """Whether they differ only when their seconds are written."""


@dataclass(frozen=True, slots=True)
class Series:
    """One part of every bar."""

    name: str
    values: tuple[int, ...]
    """One for each bar."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked bars: the series as drawn, the largest first and at the bottom."""

    chart: Chart
    series: tuple[Series, ...]
    labels: tuple[str, ...]
    """One for each bar; "" where there is no room for one."""


def power_points(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Moments and powers (W). Where a station sends no power, it is what the registers grew by since the reading before."""
    points: list[tuple[int, int]] = []
    before: tuple[int, int] | None = None
    for sample in samples:
        if sample.power_w is not None:
            points.append((sample.at_ms, max(0, sample.power_w)))
        elif sample.energy_wh is not None and before is not None and sample.at_ms > before[0]:
            power_w = max(0, sample.energy_wh - before[1]) * 3_600_000 // (sample.at_ms - before[0])
            points.append((sample.at_ms, power_w))
        if sample.energy_wh is not None:
            before = (sample.at_ms, sample.energy_wh)
    return points


def power_curve(points: Sequence[tuple[int, int]], title: str) -> Curve | None:
    """The curve of these moments and powers; None where two moments are missing to draw a line."""
    if len(points) < 2 or points[-1][0] <= points[0][0]:
        return None
    begin_ms, end_ms = points[0][0], points[-1][0]
    levels = scale(max(power_w for _, power_w in points), 1000)
    places = [
        (WIDTH * (at_ms - begin_ms) // (end_ms - begin_ms), HEIGHT - HEIGHT * power_w // levels[0])
        for at_ms, power_w in points
    ]
    line = " ".join(f"{x},{y}" for x, y in places)
    drawing = _frame(
        title,
        _grid(levels)
        + Markup('<polygon class="chart-area" points="0,{} {} {},{}"/>').format(HEIGHT, line, WIDTH, HEIGHT)
        + Markup('<polyline class="chart-line" points="{}"/>').format(line),
    )
    in_seconds = end_ms - begin_ms < SECONDS_BELOW_MS
    return Curve(Chart(drawing, levels), _moments(begin_ms, end_ms, in_seconds=in_seconds), in_seconds)


def stacked_bars(
    labels: Sequence[str],
    series: Sequence[Series],
    title: str,
    others: str,
    *,
    captions: Sequence[Sequence[str]] | None = None,
    step: int = 1000,
) -> Bars | None:
    """Bars of the series' values, one bar for each label; None if there is nothing above zero.

    The largest series keep their names, the rest is summed up as `others`. `captions` are what a pointer resting on a
    part is told, by series and bar; `step` is the unit that readers think in, as in `scale`.
    """
    order = sorted(range(len(series)), key=lambda number: -sum(series[number].values))
    shown = [number for number in order if any(series[number].values)]
    if not shown:
        return None
    words = {number: captions[number] if captions else ("",) * len(labels) for number in shown}
    drawn = [(series[number], words[number]) for number in shown[: SERIES_MAX - 1]]
    if len(shown) == SERIES_MAX:
        drawn.append((series[shown[-1]], words[shown[-1]]))
    elif len(shown) > SERIES_MAX:
        rest = [series[number].values for number in shown[SERIES_MAX - 1 :]]
        drawn.append((Series(others, tuple(map(sum, zip(*rest, strict=True)))), ("",) * len(labels)))
    levels = scale(max(map(sum, zip(*(each.values for each, _ in drawn), strict=True))), step)
    slot = WIDTH / len(labels)
    width = min(slot - slot / GAP_SHARE, BAR_WIDTH_MAX)
    parts = [_bar(number * slot + (slot - width) / 2, width, number, drawn, levels[0]) for number in range(len(labels))]
    every = -(-len(labels) // BAR_LABELS_MAX)
    written = tuple(label if number % every == 0 else "" for number, label in enumerate(labels))
    drawing = _frame(title, _grid(levels) + Markup("").join(parts))
    return Bars(Chart(drawing, levels), tuple(each for each, _ in drawn), written)


def scale(highest: int, step: int) -> tuple[int, ...]:
    """Levels of an axis, the highest first and 0 last: at most four even distances that `highest` lies within.

    A distance is 1, 2 or 5 times a power of ten of `step`, which is the unit that readers think in (1000 W, 3600 s); a
    tenth or a hundredth of it where all there is is less.
    """
    unit = step
    while unit % 10 == 0 and unit * 2 >= highest:
        unit //= 10
    while True:
        for distance in (unit, unit * 2, unit * 5):
            if distance * LEVELS_MAX >= highest:
                count = max(1, -(-highest // distance))
                return tuple(distance * number for number in range(count, -1, -1))
        unit *= 10


def level_words(levels: Sequence[int], unit: int, fmt: Formats) -> list[str]:
    """Levels in the unit that readers think in, all with the same decimals."""
    decimals = next((number for number in (0, 1, 2) if all(level * 10**number % unit == 0 for level in levels)), 3)
    return [fmt.number(level * 10**decimals // unit, decimals) for level in levels]


def _moments(begin_ms: int, end_ms: int, *, in_seconds: bool) -> tuple[int, ...]:
    """The first moment, the last one, and as many between them as can be told apart."""
    parts = (SECONDS_LABELS if in_seconds else TIME_LABELS) - 1
    if (end_ms - begin_ms) // parts < 1000:
        parts = 1
    return tuple(begin_ms + (end_ms - begin_ms) * number // parts for number in range(parts + 1))


def _frame(title: str, inside: Markup) -> Markup:
    return (
        Markup(
            '<svg class="chart-drawing" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        ).format(WIDTH, HEIGHT, title)
        + inside
        + Markup("</svg>")
    )


def _grid(levels: Sequence[int]) -> Markup:
    lines = (HEIGHT - HEIGHT * level // levels[0] for level in levels)
    return Markup("").join(
        Markup('<line class="chart-grid" x1="0" x2="{}" y1="{}" y2="{}"/>').format(WIDTH, y, y) for y in lines
    )


def _bar(x: float, width: float, number: int, drawn: Sequence[tuple[Series, Sequence[str]]], highest: int) -> Markup:
    """One bar from the ground up; a part that is not nothing is at least a line."""
    parts: list[str] = []
    below = 0
    for place, (series, words) in enumerate(drawn):
        value = series.values[number]
        if value <= 0:
            continue
        top, bottom = HEIGHT - HEIGHT * (below + value) / highest, HEIGHT - HEIGHT * below / highest
        below += value
        caption = f"<title>{escape(words[number])}</title>" if words[number] else ""
        parts.append(
            f'<rect class="series-{place}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{max(0.5, bottom - top):.1f}">{caption}</rect>'
        )
    return Markup("".join(parts))  # noqa: S704 - numbers, and a caption that is escaped above.
