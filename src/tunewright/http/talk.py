"""One exchange from question to answer, and the queue of those who wait for the model.

The model, the checks and the database work in threads; the event loop only passes on what they put out.
"""

import asyncio
import math
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from tunewright.gate import screen
from tunewright.http.chat import Answer, Chat, Finish
from tunewright.http.desk import Desk, Served
from tunewright.http.guard import Guard, Sieve
from tunewright.http.problems import Busy
from tunewright.nouns import Exchange, Message, Verdict
from tunewright.project import Project
from tunewright.runtimes import Reply

SORRY = "I'm sorry, but I can't help with that."


class End(NamedTuple):
    """How an answer ended."""

    text: str
    """The answer as a whole."""
    rest: str
    """What a stream has still to say."""
    finish: Finish
    tokens: int


class Talk:
    """One exchange. What is said to the model and by it is looked at; the exchange is kept before it ends.

    Errors: `Unsupported` when the request asks for what there is not.
    """

    def __init__(self, project: Project, desk: Desk, guard: Guard, asked: Chat) -> None:
        self.id = f"chatcmpl-{uuid4().hex}"
        self.at = datetime.now(UTC)
        self.said = asked.conversation()
        self.stop = threading.Event()
        """Set when nobody waits for the answer any more."""
        self.verdict = Verdict(action="allow")
        self.release = ""
        """Digest of the release that answers, once there is something to read."""
        self._project, self._desk, self._guard, self._asked = project, desk, guard, asked
        self._clock = time.monotonic()
        self._loop = asyncio.get_running_loop()
        self._events = asyncio.Queue[str | End | BaseException]()

    @property
    def answer(self) -> Answer:
        """How the answer is spelled."""
        created, channel = int(self.at.timestamp()), self._desk.channel
        return Answer(id=self.id, created=created, model=channel, release=self.release)

    async def event(self) -> str | End:
        """The next piece, or the end. Errors: whatever went wrong while answering."""
        item = await self._events.get()
        if isinstance(item, BaseException):
            raise item
        return item

    async def end(self) -> End:
        """The end, once it has come."""
        while not isinstance(item := await self.event(), End):
            pass
        return item

    def enter(self) -> None:
        """Look at everything the client sent; what is blocked is answered and kept at once."""
        self.verdict = self._guard.look(self.said, self.id)
        if self.verdict.action == "block":
            self.release = self._desk.release().digest
            self._finish(SORRY, SORRY, "content_filter", 0)

    def run(self) -> None:
        """Ask the model. Runs in the model's thread."""
        try:
            if not self.stop.is_set():
                self._answer(self._desk.served())
        except BaseException as error:
            self._put(error)

    def _answer(self, served: Served) -> None:
        self.release = served.release.digest
        longest = self._asked.longest(served.plan.max_tokens)
        count = _Count()
        sieve = Sieve(self._look, self._asked.stops)
        with closing(count.pieces(self._stream(served, longest))) as pieces:
            for piece in pieces:
                if self.stop.is_set():
                    break
                if ready := sieve.feed(piece):
                    self._put(ready)
                if sieve.over:
                    break
        rest = "" if sieve.over else sieve.end()
        self.verdict = screen(self._guard.policy, (*self.verdict.findings, *sieve.verdict.findings))
        if sieve.verdict.action == "block":
            gone = sieve.gone if self._asked.stream else ""
            self._finish(gone or SORRY, "" if gone else SORRY, "content_filter", count.seen)
        else:
            cut = count.cut(longest) and not sieve.stopped
            self._finish(sieve.gone, rest, "length" if cut else "stop", count.tokens)

    def _stream(self, served: Served, longest: int) -> Iterator[str]:
        return served.speaker.stream(
            served.before(self.said), max_tokens=longest, temperature=self._asked.temperature or 0
        )

    def _look(self, text: str) -> Verdict:
        """Look at an answer. A blocked one is withheld, so its findings point at no words."""
        verdict = self._guard.look([Message(role="assistant", content=text)], self.id, len(self.said))
        if verdict.action != "block":
            return verdict
        found = tuple(f.model_copy(update={"start": 0, "end": 0}) for f in verdict.findings)
        return verdict.model_copy(update={"findings": found})

    def _finish(self, text: str, rest: str, finish: Finish, tokens: int) -> None:
        person = self._asked.person
        exchange = Exchange(
            id=self.id,
            release=self.release,
            channel=self._desk.channel,
            at=self.at,
            messages=(*self.said, Message(role="assistant", content=text)),
            verdict=self.verdict,
            seconds=round(time.monotonic() - self._clock, 4),
            tokens=tokens,
            person=self._project.commit(person) if person else "",
            consent=self._asked.store is True,
        )
        self._project.traffic.add(exchange)
        self._put(End(text, rest, finish, tokens))

    def _put(self, item: str | End | BaseException) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._events.put_nowait, item)


class _Count:
    """Counts what a runtime says. One that returns a `Reply` at the end of its stream knows better."""

    def __init__(self) -> None:
        self.seen = 0
        self.reply: Reply | None = None

    def pieces(self, stream: Iterator[str]) -> Generator[str, None, None]:
        try:
            while True:
                piece = next(stream)
                self.seen += 1
                yield piece
        except StopIteration as end:
            self.reply = end.value if isinstance(end.value, Reply) else None
        finally:
            if isinstance(stream, Generator):
                stream.close()

    @property
    def tokens(self) -> int:
        return self.reply.tokens if self.reply else self.seen

    def cut(self, longest: int) -> bool:
        return not self.reply.finished if self.reply else self.seen >= longest


class Queue:
    """Those who wait for the model: one is answered at a time, in order, and not too many wait."""

    def __init__(self, waiting: int) -> None:
        self.inside = 0
        self._most = waiting + 1
        self._pace = 1.0
        self._lock = threading.Lock()
        self._talks = set[Talk]()
        self._pool = ThreadPoolExecutor(1, "model")

    def enter(self) -> None:
        """Take a place. Errors: `Busy` when there is none, with the seconds after which one may be free."""
        with self._lock:
            if self.inside >= self._most:
                raise Busy(
                    f"{self.inside} requests are waiting already",
                    hint="try again a little later",
                    seconds=max(1, math.ceil(self._pace * self.inside / 2)),
                )
            self.inside += 1

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self.inside -= 1

    def put(self, talk: Talk) -> None:
        """Answer this one when it is its turn; its place is given back then."""
        self._talks.add(talk)
        self._pool.submit(self._run, talk)

    def close(self) -> None:
        """Let the one that is being answered come to an end quickly, and the others go."""
        for talk in list(self._talks):
            talk.stop.set()
        self._pool.shutdown(wait=True)

    def _run(self, talk: Talk) -> None:
        began = time.monotonic()
        try:
            talk.run()
        finally:
            self._pace += 0.2 * (time.monotonic() - began - self._pace)
            self._talks.discard(talk)
            self.leave()
