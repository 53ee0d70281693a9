"""A verb has one signature, and every face asks for just what stands in it. How the faces look and answer."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tunewright import errors
from tunewright.cli import from_verbs, main
from tunewright.cli.answer import Answer
from tunewright.cli.app import DECIDING, ERRANDS, ORDER, READERS, WHOLE, app, doc, help_text
from tunewright.cli.progress import Lines
from tunewright.cli.render.words import duration, number, plain
from tunewright.cli.tuning import FLAGS
from tunewright.nouns import Progress
from tunewright.verbs import verbs

HEAVIEST = {"torch", "transformers", "peft", "fastapi", "pyarrow", "datasets"}
HEAVY = {"numpy", "sqlalchemy", "pydantic", "yaml"}
ANSI = "\x1b["
EVERYWHERE = {"project", "json"}
SENTENCE = "Gather, vet, tune, evaluate, release, serve, watch, learn — and forget."


def test_the_verbs_are_the_words_of_the_products_sentence() -> None:
    words = re.findall(r"[a-z]+", SENTENCE.lower().replace("and ", ""))
    assert list(ORDER) == words
    assert sorted(ORDER) == list(verbs)


def test_every_verb_is_a_command_in_the_order_of_the_sentence() -> None:
    commands = [name for name in app if not name.startswith("-")]
    assert commands == [*ORDER, *ERRANDS, *WHOLE, *DECIDING, *READERS]


@pytest.mark.parametrize("name", ORDER)
def test_a_command_asks_for_what_its_verb_asks_for(name: str) -> None:
    asked = inspect.signature(from_verbs.command(verbs[name])).parameters
    fields = verbs[name].params.model_fields
    more = {flag.name for flag in FLAGS} if name == "tune" else set()
    assert set(asked) == {*fields, *more, *EVERYWHERE}
    for field_name, field in fields.items():
        parameter = asked[field_name]
        kind, told = get_args(parameter.annotation)
        assert kind == field.annotation
        assert told.help == field.description
        assert told.help, f"{name} does not say what {field_name} is"
        if field.is_required():
            assert parameter.default is inspect.Parameter.empty
        else:
            assert parameter.default == field.default


@pytest.mark.parametrize("name", ORDER)
def test_things_and_what_is_needed_are_positional_and_the_rest_are_flags(name: str) -> None:
    verb = verbs[name]
    for parameter in inspect.signature(from_verbs.command(verb)).parameters.values():
        known = parameter.name in verb.params.model_fields
        positional = parameter.name in verb.nouns or (
            known and verb.params.model_fields[parameter.name].is_required()
        )
        assert (parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD) == positional


@pytest.mark.parametrize("name", ORDER)
def test_help_is_the_verbs_docstring_with_its_limits(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([name, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    told = help_text(verbs[name].__doc__ or "")
    limits = next(p for p in told.split("\n\n") if p.startswith("Limits:"))
    assert " ".join(limits.split()) in shown
    assert " ".join(told.split()) in shown
    assert "Parameters: " not in shown


@pytest.mark.parametrize("name", ORDER)
def test_help_read_from_the_source_is_what_the_verb_says(name: str) -> None:
    file = Path(inspect.getfile(verbs[name].function))
    assert doc(file, name) == help_text(verbs[name].__doc__ or "")
    assert ast.parse(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [*ORDER, *ERRANDS, *WHOLE, *DECIDING, *READERS])
def test_every_command_can_answer_in_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([name, "--help"])
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    [name for name in (*ORDER, *ERRANDS, *WHOLE, *DECIDING, *READERS) if name not in {"init", "schema"}],
)
def test_every_command_about_a_project_can_be_told_which(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app([name, "--help"])
    assert "--project" in capsys.readouterr().out


# ── help, version, completion ───────────────────────────────────────────────────────────────────


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    script = (
        "import sys, tunewright; before = set(sys.modules); "
        "from tunewright.cli import main; main(['--help']); print('LOADED', *(set(sys.modules) - before)); "
        "print('ALL', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    text, _, loaded = done.stdout.partition("LOADED")
    fresh, _, every = loaded.partition("ALL")
    for name in app:
        assert name in text
    assert not (HEAVIEST | HEAVY) & set(fresh.split())
    assert not HEAVIEST & set(every.split())


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_completion_for_a_shell_knows_the_commands(kind: str) -> None:
    script = app.generate_completion(shell=kind)  # type: ignore[arg-type]
    assert "evaluate" in script
    assert "verify" in script


def test_installing_completion_writes_a_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # the library also adds a line to ~/.bashrc
    target = tmp_path / "tunewright.bash"
    assert main(["--install-completion", "--shell", "bash", "--output", str(target)]) == 0
    assert "evaluate" in target.read_text()


# ── terminals, pipes, progress ──────────────────────────────────────────────────────────────────


def test_whoever_closes_the_pipe_hears_nothing() -> None:
    words = f"{sys.executable} -m tunewright schema | head -n 1"
    done = subprocess.run(words, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_no_colour_without_a_terminal(folder: Path) -> None:
    done = shell("gather", "-p", str(folder))
    assert done.returncode == 0
    assert ANSI not in done.stdout + done.stderr


def test_no_color_is_honoured_where_colour_is_forced(folder: Path) -> None:
    coloured = re.compile(r"\x1b\[(?:\d+;)*3\d")
    words = ("show", "nothing", "-p", str(folder))
    assert coloured.search(shell(*words, FORCE_COLOR="1").stderr)
    assert not coloured.search(shell(*words, FORCE_COLOR="1", NO_COLOR="1").stderr)


def test_what_a_model_says_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[31mred\x07\nb") == "a�[31mred�\nb"


def test_progress_without_a_terminal_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("tunewright.cli.progress.time.monotonic", lambda: now)
    lines = Lines(Answer(False).err)
    for done in range(101):
        now = float(done)
        values = {"loss": 1.25, "tokens_per_second": 310.0}
        lines.tell(Progress(label="tune", done=done, total=100, values=values))
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "tune  5/100  95 s left  loss 1.25  310 tokens/s"
    assert said[-1].startswith("tune  100/100  done in 1 min 40 s")
    assert len(said) == 20


def test_numbers_are_written_for_people() -> None:
    assert [number(x) for x in (0.0, 1.0, 0.6171, 2.3456, 12.34, 1204.4, 0.00123)] == [
        "0.00",
        "1.00",
        "0.617",
        "2.35",
        "12.3",
        "1,204",
        "0.0012",
    ]
    assert [duration(x) for x in (0.31, 42, 185, 7800)] == ["0.3 s", "42 s", "3 min 5 s", "2 h 10 min"]


def shell(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tunewright", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )


# ── errors ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, errors.TunewrightError)
    ],
    ids=lambda kind: kind.__name__,
)
def test_every_kind_of_error_has_its_exit_code_and_its_hint(
    kind: type[errors.TunewrightError], capsys: pytest.CaptureFixture[str]
) -> None:
    assert Answer(False).fail(kind("it\nbroke", hint="mend it")) == kind.exit
    assert capsys.readouterr().err == "error: it\nbroke\n  try: mend it\n"
    assert Answer(True).fail(kind("it broke", hint="mend it")) == kind.exit
    said = {"title": kind.__name__, "detail": "it broke", "hint": "mend it", "exit": kind.exit}
    assert json.loads(capsys.readouterr().out) == {"error": said}


def test_full_memory_and_a_full_disk_are_exhaustion(capsys: pytest.CaptureFixture[str]) -> None:
    assert Answer(False).fail(MemoryError()) == 7
    assert Answer(False).fail(OSError(28, "No space left on device")) == 7
    assert "run the same command again" in capsys.readouterr().err
