"""Plots as inline SVG, drawn here: no script, no font and no request.

Every plot is `WIDE` units wide, so that its letters stay legible on a telephone and two stand side by side on
a laptop. Colours are classes that the page's style sheet defines for light and dark; shape, dashes or words
always say the same as colour. Each has a text that says what it shows, for those who listen.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

WIDE = 400
LETTER = 6.9
"""Width of an average letter at the plots' 13 units, measured generously."""
LINE = 17
MAP = 330
"""Height of a map."""
COLOURS = 8
SHAPES = (
    "M{0:.0f} {1:.0f}m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
    "M{0:.0f} {1:.0f}m-3-3h6v6h-6z",
    "M{0:.0f} {1:.0f}m0-4l4 7h-8z",
    "M{0:.0f} {1:.0f}m0-4l4 4l-4 4l-4-4z",
    "M{0:.0f} {1:.0f}m-4-1h3v-3h2v3h3v2h-3v3h-2v-3h-3z",
    "M{0:.0f} {1:.0f}m0 4l4-7h-8z",
    "M{0:.0f} {1:.0f}m-4-1h8v2h-8z",
)
"""Disc, square, triangle, diamond, cross, triangle on its tip, dash: seven shapes and eight colours never
pair up again before 56 groups."""
Text = Callable[[float], str]


class Span(NamedTuple):
    """A value with its interval. `look` is its class, and decides its mark."""

    label: str
    value: float
    low: float
    high: float
    look: str
    told: str


class Series(NamedTuple):
    """Points to be joined."""

    label: str
    look: str
    points: tuple[tuple[float, float], ...]


class Row(NamedTuple):
    """One value for each look."""

    label: str
    values: dict[str, float]


class Dot(NamedTuple):
    """A place on a map, and which group it belongs to."""

    x: float
    y: float
    group: int


class Bar(NamedTuple):
    """A count."""

    label: str
    n: int
    look: str = "plain"


