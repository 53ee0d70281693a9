"""A command made from each verb: its signature becomes arguments and flags, its docstring the help."""

import inspect
from collections.abc import Callable
from typing import Annotated, cast

from cyclopts import Parameter
from pydantic import JsonValue
from pydantic_core import PydanticUndefined
from rich.text import Text

from tunewright.cli import reviewing, serving, tuning
from tunewright.cli.answer import Answer, answering
from tunewright.cli.app import ORDER, help_text
from tunewright.cli.project import In, Json, type_next, working
from tunewright.cli.render import as_json, render
from tunewright.cli.render.words import duration
from tunewright.errands import errands
from tunewright.nouns import Channel, Dataset, Noun
from tunewright.project import Project
from tunewright.verbs import Done, Verb, verbs

Command = Callable[..., None]


def __getattr__(name: str) -> Command:
    """The command of the verb or errand `name`."""
    for shelf in (verbs, errands):
        if not name.startswith("_") and name in shelf:
            return command(shelf[name])
    raise AttributeError(name)


def command(verb: Verb[..., Noun]) -> Command:
    """Make a command of a verb. What it needs and things are positional, the rest are flags."""
    more = tuning.FLAGS if verb.name == "tune" else ()
    signature = inspect.Signature([*_parameters(verb), *more, *_everywhere()])

    def act(*args: object, **kwargs: object) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = dict(bound.arguments)
        folder, as_json = cast(In, values.pop("project")), bool(values.pop("json"))
        with answering(as_json) as answer, working(folder, answer) as project:
            planned, shown = bool(values.pop("plan", False)), tuning.count(values)
            if shown:
                tuning.show(answer, project, project.ledger.get(Dataset, str(values["dataset"])), shown)
                return
            asked = errands["plan"] if planned else verb
            given = asked.params(**values)
            if verb.name == "serve":
                serving.ready(str(values["host"]))
            if verb.name == "vet" and values["audit"]:
                dataset = project.ledger.get(Dataset, str(values["dataset"]))
                reviewing.mark(answer, project, dataset, cast(int, values["audit"]))
            answer.starting(asked.name)
            done = asked.ask(project, given)
            told(answer, project, asked.name, done)
            if isinstance(done.noun, Channel):
                serving.start(project, answer, done.noun, str(values["host"]), cast(int, values["port"]))

    act.__name__ = verb.name
    act.__doc__ = help_text(verb.__doc__ or "")
    act.__signature__ = signature  # type: ignore[attr-defined]  # what inspect.signature looks for
    return act


def told(answer: Answer, project: Project, verb: str, done: Done) -> None:
    """Say what came of a verb, and what one does next."""
    answer.fields |= chapter(verb, done)
    if done.before is not None:
        answer.say(Text(f"{verb}: done before (entry {done.before}); nothing has changed since", "dim"))
    answer.say(*render(done.noun, project, answer.width))
    at = ORDER.index(verb) if verb in ORDER else len(ORDER)
    if at < ORDER.index("serve"):
        answer.say("", Text.assemble(("next  ", "dim"), type_next(ORDER[at + 1], project)))


def chapter(verb: str, done: Done, seconds: float | None = None) -> dict[str, JsonValue]:
    """What came of a verb, for a program."""
    said: dict[str, JsonValue] = {"verb": verb, "before": done.before, **as_json(done.noun)}
    return said if seconds is None else {**said, "seconds": round(seconds, 3)}


def aside(done: Done, seconds: float) -> str:
    """How long it took, or that there was nothing to do."""
    return duration(seconds) if done.before is None else f"skipped: done before (entry {done.before})"


def _parameters(verb: Verb[..., Noun]) -> list[inspect.Parameter]:
    found = list[inspect.Parameter]()
    for name, field in verb.params.model_fields.items():
        needed = field.default is PydanticUndefined
        annotation = Annotated[field.annotation, Parameter(help=field.description)]  # type: ignore[name-defined]
        place = (
            inspect.Parameter.POSITIONAL_OR_KEYWORD
            if needed or name in verb.nouns
            else inspect.Parameter.KEYWORD_ONLY
        )
        default = inspect.Parameter.empty if needed else field.default
        found.append(inspect.Parameter(name, place, default=default, annotation=annotation))
    return sorted(found, key=lambda p: (p.kind, p.default is not inspect.Parameter.empty))


def _everywhere() -> list[inspect.Parameter]:
    flag = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter("project", flag, default=None, annotation=In),
        inspect.Parameter("json", flag, default=False, annotation=Json),
    ]
