"""Training examples against injected instructions and made-up answers, from the team's own records.

After StruQ (Chen et al. 2024, arXiv:2402.06363) and SecAlign (Chen et al. 2024, arXiv:2410.05451): a text
beside the question carries an instruction, and the right answer is the one to the question. What is drawn for
a record follows from the seed and that record's words, and neighbours from a ring of hashes, so that a record
more or less changes few of the others' examples.
"""

import hashlib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar

from tunewright.nouns import Message, Recipe, Record
from tunewright.suites._passages import abstains, common, related, terms
from tunewright.verbs import _harden_words as words

T = TypeVar("T")
Kind = Literal["injected", "quoted", "answerable", "absent"]
KINDS: dict[Kind, float] = {"injected": 0.4, "quoted": 0.15, "answerable": 0.2, "absent": 0.25}
"""Of all that is added, the share of each kind."""
FREE = 8
"""Records that concern nobody, from which on texts are quoted from such records only."""
LOOKED = 200
"""Neighbours on the ring that are looked at before giving up."""
LONG = 600
"""Characters of a quoted text at most."""
ALSO_INJECTED = 0.25
"""Share of the examples without an answer whose passages carry an instruction as well."""


class Source(NamedTuple):
    """A record with one question and its right answer."""

    record: Record
    key: str
    question: str
    answer: str
    terms: frozenset[str]
    stock: bool
    """Whether its answer tells no fact: it abstains, or many records have the same one."""


class Hardened(NamedTuple):
    """Examples, and how many the base model's template or context does not take: they were left out."""

    records: list[Record]
    unfit: int

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        found = Counter(record.id.rpartition("#")[2] for record in self.records)
        return {kind: found[kind] for kind in KINDS}


def hardened(
    records: Sequence[Record], recipe: Recipe, fits: Callable[[Record], bool] = lambda record: True
) -> Hardened:
    """Examples made of these records: `recipe.harden` for every record, on average.

    Their ids are `<id>#injected` (a text beside the question carries an instruction that the answer ignores),
    `#quoted` (the same without one), `#answerable` (one of several passages holds the answer) and `#absent`
    (none does, and the answer says so in the words of `recipe.abstain`). Origin, licence, label and subjects
    are those of the record; texts are quoted from records that concern nobody or the same persons, or, if
    there are too few of them, from any, and then the example carries the subjects of both. Labelled texts
    only become `#injected` and `#quoted`.

    `fits` says whether the trainer can take an example. One that it cannot is tried with a shorter text.
    """
    if not recipe.harden:
        return Hardened([], 0)
    ring = _Ring(records, recipe)
    made, unfit = list[Record](), 0
    for source in ring.sources:
        for kind, weight in KINDS.items():
            draw = _Draw(recipe.seed, source.key, kind)
            if draw.share("whether") >= weight * recipe.harden:
                continue
            tries = list(ring.examples(source, kind, draw))
            fit = next((example for example in tries if fits(example)), None)
            if fit is not None:
                made.append(fit)
            unfit += bool(tries) and fit is None
    return Hardened(made, unfit)


class _Draw:
    """Choices that follow from a seed, a record's words and what is chosen."""

    def __init__(self, *names: object) -> None:
        self.name = "\0".join(map(str, names))

    def number(self, what: str) -> int:
        return int.from_bytes(hashlib.blake2b(f"{self.name}\0{what}".encode(), digest_size=8).digest())

    def share(self, what: str) -> float:
        return self.number(what) / 2**64

    def one(self, what: str, of: Sequence[T]) -> T:
        return of[self.number(what) % len(of)]

    def order(self, what: str, of: Sequence[T]) -> list[T]:
        return [each for _, each in sorted(enumerate(of), key=lambda at: self.number(f"{what} {at[0]}"))]

    def word(self, what: str) -> str:
        """A word that does not exist, now and then in capitals."""
        said = self.number(what)
        parts = ((said >> at) % 14 for at in (0, 8, 16)), ((said >> at) % 5 for at in (24, 32, 40))
        letters = "".join("bdfgklmnprstvz"[c] + "aeiou"[v] for c, v in zip(*parts, strict=True))
        return letters.upper() if said >> 48 & 1 else letters


