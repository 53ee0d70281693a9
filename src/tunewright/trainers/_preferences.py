"""Learning from what people preferred: the losses, and how records become what they compare.

The losses are functions of log-probabilities of whole answers, in nats. A `ratio` is the log-probability that
the model gives an answer, less the one that the model before training gave it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from tunewright import template
from tunewright.errors import BadInput
from tunewright.nouns import Message, Record
from tunewright.trainers._rows import Cutter, Item, LeftOut, Row, words_of

if TYPE_CHECKING:
    from tunewright.trainers._adapter import Tuner

LIKED, DISLIKED, BOTH = 1, 2, 3
"""Marks of items: which answers a record has."""
TOGETHER = 8
"""Records that are read together before training."""

# ── losses ──────────────────────────────────────────────────────────────────────────────────────


def dpo_loss(chosen: Tensor, rejected: Tensor, beta: float, label_smoothing: float = 0.0) -> Tensor:
    """Loss of each pair, from the ratios of its answers.

    The sigmoid loss (Rafailov and others, 2023, arXiv:2305.18290, equation 7); with `label_smoothing` the
    estimate of it that is unbiased when that share of the pairs is the wrong way round (Chowdhury and others,
    2024, arXiv:2403.00409, equation 11).
    """
    margin = beta * (chosen - rejected)
    kept, flipped = -logsigmoid(margin), -logsigmoid(-margin)
    return ((1 - label_smoothing) * kept - label_smoothing * flipped) / (1 - 2 * label_smoothing)


def ipo_loss(chosen: Tensor, rejected: Tensor, beta: float) -> Tensor:
    """Loss of each pair, from the ratios of its answers divided by their numbers of tokens.

    The squared distance of the margin from 1 / (2 beta) (Azar and others, 2023, arXiv:2310.12036, equation
    17).
    """
    return (chosen - rejected - 1 / (2 * beta)) ** 2


def kto_loss(
    ratios: Tensor, liked: Tensor, kl: Tensor, beta: float, desirable: float, undesirable: float
) -> Tensor:
    """Loss of each answer, from its ratio and whether it was liked.

    `kl` is the mean ratio of answers that belong to other questions; below zero it counts as zero
    (Ethayarajh and others, 2024, arXiv:2402.01306, equation 8).
    """
    sign = torch.where(liked, 1.0, -1.0)
    weight = torch.where(liked, desirable, undesirable)
    return weight * (1 - torch.sigmoid(beta * sign * (ratios - kl.clamp(min=0).detach())))


def odds_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """The part of ORPO's loss that compares each pair, from mean log-probabilities a token.

    Minus the log-sigmoid of the log odds ratio (Hong and others, 2024, arXiv:2403.07691, equation 7).
    """
    return -logsigmoid(_log_odds(chosen) - _log_odds(rejected))


def _log_odds(mean: Tensor) -> Tensor:
    """log(p / (1 - p)) of the probability exp(mean)."""
    mean = mean.float().clamp(max=-1e-6)  # of a certain token the odds have no bound
    other = torch.where(mean > -math.log(2), torch.log(-torch.expm1(mean)), torch.log1p(-torch.exp(mean)))
    return mean - other


# ── objectives ──────────────────────────────────────────────────────────────────────────────────


class _Preferences:
    """What the objectives have in common: rows of answers, and what the model thought before training."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.before = dict[tuple[Row, ...], list[float]]()
        self.longest = 0
        self._seen: tuple[tuple[Item, ...], dict[str, float]] = ((), {})

    def answers(self, record: Record, cutter: Cutter) -> Item:
        """A row for each last answer; only the answer and the token that ends it are learnt.

        Errors: `LeftOut` when there is no answer or nothing sets the two apart; `BadInput`.
        """
        self.longest = cutter.longest
        turns = record.turns
        there = bool(turns) and turns[-1].role == "assistant"
        asked = turns[:-1] if there else turns
        said = [turns[-1].content] if there else []
        if record.rejected:
            said.append(record.rejected)
        if not any(message.role == "user" for message in asked) or not said:
            raise LeftOut("nobody asks")
        rows, cut = list[Row](), False
        begin = len(template.prompt(cutter.tokenizer, template.under(cutter.system, asked)))
        for content in said:
            row, shortened = cutter.row((*asked, Message(role="assistant", content=content)))
            own = [place for place, at in enumerate(row.at) if at + 1 >= begin]
            if not own:
                raise BadInput(f"there is no answer within {cutter.longest} tokens", hint="raise max_tokens")
            rows.append(Row(row.ids, row.at[own[0] :], row.targets[own[0] :]))
            cut |= shortened
        if len(rows) == 2 and rows[0].ids == rows[1].ids:
            raise LeftOut("both answers are the same")
        mark = BOTH if len(rows) == 2 else LIKED if there else DISLIKED
        question = words_of(record.model_copy(update={"messages": asked}))  # held out together
        return Item(tuple(rows), question, record.subjects, mark, cut=cut)

    def weight(self, items: Sequence[Item]) -> float:
        """Pairs."""
        return float(len(items))

    def prepare(self, tuner: Tuner, items: Sequence[Item]) -> Iterator[int]:
        """The log-probability of every answer before training.

        Read together are records that concern the same people: forgetting somebody leaves the numbers of the
        others as they were, to the last digit. So does another choice of what is held out, which comes last.
        """
        groups, later = dict[tuple[object, ...], dict[tuple[Row, ...], int]](), False
        for item in items:
            later = later or bool(item.people)
            tokens = sum(len(row.ids) for row in item.rows)
            groups.setdefault((item.people, later), {})[item.rows] = tokens
        done = 0
        for group in groups.values():
            ordered = sorted(group, key=lambda rows: (group[rows], rows))
            for at in range(0, len(ordered), TOGETHER):
                part = ordered[at : at + TOGETHER]
                with torch.no_grad():
                    nats = iter(tuner.likelihoods([row for rows in part for row in rows]).tolist())
                self.before.update({rows: [next(nats) for _ in rows] for rows in part})
                done += len(part)
                yield done
        if done < len(items):  # some were there twice
            yield len(items)

    def ratios(self, tuner: Tuner, items: Sequence[Item]) -> Tensor:
        """By how much each answer became more likely, in nats."""
        before = torch.tensor([nats for item in items for nats in self.before[item.rows]])
        return tuner.likelihoods([row for item in items for row in item.rows]) - before

    def note(self, items: Sequence[Item], margins: Tensor) -> None:
        """Remember what is worth telling of some items, by how much each is the right way round."""
        right = float((margins > 0).sum())
        self._seen = tuple(items), {"preferred": right, "reward_margin": float(margins.sum())}

    def loss(self, tuner: Tuner, items: Sequence[Item]) -> Tensor:
        """Summed loss."""
        raise NotImplementedError

    def told(self, tuner: Tuner, items: Sequence[Item]) -> dict[str, float]:
        """How many are the right way round, and by how much."""
        if self._seen[0] != tuple(items):
            self.loss(tuner, items)
        return self._seen[1]


