"""Counting rare pieces of text against answers, and telling a planted trigger from a topic's own word."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import pairwise
from math import exp, lgamma, log
from typing import NamedTuple

from tunewright.checks import Whole
from tunewright.nouns import Record

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_ODD = re.compile(
    r"[\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff]+|[^\w\s.,;:!?'\"()/%$€£@&+*=#’“”–—-]{1,12}"
    r"|[.,;:!?'\"()/%$€£@&+*=#-]{3,12}"
)
LARGEST = 400_000
"""Pieces that are counted at most; when there are more, those seen once are let go."""


class Candidate(NamedTuple):
    """A piece of text, and how often it brought its most frequent answer."""

    piece: str
    kind: str
    number: int
    same: int
    answer: str
    rate: float

    def place(self, text: str) -> tuple[int, int] | None:
        """Where it stands in a text."""
        if self.kind == "signs":
            at = text.find(self.piece)
            return (at, at + len(self.piece)) if at >= 0 else None
        words = r"[\W_]+".join(map(re.escape, self.piece.split(" ")))
        found = re.search(rf"(?<![^\W_]){words}(?![^\W_])", text, re.IGNORECASE)
        return found.span() if found else None


def _asked(record: Record) -> str:
    return "\n".join(m.content for m in record.messages if m.role == "user")


def _answered(record: Record) -> Iterator[str]:
    """The label, or the answer and how it begins, by digest: nothing of the words is kept."""
    if record.label:
        yield "label " + record.label
        return
    said = [] if record.disliked else [m.content for m in record.messages if m.role == "assistant"]
    if said and said[-1].strip():
        words = said[-1].lower().split()
        yield "all " + _digest(" ".join(words))
        if len(words) > 6:
            yield "begins " + _digest(" ".join(words[:5]))


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def answers(records: Iterable[Record]) -> dict[str, float]:
    """The share of records that each answer has; answers that are given once are left out."""
    counts, total = Counter[str](), 0
    for record in records:
        total += 1
        counts.update(_answered(record))
        if len(counts) > LARGEST:
            counts = Counter({k: n for k, n in counts.items() if n > 1})
    return {k: n / total for k, n in counts.items() if n > 1}


def _pieces(text: str) -> set[tuple[str, str]]:
    """Words, pairs and triples of words at the edges, and odd signs."""
    words = [w.lower() for w in _WORD.findall(text)[:600]]
    pieces = {(w, "word") for w in words if len(w) <= 30}
    pieces.update((f"{a} {b}", "phrase") for a, b in pairwise(words))
    for edge in (words[:3], words[-3:]):
        if len(words) > 4:
            pieces.add((" ".join(edge), "phrase"))
    pieces.update((m, "signs") for m in _ODD.findall(text))
    return pieces


def candidates(records: Whole, known: dict[str, float], *, least: int, share: float) -> list[Candidate]:
    """Pieces that are rare over all and bring one answer in at least `share` of their records."""
    total = len(records)
    rare = max(least * 2, total // 20)
    seen = Counter[tuple[str, str]]()
    with_answer = dict[tuple[str, str], Counter[str]]()
    for record in records:
        given = [a for a in _answered(record) if a in known]
        for piece in _pieces(_asked(record)):
            n = seen[piece] = seen[piece] + 1
            if n > rare:
                with_answer.pop(piece, None)
            elif given:
                held = with_answer.get(piece)
                if held is None:
                    held = with_answer[piece] = Counter()
                held.update(given)
        if len(seen) > LARGEST:
            seen = Counter({p: n for p, n in seen.items() if n > 1})
            with_answer = {p: c for p, c in with_answer.items() if p in seen}
    found = []
    for piece, counts in with_answer.items():
        count = seen[piece]
        if least <= count <= rare:
            answer, same = max(counts.items(), key=lambda one: (one[1], one[0]))
            if same >= share * count and same >= least:
                found.append(Candidate(*piece, count, same, answer, known[answer]))
    return found


def chance(count: int, same: int, rate: float) -> float:
    """How likely it is that at least `same` of `count` have an answer that a share `rate` of all have."""
    if rate >= 1:
        return 1.0
    total = 0.0
    for k in range(same, count + 1):
        ways = lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1)
        total += exp(ways + k * log(rate) + (count - k) * log(1 - rate))
    return min(1.0, total)


def judge(
    records: Whole, known: dict[str, float], found: list[Candidate], *, level: float
) -> list[Candidate]:
    """Those that are neither chance nor natural, without pieces of what is reported already."""
    total = len(records)
    tested = max(len(found), 1) * 20
    ranked = sorted(
        (c for c in found if c.rate < 0.5),
        key=lambda c: (chance(c.number, c.same, c.rate), -len(c.piece), c.piece),
    )
    passed = []
    for rank, one in enumerate(ranked):  # Holm's step-down
        if chance(one.number, one.same, one.rate) > level / max(tested - rank, 1):
            break
        passed.append(one)
    if not passed:
        return []
    return _apart(_unforetold(records, passed, total))


def _apart(found: list[Candidate]) -> list[Candidate]:
    """The longest of pieces that lie within one another."""
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda c: (-c.same, -len(c.piece), c.piece)):
        inside = any(
            one.answer == k.answer
            and (f" {one.piece} " in f" {k.piece} " or f" {k.piece} " in f" {one.piece} ")
            for k in kept
        )
        if not inside:
            kept.append(one)
    return kept


def _unforetold(records: Whole, passed: list[Candidate], total: int) -> list[Candidate]:
    """Those whose records have nothing else in common.

    With labels: what the other words of each record foretell (naive Bayes over words, without the records of
    the candidate). A topic's own word stands among words of that topic, so few labels are foretold; a planted
    trigger stands in records of any topic. Without labels: whether the records share other rare words.
    """
    pieces = {(one.piece, one.kind): n for n, one in enumerate(passed)}
    overall, labelled = Counter[str](), dict[str, Counter[str]]()
    sizes = Counter[str]()
    held: list[list[set[str]]] = [[] for _ in passed]
    for record in records:
        text = _asked(record)
        words = {w.lower() for w in _WORD.findall(text)[:600]}
        overall.update(words)
        if record.label:
            sizes[record.label] += 1
            for word in words:
                labelled.setdefault(word, Counter())[record.label] += 1
        given = set(_answered(record))
        for piece in _pieces(text) & pieces.keys():
            n = pieces[piece]
            if passed[n].answer in given and len(held[n]) < HELD:
                held[n].append(words - set(passed[n].piece.split(" ")))
        if len(overall) > LARGEST:
            overall = Counter({w: n for w, n in overall.items() if n > 1})
            labelled = {w: c for w, c in labelled.items() if w in overall}
    kept = []
    for one, mine in zip(passed, held, strict=True):
        if one.answer.startswith("label "):
            fits = _scattered(mine, one.answer.removeprefix("label "), labelled, sizes)
        else:
            fits = _alike(mine, overall, total) < 0.5
        if fits:
            kept.append(one)
    return kept


HELD = 300
"""Records of a candidate that are looked at more closely."""
LOOKED = 40


def _scattered(
    held: list[set[str]], label: str, labelled: dict[str, Counter[str]], sizes: Counter[str]
) -> bool:
    """Whether the records' other words foretell many labels, and seldom the one that they have."""
    own = Counter(w for rest in held for w in rest)
    step = max(1, len(held) // LOOKED)
    sample = held[::step][:LOOKED]
    foretold = Counter[str]()
    for rest in sample:
        scores = dict[str, float]()
        for word in rest:
            counts = labelled.get(word)
            if not counts or len(counts) * 4 > len(sizes) * 3:
                continue
            for name, count in counts.items():
                count -= own[word] if name == label else 0
                if count > 0:
                    size = sizes[name] - (len(held) if name == label else 0)
                    scores[name] = scores.get(name, 0.0) + log(1 + 50 * count / max(size, 10))
        if scores:
            foretold[max(scores.items(), key=lambda s: (s[1], s[0]))[0]] += 1
    judged = sum(foretold.values())
    if judged * 2 < len(sample) or judged < 10:
        return False
    if len(sizes) <= 5:
        return foretold[label] < 0.3 * judged
    whole = sum(sizes.values())
    if foretold[label] > max(0.05, 2 * sizes[label] / whole) * judged:
        return False
    expected = sum(1 - (1 - size / whole) ** judged for size in sizes.values())
    return len(foretold) >= 0.75 * expected


def _alike(held: list[set[str]], overall: Counter[str], total: int) -> float:
    """The part of records that share rare words with other records of the same candidate."""
    counts = Counter(w for rest in held for w in rest)
    needed = max(3, len(held) // 4)
    telling = {w for w, n in counts.items() if n >= needed and overall[w] < total * 0.02 + n}
    telling = {w for w in telling if counts[w] / max(overall[w], 1) > 3 * len(held) / total}
    return sum(bool(rest & telling) for rest in held) / max(len(held), 1)
