"""What vetting does with what it saw: remembers, shares, redacts, renames, asks, plants, audits, forgets."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tunewright as tw
from tunewright import shelf
from tunewright.checks._personal_keys import subject_keys
from tunewright.errors import NotFound, Refused
from tunewright.nouns import Dataset, Edit, Finding, Mark, Origin, Record, Report, Review
from tunewright.store import Vault
from tunewright.verbs import _audit, _canaries, _looking, _worker
from tunewright.verbs._audit import Marked, measured
from tunewright.verbs._looking import content_key
from tunewright.verbs._people import person_keys
from tunewright.verbs._pseudonyms import surrogate

Reopen = Callable[[], tw.Project]
YAML = "tunewright.yaml"
MARA = "mara.lindqvist@example.org"


def row(question: str, answer: str = "We will look into it.", **more: object) -> str:
    said = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": said, **more})


def add(folder: Path, *rows: str, name: str = "more.jsonl") -> None:
    with (folder / "data" / name).open("a", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in rows)


def say(folder: Path, before: str, after: str) -> None:
    text = (folder / YAML).read_text()
    assert before in text
    (folder / YAML).write_text(text.replace(before, after, 1))


def vetted(project: tw.Project) -> tuple[Dataset, Report]:
    data = tw.vet(project, tw.gather(project))
    return data, project.ledger.get(Report, "vetted")


def texts(project: tw.Project, data: Dataset) -> str:
    return "\n".join(record.text for record in project.records(data))


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Installs a check of somebody else's, with this body, for this process and those it starts."""
    place = tmp_path / "strangers"
    added = list[str]()

    def install(name: str, body: str) -> None:
        info = place / f"{name}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[tunewright.checks]\n{name} = strange_{name}:{name}\n")
        head = "from tunewright.checks import Each\nfrom tunewright.nouns import Finding\nimport os\n\n"
        (place / f"strange_{name}.py").write_text(f"{head}def {name}(records: Each):\n{body}")
        monkeypatch.syspath_prepend(str(place))
        old = sys.path[1:]
        monkeypatch.setenv("PYTHONPATH", ":".join([str(place), *(p for p in old if p)]))
        shelf._strangers.cache_clear()
        added.append(f"strange_{name}")

    yield install
    shelf._strangers.cache_clear()
    for name in added:
        sys.modules.pop(name, None)


# ── what was seen is remembered, and shared ─────────────────────────────────────────────────────


