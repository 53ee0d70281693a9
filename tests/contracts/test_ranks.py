"""Several processes learn what one learns, stop where they are told to, and never stay behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tunewright.errors import BadInput, Exhausted, TunewrightError
from tunewright.nouns import Message, Progress, Record
from tunewright.trainers import _launch, trainers

pytest.importorskip("torch")
pytest.importorskip("transformers")

LORA: dict[str, Any] = {"threads": 1, "epochs": 3, "batch_size": 3, "held_out": 0.2, "rank": 4, "alpha": 8}
FULL: dict[str, Any] = {"threads": 1, "epochs": 3, "batch_size": 3, "held_out": 0.2, "learning_rate": 1e-3}


def learn(name: str, base: Path, records: Sequence[Record], out: Path, **options: Any) -> list[Progress]:
    told = {"lora": LORA, "full": FULL}[name]
    return list(trainers[name](base, records, out, **{"seed": 1, "system": "Be kind.", **told, **options}))


def losses(steps: Sequence[Progress], name: str = "loss") -> list[float]:
    return [s.values[name] for s in steps if name in s.values]


def weights(out: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    (file,) = (out / "weights").glob("*.safetensors")
    return load_file(file)


def files(out: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in sorted((out / "weights").iterdir())}


def alike(one: Path, other: Path) -> None:
    import torch

    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-3, atol=1e-5)


def test_two_processes_learn_what_one_learns_and_end_in_the_same_bytes_stopped_or_not(
    tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    alone = learn("lora", tiny, talk, tmp_path / "alone")
    two = learn("lora", tiny, talk, tmp_path / "two", processes=2)
    assert [(s.label, s.done, s.total) for s in two] == [(s.label, s.done, s.total) for s in alone]
    assert losses(two) == pytest.approx(losses(alone), rel=1e-4)
    assert losses(two, "held_out_loss") == pytest.approx(losses(alone, "held_out_loss"), rel=1e-4)
    alike(tmp_path / "alone", tmp_path / "two")
    facts = json.loads((tmp_path / "two" / "facts.json").read_text())
    assert facts["processes"] == 2
    assert facts["tokens"] == json.loads((tmp_path / "alone" / "facts.json").read_text())["tokens"]

    steps = trainers["lora"](tiny, talk, tmp_path / "parts", seed=1, system="Be kind.", **LORA, processes=2)
    for step in steps:
        if step.label == "tune" and step.done == 3:
            break
    steps.close()  # type: ignore[attr-defined]
    assert [f.name for f in (tmp_path / "parts").glob("checkpoint-*")] == ["checkpoint-00000003"]
    rest = learn("lora", tiny, talk, tmp_path / "parts", processes=2)
    assert min(s.done for s in rest if s.label == "tune") == 4
    assert files(tmp_path / "parts") == files(tmp_path / "two")


# ── what follows the processes, tried on a stand-in for them ────────────────────────────────────


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, talk: list[Record]) -> Callable[[str], Any]:
    """Follow a Python program in place of torchrun."""

    def follow(program: str, **options: Any) -> Any:
        def start(place: Path, processes: int, errors_file: Any) -> subprocess.Popen[bytes]:
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            return subprocess.Popen([sys.executable, "-c", program], stderr=errors_file, **pipes)

        monkeypatch.setattr(_launch, "_start", start)
        told = {"processes": 2, "batch_size": 4, **options}
        return _launch.run("lora", tmp_path, talk, tmp_path / "out", told, held=None, earlier=None)

    return follow


TELL = """
import json, os, sys
def tell(**line): os.write(1, json.dumps(line).encode() + b"\\n")
def step(done): tell(label="tune", done=done, total=9); return os.read(0, 1)
"""


def test_an_error_of_a_process_is_ours_with_its_hint(stand_in: Callable[[str], Any]) -> None:
    with pytest.raises(BadInput, match="record r1 is empty") as error:
        list(
            stand_in(
                TELL + "tell(error='BadInput', message='record r1 is empty', hint='fill it'); sys.exit(1)"
            )
        )
    assert error.value.hint == "fill it"


def test_an_error_after_some_steps_is_told_too(stand_in: Callable[[str], Any]) -> None:
    steps = stand_in(TELL + "step(1)\ntell(error='BadInput', message='it diverged', hint='')\nsys.exit(1)")
    assert next(steps).done == 1
    with pytest.raises(BadInput, match="diverged"):
        next(steps)


def test_a_process_that_the_system_killed_says_that_the_memory_is_full(
    stand_in: Callable[[str], Any],
) -> None:
    with pytest.raises(Exhausted, match="memory"):
        list(stand_in("import sys; sys.exit('  exitcode  : -9 (pid: 7)')"))


def test_any_other_end_tells_its_last_words(stand_in: Callable[[str], Any]) -> None:
    with pytest.raises(TunewrightError, match="ZeroDivisionError: division by zero"):
        list(stand_in("1 / 0"))


def test_processes_are_never_ahead_and_stop_when_nobody_listens(
    stand_in: Callable[[str], Any], tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    steps = stand_in(
        TELL + f"at = 1\nwhile step(at): at += 1\nopen({str(seen)!r}, 'w').write(f'stopped after {{at}}')"
    )
    assert [next(steps).done, next(steps).done] == [1, 2]
    time.sleep(0.05)
    steps.close()
    assert seen.read_text() == "stopped after 2"


def test_too_many_processes_are_refused_before_anything_starts(
    tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    for processes in (0, 5, 2000):
        with pytest.raises(BadInput, match="processes"):
            learn("lora", tiny, talk, tmp_path / "out", processes=processes)
    assert not (tmp_path / "out").exists()


def test_a_layer_that_is_computed_again_gives_the_same_bytes_and_keeps_less(
    tiny: Path, talk: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from tunewright.trainers import _adapter

    own, most = _adapter.Tuner.gradient, dict[bool, int]()
    kept = {"numbers": 0}

    def gradient(self: Any, *batch: Any, **more: Any) -> float:
        """With a count of what autograd keeps; what is computed again is kept only while one layer is."""
        kept["numbers"] = 0
        with torch.autograd.graph.saved_tensors_hooks(lambda t: _count(t), lambda t: t):
            return own(self, *batch, **more)

    def _count(tensor: Any) -> Any:
        kept["numbers"] += tensor.numel() if not isinstance(tensor, torch.nn.Parameter) else 0
        return tensor

    monkeypatch.setattr(_adapter.Tuner, "gradient", gradient)
    for recompute in (False, True):
        for name in ("lora", "full"):
            learn(name, tiny, talk, tmp_path / f"{name} {recompute}", epochs=1, recompute=recompute)
            most[recompute] = kept["numbers"]
    assert files(tmp_path / "lora False") == files(tmp_path / "lora True")
    assert files(tmp_path / "full False") == files(tmp_path / "full True")
    assert most[True] < most[False] / 2


# ── more processes: slow ────────────────────────────────────────────────────────────────────────


@pytest.mark.real
def test_weights_that_are_spread_learn_what_one_process_learns(
    tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    alone = learn("full", tiny, talk, tmp_path / "alone", keep="last")
    options: dict[str, Any] = {"processes": 2, "shard": True, "recompute": True, "keep": "last"}
    steps = trainers["full"](tiny, talk, tmp_path / "two", seed=1, system="Be kind.", **FULL, **options)
    first = list[Progress]()
    for step in steps:
        first.append(step)
        if step.label == "tune" and step.done == 3:
            break
    steps.close()  # type: ignore[attr-defined]
    rest = learn("full", tiny, talk, tmp_path / "two", **options)
    both = [*first, *rest]
    assert losses(both) == pytest.approx(losses(alone), rel=1e-4)
    assert losses(both, "held_out_loss") == pytest.approx(losses(alone, "held_out_loss"), rel=1e-4)
    assert files(tmp_path / "two").keys() == files(tmp_path / "alone").keys()
    alike(tmp_path / "alone", tmp_path / "two")


FOLLOWED = """
import sys
from pathlib import Path
from tunewright.nouns import Record
from tunewright.trainers import trainers
records = [Record.model_validate_json(r) for r in Path(sys.argv[3]).read_text().splitlines()]
options = dict(seed=1, processes=2, threads=1, epochs=200, batch_size=4, checkpoint_every=1000)
for step in trainers["lora"](Path(sys.argv[1]), records, Path(sys.argv[2]), **options):
    print(step.label, int(step.done), flush=True)
