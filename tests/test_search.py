"""Which settings do better: every trial is an entry, nothing is tried twice, and the best is not believed."""

import json
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import tunewright as tw
from tunewright.cli import main
from tunewright.cli.render import render, summary
from tunewright.errands import _proposing, _training
from tunewright.errands.search import search
from tunewright.errors import BadInput, Missing
from tunewright.nouns import Dataset, Progress, Search, Space, Trial
from tunewright.verbs.gather import gather
from tunewright.verbs.vet import vet

pytest.importorskip("optuna")

SPACE = "{forget_every: {low: 2, high: 30}}"


def fill(folder: Path, space: str = SPACE, count: int = 200) -> Path:
    """Answers to learn by heart; the more of them one forgets, the higher the held-out loss."""
    dice = random.Random(1)
    rows = [
        {
            "question": f"What about {n}?",
            "answer": " ".join(f"w{int(dice.paretovariate(0.7))}" for _ in range(8)),
        }
        for n in range(count)
    ]
    (folder / "data" / "more.jsonl").write_text("\n".join(map(json.dumps, rows)))
    file = folder / "tunewright.yaml"
    text = re.sub(r"vet: \{.*\}", "vet: {retention: drop}", file.read_text())
    said = f"trainer: echo\n  options: {{forget_every: 3}}\n  search: {space}"
    file.write_text(text.replace("trainer: echo", said))
    return folder


@pytest.fixture
def project(folder: Path, reopen: Callable[[], tw.Project]) -> tw.Project:
    fill(folder)
    return reopen()


@pytest.fixture
def vetted(project: tw.Project) -> Dataset:
    return vet(project, gather(project))


@pytest.fixture
def calm(tmp_path: Path, make: Callable[..., Path]) -> Iterator[tw.Project]:
    """The same project once more, where nothing is interrupted."""
    opened = tw.open(fill(make(tmp_path / "calm")), actor="ada")
    yield opened
    opened.close()


def tried(project: tw.Project) -> list[Trial]:
    return project.ledger.all(Trial)


def test_each_trial_is_an_entry_and_the_first_is_the_recipes_own(
    project: tw.Project, vetted: Dataset
) -> None:
    found = search(project, vetted, trials=8)
    trials = tried(project)
    entries = [e for e in project.ledger.entries() if e.verb == "trial"]

    assert [t.number for t in trials] == list(range(8))
    assert trials[0].options == {"forget_every": 3}
    assert [e.outputs for e in entries] == [(t.digest,) for t in trials]
    assert found.trials == tuple(t.digest for t in trials)
    complete = [t for t in trials if t.state == "complete"]
    assert found.best == min(complete, key=lambda t: (t.loss, t.number)).number
    assert found.options == trials[found.best].options
    assert found.best != 0
    assert len({json.dumps(t.options) for t in trials}) == 8
    assert sum(found.tried.values()) == 8
    assert list((project.state / "work").glob("*/*")) == []


def test_stopped_at_any_moment_it_goes_on_and_ends_in_the_same_search(
    project: tw.Project, vetted: Dataset, calm: tw.Project
) -> None:
    whole = search(calm, vet(calm, gather(calm)), trials=8)
    heard = 0

    def stop(progress: Progress) -> None:
        nonlocal heard
        heard += progress.label.startswith("trial")
        if heard and heard % 400 == 0:
            heard += 1
            raise KeyboardInterrupt

    stops = 0
    while True:
        try:
            found = search(replace(project, tell=stop), vetted, trials=8)
        except KeyboardInterrupt:
            stops += 1
        else:
            break
    assert stops >= 2
    assert found == whole
    assert [t.digest for t in tried(project)] == [t.digest for t in tried(calm)]


