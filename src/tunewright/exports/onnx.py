"""ONNX Runtime's generator."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from tunewright.errors import BadInput, Exhausted, Missing
from tunewright.exports import _weights

BUILDER = ("-m", "onnxruntime_genai.models.builder")
PRECISIONS = {"float32": "fp32", "int4": "int4"}
"""As the model builder spells those that it writes for a processor."""


def onnx(
    base: Path,
    weights: Path,
    out: Path,
    *,
    system: str = "",
    name: str = "model",
    origin: str = "",
    precision: Literal["float32", "int4"] = "float32",
) -> Path:
    """An ONNX graph for ONNX Runtime GenAI, on the processor.

    The merged model goes through Microsoft's own model builder (`onnxruntime_genai.models.builder`), in a
    process of its own and without the network. The folder holds graph, weights, tokenizer, chat template and
    `genai_config.json`, which names the tokens that end an answer.

    Errors: `Missing` without onnxruntime-genai; `BadInput` for an architecture that the builder does not
    know; `Exhausted` when memory or disk is full.

    Limits: for the processor; the builder also writes for other devices. int4 changes many answers of small
    models. Takes room on the disk for the merged model while it is made.
    """
    for needed in ("onnxruntime_genai", "onnx_ir"):
        if find_spec(needed) is None:
            raise Missing(
                f"exports/onnx needs {needed}, which is not installed", hint="pip install 'tunewright[onnx]'"
            )
    with TemporaryDirectory(dir=out.parent) as place:
        merged = Path(place) / "merged"
        with _weights.whole(base, weights, "ONNX") as net:
            _weights.write(net, merged, "float32")
        command = [sys.executable, *BUILDER, "-i", str(merged), "-o", str(out)]
        command += ["-p", PRECISIONS[precision], "-e", "cpu", "-c", str(Path(place) / "cache")]
        quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRANSFORMERS_VERBOSITY": "error"}
        done = subprocess.run(command, env={**os.environ, **quiet}, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        if "No space left" in done.stderr or "MemoryError" in done.stderr:
            raise Exhausted("the disk or the memory is full while exporting", hint="free some room")
        raise BadInput(
            f"the model builder of onnxruntime-genai could not write this model: {why[:200]}",
            hint="tunewright export --to merged",
        )
    return out
