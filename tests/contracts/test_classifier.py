"""A head that chooses a label: learnt, written as others read it, asked, and evaluated."""

import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rich.console import Console

import tunewright as tw
from tunewright.cli.render import render
from tunewright.errors import BadInput
from tunewright.http import gateway
from tunewright.nouns import Message, Origin, Progress, Record, Report
from tunewright.runtimes import runtimes
from tunewright.trainers import trainers

FAST: dict[str, Any] = {
    "threads": 1, "epochs": 2, "batch_size": 4, "held_out": 0.2, "rank": 4, "alpha": 8, "seed": 1,
}  # fmt: skip
SYSTEM = "Sort."


def labelled(text: str, label: str, at: int = 0, **more: Any) -> Record:
    said = (Message(role="user", content=text), Message(role="assistant", content=label))
    return Record(
        id=f"r{at}", messages=said, label=label, origin=Origin(source="s", file="f", line=at + 1), **more
    )


@pytest.fixture
def mail() -> list[Record]:
    words = {"refund": "give back my money", "parcel": "where is the box", "other": "who are you"}
    return [
        labelled(f"{who}: {text}{'!' * (at % 3)}", label, at * 3 + n)
        for at, who in enumerate(("Ann", "Bob", "Cid", "Dee", "Eve", "Fay", "Gus", "Hal"))
        for n, (label, text) in enumerate(words.items())
    ]


def learn(base: Path, records: Sequence[Record], out: Path, **options: Any) -> list[Progress]:
    return list(trainers["classifier"](base, records, out, **{"system": SYSTEM, **FAST, **options}))


def files(out: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in sorted((out / "weights").iterdir())}


def asked(records: Sequence[Record]) -> list[list[Message]]:
    return [[Message(role="system", content=SYSTEM), *r.messages[:-1]] for r in records]


def facts(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "facts.json").read_text()))


def test_labels_are_learnt_and_said(tiny: Path, mail: list[Record], tmp_path: Path) -> None:
    out = tmp_path / "out"
    steps = learn(tiny, mail, out, epochs=12, learning_rate=0.01)
    before, after = (next(s for s in way if "held_out_loss" in s.values) for way in (steps, steps[::-1]))
    assert before.values["held_out_loss"] == pytest.approx(math.log(3))
    assert before.values["held_out_confidence"] == pytest.approx(1 / 3)
    assert after.values["held_out_accuracy"] > 0.6
    assert facts(out)["labels"] == 3
    speaker = runtimes["local"](tiny, out / "weights", threads=1, batch_size=5)
    replies = list(speaker.ask(asked(mail), max_tokens=16))
    right = [r.text == m.label for r, m in zip(replies, mail, strict=True)]
    assert sum(right) >= 22  # of 24, of which 5 are held out
    assert {(r.tokens, r.finished) for r in replies} == {(1, True)}
    assert [next(iter(speaker.ask([q]))).text for q in asked(mail)] == [r.text for r in replies]
    assert ["".join(speaker.stream(q, temperature=1.0)) for q in asked(mail)] == [r.text for r in replies]


@pytest.mark.parametrize("kind", ["llama", "qwen3", "mistral"])
def test_transformers_and_peft_read_what_was_written(
    kind: str, made: Callable[..., Path], mail: list[Record], tmp_path: Path
) -> None:
    import torch

    from tunewright import network, template

    base, weights = made(tmp_path / "base", kind), tmp_path / "out" / "weights"
    learn(base, mail, tmp_path / "out", learning_rate=0.02)
    told = json.loads((weights / "labels.json").read_text())
    assert told["id2label"] == {"0": "other", "1": "parcel", "2": "refund"}
    assert str(tmp_path) not in (weights / "adapter_config.json").read_text()
    with network.quiet() as transformers:
        from peft import PeftModel

        tokenizer = transformers.AutoTokenizer.from_pretrained(base)
        plain = transformers.AutoModelForSequenceClassification.from_pretrained(
            base, num_labels=3, id2label={int(k): v for k, v in told["id2label"].items()}
        )
        theirs = PeftModel.from_pretrained(plain, weights).eval()
    speaker: Any = runtimes["local"](base, weights, threads=1)
    for question, ours in zip(asked(mail), speaker.probabilities(asked(mail)), strict=True):
        ids = torch.tensor([template.prompt(tokenizer, question)])
        with torch.inference_mode():
            chance = torch.softmax(theirs(input_ids=ids).logits[0], -1)
        assert list(ours) == ["other", "parcel", "refund"]
        assert list(ours.values()) == pytest.approx(chance.tolist(), rel=1e-4, abs=1e-6)
    assert max(max(p.values()) for p in speaker.probabilities(asked(mail))) > 0.4


