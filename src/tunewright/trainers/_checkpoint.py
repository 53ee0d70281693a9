"""Checkpoints and the result: safetensors and JSON, there as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunewright.errors import Exhausted
from tunewright.nouns import Record
from tunewright.trainers._adapter import Tuner


def fingerprint(
    base: Path, records: Sequence[Record], options: dict[str, Any], made_with: dict[str, str]
) -> str:
    """Names the work: only a checkpoint of the very same work is gone on from."""
    name = hashlib.sha256(json.dumps([options, made_with], sort_keys=True).encode())
    for record in records:
        name.update(record.canonical)
    for file in sorted(
        f for f in base.iterdir() if f.suffix in (".json", ".jinja", ".safetensors", ".model")
    ):
        with file.open("rb") as stream:
            name.update(hashlib.file_digest(stream, "sha256").digest())
    return name.hexdigest()


def save(out: Path, name: str, tuner: Tuner, done: int) -> None:
    """Write a checkpoint and drop the one before. Errors: `Exhausted` when the disk is full."""
    state = tuner.optimiser.state
    tensors: dict[str, torch.Tensor] = {}
    for key, parameter in tuner.adapters.items():
        tensors[key] = parameter.detach()
        for moment in ("exp_avg", "exp_avg_sq"):
            tensors[f"{moment} {key}"] = state[parameter][moment]
    work, there = out / ".checkpoint", out / f"checkpoint-{done:08d}"
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(there, ignore_errors=True)
    try:
        work.mkdir(parents=True)
        save_file(tensors, work / "state.safetensors")
        (work / "step.json").write_text(json.dumps({"work": name, "done": done}), "utf-8")
        _settle(work, there)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        raise Exhausted(
            f"the checkpoint could not be written: {error.strerror}", hint="free some disk space"
        ) from error
    for old in out.glob("checkpoint-*"):
        if old != there:
            shutil.rmtree(old, ignore_errors=True)


def resume(out: Path, name: str, tuner: Tuner) -> int:
    """Put the last checkpoint of this work back; gives the steps it had done, 0 when there is none."""
    for folder in sorted(out.glob("checkpoint-*"), reverse=True):
        try:
            note = json.loads((folder / "step.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if note.get("work") != name:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        tensors = load_file(folder / "state.safetensors")
        done = int(note["done"])
        with torch.no_grad():
            for key, parameter in tuner.adapters.items():
                parameter.copy_(tensors[key])
                tuner.optimiser.state[parameter] = {
                    "step": torch.tensor(float(done)),
                    "exp_avg": tensors[f"exp_avg {key}"],
                    "exp_avg_sq": tensors[f"exp_avg_sq {key}"],
                }
        return done
    return 0


def clear(out: Path) -> None:
    """Take away the result of earlier work, so that what is there is never half old."""
    shutil.rmtree(out / "weights", ignore_errors=True)
    (out / "made_with.json").unlink(missing_ok=True)


def finish(out: Path, tuner: Tuner, made_with: dict[str, str]) -> None:
    """Write `weights/` as PEFT reads it, without a path of this machine in it, and `made_with.json`."""
    from peft import get_peft_model_state_dict

    work = out / ".weights"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    tensors = {
        k: v.detach().float().contiguous() for k, v in sorted(get_peft_model_state_dict(tuner.peft).items())
    }
    config = tuner.peft.peft_config["default"].to_dict() | {
        "base_model_name_or_path": "",
        "inference_mode": True,
    }
    plain = {k: sorted(v) if isinstance(v, set) else v for k, v in sorted(config.items())}
    try:
        save_file(tensors, work / "adapter_model.safetensors", metadata={"format": "pt"})
        (work / "adapter_config.json").write_text(json.dumps(plain, indent=2, default=str) + "\n", "utf-8")
        (out / "made_with.json").write_text(json.dumps(made_with, indent=2) + "\n", "utf-8")
        shutil.rmtree(out / "weights", ignore_errors=True)
        _settle(work, out / "weights")
    except OSError as error:
        raise Exhausted(
            f"the adapter could not be written: {error.strerror}", hint="free some disk space"
        ) from error


def _settle(work: Path, there: Path) -> None:
    """Everything reaches the disk before the folder gets its name."""
    for place in (*work.iterdir(), work):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    os.replace(work, there)