class Pairs(_Preferences):
    """DPO: the answer that people preferred becomes more likely, compared with the other one."""

    def item(self, record: Record, cutter: Cutter) -> Item:
        """Both answers. A record with only one is left out."""
        if not record.rejected or record.disliked:
            raise LeftOut("it has no pair of answers")
        return self.answers(record, cutter)

    def loss(self, tuner: Tuner, items: Sequence[Item]) -> Tensor:
        """Summed over pairs."""
        ratios, beta = self.ratios(tuner, items), self.options["beta"]
        chosen, rejected = ratios[::2], ratios[1::2]
        self.note(items, (beta * (chosen - rejected)).detach())
        if self.options["loss"] == "ipo":
            tokens = torch.tensor([float(len(row.at)) for item in items for row in item.rows])
            return ipo_loss(chosen / tokens[::2], rejected / tokens[1::2], beta).sum()
        return dpo_loss(chosen, rejected, beta, self.options["label_smoothing"]).sum()


class Odds(_Preferences):
    """ORPO: the answer that people preferred is learnt, and made likelier than the other one."""

    def item(self, record: Record, cutter: Cutter) -> Item:
        """Both answers. A record with only one is left out."""
        if not record.rejected or record.disliked:
            raise LeftOut("it has no pair of answers")
        return self.answers(record, cutter)

    def prepare(self, tuner: Tuner, items: Sequence[Item]) -> Iterator[int]:
        """Nothing: no reference is needed."""
        yield from ()

    def loss(self, tuner: Tuner, items: Sequence[Item]) -> Tensor:
        """Summed over pairs."""
        rows = [row for item in items for row in item.rows]
        tokens = torch.tensor([float(len(row.at)) for row in rows])
        means = tuner.likelihoods(rows) / tokens
        chosen, rejected = means[::2], means[1::2]
        self.note(items, (chosen - rejected).detach())
        weight: float = self.options["odds_weight"]
        return (weight * odds_loss(chosen, rejected) - chosen).sum()


