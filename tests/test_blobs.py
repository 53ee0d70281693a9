"""Files and folders named by their content."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.errors import BadInput, Exhausted, NotFound
from tunewright.store import Blobs, hash_path


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def some_folder(place: Path) -> Path:
    (place / "deep").mkdir(parents=True)
    (place / "weights.bin").write_bytes(b"\0\1\2")
    (place / "deep" / "config.json").write_text("{}")
    return place


def test_a_text_is_named_by_its_sha_256(blobs: Blobs) -> None:
    digest = blobs.keep("héllo")
    assert digest == hashlib.sha256("héllo".encode()).hexdigest()
    assert blobs.path(digest).read_text(encoding="utf-8") == "héllo"
    assert digest in blobs
    assert blobs.intact(digest)


def test_the_same_content_is_kept_once(blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("same")
    assert blobs.keep("same") == blobs.keep(b"same") == blobs.keep(file)
    assert len([p for p in blobs.root.rglob("*") if p.is_file() and p.read_bytes() == b"same"]) == 1


def test_a_folder_is_named_by_its_names_and_contents(blobs: Blobs, tmp_path: Path) -> None:
    one, two = some_folder(tmp_path / "one"), some_folder(tmp_path / "two")
    digest = blobs.keep(one)
    assert digest == hash_path(two) == blobs.keep(two)
    (two / "weights.bin").rename(two / "weights2.bin")
    assert hash_path(two) != digest
    assert sorted(p.name for p in blobs.path(digest).rglob("*")) == ["config.json", "deep", "weights.bin"]


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20), max_size=8
    )
)
def test_lines_come_back_as_they_went_in(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("lines"))
    assert list(blobs.lines(blobs.keep_lines(lines))) == lines


def test_separators_that_python_takes_for_line_ends_do_not_split_a_line(blobs: Blobs) -> None:
    line = "a\u2028b\u2029c\x85d\x0be\x0cf\rg"
    assert list(blobs.lines(blobs.keep_lines([line, line]))) == [line, line]


def test_no_lines_make_an_empty_blob(blobs: Blobs) -> None:
    assert blobs.keep_lines([]) == hashlib.sha256(b"").hexdigest()


def test_what_is_not_there_is_not_found(blobs: Blobs) -> None:
    assert "0" * 64 not in blobs
    with pytest.raises(NotFound, match="blob 000000000000 is gone"):
        blobs.path("0" * 64)


def test_erasing_removes_files_and_folders_and_forgives_twice(blobs: Blobs, tmp_path: Path) -> None:
    text, folder = blobs.keep("x"), blobs.keep(some_folder(tmp_path / "one"))
    for digest in (text, folder, text, folder):
        blobs.erase(digest)
        assert digest not in blobs


def test_a_failure_half_way_leaves_nothing(blobs: Blobs) -> None:
    def lines() -> Iterator[str]:
        yield "one"
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        blobs.keep_lines(lines())
    assert [p for p in blobs.root.rglob("*") if p.is_file()] == []


def test_what_a_process_left_half_written_is_never_taken_for_a_blob(blobs: Blobs) -> None:
    digest = hashlib.sha256(b"whole").hexdigest()
    (blobs.root / "arriving").mkdir(parents=True)
    (blobs.root / "arriving" / digest).write_bytes(b"who")
    assert digest not in blobs
    assert blobs.intact(blobs.keep("whole"))


def test_a_place_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file is in the way")
    with pytest.raises(BadInput, match="a blob could not be written") as raised:
        Blobs(tmp_path / "blobs").keep("x")
    assert "permissions" in raised.value.hint


def test_a_full_disk_is_said_to_be_full(blobs: Blobs) -> None:
    def lines() -> Iterator[str]:
        yield "one"
        raise OSError(28, os.strerror(28))

    with pytest.raises(Exhausted, match="No space left") as raised:
        blobs.keep_lines(lines())
    assert "disk space" in raised.value.hint


def test_a_sweep_takes_only_strays_that_hold_the_words(blobs: Blobs) -> None:
    known, stray, other = (
        blobs.keep("carol is known"),
        blobs.keep("carol is a stray"),
        blobs.keep("dave is a stray"),
    )
    (blobs.root / "arriving").mkdir(exist_ok=True)
    (blobs.root / "arriving" / "half").write_text("carol, half written")
    blobs.sweep({known}, "carol")
    assert known in blobs
    assert other in blobs
    assert stray not in blobs
    assert not (blobs.root / "arriving" / "half").exists()
