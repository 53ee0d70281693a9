"""The whole product, told once: gather, vet, tune, evaluate, release, serve, watch, learn, and forget.

Read this test first. The base model, trainer and runtime are the echo fakes, so the loop takes a second.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.errors import BadInput, NotFound, Refused
from tunewright.nouns import (
    Channel,
    Dataset,
    Erasure,
    Exchange,
    Feedback,
    Message,
    Model,
    Release,
    Report,
    Verdict,
)

Reopen = Callable[[], tw.Project]
ALL = ["gather", "vet", "tune", "evaluate", "release"]


def done(project: tw.Project) -> list[str]:
    """Tell the story; which verbs had work to do?"""
    return [chapter.verb for chapter in tw.run(project) if chapter.before is None]


def size(project: tw.Project) -> int:
    return project.ledger.root()[0]


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def ask(
    project: tw.Project, name: str, question: str, *, person: str = "", answer: str = "I do not know."
) -> None:
    """What the gateway keeps when somebody asks something."""
    channel = project.ledger.get(Channel, "production")
    said = (Message(role="user", content=question), Message(role="assistant", content=answer))
    project.traffic.add(
        Exchange(
            id=name,
            release=channel.release,
            channel="production",
            at=datetime.now(UTC),
            messages=said,
            verdict=Verdict(action="allow"),
            seconds=0.2,
            tokens=4,
            person=project.commit(person) if person else "",
        )
    )


def say(
    project: tw.Project, exchange: str, thumb: str, *, correction: str = "", consent: bool = True
) -> None:
    word = {"exchange": exchange, "at": datetime.now(UTC), "thumb": thumb}
    project.traffic.say(Feedback.model_validate({**word, "correction": correction, "consent": consent}))


def test_the_whole_story(folder: Path, reopen: Reopen) -> None:
    """From raw records to a model in service and back to better records; then somebody is forgotten."""
    carol = {
        "prompt": "May I bring a mug?",
        "completion": "Ask carol@example.com.",
        "user": "Carol@Example.com",
    }
    (folder / "data" / "carol.jsonl").write_text(json.dumps(carol))
    project = reopen()

    # Gather: every row becomes a record or is held back with a reason.
    gathered = tw.gather(project)
    assert (gathered.count, gathered.received) == (13, 13)

    # Vet: what should not be learnt is replaced, dropped or quarantined, and the counts add up.
    vetted = tw.vet(project, gathered)
    assert vetted.fates == {"cleaned": 1, "kept": 12}
    assert "Ask [EMAIL]." in [r.messages[-1].content for r in project.records(vetted)]

    # Tune and evaluate: base, prompted base and tuned model answer the same frozen questions.
    model = tw.tune(project, vetted)
    report = tw.evaluate(project, model)
    better = {c.measure: c.verdict for c in report.comparisons if c.before == "base"}
    assert (
        better["golden.contains"] == better["golden.token_f1"] == better["loss.nats_per_token"] == "IMPROVED"
    )

    # Release: the policy decides, and the documents are written.
    release = tw.release(project, report)
    assert "shop" in (folder / "out" / "MODEL_CARD.md").read_text()
    made = {"MODEL_CARD.md", "DATASET_CARD.md", "report.html"}
    made |= {"vetting.html", "changes.html", "changes.jsonl", "training.html"}
    assert {p.name for p in (folder / "out").iterdir()} == made

    # Serve: a channel points at the release. People ask, and say what they think of the answers.
    assert tw.serve(project, release).release == release.digest
    ask(project, "e1", "Do you repair broken handles?")
    ask(project, "e2", "Could I borrow a kiln on Sunday?", person="carol@example.com")
    ask(project, "e3", "Is the shop wheelchair friendly?", answer="Yes, it is.")
    say(project, "e1", "down", correction="We glue handles for four euro.")
    say(project, "e2", "down", correction="The kiln rests on Sundays.")
    say(project, "e3", "up", consent=False)

    # Watch: what happened, with intervals; too little to claim drift.
    watched = {m.name: m for m in tw.watch(project).measures}
    assert (watched["watch.thumbs_down"].value, watched["watch.thumbs_down"].n) == (pytest.approx(2 / 3), 3)
    assert watched["watch.drift_length"].n == 0

    # Learn: what people corrected, and let us keep, becomes a dataset.
    learned = tw.learn(project)
    assert learned.count == 2
    assert learned.fates == {"dropped: no consent": 1, "kept": 2}

    # Forget: the records go, the models that saw them are marked, and a new run makes one that never did.
    receipt = tw.forget(project, " carol@example.com ")
    assert (receipt.records, receipt.exchanges, receipt.models) == (2, 1, (model.digest,))
    assert receipt.releases == (release.digest,)
    with pytest.raises(Refused, match="has seen records of a person who asked to be forgotten"):
        tw.serve(project, release)
    assert done(project) == ALL
    fresh = project.ledger.get(Release, "latest")
    assert fresh.model != release.model
    assert tw.serve(project, fresh).before == release.digest

    # Every step left its entry, in one chain that a stranger can check.
    story = [*ALL, "serve", "watch", "learn", "forget", "serve", *ALL, "serve"]
    assert [entry.verb for entry in project.ledger.entries()] == story
    assert tw.verify(project).problems == []


# ── what is done is not done again ──────────────────────────────────────────────────────────────


@pytest.fixture
def told(project: tw.Project) -> tw.Project:
    """A project whose story was told once."""
    assert done(project) == ALL
    return project


def test_a_second_run_has_nothing_to_do_and_leaves_no_entry(told: tw.Project, reopen: Reopen) -> None:
    for project in (told, reopen()):
        chapters = list(tw.run(project))
        assert [(c.verb, c.before) for c in chapters] == [(verb, n) for n, verb in enumerate(ALL, 1)]
        assert size(project) == 5
    assert chapters[-1].noun == told.ledger.get(Release, "latest")


YAML, DATA, CASES = "tunewright.yaml", "data/chat.jsonl", "evaluation/cases.jsonl"
CHANGES = {
    "a record": (DATA, "tracking link", "tracking code", ALL),
    "the licence of a source": (YAML, "licence: CC0-1.0", "licence: CC-BY-4.0", ALL),
    "a case": (CASES, "Is delivery free?", "Is delivery dear?", ["vet", "evaluate", "release"]),
    "a remedy": (YAML, "duplicates: drop", "duplicates: quarantine", ["vet", "release"]),
    "the seed": (YAML, "  trainer: echo", "  trainer: echo\n  seed: 2", ["tune", "evaluate", "release"]),
    "an option of the trainer": (
        YAML,
        "  trainer: echo",
        "  trainer: echo\n  options: {forget_every: 6}",
        ["tune", "evaluate", "release"],
    ),
    "the system prompt": (
        YAML,
        "name: shop",
        "name: shop\nsystem: Be kind.",
        ["tune", "evaluate", "release"],
    ),
    "the base": (YAML, '"echo:"', '"echo:other"', ["tune", "evaluate", "release"]),
    "how many examples are shown": (YAML, "shots: [0]", "shots: [0, 1]", ["evaluate", "release"]),
    "a rule for releases": (YAML, "at_least: 0.1", "at_least: 0.2", ["release"]),
    "a rule for service": (YAML, "secrets: block", "secrets: flag", ["release"]),
    "what the project is for": (YAML, "Answers questions", "Answers all questions", ["release"]),
    "a comment": (YAML, "name: shop", "# a comment\nname: shop", []),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_redoes_exactly_what_depends_on_it(
    told: tw.Project, folder: Path, reopen: Reopen, what: str
) -> None:
    file, before, after, expected = CHANGES[what]
    edit(folder / file, before, after)
    project = reopen()
    assert done(project) == expected
    assert size(project) == 5 + len(expected)
    assert done(project) == []
    assert tw.verify(project).problems == []


def test_work_whose_result_was_lost_is_done_again(told: tw.Project) -> None:
    model = told.ledger.get(Model, "tuned")
    told.ledger.blobs.erase(model.weights)
    assert done(told) == ["tune"]
    assert told.ledger.get(Model, "tuned") == model
    assert tw.verify(told).problems == []


def test_going_back_points_the_names_back_and_leaves_entries_that_say_so(
    told: tw.Project, folder: Path, reopen: Reopen
) -> None:
    first = {kind: told.ledger.names(kind) for kind in (Dataset, Model, Report, Release)}
    edit(folder / DATA, "tracking link", "tracking code")
    second = reopen()
    assert done(second) == ALL
    assert second.ledger.names(Release) != first[Release]
    edit(folder / DATA, "tracking code", "tracking link")
    third = reopen()
    assert done(third) == []
    assert {kind: third.ledger.names(kind) for kind in first} == first
    entries = list(third.ledger.entries())
    assert [e.verb for e in entries] == ALL * 3
    assert [e.outputs for e in entries[10:]] == [e.outputs for e in entries[:5]]
    assert list(tw.run(third))[-1].noun == third.ledger.get(Release, "latest")
    assert size(third) == 15
    assert tw.verify(third).problems == []


# ── what does not end well ──────────────────────────────────────────────────────────────────────


def counts(project: tw.Project) -> tuple[int, int]:
    with project.ledger.engine.connect() as db:
        things, names = (
            db.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar_one() for t in ("things", "names")
        )
    return things, names


def test_a_refused_release_leaves_its_entry_and_nothing_else(folder: Path, reopen: Reopen) -> None:
    edit(folder / YAML, "at_least: 0.1", "at_least: 1.5")
    project = reopen()
    report = tw.evaluate(project, tw.tune(project, tw.vet(project, tw.gather(project))))
    before = counts(project)
    for attempt in (1, 2):
        with pytest.raises(
            Refused, match=r"golden.contains.tuned-base is 1.000 .* asks for at least 1.5"
        ) as raised:
            tw.release(project, report)
        assert "policy.release" in raised.value.hint
        last = list(project.ledger.entries())[-1]
        assert (last.verb, last.outcome, last.outputs, last.names) == ("release", "refused", (), {})
        assert "at least 1.5" in last.note
        assert size(project) == 4 + attempt
    assert counts(project) == before
    assert not (folder / "out" / "MODEL_CARD.md").exists()
    assert project.ledger.all(Release) == []
    assert tw.verify(project).problems == []


def test_a_rule_about_what_was_not_measured_refuses(folder: Path, reopen: Reopen) -> None:
    edit(folder / YAML, "golden.contains.tuned-base, at_least: 0.1", "golden.exact.tuned, at_least: 0.0")
    with pytest.raises(Refused, match=r"golden\.exact\.tuned was not measured"):
        done(reopen())


def test_a_failed_verb_leaves_its_entry_and_can_be_tried_again(folder: Path, reopen: Reopen) -> None:
    edit(folder / YAML, "  trainer: echo", "  trainer: echo\n  options: {forget_evry: 3}")
    project = reopen()
    with pytest.raises(BadInput, match="trainers/echo has no option 'forget_evry'") as raised:
        done(project)
    assert raised.value.hint == "did you mean forget_every?"
    last = list(project.ledger.entries())[-1]
    assert (last.verb, last.outcome, last.outputs) == ("tune", "failed", ())
    assert last.note.startswith("BadInput: trainers/echo has no option")
    edit(folder / YAML, "forget_evry", "forget_every")
    mended = reopen()
    assert done(mended) == ["tune", "evaluate", "release"]
    assert tw.verify(mended).problems == []


def test_a_foreign_error_leaves_its_kind_and_not_its_words(
    project: tw.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> Iterator[object]:
        raise KeyError("carol@example.com asked this")
        yield

    monkeypatch.setattr("tunewright.trainers.echo.echo", breaks)
    with pytest.raises(KeyError):
        done(project)
    assert [(e.outcome, e.note) for e in project.ledger.entries()][-1] == ("failed", "KeyError")


# ── what is kept of people ──────────────────────────────────────────────────────────────────────


def bytes_of(*places: Path) -> bytes:
    return b"".join(p.read_bytes() for place in places for p in place.rglob("*") if p.is_file())


def database(project: tw.Project) -> bytes:
    return b"".join(p.read_bytes() for p in project.state.glob("tunewright.db*"))


def test_the_database_holds_no_words_of_records_and_no_person(folder: Path, reopen: Reopen) -> None:
    rows = folder / DATA
    rows.write_text(
        rows.read_text()
        + '\n{"prompt": "xylophone zebra?", "completion": "quokka", "customer": "carol@example.com"}'
        + '\n{"prompt": "xylophone zebra?", "completion": "quokka", "customer": "carol@example.com"}'
        + '\n{"prompt": "xylophone", "customer": "carol@example.com"}'
        + '\n{"xylophone zebra'
    )
    project = reopen()
    assert done(project) == ALL
    tw.serve(project, project.ledger.get(Release, "latest"))
    with pytest.raises(NotFound):
        tw.forget(project, "dave@example.com")
    tw.forget(project, "carol@example.com")
    for words in (
        b"xylophone",
        b"zebra",
        b"quokka",
        b"parcel",
        b"cactus",
        b"carol@",
        b"dave@",
        b"example.com",
    ):
        assert words not in database(project)
    assert project.commit("carol@example.com").encode() in database(project)
    assert tw.verify(project).problems == []


def test_a_forgotten_persons_words_are_nowhere_in_the_project(folder: Path, reopen: Reopen) -> None:
    """Not in the database, its log, a blob, or what killed work left behind. Weights are marked instead."""
    question = "Mail carol@example.com or 0xCAROLKEY?"
    carol = {"prompt": question, "completion": "No.", "customer": "carol@example.com"}
    (folder / "data" / "carol.jsonl").write_text(json.dumps(carol))
    project = reopen()
    assert done(project) == ALL
    tw.serve(project, project.ledger.get(Release, "latest"))
    ask(project, "e1", "This is 0xCAROLKEY again, who now asks something else", person="carol@example.com")
    say(project, "e1", "up", correction="0xCAROLKEY has a word")
    left_behind = (
        project.ledger.blobs.path(project.ledger.get(Dataset, "gathered").records).read_text() + "\n"
    )
    project.ledger.blobs.keep(left_behind)
    (project.ledger.blobs.root / "arriving" / "half").write_text(left_behind)
    (project.work("f" * 64) / "prompt.json").write_text("0xCAROLKEY")
    model = project.ledger.get(Model, "tuned")
    tw.forget(project, "CAROL@example.com")
    project.ledger.blobs.erase(model.weights)
    assert b"carol@example.com" not in bytes_of(project.state)
    assert b"0xCAROLKEY" not in bytes_of(project.state)
    (receipt,) = project.ledger.all(Erasure)
    assert receipt.models == (model.digest,)
    assert done(project) == ALL
    assert b"0xCAROLKEY" not in bytes_of(project.ledger.blobs.root)
