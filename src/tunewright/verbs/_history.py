"""A training's history: kept line by line as it goes, shown on a page, and told to trackers."""

import os
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal

from pydantic import JsonValue

from tunewright.documents import Course, documents
from tunewright.errors import TunewrightError
from tunewright.nouns import Base, Dataset, Estimate, Model, Progress, Recipe
from tunewright.project import Project
from tunewright.trackers import Run, Tracker, trackers

EVERY = 10.0
"""Seconds between two versions of the page."""
PAGE = "training.html"

State = Literal["going on", "stopped", "failed", "finished"]


class History:
    """Everything that is told about one training, as a context: leaving it says how the training ended.

    The lines outlive the process in `history.jsonl` beside the checkpoints, so that a training that goes on
    has one history. Only a fault in writing it stops the training; a tracker that fails is left out.
    """

    def __init__(
        self,
        project: Project,
        out: Path,
        base: Base,
        recipe: Recipe,
        dataset: Dataset,
        estimate: Estimate | None,
    ) -> None:
        self.project, self.estimate = project, estimate
        self._of = (base, recipe, dataset)
        self._log = out / "history.jsonl"
        self.steps = list[Progress]()
        for line in self._log.read_text("utf-8").split("\n")[:-1] if self._log.exists() else ():
            follow(self.steps, Progress.model_validate_json(line))
        whole = self._log.with_suffix(".new")  # what was told twice is left out; a kill here loses nothing
        whole.write_text("".join(step.model_dump_json() + "\n" for step in self.steps), "utf-8")
        os.replace(whole, self._log)
        self._remarks = list[str]()
        self._began, self._shown = time.monotonic(), 0.0
        self._first: tuple[float, float] | None = None
        self._model: Model | None = None
        self._trackers = dict[str, Tracker]()
        plugins = {name: trackers[name] for name in dict.fromkeys(project.settings.tune.track)}
        run = _run(project, out, base, recipe, dataset)
        for name, plugin in plugins.items():
            self._try(name, partial(self._open, name, plugin, run))

    def __enter__(self) -> "History":
        self._show("going on")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._end("stopped")
        elif error is not None:
            # a foreign message may hold words of a record
            why = str(error) if isinstance(error, TunewrightError) else getattr(kind, "__name__", "")
            self._end("failed", why)

    def follow(self, told: Iterable[Progress]) -> list[Progress]:
        """Hear a training to its end. Errors: `KeyboardInterrupt` saying where it stopped."""
        with ExitStack() as stack:
            file = stack.enter_context(self._log.open("a", encoding="utf-8"))
            if isinstance(told, Generator):
                stack.callback(told.close)  # a trainer that is closed leaves a checkpoint
            try:
                for progress in told:
                    follow(self.steps, progress)
                    file.write(progress.model_dump_json() + "\n")
                    file.flush()
                    self.project.tell(progress)
                    if self._first is None and progress.label == "tune":
                        self._first = time.monotonic(), progress.done
                    for name, tracker in list(self._trackers.items()):
                        self._try(name, partial(tracker.tell, progress))
                    if time.monotonic() - self._shown >= EVERY:
                        self._show("going on")
            except KeyboardInterrupt:
                raise KeyboardInterrupt(self._where(), "tunewright tune goes on from there") from None
        return self.steps

    def finished(self, model: Model) -> None:
        """It is done, and this came of it."""
        self._model = model
        self._end("finished")

    # ── the page ────────────────────────────────────────────────────────────────────────────────

    def _show(self, state: State, why: str = "") -> None:
        base, recipe, dataset = self._of
        facts = dict(self._model.facts) if self._model else {}
        page = documents["training"](
            Course(
                project=self.project.settings.name,
                base=base,
                recipe=recipe,
                dataset=dataset,
                steps=tuple(self.steps),
                state=state,
                written=datetime.now(UTC),
                facts=facts,
                elapsed=time.monotonic() - self._began,
                left=self._left() if state == "going on" else None,
                why=why,
                remarks=tuple(self._remarks),
                estimate=self.estimate,
                model=self._model.digest if self._model else "",
            )
        )
        self.project.out.mkdir(parents=True, exist_ok=True)
        fresh = self.project.out / f".{PAGE}"
        fresh.write_text(page, "utf-8")
        os.replace(fresh, self.project.out / PAGE)
        self._shown = time.monotonic()

    def _left(self) -> float | None:
        """Seconds, at the speed since this process's first step."""
        last = self._last()
        if self._first is None or last is None or last.done <= self._first[1]:
            return None
        pace = (time.monotonic() - self._first[0]) / (last.done - self._first[1])
        return pace * max(0.0, last.total - last.done)

    def _last(self) -> Progress | None:
        return next((s for s in reversed(self.steps) if s.label == "tune" and s.total), None)

    def _where(self) -> str:
        last = self._last()
        if last is None or not last.done:
            return "stopped before the first step"
        return f"stopped after step {last.done:g} of {last.total:g}"

    def _end(self, state: State, why: str = "") -> None:
        model = self._model
        facts: dict[str, JsonValue] = {"model": model.digest, **model.facts} if model else {}
        for name, tracker in list(self._trackers.items()):
            self._try(name, partial(tracker.close, facts))
        self._show(state, why)

    # ── trackers ────────────────────────────────────────────────────────────────────────────────

    def _open(self, name: str, plugin: Callable[[Path, Run], Tracker], run: Run) -> None:
        self._trackers[name] = plugin(self.project.out / name, run)

    def _try(self, name: str, act: Callable[[], None]) -> None:
        """A tracker that fails is left out from then on. Errors: ours, such as `Missing`."""
        try:
            act()
        except TunewrightError:
            raise
        except Exception as error:  # whatever a foreign library raises; its message may hold a password
            self._trackers.pop(name, None)
            said = f"the tracker {name} failed ({type(error).__name__}): training goes on without it"
            self._remarks.append(said)
            last = self._last()
            done, total = (last.done, last.total) if last else (0.0, 0.0)
            self.project.tell(Progress(label="tune", done=done, total=total, note=said))


