"""Several processes that train one model, started by torchrun and followed as if it were one.

The processes are told what to do by a folder (`write`), start `_rank` and read the same records. The first of
them writes lines to a pipe: progress, or what went wrong. After each line it waits for a byte, so that
training is never ahead of whoever follows it, and when the pipe is closed, because the caller stopped, was
interrupted or is no more, all processes stop after the same step and the first one saves a checkpoint.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tunewright import errors
from tunewright.errors import BadInput, Exhausted, TunewrightError
from tunewright.nouns import Progress, Record
from tunewright.trainers._ranks import FOLLOWED

PATIENCE = 600.0
"""Seconds that a step and a checkpoint may take after a stop, before the processes are ended."""
KEPT = 20_000
"""Characters of what the processes wrote to the standard error stream that are looked at."""


def run(
    trainer: str,
    base: Path,
    records: Sequence[Record],
    out: Path,
    options: Mapping[str, Any],
    *,
    held: Sequence[Record] | None,
    earlier: Mapping[str, Path] | None,
) -> Iterator[Progress]:
    """Train with `options["processes"]` processes on this machine."""
    sane(options)
    with tempfile.TemporaryDirectory(prefix="tunewright-") as place:  # readable by this user only
        write(Path(place), trainer, base, records, out, options, held=held, earlier=earlier)
        with (Path(place) / "errors.txt").open("w+b") as errors_file:
            yield from _follow(_start(Path(place), options["processes"], errors_file), errors_file, options)


def sane(options: Mapping[str, Any]) -> None:
    """Errors: `BadInput` for a number of processes that makes no sense."""
    processes, size = options["processes"], options["batch_size"]
    if not 1 <= processes <= 1024:
        raise BadInput(f"processes is {processes}", hint="give a number from 1 to 1024")
    if processes > size:
        raise BadInput(
            f"{processes} processes cannot share a batch of {size}",
            hint=f"set processes to at most {size}, or raise batch_size",
        )


def write(
    folder: Path,
    trainer: str,
    base: Path,
    records: Sequence[Record],
    out: Path,
    options: Mapping[str, Any],
    *,
    held: Sequence[Record] | None = None,
    earlier: Mapping[str, Path] | None = None,
) -> None:
    """What `_rank` is told, as files: `job.json`, `records.jsonl`, and `held.jsonl` when it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    job = {
        "trainer": trainer,
        "base": str(base.absolute()),
        "out": str(out.absolute()),
        "options": {k: v for k, v in options.items() if k != "method"},
        "earlier": {name: str(at.absolute()) for name, at in (earlier or {}).items()},
    }
    (folder / "job.json").write_text(json.dumps(job), "utf-8")
    for name, those in (("records", records), ("held", held)):
        if those is not None:
            lines = "".join(record.model_dump_json() + "\n" for record in those)
            (folder / f"{name}.jsonl").write_text(lines, "utf-8")


def _start(place: Path, processes: int, errors_file: IO[bytes]) -> subprocess.Popen[bytes]:
    ours = str(Path(__file__).parents[2])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in (ours, os.environ.get("PYTHONPATH", "")) if p),
        "PYTHONUNBUFFERED": "1",
        # Nothing listens to other machines: the address below is for the meeting, this one for the gradients.
        "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
        FOLLOWED: "1",
        "OMP_NUM_THREADS": "1",  # torchrun asks for it; the trainer sets its own number
    }
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"),
            *("--nproc-per-node", str(processes), "--monitor-interval", "0.05", "--shutdown-timeout", "5"),
            *("-m", "tunewright.trainers._rank", str(place)),
        ],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors_file,
        start_new_session=True,  # an interrupt at the terminal reaches us alone, and we stop them
    )


def _follow(
    started: subprocess.Popen[bytes], errors_file: IO[bytes], options: Mapping[str, Any]
) -> Iterator[Progress]:
    assert started.stdin is not None
    assert started.stdout is not None
    wrong: TunewrightError | None = None
    try:
        for line in started.stdout:
            told = json.loads(line)
            if "error" in told:
                wrong = wrong or _error(told)
                continue
            yield Progress.model_validate(told)
            started.stdin.write(b"\n")
            started.stdin.flush()
        if started.wait() or wrong:
            raise wrong or _unexplained(started.returncode, errors_file, options)
    except BrokenPipeError:
        for line in started.stdout:
            told = json.loads(line)
            wrong = wrong or (_error(told) if "error" in told else None)
        started.wait()
        raise (wrong or _unexplained(started.returncode, errors_file, options)) from None
    finally:
        _stop(started)


def _stop(started: subprocess.Popen[bytes]) -> None:
    """Let the processes save and end; a second interrupt, or too long a wait, ends them."""
    assert started.stdin is not None
    assert started.stdout is not None
    with suppress(BrokenPipeError):
        started.stdin.close()
    try:
        while started.stdout.read(1 << 16):  # a full pipe would keep them from ending
            pass
        started.wait(PATIENCE)
    except BaseException:
        started.terminate()  # torchrun ends the others
        started.wait()
        raise
    finally:
        started.stdout.close()


def _error(told: Mapping[str, Any]) -> TunewrightError:
    kind = getattr(errors, str(told["error"]), TunewrightError)
    made: TunewrightError = TunewrightError(str(told["message"]), hint=str(told["hint"]))
    if isinstance(kind, type) and issubclass(kind, TunewrightError):
        made = kind(str(told["message"]), hint=str(told["hint"]))
    return made


def _unexplained(code: int, errors_file: IO[bytes], options: Mapping[str, Any]) -> TunewrightError:
    """What to say of processes that ended without saying why."""
    errors_file.seek(0, os.SEEK_END)
    errors_file.seek(max(0, errors_file.tell() - KEPT))
    words = errors_file.read().decode("utf-8", "replace")
    processes = options["processes"]
    if re.search(r"exitcode\s*:\s*-9\b", words):
        return Exhausted(
            f"one of {processes} processes was killed by the system, most likely because the memory is full",
            hint="give fewer processes or a smaller batch_size; every process holds the whole model",
        )
    said = re.findall(
        r"^\[?(?:rank\d+\]:)?\s*((?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*)$", words, re.MULTILINE
    )
    why = said[0].strip() if said else f"exit code {code}"
    return TunewrightError(
        f"one of {processes} processes stopped: {why}", hint="the same training with processes: 1 says more"
    )
