"""A model that can be asked: what runtimes make, suites examine and the gateway serves."""

from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple, Protocol

from tunewright.nouns import Message


class Reply(NamedTuple):
    """What a model said, and what it cost."""

    text: str
    tokens: int
    """Tokens generated."""
    seconds: float
    """Wall time from asking to the last token; requests answered together share their time."""
    finished: bool = True
    """False when `max_tokens` cut the answer."""
    read: int = 0
    """Tokens of the conversation that was answered."""


class Loss(NamedTuple):
    """How surprising the last assistant turn was to the model."""

    nats: float
    """Sum of negative log-likelihood over the answer's tokens, in nats."""
    tokens: int


class Speaker(Protocol):
    """A model that can be asked. Conversations are lists of messages that end with the user's turn."""

    def ask(self, conversations: Sequence[Sequence[Message]], *, max_tokens: int = 128) -> Iterator[Reply]:
        """Greedy answers, one for each conversation, in order."""
        ...

    def stream(
        self, conversation: Sequence[Message], *, max_tokens: int = 128, temperature: float = 0
    ) -> Generator[str, None, Reply]:
        """One answer, piece by piece, as it is made; what it cost is returned at the end."""
        ...

    def loss(self, conversations: Sequence[Sequence[Message]]) -> Iterator[Loss]:
        """For conversations that end with the assistant's turn: how well that turn was expected."""
        ...
