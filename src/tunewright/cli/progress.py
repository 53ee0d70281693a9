"""Progress on stderr: bars on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Live
from rich.table import Column

from tunewright.cli.render.words import clipped, duration, number, plain
from tunewright.nouns import Progress

EVERY = 5.0
"""Seconds between two lines about the same thing."""
WIDE = 100
"""Columns from which there is room for a longer bar."""
ROOM = 24
"""Columns for margins, gaps and the time that is left."""
SHOWN: dict[str, Callable[[float], str]] = {
    "loss": lambda value: f"loss {number(value)}",
    "held_out_loss": lambda value: f"held-out {number(value)}",
    "tokens_per_second": lambda value: f"{number(value)} tokens/s",
    "memory_gb": lambda value: f"{value:.1f} GB",
}
"""Which values are shown, the most telling first. The rest are for plots: they are in the history."""
LASTING = frozenset({"held_out_loss"})
"""Values that are told now and then and hold until the next."""
REMARKS = frozenset({"prepare", "tune"})
"""Labels whose notes are worth a line of their own, such as that the memory is full."""


class Bars:
    """A bar for every label, with the time that is left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Live | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, dict[str, float]] = {}
        self._said = set[str]()

    def tell(self, progress: Progress) -> None:
        """Move a bar. A remark stays above the bars."""
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
        if (said := remark(progress)) and said not in self._said:
            self._said.add(said)
            self._live.console.print(f"  {said}", style="dim", soft_wrap=True)
        progress = lasting(progress, self._last)
        if progress.label not in self._tasks:
            label = clipped(progress.label, 28)
            self._tasks[progress.label] = self._live.add_task(label, count="", note="", left="")
        longest = max(len(clipped(label, 28)) for label in self._tasks)
        room = self.console.width - ROOM - longest - len(count(progress))
        room -= 8 if self.console.width < WIDE else 24
        task = self._tasks[progress.label]
        if not said:
            self._live.update(task, note=note(progress, room=max(room, 12)))
        self._live.update(
            task,
            completed=progress.done,
            total=progress.total or None,
            count=count(progress),
            left="left" if progress.total else "",
        )

    def stop(self) -> None:
        """Take the bars away: something else is to be printed."""
        if self._live is not None:
            self._live.stop()
        self._live, self._tasks, self._last = None, {}, {}


class Lines:
    """A line at most every few seconds for each label, and one when it is done."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began: dict[str, tuple[float, float]] = {}
        self._last: dict[str, float] = {}
        self._held: dict[str, dict[str, float]] = {}
        self._said = set[str]()

    def tell(self, progress: Progress) -> None:
        """Print a line if it is time. A remark is printed at once."""
        now = time.monotonic()
        if said := remark(progress):
            if said not in self._said:
                self._said.add(said)
                self.console.print(f"{plain(progress.label)}  {said}", soft_wrap=True)
            return
        progress = lasting(progress, self._held)
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
        self._began, self._last, self._held = {}, {}, {}


def count(progress: Progress) -> str:
    """Such as `120/400`."""
    if not progress.total:
        return f"{progress.done:g}" if progress.done else ""
    return f"{progress.done:g}/{progress.total:g}"


def remark(progress: Progress) -> str:
    """What a training notes beside its numbers: not a step, but something to know."""
    numbers = progress.values and progress.label != "prepare"
    return plain(progress.note) if progress.label in REMARKS and not numbers else ""


def lasting(progress: Progress, held: dict[str, dict[str, float]]) -> Progress:
    """With the last known of those values that are told only now and then."""
    mine = held.setdefault(progress.label, {})
    values = mine | progress.values
    mine |= {name: value for name, value in progress.values.items() if name in LASTING}
    return progress.model_copy(update={"values": values})


def note(progress: Progress, *, room: int = 0) -> str:
    """The values and the note, such as `loss 1.23  held-out 1.31  310 tokens/s  2.4 GB`.

    Of what has no `room`, in letters, values are left out from the last one on; the note is cut.
    """
    said = [told(progress.values[name]) for name, told in SHOWN.items() if name in progress.values]
    if progress.note and not (said and progress.label in REMARKS):
        said.append(plain(progress.note))
    while room and len(said) > 1 and len("  ".join(said)) > room:
        said.pop()
    line = "  ".join(said)
    return clipped(line, room) if room and len(line) > room else line
