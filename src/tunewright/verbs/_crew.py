"""Processes that help with vetting, and what happens when a check takes one of them down."""

import os
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from tunewright.errors import Exhausted
from tunewright.nouns import Finding
from tunewright.verbs import _worker
from tunewright.verbs._worker import Wanted

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""The processes share the processors already."""

T = TypeVar("T")

Rows = list[list[str]]
All = tuple[dict[str, str], str]


class Crew:
    """`size` processes, or none but this one when `size` is 1."""

    def __init__(self, size: int, given: str) -> None:
        self.size = size
        self.given = given
        """File with what checks are given."""

    def each(self, lines: Sequence[str], wanted: Sequence[Wanted]) -> "Future[Rows]":
        """Start looking at these records."""
        if self.size > 1:
            future: Future[Rows] = self._pool().submit(_worker.each, list(lines), list(wanted), self.given)
            return future
        return _done(_worker.each(lines, wanted, self.given))

    def whole(self, path: str, count: int, wanted: Wanted, kept: str) -> "Future[All]":
        """Start a check that needs all records."""
        if self.size > 1:
            future: Future[All] = self._pool().submit(_worker.whole, path, count, wanted, self.given, kept)
            return future
        return _done(_worker.whole(path, count, wanted, self.given, kept))

    def rows(self, future: "Future[Rows]", lines: Sequence[str], wanted: Sequence[Wanted]) -> Rows:
        """What was seen. When a check took its process down, the record that did it is found as `crashed`."""
        try:
            return future.result()
        except BrokenProcessPool:
            return self._carefully(lines, wanted)

    def all(self, future: "Future[All]", path: str, count: int, wanted: Wanted, kept: str) -> All:
        """As `rows`, for a check that needs all records. Errors: `Exhausted` when it dies twice."""
        try:
            return future.result()
        except BrokenProcessPool:
            try:
                return self.whole(path, count, wanted, kept).result()
            except BrokenProcessPool:
                raise Exhausted(
                    f"the check {wanted.name} was killed while it looked at {count:,} records",
                    hint="give it more memory, or take it out of policy.vet",
                ) from None

    def close(self) -> None:
        """Let the processes go."""
        if self.size > 1:
            self._pool().shutdown(wait=True)

    def _pool(self) -> "ProcessPoolExecutor":
        from loky import get_reusable_executor

        return get_reusable_executor(max_workers=self.size, timeout=30, env={**ONE_THREAD, **_ours()})

    def _carefully(self, lines: Sequence[str], wanted: Sequence[Wanted]) -> Rows:
        """Half by half and check by check, until what is left alone is what kills."""
        try:
            return self.each(lines, wanted).result()
        except BrokenProcessPool:
            if len(lines) > 1:
                half = len(lines) // 2
                return self._carefully(lines[:half], wanted) + self._carefully(lines[half:], wanted)
            if len(wanted) > 1:
                parts = [self._carefully(lines, [one])[0][0] for one in wanted]
                return [parts]
            name = wanted[0].name
            note = f"the check {name} took its process down on this record"
            crashed = Finding(check=name, what="crashed", record="-", severity="high", note=note)
            return [[_worker.packed([crashed])]]


def processors() -> int:
    """How many processes may work at once: `TUNEWRIGHT_WORKERS`, else one a processor."""
    asked = os.environ.get("TUNEWRIGHT_WORKERS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ours() -> dict[str, str]:
    """How the processes find this package when it is not installed."""
    path = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": path} if path else {}


def _done(value: T) -> "Future[T]":
    future: Future[T] = Future()
    future.set_result(value)
    return future
