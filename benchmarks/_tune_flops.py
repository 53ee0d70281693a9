"""Model FLOP utilisation of our training loop, and what the rest of its time goes to.

    python benchmarks/_tune_flops.py BASE [--data DIR] [--rows-of 128 256 512] [--steps N]

The peak is the best speed of this machine's matrix products at the shapes of the model, in 32 bits and in
bfloat16; the higher of both counts. FLOP are those that LoRA needs, counted from the model's shapes: forward
and the gradient of the inputs through every frozen linear map (4 per weight and token), the adapters (6),
causal attention (half of the square; three times that of the forward pass) and logits at learnt positions
only (4). What is computed beyond that, such as padding, is not counted, and neither is a prompt that all rows
of a batch begin with and that is read once.

The last line is one JSON object.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import _tune_rows as texts

RANK, ALPHA = 16, 32
KINDS = ("matmul", "adapters", "attention", "loss head", "norms and elementwise", "moving", "optimiser")
MOVING = ("copy_", "index", "cat", "clone", "to_copy", "scatter", "gather", "embedding", "split", "fill_")
PRODUCTS = ("mm", "addmm", "addmm_", "linear", "matmul", "mkldnn_linear", "_mkl_linear")


def cpu() -> float:
    """Seconds of processor time of this process and of children that have ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(one)[:2]) for one in who)


def shapes(base: Path) -> dict[str, int]:
    """The numbers of a Llama-like model that FLOP follow from."""
    said = json.loads((base / "config.json").read_text("utf-8"))
    heads = said["num_attention_heads"]
    return {
        "width": said["hidden_size"],
        "inner": said["intermediate_size"],
        "layers": said["num_hidden_layers"],
        "heads": heads,
        "keys": said.get("num_key_value_heads") or heads,
        "head": said.get("head_dim") or said["hidden_size"] // heads,
        "words": said["vocab_size"],
    }


def maps(m: dict[str, int]) -> list[tuple[int, int]]:
    """Inputs and outputs of the linear maps of one layer."""
    wide, own = m["heads"] * m["head"], m["keys"] * m["head"]
    d, f = m["width"], m["inner"]
    return [(d, wide), (d, own), (d, own), (wide, d), (d, f), (d, f), (f, d)]


def flop(m: dict[str, int], lengths: Sequence[int], learnt: int, *, shared: int = 0, batch: int = 1) -> float:
    """Floating-point operations of one pass with gradients over rows of these lengths.

    The first `shared` tokens, which all rows have in common, count once in a batch.
    """
    twice = shared * (len(lengths) - len(lengths) / batch)
    tokens = sum(lengths) - twice
    frozen = 4 * tokens * sum(i * o for i, o in maps(m))
    adapters = 6 * tokens * RANK * sum(i + o for i, o in maps(m))
    attention = 3 * 2 * (sum(n * n for n in lengths) - twice * shared) * m["heads"] * m["head"]
    return m["layers"] * (frozen + adapters + attention) + 4.0 * learnt * m["width"] * m["words"]


