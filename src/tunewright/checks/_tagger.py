"""People, places, organisations, nationalities and dates in running text, by a small network of our own.

A convolutional tagger over hashed pieces of words (prefixes, suffixes, three-letter pieces, shape, known
lists), decoded with the Viterbi algorithm over BILOU tags; numpy alone, about 5 MB of weights. How it was
trained, on what, and what it reaches: training/entities/README.md.

Limits: trained on English first, then German, French and Spanish; other languages in Latin script by their
names' look alone, other scripts hardly at all. It sees nine words to each side, and a name that was found
elsewhere in the same text. Names in small letters are found where the words around them say so. Durations and
times of day are no dates here.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from tunewright.checks._tagger_net import KNOWN, Floats, Ids, Memory, forward, load, text_casing
from tunewright.checks._tagger_words import TOKEN

Kind = Literal["name", "place", "organisation", "nationality", "date"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TAGS = 1 + 4 * len(KINDS)
"""Outside, then begin, inside, last and single word of each kind."""

_LONGEST = 300_000
"""Characters of a text that are looked at together."""
_PIECE = 1500
_BATCH = 1500
_WAITING = 12_000
_HOPE = -1.0
"""Words below this by themselves are no reason to look (a logarithm of odds, trained beside the tags)."""
_NEAR = 6
"""Words to each side of one that could be a name that are looked at too."""
_AGAIN = 0.08
_NEVER = np.float32(-1e9)
_NOTHING = np.float32(-30)

Flags = npt.NDArray[np.bool_]


class Entity(NamedTuple):
    """Something named: where it stands (code points), what it is, how sure the tagger is (0 to 1)."""

    start: int
    end: int
    kind: Kind
    score: float


@cache
def _memory() -> Memory:
    return Memory(load(Path(__file__).with_name("weights") / "entities.npz"))


def entities(texts: Sequence[str]) -> list[list[Entity]]:
    """What is named in each text, in order and apart; offsets are code points within that text."""
    found: list[list[Entity]] = [[] for _ in texts]
    numbers, words = list[int](), list[list[str]]()
    size = 0
    for number, text in enumerate(texts):
        if len(text) > _LONGEST:
            found[number] = _in_parts(text)
            continue
        if mine := TOKEN.findall(text):
            numbers.append(number)
            words.append(mine)
            size += len(mine)
        if size > _WAITING:
            _tag(texts, numbers, words, found)
            numbers, words, size = [], [], 0
    if words:
        _tag(texts, numbers, words, found)
    return found


def _in_parts(text: str) -> list[Entity]:
    """A very long text part by part, cut at white space where there is some, so that memory stays bounded."""
    found, start = list[Entity](), 0
    while start < len(text):
        end = start + _LONGEST
        if end < len(text):
            cut = max(
                text.rfind("\n", start + _LONGEST // 2, end), text.rfind(" ", start + _LONGEST // 2, end)
            )
            end = cut if cut > 0 else end
        found += [
            Entity(e.start + start, e.end + start, e.kind, e.score) for e in entities([text[start:end]])[0]
        ]
        start = end
    return found


def _tag(texts: Sequence[str], numbers: list[int], words: list[list[str]], found: list[list[Entity]]) -> None:
    """Tags some texts, given as words, and writes what is found to its place."""
    memory = _memory()
    if len(memory.words) > KNOWN:
        _memory.cache_clear()
        memory = _memory()
    flat = list[str]()
    for mine in words:
        flat += mine
        flat.append("")
    ids = memory.numbers(flat)
    starts = np.zeros(len(words), dtype=np.int64)
    np.cumsum([len(mine) + 1 for mine in words[:-1]], out=starts[1:])
    scores = _scores(memory, ids, starts)
    tags = scores.argmax(axis=1)
    _mended(scores, tags)
    _again(memory, scores, tags, ids, starts)
    opens, ends, kinds, sure = _spans(scores, tags)
    owners = np.searchsorted(starts, opens, side="right") - 1
    rough: dict[int, list[tuple[int, int, Kind, float]]] = {}
    for owner, low, high, kind, score in zip(
        owners.tolist(), opens.tolist(), ends.tolist(), kinds.tolist(), sure.tolist(), strict=True
    ):
        base = int(starts[owner])
        rough.setdefault(owner, []).append((low - base, high - base, KINDS[kind], score))
    for owner, spans in rough.items():
        found[numbers[owner]] = _placed(texts[numbers[owner]], words[owner], spans)


def _scores(memory: Memory, ids: Ids, starts: Ids) -> Floats:
    """Logarithms of each tag's probability for every word; between texts surely outside."""
    scores = np.full((len(ids), TAGS), _NOTHING, dtype=np.float32)
    scores[:, 0] = 0
    lengths = np.diff(np.append(starts, len(ids)))
    kinds = np.repeat(text_casing(memory.case[ids], starts), lengths)
    space, field = memory.weights.gap, memory.weights.field
    gap, gap_keep = np.full(space, -1), np.zeros(space, dtype=bool)
    rows, keep, size = [gap], [gap_keep], space
    for low, high in _windows(memory, ids, starts, starts + lengths - 1):
        for start in range(low, high, _PIECE):
            before, after = max(low, start - field), min(high, start + _PIECE + field)
            part = np.arange(before, after)
            rows += [part, gap]
            keep += [(part >= start) & (part < start + _PIECE), gap_keep]
            size += len(part) + space
            if size > _BATCH:
                _forward(memory, np.concatenate(rows), np.concatenate(keep), ids, kinds, scores)
                rows, keep, size = [gap], [gap_keep], space
    if size > space:
        _forward(memory, np.concatenate(rows), np.concatenate(keep), ids, kinds, scores)
    return scores


