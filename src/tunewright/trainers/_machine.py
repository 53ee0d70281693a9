"""What the machine can do, what it did, and what decides the bytes apart from the arguments."""

from __future__ import annotations

import os
import platform
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn


def device() -> torch.device:
    """The GPU when there is one that torch can use, otherwise the processor."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # the same bytes each time
    return torch.device("cuda")


def arithmetic() -> torch.dtype:
    """For frozen weights: bfloat16 on a GPU, and on a processor whose matrix units for it prove faster."""
    if device().type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    capable = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return torch.bfloat16 if capable and speed(torch.bfloat16) > 1.5 * speed(torch.float32) else torch.float32


def reading(method: str) -> AbstractContextManager[object]:
    """Mixed arithmetic for a model that learns as a whole: its weights stay 32-bit, products are bfloat16.

    On a GPU only; adapters lie on frozen weights that are bfloat16 themselves.
    """
    place = device().type
    if method == "full" and place == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast(place, torch.bfloat16)
    return nullcontext()


def speed(dtype: torch.dtype, seconds: float = 0.2) -> float:
    """Floating-point operations a second of a matrix product (512 x 1024 x 1024) on the processor."""
    x, w = torch.ones(512, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
    nn.functional.linear(x, w)
    began, turns = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        nn.functional.linear(x, w)
        turns += 1
    return 2 * 512 * 1024 * 1024 * turns / (time.perf_counter() - began)


def made_with(count: int, dtype: torch.dtype) -> dict[str, str]:
    """What decides the bytes apart from the arguments."""
    libraries = {
        name: version(name) for name in ("torch", "transformers", "peft", "tokenizers", "safetensors")
    }
    place = device()
    return {
        **libraries,
        "python": platform.python_version(),
        "threads": str(count),
        "processor": torch.cuda.get_device_name() if place.type == "cuda" else processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "arithmetic": str(dtype).removeprefix("torch."),
    }


def processor() -> str:
    """Its name, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (x.partition(":")[2].strip() for x in lines if x.startswith("model name")), platform.machine()
    )


def peak_memory() -> int:
    """Most bytes that this process has had resident, or on the GPU that it had allocated, up to now."""
    if device().type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # Windows has none
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
