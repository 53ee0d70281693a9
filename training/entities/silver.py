"""Silver labels: permissively licensed text, labelled by spaCy's `en_core_web_md` (MIT).

    python training/entities/silver.py --data DIR --model MODEL_DIR --out silver.jsonl

DIR holds the development corpora (text/, guard/, bench/); a source that is missing is skipped and named.
"""

import argparse
import csv
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

KINDS = {
    "PERSON": "name",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
    "ORG": "organisation",
    "NORP": "nationality",
    "DATE": "date",
}
MONTHS = "jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec"
SPECIFIC = re.compile(rf"\b(?:{MONTHS})[a-z]*\b|\b(?:1[6-9]|20)\d\d\b|\d[/.-]\d", re.IGNORECASE)
GUARD = {  # source -> licence; others in the same files are left out
    "arena_hard": "Apache-2.0",
    "neuralchemy_benign": "Apache-2.0",
    "s_labs_benign": "MIT",
    "s_labs": "MIT",
    "devdocs": "Apache-2.0/MIT/BSD-3-Clause",
    "awesome_prompts": "CC0-1.0",
    "advbench": "MIT",
}


def rows(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def strings(value: object) -> Iterator[str]:
    """Every string of at least 30 characters and two spaces inside a JSON value."""
    if isinstance(value, str):
        if len(value) >= 30 and value.count(" ") > 2:
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def sources(data: Path) -> Iterator[tuple[str, Iterator[str], int]]:
    """Name, texts and the most texts to take of each source."""
    text, guard, bench = data / "text", data / "guard", data / "bench"
    for name in ("davinci_predictions", "seed_tasks", "user_oriented_instructions"):
        path = text / "self_instruct" / f"{name}.jsonl"
        yield f"self_instruct/{name} (Apache-2.0)", (s for r in rows(path) for s in strings(r)), 10_000
    for name in ("message", "tree"):
        path = text / "oasst_sample" / f"en_100_{name}.jsonl"
        yield f"oasst/{name} (Apache-2.0)", (s for r in rows(path) for s in strings(r)), 10_000
    yield "gsm8k (MIT)", (s for r in rows(text / "gsm8k/train.jsonl") for s in strings(r)), 3_000
    yield "banking77 (CC-BY-4.0)", _cells(text / "banking77/train.csv", ","), 2_000
    yield "clinc150 (CC-BY-3.0)", strings(json.loads((text / "clinc150/data_full.json").read_text())), 4_000
    yield "hatecheck (CC-BY-4.0)", _cells(text / "hatecheck/test_suite_cases.csv", ","), 2_500
    lines = (text / "lingua_testdata/sentences/en.txt").read_text(encoding="utf-8").splitlines()
    yield "lingua test sentences, en (Apache-2.0)", iter(lines), 5_000
    files = ("benign_prompt", "attacks_prompt", "benign_doc", "overdefense", "harmful_requests")
    for file in files:
        path = guard / f"{file}.jsonl"
        yield f"guard/{file}", (str(r["text"]) for r in rows(path) if r["source"] in GUARD), 8_000
    path = guard / "groundedness.jsonl"
    texts = (s for r in rows(path) if r["source"] == "summedits" for s in strings(r))
    yield "summedits (Apache-2.0)", texts, 20_000
    yield "TruthfulQA (Apache-2.0)", _cells(bench / "factuality/TruthfulQA.csv", ","), 5_000
    yield (
        "IFEval (Apache-2.0)",
        (s for r in rows(bench / "gen/ifeval_input_data.jsonl") for s in strings(r)),
        900,
    )
    yield (
        "OpenBookQA (Apache-2.0)",
        (s for r in rows(bench / "mc/openbook_qa.jsonl") for s in strings(r)),
        800,
    )
    yield "BBQ (CC-BY-4.0)", (s for r in rows(bench / "fairness/bbq/Religion.jsonl") for s in strings(r)), 800
    yield "WNLI (CC-BY-4.0)", _cells(bench / "glue/WNLI/train.tsv", "\t"), 1_200
    yield "Winogender (MIT)", _cells(bench / "fairness/winogender_all_sentences.tsv", "\t"), 300


def _cells(path: Path, delimiter: str) -> Iterator[str]:
    csv.field_size_limit(10**7)
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines, delimiter=delimiter):
            yield from strings(list(row))


def pieces(text: str, size: int = 900) -> Iterator[str]:
    """The text in parts of at most about `size` characters, cut at line ends or sentence ends."""
    while len(text) > size:
        cut = max(text.rfind("\n", 200, size), text.rfind(". ", 200, size) + 1)
        cut = cut if cut > 0 else size
        yield text[:cut]
        text = text[cut:]
    if text.strip():
        yield text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", required=True, help="folder or package of spaCy's en_core_web_md")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    import spacy

    draw = random.Random(7)
    seen = set[str]()
    texts = list[str]()
    for name, found, most in sources(asked.data):
        try:
            got = list(found)
        except OSError as problem:
            print("left out:", name, problem, file=sys.stderr)
            continue
        draw.shuffle(got)
        before = len(texts)
        for text in got[:most]:
            for piece in pieces(text[:6000]):
                key = piece.strip()[:120]
                if key not in seen:
                    seen.add(key)
                    texts.append(piece)
        print(name, len(texts) - before, file=sys.stderr)
    draw.shuffle(texts)
    print(len(texts), sum(map(len, texts)), file=sys.stderr)
    pipe = spacy.load(asked.model, exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])
    with asked.out.open("w", encoding="utf-8") as out:
        for doc in pipe.pipe(texts, batch_size=128):
            spans = [
                (e.start_char, e.end_char, KINDS[e.label_])
                for e in doc.ents
                if e.label_ in KINDS and (e.label_ != "DATE" or SPECIFIC.search(e.text))
            ]
            out.write(json.dumps({"text": doc.text, "spans": spans}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