def _windows(memory: Memory, ids: Ids, starts: Ids, ends: Ids) -> Iterator[tuple[int, int]]:
    """The stretches of words worth a look, each within one text: those near a word that could be a name."""
    hopes = np.flatnonzero(memory.hope[ids] > _HOPE)
    owners = np.searchsorted(starts, hopes, side="right") - 1
    steps = np.zeros(len(ids) + 1, dtype=np.int64)
    steps += np.bincount(np.maximum(hopes - _NEAR, starts[owners]), minlength=len(steps))
    steps -= np.bincount(np.minimum(hopes + _NEAR + 1, ends[owners]), minlength=len(steps))
    near = (np.cumsum(steps[:-1]) > 0) & (ids > 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _forward(memory: Memory, rows: Ids, keep: Flags, ids: Ids, kinds: Ids, scores: Floats) -> None:
    """Scores of some rows, written to where they belong."""
    empty = rows < 0
    mine = np.where(empty, 0, ids[rows])
    got = forward(memory.weights, memory.rows[mine], kinds[rows], empty)[keep]
    got -= got.max(axis=1, keepdims=True)
    got -= np.log(np.exp(got).sum(axis=1, keepdims=True))
    scores[rows[keep]] = got


def _moves() -> tuple[Floats, Flags]:
    """Which tag may follow which, as 0 or never, and which tags open a span or lie outside."""
    follow = np.full((TAGS, TAGS), _NEVER, dtype=np.float32)
    fresh = np.array([1, *[1, 0, 0, 1] * len(KINDS)], dtype=bool)
    closed = np.array([1, *[0, 0, 1, 1] * len(KINDS)], dtype=bool)
    follow[np.ix_(closed, fresh)] = 0
    for kind in range(len(KINDS)):
        begin = 1 + 4 * kind
        for before in (begin, begin + 1):
            follow[before, [begin + 1, begin + 2]] = 0
    return follow, fresh


_FOLLOW, _FRESH = _moves()
_LAWFUL = _FOLLOW == 0


def _mended(scores: Floats, tags: Ids) -> None:
    """Where the best tags of neighbours do not go together: the best that do (Viterbi), in place."""
    wrong = np.flatnonzero(~_LAWFUL[tags[:-1], tags[1:]])
    if not len(wrong) and _FRESH[tags[0]]:
        return
    if not _FRESH[tags[0]]:  # it goes on with what nothing began
        wrong = np.append(wrong, 0)
    open_ = tags > 0
    for beside in (-1, 0, 1, 2):
        open_[np.clip(wrong + beside, 0, len(tags) - 1)] = True
    open_ &= scores[:, 0] < 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], open_, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    at = np.searchsorted(starts, np.append(wrong, wrong + 1), side="right") - 1
    for run in np.unique(at[at >= 0]).tolist():
        low, high = int(starts[run]), int(ends[run])
        tags[low:high] = _best(scores[low:high])


