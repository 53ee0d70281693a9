"""What more data would bring: the law, its interval, and trainings that are not done twice."""

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tunewright as tw
from tunewright.cli import main
from tunewright.cli.render import render, summary
from tunewright.errands import _fit, _training
from tunewright.errands._needed import needed
from tunewright.errands.curve import curve
from tunewright.errors import BadInput, Refused
from tunewright.nouns import (
    Curve,
    Dataset,
    Finding,
    Message,
    Origin,
    Policy,
    Progress,
    Record,
    Report,
    Rule,
    Score,
)
from tunewright.stats import compare
from tunewright.verbs.gather import gather
from tunewright.verbs.vet import vet

SIZES = (100, 200, 400, 800)


def law(a: float, b: float, c: float, sizes: tuple[int, ...] = SIZES) -> list[list[float]]:
    return [[a + b * n**-c] for n in sizes]


# ── the law ─────────────────────────────────────────────────────────────────────────────────────


@given(st.floats(0, 2), st.floats(0.5, 20), st.floats(0.1, 1.5))
def test_a_known_law_is_recovered(a: float, b: float, c: float) -> None:
    found = _fit.fits([float(n) for n in SIZES], np.array([[y for (y,) in law(a, b, c)]]))
    truth = b * 800**-c * (1 - 2**-c)

    assert float(found.gain[0]) == pytest.approx(truth, rel=0.05, abs=2e-4)
    assert float(found.at(1600.0)[0]) == pytest.approx(a + b * 1600**-c, rel=0.03, abs=1e-4)


@settings(max_examples=20)
@given(st.lists(st.floats(0, 10), min_size=4, max_size=4))
def test_whatever_was_measured_the_law_falls_and_stays_above_nothing(losses: list[float]) -> None:
    seen = _fit.read(SIZES, [[loss] for loss in losses])

    assert seen.law.a >= 0
    assert seen.law.b >= 0
    assert 0 <= seen.gain.low <= seen.gain.value <= seen.gain.high
    assert seen.now.low <= seen.now.value <= seen.now.high


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    dice = np.random.default_rng(5)
    truth, hits = 8 * 800**-0.5 * (1 - 2**-0.5), 0
    for _ in range(40):
        losses = [
            [y + 0.03 * float(dice.standard_normal()) for _ in range(often)]
            for (y,), often in zip(law(1, 8, 0.5), (3, 3, 2, 1), strict=True)
        ]
        gain = _fit.read(SIZES, losses).gain
        hits += gain.low <= truth <= gain.high
    assert hits >= 35


def test_more_trainings_make_the_interval_narrower_and_a_seed_makes_it_the_same() -> None:
    dice = np.random.default_rng(1)
    losses = [[y + 0.02 * float(dice.standard_normal()) for _ in range(8)] for (y,) in law(1, 8, 0.5)]
    few, many = _fit.read(SIZES, [of[:2] for of in losses]), _fit.read(SIZES, losses)

    assert many.gain.high - many.gain.low < few.gain.high - few.gain.low
    assert _fit.read(SIZES, losses) == many


def test_a_flat_curve_promises_nothing() -> None:
    gain = _fit.read(SIZES, [[1.5, 1.51], [1.49, 1.5], [1.5, 1.505], [1.5]]).gain

    assert gain.low == 0
    assert gain.high < 0.03


def test_a_loss_that_rises_beyond_the_spread_of_its_subsets_is_noticed() -> None:
    spread = [[2.0, 2.1, 1.9], [1.8, 1.9, 1.7], [1.75, 1.85]]

    assert _fit.rises((1, 2, 4, 8), [*spread, [1.6]]) is None
    assert _fit.rises((1, 2, 4, 8), [*spread, [1.85]]) is None
    assert _fit.rises((1, 2, 4, 8), [*spread, [2.4]]) == (2, 8)


# ── who learns and who is measured ──────────────────────────────────────────────────────────────


def talk(n: int, question: str) -> Record:
    said = (Message(role="user", content=question), Message(role="assistant", content=f"answer {n}"))
    return Record(id=f"r{n}", messages=said, origin=Origin(source="s", file="f", line=n + 1))


def test_one_question_is_never_on_both_sides_and_the_order_of_records_does_not_matter() -> None:
    records = [talk(n, f"Question {n % 60}?  ") for n in range(180)]
    learn, held = _training.parted(records, 7, 1)

    assert len(held) >= 20
    assert len(learn) + len(held) == 180
    assert not {r.messages[0] for r in learn} & {r.messages[0] for r in held}
    mixed = random.Random(1).sample(records, len(records))
    assert {r.id for r in _training.parted(mixed, 7, 1)[1]} == {r.id for r in held}
    assert {r.id for r in _training.parted(records, 8, 1)[1]} != {r.id for r in held}


