"""What every trainer promises; the one that learns weights is tried on a tiny model."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tunewright.bases import find
from tunewright.errors import BadInput, Refused
from tunewright.nouns import Message, Progress, Record
from tunewright.runtimes import runtimes
from tunewright.trainers import trainers

FAST: dict[str, Any] = {"threads": 1, "epochs": 3, "batch_size": 3, "held_out": 0.2, "rank": 4, "alpha": 8}


def learn(base: Path, records: Sequence[Record], out: Path, **options: Any) -> list[Progress]:
    return list(trainers["lora"](base, records, out, **{"seed": 1, "system": "Be kind.", **FAST, **options}))


def files(out: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in sorted((out / "weights").iterdir())}


@pytest.mark.parametrize("name", sorted(trainers))
def test_every_trainer_says_what_it_is_and_where_it_ends(name: str) -> None:
    title, limits = trainers.about(name)
    assert title.endswith(".")
    assert limits.endswith(".")
    assert {"system", "seed"} <= set(trainers.options(name))


@pytest.fixture(params=sorted(trainers))
def trainer(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    name = request.param
    if name == "qlora":
        torch = pytest.importorskip("torch")
        if not torch.cuda.is_available():
            pytest.skip("needs a GPU")
    return name, find(
        "echo:", home=tmp_path, cache=tmp_path
    ).folder if name == "echo" else request.getfixturevalue("tiny")


def suited(name: str, records: Sequence[Record]) -> list[Record]:
    """The records with what this trainer learns from."""
    if name not in ("dpo", "kto", "orpo"):
        return list(records)
    other = Message(role="rejected", content="Nobody ever does.")
    return [r.model_copy(update={"messages": (*r.messages, other)}) for r in records]


def test_progress_ends_at_its_total_and_the_same_seed_gives_the_same_bytes(
    trainer: tuple[str, Path], talk: list[Record], tmp_path: Path
) -> None:
    name, base = trainer
    options = {k: v for k, v in FAST.items() if k in trainers.options(name)}
    for place in ("a", "b"):
        steps = list(trainers[name](base, suited(name, talk), tmp_path / place, seed=3, **options))
        assert steps[-1].done == steps[-1].total
        assert "loss" in steps[-1].values
        assert json.loads((tmp_path / place / "made_with.json").read_text())
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_an_empty_answer_names_its_record(
    trainer: tuple[str, Path], talk: list[Record], tmp_path: Path
) -> None:
    name, base = trainer
    empty = talk[2].model_copy(
        update={"messages": (talk[2].messages[0], Message(role="assistant", content=" "))}
    )
    with pytest.raises(BadInput, match="r2"):
        list(trainers[name](base, suited(name, [*talk[:2], empty]), tmp_path / "out", seed=1))
    with pytest.raises(BadInput, match="nothing to learn"):
        list(trainers[name](base, [], tmp_path / "out", seed=1))


def test_what_is_learnt_is_said_more_readily(tiny: Path, talk: list[Record], tmp_path: Path) -> None:
    steps = learn(tiny, talk, tmp_path / "out", epochs=30, learning_rate=0.02, held_out=0.0)
    tuning = [s for s in steps if s.label == "tune"]
    assert tuning[-1].values["loss"] < tuning[0].values["loss"] / 2
    said = [[Message(role="system", content="Be kind."), *r.messages] for r in talk]
    before = sum(x.nats for x in runtimes["local"](tiny, None, threads=1).loss(said))
    after = sum(x.nats for x in runtimes["local"](tiny, tmp_path / "out" / "weights", threads=1).loss(said))
    assert after < before / 2


@pytest.mark.parametrize("layers", [0.5, 1.0])
def test_peft_gives_the_same_logits_from_what_was_saved(
    layers: float, tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    import torch

    from tunewright import network, template

    steps = learn(tiny, talk, tmp_path / "out", layers=layers, learning_rate=0.02, epochs=6)
    config = json.loads((tmp_path / "out" / "weights" / "adapter_config.json").read_text())
    assert str(tmp_path) not in json.dumps(config)
    assert str(tiny) not in json.dumps(config)
    own = runtimes["local"](tiny, tmp_path / "out" / "weights", threads=1)
    with network.quiet() as transformers:
        from peft import PeftModel

        tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
        plain = transformers.AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
        adapted = PeftModel.from_pretrained(plain, tmp_path / "out" / "weights").eval()
    said = [[Message(role="system", content="Be kind."), *r.messages] for r in talk]
    for conversation, loss in zip(said, own.loss(said), strict=True):
        ids, learnt = template.encode(tokenizer, conversation)
        with torch.inference_mode():
            chance = torch.log_softmax(adapted(input_ids=torch.tensor([ids])).logits[0], -1)
        nats = -sum(float(chance[i - 1, ids[i]]) for i in range(len(ids)) if learnt[i])
        assert loss.nats == pytest.approx(nats, rel=1e-4)
    # The trainer's own forward: held-out loss after the last step, of the records it chose.
    from tunewright.trainers import _rows

    _, held = _rows.split(items(network.load(tiny), talk, system="Be kind."), FAST["held_out"], 1)
    chosen = {item.rows[0].ids for item in held}
    sums = [
        loss
        for conversation, loss in zip(said, own.loss(said), strict=True)
        if any(tuple(template.encode(tokenizer, conversation)[0])[: len(ids)] == ids for ids in chosen)
    ]
    measured = sum(x.nats for x in sums) / sum(x.tokens for x in sums)
    assert steps[-1].values["held_out_loss"] == pytest.approx(measured, rel=1e-4)


OPTIONS: dict[str, Any] = {
    **FAST, "seed": 1, "system": "", "max_tokens": 512, "truncate": False, "weight_decay": 0.0, "layers": 0.5,
    "method": "lora", "rslora": False, "dora": False, "alpha": 8,
}  # fmt: skip


def items(net: Any, records: Sequence[Record], **options: Any) -> list[Any]:
    from tunewright.trainers import _objective, _rows

    cutter = _rows.Cutter(net.tokenizer, net.context, {**OPTIONS, **options})
    return [_objective.Answers(OPTIONS).item(record, cutter) for record in records]


def gradients(base: Path, talk: list[Record], *, keep: bool = True, **options: Any) -> list[Any]:
    """The adapters' gradients for one batch, from adapters that are not zero."""
    import torch

    from tunewright import network
    from tunewright.trainers import _adapter, _objective, _trunk

    net = network.load(base)
    objective = _objective.Answers(OPTIONS)
    tuner = _adapter.Tuner(net, {**OPTIONS, **options}, objective)
    with torch.no_grad():
        for at, parameter in enumerate(tuner.learnt.values()):
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(at)) * 0.1)
    made = items(net, talk)
    # With what the layers below compute kept, and without.
    tuner.trunk = _trunk.Trunk(net, tuner.below if keep else 0, [[row for item in made for row in item.rows]])
    tuner.gradient(made[:4], parts=1, step=0)
    return [p.grad.clone() for p in tuner.learnt.values()]


