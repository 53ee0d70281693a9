"""No room left: the error says so and what to do, nothing half-done is believed, and with room it goes on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

import tunewright as tw

FULL = Path(__file__).parent / "_full.py"
EXTRA = "\n".join(
    json.dumps(
        {"prompt": f"What is kept in drawer {n}?", "completion": f"Number {n * 7919} and its {n}th spare."}
    )
    for n in range(200)
)


def run(folder: Path, limit: int) -> dict[str, str]:
    said = subprocess.run(
        [sys.executable, str(FULL), str(folder), str(limit)], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    return dict(json.loads(said.stdout))


def goes_on(folder: Path) -> None:
    """With room, the same call succeeds, and the evidence holds."""
    project = tw.open(folder, actor="ada")
    try:
        assert tw.verify(project).problems == []
        assert all(e.outcome in {"done", "failed"} for e in project.ledger.entries())
        list(tw.run(project))
        done = [e.verb for e in project.ledger.entries() if e.outcome == "done"]
        assert done == ["gather", "vet", "tune", "evaluate", "release"]
        assert tw.verify(project).problems == []
    finally:
        project.close()


@pytest.mark.parametrize("limit", [20, 40_000])
def test_files_that_may_not_grow_say_so_and_with_room_the_same_call_succeeds(
    folder: Path, limit: int
) -> None:
    """No room for the key, no room for the database: files may not grow beyond `limit` bytes."""
    file = folder / "data" / "chat.jsonl"
    file.write_text(file.read_text() + "\n" + EXTRA)
    said = run(folder, limit)
    assert said["error"] == "Exhausted", said
    assert "space" in said["hint"] or "room" in said["hint"]
    goes_on(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_a_small_file_system_is_filled_to_the_brim(tmp_path: Path, make: Callable[..., Path]) -> None:
    """A real disk, with ever more room: the first run of each size fails somewhere else."""
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        folder = make(tmp_path / "project")
        file = folder / "data" / "chat.jsonl"
        file.write_text(file.read_text() + "\n" + EXTRA)
        filler, seen = tmp_path / "filler", set[str]()
        for room in (0, 40, 300):
            with suppress(OSError):
                filler.write_bytes(b"\0" * 4_000_000)
            os.truncate(filler, filler.stat().st_size - room * 1024)
            said = run(folder, 1 << 40)
            seen.add(said["told"])
            assert said["error"] in {"Exhausted", ""}, said
            filler.unlink()
        assert len(seen) >= 2
        goes_on(folder)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
