"""The shapes of row that people have, and how each becomes a record."""

from collections import Counter
from collections.abc import Mapping, Sequence
from json import dumps
from math import isfinite
from typing import Literal, get_args

from tunewright.nouns import Message, Origin, Record, Reject, Role
from tunewright.sources._text import MAX_BYTES, SHOWN, parse

Format = Literal[
    "OpenAI chat messages",
    "ShareGPT conversations",
    "Alpaca instructions",
    "questions with answers",
    "labelled texts",
]
FORMATS: tuple[Format, ...] = get_args(Format)

Row = Mapping[str, object]

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "customer": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "agent": "assistant",
    "tool": "tool",
    "function": "tool",
    "function_response": "tool",
    "observation": "tool",
}
PAIRS = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("question", "response"),
    ("prompt", "answer"),
    ("query", "response"),
    ("query", "answer"),
    ("input", "output"),
)
LABELLED = tuple((text, label) for text in ("text", "sentence") for label in ("label", "intent", "category"))
SUBJECTS = ("customer", "subject", "user", "person", "email")
SHAPES = (
    "messages · conversations · instruction, input, output · prompt, completion · question, answer"
    " · text, label"
)
"""Known columns, for people."""


def recognise(row: object) -> Format | None:
    """Which shape a row has, by the fields that are there; None if none that is known."""
    if not isinstance(row, Mapping):
        return None
    there = {key for key, value in row.items() if value is not None}
    if "messages" in there:
        return "OpenAI chat messages"
    if "conversations" in there or "conversation" in there:
        return "ShareGPT conversations"
    if "instruction" in there and there & {"output", "response"}:
        return "Alpaca instructions"
    if any(question in there and answer in there for question, answer in PAIRS):
        return "questions with answers"
    if any(text in there and label in there for text, label in LABELLED):
        return "labelled texts"
    return None


def to_record(
    row: object,
    *,
    source: str,
    licence: str,
    file: str,
    line: int,
    raw: str = "",
    max_bytes: int = MAX_BYTES,
    counts: Counter[str] | None = None,
) -> Record | Reject:
    """A record, or a reject that says why not. Never raises over what a row holds."""
    origin = Origin(source=source, file=file, line=line)
    subjects: tuple[str, ...] = ()
    try:
        if not isinstance(row, Mapping):
            raise ValueError(f"is {_kind(row)}, not an object with named fields")
        subjects = _subjects(row)
        shape = recognise(row)
        if shape is None:
            raise ValueError(f"has none of the known sets of fields: {SHAPES}")
        messages, label = _READERS[shape](row)
        _whole(messages)
        record = Record(
            id=_id(row) or f"{file}:{line}",
            messages=messages,
            label=label,
            licence=_licence(row) or licence,
            origin=origin,
            subjects=subjects,
        )
        _storable(record, max_bytes)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else _safe(str(error))
        return Reject(origin=origin, reason=reason, raw=_safe(raw or shown(row))[:SHOWN], subjects=subjects)
    if counts is not None:
        counts[shape] += 1
    return record


def shown(row: object) -> str:
    """The start of a row as text, for the quarantine."""
    try:
        return dumps(row, ensure_ascii=False, default=str)[:SHOWN]
    except (ValueError, TypeError, RecursionError):
        return ""


def reject(source: str, file: str, line: int, reason: str, raw: str = "") -> Reject:
    """A row that could not even be read."""
    return Reject(origin=Origin(source=source, file=file, line=line), reason=reason, raw=_safe(raw)[:SHOWN])


# ── shapes ──────────────────────────────────────────────────────────────────────────────────────


def _chat(row: Row) -> tuple[tuple[Message, ...], str]:
    messages = tuple(_turn(turn, n, "role", "content") for n, turn in enumerate(_list(row, "messages"), 1))
    label = _scalar(row.get("label"), "label")
    return messages, label if messages and label == messages[-1].content.strip() else ""


def _sharegpt(row: Row) -> tuple[tuple[Message, ...], str]:
    name = "conversations" if row.get("conversations") is not None else "conversation"
    turns = _list(row, name)
    openai = bool(turns) and isinstance(turns[0], Mapping) and "role" in turns[0]
    role, content = ("role", "content") if openai else ("from", "value")
    return tuple(_turn(turn, n, role, content) for n, turn in enumerate(turns, 1)), ""


def _alpaca(row: Row) -> tuple[tuple[Message, ...], str]:
    answer = "output" if row.get("output") is not None else "response"
    extra = next((_words(row[key], key) for key in ("input", "context") if row.get(key) is not None), "")
    question = _words(row["instruction"], "instruction")
    if extra.strip():
        question = f"{question}\n\n{extra}"
    return _pair(row, question, _words(row[answer], answer)), ""


