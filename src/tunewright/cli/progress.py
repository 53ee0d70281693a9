"""Progress on stderr: bars on a terminal, a line now and then elsewhere."""

import time

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Live
from rich.table import Column

from tunewright.cli.render.words import clipped, duration, plain
from tunewright.nouns import Progress

EVERY = 5.0
"""Seconds between two lines about the same thing."""
WIDE = 100
"""Columns from which there is room for a longer bar."""


class Bars:
    """A bar for every label, with the time that is left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Live | None = None
        self._tasks: dict[str, TaskID] = {}

    def tell(self, progress: Progress) -> None:
        """Move a bar."""
        if self._live is None:
            self._live = Live(
                TextColumn("  {task.description}", markup=False, table_column=Column(no_wrap=True)),
                BarColumn(bar_width=8 if self.console.width < WIDE else 24),
                TextColumn("{task.fields[count]}", style="cyan", table_column=Column(no_wrap=True)),
                TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
                TextColumn("{task.fields[left]}", table_column=Column(no_wrap=True)),
                TextColumn("{task.fields[note]}", style="dim", markup=False),
                console=self.console,
                transient=True,
                refresh_per_second=4,
            )
            self._live.start()
        if progress.label not in self._tasks:
            label = clipped(progress.label, 28)
            self._tasks[progress.label] = self._live.add_task(label, count="", note="", left="")
        self._live.update(
            self._tasks[progress.label],
            completed=progress.done,
            total=progress.total or None,
            count=count(progress),
            left="left" if progress.total else "",
            note=clipped(note(progress), max(self.console.width - 60, 12)),
        )

    def stop(self) -> None:
        """Take the bars away: something else is to be printed."""
        if self._live is not None:
            self._live.stop()
        self._live, self._tasks = None, {}


class Lines:
    """A line at most every few seconds for each label, and one when it is done."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began: dict[str, tuple[float, float]] = {}
        self._last: dict[str, float] = {}

    def tell(self, progress: Progress) -> None:
        """Print a line if it is time."""
        now = time.monotonic()
        began, already = self._began.setdefault(progress.label, (now, progress.done))
        finished = bool(progress.total) and progress.done >= progress.total
        quiet = now - self._last.setdefault(progress.label, now) < EVERY
        if (now - began < EVERY) if finished else quiet:
            return
        self._last[progress.label] = now
        parts = [plain(progress.label), count(progress)]
        if finished:
            parts.append(f"done in {duration(now - began)}")
            self._began.pop(progress.label)
        elif progress.total and progress.done > already:
            left = (now - began) / (progress.done - already) * (progress.total - progress.done)
            parts.append(f"{duration(left)} left")
        self.console.print("  ".join(p for p in (*parts, note(progress)) if p), soft_wrap=True)

    def stop(self) -> None:
        """Forget what was said."""
        self._began, self._last = {}, {}


def count(progress: Progress) -> str:
    """Such as `120/400`."""
    if not progress.total:
        return f"{progress.done:g}" if progress.done else ""
    return f"{progress.done:g}/{progress.total:g}"


def note(progress: Progress) -> str:
    """The note and the values, such as `loss 1.23  310 tokens/s`."""
    said = list[str]()
    for name, value in progress.values.items():
        thing, per, what = name.partition("_per_")
        said.append(f"{value:.3g} {thing}/{what[0]}" if per and what else f"{name} {value:.3g}")
    return "  ".join([*said, *([plain(progress.note)] if progress.note else [])])
