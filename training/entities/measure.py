"""Measures the entity tagger on the development corpora, beside spaCy and Presidio where they are installed.

    python training/entities/measure.py --data DIR [--spacy MODEL_DIR] [--presidio] [--part 1.0]

DIR holds pii/presidio_research/synth_dataset_v2.json, pii/tab/tab_dev.jsonl and text/ for speed. Spans count
as found when kinds agree and they overlap by half (intersection over union), one to one. charR is the
share of the gold's characters that any span of any kind covers. Times are CPU seconds of this process.
"""

import argparse
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from tunewright.checks._tagger import entities

Span = tuple[int, int, str]
Finder = Callable[[Sequence[str]], list[list[Span]]]
SYNTH = {
    "PERSON": "name",
    "GPE": "place",
    "STREET_ADDRESS": "place",
    "ORGANIZATION": "organisation",
    "NRP": "nationality",
    "DATE_TIME": "date",
}
TAB = {"PERSON": "name", "LOC": "place", "ORG": "organisation", "DATETIME": "date"}
SPACY = {
    "PERSON": "name",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
    "ORG": "organisation",
    "NORP": "nationality",
    "DATE": "date",
}
PRESIDIO = {
    "PERSON": "name",
    "LOCATION": "place",
    "ORGANIZATION": "organisation",
    "NRP": "nationality",
    "DATE_TIME": "date",
}


def synth(data: Path) -> tuple[list[str], list[list[Span]]]:
    rows = json.loads((data / "pii/presidio_research/synth_dataset_v2.json").read_text(encoding="utf-8"))
    return [row["full_text"] for row in rows], [
        [
            (s["start_position"], s["end_position"], SYNTH[s["entity_type"]])
            for s in row["spans"]
            if s["entity_type"] in SYNTH
        ]
        for row in rows
    ]


def tab(data: Path) -> tuple[list[str], list[list[Span]]]:
    rows = [
        json.loads(line) for line in (data / "pii/tab/tab_dev.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    gold = []
    for row in rows:
        marks = {(e["start_offset"], e["end_offset"], TAB.get(e["entity_type"], "")) for e in row["entities"]}
        gold.append(sorted(mark for mark in marks if mark[2]))
    return [row["text"] for row in rows], gold


def own(texts: Sequence[str]) -> list[list[Span]]:
    return [[(e.start, e.end, e.kind) for e in row] for row in entities(texts)]


def by_spacy(model: str) -> Finder:
    import spacy

    pipe = spacy.load(model, exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])

    def find(texts: Sequence[str]) -> list[list[Span]]:
        return [
            [(e.start_char, e.end_char, SPACY[e.label_]) for e in doc.ents if e.label_ in SPACY]
            for doc in pipe.pipe(texts, batch_size=64)
        ]

    return find


def by_presidio(model: str) -> Finder:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    setup = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=setup).create_engine())

    def find(texts: Sequence[str]) -> list[list[Span]]:
        return [
            [
                (r.start, r.end, PRESIDIO[r.entity_type])
                for r in engine.analyze(text, language="en")
                if r.entity_type in PRESIDIO
            ]
            for text in texts
        ]

    return find


def overlap(one: Span, other: Span) -> float:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared / (max(one[1], other[1]) - min(one[0], other[0])) if shared > 0 else 0.0


def scored(gold: list[list[Span]], found: list[list[Span]]) -> dict[str, dict[str, float]]:
    right, golds, founds = defaultdict[str, int](int), defaultdict[str, int](int), defaultdict[str, int](int)
    shown, letters = defaultdict[str, int](int), defaultdict[str, int](int)
    for want, got in zip(gold, found, strict=True):
        covered = set[int]()
        for span in got:
            founds[span[2]] += 1
            covered.update(range(span[0], span[1]))
        for span in want:
            golds[span[2]] += 1
            letters[span[2]] += span[1] - span[0]
            shown[span[2]] += sum(at in covered for at in range(span[0], span[1]))
        pairs = sorted(
            ((overlap(a, b), i, j) for i, a in enumerate(want) for j, b in enumerate(got) if a[2] == b[2]),
            reverse=True,
        )
        used_want, used_got = set[int](), set[int]()
        for share, i, j in pairs:
            if share >= 0.5 and i not in used_want and j not in used_got:
                used_want.add(i)
                used_got.add(j)
                right[want[i][2]] += 1
    result = {}
    for kind in golds:
        precision, recall = right[kind] / max(founds[kind], 1), right[kind] / golds[kind]
        both = precision + recall
        result[kind] = {
            "n": golds[kind],
            "P": precision,
            "R": recall,
            "F1": 2 * precision * recall / both if both else 0.0,
            "F2": 5 * precision * recall / (4 * precision + recall) if both else 0.0,
            "charR": shown[kind] / letters[kind],
        }
    return result


def show(name: str, texts: list[str], gold: list[list[Span]] | None, finder: Finder) -> None:
    began = time.process_time()
    found = finder(texts)
    took = time.process_time() - began
    words = sum(len(re.findall(r"\w+", text)) for text in texts)
    began = time.process_time()
    finder(texts)
    again = time.process_time() - began
    print(
        f"{name}: {len(texts)} texts, {len(texts) / took:,.0f} texts/s first, {len(texts) / again:,.0f}"
        f" texts/s and {words / again:,.0f} words/s again, {sum(map(len, found))} found"
    )
    for kind, row in sorted(scored(gold, found).items() if gold else ()):
        print(
            f"  {kind:13} n {row['n']:5.0f}  P {row['P']:.3f}  R {row['R']:.3f}  F1 {row['F1']:.3f}"
            f"  F2 {row['F2']:.3f}  charR {row['charR']:.3f}"
        )


def rows(data: Path) -> list[str]:
    """2,000 training rows of 512 characters, cut from instruction text."""
    found = list[str]()

    def strings(value: object) -> None:
        if isinstance(value, str) and value.count(" ") > 5:
            found.append(value)
        elif isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                strings(inner)

    files = [
        *(data / "text/self_instruct").glob("*.jsonl"),
        *(data / "text/oasst_sample").glob("*_tree.jsonl"),
    ]
    for file in sorted([*files, data / "guard/benign_prompt.jsonl"]):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                strings(json.loads(line))
    whole = "\n".join(found)
    cut = [whole[at : at + 512] for at in range(0, len(whole) - 512, 512)]
    return cut[:: max(1, len(cut) // 2000)][:2000]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--spacy", help="folder or package of a spaCy model to stand beside")
    parser.add_argument("--presidio", action="store_true", help="Presidio with that model too")
    parser.add_argument("--part", type=float, default=1.0, help="share of each corpus, from its start")
    asked = parser.parse_args()
    finders: dict[str, Finder] = {"own": own}
    if asked.spacy:
        finders["spaCy"] = by_spacy(asked.spacy)
        if asked.presidio:
            finders["Presidio"] = by_presidio(asked.spacy)
    for name, finder in finders.items():
        finder(["A first sentence, so that everything is loaded."])
        for corpus, read in (("synth_v2", synth), ("TAB dev", tab)):
            texts, gold = read(asked.data)
            most = max(1, int(asked.part * len(texts)))
            show(f"{name}, {corpus}", texts[:most], gold[:most], finder)
        texts = rows(asked.data)
        show(f"{name}, rows of 512 characters", texts[: max(1, int(asked.part * len(texts)))], None, finder)


if __name__ == "__main__":
    main()
