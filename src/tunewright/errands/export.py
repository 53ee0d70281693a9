import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from tunewright.bases import find
from tunewright.errands import _hub, _proof, _words
from tunewright.errors import Exhausted, Refused, full
from tunewright.exports import exports, precise, rounds
from tunewright.nouns import Base, Dataset, Export, Model, Progress, Recipe
from tunewright.project import Project
from tunewright.store import Step, hash_path
from tunewright.verbs import Named, verb
from tunewright.verbs.release import refuse_forgotten


@verb(reads=("plan", "erasures"), repeats=True)
def export(
    step: Step,
    project: Project,
    model: Annotated[Model, Named("tuned")],
    to: str = "merged",
    precision: str = "",
    prompts: int = 20,
    at_least: float = 0.0,
    push: str = "",
) -> Export:
    """Write a tuned model in a format that others read, and prove that it still says the same.

    The files go to `out/exports/`. Golden prompts, the project's own cases, are then answered by the tuned
    model and by the export as it was loaded from those files, by every engine that is installed here: the
    runtime of the evaluation, and llama.cpp or ONNX Runtime in a process of their own. Every difference is
    listed. An export that does not hold is refused and its files are deleted: when nothing was rounded and
    the answers share less than 0.95 of their words; or, where the runtime can tell, when the tuned model's
    answers surprise the export by more than 0.01 nats a token (1 nat when you chose a precision that rounds).

    Parameters:
    model: which tuned model
    to: format: merged, adapter, gguf, onnx
    precision: how numbers are written, such as float32, bfloat16, F16 or Q8_0; empty for the format's own
    prompts: how many golden prompts to ask
    at_least: smallest mean overlap of words (token F1, 0 to 1) with the tuned model; 0 for the format's own
    push: owner/name of a repository of the Hugging Face hub; it is made private

    Limits: a few dozen greedy answers show that nothing broke, not that quality is the same; to know that,
    evaluate the export. Questions are the cases the policy was decided on. Files in `out/exports` are not
    deleted by `forget`.
    """
    refuse_forgotten(project, model)
    precision = precise(to, precision)
    recipe = step.use(project.ledger.get(Recipe, model.recipe))
    base = step.use(project.ledger.get(Base, model.base))
    plan = step.use(project.plan())
    if push:
        _hub.ready(push)
    records = project.records(step.use(project.ledger.get(Dataset, model.dataset)))
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    weights = project.ledger.blobs.path(model.weights)
    asked = _proof.golden(project, records, recipe.system, prompts)
    name = f"{to}-{precision}" if precision else to
    place = project.out / "exports" / name
    options = {"precision": precision} if precision else {}
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=place.parent, prefix=f".{name}.") as temporary:
            fresh, cache = Path(temporary) / name, Path(temporary) / "unpacked"
            fresh.mkdir()
            project.tell(Progress(label=f"export {name}", done=0, total=1))
            clock = time.monotonic()
            artefact = exports[to](
                found.folder,
                weights,
                fresh,
                system=recipe.system,
                name=project.settings.name,
                origin=base.uri,
                **options,
            )
            (fresh / "README.md").write_text(_words.readme(project, model, base, to, artefact.name), "utf-8")
            written = time.monotonic() - clock
            project.tell(Progress(label=f"export {name}", done=1, total=1))
            wanted = _proof.tuned(found.folder, weights, asked, plan, project.tell)
            proofs, differences, warnings = _proof.prove(
                project, found.folder, artefact, asked, wanted, plan, cache
            )
            if broken := _proof.broken(proofs, rounds(precision), at_least):
                raise Refused(
                    f"the export {name} does not say what the tuned model says:\n"
                    + "\n".join(f"- {why}" for why in broken)
                    + f"\n- cases: {', '.join(dict.fromkeys(d.case for d in differences))[:300]}",
                    hint=_words.instead(to, precision),
                )
            took = {
                "export_seconds": round(written, 1),
                "proof_seconds": round(time.monotonic() - clock - written, 1),
            }
            files = {p.relative_to(fresh).as_posix(): p for p in sorted(fresh.rglob("*")) if p.is_file()}
            made = Export(
                name=name,
                model=model.digest,
                format=to,
                precision=precision,
                folder=project.name(place),
                loaded="." if artefact == fresh else artefact.relative_to(fresh).as_posix(),
                files={file: hash_path(path) for file, path in files.items()},
                bytes=sum(path.stat().st_size for path in files.values()),
                prompts=len(asked),
                identical=len(asked) - len({d.case for d in differences}),
                proofs=tuple(proofs),
                differences=step.keep_nouns(differences),
                warnings=tuple(warnings + _words.warnings(project, model, precision, fresh, differences)),
                facts={**took},
            )
            shutil.rmtree(place, ignore_errors=True)
            fresh.replace(place)
    except OSError as error:
        if full(error):
            raise Exhausted("the disk is full while exporting", hint="free some disk space") from error
        raise
    if push:
        made = made.model_copy(
            update={"pushed": _hub.push(push, place, f"{name} of model {model.digest[:12]}")}
        )
    return step.save(made, name)
