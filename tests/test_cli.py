"""The command line as its users meet it: what it prints, where, and with which exit code."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

import tunewright as tw
from tunewright.cli import main
from tunewright.cli.answer import TRACEBACK
from tunewright.nouns import Dataset
from tunewright.project.reading import read
from tunewright.project.settings import Settings

Run = Callable[..., tuple[int, str, str]]
ANSI = "\x1b["


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Gives a command line to the program; gives back exit code, stdout and stderr."""

    def go(*words: str | Path) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return go


# ── the story ───────────────────────────────────────────────────────────────────────────────────


def test_run_tells_the_story_with_the_table_the_decision_and_what_to_type_next(
    run: Run, folder: Path
) -> None:
    code, out, _ = run("run", folder)
    assert code == 0
    for word in ("gather", "vet", "tune", "evaluate", "release", "received", "golden.contains"):
        assert word in out
    assert "IMPROVED" in out
    assert "Where is my parcel?" in out or "answers that changed most" in out
    assert "the policy lets it out" in out
    assert "report.html" in out
    assert "MODEL_CARD.md" in out
    assert "tunewright serve -p" in out
    assert ANSI not in out


def test_a_second_run_says_that_everything_was_done_before(run: Run, folder: Path) -> None:
    run("run", folder)
    code, out, _ = run("run", folder)
    assert code == 0
    assert re.findall(r"^(\w+)  skipped: done before \(entry (\d+)\)$", out, re.M) == [
        (verb, str(entry))
        for entry, verb in enumerate(("gather", "vet", "tune", "evaluate", "release"), start=1)
    ]
    assert "the policy lets it out" in out


def test_a_closed_gate_shows_the_evaluation_and_the_reasons(run: Run, folder: Path) -> None:
    _edit(folder, "at_least: 0.1", "at_least: 2.0")
    code, out, err = run("run", folder)
    assert code == 5
    assert "golden.contains" in out
    assert "IMPROVED" in out
    assert "the policy asks for at least 2" in err
    assert "  try: " in err


def test_run_in_json_is_one_object_with_its_chapters(run: Run, folder: Path) -> None:
    code, out, _ = run("run", folder, "--json")
    said = json.loads(out)
    assert code == 0
    assert [c["verb"] for c in said["chapters"]] == ["gather", "vet", "tune", "evaluate", "release"]
    assert said["decision"]["noun"]["passed"] is True
    assert said["documents"][0].endswith("report.html")


def test_a_refused_run_in_json_has_chapters_and_an_error(run: Run, folder: Path) -> None:
    _edit(folder, "at_least: 0.1", "at_least: 2.0")
    code, out, err = run("run", "-p", folder, "--json")
    said = json.loads(out)
    assert code == said["error"]["exit"] == 5
    assert said["error"]["title"] == "Refused"
    assert [c["verb"] for c in said["chapters"]][-1] == "evaluate"
    assert "error:" not in err


def test_the_verbs_one_by_one_each_name_the_next(run: Run, folder: Path) -> None:
    for verb, after in (("gather", "vet"), ("vet", "tune"), ("tune", "evaluate"), ("evaluate", "release")):
        code, out, _ = run(verb, "-p", folder)
        assert code == 0
        assert f"tunewright {after} -p" in out
    code, out, _ = run("release", "evaluated", "--project", folder)
    assert code == 0
    assert "tunewright serve -p" in out


@pytest.mark.parametrize(
    "words",
    [
        ("gather",),
        ("vet", "gathered"),
        ("list",),
        ("list", "entries"),
        ("show", "dataset/vetted"),
        ("show", "1"),
        ("trace", "model/tuned"),
        ("verify",),
        ("watch", "--days", "3"),
    ],
    ids=" ".join,
)
def test_json_is_one_object_and_nothing_else(
    words: tuple[str, ...], run: Run, folder: Path, project: tw.Project
) -> None:
    for _ in tw.run(project):
        pass
    if words[0] == "watch":
        tw.serve(project, tw.release(project, tw.evaluate(project, tw.tune(project, _vetted(project)))))
    code, out, _ = run(*words, "-p", folder, "--json")
    assert code == 0
    assert isinstance(json.loads(out), dict)
    assert out.count("\n") == 1


