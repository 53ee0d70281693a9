"""The HTTP face of the verbs: one route each, made from the verb. Names travel, never dotted paths."""

import inspect
from itertools import islice
from typing import Annotated, Literal, cast, get_type_hints

import anyio
import anyio.to_thread
from fastapi import Body, FastAPI, Query
from pydantic import BaseModel, create_model
from starlette.responses import JSONResponse, Response

from tunewright.errands import errands
from tunewright.errors import NotFound
from tunewright.http.door import Door
from tunewright.http.problems import Problem, problem, shape_errors
from tunewright.nouns import (
    Base,
    Channel,
    Dataset,
    Decision,
    Erasure,
    Model,
    Noun,
    Plan,
    Policy,
    Recipe,
    Release,
    Report,
)
from tunewright.project import Project
from tunewright.store import verify
from tunewright.verbs import Done, Verb, verbs

KINDS: dict[str, type[Noun]] = {
    "bases": Base,
    "channels": Channel,
    "datasets": Dataset,
    "decisions": Decision,
    "erasures": Erasure,
    "models": Model,
    "plans": Plan,
    "policies": Policy,
    "recipes": Recipe,
    "releases": Release,
    "reports": Report,
}
"""What can be listed, by its plural."""

PROBLEMS: dict[int | str, dict[str, object]] = {
    "default": {
        "description": "What went wrong, and what to do about it (RFC 9457).",
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
}


def app(project: Project, *, key: str = "", local: bool = True) -> FastAPI:
    """An app with a route for every verb (`POST /api/<verb>`) and for reading what they left.

    A verb answers with the thing it made, its `kind` and `digest`, and `done_before`: the ledger entry that
    had done the same work, or null. Verbs take turns, in a thread of their own. `key` is wanted of every
    request when it is not empty; `local` says that only this machine can ask.

    Limits: an answer comes when the work is done; a client that leaves does not stop it.
    """
    api = FastAPI(
        title=f"Tunewright: {project.settings.name}",
        description="What one does to a model. Each verb leaves an entry in the ledger.",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEMS,
    )
    api.add_middleware(Door, key=key, local=local, shape=problem)
    shape_errors(api, problem)
    turn = anyio.CapacityLimiter(1)
    for shelf in (verbs, errands):
        for name in shelf:
            _route(api, project, shelf[name], turn)

    @api.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether it answers."""
        return {"status": "ok", "project": project.settings.name}

    @api.get("/api/ledger", tags=["evidence"])
    def ledger(
        after: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> dict[str, object]:
        """Ledger entries after number `after`, oldest first, with the ledger's size and root."""
        size, root = project.ledger.root()
        entries = (entry for entry in project.ledger.entries() if entry.seq > after)
        return {"size": size, "root": root, "entries": [spell(entry) for entry in islice(entries, limit)]}

    @api.get("/api/verify", tags=["evidence"])
    def verification() -> dict[str, object]:
        """Recompute every digest; `problems` names what does not hold."""
        return verify(project.ledger)._asdict()

    @api.get("/api/trace/{ref}", tags=["evidence"])
    def trace(ref: str) -> dict[str, object]:
        """A thing, and every ledger entry that led to it, newest first."""
        thing = project.ledger.thing(ref) or next(
            (found for kind in KINDS.values() if (found := project.ledger.find(kind, ref))), None
        )
        if thing is None:
            raise NotFound(f"nothing called {ref!r}", hint="GET /api/ledger lists every output's digest")
        return {"thing": spell(thing), "history": [spell(e) for e in project.ledger.history(thing.digest)]}

    for plural, kind in KINDS.items():
        _readers(api, project, plural, kind)
    return api


def spell(noun: Noun) -> dict[str, object]:
    """A noun as JSON, with its kind and digest."""
    return {"kind": noun.kind, "digest": noun.digest, **noun.model_dump(mode="json")}


def _route(api: FastAPI, project: Project, verb: Verb[..., Noun], turn: anyio.CapacityLimiter) -> None:
    async def act(given: BaseModel) -> Response:
        done: Done = await anyio.to_thread.run_sync(verb.ask, project, given, limiter=turn)
        body = {**spell(done.noun), "done_before": done.before}
        return JSONResponse(body, 201 if done.before is None else 200)

    optional = not any(field.is_required() for field in verb.params.model_fields.values())
    act.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # how FastAPI learns the body
        [
            inspect.Parameter(
                "given",
                inspect.Parameter.KEYWORD_ONLY,
                annotation=Annotated[verb.params, Body()],
                default=verb.params() if optional else inspect.Parameter.empty,
            )
        ]
    )
    summary, _, about = inspect.cleandoc(verb.function.__doc__ or "").partition("\n\n")
    made = _spelled(cast(type[Noun], get_type_hints(verb.function)["return"]))
    api.post(
        f"/api/{verb.name}",
        name=verb.name,
        tags=["verbs"],
        summary=" ".join(summary.split()),
        description="\n\n".join(p for p in about.split("\n\n") if not p.startswith("Parameters:")),
        status_code=201,
        responses={201: {"model": made}, 200: {"model": made, "description": "It had been done before."}},
    )(act)


def _readers(api: FastAPI, project: Project, plural: str, kind: type[Noun]) -> None:
    def every() -> list[dict[str, object]]:
        pointed = project.ledger.names(kind)
        named = {digest: [n for n, d in pointed.items() if d == digest] for digest in pointed.values()}
        return [{**spell(noun), "names": named.get(noun.digest, [])} for noun in project.ledger.all(kind)]

    def one(ref: str) -> dict[str, object]:
        return spell(project.ledger.get(kind, ref))

    what = (kind.__doc__ or "").partition("\n")[0]
    api.get(f"/api/{plural}", name=plural, tags=["things"], summary=f"Every {kind.kind}", description=what)(
        every
    )
    api.get(
        f"/api/{plural}/{{ref}}", name=kind.kind, tags=["things"], summary=f"A {kind.kind}", description=what
    )(one)


def _spelled(kind: type[Noun]) -> type[BaseModel]:
    """The answer of a verb that makes this, for OpenAPI."""
    fields: dict[str, object] = {n: (f.annotation, f) for n, f in kind.model_fields.items()}
    own = {"kind": (Literal[kind.kind], ...), "digest": (str, ...), "done_before": (int | None, ...)}
    return cast(type[BaseModel], create_model(f"{kind.__name__}Done", **fields, **own))  # type: ignore[call-overload]
