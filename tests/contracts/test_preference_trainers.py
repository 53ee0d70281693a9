"""DPO, KTO and ORPO: the losses are TRL's, and what is learnt is what was preferred."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tunewright.errors import BadInput
from tunewright.nouns import Message, Progress, Record
from tunewright.trainers import trainers

torch = pytest.importorskip("torch")
from tunewright.trainers import _preferences as losses  # noqa: E402

NAMES = ("dpo", "kto", "orpo")
FAST: dict[str, Any] = {"threads": 1, "epochs": 4, "batch_size": 4, "rank": 4, "alpha": 8, "held_out": 0.2}


# ── losses ──────────────────────────────────────────────────────────────────────────────────────

# Log-probabilities of whole answers, and what the loss code of TRL 1.16.0 makes of them: loss and gradients.
CHOSEN, REJECTED = [-12.5, -30.0, -7.25, -55.0], [-14.0, -28.5, -20.0, -54.75]
CHOSEN_BEFORE, REJECTED_BEFORE = [-13.0, -29.0, -9.0, -60.0], [-13.5, -29.5, -15.0, -52.0]
OTHERS, OTHERS_BEFORE = [-40.0, -35.5, -80.0, -22.0], [-41.0, -35.0, -83.0, -23.5]
CHOSEN_TOKENS, REJECTED_TOKENS = [5.0, 12.0, 3.0, 20.0], [6.0, 9.0, 8.0, 18.0]


def tensors(*values: list[float]) -> list[Any]:
    return [torch.tensor(each, requires_grad=True) for each in values]


def ratios() -> tuple[Any, Any, Any, Any]:
    chosen, rejected = tensors(CHOSEN, REJECTED)
    return (
        chosen - torch.tensor(CHOSEN_BEFORE),
        rejected - torch.tensor(REJECTED_BEFORE),
        chosen,
        rejected,
    )


@pytest.mark.parametrize(
    ("beta", "smoothing", "loss", "pull"),
    [
        (0.1, 0.0, 0.5582512021, [-0.0118755205, -0.0137458509, -0.0084344540, -0.0078849625]),
        (0.5, 0.0, 0.4603815973, [-0.0471925847, -0.0913823247, -0.0041357474, -0.0025415441]),
        (0.1, 0.2, 0.4457511306, [-0.0202088542, -0.0220791847, -0.0167677887, -0.0162182972]),
    ],
)
def test_the_loss_of_dpo_is_trls(beta: float, smoothing: float, loss: float, pull: list[float]) -> None:
    chosen, rejected, one, other = ratios()
    made = losses.dpo_loss(chosen, rejected, beta, smoothing).mean()
    made.backward()
    assert made.item() == pytest.approx(loss, rel=1e-6)
    assert one.grad.tolist() == pytest.approx(pull, rel=1e-5)
    assert other.grad.tolist() == pytest.approx([-each for each in pull], rel=1e-5)


def test_the_loss_of_ipo_is_trls() -> None:
    chosen, rejected, one, other = ratios()
    made = losses.ipo_loss(
        chosen / torch.tensor(CHOSEN_TOKENS), rejected / torch.tensor(REJECTED_TOKENS), 0.1
    )
    made.mean().backward()
    assert made.mean().item() == pytest.approx(21.4234313965, rel=1e-6)
    pull = [-0.4816666543, -0.2164351940, -0.6319444776, -0.1149305552]
    push = [0.4013888836, 0.2885802686, 0.2369791716, 0.1277006269]
    assert one.grad.tolist() == pytest.approx(pull, rel=1e-5)
    assert other.grad.tolist() == pytest.approx(push, rel=1e-5)


@pytest.mark.parametrize(
    ("others", "weights", "loss", "pull"),
    [
        (OTHERS, (0.1, 1.0, 1.0), 0.5107241869, [-0.0062412196, 0.0061715613, -0.0062460955, 0.0060353228]),
        (OTHERS, (0.5, 1.5, 0.7), 0.5810549259, [-0.0452649221, 0.0161891039, -0.0461501367, 0.0100874156]),
        # Where the estimate is below zero, it counts as zero.
        ([-45.0, -36.0, -90.0, -25.0], (0.1, 1.0, 1.0), 0.5103360415,
         [-0.0062460955, 0.0062344014, -0.0062023918, 0.0058750929]),
    ],
)  # fmt: skip
def test_the_loss_of_kto_is_trls(
    others: list[float], weights: tuple[float, float, float], loss: float, pull: list[float]
) -> None:
    (answers,) = tensors(CHOSEN)
    liked = torch.tensor([True, False, True, False])
    kl = (torch.tensor(others) - torch.tensor(OTHERS_BEFORE)).mean()
    made = losses.kto_loss(answers - torch.tensor(CHOSEN_BEFORE), liked, kl, *weights).mean()
    made.backward()
    assert made.item() == pytest.approx(loss, rel=1e-6)
    assert answers.grad.tolist() == pytest.approx(pull, rel=1e-5)


def test_the_odds_ratio_of_orpo_is_trls() -> None:
    chosen, rejected = (
        torch.tensor([a / b for a, b in zip(values, tokens, strict=True)], requires_grad=True)
        for values, tokens in ((CHOSEN, CHOSEN_TOKENS), (REJECTED, REJECTED_TOKENS))
    )
    made = losses.odds_loss(chosen, rejected)
    made.mean().backward()
    assert made.tolist() == pytest.approx([0.7888372540, 0.4001230896, 0.6486175060, 0.5506213307], rel=1e-6)
    pull = [-0.1486050487, -0.0898129120, -0.1309951842, -0.1130811796]
    push = [0.1510549039, 0.0860678554, 0.1299771667, 0.1111606434]
    assert chosen.grad.tolist() == pytest.approx(pull, rel=1e-5)
    assert rejected.grad.tolist() == pytest.approx(push, rel=1e-5)


def test_the_gradients_are_those_of_the_losses() -> None:
    def answers(*values: float) -> Any:
        return torch.tensor(values, dtype=torch.float64, requires_grad=True)

    one, other = answers(0.5, -1.0, 3.0), answers(-0.5, 2.0, 1.0)
    liked, kl = torch.tensor([True, False, True]), torch.tensor(0.3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a, b: losses.dpo_loss(a, b, 0.3, 0.1), (one, other))
    assert torch.autograd.gradcheck(lambda a, b: losses.ipo_loss(a, b, 0.3), (one, other))
    assert torch.autograd.gradcheck(lambda a: losses.kto_loss(a, liked, kl, 0.3, 1.2, 0.8), (one,))


def test_a_token_that_is_certain_or_hopeless_breaks_nothing() -> None:
    means = torch.tensor([0.0, -1e-9, -80.0, -0.69], requires_grad=True)
    made = losses.odds_loss(means, means.detach().flip(0))
    made.sum().backward()
    assert torch.isfinite(made).all()
    assert torch.isfinite(means.grad).all()


# ── trainers ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pairs(talk: list[Record]) -> list[Record]:
    """Answers that name a number were preferred to answers that complain."""
    return [
        r.model_copy(update={"messages": (*r.messages, Message(role="rejected", content=f"Nobody, {r.id}!"))})
        for r in talk
    ]


@pytest.fixture
def rated(pairs: list[Record]) -> list[Record]:
    """One answer of each pair, by turns."""
    return [
        r.model_copy(update={"messages": r.turns if at % 2 else (r.messages[0], r.messages[2])})
        for at, r in enumerate(pairs)
    ]


def learn(name: str, base: Path, records: Sequence[Record], out: Path, **options: Any) -> list[Progress]:
    given = {"seed": 1, "system": "Be kind.", "learning_rate": 1e-2, **FAST, **options}
    return list(trainers[name](base, records, out, **given))


def files(out: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in sorted((out / "weights").iterdir())}


def measured(steps: Sequence[Progress]) -> list[dict[str, float]]:
    return [s.values for s in steps if "held_out_loss" in s.values]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dpo", {}),
        ("dpo", {"loss": "ipo", "beta": 1.0}),
        ("dpo", {"label_smoothing": 0.1}),
        ("kto", {}),
        ("orpo", {}),
    ],
)
def test_what_was_preferred_becomes_more_likely_than_what_was_not(
    name: str, options: dict[str, Any], tiny: Path, pairs: list[Record], tmp_path: Path
) -> None:
    import math

    steps = learn(name, tiny, pairs[:6], tmp_path / "out", held=pairs[6:], epochs=8, **options)
    first, *_, last = measured(steps)
    assert last["held_out_loss"] < first["held_out_loss"]
    assert last["reward_margin"] > first["reward_margin"]
    assert last["preferred"] == 1
    if name != "orpo":
        assert first["reward_margin"] == pytest.approx(0, abs=1e-4)
    if name == "dpo" and not options:
        assert first["held_out_loss"] == pytest.approx(math.log(2), rel=1e-4)
    assert (
        json.loads((tmp_path / "out" / "weights" / "adapter_config.json").read_text())["peft_type"] == "LORA"
    )


def test_kto_learns_from_single_answers(
    tiny: Path, rated: list[Record], pairs: list[Record], tmp_path: Path
) -> None:
    steps = learn("kto", tiny, rated[:6], tmp_path / "out", held=pairs[6:], epochs=12)
    first, *_, last = measured(steps)
    assert last["preferred"] == 1
    assert last["reward_margin"] > first["reward_margin"] + 0.01


@pytest.mark.parametrize("name", NAMES)
def test_the_same_arguments_give_the_same_bytes_and_stopping_changes_nothing(
    name: str, tiny: Path, pairs: list[Record], rated: list[Record], tmp_path: Path
) -> None:
    records = rated if name == "kto" else pairs
    whole = learn(name, tiny, records, tmp_path / "whole")
    given = {"seed": 1, "system": "Be kind.", "learning_rate": 1e-2, **FAST}
    steps = trainers[name](tiny, records, tmp_path / "parts", **given)
    for step in steps:
        if step.label == "tune" and step.done == 3:
            break
    steps.close()  # type: ignore[attr-defined]
    rest = learn(name, tiny, records, tmp_path / "parts")
    assert min(s.done for s in rest if s.label == "tune") == 4
    assert files(tmp_path / "whole") == files(tmp_path / "parts")
    same = ("loss", "held_out_loss", "preferred", "reward_margin")
    assert [measured(whole)[-1][k] for k in same] == [measured(rest)[-1][k] for k in same]
    learn(name, tiny, records, tmp_path / "other", learning_rate=5e-3)
    assert files(tmp_path / "other") != files(tmp_path / "whole")


@pytest.mark.parametrize("name", NAMES)
def test_taking_a_person_away_leaves_the_earlier_stages_as_they_were(
    name: str, tiny: Path, pairs: list[Record], tmp_path: Path
) -> None:
    people = [r.model_copy(update={"subjects": (f"p{at}",) if at > 3 else ()}) for at, r in enumerate(pairs)]
    learn(name, tiny, people, tmp_path / "all", held=pairs[:1], slices=3)
    stages = sorted((tmp_path / "all" / "stages").iterdir())
    notes = [json.loads((stage / "stage.json").read_text()) for stage in stages]
    assert len(stages) == 2
    earlier = {note["name"]: stage for note, stage in zip(notes, stages, strict=True)}
    from tunewright.trainers import _rows

    late = max(people[4:], key=lambda r: _rows._luck(1, r.subjects[0]))
    rest = [r for r in people if r is not late]
    from_stage = learn(name, tiny, rest, tmp_path / "short", held=pairs[:1], slices=3, earlier=earlier)
    assert json.loads((tmp_path / "short" / "facts.json").read_text())["from_stage"] >= 1
    learn(name, tiny, rest, tmp_path / "long", held=pairs[:1], slices=3)
    assert files(tmp_path / "short") == files(tmp_path / "long")
    assert from_stage


def test_the_reference_is_the_model_before_training(tiny: Path, pairs: list[Record], tmp_path: Path) -> None:
    """DPO's margin is what the runtime says of base and adapter."""
    from tunewright.runtimes import runtimes

    steps = learn("dpo", tiny, pairs, tmp_path / "out", held=pairs[6:], beta=0.5, keep="last", patience=0)
    said = [
        [Message(role="system", content="Be kind."), r.messages[0], Message(role="assistant", content=answer)]
        for r in pairs[6:]
        for answer in (r.turns[-1].content, r.rejected)
    ]
    before, after = (
        [x.nats for x in runtimes["local"](tiny, weights, threads=1).loss(said)]
        for weights in (None, tmp_path / "out" / "weights")
    )
    rewards = [0.5 * (b - a) for b, a in zip(before, after, strict=True)]
    margin = sum(rewards[::2]) / 2 - sum(rewards[1::2]) / 2
    assert measured(steps)[-1]["reward_margin"] == pytest.approx(margin, rel=1e-3)