"""


@pytest.mark.real
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks processes up as Linux tells them")
def test_no_process_outlives_a_caller_that_was_killed_and_the_last_step_is_saved(
    tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out"
    rows.write_text("\n".join(r.model_dump_json() for r in talk))
    src = str(Path(sys.modules["tunewright"].__path__[0]).parent)
    environment = {**os.environ, "PYTHONPATH": src, "OMP_NUM_THREADS": "1", "RANKS_TEST": str(tmp_path)}
    command = [sys.executable, "-c", FOLLOWED, str(tiny), str(out), str(rows)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            if line.split() == ["tune", "3"]:
                break
        assert len(marked(str(tmp_path))) >= 4  # the caller, torchrun and two that train
        victim.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while marked(str(tmp_path)) and time.monotonic() < until:
        time.sleep(0.1)
    assert marked(str(tmp_path)) == []
    (checkpoint,) = out.glob("checkpoint-*")
    assert json.loads((checkpoint / "step.json").read_text())["done"] >= 3


def marked(name: str) -> list[str]:
    """Processes that were started with the test's mark in their environment."""
    found = list[str]()
    for folder in Path("/proc").iterdir():
        try:
            if f"RANKS_TEST={name}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder.name)
        except OSError:
            continue
    return found


@pytest.mark.real
def test_what_is_wrong_with_a_record_is_told_by_the_processes_as_by_one(
    tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    empty = talk[2].model_copy(
        update={"messages": (talk[2].messages[0], Message(role="assistant", content=" "))}
    )
    with pytest.raises(BadInput, match="r2"):
        learn("lora", tiny, [*talk[:2], empty, *talk[3:]], tmp_path / "out", processes=2)


@pytest.mark.real
def test_torchrun_by_hand_with_two_agents_reads_what_was_written_for_it(
    tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"seed": 1, "system": "Be kind.", **LORA, "processes": 2}
    _launch.write(tmp_path / "job", "lora", tiny, talk, tmp_path / "out", options)
    src = str(Path(sys.modules["tunewright"].__path__[0]).parent)
    environment = {**os.environ, "PYTHONPATH": src, "GLOO_SOCKET_IFNAME": "lo"}
    agents = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", str(node)),
                *("--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", str(port)),
                *("-m", "tunewright.trainers._rank", str(tmp_path / "job")),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for node in range(2)
    ]
    told = [agent.communicate(timeout=300)[0].splitlines() for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0]
    assert told[1] == []
    steps = [Progress.model_validate_json(line) for line in told[0]]
    assert steps[-1].done == steps[-1].total
    learn("lora", tiny, talk, tmp_path / "alone")
    alike(tmp_path / "alone", tmp_path / "out")