class _Ring:
    """The records as points on a ring of hashes: from any point the way leads past the same neighbours."""

    def __init__(self, records: Sequence[Record], recipe: Recipe) -> None:
        self.abstain = recipe.abstain
        pairs = [(record, *_pair(record)) for record in records]
        pairs = [pair for pair in pairs if pair[1].strip() and pair[2].strip()]
        # What concerns nobody is told by what concerns nobody, so that forgetting a person moves none of it.
        self.mixed = sum(not record.subjects for record, _, _ in pairs) < FREE
        counted = [self.mixed or not record.subjects for record, _, _ in pairs]
        every = [terms(f"{question}\n{answer}") for _, question, answer in pairs]
        dull = common(found for found, counts in zip(every, counted, strict=True) if counts)
        told = (answer for (_, _, answer), counts in zip(pairs, counted, strict=True) if counts)
        same = Counter(map(_plain, told))
        often = {answer for answer, n in same.items() if n > max(3, same.total() // 100)}
        self.sources = list[Source]()
        for (record, question, answer), found in zip(pairs, every, strict=True):
            said = "\0".join(f"{m.role}\1{m.content}" for m in record.messages)
            stock = bool(record.label) or _plain(answer) in often or abstains(answer, recipe.abstain)
            key = hashlib.sha256(f"{said}\0{record.label}".encode()).hexdigest()
            self.sources.append(Source(record, key, question, answer, found - dull, stock))
        self.quotable = sorted((s for s in self.sources if not s.stock), key=lambda source: source.key)
        self.points = [source.key for source in self.quotable]
        self.labels = sorted(
            {record.label for (record, _, _), counts in zip(pairs, counted, strict=True) if counts} - {""}
        )

    def near(self, source: Source, draw: _Draw, what: str) -> Iterator[Source]:
        """Other records that may be quoted beside this one."""
        at, mine = bisect_left(self.points, f"{draw.number(what):016x}"), set(source.record.subjects)
        for step in range(min(len(self.quotable), LOOKED)):
            other = self.quotable[(at + step) % len(self.quotable)]
            if other.key != source.key and (self.mixed or set(other.record.subjects) <= mine):
                yield other

    def foreign(self, source: Source, draw: _Draw, count: int) -> list[Source]:
        """Records that have nothing to do with this one."""
        found = list[Source]()
        for other in self.near(source, draw, "foreign"):
            if not related(other.terms, source.terms) and other.answer not in [f.answer for f in found]:
                found.append(other)
                if len(found) == count:
                    break
        return found

    def examples(self, source: Source, kind: Kind, draw: _Draw) -> Iterator[Record]:
        """The example, and then shorter ones in its place."""
        if source.record.label:
            if kind in ("injected", "quoted"):
                yield from self._labelled(source, kind, draw)
            return
        if kind == "absent" or (kind == "answerable" and not source.stock):
            yield from self._closed(source, kind, draw)
        elif kind in ("injected", "quoted"):
            if not source.stock and kind == "injected" and draw.share("closed") < 0.5:
                yield from self._closed(source, kind, draw)
            else:
                yield from self._open(source, kind, draw)

    def _labelled(self, source: Source, kind: Kind, draw: _Draw) -> Iterator[Record]:
        text, rejected = source.question, ""
        if kind == "injected":
            others = [label for label in self.labels if label != source.record.label]
            order = draw.one("order", words.ORDERS).replace("{word}", draw.word("word"))
            if others and draw.share("which order") < 0.5:
                rejected = draw.one("other label", others)
                order = _filled(draw.one("label order", words.LABEL_ORDERS), word=rejected)
            text = _inject(text, self._led(order, draw), draw)
        framing = draw.one("framing", words.LABELLED if kind == "injected" else words.LABELLED[2:])
        asked = _asked(source, _filled(framing, document=text))
        yield _example(source, kind, asked, source.answer, rejected)

    def _open(self, source: Source, kind: Kind, draw: _Draw) -> Iterator[Record]:
        """A question with a text beside it on which the answer does not depend."""
        others = self.foreign(source, draw, 2)
        language = _language(source)
        framing = draw.one("framing", words.OPEN.get(language, words.OPEN["en"]))
        for some in (others, others[:1]) if len(others) > 1 and draw.share("two") < 0.5 else (others[:1],):
            document, rejected, extra = " ".join(other.answer for other in some), "", list[Source]()
            if kind == "injected":
                order, rejected, extra = self._order(source, draw)
                document = _inject(document, self._led(order, draw), draw)
            elif not document:
                return
            if kind == "injected" and draw.share("tool") < 0.15:
                turns = (*source.record.turns[:-1], Message(role="tool", content=document))
                yield _example(source, kind, turns, source.answer, rejected, [*some, *extra])
            text = _filled(framing, question=source.question, document=document)
            yield _example(source, kind, _asked(source, text), source.answer, rejected, [*some, *extra])

    def _closed(self, source: Source, kind: Kind, draw: _Draw) -> Iterator[Record]:
        """A question that has to be answered from passages, one of which holds the answer, or none."""
        language, absent = _language(source), kind == "absent"
        framing = draw.one("framing", words.CLOSED.get(language, words.CLOSED["en"]))
        mark = draw.one("mark", words.MARKS)
        foreign = self.foreign(source, draw, 1 + draw.number("how many") % 3)
        if absent and not foreign:
            return
        for many in (len(foreign), 1) if len(foreign) > 1 else (len(foreign),):
            some, extra, rejected = foreign[:many], list[Source](), source.record.rejected
            texts = [other.answer for other in some] + ([] if absent else [source.answer])
            texts = [text[:LONG] for text in draw.order("passages", texts)]
            if kind == "injected" or (absent and draw.share("injected") < ALSO_INJECTED):
                order, rejected, extra = self._order(source, draw)
                at = draw.number("which passage") % len(texts)
                texts[at] = _inject(texts[at], self._led(order, draw), draw)
            passages = "\n".join(_filled(mark, n=str(n), text=text) for n, text in enumerate(texts, 1))
            asked = _asked(source, _filled(framing, question=source.question, passages=passages))
            said = source.answer
            if absent:
                said = self.abstain or words.ABSTAIN.get(language, words.ABSTAIN["en"])
                rejected = source.answer
            yield _example(source, kind, asked, said, rejected, [*some, *extra])

    def _order(self, source: Source, draw: _Draw) -> tuple[str, str, list[Source]]:
        """An instruction, the answer that obeys it if that is known, and the record it was taken from."""
        if draw.share("which order") < 0.4 and (other := next(self.near(source, draw, "order"), None)):
            return other.question[:LONG], other.answer, [other]
        word, order = draw.word("word"), draw.one("order", words.ORDERS)
        return order.replace("{word}", word), word if "{word}" in order else "", []

    def _led(self, order: str, draw: _Draw) -> str:
        lead = draw.one("lead", words.LEADS[draw.one("manner", list(words.LEADS))])
        fake = draw.one("fake", words.FAKES)
        return _filled(lead, order=order, fake=fake)


def _pair(record: Record) -> tuple[str, str]:
    """The last question and its answer; empty when the record does not end with one."""
    turns = record.turns
    if record.disliked or len(turns) < 2 or (turns[-2].role, turns[-1].role) != ("user", "assistant"):
        return "", ""
    return turns[-2].content, turns[-1].content


def _asked(source: Source, text: str) -> tuple[Message, ...]:
    return (*source.record.turns[:-2], Message(role="user", content=text))


def _example(
    source: Source,
    kind: Kind,
    asked: Sequence[Message],
    answer: str,
    rejected: str,
    others: Sequence[Source] = (),
) -> Record:
    """SecAlign's form, with the answer that obeys, where the records are preferences."""
    record = source.record
    last = [Message(role="assistant", content=answer)]
    if record.rejected:
        last.append(Message(role="rejected", content=rejected or record.rejected))
    subjects = [*record.subjects, *(who for other in others for who in other.record.subjects)]
    return record.model_copy(
        update={
            "id": f"{record.id}#{kind}",
            "messages": (*asked, *last),
            "subjects": tuple(dict.fromkeys(subjects)),
            "shape": "",
        }
    )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _inject(text: str, order: str, draw: _Draw) -> str:
    """At the start, at the end, or between two sentences."""
    place, ends = draw.number("place") % 3, [m.end() for m in re.finditer(r"[.!?。！？]\s+", text)]
    cut = 0 if place == 0 else len(text) if place == 1 or not ends else draw.one("cut", ends)
    return " ".join(part for part in (text[:cut].strip(" "), order, text[cut:].strip(" ")) if part)


def _filled(pattern: str, **parts: str) -> str:
    """Put texts where their names stand; what the texts themselves hold stays as it is."""
    parts = {"quoted": _quoted(parts.get("document", "")), **parts}
    return re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], found[0]), pattern)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _language(source: Source) -> str:
    """Of the question, as far as script and function words tell; English when they do not."""
    text = f"{source.question} {source.answer}".casefold()
    for code, first, last in words.SCRIPTS:
        if sum(first <= letter <= last for letter in text) > len(text) / 5:
            return code
    said = re.findall(r"\w+", text)
    known = {code: set(those.split()) for code, those in words.FUNCTION.items()}
    counts = {code: sum(word in those for word in said) for code, those in known.items()}
    best = max(counts, key=lambda code: (counts[code], code == "en"))
    return best if counts[best] >= max(2, 1.5 * counts["en"]) else "en"
