"""What people decide at the command line: reviews of changes, and a look behind a pseudonym."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import tunewright as tw
from tunewright.cli import main, reviewing

Reopen = Callable[[], tw.Project]
MARA = "mara.lindqvist@example.org"


@pytest.fixture
def said(folder: Path) -> Path:
    rows = [
        {"prompt": f"Write to {MARA}.", "completion": "I will."},
        {"prompt": "Or call +49 30 1234567 after lunch.", "completion": "Gladly."},
    ]
    (folder / "data" / "more.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return int(code or 0), out, err


def test_changes_are_listed_and_one_kind_is_rejected_for_good(
    said: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "gather", "-p", said)
    run(capsys, "vet", "-p", said)
    _, out, _ = run(capsys, "review", "-p", said, "--json")
    changes = json.loads(out)["changes"]
    assert sorted(change["what"] for change in changes) == ["email", "phone"]
    _, out, _ = run(capsys, "review", "-p", said, "--reject", "personal.phone", "--json")
    assert json.loads(out)["reviewed"] == 1
    assert json.loads(out)["open"] == 1
    _, out, _ = run(capsys, "vet", "-p", said, "--json")
    assert json.loads(out)["noun"]["fates"] == {"kept": 13, "cleaned": 1}
    _, out, _ = run(capsys, "review", "-p", said, "--json")
    assert [change["what"] for change in json.loads(out)["changes"]] == ["email"]


def test_a_kind_that_is_not_there_is_an_error_with_those_that_are(
    said: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "gather", "-p", said)
    run(capsys, "vet", "-p", said)
    code, _, err = run(capsys, "review", "-p", said, "--accept", "personal.card")
    assert code == 2
    assert "personal.email" in err


def test_before_vetting_there_is_nothing_to_review(said: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "review", "-p", said)
    assert code == 4
    assert "tunewright vet" in err


def test_a_pseudonym_is_revealed_until_its_key_is_destroyed(
    said: Path, capsys: pytest.CaptureFixture[str], reopen: Reopen
) -> None:
    text = (said / "tunewright.yaml").read_text()
    (said / "tunewright.yaml").write_text(text.replace("personal: redact", "personal: pseudonymise"))
    run(capsys, "gather", "-p", said)
    run(capsys, "vet", "-p", said)
    _, out, _ = run(capsys, "review", "-p", said, "--json")
    after = next(change["after"] for change in json.loads(out)["changes"] if change["what"] == "email")
    _, out, _ = run(capsys, "reveal", after, "-p", said, "--json")
    assert json.loads(out)["behind"] == [{"kind": "email", "words": MARA}]
    run(capsys, "reveal", "--destroy", "-p", said)
    code, _, err = run(capsys, "reveal", after, "-p", said)
    assert code == 4
    assert "key" in err


class Terminal:
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Types these lines, one after the other, then empty ones."""

    def lines(*words: str) -> None:
        rest = list(words)
        monkeypatch.setattr(reviewing, "sys", SimpleNamespace(stdin=Terminal(), stdout=Terminal()))
        monkeypatch.setattr("builtins.input", lambda _prompt: rest.pop(0) if rest else "")

    return lines


def test_the_audit_asks_record_by_record_and_keeps_no_words(
    said: Path, capsys: pytest.CaptureFixture[str], typed: Callable[..., None]
) -> None:
    run(capsys, "gather", "-p", said)
    typed()
    code, out, _ = run(capsys, "vet", "-p", said, "--audit", "4", "--json")
    assert code == 0
    assert json.loads(out)["verb"] == "vet"
    marks = [json.loads(line) for line in (said / "audit.jsonl").read_text().splitlines()]
    assert len(marks) == 4
    assert sum(len(mark["spans"]) for mark in marks) == 2
    assert MARA not in (said / "audit.jsonl").read_text()


def test_a_review_in_a_terminal_takes_a_letter_for_each_change(
    said: Path, capsys: pytest.CaptureFixture[str], typed: Callable[..., None]
) -> None:
    run(capsys, "gather", "-p", said)
    run(capsys, "vet", "-p", said)
    typed("r", "a")
    run(capsys, "review", "-p", said)
    words = [json.loads(line)["accept"] for line in (said / "reviews.jsonl").read_text().splitlines()]
    assert words == [False, True]
