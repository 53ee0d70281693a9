"""ChatGPT's export of one's conversations."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources import _facts
from tunewright.sources._formats import Desk, shown
from tunewright.sources._json_list import elements
from tunewright.sources._mapping import Fields
from tunewright.sources._text import nothing
from tunewright.sources._turns import Turn

SHAPE = "ChatGPT conversations"
_NOT_SAID = frozenset({"thoughts", "reasoning_recap", "user_editable_context", "model_editable_context"})


def chatgpt_export(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = 16 << 20,
) -> Iterator[Record | Reject]:
    """ChatGPT's data export: `conversations.json`, or the folder it came in.

    Every conversation is a tree, because questions can be edited and answers asked for again; the branch
    that was last looked at is taken. Its model and day are kept as the record's facts. System messages that
    the web interface hides, thoughts and calls of tools are left out; consecutive messages of one side
    become one turn; a question at the end that nobody answered is cut.

    Limits: pictures and files in a conversation are left out, and with them a question that consists of
    nothing else. The terms of the service decide whether its answers may train another model: say the
    licence accordingly.
    """
    if fields:
        raise BadInput(f"{path}: this export has a known shape", hint="take `fields` out")
    if path.is_dir():
        path = path / "conversations.json"
    desk = Desk(source=source, licence=licence, file=file, counts=counts, max_bytes=max_bytes)
    seen = False
    for line, row, text, broken in elements(path, max_bytes):
        seen = True
        if broken:
            yield desk.refuse(line, broken, text)
            continue
        try:
            said, model = _branch(row)
        except ValueError as error:
            yield desk.refuse(line, str(error), text or shown(row))
            continue
        assert isinstance(row, Mapping)
        facts = {"generator": model} if _facts.fact("generator", model) else {}
        if day := _facts.day(row.get("create_time")):
            facts["collected"] = day
        name = row.get("id") or row.get("conversation_id")
        yield desk.record(said, line, SHAPE, id=name[:500] if isinstance(name, str) else "", facts=facts)
    if not seen:
        raise nothing(path)


def _branch(row: object) -> tuple[list[Turn], str]:
    """Turns of the current branch and the model that answered last. Errors: `ValueError`."""
    nodes = row.get("mapping") if isinstance(row, Mapping) else None
    if not isinstance(row, Mapping) or not isinstance(nodes, Mapping):
        raise ValueError("is no conversation with a mapping of messages")
    at = row.get("current_node")
    if not isinstance(at, str) or at not in nodes:
        at = next((key for key, node in nodes.items() if _children(node) == []), None)
    way, passed = list[Mapping[str, object]](), set[str]()
    while isinstance(at, str) and at in nodes and at not in passed:
        passed.add(at)
        node = nodes[at]
        if not isinstance(node, Mapping):
            break
        if isinstance(message := node.get("message"), Mapping):
            way.append(message)
        at = node.get("parent")
    said, model = list[Turn](), ""
    for message in reversed(way):
        one = _turn(message)
        if one is None:
            continue
        inner = message.get("metadata")
        if one.role == "assistant" and isinstance(inner, Mapping):
            model = str(inner.get("model_slug") or model)
        if said and said[-1].role == one.role:
            said[-1] = Turn(one.role, f"{said[-1].content}\n\n{one.content}")
        else:
            said.append(one)
    while said and said[-1].role != "assistant":
        said.pop()
    if not said:
        raise ValueError("has no question with an answer on its current branch")
    return said, model


def _children(node: object) -> object:
    return node.get("children") if isinstance(node, Mapping) else None


def _turn(message: Mapping[str, object]) -> Turn | None:
    """A message as a turn, if it was said in words and shown."""
    author, content, inner = message.get("author"), message.get("content"), message.get("metadata")
    role = author.get("role") if isinstance(author, Mapping) else None
    hidden = isinstance(inner, Mapping) and inner.get("is_visually_hidden_from_conversation")
    to = message.get("recipient", "all")
    if (
        hidden
        or to != "all"
        or role not in ("user", "assistant", "system")
        or not isinstance(content, Mapping)
    ):
        return None
    if content.get("content_type") in _NOT_SAID:
        return None
    parts = content.get("parts")
    found = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
    if not parts and isinstance(text := content.get("text"), str) and content.get("content_type") == "text":
        found = [text]
    text = "\n".join(found).strip()
    if not text:
        return None
    return Turn("user" if role == "user" else "system" if role == "system" else "assistant", text)
