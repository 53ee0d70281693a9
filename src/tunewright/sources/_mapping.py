"""`fields`: where a row's parts stand, when its shape is not known."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple, cast

from pydantic import JsonValue

from tunewright.errors import BadInput
from tunewright.nouns import RECORD_FACTS, Role
from tunewright.sources import _facts, _preferences
from tunewright.sources._turns import ROLES, Turn, listed, turn, words

Fields = Mapping[str, JsonValue]
"""Part of a record to the dotted path in the row, as `fields` of tunewright.yaml has it."""

_PATHS = (
    *("question", "answer", "chosen", "rejected", "liked", "context", "text", "label", "system", "messages"),
    *("id", "licence", *RECORD_FACTS),
)
_INNER = ("role", "content")
_KEYS = (*_PATHS, *_INNER, "person", "roles")
_HINT = "for example fields: {question: Body, answer: Reply, person: Email}"
_KINDS = {"messages": {"messages"}, "question with answer": {"question"}, "text": {"text"}}
_ANSWERS = ("answer", "chosen", "rejected")
_ABSENT = object()


class Parts(NamedTuple):
    """What a mapping took out of a row."""

    turns: list[Turn]
    label: str
    id: str
    licence: str
    subjects: tuple[str, ...]
    facts: dict[str, str]


def columns(fields: Fields) -> list[str]:
    """First steps of all paths: what the header of a table must name."""
    found = [said for key, said in fields.items() if isinstance(said, str) and key in _PATHS]
    person = fields.get("person")
    found += [one for one in (person if isinstance(person, list) else [person]) if isinstance(one, str)]
    return [path.partition(".")[0] for path in found]


def reach(row: object, path: str, absent: object = _ABSENT) -> object:
    """What stands at a dotted path; numbers count in lists from 0. A field with dots in its name wins."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    at = row
    for step in path.split("."):
        if isinstance(at, Mapping):
            if step not in at:
                return absent
            at = at[step]
        elif isinstance(at, list | tuple):
            if not step.isdecimal() or int(step) >= len(at):
                return absent
            at = at[int(step)]
        else:
            return absent
    return at


class Mapped:
    """A mapping that was checked: asks a row for its parts. Errors: `BadInput` naming what is wrong in it."""

    def __init__(self, fields: Fields) -> None:
        for key, said in fields.items():
            if key not in _KEYS:
                near = get_close_matches(key, _KEYS, 1)
                raise BadInput(
                    f"fields: {key!r} is no part of a record",
                    hint=f"did you mean {near[0]}?" if near else f"parts are: {', '.join(_KEYS)}",
                )
            if key in (*_PATHS, *_INNER) and not (isinstance(said, str) and said):
                raise BadInput(f"fields: {key} is not the name of a field", hint=_HINT)
        self.paths = {key: str(said) for key, said in fields.items() if key in (*_PATHS, *_INNER)}
        person = fields.get("person") or []
        self.persons = [str(one) for one in (person if isinstance(person, list) else [person])]
        self.roles = _roles(fields.get("roles"))
        kinds = [name for name, keys in _KINDS.items() if keys <= self.paths.keys()]
        if {"chosen", "rejected"} <= self.paths.keys() and not kinds:
            kinds = ["chosen and rejected"]
        answers = [name for name in _ANSWERS if name in self.paths]
        if not kinds or (kinds == ["question with answer"] and not answers):
            raise BadInput("fields names neither messages, nor question and answer, nor text", hint=_HINT)
        if len(kinds) > 1:
            raise BadInput(f"fields names {' and '.join(kinds)}; a row can be only one", hint=_HINT)
        self._apart(kinds[0], answers)

    def _apart(self, kind: str, answers: list[str]) -> None:
        """Errors: `BadInput` when parts of preferences stand where they mean nothing."""
        wrong = ""
        if kind == "text" and (answers or "liked" in self.paths):
            wrong = f"{(answers or ['liked'])[0]} says nothing of a text; name a question"
        elif {"answer", "chosen"} <= set(answers):
            wrong = "answer and chosen are the same; name one of them"
        elif "liked" in self.paths and "rejected" in answers:
            wrong = "liked says nothing where the rejected answer is named"
        if wrong:
            raise BadInput(f"fields: {wrong}", hint="fields: {question: Body, chosen: Best, rejected: Other}")

    def people(self, row: object) -> tuple[str, ...]:
        """Whom the row concerns."""
        found: dict[str, None] = {}
        for path in self.persons:
            _facts.people(reach(row, path), found)
        return tuple(found)

    def __call__(self, row: object) -> Parts:
        """The parts of a row. Errors: `ValueError` naming the field that is missing or no text."""
        if not isinstance(row, Mapping | list):
            raise ValueError(f"is {_facts.kind(row)}, not an object with named fields")
        paths = self.paths
        label = _facts.scalar(_there(row, paths, "label"), "label") if "label" in paths else ""
        said = self._turns(row, label)
        if "system" in paths and (system := _text(row, paths, "system")):
            said.insert(0, Turn("system", system))
        if "liked" in paths:
            said = _preferences.judged(said, _there(row, paths, "liked"), paths["liked"])
        answer = next((one for one in reversed(said) if one.role != "rejected"), said[-1])
        return Parts(
            said,
            label if answer.content.strip() == label and answer.role == "assistant" else "",
            _facts.identity(_there(row, paths, "id")) if "id" in paths else _own_id(row),
            _text(row, paths, "licence") if "licence" in paths else "",
            self.people(row),
            _claims(row, paths),
        )

    def _turns(self, row: object, label: str) -> list[Turn]:
        paths = self.paths
        if "messages" in paths:
            found = listed(_there(row, paths, "messages"), paths["messages"])
            role, content = paths.get("role", "role"), paths.get("content", "content")
            said = [
                turn(_flat(one, role, content), n, role, content, self.roles)
                for n, one in enumerate(found, 1)
            ]
            return self._answers(row, said)
        if "question" in paths:
            question = words(_there(row, paths, "question"), paths["question"])
            if "context" in paths and (about := _text(row, paths, "context")):
                question = f"{about}\n\n{question}"
            return self._answers(row, [Turn("user", question)])
        if "chosen" in paths:
            sides = {part: _there(row, paths, part) for part in ("chosen", "rejected")}
            return _preferences.pair(sides)
        text = words(_there(row, paths, "text"), paths["text"])
        if "label" not in paths:
            return [Turn("assistant", text)]
        if not label:
            raise ValueError("label is empty")
        return [Turn("user", text), Turn("assistant", label)]

    def _answers(self, row: object, said: list[Turn]) -> list[Turn]:
        """What was said, with the answers that stand in fields of their own."""
        name = next((part for part in ("answer", "chosen") if part in self.paths), "")
        if name:
            said = [*said, Turn("assistant", _answer(row, self.paths, name))]
        if "rejected" in self.paths:
            other = _answer(row, self.paths, "rejected")
            said = _preferences.with_rejected(said, other)
        return said


