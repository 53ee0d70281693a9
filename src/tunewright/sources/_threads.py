"""Messages of several people, put together to conversations between a user and the assistant."""

from collections.abc import Iterable
from typing import NamedTuple

from tunewright.nouns import Role
from tunewright.sources._turns import Turn


class Said(NamedTuple):
    """One message of a thread."""

    role: Role
    text: str
    line: int


def conversation(messages: Iterable[Said], joint: str = "\n") -> tuple[list[Turn], int]:
    """Turns of a thread in order, and how many messages were cut from its end.

    Messages of the same side that follow each other become one turn. What an agent says before anyone asked
    is left out, and so is what comes after the agent's last word. Errors: `ValueError` when nothing is left.
    """
    made, cut = list[Turn](), 0
    pending = 0
    for one in messages:
        if not one.text.strip():
            continue
        if not any(turn.role == "user" for turn in made) and one.role == "assistant":
            continue
        if made and made[-1].role == one.role:
            made[-1] = Turn(one.role, f"{made[-1].content}{joint}{one.text.strip()}")
        else:
            made.append(Turn(one.role, one.text.strip()))
        pending = 0 if one.role == "assistant" else pending + 1
        cut = pending
    if not any(turn.role == "user" for turn in made):
        raise ValueError("nobody asks anything in this thread")
    while made and made[-1].role != "assistant":
        made.pop()
    if not made:
        raise ValueError("nobody answers in this thread")
    return made, cut