def test_only_new_records_are_looked_at_again(
    folder: Path, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    vetted(reopen())
    looked, each = list[str](), _worker.each
    monkeypatch.setattr(
        _worker, "each", lambda lines, wanted, given: looked.extend(lines) or each(lines, wanted, given)
    )
    add(folder, row("Is this one new?"), name="a-first.jsonl")  # it comes first, so every place moves
    data, _ = vetted(reopen())
    assert data.received == 13
    assert ["Is this one new?" in line for line in looked] == [True]


def test_what_was_remembered_counts_like_what_was_just_seen(folder: Path, reopen: Reopen) -> None:
    add(folder, row(f"Write to {MARA}"))
    first, report = vetted(reopen())
    say(folder, "summary: Answers", "summary: Still answers")
    (folder / "data" / "more.jsonl").write_text(
        row(f"Write to {MARA}") + "\n" + row("And another one?") + "\n"
    )
    second, again = vetted(reopen())
    assert second.fates["cleaned"] == first.fates["cleaned"] == 1
    assert again.facts["found"] == report.facts["found"]


def test_a_damaged_memory_only_costs_time(folder: Path, reopen: Reopen) -> None:
    first, _ = vetted(reopen())
    for path in (folder / ".tunewright").glob("looks.db*"):
        path.write_bytes(b"not a database at all, and long enough to be noticed" * 100)
    say(folder, "personal: redact", "personal: drop")
    assert vetted(reopen())[0].received == first.received


def test_several_processes_see_what_one_sees(
    folder: Path, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("loky")
    add(folder, *(row(f"Call me on +49 30 {7000000 + n}, or write to n{n}@example.org") for n in range(30)))
    alone, one = vetted(reopen())
    monkeypatch.setattr(_looking, "FEW", 0)
    monkeypatch.setattr(_looking, "CHUNK", 5)
    monkeypatch.setenv("TUNEWRIGHT_WORKERS", "2")
    for path in (folder / ".tunewright").glob("looks.db*"):
        path.unlink()
    say(folder, "licence: quarantine", "licence: drop")
    data, report = vetted(reopen())
    assert data.fates == alone.fates
    assert report.facts["found"] == one.facts["found"]


def test_the_key_of_a_record_is_what_it_says_and_not_where_it_stands() -> None:
    def line(text: str, place: int, **more: str) -> str:
        from tunewright.nouns import Message

        origin = Origin(source='so "messages": ,"origin":{"source":', file="f", line=place)
        said = (Message(role="user", content=text), Message(role="assistant", content="yes"))
        return Record(id=f"f:{place}", messages=said, origin=origin, **more).model_dump_json()

    key = b"k" * 32
    tricky = 'He wrote ,"origin":{"source": and "messages": and ,"facts":{} too'
    assert content_key(line(tricky, 1), key) == content_key(line(tricky, 2), key)
    assert content_key(line("a", 1), key) != content_key(line("b", 1), key)
    assert content_key(line("a", 1), key) != content_key(line("a", 1, licence="MIT"), key)
    assert content_key(line("a", 1), key) != content_key(line("a", 1), b"o" * 32)


# ── a check that fails ──────────────────────────────────────────────────────────────────────────

CRASHES = """    for record in records:
        if "parcel" in record.text:
            raise RuntimeError("no")
        yield from ()
"""
KILLS = """    for record in records:
        if "parcel" in record.text:
            os._exit(9)
        yield from ()
"""


def test_a_check_that_fails_on_a_record_fails_the_vet_unless_the_policy_says_what_happens(
    folder: Path, reopen: Reopen, strange: Callable[[str, str], None]
) -> None:
    strange("rude", CRASHES)
    say(folder, "personal: redact", "rude: keep, personal: redact")
    with pytest.raises(Refused, match="rude on 1") as raised:
        vetted(reopen())
    assert "rude.crashed: quarantine" in raised.value.hint
    say(folder, "rude: keep", "rude: keep, rude.crashed: quarantine")
    data, report = vetted(reopen())
    assert data.fates == {"kept": 11, "quarantined: rude (crashed)": 1}
    assert report.facts["found"] == {"rude.crashed": 1}


def test_a_check_that_kills_its_process_costs_one_record(
    folder: Path, reopen: Reopen, strange: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("loky")
    strange("deadly", KILLS)
    say(folder, "personal: redact", "deadly.crashed: quarantine, personal: redact")
    monkeypatch.setattr(_looking, "FEW", 0)
    monkeypatch.setenv("TUNEWRIGHT_WORKERS", "2")
    data, _ = vetted(reopen())
    assert data.fates == {"kept": 11, "quarantined: deadly (crashed)": 1}


# ── remedies ────────────────────────────────────────────────────────────────────────────────────


def test_a_pseudonym_is_the_same_for_the_same_person_and_leads_back_until_the_key_is_destroyed(
    folder: Path, reopen: Reopen
) -> None:
    add(
        folder,
        row(f"My name is Mara Lindqvist. Write to {MARA}."),
        row(f"It is me again, {MARA}. Regards, Mara Lindqvist"),
        row("My name is Otto Brenner. Write to otto@example.org."),
    )
    say(folder, "personal: redact", "personal: pseudonymise")
    project = reopen()
    data, _ = vetted(project)
    said = texts(project, data)
    assert MARA not in said
    assert "Lindqvist" not in said
    mail = {word.rstrip(".") for word in said.split() if word.rstrip(".").endswith("@example.org")}
    assert len(mail) == 2
    behind = {words for one in mail for _, words in project.vault.reveal(one)}
    assert behind == {MARA, "otto@example.org"}
    project.vault.destroy()
    with pytest.raises(NotFound, match="key"):
        project.vault.reveal(mail.pop())


def test_parts_of_a_name_keep_their_pseudonyms(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    whole = surrogate(vault, "name", "Anna Berg").split()
    assert surrogate(vault, "name", "Anna") == whole[0]
    assert surrogate(vault, "name", "Berg") == whole[1]
    assert surrogate(Vault(tmp_path), "name", "anna berg").split() == whole


def test_many_people_have_as_many_pseudonyms(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    assert len({surrogate(vault, "email", f"p{n}@example.org") for n in range(200)}) == 200
    assert len({surrogate(vault, "name", f"Given{n}") for n in range(150)}) == 150


def test_another_key_gives_other_pseudonyms(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    names = [f"Person{n} Family{n}" for n in range(20)]
    both = [[surrogate(Vault(tmp_path / side), "name", name) for name in names] for side in "ab"]
    assert both[0] != both[1]


def test_what_is_asked_about_waits_until_a_person_has_said_something(folder: Path, reopen: Reopen) -> None:
    add(folder, row(f"Write to {MARA}."), row("Or write to otto@example.org."))
    say(folder, "personal: redact", "personal: ask")
    project = reopen()
    data, report = vetted(project)
    assert data.fates == {"kept": 12, "quarantined: waits for a person: personal (email)": 2}
    edits = list(project.edits(report))
    assert {edit.state for edit in edits} == {"waiting"}
    now = datetime.now(UTC)
    said = [Review(change=e.change, accept=e.before == MARA, by="ada", at=now) for e in edits]
    project.note("reviews.jsonl", said)
    assert "lindqvist" not in (folder / "reviews.jsonl").read_text()
    project = reopen()
    data, report = vetted(project)
    assert data.fates == {"kept": 13, "cleaned": 1}
    assert "Write to [EMAIL]." in texts(project, data)
    assert "otto@example.org" in texts(project, data)
    assert sorted(edit.state for edit in project.edits(report)) == ["accepted", "rejected"]


def test_a_rejected_change_is_never_made_again_but_only_in_its_own_message(
    folder: Path, reopen: Reopen
) -> None:
    add(folder, row(f"Write to {MARA}."))
    project = reopen()
    _, report = vetted(project)
    (edit,) = project.edits(report)
    assert (edit.before, edit.after, edit.state) == (MARA, "[EMAIL]", "made")
    project.note("reviews.jsonl", [Review(change=edit.change, accept=False, by="ada", at=datetime.now(UTC))])
    add(folder, row(f"Whom may one ask about glazes? Please, write to {MARA}."))
    project = reopen()
    data, _ = vetted(project)
    assert data.fates == {"kept": 13, "cleaned": 1}
    assert f"Write to {MARA}." in texts(project, data)
    assert "Please, write to [EMAIL]." in texts(project, data)


def test_changes_are_listed_with_their_place_and_surroundings(folder: Path, reopen: Reopen) -> None:
    add(folder, row(f"Hello! 😀 Write to {MARA} soon."))
    project = reopen()
    _, report = vetted(project)
    (line,) = (folder / "out" / "changes.jsonl").read_text().splitlines()
    edit = Edit.model_validate_json(line)
    assert edit == next(iter(project.edits(report)))
    assert (edit.left, edit.before, edit.right) == ("Hello! 😀 Write to ", MARA, " soon.")
    assert (edit.origin.file, edit.origin.line) == ("data/more.jsonl", 1)


# ── people ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "words", "kind"),
    [
        ("MARA.lindqvist@example.org ", MARA, "email"),
        ("0049 30 1234567", "+49 (30) 1234567", "phone"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "iban"),
        ("mara  lindqvist", "Mara Lindqvist", "name"),
        ("123-45-6789", "123 45 6789", "national_id"),
    ],
)
def test_a_person_is_found_under_whatever_form_is_typed(typed: str, words: str, kind: str) -> None:
    assert subject_keys(words, kind) in set(person_keys(typed))


@pytest.mark.parametrize(
    ("words", "kind"), [("Mara", "name"), ("Berlin", "place"), ("1980-01-01", "birth_date")]
)
def test_a_first_name_a_place_or_a_date_leads_to_nobody(words: str, kind: str) -> None:
    assert subject_keys(words, kind) == ""


def test_who_is_only_mentioned_is_forgotten_too_and_does_not_come_back(folder: Path, reopen: Reopen) -> None:
    add(folder, row(f"My colleague has the address {MARA}."), row("Who else?"))
    project = reopen()
    data, report = vetted(project)
    assert data.fates["cleaned"] == 1
    erasure = tw.forget(project, MARA.upper())
    assert erasure.records == 1
    assert data.digest in erasure.datasets
    assert report.changes in erasure.blobs
    assert report.page in erasure.blobs
    assert not (folder / "out" / "changes.jsonl").exists()
    left = b"".join(p.read_bytes() for p in (folder / ".tunewright").rglob("*") if p.is_file())
    assert MARA.encode() not in left
    project = reopen()
    again, _ = vetted(project)
    assert again.fates["dropped: a person in it asked to be forgotten"] == 1
    assert "colleague" not in texts(project, again)


def test_a_person_forgotten_by_number_does_not_come_back_however_it_is_written(
    folder: Path, reopen: Reopen
) -> None:
    add(folder, row("Please call +49 30 1234567 after lunch."))
    project = reopen()
    vetted(project)
    assert tw.forget(project, "0049 (30) 1234567").records == 1
    add(folder, row("Whoever it was, the number is 030 1234567, call there."), name="later.jsonl")
    data, _ = vetted(reopen())
    assert data.fates["dropped: a person in it asked to be forgotten"] == 2


def test_the_pseudonym_of_a_forgotten_name_leads_nowhere(folder: Path, reopen: Reopen) -> None:
    add(folder, row("My name is Mara Lindqvist. Is my parcel there?"))
    say(folder, "personal: redact", "personal: pseudonymise")
    project = reopen()
    _, report = vetted(project)
    (edit,) = project.edits(report)
    family = edit.after.split()[-1]
    assert project.vault.reveal(family) == [("name", "lindqvist")]
    tw.forget(project, "Mara Lindqvist")
    with pytest.raises(NotFound):
        project.vault.reveal(family)


def test_rows_past_their_date_do_not_enter(folder: Path, reopen: Reopen) -> None:
    add(folder, row("Old?", retain_until="2020-01-31"), row("New?", retain_until="2999-12-31"))
    data = tw.gather(reopen())
    assert data.fates == {"kept": 13, "quarantined: its retention ended on 2020-01-31": 1}


def test_a_source_past_its_date_does_not_enter(folder: Path, reopen: Reopen) -> None:
    add(folder, row("Old?"), name="old.json")
    (folder / "old").mkdir()
    (folder / "data" / "old.json").rename(folder / "old" / "rows.jsonl")
    facts = "licence: MIT, origin: written for the tests, basis: fictional, retain_until: 2020-01-31"
    say(folder, "data:\n", f"data:\n  - {{file: old/rows.jsonl, {facts}}}\n")
    data = tw.gather(reopen())
    assert data.fates["quarantined: its retention ended on 2020-01-31"] == 1


# ── canaries and audit ──────────────────────────────────────────────────────────────────────────


def test_every_vet_says_how_much_of_what_was_planted_it_found(reopen: Reopen) -> None:
    project = reopen()
    data, report = vetted(project)
    measures = {measure.name: measure for measure in report.measures}
    for name in ("canary.personal", "canary.secrets", "canary.duplicates"):
        assert 0.5 <= measures[name].low <= measures[name].value <= 1, name
        assert measures[name].n >= 6
    assert "canary" not in texts(project, data)
    assert data.count == 12


def test_a_check_that_finds_nothing_has_a_recall_of_nothing(
    reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blind:
        def __getitem__(self, _: str) -> Callable[..., list[Finding]]:
            return lambda _records, **_options: []

    project = reopen()
    data = tw.gather(project)
    monkeypatch.setattr(_canaries, "checks", Blind())
    measures, tallies = _canaries.canaries(
        project.policy(), project.records(data), ["personal", "duplicates"]
    )
    assert {measure.value for measure in measures} == {0.0}
    assert all(key.endswith("missed") for tally in tallies for key in tally.counts)


def test_the_audit_asks_for_marks_and_measures_against_them(folder: Path, reopen: Reopen) -> None:
    add(folder, row(f"Write to {MARA}, the lady by the name of Lindqvist at the old mill."))
    project = reopen()
    data = tw.gather(project)
    with pytest.raises(Refused, match="0 of 6 records are marked"):
        tw.vet(project, data, audit=6)
    todo = _audit.to_mark(project, project.policy(), data, 6)
    assert len(todo) == 6
    assert sum(bool(found) for _, found in todo) == 1
    now, marks = datetime.now(UTC), list[Mark]()
    for record, found in todo:
        spans = [(f.message, f.start, f.end, f.what) for f in found]
        content = record.messages[0].content
        if "the old mill" in content:
            start = content.index("the old mill")
            spans.append((0, start, start + len("the old mill"), "address"))
        marks.append(Mark(record=_audit.key_of(project, record), spans=tuple(spans), by="ada", at=now))
    project.note("audit.jsonl", marks)
    assert MARA not in (folder / "audit.jsonl").read_text()
    project = reopen()
    tw.vet(project, data, audit=6)
    measures = {m.name: m for m in project.ledger.get(Report, "vetted").measures}
    recall = measures["audit.personal.recall"]
    assert recall.low < recall.value < 1
    assert measures["audit.personal.precision"].value == 1
    assert _audit.to_mark(project, project.policy(), data, 6) == []


def test_nothing_missed_in_a_few_clean_records_is_no_proof() -> None:
    rows = [Marked(True, 1, 1, 0)] * 25 + [Marked(False, 0, 0, 0)] * 25
    recall = measured(rows, 100, 9_900)[0]
    assert recall.value == 1
    assert recall.low == pytest.approx(100 / (100 + 3 / 25 * 9_900))


def test_what_is_missed_in_clean_records_weighs_as_much_as_there_are() -> None:
    rows = [Marked(True, 1, 1, 0)] * 20 + [Marked(False, 0, 0, 0)] * 19 + [Marked(False, 1, 0, 0)]
    recall = measured(rows, 100, 1_000)[0]
    assert recall.value == pytest.approx(100 / (100 + 1_000 / 20))


# ── counts ──────────────────────────────────────────────────────────────────────────────────────

SCRAP = st.one_of(
    st.text(max_size=30).map(lambda s: s.replace("\n", " ")),
    st.builds(row, st.text(min_size=1, max_size=60)),
    st.builds(lambda s: row(f"{s} {MARA} \u202e{s}"), st.text(max_size=10)),
    st.just(row("Where is my parcel?", "It is on its way, and you get a tracking link by e-mail.")),
)


@settings(max_examples=25)
@given(scraps=st.lists(SCRAP, max_size=12))
def test_whatever_comes_in_the_counts_add_up(
    tmp_path_factory: pytest.TempPathFactory, make: Callable[..., Path], scraps: list[str]
) -> None:
    folder = make(tmp_path_factory.mktemp("scraps"))
    written = "\n".join(scraps).encode("utf-8", "surrogatepass")
    (folder / "data" / "scraps.jsonl").write_bytes(written + b"\n" + row("And this?").encode())
    project = tw.open(folder, actor="ada")
    gathered = tw.gather(project)
    data = tw.vet(project, gathered)
    assert sum(gathered.fates.values()) == gathered.received
    assert sum(data.fates.values()) == data.received == gathered.count
    assert len(list(project.records(gathered))) == gathered.count == gathered.fates["kept"]
    assert len(list(project.quarantine(gathered))) == gathered.received - gathered.count
    assert len(list(project.records(data))) == data.count
    assert len(list(project.quarantine(data))) == data.received - data.count
    for edit in project.edits(project.ledger.get(Report, "vetted")):
        assert edit.left + edit.before + edit.right in "\n".join(
            message.content for record in project.records(gathered) for message in record.messages
        )
    project.close()
