"""What tuning does to a small model on real tasks, with intervals, and how long it takes.

    python benchmarks/tune_real.py BASE --data DIR [--quick] [--trainer NAME] [--only sst2 banking77 support]

BASE is the folder of SmolLM2-135M-Instruct or another small instruct model. DIR holds the corpora:
SST-2 (`bench/glue/SST-2`), Banking77 (`text/banking77`), customer support (`text/bitext_customer_support`).
Training rows come from the corpus's training split and test cases from the split that the corpus gives (for
SST-2, whose test labels are secret, its development split). Training rows that repeat a test case or another
training row, word for word or nearly, are left out: the checks `duplicates` and `contamination` find them.

SST-2 and Banking77 are classification: the label is the answer. Support is extraction: the utterance becomes
a ticket of two or three lines with team, intent and, if there is one, the thing that it is about. Base and
tuned model are asked the same cases with the same system prompt; `prompted` is the base with all labels (or
four solved examples) in its prompt. Intervals are at 95%, differences are paired.

Nothing is chosen on test cases: options are the trainer's defaults unless given with --options. The last
line is one JSON object.
"""

import argparse
import csv
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import _tune_rows as texts
from tunewright.checks.contamination import contamination
from tunewright.checks.duplicates import duplicates
from tunewright.nouns import Arm, Case, Finding, Message, Origin, Record, Score
from tunewright.runtimes import runtimes
from tunewright.speaker import Speaker
from tunewright.suites import suites
from tunewright.template import under
from tunewright.trainers import trainers
from tunewright.verbs.evaluate import weigh

Pair = tuple[str, str]
"""What is said, and the right answer."""


class Task(NamedTuple):
    """A corpus, and what is asked of the model."""

    read: Callable[[Path], tuple[list[Pair], list[Pair]]]
    """Training and test split, as the corpus gives them."""
    system: str
    labelled: bool
    rows: tuple[int, int]
    """Most training rows: quick, whole."""
    cases: tuple[int, int]
    """Most test cases: quick, whole."""
    tokens: int
    """Longest answer."""


def sst2(data: Path) -> tuple[list[Pair], list[Pair]]:
    """Sentences and phrases of film reviews: positive or negative."""
    splits = []
    for name in ("train", "dev"):
        path = data / "bench" / "glue" / "SST-2" / f"{name}.tsv"
        rows = [line.rstrip("\n").split("\t") for line in path.open(encoding="utf-8")][1:]
        splits.append([(said.strip(), ("negative", "positive")[int(label)]) for said, label in rows])
    return splits[0], splits[1]