def peak(m: dict[str, int], seconds: float = 0.4) -> dict[str, float]:
    """Best matrix products a second, in GFLOP/s of processor time, over the model's shapes."""
    torch: Any = import_module("torch")
    best = dict[str, float]()
    for name in ("float32", "bfloat16"):
        for rows in (1024, 2048):
            for i, o in {*maps(m), (m["width"], m["words"] // 8)}:
                x = torch.ones(rows, i, dtype=getattr(torch, name))
                w = torch.ones(o, i, dtype=getattr(torch, name))
                torch.nn.functional.linear(x, w)
                turns, began, clock = 0, time.process_time(), time.perf_counter()
                while time.perf_counter() - clock < seconds:
                    torch.nn.functional.linear(x, w)
                    turns += 1
                speed = 2 * rows * i * o * turns / (time.process_time() - began) / 1e9
                best[name] = max(best.get(name, 0.0), speed)
    return {name: round(speed, 1) for name, speed in best.items()}


def profile(base: Path, rows: Sequence[texts.Turns], steps: int, options: dict[str, Any]) -> dict[str, Any]:
    """Train with our trainer: `steps` in peace for the speed, then `steps` under torch's profiler."""
    torch: Any = import_module("torch")
    trainers = import_module("tunewright.trainers").trainers
    steady = len(rows) // options["batch_size"]
    with tempfile.TemporaryDirectory() as out:
        going: Iterator[Any] = trainers["lora"](
            base, texts.records(rows), Path(out), seed=1, epochs=(2 * steps + steady) / steady, **options
        )
        _advance(going, steady)
        clock, began = time.perf_counter(), cpu()
        _advance(going, steps)
        spent, wall = cpu() - began, time.perf_counter() - clock
        with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True
        ) as seen:
            _advance(going, steps)
        getattr(going, "close", lambda: None)()
    return {"cpu": spent / steps, "wall": wall / steps, **_kinds(seen, spent, steps)}


def _advance(going: Iterator[Any], steps: int) -> None:
    for said in going:
        if said.label == "tune" and "loss" in said.values:
            steps -= 1
        if not steps:
            return


def _kinds(seen: Any, spent: float, steps: int) -> dict[str, Any]:
    """Share of the processor time by kind of work; what no operation accounts for is Python.

    The profiler makes everything slower, Python most, so Python is what is left of the time without it.
    """
    took, ops = defaultdict[str, float](float), defaultdict[str, float](float)
    for event in seen.key_averages(group_by_input_shape=True):
        own = event.self_cpu_time_total / 1e6
        name = event.key.removeprefix("aten::")
        if own > 0 and not name.startswith("ProfilerStep"):
            took[_kind(name, event.input_shapes or [])] += own
            ops[name] += own
    whole = max(spent, sum(took.values()))
    share = {kind: round(took[kind] / whole, 4) for kind in KINDS}
    share["python and waiting"] = round(1 - sum(share.values()), 4)
    top = sorted(ops.items(), key=lambda pair: -pair[1])[:25]
    return {"share": share, "operations": {name: round(own / steps, 4) for name, own in top}}


WORDS = 16_000
"""A dimension of at least this many is the vocabulary."""


def _kind(name: str, sizes: Sequence[Any]) -> str:
    flat = [n for size in sizes if isinstance(size, list) for n in size if isinstance(n, int)]
    deepest = max((len(size) for size in sizes if isinstance(size, list)), default=0)
    if "Optimizer" in name or name.startswith("_foreach") or "norm_except" in name or "adam" in name.lower():
        return "optimiser"
    if max(flat, default=0) >= WORDS and "embedding" not in name:
        return "loss head"
    if "attention" in name.lower() or "flash" in name or name in ("bmm", "baddbmm"):
        return "attention"
    if name.strip("_").startswith("softmax") and deepest >= 3:
        return "attention"
    if name in PRODUCTS:
        return "adapters" if RANK in flat else "matmul"
    if any(name.strip("_").startswith(part.strip("_")) for part in MOVING):
        return "moving"
    return "norms and elementwise"


def main() -> None:
    """Print the peak, the utilisation and the profile for every length of rows."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("base", type=Path, help="folder of the base model")
    asked.add_argument("--data", type=Path, help="folder with the corpora")
    asked.add_argument("--rows-of", type=int, nargs="+", default=[128, 256, 512])
    asked.add_argument("--steps", type=int, default=3)
    asked.add_argument("--threads", type=int, default=1)
    said = asked.parse_args()
    print(json.dumps(measure(said.base, said.data, said.rows_of, said.steps, said.threads)))


def _alike(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows have in common at their beginning."""
    return next((i for i, ids in enumerate(zip(*rows, strict=False)) if len(set(ids)) > 1), 0)


def apart(base: Path, data: Path | None, lengths: Sequence[int], steps: int, threads: int) -> dict[str, Any]:
    """`measure` in a process of its own."""
    asked = [sys.executable, __file__, str(base), "--steps", str(steps), "--threads", str(threads)]
    asked += ["--rows-of", *map(str, lengths), *(["--data", str(data)] if data else [])]
    env = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    lines = list[str]()
    with subprocess.Popen(asked, env=env, stdout=subprocess.PIPE, text=True) as going:
        for line in going.stdout or ():
            lines.append(line)
            if not line.startswith("{"):
                print(line, end="", flush=True)
    if going.returncode:
        raise SystemExit("the profile failed")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def measure(
    base: Path, data: Path | None, lengths: Sequence[int], steps: int, threads: int
) -> dict[str, Any]:
    """Peak and, for each length, tokens a second, FLOP, utilisation and shares."""
    torch: Any = import_module("torch")
    torch.set_num_threads(threads)
    tokenizer: Any = import_module("transformers").AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = shapes(base)
    top = peak(model)
    best = max(top.values())
    print(f"peak of matrix products: {top} GFLOP/s a second of processor time", flush=True)
    found = dict[str, Any]()
    for length in lengths:
        rows = texts.conversations(
            texts.corpus(data, "train", "gsm8k" if length > 150 or not length else "bitext"),
            tokenizer,
            16,
            length,
            1,
        )
        made = [texts.tokens(tokenizer, row) for row in rows]
        sizes, learnt = [len(ids) for ids, _ in made], sum(sum(yes) for _, yes in made)
        options = {
            "rank": RANK, "alpha": ALPHA, "layers": 1.0, "held_out": 0, "batch_size": 8,
            "max_tokens": max(sizes), "threads": threads, "system": "", "checkpoint_every": 1_000_000,
        }  # fmt: skip
        run = profile(base, rows, steps + steps % 2, options)
        front = _alike([ids for ids, _ in made])
        tokens = sum(sizes) / 2  # a step is half of the rows
        work = flop(model, sizes, learnt, shared=front, batch=8) / 2
        one = {
            "tokens": round(sum(sizes) / len(sizes), 1),
            "tokens_per_cpu_second": round(tokens / run["cpu"], 1),
            "tokens_per_second": round(tokens / run["wall"], 1),
            "mflop_per_token": round(work / tokens / 1e6, 1),
            "utilisation": round(work / run["cpu"] / best / 1e9, 4),
            "share": run["share"],
            "operations": run["operations"],
        }
        found[str(length)] = one
        print(f"── rows of {length} tokens (mean {one['tokens']})", flush=True)
        print(
            f"{one['tokens_per_cpu_second']} tokens/s of CPU, utilisation {one['utilisation']:.0%}",
            flush=True,
        )
        for kind, share in run["share"].items():
            print(f"  {kind:22} {share:6.1%}", flush=True)
    return {"peak_gflops": top, "rows_of": found}


if __name__ == "__main__":
    main()