def test_killed_it_goes_on_from_the_ledger(
    folder: Path, project: tw.Project, vetted: Dataset, calm: tw.Project
) -> None:
    whole = search(calm, vet(calm, gather(calm)), trials=6)
    code = f"""
import os, signal, tunewright as tw
from tunewright.errands.search import search
from tunewright.nouns import Dataset
def hear(progress):
    if progress.label == "trial 3" and progress.done > 20:
        os.kill(os.getpid(), signal.SIGKILL)
project = tw.open({str(folder)!r}, actor="ada", tell=hear)
search(project, project.ledger.get(Dataset, "vetted"), trials=6)
"""
    died = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert died.returncode == -signal.SIGKILL
    assert [t.number for t in tried(project)] == [0, 1, 2]

    seen = set[str]()
    assert search(replace(project, tell=lambda p: seen.add(p.label)), vetted, trials=6) == whole
    assert {label for label in seen if label.startswith("trial")} == {"trial 3", "trial 4", "trial 5"}


def test_more_trials_add_to_those_before(project: tw.Project, vetted: Dataset) -> None:
    few = search(project, vetted, trials=4)
    more = search(project, vetted, trials=6)

    assert more.trials[:4] == few.trials
    assert len(tried(project)) == 6


def test_a_small_space_is_tried_out_and_nothing_twice(
    folder: Path, make: Callable[..., Path], tmp_path: Path
) -> None:
    project = tw.open(fill(make(tmp_path / "small"), "{forget_every: [2, 3, 5]}"), actor="ada")
    found = search(project, vet(project, gather(project)), trials=10)

    assert sorted(t.options["forget_every"] for t in tried(project)) == [2, 3, 5]  # type: ignore[type-var]
    assert len(found.trials) == 3
    project.close()


def test_own_settings_outside_of_the_space_are_still_trial_nought(
    tmp_path: Path, make: Callable[..., Path]
) -> None:
    project = tw.open(fill(make(tmp_path / "apart"), "{forget_every: [7, 8, 9]}"), actor="ada")
    search(project, vet(project, gather(project)), trials=3)

    assert tried(project)[0].options["forget_every"] == 3
    project.close()


