"""Toxic language, side by side with alt-profanity-check where that is installed.

    python benchmarks/_toxicity.py --data DIR [--quick]

`DIR` holds `text/hatecheck/test_suite_cases.csv` (the gate: nothing was trained on it) and ordinary records
in `text/gsm8k`, `text/banking77`, `text/clinc150` and `text/self_instruct`. One core, CPU time. The last
line is one JSON object.
"""

import argparse
import csv
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tunewright.checks.toxicity import toxicity
from tunewright.nouns import Message, Origin, Record


def race(data: Path, quick: bool) -> dict[str, object]:
    """AUC, share found per functional test, false alarms on ordinary records, records per CPU-second."""
    with (data / "text/hatecheck/test_suite_cases.csv").open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    texts = [case["test_case"] for case in cases]
    truth = np.array([case["label_gold"] == "hateful" for case in cases])
    ordinary = {name: found[: 1_000 if quick else None] for name, found in _ordinary(data).items()}
    ours = _measured(_ours, texts, truth)
    scores = _ours(texts)
    by_test = defaultdict[str, list[bool]](list)
    for case, score in zip(cases, scores, strict=True):
        by_test[case["functionality"]].append(score > 0)
    ours["reported_by_functional_test"] = {name: round(float(np.mean(v)), 3) for name, v in by_test.items()}
    neutral = [
        score > 0 for case, score in zip(cases, scores, strict=True) if case["functionality"][:5] == "ident"
    ]
    ours["alarms_on_neutral_and_kind_mentions_of_groups"] = round(float(np.mean(neutral)), 4)
    ours["false_alarms"] = {name: _alarms(found) for name, found in ordinary.items()}
    rows = _rows(ordinary)
    started = time.process_time()
    list(toxicity(rows))
    ours["records_of_512_per_second"] = round(len(rows) / (time.process_time() - started))
    result: dict[str, object] = {"cases": len(cases), "ours": ours}
    try:
        from profanity_check import predict_prob
    except ModuleNotFoundError:
        result["alt_profanity_check"] = "not installed"
        return result
    result["alt_profanity_check"] = _measured(
        lambda given: [float(p) for p in predict_prob(list(given))], texts, truth
    )
    return result


def _measured(
    score: Callable[[Sequence[str]], list[float]], texts: Sequence[str], truth: np.ndarray
) -> dict[str, object]:
    score(texts[:20])
    started = time.process_time()
    scores = np.array(score(texts))
    spent = time.process_time() - started
    return {"auc": round(_auc(scores, truth), 4), "per_second": round(len(texts) / spent)}


def _auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """The chance that a hateful case scores above a harmless one; ties count half."""
    below = np.sort(scores[~truth])
    less = np.searchsorted(below, scores[truth], "left")
    same = np.searchsorted(below, scores[truth], "right") - less
    return float((less + same / 2).mean() / len(below))


def _ours(texts: Sequence[str]) -> list[float]:
    """What a policy sees: the highest confidence of a finding of hate, 0 where there is none."""
    scores = [0.0] * len(texts)
    for finding in toxicity([_record(at, text) for at, text in enumerate(texts)]):
        if finding.what == "hateful":
            scores[int(finding.record)] = max(scores[int(finding.record)], finding.confidence)
    return scores


def _alarms(texts: Sequence[str]) -> dict[str, float]:
    seen = defaultdict[str, set[str]](set)
    for finding in toxicity([_record(at, text) for at, text in enumerate(texts)]):
        seen[finding.what].add(finding.record)
        if finding.what != "profanity":
            seen["any but profanity"].add(finding.record)
    return {what: round(len(records) / len(texts), 5) for what, records in sorted(seen.items())}


def _rows(ordinary: dict[str, list[str]]) -> list[Record]:
    whole = "\n".join(text for found in ordinary.values() for text in found[:2_000])
    return [_record(at, whole[at * 512 : at * 512 + 512]) for at in range(min(len(whole) // 512, 4_000))]


def _record(at: int, text: str) -> Record:
    return Record(
        id=str(at),
        messages=(Message(role="user", content=text),),
        origin=Origin(source="race", file="race", line=at + 1),
    )


def _ordinary(data: Path) -> dict[str, list[str]]:
    text = data / "text"
    lines = (text / "gsm8k/test.jsonl").read_text("utf-8").splitlines()
    maths = [f"{row['question']}\n{row['answer']}" for row in map(json.loads, lines)]
    with (text / "banking77/train.csv").open(encoding="utf-8", newline="") as file:
        bank = [row["text"] for row in csv.DictReader(file)]
    splits = json.loads((text / "clinc150/data_full.json").read_text("utf-8"))
    intents = [said for split in splits.values() for said, _ in split]
    tasks = list[str]()
    for file_name in ("seed_tasks.jsonl", "user_oriented_instructions.jsonl"):
        for row in map(json.loads, (text / "self_instruct" / file_name).read_text("utf-8").splitlines()):
            tasks += [f"{row['instruction']}\n{one['input']}\n{one['output']}" for one in row["instances"]]
    return {"gsm8k": maths, "banking77": bank, "clinc150": intents, "self_instruct": tasks}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    result = race(chosen.data, chosen.quick)
    print("ours", result["ours"])
    print("alt-profanity-check", result["alt_profanity_check"])
    print(json.dumps({"race": "toxicity", **result}))


if __name__ == "__main__":
    main()
