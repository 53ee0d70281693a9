"""Checks that keep something between runs see the same with it and without it."""

from pathlib import Path

import pytest

from tunewright.checks import checks
from tunewright.nouns import Message, Origin, Record
from tunewright.project import Records

REMEMBERING = [name for name in checks if "cache" in checks.options(name)]


def test_the_four_that_compute_most_remember() -> None:
    assert {"consistency", "duplicates", "representation", "sufficiency"} <= set(REMEMBERING)


def kept_rows() -> list[Record]:
    """Records with labels and answers, in several sources, some of them said twice."""
    rows = list[Record]()
    for n in range(160):
        topic = ("invoice paid twice", "parcel not here", 'passwort "vergessen" heute', "refund please")[
            n % 4
        ]
        answer = f'{{"day": "2024-05-{n % 28 + 1:02d}"}}' if n % 9 else f"on {n % 28 + 1}.05.2024, {n}"
        label = ("Refund", "refunds", "parcel")[n % 3] if n % 5 == 0 else ""
        said = f"{topic} number {n % 120}, she wrote on line\n{n % 7} in New York"
        rows.append(
            Record(
                id=f"r-{n}",
                messages=(
                    Message(role="user", content=said),
                    Message(role="assistant", content=label or answer),
                ),
                label=label,
                origin=Origin(source=f"s{n % 2}.jsonl", file="f", line=n + 1),
            )
        )
    return rows


@pytest.mark.parametrize("name", REMEMBERING)
def test_a_folder_changes_the_cost_and_not_the_result_even_when_damaged(name: str, tmp_path: Path) -> None:
    rows, look = kept_rows(), checks[name]
    for part in (rows[:-5], rows, rows[3:], rows):
        path = tmp_path / "records.jsonl"
        path.write_text("".join(row.model_dump_json() + "\n" for row in part), encoding="utf-8")
        plain = list(look(part))
        assert list(look(part, cache=tmp_path / "kept")) == plain
        assert list(look(Records(path, len(part)), cache=tmp_path / "kept")) == plain
        assert list(look(Records(path, len(part)), cache=tmp_path / "kept")) == plain
    for file in (tmp_path / "kept").iterdir():
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert list(look(rows, cache=tmp_path / "kept")) == plain
