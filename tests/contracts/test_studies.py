"""Curve and search with a trainer that learns weights, on a tiny model."""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.errands import _space
from tunewright.errands.curve import curve
from tunewright.errands.search import search
from tunewright.nouns import Progress
from tunewright.verbs.gather import gather
from tunewright.verbs.vet import vet

THINGS = ("Belgium", "Germany", "the sea", "the moon", "a shop", "Mars", "the hills", "nowhere")


@pytest.fixture
def project(tmp_path: Path, make: Callable[..., Path], tiny: Path) -> Iterator[tw.Project]:
    """Ninety questions about who ships whither; a low learning rate, which learns next to nothing."""
    folder = make(tmp_path / "tiny")
    dice = random.Random(3)
    rows = [
        {
            "question": f"Who ships {n} to {(thing := dice.choice(THINGS))}?",
            "answer": f"The shop ships to {thing}.",
        }
        for n in range(90)
    ]
    (folder / "data" / "chat.jsonl").write_text("\n".join(map(json.dumps, rows)))
    file = folder / "tunewright.yaml"
    text = re.sub(r"vet: \{.*\}", "vet: {retention: drop}", file.read_text())
    text = text.replace('base: "echo:"', f"base: folder:{tiny}").replace("runtime: echo", "runtime: local")
    options = "{rank: 4, alpha: 8, epochs: 2, threads: 1, learning_rate: 0.00002}"
    said = f"trainer: lora\n  options: {options}\n  search: {{learning_rate: [0.02, 0.00001]}}"
    file.write_text(text.replace("trainer: echo", said).replace("shots:", "options: {threads: 1}\n  shots:"))
    opened = tw.open(folder, actor="ada")
    yield opened
    opened.close()


def test_the_usual_options_are_varied_when_nothing_is_said(project: tw.Project) -> None:
    tune = project.settings.tune.model_copy(update={"search": {}})
    usual = replace(project, settings=project.settings.model_copy(update={"tune": tune}))
    space = _space.space(usual)

    assert set(space.options) == {"learning_rate", "rank", "epochs"}
    assert _space.own(space, usual) == {"learning_rate": 0.00002, "rank": 4, "epochs": 2}


def test_the_change_is_measured_on_conversations_that_did_not_choose(project: tw.Project) -> None:
    found = search(project, vet(project, gather(project)), trials=3)
    change = next(m for m in found.measures if m.name == "search.change")

    assert found.best
    assert found.options["learning_rate"] == 0.02
    assert found.held == found.unseen == 20
    assert change.n == 20
    assert change.high < 0
    assert "lowers the held-out loss" in found.sentence


def test_more_conversations_lower_the_loss_and_what_stopped_goes_on(project: tw.Project) -> None:
    file = project.folder / "tunewright.yaml"
    file.write_text(file.read_text().replace("learning_rate: 0.00002", "learning_rate: 0.02"))
    heard = list[str]()

    def stop(progress: Progress) -> None:
        heard.append(progress.label)
        if heard.count("train on 18") == 3:
            raise KeyboardInterrupt

    stopped = tw.open(project.folder, actor="ada", tell=stop)
    data = vet(stopped, gather(stopped))
    sizes = (0.125, 0.25, 1.0)
    with pytest.raises(KeyboardInterrupt):
        curve(stopped, data, fractions=sizes, repeats=2)
    stopped.close()
    heard.clear()
    again = tw.open(project.folder, actor="ada", tell=lambda p: heard.append(p.label))
    found = curve(again, data, fractions=sizes, repeats=2)
    fresh = curve(again, data, fractions=(*sizes, 1.0), repeats=2)  # the same sizes, another piece of work

    assert "train on 9" not in heard[: heard.index("train on 70")]
    assert found.points == fresh.points
    means = [sum(p.losses) / len(p.losses) for p in found.points]
    assert means[-1] < means[0]
    again.close()
