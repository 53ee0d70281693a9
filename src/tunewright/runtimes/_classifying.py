"""A classifier that speaks: its answer is a label."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tunewright import network, template
from tunewright.errors import BadInput
from tunewright.network import Rows, hidden, shared
from tunewright.nouns import Message
from tunewright.runtimes import Loss, Reply
from tunewright.runtimes._fitting import Doing, fitted, last_answer

SCORE = "base_model.model.score.weight"
UNSEEN = math.log(1e6)
"""Nats for a label that the head does not know: as if it had given it one chance in a million."""


def is_classifier(weights: Path) -> bool:
    """Whether this folder holds an adapter with a head for labels."""
    return (weights / "labels.json").is_file()


class Classifier:
    """A loaded model with a head, that can be asked."""

    def __init__(self, net: network.Network, weights: Path, batch_size: int) -> None:
        self.net, self.batch_size = net, batch_size
        self.labels, self.score = _loaded(net, weights)
        self._numbers = {_plain(label): at for at, label in reversed([*enumerate(self.labels)])}
        self._numbers |= {label: at for at, label in enumerate(self.labels)}
        self._lock = threading.RLock()

    def ask(self, conversations: Sequence[Sequence[Message]], *, max_tokens: int = 128) -> Iterator[Reply]:
        """The most probable label of each conversation, in order."""
        with self._lock, Doing("answering"):
            prompts = [fitted(self.net, c, min(1, max_tokens)) for c in conversations]
            for at in range(0, len(prompts), self.batch_size):
                part, began = prompts[at : at + self.batch_size], time.perf_counter()
                best = [int(i) for i in self._chances(part).argmax(-1)]
                seconds = time.perf_counter() - began
                for row, i in zip(part, best, strict=True):
                    yield Reply(self.labels[i], 1, seconds, True, len(row))

    def stream(
        self, conversation: Sequence[Message], *, max_tokens: int = 128, temperature: float = 0
    ) -> Generator[str, None, Reply]:
        """The most probable label, in one piece; `temperature` changes nothing: the measured is served."""
        (reply,) = self.ask([conversation], max_tokens=max_tokens)
        yield reply.text
        return reply

    def loss(self, conversations: Sequence[Sequence[Message]]) -> Iterator[Loss]:
        """How probable the label was that each conversation ends with.

        It is told over as many tokens as the label has, so that it compares with a model that writes them.
        """
        with self._lock, Doing("measuring loss"):
            asked = list[tuple[list[int], str, int]]()
            for conversation in conversations:
                if not conversation or conversation[-1].role != "assistant":
                    raise BadInput(
                        "the conversation does not end with an answer",
                        hint="end it with the assistant's turn",
                    )
                row = fitted(self.net, conversation[:-1], 1)
                start, end = last_answer(template.encode(self.net.tokenizer, conversation)[1])
                asked.append((row, conversation[-1].content.strip(), end - start))
            for at in range(0, len(asked), self.batch_size):
                part = asked[at : at + self.batch_size]
                chances = self._chances([row for row, _, _ in part])
                for chance, (_, label, tokens) in zip(chances, part, strict=True):
                    number = self._numbers.get(label, self._numbers.get(_plain(label)))
                    yield Loss(UNSEEN if number is None else -float(chance[number]), tokens)

    def probabilities(self, conversations: Sequence[Sequence[Message]]) -> Iterator[dict[str, float]]:
        """The probability of every label, for each conversation, in order."""
        with self._lock, Doing("answering"):
            prompts = [fitted(self.net, c, 1) for c in conversations]
            for at in range(0, len(prompts), self.batch_size):
                for chance in self._chances(prompts[at : at + self.batch_size]).exp():
                    yield dict(zip(self.labels, chance.tolist(), strict=True))

    @torch.inference_mode()
    def _chances(self, rows: Sequence[list[int]]) -> Tensor:
        """Log-probabilities (rows, labels), from the state of each row's last token."""
        prefix = shared(rows) if len(rows) > 1 else 0
        flat = [*rows[0][:prefix], *(t for row in rows for t in row[prefix:])]
        lengths = torch.tensor([len(row) - prefix for row in rows])
        states = hidden(self.net, torch.tensor(flat), Rows(prefix, lengths.tolist()))
        last = states.index_select(0, prefix + torch.cumsum(lengths, 0) - 1)
        return torch.log_softmax(last.float() @ self.score.T, -1)


def _loaded(net: network.Network, weights: Path) -> tuple[list[str], Tensor]:
    """Merge the adapter into the base; give the labels and the head (labels, width)."""
    from safetensors.torch import load_file

    with network.quiet():
        import peft

        library: Any = peft
        try:
            told = json.loads((weights / "labels.json").read_text("utf-8"))["id2label"]
            tensors = load_file(weights / "adapter_model.safetensors")
            score = tensors.pop(SCORE)
            labels = [str(told[str(at)]) for at in range(len(score))]
            config = library.LoraConfig.from_pretrained(str(weights))
            config.task_type, config.modules_to_save = "CAUSAL_LM", None  # the head is applied here
            adapted = library.get_peft_model(net.model, config, autocast_adapter_dtype=True)
            result = library.set_peft_model_state_dict(adapted, tensors)
            if result.unexpected_keys or score.shape[1] != net.head.in_features:
                raise ValueError("other layers")
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise BadInput(
                f"the classifier does not fit the base model: {str(error).splitlines()[0]}",
                hint="use the base model that it was trained on",
            ) from error
        adapted.merge_and_unload()
    net.model.eval().requires_grad_(False)
    return labels, score.float()


def _plain(label: str) -> str:
    return label.strip().casefold()
