import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from tunewright.nouns import Progress
from tunewright.shelf import missing
from tunewright.trackers import Run, Tracker, numbers


def tensorboard(place: Path, run: Run) -> Tracker:
    """Event files for TensorBoard: every number of every step, and the recipe and the result as text.

    They lie below `out/tensorboard`, one folder a training; look at them with `tensorboard --logdir
    out/tensorboard`. Written with PyTorch's `SummaryWriter`; nothing is sent anywhere.

    Limits: the name of an event file holds this machine's name. What came after the checkpoint that a stopped
    training goes on from is hidden by TensorBoard and stays in the older file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import_module("tensorboard")
            library: Any = import_module("torch.utils.tensorboard")
    except ModuleNotFoundError as error:
        raise missing(error, "trackers/tensorboard") from error
    return _Board(library.SummaryWriter, place / run.name, run)


class _Board:
    def __init__(self, writer: Any, folder: Path, run: Run) -> None:
        self.open, self.folder, self.run = writer, folder, run
        self.writer: Any = None

    def tell(self, progress: Progress) -> None:
        """Scalars under `tune/`."""
        step, values = int(progress.done), numbers(progress)
        if values and self.writer is None:
            again = step if self.folder.is_dir() else None
            self.writer = self.open(str(self.folder), purge_step=again, flush_secs=10)
            said = {**self.run.params, **self.run.tags}
            table = "\n".join(f"| {name} | {value} |" for name, value in said.items())
            self.writer.add_text("tunewright/recipe", f"| what | value |\n|---|---|\n{table}", step)
        for name, value in values.items():
            self.writer.add_scalar(f"tune/{name}", value, step)

    def close(self, facts: Mapping[str, JsonValue]) -> None:
        """The facts as text, and the file is whole."""
        if self.writer is None:
            return
        if facts:
            table = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
            self.writer.add_text("tunewright/result", f"| what | value |\n|---|---|\n{table}")
        self.writer.close()