@pytest.mark.parametrize("layers", [0.5, 1.0])
@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "qwen3"])
def test_the_fast_arithmetic_has_pefts_gradients(
    kind: str,
    layers: float,
    made: Callable[..., Path],
    talk: list[Record],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    from tunewright.trainers import _lean, _low

    base = made(tmp_path, kind)
    lean = gradients(base, talk, layers=layers)
    monkeypatch.setattr(_lean, "suits", lambda _: False)
    low = gradients(base, talk, layers=layers)
    monkeypatch.setattr(_low, "hasten", lambda _: None)
    monkeypatch.setattr(
        _low,
        "log_likelihood",
        lambda head, states, wanted: (
            -torch.nn.functional.cross_entropy(head(states), wanted, reduction="none")
        ),
    )
    plain = gradients(base, talk, layers=layers, keep=False)
    assert len(lean) == len(low) == len(plain) > 0
    for ours, theirs, general in zip(lean, low, plain, strict=True):
        torch.testing.assert_close(ours, general, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(theirs, general, rtol=1e-3, atol=1e-5)


def test_a_model_without_fast_layers_says_so_and_one_with_them_does_not(
    made: Callable[..., Path], talk: list[Record], tmp_path: Path
) -> None:
    told = {
        kind: [s.note for s in learn(made(tmp_path / kind, kind), talk, tmp_path / f"{kind}-out", epochs=1)]
        for kind in ("llama", "qwen3")
    }
    assert "slower" not in " ".join(told["llama"])
    assert "slower" in " ".join(told["qwen3"])


def test_a_row_that_is_too_long_names_its_record_unless_it_may_be_cut(
    tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    with pytest.raises(
        BadInput, match=r"record r\d has 38 tokens, more than 16; 7 more are too long"
    ) as error:
        learn(tiny, talk, tmp_path / "out", max_tokens=16, system="")
    assert "max_tokens" in error.value.hint
    assert learn(tiny, talk, tmp_path / "out", max_tokens=100, truncate=True, epochs=1)


def test_an_option_that_makes_no_sense_is_named(tiny: Path, talk: list[Record], tmp_path: Path) -> None:
    for option, value in {
        "rank": 0,
        "learning_rate": -1.0,
        "layers": 2.0,
        "batch_size": 0,
        "epochs": 0,
    }.items():
        with pytest.raises(BadInput, match=option):
            learn(tiny, talk, tmp_path / "out", **{option: value})


def test_training_that_diverges_says_so(
    tiny: Path, talk: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunewright.trainers import _adapter

    monkeypatch.setattr(_adapter.Tuner, "gradient", lambda *_, **__: float("nan"))
    with pytest.raises(BadInput, match="diverged") as error:
        learn(tiny, talk, tmp_path / "out")
    assert "learning_rate" in error.value.hint


def test_a_full_memory_is_explained(
    tiny: Path, talk: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunewright.errors import Exhausted
    from tunewright.trainers import _adapter

    def full(*_: Any, **__: Any) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(_adapter.Tuner, "gradient", full)
    with pytest.raises(Exhausted, match="memory"):
        learn(tiny, talk, tmp_path / "out")


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_stopping_anywhere_and_going_on_gives_the_same_bytes(
    dropout: float, tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    whole = learn(tiny, talk, tmp_path / "whole", dropout=dropout)
    steps = trainers["lora"](
        tiny, talk, tmp_path / "parts", seed=1, system="Be kind.", **{**FAST, "dropout": dropout}
    )
    for step in steps:
        if step.label == "tune" and step.done == 3:
            break
    steps.close()  # type: ignore[attr-defined]
    rest = learn(tiny, talk, tmp_path / "parts", dropout=dropout)
    assert min(s.done for s in rest if s.label == "tune") == 4
    assert files(tmp_path / "whole") == files(tmp_path / "parts")
    assert whole[-1].values["loss"] == rest[-1].values["loss"]


def test_other_arguments_begin_anew(tiny: Path, talk: list[Record], tmp_path: Path) -> None:
    learn(tiny, talk, tmp_path / "out")
    again = learn(tiny, talk, tmp_path / "out", learning_rate=5e-4)
    assert min(s.done for s in again if s.label == "tune") == 0


KILLED = """
import sys, time
from pathlib import Path
from tunewright.nouns import Record
from tunewright.trainers import trainers
base, out, rows = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]).read_text().splitlines()
records = [Record.model_validate_json(r) for r in rows]
options = dict(seed=1, system="Be kind.", checkpoint_every=2, threads=1, epochs=3, batch_size=3, held_out=0.2)
for step in trainers["lora"](base, records, out, **options):
    print(step.label, int(step.done), flush=True)
    if len(sys.argv) > 4 and step.label == "tune" and step.done == 5:
        time.sleep(60)
"""


def test_a_run_that_is_killed_ends_in_the_same_bytes_as_one_that_was_not(
    tiny: Path, talk: list[Record], tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(r.model_dump_json() for r in talk))
    src = str(Path(sys.modules["tunewright"].__path__[0]).parent)
    environment = {**os.environ, "PYTHONPATH": src, "OMP_NUM_THREADS": "1"}

    def run(out: str, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", KILLED, str(tiny), str(tmp_path / out), str(rows), *more]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    victim = run("killed", "slow")
    assert victim.stdout is not None
    for line in victim.stdout:
        if line.split() == ["tune", "5"]:
            break
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    assert not (tmp_path / "killed" / "weights").exists()
    again = run("killed").communicate(timeout=120)[0].splitlines()
    assert "tune 5" in again
    assert "tune 4" not in again
    run("whole").communicate(timeout=120)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_what_was_done_before_is_done_at_once(tiny: Path, talk: list[Record], tmp_path: Path) -> None:
    learn(tiny, talk, tmp_path / "out")
    before = files(tmp_path / "out")
    again = learn(tiny, talk, tmp_path / "out")
    assert [(s.done, s.total) for s in again if s.label == "tune"] == [(again[-1].total, again[-1].total)]
    assert files(tmp_path / "out") == before


def test_four_bits_without_a_gpu_are_refused_with_what_to_do_instead(
    tiny: Path, talk: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(Refused, match="needs a GPU") as error:
        list(trainers["qlora"](tiny, talk, tmp_path / "out", seed=1))
    assert "lora" in error.value.hint


def test_a_tokenizer_that_knows_more_tokens_than_the_model_is_told(
    made: Callable[..., Path], talk: list[Record], tmp_path: Path
) -> None:
    from tokenizers import Tokenizer

    base = made(tmp_path / "base")
    words = Tokenizer.from_file(str(base / "tokenizer.json"))
    words.add_tokens(["qwertyuiop", "asdfghjkl"])
    words.save(str(base / "tokenizer.json"))
    with pytest.raises(BadInput, match="the tokenizer knows"):
        learn(base, talk, tmp_path / "out")