def test_settings_that_cannot_be_trained_are_entered_as_failed(
    project: tw.Project, vetted: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _training.train

    def fragile(*args: object, **kwargs: object) -> Iterator[Progress]:
        yield from plain(*args, **kwargs)  # type: ignore[arg-type]
        if kwargs["forget_every"] != 3:
            raise BadInput("training diverged: the loss is nan at step 7")

    monkeypatch.setattr(_training, "train", fragile)
    found = search(project, vetted, trials=3)

    assert found.tried == {"complete": 1, "failed": 2}
    assert found.best == 0
    assert "none did better" in found.sentence
    assert "diverged" in tried(project)[1].note


def test_a_recipe_that_cannot_be_trained_is_said_at_once(
    project: tw.Project, vetted: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> Iterator[Progress]:
        raise BadInput("record r1: the answer is empty")
        yield

    monkeypatch.setattr(_training, "train", broken)
    with pytest.raises(BadInput, match="the answer is empty"):
        search(project, vetted, trials=3)
    assert tried(project) == []


def test_hopeless_trials_are_stopped_early() -> None:
    space = Space(options={"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}})
    before = [
        Trial(
            study="a" * 64,
            number=n,
            options={"learning_rate": 1e-3 + n * 1e-4},
            state="complete",
            loss=1.0,
            steps=(2.0, 1.5, 1.0),
        )
        for n in range(5)
    ]
    bad, good = (_proposing.judge(space, before, 1, {"learning_rate": 5e-3}) for _ in range(2))

    assert [bad(loss, at) for at, loss in enumerate((3.0, 3.0), 1)] == [False, True]
    assert [good(loss, at) for at, loss in enumerate((1.9, 1.4, 0.9), 1)] == [False, False, False]


def test_the_same_trials_give_the_same_proposal_and_bounds_are_kept() -> None:
    space = Space(
        options={
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            "rank": [4, 8, 16, 32],
            "epochs": {"low": 1, "high": 5},
        }
    )
    before = list[Trial]()
    for number in range(12):
        options = _proposing.proposed(space, before, 7, number)
        assert options is not None
        assert options == _proposing.proposed(space, before, 7, number)
        rate, epochs = options["learning_rate"], options["epochs"]
        assert isinstance(rate, float)
        assert 1e-4 <= rate <= 1e-2
        assert options["rank"] in (4, 8, 16, 32)
        assert epochs in (1, 2, 3, 4, 5)
        assert isinstance(epochs, int)
        loss = abs(rate - 2e-3)
        before.append(
            Trial(study="a" * 64, number=number, options=options, state="complete", loss=loss, steps=(loss,))
        )
    rates = [float(str(t.options["learning_rate"])) for t in before]
    assert min(abs(rate - 2e-3) for rate in rates) < 1e-3
    assert _proposing.proposed(space, before[:5], 8, 5) != before[5].options


@pytest.mark.parametrize(
    "space",
    [
        "{forget_every: []}",
        "{forget_every: 3}",
        "{forget_every: {low: 3, high: 2}}",
        "{forget_every: {low: 1}}",
    ],
)
def test_a_space_that_is_none_is_refused_with_its_line(
    space: str, tmp_path: Path, make: Callable[..., Path]
) -> None:
    folder = fill(make(tmp_path / "wrong"), space)
    with pytest.raises(BadInput, match=r"tunewright.yaml:\d+: tune.search: forget_every: expected a list"):
        tw.open(folder)


def test_options_that_the_trainer_does_not_have_or_take_are_refused(
    tmp_path: Path, make: Callable[..., Path]
) -> None:
    for at, (space, why) in enumerate(
        [
            ("{forget_evry: [2]}", "did you mean"),
            ("{forget_every: [often]}", "valid integer"),
            ("{}", "nothing to search"),
        ]
    ):
        project = tw.open(fill(make(tmp_path / str(at)), space), actor="ada")
        data = vet(project, gather(project))
        with pytest.raises(BadInput) as caught:
            search(project, data)
        assert why in f"{caught.value} {caught.value.hint}"
        project.close()


def test_it_says_nothing_on_the_terminal_asks_no_network_and_makes_no_database(
    folder: Path, project: tw.Project, vetted: Dataset
) -> None:
    code = f"""
import socket, sys
import tunewright as tw
from tunewright.errands import errands
list(errands); search = errands["search"]
assert "optuna" not in sys.modules
def no(*_): raise SystemExit("network")
socket.socket.connect = socket.getaddrinfo = no
from tunewright.nouns import Dataset
project = tw.open({str(folder)!r}, actor="ada")
search(project, project.ledger.get(Dataset, "vetted"), trials=6)
assert "optuna" in sys.modules
print([name for name in ("alembic", "plotly", "torch", "requests") if name in sys.modules])
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
    assert not list(folder.rglob("*optuna*"))


def test_without_optuna_it_says_what_to_install(
    project: tw.Project, vetted: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(_proposing, "import_module", gone)
    with pytest.raises(Missing) as caught:
        search(project, vetted)
    assert "tunewright[search]" in caught.value.hint


def test_the_best_is_shown_as_yaml_with_a_warning(
    folder: Path, project: tw.Project, vetted: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    search(project, vetted, trials=6)
    capsys.readouterr()
    main(["search", "--trials", "6", "--project", str(folder)])
    told = capsys.readouterr().out
    found = project.ledger.get(Search, "search")

    assert "best of 6" in told
    pasted = yaml.safe_load(
        told.partition("for tunewright.yaml")[2].rpartition("next")[0]
        or told.partition("for tunewright.yaml")[2]
    )
    assert pasted == {"tune": {"options": found.options}}
    assert summary(found, project)
    for trial in tried(project):
        assert render(trial, project, 80)
        assert f"trial {trial.number}" in summary(trial, project)
