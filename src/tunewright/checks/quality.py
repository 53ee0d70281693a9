"""Turns not worth learning from."""

from collections.abc import Iterator
from itertools import pairwise

from tunewright.checks import Each
from tunewright.checks import _quality as text_of
from tunewright.checks import _quality_phrases as phrases
from tunewright.nouns import Finding, Record

Fault = tuple[str, str, float]


def quality(
    records: Each,
    *,
    repeated: float = 0.5,
    least_words: int = 24,
    truncated_from: int = 200,
    shortest: int = 0,
    longest: int = 32_000,
) -> Iterator[Finding]:
    """Answers that are empty, echo the question, repeat themselves, break off or are debris.

    Of every answer: nothing in it (`empty`); the question again (`echo`); more than the share `repeated` of
    its word triples occurring before in an answer of at least `least_words` words, repeated lines, or a loop
    at the end (`repetition`, after Rae et al. 2021, Gopher, appendix A.1.1); prose of at least
    `truncated_from` characters that stops in the middle of a sentence, a sentence that stops after a comma
    or a joining word, an open code block, list or JSON (`truncated`); a set phrase of language models or
    web pages, lorem ipsum (`boilerplate`, as C4 did: Raffel et al. 2020); declining instead of answering
    (`refusal`); fewer than `shortest` characters (`short`, off by default) or more than `longest` (`long`).

    Of every turn: blanks left open, such as template variables (`placeholder`); text read with the wrong
    encoding (`encoding`); HTML and escape debris where nobody speaks of code (`markup`); noise, such as
    random typing or bad text recognition (`garbled`); signs without language (`symbols`). Of the
    conversation: turns in an order that cannot be trained on (`turns`). All of low severity.

    Limits: says nothing of whether an answer is true, helpful or well written; lists, poems and code may
    look repetitive; phrases are known in English, and a few in German, French and Spanish; noise is judged
    for the Latin alphabet only; a text that breaks off at the end of a sentence looks whole.
    """
    for record in records:
        yield from _of_turns(record)
        for at, what, note, sure in _faults(record, repeated, least_words, truncated_from, shortest, longest):
            yield Finding(
                check="quality",
                what=what,
                record=record.id,
                message=at,
                severity="low",
                note=note,
                confidence=sure,
            )


def _faults(
    record: Record, repeated: float, least: int, truncated_from: int, shortest: int, longest: int
) -> Iterator[tuple[int, str, str, float]]:
    question = ""
    for at, message in enumerate(record.messages):
        text = message.content.strip()
        if message.role == "assistant" and not record.label:
            if not text:
                yield at, "empty", "the answer has no words", 1.0
                continue
            if why := phrases.nothing(text):
                yield at, "placeholder", why, 0.8
                continue
            if text[:4].lower() == question[:4].lower() and _folded(text) == _folded(question):
                yield at, "echo", "the answer is the question again", 1.0
                continue
            yield from ((at, *fault) for fault in _of_answer(text, repeated, least, truncated_from))
            if len(text) < shortest:
                yield at, "short", f"the answer has {len(text)} characters, fewer than {shortest}", 1.0
            if len(text) > longest:
                yield at, "long", f"the answer has {len(text)} characters, more than {longest}", 1.0
        elif message.role == "user":
            if not text and len(record.messages) > 1:
                yield at, "empty", "the question has no words", 1.0
                continue
            question = text
        if message.role in ("user", "assistant") and text:
            if why := text_of.encoding(text):
                yield at, "encoding", why, 0.9
            debris = list(_debris(text, question, message.role))
            if debris and not text_of.codes(text) and not text_of.codes(question):
                yield from ((at, *fault) for fault in debris)


def _of_answer(text: str, repeated: float, least: int, truncated_from: int) -> Iterator[Fault]:
    if why := text_of.repetition(text, repeated, least):
        yield "repetition", why, 0.9
    for why in text_of.truncated(text, truncated_from):
        yield "truncated", f"the answer breaks off: {why}", 0.6
    if why := phrases.boilerplate(text):
        yield "boilerplate", why, 0.9
    if why := phrases.refusal(text):
        yield "refusal", why, 0.8


def _debris(text: str, question: str, role: str) -> Iterator[Fault]:
    """What is debris unless it stands in, or speaks of, code."""
    if why := phrases.blanks(text, "" if role == "user" else question):
        yield "placeholder", why, 0.8
    if why := text_of.markup(text):
        yield "markup", why, 0.8
    if why := text_of.garbled(text):
        yield "garbled", why, 0.7
    elif role == "assistant" and (why := text_of.symbols(text)):
        yield "symbols", why, 0.7


def _of_turns(record: Record) -> Iterator[Finding]:
    roles = [m.role for m in record.messages]
    if len(roles) < 2:
        return
    why, place = "", 0
    if "assistant" in roles and "user" not in roles and "tool" not in roles:
        why = "nobody asks: there are answers without a question"
    else:
        for at, (before, role) in enumerate(pairwise(roles), 1):
            if role == "system" and before != "system":
                why = "a system prompt stands in the middle"
            elif before == role == "assistant" or before == role == "user":
                why = f"two turns of the {role} follow each other"
            if why:
                place = at
                break
    if why:
        yield Finding(
            check="quality",
            what="turns",
            record=record.id,
            message=place,
            severity="low",
            note=why,
            confidence=1.0,
        )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