def test_what_is_told_of_the_held_out_is_what_the_runtime_says(
    tiny: Path, mail: list[Record], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    steps = learn(tiny, mail[6:], out, held=mail[:6], learning_rate=0.01, keep="last")
    last = next(s.values for s in reversed(steps) if "held_out_loss" in s.values)
    speaker: Any = runtimes["local"](tiny, out / "weights", threads=1)
    said = [[*q, Message(role="assistant", content=r.label)] for q, r in zip(asked(mail), mail, strict=True)]
    losses = list(speaker.loss(said[:6]))
    assert sum(x.nats for x in losses) / 6 == pytest.approx(last["held_out_loss"], rel=1e-3)
    right = [a.text == r.label for a, r in zip(speaker.ask(asked(mail[:6])), mail, strict=False)]
    assert sum(right) / 6 == pytest.approx(last["held_out_accuracy"])
    sure = [max(p.values()) for p in speaker.probabilities(asked(mail[:6]))]
    assert sum(sure) / 6 == pytest.approx(last["held_out_confidence"], rel=1e-3)
    # As many tokens as a model that writes the label would need.
    assert [x.tokens for x in losses] == [x.tokens for x in runtimes["local"](tiny, None).loss(said[:6])]


def test_a_label_that_was_never_learnt_is_named_and_counts_as_wrong(
    tiny: Path, mail: list[Record], tmp_path: Path
) -> None:
    out, strange = tmp_path / "out", labelled("Ivy: a leaf", "plants", 99)
    steps = learn(tiny, mail, out, held=[*mail[:3], strange])
    assert any("1 only in what is held out" in s.note and "plants" in s.note for s in steps)
    assert facts(out)["labels_unseen"] == 1
    assert "plants" not in json.loads((out / "weights" / "labels.json").read_text())["label2id"]
    first = next(s.values for s in steps if "held_out_loss" in s.values)
    assert first["held_out_loss"] == pytest.approx((3 * math.log(3) + math.log(1e6)) / 4, rel=1e-4)
    speaker = runtimes["local"](tiny, out / "weights", threads=1)
    said = [*asked([strange])[0], Message(role="assistant", content="plants")]
    assert next(iter(speaker.loss([said]))).nats == pytest.approx(math.log(1e6))
    shouted = [*asked(mail[:1])[0], Message(role="assistant", content="REFUND")]
    quiet = [*asked(mail[:1])[0], Message(role="assistant", content="refund")]
    assert next(iter(speaker.loss([shouted]))).nats == next(iter(speaker.loss([quiet]))).nats


def test_one_label_only_or_an_answer_that_is_no_label_is_an_error_with_a_remedy(
    tiny: Path, mail: list[Record], tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="same label") as error:
        learn(tiny, mail[::3], tmp_path / "out")
    assert "two labels" in error.value.hint
    assert learn(tiny, mail[::3], tmp_path / "trial", held=[], epochs=1)[-1].values["loss"] == 0.0
    for answer, fault in {" ": "empty", "word " * 30: "149 characters", "one\ntwo": "no label"}.items():
        with pytest.raises(BadInput, match=rf"record r7: .*{fault}"):
            learn(tiny, [*mail[:5], labelled("?", answer, 7)], tmp_path / "out")
    open_end = mail[7].model_copy(update={"messages": mail[7].messages[:1]})
    with pytest.raises(BadInput, match="record r7: it does not end with a label"):
        learn(tiny, [*mail[:5], open_end], tmp_path / "out")


def test_a_text_that_is_too_long_may_have_its_beginning_cut_and_is_counted(
    tiny: Path, mail: list[Record], tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="more than 24"):
        learn(tiny, mail, tmp_path / "out", max_tokens=24)
    learn(tiny, mail, tmp_path / "out", max_tokens=24, truncate=True, epochs=1)
    assert facts(tmp_path / "out")["cut"] == len(mail)


def test_answers_that_look_like_free_text_are_remarked_upon(
    tiny: Path, talk: list[Record], mail: list[Record], tmp_path: Path
) -> None:
    assert any("free text" in s.note for s in learn(tiny, talk, tmp_path / "talk"))
    mixed = [*mail, labelled("Ivy: my money please", "Refund", 99)]
    notes = " ".join(s.note for s in learn(tiny, mixed, tmp_path / "mixed", held_out=0.0))
    assert "upper and lower case" in notes
    assert "free text" not in notes


def test_the_same_text_is_never_both_learnt_and_held_out(tiny: Path, mail: list[Record]) -> None:
    from tunewright import network
    from tunewright.trainers import _rows
    from tunewright.trainers._labels import Labels

    options = {**FAST, "system": "", "slices": 1, "balanced": False, "layers": 1.0, "warmup": 0.05,
               "max_tokens": 99, "truncate": False}  # fmt: skip
    twice = [*mail, *(r.model_copy(update={"label": "other"}) for r in mail)]
    objective, net = Labels(options, twice, None), network.load(tiny)
    cutter = _rows.Cutter(net.tokenizer, net.context, options)
    items = [objective.item(record, cutter) for record in twice]
    kept, held = _rows.split(items, 0.3, 1)
    assert held
    assert not {i.rows for i in kept} & {i.rows for i in held}


def test_balanced_rows_weigh_by_how_rare_their_label_is(
    tiny: Path, mail: list[Record], tmp_path: Path
) -> None:
    few = [r for r in mail if r.label != "refund"] + mail[:3]
    plain, even = (
        learn(tiny, few, tmp_path / str(b), balanced=b, held_out=0.0, batch_size=99, epochs=9, slices=1)
        for b in (False, True)
    )
    assert plain[-1].values["loss"] != even[-1].values["loss"]
    chances = [
        [
            p["refund"]
            for p in runtimes["local"](tiny, tmp_path / b / "weights", threads=1).probabilities(asked(few))  # type: ignore[attr-defined]
        ]
        for b in ("False", "True")
    ]
    assert sum(chances[1]) > sum(chances[0])


def test_stopping_anywhere_and_going_on_gives_the_same_bytes(
    tiny: Path, mail: list[Record], tmp_path: Path
) -> None:
    whole = learn(tiny, mail, tmp_path / "whole", checkpoint_every=2)
    again = learn(tiny, mail, tmp_path / "again", checkpoint_every=5)
    assert files(tmp_path / "whole") == files(tmp_path / "again")
    steps = trainers["classifier"](tiny, mail, tmp_path / "parts", system=SYSTEM, **FAST)
    for step in steps:
        if step.label == "tune" and step.done == 3:
            break
    steps.close()  # type: ignore[attr-defined]
    rest = learn(tiny, mail, tmp_path / "parts")
    assert min(s.done for s in rest if s.label == "tune") == 4
    assert files(tmp_path / "whole") == files(tmp_path / "parts")
    assert whole[-1].values["loss"] == again[-1].values["loss"] == rest[-1].values["loss"]


def owned(mail: list[Record]) -> list[Record]:
    return [r.model_copy(update={"subjects": (f"person {at // 3}",)}) for at, r in enumerate(mail)]


def test_without_a_person_it_goes_on_from_the_stage_that_had_not_seen_them(
    tiny: Path, mail: list[Record], tmp_path: Path
) -> None:
    everybody = owned(mail)
    learn(tiny, everybody, tmp_path / "all", slices=3, held_out=0.0)
    stages = {
        json.loads((at / "stage.json").read_text())["name"]: at for at in (tmp_path / "all").glob("stages/*")
    }
    assert len(stages) == 2
    later = {r.subjects[0] for r in everybody}
    reached = []
    for person in sorted(later):
        left = [r for r in everybody if r.subjects[0] != person]
        out = tmp_path / f"{person} quick"
        learn(tiny, left, out, slices=3, held_out=0.0, earlier=stages)
        reached.append(facts(out)["from_stage"])
        if reached[-1]:
            learn(tiny, left, tmp_path / person, slices=3, held_out=0.0)
            assert files(out) == files(tmp_path / person)
            break
    assert reached[-1] > 0


def test_a_head_of_another_base_is_refused(
    tiny: Path, made: Callable[..., Path], mail: list[Record], tmp_path: Path
) -> None:
    learn(tiny, mail, tmp_path / "out", epochs=1)
    (tmp_path / "out" / "weights" / "labels.json").write_text("{}")
    with pytest.raises(BadInput, match="does not fit the base") as error:
        runtimes["local"](tiny, tmp_path / "out" / "weights", threads=1)
    assert error.value.hint


YAML = """
name: mail
summary: Sorts mail.
data:
  - {file: data/*.jsonl, licence: CC0-1.0, origin: written for the tests, basis: all fictional}
tune:
  base: "folder:tiny"
  trainer: TRAINER
  options: {threads: 1, epochs: 12, learning_rate: 0.01, rank: 4}
evaluate:
  cases: evaluation/cases.jsonl
  suites: [labels, loss, speed]
  shots: [0, 2]
  options: {threads: 1}
  max_tokens: 4
policy:
  vet: {secrets: redact}
  release:
    - {measure: labels.accuracy.tuned-base, at_least: 0.1}
  serve: {secrets: block}
"""


def project_of(folder: Path, tiny: Path, mail: Sequence[Record], trainer: str = "classifier") -> tw.Project:
    (folder / "tiny").symlink_to(tiny)
    (folder / "tunewright.yaml").write_text(YAML.replace("TRAINER", trainer))
    rows = [json.dumps({"text": r.messages[0].content, "label": r.label}) for r in mail]
    (folder / "data" / "chat.jsonl").write_text("\n".join(rows))
    cases: list[dict[str, Any]] = [
        {"id": str(at), "messages": [{"role": "user", "content": r.messages[0].content}], "label": r.label}
        for at, r in enumerate(mail[:9])
    ]
    cases[0]["label"] = "REFUND"  # the same label
    cases[8]["label"] = "plants"  # a label that nobody learnt
    (folder / "evaluation" / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)))
    return tw.open(folder, actor="ada")


