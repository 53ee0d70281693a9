"""How a row of a known shape, or one that is mapped, becomes a record."""

from collections import Counter
from collections.abc import Mapping
from json import dumps

from tunewright.nouns import Origin, Record, Reject
from tunewright.sources import _facts
from tunewright.sources._facts import kind, safe
from tunewright.sources._mapping import Fields, Mapped
from tunewright.sources._shapes import FORMATS, UNKNOWN, people, read, recognise, spelled
from tunewright.sources._text import MAX_BYTES, SHOWN
from tunewright.sources._turns import Row, Turn, best_path, listed

MAPPED = "mapped by `fields`"


class Desk:
    """Where the rows of one file become records: what is stamped on them, and what was counted."""

    def __init__(
        self,
        *,
        source: str,
        licence: str,
        file: str,
        counts: Counter[str] | None = None,
        fields: Fields | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.source, self.licence, self.file = source, licence, file
        self.counts, self.max_bytes = counts, max_bytes
        self.mapped: Mapped | None = Mapped(fields) if fields else None
        self.tree = dict[str, dict[str, object]]()
        self.tree_id, self.tree_line = "", 0

    def take(self, row: object, line: int, raw: str = "") -> list[Record | Reject]:
        """What one row becomes: a record or a reject; several records where it holds several.

        Messages that come one a row are kept until their thread is whole. Never raises over what a row
        holds.
        """
        shape: str | None = None
        try:
            if self.mapped is None:
                shape = recognise(row)
                if shape is None and isinstance(row, Mapping):
                    shape, row = spelled(row)
                if shape == FORMATS[4] and isinstance(row, Mapping):
                    return self._message(row, line)
                if self.tree:
                    return [*self.end(), self._one(row, line, shape, raw)]
                if shape == FORMATS[5] and isinstance(row, Mapping):
                    return self._instances(row, line, raw)
            return [self._one(row, line, shape, raw)]
        except (ValueError, RecursionError) as error:
            return [self._reject(row, line, error, raw)]

    def end(self) -> list[Record | Reject]:
        """The thread that was still open when the file ended."""
        tree, line = self.tree, self.tree_line
        self.tree = {}
        made = list[Record | Reject]()
        for message in tree.values():
            parent = message.get("parent_id")
            if isinstance(parent, str) and parent in tree:
                replies = tree[parent].setdefault("replies", [])
                assert isinstance(replies, list)
                replies.append(message)
        for message in tree.values():
            parent = message.get("parent_id")
            if isinstance(parent, str) and parent in tree:
                continue
            try:
                if isinstance(parent, str) and parent:
                    raise ValueError("answers a message that does not stand near it in the file")
                made.append(self._record(message, line, FORMATS[4], best_path(message), ""))
            except (ValueError, RecursionError) as error:
                made.append(self._reject(message, line, error, ""))
        return made

    def refuse(self, line: int, reason: str, raw: str = "") -> Reject:
        """A row that could not even be read."""
        return Reject(
            origin=Origin(source=self.source, file=self.file, line=line),
            reason=reason,
            raw=safe(raw[:SHOWN])[:SHOWN],
        )

    def record(self, said: list[Turn], line: int, shape: str, **parts: object) -> Record | Reject:
        """A record of turns that a source of its own kind put together. `parts` are fields of the record."""
        try:
            made = self._made(said, line, shape, **parts)
        except ValueError as error:
            return self.refuse(line, safe(str(error)), "\n".join(one.content for one in said)[:SHOWN])
        return made

    # ── how ─────────────────────────────────────────────────────────────────────────────────────

    def _one(self, row: object, line: int, shape: str | None, raw: str) -> Record | Reject:
        try:
            if self.mapped is not None:
                found = self.mapped(row)
                return self._made(
                    found.turns,
                    line,
                    MAPPED,
                    id=found.id,
                    label=found.label,
                    licence=found.licence,
                    subjects=found.subjects,
                    facts=found.facts,
                )
            if not isinstance(row, Mapping):
                raise ValueError(f"is {kind(row)}, not an object with named fields")
            if shape is None:
                raise ValueError(UNKNOWN)
            said, label = read(row, shape)
            return self._record(row, line, shape, said, label)
        except (ValueError, RecursionError) as error:
            return self._reject(row, line, error, raw)

    def _record(self, row: Row, line: int, shape: str, said: list[Turn], label: str) -> Record:
        about: Row = row
        name: object = row.get("id")
        if shape in (FORMATS[3], FORMATS[4]):
            root = row.get("prompt")
            about = root if isinstance(root, Mapping) else row
            name = name or row.get("message_tree_id") or row.get("message_id")
        return self._made(
            said,
            line,
            shape,
            id=_facts.identity(name),
            label=label,
            licence=_facts.licence(row),
            subjects=_facts.subjects(row, people(shape, row)),
            facts=_facts.facts(about),
        )

    def _made(self, said: list[Turn], line: int, shape: str, **parts: object) -> Record:
        whole(said, shape)
        parts["id"] = parts.get("id") or f"{self.file}:{line}"
        parts["licence"] = parts.get("licence") or self.licence
        storable(said, parts, self.max_bytes)
        parts["messages"] = tuple([{"role": one.role, "content": one.content} for one in said])
        parts["origin"] = {"source": self.source, "file": self.file, "line": line}
        parts["shape"] = shape
        made: Record = _VALIDATE(parts)
        if self.counts is not None:
            self.counts[shape] += 1
        return made

    def _reject(self, row: object, line: int, error: Exception, raw: str) -> Reject:
        reason = "nested too deeply" if isinstance(error, RecursionError) else safe(str(error))
        people: tuple[str, ...] = ()
        if self.mapped is not None:
            people = self.mapped.people(row)
        elif isinstance(row, Mapping):
            people = _facts.subjects(row)
        return self.refuse(line, reason, raw or shown(row)).model_copy(update={"subjects": people})

    def _message(self, row: Row, line: int) -> list[Record | Reject]:
        """Keep one message of a thread; give the thread before it when another begins."""
        tree_id = row.get("message_tree_id") or (
            self.tree_id if row.get("parent_id") else row.get("message_id")
        )
        before = list[Record | Reject]()
        if self.tree and (tree_id != self.tree_id or len(self.tree) >= 10_000):
            before = self.end()
        if not self.tree:
            self.tree_id, self.tree_line = str(tree_id), line
        if not row.get("deleted"):
            self.tree[str(row.get("message_id"))] = dict(row)
        return before

    def _instances(self, row: Row, line: int, raw: str) -> list[Record | Reject]:
        """One instruction with several inputs and outputs (self-instruct): a record for each."""
        made = list[Record | Reject]()
        inner = listed(row["instances"], "instances")
        name = _facts.identity(row.get("id")) or f"{self.file}:{line}"
        rest = {key: value for key, value in row.items() if key not in ("instances", "input", "output")}
        for number, one in enumerate(inner, 1):
            if not isinstance(one, Mapping):
                made.append(self.refuse(line, f"instance {number} is {kind(one)}, not an object", raw))
                continue
            whole_row = {**rest, **one, "id": name if len(inner) == 1 else f"{name}#{number}"}
            made.append(self._one(whole_row, line, FORMATS[5], raw))
        return made


_VALIDATE = Record.__pydantic_validator__.validate_python


def to_record(
    row: object, *, source: str, licence: str, file: str, line: int, **more: object
) -> Record | Reject:
    """The first record of one row, or a reject that says why not. Never raises over what a row holds."""
    desk = Desk(source=source, licence=licence, file=file, **more)  # type: ignore[arg-type]
    return [*desk.take(row, line), *desk.end()][0]


def shown(row: object) -> str:
    """The start of a row as text, for the quarantine."""
    try:
        return dumps(row, ensure_ascii=False, default=str)[:SHOWN]
    except (ValueError, TypeError, RecursionError):
        return ""


# ── rules ───────────────────────────────────────────────────────────────────────────────────────


def whole(said: list[Turn], shape: str = "") -> None:
    """A conversation somebody starts and the assistant ends, without holes; or one plain text."""
    alone = len(said) == 1 and shape not in FORMATS[:-1]  # a text to be learnt as it is
    if not alone and not any(one.role == "user" and one.content.strip() for one in said):
        raise ValueError("has no turn of the user with words in it")
    if said[-1].role not in ("assistant", "rejected"):
        raise ValueError("does not end with an answer of the assistant")
    if not said[-1].content.strip():
        raise ValueError("is empty" if alone else "ends with an empty answer")
    if any(one.role == "rejected" for one in said[:-1]):
        raise ValueError("a rejected answer stands before the end")
    for number, one in enumerate(said, 1):
        if one.role in ("user", "assistant") and not one.content.strip():
            raise ValueError(f"turn {number} is empty")


def storable(said: list[Turn], parts: Mapping[str, object], max_bytes: int) -> None:
    """Every text must survive UTF-8 and the database."""
    text = "".join([one.content for one in said])
    for name in ("id", "label", "licence"):
        text += str(parts.get(name, ""))
    people, facts = parts.get("subjects"), parts.get("facts")
    if isinstance(people, tuple) and people:
        text += "".join(people)
    if isinstance(facts, dict) and facts:
        text += "".join(facts.values())
    if "\0" in text:
        raise ValueError("has a NUL character in it")
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("has half of a surrogate pair, which is not a character") from None
    if size > max_bytes:
        raise ValueError(f"longer than {max_bytes:,} bytes")
