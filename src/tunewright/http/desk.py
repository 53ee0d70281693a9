"""The model in service: what the channel points at, loaded and compared with what was measured."""

import threading
from collections.abc import Sequence
from typing import NamedTuple

from tunewright.bases import find
from tunewright.errors import Refused, Tampered, TunewrightError
from tunewright.nouns import (
    Base,
    Case,
    Channel,
    Erasure,
    Message,
    Model,
    Plan,
    Recipe,
    Release,
    Report,
    Score,
)
from tunewright.project import Project
from tunewright.runtimes import Speaker, runtimes

REPLAYED = 3
"""Evaluated questions that are asked again before a release answers."""


class Served(NamedTuple):
    """A release that can answer."""

    release: Release
    recipe: Recipe
    plan: Plan
    """How it was measured: the same runtime, options and longest answer serve."""
    speaker: Speaker
    replayed: int
    """How many evaluated questions got the same answers again. 0: there was none that could be asked."""

    def before(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """A conversation as the model knows it: its system prompt in front, unless the client gave one."""
        return front(self.recipe, messages)


class Desk:
    """The release that a channel points at. Pointing it elsewhere takes effect with the next question."""

    def __init__(self, project: Project, channel: str) -> None:
        self.project = project
        self.channel = channel
        self._reading, self._loading = threading.Lock(), threading.Lock()
        self._seen = -1
        self._release: Release | None = None
        self._forgotten = ""
        self._served: Served | None = None
        self._fault: tuple[int, str, TunewrightError] | None = None

    def release(self) -> Release:
        """The release that should answer now: one small query, and a second when the ledger grew."""
        with self._reading:
            size, _ = self.project.ledger.root()
            if self._release is None or size != self._seen:
                pointed = self.project.ledger.get(Channel, self.channel)
                self._release = self.project.ledger.get(Release, pointed.release)
                marked = [e for e in self.project.ledger.all(Erasure) if self._release.model in e.models]
                self._forgotten = marked[-1].retrain if marked else ""
                self._seen = size
            return self._release

    def served(self) -> Served:
        """The release that should answer now, loaded.

        Errors: `Refused` when it does not answer as it was measured; asked again only when the ledger grew.
        """
        release = self.release()
        with self._loading:
            if self._served is not None and self._served.release == release:
                return self._served
            if self._fault and self._fault[:2] == (self._seen, release.digest):
                raise self._fault[2]
            self._served = None  # two models may not fit
            try:
                self._served = load(self.project, release)
            except TunewrightError as error:
                self._fault = self._seen, release.digest, error
                raise
            return self._served

    def state(self) -> dict[str, str | int]:
        """What there is to say about it, for who watches over the machine."""
        release = self.release()
        served = self._served if self._served and self._served.release == release else None
        status = "retrain" if self._forgotten else "ok" if served else "loading"
        if self._fault and self._fault[:2] == (self._seen, release.digest):
            status = "refused"
        told: dict[str, str | int] = {"status": status, "channel": self.channel, "release": release.digest}
        if self._forgotten:
            told["hint"] = f"the model has seen a person who was forgotten: {self._forgotten}"
        return told | ({"replayed": served.replayed} if served else {})


def load(project: Project, release: Release) -> Served:
    """A release, ready to answer, by the runtime and options that it was measured with.

    Errors: `Tampered` when its weights or its base are not what they were; `Refused` when it answers
    otherwise than when it was measured.
    """
    ledger = project.ledger
    model = ledger.get(Model, release.model)
    recipe = ledger.get(Recipe, model.recipe)
    report = ledger.get(Report, release.report)
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    measured = ledger.get(Base, model.base)
    if found.base.sha256 != measured.sha256:
        raise Tampered(
            f"the base model {recipe.base} on this machine is not the one that was tuned",
            hint="fetch the revision that the model card names, or tune again",
        )
    if not ledger.blobs.intact(model.weights):
        raise Tampered("the weights are not what they were", hint="tunewright verify")
    plan, cases = measured_with(project, report)
    speaker = runtimes[plan.runtime](found.folder, ledger.blobs.path(model.weights), **plan.options)
    scores = list(project.scores(report.details))
    return Served(release, recipe, plan, speaker, replay(speaker, recipe, plan, cases, scores))


def measured_with(project: Project, report: Report) -> tuple[Plan, list[Case]]:
    """The plan of an evaluation, and its cases when the file still holds the same."""
    for entry in project.ledger.history(report.digest)[:1]:
        plans = [noun for digest in entry.outputs if isinstance(noun := project.ledger.thing(digest), Plan)]
        same = project.cases().digest in entry.inputs
        return (plans or [project.plan()])[-1], project.each_case() if same else []
    return project.plan(), []


def replay(
    speaker: Speaker, recipe: Recipe, plan: Plan, cases: Sequence[Case], scores: Sequence[Score]
) -> int:
    """Ask a few evaluated questions again, the way users will be answered; returns how many.

    Errors: `Refused` when any greedy answer is not the one that was measured.

    Limits: three questions; none when the cases were changed after the evaluation.
    """
    known = {case.id: case for case in cases}
    asked = [s for s in scores if s.suite == "golden" and s.arm == "tuned" and s.case in known]
    chosen = asked[:: max(1, len(asked) // REPLAYED)][:REPLAYED]
    for score in chosen:
        conversation = front(recipe, known[score.case].messages)
        said = "".join(speaker.stream(conversation, max_tokens=plan.max_tokens))
        if said.strip() != score.answer.strip():
            raise Refused(
                f"case {score.case}: the release does not answer as it did when it was measured",
                hint="tunewright evaluate on this machine, then release again",
            )
    return len(chosen)


def front(recipe: Recipe, messages: Sequence[Message]) -> tuple[Message, ...]:
    """The recipe's system prompt before the messages, unless they bring one."""
    if not recipe.system or any(m.role == "system" for m in messages):
        return tuple(messages)
    return (Message(role="system", content=recipe.system), *messages)
