from typing import NamedTuple

from tunewright.documents import Evidence
from tunewright.documents._data import flow, licence_note, licences, licences_told
from tunewright.documents._facts import (
    ARM,
    ARMS,
    Line,
    as_well,
    cite,
    compared,
    gap_unit,
    least,
    limits,
    lines,
    p_value,
    short,
    told,
    unmeasured,
    verdict,
)
from tunewright.documents._front import front_matter, hub_id, hub_licence
from tunewright.documents._templates import fill
from tunewright.documents._training import compute, took
from tunewright.nouns import Comparison


def model_card(evidence: Evidence) -> str:
    """Model card for the Hugging Face hub: what the model is for, made of, measured at, and blind to.

    Limits: repeats what the project file says of purpose, licence and origin; does not judge whether
    licences can be combined, and leaves the language out because nothing measures it.
    """
    lined = lines(evidence.report)
    return fill(
        "model_card.md.j2",
        e=evidence,
        front=front_matter(_front(evidence, lined)),
        verdict=verdict(evidence),
        lines=lined,
        arms=ARMS,
        arm=ARM,
        comparisons=[_compared(line, c) for line in lined for c in line.against.values()],
        as_well=[line for line in lined if any(c.measure == line.name for c in as_well(evidence.report))],
        limits=limits(evidence),
        unmeasured=unmeasured(evidence),
        licences_told=licences_told(evidence),
        licence_note=licence_note(evidence),
        flow=flow(evidence),
        took=took(evidence.model.facts, evidence.recipe, evidence.estimate),
        compute=compute(evidence.base, evidence.model.facts),
        told=told,
        short=short,
        cite=lambda digest: cite(evidence, digest),
    )


class _Compared(NamedTuple):
    label: str
    before: str
    difference: str
    unit: str
    p: str
    test: str
    verdict: str
    least: str
    n: int


def _compared(line: Line, c: Comparison) -> _Compared:
    unit = line.about.unit
    return _Compared(
        label=line.about.label + (" (lower is better)" if line.lower else ""),
        before=ARM[c.before],
        difference=compared(c, unit),
        unit=gap_unit(unit),
        p=p_value(c.p),
        test=c.test,
        verdict=c.verdict,
        least=least(c, unit),
        n=c.difference.n,
    )


def _front(evidence: Evidence, lined: list[Line]) -> dict[str, object]:
    base, model = evidence.base, evidence.model
    known = hub_licence(base.licence)
    sources = [hub_id(source.uri) for source in evidence.vetted.sources]
    return {
        "license": known,
        "license_name": base.licence if known == "other" else None,
        "base_model": hub_id(base.uri),
        "base_model_relation": "adapter" if hub_id(base.uri) else None,
        "library_name": "peft" if "peft" in model.made_with else None,
        "pipeline_tag": "text-generation",
        "tags": ["tunewright", evidence.recipe.trainer],
        "datasets": [name for name in sources if name],
        "model-index": _index(evidence, lined),
        "tunewright": {
            "base": base.uri,
            "base_licence": base.licence,
            "data_licences": licences(evidence),
            "model": model.digest,
            "dataset": evidence.vetted.digest,
            "report": evidence.report.digest,
            "policy": evidence.decision.policy,
        },
    }


def _index(evidence: Evidence, lined: list[Line]) -> list[dict[str, object]]:
    """The tuned model's own results. Speed is left out: it is the machine's, not the model's."""
    tasks: dict[str, list[dict[str, object]]] = {}
    for line in lined:
        measure = line.arms.get("tuned")
        if measure is None or not measure.n or line.name.startswith("speed."):
            continue
        task = "text-classification" if line.name.startswith("labels.") else "text-generation"
        report = evidence.report.digest
        metric = {
            "type": line.name.rpartition(".")[2],
            "name": line.about.label,
            "value": measure.value,
            "args": {"low": measure.low, "high": measure.high, "n": measure.n, "report": report},
        }
        tasks.setdefault(task, []).append(metric)
    name = f"held-out cases of {evidence.project}"
    held = {"type": f"{evidence.project}-cases", "name": name, "split": "test"}
    results = [{"task": {"type": task}, "dataset": dict(held), "metrics": m} for task, m in tasks.items()]
    return [{"name": evidence.model.name, "results": results}] if results else []
