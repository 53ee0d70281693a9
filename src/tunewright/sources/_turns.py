"""Turns of a conversation: who spoke, what was said, in the spellings that files have."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tunewright.nouns import Role
from tunewright.sources._facts import kind
from tunewright.sources._text import parse

Row = Mapping[str, object]

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "customer": "user",
    "client": "user",
    "visitor": "user",
    "end-user": "user",
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
    "ipython": "tool",
}
_ROLE = ("role", "from", "speaker", "author", "sender")
_CONTENT = ("content", "value", "text", "message", "utterance")
_ASKED = ("human", "user", "question", "instruction", "input", "prompt")
_ANSWERED = ("assistant", "gpt", "bot", "answer", "response", "output")
_TEXT_PARTS = {"text", "input_text", "output_text"}


class Turn(NamedTuple):
    """One turn: its role and words."""

    role: Role
    content: str


def listed(value: object, name: str) -> Sequence[object]:
    """A list of turns, also when it stands as JSON in a cell. Errors: `ValueError`."""
    if isinstance(value, str) and value.lstrip().startswith("["):  # a JSON list in a table's cell
        try:
            value = parse(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if not isinstance(value, list):
        raise ValueError(f"{name} is {kind(value)}, not a list of turns")
    if not value:
        raise ValueError(f"{name} has no turns")
    return value


def turns(found: Sequence[object], role: str, content: str) -> list[Turn]:
    """Turns of a list. `role` and `content` are the fields that this shape usually has."""
    first = found[0]
    if isinstance(first, Mapping) and not (role in first and content in first):
        other_role = next((key for key in (role, *_ROLE) if key in first), None)
        other_content = next((key for key in (content, *_CONTENT) if key in first), None)
        if other_role is None and (pairs := _pairs(found)):
            return pairs
        if other_role and other_content and other_role != other_content:
            role, content = other_role, other_content
    return [turn(one, number, role, content) for number, one in enumerate(found, 1)]


def turn(one: object, number: int, role: str, content: str, roles: Mapping[str, Role] = ROLES) -> Turn:
    """One turn. Errors: `ValueError` with its number."""
    if not isinstance(one, Mapping):
        raise ValueError(f"turn {number} is {kind(one)}, not an object")
    who = one.get(role)
    if isinstance(who, Mapping):  # such as {"author": {"role": "user"}}
        who = who.get("role")
    known = roles.get(who) or roles.get(who.strip().lower()) if isinstance(who, str) else None
    if known is None:
        raise ValueError(f"turn {number} has no {role} that is known: {', '.join(sorted(roles))}")
    if one.get("tool_calls") or one.get("function_call"):
        raise ValueError(f"turn {number} calls a tool; only turns of text can be trained on")
    said = one.get(content)
    if isinstance(said, str):
        return Turn(known, said)
    if said is None:
        raise ValueError(f"turn {number} has no {content}")
    return Turn(known, words(said, f"{content} of turn {number}"))


def words(value: object, name: str) -> str:
    """Text, or a list of parts that are all text, joined. Errors: `ValueError`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value):
        for part in value:
            if part.get("type", "text") not in _TEXT_PARTS or not isinstance(part.get("text"), str):
                raise ValueError(f"{name} has a part that is not text")
        return "\n".join(part["text"] for part in value)
    raise ValueError(f"{name} is {kind(value)}, not text")


def alternating(found: Sequence[object], name: str) -> list[Turn]:
    """Texts in turn, the user's first. A last question that was not answered is left out."""
    said = [words(one, f"turn {number} of {name}") for number, one in enumerate(found, 1)]
    if len(said) % 2 and len(said) > 1:
        said = said[:-1]
    return [Turn("assistant" if at % 2 else "user", text) for at, text in enumerate(said)]


def _pairs(found: Sequence[object]) -> list[Turn]:
    """Objects that hold a question and its answer each, as in `[{"human": …, "assistant": …}]`."""
    made = list[Turn]()
    for one in found:
        asked = next((key for key in _ASKED if isinstance(one, Mapping) and key in one), None)
        answered = next((key for key in _ANSWERED if isinstance(one, Mapping) and key in one), None)
        if asked is None or answered is None or not isinstance(one, Mapping):
            return []
        if not made and isinstance(system := one.get("system"), str) and system.strip():
            made.append(Turn("system", system))
        made.append(Turn("user", words(one[asked], asked)))
        made.append(Turn("assistant", words(one[answered], answered)))
    return made