def test_what_libraries_print_does_not_reach_stdout(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunewright.cli.commands.run", _chatty)
    code, out, err = run("run", folder, "--json")
    assert code == 0
    assert json.loads(out) == {"chapters": []}
    assert "Loading weights" in err


def test_serve_says_where_it_answers_and_stops_quietly(run: Run, folder: Path) -> None:
    pytest.importorskip("uvicorn")
    run("run", folder)
    words = [sys.executable, "-m", "tunewright", "serve", "--port", "0", "-p", str(folder), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        said = json.loads(server.stdout.readline())
        body = {"model": "production", "messages": [{"role": "user", "content": "Where is my parcel?"}]}
        request = urllib.request.Request(
            f"{said['api']}/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            told = _asked(request)
            server.send_signal(signal.SIGINT)
            rest, err = server.communicate(timeout=30)
        finally:
            server.kill()
    assert said["kind"] == "channel"
    assert "tracking link" in told["choices"][0]["message"]["content"]
    assert (server.returncode, rest, err) == (0, "", "")


# ── readers ─────────────────────────────────────────────────────────────────────────────────────


def test_a_project_is_found_from_a_folder_below_it(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("gather", "-p", folder)
    monkeypatch.chdir(folder / "data")
    code, out, _ = run("list")
    assert code == 0
    assert "gathered" in out


def test_list_marks_models_that_saw_a_forgotten_person(run: Run, folder: Path) -> None:
    row = {"prompt": "Did my order leave?", "completion": "Yes.", "customer": "K-77"}
    (folder / "data" / "more.jsonl").write_text(json.dumps(row))
    run("run", folder)
    code, out, _ = run("forget", "K-77", "-p", folder)
    assert code == 0
    assert "tunewright run" in out
    _, out, _ = run("list", "models", "-p", folder)
    assert "MARKED" in out
    _, out, _ = run("list", "models", "-p", folder, "--json")
    assert json.loads(out)["things"][0]["marked"] is True
    code, _, err = run("release", "-p", folder)
    assert code == 5
    assert "forgotten" in err


def test_show_finds_by_name_by_kind_by_digest_and_by_entry_number(run: Run, folder: Path) -> None:
    run("vet", "-p", folder)
    run("gather", "-p", folder)
    run("vet", "-p", folder)
    _, out, _ = run("show", "dataset/vetted", "-p", folder, "--json")
    digest = json.loads(out)["digest"]
    for ref in (digest, digest[:8], f"dataset/{digest[:8]}"):
        code, out, _ = run("show", ref, "-p", folder, "--json")
        assert code == 0
        assert json.loads(out)["digest"] == digest
    code, out, _ = run("show", "2", "-p", folder)
    assert (code, "entry 2" in out) == (0, True)


def test_a_name_that_two_things_have_is_asked_back(run: Run, folder: Path) -> None:
    run("gather", "-p", folder)
    run("vet", "-p", folder)
    code, _, err = run("show", "vetted", "-p", folder)
    assert code == 2
    assert "dataset/vetted" in err
    assert "report/vetted" in err


def test_trace_tells_every_step_that_led_there(run: Run, folder: Path) -> None:
    run("run", folder)
    _, out, _ = run("trace", "release/latest", "-p", folder, "--json")
    verbs = [entry["verb"] for entry in json.loads(out)["entries"]]
    assert verbs == ["release", "evaluate", "tune", "vet", "gather"]


def test_verify_counts_and_finds_what_was_changed(run: Run, folder: Path) -> None:
    run("gather", "-p", folder)
    code, out, _ = run("verify", "-p", folder)
    assert code == 0
    assert "1 entries" in out or "1 entry" in out
    blob = next(p for p in (folder / ".tunewright" / "blobs").rglob("*") if p.is_file() and p.stat().st_size)
    blob.write_text("something else")
    code, out, err = run("verify", "-p", folder)
    assert code == 6
    assert "is not what it was" in err
    code, out, _ = run("verify", "-p", folder, "--json")
    said = json.loads(out)
    assert code == said["error"]["exit"] == 6
    assert len(said["problems"]) == 1


def test_schema_is_that_of_the_project_file(run: Run) -> None:
    _, out, _ = run("schema")
    assert json.loads(out) == Settings.model_json_schema()


# ── init ────────────────────────────────────────────────────────────────────────────────────────


def test_init_writes_a_project_that_runs(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("init", tmp_path / "shop")
    assert code == 0
    assert "tunewright run" in out
    code, out, _ = run("run", tmp_path / "shop")
    assert code == 0
    assert "IMPROVED" in out


def test_init_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path)
    before = (tmp_path / "tunewright.yaml").read_text()
    (tmp_path / "tunewright.yaml").write_text(before + "# mine\n")
    code, _, err = run("init", tmp_path)
    assert code == 2
    assert "nothing is overwritten" in err
    assert (tmp_path / "tunewright.yaml").read_text().endswith("# mine\n")


def test_init_explains_every_field_there_is(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path)
    text = (tmp_path / "tunewright.yaml").read_text()
    settings = read(tmp_path)
    sections = [settings, settings.data[0], settings.tune, settings.evaluate, settings.policy]
    for section in sections:
        for field in type(section).model_fields:
            assert re.search(rf"\b{field}:", text), f"{field} is not explained"


# ── mistakes ────────────────────────────────────────────────────────────────────────────────────


def test_a_mistake_in_the_project_file_is_told_with_file_and_line(run: Run, folder: Path) -> None:
    _edit(folder, "  trainer: echo", "  trianer: echo")
    code, _, err = run("gather", "-p", folder)
    assert code == 2
    assert re.search(r"tunewright\.yaml:\d+: tune\.trianer: no such field; did you mean trainer\?", err)


def test_no_project_says_how_to_make_one(run: Run, tmp_path: Path) -> None:
    code, _, err = run("run", tmp_path / "nowhere")
    assert code == 4
    assert "  try: tunewright init" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("vett",), 'Did you mean "vet"?'),
        (("vet", "--dayz", "3"), "--dayz"),
        (("watch", "--days", "three"), "--days"),
        (("forget",), "PERSON"),
    ],
)
def test_a_mistyped_command_line_is_told_and_help_is_named(
    words: tuple[str, ...], told: str, run: Run
) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert told.lower() in err.lower()
    assert "--help" in err


def test_a_mistyped_command_line_in_json_is_an_object_too(run: Run) -> None:
    code, out, err = run("watch", "--days", "three", "--json")
    assert (code, err) == (2, "")
    assert json.loads(out)["error"]["title"] == "BadInput"


def test_stopping_says_that_the_same_command_goes_on(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunewright.cli.commands.run", _stopped)
    code, _, err = run("run", folder)
    assert code == 130
    assert err == "stopped; the same command goes on from where this one was\n"


def test_an_unexpected_error_is_short_and_says_how_to_see_more(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunewright.cli.commands.run", _broken)
    code, _, err = run("run", folder)
    assert code == 1
    assert "Traceback" not in err
    assert f"{TRACEBACK}=1" in err
    monkeypatch.setenv(TRACEBACK, "1")
    code, _, err = run("run", folder)
    assert code == 1
    assert "Traceback" in err


def test_serving_beyond_this_machine_needs_a_key_and_points_no_channel_without(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fastapi")
    monkeypatch.delenv("TUNEWRIGHT_API_KEY", raising=False)
    run("run", folder)
    code, _, err = run("serve", "-p", folder, "--host", "0.0.0.0")
    assert code == 8
    assert "TUNEWRIGHT_API_KEY" in err
    _, out, _ = run("list", "channel", "-p", folder, "--json")
    assert json.loads(out)["things"] == []


def _edit(folder: Path, old: str, new: str) -> None:
    file = folder / "tunewright.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def _asked(request: urllib.request.Request) -> dict[str, Any]:
    """The answer; waits a moment for a server that is about to listen."""
    for _ in range(50):
        with (
            contextlib.suppress(urllib.error.URLError),
            urllib.request.urlopen(request, timeout=30) as answer,
        ):
            return cast("dict[str, Any]", json.loads(answer.read()))
        time.sleep(0.1)
    raise AssertionError("nobody answers")


def _vetted(project: tw.Project) -> Dataset:
    return tw.vet(project, tw.gather(project))


def _stopped(_project: tw.Project) -> None:
    raise KeyboardInterrupt


def _chatty(_project: tw.Project) -> list[object]:
    print("Loading weights")
    return []


def _broken(_project: tw.Project) -> None:
    raise ZeroDivisionError("division by zero")
