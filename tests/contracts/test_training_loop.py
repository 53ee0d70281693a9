"""How training is laid out: stages, what is kept, when it stops, and what happens when memory is full."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tunewright.errors import BadInput, Exhausted
from tunewright.nouns import Message, Origin, Progress, Record
from tunewright.trainers import trainers

FAST: dict[str, Any] = {
    "threads": 1, "epochs": 3, "batch_size": 3, "held_out": 0.2, "rank": 4, "alpha": 8, "seed": 1,
    "layers": 1.0, "checkpoint_every": 1000,
}  # fmt: skip


def said(at: int, *people: str) -> Record:
    words = ["the shop", "a parcel", "Belgium", "the sea", "clay", "a plant", "the moon"]
    return Record(
        id=f"r{at}",
        messages=(
            Message(role="user", content=f"What of {words[at % 7]} {at}?"),
            Message(role="assistant", content=f"{words[at % 5]} ships {at} to {words[at % 3]}."),
        ),
        origin=Origin(source="s", file="f", line=at + 1),
        subjects=people,
    )


def denied(at: int) -> Record:
    """Another answer to what `said` answers: the better one is known, the less this one is expected."""
    record = said(at)
    no = Message(role="assistant", content=f"ZQXJ {9 - at}{at} VWK?!")
    return record.model_copy(update={"id": f"no{at}", "messages": (record.messages[0], no)})


DENIED = [denied(at) for at in range(4)]
PEOPLE = [said(at) for at in range(10)] + [said(at, f"person{at % 6}") for at in range(10, 24)]


def learn(base: Path, records: Sequence[Record], out: Path, **options: Any) -> list[Progress]:
    return list(trainers["lora"](base, records, out, **{**FAST, **options}))


def weights(out: Path) -> bytes:
    return (out / "weights" / "adapter_model.safetensors").read_bytes()


def facts(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "facts.json").read_text()))


def stages(out: Path) -> dict[str, Path]:
    return {json.loads((at / "stage.json").read_text())["name"]: at for at in sorted(out.glob("stages/*"))}


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("person", ["person0", "person2", "person5"])
def test_without_a_person_it_goes_on_from_the_last_stage_that_had_not_seen_them_and_the_bytes_are_exact(
    person: str, tiny: Path, tmp_path: Path
) -> None:
    learn(tiny, PEOPLE, tmp_path / "with", slices=4)
    left = [record for record in PEOPLE if person not in record.subjects]
    earlier = stages(tmp_path / "with")
    assert len(earlier) == 3

    gone_on = learn(tiny, left, tmp_path / "without", slices=4, earlier=earlier)
    learn(tiny, left, tmp_path / "anew", slices=4)

    assert facts(tmp_path / "without")["from_stage"] >= 1, "the first stage holds nobody"
    tuned = [step.done for step in gone_on if "loss" in step.values]
    assert (
        min(tuned)
        == sum(facts(tmp_path / "anew")["steps_of_stages"][: facts(tmp_path / "without")["from_stage"]]) + 1
    )
    assert facts(tmp_path / "anew")["from_stage"] == 0
    assert weights(tmp_path / "without") == weights(tmp_path / "anew")
    assert weights(tmp_path / "without") != weights(tmp_path / "with")


def test_a_person_is_in_one_stage_only_and_nobody_in_the_first(tiny: Path) -> None:
    from tunewright.trainers._rows import Item, slices

    made = [Item((), record.id, record.subjects) for record in PEOPLE]
    parts = slices(made, 4, seed=1)
    assert sorted(item.key for part in parts for item in part) == sorted(record.id for record in PEOPLE)
    assert all(not item.people for item in parts[0])
    homes = {item.people: {n for n, part in enumerate(parts) if item in part} for item in made if item.people}
    for person in {name for record in PEOPLE for name in record.subjects}:
        assert len(set().union(*(home for names, home in homes.items() if person in names))) == 1
    assert [len(part) for part in slices([Item((), "a"), Item((), "b")], 4, seed=1)] == [2]


def test_a_stage_of_other_work_is_not_gone_on_from(tiny: Path, tmp_path: Path) -> None:
    learn(tiny, PEOPLE, tmp_path / "one", slices=3)
    learn(tiny, PEOPLE, tmp_path / "two", slices=3, learning_rate=1e-3, earlier=stages(tmp_path / "one"))
    assert facts(tmp_path / "two")["from_stage"] == 0
    other = said(100)  # learnt in the first stage, whoever else there is
    learn(
        tiny,
        [*PEOPLE, other],
        tmp_path / "three",
        slices=3,
        held=PEOPLE[:2],
        earlier=stages(tmp_path / "one"),
    )
    assert facts(tmp_path / "three")["from_stage"] == 0


def test_taking_a_record_away_moves_no_other_between_learnt_and_held_out() -> None:
    from tunewright.trainers._rows import Item, split

    made = [Item((), f"key{n}") for n in range(200)]
    kept, held = split(made, 0.2, seed=3)
    assert 20 <= len(held) <= 60
    for gone in range(0, 200, 20):
        fewer = [item for n, item in enumerate(made) if n != gone]
        kept_then, held_then = split(fewer, 0.2, seed=3)
        assert set(kept_then) <= set(kept)
        assert set(held_then) <= set(held)
    assert split(made, 0.0, seed=3) == (made, [])
    kept, held = split(made[:2], 0.9, seed=1)
    assert (len(kept), len(held)) == (1, 1)


# ── what is kept, and when it stops ─────────────────────────────────────────────────────────────


def test_the_weights_of_the_lowest_held_out_loss_are_kept_and_training_stops_when_it_only_gets_worse(
    tiny: Path, tmp_path: Path
) -> None:
    records, held = PEOPLE[:9], DENIED
    steps = learn(tiny, records, tmp_path / "best", held=held, epochs=16, learning_rate=0.05, patience=3)
    told = facts(tmp_path / "best")
    losses = {step.done: step.values["held_out_loss"] for step in steps if "held_out_loss" in step.values}
    assert told["held_out_loss"] == min(loss for done, loss in losses.items() if done)
    assert losses[told["kept_step"]] == told["held_out_loss"]
    assert told["kept_step"] < told["steps"] < told["steps_planned"]
    assert steps[-1].done == steps[-1].total == told["steps"]
    later = [loss for done, loss in losses.items() if done > told["kept_step"]]
    assert len(later) == 3
    assert all(loss >= told["held_out_loss"] for loss in later)

    whole = learn(tiny, records, tmp_path / "last", held=held, epochs=2, patience=0, keep="last")
    assert (
        facts(tmp_path / "last")["kept_step"] == whole[-1].done == facts(tmp_path / "last")["steps_planned"]
    )


def test_stopped_early_and_called_again_it_is_done(tiny: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"held": DENIED, "epochs": 16, "learning_rate": 0.05, "patience": 2}
    learn(tiny, PEOPLE[:9], tmp_path / "out", **options)
    before = weights(tmp_path / "out")
    again = learn(tiny, PEOPLE[:9], tmp_path / "out", **options)
    assert not [step for step in again if "loss" in step.values]
    assert weights(tmp_path / "out") == before


def test_records_that_are_measured_are_not_learnt(tiny: Path, tmp_path: Path) -> None:
    learn(tiny, PEOPLE, tmp_path / "out", held=PEOPLE[:5], slices=1)
    assert facts(tmp_path / "out")["records_of_stages"] == [len(PEOPLE) - 5]
    assert facts(tmp_path / "out")["held_out"] == 5
    with pytest.raises(BadInput, match="everything is held out"):
        learn(tiny, PEOPLE[:3], tmp_path / "none", held=PEOPLE[:3])


def test_a_held_out_loss_that_explodes_is_explained(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunewright.trainers._adapter import Tuner

    rising = iter([2.0, 2.5, 9.0])
    monkeypatch.setattr(Tuner, "measure", lambda *_: {"held_out_loss": next(rising)})
    with pytest.raises(BadInput, match="diverged") as error:
        learn(tiny, PEOPLE[:9], tmp_path / "out", held=DENIED)
    assert "learning_rate" in error.value.hint


# ── memory ──────────────────────────────────────────────────────────────────────────────────────


def test_when_the_memory_runs_full_a_batch_is_read_in_parts_and_that_is_told(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunewright.trainers._objective import Answers

    whole = learn(tiny, PEOPLE, tmp_path / "whole", slices=1)
    read = Answers.loss

    def small(self: Answers, tuner: Any, items: Sequence[Any]) -> Any:
        if len(items) > 2 and tuner.peft.training:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: tried to allocate 9 bytes"
            )
        return read(self, tuner, items)

    monkeypatch.setattr(Answers, "loss", small)
    parts = learn(tiny, PEOPLE, tmp_path / "parts", slices=1)
    assert any("read in 2 parts" in step.note for step in parts)
    assert facts(tmp_path / "parts")["parts_of_a_batch"] == 2
    ours = [step.values["loss"] for step in parts if "loss" in step.values]
    assert ours == pytest.approx([step.values["loss"] for step in whole if "loss" in step.values], rel=1e-3)

    monkeypatch.setattr(Answers, "loss", lambda *_: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(Exhausted, match="memory"):
        learn(tiny, PEOPLE, tmp_path / "never", held_out=0.0)


# ── methods ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("more", [{"rslora": True}, {"dora": True}, {"dora": True, "rslora": True}])
def test_rslora_and_dora_are_what_peft_reads(more: dict[str, Any], tiny: Path, tmp_path: Path) -> None:
    import torch

    from tunewright import network, template

    steps = learn(tiny, PEOPLE, tmp_path / "out", held=PEOPLE[:4], learning_rate=0.02, keep="last", **more)
    config = json.loads((tmp_path / "out" / "weights" / "adapter_config.json").read_text())
    assert config["use_rslora"] is more.get("rslora", False)
    assert config["use_dora"] is more.get("dora", False)
    with network.quiet() as transformers:
        from peft import PeftModel

        tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
        plain = transformers.AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
        adapted = PeftModel.from_pretrained(plain, tmp_path / "out" / "weights").eval()
    nats = tokens = 0.0
    for record in PEOPLE[:4]:
        ids, learnt = template.encode(tokenizer, record.messages)
        with torch.inference_mode():
            chance = torch.log_softmax(adapted(input_ids=torch.tensor([ids])).logits[0], -1)
        nats -= sum(float(chance[i - 1, ids[i]]) for i in range(len(ids)) if learnt[i])
        tokens += sum(learnt)
    assert steps[-1].values["held_out_loss"] == pytest.approx(nats / tokens, rel=1e-4)


@pytest.mark.parametrize("layers", [0.5, 1.0])
def test_full_fine_tuning_leaves_a_model_that_transformers_reads(
    layers: float, tiny: Path, tmp_path: Path
) -> None:
    from tunewright.runtimes import runtimes

    options = {**FAST, "layers": layers, "learning_rate": 2e-3, "slices": 1, "keep": "last"}
    options = {k: v for k, v in options.items() if k in trainers.options("full")}
    held = PEOPLE[:4]
    steps = list(trainers["full"](tiny, PEOPLE, tmp_path / "out", held=held, **options))
    model = runtimes["local"](tiny, tmp_path / "out" / "weights", threads=1)
    found = list(model.loss([record.messages for record in held]))
    measured = sum(x.nats for x in found) / sum(x.tokens for x in found)
    losses = [step.values["held_out_loss"] for step in steps if "held_out_loss" in step.values]
    assert measured == pytest.approx(losses[-1], rel=1e-4)
    assert losses[-1] < losses[0]
    told = facts(tmp_path / "out")
    assert (told["parameters_learnt"] < told["parameters"]) == (layers < 1)


# ── chaos ───────────────────────────────────────────────────────────────────────────────────────

RUN = """
import sys
from pathlib import Path
from tunewright.nouns import Record
from tunewright.trainers import trainers
base, out, rows = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]).read_text().splitlines()
records = [Record.model_validate_json(row) for row in rows]
options = dict(seed=1, checkpoint_every=3, threads=1, epochs=30, batch_size=3, slices=3, patience=0)
for step in trainers["lora"](base, records, out, **options):
    print(int(step.done), int(step.total), flush=True)
"""


@pytest.mark.real
def test_twenty_random_kills_end_in_the_bytes_of_an_uninterrupted_run(tiny: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(record.model_dump_json() for record in PEOPLE))
    src = str(Path(sys.modules["tunewright"].__path__[0]).parent)
    environment = {"PYTHONPATH": src, "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}

    def run(out: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", RUN, str(tiny), str(tmp_path / out), str(rows)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    whole = run("whole").communicate(timeout=300)[0].splitlines()
    total = int(whole[-1].split()[1])
    luck, kills = random.Random(5), 0
    while not (tmp_path / "killed" / "weights").exists():
        victim = run("killed")
        assert victim.stdout is not None
        reach = luck.randrange(1, 9)  # steps that it may do before it dies
        first = None
        for line in victim.stdout:
            done = int(line.split()[0])
            first = done if first is None and done else first
            if kills < 20 and first is not None and done >= first + reach and done < total:
                time.sleep(luck.random() * 0.01)
                victim.send_signal(signal.SIGKILL)
                kills += 1
                break
        victim.wait()
        victim.stdout.close()
    assert kills == 20
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
