"""Programs that read an export as its users will: each in a process of its own, because native code may
crash.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tunewright.errors import BadInput
from tunewright.nouns import Message

ENGINES = {"llama_cpp": ".gguf", "onnxruntime_genai": "genai_config.json"}
"""Import name of an engine, and what it reads: files with an ending, or folders with a file."""


class Engine(NamedTuple):
    """One engine for one export."""

    name: str
    artefact: Path

    def ask(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        max_tokens: int,
        tell: Callable[[int], None] = lambda _: None,
    ) -> list[str]:
        """Greedy answers, in order, with the export's own tokenizer, chat template and stop tokens.

        Errors: `BadInput` when the engine cannot read the export, or crashes.
        """
        asked = [[{"role": m.role, "content": m.content} for m in c] for c in conversations]
        given = {"engine": self.name, "at": str(self.artefact), "ask": asked, "max_tokens": max_tokens}
        threads = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
        command = [sys.executable, "-m", "tunewright.exports._asked"]
        source = str(Path(__file__).parents[2])
        quiet = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads)}
        paths = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
        child = subprocess.Popen(
            command,
            env={**os.environ, **quiet, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        answers, said = list[str](), ""
        with child:
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                child.stdin.write(json.dumps(given))
                child.stdin.close()
                for line in child.stdout:
                    told = json.loads(line) if line.startswith("{") else {}
                    if "answer" in told:
                        answers.append(str(told["answer"]))
                        tell(len(answers))
                    said = str(told.get("error", said))
            except BrokenPipeError:
                pass
            except BaseException:
                child.kill()
                raise
        if child.returncode or len(answers) != len(conversations):
            raise BadInput(
                f"{self.name} {said or _ended(child.returncode)}", hint="try another precision or format"
            )
        return answers


def engines(artefact: Path) -> list[Engine]:
    """The installed engines that read this export."""
    reads = {
        name: artefact.suffix == wanted if wanted.startswith(".") else (artefact / wanted).is_file()
        for name, wanted in ENGINES.items()
    }
    return [Engine(name, artefact) for name, can in reads.items() if can and find_spec(name) is not None]


def _ended(code: int) -> str:
    try:
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    except ValueError:
        return f"ended with {code}"
