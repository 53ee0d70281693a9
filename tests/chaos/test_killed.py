"""kill -9, again and again: no finished step is repeated, no half-finished one believed, evidence holds."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KILLER = Path(__file__).parent / "_killer.py"
ALL = {"gather", "vet", "tune", "evaluate", "release"}


def survive(folder: Path, seed: int, *more: str) -> dict[str, Any]:
    said = subprocess.run(
        [sys.executable, str(KILLER), str(folder), str(seed), *more],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert said.returncode == 0, said.stderr
    story = json.loads(said.stdout)
    assert story["code"] == 0, story["said"]
    return dict(story)


def test_a_story_that_is_killed_again_and_again_is_told_once(
    tmp_path: Path, make: Callable[..., Path]
) -> None:
    kills = 0
    for seed in range(1, 9):
        story = survive(make(tmp_path / str(seed)), seed)
        for look in story["looks"]:
            assert look["problems"] == []
            assert {outcome for _, outcome, _ in look["entries"]} <= {"done"}
            assert set(Counter(verb for verb, _, _ in look["entries"]).values()) <= {1}
        assert {verb for verb, _, _ in look["entries"]} == ALL
        kills += story["kills"]
        if kills >= 25:
            return
    pytest.fail(f"only {kills} processes were killed")


def test_a_killed_forgetting_is_finished_by_the_next(tmp_path: Path, make: Callable[..., Path]) -> None:
    folder = make(tmp_path, customer="carol@example.com")
    story = survive(folder, 3, "--forget", "carol@example.com")
    assert story["kills"] >= 5
    *between, last = story["looks"]
    for look in between:
        assert all("should have been erased" in problem for problem in look["problems"])
    assert last["problems"] == []
    done = Counter(verb for verb, _, _ in last["entries"])
    keys = Counter(
        (verb, key) for verb, outcome, key in last["entries"] if verb != "forget" and outcome == "done"
    )
    assert set(keys.values()) == {1}
    assert done["forget"] >= 1
    state = b"".join(p.read_bytes() for p in (folder / ".tunewright").rglob("*") if p.is_file())
    assert b"carol@example.com" not in state