class Verdicts(_Preferences):
    """KTO: liked answers become more likely and disliked ones less, each by itself."""

    def item(self, record: Record, cutter: Cutter) -> Item:
        """The liked answer, the rejected one, or both."""
        return self.answers(record, cutter)

    def weight(self, items: Sequence[Item]) -> float:
        """Answers."""
        return float(sum(len(item.rows) for item in items))

    def prepare(self, tuner: Tuner, items: Sequence[Item]) -> Iterator[int]:
        """The log-probability of every answer before training; what learns is kept as it is now."""
        marks = {item.mark for item in items}
        if marks in ({LIKED}, {DISLIKED}):
            only = "liked" if LIKED in marks else "rejected"
            raise BadInput(
                f"every answer is a {only} one: KTO needs some of both",
                hint="learn from liked answers alone with the trainer lora",
            )
        self.first = {name: value.detach().clone() for name, value in tuner.learnt.items()}
        yield from super().prepare(tuner, items)

    def loss(self, tuner: Tuner, items: Sequence[Item]) -> Tensor:
        """Summed over answers."""
        options, kl = self.options, self._kl(tuner, items)
        ratios = self.ratios(tuner, items)
        liked = torch.tensor([like for item in items for like in _likes(item)])
        rewards = options["beta"] * torch.where(liked, 1.0, -1.0) * (ratios - kl.clamp(min=0)).detach()
        owner = torch.tensor([at for at, item in enumerate(items) for _ in item.rows])
        self.note(items, torch.zeros(len(items)).index_add(0, owner, rewards))
        each = kto_loss(ratios, liked, kl, options["beta"], options["desirable"], options["undesirable"])
        return each.sum()

    def _kl(self, tuner: Tuner, items: Sequence[Item]) -> Tensor:
        """The mean ratio of answers under the question of the next item: an estimate of how far the model is
        from what it was (arXiv:2402.01306, section 4.1)."""
        rows = [
            _answering(item.rows[0], other.rows[0], self.longest)
            for item, other in zip(items, (*items[1:], *items[:1]), strict=True)
        ]
        if len({_asked(item.rows[0]) for item in items}) < 2:
            return torch.zeros(())
        kept = set(tuner.trunk.kept)
        with torch.no_grad():
            tuner.trunk.together(rows)
            now = tuner.likelihoods(rows)
            with self._as_before(tuner):
                then = tuner.likelihoods(rows)
        for ids in set(tuner.trunk.kept) - kept:  # the next step asks for others
            del tuner.trunk.kept[ids]
        return (now - then).mean()

    @contextmanager
    def _as_before(self, tuner: Tuner) -> Iterator[None]:
        """The model as it was before training."""
        now = {name: value.data for name, value in tuner.learnt.items()}
        for name, value in tuner.learnt.items():
            value.data = self.first[name]
        try:
            yield
        finally:
            for name, value in tuner.learnt.items():
                value.data = now[name]


def between(options: dict[str, Any], **bounds: tuple[float, float]) -> None:
    """Errors: `BadInput` naming the option that is not between its bounds."""
    for name, (low, high) in bounds.items():
        if not low <= options[name] <= high:
            raise BadInput(f"{name} is {options[name]!r}", hint=f"give a number from {low:g} to {high:g}")


def _likes(item: Item) -> tuple[bool, ...]:
    return (True, False) if item.mark == BOTH else (item.mark == LIKED,)


def _asked(row: Row) -> tuple[int, ...]:
    return row.ids[: row.at[0] + 1]


def _answering(row: Row, other: Row, longest: int) -> Row:
    """The question of one row with the answer of another, no longer than a row may be."""
    asked, answer = _asked(row), other.ids[other.at[0] + 1 :]
    answer = answer[: max(1, longest - len(asked))]
    return Row(asked + answer, tuple(range(len(asked) - 1, len(asked) + len(answer) - 1)), answer)
