import json
import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from tunewright.bases import find
from tunewright.errors import Refused
from tunewright.nouns import Dataset, Model, Report
from tunewright.project import Project
from tunewright.store import Step
from tunewright.trainers import train
from tunewright.verbs import Named, verb
from tunewright.verbs._harden_fit import made_hard
from tunewright.verbs._history import History, planned
from tunewright.verbs._vetted import rights_of


@verb(reads=("recipe", "base", "hardening"))
def tune(step: Step, project: Project, dataset: Annotated[Dataset, Named("vetted")]) -> Model:
    """Teach the base model what the dataset knows.

    Stopped half-way, the same command goes on from the last checkpoint and ends in the same bytes. How it
    goes is shown on the page `out/training.html`, and to the trackers that `tune.track` names.

    Parameters:
    dataset: which vetted records to learn from

    Errors: `Refused` when the dataset was never vetted, or when licences forbid what it is meant for.

    Limits: one training seed; how much another seed would differ is not measured.
    """
    vetted = [r for r in project.ledger.all(Report) if r.about == "data" and r.subject == dataset.digest]
    if not vetted:
        raise Refused(f"the dataset {dataset.name!r} was never vetted", hint="tunewright vet")
    step.use(vetted[-1])
    recipe = step.use(project.recipe())
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    _allowed(project, dataset, found.base.licence)
    out = project.work(step.work.key)
    records = list(project.records(dataset))
    added, counts = made_hard(project, records, recipe, found.folder)
    earlier = {
        name: project.ledger.blobs.path(blob)
        for model in project.ledger.all(Model)
        if model.base == found.base.digest
        for name, blob in model.stages.items()
        if blob in project.ledger.blobs
    }
    told = train(recipe, found.folder, [*records, *added], out, earlier=earlier)
    estimate = planned(project, recipe, dataset)
    if estimate is not None:
        step.use(estimate)
    with History(project, out, found.base, recipe, dataset, estimate) as history:
        steps = history.follow(told)
        step.afterwards(partial(shutil.rmtree, out, ignore_errors=True))  # the weights are kept as a blob
        step.save(recipe)
        step.save(found.base)
        model = Model(
            name=project.settings.name,
            base=found.base.digest,
            recipe=recipe.digest,
            dataset=dataset.digest,
            weights=step.keep(out / "weights"),
            history=step.keep_nouns(steps),
            made_with=_said(out / "made_with.json"),
            stages={_said(at / "stage.json")["name"]: step.keep(at) for at in sorted(out.glob("stages/*/"))},
            facts={**_said(out / "facts.json"), **counts},
        )
        step.afterwards(partial(history.finished, model))
        return step.save(model, "tuned")


def _allowed(project: Project, dataset: Dataset, base: str) -> None:
    """Errors: `Refused` when licences forbid what the policy's `licence` check means the model for."""
    if project.settings.policy.vet.get("licence", "keep") == "keep":
        return
    rights = rights_of(project, dataset, base)
    if rights.verdict == "blocked":
        why = "; ".join(dict.fromkeys(f"{reason.ref}: {reason.says}" for reason in rights.blocks))
        raise Refused(
            f"licences forbid what the model is meant for: {why}",
            hint="choose another base model, or say what it is meant for in policy.options.licence "
            "(commercial, publish); docs/guides/licences.md",
        )


def _said(file: Path) -> Any:
    return json.loads(file.read_text("utf-8")) if file.exists() else {}
