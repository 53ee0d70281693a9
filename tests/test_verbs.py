"""Each verb by itself: what it makes, what it refuses, and what it writes down."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

import tunewright as tw
from tunewright.errors import BadInput, NotFound, Refused
from tunewright.nouns import (
    Channel,
    Dataset,
    Erasure,
    Exchange,
    Feedback,
    Finding,
    Message,
    Model,
    Origin,
    Progress,
    Recipe,
    Record,
    Release,
    Report,
    Score,
    Verdict,
)
from tunewright.runtimes.echo import Echo
from tunewright.verbs import verbs
from tunewright.verbs._prompting import Prompt, best_prompt
from tunewright.verbs._remedies import replaced
from tunewright.verbs.evaluate import weigh

Reopen = Callable[[], tw.Project]
NAMES = ["evaluate", "forget", "gather", "learn", "release", "serve", "tune", "vet", "watch"]


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def row(prompt: str, completion: str, **more: object) -> str:
    return json.dumps({"prompt": prompt, "completion": completion, **more})


def add(folder: Path, *rows: str) -> None:
    file = folder / "data" / "chat.jsonl"
    file.write_text(file.read_text() + "\n" + "\n".join(rows))


def released(project: tw.Project) -> Release:
    *_, last = tw.run(project)
    assert isinstance(last.noun, Release)
    return last.noun


# ── how every verb is called ────────────────────────────────────────────────────────────────────


def test_the_verbs_are_the_files_of_the_folder() -> None:
    assert list(verbs) == NAMES
    assert all(verbs[name].name == name for name in NAMES)
    assert all(getattr(tw, name) is verbs[name] for name in NAMES)


def test_a_face_asks_with_names_in_place_of_things(project: tw.Project) -> None:
    gather, vet, tune = verbs["gather"], verbs["vet"], verbs["tune"]
    assert vet.params.model_json_schema()["properties"]["dataset"]["default"] == "gathered"
    gather.ask(project, gather.params())
    vetted = vet.ask(project, vet.params())
    assert vetted.noun == project.ledger.get(Dataset, "vetted")
    assert vet.ask(project, vet.params()).before == 2
    tune.ask(project, tune.params.model_validate({"dataset": vetted.noun.digest[:8]}))
    with pytest.raises(NotFound, match="no dataset called 'nobody'"):
        tune.ask(project, tune.params.model_validate({"dataset": "nobody"}))


def test_a_face_cannot_give_what_a_verb_does_not_take() -> None:
    with pytest.raises(ValidationError):
        verbs["watch"].params.model_validate({"chanel": "x"})
    with pytest.raises(ValidationError):
        verbs["watch"].params.model_validate({"days": "many"})
    assert verbs["watch"].params().model_dump() == {"channel": "production", "days": 7.0}


def test_parameters_are_described_in_the_docstring() -> None:
    for name in NAMES:
        for parameter, field in verbs[name].params.model_fields.items():
            assert field.description, f"{name}: {parameter}"


def test_the_key_of_work_is_made_of_all_it_reads(
    project: tw.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    tw.gather(project)
    monkeypatch.setattr("tunewright.verbs.software", lambda: "tunewright 99; python 9")
    assert verbs["gather"].do(project).before is None
    assert verbs["gather"].do(project).before == 2


def test_who_did_it_stands_in_the_entry(folder: Path) -> None:
    project = tw.open(folder, actor="grace")
    tw.gather(project)
    project.close()
    assert [entry.actor for entry in project.ledger.entries()] == ["grace"]
    project.close()


def test_progress_is_told_to_whoever_listens(folder: Path) -> None:
    heard = list[str]()
    project = tw.open(folder, actor="ada", tell=lambda progress: heard.append(progress.label))
    released(project)
    project.close()
    assert {"vet", "tune", "find the best prompt", "evaluate tuned: golden"} <= set(heard)


# ── gather ──────────────────────────────────────────────────────────────────────────────────────


def test_gather_accounts_for_every_row(folder: Path, project: tw.Project) -> None:
    add(folder, row("Same id?", "Yes.", id="x"), row("Same id!", "No.", id="x"), "{broken", "[]", "")
    data = tw.gather(project)
    assert data.received == data.count + len(list(project.quarantine(data))) == 16
    assert sum(data.fates.values()) == data.received
    assert data.fates["kept"] == 13
    reasons = {reject.reason for reject in project.quarantine(data)}
    assert "its id stands already at data/chat.jsonl:13" in reasons
    assert {reject.origin.line for reject in project.quarantine(data)} == {14, 15, 16}


def test_gather_keeps_where_records_come_from_and_the_right_to_use_them(project: tw.Project) -> None:
    data = tw.gather(project)
    (source,) = data.sources
    assert (source.name, source.uri, source.licence) == ("data/chat.jsonl", "file:data/chat.jsonl", "CC0-1.0")
    first = next(iter(project.records(data)))
    assert (first.origin.file, first.origin.line, first.licence) == ("data/chat.jsonl", 1, "CC0-1.0")


def test_gather_replaces_persons_by_commitments(folder: Path, project: tw.Project) -> None:
    add(folder, row("Hello there?", "Hi.", customer="Carol@example.com"))
    *_, last = project.records(tw.gather(project))
    assert last.subjects == (project.commit("carol@example.com"),)


def test_gather_with_nothing_readable_says_why(folder: Path, project: tw.Project) -> None:
    (folder / "data" / "chat.jsonl").write_text("{broken\n")
    with pytest.raises(BadInput, match="none of 1 rows could be read") as raised:
        tw.gather(project)
    assert raised.value.hint
    assert [e.outcome for e in project.ledger.entries()] == ["failed"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("{source: x}", "sources/jsonl has no option 'source'"),
        ("{licence: x}", "sources/jsonl has no option 'licence'"),
        ("{max_byte: 3}", "sources/jsonl has no option 'max_byte'"),
        ("{max_bytes: many}", "sources/jsonl: option 'max_bytes': Input should be a valid integer"),
    ],
)
def test_options_of_a_source_are_checked(folder: Path, reopen: Reopen, options: str, told: str) -> None:
    edit(folder / "tunewright.yaml", "    licence:", f"    options: {options}\n    licence:")
    with pytest.raises(BadInput, match=told):
        tw.gather(reopen())


def test_a_dataset_can_be_a_source(folder: Path, reopen: Reopen) -> None:
    data = tw.gather(reopen())
    edit(folder / "tunewright.yaml", "file: data/*.jsonl", "dataset: gathered")
    edit(folder / "tunewright.yaml", "CC0-1.0", "MIT")
    again = tw.gather(project := reopen())
    assert [s.uri for s in again.sources] == [f"dataset:{data.digest}"]
    assert again.count == data.count
    assert {source.licence for source in again.sources} == {"MIT"}
    assert {record.licence for record in project.records(again)} == {"CC0-1.0"}  # what a record says stays


def test_a_source_outside_the_project_is_named_by_its_way_there(folder: Path, reopen: Reopen) -> None:
    (folder / "outside").mkdir()
    inside = folder / "inside"
    inside.mkdir()
    for part in ("data", "evaluation", "tunewright.yaml"):
        (folder / part).rename(inside / part)
    (inside / "data" / "chat.jsonl").rename(folder / "outside" / "chat.jsonl")
    edit(inside / "tunewright.yaml", "data/*.jsonl", "../outside/chat.jsonl")
    project = tw.open(inside, actor="ada")
    assert [s.name for s in tw.gather(project).sources] == ["../outside/chat.jsonl"]
    project.close()


# ── vet ─────────────────────────────────────────────────────────────────────────────────────────


def test_vet_cleans_drops_and_quarantines_and_the_counts_add_up(folder: Path, project: tw.Project) -> None:
    add(
        folder,
        row("Who answers?", "Write to dave@example.com please."),
        row("Where is my parcel?", "It is on its way, and you get a tracking link by e-mail."),
        row("Whose words are these?", "Somebody else's.", licence="NOASSERTION"),
    )
    gathered = tw.gather(project)
    vetted = tw.vet(project, gathered)
    assert vetted.parent == gathered.digest
    assert sum(vetted.fates.values()) == vetted.received == gathered.count == 15
    assert vetted.count == vetted.fates["kept"] + vetted.fates["cleaned"]
    assert vetted.fates["cleaned"] == 1
    assert any(fate.startswith("dropped: duplicates") for fate in vetted.fates)
    report = project.ledger.get(Report, "vetted")
    assert report.subject == vetted.digest
    found = [Finding.model_validate_json(line) for line in project.ledger.blobs.lines(report.details)]
    assert {"personal", "duplicates"} <= {f.check for f in found}
    wanted = {f"vet.{c}" for c in ("personal", "secrets", "duplicates", "licence")}
    assert {m.name for m in report.measures if m.name.startswith("vet.")} == wanted
    assert not any("dave@example.com" in f.note for f in found)


def test_vet_that_leaves_nothing_refuses(folder: Path, reopen: Reopen) -> None:
    edit(folder / "tunewright.yaml", "duplicates: drop", "duplicates: drop, quality: drop")
    (folder / "data" / "chat.jsonl").write_text(row("x", "x") + "\n" + row("x", "x"))
    edit(folder / "tunewright.yaml", "personal: redact", "personal: drop")
    (folder / "data" / "chat.jsonl").write_text(row("Who?", "dave@example.com"))
    project = reopen()
    with pytest.raises(Refused, match="vetting left no record"):
        tw.vet(project, tw.gather(project))


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("vet: {personl: redact}", "nothing called 'personl' on the shelf checks"),
        (
            "vet: {duplicates: drop}\n  options: {duplicates: {treshold: 1}}",
            "checks/duplicates has no option",
        ),
        ("vet: {contamination: drop}\n  options: {contamination: {cases: []}}", "has no option 'cases'"),
    ],
)
def test_a_policy_that_names_what_is_not_there_fails(
    folder: Path, reopen: Reopen, policy: str, told: str
) -> None:
    file = folder / "tunewright.yaml"
    file.write_text(file.read_text().split("policy:")[0] + f"policy:\n  {policy}\n")
    project = reopen()
    with pytest.raises((NotFound, BadInput), match=told):
        tw.vet(project, tw.gather(project))


def record(*turns: str) -> Record:
    roles = ("user", "assistant")
    said = tuple(Message(role=roles[n % 2], content=text) for n, text in enumerate(turns))  # type: ignore[arg-type]
    return Record(id="r", messages=said, origin=Origin(source="s", file="f", line=1))


def span(start: int, end: int, what: str = "email", message: int = 0) -> Finding:
    about = {"check": "personal", "record": "r", "severity": "high", "note": "n"}
    return Finding.model_validate({**about, "what": what, "start": start, "end": end, "message": message})


@pytest.mark.parametrize(
    ("spans", "text"),
    [
        ([span(3, 5)], "abc[EMAIL]fghij"),
        ([span(0, 10)], "[EMAIL]"),
        ([span(0, 2), span(8, 10, "phone")], "[EMAIL]cdefgh[PHONE]"),
        ([span(2, 6), span(4, 8, "phone")], "ab[EMAIL]ij"),
        ([span(2, 8), span(3, 5, "phone")], "ab[EMAIL]ij"),
        ([span(2, 4), span(4, 6, "phone")], "ab[EMAIL][PHONE]ghij"),
        ([span(4, 4)], "abcdefghij"),
    ],
)
def test_found_spans_are_replaced_by_their_kind(spans: list[Finding], text: str) -> None:
    cleaned = replaced(record("abcdefghij", "untouched"), [(s, f"[{s.what.upper()}]") for s in spans])
    assert [m.content for m in cleaned.messages] == [text, "untouched"]


def test_each_turn_is_cleaned_by_itself() -> None:
    cleaned = replaced(record("abc", "abc"), [(span(0, 1, message=1), "[EMAIL]")])
    assert [m.content for m in cleaned.messages] == ["abc", "[EMAIL]bc"]


# ── tune ────────────────────────────────────────────────────────────────────────────────────────


def test_tune_refuses_data_that_was_never_vetted(project: tw.Project) -> None:
    with pytest.raises(Refused, match="the dataset 'gathered' was never vetted") as raised:
        tw.tune(project, tw.gather(project))
    assert raised.value.hint == "tunewright vet"


def test_a_model_names_all_that_made_it(project: tw.Project) -> None:
    vetted = tw.vet(project, tw.gather(project))
    model = tw.tune(project, vetted)
    assert model.dataset == vetted.digest
    assert project.ledger.get(Recipe, model.recipe) == project.recipe()
    assert len(list(project.ledger.blobs.lines(model.history))) == vetted.count
    entry = list(project.ledger.entries())[-1]
    assert {vetted.digest, project.recipe().digest, model.base} <= set(entry.inputs)
    assert entry.outputs[-1] == model.digest


@pytest.mark.parametrize("options", ["{seed: 3}", "{system: x}", "{forget_every: often}"])
def test_options_of_a_trainer_are_checked(folder: Path, reopen: Reopen, options: str) -> None:
    edit(folder / "tunewright.yaml", "  trainer: echo", f"  trainer: echo\n  options: {options}")
    project = reopen()
    with pytest.raises(BadInput, match="trainers/echo"):
        tw.tune(project, tw.vet(project, tw.gather(project)))


# ── evaluate ────────────────────────────────────────────────────────────────────────────────────


def evaluated(project: tw.Project) -> Report:
    return tw.evaluate(project, tw.tune(project, tw.vet(project, tw.gather(project))))


def test_every_arm_answers_every_case(project: tw.Project) -> None:
    report = evaluated(project)
    scores = list(project.scores(report.details))
    for suite, count in (("golden", 12), ("loss", 12), ("speed", 5)):
        assert [(s.arm) for s in scores if s.suite == suite] == ["base"] * count + ["prompted"] * count + [
            "tuned"
        ] * count
    names = {m.name for m in report.measures}
    assert {"golden.contains.base", "golden.contains.prompted", "golden.contains.tuned"} <= names
    assert {"golden.contains.tuned-base", "loss.nats_per_token.tuned-prompted"} <= names
    assert not any(c.measure.startswith("speed") for c in report.comparisons)
    assert {c.measure: c.better for c in report.comparisons}["loss.nats_per_token"] == "lower"
    assert all(m.low <= m.value <= m.high for m in report.measures)


def test_attempts_are_counted(folder: Path, reopen: Reopen) -> None:
    assert evaluated(reopen()).facts["evaluated_before"] == 0
    edit(folder / "tunewright.yaml", "  trainer: echo", "  trainer: echo\n  seed: 2")
    assert evaluated(reopen()).facts["evaluated_before"] == 1


def test_the_plan_is_an_output_of_its_evaluation(project: tw.Project) -> None:
    evaluated(project)
    assert project.plan().digest in list(project.ledger.entries())[-1].outputs


def test_an_evaluation_that_was_killed_does_not_ask_again(
    project: tw.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tw.tune(project, tw.vet(project, tw.gather(project)))
    asked = list[str]()
    ask, loss = Echo.ask, Echo.loss

    def counting(self: Echo, conversations: object, **more: object) -> object:
        asked.append("golden")
        return ask(self, conversations, **more)  # type: ignore[arg-type]

    def dies(self: Echo, conversations: object) -> object:
        if self.memory:
            raise KeyboardInterrupt
        return loss(self, conversations)  # type: ignore[arg-type]

    monkeypatch.setattr(Echo, "ask", counting)
    monkeypatch.setattr(Echo, "loss", dies)
    with pytest.raises(KeyboardInterrupt):
        tw.evaluate(project, model)
    assert len(asked) == 4  # once for the prompt, once for each arm
    monkeypatch.setattr(Echo, "loss", loss)
    tw.evaluate(project, model)
    assert len(asked) == 4
    assert not any((project.state / "work").iterdir())


def test_answers_with_any_line_separator_are_remembered_whole(folder: Path, project: tw.Project) -> None:
    odd = "one\u2028two\u2029three\x85four\x0bfive"
    (folder / "data" / "chat.jsonl").write_text(row("Odd?", odd))
    said = [{"role": "user", "content": "Odd?"}]
    (folder / "evaluation" / "cases.jsonl").write_text(
        json.dumps({"id": "a", "messages": said, "reference": odd})
    )
    report = evaluated(project)
    assert odd in [s.answer for s in project.scores(report.details)]


def test_labelled_cases_give_accuracy_and_macro_f1(folder: Path, project: tw.Project) -> None:
    texts = [(f"Message number {n}", "spam" if n % 3 else "ham") for n in range(12)]
    (folder / "data" / "chat.jsonl").write_text(
        "\n".join(json.dumps({"text": t, "label": x}) for t, x in texts)
    )
    cases = [
        {"id": f"c{n}", "messages": [{"role": "user", "content": t}], "label": x}
        for n, (t, x) in enumerate(texts)
    ]
    (folder / "evaluation" / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)))
    edit(folder / "tunewright.yaml", "evaluate:", "evaluate:\n  suites: [labels]")
    edit(folder / "tunewright.yaml", "duplicates: drop, ", "")
    report = evaluated(reopened := tw.open(folder, actor="ada"))
    reopened.close()
    measures = {m.name: m.value for m in report.measures}
    assert measures["labels.accuracy.tuned"] == measures["labels.macro_f1.tuned"] == 1.0
    assert {(c.measure, c.verdict) for c in report.comparisons} == {
        ("labels.accuracy", "IMPROVED"),
        ("labels.macro_f1", "IMPROVED"),
    }


def test_a_suite_or_a_runtime_option_that_does_not_exist_is_named(folder: Path, reopen: Reopen) -> None:
    edit(folder / "tunewright.yaml", "  runtime: echo", "  runtime: echo\n  options: {threads: 2}")
    with pytest.raises(BadInput, match="runtimes/echo has no option 'threads'"):
        evaluated(reopen())
    edit(folder / "tunewright.yaml", "  options: {threads: 2}", "  suites: [goldn]")
    with pytest.raises(NotFound, match="nothing called 'goldn' on the shelf suites"):
        evaluated(reopen())


def score(arm: str, case: str, **values: float) -> Score:
    return Score.model_validate({"suite": "golden", "arm": arm, "case": case, "values": values})


def test_arms_are_compared_on_the_cases_they_share() -> None:
    scores = [score("base", c, exact=0.0) for c in "abc"] + [score("tuned", c, exact=1.0) for c in "bcd"]
    measures, (comparison,) = weigh(scores, [])
    assert comparison.difference.n == 2
    assert {m.name: m.n for m in measures} == {
        "golden.exact.base": 3,
        "golden.exact.tuned": 3,
        "golden.exact.tuned-base": 2,
    }


def test_the_best_prompt_is_found_on_training_records_only() -> None:
    class Obedient(Echo):
        def _answer(self, conversation: object) -> str:
            said = [m.content for m in conversation]  # type: ignore[attr-defined]
            return "right" if "Say right." in said else "wrong"

    records = [record(f"q{n}", "right") for n in range(30)]
    from tunewright.nouns import Plan

    plan = Plan(
        suites=(), prompts=("Say left.", "Say right."), shots=(0, 4), runtime="echo", options={}, max_tokens=5
    )
    found = best_prompt(Obedient({}), records, plan, Prompt(system="Be kind."), lambda _: None)
    assert (found.system, found.tried) == ("Say right.", 6)


# ── release and serve ───────────────────────────────────────────────────────────────────────────


def test_a_release_holds_its_documents_and_its_decision(folder: Path, project: tw.Project) -> None:
    made = released(project)
    for blob, file in (
        (made.model_card, "MODEL_CARD.md"),
        (made.dataset_card, "DATASET_CARD.md"),
        (made.page, "report.html"),
    ):
        assert project.ledger.blobs.path(blob).read_bytes() == (folder / "out" / file).read_bytes()
    entry = list(project.ledger.entries())[-1]
    assert made.decision in entry.outputs
    assert entry.names == {"release/latest": made.digest}


def test_serving_points_a_channel_and_rolling_back_points_it_back(folder: Path, reopen: Reopen) -> None:
    project = reopen()
    first = released(project)
    assert tw.serve(project, first) == Channel(name="production", release=first.digest)
    edit(folder / "tunewright.yaml", "  trainer: echo", "  trainer: echo\n  seed: 2")
    project = reopen()
    second = released(project)
    assert tw.serve(project, second).before == first.digest
    assert tw.serve(project, second).before == first.digest
    tw.serve(project, second, channel="canary")
    assert tw.serve(project, first).before == second.digest
    assert project.ledger.get(Channel, "production").release == first.digest
    assert project.ledger.get(Channel, "canary").release == second.digest
    assert [e.verb for e in project.ledger.entries()].count("serve") == 5
    assert tw.verify(project).problems == []


# ── watch and learn ─────────────────────────────────────────────────────────────────────────────


def ask(project: tw.Project, name: str, question: str, **more: object) -> None:
    said = (Message(role="user", content=question), Message(role="assistant", content="Thanks."))
    about = {
        "id": name,
        "release": "a" * 64,
        "channel": "production",
        "at": datetime.now(UTC),
        "messages": said,
    }
    cost = {"verdict": Verdict(action="allow"), "seconds": 0.5, "tokens": 2}
    project.traffic.add(Exchange.model_validate({**about, **cost, **more}))


def say(project: tw.Project, exchange: str, **more: object) -> None:
    word = {"exchange": exchange, "at": datetime.now(UTC), "thumb": "up", "consent": True}
    project.traffic.say(Feedback.model_validate({**word, **more}))


def test_watch_counts_what_was_blocked_and_found_and_how_long_people_waited(project: tw.Project) -> None:
    tw.serve(project, released(project))
    finding = Finding(check="secrets", what="token", record="e", severity="high", note="n")
    ask(project, "e1", "one?", verdict=Verdict(action="block", findings=(finding,)), seconds=0.1)
    ask(project, "e2", "two?", verdict=Verdict(action="flag", findings=(finding, finding)), seconds=0.9)
    ask(project, "e3", "three?", seconds=0.5)
    ask(project, "e4", "four?", at=datetime.now(UTC) - timedelta(days=8))
    ask(project, "e5", "five?", channel="canary")
    say(project, "e3", thumb="down")
    report = tw.watch(project)
    measures = {m.name: (round(m.value, 3), m.n) for m in report.measures}
    assert measures["watch.blocked"] == measures["watch.flagged"] == (0.333, 3)
    assert measures["watch.found_secrets"] == (0.667, 3)
    assert measures["watch.thumbs_down"] == (1.0, 1)
    assert measures["watch.feedback"] == (0.333, 3)
    assert measures["watch.seconds_p50"] == (0.5, 3)
    assert report.facts["exchanges"] == 3
    assert report.plugins == ("checks/secrets",)
    assert tw.watch(project).digest == report.digest
    assert [e.verb for e in project.ledger.entries()][-2:] == ["watch", "watch"]


def test_watch_sees_new_words_and_longer_questions(folder: Path, project: tw.Project) -> None:
    with (folder / "data" / "chat.jsonl").open("a") as file:
        file.writelines(f"\n{row(f'Where is parcel number {n * 7919}?', f'At stop {n}.')}" for n in range(60))
    tw.serve(project, released(project))
    for n in range(60):
        ask(project, f"same{n}", f"Where is parcel number {n * 7919}?")
    calm = {m.name: m for m in tw.watch(project).measures}
    assert calm["watch.drift_length"].n == 60
    assert calm["watch.drift_length"].value < 0.3
    for n in range(240):
        ask(
            project, f"new{n}", "Wie lange dauert eigentlich der Versand nach Norwegen bei schlechtem Wetter?"
        )
    moved = {m.name: m for m in tw.watch(project).measures}
    assert moved["watch.drift_new_words"].low > 0.5
    assert moved["watch.drift_length"].low > 0.5


def test_watch_of_a_channel_that_does_not_exist_says_so(project: tw.Project) -> None:
    with pytest.raises(NotFound, match="no channel called 'production'"):
        tw.watch(project)


def test_learn_takes_only_what_it_may_and_says_what_became_of_the_rest(project: tw.Project) -> None:
    ask(project, "liked", "Do you engrave names?", person=project.commit("carol"))
    ask(project, "corrected", "Is the kiln electric?")
    ask(project, "disliked", "Are you on the moon?")
    ask(project, "silent", "Anybody here?")
    ask(project, "private", "Between us?")
    ask(project, "blocked", "Some secret?", verdict=Verdict(action="block"))
    ask(project, "leak", "Which pots are frost proof?")
    ask(project, "agreed", "May I keep this?", consent=True)
    say(project, "liked")
    say(project, "corrected", thumb="down", correction="It is gas.")
    say(project, "disliked", thumb="down")
    say(project, "private", consent=False)
    say(project, "blocked")
    say(project, "leak")
    say(project, "agreed", consent=False)
    data = tw.learn(project)
    assert data.fates == {
        "dropped: no consent": 1,
        "dropped: no feedback": 1,
        "dropped: was blocked": 1,
        "kept": 4,
        "quarantined: resembles an evaluation case": 1,
    }
    assert sum(data.fates.values()) == data.received
    records = {r.id: r for r in project.records(data)}
    assert records["exchange:corrected"].turns[-1].content == "It is gas."
    assert records["exchange:liked"].messages[-1].content == "Thanks."
    assert records["exchange:liked"].subjects == (project.commit("carol"),)
    assert project.ledger.get(Dataset, "learned") == data


def test_learn_with_nothing_to_learn_refuses(project: tw.Project) -> None:
    with pytest.raises(Refused, match="of 0 exchanges none may be learnt from"):
        tw.learn(project)
    ask(project, "silent", "Anybody here?")
    with pytest.raises(Refused, match=r"of 1 exchanges .*no feedback.: 1"):
        tw.learn(project)


def test_what_was_learnt_can_be_trained_on(folder: Path, reopen: Reopen) -> None:
    project = reopen()
    ask(project, "e", "Is the kiln electric?")
    say(project, "e", thumb="down", correction="It is gas.")
    tw.learn(project)
    edit(
        folder / "tunewright.yaml",
        "tune:",
        "  - dataset: learned\n    licence: CC0-1.0\n    origin: customers\n    basis: consent\ntune:",
    )
    project = reopen()
    *_, vetted = (c.noun for c in tw.run(project) if c.verb == "vet")
    assert isinstance(vetted, Dataset)
    assert "exchange:e" in [r.id for r in project.records(vetted)]


# ── forget ──────────────────────────────────────────────────────────────────────────────────────


def test_nobody_can_be_forgotten_who_is_not_known(project: tw.Project) -> None:
    tw.gather(project)
    with pytest.raises(NotFound, match="nobody is known here by that key"):
        tw.forget(project, "carol@example.com")
    assert "carol" not in "".join(e.model_dump_json() for e in project.ledger.entries())


def test_a_forgotten_person_stays_out_of_later_gathers(folder: Path, project: tw.Project) -> None:
    add(folder, row("Hello there?", "Hi.", customer="carol"))
    assert tw.gather(project).count == 13
    tw.forget(project, "carol")
    assert project.ledger.get(Dataset, "gathered").count == 12
    again = tw.gather(project)
    assert again.count == 12
    assert again.fates["quarantined: a person in it asked to be forgotten"] == 1
    (held,) = project.quarantine(again)
    assert (held.raw, held.subjects) == ("", ())


def test_a_second_person_in_a_dataset_that_already_lost_one_is_forgotten_too(
    folder: Path, reopen: Reopen
) -> None:
    """Carol's records are in the records, Dave's only row is in the quarantine of the same dataset."""
    edit(folder / "tunewright.yaml", "personal: redact", "personal: drop")
    add(
        folder,
        row("Hello there?", "Hi.", customer="carol"),
        row("Who am I?", "dave@example.com", customer="dave"),
    )
    project = reopen()
    vetted = tw.vet(project, tw.gather(project))
    tw.forget(project, "carol")
    assert vetted.records not in project.ledger.blobs
    assert "dave" in project.ledger.blobs.path(vetted.quarantine).read_text()
    tw.forget(project, "dave")
    assert vetted.quarantine not in project.ledger.blobs
    assert tw.verify(project).problems == []


def test_forgetting_twice_finds_nobody_the_second_time(folder: Path, project: tw.Project) -> None:
    add(folder, row("Hello there?", "Hi.", customer="carol"))
    tw.gather(project)
    tw.forget(project, "carol")
    with pytest.raises(NotFound):
        tw.forget(project, "carol")
    assert len(project.ledger.all(Erasure)) == 1


def test_forgetting_goes_on_where_a_killed_one_stopped(
    folder: Path, project: tw.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(folder, row("Hello there?", "Hi.", customer="carol"))
    data = tw.gather(project)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tunewright.store.blobs.Blobs.erase", killed)
        with pytest.raises(KeyboardInterrupt):
            tw.forget(project, "carol")
    (problem,) = tw.verify(project).problems
    assert f"blob {data.records[:12]}" in problem
    assert "should have been erased" in problem
    tw.forget(project, "carol")
    assert data.records not in project.ledger.blobs
    assert tw.verify(project).problems == []


def test_marked_models_are_refused_and_others_are_not(folder: Path, reopen: Reopen) -> None:
    project = reopen()
    clean = released(project)
    add(folder, row("Hello there?", "Hi.", customer="carol"))
    dirty = released(project)
    tw.forget(project, "carol")
    report = project.ledger.get(Report, dirty.report)
    for attempt in (lambda: tw.release(project, report), lambda: tw.serve(project, dirty)):
        with pytest.raises(Refused, match="asked to be forgotten"):
            attempt()
    assert tw.serve(project, clean).release == clean.digest
    assert [m.digest for m in project.ledger.all(Model)] == [clean.model, dirty.model]


def test_the_history_of_a_stopped_training_is_whole_and_says_nothing_twice() -> None:
    from tunewright.verbs._history import follow

    told = [
        ("read", 1),
        ("read", 2),
        ("tune", 1),
        ("tune", 2),
        ("tune", 3),
    ]  # killed; the checkpoint was after 1
    again = [("read", 1), ("read", 2), ("tune", 2), ("tune", 3), ("tune", 4)]
    steps = list[Progress]()
    for label, done in told + again:
        follow(steps, Progress(label=label, done=done, total=4))
    assert [s.done for s in steps if s.label == "tune"] == [1, 2, 3, 4]
    assert [s.done for s in steps if s.label == "read"] == [1, 2]
