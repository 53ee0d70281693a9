"""A training can be watched, stopped and read up on: its page, its history, and what documents say of it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.cli.progress import lasting, note, remark
from tunewright.cli.render import render
from tunewright.documents import Course, documents
from tunewright.documents._training import Row, course, duration, thinned, took
from tunewright.errors import BadInput
from tunewright.nouns import Base, Dataset, Estimate, Model, Progress, Recipe
from tunewright.store import Work
from tunewright.verbs._history import History, follow, plan_of, planned

A = "a" * 64
HOSTILE = "<script>alert(1)</script>"
FACTS = {
    "tokens": 120_000, "tokens_learnt": 40_000, "parameters": 1_000_000, "parameters_learnt": 20_000,
    "flop": 7.2e11, "seconds": 370.2, "processor_seconds": 663.0, "peak_memory": 2_400_000_000, "steps": 80,
    "steps_planned": 120, "kept_step": 60, "held_out": 25, "held_out_loss_before": 2.1, "held_out_loss": 1.31,
    "stages": 2, "records_of_stages": [300, 180], "cut": 3, "left_out": 0, "parts_of_a_batch": 2,
    "notes": ["read by its own layers, which is slower"],
}  # fmt: skip


def recipe(**options: object) -> Recipe:
    return Recipe(base="folder:b", trainer="lora", seed=1, options=options)  # type: ignore[arg-type]


def estimate(**more: object) -> Estimate:
    said: dict[str, object] = {
        "recipe": A, "dataset": A, "verdict": "fits", "seconds": 400.0, "seconds_low": 340.0,
        "seconds_high": 450.0, "memory": 2.6e9, "available": 8e9, "disk": 1e6, "kwh": 0.004, "grams": 1.9,
        "price": 0.0, "currency": "EUR", "tokens": 118_000.0, "flop": 1e12, "steps": 120, "forget": {},
        "basis": {"watts": 36.0, "grams_per_kwh": 473.0, "power": "assumed: 10 W a core"},
    }  # fmt: skip
    return Estimate.model_validate(said | more)


def steps(count: int, *notes: str) -> tuple[Progress, ...]:
    told = [Progress(label="prepare", done=0, note=note) for note in notes]
    told.append(Progress(label="tune", done=0, total=count, values={"held_out_loss": 2.1}))
    for done in range(1, count + 1):
        values = {
            "loss": 3 - done / count,
            "learning_rate": 1e-3,
            "tokens_per_second": 310.0,
            "memory_gb": 2.41,
        }
        told.append(Progress(label="tune", done=done, total=count, values=values))
    return tuple(told)


def going(**more: object) -> Course:
    made = Course(
        project="shop",
        base=Base(uri="folder:b", licence="CC0-1.0", revision="r", sha256=A, parameters=1_000_000),
        recipe=recipe(epochs=3),
        dataset=Dataset(
            name="vetted", records=A, count=480, quarantine=A, received=480, fates={}, sources=()
        ),
        steps=steps(40, "read by its own layers, which is slower"),
        state="going on",
        written=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
        facts={},
        elapsed=63.0,
        left=125.0,
    )
    return made._replace(**more)  # type: ignore[arg-type]


def page(**more: object) -> str:
    return documents["training"](going(**more))


def told(rows: list[Row]) -> dict[str, str]:
    return {row.name: row.told for row in rows}


# ── the page ────────────────────────────────────────────────────────────────────────────────────


def test_while_it_trains_the_page_reads_itself_again_and_says_how_long_it_takes() -> None:
    html = page()
    assert '<meta http-equiv="refresh" content="10">' in html
    assert "Training: step 40 of 40" in html
    assert "About 2 min 5 s left." in html
    assert "310 tokens a second" in html
    assert "2.4 GB" in html
    assert "Read by its own layers, which is slower" in html
    assert "2026-11-23 10:00:00 UTC" in html


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("stopped", "Stopped by a person: step 40 of 40"),
        ("failed", "Failed: step 40 of 40"),
        ("finished", "Finished"),
    ],
)
def test_when_it_no_longer_trains_the_page_rests_and_says_why(state: str, words: str) -> None:
    html = page(state=state, why="training diverged: the loss is nan", left=None)
    assert 'http-equiv="refresh"' not in html
    assert words in html
    assert ("Training diverged: the loss is nan" in html) is (state == "failed")
    assert ("tunewright tune" in html) is (state == "stopped")


def test_a_finished_page_holds_plan_and_reality_and_the_acts_arithmetic() -> None:
    html = page(state="finished", facts=FACTS, estimate=estimate(), model="c" * 64)
    assert "Finished early: step 40 of 40" in html
    assert "planned 5 min 40 s to 7 min 30 s" in html
    assert "Compute (EU AI Act)" in html
    assert estimate().digest[:12] in html


def test_the_page_asks_for_nothing_and_hostile_words_stay_text() -> None:
    html = page(
        project=HOSTILE, steps=steps(3, HOSTILE), remarks=(HOSTILE,), state="failed", why=HOSTILE,
        recipe=recipe(layers=HOSTILE),
    )  # fmt: skip
    assert HOSTILE not in html
    assert not re.search(r"<(script|link|img|iframe)|src=|url\(|@import|https?://(?!www\.w3\.org)", html)
    assert "default-src 'none'" in html


def test_before_the_first_step_the_page_says_that_there_is_nothing_to_draw() -> None:
    html = page(steps=(), left=None)
    assert "before the first step" in html
    assert "Nothing to draw yet" in html
    assert "not told yet" in html


def test_a_long_history_is_thinned_and_says_so() -> None:
    many = steps(3000)
    figure = course(many, "lora")
    assert figure is not None
    assert "mean of every 8 steps" in figure.plot
    path = re.search(r'class="curve loss" d="([^"]+)"', figure.plot)
    assert path is not None
    assert path[1].count("L") < 400
    points, each = thinned([(float(x), 1.0) for x in range(400)])
    assert (len(points), each) == (400, 1)
    points, each = thinned([(float(x), float(x)) for x in range(1001)])
    assert (len(points), each) == (334, 3)
    assert points[0] == (1.0, 1.0)


# ── what it took ────────────────────────────────────────────────────────────────────────────────


def test_facts_stand_beside_the_plan() -> None:
    said = told(took(FACTS, recipe(patience=2), estimate()))  # type: ignore[arg-type]
    assert said["time"].startswith(
        "6 min 10 s (11 min 3 s of processor time); planned 5 min 40 s to 7 min 30 s"
    )
    assert said["memory"] == "2.4 GB at most, of the whole process; planned 2.6 GB"
    assert said["work"].startswith("80 of 120 steps, 120,000 tokens (40,000 of them learnt); planned 118,000")
    assert said["weights kept"] == "those of step 60, where the held-out loss was lowest"
    assert said["ended"] == "early, at step 80 of 120: the held-out loss did not get lower 2 times running"
    assert said["energy"].startswith("about 3.7 Wh and 1.8 g CO2: 36 W x 6 min 10 s (assumed")
    assert said["batches"] == "each batch was read in 2 parts: the memory was full"
    assert said["note"] == "read by its own layers, which is slower"


def test_what_was_not_measured_is_named_and_never_a_zero() -> None:
    rows = took({}, recipe(), None)
    assert all(row.told.startswith("not measured") for row in rows)
    assert {"work", "time", "memory", "energy", "held-out loss", "weights kept"} <= set(told(rows))


@pytest.mark.parametrize(
    ("options", "more", "words"),
    [
        ({}, {"kept_step": 80}, "lowest and also the last"),
        ({"keep": "last"}, {"kept_step": 80}, "the last, as `keep: last` asks"),
        ({}, {"kept_step": 80, "held_out_loss": None}, "no other measure"),
    ],
)
def test_which_weights_were_kept_has_a_reason(
    options: dict[str, object], more: dict[str, object], words: str
) -> None:
    facts = {k: v for k, v in {**FACTS, **more}.items() if v is not None}
    assert words in told(took(facts, recipe(**options), None))["weights kept"]  # type: ignore[arg-type]


# ── the verb ────────────────────────────────────────────────────────────────────────────────────


def vetted(project: tw.Project) -> Dataset:
    return tw.vet(project, tw.gather(project))


def test_tune_writes_the_page_and_a_plan_becomes_an_input(project: tw.Project) -> None:
    data = vetted(project)
    plan = estimate(recipe=project.recipe().digest, dataset=data.digest)
    with project.ledger.step(Work("plan", A, ()), "ada", {}) as step:
        step.save(plan)
    assert planned(project, project.recipe(), data) == plan
    model = tw.tune(project, data)
    assert plan_of(project, model) == plan
    html = (project.out / "training.html").read_text("utf-8")
    assert "Finished" in html
    assert model.digest in html
    assert not list(project.out.glob(".training*"))
    release = tw.release(project, tw.evaluate(project, model))
    card = project.ledger.blobs.path(release.model_card).read_text("utf-8")
    for section in ("## Training", "## Compute \\(EU AI Act\\)|## Compute (EU AI Act)"):
        assert any(name in card for name in section.split("|"))
    assert plan.digest[:12] in card


def test_a_plan_for_other_data_is_not_compared(project: tw.Project) -> None:
    data = vetted(project)
    with project.ledger.step(Work("plan", A, ()), "ada", {}) as step:
        step.save(estimate(recipe=project.recipe().digest, dataset=A))
    model = tw.tune(project, data)
    assert plan_of(project, model) is None


def history(project: tw.Project) -> History:
    made = going()
    return History(project, project.work(A), made.base, made.recipe, made.dataset, None)


def test_a_failed_training_says_so_on_its_page(project: tw.Project) -> None:
    def failing() -> None:
        with history(project) as kept:
            kept.follow(steps(4))
            raise BadInput("training diverged: the loss is nan", hint="lower the rate")

    with pytest.raises(BadInput):
        failing()
    html = (project.out / "training.html").read_text("utf-8")
    assert "Failed: step 4 of 4" in html
    with pytest.raises(ValueError, match="secret"), history(project):
        raise ValueError("a secret of a record")
    assert "secret" not in (project.out / "training.html").read_text("utf-8")


def test_a_stopped_training_closes_the_trainer_and_says_where_it_stopped(project: tw.Project) -> None:
    closed = list[bool]()

    def trainer():  # type: ignore[no-untyped-def]
        try:
            yield from steps(9)[:5]
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt) as stopped, history(project) as kept:
        kept.follow(trainer())
    assert stopped.value.args == ("stopped after step 4 of 9", "tunewright tune goes on from there")
    assert closed == [True]
    assert "Stopped by a person: step 4 of 9" in (project.out / "training.html").read_text("utf-8")

    def listener(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    closed.clear()
    with pytest.raises(KeyboardInterrupt), history(replace(project, tell=listener)) as kept:
        kept.follow(trainer())
    assert closed == [True]


def test_a_torn_last_line_is_left_out_and_notes_outlive_the_next_step(project: tw.Project) -> None:
    log = project.work(A) / "history.jsonl"
    log.write_text(
        "".join(s.model_dump_json() + "\n" for s in steps(3, "slow", "slower")) + '{"label": "tu', "utf-8"
    )
    assert history(project).steps == list(steps(3, "slow", "slower"))
    assert log.read_text("utf-8").endswith("}\n")
    full = Progress(label="tune", done=3, total=9, note="the memory is full")
    lines = list(steps(3))
    follow(lines, full)
    assert lines == [*steps(3), full]
    for again in (*steps(3)[-1:], full):
        follow(lines, again)
    assert lines == [*steps(3), full]


# ── the terminal ────────────────────────────────────────────────────────────────────────────────


def test_the_line_of_a_training_is_short_and_keeps_the_last_held_out_loss() -> None:
    held = dict[str, dict[str, float]]()
    first, *_, last = (lasting(step, held) for step in steps(5))
    assert note(first) == "held-out 2.10"
    assert note(last) == "loss 2.00  held-out 2.10  310 tokens/s  2.4 GB"
    assert note(last, room=30) == "loss 2.00  held-out 2.10"
    assert note(last, room=5) == "loss…"


def test_remarks_are_said_and_outlooks_are_not_taken_for_numbers() -> None:
    outlook = Progress(label="prepare", done=0, note="480 conversations", values={"tokens_1": 4.0})
    assert remark(outlook) == "480 conversations"
    assert (
        remark(Progress(label="tune", done=3, total=9, note="the memory is full\x1b"))
        == "the memory is full�"
    )
    assert remark(steps(2)[-1]) == ""
    assert remark(Progress(label="gather", done=3, note="chat.jsonl")) == ""
    assert note(Progress(label="gather", done=3, note="chat.jsonl")) == "chat.jsonl"


def test_show_says_what_the_training_took(project: tw.Project) -> None:
    model = tw.tune(project, vetted(project))
    richer = Model.model_validate({**model.model_dump(), "facts": FACTS})
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as capture:
        console.print(*render(richer, project, 200))
    said = capture.get()
    assert "80 of 120 steps, 120,000 tokens" in said
    assert "early, at step 80 of 120" in said
    assert "article 53 does not apply by this criterion" in said


def test_durations_are_written_for_people() -> None:
    assert [duration(x) for x in (8.24, 42.4, 185, 7800)] == ["8.2 s", "42 s", "3 min 5 s", "2 h 10 min"]


# ── Ctrl-C ──────────────────────────────────────────────────────────────────────────────────────


def tiny(folder: Path) -> Path:
    """The tiny model of the contract tests."""
    found = spec_from_file_location("tiny", Path(__file__).parent / "contracts" / "conftest.py")
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    made: Path = module.made(folder)
    return made


def test_ctrl_c_stops_at_a_checkpoint_and_the_same_command_goes_on(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, reopen: Callable[[], tw.Project]
) -> None:
    pytest.importorskip("torch")
    base = tiny(tmp_path_factory.mktemp("tiny"))
    settings = (folder / "tunewright.yaml").read_text("utf-8")
    options = "{epochs: 400, batch_size: 2, threads: 1, checkpoint_every: 1000, patience: 0}"
    settings = settings.replace('base: "echo:"', f'base: "folder:{base}"')
    settings = settings.replace("trainer: echo", f"trainer: lora\n  options: {options}")
    (folder / "tunewright.yaml").write_text(settings, "utf-8")
    vetted(reopen())
    command = [sys.executable, "-m", "tunewright", "tune", "-p", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, preexec_fn=_heeding,
    )  # fmt: skip
    until = time.monotonic() + 120
    while _done(folder) < 3 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    said = re.search(r"^stopped after step (\d+) of \d+; tunewright tune goes on from there$", err, re.M)
    assert said is not None, err
    checkpoints = sorted(folder.glob(".tunewright/work/*/checkpoint-*"))
    assert abs(int(checkpoints[-1].name.rpartition("-")[2]) - int(said[1])) <= 1
    assert "Stopped by a person" in (folder / "out" / "training.html").read_text("utf-8")


def _heeding() -> None:
    """A process that is started in the background would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _done(folder: Path) -> int:
    """Steps of the training in its history."""
    for log in folder.glob(".tunewright/work/*/history.jsonl"):
        lines = [json.loads(line) for line in log.read_text("utf-8").split("\n")[:-1]]
        return sum("loss" in line["values"] for line in lines)
    return 0