def banking77(data: Path) -> tuple[list[Pair], list[Pair]]:
    """Questions to a bank, with one of 77 intents."""
    splits = []
    for name in ("train", "test"):
        with (data / "text" / "banking77" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            splits.append([(row["text"], row["category"].replace("_", " ")) for row in csv.DictReader(lines)])
    return splits[0], splits[1]


def support(data: Path) -> tuple[list[Pair], list[Pair]]:
    """What customers write to a shop, and the ticket that is made of it."""
    return list(texts.corpus(data, "train", "bitext")), list(texts.corpus(data, "test", "bitext"))


TASKS = {
    "sst2": Task(
        sst2, "Say whether the sentence is positive or negative. Answer with that one word.", True,
        (400, 4000), (200, 872), 8,
    ),
    "banking77": Task(
        banking77, "Name the intent of the customer's question.", True, (800, 8000), (200, 1000), 24
    ),
    "support": Task(
        support, "Write the ticket for what the customer says: team, intent and what it is about.", False,
        (400, 4000), (100, 500), 40,
    ),
}  # fmt: skip


def main() -> None:
    """Tune and measure every task, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("base", type=Path, help="folder of the base model")
    asked.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    asked.add_argument("--quick", action="store_true", help="a few hundred rows and cases")
    asked.add_argument("--only", nargs="*", choices=TASKS, default=list(TASKS))
    asked.add_argument("--trainer", default="lora")
    asked.add_argument("--runtime", default="local")
    asked.add_argument("--options", type=json.loads, default={}, help="of the trainer, as JSON")
    asked.add_argument("--threads", type=int, default=2)
    said = asked.parse_args()
    possible = [name for name in said.only if TASKS[name].labelled or said.trainer != "classifier"]
    result = {name: run(name, said) for name in possible}
    head: dict[str, dict[str, object]] = {"ours": {}, "peer": {}, "difference": {}}
    for name, one in result.items():
        for arm, key in (("tuned", "ours"), ("base", "peer"), ("tuned-base", "difference")):
            head[key][name] = {
                m.rpartition(".")[0]: v for m, v in one["measures"].items() if m.endswith(f".{arm}")
            }
    print(json.dumps({**head, "tasks": result}))


def run(name: str, said: argparse.Namespace) -> dict[str, Any]:
    """One task: clean, tune, ask base, prompted base and tuned model, weigh."""
    task = TASKS[name]
    given, tests = task.read(said.data)
    draw = random.Random(20260101)
    cases = _cases(task, draw.sample(tests, min(len(tests), task.cases[not said.quick])))
    records, fates = clean(task, given, tests, task.rows[not said.quick], draw)
    print(f"── {name}: {len(records)} records to learn ({fates}), {len(cases)} cases", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        out, clock, spent = Path(folder), time.perf_counter(), _cpu()
        steps, told = 0.0, dict[str, float]()
        for progress in trainers[said.trainer](
            said.base, records, out, system=task.system, seed=1, **{"threads": said.threads, **said.options}
        ):
            if progress.label == "tune":
                steps, told = progress.done, {**told, **progress.values}
        tuning = {"wall": time.perf_counter() - clock, "cpu": _cpu() - spent}
        print(
            f"tuned in {tuning['wall']:.0f} s ({tuning['cpu']:.0f} s of CPU), {steps:.0f} steps, "
            f"loss {told['loss']:.3f}",
            flush=True,
        )
        clock, spent = time.perf_counter(), _cpu()
        scores = list(examine(task, said, cases, given, out / "weights"))
        asking = {"wall": time.perf_counter() - clock, "cpu": _cpu() - spent}
    measures, comparisons = weigh(scores, cases)
    for one in measures:
        print(f"{one.name:34} {one.value:8.4f}  [{one.low:.4f}, {one.high:.4f}]  n={one.n}", flush=True)
    for pair in comparisons:
        print(
            f"{pair.measure:24} {pair.before:9} -> {pair.after:6} {pair.verdict}  p={pair.p:.2g}", flush=True
        )
    return {
        "records": len(records),
        "cases": len(cases),
        "fates": fates,
        "steps": steps,
        "tuning_seconds": {key: round(value, 1) for key, value in tuning.items()},
        "asking_seconds": {key: round(value, 1) for key, value in asking.items()},
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6),
        "held_out_loss": round(told.get("held_out_loss", float("nan")), 4),
        "measures": {m.name: [round(m.value, 4), round(m.low, 4), round(m.high, 4)] for m in measures},
        "verdicts": {f"{c.measure}.{c.after}-{c.before}": c.verdict for c in comparisons},
    }


def clean(
    task: Task, given: Sequence[Pair], tests: Sequence[Pair], most: int, draw: random.Random
) -> tuple[list[Record], dict[str, int]]:
    """At most `most` training rows that repeat neither a test case nor each other, and what became of all.

    Rows are drawn first, three times as many as are wanted: cleaning is not what is measured here.
    """
    drawn = draw.sample(list(given), min(len(given), 3 * most))
    rows = [_record(task, f"train {i}", pair) for i, pair in enumerate(drawn)]
    first = [_record(task, f"test {i}", pair) for i, pair in enumerate(tests)]
    repeats = {
        one.record
        for one in duplicates([*first, *rows])  # the earlier of two is kept, so the tests come first
        if isinstance(one, Finding) and one.what != "conflict"
    }
    left = [row for row in rows if row.id not in repeats]
    leaks = {one.record for one in contamination(left, cases=_cases(task, tests))}
    kept = [row for row in left if row.id not in leaks]
    fates = {
        "given": len(given),
        "drawn": len(rows),
        "repeats": len(rows) - len(left),
        "contaminated": len(left) - len(kept),
    }
    return kept[:most], fates


def examine(
    task: Task, said: argparse.Namespace, cases: Sequence[Case], given: Sequence[Pair], weights: Path
) -> Iterator[Score]:
    """Every suite's scores for every arm."""
    chosen = ["labels" if task.labelled else "golden"]
    if said.trainer != "classifier":  # a head's loss is over labels, the base's over words
        chosen.append("loss")
    base = runtimes[said.runtime](said.base, None, threads=said.threads)
    tuned = runtimes[said.runtime](said.base, weights, threads=said.threads)
    labels = sorted({answer for _, answer in given})
    draw = random.Random(3)
    plain: tuple[Message, ...] = ()
    shots = plain
    better = task.system
    if task.labelled:
        better += " It is one of: " + ", ".join(labels) + "."
    else:
        for words, answer in draw.sample(list(given), 4):
            shots += (Message(role="user", content=words), Message(role="assistant", content=answer))
    arms: list[tuple[Arm, Speaker, str, tuple[Message, ...]]] = [
        ("base", base, task.system, plain),
        ("prompted", base, better, shots),
        ("tuned", tuned, task.system, plain),
    ]
    for arm, speaker, system, before in arms:
        asked = [
            case.model_copy(update={"messages": under(system, (*before, *case.messages))}) for case in cases
        ]
        for suite in chosen:
            yield from suites[suite](speaker, asked, arm=arm, max_tokens=task.tokens)


def _record(task: Task, name: str, pair: Pair) -> Record:
    words, answer = pair
    return Record(
        id=name,
        messages=(Message(role="user", content=words), Message(role="assistant", content=answer)),
        label=answer if task.labelled else "",
        origin=Origin(source="corpus", file="rows", line=1),
    )


def _cases(task: Task, pairs: Sequence[Pair]) -> list[Case]:
    return [
        Case(
            id=f"case {i}",
            messages=(Message(role="user", content=words),),
            label=answer if task.labelled else "",
            reference="" if task.labelled else answer,
            exact="" if task.labelled else answer,
        )
        for i, (words, answer) in enumerate(pairs)
    ]


def _cpu() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(one)[:2]) for one in who)


if __name__ == "__main__":
    main()
