"""The shapes of row that people have: how each is recognised, and how its turns are read."""

from collections.abc import Mapping
from typing import Literal, get_args

from tunewright.sources import _facts, _preferences
from tunewright.sources._facts import NAMED, scalar
from tunewright.sources._turns import Row, Turn, alternating, best_path, listed, spoken, turns, words

Format = Literal[
    "OpenAI chat messages",
    "ShareGPT conversations",
    "preference pairs",
    "message trees (best-ranked thread)",
    "messages one a row (best-ranked thread)",
    "instructions with instances",
    "turns in a list",
    "Alpaca instructions",
    "Dolly instructions",
    "questions with answers",
    "labelled texts",
    "transcripts",
    "compared answers",
    "rated answers",
    "plain texts",
]
FORMATS: tuple[Format, ...] = get_args(Format)

PAIRS = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("question", "response"),
    ("question", "answers"),
    ("prompt", "answer"),
    ("prompt", "output"),
    ("query", "response"),
    ("query", "answer"),
    ("user", "assistant"),
    ("human", "assistant"),
    ("input", "output"),
    ("input", "target"),
    ("inputs", "targets"),
)
_TEXTS = ("text", "sentence", "utterance", "query", "message")
_LABELS = ("label_text", "label", "intent", "category", "labels")
LABELLED = tuple((text, label) for text in _TEXTS for label in _LABELS)
_ANSWERS = ("response", "completion", "answer")
_CONTEXT = ("context", "passage")
_TALK = ("conversations", "conversation", "dialogue", "dialog")
_BESIDE = frozenset(
    {
        *("id", "idx", "index", "source", "url", "uri", "title", "file", "path", "name", "meta", "metadata"),
        *("licence", "license", "author", "split", "length", "tokens", "token_count", "version", "domain"),
        *("subset", "dataset", "score", "topic", *_facts.SUBJECTS, *NAMED),
    }
)
"""What may stand beside `text` without being a label: then the row is plain text."""
_ANSWERED: tuple[Format, ...] = (
    "OpenAI chat messages",
    "ShareGPT conversations",
    "Alpaca instructions",
    "Dolly instructions",
    "questions with answers",
)
"""Shapes whose last answer may be rated."""
SHAPES = (
    "messages · conversations · prompt, chosen, rejected · instruction, input, output · instruction, context,"
    " response · prompt, completion · question, answer · text, label · text"
)
"""Known columns, for people."""
UNKNOWN = f"has none of the known sets of fields: {SHAPES}; name its parts under `fields`"


def recognise(row: object) -> Format | None:
    """Which shape a row has, by the fields that are there; None if none that is known."""
    if not isinstance(row, Mapping):
        return None
    there = {key for key, value in row.items() if value is not None}
    preferred = _preferences.kind_of(row, there)
    if preferred in ("preference pairs", "compared answers"):
        return preferred
    if preferred and recognise(_preferences.unrated(row)[1]) in _ANSWERED:
        return preferred
    if "messages" in there:
        return "OpenAI chat messages"
    if not there.isdisjoint(_TALK):
        return "ShareGPT conversations"
    if {"message_id", "text", "role"} <= there and "parent_id" in row:
        return "messages one a row (best-ranked thread)"
    if isinstance(row.get("prompt"), Mapping) or ("replies" in there and row.get("parent_id") is None):
        return "message trees (best-ranked thread)"
    if "instruction" in there:
        if "instances" in there:
            return "instructions with instances"
        if "output" in there:
            return "Alpaca instructions"
        if not there.isdisjoint(_ANSWERS):
            return "Dolly instructions"
    data = row.get("data")
    if isinstance(data, list) and data and isinstance(data[0], str) and there - {"data"} <= _BESIDE:
        return "turns in a list"
    if any(question in there and answer in there for question, answer in PAIRS):
        return "questions with answers"
    if any(text in there and label in there for text, label in LABELLED):
        return "labelled texts"
    text = row.get("text")
    if isinstance(text, str) and spoken(text):
        return "transcripts"
    if isinstance(text, str) and there - {"text"} <= _BESIDE:
        return "plain texts"
    return None


