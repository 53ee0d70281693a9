"""Nouns: frozen values that are named by their content."""

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tunewright.nouns import NOUNS, Channel, Dataset, Message, Noun, Origin, Record, Report, Rule, Score

ORIGIN = Origin(source="faq.csv", file="data/faq.csv", line=3)


def record(**more: Any) -> Record:
    said = (
        Message(role="user", content="Où est mon colis ?"),
        Message(role="assistant", content="En route."),
    )
    return Record(**{"id": "r1", "messages": said, "origin": ORIGIN, **more})


def test_a_digest_written_down_once_still_names_the_same_thing() -> None:
    assert record().digest == "6aaf7c150c09b180d116a44ac24eeb05ab470bef671df102e6c4cde3bb7a6068"


def test_equal_things_have_equal_names_and_unequal_things_do_not() -> None:
    assert record() == record()
    assert record().digest == record().digest
    assert record(licence="MIT").digest != record().digest
    assert record(subjects=("a", "b")).digest != record(subjects=("b", "a")).digest


def test_the_kind_is_part_of_the_name() -> None:
    class Left(Noun):
        text: str

    class Right(Noun):
        text: str

    assert Left(text="same").canonical == b'{"kind":"left","text":"same"}'
    assert Left(text="same").digest != Right(text="same").digest


def test_canonical_json_is_rfc_8785() -> None:
    rule = Rule(measure="é\u20ac", at_least=1e21, at_most=1.0)
    assert rule.canonical == '{"at_least":1e+21,"at_most":1,"kind":"rule","measure":"é€"}'.encode()
    assert rfc8785.dumps(json.loads(rule.canonical)) == rule.canonical
    assert rule.digest == hashlib.sha256(rule.canonical).hexdigest()


@given(st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False), max_size=5))
def test_the_order_in_which_fields_were_given_does_not_matter(values: dict[str, float]) -> None:
    about = {"suite": "golden", "arm": "base", "case": "c"}
    forwards = Score.model_validate({**about, "values": values})
    backwards = Score.model_validate(
        {"values": dict(reversed(list(values.items()))), **dict(reversed(list(about.items())))}
    )
    assert forwards.digest == backwards.digest


@given(st.text(max_size=40))
def test_what_is_read_back_from_canonical_json_has_the_same_name(text: str) -> None:
    told = Message(role="user", content=text)
    fields = json.loads(told.canonical)
    assert fields.pop("kind") == "message"
    assert Message.model_validate(fields).digest == told.digest


@pytest.mark.parametrize("kind", sorted(NOUNS))
def test_a_field_that_is_not_known_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        NOUNS[kind].model_validate({"not_a_field": 1})


def test_a_noun_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        record().licence = "MIT"  # type: ignore[misc]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_does_not_have_are_refused(value: float) -> None:
    with pytest.raises(ValidationError):
        Rule(measure="x", at_least=value)


@pytest.mark.parametrize("digest", ["", "abc", "G" * 64, "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_only_a_sha_256_in_small_letters_is_a_digest(digest: str) -> None:
    with pytest.raises(ValidationError):
        Channel(name="production", release=digest)


def test_a_noun_knows_which_blobs_it_points_at() -> None:
    a, b, c = (letter * 64 for letter in "abc")
    dataset = Dataset(name="d", records=a, count=1, quarantine=b, received=1, fates={}, sources=(), parent=c)
    assert set(dataset.points_at()) == {a, b}
    report = Report(about="data", subject=c, measures=(), details=a, plugins=())
    assert list(report.points_at()) == [a]
    assert list(ORIGIN.points_at()) == []


def test_every_kind_is_listed_under_its_own_name() -> None:
    assert all(kind == cls.kind == cls.__name__.lower() for kind, cls in NOUNS.items())
    assert {"record", "dataset", "model", "report", "release", "entry", "erasure"} <= set(NOUNS)
