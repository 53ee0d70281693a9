"""The project file and the evaluation cases: every mistake says where, what was expected, what to type."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.errors import BadInput, NotFound, TunewrightError
from tunewright.project import Settings
from tunewright.project.reading import parse

GOOD = """\
name: shop
data:
  - file: data/*.jsonl
    licence: CC0-1.0
    origin: written for the tests
    basis: all fictional
tune:
  base: "echo:"
evaluate:
  cases: cases.jsonl
"""


def mistake(text: str) -> BadInput:
    with pytest.raises(BadInput) as raised:
        parse(text)
    return raised.value


def test_a_small_file_is_enough() -> None:
    settings = parse(GOOD)
    assert isinstance(settings, Settings)
    assert settings.tune.trainer == "lora"
    assert settings.policy.vet["personal"] == "redact"


MISTAKES = {
    "a field with a typo at the top": (
        GOOD.replace("evaluate:", "evalute:"),
        "tunewright.yaml:9: evalute: no such field; did you mean evaluate?",
    ),
    "a field with a typo in a list": (
        GOOD.replace("licence:", "license:"),
        "tunewright.yaml:4: data.0.license: no such field; did you mean licence?",
    ),
    "a field with a typo in a section": (
        GOOD.replace("base:", "bse:"),
        "tunewright.yaml:8: tune.bse: no such field; did you mean base?",
    ),
    "a field with a typo in a rule": (
        GOOD + "policy:\n  release:\n    - {measure: a, atleast: 1}\n",
        "tunewright.yaml:13: policy.release.0.atleast: no such field; did you mean at_least?",
    ),
    "a field that resembles nothing": (
        GOOD + "zzz: 1\n",
        "tunewright.yaml:11: zzz: no such field; known: name, summary, system, data, tune, evaluate, policy",
    ),
    "a missing licence": (
        GOOD.replace("    licence: CC0-1.0\n", ""),
        "tunewright.yaml:3: data.0.licence: missing (SPDX expression such as CC-BY-4.0",
    ),
    "an empty licence": (
        GOOD.replace("CC0-1.0", '" "'),
        "tunewright.yaml:4: data.0.licence: say which licence, or NOASSERTION when nobody knows",
    ),
    "a missing name": (GOOD.replace("name: shop\n", ""), "tunewright.yaml:1: name: missing"),
    "a file and a dataset": (
        GOOD.replace("  - file:", "  - dataset: learned\n    file:"),
        "tunewright.yaml:3: data.0: name either a file, a uri or a dataset",
    ),
    "neither a file nor a dataset": (
        GOOD.replace("file: data/*.jsonl", "source: csv"),
        "tunewright.yaml:3: data.0: name either a file, a uri or a dataset",
    ),
    "no data at all": (
        re.sub(r"data:\n(  .*\n)+", "data: []\n", GOOD),
        "tunewright.yaml:2: data: Tuple should have at least 1 item",
    ),
    "text where a list belongs": (
        re.sub(r"data:\n(  .*\n)+", "data: chat.jsonl\n", GOOD),
        "tunewright.yaml:2: data: expected a list; begin each item with `- `",
    ),
    "text where a number belongs": (
        GOOD.replace("tune:", "tune:\n  seed: many"),
        "tunewright.yaml:8: tune.seed: Input should be a valid integer",
    ),
    "text where fields belong": (
        GOOD.replace('tune:\n  base: "echo:"', "tune: echo"),
        "tunewright.yaml:7: tune: expected fields below it (How to tune.)",
    ),
    "a date that is none": (
        GOOD.replace("    basis", "    retain_until: next year\n    basis"),
        "tunewright.yaml:6: data.0.retain_until: a date is written YYYY-MM-DD, YYYY-MM or YYYY",
    ),
    "a number out of bounds": (GOOD + "  max_tokens: 0\n", "tunewright.yaml:11: evaluate.max_tokens: Input"),
    "a name with capitals": (
        GOOD.replace("shop", "My Shop"),
        "tunewright.yaml:1: name: expected another form (Lower case, digits, dots and dashes.)",
    ),
    "a remedy that does not exist": (
        GOOD + "policy:\n  vet: {personal: redakt}\n",
        "tunewright.yaml:12: policy.vet.personal: Input should be 'keep', 'redact', 'pseudonymise', 'ask', "
        "'drop' or 'quarantine'",
    ),
    "an action that does not exist": (
        GOOD + "policy:\n  serve: {personal: blok}\n",
        "tunewright.yaml:12: policy.serve.personal: Input should be 'allow', 'flag' or 'block'",
    ),
    "a rule without end": (
        GOOD + "policy:\n  release:\n    - {measure: a, at_least: .inf}\n",
        "tunewright.yaml:13: policy.release.0.at_least: Input should be a finite number",
    ),
    "an option without end": (
        GOOD.replace("tune:", "tune:\n  options: {learning_rate: .inf}"),
        "tunewright.yaml:8: tune.options.learning_rate: expected a finite number",
    ),
    "a seed that JSON cannot hold": (
        GOOD.replace("tune:", "tune:\n  seed: 9007199254740993"),
        "tunewright.yaml:8: tune.seed: whole numbers must lie within",
    ),
    "half a character": (
        GOOD + 'summary: "\\ud800"\n',
        "tunewright.yaml:11: summary: half of a character",
    ),
    "a date in options": (
        GOOD.replace("tune:", "tune:\n  options: {day: 2026-01-01}"),
        "tunewright.yaml:8: tune.options.day: input was not a valid JSON value",
    ),
    "a key given twice": (GOOD + "name: again\n", "tunewright.yaml:11: name: stands here a second time"),
    "a key given twice in a list": (
        GOOD.replace("    origin:", "    licence: MIT\n    origin:"),
        "tunewright.yaml:5: licence: stands here a second time",
    ),
    "a later version of the file": (
        GOOD + "schema_version: 2\n",
        "tunewright.yaml:11: schema_version: Input",
    ),
    "a key that is a number": (GOOD + "1: x\n", "1: Keys should be strings"),
    "a tab": (GOOD.replace("  base", "\tbase"), "tunewright.yaml:8: not YAML: found character '\\t'"),
    "a bracket that stays open": (GOOD + "summary: [a\n", "tunewright.yaml:12: not YAML:"),
    "an alias to nothing": (GOOD + "policy: *nope\n", "tunewright.yaml:11: not YAML: found undefined alias"),
    "a second document": (
        GOOD + "---\nname: x\n",
        "tunewright.yaml:11: not YAML: but found another document",
    ),
    "a Python object": (
        GOOD + "summary: !!python/object:os.system x\n",
        "tunewright.yaml:11: not YAML: could",
    ),
    "a zero byte": (GOOD + "summary: a\0b\n", "tunewright.yaml:11: not YAML: unacceptable character"),
    "brackets without end": (
        GOOD + "summary: " + "[" * 5000,
        "tunewright.yaml:1: not YAML: maximum recursion",
    ),
    "an alias to itself": (GOOD + "policy: &p\n  options: {a: {b: *p}}\n", "cyclic reference"),
    "nothing": ("", "tunewright.yaml:1: expected fields such as `name:` and `data:`"),
    "a list at the top": ("- a\n- b\n", "tunewright.yaml:1: expected fields such as `name:` and `data:`"),
    "only words": ("hello", "tunewright.yaml:1: expected fields such as `name:` and `data:`"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_every_mistake_is_told_with_its_line_and_field(what: str) -> None:
    text, told = MISTAKES[what]
    error = mistake(text)
    assert told in str(error)
    assert error.hint


def test_all_mistakes_are_told_at_once_and_none_twice() -> None:
    text = GOOD.replace("licence: CC0-1.0", "license: x").replace("base:", "bse:") + "name: again\n"
    lines = str(mistake(text)).splitlines()
    assert sorted(int(line.split(":")[1]) for line in lines) == [3, 4, 7, 8, 11]
    assert not any("at least 1 item" in line for line in lines)


def test_a_folder_without_a_project_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no tunewright\.yaml") as raised:
        tw.open(tmp_path)
    assert raised.value.hint == f"tunewright init {tmp_path}"


def test_a_project_file_that_is_not_text_says_so(folder: Path) -> None:
    (folder / "tunewright.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(BadInput, match=r"tunewright.yaml: cannot be read"):
        tw.open(folder)
    (folder / "tunewright.yaml").unlink()
    (folder / "tunewright.yaml").mkdir()
    with pytest.raises(BadInput, match=r"tunewright.yaml: cannot be read"):
        tw.open(folder)


def test_a_mark_at_the_beginning_of_the_file_does_no_harm(
    folder: Path, reopen: Callable[[], tw.Project]
) -> None:
    file = folder / "tunewright.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert reopen().settings.name == "shop"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_project_file_that_may_not_be_read_says_so(folder: Path) -> None:
    (folder / "tunewright.yaml").chmod(0)
    with pytest.raises(BadInput, match="cannot be read"):
        tw.open(folder)


def test_a_database_that_cannot_be_opened_says_where_and_hides_the_password(folder: Path) -> None:
    with pytest.raises(BadInput, match="cannot be opened") as raised:
        tw.open(folder, url="sqlite:////nowhere/at/all.db")
    assert "TUNEWRIGHT_DATABASE" in raised.value.hint
    with pytest.raises(TunewrightError) as raised_too:
        tw.open(folder, url="nonsense://ada:hunter2@host/x")
    assert "hunter2" not in str(raised_too.value) + raised_too.value.hint
    assert raised_too.value.hint


def test_a_state_folder_that_cannot_be_made_says_so(folder: Path) -> None:
    (folder / ".tunewright").write_text("a file is in the way")
    with pytest.raises(BadInput, match=r"\.tunewright cannot be written"):
        tw.open(folder)


def test_a_source_that_is_not_there_names_the_field(folder: Path, project: tw.Project) -> None:
    (folder / "data" / "chat.jsonl").unlink()
    with pytest.raises(BadInput, match=r"tunewright.yaml: data.0.file: nothing called 'data/\*.jsonl'"):
        tw.gather(project)


# ── commitments to persons ──────────────────────────────────────────────────────────────────────


def test_a_commitment_does_not_depend_on_case_or_space(project: tw.Project) -> None:
    assert project.commit("Ada@Example.com ") == project.commit("ada@example.com")
    assert project.commit("ada@example.com") != project.commit("bob@example.com")


def test_another_project_commits_otherwise_and_the_key_is_private(
    folder: Path, project: tw.Project, reopen: Callable[[], tw.Project]
) -> None:
    key = folder / ".tunewright" / "subject.key"
    assert key.stat().st_mode & 0o077 == 0
    assert reopen().commit("ada") == project.commit("ada")
    assert key.read_bytes().hex() not in repr(project)
    assert "secret=" not in repr(project)
    key.unlink()
    assert reopen().commit("ada") != project.commit("ada")


# ── evaluation cases ────────────────────────────────────────────────────────────────────────────

ASK = [{"role": "user", "content": "Is it open?"}]
ANSWER = [*ASK, {"role": "assistant", "content": "Yes."}]

FAULTS = {
    "not JSON": ("{no", "not JSON: "),
    "not an object": ("[1]", "evaluation/cases.jsonl:2: "),
    "nested without end": ("[" * 100_000, "not JSON: "),
    "no messages": (json.dumps({"id": "x", "reference": "y"}), "messages: Field required"),
    "an unknown role": (
        json.dumps({"id": "x", "messages": [{"role": "bot", "content": "y"}], "reference": "y"}),
        "messages.0.role: Input should be 'system', 'user', 'assistant'",
    ),
    "a typo": (json.dumps({"id": "x", "messages": ASK, "referenc": "y"}), "referenc: Extra inputs"),
    "the assistant speaks last": (
        json.dumps({"id": "x", "messages": ANSWER, "reference": "y"}),
        "a case must end with the user's turn",
    ),
    "no turns": (
        json.dumps({"id": "x", "messages": [], "reference": "y"}),
        "a case must end with the user's",
    ),
    "nothing to check": (json.dumps({"id": "x", "messages": ASK}), "say what is right: reference, contains"),
    "an id given twice": (
        json.dumps({"id": "a", "messages": ASK, "exact": "y"}),
        "a second case with the id",
    ),
    "half a character": ('{"id": "x", "messages": [], "reference": "\\ud800"}', "non-UTF-8 codepoints"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_every_fault_in_the_cases_is_told_with_its_line(folder: Path, project: tw.Project, what: str) -> None:
    line, told = FAULTS[what]
    good = [json.dumps({"id": name, "messages": ASK, "reference": "Yes."}) for name in "ab"]
    (folder / "evaluation" / "cases.jsonl").write_text("\n".join([good[0], line, "", good[1]]))
    with pytest.raises(BadInput) as raised:
        project.each_case()
    assert str(raised.value).startswith("evaluation/cases.jsonl:2: ")
    assert told in str(raised.value)
    assert raised.value.hint


def test_all_faulty_lines_are_named_at_once(folder: Path, project: tw.Project) -> None:
    bad = "\n\n".join(line for line, _ in FAULTS.values())
    (folder / "evaluation" / "cases.jsonl").write_text(bad)
    with pytest.raises(BadInput) as raised:
        project.each_case()
    named = {int(line.split(":")[1]) for line in str(raised.value).splitlines()}
    assert named == set(range(1, 2 * len(FAULTS), 2)) - {2 * list(FAULTS).index("an id given twice") + 1}


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff\n"])
def test_no_cases_are_a_fault(folder: Path, project: tw.Project, text: str) -> None:
    (folder / "evaluation" / "cases.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"evaluation/cases.jsonl: there are no cases in it"):
        project.each_case()


def test_a_cases_file_that_is_missing_or_not_text_says_so(folder: Path, project: tw.Project) -> None:
    file = folder / "evaluation" / "cases.jsonl"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read"):
        project.each_case()
    file.unlink()
    with pytest.raises(BadInput, match=r"there is no 'evaluation/cases\.jsonl'"):
        project.cases()


def test_line_separators_inside_a_case_do_not_split_it(folder: Path, project: tw.Project) -> None:
    row = {"id": "a", "messages": [{"role": "user", "content": "one\u2028two\x85three"}], "reference": "y"}
    (folder / "evaluation" / "cases.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (found,) = project.each_case()
    assert found.messages[0].content == "one\u2028two\x85three"
