"""Answers not worth learning from."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tunewright.nouns import Finding, Record

_WORD = re.compile(r"\w+")
_ENDS = frozenset(".!?…:;)]}>\"'”’»`*_~|。！？）」』、।؟۔")


def quality(
    records: Iterable[Record], *, repeated: float = 0.5, least_words: int = 24, truncated_from: int = 200
) -> Iterator[Finding]:
    """Answers that are empty, echo the question, repeat themselves or break off.

    Looks at the last answer: nothing in it (`empty`), the question again (`echo`), more than the share
    `repeated` of its word triples occurring before in an answer of at least `least_words` words
    (`repetition`, after Rae et al. 2021, Gopher, appendix A.1.1), and prose of at least `truncated_from`
    characters that stops in the middle of a sentence (`truncated`). All of low severity.

    Limits: says nothing of whether an answer is true, helpful or well written; lists, poems and code may
    look repetitive, and languages written without spaces are not judged for repetition.
    """
    for record in records:
        for what, note in _faults(record, repeated, least_words, truncated_from):
            last = max(len(record.messages) - 1, 0)
            yield Finding(
                check="quality", what=what, record=record.id, message=last, severity="low", note=note
            )


def _faults(record: Record, repeated: float, least: int, truncated_from: int) -> Iterator[tuple[str, str]]:
    if not record.messages or record.messages[-1].role != "assistant":
        return  # a question in flight: there is no answer yet
    answer = record.messages[-1].content.strip()
    if not answer:
        yield "empty", "the answer has no words"
        return
    questions = [m.content for m in record.messages if m.role == "user"]
    if (
        questions
        and not record.label
        and " ".join(answer.casefold().split()) == " ".join(questions[-1].casefold().split())
    ):
        yield "echo", "the answer is the question again"
    words = [word.casefold() for word in _WORD.findall(answer)]
    if len(words) >= least:
        triples = Counter(zip(words, words[1:], words[2:], strict=False))
        share = 1 - len(triples) / (len(words) - 2)
        if share > repeated:
            yield "repetition", f"{share:.0%} of the answer's word triples repeat earlier ones"
    elif len(answer) >= 60 and len(set(answer)) <= 4:
        yield "repetition", "the answer is made of very few different characters"
    if len(answer) >= truncated_from and not record.label and _breaks_off(answer):
        yield "truncated", "the answer stops in the middle of a sentence"


def _breaks_off(answer: str) -> bool:
    """Prose (it has sentences) whose last line ends without any mark that ends one."""
    last = answer.rsplit("\n", 1)[-1].strip()
    prose = sum(answer.count(mark) for mark in (". ", "? ", "! ")) >= 2
    return prose and answer[-1] not in _ENDS and len(last.split()) >= 6 and "http" not in last[-80:]
