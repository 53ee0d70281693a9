"""Numbers and foreign words, fit for a terminal."""

import unicodedata
from collections.abc import Container, Iterable
from typing import Literal

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text


def plain(text: str) -> str:
    """Without control characters: what a model or a file says must not steer the terminal."""
    return "".join("�" if _steers(c) else c for c in text)


TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Classes of characters that turn the direction of writing (Unicode Standard Annex 9)."""


def _steers(c: str) -> bool:
    """Control characters but for line ends and tabs, and those that turn the direction of writing."""
    return (unicodedata.category(c) == "Cc" and c not in "\n\t") or unicodedata.bidirectional(c) in TURNING


def number(value: float) -> str:
    """About three significant digits: `0.617`, `2.31`, `1,204`."""
    size = abs(value)
    if 0 < size < 0.01:
        return f"{value:.2g}"
    places = 0 if size >= 100 else 1 if size >= 10 else 3 if 0 < size < 1 else 2
    return f"{value:,.{places}f}"


def interval(low: float, high: float) -> str:
    """Such as `0.53 to 0.71`."""
    return f"{number(low)} to {number(high)}"


def probability(p: float) -> str:
    """Such as `0.032` or `<0.001`."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float) -> str:
    """Such as `0.3 s`, `42 s`, `3 min 5 s` or `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def counted(n: int, what: str) -> str:
    """Such as `1 record` or `1,204 records`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def short(digest: str) -> str:
    """The beginning of a digest, long enough to be given to any command."""
    return digest[:12]


def clipped(text: str, length: int) -> str:
    """One line, cut at a length."""
    line = " ".join(plain(text).split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def heading(text: str, aside: str = "") -> Text:
    """A heading with a grey remark."""
    return Text.assemble((text, "bold"), (f"  {aside}" if aside else "", "dim"))


def table(
    *columns: str,
    rows: Iterable[Iterable[RenderableType]],
    right: Iterable[int] = (),
    whole: Container[int] = (),
) -> Table:
    """A light table; the columns in `right` are flush right, those in `whole` are never broken."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False, header_style="bold")
    flush = set(right)
    for at, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if at in flush else "left"
        made.add_column(column, justify=justify, overflow="fold", no_wrap=at in whole)
    for row in rows:
        made.add_row(*(Text(plain(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def pairs(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Names and values, one pair a line."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, Text(plain(value)) if isinstance(value, str) else value)
    return made
