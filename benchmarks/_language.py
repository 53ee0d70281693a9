"""Language identification, side by side: the check's two opinions together against each of them alone.

    python benchmarks/_language.py --data DIR [--quick]

`DIR` holds `text/lingua_testdata/sentences/*.txt`, one sentence per line, the file named by its language. One
core, CPU time, the same sentences for everyone. The last line is one JSON object.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

QUICK = 200
SAME = {"no": "nb", "iw": "he", "zh-Hant": "zh", "bs": "bs"}


def race(data: Path, quick: bool) -> dict[str, object]:
    """Accuracy and sentences per CPU-second of ours, of CLD2 and of py3langid."""
    texts, truth = _sentences(data, QUICK if quick else None)
    runners: dict[str, Callable[[Sequence[str]], list[str]]] = {
        "ours": _ours,
        "pycld2": _cld2,
        "py3langid": _bayes,
    }
    result: dict[str, object] = {"sentences": len(texts), "languages": len(set(truth))}
    speeds = dict[str, float]()
    for name, run in runners.items():
        try:
            run(texts[:50])
        except ModuleNotFoundError as error:
            result[name] = f"not installed: {error.name}"
            continue
        started = time.process_time()
        answers = run(texts)
        speeds[name] = len(texts) / (time.process_time() - started)
        right = [SAME.get(a, a) == t for a, t in zip(answers, truth, strict=True)]
        of_each, all_of = Counter(t for t, r in zip(truth, right, strict=True) if r), Counter(truth)
        result[name] = {
            "accuracy": round(sum(right) / len(right), 4),
            "per_second": round(speeds[name]),
            "by_language": {code: round(of_each[code] / all_of[code], 3) for code in sorted(all_of)},
        }
    if "py3langid" in speeds:
        result["ratio"] = round(speeds["ours"] / speeds["py3langid"], 2)
    return result


def _sentences(data: Path, most: int | None) -> tuple[list[str], list[str]]:
    texts, truth = list[str](), list[str]()
    for file in sorted((data / "text/lingua_testdata/sentences").glob("*.txt")):
        lines = [line.strip() for line in file.read_text("utf-8").split("\n") if line.strip()][:most]
        texts += lines
        truth += [file.stem] * len(lines)
    return texts, truth


def _ours(texts: Sequence[str]) -> list[str]:
    from tunewright.checks._language import identify

    return [code for code, _ in identify(texts)]


def _cld2(texts: Sequence[str]) -> list[str]:
    import pycld2

    answers = []
    for text in texts:
        try:
            answers.append(pycld2.detect(text, bestEffort=True)[2][0][1])
        except pycld2.error:
            answers.append("")
    return answers


def _bayes(texts: Sequence[str]) -> list[str]:
    import py3langid

    return [py3langid.classify(text)[0] for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    result = race(chosen.data, chosen.quick)
    for name in ("ours", "pycld2", "py3langid"):
        print(name, result[name])
    print(json.dumps({"race": "language", **result}))


if __name__ == "__main__":
    main()