def follow(steps: list[Progress], progress: Progress) -> None:
    """Add a line of history. After a stop, what is done again takes the place of what was lost.

    A note that is told between two steps stands beside the step before it.
    """

    def lost(step: Progress) -> bool:
        again = step.done == progress.done and step.note == progress.note
        return step.label == progress.label and (step.done > progress.done or again)

    if steps and (steps[-1].label != progress.label or steps[-1].done >= progress.done):
        steps[:] = [step for step in steps if not lost(step)]
    steps.append(progress)


def planned(project: Project, recipe: Recipe, dataset: Dataset) -> Estimate | None:
    """The last plan for just this training."""
    plans = project.ledger.all(Estimate)
    return next(
        (p for p in reversed(plans) if (p.recipe, p.dataset) == (recipe.digest, dataset.digest)), None
    )


def plan_of(project: Project, model: Model) -> Estimate | None:
    """The plan that a model's training was held against."""
    for entry in project.ledger.entries():
        if model.digest in entry.outputs:
            found = [project.ledger.thing(digest) for digest in entry.inputs]
            return next((thing for thing in found if isinstance(thing, Estimate)), None)
    return None


def _run(project: Project, out: Path, base: Base, recipe: Recipe, dataset: Dataset) -> Run:
    what: dict[str, JsonValue] = {"base": base.uri, "trainer": recipe.trainer, "seed": recipe.seed}
    return Run(
        name=f"{project.settings.name}-{out.name}",
        project=project.settings.name,
        key=out.name,
        params={**what, **recipe.options},
        tags={"base": base.digest, "recipe": recipe.digest, "dataset": dataset.digest},
    )
