"""Many patterns at once find what each finds alone; a pattern of a user cannot run away."""

import pickle
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tunewright.checks._engine import Engine, Prefilter, safe
from tunewright.errors import BadInput, Missing

ENGINES: list[Engine] = ["hyperscan", "python"]
SIGNS = "abkKsSiI1_ .-\nß\u017f\u212a\u0130\u0131éΣσς\U0001f600漢"

ones = some.sampled_from(
    [re.escape(c) for c in SIGNS if c != "\n"]
    + [r"\w", r"\d", r"\s", r"\W", ".", "[a-k]", "[^ab]", "[ks]", "[é-漢]", r"[^\W_]", "[KI]", r"\n"]
)


def _more(inner: some.SearchStrategy[str]) -> some.SearchStrategy[str]:
    low = some.integers(0, 3)
    return some.one_of(
        some.lists(inner, min_size=1, max_size=4).map("".join),
        some.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        some.tuples(inner, low, low, some.sampled_from(["", "?", "+"])).map(
            lambda t: f"(?:{t[0]}){{{t[1]},{t[1] + t[2]}}}{t[3]}"
        ),
        inner.map(lambda p: f"({p})"),
        inner.map(lambda p: f"(?i:{p})"),
        inner.map(lambda p: f"(?={p})"),
        inner.map(lambda p: f"(?!{p})"),
        inner.map(lambda p: rf"\b{p}"),
        inner.map(lambda p: f"{p}$"),
        inner.map(lambda p: f"(?>{p})"),
        inner.map(lambda p: rf"(?P<again>{p})(?P=again)" if "again" not in p else p),
    )


patterns = some.recursive(ones, _more, max_leaves=8).filter(lambda p: p.count("again>") <= 1)
texts = some.lists(some.text(SIGNS, max_size=12), min_size=1, max_size=5)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEWRIGHT_CACHE", str(tmp_path))


@pytest.mark.parametrize("engine", ENGINES)
def test_no_match_of_any_pattern_is_lost(engine: Engine) -> None:
    if engine == "hyperscan":
        pytest.importorskip("hyperscan")

    @settings(max_examples=300, deadline=None, database=None)
    @given(some.lists(patterns, min_size=1, max_size=4), texts, some.sampled_from([0, re.IGNORECASE]))
    def holds(wanted: list[str], read: list[str], flags: int) -> None:
        compiled = [re.compile(p, flags) for p in wanted]
        found = Prefilter(compiled, engine=engine).candidates(read)
        for text, candidates in zip(read, found, strict=True):
            assert {n for n, p in enumerate(compiled) if p.search(text)} <= candidates

    holds()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_literal_that_is_absent_is_no_candidate(engine: Engine) -> None:
    if engine == "hyperscan":
        pytest.importorskip("hyperscan")
    wanted = [r"(?i)\bghp_[a-z0-9]{36}\b", "漢字", "(?:alpha|beta)-[0-9]+"]
    read = ["nothing here", "\u212aHP_ GHP_" + "a" * 36, "漢字", "a beta-7", "alphabet"]
    found = Prefilter(wanted, engine=engine).candidates(read)
    assert found[0] == set()
    assert 0 in found[1]
    assert found[2] == {1}
    assert 2 in found[3]


def test_a_database_is_kept_for_the_next_start_and_not_read_when_others_could_write_it(
    tmp_path: Path,
) -> None:
    pytest.importorskip("hyperscan")
    wanted = [f"word{n:02}[0-9]{{3}}" for n in range(30)]
    assert Prefilter(wanted).candidates(["word07123"]) == [{7}]
    (kept,) = tmp_path.glob("*.hs")
    again = pickle.loads(pickle.dumps(Prefilter(wanted)))
    assert again.candidates(["a word 29 word19000"]) == [{19}]
    kept.write_bytes(b"broken")
    assert Prefilter(wanted).candidates(["word01999"]) == [{1}]
    kept.write_bytes(b"broken")
    kept.chmod(0o666)
    assert Prefilter(wanted).candidates(["word01999"]) == [{1}]


def test_many_texts_are_told_apart_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hyperscan")
    monkeypatch.setattr("tunewright.checks._engine.BLOCK", 50)
    read = [("é" * (n % 7)) + (f"key{n % 3}" if n % 2 else "none") for n in range(200)]
    wanted = ["key0", "key1", "key2"]
    fast = Prefilter(wanted).candidates(read)
    assert fast == [{n for n in range(3) if f"key{n}" in text} for text in read]
    assert fast == Prefilter(wanted, engine="python").candidates(read)


# ── patterns from users ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", "(a|a?)+$", "([a-zA-Z]+)*$", "(.*a){12}$", "(?i)^(([a-z])+.)+[A-Z]([a-z])+$"],
)
def test_a_pattern_that_would_run_away_does_not(pattern: str) -> None:
    pytest.importorskip("re2")
    begun = time.process_time()
    list(safe(pattern).spans("a" * 50_000 + "!"))
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"(a)\1", "back-references"),
        ("(?<=x)a", "look-around"),
        ("a(?!b)", "look-around"),
        ("a++", "possessive"),
        ("(a", "cannot be read"),
        ("a" * 6000, "longer"),
        ("((a{1,100}){1,100}){1,100}", "cannot be read"),
    ],
)
def test_what_cannot_be_made_safe_is_refused_with_a_remedy(pattern: str, told: str) -> None:
    pytest.importorskip("re2")
    with pytest.raises(BadInput, match=told):
        safe(pattern)


def test_places_are_characters_and_the_first_group_counts() -> None:
    pytest.importorskip("re2")
    text = "Größe 😀\ud800 Kunde K-12345, K-777"
    spans = list(safe(r"(?:kunde )?(k-\d+)", ignore_case=True).spans(text))
    assert [text[a:b] for a, b in spans] == ["K-12345", "K-777"]


def test_without_re2_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "re2", None)
    with pytest.raises(Missing, match="re2"):
        safe("a")
