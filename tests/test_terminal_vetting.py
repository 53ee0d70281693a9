"""What the terminal says of datasets: at any width, without steering it, and without users' words."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

import tunewright as tw
from tunewright.cli.render import render
from tunewright.cli.render.plots import Bar, Bars, bar, percent
from tunewright.nouns import Dataset

WIDTHS = [40, 80, 120]
QUESTION = "Where is the parcel of Ottilie Brandauer?"


def said(*what: RenderableType, width: int, encoding: str = "utf-8") -> str:
    """What a file gets: no colours, no control characters."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace")
    console = Console(file=file, width=width, highlight=False, markup=False, emoji=False)
    for one in what:
        console.print(one)
    file.flush()
    return raw.getvalue().decode(encoding)


def shown(noun: Dataset, project: tw.Project, width: int) -> str:
    return said(*render(noun, project, width), width=width)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, make: object) -> Iterator[tw.Project]:
    """A project that was vetted once for all tests here."""
    folder = tmp_path_factory.mktemp("shop")
    assert callable(make)
    make(folder)
    chat = folder / "data" / "chat.jsonl"
    chat.write_text(
        chat.read_text(encoding="utf-8")
        + "\n"
        + '{"messages": [{"role": "user", "content": "'
        + QUESTION
        + '"}, {"role": "assistant", "content": "Write to ottilie@mail.example, please."}]}\n'
        + '{"messages": [{"role": "user", "content": "\\u202eLook\\u001b[31m"}, '
        + '{"role": "assistant", "content": "It is on the left."}]}\n'
        + "no JSON at all\n",
        encoding="utf-8",
    )
    (folder / "data" / "faq.csv").write_text('question,answer\nDo you sell glaze?,"Yes, by the litre."\n')
    yaml = (folder / "tunewright.yaml").read_text()
    yaml = yaml.replace("name: shop", "name: shop\nsystem: You sell pots.")
    yaml = yaml.replace("data/*.jsonl", "data/*")
    (folder / "tunewright.yaml").write_text(
        yaml.replace("personal: redact", "personal: ask, representation: keep")
    )
    project = tw.open(folder, actor="ada")
    tw.vet(project, tw.gather(project))
    yield project
    project.close()


def named(project: tw.Project, name: str) -> Dataset:
    found = project.ledger.find(Dataset, name)
    assert found is not None
    return found


# ── bars ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", [20, *WIDTHS, 300])
@given(rows=st.lists(st.tuples(st.text(max_size=40), st.integers(0, 10**9)), max_size=20))
def test_no_line_of_a_plot_is_longer_than_the_terminal(width: int, rows: list[tuple[str, int]]) -> None:
    text = said(Bars("counts", [Bar(label, n) for label, n in rows]), width=width)
    assert [line for line in text.split("\n") if cell_len(line) > width] == []
    assert not {c for c in text if c in "\x1b\x00" or "\u202a" <= c <= "\u202e"}


def test_bars_are_as_long_as_their_counts() -> None:
    assert [len(bar(n / 8, 8)) for n in range(9)] == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert bar(1, 10) == "█" * 10
    assert bar(0.0001, 10) == "▏"
    assert bar(0.5, 10, plain=True) == "#####"


def test_a_terminal_without_block_characters_gets_number_signs() -> None:
    text = said(Bars("counts", [Bar("a", 3), Bar("b", 1)]), width=60, encoding="ascii")
    assert "###" in text
    assert "\\u" not in text


def test_what_is_not_drawn_is_added_up() -> None:
    text = said(Bars("counts", [Bar(f"class {n}", 100 - n) for n in range(50)], most=5), width=60)
    shown = sum(int(line.split()[-2]) for line in text.split("\n")[1:6])
    assert shown + sum(100 - n for n in range(5, 50)) == sum(100 - n for n in range(50))
    assert f"and 45 others: {sum(100 - n for n in range(5, 50)):,}" in text


def test_shares_are_told_in_few_letters() -> None:
    assert [percent(n, 1000) for n in (0, 0.5, 3, 120, 1000)] == ["0%", "<0.1%", "0.3%", "12%", "100%"]


# ── a vetted dataset ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", WIDTHS)
def test_a_vetted_dataset_is_told_at_every_width(shop: tw.Project, width: int) -> None:
    text = shown(named(shop, "vetted"), shop, width)
    assert [line for line in text.split("\n") if cell_len(line) > width] == []
    for words in (
        "received",
        "findings",
        "own use",
        "commercial use",
        "vetting.html",
        "changes.html",
        "waiting",
    ):
        assert words in text or words in "".join(text.split())  # a long path is broken where the line ends
    assert "\x1b" not in text


def test_a_vetted_dataset_is_told_without_users_words(shop: tw.Project) -> None:
    text = shown(named(shop, "vetted"), shop, 120)
    assert "Ottilie" not in text
    assert "ottilie" not in text


def test_what_waits_for_a_person_is_said_with_the_command(shop: tw.Project) -> None:
    text = shown(named(shop, "vetted"), shop, 120)
    assert "waiting" in text
    assert "tunewright review" in text


def test_recall_is_told_with_its_interval(shop: tw.Project) -> None:
    text = shown(named(shop, "vetted"), shop, 100)
    line = next(line for line in text.split("\n") if line.strip().startswith("personal ") and " to " in line)
    assert line.rstrip().endswith("%)")


def test_the_terminal_still_speaks_when_the_blobs_are_gone(shop: tw.Project, tmp_path: Path) -> None:
    vetted = named(shop, "vetted")
    blobs = Path(shop.state / "blobs")
    blobs.rename(tmp_path / "away")
    try:
        text = shown(vetted, shop, 80)
    finally:
        (tmp_path / "away").rename(blobs)
    assert "received" in text


# ── a gathered dataset ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", WIDTHS)
def test_each_format_is_shown_once_as_it_will_be_trained_on(shop: tw.Project, width: int) -> None:
    text = shown(named(shop, "gathered"), shop, width)
    assert [line for line in text.split("\n") if cell_len(line) > width] == []
    assert text.count("You sell pots.") == 2
    assert "Yes, by the litre." in " ".join(text.split())
    assert "assistant" in text


def test_missing_facts_of_provenance_are_named(shop: tw.Project) -> None:
    text = shown(named(shop, "gathered"), shop, 120)
    assert text.count("missing  ") == len(named(shop, "gathered").sources)
    assert "retain until" in text