def _best(scores: Floats) -> Ids:
    """The most probable lawful tags of a run of words with the outside at both ends."""
    count = len(scores)
    total = scores[0] + _FOLLOW[0]
    back = np.zeros((count, TAGS), dtype=np.int64)
    every = np.arange(TAGS)
    for step in range(1, count):
        ways = total[:, None] + _FOLLOW
        back[step] = ways.argmax(axis=0)
        total = ways[back[step], every] + scores[step]
    tags = np.zeros(count, dtype=np.int64)
    tag = int((total + _FOLLOW[:, 0]).argmax())
    for step in range(count - 1, -1, -1):
        tags[step] = tag
        tag = int(back[step, tag])
    return tags


def _again(memory: Memory, scores: Floats, tags: Ids, ids: Ids, starts: Ids) -> None:
    """Words of a name already found in the same text count as names again, where that is not far-fetched."""
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(ids))))
    key = owner * (int(ids.max()) + 1) + ids
    proper = memory.case[ids] >= 2
    known = (tags >= 1) & (tags <= 4) & proper
    if not known.any():
        return
    maybe = np.flatnonzero((tags == 0) & proper & (scores[:, 0] < np.log(1 - _AGAIN)))
    maybe = maybe[np.isin(key[maybe], key[known])]
    maybe = maybe[np.exp(scores[maybe, 1:5]).sum(axis=1) > _AGAIN]
    if not len(maybe):
        return
    edges = np.flatnonzero(np.diff(maybe) > 1)
    for low, high in zip(
        np.append(0, edges + 1).tolist(), np.append(edges, len(maybe) - 1).tolist(), strict=True
    ):
        first, last = int(maybe[low]), int(maybe[high])
        tags[first : last + 1] = 2
        tags[first], tags[last] = 1, 3
        if first == last:
            tags[first] = 4


def _spans(scores: Floats, tags: Ids) -> tuple[Ids, Ids, Ids, Floats]:
    """First word, word after the last, kind and score of everything tagged."""
    role = (tags - 1) % 4
    opens = np.flatnonzero((tags > 0) & ((role == 0) | (role == 3)))
    ends = np.flatnonzero((tags > 0) & (role >= 2)) + 1
    kinds = (tags[opens] - 1) // 4
    if not len(opens):
        return opens, ends, kinds, np.zeros(0, dtype=np.float32)
    of_kind = np.exp(scores[:, 1:]).reshape(len(scores), len(KINDS), 4).sum(axis=2)
    sums = np.concatenate([np.zeros((1, len(KINDS))), np.cumsum(of_kind, axis=0, dtype=np.float64)])
    sure = (sums[ends, kinds] - sums[opens, kinds]) / (ends - opens)
    return opens, ends, kinds, sure.astype(np.float32)


def _placed(text: str, words: list[str], rough: list[tuple[int, int, Kind, float]]) -> list[Entity]:
    """Word numbers as offsets."""
    starts, at = list[int](), 0
    for word in words[: rough[-1][1]]:
        at = text.index(word, at)
        starts.append(at)
        at += len(word)
    return [
        Entity(starts[low], starts[high - 1] + len(words[high - 1]), kind, round(score, 3))
        for low, high, kind, score in rough
    ]
