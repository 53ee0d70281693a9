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
    records = list(project.records(dataset))
    train = trainers[recipe.trainer](
        found.folder, records, out, system=recipe.system, seed=recipe.seed, **recipe.options
    )
    log = out / "history.jsonl"  # outlives the process, as the checkpoints do
    steps = list[Progress]()
    for line in log.read_text(encoding="utf-8").split("\n")[:-1] if log.exists() else ():
        _follow(steps, Progress.model_validate_json(line))
    log.write_text("".join(told.model_dump_json() + "\n" for told in steps), encoding="utf-8")
    with log.open("a", encoding="utf-8") as file:
        for progress in train:
            _follow(steps, progress)
            file.write(progress.model_dump_json() + "\n")
            file.flush()
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


def _follow(steps: list[Progress], progress: Progress) -> None:
    """Add a line of history. After a stop, what is done again takes the place of what was lost."""
    if steps and (steps[-1].label != progress.label or steps[-1].done >= progress.done):
        steps[:] = [s for s in steps if s.label != progress.label or s.done < progress.done]
    steps.append(progress)
