"""Open models on this machine's processor."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from tunewright import network, template
from tunewright.errors import BadInput
from tunewright.network import Rows, hidden, shared
from tunewright.nouns import Message
from tunewright.runtimes import Loss, Reply, Speaker
from tunewright.runtimes import _decoding as decoding
from tunewright.runtimes._classifying import Classifier, is_classifier
from tunewright.runtimes._fitting import Doing, fitted, last_answer

PREFIXES = 4
"""Beginnings of conversations whose keys and values are kept."""


def local(
    base: Path,
    weights: Path | None,
    *,
    threads: int = 0,
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    batch_size: int = 48,
) -> Speaker:
    """Open models on this machine's processor (transformers, PyTorch).

    An adapter is merged into the base's weights in 32-bit arithmetic when it is loaded; a whole model takes
    the base's place. Greedy answers are those of transformers' `generate(do_sample=False)`: `batch_size`
    conversations are answered together, one that is finished makes room for the next, and what all
    conversations begin with (a long system prompt) is read once and kept. `dtype` auto is float32; bfloat16
    halves the memory and is faster on processors with matrix units for it, and rounds. `threads` 0 means
    every processor. One conversation is answered at a time when several threads ask.

    A conversation that leaves less than `max_tokens` of the model's context is shortened by leaving out its
    oldest turns; the system prompt and the last turn stay.

    What the trainer `classifier` made answers with its most probable label, at every temperature. The loss of
    a label is its negative log-probability, told over as many tokens as the label has, so that it compares
    with a model that writes it; a label that was never learnt counts as one chance in a million.

    Limits: with float32 two words that the model finds equally likely, to about six digits, may change places
    between machines or batch sizes; with bfloat16, to about two digits. Answers are cut at `max_tokens`. No
    GPU.
    """
    network.threads(threads)
    kind = torch.bfloat16 if dtype == "bfloat16" else torch.float32
    whole = weights is not None and (weights / "config.json").is_file()
    net = network.load(weights if weights is not None and whole else base, dtype=kind)
    if weights is not None and not whole:
        if is_classifier(weights):
            return Classifier(net, weights, batch_size)
        _merge(net, weights)
    return Local(net, batch_size)


class Local:
    """A loaded model that can be asked."""

    def __init__(self, net: network.Network, batch_size: int) -> None:
        self.net, self.batch_size = net, batch_size
        self._prefixes: OrderedDict[tuple[int, ...], decoding.Past] = OrderedDict()
        self._lock = threading.RLock()

    def ask(self, conversations: Sequence[Sequence[Message]], *, max_tokens: int = 128) -> Iterator[Reply]:
        """Greedy answers, one for each conversation, in order."""
        if not conversations:
            return
        with self._lock, Doing("answering"):
            prompts = [fitted(self.net, c, max_tokens) for c in conversations]
            past = self._past(prompts, conversations)
            taken: dict[int, tuple[list[int], bool, float]] = {}
            pool = decoding.Pool(self.net, past, max_tokens, self.batch_size)
            pool.prepare(max(map(len, prompts)))
            waiting, answered = deque(range(len(prompts))), 0
            started: dict[int, float] = {}
            while answered < len(prompts):
                fresh: list[int] = []
                while waiting and pool.busy + len(fresh) < self.batch_size:
                    fresh.append(waiting.popleft())
                if fresh:
                    now = time.perf_counter()
                    started.update((i, now) for i in fresh)
                    pool.enter([(i, prompts[i]) for i in fresh])
                for i, ids, finished in pool.leave():
                    taken[i] = ids, finished, time.perf_counter() - started[i]
                pool.turn()
                while answered in taken:
                    ids, finished, seconds = taken.pop(answered)
                    yield Reply(self._words(ids), len(ids), seconds, finished, len(prompts[answered]))
                    answered += 1

    def stream(
        self, conversation: Sequence[Message], *, max_tokens: int = 128, temperature: float = 0
    ) -> Generator[str, None, Reply]:
        """One answer, piece by piece, as it is made. `temperature` 0 is greedy; higher is more varied."""
        with self._lock, Doing("answering"):
            row = fitted(self.net, conversation, max_tokens)
            pool = decoding.Pool(self.net, self._past([row], [conversation]), max_tokens, 1, temperature)
            began, said = time.perf_counter(), ""
            pool.enter([(0, row)])
            while True:
                left = list(pool.leave())
                words = self._words(left[0][1] if left else pool.said[0])
                # A character may span tokens: half of one shows as U+FFFD and waits for the rest.
                ready = words if left else words.rstrip("\ufffd")
                if ready.startswith(said) and len(ready) > len(said):
                    yield ready[len(said) :]
                    said = ready
                if left:
                    _, ids, finished = left[0]
                    return Reply(words, len(ids), time.perf_counter() - began, finished, len(row))
                pool.turn()

    def loss(self, conversations: Sequence[Sequence[Message]]) -> Iterator[Loss]:
        """How well the last assistant turn of each conversation was expected."""
        with self._lock, Doing("measuring loss"), torch.inference_mode():
            rows, starts = [], []
            for conversation in conversations:
                if not conversation or conversation[-1].role != "assistant":
                    raise BadInput(
                        "the conversation does not end with an answer",
                        hint="end it with the assistant's turn",
                    )
                ids, learnt = template.encode(self.net.tokenizer, conversation)
                if len(ids) > self.net.context:
                    raise BadInput(
                        f"a conversation has {len(ids)} tokens, more than {self.net.context}",
                        hint="shorten it",
                    )
                start, end = last_answer(learnt)
                rows.append(ids[:end])
                starts.append(start)
            for at in range(0, len(rows), self.batch_size):
                yield from self._losses(rows[at : at + self.batch_size], starts[at : at + self.batch_size])

    def _losses(self, rows: list[list[int]], starts: list[int]) -> list[Loss]:
        prefix = min(shared(rows), min(starts) - 1) if len(rows) > 1 else 0
        flat = [*rows[0][:prefix], *(t for row in rows for t in row[prefix:])]
        states = hidden(self.net, torch.tensor(flat), Rows(prefix, [len(r) - prefix for r in rows]))
        out, offset = [], 0
        for row, start in zip(rows, starts, strict=True):
            logits = self.net.head(states[offset + start - 1 : offset + len(row) - 1]).float()
            nats = torch.nn.functional.cross_entropy(logits, torch.tensor(row[start:]), reduction="sum")
            out.append(Loss(float(nats), len(row) - start))
            offset += len(row) - prefix
        return out

    def _words(self, ids: Sequence[int]) -> str:
        return str(self.net.tokenizer.decode(list(ids), skip_special_tokens=True))

    def _past(self, prompts: list[list[int]], conversations: Sequence[Sequence[Message]]) -> decoding.Past:
        """Keys and values of what all prompts begin with; for one prompt, of its system prompt."""
        if len(prompts) > 1:
            length = shared(prompts)
        else:
            first = conversations[0][0]
            other = [first, Message(role="user", content="\n")] if first.role == "system" else []
            length = shared([prompts[0], template.prompt(self.net.tokenizer, other)]) if other else 0
        key = tuple(prompts[0][:length])
        if key not in self._prefixes:
            kept: list[tuple[Tensor, Tensor]] = []
            if key:
                with torch.inference_mode():
                    hidden(self.net, torch.tensor(key), Rows(0, [length], keep=kept))
            self._prefixes[key] = [(k[:, 0].contiguous(), v[:, 0].contiguous()) for k, v in kept]
        self._prefixes.move_to_end(key)
        while len(self._prefixes) > PREFIXES:
            self._prefixes.popitem(last=False)
        return self._prefixes[key]


def _merge(net: network.Network, weights: Path) -> None:
    """Add the adapter's B A to the base's weights, in 32-bit."""
    if not (weights / "adapter_model.safetensors").is_file():
        raise BadInput(f"{weights} holds no adapter", hint="give what a trainer left in its weights folder")
    with network.quiet():
        import peft

        library: Any = peft
        try:
            adapted = library.PeftModel.from_pretrained(net.model, str(weights), autocast_adapter_dtype=True)
        except (ValueError, KeyError, RuntimeError) as error:
            raise BadInput(
                f"the adapter does not fit the base model: {str(error).splitlines()[0]}",
                hint="use the base model that the adapter was trained on",
            ) from error
        adapted.merge_and_unload()
    net.model.eval().requires_grad_(False)
