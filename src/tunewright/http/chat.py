"""What OpenAI's chat API says, as far as one local model can honour it."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tunewright.http.problems import Unsupported
from tunewright.nouns import Message, Role

Finish = Literal["stop", "length", "content_filter"]

LONGEST = 8192
"""Most tokens that one answer may ask for."""

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


class Part(BaseModel):
    """A piece of a message."""

    type: str
    text: str = ""


class Turn(BaseModel):
    """One message as clients send it."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[JsonValue] | None = None


class StreamOptions(BaseModel):
    """How a stream ends."""

    include_usage: bool = False


class Chat(BaseModel):
    """A request for the next turn of a conversation.

    Fields that would change what the answer is and cannot be honoured (`tools`, `n` above 1,
    `response_format` other than text, `logprobs`, sound and images) are refused. Fields that only shape
    sampling (`top_p`, `seed`, penalties) and others of OpenAI's (`metadata`, `service_tier`) are ignored.
    """

    model_config = ConfigDict(extra="ignore")

    model: str = Field(description="Name of the channel.")
    messages: list[Turn] = Field(min_length=1, max_length=2000)
    stream: bool = Field(False, description="Send the answer as it is made, as server-sent events.")
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, le=LONGEST)
    max_completion_tokens: int | None = Field(None, ge=1, le=LONGEST)
    temperature: float | None = Field(
        None, ge=0, le=2, description="0, unless given: answers as they were measured."
    )
    stop: str | list[str] | None = None
    user: str | None = Field(
        None, description="Who asks. Kept as a keyed commitment, so that it can be forgotten."
    )
    safety_identifier: str | None = Field(None, description="As `user`.")
    store: bool | None = Field(None, description="Whether this exchange may be learnt from.")
    n: int | None = None
    tools: list[JsonValue] | None = None
    functions: list[JsonValue] | None = None
    response_format: dict[str, JsonValue] | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None
    audio: JsonValue = None

    def conversation(self) -> tuple[Message, ...]:
        """The messages as ours. Errors: `Unsupported` naming what cannot be honoured."""
        self._refuse()
        said = tuple(self._message(number, turn) for number, turn in enumerate(self.messages))
        if said[-1].role not in ("user", "tool"):
            raise Unsupported("the last message is not the user's", "messages", hint="end with the question")
        return said

    @property
    def person(self) -> str:
        """Who asks, when the client says."""
        return (self.safety_identifier or self.user or "").strip()

    @property
    def stops(self) -> list[str]:
        """Where the answer ends, before these words."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with what it cost."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def longest(self, otherwise: int) -> int:
        """Most tokens of the answer."""
        return self.max_completion_tokens or self.max_tokens or otherwise

    def _message(self, number: int, turn: Turn) -> Message:
        text = turn.content or ""
        if isinstance(text, list):
            for part in text:
                if part.type not in ("text", "input_text", "refusal"):
                    raise Unsupported(f"{part.type} cannot be read", f"messages.{number}", hint="send text")
            text = "".join(part.text for part in text)
        if turn.tool_calls:  # the model reads them as text, and so do the checks
            text = "\n".join(part for part in (text, json.dumps(turn.tool_calls, ensure_ascii=False)) if part)
        return Message(role=ROLES[turn.role], content=text)

    def _refuse(self) -> None:
        if (self.n or 1) != 1:
            raise Unsupported("one answer at a time", "n", hint="ask again for another")
        if self.tools or self.functions:
            raise Unsupported(
                "this model calls no tools", "tools" if self.tools else "functions", hint="leave it out"
            )
        if (self.response_format or {}).get("type", "text") != "text":
            raise Unsupported("answers are plain text", "response_format", hint="leave it out")
        if self.logprobs:
            raise Unsupported("log-probabilities are not given", "logprobs", hint="leave it out")
        if self.audio or any(m != "text" for m in self.modalities or []):
            raise Unsupported("answers are plain text", "modalities", hint="leave it out")
        if len(self.stops) > 4:
            raise Unsupported("at most four stop words", "stop")


class Answer(BaseModel):
    """What the answers of one request have in common, and how each is spelled."""

    id: str
    created: int
    model: str
    release: str

    def whole(self, text: str, finish: Finish, tokens: int) -> dict[str, JsonValue]:
        """The answer at once."""
        said: dict[str, JsonValue] = {"role": "assistant", "content": text, "refusal": None}
        choice: dict[str, JsonValue] = {
            "index": 0,
            "message": said,
            "finish_reason": finish,
            "logprobs": None,
        }
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage(tokens)}

    def piece(self, text: str | None, finish: Finish | None = None, *, first: bool = False) -> bytes:
        """A part of it, as a server-sent event."""
        delta: dict[str, JsonValue] = {"role": "assistant"} if first else {}
        if text is not None:
            delta["content"] = text
        choice: dict[str, JsonValue] = {
            "index": 0,
            "delta": delta,
            "finish_reason": finish,
            "logprobs": None,
        }
        return event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def cost(self, tokens: int) -> bytes:
        """What it cost, as the last event but one."""
        return event({**self._head("chat.completion.chunk"), "choices": [], "usage": usage(tokens)})

    def _head(self, kind: str) -> dict[str, JsonValue]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.release,
        }


def usage(tokens: int) -> dict[str, JsonValue]:
    """Tokens. Those of the question are not counted by runtimes, and stand as 0."""
    return {"prompt_tokens": 0, "completion_tokens": tokens, "total_tokens": tokens}


def event(body: JsonValue) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
