"""Evaluation questions in the training data."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tunewright.checks._shingles import BANDS, alike, bands, bare
from tunewright.nouns import Case, Finding, Record, Severity

N = 8
"""Words of an n-gram: ConTAM (Singh et al. 2024) advises 8; short items never reach the usual 13."""


class _Item(NamedTuple):
    id: str
    text: str
    words: tuple[str, ...]
    n: int
    template: frozenset[int]
    """Starts of n-grams that many cases share: the wording of the test, not of the question."""


def contamination(
    records: Iterable[Record], *, cases: Iterable[Case], coverage: float = 0.5, threshold: float = 0.7
) -> Iterator[Finding]:
    """Evaluation questions that are also in the training data: what was learnt by heart proves nothing.

    Compares what users say in the records with what they say in `cases`. `exact`: the same words after
    folding case, width, punctuation and white space. `ngram`: runs of 8 words of the case (of all its
    words, if it has 4 to 7) cover at least the share `coverage` of it. `near`: Jaccard similarity of
    character shingles of at least `threshold`. Runs that more than a fifth of the cases share are taken
    for the test's own wording. Sources: GPT-3 (Brown et al. 2020, appendix C) for n-gram overlap, ConTAM
    (Singh et al. 2024) for 8 words, MinHash (Broder 1997) to find rewrites.

    Limits: a paraphrase or translation of a question passes; cases of up to 3 words are only compared as
    a whole; answers are not compared.
    """
    items = [_item(case) for case in cases]
    index = _Index([item for item in items if item.text], coverage, threshold)
    for record in records:
        found: dict[str, tuple[int, int, str]] = {}
        for number, message in enumerate(record.messages):
            if message.role == "user":
                for rank, case, note in index.look(message.content):
                    if case not in found or found[case][1] > rank:
                        found[case] = (number, rank, note)
        for case, (number, rank, note) in found.items():
            what, severity = _KINDS[rank]
            yield Finding(
                check="contamination",
                what=what,
                record=record.id,
                message=number,
                severity=severity,
                note=f"{note} evaluation case {case}",
            )


_KINDS: tuple[tuple[str, Severity], ...] = (("exact", "high"), ("ngram", "high"), ("near", "medium"))


def _item(case: Case) -> _Item:
    text = bare("\n".join(m.content for m in case.messages if m.role == "user"))
    words = tuple(text.split())
    return _Item(case.id, text, words, min(N, len(words)), frozenset())


class _Index:
    """The cases, found by whole text, by n-gram and by band."""

    def __init__(self, items: Sequence[_Item], coverage: float, threshold: float) -> None:
        self.coverage, self.threshold = coverage, threshold
        often = Counter(gram for item in items for gram in set(_grams(item.words, item.n)))
        most = max(len(items) / 5, 2)
        self.whole: dict[str, list[str]] = defaultdict(list)
        self.grams: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.bands: list[dict[int, list[int]]] = [defaultdict(list) for _ in range(BANDS)]
        self.items: list[_Item] = []
        for number, item in enumerate(items):
            grams = _grams(item.words, item.n)
            template = frozenset(i for i, gram in enumerate(grams) if often[gram] > most and len(items) >= 10)
            self.items.append(item._replace(template=template))
            self.whole[item.text].append(item.id)
            if item.n >= 4:
                for start, gram in enumerate(grams):
                    if start not in template:
                        self.grams[gram].append((number, start))
            for bucket, key in zip(self.bands, bands(item.text).tolist(), strict=True):
                bucket[key].append(number)
        self.sizes = sorted({item.n for item in items if item.n >= 4})

    def look(self, content: str) -> Iterator[tuple[int, str, str]]:
        """Rank (0 exact, 1 ngram, 2 near), case and how, for each case that one turn repeats."""
        text = bare(content)
        if not text or not self.items:
            return
        told = set()
        for case in self.whole.get(text, ()):
            told.add(case)
            yield 0, case, "is word for word"
        for number, share in self._covered(text.split()):
            item = self.items[number]
            if item.id not in told and share >= self.coverage:
                told.add(item.id)
                yield 1, item.id, f"holds {share:.0%} of the words, in order, of"
        for number in self._near(text):
            item = self.items[number]
            if item.id not in told and (share := alike(text, item.text)) >= self.threshold:
                told.add(item.id)
                yield 2, item.id, f"is nearly (similarity {share:.2f})"

    def _covered(self, words: list[str]) -> Iterator[tuple[int, float]]:
        """Cases sharing n-grams with these words, and the share of their words in such n-grams."""
        starts: dict[int, set[int]] = defaultdict(set)
        for n in self.sizes:
            for gram in _grams(words, n):
                for number, start in self.grams.get(gram, ()):
                    starts[number].add(start)
        for number, found in starts.items():
            item = self.items[number]
            own = _cover(set(range(len(item.words) - item.n + 1)) - item.template, item.n)
            yield number, len(_cover(found, item.n)) / max(len(own), 1)

    def _near(self, text: str) -> list[int]:
        votes: Counter[int] = Counter()
        for bucket, key in zip(self.bands, bands(text).tolist(), strict=True):
            votes.update(bucket.get(key, ())[:200])
        return [number for number, _ in votes.most_common(50)]


def _grams(words: Sequence[str], n: int) -> list[str]:
    return [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)] if n else []


def _cover(starts: set[int], n: int) -> set[int]:
    """Positions of words inside n-grams that start at `starts`."""
    return {at for start in starts for at in range(start, start + n)}
