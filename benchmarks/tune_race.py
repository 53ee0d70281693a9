"""Tuning against the tools that people would take otherwise, in turns, on the same rows and cores.

    python benchmarks/tune_race.py BASE --data DIR --trl PYTHON [--llamafactory PYTHON] [--quick]

BASE is the folder of a small instruct model such as SmolLM2-135M-Instruct. PYTHON is the interpreter of an
environment that has the peer; a peer without one is left out. DIR holds the corpora; without it the rows are
invented sums. Every contestant gets the same conversations and trains LoRA of rank 16 (alpha 32, no dropout)
on all linear maps with AdamW, the same rate on the same schedule, in batches of 8, for the same number of
epochs, each time in a fresh process on the same cores.

Speeds count the tokens of the rows once, as the base's chat template makes them: padding and marks that a
tool adds do not count. The first epoch is for warming up, the others are measured. Ratios are of processor
time, so that other work on the machine is unfair to nobody; wall time stands beside it. The held-out loss is
measured by `_tune_judge.py` for all.

The last line is one JSON object with `ours`, `peer`, `ratio`, and `utilisation` with what the rest goes to.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import _tune_rows as texts

HERE = Path(__file__).parent
BATCH = 8
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "CUDA_VISIBLE_DEVICES": "",
    "DISABLE_VERSION_CHECK": "1",  # of LLaMA-Factory: it need not have the newest of everything
}
LEAN = {"use_cpu": True, "gradient_checkpointing": False, "logging_steps": 100_000}
CONTESTANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tunewright": ("tunewright", {}),
    # `use_cpu` is not a choice: without it the defaults refuse a machine that has no GPU.
    "trl": ("trl", {"use_cpu": True}),
    "trl best, 32 bits": (
        "trl",
        {**LEAN, "bf16": False, "assistant_only_loss": True, "padding_free": True, "max_length": None},
    ),
    "trl best, bf16 weights": (
        "trl",
        {
            **LEAN,
            "bf16": False,
            "assistant_only_loss": True,
            "padding_free": True,
            "max_length": None,
            "model_init_kwargs": {"dtype": "bfloat16"},
        },
    ),
    "llamafactory": ("llamafactory", {}),
    "llamafactory best": ("llamafactory", {"disable_gradient_checkpointing": True}),
}
"""Name -> the tool, and the settings that differ from its defaults."""


def main() -> None:
    """Race, judge, and print what came of it."""
    said = _asked()
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(race(said, Path(name))))


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("base", type=Path, help="folder of the base model")
    asked.add_argument("--data", type=Path, help="folder with the corpora")
    asked.add_argument("--trl", default="", help="interpreter that has TRL")
    asked.add_argument("--llamafactory", default="", help="interpreter that has LLaMA-Factory")
    asked.add_argument("--only", nargs="*", choices=CONTESTANTS, default=list(CONTESTANTS))
    asked.add_argument("--quick", action="store_true", help="2 turns of 2 epochs of 16 rows")
    asked.add_argument("--turns", type=int, default=0)
    asked.add_argument("--rows", type=int, default=0, help="rows to train on: a multiple of 8")
    asked.add_argument("--rows-of", type=int, default=0, help="tokens of a row; 0: as they come")
    asked.add_argument("--epochs", type=int, default=2)
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--learning-rate", type=float, default=5e-4)
    asked.add_argument("--no-profile", action="store_true", help="leave out what the time goes to")
    said = asked.parse_args()
    said.turns = said.turns or (2 if said.quick else 3)
    said.rows = said.rows or (16 if said.quick else 96)
    if said.rows % BATCH or said.epochs < 2:
        asked.error("--rows must be a multiple of 8, and --epochs at least 2")
    return said


def race(said: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Every contestant, `turns` times, in turns; then the judge; then the profile of ours."""
    tokenizer: Any = import_module("transformers").AutoTokenizer.from_pretrained(
        said.base, local_files_only=True
    )
    rows = texts.conversations(texts.corpus(said.data, "train"), tokenizer, said.rows, said.rows_of, 1)
    held = texts.conversations(
        texts.corpus(said.data, "test"), tokenizer, 16 if said.quick else 64, said.rows_of, 2
    )
    texts.write(folder / "rows.jsonl", rows)
    texts.write(folder / "held.jsonl", held)
    count = texts.counted(tokenizer, rows)
    print(
        f"{count['rows']} rows, {count['tokens']} tokens, {count['learnt']} of them learnt; "
        f"{said.epochs} epochs, {said.turns} turns, {said.threads} threads",
        flush=True,
    )
    python = {"tunewright": sys.executable, "trl": said.trl, "llamafactory": said.llamafactory}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in said.only if python[CONTESTANTS[name][0]]}
    for turn in range(said.turns):
        # every other turn goes the other way round, so that nobody always follows the same
        for name in sorted(runs, reverse=bool(turn % 2)):
            tool, settings = CONTESTANTS[name]
            job = {
                "tool": tool,
                "settings": settings,
                "out": str(folder / f"{turn}-{len(runs[name])}-{name}"),
            }
            run = _child(python[tool], {**job, "seed": turn + 1}, said, folder, tokenizer)
            if run is None:
                continue
            run["speed"] = count["tokens"] * (said.epochs - 1) / run["cpu"]
            run["wall_speed"] = count["tokens"] * (said.epochs - 1) / run["wall"]
            runs[name].append(run)
            print(
                f"turn {turn + 1}: {name:24} {_told(run)}",
                flush=True,
            )
    losses = judge(
        said.base, folder / "held.jsonl", ["-", *(run["adapter"] for of in runs.values() for run in of)]
    )
    table = {name: _median(of, losses) for name, of in runs.items() if of}
    result = _summary(table, losses["-"], count, said)
    if "tunewright" in table and not said.no_profile:
        flops = import_module("_tune_flops")
        lengths = [128, 512] if said.quick else [128, 256, 512]
        result["utilisation"] = flops.apart(
            said.base, said.data, lengths, 1 if said.quick else 3, said.threads
        )
    return result


