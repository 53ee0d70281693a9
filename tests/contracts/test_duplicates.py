"""Duplicates: what is alike is found, what is not is left, and a folder only saves time."""

import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.checks import _kept, _minhash, _shingles, _signing
from tunewright.checks.duplicates import duplicates
from tunewright.errors import BadInput
from tunewright.nouns import Finding, Message, Origin, Record, Tally

ORIGIN = Origin(source="shop", file="rows.jsonl", line=1)


def said(id: str, *turns: str, label: str = "", system: str = "") -> Record:
    """A record of user and assistant turns in alternation."""
    messages = [Message(role="assistant" if n % 2 else "user", content=turn) for n, turn in enumerate(turns)]
    if system:
        messages.insert(0, Message(role="system", content=system))
    return Record(id=id, messages=tuple(messages), label=label, origin=ORIGIN)


def seen(records: Sequence[Record], **options: object) -> list[Finding]:
    return [one for one in duplicates(records, **options) if isinstance(one, Finding)]  # type: ignore[arg-type]


def named(records: Sequence[Record], **options: object) -> dict[str, tuple[str, str]]:
    """Record -> what was found and the record that it repeats."""
    found = seen(records, **options)
    return {f.record: (f.what, re.findall(r"record (\S+?)[;,]? ", f"{f.note} ")[0]) for f in found}


LETTERS = random.Random(0)
VOCABULARY = [
    "".join(LETTERS.choices("etaoinshrdlucmfgypwbvk", k=LETTERS.randrange(2, 9))) for _ in range(3000)
]


def prose(dice: random.Random, words: int) -> list[str]:
    return [dice.choice(VOCABULARY) for _ in range(words)]


def changed(dice: random.Random, words: Sequence[str], share: float) -> list[str]:
    found = list(words)
    for at in dice.sample(range(len(found)), max(1, round(share * len(found)))):
        found[at] = f"{dice.choice(VOCABULARY)}x"
    return found


