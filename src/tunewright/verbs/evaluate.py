import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import JsonValue

from tunewright.bases import find
from tunewright.nouns import (
    Arm,
    Case,
    Comparison,
    Curve,
    Dataset,
    Measure,
    Model,
    Noun,
    Plan,
    Progress,
    Recipe,
    Record,
    Report,
    Score,
)
from tunewright.project import Project
from tunewright.runtimes import runtimes
from tunewright.speaker import Speaker
from tunewright.stats import Statistic, compare, compare_statistic, macro_f1, mean, resampled, settle
from tunewright.store import Step
from tunewright.suites import suites
from tunewright.suites.labels import bare
from tunewright.verbs import Named, verb
from tunewright.verbs._prompting import Prompt, best_prompt

ARMS: tuple[Arm, ...] = get_args(Arm)
BEFORE: tuple[Arm, ...] = ("base", "prompted")
BETTER: dict[str, Literal["higher", "lower"]] = {
    "loss.nats_per_token": "lower",
    "resistance.over_abstained": "lower",
}


@verb(reads=("plan", "cases", "base"))
def evaluate(step: Step, project: Project, model: Annotated[Model, Named("tuned")]) -> Report:
    """Ask base, best-prompted base and tuned model the same frozen questions, and compare them pair by pair.

    Parameters:
    model: which tuned model to examine

    Limits: as good as the cases; one training seed; answers are greedy, one per case.
    """
    plan = step.use(project.plan())
    recipe = step.use(project.ledger.get(Recipe, model.recipe))
    cases = project.each_case()
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    place = project.work(step.work.key)
    for name in plan.suites:
        suites.check(name, {})
    runtimes.check(plan.runtime, dict(plan.options))
    plain = Prompt(system=recipe.system)
    base = runtimes[plan.runtime](found.folder, None, **plan.options)
    prompt = _remembered(place / "prompt.json", Prompt)
    dataset = step.use(project.ledger.get(Dataset, model.dataset))
    if prompt is None:
        prompt = best_prompt(base, list(project.records(dataset)), plan, plain, project.tell)
        _remember(place / "prompt.json", [prompt])
    given = {"abstain": recipe.abstain}
    scores = _examine(project, base, "base", plain, plan, cases, place, given)
    scores += _examine(project, base, "prompted", prompt, plan, cases, place, given)
    del base
    weights = project.ledger.blobs.path(model.weights)
    unseen = _unseen(cases, project.records(dataset), weights)
    if unseen:
        note = f"cases have labels that were never learnt: {', '.join(unseen)}"
        project.tell(Progress(label="evaluate tuned", done=0, note=note))
    tuned = runtimes[plan.runtime](found.folder, weights, **plan.options)
    scores += _examine(project, tuned, "tuned", plain, plan, cases, place, given)
    measures, comparisons = weigh(scores, cases)
    step.save(plan)
    step.afterwards(partial(shutil.rmtree, place, ignore_errors=True))  # it holds records' words
    report = Report(
        about="model",
        subject=model.digest,
        measures=tuple(measures),
        comparisons=comparisons,
        details=step.keep_nouns(scores),
        plugins=tuple(f"suites/{name}" for name in plan.suites),
        facts={
            "cases": len(cases),
            "prompt_tried": prompt.tried,
            "prompt_system": prompt.system,
            "prompt_shots": len(prompt.shots) // 2,
            "runtime": plan.runtime,
            "evaluated_before": sum(r.about == "model" for r in project.ledger.all(Report))
            + sum(curve.looks for curve in project.ledger.all(Curve)),
            **({"labels_unseen": dict[str, JsonValue](unseen)} if unseen else {}),
        },
    )
    return step.save(report, "evaluated")


def _unseen(cases: Sequence[Case], records: Iterable[Record], weights: Path) -> dict[str, int]:
    """Labels of the cases that no learnt record has, and how many cases have each."""
    asked = Counter(case.label for case in cases if case.label)
    if not asked:
        return {}
    if (head := weights / "labels.json").is_file():
        known = set(map(bare, json.loads(head.read_text(encoding="utf-8"))["label2id"]))
    else:
        known = {bare(r.label or r.turns[-1].content) for r in records if r.turns}
    return {label: n for label, n in sorted(asked.items()) if bare(label) not in known}