def _child(
    python: str, job: dict[str, Any], said: argparse.Namespace, folder: Path, tokenizer: Any
) -> dict[str, Any] | None:
    """Train in a fresh process. A contestant that fails is named, with its last words, and left out."""
    rows = folder / "rows.jsonl"
    longest = max(len(texts.tokens(tokenizer, row)[0]) for row in texts.read(rows))
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    path = Path(job["out"]).with_suffix(".json")
    told = {
        **job,
        "base": str(said.base.resolve()),
        "rows": str(rows),
        "epochs": said.epochs,
        "batch": BATCH,
        "learning_rate": said.learning_rate,
        "threads": said.threads,
        "rank": 16,
        "alpha": 32,
        "warmup": 0.05,
        "longest": longest,
        "cores": allowed[-said.threads :],
        "started": time.time(),
    }
    path.write_text(json.dumps(told), "utf-8")
    env = {**os.environ, **QUIET, "HF_HOME": str(folder / "hub")}
    env |= {name: str(said.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    if job["tool"] != "tunewright":
        env.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, str(HERE / "_tune_child.py"), str(path)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"left out: {job['tool']} {job['settings']}: {done.stderr[-1500:]}", flush=True)
        return None
    found: dict[str, Any] = json.loads(path.with_suffix(".done.json").read_text("utf-8"))
    return found


def judge(base: Path, rows: Path, adapters: Sequence[str]) -> dict[str, float]:
    """The held-out loss of every adapter, and of the base (`-`)."""
    done = subprocess.run(
        [sys.executable, str(HERE / "_tune_judge.py"), str(base), str(rows), *adapters],
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _median(runs: Sequence[dict[str, Any]], losses: dict[str, float]) -> dict[str, Any]:
    found = {
        name: round(statistics.median(run[name] for run in runs), 2)
        for name in ("speed", "wall_speed", "peak_mb", "first_step", "first_step_cpu", "whole")
    }
    loss = statistics.median(losses[run["adapter"]] for run in runs)
    return {**found, "held_out_loss": round(loss, 4), "turns": len(runs), "versions": runs[0]["versions"]}


def _told(run: dict[str, Any]) -> str:
    return (
        f"{run['speed']:7.1f} tokens/s of CPU {run['wall_speed']:7.1f} wall  {run['peak_mb']:7.0f} MB  "
        f"first step after {run['first_step']:5.1f} s ({run['first_step_cpu']:.1f} s of CPU)"
    )


def _summary(
    table: dict[str, dict[str, Any]], untrained: float, count: dict[str, int], said: argparse.Namespace
) -> dict[str, object]:
    """The table, and ours over each peer's."""
    names = ("speed", "wall_speed", "peak_mb", "held_out_loss", "first_step", "first_step_cpu", "whole")
    print(f"held-out loss of the base: {untrained:.4f}", flush=True)
    for name, one in table.items():
        print(
            f"{name:24} {_told(one)}  held-out loss {one['held_out_loss']:.4f}",
            flush=True,
        )
    ours = table.get("tunewright", {})
    peers = {name: one for name, one in table.items() if name != "tunewright"}
    best = [name for name in peers if name.startswith("trl best")]
    fastest = max(best, key=lambda name: float(peers[name]["speed"]), default="")
    return {
        "ours": ours,
        "peer": peers,
        "ratio": {n: {key: round(ours[key] / p[key], 4) for key in names} for n, p in peers.items() if ours},
        "fastest_trl": fastest,
        "base_held_out_loss": round(untrained, 4),
        "rows": {**count, "epochs": said.epochs, "turns": said.turns, "threads": said.threads},
    }


if __name__ == "__main__":
    main()