def test_only_the_last_answer_counts(tiny: Path, pairs: list[Record]) -> None:
    from tunewright import network
    from tunewright.trainers._rows import Cutter

    net = network.load(tiny)
    cutter = Cutter(net.tokenizer, net.context, {"system": "Be kind.", "max_tokens": 256, "truncate": False})
    before = (Message(role="user", content="Hi"), Message(role="assistant", content="Hello"))
    long = pairs[0].model_copy(update={"messages": (*before, *pairs[0].messages)})
    item = losses.Pairs({}).item(long, cutter)
    for row, answer in zip(item.rows, (long.turns[-1].content, long.rejected), strict=True):
        assert net.tokenizer.decode(row.targets) == f"{answer}<|im_end|>"
        assert [row.ids[at + 1] for at in row.at] == list(row.targets)


@pytest.mark.parametrize("name", NAMES)
def test_records_in_which_nothing_is_preferred_are_left_out_and_counted(
    name: str, tiny: Path, pairs: list[Record], rated: list[Record], tmp_path: Path
) -> None:
    same = pairs[0].model_copy(
        update={"messages": (*pairs[0].turns, Message(role="rejected", content=pairs[0].turns[-1].content))}
    )
    learn(name, tiny, [*pairs[2:], rated[0], rated[1], same], tmp_path / "out", epochs=1)
    facts = json.loads((tmp_path / "out" / "facts.json").read_text())
    assert facts["left_out"] == (1 if name == "kto" else 3)


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_learnt_says_why(name: str, tiny: Path, talk: list[Record], tmp_path: Path) -> None:
    words = "every answer is a liked one" if name == "kto" else "all 8 records were left out"
    with pytest.raises(BadInput, match=words) as error:
        learn(name, tiny, talk, tmp_path / "out")
    assert error.value.hint
    long = talk[3].messages[0].content
    pair = [
        r.model_copy(update={"messages": (*r.messages, Message(role="rejected", content=long))}) for r in talk
    ]
    with pytest.raises(BadInput, match=r"record r\d has \d+ tokens, more than 24"):
        learn(name, tiny, pair, tmp_path / "out", max_tokens=24)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dpo", {"beta": 0}),
        ("dpo", {"label_smoothing": 0.5}),
        ("dpo", {"label_smoothing": 0.1, "loss": "ipo"}),
        ("kto", {"beta": -1}),
        ("kto", {"desirable": -1}),
        ("kto", {"batch_size": 1}),
        ("orpo", {"odds_weight": -0.1}),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    name: str, options: dict[str, Any], tiny: Path, pairs: list[Record], tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=next(iter(options))):
        learn(name, tiny, pairs, tmp_path / "out", **options)


@pytest.mark.parametrize("name", ["lora", "full"])
def test_supervised_trainers_learn_the_chosen_answer_and_leave_disliked_ones_out(
    name: str, tiny: Path, talk: list[Record], pairs: list[Record], rated: list[Record], tmp_path: Path
) -> None:
    options = {"threads": 1, "epochs": 1, "held": talk[:1], "seed": 1}
    list(trainers[name](tiny, talk[1:], tmp_path / "plain", **options))
    told = list(trainers[name](tiny, [*pairs[1:], rated[0]], tmp_path / "paired", **options))
    assert files(tmp_path / "plain") == files(tmp_path / "paired")
    assert json.loads((tmp_path / "paired" / "facts.json").read_text())["left_out"] == 1
    assert any("1 left out" in step.note for step in told)