def test_the_same_instruction_before_every_text_still_leaves_something_to_measure_on() -> None:
    records = [talk(n, "Say it again.") for n in range(60)]
    learn, held, unseen = _training.parted(records, 1, 2)

    assert [len(learn), len(held), len(unseen)] == [20, 20, 20]


def test_too_few_conversations_are_refused_with_how_many_are_needed() -> None:
    with pytest.raises(
        BadInput, match="39 conversations with 39 different questions; 20 to learn from and 20"
    ):
        _training.parted([talk(n, f"{n}?") for n in range(39)], 1, 1)


def test_each_subset_holds_the_smaller_ones() -> None:
    records = [talk(n, f"{n}?") for n in range(100)]
    few, some, every = _training.subsets(records, 3, (10, 50, 100))

    assert {r.id for r in few} < {r.id for r in some} < {r.id for r in every}
    assert [r.id for r in every] == [r.id for r in records]
    assert few != _training.subsets(records, 4, (10,))[0]


# ── the errand ──────────────────────────────────────────────────────────────────────────────────


def chatter(folder: Path, count: int = 300) -> None:
    """Answers whose words follow Zipf's law: the more of them one has read, the fewer are new."""
    yaml = folder / "tunewright.yaml"
    checks = re.sub(r"vet: \{.*\}", "vet: {retention: drop}", yaml.read_text())  # a fast one
    yaml.write_text(checks)
    dice = random.Random(1)
    rows = [
        {
            "question": f"What about thing {n}?",
            "answer": " ".join(f"w{int(dice.paretovariate(0.7))}" for _ in range(9)),
        }
        for n in range(count)
    ]
    (folder / "data" / "more.jsonl").write_text("\n".join(map(json.dumps, rows)))


@pytest.fixture
def project(folder: Path, reopen: Callable[[], tw.Project]) -> tw.Project:
    chatter(folder)
    return reopen()


@pytest.fixture
def vetted(project: tw.Project) -> Dataset:
    return vet(project, gather(project))


def listening(project: tw.Project, hear: Callable[[Progress], None]) -> tw.Project:
    from dataclasses import replace

    return replace(project, tell=hear)


def test_the_loss_falls_along_the_sizes_and_the_answer_has_an_interval(
    project: tw.Project, vetted: Dataset
) -> None:
    found = curve(project, vetted)

    assert [p.records for p in found.points] == [
        round(found.records * part) for part in (1 / 8, 1 / 4, 1 / 2, 1)
    ]
    assert [len(p.losses) for p in found.points] == [3, 3, 2, 1]
    means = [sum(p.losses) / len(p.losses) for p in found.points]
    assert means == sorted(means, reverse=True)
    gain = next(m for m in found.measures if m.name == "curve.gain_of_double")
    assert gain.low <= gain.value <= gain.high
    assert found.held + found.records == vetted.count
    assert found.looks == 0
    assert list((project.state / "work").iterdir()) == []
    assert project.ledger.get(Curve, "curve") == found
    assert curve.do(project, vetted).before is not None


def test_the_evaluation_cases_are_not_read(folder: Path, project: tw.Project, vetted: Dataset) -> None:
    shutil.rmtree(folder / "evaluation")

    assert curve(project, vetted).needed == ()


def test_stopped_half_way_it_trains_what_is_missing_and_ends_in_the_same_curve(
    tmp_path: Path, project: tw.Project, vetted: Dataset, make: Callable[..., Path]
) -> None:
    other = make(tmp_path / "other")
    chatter(other)
    calm = tw.open(other, actor="ada")
    whole = curve(calm, vet(calm, gather(calm)))
    calm.close()

    def trained(stop: int) -> list[str]:
        seen = list[str]()

        def hear(progress: Progress) -> None:
            if progress.label == "curve":
                seen.append(progress.note)
            if stop and len(seen) == stop and progress.label.startswith("train"):
                raise KeyboardInterrupt

        try:
            curve(listening(project, hear), vetted)
        except KeyboardInterrupt:
            assert project.ledger.find(Curve, "curve") is None
        return [path.stem for path in (project.state / "work").glob("*/*.json")]

    assert len(trained(5)) == 4
    labels = list[str]()
    again = curve(listening(project, lambda progress: labels.append(progress.label)), vetted)
    assert again.model_copy(update={"day": whole.day}) == whole
    assert len({label for label in labels if label.startswith("train")}) == 3  # a quarter, a half and all
    assert not any(label == f"train on {whole.points[0].records:,}" for label in labels)


def test_what_it_cannot_do_it_says_before_training(folder: Path, reopen: Callable[[], tw.Project]) -> None:
    project = reopen()
    few = vet(project, gather(project))
    with pytest.raises(BadInput, match="12 conversations with 12 different questions"):
        curve(project, few)
    chatter(folder)
    more = gather(project)
    with pytest.raises(Refused, match="never vetted"):
        curve(project, more)
    with pytest.raises(BadInput, match="above 0 and up to 1"):
        curve(project, few, fractions=(0.5, 2.0))
    with pytest.raises(BadInput, match="at least three sizes"):
        curve(project, vet(project, more), fractions=(0.5, 1.0))


