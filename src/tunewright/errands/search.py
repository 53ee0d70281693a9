"""Which settings do better than the recipe's own."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

from pydantic import JsonValue

from tunewright.errands import _proposing, _reads, _space, _training
from tunewright.errors import BadInput
from tunewright.nouns import Dataset, Measure, Message, Plan, Record, Search, Space, Trial
from tunewright.project import Project
from tunewright.runtimes import runtimes
from tunewright.stats import resampled
from tunewright.store import Step, Work, software
from tunewright.verbs import Key, Named, verb

Losses = list[tuple[float, int]]
"""Nats and tokens of each conversation."""


@verb(reads=("recipe", "base", _reads.SPACE))
def search(
    step: Step, project: Project, dataset: Annotated[Dataset, Named("vetted")], trials: int = 12
) -> Search:
    """Look for settings that do better than the recipe's own, by trying some.

    Trial 0 is the recipe's own settings. The others are proposed by Optuna's tree-structured Parzen estimator
    (Bergstra and others 2011) within `tune.search` of tunewright.yaml, or learning rate, rank and epochs
    where nothing is said, and stopped early when they do worse than the median of those before (median
    pruner). Two twentieths of the conversations, each at least 20, are never learnt: the first chooses by its
    held-out loss; the second does not choose, so that what is measured on it is not too good for being the
    best of many. The evaluation cases are not touched.

    Each trial is an entry of the ledger. Stopped half-way, the same command goes on where it was, and
    proposes what it would have proposed; with more `trials` it adds to those before.

    Parameters:
    dataset: which vetted records to learn from
    trials: how many settings to try, with the recipe's own

    Errors: `BadInput` when there are fewer than 60 conversations, or nothing to vary; `Missing` without
    Optuna.

    Limits: one training seed; settings that differ by less than another seed would make are not told apart.
    What is best for this amount of data may not be best for more of it. Few trials of many options are luck.
    """
    if trials < 2:
        raise BadInput("a search takes at least two trials", hint="tunewright search --trials 12")
    _proposing.ready()
    study = _training.study(step, project, dataset, unseen=True)
    space, plan = step.use(_space.space(project)), step.use(project.plan())
    runtimes.check(plan.runtime, dict(plan.options))
    shared = _key("study", space, plan, (dataset.digest, study.recipe.digest, study.found.base.digest), {})
    tried = list[Trial]()
    for number in range(trials):
        best = min((one.loss for one in _complete(tried) if one.loss is not None), default=None)
        said = f"trial {number}" + (f", best so far {best:.3f}" if best is not None else "")
        _training.overall(project, "search", number, trials, said)
        if not number:
            options: dict[str, JsonValue] | None = _space.own(space, project)
        else:
            options = _proposing.proposed(space, tried, study.recipe.seed, number)
        if options is None:
            break  # every proposal has been tried: the space is small
        tried.append(step.use(_trial(project, study, dataset, space, plan, shared, tried, options)))
    _training.overall(project, "search", trials, trials, "")
    own, best_one = tried[0], min(_complete(tried), key=lambda one: (one.loss, one.number))
    measures = _compared(project, own, best_one)
    step.save(study.recipe)
    step.save(study.found.base)
    found = Search(
        dataset=dataset.digest,
        recipe=study.recipe.digest,
        base=study.found.base.digest,
        space=space.options,
        trials=tuple(one.digest for one in tried),
        tried=dict(sorted(Counter(one.state for one in tried).items())),
        best=best_one.number,
        options={**study.recipe.options, **best_one.options},
        measures=measures,
        held=len(study.held),
        per=study.per,
        unseen=len(study.unseen),
        sentence=_sentence(tried, best_one, measures, f"nats a {study.per}"),
    )
    return step.save(found, "search")


def _trial(
    project: Project,
    study: _training.Study,
    dataset: Dataset,
    space: Space,
    plan: Plan,
    shared: Key,
    before: Sequence[Trial],
    options: dict[str, JsonValue],
) -> Trial:
    """One trial: taken from the ledger when it was done, else trained, measured and entered there."""
    number = len(before)
    inputs = (dataset.digest, study.recipe.digest, study.found.base.digest)
    key = _key("trial", space, plan, inputs, {"number": number, "options": options})
    entry = project.ledger.done(key.digest)
    noun = project.ledger.thing(entry.outputs[-1]) if entry is not None else None
    if isinstance(noun, Trial):
        return noun
    out = project.work(key.digest)
    params: dict[str, JsonValue] = {"study": shared.digest, "number": number, "options": options}
    with project.ledger.step(Work("trial", key.digest, inputs), project.actor, params) as step:
        state: Literal["complete", "pruned", "failed"] = "complete"
        steps, note, details = list[float](), "", ""
        judge = _proposing.judge(space, before, study.recipe.seed, options) if number else None
        try:
            for loss in _training.losses(
                project, study, study.learn, out, f"trial {number}", changed=options
            ):
                steps.append(loss)
                if judge is not None and judge(loss, len(steps)):
                    state = "pruned"
                    break
        except BadInput as error:
            if not number:
                raise  # the recipe itself cannot be trained
            state, note = "failed", str(error)
        found = _training.facts(out, steps[-1]).loss if state == "complete" else steps[-1] if steps else None
        least = min((one.loss for one in _complete(before) if one.loss is not None), default=None)
        better = state == "complete" and found is not None and (least is None or found < least)
        if better and study.per == "token":  # what a runtime can measure
            speaker = runtimes[plan.runtime](study.found.folder, out / "weights", **plan.options)
            asked = [_conversation(study.recipe.system, record) for record in study.unseen]
            said = [(loss.nats, loss.tokens) for loss in speaker.loss([a for a in asked if a])]
            details = step.keep("".join(json.dumps(one) + "\n" for one in said))
        step.afterwards(partial(shutil.rmtree, out, ignore_errors=True))
        return step.save(
            Trial(
                study=shared.digest,
                number=number,
                options=options,
                state=state,
                loss=found,
                steps=tuple(steps),
                note=note,
                details=details,
            )
        )


def _key(verb: str, space: Space, plan: Plan, inputs: tuple[str, ...], more: dict[str, JsonValue]) -> Key:
    how: dict[str, JsonValue] = {"runtime": plan.runtime, "runtime_options": plan.options}
    return Key(verb=verb, params={"space": space.options, **how, **more}, inputs=inputs, software=software())


def _complete(tried: Sequence[Trial]) -> list[Trial]:
    return [one for one in tried if one.state == "complete"]


def _conversation(system: str, record: Record) -> list[Message]:
    """As it is learnt; nothing when it does not end with an answer."""
    if not record.messages or record.messages[-1].role != "assistant":
        return []
    before = (
        [Message(role="system", content=system)] if system and record.messages[0].role != "system" else []
    )
    return [*before, *record.messages]


def _compared(project: Project, own: Trial, best: Trial) -> tuple[Measure, ...]:
    """The recipe's own settings and the best, on the conversations that did not choose."""
    mine, theirs = (_read(project, one) for one in (own, best))
    if not mine or len(mine) != len(theirs):
        return ()
    what = "nats per token of conversations that did not choose"

    def told(name: str, nats: list[float]) -> Measure:
        tokens = [count for _, count in mine]
        return resampled(
            name,
            lambda at: sum(nats[i] for i in at) / max(1, sum(tokens[i] for i in at)),
            len(mine),
            what,
        )

    return (
        told("search.own_loss", [nats for nats, _ in mine]),
        told("search.best_loss", [nats for nats, _ in theirs]),
        told("search.change", [new - old for (old, _), (new, _) in zip(mine, theirs, strict=True)]),
    )


def _read(project: Project, trial: Trial) -> Losses:
    lines = project.ledger.blobs.lines(trial.details) if trial.details else iter(())
    return [(float(nats), int(tokens)) for nats, tokens in map(json.loads, lines)]


def _sentence(tried: Sequence[Trial], best: Trial, measures: Sequence[Measure], unit: str) -> str:
    k = len(tried)
    if not best.number:
        return f"of {k} settings that were tried, none did better than the recipe's own"
    change = next((m for m in measures if m.name == "search.change"), None)
    assert best.loss is not None
    assert tried[0].loss is not None
    chose = f"{tried[0].loss - best.loss:.3f} {unit} below the recipe's own where it was chosen"
    if change is None:
        return f"trial {best.number} of {k} is {chose}"
    fair = f"{-change.value:.3f} ({-change.high:.3f} to {-change.low:.3f})"
    if change.high < 0:
        return f"trial {best.number} of {k} lowers the held-out loss by {fair} {unit}"
    return (
        f"trial {best.number} of {k} is {chose}, but where it was not chosen that does not show: "
        f"lower by {fair}"
    )
