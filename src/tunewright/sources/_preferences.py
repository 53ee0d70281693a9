"""Answers that people preferred and answers that they did not: how the rows of preference data are read."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from tunewright.sources._turns import Row, Turn, listed, spoken, turns, words

Kind = Literal["preference pairs", "compared answers", "rated answers"]

CHOSEN = ("chosen", "preferred_output", "preferred", "chosen_response")
REJECTED = ("rejected", "non_preferred_output", "dispreferred", "rejected_response")
_QUESTIONS = ("prompt", "question", "instruction", "input", "context", "history", "query")
_TALKS = ("messages", "conversations", "conversation")
_SCORES = (
    ("score_chosen", "score_rejected"),
    ("chosen_score", "rejected_score"),
    ("chosen-rating", "rejected-rating"),
    ("chosen_rating", "rejected_rating"),
    ("chosen_avg_rating", "rejected_avg_rating"),
)
_SIDES = (
    ("response_a", "response_b"),
    ("answer_a", "answer_b"),
    ("completion_a", "completion_b"),
    ("conversation_a", "conversation_b"),
    ("human_ref_A", "human_ref_B"),
    ("response_0", "response_1"),
    ("answer_0", "answer_1"),
    ("response1", "response2"),
    ("response_1", "response_2"),
)
"""Two answers that are compared, under names that end in a letter or a number."""
_WINNERS = (
    "winner",
    "preference",
    "preferred",
    "choice",
    "better_response_id",
    "overall_preference",
    "labels",
)
_LIKED = ("liked", "desirable", "kto_tag", "thumb", "thumbs", "label")
_YES = frozenset(
    {"true", "yes", "1", "up", "thumbs up", "thumbs_up", "like", "liked", "good", "positive", "👍"}
)
_NO = frozenset(
    {
        *("false", "no", "0", "-1", "down", "thumbs down", "thumbs_down"),
        *("dislike", "disliked", "bad", "negative", "👎"),
    }
)


class Compared(NamedTuple):
    """Names of two answers that are compared in a row."""

    one: str
    other: str


def kind_of(row: Row, there: set[str]) -> Kind | None:
    """Which kind of preference data a row is, by the fields that are `there`. A row of rated answers must
    also be a conversation without the rating."""
    if "chosen" in there or not (there.isdisjoint(CHOSEN) or there.isdisjoint(REJECTED)):
        return "preference pairs"
    sides = _compared(there)
    if sides and (not there.isdisjoint(_WINNERS) or _scores(sides, there)):
        return "compared answers"
    if name := _rated(there):
        value = row[name]
        known = verdict(value) is not None
        if name == "label":
            plain = isinstance(value, bool) or str(value).strip().lower() in ("true", "false", "0", "1")
            known = isinstance(value, bool) or (plain and {"prompt", "completion"} <= there)
        if (known or (name != "label" and isinstance(value, str) and value)) and not _is_answer(row, name):
            return "rated answers"
    return None


# ── pairs ───────────────────────────────────────────────────────────────────────────────────────


def pair(row: Row) -> list[Turn]:
    """The conversation with both answers; with the chosen one alone where no other is there.

    Errors: `ValueError` when the two do not belong to one question, or nothing sets them apart.
    """
    good = next(name for name in CHOSEN if row.get(name) is not None)
    bad = next((name for name in REJECTED if row.get(name) not in (None, "", [])), None)
    if bad is None:
        return side(row, good)
    for high, low in _SCORES:
        one, other = row.get(high), row.get(low)
        if isinstance(one, int | float) and isinstance(other, int | float) and one <= other:
            raise ValueError(f"{high} is not above {low}: nobody preferred the chosen answer")
    return joined(side(row, good), side(row, bad), good, bad)


def joined(good: list[Turn], bad: list[Turn], one: str = "chosen", other: str = "rejected") -> list[Turn]:
    """One conversation with both last answers. Errors: `ValueError`."""
    for said, name in ((good, one), (bad, other)):
        if said[-1].role != "assistant" or not said[-1].content.strip():
            raise ValueError(f"{name} does not end with an answer of the assistant")
    if [(t.role, t.content.strip()) for t in good[:-1]] != [(t.role, t.content.strip()) for t in bad[:-1]]:
        raise ValueError(f"{one} and {other} differ before the last answer")
    return with_rejected(good, bad[-1].content)


def with_rejected(said: list[Turn], other: str) -> list[Turn]:
    """A conversation with an answer and one that people did not want. Errors: `ValueError`."""
    if not other.strip():
        raise ValueError("the rejected answer is empty")
    if said[-1].role == "assistant" and said[-1].content.strip() == other.strip():
        raise ValueError("the chosen and the rejected answer are the same")
    return [*said, Turn("rejected", other)]


def side(row: Row, name: str) -> list[Turn]:
    """One of the two answers with what was said before it: messages, a transcript, or an answer to a
    question that stands in a field of its own.
    """
    told, before = row[name], _before(row)
    if isinstance(told, str) and told.lstrip().startswith("[{"):
        told = listed(told, name)
    if isinstance(told, Mapping):
        told = [told]
    if isinstance(told, list) and told and all(isinstance(one, str) for one in told):
        told = told[0] if len(told) == 1 else told
    if isinstance(told, list):
        said = _messages(listed(told, name))
        if any(one.role == "user" for one in said):
            return said
        return [*(before if isinstance(before, list) else [Turn("user", _needed(before))]), *said]
    answer = words(told, name)
    if isinstance(before, list):
        return [*before, Turn("assistant", answer)]
    if whole := spoken(answer):
        return whole
    question = _needed(before)
    return spoken(f"{question.rstrip()} {answer}") or [Turn("user", question), Turn("assistant", answer)]


def _needed(question: list[Turn] | str | None) -> str:
    if not isinstance(question, str):
        raise ValueError("has answers without a prompt, and they are no transcripts of a conversation")
    return question


def _before(row: Row) -> list[Turn] | str | None:
    """What was said before the answers: turns, or the words of a question."""
    for name in (*_TALKS, *_QUESTIONS):
        found = row.get(name)
        if not found:
            continue
        if isinstance(found, Mapping):
            if isinstance(inner := found.get("messages"), list):  # OpenAI's format for preference tuning
                return _messages(listed(inner, name))
            found = found.get("full_text", found.get("text"))
        if isinstance(found, str) and found.lstrip().startswith("[{"):
            found = listed(found, name)
        if isinstance(found, list) and all(isinstance(one, Mapping) for one in found):
            said = _messages(listed(found, name))
            if name in _TALKS and said[-1].role == "assistant":  # the answer again, as UltraFeedback has it
                continue
            return said
        question = words(found, name)
        more, about = row.get("input"), row.get("context")
        if name == "instruction" and isinstance(more, str) and more.strip():
            return f"{question}\n\n{more}"
        if name in ("question", "query") and isinstance(about, str) and about.strip():
            return f"{about}\n\n{question}"
        return question
    return None


def _messages(found: object) -> list[Turn]:
    """Turns with `role` and `content`, or with other known names for these."""
    assert isinstance(found, list)
    first = found[0]
    theirs = isinstance(first, Mapping) and "from" in first and "role" not in first
    return turns(found, *(("from", "value") if theirs else ("role", "content")))


# ── compared answers ────────────────────────────────────────────────────────────────────────────


def better(row: Row) -> list[Turn]:
    """Of two answers the better one, and the other as rejected. Errors: `ValueError` for a tie."""
    names = _compared({key for key, value in row.items() if value is not None})
    assert names is not None
    first = _first(row, names)
    if first is None:
        raise ValueError("neither answer is said to be better: a tie, or a word that is not known")
    good, bad = names if first else (names.other, names.one)
    return joined(side(row, good), side(row, bad), good, bad)


def _first(row: Row, names: Compared) -> bool | None:
    """Whether the first of two answers is the better one; None when nobody says."""
    winner = next((row[name] for name in _WINNERS if row.get(name) is not None), None)
    if winner is not None:
        if "human_ref_A" in names:  # SHP: 1 when A is preferred
            return {1: True, 0: False}.get(winner) if isinstance(winner, int) else None
        if row.get("overall_preference") is winner:  # HelpSteer3: from -3 (the first) to 3 (the second)
            return winner < 0 if isinstance(winner, int | float) and winner else None
        ends = [name[-1].lower() for name in names]
        word = str(winner).strip().lower()
        known = ((name.lower(), end, f"model_{end}") for name, end in zip(names, ends, strict=True))
        said = [word in words_for for words_for in known]
        return said[0] if any(said) else None
    scores = _scores(names, row.keys())
    one, other = (row.get(name) for name in scores) if scores else (None, None)
    if isinstance(one, int | float) and isinstance(other, int | float) and one != other:
        return one > other
    return None


def _compared(there: set[str]) -> Compared | None:
    return next((Compared(*names) for names in _SIDES if there.issuperset(names)), None)


def _scores(names: Compared, there: Collection[str]) -> tuple[str, str] | None:
    found = f"score_{names.one[-1]}", f"score_{names.other[-1]}"
    return found if all(name in there for name in found) else None


# ── rated answers ───────────────────────────────────────────────────────────────────────────────


def unrated(row: Row) -> tuple[str, Row]:
    """The field that says how an answer was liked, and the row without it."""
    name = _rated({key for key, value in row.items() if value is not None}) or ""
    return name, {key: value for key, value in row.items() if key != name}


def judged(said: list[Turn], value: object, name: str) -> list[Turn]:
    """The last answer as it was judged. Errors: `ValueError` when the word is not known."""
    liked = verdict(value)
    if liked is None:
        raise ValueError(f"{name} is neither yes nor no")
    if said[-1].role != "assistant":
        raise ValueError("does not end with an answer of the assistant")
    return said if liked else [*said[:-1], Turn("rejected", said[-1].content)]


def verdict(value: object) -> bool | None:
    """Whether somebody liked it, from true and false, 1, 0 and -1, or words such as `up`; None if unknown."""
    if isinstance(value, float) and value in (1, 0, -1):
        value = int(value)
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    return True if word in _YES else False if word in _NO else None


def _rated(there: set[str]) -> str | None:
    return next((name for name in _LIKED if name in there), None)


def _is_answer(row: Row, name: str) -> bool:
    """Whether the value is what was answered: then it is a label, and no word on the answer."""
    last = next((row[talk] for talk in _TALKS if isinstance(row.get(talk), list) and row[talk]), None)
    one = last[-1] if isinstance(last, list) else None
    said = one.get("content", one.get("value")) if isinstance(one, Mapping) else None
    return isinstance(said, str) and said.strip().lower() == str(row[name]).strip().lower()
