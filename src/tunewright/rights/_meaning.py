"""What a clause means for a tuned model, by the part its licence plays."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from tunewright.packs import Certainty, Clause, Flag, Licence, Rule, Use

USES: tuple[Use, ...] = get_args(Use)
Role = Literal["data", "base", "teacher"]
Answer = Literal["allowed", "allowed with duties", "a person must decide", "unknown", "blocked"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
"""From best to worst."""

OK, DUTY, ASK, UNKNOWN, NO = ANSWERS
Row = tuple[Answer, Answer, Answer, Answer]
"""Answers for internal use, commercial use, serving and publishing, in this order."""

FREE: Row = (OK, OK, OK, OK)
SHARED: Row = (OK, OK, DUTY, DUTY)
GIVEN_OUT: Row = (OK, OK, OK, DUTY)
EVERYWHERE: Row = (DUTY, DUTY, DUTY, DUTY)
ASKED: Row = (ASK, ASK, ASK, ASK)
OPEN: Row = (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
FORBIDDEN: Row = (NO, NO, NO, NO)

MEANING: dict[Flag, dict[Role, Row]] = {
    "attribution": {"data": GIVEN_OUT, "base": GIVEN_OUT},
    "notices": {"data": GIVEN_OUT, "base": GIVEN_OUT},
    "licence_text": {"data": GIVEN_OUT, "base": GIVEN_OUT},
    "state_changes": {"data": GIVEN_OUT, "base": GIVEN_OUT},
    "share_data": {},
    "share_alike": {"data": (OK, OK, OK, ASK), "base": GIVEN_OUT, "teacher": (OK, OK, OK, ASK)},
    "copyleft": {"data": (OK, OK, OK, ASK), "base": GIVEN_OUT, "teacher": (OK, OK, OK, ASK)},
    "non_commercial": {
        "data": (DUTY, NO, DUTY, DUTY),
        "base": (DUTY, NO, DUTY, DUTY),
        "teacher": (DUTY, ASK, DUTY, DUTY),
    },
    "no_derivatives": {"data": (OK, OK, ASK, NO), "base": (OK, OK, ASK, NO)},
    "permission": {"data": ASKED, "base": ASKED, "teacher": ASKED},
    "use_restrictions": {"data": EVERYWHERE, "base": EVERYWHERE},
    "naming": {"base": SHARED},
    "display": {"base": SHARED},
    "user_threshold": {"base": (OK, DUTY, OK, OK)},
    "revenue_threshold": {"base": (OK, DUTY, OK, OK)},
    "registration": {"base": (OK, DUTY, OK, OK)},
    "region": {"base": EVERYWHERE},
    "output_forbidden": {"teacher": FORBIDDEN},
    "output_naming": {"teacher": SHARED},
    "output_display": {"teacher": SHARED},
    "output_derivative": {"teacher": SHARED},
    "output_competing": {"teacher": ASKED},
}
"""The careful reading throughout; which clause is read carefully rather than settled stands in the pack."""


class Intent(NamedTuple):
    """What the tuned model is meant for, and by whom, as far as it was stated."""

    commercial: bool = True
    publish: bool = False
    """Weights are given to others."""
    serve: bool = False
    """Others use it over a network."""
    region: str = ""
    """Where its maker is based, such as EU."""
    users: int = 0
    """Monthly active users of its maker's products; 0 when not stated."""
    revenue: int = 0
    """Of its maker, in US dollars a year; 0 when not stated."""

    @property
    def uses(self) -> tuple[Use, ...]:
        """The uses that are meant; own use always is."""
        wanted = (True, self.commercial, self.serve, self.publish)
        return tuple(use for use, is_meant in zip(USES, wanted, strict=True) if is_meant)


class Reason(NamedTuple):
    """A clause that counts, and its answer for each use."""

    licence: str
    flag: str
    """A flag of the pack, or `unknown`, `conflict`, `disagreement`."""
    says: str
    ref: str
    role: Role
    row: Row
    url: str = ""
    certainty: Certainty = "read"
    rule: Rule = ""
    text: str = ""
    """Words that have to be shown, kept or begun with."""

    def on(self, use: Use) -> Answer:
        """Its answer for one use."""
        return self.row[USES.index(use)]


class Side(NamedTuple):
    """What one licence or expression says: answers, reasons, and the licences that were relied on."""

    row: Row
    reasons: tuple[Reason, ...] = ()
    used: tuple[tuple[Role, str], ...] = ()

    def on(self, uses: Iterable[Use]) -> Answer:
        """The worst answer over some uses."""
        return worst(self.row[USES.index(use)] for use in uses)


NOTHING = Side(FREE)


def worst(answers: Iterable[Answer]) -> Answer:
    """The worst of some answers; `allowed` when there are none."""
    return max(answers, key=ANSWERS.index, default=OK)


def both(sides: Iterable[Side]) -> Side:
    """All of them hold: the worst answer for each use."""
    given = list(sides)
    rows = [side.row for side in given]
    internal, commercial, serve, publish = (worst(row[at] for row in rows) for at in range(4))
    reasons = sorted({reason for side in given for reason in side.reasons})
    used = sorted({pair for side in given for pair in side.used})
    return Side((internal, commercial, serve, publish), tuple(reasons), tuple(used))


def best(sides: Iterable[Side], intent: Intent) -> Side:
    """One of them may be chosen: the one that is best for what is meant, then in general."""

    def rank(side: Side) -> tuple[int, int, int, tuple[tuple[str, str], ...]]:
        every = sum(ANSWERS.index(answer) for answer in side.row)
        return ANSWERS.index(side.on(intent.uses)), every, len(side.reasons), side.used

    return min(sides, key=rank)


def reason_of(licence: Licence, clause: Clause, role: Role, intent: Intent) -> Reason | None:
    """What a clause means in this part and for these facts; None when it does not bind."""
    row = MEANING[clause.flag].get(role, FREE)
    if clause.flag in ("user_threshold", "revenue_threshold") and row != FREE:
        stated = intent.users if clause.flag == "user_threshold" else intent.revenue
        row = (OK, NO, OK, OK) if stated > clause.limit else FREE if stated else row
    if clause.flag == "region" and row != FREE:
        there = intent.region.upper() == clause.region
        row = (ASKED if clause.some else FORBIDDEN) if there else FREE if intent.region else row
    if clause.when and row != FREE:
        hit = worst(row)
        internal, commercial, serve, publish = (hit if use in clause.when else OK for use in USES)
        row = (internal, commercial, serve, publish)
    if row == FREE:
        return None
    return Reason(
        licence.id,
        clause.flag,
        clause.says,
        clause.ref,
        role,
        row,
        clause.url,
        clause.certainty,
        clause.rule,
        clause.text,
    )
