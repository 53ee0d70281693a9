"""Checkpoints, stages and the result: safetensors and JSON, there as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunewright.errors import Exhausted
from tunewright.trainers._rows import Item

State = dict[str, torch.Tensor]
APART = ("checkpoint_every", "system", "max_tokens", "truncate", "held_out", "batch_memory", "recompute")
"""Options that decide no bytes, or only by the rows, which are named themselves."""


def names(base: Path, parts: Sequence[Sequence[Item]], held: Sequence[Item], settings: Any) -> list[str]:
    """What each stage's work is called: by the base's bytes, the settings and the tokens learnt so far.

    Only a checkpoint of the very same work is gone on from. The last stage also looks at what is held out.
    """
    name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for file in sorted(
        f for f in base.iterdir() if f.suffix in (".json", ".jinja", ".safetensors", ".model")
    ):
        with file.open("rb") as stream:
            name.update(hashlib.file_digest(stream, "sha256").digest())
    told = list[str]()
    for number, part in enumerate(parts, 1):
        for item in (*part, *(held if number == len(parts) else ())):
            name.update(repr((item.rows, item.mark)).encode())
        name.update(f"stage {number} of {len(parts)}".encode())
        told.append(name.copy().hexdigest())
    return told


def save(out: Path, name: str, tensors: State, note: dict[str, Any], best: State | None) -> None:
    """Write a checkpoint and drop the one before. Errors: `Exhausted` when the disk is full."""
    there = out / f"checkpoint-{note['done']:08d}"
    with Made(there, "the checkpoint") as work:
        save_file(tensors, work / "state.safetensors")
        if best:
            save_file(best, work / "best.safetensors")
        (work / "step.json").write_text(json.dumps({"work": name, **note}), "utf-8")
    for old in out.glob("checkpoint-*"):
        if old != there:
            shutil.rmtree(old, ignore_errors=True)


def resume(out: Path, name: str) -> tuple[dict[str, Any], State, State] | None:
    """The last checkpoint of this work: its note, the state and the best weights (or none)."""
    for folder in sorted(out.glob("checkpoint-*"), reverse=True):
        try:
            note = json.loads((folder / "step.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if note.get("work") != name:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        best = folder / "best.safetensors"
        return note, load_file(folder / "state.safetensors"), load_file(best) if best.exists() else {}
    return None


def save_stage(out: Path, name: str, tensors: State, note: dict[str, Any], seen: Iterable[Item]) -> None:
    """Keep the state at the end of a stage, for trainings that begin alike, and which records it has seen."""
    with Made(out / "stages" / f"{note['stage']:02d}", "the stage") as work:
        (work / "records.txt").write_text("".join(f"{one}\n" for one in sorted(map(_record, seen))), "utf-8")
        save_file(tensors, work / "state.safetensors")
        (work / "stage.json").write_text(json.dumps({"name": name, **note}), "utf-8")


def _record(item: Item) -> str:
    return hashlib.sha256(item.record.partition("#")[0].encode()).hexdigest()


def earlier_stage(
    named: Sequence[str], earlier: Mapping[str, Path]
) -> tuple[int, dict[str, Any], State] | None:
    """The latest stage that an earlier training made of the very same work."""
    for number in range(len(named) - 1, 0, -1):
        folder = earlier.get(named[number - 1])
        if folder is not None and (folder / "state.safetensors").is_file():
            note = json.loads((folder / "stage.json").read_text("utf-8"))
            return number, note, load_file(folder / "state.safetensors")
    return None


def clear(out: Path) -> None:
    """Take away the result of earlier work, so that what is there is never half old."""
    shutil.rmtree(out / "weights", ignore_errors=True)
    for name in ("made_with.json", "facts.json"):
        (out / name).unlink(missing_ok=True)


def finish(out: Path, write: Callable[[Path], None], notes: Mapping[str, Mapping[str, Any]]) -> None:
    """Write `weights/` and the notes beside it. Errors: `Exhausted` when the disk is full."""
    for name, note in notes.items():
        (out / f"{name}.json").write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    with Made(out / "weights", "the weights") as work:
        write(work)


class Made:
    """A folder that appears when everything in it is on the disk."""

    def __init__(self, there: Path, what: str) -> None:
        self.there, self.what, self.work = there, what, there.with_name(f".{there.name}.half")

    def __enter__(self) -> Path:
        shutil.rmtree(self.work, ignore_errors=True)
        try:
            self.work.mkdir(parents=True)
        except OSError as error:
            raise self._told(error) from error
        return self.work

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        try:
            if error is None:
                settle((*self.work.iterdir(), self.work))
                shutil.rmtree(self.there, ignore_errors=True)
                os.replace(self.work, self.there)
        except OSError as failed:
            error = failed
        if error is None:
            return
        shutil.rmtree(self.work, ignore_errors=True)
        # safetensors reports a full disk by an error of its own
        if isinstance(error, OSError) or type(error).__name__ == "SafetensorError":
            raise self._told(error) from error

    def _told(self, error: BaseException) -> Exhausted:
        why = getattr(error, "strerror", None) or str(error)
        return Exhausted(f"{self.what} could not be written: {why}", hint="free some disk space")


def settle(places: Iterable[Path]) -> None:
    """Wait until everything has reached the disk."""
    for place in places:
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
