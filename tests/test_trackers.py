"""Trackers show a training to other programs, quietly; one that fails costs nothing but itself."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

import tunewright as tw
from tunewright.errors import Missing, NotFound
from tunewright.nouns import Progress
from tunewright.trackers import Run, numbers, trackers
from tunewright.verbs import _history


def run(key: str = "k" * 16) -> Run:
    return Run(
        name=f"shop-{key}",
        project="shop",
        key=key,
        params={"trainer": "lora", "learning_rate": 0.002},
        tags={"dataset": "d" * 64},
    )


def step(done: int) -> Progress:
    return Progress(label="tune", done=done, total=9, values={"loss": 3.0 - done / 10, "memory_gb": 1.0})


def tracked(project: tw.Project, *names: str) -> None:
    path = project.folder / "tunewright.yaml"
    path.write_text(
        path.read_text().replace("trainer: echo", f"trainer: echo\n  track: [{', '.join(names)}]")
    )


class Failing:
    """Fails at the second step, with words that nobody should read."""

    def __init__(self) -> None:
        self.heard = 0

    def tell(self, progress: Progress) -> None:
        self.heard += 1
        if self.heard > 1:
            raise ConnectionError("https://user:password@tracker.example")

    def close(self, facts: Mapping[str, JsonValue]) -> None:
        raise AssertionError("it failed before")


class Hearing:
    """Remembers."""

    def __init__(self) -> None:
        self.told = list[Progress]()
        self.facts: dict[str, JsonValue] | None = None

    def tell(self, progress: Progress) -> None:
        self.told.append(progress)

    def close(self, facts: Mapping[str, JsonValue]) -> None:
        self.facts = dict(facts)


def test_only_the_numbers_of_training_steps_are_tracked() -> None:
    assert numbers(step(1)) == {"loss": 2.9, "memory_gb": 1.0}
    assert numbers(Progress(label="prepare", done=0, values={"steps": 4.0})) == {}


def test_a_tracker_that_fails_is_said_once_and_the_training_ends_as_without_it(
    project: tw.Project, monkeypatch: pytest.MonkeyPatch, reopen: object
) -> None:
    tracked(project, "failing", "hearing")
    failing, hearing = Failing(), Hearing()
    runs = list[Run]()

    def shelf(name: str) -> object:
        def opened(place: Path, run: Run) -> object:
            runs.append(run)
            return {"failing": failing, "hearing": hearing}[name]

        return opened

    monkeypatch.setattr(
        _history, "trackers", type("Shelf", (), {"__getitem__": lambda _, name: shelf(name)})()
    )
    said = list[Progress]()
    opened = tw.open(project.folder, actor="ada", tell=said.append)
    try:
        model = tw.tune(opened, tw.vet(opened, tw.gather(opened)))
        faults = [p.note for p in said if "tracker" in p.note]
        assert faults == ["the tracker failing failed (ConnectionError): training goes on without it"]
        assert failing.heard == 2
        assert "the tracker failing failed" in (opened.out / "training.html").read_text().lower()
        assert len([p for p in hearing.told if p.values]) == 12
        assert hearing.facts is not None
        assert hearing.facts["model"] == model.digest
        assert {r.project for r in runs} == {"shop"}
        assert "system" not in runs[0].params
        history = "".join(opened.ledger.blobs.lines(model.history))
        assert "tracker" not in history
    finally:
        opened.close()


def test_trackers_do_not_decide_what_is_learnt(project: tw.Project) -> None:
    before = project.recipe().digest
    tracked(project, "tensorboard")
    again = tw.open(project.folder, actor="ada")
    assert again.settings.tune.track == ("tensorboard",)
    assert again.recipe().digest == before
    again.close()


def test_a_name_that_nobody_knows_is_an_error_before_anything_is_learnt(project: tw.Project) -> None:
    tracked(project, "tensorbord")
    again = tw.open(project.folder, actor="ada")
    with pytest.raises(NotFound) as error:
        tw.tune(again, tw.vet(again, tw.gather(again)))
    assert "tensorboard" in error.value.hint
    again.close()


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_missing_library_is_named_with_its_extra(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(module: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(f"tunewright.trackers.{name}.import_module", absent)
    with pytest.raises(Missing) as error:
        trackers[name](tmp_path / name, run())
    assert "tunewright[track]" in error.value.hint


def test_tensorboard_reads_what_was_told_and_a_stopped_training_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    pytest.importorskip("torch")
    for part in (range(1, 6), range(4, 9)):  # stopped after 5; the checkpoint was after 3
        board = trackers["tensorboard"](tmp_path, run())
        for done in part:
            board.tell(step(done))
        board.close({"model": "m" * 64} if part.start == 4 else {})
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    seen = EventAccumulator(str(tmp_path / run().name))
    seen.Reload()
    assert [s.step for s in seen.Scalars("tune/loss")] == [*range(1, 9)]
    assert seen.Scalars("tune/loss")[-1].value == pytest.approx(2.2)


QUIETLY = """
import sys
net = []
watched = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname")
sys.addaudithook(lambda event, args: net.append(event) if event in watched else None)
from pathlib import Path
from tunewright.nouns import Progress
from tunewright.trackers import Run, trackers
place = Path(sys.argv[1])
for part, facts in ((range(1, 6), {}), (range(4, 9), {"model": "m" * 64, "tokens": 7})):
    run = Run("shop-k", "shop", "k", {"trainer": "lora"}, {"dataset": "d" * 64})
    tracker = trackers["mlflow"](place, run)
    for done in part:
        values = {"loss": 3.0 - done / 10}
        tracker.tell(Progress(label="tune", done=done, total=9, values=values))
    tracker.close(facts)
import threading, os
print(net, threading.active_count(), os.environ["MLFLOW_DISABLE_TELEMETRY"], os.environ["DO_NOT_TRACK"])
from mlflow.tracking import MlflowClient
client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
found = client.search_runs([client.get_experiment_by_name("shop").experiment_id])
print(len(found), found[0].info.status, found[0].data.params, sorted(found[0].data.tags))
print(sorted({m.step for m in client.get_metric_history(found[0].info.run_id, "loss")}))
"""


def test_mlflow_keeps_one_run_on_this_machine_and_says_nothing_to_anybody(tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
    done = subprocess.run(
        [sys.executable, "-c", QUIETLY, str(tmp_path / "mlflow")],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    quiet, found, history = done.stdout.strip().split("\n")
    assert quiet == "[] 1 true true"
    assert found.startswith("1 FINISHED {'trainer': 'lora'}")
    assert "tunewright.model" in found
    assert "mlflow.user" not in found
    assert history == str([*range(1, 9)])
    assert done.stderr == ""
    assert not (tmp_path / "mlruns").exists()
