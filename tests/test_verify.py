"""Whatever is changed, removed or smuggled in behind our back, `verify` names it, and never falls over."""

import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

import tunewright as tw
from tunewright.errors import TunewrightError
from tunewright.nouns import Channel, Dataset, Erasure, Release
from tunewright.project import Project
from tunewright.store import Blobs, Ledger, connect, verify


@pytest.fixture(scope="module")
def finished(make: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose whole story was told, with a person forgotten; copied by each test, never changed."""
    folder = make(tmp_path_factory.mktemp("finished"), customer="carol@example.com")
    project = tw.open(folder, actor="ada", url=f"sqlite:///{folder / '.tunewright' / 'tunewright.db'}")
    list(tw.run(project))
    tw.serve(project, project.ledger.get(Release, "latest"))
    tw.watch(project)
    tw.forget(project, "carol@example.com")
    list(tw.run(project))
    with project.ledger.engine.begin() as db:
        db.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    yield project
    project.close()


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Iterator[Ledger]:
    """The store of that project, copied: to be tampered with."""
    shutil.copytree(finished.state / "blobs", tmp_path / "blobs")
    shutil.copy(finished.state / "tunewright.db", tmp_path / "copy.db")
    engine = connect(f"sqlite:///{tmp_path / 'copy.db'}")
    yield Ledger(engine, Blobs(tmp_path / "blobs"))
    engine.dispose()


def problems(store: Ledger) -> list[str]:
    return verify(store).problems


def test_an_untouched_project_has_no_problems(copy: Ledger, finished: Project) -> None:
    found = tw.verify(finished)
    assert found.problems == problems(copy) == []
    assert found.entries == len(list(finished.ledger.entries())) == 13
    assert found.things > 15
    assert found.blobs > 10
    assert (found.entries, found.root) == finished.ledger.root()


# ── rows ────────────────────────────────────────────────────────────────────────────────────────

CELLS = {
    "things": ("digest", ("body", "kind", "digest")),
    "ledger": ("seq", ("body", "root", "peaks", "key")),
    "names": ("name", ("digest", "name", "kind")),
}


def cells(store: Ledger) -> list[tuple[str, str, object, bytes]]:
    """Every cell of every row that is evidence: table, column, key of the row, bytes."""
    found = list[tuple[str, str, object, bytes]]()
    with store.engine.connect() as db:
        for table, (key, columns) in CELLS.items():
            for row in db.execute(text(f"SELECT rowid AS at, * FROM {table} ORDER BY {key}")).mappings():
                found += [(table, column, row["at"], str(row[column]).encode()) for column in columns]
    return found


def owner(store: Ledger, table: str, rowid: object) -> list[str]:
    """What a problem with this row must name."""
    with store.engine.connect() as db:
        row = db.execute(text(f"SELECT * FROM {table} WHERE rowid = :r"), {"r": rowid}).mappings().one()
    if table == "ledger":
        return [f"ledger entry {row['seq']} "]
    if table == "names":
        return [f"name {row['kind']}/{row['name']} "]
    return [row["digest"][:12]]


def put(store: Ledger, table: str, column: str, rowid: object, value: object) -> None:
    with store.engine.begin() as db:
        statement = f"UPDATE {table} SET {column} = :v WHERE rowid = :r"
        if isinstance(value, bytes):
            statement = statement.replace(":v", "CAST(:v AS TEXT)")
        db.execute(text(statement), {"v": value, "r": rowid})


def test_one_changed_byte_anywhere_is_noticed_and_the_row_is_named(copy: Ledger) -> None:
    chance = random.Random(6962)
    every = cells(copy)
    positions = [(cell, chance.randrange(len(cell[3]))) for cell in every]  # each cell at least once
    positions += [(cell, chance.randrange(len(cell[3]))) for cell in chance.choices(every, k=150)]
    assert len(positions) >= 250
    for (table, column, rowid, before), at in positions:
        names = owner(copy, table, rowid)
        other = bytes([before[at] ^ (1 << chance.randrange(8))])
        put(copy, table, column, rowid, before[:at] + other + before[at + 1 :])
        found = problems(copy)
        assert any(name in problem for name in names for problem in found), (table, column, rowid, at, found)
        put(copy, table, column, rowid, before.decode())
    assert problems(copy) == []


NONSENSE = [
    "",
    "{}",
    "[]",
    "null",
    "7",
    '"x"',
    "[1, 2]",
    '["zz"]',
    "{" * 3000,
    b"\xff\xfe\x00",
    None,
    3.5,
    "[" * 9999,
]


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:12])
def test_nonsense_in_a_row_is_a_problem_and_not_a_crash(copy: Ledger, value: object) -> None:
    value = value[:3000] if isinstance(value, str) else value
    for table, column in (("things", "body"), ("things", "kind"), ("ledger", "body"), ("ledger", "peaks")):
        with copy.engine.connect() as db:
            middle = db.execute(text(f"SELECT rowid FROM {table} LIMIT 1 OFFSET 2")).scalar_one()
            before = db.execute(text(f"SELECT {column} FROM {table} WHERE rowid = {middle}")).scalar_one()
        names = owner(copy, table, middle)
        if value is None:
            put(copy, table, column, middle, "null")
        else:
            put(copy, table, column, middle, value)
        found = problems(copy)
        assert any(name in problem for name in names for problem in found), (table, column, found)
        put(copy, table, column, middle, before)
    assert problems(copy) == []


def test_text_that_became_a_blob_of_the_same_bytes_is_noticed(copy: Ledger) -> None:
    with copy.engine.begin() as db:
        db.execute(text("UPDATE things SET body = CAST(body AS BLOB) WHERE kind = 'channel'"))
    assert any("channel" in problem and "was changed" in problem for problem in problems(copy))


def test_only_the_tampered_entry_is_named(copy: Ledger) -> None:
    for column, value in (("body", "{}"), ("root", "0" * 64), ("peaks", "[]"), ("key", "0" * 64)):
        with copy.engine.connect() as db:
            before = db.execute(text(f"SELECT {column} FROM ledger WHERE seq = 4")).scalar_one()
        put(copy, "ledger", column, 4, value)
        about_entries = [p for p in problems(copy) if p.startswith("ledger entr")]
        assert about_entries == ["ledger entry 4 does not follow from the entries before it"]
        put(copy, "ledger", column, 4, before)


def test_a_rewritten_word_in_an_entry_is_noticed(copy: Ledger) -> None:
    with copy.engine.begin() as db:
        db.execute(text("UPDATE ledger SET body = replace(body, '\"ada\"', '\"eve\"') WHERE seq = 3"))
    assert problems(copy) == ["ledger entry 3 does not follow from the entries before it"]


@pytest.mark.parametrize("seq", range(1, 13))
def test_a_removed_entry_is_named(copy: Ledger, seq: int) -> None:
    with copy.engine.begin() as db:
        db.execute(text("DELETE FROM ledger WHERE seq = :s"), {"s": seq})
    found = problems(copy)
    assert f"ledger entry {seq} is gone before entry {seq + 1}" in found
    assert not any("does not follow" in problem for problem in found)


def test_several_removed_entries_are_named(copy: Ledger) -> None:
    with copy.engine.begin() as db:
        db.execute(text("DELETE FROM ledger WHERE seq IN (2, 3, 4, 7)"))
    found = problems(copy)
    assert "ledger entries 2 to 4 are gone before entry 5" in found
    assert "ledger entry 7 is gone before entry 8" in found


def test_cutting_off_the_end_is_seen_by_whoever_kept_the_count_and_root(copy: Ledger) -> None:
    size, root = copy.root()
    with copy.engine.begin() as db:
        db.execute(text("DELETE FROM ledger WHERE seq = :s"), {"s": size})
    assert copy.root() != (size, root)
    assert verify(copy).entries == size - 1


def test_two_entries_that_changed_places_are_noticed(copy: Ledger) -> None:
    with copy.engine.begin() as db:
        db.execute(text("UPDATE ledger SET seq = 99 WHERE seq = 3"))
        db.execute(text("UPDATE ledger SET seq = 3 WHERE seq = 4"))
        db.execute(text("UPDATE ledger SET seq = 4 WHERE seq = 99"))
    found = problems(copy)
    assert "ledger entry 3 does not follow from the entries before it" in found
    assert "ledger entry 4 does not follow from the entries before it" in found


@pytest.mark.parametrize("seq", [-1, 0, 1000])
def test_an_entry_with_an_impossible_number_is_noticed(copy: Ledger, seq: int) -> None:
    with copy.engine.begin() as db:
        db.execute(
            text("INSERT INTO ledger SELECT :s, key, body, root, peaks FROM ledger WHERE seq = 2"), {"s": seq}
        )
    assert any(f"entry {seq}" in problem for problem in problems(copy))


def test_every_removed_thing_is_named(copy: Ledger) -> None:
    with copy.engine.connect() as db:
        rows = db.execute(text("SELECT digest, kind, body FROM things")).mappings().all()
    for row in rows:
        with copy.engine.begin() as db:
            db.execute(text("DELETE FROM things WHERE digest = :d"), {"d": row["digest"]})
        assert any(
            re.match(rf"thing {row['digest'][:12]} of ledger entry \d+ is gone", p) for p in problems(copy)
        )
        with copy.engine.begin() as db:
            db.execute(text("INSERT INTO things VALUES (:digest, :kind, :body)"), dict(row))
    assert problems(copy) == []


def test_a_thing_that_nobody_saved_is_named(copy: Ledger) -> None:
    smuggled = Channel(name="production", release="7" * 64)
    row = {"d": smuggled.digest, "b": smuggled.canonical.decode()}
    with copy.engine.begin() as db:
        db.execute(text("INSERT INTO things VALUES (:d, 'channel', :b)"), row)
    assert problems(copy) == [f"channel {smuggled.digest[:12]} was saved by no entry"]


def test_an_erasure_that_nobody_saved_excuses_no_missing_blob(copy: Ledger, finished: Project) -> None:
    model = finished.ledger.all(Release)[-1]
    excuse = finished.ledger.all(Erasure)[0].model_copy(update={"blobs": (model.model_card,)})
    row = {"d": excuse.digest, "b": excuse.canonical.decode()}
    with copy.engine.begin() as db:
        db.execute(text("INSERT INTO things VALUES (:d, 'erasure', :b)"), row)
    copy.blobs.path(model.model_card).unlink()
    assert f"blob {model.model_card[:12]} of release {model.digest[:12]} is gone" in problems(copy)


def test_a_thing_filed_under_another_kind_is_named(copy: Ledger) -> None:
    with copy.engine.begin() as db:
        db.execute(text("UPDATE things SET kind = 'policy' WHERE kind = 'recipe'"))
    assert any(p.startswith("policy ") and p.endswith("was changed") for p in problems(copy))


def test_names_that_moved_or_went_are_named(copy: Ledger) -> None:
    with copy.engine.begin() as db:
        db.execute(text("UPDATE names SET digest = :d WHERE name = 'latest'"), {"d": "0" * 64})
        db.execute(text("DELETE FROM names WHERE name = 'production'"))
        db.execute(text("INSERT INTO names VALUES ('model', 'mine', :d)"), {"d": "0" * 64})
    assert sorted(problems(copy)) == [
        "name channel/production is gone",
        "name model/mine points where no entry pointed it",
        "name release/latest points where no entry pointed it",
    ]


# ── blobs ───────────────────────────────────────────────────────────────────────────────────────


def blobs(store: Ledger) -> list[Path]:
    return sorted(
        path for shelf in store.blobs.root.iterdir() for path in shelf.iterdir() if len(path.name) == 64
    )


def test_a_changed_byte_in_any_blob_is_named(copy: Ledger) -> None:
    chance = random.Random(1)
    for blob in blobs(copy):
        files = [blob] if blob.is_file() else [p for p in blob.rglob("*") if p.is_file()]
        for file in files:
            before = file.read_bytes()
            at = chance.randrange(len(before)) if before else 0
            file.write_bytes(before[:at] + bytes([(before[at : at + 1] or b"\0")[0] ^ 1]) + before[at + 1 :])
            found = [p for p in problems(copy) if blob.name[:12] in p]
            assert len(found) == 1
            assert found[0].endswith("is not what it was")
            file.write_bytes(before)
    assert problems(copy) == []


def test_a_removed_blob_is_named(copy: Ledger, tmp_path: Path) -> None:
    for blob in blobs(copy):
        blob.rename(tmp_path / "aside")
        assert [p for p in problems(copy) if blob.name[:12] in p and p.endswith("is gone")]
        (tmp_path / "aside").rename(blob)


def test_a_file_added_to_removed_from_or_renamed_in_a_folder_is_named(copy: Ledger) -> None:
    folder = next(blob for blob in blobs(copy) if blob.is_dir())
    file = next(p for p in folder.rglob("*") if p.is_file())
    content = file.read_bytes()
    told = f"blob {folder.name[:12]} of model"

    def named() -> bool:
        return any(p.startswith(told) and p.endswith("is not what it was") for p in problems(copy))

    (folder / "extra.bin").write_bytes(b"")
    assert named()
    (folder / "extra.bin").rename(folder / file.name)
    assert named()
    file.unlink()
    assert named()
    (folder / "other.name").write_bytes(content)
    assert named()
    (folder / "other.name").rename(file)
    assert problems(copy) == []


def test_a_blob_that_became_a_folder_is_named(copy: Ledger) -> None:
    blob = next(b for b in blobs(copy) if b.is_file())
    content = blob.read_bytes()
    blob.unlink()
    blob.mkdir()
    (blob / "inside").write_bytes(content)
    assert any(blob.name[:12] in p for p in problems(copy))


def test_a_blob_that_nobody_points_at_is_no_problem(copy: Ledger) -> None:
    copy.blobs.keep("left behind by a process that was killed")
    assert problems(copy) == []


# ── erasing ─────────────────────────────────────────────────────────────────────────────────────


def test_erased_blobs_are_no_problem_and_are_counted(copy: Ledger, finished: Project) -> None:
    (receipt,) = finished.ledger.all(Erasure)
    assert receipt.blobs
    assert all(blob not in copy.blobs for blob in receipt.blobs)
    assert problems(copy) == []


def test_a_blob_that_was_to_be_erased_and_is_still_there_is_named(copy: Ledger, finished: Project) -> None:
    (receipt,) = finished.ledger.all(Erasure)
    place = copy.blobs.root / receipt.blobs[0][:2] / receipt.blobs[0]
    place.parent.mkdir(exist_ok=True)
    place.write_text("the process was killed before it erased this")
    (problem,) = problems(copy)
    assert problem.startswith(f"blob {receipt.blobs[0][:12]} of dataset")
    assert "should have been erased" in problem


# ── the file itself ─────────────────────────────────────────────────────────────────────────────


def test_a_damaged_database_file_is_tampering_and_not_a_traceback(finished: Project, tmp_path: Path) -> None:
    whole = (finished.state / "tunewright.db").read_bytes()
    chance = random.Random(3)
    seen = set[str]()
    for number in range(40):
        bad = bytearray(whole)
        for _ in range(60):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        if number == 0:
            bad = bytearray(b"this is no database" * 500)
        path = tmp_path / f"{number}.db"
        path.write_bytes(bad)
        try:
            engine = connect(f"sqlite:///{path}")
        except TunewrightError as error:
            seen.add(type(error).__name__)
            continue
        store = Ledger(engine, finished.ledger.blobs)
        assert problems(store), f"60 changed bytes went unnoticed ({number})"
        seen.add("problems")
        engine.dispose()
    assert "Tampered" in seen
    assert "problems" in seen


def test_verifying_needs_neither_the_settings_nor_the_sources(folder: Path, finished: Project) -> None:
    elsewhere = replace(finished, folder=folder / "nowhere")
    assert tw.verify(elsewhere).problems == []
    assert json.dumps(tw.verify(finished)._asdict())
    assert finished.ledger.get(Dataset, "vetted").count > 0
