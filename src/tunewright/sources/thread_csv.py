"""Tables with one message a row: exports of help desks and chats."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject, Role
from tunewright.sources import _facts
from tunewright.sources._formats import Desk
from tunewright.sources._look import AUTHOR, THREAD, TIME, WORDS, column, is_thread
from tunewright.sources._mapping import Fields
from tunewright.sources._rows import Raw
from tunewright.sources._table import table_rows
from tunewright.sources._text import MAX_BYTES, nothing
from tunewright.sources._threads import Said, conversation

SHAPE = "threads of a table"
_AGENT = frozenset(
    {
        *("agent", "assistant", "bot", "admin", "operator", "support", "staff", "employee", "teammate"),
        *("representative", "outbound", "out", "outgoing", "team", "system_bot", "ai", "false"),
    }
)
_CUSTOMER = frozenset(
    {
        *("customer", "user", "end_user", "end-user", "enduser", "client", "visitor", "requester", "contact"),
        *("lead", "guest", "consumer", "inbound", "in", "incoming", "human", "member", "true"),
    }
)
_SYSTEM = frozenset({"system", "note", "internal", "trigger", "automation", "event"})


def thread_csv(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
    thread: str = "",
    author: str = "",
    text: str = "",
    time: str = "",
    agents: tuple[str, ...] = (),
    customer: str = "",
    delimiter: str = "",
) -> Iterator[Record | Reject]:
    """A table with one message a row, as Slack, Zendesk, Intercom and other help desks export it.

    `thread`, `author`, `text` and `time` name the columns; usual names (ticket_id, author_type, body,
    created_at, …) are found without. Messages of a thread are put in order of time, else of the file;
    messages of one side that follow each other become one turn; threads are cut after the agent's last word.
    `agents` lists the authors who are the assistant; without it words such as agent, bot, admin and outbound
    in the author's column are known. Where authors are names, whoever begins a thread is the customer.
    `customer` names the column of the person whom the thread concerns; if authors are names, the customer's
    name is taken. Rows of automations are left out.

    Limits: the whole table is held in memory, about twice its size, because rows of a thread may stand
    anywhere. A thread that a company begins, as with advertising, loses its beginning. When both sides are
    names and `agents` is not given, a thread with three people counts everybody but the first as the agent.
    """
    if fields:
        raise BadInput(
            f"{path}: columns of a thread are options", hint="options: {thread: …, author: …, text: …}"
        )
    wanted = [one for one in (thread, author, text, time, customer) if one]

    def sensible(names: list[str]) -> bool:
        return set(wanted) <= set(names) and (len(wanted) >= 3 or is_thread(names) or _enough(names, wanted))

    desk = Desk(source=source, licence=licence, file=file, counts=counts, max_bytes=max_bytes)
    threads, columns = dict[str, list[tuple[str, Raw]]](), list[str]()
    order = 0
    for raw in table_rows(
        path, max_bytes, delimiter, lambda names: _kept(names, columns, sensible), small=False
    ):
        order += 1
        if raw.broken or not isinstance(raw.row, dict):
            yield desk.refuse(raw.line, raw.broken, raw.text)
            continue
        where = [
            thread or column(columns, THREAD),
            author or column(columns, AUTHOR),
            text or column(columns, WORDS),
        ]
        if gone := [name for name in where[:2] if not raw.row.get(name)]:
            yield desk.refuse(raw.line, f"has nothing in the column {gone[0]!r}", raw.text)
            continue
        threads.setdefault(raw.row[where[0]], []).append((raw.row[where[1]], raw))
    if not order:
        raise nothing(path)
    words, when = text or column(columns, WORDS), time or column(columns, TIME)
    for name, rows in threads.items():
        yield _thread(desk, name, rows, words, when, frozenset(agents), customer)


def _kept(names: list[str], columns: list[str], sensible: object) -> bool:
    """Whether a header makes sense; then its names are remembered."""
    assert callable(sensible)
    if not sensible(names):
        return False
    columns[:] = names
    return True


def _enough(names: list[str], wanted: list[str]) -> bool:
    """Whether what is not named can be found."""
    left = [name for name in names if name not in wanted]
    return sum(bool(column(left, known)) for known in (THREAD, AUTHOR, WORDS)) + len(wanted) >= 3


def _thread(
    desk: Desk,
    name: str,
    rows: list[tuple[str, Raw]],
    words: str,
    when: str,
    agents: frozenset[str],
    customer: str,
) -> Record | Reject:
    line = rows[0][1].line
    cells = [raw.row for _, raw in rows if isinstance(raw.row, dict)]
    if when:
        keys = [moment(str(cell.get(when, ""))) for cell in cells]
        if all(key is not None for key in keys):
            order = sorted(range(len(rows)), key=lambda at: (keys[at], at))
            rows, cells = [rows[at] for at in order], [cells[at] for at in order]
    first = next((who for who, _ in rows if not agents or who not in agents), "")
    named = not agents and not any(_plain(who) in _AGENT for who, _ in rows)
    sides = [side(who, agents, first if named else "") for who, _ in rows]
    people: dict[str, None] = {}
    for cell, (who, _), role in zip(cells, rows, sides, strict=True):
        if role == "user" and customer:
            _facts.people(cell.get(customer), people)
        elif role == "user" and _plain(who) not in _CUSTOMER:
            people[who[:500]] = None
    told = [
        Said(role, str(cell.get(words, "")), raw.line)
        for cell, (_, raw), role in zip(cells, rows, sides, strict=True)
        if role is not None
    ]
    try:
        said, _ = conversation(told)
    except ValueError as error:
        refused = desk.refuse(line, str(error), "\n".join(one.text for one in told))
        return refused.model_copy(update={"subjects": tuple(people)})
    days = [day for cell in cells if when and (day := _facts.day(cell.get(when)))]
    facts = {"collected": days[0]} if days else {}
    return desk.record(said, line, SHAPE, id=name[:500], subjects=tuple(people), facts=facts)


def side(who: str, agents: frozenset[str], first: str) -> Role | None:
    """Which side an author is on; None for automations."""
    if agents:
        return "assistant" if who in agents else None if _plain(who) in _SYSTEM else "user"
    word = _plain(who)
    if word in _SYSTEM:
        return None
    if first and word not in _CUSTOMER:
        return "user" if who == first else "assistant"
    return "assistant" if word in _AGENT else "user"


def _plain(who: str) -> str:
    return who.strip().lower().replace(" ", "_")


def moment(text: str) -> tuple[float, str] | None:
    """A time as something that sorts: a number, or ISO 8601 text. None if it is neither."""
    from datetime import UTC, datetime

    try:
        return (float(text), "")
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return ((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp(), "")
