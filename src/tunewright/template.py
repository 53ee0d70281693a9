"""How a conversation becomes tokens: by the model's own chat template, and by nothing else.

The tokens that training learns are found by rendering the conversation up to each answer and comparing, token
by token, with the rendering of the whole. A template that cannot be followed this way is an error, never a
guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from tunewright.errors import BadInput
from tunewright.nouns import Message


class Tokenizer(Protocol):
    """What is needed of a Hugging Face tokenizer."""

    chat_template: object
    all_special_ids: list[int]
    all_special_tokens: list[str]

    def apply_chat_template(
        self, conversation: list[dict[str, str]], *, tokenize: bool, add_generation_prompt: bool
    ) -> object:
        """The conversation as one text."""
        ...

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """The text as tokens."""
        ...


def under(system: str, messages: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation with the system prompt in front, unless there is none or it begins with one."""
    if not system or (messages and messages[0].role == "system"):
        return tuple(messages)
    return (Message(role="system", content=system), *messages)


def prompt(tokenizer: Tokenizer, messages: Sequence[Message]) -> list[int]:
    """Tokens after which the model answers. Errors: `BadInput` when the conversation ends with an answer."""
    if not messages or messages[-1].role in ("assistant", "rejected"):
        raise BadInput("the conversation does not end with a question", hint="end it with the user's turn")
    return _tokens(tokenizer, messages, ask=True)


def encode(tokenizer: Tokenizer, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
    """Tokens of a whole conversation, and which of them are learnt.

    Learnt are the words of every assistant turn and the token that ends the turn, so that the model learns to
    stop. The system prompt, the user's and the tools' words, the names of roles and whatever the template
    writes after the end of a turn are read but not learnt. A rejected answer at the end is left out.

    Errors: `BadInput` when there is no answer, an answer is empty, the only last answer is one that people
    rejected, or the template does not render the beginning of a conversation as the beginning of its tokens.
    """
    if messages and messages[-1].role == "rejected":
        messages = messages[:-1]
        if not messages or messages[-1].role != "assistant":
            raise BadInput(
                "its only answer is one that people rejected",
                hint="only the trainer kto learns from it",
            )
    ids = _tokens(tokenizer, messages)
    learnt = [False] * len(ids)
    special = set(tokenizer.all_special_ids)
    for at, message in enumerate(messages):
        if message.role != "assistant":
            continue
        if not message.content.strip():
            raise BadInput(
                f"the answer in turn {at + 1} is empty", hint="drop the record or write the answer"
            )
        if at == 0 or (at == 1 and messages[0].role == "system"):
            raise BadInput("the conversation begins with an answer", hint="begin it with the user's turn")
        before = _tokens(tokenizer, messages[:at], ask=True)
        until = _tokens(tokenizer, messages[: at + 1])
        if ids[: len(before)] != before or ids[: len(until)] != until:
            raise BadInput(
                f"the model's chat template does not keep what comes before turn {at + 1} as it is",
                hint="split the conversation so that each record has one answer, with no space before it",
            )
        end = max((i for i in range(len(before), len(until)) if until[i] in special), default=len(until) - 1)
        learnt[len(before) : end + 1] = [True] * (end + 1 - len(before))
    if not any(learnt):
        raise BadInput("the conversation has no answer", hint="end it with the assistant's turn")
    return ids, learnt


def _tokens(tokenizer: Tokenizer, messages: Sequence[Message], *, ask: bool = False) -> list[int]:
    """Render and split.

    Words that spell a control token are broken up, so that nobody's words can end a turn.
    """
    if not tokenizer.chat_template:
        raise BadInput("the base model has no chat template", hint="choose an instruct or chat model")
    if any(m.role == "rejected" for m in messages):
        raise BadInput(
            "a rejected answer stands within the conversation", hint="it may only be the last message"
        )
    turns = [{"role": m.role, "content": _words(tokenizer, m.content)} for m in messages]
    try:
        text = cast(str, tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=ask))
    except Exception as error:  # a template may raise anything: jinja2's errors, or its own words
        raise BadInput(
            f"the chat template does not accept the roles {', '.join(m.role for m in messages)}: {error}",
            hint="leave out the system prompt, merge turns of the same role, or choose another base model",
        ) from error
    return list(tokenizer.encode(text, add_special_tokens=False))


def _words(tokenizer: Tokenizer, words: str) -> str:
    for token in tokenizer.all_special_tokens:
        if token in words:
            words = words.replace(token, f"{token[0]} {token[1:]}")
    return words