def read(row: Row, shape: str) -> tuple[list[Turn], str]:
    """Turns and label of a row of a known shape. Errors: `ValueError` that says what is wrong."""
    match shape:
        case "OpenAI chat messages":
            said = _with_system(row, turns(listed(row["messages"], "messages"), "role", "content"))
            label = scalar(row["label"], "label") if row.get("label") is not None else ""
            return said, label if label == said[-1].content.strip() else ""
        case "ShareGPT conversations":
            name = next(key for key in _TALK if row.get(key) is not None)
            found = listed(row[name], name)
            if isinstance(found[0], str):
                return _with_system(row, alternating(found, name)), ""
            return _with_system(row, turns(found, "from", "value")), ""
        case "preference pairs":
            return _with_system(row, _preferences.pair(row)), ""
        case "compared answers":
            return _with_system(row, _preferences.better(row)), ""
        case "rated answers":
            name, rest = _preferences.unrated(row)
            said, _label = read(rest, recognise(rest) or "")
            return _preferences.judged(said, row[name], name), ""
        case "message trees (best-ranked thread)":
            root = row.get("prompt")
            return best_path(root if isinstance(root, Mapping) else row), ""
        case "turns in a list":
            return alternating(listed(row["data"], "data"), "data"), ""
        case "Alpaca instructions" | "Dolly instructions" | "instructions with instances":
            return _instruction(row), ""
        case "questions with answers":
            return _question(row), ""
        case "labelled texts":
            text, name = next(pair for pair in LABELLED if all(row.get(key) is not None for key in pair))
            label = scalar(row[name], name)
            if not label:
                raise ValueError(f"{name} is empty")
            return _pair(row, words(row[text], text), label), label
        case "transcripts":
            return spoken(words(row["text"], "text")) or [], ""
    return [Turn("assistant", words(row["text"], "text"))], ""


def _instruction(row: Row) -> list[Turn]:
    answer = next((key for key in ("output", *_ANSWERS) if row.get(key) is not None), "")
    if not answer:
        raise ValueError("has no output")
    extra = next((words(row[key], key) for key in ("input", "context") if row.get(key) is not None), "")
    question = words(row["instruction"], "instruction")
    if extra.strip():
        question = f"{question}\n\n{extra}"
    said = _pair(row, question, words(row[answer], answer))
    if isinstance(history := row.get("history"), list) and history:  # earlier questions with answers
        before = [one for pair in history for one in alternating(listed(pair, "history"), "history")]
        said[-2:-2] = before
    return said


def _question(row: Row) -> list[Turn]:
    question, answer = next(pair for pair in PAIRS if all(row.get(key) is not None for key in pair))
    asked, told = row[question], row[answer]
    if isinstance(asked, list) and isinstance(told, list):  # TRL's conversational prompt-completion
        return turns([*listed(asked, question), *listed(told, answer)], "role", "content")
    if isinstance(told, Mapping) and isinstance(told.get("text"), list):  # SQuAD: the first of the answers
        told = told["text"]
    if answer == "answers" and isinstance(told, list):
        told = next(iter(told), "")
        told = told.get("text") if isinstance(told, Mapping) else told
    text = words(asked, question)
    about = next((row[key] for key in _CONTEXT if isinstance(row.get(key), str)), "")
    if isinstance(about, str) and about.strip() and question in ("question", "query"):
        text = f"{about}\n\n{text}"
    return _pair(row, text, words(told, answer))


def _pair(row: Row, question: str, answer: str) -> list[Turn]:
    return _with_system(row, [Turn("user", question), Turn("assistant", answer)])


def _with_system(row: Row, said: list[Turn]) -> list[Turn]:
    """A system prompt that stands beside the turns comes first."""
    system = row.get("system", row.get("system_prompt"))
    if system is None or said[0].role == "system" or not words(system, "system").strip():
        return said
    return [Turn("system", words(system, "system")), *said]


def people(shape: str, row: Row) -> tuple[str, ...]:
    """Fields that name persons, as far as this shape leaves them free."""
    if shape == "questions with answers" and "user" in row and "assistant" in row:
        return tuple(name for name in _facts.SUBJECTS if name != "user")
    return _facts.SUBJECTS


def spelled(row: Row) -> tuple[Format | None, Row]:
    """The shape of a row whose fields begin with capitals, and the row in small letters."""
    small = {key.strip().lower(): value for key, value in row.items() if isinstance(key, str)}
    if small.keys() == row.keys() or len(small) < len(row):
        return None, row
    return recognise(small), small
