"""Tells the story of a project again and again, killing it each time at another moment, until it ends.

    python _killer.py FOLDER SEED [--forget PERSON]

A process is killed by SIGKILL either at its n-th touch of a file or the database (counted from outside, by
audit hooks and SQLAlchemy's events), or after some milliseconds, wherever it may be then. After each death
another process looks at what is left. Prints one line of JSON.
"""

import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

import tunewright as tw
from tunewright.bases import bases
from tunewright.checks import checks
from tunewright.documents import documents
from tunewright.errors import NotFound
from tunewright.runtimes import runtimes
from tunewright.sources import sources
from tunewright.suites import suites
from tunewright.trainers import trainers


def tell(folder: Path, person: str) -> None:
    """The story from beginning to end; what is done already is skipped."""
    project = tw.open(folder, actor="ada")
    list(tw.run(project))
    if person:
        with suppress(NotFound):
            tw.forget(project, person)
        list(tw.run(project))
    project.close()


def die_at(folder: Path, moment: int) -> None:
    """Kill this process at its `moment`-th touch of the project."""
    left = [moment]

    def tick(*_: object, **__: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(name: str, args: tuple[object, ...]) -> None:
        if name.startswith(("open", "os.", "shutil.", "sqlite3.")) and any(
            str(folder) in str(a) for a in args
        ):
            tick()

    sys.addaudithook(hear)
    for moment_of_database in (
        "begin",
        "before_cursor_execute",
        "after_cursor_execute",
        "commit",
        "rollback",
    ):
        event.listen(Engine, moment_of_database, tick)


def fork(act: Callable[[], object], *, kill_after: float = 0) -> tuple[int, str]:
    """Do this in a process of its own; returns how it ended and what it said."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        try:
            said = act()
            os.write(write, json.dumps(said).encode())
            os._exit(0)
        except BaseException:
            os.write(write, traceback.format_exc()[-2000:].encode())
            os._exit(1)
    os.close(write)
    if kill_after:
        threading.Event().wait(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def look(folder: Path) -> dict[str, object]:
    """What is left: is it sound, and which work was done?"""
    project = tw.open(folder, actor="ada")
    entries = [(e.verb, e.outcome, e.key) for e in project.ledger.entries()]
    problems = tw.verify(project).problems
    project.close()
    return {"entries": entries, "problems": problems}


def warm() -> None:
    """Import what the story imports, once for all processes."""
    for shelf in (bases, checks, documents, runtimes, sources, suites, trainers):
        for name in shelf:
            if name in {"echo", "jsonl", "golden", "loss", "speed"} or shelf in (checks, documents):
                shelf[name]
    create_engine("sqlite://").dispose()


def main() -> None:
    warm()
    folder, chance, person = Path(sys.argv[1]), random.Random(int(sys.argv[2])), ""
    if "--forget" in sys.argv:
        person = sys.argv[-1]
    kills, looks, patience = 0, list[object](), 60
    while True:
        patience += 30 if person else 14  # so that it ends, however unlucky
        if chance.random() < 0.25:
            code, said = fork(lambda: tell(folder, person), kill_after=chance.uniform(0.005, 0.4))
        else:
            moment = chance.randint(1, patience)
            code, said = fork(lambda: (die_at(folder, moment), tell(folder, person)))  # noqa: B023
        found, told = fork(lambda: look(folder))
        looks.append(json.loads(told) if found == 0 else {"entries": [], "problems": [told]})
        if code != -signal.SIGKILL:
            break
        kills += 1
    print(
        json.dumps(
            {"kills": kills, "code": code, "said": said, "looks": looks, "seconds": time.process_time()}
        )
    )


if __name__ == "__main__":
    main()
