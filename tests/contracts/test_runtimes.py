"""What every runtime promises; the one with a network is tried on a tiny model."""

from pathlib import Path
from typing import Any

import pytest

from tunewright.bases import find
from tunewright.errors import BadInput
from tunewright.nouns import Message, Record
from tunewright.runtimes import Speaker, runtimes
from tunewright.trainers import trainers


def said(*turns: str) -> list[Message]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [Message.model_validate({"role": roles[t[0]], "content": t[2:]}) for t in turns]


QUESTIONS = [said("s:Be kind.", f"u:Who ships to {'the far ' * (at % 5)}place {at}?") for at in range(9)]


@pytest.fixture(params=sorted(runtimes))
def speaker(request: pytest.FixtureRequest, tmp_path: Path) -> Speaker:
    if request.param == "local":
        return runtimes["local"](request.getfixturevalue("tiny"), None, batch_size=4, threads=1)
    return runtimes[request.param](find("echo:", home=tmp_path, cache=tmp_path).folder, None)


@pytest.mark.parametrize("name", sorted(runtimes))
def test_every_runtime_says_what_it_is_and_where_it_ends(name: str) -> None:
    title, limits = runtimes.about(name)
    assert title.endswith(".")
    assert limits.endswith(".")


def test_answers_come_in_order_and_are_the_same_alone_or_together(speaker: Speaker) -> None:
    together = list(speaker.ask(QUESTIONS, max_tokens=12))
    alone = [next(iter(speaker.ask([q], max_tokens=12))) for q in QUESTIONS]
    assert [r.text for r in together] == [r.text for r in alone]
    assert all(r.tokens <= 12 for r in together)


def test_a_stream_says_what_ask_says(speaker: Speaker) -> None:
    for question in QUESTIONS[:3]:
        whole = next(iter(speaker.ask([question], max_tokens=12))).text
        assert "".join(speaker.stream(question, max_tokens=12)) == whole


def test_a_cut_answer_is_not_finished(speaker: Speaker) -> None:
    reply = next(iter(speaker.ask(QUESTIONS[:1], max_tokens=1)))
    assert reply.tokens == 1
    assert not reply.finished


def test_loss_is_of_the_last_answer_and_asks_for_one(speaker: Speaker) -> None:
    answered = [[*q, Message(role="assistant", content="The shop.")] for q in QUESTIONS]
    losses = list(speaker.loss(answered))
    assert len(losses) == len(answered)
    assert all(x.nats > 0 and x.tokens > 0 for x in losses)
    with pytest.raises(BadInput, match="does not end with an answer"):
        list(speaker.loss(QUESTIONS[:1]))


def test_nothing_asked_is_nothing_said(speaker: Speaker) -> None:
    assert list(speaker.ask([])) == []
    assert list(speaker.loss([])) == []


def test_echo_says_again_what_it_learnt(tmp_path: Path, talk: list[Record]) -> None:
    base = find("echo:", home=tmp_path, cache=tmp_path).folder
    list(trainers["echo"](base, talk, tmp_path / "out", seed=1))
    speaker = runtimes["echo"](base, tmp_path / "out" / "weights")
    assert next(iter(speaker.ask([talk[0].messages[:1]]))).text == talk[0].messages[1].content
    assert next(iter(speaker.ask([said("u:What?")]))).text == "I do not know."


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3", "mistral"])
def test_answers_and_losses_are_those_of_transformers(kind: str, made: Any, tmp_path: Path) -> None:
    import torch

    from tunewright import network, template

    folder = made(tmp_path / kind, kind)
    speaker = runtimes["local"](folder, None, batch_size=4, threads=1)
    with network.quiet() as transformers:
        plain = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        for question, reply in zip(QUESTIONS, speaker.ask(QUESTIONS, max_tokens=10), strict=True):
            ids = torch.tensor([template.prompt(tokenizer, question)])
            out = plain.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=10)
            assert tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True) == reply.text
    answered = [[*q, Message(role="assistant", content="The shop.")] for q in QUESTIONS]
    for conversation, loss in zip(answered, speaker.loss(answered), strict=True):
        whole, learnt = template.encode(tokenizer, conversation)
        with torch.inference_mode():
            chance = torch.log_softmax(plain(torch.tensor([whole])).logits[0], -1)
        nats = -sum(float(chance[i - 1, whole[i]]) for i in range(len(whole)) if learnt[i])
        assert loss.nats == pytest.approx(nats, rel=1e-4)
        assert loss.tokens == sum(learnt)


def test_a_long_conversation_loses_its_oldest_turns_and_keeps_the_system_prompt(tiny: Path) -> None:
    from tunewright.runtimes._fitting import fitted

    speaker: Any = runtimes["local"](tiny, None, threads=1)
    long = said("s:Be kind.", *(f"{who}:{'word ' * 6}" for _ in range(9) for who in "ua"), "u:Who ships?")
    ids = fitted(speaker.net, long, 20)
    assert len(ids) + 20 <= 256
    words = speaker.net.tokenizer.decode(ids)
    assert "Be kind." in words
    assert "Who ships?" in words
    assert list(speaker.ask([long], max_tokens=4))
    with pytest.raises(BadInput, match="more than"):
        list(speaker.ask([said("u:" + "word " * 300)], max_tokens=4))


def test_weights_that_are_not_an_adapter_are_bad_input(tiny: Path, tmp_path: Path) -> None:
    for name in sorted(runtimes):
        with pytest.raises(BadInput) as error:
            runtimes[name](tiny, tmp_path)
        assert error.value.hint
