from collections import Counter

from tunewright.documents import Evidence
from tunewright.documents._data import bare, flow, found, licences, licences_told, unfound
from tunewright.documents._facts import cite, limits, lines, short, told
from tunewright.documents._front import front_matter, hub_id, hub_licence, size_category
from tunewright.documents._templates import fill
from tunewright.nouns import Source

PLACES = 5
"""How many places of rows that could not be read are named for each reason."""


def dataset_card(evidence: Evidence) -> str:
    """Dataset card for the Hugging Face hub: sources and rights, what was found, what became of every record.

    Limits: believes what the project file says of licence, origin and basis; never quotes a record, so it
    cannot show what the data are like; annotators are not known to it.
    """
    rows = found(evidence)
    return fill(
        "dataset_card.md.j2",
        e=evidence,
        front=front_matter(_front(evidence)),
        flow=flow(evidence),
        found=rows,
        unfound=unfound(evidence, rows),
        licences_told=licences_told(evidence),
        rows=_rows(evidence),
        places=_places(evidence),
        limits=[limit for limit in limits(evidence) if limit.plugin in evidence.data_report.plugins],
        measures=[m for m in evidence.data_report.measures if m.name.startswith("vet.")],
        planted=[m for m in evidence.data_report.measures if m.name.startswith(("canary.", "audit."))],
        languages=_counted(evidence, "language", "language"),
        preferences=_counted(evidence, "representation", "answers"),
        stated=_stated,
        told=told,
        short=short,
        cite=lambda digest: cite(evidence, digest),
    )


def _counted(evidence: Evidence, check: str, name: str) -> list[tuple[str, int]]:
    """Class to number of records, the most common first; empty when nobody looked."""
    counts = Counter[str]()
    for tally in evidence.tallies:
        if (tally.check, tally.name) == (check, name):
            counts.update(tally.counts)
    return counts.most_common()


def _stated(source: Source) -> list[tuple[str, str]]:
    """What is said of a source, besides what the table shows."""
    shown = {"name", "uri", "licence", "origin", "basis", "collected", "sha256"}
    values = ((name, getattr(source, name)) for name in type(source).model_fields if name not in shown)
    return [
        (name.replace("_", " "), ", ".join(value) if isinstance(value, tuple) else str(value))
        for name, value in values
        if value
    ]


def _front(evidence: Evidence) -> dict[str, object]:
    spdx = licences(evidence)
    names = list(dict.fromkeys(hub_licence(licence) for licence in spdx))
    labelled = any(line.name.startswith("labels.") for line in lines(evidence.report))
    sources = [hub_id(source.uri) for source in evidence.vetted.sources]
    return {
        "pretty_name": f"{evidence.project} ({evidence.vetted.name})",
        "license": names,
        "license_name": ", ".join(n for n in spdx if hub_licence(n) == "other") or None,
        "size_categories": [size_category(evidence.vetted.count)],
        "task_categories": ["text-classification"] if labelled else ["text-generation"],
        "source_datasets": [f"extended|{name}" for name in sources if name],
        "tags": ["tunewright"],
        "tunewright": {
            "dataset": evidence.vetted.digest,
            "report": evidence.data_report.digest,
            "spdx": spdx,
        },
    }


def _rows(evidence: Evidence) -> dict[str, tuple[int, int]]:
    """Received and kept rows of each source, when they were counted."""
    if not evidence.kept:
        return {}
    kept = Counter(record.source for record in evidence.kept)
    held = Counter(reject.origin.source for reject in evidence.rejects)
    return {s.name: (kept[s.name] + held[s.name], kept[s.name]) for s in evidence.vetted.sources}


def _places(evidence: Evidence) -> dict[str, str]:
    """Where the rows stand that could not become records, by reason. Never what they say."""
    found: dict[str, list[str]] = {}
    for reject in evidence.rejects:
        found.setdefault(bare(reject.reason), []).append(f"{reject.origin.file}:{reject.origin.line}")
    return {
        reason: ", ".join(at[:PLACES]) + (f" and {len(at) - PLACES} more" if len(at) > PLACES else "")
        for reason, at in found.items()
    }
