"""Forgetting reaches the weights: training goes on from the last checkpoint that had not seen the person."""

import json
import shutil
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.errors import Refused
from tunewright.nouns import Dataset, Erasure, Model

YAML = """
name: shop
data:
  - {{file: data.jsonl, licence: CC0-1.0, origin: written for the tests, basis: all fictional}}
tune:
  base: "folder:{base}"
  trainer: lora
  options: {{threads: 1, epochs: 2, batch_size: 4, rank: 4, alpha: 8, slices: 3, held_out: 0.1}}
evaluate: {{cases: cases.jsonl, runtime: local}}
policy: {{vet: {{licence: quarantine}}}}
"""
ROWS = [
    {
        "prompt": f"What does number {n} cost, and when is it sent?",
        "completion": f"Number {n} costs {n * 7} euro.",
    }
    for n in range(12)
] + [
    {
        "prompt": f"Where is my parcel {n} from shelf {n * 3}?",
        "completion": f"It left on day {n}.",
        "customer": f"c{n % 5}",
    }
    for n in range(12, 32)
]


def opened(folder: Path, base: Path, rows: list[dict[str, str]], key: bytes = b"") -> tw.Project:
    (folder / ".tunewright").mkdir(parents=True)
    if key:
        (folder / ".tunewright" / "subject.key").write_bytes(key)
    (folder / "tunewright.yaml").write_text(YAML.format(base=base))
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "cases.jsonl").write_text(
        json.dumps({"id": "a", "messages": [{"role": "user", "content": "Hm?"}], "reference": "no"})
    )
    return tw.open(folder)


def tuned(project: tw.Project) -> Model:
    return tw.tune(project, tw.vet(project, tw.gather(project)))


@pytest.mark.parametrize("person", ["c1", "c3"])
def test_after_forgetting_the_weights_are_those_of_a_project_that_never_held_the_person(
    person: str, tiny: Path, tmp_path: Path
) -> None:
    project = opened(tmp_path / "one", tiny, ROWS)
    before = tuned(project)
    assert len(before.stages) == 2
    receipt = tw.forget(project, person)
    assert before.digest in receipt.models
    left = [stage for stage in before.stages.values() if stage in project.ledger.blobs]
    assert {*left, *(set(receipt.blobs) & set(before.stages.values()))} == set(before.stages.values())

    (tmp_path / "one" / "data.jsonl").write_text(
        "\n".join(json.dumps(row) for row in ROWS if row.get("customer") != person)
    )
    after = tuned(project)
    # Whom a row concerns is kept as a commitment under the project's own key, by which people are laid out.
    key = (tmp_path / "one" / ".tunewright" / "subject.key").read_bytes()
    never = tuned(opened(tmp_path / "two", tiny, [row for row in ROWS if row.get("customer") != person], key))

    assert after.facts["from_stage"] == len(left) >= 1
    assert never.facts["from_stage"] == 0
    ours = (project.ledger.blobs.path(after.weights) / "adapter_model.safetensors").read_bytes()
    theirs = (
        tw.open(tmp_path / "two").ledger.blobs.path(never.weights) / "adapter_model.safetensors"
    ).read_bytes()
    assert ours == theirs
    assert after.weights != before.weights
    assert tw.verify(project).problems == []
    assert project.ledger.all(Erasure) == [receipt]
    assert project.ledger.find(Dataset, "vetted") is not None


def test_a_base_whose_licence_forbids_the_use_is_refused_before_anything_is_learnt(
    tiny: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny, base)
    (base / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    project = opened(tmp_path / "one", base, ROWS)
    data = tw.vet(project, tw.gather(project))
    with pytest.raises(Refused, match="licences forbid") as error:
        tw.tune(project, data)
    assert "policy.options.licence" in error.value.hint
    assert project.ledger.find(Model, "tuned") is None

    said = (tmp_path / "one" / "tunewright.yaml").read_text()
    allowed = said.replace(
        "{licence: quarantine}", "{licence: quarantine}, options: {licence: {commercial: false}}"
    )
    (tmp_path / "one" / "tunewright.yaml").write_text(allowed)
    assert tuned(tw.open(tmp_path / "one")).facts["steps"]
