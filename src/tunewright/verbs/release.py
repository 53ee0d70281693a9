import shutil
from typing import Annotated

from tunewright.checks import checks
from tunewright.documents import Evidence, Kept, Limit, documents
from tunewright.errors import Refused
from tunewright.gate import decide
from tunewright.nouns import (
    Base,
    Dataset,
    Decision,
    Erasure,
    Finding,
    Model,
    Progress,
    Recipe,
    Release,
    Report,
)
from tunewright.project import Project
from tunewright.store import Step
from tunewright.suites import suites
from tunewright.verbs import Named, verb
from tunewright.verbs._history import plan_of
from tunewright.verbs._vetted import rights_of

FILES = {"model_card": "MODEL_CARD.md", "dataset_card": "DATASET_CARD.md", "page": "report.html"}


@verb(reads=("about", "policy", "erasures"))
def release(step: Step, project: Project, report: Annotated[Report, Named("evaluated")]) -> Release:
    """Let a model out if the policy allows it, with a model card, a dataset card and an HTML report.

    Copies of the documents are written to the folder `out`.

    Parameters:
    report: the evaluation that the decision rests on

    Limits: decides by the rules in tunewright.yaml; a rule that nobody wrote is not checked.
    """
    model = step.use(project.ledger.get(Model, report.subject))
    refuse_forgotten(project, model)
    vetted = step.use(project.ledger.get(Dataset, model.dataset))
    data_report = step.use([r for r in project.ledger.all(Report) if r.subject == vetted.digest][-1])
    policy = step.save(project.policy())
    decision = step.save(decide(policy, model.digest, (*data_report.measures, *report.measures)))
    if not decision.passed:
        raise Refused(
            "the policy does not let this model out:\n" + "\n".join(f"- {why}" for why in decision.broken),
            hint="mend data or recipe and run again, or change policy.release in tunewright.yaml and say why",
        )
    evidence = evidence_for(project, model, vetted, data_report, report, decision)
    blobs = {name: step.keep(documents[name](evidence)) for name in FILES}
    made = Release(
        name=model.name,
        model=model.digest,
        decision=decision.digest,
        report=report.digest,
        model_card=blobs["model_card"],
        dataset_card=blobs["dataset_card"],
        page=blobs["page"],
    )
    lay_out(project, made)
    return step.save(made, "latest")


def lay_out(project: Project, made: Release) -> None:
    """Copy a release's documents to the folder `out`, where people look for them."""
    project.out.mkdir(exist_ok=True)
    for name, file in FILES.items():
        shutil.copyfile(project.ledger.blobs.path(getattr(made, name)), project.out / file)


def evidence_for(
    project: Project, model: Model, vetted: Dataset, data_report: Report, report: Report, decision: Decision
) -> Evidence:
    """Everything that stands behind a decision, for documents to show."""
    ledger = project.ledger
    gathered = ledger.get(Dataset, vetted.parent or vetted.digest)
    used = (p.partition("/") for p in (*data_report.plugins, *report.plugins))
    about = {"checks": checks.about, "suites": suites.about}
    wanted = {e.seq: e for d in (model.digest, report.digest, data_report.digest) for e in ledger.history(d)}
    return Evidence(
        project=project.settings.name,
        summary=project.settings.summary,
        model=model,
        base=ledger.get(Base, model.base),
        recipe=ledger.get(Recipe, model.recipe),
        gathered=gathered,
        vetted=vetted,
        rejects=(*project.quarantine(gathered), *project.quarantine(vetted)),
        findings=tuple(Finding.model_validate_json(line) for line in ledger.blobs.lines(data_report.details)),
        data_report=data_report,
        report=report,
        scores=tuple(project.scores(report.details)),
        cases=tuple(project.each_case()),
        training=tuple(Progress.model_validate_json(line) for line in ledger.blobs.lines(model.history)),
        decision=decision,
        kept=tuple(
            Kept(r.origin.source, r.licence, len(r.messages), len(r.text)) for r in project.records(vetted)
        ),
        limits=tuple(Limit(f"{shelf}/{name}", *about[shelf](name)) for shelf, _, name in used),
        tallies=tuple(project.tallies(data_report)),
        rights=rights_of(project, vetted),
        estimate=plan_of(project, model),
        history=tuple(wanted[seq] for seq in sorted(wanted)),
    )


def refuse_forgotten(project: Project, model: Model) -> None:
    """Errors: `Refused` when the model still carries a person who was forgotten."""
    for erasure in project.ledger.all(Erasure):
        if model.digest in erasure.models:
            raise Refused(
                f"model {model.digest[:12]} has seen records of a person who asked to be forgotten",
                hint=erasure.retrain,
            )
