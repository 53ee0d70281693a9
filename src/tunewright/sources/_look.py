"""A look at the beginning of a file or into a folder, to tell which source reads it."""

import re
from pathlib import Path

from tunewright.errors import TunewrightError
from tunewright.sources._compressed import DAMAGE, compression, unpacked

_HEAD = 1 << 13
THREAD = (
    *("thread_id", "ticket_id", "conversation_id", "thread_ts", "ticket", "thread", "conversation"),
    *("case_id", "session_id", "chat_id", "dialogue_id", "issue_id", "parent_ts"),
)
"""Columns that say which thread a message belongs to."""
AUTHOR = (
    *("role", "author_role", "author_type", "sender_type", "user_type", "participant_type", "direction"),
    *("author", "sender", "from", "speaker", "user", "agent", "author_id", "sender_id", "username"),
    *("user_name", "name", "actor", "inbound"),
)
"""Columns that say who wrote a message, the most telling first."""
WORDS = (
    *(
        "text",
        "message",
        "body",
        "content",
        "comment",
        "plain_body",
        "comment_body",
        "message_text",
        "utterance",
    ),
    *("html_body", "value"),
)
"""Columns that hold its words."""
TIME = (
    *("created_at", "timestamp", "ts", "time", "sent_at", "datetime", "date", "created", "updated_at"),
    *("message_time", "turn", "turn_id", "position", "sequence", "order"),
)
"""Columns by which messages are put in order."""


def simple(name: str) -> str:
    """A column's name without capitals, spaces and signs: `Ticket ID` is `ticket_id`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")


def column(names: list[str], known: tuple[str, ...]) -> str:
    """The first known column that is there, as it is written."""
    there = {simple(name): name for name in reversed(names)}
    return next((there[one] for one in known if one in there), "")


def is_thread(names: list[str]) -> bool:
    """Whether a table has one message a row, each in a thread."""
    return all(column(names, known) for known in (THREAD, AUTHOR, WORDS))


def looks_like(path: Path, known: str) -> str:
    """The source that reads a file, given what its name says; nothing if none does."""
    if known in ("", "json", "csv") and path.is_file():
        return _by_head(path, known)
    return known


def looks_like_folder(path: Path) -> str:
    """The source that reads a folder as a whole; nothing if none does."""
    if (path / "dataset_dict.json").exists() or (path / "state.json").exists():
        return "datasets_folder"
    for name in ("croissant.json", "metadata.json"):
        if (path / name).is_file() and _by_head(path / name, "json") == "croissant":
            return "croissant"
    if (path / "conversations.json").is_file():
        found = _by_head(path / "conversations.json", "json")
        return found if found == "chatgpt_export" else ""
    if (path / "channels.json").is_file() and (path / "users.json").is_file():
        return "slack_export"
    return ""


def _by_head(path: Path, known: str) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        how = compression(head)
        if how:
            with unpacked(path, how) as stream:
                head = stream.read(_HEAD)
    except (*DAMAGE, TunewrightError):
        return known
    text = head.decode("utf-8-sig", "replace").lstrip()
    if known == "csv":
        return "thread_csv" if _threads(text) else "csv"
    if not known and not how:
        if head[:4] == b"PAR1":
            return "parquet"
        if head[:6] == b"ARROW1":
            return "arrow"
        if head[:4] == b"PK\x03\x04":
            return "documents" if b"word/" in head else "archive"
        if head[:5] == b"%PDF-" or re.match(r"<(?:!doctype html|html)\b", text, re.IGNORECASE):
            return "documents"
    if text.startswith("{") and "mlcommons.org/croissant" in text and "@context" in text:
        return "croissant"
    if re.match(r"\[\s*\{", text) and '"mapping"' in text:
        return "chatgpt_export" if _chatgpt(text) else known or "json"
    if text.startswith("[") and not known:
        return "json"
    if text.startswith("{") and not known:
        return "jsonl"
    return known


def _chatgpt(text: str) -> bool:
    return bool(re.search(r'"mapping"\s*:\s*\{\s*"[^"]*"\s*:\s*\{\s*"(?:id|message|parent)"', text))


def _threads(text: str) -> bool:
    """Whether a table's header names single messages of threads, and no shape of whole rows."""
    from tunewright.sources._table import DELIMITERS, known, split

    header = text.splitlines()[0] if text else ""
    found = [names for sign in DELIMITERS if len(names := split(header, sign)) > 1]
    if any(known(names) for names in found):
        return False
    return any(is_thread(names) for names in found)
