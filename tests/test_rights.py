"""What licences, base and teachers together allow: nothing is guessed, and more never allows more."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright import packs, rights
from tunewright.nouns import Origin, Record, Source
from tunewright.rights import (
    USES,
    Answer,
    Data,
    Intent,
    Rights,
    Teacher,
    judge,
    nearest,
    read,
    recognise,
    writers,
)
from tunewright.rights._meaning import ANSWERS, MEANING

PUBLISH = Intent(publish=True, serve=True)
GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "licences.md"


def refs(told: Rights) -> set[str]:
    return {reason.ref for reason in told.reasons}


def rank(answer: Answer) -> int:
    return ANSWERS.index(answer)


# ── the packs ───────────────────────────────────────────────────────────────────────────────────


def test_every_pack_says_when_it_was_looked_at_and_where() -> None:
    for pack in (packs.licences(), packs.terms(), packs.datasets()):
        assert date(2026, 1, 1) <= date.fromisoformat(pack.looked_at)
        assert pack.about
        assert all("http" in source for source in pack.sources)


def test_every_clause_says_what_where_and_how_sure() -> None:
    for licence in packs.licences().licences.values():
        assert licence.url.startswith("http")
        assert "{" not in licence.name + licence.url
        for clause in licence.clauses:
            assert clause.says.endswith("."), (licence.id, clause.flag)
            assert len(clause.says) <= 220
            assert clause.ref
            assert "{" not in clause.ref + clause.text
            assert clause.flag in MEANING
        assert len({clause.flag for clause in licence.clauses}) == len(licence.clauses), licence.id


def test_what_asks_for_words_gives_them_and_thresholds_have_a_number() -> None:
    for licence in packs.licences().licences.values():
        for clause in licence.has("naming", "display", "output_naming", "output_display"):
            assert clause.text, licence.id
        for clause in licence.has("user_threshold", "revenue_threshold"):
            assert clause.limit > 0, licence.id
        for clause in licence.has("region"):
            assert clause.region, licence.id


def test_creative_commons_is_there_in_every_version_that_spdx_lists() -> None:
    from license_expression import get_license_index

    listed = {entry["spdx_license_key"] for entry in get_license_index() if entry.get("spdx_license_key")}
    wanted = {name for name in listed if re.match(r"CC-(BY|SA|PD)|CC0|ODC|ODbL|CDLA|PDDL|O-UDA", name)}
    assert wanted - set(packs.licences().licences) == set()


def test_other_names_lead_to_one_licence_and_generators_to_what_is_there() -> None:
    known = packs.licences()
    assert set(known.aliases.values()) <= set(known.licences)
    for name, others in known.later.items():
        assert {name, *others} <= set(known.licences)
    for generator in packs.terms().generators:
        assert generator.terms in {"", "none", "unknown", *packs.terms().providers}
        assert generator.licence in {"", *known.licences}
        assert bool(generator.terms) != bool(generator.licence)


def test_careful_readings_are_marked_where_creative_commons_meets_models() -> None:
    for name, licence in packs.licences().licences.items():
        if name.startswith("CC-BY"):
            assert {clause.rule for clause in licence.clauses} == {"cautious"}, name


def test_known_datasets_are_recognised_by_their_own_names() -> None:
    assert len(packs.datasets().datasets) >= 40
    for known in packs.datasets().datasets:
        for name in known.match:
            assert name == name.lower()
            assert known in recognise(f"https://huggingface.co/datasets/{name}")
        if known.licence and known.name != "OpenMathInstruct":
            assert not read(known.licence).unknown, known.name


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("cc-by-4.0", "CC-BY-4.0"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("apache 2.0", "Apache-2.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("MIT License", "MIT"),
        ("llama3.1", "LicenseRef-llama-3.1"),
        ("LicenseRef-llama3.1", "LicenseRef-llama-3.1"),
        ("LicenseRef-scancode-llama-3.1-license-2024", "LicenseRef-llama-3.1"),
        ("gemma", "LicenseRef-gemma"),
        ("bigscience-openrail-m", "LicenseRef-bigscience-openrail-m"),
        ("gpl-3.0", "GPL-3.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("cdla-sharing-1.0", "CDLA-Sharing-1.0"),
        ("mit or apache 2.0", "MIT OR Apache-2.0"),
        ("(MIT OR Apache-2.0) AND CC BY 4.0", "(MIT OR Apache-2.0) AND CC-BY-4.0"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ],
)
def test_licences_are_read_as_hubs_and_people_write_them(text: str, expression: str) -> None:
    reading = read(text)
    assert (reading.expression, reading.unknown) == (expression, ())


@pytest.mark.parametrize(
    "text", ["MIT/Apache-2.0", "mit, apache-2.0", "CC-BY", "bsd", "Aapche-2.0", "(((", "AND"]
)
def test_what_is_not_clear_is_unknown_and_never_guessed(text: str) -> None:
    reading = read(text)
    assert reading.problem
    assert reading.tree is None or reading.unknown
    assert judge([Data(text)], base="MIT").verdict == "unknown"


def test_the_nearest_name_is_suggested() -> None:
    assert nearest("Aapche-2.0") == "Apache-2.0"
    assert nearest("CC-BY") == "CC-BY-4.0"
    assert nearest("CC-BY-SA") == "CC-BY-SA-4.0"
    assert nearest("a licence of our own") == ""


@settings(deadline=None, max_examples=150)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["MIT", "(", ")", "AND", "or", "WITH", "x+", "cc0", "😀"])).map(" ".join)
)
def test_reading_never_fails_and_what_cannot_be_read_allows_nothing(text: str) -> None:
    reading = read(text)
    if reading.tree is None or reading.unknown:
        assert set(rights.side_of_data(Data(text), PUBLISH).row) == {"unknown"} or " or " in text.lower()


@pytest.mark.parametrize(
    ("said", "bound"),
    [
        ("OpenAI GPT-4", {"openai"}),
        ("gpt-4o-mini", {"openai"}),
        ("GPT-4 and Claude 2.1", {"openai", "anthropic"}),
        ("Llama-3-70B-Instruct", {"LicenseRef-llama-3"}),
        ("Llama-3.1-405B-Instruct", {"LicenseRef-llama-3.1"}),
        ("meta-llama/Meta-Llama-3-8B-Instruct", {"LicenseRef-llama-3"}),
        ("LLaMA-2-chat-70b", {"LicenseRef-llama-2"}),
        ("Mixtral-8x7B", {"Apache-2.0"}),
        ("gpt-oss-20b", {"Apache-2.0"}),
        ("templates", {""}),
        ("Vicuna", {""}),
        ("a model of ours", {""}),
    ],
)
def test_generators_are_recognised_by_what_binds_their_outputs(said: str, bound: set[str]) -> None:
    assert {writer.id for writer in writers(said)} == bound
    assert writers("a model of ours")[0].kind == "unknown"


# ── traps that were met ─────────────────────────────────────────────────────────────────────────


def test_a_benchmark_relabelled_cc0_over_rows_of_ai4privacy_is_blocked() -> None:
    assert judge([Data("CC0-1.0", 500, "bench")], base="Apache-2.0").verdict == "allowed"
    told = judge(
        [Data("CC0-1.0", 500, "bench", upstream=("ai4privacy/pii-masking-200k",))], base="Apache-2.0"
    )
    assert told.on("commercial") == "blocked"
    assert "ai4privacy" in " ".join(reason.says for reason in told.reasons)
    (branch,) = [b for b in told.tree if b.role == "data"]
    assert branch.sources == (("bench", 500),)


def test_mit_over_what_gpt_4_wrote_waits_for_two_facts() -> None:
    data = [Data("MIT", 89_000, "GPTeacher", generator="OpenAI GPT-4")]
    assert judge([Data("MIT", 89_000, "GPTeacher")], base="Apache-2.0").on("commercial") == "allowed"
    told = judge(data, base="Apache-2.0")
    assert told.verdict == "a person must decide"
    assert any("OpenAI" in question for question in told.questions)
    for accepted, competing, answer in (
        (True, True, "blocked"),
        (True, False, "allowed with duties"),
        (False, None, "allowed with duties"),
        (None, False, "allowed with duties"),
        (None, True, "a person must decide"),
    ):
        said = [Teacher("OpenAI GPT-4", accepted=accepted, competing=competing)]
        assert judge(data, base="Apache-2.0", teachers=said).verdict == answer


def test_an_apache_wrapper_over_news_needs_the_permission_of_who_holds_the_rights() -> None:
    told = judge([Data("Apache-2.0", 10, "news", upstream=("cnn_dailymail",))], base="Apache-2.0")
    assert told.verdict == "a person must decide"
    assert any("2019/790" in ref for ref in refs(told))


def test_share_alike_dialogues_may_be_used_inside_but_a_person_decides_on_publishing() -> None:
    told = judge([Data("CC-BY-SA-4.0", 10, "dialogues")], base="Apache-2.0", intent=PUBLISH)
    assert told.on("commercial") == "allowed"
    assert told.on("publish") == "a person must decide"
    assert told.freest == "CC-BY-SA-4.0"
    assert told.credits == (("dialogues", "CC-BY-SA-4.0"),)


def test_data_under_cdla_sharing_leaves_the_model_free() -> None:
    told = judge([Data("CDLA-Sharing-1.0", 10, "bitext")], base="Apache-2.0", intent=PUBLISH)
    assert told.on("commercial") == "allowed"
    assert told.on("publish") == "allowed with duties"
    assert told.freest == "Apache-2.0"


def test_two_licences_of_one_thing_are_both_kept_to() -> None:
    told = judge([Data("MIT", 10, "repository", found="Apache-2.0")], base="MIT", intent=PUBLISH)
    assert told.verdict == "allowed with duties"
    assert {"MIT", "Apache-2.0"} <= set(told.texts)
    assert any(reason.flag == "disagreement" for reason in told.reasons)
    worse = judge([Data("MIT", 10, "repository", found="CC-BY-NC-4.0")], base="MIT")
    assert worse.on("commercial") == "blocked"
    assert not any(
        r.flag == "disagreement" for r in judge([Data("MIT", found="mit license")], base="MIT").reasons
    )


def test_non_commercial_data_is_blocked_by_a_clause_that_is_marked_as_careful() -> None:
    told = judge([Data("CC-BY-NC-4.0", 52_002, "alpaca")], base="Apache-2.0")
    assert told.verdict == "blocked"
    (reason,) = told.blocks
    assert (reason.ref, reason.rule) == ("CC-BY-NC-4.0 §2(a)(1), §1(NonCommercial)", "cautious")
    assert (
        judge([Data("CC-BY-NC-4.0")], base="Apache-2.0", intent=Intent(commercial=False)).verdict
        == "allowed with duties"
    )


def test_no_derivatives_stops_publishing_and_nothing_else() -> None:
    told = judge([Data("CC-BY-ND-4.0")], base="MIT", intent=PUBLISH)
    assert (told.on("commercial"), told.on("publish"), told.freest) == ("allowed", "blocked", "")


# ── base models and teachers ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("release", ["3.1", "3.2", "3.3", "4"])
def test_a_llama_base_asks_for_its_name_its_phrase_and_its_notice(release: str) -> None:
    told = judge([Data("CC-BY-4.0", 1, "s")], base=f"llama{release}", intent=PUBLISH)
    assert told.verdict == "allowed with duties"
    assert told.prefix == "Llama"
    words = {reason.flag: reason.text for reason in told.carries}
    assert words["display"] == "Built with Llama"
    assert f"Llama {release} is licensed under" in words["notices"]
    assert told.freest == f"LicenseRef-llama-{release}"
    assert told.on("commercial") == "allowed with duties"
    assert judge([], base=f"llama{release}", intent=Intent(users=800_000_000)).on("commercial") == "blocked"


def test_models_that_see_are_not_given_to_the_european_union() -> None:
    assert judge([], base="llama4", intent=Intent(region="EU")).verdict == "blocked"
    assert judge([], base="llama3.2", intent=Intent(region="EU")).verdict == "a person must decide"
    assert judge([], base="llama4", intent=Intent(region="US")).on("internal") == "allowed with duties"
    assert judge([], base="llama3.1", intent=Intent(region="EU")).verdict == "allowed with duties"


def test_gemma_1_to_3_pass_their_terms_on_and_gemma_4_does_not() -> None:
    told = judge([], base="gemma", intent=PUBLISH)
    assert {"use_restrictions", "licence_text", "state_changes", "notices"} <= {r.flag for r in told.carries}
    assert told.freest == "LicenseRef-gemma"
    assert judge([], base="gemma 4", intent=PUBLISH).freest == "Apache-2.0"


@pytest.mark.parametrize(
    ("teacher", "base", "answer", "freest"),
    [
        ("Llama-2-70b-chat", "MIT", "blocked", ""),
        ("Llama-3-70B", "MIT", "blocked", ""),
        ("Llama-3-70B", "llama3", "allowed with duties", "LicenseRef-llama-3"),
        ("Llama-3.1-405B", "MIT", "allowed with duties", "MIT"),
        ("gemma-2-27b", "MIT", "allowed with duties", "LicenseRef-gemma"),
        ("gemma-4-31b", "MIT", "allowed with duties", "MIT"),
        ("Qwen3-8B", "MIT", "allowed with duties", "MIT"),
        ("starcoder", "MIT", "allowed with duties", "LicenseRef-bigcode-openrail-m"),
    ],
)
def test_what_a_teacher_asks_goes_on_to_the_model(teacher: str, base: str, answer: str, freest: str) -> None:
    told = judge([Data("MIT", 1, "s", generator=teacher)], base=base, intent=PUBLISH)
    assert (told.verdict, told.freest) == (answer, freest)
    assert told.prefix == ("Llama" if "3.1" in teacher or base == "llama3" else "")


def test_licences_that_do_not_go_together_are_named() -> None:
    for one, other in (
        ("CC-BY-SA-4.0", "CC-BY-NC-4.0"),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"),
        ("GPL-2.0-only", "CC-BY-SA-4.0"),
    ):
        told = judge([Data(one), Data(other)], base="MIT", intent=Intent(commercial=False, publish=True))
        assert told.on("publish") == "a person must decide"
        assert told.freest == ""
        assert any(reason.flag == "conflict" for reason in told.reasons), (one, other)
    told = judge([Data("CC-BY-SA-4.0")], base="gemma", intent=PUBLISH)
    assert any(reason.flag == "conflict" for reason in told.reasons)


def test_an_older_share_alike_goes_together_with_a_later_one() -> None:
    told = judge([Data("CC-BY-SA-3.0"), Data("CC-BY-SA-4.0")], base="MIT", intent=PUBLISH)
    assert not any(reason.flag == "conflict" for reason in told.reasons)
    assert told.freest == "CC-BY-SA-4.0"
    told = judge([Data("CC-BY-SA-3.0-AT"), Data("CC-BY-SA-3.0-DE")], base="MIT", intent=PUBLISH)
    assert not any(reason.flag == "conflict" for reason in told.reasons)
    assert told.freest == "CC-BY-SA-3.0"
    assert judge([Data("GPL-3.0-only"), Data("CC-BY-SA-4.0")], base="MIT").freest == "GPL-3.0-only"


def test_of_two_licences_joined_by_or_the_one_that_suits_the_use_is_taken() -> None:
    assert judge([Data("CC-BY-NC-4.0 OR MIT")], base="MIT").on("commercial") == "allowed"
    assert judge([Data("CC-BY-NC-4.0 AND MIT")], base="MIT").on("commercial") == "blocked"
    assert judge([Data("LicenseRef-nobody-knows OR MIT")], base="MIT").on("commercial") == "allowed"


def test_a_base_model_that_was_not_named_is_asked_for() -> None:
    assert "Which licence has the base model?" in judge([Data("MIT")]).questions
    assert judge([Data("MIT")], base="").verdict == "unknown"
    assert judge([]).verdict == "unknown"


def test_the_tree_counts_every_record_once() -> None:
    data = [Data("MIT", 3, "a"), Data("MIT", 4, "b"), Data("mit license", 5, "a"), Data("CC-BY-4.0", 6, "a")]
    told = judge(data, base="MIT")
    assert sum(branch.records for branch in told.tree if branch.role == "data") == 18


def test_records_fall_into_parts_by_what_counts_for_their_rights() -> None:
    origin = Origin(source="s", file="f", line=1)
    rows = [
        Record(id="a", messages=(), licence="MIT", origin=origin),
        Record(id="b", messages=(), licence="MIT", origin=origin),
        Record(id="c", messages=(), licence="MIT", origin=origin, facts={"generator": "human"}),
        Record(id="d", messages=(), licence="MIT", origin=origin, facts={"upstream": "ai4privacy"}),
    ]
    source = Source(
        name="s", uri="u", licence="MIT", origin="o", basis="b", generator="GPT-4", sha256="0" * 64
    )
    assert set(rights.parts(rows, [source])) == {
        Data("MIT", 2, "s", "GPT-4"),
        Data("MIT", 1, "s", "human"),
        Data("MIT", 1, "s", "GPT-4", "", ("ai4privacy",)),
    }


# ── properties ──────────────────────────────────────────────────────────────────────────────────

LICENCES = sorted(packs.licences().licences)
FIELDS = st.sampled_from(
    [*LICENCES, "NOASSERTION", "LicenseRef-nobody-knows", "not clear", "MIT OR CC-BY-NC-4.0"]
)
GENERATORS = st.sampled_from(
    ["", "", "OpenAI GPT-4", "Llama-3-70B", "Llama-3.1-8B", "gemma-2", "a model of ours", "templates"]
)
PARTS = st.builds(
    Data,
    FIELDS,
    st.integers(1, 9),
    st.sampled_from(["a", "b"]),
    GENERATORS,
    st.sampled_from(["", "", "CC-BY-4.0"]),
    st.sampled_from([(), (), ("ai4privacy",), ("cnn_dailymail",), ("MIT",)]),
)
BASES = st.sampled_from([None, "", "MIT", "llama3.1", "llama3", "gemma", "CC-BY-NC-4.0", "Apache-2.0"])
INTENTS = st.builds(Intent, st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["", "EU", "US"]))


@settings(deadline=None, max_examples=200)
@given(st.lists(PARTS, max_size=5), PARTS, BASES, INTENTS)
def test_a_further_licence_never_makes_more_allowed(
    data: list[Data], more: Data, base: str | None, intent: Intent
) -> None:
    if not data and base is None:
        return
    before, after = judge(data, base=base, intent=intent), judge([*data, more], base=base, intent=intent)
    for use in USES:
        assert rank(after.on(use)) >= rank(before.on(use))
    assert rank(after.verdict) >= rank(before.verdict)
    assert set(before.credits) <= set(after.credits)
    flags = {(reason.licence, reason.flag) for reason in before.reasons}
    assert flags <= {(reason.licence, reason.flag) for reason in after.reasons}
    assert not (after.freest and not before.freest and base is not None)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(PARTS, max_size=5).flatmap(lambda d: st.tuples(st.just(d), st.permutations(d))), BASES, INTENTS
)
def test_the_order_does_not_matter(
    both: tuple[list[Data], list[Data]], base: str | None, intent: Intent
) -> None:
    assert judge(both[0], base=base, intent=intent) == judge(both[1], base=base, intent=intent)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(PARTS, max_size=4),
    st.sampled_from(["NOASSERTION", "LicenseRef-nobody-knows", "not clear"]),
    BASES,
    INTENTS,
)
def test_what_is_unknown_never_allows(
    data: list[Data], unknown: str, base: str | None, intent: Intent
) -> None:
    told = judge([*data, Data(unknown)], base=base, intent=intent)
    assert all(rank(told.on(use)) >= rank("unknown") for use in USES)
    assert told.freest == ""


@settings(deadline=None, max_examples=100)
@given(st.lists(PARTS, min_size=1, max_size=4), BASES, INTENTS)
def test_what_is_not_allowed_has_a_reason_with_a_name(
    data: list[Data], base: str | None, intent: Intent
) -> None:
    told = judge(data, base=base, intent=intent)
    for permission in told.permissions:
        assert bool(permission.because) == (permission.answer != "allowed")
        assert all(reason.licence and reason.says for reason in permission.because)


# ── the guide ───────────────────────────────────────────────────────────────────────────────────


def test_the_guide_says_the_same_as_the_table() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", GUIDE.read_text("utf-8"), re.M
    )
    assert len(rows) >= 15
    for name, *answers in rows:
        side = judge([Data(name)], base="CC0-1.0", intent=PUBLISH)
        assert answers == [side.on(use) for use in USES], name
    assert packs.licences().looked_at in GUIDE.read_text("utf-8")
