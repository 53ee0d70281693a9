"""A verb has one signature; every face asks for just what stands in it."""

import ast
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from tunewright.cli import from_verbs
from tunewright.cli.app import ORDER, READERS, WHOLE, app, doc, help_text
from tunewright.verbs import verbs

EVERYWHERE = {"project", "json"}
SENTENCE = "Gather, vet, tune, evaluate, release, serve, watch, learn — and forget."


def test_the_verbs_are_the_words_of_the_products_sentence() -> None:
    words = re.findall(r"[a-z]+", SENTENCE.lower().replace("and ", ""))
    assert list(ORDER) == words
    assert sorted(ORDER) == list(verbs)


def test_every_verb_is_a_command_in_the_order_of_the_sentence() -> None:
    commands = [name for name in app if not name.startswith("-")]
    assert commands == [*ORDER, *WHOLE, *READERS]


@pytest.mark.parametrize("name", ORDER)
def test_a_command_asks_for_what_its_verb_asks_for(name: str) -> None:
    asked = inspect.signature(from_verbs.command(verbs[name])).parameters
    fields = verbs[name].params.model_fields
    assert set(asked) == {*fields, *EVERYWHERE}
    for field_name, field in fields.items():
        parameter = asked[field_name]
        kind, told = get_args(parameter.annotation)
        assert kind == field.annotation
        assert told.help == field.description
        assert told.help, f"{name} does not say what {field_name} is"
        if field.is_required():
            assert parameter.default is inspect.Parameter.empty
        else:
            assert parameter.default == field.default


@pytest.mark.parametrize("name", ORDER)
def test_things_and_what_is_needed_are_positional_and_the_rest_are_flags(name: str) -> None:
    verb = verbs[name]
    for parameter in inspect.signature(from_verbs.command(verb)).parameters.values():
        positional = parameter.name in verb.nouns or (
            parameter.name not in EVERYWHERE and verb.params.model_fields[parameter.name].is_required()
        )
        assert (parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD) == positional


@pytest.mark.parametrize("name", ORDER)
def test_help_is_the_verbs_docstring_with_its_limits(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([name, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    told = help_text(verbs[name].__doc__ or "")
    limits = next(p for p in told.split("\n\n") if p.startswith("Limits:"))
    assert " ".join(limits.split()) in shown
    assert " ".join(told.split()) in shown
    assert "Parameters: " not in shown


@pytest.mark.parametrize("name", ORDER)
def test_help_read_from_the_source_is_what_the_verb_says(name: str) -> None:
    file = Path(inspect.getfile(verbs[name].function))
    assert doc(file, name) == help_text(verbs[name].__doc__ or "")
    assert ast.parse(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [*ORDER, *WHOLE, *READERS])
def test_every_command_can_answer_in_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([name, "--help"])
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", [name for name in (*ORDER, *WHOLE, *READERS) if name not in {"init", "schema"}]
)
def test_every_command_about_a_project_can_be_told_which(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app([name, "--help"])
    assert "--project" in capsys.readouterr().out
