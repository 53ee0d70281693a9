import time
from collections.abc import Iterator, Sequence

from tunewright.nouns import Arm, Case, Score
from tunewright.speaker import Speaker

ASKED = 5


def speed(speaker: Speaker, cases: Sequence[Case], *, arm: Arm, max_tokens: int = 96) -> Iterator[Score]:
    """What one user waits: a few cases asked one after the other.

    `seconds` is wall time for a whole answer, `first_token` until its first piece, `tokens_per_second`
    the rate over the answer.

    Limits: this machine, now, one user at a time; 5 cases.
    """
    for case in cases[:: max(1, len(cases) // ASKED)][:ASKED]:
        clock, first, pieces = time.perf_counter(), 0.0, 0
        for _piece in speaker.stream(case.messages, max_tokens=max_tokens):
            pieces += 1
            first = first or time.perf_counter() - clock
        seconds = time.perf_counter() - clock
        values = {"seconds": seconds, "first_token": first or seconds, "tokens_per_second": pieces / seconds}
        yield Score(suite="speed", arm=arm, case=case.id, values=values, tokens=pieces, seconds=seconds)
