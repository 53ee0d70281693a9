"""The main job as a story: gather, vet, tune, evaluate, release. What is done already is not done again."""

from collections.abc import Iterator
from typing import NamedTuple

from tunewright.nouns import Dataset, Model, Noun, Release, Report
from tunewright.project import Project
from tunewright.verbs import Done
from tunewright.verbs.evaluate import evaluate
from tunewright.verbs.gather import gather
from tunewright.verbs.release import lay_out, release
from tunewright.verbs.tune import tune
from tunewright.verbs.vet import vet


class Chapter(NamedTuple):
    """One verb's part in the story."""

    verb: str
    noun: Noun
    before: int | None
    """Ledger entry that had done the same work, when nothing had to be done."""


def run(project: Project) -> Iterator[Chapter]:
    """From raw records to a released model, as tunewright.yaml describes it.

    Every step leaves its own entry; a step whose inputs are unchanged is skipped; a step that was killed
    goes on where it can. Stops with `Refused` when the policy says no.
    """
    done = gather.do(project)
    yield _chapter("gather", done)
    assert isinstance(done.noun, Dataset)
    done = vet.do(project, done.noun)
    yield _chapter("vet", done)
    assert isinstance(done.noun, Dataset)
    done = tune.do(project, done.noun)
    yield _chapter("tune", done)
    assert isinstance(done.noun, Model)
    done = evaluate.do(project, done.noun)
    yield _chapter("evaluate", done)
    assert isinstance(done.noun, Report)
    done = release.do(project, done.noun)
    assert isinstance(done.noun, Release)
    if done.before is not None:
        lay_out(project, done.noun)  # somebody may have cleaned up the copies
    yield _chapter("release", done)


def _chapter(verb: str, done: Done) -> Chapter:
    return Chapter(verb, done.noun, done.before)