def intervals(spans: Sequence[Span], *, says: str, axis: str, tick: Text, bounds: tuple[float, float],
              zero: tuple[str, str] | None = None) -> Markup:  # fmt: skip
    """Values with interval bars, one below the other. `zero` draws a line at 0 and names its two sides."""
    low, high = _around(bounds, [v for s in spans for v in (s.low, s.high, s.value)])
    marks = ticks(low, high, 5)
    low, high = min(low, marks[0]), max(high, marks[-1])
    x = _scale(low, high, 22, WIDE - 22)
    top, step = (22 if zero else 4), 44
    bottom = top + step * len(spans)
    out = _grid(marks, x, tick, top, bottom, axis)
    if zero:
        out.append(f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="{top - 4}" y2="{bottom}"/>')
        out.append(_text(x(0) - 8, 13, f"◂ {zero[0]}", "end small"))
        out.append(_text(x(0) + 8, 13, f"{zero[1]} ▸", "small"))
    for number, span in enumerate(spans):
        y = top + step * number
        out.append(f'<rect class="veil" x="0" y="{y}" width="{WIDE}" height="20"/>')
        out.append(_text(8, y + 15, clipped(span.label, _room(span.told))))
        out.append(_text(WIDE - 8, y + 15, span.told, "end strong"))
        y += 29
        out.append(
            f'<path class="bar {escape(span.look)}" d="M{x(span.low):.1f} {y}H{x(span.high):.1f}'
            f'M{x(span.low):.1f} {y - 5}v10M{x(span.high):.1f} {y - 5}v10"/>'
        )
        out.append(mark(x(span.value), y, span.look, 6))
    return _svg(bottom + 38, says, out)


def curves(series: Sequence[Series], *, says: str, across: str, up: str, tick: Text) -> Markup:
    """Lines over a common axis; a line of few points shows them."""
    points = [p for s in series for p in s.points]
    left, right, top, bottom = 52, WIDE - 14, 34 + LINE * len(series), 290
    ys = ticks(*_around((0.0, 0.0), [y for _, y in points]), 5)
    xs = ticks(min(x for x, _ in points), max(x for x, _ in points), 5, inside=True)
    x = _scale(min(x for x, _ in points), max(x for x, _ in points), left, right)
    y = _scale(ys[0], ys[-1], bottom, top)
    out = [
        f'<line class="grid" x1="{left}" x2="{right}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        + _text(left - 8, y(v) + 4.5, tick(v), "end small")
        for v in ys
    ]
    out += [
        f'<line class="axis" x1="{x(v):.1f}" x2="{x(v):.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
        + _text(x(v), bottom + 19, f"{v:g}", "middle small")
        for v in xs
    ]
    out.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    for number, one in enumerate(series):
        at = 12 + LINE * number
        path = "M" + "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in one.points)
        out.append(f'<path class="curve {escape(one.look)}" d="{path}"/>')
        dots = len(one.points) <= 40
        if dots:
            out += [mark(x(a), y(b), one.look, 4) for a, b in one.points]
        out.append(f'<path class="curve {escape(one.look)}" d="M8 {at}h30"/>')
        out.append((mark(23, at, one.look, 4) if dots else "") + _text(46, at + 4.5, one.label))
    out.append(_text((left + right) / 2, bottom + 38, across, "middle small"))
    out.append(_text(8, top - 10, up, "small"))
    return _svg(bottom + 46, says, out)


def dots(rows: Sequence[Row], *, says: str, axis: str, tick: Text, bounds: tuple[float, float]) -> Markup:
    """One line for each row with a mark for each look; marks of equal value stand above each other."""
    wide = min(180.0, max(len(row.label) for row in rows) * LETTER + 14)
    low, high = _around(bounds, [v for row in rows for v in row.values.values()])
    marks = ticks(low, high, 4)
    x = _scale(min(low, marks[0]), max(high, marks[-1]), wide + 20, WIDE - 24)
    top, step = 6, 27
    bottom = top + step * len(rows)
    out = _grid(marks, x, tick, top, bottom, axis)
    for number, row in enumerate(rows):
        y = top + step * number + step / 2
        out.append(_text(6, y + 4.5, clipped(row.label, int((wide - 8) / LETTER))))
        out.append(f'<line class="grid" x1="{wide + 6:.1f}" x2="{WIDE - 8}" y1="{y}" y2="{y}"/>')
        places: dict[int, list[str]] = {}
        for look, value in row.values.items():
            places.setdefault(round(x(value)), []).append(look)
        for place, looks in places.items():
            for nth, look in enumerate(looks):
                out.append(mark(place, y + 9 * (nth - (len(looks) - 1) / 2), look, 4))
    return _svg(bottom + 38, says, out)


def cascade(parts: Sequence[Bar], *, says: str, whole: str) -> Markup:
    """A stacked bar and its parts: each begins where the one before ended, so one sees that they add up."""
    total = sum(part.n for part in parts) or 1
    x = _scale(0, total, 8, WIDE - 8)
    out, seen = [_row(0, whole, total, x(0), x(total), "whole")], 0
    for number, part in enumerate(parts, 1):
        out.append(_row(number, part.label, part.n, x(seen), x(seen + part.n), part.look))
        out.append(_box(x(seen), 20, max(1.0, x(seen + part.n) - x(seen)), 11, part.look))
        seen += part.n
    return _svg(38 * (len(parts) + 1) + 4, says, out)


def bars(rows: Sequence[Bar], *, says: str) -> Markup:
    """Counts, one bar each, from the left."""
    x = _scale(0, max((row.n for row in rows), default=1) or 1, 8, WIDE - 8)
    out = [_row(n, row.label, row.n, x(0), x(row.n), row.look) for n, row in enumerate(rows)]
    return _svg(38 * len(rows) + 4, says, out)


def lean(rows: Sequence[Bar], *, says: str, told: Callable[[int], str] = "{:,}".format) -> Markup:
    """Counts, one narrow line each: label, bar, number. For many classes, or ordered ones."""
    room = max((len(told(row.n)) for row in rows), default=1) * LETTER + 8
    letter = LETTER * 1.13
    wide = min(176.0, max((len(row.label) for row in rows), default=1) * letter + 24)
    x = _scale(0, max((row.n for row in rows), default=1) or 1, wide, WIDE - 8 - room)
    out = list[str]()
    for number, row in enumerate(rows):
        y = 23 * number + 12
        out.append(_text(8, y + 4.5, clipped(row.label, int((wide - 18) / letter))))
        out.append(_box(wide, y - 6, max(1.5, x(row.n) - wide), 12, row.look))
        out.append(_text(x(row.n) + 6 if row.n else wide + 8, y + 4.5, told(row.n), "small"))
    return _svg(23 * len(rows) + 4, says, out)


def scatter(points: Sequence[Dot], names: Sequence[str], *, says: str) -> Markup:
    """Points by group: each group has its colour, its shape, and its number at its middle.

    Far points are drawn closer (a blend of their rank and the inverse hyperbolic sine of their distance to
    the median), so that a few strangers do not squeeze all others into a corner.
    """
    x, y = _bent([p.x for p in points], 14, WIDE - 14), _bent([p.y for p in points], MAP - 14, 14)
    out = [f'<rect class="frame" x="1" y="1" width="{WIDE - 2}" height="{MAP - 2}"/>']
    middles = list[tuple[float, float, int]]()
    for group in range(len(names)):
        mine = [(x(p.x), y(p.y)) for p in points if p.group == group]
        if not mine:
            continue
        places = dict.fromkeys((round(a), round(b)) for a, b in mine)
        path = "".join(SHAPES[group % len(SHAPES)].format(a, b) for a, b in places)
        out.append(f'<path class="spot c{group % COLOURS} g{group}" d="{path}"/>')
        a, b = (sorted(place[axis] for place in mine)[len(mine) // 2] for axis in (0, 1))
        small = max(q for _, q in mine) - min(q for _, q in mine) < 24
        middles.append((a, b - 14 if small and b > 30 else b, group))
    out += [_text(a, b + 5, str(group + 1), f"middle halo g{group}") for a, b, group in _apart(middles)]
    return _svg(MAP, says, out)


def _bent(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    """Mostly by rank, so that the room is used where the points are, and a little by distance."""
    ordered = sorted(values) or [0.0]
    last = max(1, len(ordered) - 1)
    middle, n = ordered[len(ordered) // 2], len(ordered)
    spread = (ordered[n * 3 // 4] - ordered[n // 4]) or (ordered[-1] - ordered[0]) or 1.0
    far = _scale(
        math.asinh((ordered[0] - middle) / spread), math.asinh((ordered[-1] - middle) / spread), 0, 1
    )

    def placed(value: float) -> float:
        rank = (bisect_left(ordered, value) + bisect_right(ordered, value) - 1) / 2 / last
        return start + (end - start) * (0.6 * rank + 0.4 * far(math.asinh((value - middle) / spread)))

    return placed


def _apart(labels: Sequence[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """Labels moved until none covers another, or as far as a few rounds bring them."""
    placed = [[a, b] for a, b, _ in labels]
    for _ in range(40):
        for n, one in enumerate(placed):
            for other in placed[:n]:
                dx, dy = one[0] - other[0], one[1] - other[1]
                if abs(dx) < 20 and abs(dy) < 16:
                    step = 2.0 if dy >= 0 else -2.0
                    one[1], other[1] = one[1] + step, other[1] - step
        for one in placed:
            one[0], one[1] = min(max(one[0], 14), WIDE - 14), min(max(one[1], 12), MAP - 12)
    return [(a, b, group) for (a, b), (_, _, group) in zip(placed, labels, strict=True)]


def sign(group: int) -> Markup:
    """The shape and colour of a group, for a legend."""
    path = SHAPES[group % len(SHAPES)].format(8, 8)
    return Markup(
        f'<svg class="sign" viewBox="2 2 12 12" aria-hidden="true"><path class="spot c{group % COLOURS}"'
        f' d="{path}"/></svg>'
    )


def histogram(values: Sequence[float], *, says: str, across: str, up: str) -> Markup:
    """How often values fall into some 16 equally wide classes; the last takes the longest hundredth too."""
    ordered = sorted(values)
    edges = ticks(ordered[0], ordered[math.ceil(0.99 * len(ordered)) - 1], 16)
    if len(edges) < 2:
        edges = [edges[0], edges[0] + 1]
    counts = [0] * (len(edges) - 1)
    for value in ordered:
        at = int((value - edges[0]) / (edges[1] - edges[0]))
        counts[min(at, len(counts) - 1)] += 1
    left, right, top, bottom = 52, WIDE - 14, 30, 240
    ys = ticks(0, max(counts), 4)
    x, y = _scale(edges[0], edges[-1], left, right), _scale(0, ys[-1], bottom, top)
    out = [
        f'<line class="grid" x1="{left}" x2="{right}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        + _text(left - 8, y(v) + 4.5, f"{v:g}", "end small")
        for v in ys
    ]
    for count, a, b in zip(counts, edges, edges[1:], strict=False):
        out.append(_box(x(a) + 1, y(count), x(b) - x(a) - 2, bottom - y(count), "plain"))
    out.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    for v in ticks(edges[0], edges[-1], 5, inside=True):
        more = "+" if v == edges[-1] and ordered[-1] > v else ""
        out.append(_text(min(x(v), right - 6), bottom + 18, f"{v:,.0f}{more}", "middle small"))
    out.append(_text((left + right) / 2, bottom + 37, across, "middle small"))
    out.append(_text(8, 15, up, "small"))
    return _svg(bottom + 45, says, out)


def mark(x: float, y: float, look: str, size: float) -> str:
    """The mark of a look: ring for base, square for prompted, diamond for tuned, disc for the rest."""
    kind = f'class="mark {escape(look)}"'
    if look == "prompted":
        s = size * 0.88
        return f'<path {kind} d="M{x - s:.1f} {y - s:.1f}h{2 * s:.1f}v{2 * s:.1f}h{-2 * s:.1f}z"/>'
    if look == "tuned":
        r = size * 1.25
        return f'<path {kind} d="M{x:.1f} {y - r:.1f}l{r:.1f} {r:.1f}l{-r:.1f} {r:.1f}l{-r:.1f} {-r:.1f}z"/>'
    return f'<circle {kind} cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"/>'


def key(looks: Sequence[tuple[str, str]]) -> Markup:
    """What the marks mean, as `(look, words)`, for above a plot."""
    signs = "".join(
        '<span><svg class="sign" viewBox="0 0 16 16" aria-hidden="true">'
        f"{mark(8, 8, look, 5)}</svg>{escape(words)}</span>"
        for look, words in looks
    )
    return Markup(f'<p class="key">{signs}</p>')


def ticks(low: float, high: float, about: int, *, inside: bool = False) -> list[float]:
    """Round numbers from `low` to `high`, about that many; they enclose both unless `inside`."""
    if high <= low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(m for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = low / step, high / step
    start = math.ceil(first - 1e-9) if inside else math.floor(first + 1e-9)
    end = math.floor(last + 1e-9) if inside else math.ceil(last - 1e-9)
    return [round(n * step, 12) for n in range(start, end + 1)]


def clipped(text: str, room: int) -> str:
    """At most `room` characters."""
    return text if len(text) <= room else f"{text[: max(1, room - 1)]}…"


def _room(told: str) -> int:
    """How many letters fit to the left of bold words."""
    return int((WIDE - 28 - len(told) * LETTER * 1.1) / LETTER)


def _around(bounds: tuple[float, float], values: Sequence[float]) -> tuple[float, float]:
    low, high = min([bounds[0], *values]), max([bounds[1], *values])
    return (low, high) if high > low else (low, low + 1)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    wide = (high - low) or 1.0
    return lambda value: start + (value - low) / wide * (end - start)


def _grid(marks: Sequence[float], x: Callable[[float], float], tick: Text, top: float, bottom: float,
          axis: str) -> list[str]:  # fmt: skip
    out = [
        f'<line class="grid" x1="{x(v):.1f}" x2="{x(v):.1f}" y1="{top}" y2="{bottom}"/>'
        + _text(x(v), bottom + 15, tick(v), "middle small")
        for v in marks
    ]
    middle = (x(marks[0]) + x(marks[-1])) / 2
    return [*out, _text(middle, bottom + 33, axis, "middle small")]


def _row(number: int, label: str, count: int, left: float, right: float, look: str) -> str:
    y, told = 38 * number, f"{count:,}"
    return (
        _text(8, y + 14, clipped(label, _room(told)))
        + _text(WIDE - 8, y + 14, told, "end strong")
        + _box(left, y + 20, max(1.5, right - left), 11, look)
    )


def _box(x: float, y: float, wide: float, high: float, look: str) -> str:
    size = f'width="{max(0.0, wide):.1f}" height="{max(0.0, high):.1f}"'
    return f'<rect class="box {escape(look)}" x="{x:.1f}" y="{y:.1f}" {size}/>'


def _text(x: float, y: float, words: str, look: str = "") -> str:
    return f'<text class="{escape(look)}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _svg(high: float, says: str, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg role="img" aria-label="{escape(says)}" viewBox="0 0 {WIDE} {high:.0f}">{"".join(parts)}</svg>'
    )
