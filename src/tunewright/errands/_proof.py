"""Whether an export says what the tuned model says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from tunewright.bases import find
from tunewright.errors import BadInput
from tunewright.exports._engines import engines
from tunewright.nouns import Difference, Message, Plan, Progress, Proof
from tunewright.project import Project, Records
from tunewright.runtimes import runtimes
from tunewright.speaker import Speaker
from tunewright.suites.golden import token_f1
from tunewright.template import under

AGREE = 0.95
"""Smallest mean overlap of words with the tuned model's answers, for a format that does not round."""
SURPRISE = {False: 0.01, True: 1.0}
"""Nats per token by which an export may be more surprised, by whether it rounds: above it, it is broken.

Measured on SmolLM2-135M: 0.000 for 32-bit formats, 0.00 for 16 and 8 bits, 0.41 for Q4_0; with the rows of q
and k in the wrong order 3.2.
"""


class Golden(NamedTuple):
    """One question that both models answer."""

    case: str
    messages: tuple[Message, ...]


def golden(project: Project, records: Records, system: str, count: int) -> list[Golden]:
    """The project's own cases, evenly chosen; without any, questions of the records, chosen by content.

    Errors: `BadInput` when there is nothing to ask.
    """
    if count < 1:
        raise BadInput("an export is proved with at least one prompt", hint="leave --prompts out for 20")
    found = list[Golden]()
    with suppress(BadInput):  # there is no file of cases, or none in it
        found = [Golden(case.id, under(system, case.messages)) for case in project.each_case()]
    if not found:
        for record in sorted(records, key=lambda r: r.digest)[: 4 * count]:
            last = max((i for i, m in enumerate(record.messages) if m.role == "user"), default=-1)
            if last >= 0:
                found.append(Golden(record.id, under(system, record.messages[: last + 1])))
    if not found:
        raise BadInput("there is nothing to ask", hint="write some cases: docs/guides/cases.md")
    count = min(count, len(found))
    return [found[at * len(found) // count] for at in range(count)]


def ask(speaker: Speaker, prompts: Sequence[Golden], plan: Plan, tell: Callable[[int], None]) -> list[str]:
    """Greedy answers of a runtime of ours."""
    answers = list[str]()
    for reply in speaker.ask([p.messages for p in prompts], max_tokens=plan.max_tokens):
        answers.append(reply.text)
        tell(len(answers))
    return answers


def surprised(speaker: Speaker, prompts: Sequence[Golden], answers: Sequence[str]) -> tuple[float, int]:
    """Nats of these answers as this model reads them, and how many tokens they have."""
    said = [
        (*prompt.messages, Message(role="assistant", content=answer))
        for prompt, answer in zip(prompts, answers, strict=True)
        if answer.strip()
    ]
    losses = list(speaker.loss(said))
    return sum(loss.nats for loss in losses), sum(loss.tokens for loss in losses)


class Tuned(NamedTuple):
    """The tuned model's answers: what an export is held against."""

    answers: list[str]
    nats: float
    tokens: int


def tuned(
    base: Path, weights: Path, prompts: Sequence[Golden], plan: Plan, tell: Callable[[Progress], None]
) -> Tuned:
    """Ask the tuned model, with the runtime that it was evaluated with."""
    speaker = runtimes[plan.runtime](base, weights, **plan.options)
    answers = ask(speaker, prompts, plan, _counting(tell, "ask the tuned model", len(prompts)))
    return Tuned(answers, *surprised(speaker, prompts, answers))


def prove(
    project: Project,
    base: Path,
    artefact: Path,
    prompts: Sequence[Golden],
    wanted: Tuned,
    plan: Plan,
    cache: Path,
) -> tuple[list[Proof], list[Difference], list[str]]:
    """Ask the export, as every engine here reads it, and compare. Also gives what is worth a warning.

    `cache` is a folder for what has to be unpacked. Errors: `BadInput` when no engine here reads it.
    """
    proofs, differences, warnings = list[Proof](), list[Difference](), list[str]()
    if place := _readable(base, artefact, cache):
        speaker = runtimes[plan.runtime](*place, **plan.options)
        told = _counting(project.tell, f"ask the export: {plan.runtime}", len(prompts))
        answers = ask(speaker, prompts, plan, told)
        nats, tokens = surprised(speaker, prompts, wanted.answers)
        del speaker
        rise = (nats - wanted.nats) / tokens if tokens else 0.0
        proofs.append(_compared(plan.runtime, prompts, wanted.answers, answers, differences, rise))
    for engine in engines(artefact):
        told = _counting(project.tell, f"ask the export: {engine.name}", len(prompts))
        try:
            answers = engine.ask([p.messages for p in prompts], max_tokens=plan.max_tokens, tell=told)
        except BadInput as error:
            if not proofs:
                raise
            warnings.append(f"{error}: not proved with it")
            continue
        # A program of ours and a foreign one may trim the spaces at the ends of an answer differently.
        stripped, own = [a.strip() for a in answers], [a.strip() for a in wanted.answers]
        proofs.append(_compared(engine.name, prompts, own, stripped, differences, None))
    if not proofs:
        raise BadInput(
            f"nothing that is installed here reads {artefact.name}, so the export cannot be proved",
            hint="install what reads it, or export to another format",
        )
    return proofs, differences, warnings


def broken(proofs: Sequence[Proof], rounds: bool, at_least: float) -> list[str]:
    """Reasons to refuse an export, in words."""
    least = at_least or (0.0 if rounds else AGREE)
    told = list[str]()
    for proof in proofs:
        if proof.token_f1 < least:
            told.append(
                f"{proof.engine}: answers share {proof.token_f1:.3f} of their words with the tuned model's, "
                f"wanted at least {least:g}"
            )
        if proof.surprise is not None and proof.surprise > SURPRISE[rounds]:
            told.append(
                f"{proof.engine}: the tuned model's answers surprise the export by {proof.surprise:.3f} nats "
                f"a token more, wanted at most {SURPRISE[rounds]:g}"
            )
    return told


def _readable(base: Path, artefact: Path, cache: Path) -> tuple[Path, Path | None] | None:
    """What a runtime of ours loads for this export: base and weights; None when it cannot."""
    if artefact.suffix == ".gguf":
        return find(f"folder:{artefact}", home=artefact.parent, cache=cache).folder, None
    if (artefact / "genai_config.json").is_file():
        return None
    if (artefact / "adapter_config.json").is_file() or (artefact / "memory.json").is_file():
        return base, artefact
    return (artefact, None) if (artefact / "config.json").is_file() else None


def _compared(
    engine: str,
    prompts: Sequence[Golden],
    wanted: Sequence[str],
    answers: Sequence[str],
    differences: list[Difference],
    rise: float | None,
) -> Proof:
    pairs = list(zip(prompts, wanted, answers, strict=True))
    differences += [
        Difference(case=prompt.case, engine=engine, tuned=old, exported=new)
        for prompt, old, new in pairs
        if old != new
    ]
    return Proof(
        engine=engine,
        prompts=len(prompts),
        identical=sum(old == new for _, old, new in pairs),
        common=round(fmean(_common(old, new) for _, old, new in pairs), 4),
        token_f1=round(fmean(1.0 if old == new else token_f1(new, old) for _, old, new in pairs), 4),
        surprise=None if rise is None else round(rise, 5),
    )


def _common(old: str, new: str) -> float:
    """Share of the longer answer, in words, that both begin with."""
    if old == new:
        return 1.0
    a, b = old.split(), new.split()
    same = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return same / max(len(a), len(b), 1)


def _counting(tell: Callable[[Progress], None], label: str, total: int) -> Callable[[int], None]:
    return lambda done: tell(Progress(label=label, done=done, total=total))
