"""What a classification head minimises: which label a conversation has."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from tunewright.errors import BadInput
from tunewright.nouns import Record
from tunewright.trainers._layout import planned, sane
from tunewright.trainers._rows import Cutter, Item, LeftOut, each, words_of

if TYPE_CHECKING:
    from tunewright.trainers._adapter import Tuner

UNSEEN = math.log(1e6)
"""Nats for a label that the head does not know: as if it had given it one chance in a million."""
LONGEST = 100
"""Characters of a label; more is a text."""
NAMED = 8
"""Labels that a note names."""


class Labels:
    """The mean cross-entropy, in nats, of the labels, read from the state of each row's last token."""

    def __init__(
        self, options: dict[str, Any], records: Sequence[Record], held: Sequence[Record] | None
    ) -> None:
        """Finds the labels among what will be learnt, and puts them in order into `options`.

        The head is as wide as there are labels, so they decide the bytes of every stage.
        """
        self.options, self.notes = options, list[str]()
        sane(options)
        self.names, self.weights, self.unseen = list[str](), list[float](), list[str]()
        marked = dict[str, int]()

        def light(record: Record) -> Item:
            return Item((), _key(record), mark=marked.setdefault(label_of(record), len(marked)))

        items = list(each(records, light))
        if not items:
            return  # the loop says so
        measured = None if held is None else list(each(held, light))
        plan = planned(items, measured, options)
        told = {mark: label for label, mark in marked.items()}
        counts = Counter(told[item.mark] for item in plan.learnt(len(plan.parts)))
        self.names = sorted(counts)
        if len(self.names) < 2 and held is None:  # a trial on a few records may do with one
            raise BadInput(
                f"all {counts.total()} conversations that are learnt have the same label",
                hint="a classifier needs conversations with at least two labels",
            )
        self.unseen = sorted(set(marked) - set(counts))
        self.weights = [1.0] * len(self.names)
        options["labels"] = self.names
        if options["balanced"]:
            self.weights = [counts.total() / len(counts) / counts[label] for label in self.names]
            options["label_weights"] = self.weights
        self._say(counts)

    def _say(self, counts: Counter[str]) -> None:
        named = ", ".join(f"{label} {n}" for label, n in counts.most_common(NAMED))
        more = f" and {len(counts) - NAMED} more" if len(counts) > NAMED else ""
        self.notes.append(f"{len(counts)} labels: {named}{more}")
        if self.unseen:
            named = ", ".join(self.unseen[:NAMED])
            self.notes.append(
                f"{len(self.unseen)} only in what is held out, so never learnt and always wrong: {named}"
            )
        if len(counts) > counts.total() / 2:
            self.notes.append(
                "most labels occur once: when the answers are free text, the trainer lora learns them"
            )
        if len({label.casefold() for label in counts}) < len(counts):
            self.notes.append("some labels differ only in upper and lower case, and are learnt apart")

    def item(self, record: Record, cutter: Cutter) -> Item:
        """One row up to where the answer would begin; its mark is the label's row of the head, or -1."""
        label = label_of(record)
        row, cut = cutter.asked(record.turns[:-1])
        mark = self.names.index(label) if label in self.names else -1
        return Item((row,), _key(record), record.subjects, mark=mark, cut=cut)

    def prepare(self, tuner: Tuner, items: Sequence[Item]) -> Iterator[int]:
        """Only what there is to tell: numbers, because the names of labels may be people's."""
        tuner.facts |= {"labels": len(self.names), "labels_unseen": len(self.unseen)}
        yield from ()

    def weight(self, items: Sequence[Item]) -> float:
        """Rows, or the sum of their labels' weights."""
        return sum(self._weight(item) for item in items)

    def loss(self, tuner: Tuner, items: Sequence[Item]) -> torch.Tensor:
        """Summed over rows."""
        chance = torch.log_softmax(tuner.scores([item.rows[0] for item in items]), -1)
        marks = torch.tensor([item.mark for item in items])
        nats = -chance.gather(1, marks.clamp(min=0)[:, None])[:, 0]
        nats = torch.where(marks < 0, torch.full_like(nats, UNSEEN), nats)
        return (nats * torch.tensor([self._weight(item) for item in items])).sum()

    def told(self, tuner: Tuner, items: Sequence[Item]) -> dict[str, float]:
        """How many labels are right, and how sure the head is of its answers."""
        chance = torch.softmax(tuner.scores([item.rows[0] for item in items]), -1)
        best, at = chance.max(-1)
        right = sum(int(a) == item.mark for a, item in zip(at, items, strict=True))
        return {"held_out_accuracy": float(right), "held_out_confidence": float(best.sum())}

    def _weight(self, item: Item) -> float:
        return self.weights[item.mark] if item.mark >= 0 else 1.0


def label_of(record: Record) -> str:
    """The label, or the last answer where that is the label.

    Errors: `LeftOut` for a disliked answer, `BadInput` when there is no label.
    """
    if record.disliked:
        raise LeftOut("its only answer is one that people rejected", hint="kto learns from it")
    last = record.turns[-1] if record.turns else None
    if last is None or last.role != "assistant":
        raise BadInput("it does not end with a label", hint="end it with the assistant's turn")
    label = (record.label or last.content).strip()
    if not label:
        raise BadInput("its label is empty", hint="drop the record or write the label")
    if len(label) > LONGEST or "\n" in label:
        raise BadInput(
            f"its answer has {len(label)} characters and is no label",
            hint="the trainer lora learns answers that are texts",
        )
    return label


def _key(record: Record) -> str:
    """Of the words without the label: the same text is never both learnt and held out."""
    return words_of(record.model_copy(update={"messages": record.turns[:-1]}))