def _question(row: Row) -> tuple[tuple[Message, ...], str]:
    question, answer = next(pair for pair in PAIRS if all(row.get(key) is not None for key in pair))
    if isinstance(row[question], list) and isinstance(
        row[answer], list
    ):  # TRL's conversational prompt-completion
        turns = [*_list(row, question), *_list(row, answer)]
        return tuple(_turn(turn, n, "role", "content") for n, turn in enumerate(turns, 1)), ""
    return _pair(row, _words(row[question], question), _words(row[answer], answer)), ""


def _labelled(row: Row) -> tuple[tuple[Message, ...], str]:
    text, name = next(pair for pair in LABELLED if all(row.get(key) is not None for key in pair))
    label = _scalar(row[name], name)
    if not label:
        raise ValueError(f"{name} is empty")
    return _pair(row, _words(row[text], text), label), label


_READERS = dict(zip(FORMATS, (_chat, _sharegpt, _alpaca, _question, _labelled), strict=True))


def _pair(row: Row, question: str, answer: str) -> tuple[Message, ...]:
    system = row.get("system")
    first = () if system is None or not _words(system, "system").strip() else (str(system),)
    return (
        *(Message(role="system", content=text) for text in first),
        Message(role="user", content=question),
        Message(role="assistant", content=answer),
    )


# ── fields ──────────────────────────────────────────────────────────────────────────────────────


def _list(row: Row, name: str) -> Sequence[object]:
    value = row[name]
    if isinstance(value, str) and value.lstrip().startswith("["):  # a JSON list in a table's cell
        try:
            value = parse(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if not isinstance(value, list):
        raise ValueError(f"{name} is {_kind(value)}, not a list of turns")
    if not value:
        raise ValueError(f"{name} has no turns")
    return value


def _turn(turn: object, number: int, role_field: str, content_field: str) -> Message:
    if not isinstance(turn, Mapping):
        raise ValueError(f"turn {number} is {_kind(turn)}, not an object")
    role = turn.get(role_field)
    known = ROLES.get(role.strip().lower()) if isinstance(role, str) else None
    if known is None:
        raise ValueError(f"turn {number} has no {role_field} that is known: {', '.join(sorted(ROLES))}")
    if turn.get("tool_calls") or turn.get("function_call"):
        raise ValueError(f"turn {number} calls a tool; only turns of text can be trained on")
    content = turn.get(content_field)
    if content is None:
        raise ValueError(f"turn {number} has no {content_field}")
    return Message(role=known, content=_words(content, f"{content_field} of turn {number}"))


def _words(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value):
        for part in value:
            if part.get("type", "text") != "text" or not isinstance(part.get("text"), str):
                raise ValueError(f"{name} has a part that is not text")
        return "\n".join(part["text"] for part in value)
    raise ValueError(f"{name} is {_kind(value)}, not text")


def _scalar(value: object, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{name} is not a number")
    if isinstance(value, str | int | float):
        return str(value).strip()
    raise ValueError(f"{name} is {_kind(value)}, not text or a number")


def _id(row: Row) -> str:
    found = _scalar(row.get("id"), "id")
    if len(found) > 500:
        raise ValueError("id is longer than 500 characters")
    return found


def _licence(row: Row) -> str:
    return next((text for key in ("licence", "license") if (text := _scalar(row.get(key), key))), "")


def _subjects(row: Row) -> tuple[str, ...]:
    """Whom a row names: text, a number, a list of them, or an object with `id`, `name` and the like."""
    found: dict[str, None] = {}
    for key in SUBJECTS:
        value = row.get(key)
        for one in value if isinstance(value, list | tuple) else [value]:
            inner = [one.get(k) for k in ("id", "name", "email")] if isinstance(one, Mapping) else [one]
            for item in inner:
                if (
                    isinstance(item, str | int)
                    and not isinstance(item, bool)
                    and (text := _safe(str(item)).strip())
                ):
                    found[text[:500]] = None
    return tuple(found)


# ── rules ───────────────────────────────────────────────────────────────────────────────────────


def _whole(messages: tuple[Message, ...]) -> None:
    """A conversation somebody starts and the assistant ends, without holes."""
    if not any(m.role == "user" and m.content.strip() for m in messages):
        raise ValueError("has no turn of the user with words in it")
    if messages[-1].role != "assistant":
        raise ValueError("does not end with an answer of the assistant")
    if not messages[-1].content.strip():
        raise ValueError("ends with an empty answer")
    for number, message in enumerate(messages, 1):
        if not message.content.strip() and message.role in ("user", "assistant"):
            raise ValueError(f"turn {number} is empty")


def _storable(record: Record, max_bytes: int) -> None:
    """Every text must survive UTF-8 and the database."""
    texts = [record.id, record.label, record.licence, *record.subjects, *(m.content for m in record.messages)]
    size = 0
    for text in texts:
        if "\0" in text:
            raise ValueError("has a NUL character in it")
        try:
            size += len(text.encode())
        except UnicodeEncodeError:
            raise ValueError("has half of a surrogate pair, which is not a character") from None
    if size > max_bytes:
        raise ValueError(f"longer than {max_bytes:,} bytes")


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(
        type(value), "a number" if isinstance(value, int | float) else f"of type {type(value).__name__}"
    )
