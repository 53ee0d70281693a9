import json
import shutil
from functools import partial
from typing import Annotated

from tunewright.bases import find
from tunewright.errors import Refused
from tunewright.nouns import Dataset, Model, Progress, Report
from tunewright.project import Project
from tunewright.store import Step
from tunewright.trainers import trainers
from tunewright.verbs import Named, verb


@verb(reads=("recipe", "base"))
def tune(step: Step, project: Project, dataset: Annotated[Dataset, Named("vetted")]) -> Model:
    """Teach the base model what the dataset knows.

    Stopped half-way, the same command goes on from the last checkpoint and ends in the same bytes.

    Parameters:
    dataset: which vetted records to learn from

    Limits: one training seed; how much another seed would differ is not measured.
    """
    vetted = [r for r in project.ledger.all(Report) if r.about == "data" and r.subject == dataset.digest]
    if not vetted:
        raise Refused(f"the dataset {dataset.name!r} was never vetted", hint="tunewright vet")
    step.use(vetted[-1])
    recipe = step.use(project.recipe())
    trainers.check(recipe.trainer, dict(recipe.options), given=("system", "seed"))
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    out = project.work(step.work.key)
    steps = list[Progress]()
    records = list(project.records(dataset))
    train = trainers[recipe.trainer](
        found.folder, records, out, system=recipe.system, seed=recipe.seed, **recipe.options
    )
    for progress in train:
        steps.append(progress)
        project.tell(progress)
    step.afterwards(partial(shutil.rmtree, out, ignore_errors=True))  # the weights are kept as a blob
    step.save(recipe)
    step.save(found.base)
    made_with = out / "made_with.json"
    model = Model(
        name=project.settings.name,
        base=found.base.digest,
        recipe=recipe.digest,
        dataset=dataset.digest,
        weights=step.keep(out / "weights"),
        history=step.keep_nouns(steps),
        made_with=json.loads(made_with.read_text()) if made_with.exists() else {},
    )
    return step.save(model, "tuned")