# ── transcripts ─────────────────────────────────────────────────────────────────────────────────

_SPEAKERS: dict[str, Role] = {
    **ROLES,
    "instruction": "user",
    "response": "assistant",
    "input": "user",
}
_STYLES = (
    (
        re.compile(r"(?:Human|User|Assistant|System): ?"),
        re.compile(r"(?:\A|\n\n)(Human|User|Assistant|System): ?"),
    ),
    (
        re.compile(r"### ?(?:Human|User|Assistant|System|Instruction):"),
        re.compile(r"### ?(Human|User|Assistant|System|Instruction|Input|Response): ?"),
    ),
    (
        re.compile(r"<\|im_start\|>"),
        re.compile(r"<\|im_start\|>(system|user|assistant|tool)\n"),
    ),
)
_ENDS = ("<|im_end|>", "<|endoftext|>", "</s>")
_TEMPLATE = re.compile(
    r"Below is an instruction.{0,300}?(?=### Instruction:)", re.DOTALL
)  # Alpaca's first sentence


def spoken(text: str) -> list[Turn] | None:
    """A conversation written down as one text, or None if it is none.

    Known: `Human: … Assistant: …`, `### Human: … ### Assistant: …` (also Instruction, Input, Response),
    `<|im_start|>user …`, and `[INST] … [/INST]`.
    """
    text = text.strip()
    if head := _TEMPLATE.match(text):
        text = text[head.end() :]
    if text.startswith(("[INST]", "<s>[INST]")):
        return _inst(text)
    for begins, marks in _STYLES:
        if not begins.match(text):
            continue
        parts = marks.split(text)
        made = list[Turn]()
        for who, said in zip(parts[1::2], parts[2::2], strict=True):
            for end in _ENDS:
                said = said.replace(end, "")
            role, said = _SPEAKERS[who.lower()], said.strip()
            if made and made[-1].role == role:
                made[-1] = Turn(role, f"{made[-1].content}\n\n{said}")
            else:
                made.append(Turn(role, said))
        while made and (made[-1].role != "assistant" or not made[-1].content):
            made.pop()  # `Assistant:` at the end waits for an answer
        return made if any(one.role == "user" for one in made) else None
    return None


def _inst(text: str) -> list[Turn] | None:
    made = list[Turn]()
    for part in text.split("[INST]")[1:]:
        asked, closed, answer = part.partition("[/INST]")
        if not closed:
            break
        asked, answer = asked.strip(), answer.replace("</s>", "").replace("<s>", "").strip()
        if asked.startswith("<<SYS>>"):
            system, _, asked = asked.removeprefix("<<SYS>>").partition("<</SYS>>")
            made.append(Turn("system", system.strip()))
            asked = asked.strip()
        made += [Turn("user", asked), Turn("assistant", answer)]
    return made or None


# ── trees ───────────────────────────────────────────────────────────────────────────────────────


def best_path(root: Row) -> list[Turn]:
    """The thread of a message tree whose answers people ranked best (OASST). Errors: `ValueError`.

    At every turn the reply with the lowest `rank` is taken, and the first where nobody ranked; deleted
    messages and what was asked without an answer are left out.
    """
    made, at, number = list[Turn](), root, 0
    while True:
        number += 1
        made.append(turn(at, number, "role", "text"))
        replies = at.get("replies")
        open_to = [
            one
            for one in (replies if isinstance(replies, list) else [])
            if isinstance(one, Mapping) and not one.get("deleted")
        ]
        if made[-1].role == "assistant":  # go on only where an answer follows the next question
            open_to = [one for one in open_to if one.get("replies")] or open_to
        if not open_to:
            break
        at = min(open_to, key=_rank)
    while len(made) > 1 and made[-1].role != "assistant":
        made.pop()
    return made


def _rank(message: Row) -> float:
    rank = message.get("rank")
    return rank if isinstance(rank, int | float) and rank == rank else 1e9