def test_a_classifier_is_evaluated_released_and_served(folder: Path, tiny: Path, mail: list[Record]) -> None:
    project = project_of(folder, tiny, mail)
    *_, last = tw.run(project)
    report = project.ledger.get(Report, "evaluated")
    measures = {m.name: m for m in report.measures}
    assert measures["labels.accuracy.base"].value == 0.0  # it knows nothing, and writes nonsense
    assert measures["labels.accuracy.prompted"].n == 9
    assert measures["labels.accuracy.tuned"].value == pytest.approx(8 / 9)
    assert measures["loss.nats_per_token.tuned"].value < measures["loss.nats_per_token.base"].value
    assert report.facts["labels_unseen"] == {"plants": 1}
    console = Console(width=100, file=io.StringIO(), markup=False)
    for one in render(report, project, 100):
        console.print(one)
    assert "labels of cases that no learnt record has: plants 1" in console.file.getvalue()  # type: ignore[attr-defined]

    tw.serve(project, last.noun)  # type: ignore[arg-type]
    asked = [{"role": "user", "content": mail[1].messages[0].content}]
    with TestClient(gateway(project)) as client:
        key = {"model": "production", "messages": asked, "temperature": 1.0}
        answer = client.post("/v1/chat/completions", json=key)
        assert answer.json()["choices"][0]["message"]["content"] == mail[1].label
        assert answer.json()["choices"][0]["finish_reason"] == "stop"
        streamed = client.post("/v1/chat/completions", json={**key, "stream": True}).text
        assert f'"{mail[1].label}"' in streamed
    project.close()
