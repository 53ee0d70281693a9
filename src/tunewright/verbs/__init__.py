"""Verbs are what one does. Each is one file, one function, and always leaves evidence.

    @verb(reads=("policy",))
    def vet(step: Step, project: Project, dataset: Annotated[Dataset, Named("gathered")]) -> Dataset:

The function is written for a `Step`; callers leave that out. From its signature come the command-line
flags, the HTTP body and the ledger's `params`: they cannot drift apart, because there is only one of them.

`reads` names what the verb reads besides its arguments. Together with the arguments that makes the key
of the work; work whose key was done before is not done again.
"""

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import (
    Annotated,
    Concatenate,
    Generic,
    NamedTuple,
    ParamSpec,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model

from tunewright.nouns import NOUNS, Digest, Entry, Noun
from tunewright.project import Project
from tunewright.shelf import Shelf
from tunewright.store import Step, Work, software
from tunewright.verbs._reads import READS

P = ParamSpec("P")
R = TypeVar("R", bound=Noun)


class Named(NamedTuple):
    """The name a face asks for when the user gives none."""

    name: str


class Key(Noun):
    """Names a piece of work by all it reads."""

    verb: str
    params: dict[str, JsonValue]
    inputs: tuple[Digest, ...]
    software: str


class Done(NamedTuple):
    """What came of a verb, and whether this call did it or an earlier one had."""

    noun: Noun
    before: int | None
    """Ledger entry that had done the very same work."""


class Verb(Generic[P, R]):
    """A function that leaves evidence."""

    def __init__(
        self, function: Callable[Concatenate[Step, Project, P], R], reads: tuple[str, ...], repeats: bool
    ) -> None:
        self.function = function
        self.reads = reads
        self.repeats = repeats
        self.name = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, project: Project, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do it, or give back what the same work gave before."""
        return cast(R, self.do(project, *args, **kwargs).noun)

    def do(self, project: Project, *args: P.args, **kwargs: P.kwargs) -> Done:
        """As calling, and says whether it had been done before."""
        work, params = self._work(
            project, inspect.signature(self.function).bind(None, project, *args, **kwargs)
        )
        before = None if self.repeats else project.ledger.done(work.key)
        if before is not None and before.outputs:
            noun = project.ledger.thing(before.outputs[-1])
            if noun is not None:
                self._point_back(project, work, params, before)
                return Done(noun, before.seq)
        with project.ledger.step(work, project.actor, params) as step:
            return Done(self.function(step, project, *args, **kwargs), None)

    def _point_back(self, project: Project, work: Work, params: dict[str, JsonValue], before: Entry) -> None:
        """Names that later work has moved since are pointed back; that is an entry of its own."""
        kinds = {name.partition("/")[0] for name in before.names}
        names = {kind: project.ledger.names(NOUNS[kind]) for kind in kinds}
        held = {f"{kind}/{name}": digest for kind in kinds for name, digest in names[kind].items()}
        if all(held.get(name) == digest for name, digest in before.names.items()):
            return
        called = {digest: name.partition("/")[2] for name, digest in before.names.items()}
        with project.ledger.step(work, project.actor, params) as step:
            for digest in before.outputs:
                if thing := project.ledger.thing(digest):
                    step.save(thing, called.get(digest, ""))

    def ask(self, project: Project, given: BaseModel) -> Done:
        """Call with names in place of things: how every face calls."""
        values: dict[str, object] = {name: getattr(given, name) for name in type(given).model_fields}
        for name, kind in self.nouns.items():
            values[name] = project.ledger.get(kind, str(values[name]))
        return self.do(project, **values)  # type: ignore[arg-type, call-arg]  # `given` was made from this signature

    @cached_property
    def nouns(self) -> dict[str, type[Noun]]:
        """Which parameters are things in the project; faces ask for those by name."""
        kinds = ((name, _bare(hint)) for name, hint in self._hints().items())
        return {name: kind for name, kind in kinds if inspect.isclass(kind) and issubclass(kind, Noun)}

    @cached_property
    def params(self) -> type[BaseModel]:
        """What a face must ask for, as a model: flags and HTTP body are made from it."""
        docs = _parameter_docs(self.function.__doc__ or "")
        defaults = inspect.signature(self.function).parameters
        fields: dict[str, tuple[object, object]] = {}
        for name, hint in self._hints().items():
            default: object = (
                ... if defaults[name].default is inspect.Parameter.empty else defaults[name].default
            )
            if name in self.nouns:
                named = [extra.name for extra in get_args(hint)[1:] if isinstance(extra, Named)]
                hint, default = str, named[0] if named else ...
            fields[name] = (hint, Field(default, description=docs.get(name, "")))
        model = create_model(self.name.title(), __config__=ConfigDict(extra="forbid"), **fields)  # type: ignore[call-overload]
        return cast(type[BaseModel], model)

    def _hints(self) -> dict[str, object]:
        hints = get_type_hints(self.function, include_extras=True)
        return {name: hints[name] for name in list(inspect.signature(self.function).parameters)[2:]}

    def _work(self, project: Project, given: inspect.BoundArguments) -> tuple[Work, dict[str, JsonValue]]:
        given.apply_defaults()
        params: dict[str, JsonValue] = {}
        inputs = list[Noun]()
        hints = self._hints()
        for name, value in list(given.arguments.items())[2:]:
            if isinstance(value, Noun):
                inputs.append(value)
                params[name] = value.digest
            elif value and "private" in getattr(hints[name], "__metadata__", ()):
                params[name] = f"commitment:{project.commit(value)}"
            else:
                params[name] = list(value) if isinstance(value, tuple) else value
        inputs += [noun for read in self.reads for noun in READS[read](project, given.arguments)]
        digests = tuple(dict.fromkeys(noun.digest for noun in inputs))
        key = Key(verb=self.name, params=params, inputs=digests, software=software())
        return Work(self.name, key.digest, digests), params


def verb(
    *, reads: tuple[str, ...] = (), repeats: bool = False
) -> Callable[[Callable[Concatenate[Step, Project, P], R]], Verb[P, R]]:
    """Make a verb of a function. `repeats`: the same call does something each time."""

    def make(function: Callable[Concatenate[Step, Project, P], R]) -> Verb[P, R]:
        return Verb(function, reads, repeats)

    return make


def _bare(hint: object) -> object:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _parameter_docs(doc: str) -> dict[str, str]:
    """Lines such as "    days: how far back to look" under "Parameters:"."""
    block = inspect.cleandoc(doc).partition("Parameters:\n")[2].partition("\n\n")[0]
    lines = (line.strip().partition(": ") for line in block.splitlines())
    return {name: text for name, _, text in lines if text}


verbs: Shelf[Verb[..., Noun]] = Shelf(__name__)
