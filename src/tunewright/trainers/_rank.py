"""One of several processes that train together: `torchrun … -m tunewright.trainers._rank FOLDER`.

The folder is what `_launch.write` wrote. Progress is written to the standard output stream as JSON lines.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunewright import errors
from tunewright.errors import TunewrightError
from tunewright.nouns import Progress, Record
from tunewright.trainers._ranks import FOLLOWED


def main(folder: Path) -> None:
    """Train this process's part of every batch."""
    lines = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no line of ours
    followed = FOLLOWED in os.environ
    try:
        with _together() as group:
            _train(folder, group, lines, followed)
    except (TunewrightError, MemoryError) as error:
        _tell(lines, _told(error))
        os._exit(1)  # the others wait for this one in vain: torchrun ends them
    os._exit(0)  # all is written, and taking so many modules down one by one takes seconds


def _train(folder: Path, group: Any, lines: int, followed: bool) -> None:
    import torch

    from tunewright.trainers import trainers

    job = json.loads((folder / "job.json").read_text("utf-8"))
    rank, size = group.get_rank(), group.get_world_size()
    options = {**job["options"], "processes": size}
    options["threads"] = max(1, (options["threads"] or _processors()) // int(os.environ["LOCAL_WORLD_SIZE"]))
    held = folder / "held.jsonl"
    out = Path(job["out"])
    with _alone(out, rank == 0):
        group.barrier()
        steps = trainers[job["trainer"]](
            Path(job["base"]),
            _records(folder / "records.jsonl"),
            out,
            held=_records(held) if held.exists() else None,
            earlier={name: Path(at) for name, at in job["earlier"].items()},
            **options,
        )
        place = torch.device("cuda") if group.get_backend() == "nccl" else torch.device("cpu")
        for progress in steps:
            stop = rank == 0 and not _heard(lines, progress, followed)
            flag = torch.tensor([int(stop)], device=place)
            group.broadcast(flag, 0)
            if flag.item():
                steps.close()  # type: ignore[attr-defined]  # a trainer is a generator: this one saves
                return


def _heard(lines: int, progress: Progress, followed: bool) -> bool:
    """Tell, and wait until it was heard; False when nobody listens any more."""
    try:
        _tell(lines, progress.model_dump_json())
    except BrokenPipeError:
        return False
    return not followed or bool(os.read(0, 1))


def _tell(lines: int, text: str) -> None:
    """One line in one write: lines of several processes do not mix."""
    os.write(lines, text.encode() + b"\n")


def _told(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        error = errors.Exhausted("the memory is full while training", hint="give a smaller batch_size")
    kind = next(c.__name__ for c in type(error).__mro__ if getattr(errors, c.__name__, None) is c)
    return json.dumps({"error": kind, "message": str(error), "hint": getattr(error, "hint", "")})


def _records(file: Path) -> list[Record]:
    with file.open(encoding="utf-8") as stream:
        return [Record.model_validate_json(line) for line in stream]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _together() -> Iterator[Any]:
    """The process group: NCCL between GPUs, Gloo between processors."""
    import torch

    group: Any = torch.distributed
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        group.init_process_group("nccl")
    else:
        group.init_process_group("gloo")
    try:
        yield group
    finally:
        if sys.exc_info()[0] is None:
            group.barrier()
            group.destroy_process_group()


@contextmanager
def _alone(out: Path, first: bool) -> Iterator[None]:
    """Wait until processes of an earlier call, whose caller is no more, have saved and ended."""
    try:
        import fcntl
    except ImportError:  # Windows has none
        yield
        return
    if not first:
        yield
        return
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".training").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main(Path(sys.argv[1]))
