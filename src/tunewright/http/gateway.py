"""The guarded door to a model: OpenAI's chat API, where everything said is looked at, judged and kept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from typing import Literal, TypeVar

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from tunewright.errors import NotFound, TunewrightError
from tunewright.http.chat import Chat
from tunewright.http.desk import Desk
from tunewright.http.door import Door
from tunewright.http.guard import Guard
from tunewright.http.problems import Elsewhere, bug, openai_error, shape_errors
from tunewright.http.talk import End, Queue, Talk
from tunewright.nouns import Feedback
from tunewright.project import Project

T = TypeVar("T")


class Word(BaseModel):
    """A person's word on an answer."""

    model_config = ConfigDict(extra="forbid")

    exchange: str = Field(description="The answer's id.", max_length=64)
    thumb: Literal["up", "down"]
    correction: str = Field("", description="What the answer should have been.", max_length=100_000)
    consent: bool = Field(False, description="Whether this exchange may be learnt from.")


def gateway(
    project: Project, channel: str = "production", *, key: str = "", local: bool = True, waiting: int = 16
) -> FastAPI:
    """An app that answers on a channel with the release it points at.

    `GET /v1/models`, `POST /v1/chat/completions` and `POST /v1/feedback`; `GET /healthz` needs no key. The
    release is loaded, and compared with what was measured, before this returns. `key` is wanted of every
    request when it is not empty; `local` says that only this machine can ask; when more than `waiting`
    requests wait for the model, the next is told to come again.

    Errors: `NotFound` when nothing is served on the channel, `Refused` when the release does not answer as it
    was measured, `BadInput` when `policy.serve` names what cannot look at a message.

    Limits: one model and one question at a time; tokens of the question are not counted.
    """
    guard = Guard(project.policy())
    desk = Desk(project, channel)
    desk.served()
    queue = Queue(waiting)

    @contextlib.asynccontextmanager
    async def life(_api: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(queue.close)

    api = FastAPI(title=f"{project.settings.name}: {channel}", docs_url=None, redoc_url=None, lifespan=life)
    api.add_middleware(Door, key=key, local=local, shape=openai_error)
    shape_errors(api, openai_error)

    @api.get("/healthz")
    def healthz() -> dict[str, str | int]:
        """Whether it answers, and with which release."""
        return {**desk.state(), "waiting": queue.inside}

    @api.get("/v1/models")
    def models() -> dict[str, object]:
        """The one model there is: the channel."""
        return {"object": "list", "data": [_model(desk)]}

    @api.get("/v1/models/{name}")
    def model(name: str) -> dict[str, object]:
        """The channel as a model."""
        _same(name, channel)
        return _model(desk)

    @api.post("/v1/chat/completions", response_model=None)
    async def chat(asked: Chat, request: Request) -> Response:
        """The next turn of a conversation: looked at, answered, looked at again, and kept."""
        _same(asked.model, channel)
        talk = Talk(project, desk, guard, asked)
        queue.enter()
        waits = False
        try:
            await run_in_threadpool(talk.enter)
            if waits := talk.verdict.action != "block":
                queue.put(talk)
        finally:
            if not waits:
                queue.leave()
        if asked.stream:
            first = await _unless_gone(request, talk, talk.event())
            return GONE if first is None else _streamed(talk, first, asked.wants_usage)
        end = await _unless_gone(request, talk, talk.end())
        return GONE if end is None else JSONResponse(talk.answer.whole(end.text, end.finish, end.tokens))

    @api.post("/v1/feedback", status_code=201)
    def feedback(word: Word) -> dict[str, str]:
        """Say what you think of an answer, and whether it may be learnt from. The last word counts."""
        if project.traffic.get(word.exchange).channel != channel:
            raise NotFound(f"no exchange {word.exchange!r} on this channel", hint="was it erased?")
        project.traffic.say(Feedback(at=datetime.now(UTC), **word.model_dump()))
        return {"exchange": word.exchange, "thumb": word.thumb}

    return api


GONE = Response(status_code=499)
"""Nobody is there to read it."""


def _streamed(talk: Talk, first: str | End, wants_usage: bool) -> Response:
    async def events() -> AsyncIterator[bytes]:
        item, answer = first, talk.answer
        try:
            yield answer.piece("", first=True)
            while isinstance(item, str):
                yield answer.piece(item)
                item = await talk.event()
            if item.rest:
                yield answer.piece(item.rest)
            yield answer.piece(None, item.finish)
            if wants_usage:
                yield answer.cost(item.tokens)
            yield b"data: [DONE]\n\n"
        except Exception as error:  # the status is long sent; clients look for this
            ours = error if isinstance(error, TunewrightError) else bug(error)
            yield b"data: " + bytes(openai_error(ours).body) + b"\n\n"
            if ours is not error:
                raise
        finally:
            talk.stop.set()

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _unless_gone(request: Request, talk: Talk, wanted: Coroutine[None, None, T]) -> T | None:
    """What is waited for, or None when the client left before it came; then the model is told to stop."""
    asking, leaving = asyncio.create_task(wanted), asyncio.create_task(_leaves(request))
    try:
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        talk.stop.set()
        return None
    except asyncio.CancelledError:
        talk.stop.set()
        raise
    finally:
        asking.cancel()
        leaving.cancel()


async def _leaves(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _same(name: str, channel: str) -> None:
    if name != channel:
        raise Elsewhere(
            404, f"no model called {name!r}", hint=f"the model here is {channel!r}", code="model_not_found"
        )


def _model(desk: Desk) -> dict[str, object]:
    release = desk.release()
    return {
        "id": desk.channel,
        "object": "model",
        "created": 0,
        "owned_by": "tunewright",
        "release": release.digest,
    }