def _examine(
    project: Project,
    speaker: Speaker,
    arm: Arm,
    prompt: Prompt,
    plan: Plan,
    cases: Sequence[Case],
    place: Path,
    given: dict[str, str],
) -> list[Score]:
    """Every suite's scores for one arm; remembered, so that a killed evaluation does not ask again."""
    asked = [case.model_copy(update={"messages": prompt.before(case.messages)}) for case in cases]
    scores = list[Score]()
    for suite in plan.suites:
        memory = place / f"{arm}.{suite}.jsonl"
        if not memory.exists():
            fresh, asked_of = list[Score](), set[str]()
            label = f"evaluate {arm}: {suite}"
            takes = {name: said for name, said in given.items() if name in suites.options(suite)}
            for score in suites[suite](speaker, asked, arm=arm, max_tokens=plan.max_tokens, **takes):
                fresh.append(score)
                asked_of.add(score.case.partition("#")[0])  # a suite may ask a case in several ways
                project.tell(Progress(label=label, done=len(asked_of), total=len(cases)))
            project.tell(Progress(label=label, done=len(fresh), total=len(fresh)))
            _remember(memory, fresh)
        with memory.open(encoding="utf-8", newline="\n") as lines:
            scores += [Score.model_validate_json(line) for line in lines]
    return scores


def weigh(scores: Sequence[Score], cases: Sequence[Case]) -> tuple[list[Measure], tuple[Comparison, ...]]:
    """Every measure of every arm with its interval, and tuned against base and against prompted base."""
    values: dict[str, dict[Arm, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    said: dict[Arm, dict[str, str]] = defaultdict(dict)
    for score in scores:
        for name, value in score.values.items():
            values[f"{score.suite}.{name}"][score.arm][score.case] = value
        if score.suite == "labels":
            said[score.arm][score.case] = score.answer
    measures, comparisons = list[Measure](), list[Comparison]()
    for name, arms in values.items():
        measures += [mean(f"{name}.{arm}", list(arms[arm].values())) for arm in ARMS if arms[arm]]
        if name.startswith("speed."):
            continue  # a property of the machine at that moment, not a claim to test
        for arm in BEFORE:
            both = [case for case in arms[arm] if case in arms["tuned"]]
            if both:
                old, new = ([arms[a][case] for case in both] for a in (arm, "tuned"))
                comparisons.append(compare(name, (arm, old), ("tuned", new), BETTER.get(name, "higher")))
    _weigh_labels(said, {case.id: case.label for case in cases}, measures, comparisons)
    settled = settle(comparisons)
    return [*measures, *(c.difference for c in settled)], settled


def _weigh_labels(
    said: dict[Arm, dict[str, str]],
    gold: dict[str, str],
    measures: list[Measure],
    comparisons: list[Comparison],
) -> None:
    """Macro-F1, which is no mean over cases."""
    ids = sorted(said["tuned"])
    if not ids:
        return
    right = [gold[case] for case in ids]
    f1 = {arm: _f1(right, [said[arm][case] for case in ids]) for arm in ARMS if said[arm]}
    measures += [resampled(f"labels.macro_f1.{arm}", of, len(ids), "macro-F1") for arm, of in f1.items()]
    for arm in BEFORE:
        if arm in f1:
            comparisons.append(
                compare_statistic("labels.macro_f1", (arm, f1[arm]), ("tuned", f1["tuned"]), len(ids))
            )


def _f1(right: list[str], said: list[str]) -> Statistic:
    return lambda at: macro_f1([right[i] for i in at], [said[i] for i in at])


def _remember(path: Path, nouns: Sequence[Noun]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes("".join(noun.model_dump_json() + "\n" for noun in nouns).encode())
    fresh.replace(path)


def _remembered(path: Path, kind: type[Prompt]) -> Prompt | None:
    return kind.model_validate(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
