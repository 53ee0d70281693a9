"""Personal data: the check `personal` beside Presidio, in one run, on the same texts, by CPU time.

    python benchmarks/_personal.py --data FOLDER [--quick]

FOLDER holds `pii/presidio_research/*.json`, `pii/tab/*.jsonl`, `pii/datafog/*.json` and
`text/self_instruct/*.jsonl`; what is not there is left out and named. Both sides take turns, a few texts
each, so that a busy machine is unfair to neither. Presidio is `AnalyzerEngine.analyze` as it comes, with
spaCy's middle English model. The last line is one JSON object.

How it is scored. Overlapping answers are resolved alike for everybody: highest score, then longest. A hit has
the same type and an intersection over union of at least 0.5; every answer is used once. Street addresses,
places and postcodes are one type, as in Presidio's own mapping. A corpus scores the types that it marks. F2
weighs recall twice, because what is overlooked stays in the data. `binary` asks of every character only
whether it is personal (organisations, titles and nationalities left out). `masked` is, on court cases, the
share of mentions of which at least 90 % is covered by answers of any type, direct identifiers apart; a form
of address before a name ("Mr") names nobody and is not counted.
"""

import argparse
import ast
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunewright.checks.personal import personal
from tunewright.nouns import Message, Origin, Record


class Mark(NamedTuple):
    """A span of one type; `score` is the finder's confidence."""

    start: int
    end: int
    kind: str
    score: float = 1.0


class Row(NamedTuple):
    """One text with what people marked in it. `weight` is DIRECT, QUASI or NO_MASK on court cases."""

    text: str
    gold: list[Mark]
    weights: list[str]


Finder = Callable[[Sequence[str]], list[list[Mark]]]

OURS = {
    **{"name": "PERSON", "address": "LOCATION", "place": "LOCATION", "postcode": "LOCATION"},
    **{"organisation": "ORG", "nationality": "NRP", "date": "DATE", "birth_date": "DATE", "age": "AGE"},
    **{"phone": "PHONE", "email": "EMAIL", "url": "URL", "handle": "URL", "card": "CARD", "iban": "IBAN"},
    **{"ip": "IP", "national_id": "ID", "identifier": "CODE", "medical_id": "MEDICAL", "wallet": "CRYPTO"},
    **{"vehicle": "CODE", "device": "DEVICE", "special_category": "ART9", "title": "TITLE"},
}
PRESIDIO = {
    **{"PERSON": "PERSON", "LOCATION": "LOCATION", "ORGANIZATION": "ORG", "NRP": "NRP", "DATE_TIME": "DATE"},
    **{"PHONE_NUMBER": "PHONE", "EMAIL_ADDRESS": "EMAIL", "URL": "URL", "CREDIT_CARD": "CARD"},
    **{"IBAN_CODE": "IBAN", "IP_ADDRESS": "IP", "CRYPTO": "CRYPTO", "MAC_ADDRESS": "DEVICE"},
    **{"US_SSN": "ID", "US_DRIVER_LICENSE": "ID", "US_PASSPORT": "ID", "US_ITIN": "ID", "UK_NINO": "ID"},
    **{"US_BANK_NUMBER": "CODE", "MEDICAL_LICENSE": "MEDICAL", "UK_NHS": "MEDICAL", "US_NPI": "MEDICAL"},
    **{"US_MBI": "MEDICAL"},
}
SYNTH = {
    **{"PERSON": "PERSON", "STREET_ADDRESS": "LOCATION", "GPE": "LOCATION", "ZIP_CODE": "LOCATION"},
    **{"ORGANIZATION": "ORG", "CREDIT_CARD": "CARD", "DATE_TIME": "DATE", "PHONE_NUMBER": "PHONE"},
    **{"AGE": "AGE", "NRP": "NRP", "EMAIL_ADDRESS": "EMAIL", "DOMAIN_NAME": "URL", "IBAN_CODE": "IBAN"},
    **{"US_SSN": "ID", "US_DRIVER_LICENSE": "ID", "IP_ADDRESS": "IP"},
}
COURT = {"PERSON": "PERSON", "CODE": "CODE", "LOC": "LOCATION", "ORG": "ORG", "DATETIME": "DATE"}
TITLED = re.compile(r"(?:Mrs?|Ms|Miss|Dr|Prof)\b\.? ")
NOT_PERSONAL = {"ORG", "NRP", "TITLE", "ART9", "DEM", "MISC", "QUANTITY"}
"""Not counted either way when characters are; the last three are what court cases mark beside persons."""


