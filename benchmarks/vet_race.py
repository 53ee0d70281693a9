"""Vetting against the tools that people would take otherwise, in the same run.

    python benchmarks/vet_race.py --data DIR [--quick]

DIR holds the corpora (`pii/`, `text/`, `guard/`); without it only the whole vet is run, on generated text.
Each part races against its peer (Presidio, detect-secrets, py3langid, pycld2) in turns, and reports processor
time beside accuracies. The whole vet is run with one process and with two, and again after 1% more rows.
A peer that is not installed is named and left out. The last line is one JSON object.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

ROWS = {False: 100_000, True: 4_000}
PARTS = ("personal", "secrets", "language", "toxicity")
WORDS = """
order parcel delivery refund address label return invoice glaze kiln shelf saucer courier week morning colour
price voucher account update manual garden window bright heavy narrow careful early simple broken spare local
we you they it he she can could will would should may might must had has have was were is are the a an this
that of in on at by for with from about into over after before between without because although while unless
""".split()  # noqa: SIM905
YAML = """
name: race
data:
  - {file: rows.jsonl, licence: MIT, origin: generated for a race, basis: nobody is in it}
tune: {base: "echo:"}
evaluate: {cases: cases.jsonl, runtime: echo}
policy:
  vet: VET
"""
VET = {
    "personal": "redact",
    "secrets": "redact",
    "duplicates": "drop",
    "contamination": "drop",
    "injection": "quarantine",
    "backdoor": "quarantine",
    "licence": "quarantine",
    "retention": "drop",
    "language": "keep",
    "toxicity": "keep",
    "quality": "keep",
    "consistency": "keep",
    "mismatch": "keep",
    "label_noise": "keep",
    "representation": "keep",
    "sufficiency": "keep",
}


def main() -> None:
    """Run every part that can be run, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, help="folder with the corpora")
    asked.add_argument("--quick", action="store_true", help="a few thousand rows")
    asked.add_argument("--rows", type=int, default=0, help="rows of the whole vet")
    asked.add_argument("--only", choices=[*PARTS, "whole"], nargs="*", default=[*PARTS, "whole"])
    said = asked.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    result: dict[str, object] = {}
    for name in PARTS:
        if said.data and name in said.only:
            result[name] = _part(name, said.data, said.quick)
    if "whole" in said.only:
        result["whole"] = whole(said.rows or ROWS[said.quick], said.data)
    print(json.dumps(_summary(result)))


def _part(name: str, data: Path, quick: bool) -> object:
    print(f"── {name}", flush=True)
    try:
        race: Callable[[Path, bool], dict[str, object]] = import_module(f"_{name}").race
        return race(data, quick)
    except (ImportError, SystemExit) as error:
        print(f"left out: {error}")
        return {"left_out": str(error)}


def _summary(result: dict[str, object]) -> dict[str, object]:
    """What every race gives as its last line: ours, the peer's, their ratio; the details under each part."""
    found = {name: part for name, part in result.items() if isinstance(part, dict)}
    head = {key: {n: p[key] for n, p in found.items() if key in p} for key in ("ours", "peer", "ratio")}
    return {**head, "parts": result}


# ── the whole vet ───────────────────────────────────────────────────────────────────────────────


def whole(count: int, data: Path | None) -> dict[str, object]:
    """Gather and vet `count` rows of about 512 characters: one process, two, half the rows, 1% more rows."""
    print(f"── whole vet of {count:,} rows", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = generated(count, sentences(data))
        runs: dict[str, dict[str, float]] = {
            "one process": _vet(folder / "one", rows, 1),
            "two processes": _vet(folder / "two", rows, 2),
            "two processes, half the rows": _vet(folder / "half", rows[: count // 2], 2),
        }
        more = rows + generated(max(1, count // 100), sentences(data), seed=2)
        runs["two processes, 1% of rows added"] = _vet(folder / "two", more, 2)
    for label, run in runs.items():
        print(
            f"{label:34} {run['wall']:7.1f} s wall {run['cpu']:7.1f} s CPU  {run['mb']:6.0f} MB peak",
            flush=True,
        )
    one, two, half = runs["one process"], runs["two processes"], runs["two processes, half the rows"]
    again = runs["two processes, 1% of rows added"]
    return {
        "rows": count,
        "runs": runs,
        "rows_per_cpu_second": round(count / one["cpu"], 1),
        "speedup_of_two": round(one["wall"] / two["wall"], 2),
        "linear": round(two["cpu"] / half["cpu"] / 2, 2),
        "after_1_percent": {
            "wall": round(again["wall"] / two["wall"], 3),
            "cpu": round(again["cpu"] / two["cpu"], 3),
        },
    }


def _vet(folder: Path, rows: list[str], workers: int) -> dict[str, float]:
    folder.mkdir(exist_ok=True)
    (folder / "tunewright.yaml").write_text(YAML.replace("VET", json.dumps(VET)))
    (folder / "rows.jsonl").write_text("\n".join(rows))
    case = {
        "id": "1",
        "messages": [{"role": "user", "content": "Where is my parcel?"}],
        "reference": "There.",
    }
    (folder / "cases.jsonl").write_text(json.dumps(case))
    code = """
import json, resource, sys, time
import tunewright as tw

BOTH = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
cpu = lambda: sum(sum(resource.getrusage(who)[:2]) for who in BOTH)
project = tw.open(sys.argv[1], actor="race")
data = tw.gather(project)
clock, start = time.perf_counter(), cpu()
tw.vet(project, data)
wall = time.perf_counter() - clock
peak = max(resource.getrusage(who).ru_maxrss for who in BOTH) / 1024
print(json.dumps({"wall": wall, "cpu": cpu() - start, "mb": peak}))
"""
    env = {
        **os.environ,
        "TUNEWRIGHT_WORKERS": str(workers),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def sentences(data: Path | None) -> list[str]:
    """Sentences to make rows of: from the corpora when they are there, else invented."""
    found = list[str]()
    for path in sorted((data / "text").rglob("*.jsonl")) if data else ():
        for line in path.open(encoding="utf-8", errors="replace"):
            for text in _strings(line):
                found += [s.strip() for s in text.replace("\n", " ").split(". ") if 20 < len(s) < 200]
            if len(found) > 60_000:
                return found
    draw = random.Random(1)
    return found or [" ".join(draw.choices(WORDS, k=draw.randint(5, 22))).capitalize() for _ in range(40_000)]


def _strings(line: str) -> list[str]:
    try:
        value = json.loads(line)
    except ValueError:
        return []
    return [v for v in value.values() if isinstance(v, str)] if isinstance(value, dict) else []


def generated(count: int, pool: list[str], seed: int = 1) -> list[str]:
    """Rows of two turns, about 512 characters in all."""
    draw, rows = random.Random(seed), list[str]()
    for _ in range(count):
        question, answer = "", ""
        while len(question) < 160:
            question += draw.choice(pool) + ". "
        while len(question) + len(answer) < 500:
            answer += draw.choice(pool) + ". "
        turns = [("user", question), ("assistant", answer)]
        rows.append(
            json.dumps({"messages": [{"role": role, "content": text.strip()} for role, text in turns]})
        )
    return rows


if __name__ == "__main__":
    main()