def runs(words: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def jaccard(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)


def test_long_texts_are_found_exactly_where_brute_force_finds_them() -> None:
    dice = random.Random(1)
    texts = [prose(dice, dice.randrange(64, 200)) for _ in range(150)]
    texts += [changed(dice, dice.choice(texts), dice.choice((0.01, 0.02, 0.04, 0.08))) for _ in range(300)]
    sets = [runs(text, 5) for text in texts]
    pairs = {(b, a) for a, b in combinations(range(len(texts)), 2) if jaccard(sets[a], sets[b]) >= 0.7}
    wanted = {later for later, _ in pairs}
    found = named([said(str(n), " ".join(text)) for n, text in enumerate(texts)])
    assert len(wanted) > 100
    assert {int(name) for name in found} == wanted
    assert all((int(name), int(other)) in pairs for name, (_, other) in found.items())


def test_the_similarity_that_is_shown_is_the_exact_one() -> None:
    dice = random.Random(2)
    text = prose(dice, 120)
    again = changed(dice, text, 0.02)
    [finding] = seen([said("a", " ".join(text)), said("b", " ".join(again))])
    exact = jaccard(runs(text, 5), runs(again, 5))
    assert f"similarity {exact:.2f}" in finding.note
    assert f"runs of 5 words: {exact:.3f}" in finding.evidence


def test_short_rows_with_five_percent_of_the_words_changed_are_found() -> None:
    dice = random.Random(3)
    rows = [prose(dice, dice.randrange(10, 31)) for _ in range(300)]
    records = [said(f"k{n}", " ".join(row)) for n, row in enumerate(rows)]
    records += [said(f"v{n}", " ".join(changed(dice, row, 0.05))) for n, row in enumerate(rows)]
    found = named(records)
    assert not [name for name in found if name.startswith("k")]
    assert sum(found.get(f"v{n}") == ("near", f"k{n}") for n in range(len(rows))) >= 297


@pytest.mark.parametrize("words", [36, 38, 40, 42, 60, 62, 64, 66])
def test_texts_on_both_sides_of_a_length_still_meet(words: int) -> None:
    dice = random.Random(words)
    text = prose(dice, words)
    assert named([said("a", " ".join(text)), said("b", " ".join(text[3:]))]) == {"b": ("near", "a")}
    assert named([said("a", " ".join(text[3:])), said("b", " ".join(text))]) == {"b": ("near", "a")}


def test_a_lower_run_length_finds_lighter_resemblance() -> None:
    dice = random.Random(5)
    text = prose(dice, 200)
    records = [said("a", " ".join(text)), said("b", " ".join(changed(dice, text, 0.05)))]
    assert named(records) == {}
    assert named(records, words=2) == {"b": ("near", "a")}
    assert named(records, threshold=0.5) == {"b": ("near", "a")}


def test_equal_words_with_different_labels_are_a_conflict() -> None:
    records = [said(f"r{n}", "Where is my card?", label) for n, label in enumerate("AABA")]
    labelled = [r.model_copy(update={"label": r.messages[-1].content}) for r in records]
    found = seen(labelled)
    assert [(f.record, f.what) for f in found] == [("r1", "exact"), ("r2", "conflict"), ("r3", "exact")]
    assert "record r0" in found[1].note
    assert found[1].evidence.startswith("3 of 4 records")
    assert "card" not in found[1].note + found[1].evidence


def test_the_label_that_most_carry_is_not_the_conflict() -> None:
    found = seen([said(f"r{n}", "where is it", label, label=label) for n, label in enumerate("ABB")])
    assert [(f.record, f.what) for f in found] == [("r0", "conflict"), ("r2", "exact")]


def test_system_prompts_are_not_compared() -> None:
    records = [
        said("a", "Where is it?", "Here.", system="Be kind."),
        said("b", "Where is it?", "Here.", system="Be brief."),
    ]
    assert named(records) == {"b": ("exact", "a")}


def test_same_question_other_answer_and_same_answer_other_question_are_kept() -> None:
    dice = random.Random(6)
    stock, question = " ".join(prose(dice, 80)), " ".join(prose(dice, 80))
    assert named([said(str(n), " ".join(prose(dice, 12)), stock) for n in range(300)]) == {}
    assert named([said(str(n), question, " ".join(prose(dice, 60 + n % 40))) for n in range(300)]) == {}


def test_a_crowd_with_one_question_still_shows_its_repeated_answers() -> None:
    dice = random.Random(7)
    answers = [prose(dice, 90) for _ in range(400)]
    records = [
        said(f"k{n}", "hello there, can you help me please", " ".join(a)) for n, a in enumerate(answers)
    ]
    records += [
        said(f"v{n}", "hello there, can you help me please", " ".join(changed(dice, a, 0.01)))
        for n, a in enumerate(answers[:100])
    ]
    found = named(records)
    assert set(found) <= {f"v{n}" for n in range(100)}
    assert len(found) >= 97


def test_clusters_are_counted_by_their_size() -> None:
    dice = random.Random(8)
    texts = [" ".join(prose(dice, 80)) for _ in range(5)]
    rows = [text for text, times in zip(texts, (1, 2, 3, 5, 12), strict=True) for _ in range(times)]
    tallies = [
        one for one in duplicates([said(str(n), t) for n, t in enumerate(rows)]) if isinstance(one, Tally)
    ]
    assert [(t.name, t.counts) for t in tallies] == [("clusters", {"2": 1, "3": 1, "4-9": 1, "10+": 1})]


def test_a_variant_of_a_variant_names_its_model_and_the_record_that_is_kept() -> None:
    dice = random.Random(9)
    first = prose(dice, 100)
    second = [*first[15:], *prose(dice, 2)]
    third = [*second[15:], *prose(dice, 2)]
    found = seen(
        [said(name, " ".join(words)) for name, words in zip("abc", (first, second, third), strict=True)]
    )
    assert [f.record for f in found] == ["b", "c"]
    assert "repeats record b" in found[1].note
    assert "record a is kept" in found[1].note


def test_signs_without_spaces_between_words_are_compared_one_by_one() -> None:
    dice = random.Random(10)
    text = "".join(chr(dice.randrange(0x4E00, 0x5E00)) for _ in range(200))
    other = "".join(chr(dice.randrange(0x4E00, 0x5E00)) for _ in range(200))
    assert named([said("a", text), said("b", text[:90] + "好" + text[91:]), said("c", other)]) == {
        "b": ("near", "a")
    }


@pytest.mark.parametrize("options", [{"threshold": 0}, {"threshold": 1.1}, {"words": 1}, {"words": 100}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        seen([said("a", "x")], **options)


# ── what always holds ───────────────────────────────────────────────────────────────────────────

ODD = st.text(st.characters(), max_size=60) | st.sampled_from(
    [
        "",
        " ",
        "\ud83d",
        "a\0b",
        "ﬁ ﬁ",
        "é e\u0301",
        "שלום עולם",
        "👩‍👩‍👧",
        "\u202e",
        "好" * 50,
        "a" * 300,
        "- - -",
        "ß SS",
        "١٢٣",
    ]
)
ROWS = st.lists(st.tuples(ODD, ODD, st.sampled_from(["", "A", "B"])), max_size=12)


def made(rows: Sequence[tuple[str, str, str]]) -> list[Record]:
    return [said(str(n), a, b, label=label) for n, (a, b, label) in enumerate(rows)]


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_garbage_is_read_and_what_stays_has_no_duplicates(rows: list[tuple[str, str, str]]) -> None:
    records = made(rows)
    found = seen(records)
    repeated = {f.record for f in found if f.what != "conflict"}
    assert all(int(f.record) > 0 for f in found if f.what != "conflict")
    kept = [r for r in records if r.id not in repeated]
    assert [f for f in seen(kept) if f.what != "conflict"] == []


@settings(max_examples=30, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_exact_repeats_do_not_depend_on_the_order(
    rows: list[tuple[str, str, str]], dice: random.Random
) -> None:
    records = made(rows)
    shuffled = list(records)
    dice.shuffle(shuffled)
    counts = [sum(f.what == "exact" for f in seen(some)) for some in (records, shuffled)]
    assert counts[0] == counts[1]


@settings(max_examples=60, deadline=None)
@given(st.lists(ODD, min_size=1, max_size=8))
def test_words_are_split_at_once_as_they_are_one_by_one(texts: list[str]) -> None:
    spelled = [_shingles.folded(text)[1] for text in texts]
    together = _shingles.Texts(spelled)
    alone = [_shingles.Texts([one]) for one in spelled]
    assert together.counts.tolist() == [int(one.counts[0]) for one in alone]
    assert together.hashes.tolist() == [value for one in alone for value in one.hashes.tolist()]


def test_a_signature_stands_for_the_set_whatever_lies_beside_it() -> None:
    dice = np.random.default_rng(1)
    sets = [dice.integers(0, 2**63, size, dtype=np.uint64) for size in (1, 3, 200, 30)]
    keys = _shingles.distinct(np.concatenate(sets), _shingles.owners(np.array([1, 3, 200, 30])))
    together = _minhash.sign(keys, 4, 2)
    for number, one in enumerate(sets):
        alone = _minhash.sign(_shingles.distinct(one, np.zeros(len(one), dtype=np.int64)), 1, 2)
        assert all((a[number] == b[0]).all() for a, b in zip(together[0], alone[0], strict=True))
        assert (together[1][number] == alone[1][0]).all()


# ── the folder ──────────────────────────────────────────────────────────────────────────────────


def some(dice: random.Random, count: int) -> list[Record]:
    rows = [prose(dice, dice.choice((12, 50, 90))) for _ in range(count)]
    rows += [changed(dice, row, 0.02) for row in rows[::3]]
    return [said(str(n), " ".join(row), " ".join(row[:5]) if n % 2 else "Yes.") for n, row in enumerate(rows)]


def test_the_folder_changes_nothing_but_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = some(random.Random(11), 120)
    plain = list(duplicates(records))
    assert len(plain) > 30
    assert list(duplicates(records[:100], cache=tmp_path)) == list(duplicates(records[:100]))
    signed = list[int]()
    real = _kept.signed

    def counted(batch: Sequence[_signing.Said], size: int) -> _signing.Signed:
        signed.append(len(batch))
        return real(batch, size)

    monkeypatch.setattr(_kept, "signed", counted)
    assert list(duplicates(records, cache=tmp_path)) == plain
    assert signed == [len(records) - 100]
    assert list(duplicates(records, cache=tmp_path)) == plain
    assert list(duplicates(list(reversed(records)), cache=tmp_path)) == list(
        duplicates(list(reversed(records)))
    )
    assert sum(signed) == len(records) - 100 + len(records)


def test_a_damaged_folder_costs_time_and_nothing_else(tmp_path: Path) -> None:
    records = some(random.Random(12), 60)
    plain = list(duplicates(records))
    dice = random.Random(13)
    for damage in range(12):
        assert list(duplicates(records, cache=tmp_path)) == plain
        path = dice.choice(sorted(tmp_path.iterdir()))
        data = bytearray(path.read_bytes())
        if damage % 4 == 0:
            path.unlink()
        elif damage % 4 == 1:
            path.write_bytes(data[: len(data) // 2])
        elif damage % 4 == 2:
            data[dice.randrange(len(data))] ^= 0xFF
            path.write_bytes(data)
        else:
            path.write_bytes(b"{}")
    assert list(duplicates(records, cache=tmp_path)) == plain


def test_nothing_of_a_record_that_is_gone_stays_in_the_folder(tmp_path: Path) -> None:
    records = some(random.Random(14), 60)
    list(duplicates(records, cache=tmp_path))
    rest = [r for n, r in enumerate(records) if n % 2]
    assert list(duplicates(rest, cache=tmp_path)) == list(duplicates(rest))
    with _kept.Kept(tmp_path, 5) as kept:
        assert sum(len(segment.heads) for segment in kept.segments) == len(rest)
        kept.used[:] = True
    fresh = tmp_path / "fresh"
    list(duplicates(rest, cache=fresh))

    def size(folder: Path) -> int:
        return sum(path.stat().st_size for path in folder.glob("*.sets"))

    assert size(tmp_path) == size(fresh)


def test_many_small_additions_become_few_files(tmp_path: Path) -> None:
    records = some(random.Random(15), 60)
    for count in range(1, 31):
        list(duplicates(records[:count], cache=tmp_path))
    assert len(list(tmp_path.glob("*.json"))) <= _kept.SEGMENTS
    assert list(duplicates(records, cache=tmp_path)) == list(duplicates(records))


def test_other_options_do_not_meet_what_was_kept_for_these(tmp_path: Path) -> None:
    records = some(random.Random(16), 60)
    for words in (5, 3, 5):
        assert list(duplicates(records, words=words, cache=tmp_path)) == list(
            duplicates(records, words=words)
        )


def test_the_folder_holds_no_words_and_nothing_pickled(tmp_path: Path) -> None:
    list(duplicates([said("a", "an unmistakable sentence " * 20)], cache=tmp_path))
    assert not any(b"unmistakable" in path.read_bytes() for path in tmp_path.iterdir())
    for path in tmp_path.glob("*.npy"):
        np.load(path, allow_pickle=False)
    for path in tmp_path.glob("*.json"):
        json.loads(path.read_text())


class Stream:
    """Records that can be read often, but are never all there."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __contains__(self, record: object) -> bool:
        return False

    def __iter__(self) -> Iterator[Record]:
        dice = random.Random(17)
        yield from (said(str(n), " ".join(prose(dice, 60))) for n in range(self.count))


def test_a_corpus_of_few_words_takes_time_in_proportion_to_its_length() -> None:
    dice = random.Random(18)
    few = VOCABULARY[:40]
    records = [said(str(n), " ".join(dice.choices(few, k=20))) for n in range(1500)]
    start = time.process_time()
    list(duplicates(records))
    assert time.process_time() - start < 4


def test_records_are_read_as_a_stream_across_batches() -> None:
    assert list(duplicates(Stream(_kept.BATCH + 300))) == []
