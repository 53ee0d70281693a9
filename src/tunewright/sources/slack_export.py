"""Slack's export of a workspace."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources import _facts
from tunewright.sources._formats import Desk
from tunewright.sources._json_list import elements
from tunewright.sources._mapping import Fields
from tunewright.sources._text import MAX_BYTES, nothing
from tunewright.sources._threads import Said, conversation

SHAPE = "Slack threads"
_MENTION = re.compile(r"<@([A-Z0-9]{2,20})(?:\|[^>]{0,80})?>")
_CHANNEL = re.compile(r"<#[A-Z0-9]{2,20}\|([^>]{0,80})>")
_LINK = re.compile(r"<((?:https?|mailto):[^>|\s]{1,2000})(?:\|([^>]{0,300}))?>")


def slack_export(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
    agents: tuple[str, ...] = (),
    channels: tuple[str, ...] = (),
) -> Iterator[Record | Reject]:
    """The folder (or zip) that Slack exports: `users.json`, `channels.json` and a folder for each channel.

    Every thread with replies becomes a conversation: who began it is the user, everybody else the assistant.
    `agents` lists ids or names of those who answer; then only their messages are the assistant's. `channels`
    limits to some. Who asked is the record's subject. Marks of Slack become plain text: links their words,
    mentions `@someone`, so that no name is learnt.

    Limits: messages outside threads are left out, because nobody knows what answers what. Pictures, files
    and reactions are left out. Edited messages count as they are now. The messages of one channel are held
    in memory.
    """
    if fields:
        raise BadInput(f"{path}: this export has a known shape", hint="take `fields` out")
    if not path.is_dir() or not (path / "channels.json").is_file():
        raise BadInput(
            f"{path} is not a folder with channels.json", hint="give the folder that Slack's zip holds"
        )
    names = _people(path, max_bytes)
    desk = Desk(source=source, licence=licence, file=file, counts=counts, max_bytes=max_bytes)
    seen = False
    for channel in sorted(one for one in path.iterdir() if one.is_dir()):
        if channels and channel.name not in channels:
            continue
        threads = dict[str, list[tuple[float, int, str, Mapping[str, object]]]]()
        for day in sorted(channel.glob("*.json")):
            desk.file = f"{file}/{channel.name}/{day.name}"
            for line, row, text, broken in elements(day, max_bytes):
                if broken or not isinstance(row, Mapping):
                    seen = True
                    yield desk.refuse(line, broken or f"is {_facts.kind(row)}, not a message", text)
                    continue
                root, ts = row.get("thread_ts"), row.get("ts")
                try:
                    when = float(str(ts))
                except ValueError:
                    continue
                if isinstance(root, str):
                    threads.setdefault(root, []).append((when, line, desk.file, row))
        for messages in threads.values():
            seen = True
            yield _thread(desk, channel.name, messages, names, frozenset(agents))
    if not seen:
        raise nothing(path)


def _people(path: Path, max_bytes: int) -> dict[str, str]:
    """Id to name of everybody in the workspace."""
    found = dict[str, str]()
    file = path / "users.json"
    for one in elements(file, max_bytes) if file.is_file() else ():
        if isinstance(one.row, Mapping) and isinstance(key := one.row.get("id"), str):
            found[key] = str(one.row.get("name") or key)
    return found


def _thread(
    desk: Desk,
    channel: str,
    messages: list[tuple[float, int, str, Mapping[str, object]]],
    names: dict[str, str],
    agents: frozenset[str],
) -> Record | Reject:
    messages.sort(key=lambda one: (one[0], one[1]))
    when, line, desk.file, _ = messages[0]
    told, asker = list[Said](), ""
    for _, at, _, row in messages:
        who = str(row.get("user") or row.get("bot_id") or "")
        text = row.get("text")
        if not isinstance(text, str) or row.get("subtype") in ("channel_join", "channel_leave", "tombstone"):
            continue
        answers = bool({who, names.get(who, who)} & agents) if agents else asker not in ("", who)
        if not answers and not asker:
            asker = who
        told.append(Said("assistant" if answers else "user", plain(text), at))
    people = tuple(dict.fromkeys(one for one in (asker, names.get(asker, "")) if one))
    try:
        said, _ = conversation(told)
    except ValueError as error:
        return desk.refuse(line, str(error), "\n".join(one.text for one in told)).model_copy(
            update={"subjects": people}
        )
    facts = {"collected": day} if (day := _facts.day(when)) else {}
    name = f"{channel}/{messages[0][3].get('thread_ts')}"[:500]
    return desk.record(said, line, SHAPE, id=name, subjects=people, facts=facts)


def plain(text: str) -> str:
    """Slack's marks as plain text."""
    text = _MENTION.sub("@someone", text)
    text = _CHANNEL.sub(r"#\1", text)
    text = _LINK.sub(lambda found: found[2] or found[1].removeprefix("mailto:"), text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
