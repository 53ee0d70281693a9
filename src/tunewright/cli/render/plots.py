"""Bars for a terminal: as wide as it is, and without block characters where it has none."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from tunewright.cli.render.words import clipped, counted

EIGHTHS = " ▏▎▍▌▋▊▉"
FULL = "█"
LEAST = 4
"""Columns that a bar needs to be worth drawing."""
SOME = 8
"""Columns that a bar has before labels are cut."""
WIDEST = 100
"""Columns beyond which a bar tells nothing more."""
INDENT = 2


class Bar(NamedTuple):
    """A count."""

    label: str
    n: int
    style: str = "cyan"
    told: str = ""
    """What stands behind the bar; the count and its share when it is empty."""


class Bars:
    """Counts under a title, one a line: label, bar, number. The rest of many classes is one line."""

    def __init__(
        self, title: str, rows: Sequence[Bar], *, most: int = 6, whole: int = 0, note: str = ""
    ) -> None:
        self.title = title
        self.rows = rows
        self.most = most
        self.whole = whole or sum(row.n for row in rows)
        """What the bars are a share of; a full bar is the largest count."""
        self.note = note

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = list(self.rows if len(self.rows) <= self.most + 1 else self.rows[: self.most])
        rest = self.rows[len(shown) :]
        head = Text(self.title, "bold")
        if self.note:
            head.append(f"  {self.note}", "dim")
        yield head
        told = [row.told or f"{row.n:,} {percent(row.n, self.whole):>5}" for row in shown]
        right = max(map(len, told), default=0)
        width = min(options.max_width, WIDEST)
        labels = [clipped(row.label, 200) for row in shown]
        widest = max(map(cell_len, labels), default=0)
        left = max(4, min(widest, 26, width - right - INDENT - 2 - SOME))
        room = width - INDENT - left - right - 2
        top = max((row.n for row in self.rows), default=0)
        for row, label, words in zip(shown, labels, told, strict=True):
            drawn = bar(row.n / top if top else 0, room, options.ascii_only) if room >= LEAST else ""
            name = label if cell_len(label) <= left else f"{set_cell_size(label, left - 1).rstrip()}…"
            line = Text(" " * INDENT + set_cell_size(name, left) + " ")
            line.append(drawn, row.style)
            line.append(f"{' ' * max(0, room - len(drawn))} " if room >= LEAST else "")
            line.append(f"{words:>{right}}", "" if row.told else "dim")
            line.truncate(width)
            yield line
        if rest:
            n = sum(row.n for row in rest)
            more = f"{' ' * INDENT}and {counted(len(rest), 'other')}: {n:,} {percent(n, self.whole)}"
            yield Text(more, "dim")


def bar(part: float, room: int, plain: bool = False) -> str:
    """A bar that fills this part of so many columns, to an eighth of a column."""
    part = min(1.0, max(0.0, part))
    if plain:
        return "#" * max(round(part * room), 1 if part else 0)
    whole, eighth = divmod(max(round(part * room * 8), 1 if part else 0), 8)
    return FULL * whole + (EIGHTHS[eighth] if eighth else "")


def percent(n: float, whole: float) -> str:
    """Such as `12%` or `0.3%`; what is not nothing is never shown as nothing."""
    share = 100 * n / whole if whole else 0.0
    if 0 < share < 0.1:
        return "<0.1%"
    return f"{share:.0f}%" if share >= 10 or share == round(share) else f"{share:.1f}%"
