"""The best prompt that a small search finds: what the base could do without any tuning."""

from collections.abc import Callable, Sequence
from itertools import product

from tunewright.nouns import Message, Noun, Plan, Progress, Record
from tunewright.speaker import Speaker
from tunewright.suites.golden import token_f1

TRIAL = 8
"""Training records that a candidate is tried on."""


class Prompt(Noun):
    """A system prompt and worked examples that stand before the question."""

    system: str = ""
    shots: tuple[Message, ...] = ()
    tried: int = 0
    """How many candidates were compared to find it."""

    def before(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """A conversation with this prompt in front."""
        said = (Message(role="system", content=self.system),) if self.system else ()
        return (*said, *self.shots, *messages)


def best_prompt(
    speaker: Speaker, records: Sequence[Record], plan: Plan, plain: Prompt, tell: Callable[[Progress], None]
) -> Prompt:
    """Try every system prompt of the plan with every number of examples, on training records only.

    Judged by token-F1 against the records' own answers. Examples are never among the trial records.

    Limits: a small search (candidates of the plan, 8 trial records); a prompt engineer may do better.
    """
    pairs = [r for r in records if len(r.turns) == 2 and not r.disliked]
    stride = max(1, len(pairs) // (TRIAL + max(plan.shots, default=0) + 1))
    spread = pairs[::stride]
    trial, examples = spread[:TRIAL], spread[TRIAL:]
    systems = list(dict.fromkeys((plain.system, *plan.prompts)))
    candidates = [
        Prompt(system=system, shots=tuple(m for r in examples[:shots] for m in r.turns))
        for system, shots in product(systems, dict.fromkeys(plan.shots))
        if shots == 0 or len(examples) >= shots
    ]
    best, reached = plain, -1.0
    for number, candidate in enumerate(candidates):
        tell(Progress(label="find the best prompt", done=number, total=len(candidates)))
        asked = [candidate.before(r.turns[:-1]) for r in trial]
        answers = speaker.ask(asked, max_tokens=plan.max_tokens)
        f1 = sum(token_f1(a.text, r.turns[-1].content) for a, r in zip(answers, trial, strict=True))
        if f1 > reached:
            best, reached = candidate, f1
    tell(Progress(label="find the best prompt", done=len(candidates), total=len(candidates)))
    return best.model_copy(update={"tried": len(candidates)})
