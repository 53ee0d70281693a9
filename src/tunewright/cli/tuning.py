"""What `tune` can do instead of training: plan it, and show which tokens would be learnt."""

import inspect
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, cast

from cyclopts import Parameter
from pydantic import JsonValue
from rich.text import Text

from tunewright.bases import find
from tunewright.cli.answer import Answer
from tunewright.cli.render.words import counted, heading, plain, short
from tunewright.nouns import Dataset, Record
from tunewright.project import Project
from tunewright.trainers import Token, tokens

FLAGS = (
    inspect.Parameter(
        "plan",
        inspect.Parameter.KEYWORD_ONLY,
        default=False,
        annotation=Annotated[bool, Parameter(negative="", help="Do not train: say what it would take.")],
    ),
    inspect.Parameter(
        "show_tokens",
        inspect.Parameter.KEYWORD_ONLY,
        default=0,
        annotation=Annotated[
            int, Parameter(help="Do not train: show this many records, and which tokens are learnt.")
        ],
    ),
)
"""Flags of the command `tune` beside those of the verb."""
LEARNT, READ = "bold black on bright_green", "dim"


def show(answer: Answer, project: Project, dataset: Dataset, count: int) -> None:
    """Print records token by token; what is learnt is coloured, and on paper it stands in brackets."""
    recipe = project.recipe()
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    told = list[JsonValue]()
    for record in islice(project.records(dataset), count):
        row = tokens(recipe, found.folder, record)
        learnt = sum(token.learnt for token in row)
        told.append({"record": record.id, "tokens": [[t.text, t.learnt] for t in row]})
        answer.say(heading(_where(record), f"{counted(len(row), 'token')}, {learnt:,} learnt"))
        answer.say(coloured(row), "")
    answer.fields |= {"dataset": dataset.digest, "shown": told}
    key = Text.assemble(("green, in brackets", LEARNT), " is learnt, ", ("the rest", READ), " is only read.")
    answer.say(
        key, Text(f"dataset {dataset.name} {short(dataset.digest)}; system prompt and template included")
    )


def coloured(row: Sequence[Token]) -> Text:
    """A row, each token apart: learnt ones in brackets, so that it can be seen without colours too."""
    text = Text()
    for token in row:
        words = plain(token.text).replace("\n", "⏎\n")
        text.append(f"[{words}]" if token.learnt else words, LEARNT if token.learnt else READ)
    return text


def _where(record: Record) -> str:
    return f"record {record.id}"


def count(values: dict[str, object]) -> int:
    """How many records are to be shown; taken out of the values."""
    return cast(int, values.pop("show_tokens", 0))
