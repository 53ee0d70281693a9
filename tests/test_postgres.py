"""The same story on PostgreSQL: a server of our own, on loopback, for as long as these tests run."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import tunewright as tw
from tunewright.errors import BadInput, NotFound
from tunewright.nouns import Dataset, Release
from tunewright.store import verify
from tunewright.store.tables import meta

REMEDY = "PostgreSQL's initdb and pg_ctl were not found: apt-get install postgresql"


def binary(name: str) -> str:
    """Where a program of PostgreSQL is; the server's own are seldom on PATH."""
    for place in (
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *map(Path, os.get_exec_path()),
    ):
        if (place / name).is_file():
            return str(place / name)
    if os.environ.get("CI"):
        pytest.fail(REMEDY)
    pytest.skip(REMEDY)


def user() -> str:
    """Somebody other than root, whom the server refuses to run as."""
    if os.geteuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def as_user(*command: str) -> None:
    who = user()
    full = (
        ["setpriv", f"--reuid={who}", f"--regid={pwd.getpwnam(who).pw_gid}", "--clear-groups", *command]
        if who
        else command
    )
    done = subprocess.run(full, capture_output=True, text=True, cwd="/", timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of a fresh server without a password, which only this machine can reach."""
    initdb, pg_ctl = binary("initdb"), binary("pg_ctl")
    import tempfile

    home = Path(tempfile.mkdtemp(prefix="tw-pg-", dir="/tmp"))  # sockets have short names
    if who := user():
        shutil.chown(home, who)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        as_user(initdb, "-D", str(home / "data"), "-U", "tw", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB"
        as_user(pg_ctl, "-D", str(home / "data"), "-l", str(home / "log"), "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://tw@127.0.0.1:{port}/postgres"
        finally:
            as_user(pg_ctl, "-D", str(home / "data"), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """An empty database."""
    yield server
    engine = create_engine(server)
    meta.drop_all(engine)
    engine.dispose()


@pytest.fixture
def shop(folder: Path, url: str) -> Iterator[tw.Project]:
    project = tw.open(folder, url=url, actor="ada")
    yield project
    project.close()


def test_the_whole_story_on_postgres(folder: Path, shop: tw.Project) -> None:
    (folder / "data" / "carol.jsonl").write_text(
        '{"prompt": "Hello?", "completion": "Hi.", "customer": "carol"}'
    )
    assert [c.before for c in tw.run(shop)] == [None] * 5
    assert [c.before for c in tw.run(shop)] == [1, 2, 3, 4, 5]
    release = shop.ledger.get(Release, "latest")
    assert shop.ledger.get(Release, release.digest[:8]) == release
    assert tw.serve(shop, release).release == release.digest
    assert tw.watch(shop).facts["exchanges"] == 0
    assert tw.forget(shop, "carol").records == 1
    with pytest.raises(NotFound):
        tw.forget(shop, "carol")
    assert [c.before for c in tw.run(shop)] == [None] * 5
    assert [e.seq for e in shop.ledger.entries()] == list(range(1, 15))
    assert tw.verify(shop).problems == []
    assert not (folder / ".tunewright" / "tunewright.db").exists()


def test_what_is_changed_behind_our_back_is_named_on_postgres_too(shop: tw.Project) -> None:
    list(tw.run(shop))
    changes = {
        "UPDATE ledger SET body = replace(body, 'ada', 'eve') WHERE seq = 2": "entry 2 does not follow",
        "UPDATE things SET body = body || ' ' WHERE kind = 'recipe'": "was changed",
        "UPDATE ledger SET peaks = '[' WHERE seq = 3": "ledger entry 3 does not follow",
        "DELETE FROM ledger WHERE seq = 2": "ledger entry 2 is gone",
        "UPDATE names SET digest = repeat('0', 64) WHERE kind = 'release'": "name release/latest points",
        "DELETE FROM things WHERE kind = 'model'": "of ledger entry 3 is gone",
    }
    for statement, problem in changes.items():
        with shop.ledger.engine.connect() as db:
            copies = {
                t: db.execute(text(f"SELECT * FROM {t}")).mappings().all()
                for t in ("ledger", "things", "names")
            }
        with shop.ledger.engine.begin() as db:
            db.execute(text(statement))
        assert any(problem in told for told in verify(shop.ledger).problems), statement
        with shop.ledger.engine.begin() as db:
            for table, rows in copies.items():
                db.execute(text(f"DELETE FROM {table}"))
                db.execute(meta.tables[table].insert(), [dict(row) for row in rows])
        assert verify(shop.ledger).problems == []


def test_a_step_that_fails_leaves_its_entry_on_postgres_too(shop: tw.Project) -> None:
    with pytest.raises(NotFound):
        tw.watch(shop)
    assert [(e.verb, e.outcome) for e in shop.ledger.entries()] == [("watch", "failed")]
    assert tw.verify(shop).problems == []


def test_processes_that_write_at_once_on_postgres(
    folder: Path, url: str, together: Callable[..., None]
) -> None:
    """They also create the tables at the same moment."""
    together(folder, url, writers=3, count=12)
    project = tw.open(folder, url=url, actor="ada")
    assert [e.seq for e in project.ledger.entries()] == list(range(1, 37))
    assert tw.verify(project).problems == []
    assert project.ledger.find(Dataset, "nothing") is None
    project.close()


def test_a_server_that_is_not_there_says_so_without_its_password(folder: Path, server: str) -> None:
    wrong = server.replace("tw@", "tw:hunter2@").rsplit("/", 1)[0] + "/no_such_database"
    with pytest.raises(BadInput, match="cannot be opened") as raised:
        tw.open(folder, url=wrong)
    assert "hunter2" not in str(raised.value)