def _roles(said: object) -> dict[str, Role]:
    if said is None:
        return ROLES
    made = dict(ROLES)
    for theirs, ours in said.items() if isinstance(said, dict) else [("", "")]:
        if ours not in ("system", "user", "assistant", "tool"):
            raise BadInput(
                f"fields: roles: {ours!r} is no role",
                hint="for example roles: {customer: user, agent: assistant}",
            )
        made[theirs] = made[theirs.strip().lower()] = cast(Role, ours)
    return made


def _there(row: object, paths: Mapping[str, str], part: str) -> object:
    value = reach(row, paths[part])
    if value is _ABSENT or value is None:
        raise ValueError(f"has no field {paths[part]!r}, which fields.{part} names")
    return value


def _text(row: object, paths: Mapping[str, str], part: str) -> str:
    """Text of a part that may be missing."""
    value = reach(row, paths[part])
    return "" if value is _ABSENT or value is None else words(value, paths[part]).strip()


def _answer(row: object, paths: Mapping[str, str], part: str) -> str:
    value = _there(row, paths, part)
    if isinstance(value, int | float):
        return _facts.scalar(value, paths[part])
    return words(value, paths[part])


def _flat(one: object, role: str, content: str) -> object:
    """A turn whose role or words stand deeper, brought up."""
    if isinstance(one, Mapping) and not (role in one and content in one):
        found = {name: reach(one, name) for name in (role, content)}
        return {**one, **{name: value for name, value in found.items() if value is not _ABSENT}}
    return one


def _own_id(row: object) -> str:
    return _facts.identity(row.get("id")) if isinstance(row, Mapping) else ""


def _claims(row: object, paths: Mapping[str, str]) -> dict[str, str]:
    found = _facts.facts(row) if isinstance(row, Mapping) else {}
    for name in RECORD_FACTS:
        if name in paths:
            value = reach(row, paths[name])
            if value is _ABSENT or value in (None, ""):
                found.pop(name, None)
            elif said := _facts.fact(name, value):
                found[name] = said
            elif name == "retain_until":
                raise ValueError("the field that fields.retain_until names is not a day, such as 2027-12-31")
    return found