# ── the gate ────────────────────────────────────────────────────────────────────────────────────


def test_with_cases_the_gates_rules_are_answered_and_every_look_is_counted(
    project: tw.Project, vetted: Dataset
) -> None:
    asked = list[str]()
    found = curve(listening(project, lambda p: asked.append(p.label)), vetted, cases=True)

    assert found.looks == 4
    (one,) = found.needed
    assert one.rule == "golden.contains.tuned-base at least 0.1"
    assert [p.measures[0].name for p in found.points] == ["golden.contains.tuned-base"] * 4
    assert one.now == found.points[-1].measures[0]
    assert asked.count("base: cases") == 12  # once for each case, whatever the number of sizes
    assert sum(label.endswith("records: cases") for label in asked) == 48


def scores(shares: list[float], cases: int = 400) -> tuple[list[Score], list[list[Score]]]:
    """A base model that is right in one case of ten, and tuned models that are right in these shares."""

    def of(arm: str, share: float) -> list[Score]:
        order = random.Random(2).sample(range(cases), cases)
        return [
            Score(suite="golden", arm=arm, case=f"{n}", values={"contains": float(at < share * cases)})  # type: ignore[arg-type]
            for at, n in enumerate(order)
        ]

    return of("base", 0.1), [of("tuned", share) for share in shares]


def answer(shares: list[float], rule: Rule) -> tuple[str, float]:
    before, tuned = scores(shares)
    old = [s.values["contains"] for s in sorted(before, key=lambda s: s.case)]
    found = []
    for of in tuned:
        new = [s.values["contains"] for s in sorted(of, key=lambda s: s.case)]
        found.append([compare("golden.contains", ("base", old), ("tuned", new)).difference])
    policy = Policy(vet={}, release=(rule,), serve={})
    (one,) = needed(policy, SIZES, found, before, tuned)
    return one.told, one.records.value if one.records else 0.0


def test_how_much_data_a_rule_takes_is_read_off_the_law() -> None:
    rising = [0.9 - 8 * n**-0.6 for n in SIZES]  # 0.395, 0.567, 0.680, 0.755

    assert answer(rising, Rule(measure="golden.contains.tuned-base", at_least=0.5))[0] == "enough"
    told, records = answer(rising, Rule(measure="golden.contains.tuned-base", at_least=0.65))
    assert told == "more"
    assert 800 < records < 2500
    told, _ = answer(rising, Rule(measure="golden.contains.tuned-base", at_least=0.9))
    assert told == "not by more of this data"
    told, _ = answer([0.3, 0.3, 0.3, 0.3], Rule(measure="golden.contains.tuned-base", at_least=0.5))
    assert told == "not by more of this data"


# ── what it feeds, and how it looks ─────────────────────────────────────────────────────────────


def test_vetting_is_done_again_with_a_new_curve_and_then_reports_the_gain(
    folder: Path, reopen: Callable[[], tw.Project]
) -> None:
    chatter(folder)
    yaml = folder / "tunewright.yaml"
    yaml.write_text(yaml.read_text().replace("vet: {", "vet: {sufficiency: keep, "))
    project = reopen()
    before = vet(project, gather(project))

    def report() -> Report:
        return [r for r in project.ledger.all(Report) if r.about == "data"][-1]

    def found() -> set[str]:
        lines = project.ledger.blobs.lines(report().details)
        seen = (Finding.model_validate_json(line) for line in lines)
        return {f.what for f in seen if f.check == "sufficiency"}

    assert "not_measured" in found()
    assert vet.do(project, project.ledger.get(Dataset, "gathered")).before is not None
    curve(project, before, repeats=1, fractions=(0.1, 0.2, 0.5, 1.0))
    again = vet.do(project, project.ledger.get(Dataset, "gathered"))
    assert again.before is None
    assert again.noun == before  # nothing in the records has changed, so nothing is trained again
    measured = [m for m in report().measures if m.name == "sufficiency.loss_gain_of_double"]
    assert len(measured) == 1 or "cannot_tell" in found()
    assert "not_measured" not in found()
    yaml.write_text(yaml.read_text().replace('base: "echo:"', 'base: "echo:other"'))
    elsewhere = reopen()
    vet(elsewhere, elsewhere.ledger.get(Dataset, "gathered"))
    assert "not_measured" in found()


def test_a_curve_is_drawn_in_the_terminal_with_a_plain_sentence(
    folder: Path, project: tw.Project, vetted: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    found = curve(project, vetted, cases=True)
    main(["curve", "--cases", "--project", str(folder)])
    told = capsys.readouterr().out

    assert "●" in told
    assert "○" in told
    assert "golden.contains.tuned-base" in told
    assert "twice the data would" in told.lower()
    assert found.sentence in summary(found, project) or summary(found, project).endswith("…")
    assert render(found, project, 20)