# ── corpora ─────────────────────────────────────────────────────────────────────────────────────


def synthetic(data: Path) -> list[Row]:
    """Sentences with made-up data (presidio-research)."""
    rows = []
    for file in sorted((data / "pii/presidio_research").glob("*.json")):
        for one in json.loads(file.read_text(encoding="utf-8")):
            spans = [
                Mark(s["start_position"], s["end_position"], SYNTH[s["entity_type"]])
                for s in one["spans"]
                if s["entity_type"] in SYNTH
            ]
            rows.append(Row(one["full_text"], spans, []))
    return rows


def court(data: Path) -> list[Row]:
    """Judgments with every mention marked (Text Anonymization Benchmark); all types are kept."""
    rows = []
    for file in sorted((data / "pii/tab").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            found = one["entities"]
            while isinstance(found, str):
                found = ast.literal_eval(found)
            spans = [
                Mark(e["start_offset"], e["end_offset"], COURT.get(e["entity_type"], e["entity_type"]))
                for e in found
            ]
            rows.append(Row(one["text"], spans, [e["identifier_type"] for e in found]))
    return rows


def instructions(data: Path) -> list[Row]:
    """Ordinary training text in rows of 512 characters."""
    files = sorted((data / "text/self_instruct").glob("*.jsonl"))
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    text = "\n\n".join(" ".join(_strings(json.loads(line))) for line in lines)
    return [Row(text[at : at + 512], [], []) for at in range(0, len(text) - 512, 512)]


def clean(data: Path) -> list[Row]:
    """Short texts in which people found nothing personal, some of them made to look as if (DataFog)."""
    rows = []
    for file in sorted((data / "pii/datafog").glob("*.json")):
        read = json.loads(file.read_text(encoding="utf-8"))
        cases = read if isinstance(read, list) else []
        rows += [Row(c["input"], [], []) for c in cases if "input" in c and not c["expected_entities"]]
    return rows


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        yield from _strings([value.get(k, "") for k in ("instruction", "input", "output", "instances")])


# ── finders ─────────────────────────────────────────────────────────────────────────────────────


def ours(kinds: tuple[str, ...] = ("all",), **options: str) -> Finder:
    origin = Origin(source="race", file="race", line=1)

    def find(texts: Sequence[str]) -> list[list[Mark]]:
        records = [
            Record(id=str(n), messages=(Message(role="user", content=text),), origin=origin)
            for n, text in enumerate(texts)
        ]
        found: list[list[Mark]] = [[] for _ in texts]
        for f in personal(records, kinds=kinds, **options):  # type: ignore[arg-type]
            found[int(f.record)].append(Mark(f.start, f.end, OURS.get(f.what, f.what), f.confidence))
        return found

    return find


def presidio(model: str) -> Finder:
    """Presidio with its own default settings, but for the size of spaCy's model."""
    import presidio_analyzer
    import yaml
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    default = Path(presidio_analyzer.__file__).parent / "conf/default.yaml"
    said = yaml.safe_load(default.read_text(encoding="utf-8"))
    said["models"] = [{"lang_code": "en", "model_name": model}]
    engine = AnalyzerEngine(
        nlp_engine=NlpEngineProvider(nlp_configuration=said).create_engine(), supported_languages=["en"]
    )

    def find(texts: Sequence[str]) -> list[list[Mark]]:
        return [
            [
                Mark(r.start, r.end, PRESIDIO.get(r.entity_type, r.entity_type), r.score)
                for r in engine.analyze(text, language="en")
            ]
            for text in texts
        ]

    return find


# ── scores ──────────────────────────────────────────────────────────────────────────────────────


def resolve(marks: Iterable[Mark]) -> list[Mark]:
    kept = list[Mark]()
    for mark in sorted(marks, key=lambda m: (-m.score, m.start - m.end)):
        if all(mark.end <= k.start or mark.start >= k.end for k in kept):
            kept.append(mark)
    return kept


def typed(rows: list[Row], found: list[list[Mark]], types: set[str]) -> dict[str, Counter[str]]:
    """Hits, misses and false answers by type."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row, answers in zip(rows, found, strict=True):
        free = [m for m in resolve(answers) if m.kind in types]
        for gold in (g for g in row.gold if g.kind in types):
            best = max(
                (m for m in free if m.kind == gold.kind), key=lambda m: _overlap(m, gold), default=None
            )
            if best and _overlap(best, gold) >= 0.5:
                free.remove(best)
                counts[gold.kind]["hit"] += 1
            else:
                counts[gold.kind]["miss"] += 1
        for answer in free:
            counts[answer.kind]["false"] += 1
    return counts


def _overlap(one: Mark, two: Mark) -> float:
    both = min(one.end, two.end) - max(one.start, two.start)
    return both / (max(one.end, two.end) - min(one.start, two.start)) if both > 0 else 0.0


def figures(hit: float, miss: float, false: float) -> dict[str, float]:
    precision, recall = hit / max(hit + false, 1), hit / max(hit + miss, 1)
    out = {"precision": precision, "recall": recall}
    for name, beta in (("f1", 1), ("f2", 4)):
        below = beta * precision + recall
        out[name] = (1 + beta) * precision * recall / below if below else 0.0
    return {k: round(v, 3) for k, v in out.items()}


def characters(rows: list[Row], found: list[list[Mark]]) -> dict[str, float]:
    hit = miss = false = 0
    for row, answers in zip(rows, found, strict=True):
        gold = _covered(m for m in row.gold if m.kind not in NOT_PERSONAL)
        aside = _covered(m for m in row.gold if m.kind in NOT_PERSONAL)
        said = _covered(m for m in resolve(answers) if m.kind not in NOT_PERSONAL)
        hit, miss, false = hit + len(gold & said), miss + len(gold - said), false + len(said - gold - aside)
    return figures(hit, miss, false)


def _covered(marks: Iterable[Mark]) -> set[int]:
    return {at for m in marks for at in range(m.start, m.end)}


def masked(rows: list[Row], found: list[list[Mark]]) -> dict[str, float]:
    counts, inside, out = Counter[str](), 0, 0
    for row, answers in zip(rows, found, strict=True):
        said = _covered(answers)
        secret = _covered(g for g, w in zip(row.gold, row.weights, strict=True) if w != "NO_MASK")
        inside, out = inside + len(said & secret), out + len(said - secret)
        for gold, weight in zip(row.gold, row.weights, strict=True):
            titled = TITLED.match(row.text, gold.start, gold.end) if gold.kind == "PERSON" else None
            place = set(range(titled.end() if titled else gold.start, gold.end))
            whole = len(said & place) >= 0.9 * len(place)
            for name in (weight, f"{weight} {gold.kind}"):
                counts[f"{name} n"] += 1
                counts[name] += whole
    names = [n[:-2] for n in counts if n.endswith(" n") and not n.startswith("NO_MASK")]
    shares = {n.lower(): round(counts[n] / counts[f"{n} n"], 3) for n in sorted(names)}
    return {**shares, "precision": round(inside / max(inside + out, 1), 3)}


# ── the race ────────────────────────────────────────────────────────────────────────────────────


def run(rows: list[Row], finders: dict[str, Finder]) -> tuple[dict[str, list[list[Mark]]], dict[str, float]]:
    """Answers and records per CPU-second of each, taking turns of 48 texts."""
    found: dict[str, list[list[Mark]]] = {name: [] for name in finders}
    spent = dict.fromkeys(finders, 0.0)
    for at in range(0, len(rows), 48):
        texts = [row.text for row in rows[at : at + 48]]
        for name, finder in finders.items():
            start = time.process_time()
            found[name] += finder(texts)
            spent[name] += time.process_time() - start
    return found, {name: round(len(rows) / max(s, 1e-9), 1) for name, s in spent.items()}


def summary(rows: list[Row], found: dict[str, list[list[Mark]]], types: set[str]) -> dict[str, object]:
    out: dict[str, object] = {"n": sum(g.kind in types for row in rows for g in row.gold)}
    per: dict[str, dict[str, object]] = defaultdict(dict)
    for name, answers in found.items():
        counts = typed(rows, answers, types)
        total = Counter[str]()
        for kind in sorted(counts):
            total.update(counts[kind])
            one = figures(counts[kind]["hit"], counts[kind]["miss"], counts[kind]["false"])
            per[kind]["n"] = counts[kind]["hit"] + counts[kind]["miss"]
            per[kind][name] = one
        out[name] = {
            "typed": figures(total["hit"], total["miss"], total["false"]),
            "binary": characters(rows, answers),
        }
    out["types"] = dict(per)
    return out


def worse(types: dict[str, dict[str, object]], who: str) -> list[str]:
    """The types on which `who` has a lower F2 than Presidio, with both figures and n."""
    out = []
    for kind, one in types.items():
        mine, theirs = (_f2(one.get(name)) for name in (who, "presidio"))
        if mine < theirs and one["n"]:
            out.append(f"{kind} {mine} < {theirs} (n={one['n']})")
    return out


def _f2(value: object) -> float:
    return float(value["f2"]) if isinstance(value, dict) else 0.0


def race(data: Path, quick: bool) -> dict[str, object]:
    """Every corpus, every side.

    Errors: `ModuleNotFoundError` when Presidio, spaCy or its English model is not installed.
    """
    from tunewright.checks._personal_deep import model_folder

    folder = model_folder("")
    finders = {"presidio": presidio(str(folder)), "fast": ours(), "deep": ours(depth="deep")}
    for finder in finders.values():
        finder(["Warm up: Anna Berg, 12 March 1985, London."])
    results: dict[str, object] = {}
    corpora: tuple[tuple[str, list[Row], set[str]], ...] = (
        ("synthetic", synthetic(data), set(SYNTH.values())),
        ("court", court(data), set(COURT.values())),
        ("instructions", instructions(data), set()),
    )
    for name, every, types in corpora:
        rows = every[: {"synthetic": 300, "court": 12, "instructions": 96}[name]] if quick else every[:1500]
        if name == "instructions":
            rows = rows[:480]
        if not rows:
            print(f"{name}: not in {data}, left out", file=sys.stderr)
            continue
        found, speed = run(rows, finders)
        one: dict[str, object] = {"rows": len(rows), "records_per_second": speed}
        one["times_presidio"] = {k: round(v / speed["presidio"], 1) for k, v in speed.items()}
        if types:
            one |= summary(rows, found, types)
            kinds = one["types"]
            assert isinstance(kinds, dict)
            one["worse_than_presidio"] = {who: worse(kinds, who) for who in ("fast", "deep")}
        if name == "court":
            found["fast, usual kinds"] = ours(())([row.text for row in rows])
            one["masked"] = {k: masked(rows, v) for k, v in found.items()}
        results[name] = one
        print(json.dumps({name: one}, indent=1, ensure_ascii=False))
    if rows := clean(data):
        alarms = {
            name: sum(map(bool, finder([row.text for row in rows])))
            for name, finder in {**finders, "default kinds": ours(())}.items()
        }
        results["nothing_there"] = {"rows": len(rows), "rows_with_an_alarm": alarms}
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    told = parser.parse_args()
    try:
        results = race(told.data, told.quick)
    except ModuleNotFoundError as error:
        print(f"this race needs {error.name}: pip install presidio-analyzer spacy", file=sys.stderr)
        return 3
    print(json.dumps(results, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
