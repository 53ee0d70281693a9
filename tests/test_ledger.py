"""Only a Step writes evidence: all that was saved, its names and one entry in one transaction, or nothing."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.errors import BadInput, Exhausted, NotFound, Refused
from tunewright.nouns import Channel, Entry, Recipe, Release
from tunewright.store import Blobs, Ledger, Step, Work, connect, merkle, verify

KEY = "c0ffee".ljust(64, "0")


def work(verb: str = "tune", key: str = KEY) -> Work:
    return Work(verb, key, ())


def channel(name: str = "production", letter: str = "a") -> Channel:
    return Channel(name=name, release=letter * 64)


def rows(store: Ledger, table: str) -> int:
    with store.engine.connect() as db:
        return int(db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


@pytest.fixture
def store(project: tw.Project) -> Ledger:
    return project.ledger


def test_an_empty_ledger_has_the_root_of_an_empty_tree(store: Ledger) -> None:
    assert store.root() == (0, merkle.EMPTY)
    assert verify(store).problems == []


def test_a_step_saves_things_names_and_one_entry(store: Ledger) -> None:
    with store.step(work(), "ada", {"seed": 1}) as step:
        assert step.use(channel("used")) == channel("used")
        step.save(channel(), "production")
        step.save(channel("canary", "b"))
    (entry,) = store.entries()
    assert (entry.seq, entry.verb, entry.actor, entry.outcome, entry.note) == (1, "tune", "ada", "done", "")
    assert entry.outputs == (channel().digest, channel("canary", "b").digest)
    assert entry.inputs == (channel("used").digest,)
    assert entry.names == {"channel/production": channel().digest}
    assert entry.params == {"seed": 1}
    assert store.get(Channel, "production") == channel()
    assert store.names(Channel) == {"production": channel().digest}
    assert store.thing(channel("used").digest) is None
    assert verify(store).problems == []


@pytest.mark.parametrize(
    ("error", "outcome", "note"),
    [
        (Refused("too weak", hint="h"), "refused", "too weak"),
        (BadInput("line 3", hint="h"), "failed", "BadInput: line 3"),
        (ValueError("carol@example.com wrote this"), "failed", "ValueError"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt"),
        (SystemExit(3), "failed", "SystemExit"),
    ],
)
def test_a_step_that_does_not_end_well_leaves_its_entry_and_nothing_else(
    store: Ledger, error: BaseException, outcome: str, note: str
) -> None:
    erased = list[str]()

    def ends_badly() -> None:
        with store.step(work(), "ada", {}) as step:
            step.save(channel(), "production")
            step.afterwards(lambda: erased.append("x"))
            raise error

    with pytest.raises(type(error)):
        ends_badly()
    (entry,) = store.entries()
    assert (entry.outcome, entry.note, entry.outputs, entry.names) == (outcome, note, (), {})
    assert (rows(store, "things"), rows(store, "names"), erased) == (0, 0, [])
    assert store.done(KEY) is None
    assert verify(store).problems == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError()])
def test_a_full_disk_or_memory_is_exhausted_whatever_raised_it(store: Ledger, error: Exception) -> None:
    with pytest.raises(Exhausted) as raised, store.step(work(), "ada", {}):
        raise error
    assert raised.value.hint
    assert [e.outcome for e in store.entries()] == ["failed"]


def test_the_last_acts_come_after_the_entry(store: Ledger) -> None:
    seen = list[int]()
    with store.step(work(), "ada", {}) as step:
        step.afterwards(lambda: seen.append(len(list(store.entries()))))
        assert seen == []
    assert seen == [1]


def test_saving_the_same_thing_twice_keeps_it_once(store: Ledger) -> None:
    for _ in range(2):
        with store.step(work(), "ada", {}) as step:
            step.save(channel(), "production")
            step.save(channel(), "production")
    assert rows(store, "things") == 1
    assert [e.outputs for e in store.entries()] == [(channel().digest,)] * 2


def test_entries_are_numbered_without_a_gap_and_each_has_its_root(store: Ledger) -> None:
    roots = list[str]()
    for number in range(1, 10):
        with store.step(work(), "ada", {}) as step:
            step.save(channel(str(number)))
        size, root = store.root()
        assert size == number
        roots.append(root)
    assert len(set(roots)) == 9
    leaves = [merkle.leaf(entry.canonical) for entry in store.entries()]
    peaks: merkle.Peaks = ()
    for size, leaf in enumerate(leaves):
        peaks = merkle.append(peaks, size, leaf)
        assert merkle.root(peaks) == roots[size]


def test_work_is_done_when_its_things_and_blobs_are_still_there(project: tw.Project) -> None:
    dataset = tw.gather(project)
    (entry,) = project.ledger.entries()
    assert project.ledger.done(entry.key) == entry
    assert project.ledger.done("0" * 64) is None
    project.ledger.blobs.erase(dataset.records)
    assert project.ledger.done(entry.key) is None


def test_a_thing_is_found_by_its_name_or_the_beginning_of_its_digest(store: Ledger) -> None:
    with store.step(work(), "ada", {}) as step:
        step.save(channel(), "production")
    digest = channel().digest
    for ref in ("production", digest, digest[:6], digest[:20]):
        assert store.get(Channel, ref) == channel()
    for ref in ("product", digest[:5], digest[:6] + "%", "%", "______", "", digest.upper()[:8] + "x"):
        assert store.find(Channel, ref) is None
    with pytest.raises(NotFound, match="no recipe called 'production'") as raised:
        store.get(Recipe, "production")
    assert raised.value.hint == "tunewright list recipe"


def test_history_tells_what_led_to_a_thing_newest_first(project: tw.Project) -> None:
    list(tw.run(project))
    release = project.ledger.get(Release, "latest")
    verbs = [entry.verb for entry in project.ledger.history(release.digest)]
    assert verbs == ["release", "evaluate", "tune", "vet", "gather"]
    model = project.ledger.history(release.model)
    assert [entry.verb for entry in model] == ["tune", "vet", "gather"]


def test_a_failure_while_writing_leaves_neither_things_nor_entry(
    store: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = Step.flush

    def flush_and_die(self: Step, db: object) -> None:
        flush(self, db)  # type: ignore[arg-type]
        raise RuntimeError("power cut")

    monkeypatch.setattr(Step, "flush", flush_and_die)
    with pytest.raises(RuntimeError, match="power cut"), store.step(work(), "ada", {}) as step:
        step.save(channel(), "production")
    assert [rows(store, table) for table in ("things", "names", "ledger")] == [0, 0, 0]


# ── several at once ─────────────────────────────────────────────────────────────────────────────


def test_processes_that_write_at_once_number_their_entries_one_after_the_other(
    folder: Path, reopen: Callable[[], tw.Project], together: Callable[..., None]
) -> None:
    """The database does not exist yet when they begin, nor does the key."""
    together(folder, "", writers=3, count=15)
    project = reopen()
    entries = list(project.ledger.entries())
    assert [e.seq for e in entries] == list(range(1, 46))
    for who in ("w0", "w1", "w2"):
        assert [e.params["n"] for e in entries if e.actor == who] == list(range(15))
        assert project.ledger.get(Channel, who).name == f"{who}-14"
    assert verify(project.ledger).problems == []


def test_a_writer_waits_for_another_and_readers_do_not(store: Ledger, folder: Path) -> None:
    with store.step(work(), "ada", {}) as step:
        step.save(channel())
    other = Ledger(connect(f"sqlite:///{folder / '.tunewright' / 'tunewright.db'}"), Blobs(folder / "b"))
    with store.engine.begin() as db:
        db.exec_driver_sql("DELETE FROM names WHERE name = 'nobody'")
        assert [e.seq for e in other.entries()] == [1]
    other.engine.dispose()


def test_a_ledger_never_written_by_hand_is_readable_by_hand(store: Ledger, folder: Path) -> None:
    with store.step(work(), "ada", {}) as step:
        step.save(channel(), "production")
    raw = sqlite3.connect(folder / ".tunewright" / "tunewright.db")
    (body,) = raw.execute("SELECT body FROM ledger").fetchone()
    raw.close()
    assert next(iter(store.entries())).canonical.decode() == body
    assert Entry.kind in body
