from typing import NamedTuple

from tunewright.documents import Course
from tunewright.documents._facts import sentence, short
from tunewright.documents._templates import fill
from tunewright.documents._training import (
    Row,
    amount,
    compute,
    course,
    duration,
    gigabytes,
    rates,
    took,
    values,
)
from tunewright.nouns import Progress

EVERY = 10
"""Seconds after which the page asks its browser to read it again, while training goes on."""


def training(evidence: Course) -> str:
    """A training as it goes: loss and held-out loss, speed, memory, time left, and what is being trained.

    One HTML file without a script that is written anew while training goes on, and its browser reads it again
    every ten seconds. When training has ended it says how, what it took beside what was planned, and its
    compute beside the threshold of the EU AI Act.

    Limits: shows the process as of the time that it names; a process that was killed cannot say so. It is no
    evidence: the ledger keeps the same numbers when training is done. Curves of more than 400 points show
    means of neighbours.
    """
    now = values(evidence.steps)
    step = _step(evidence)
    done = evidence.state == "finished"
    return fill(
        "training.html.j2",
        e=evidence,
        every=EVERY if evidence.state == "going on" else 0,
        step=step,
        head=_head(evidence, now, step),
        now=_now(evidence, now),
        more=_more(now),
        course=course(evidence.steps, evidence.recipe.trainer, notes=False),
        rates=rates(evidence.steps),
        notes=_notes(evidence),
        took=took(evidence.facts, evidence.recipe, evidence.estimate) if done else [],
        compute=compute(evidence.base, evidence.facts) if done else [],
        planned=_planned(evidence),
        short=short,
    )


class Head(NamedTuple):
    """The point, in two sentences, and how it looks."""

    look: str
    first: str
    second: str


def _step(evidence: Course) -> Progress | None:
    return next((p for p in reversed(evidence.steps) if p.label == "tune" and p.total), None)


def _head(evidence: Course, now: dict[str, float], step: Progress | None) -> Head:
    where = f"step {step.done:,.0f} of {step.total:,.0f}" if step else "before the first step"
    loss = f", held-out loss {now['held_out_loss']:.3f}" if "held_out_loss" in now else ""
    if evidence.state == "going on":
        left = f"About {duration(evidence.left)} left." if evidence.left is not None else ""
        return Head("", f"Training: {where}{loss}", left or "How long it takes is not known yet.")
    if evidence.state == "stopped":
        return Head("well", f"Stopped by a person: {where}{loss}", "`tunewright tune` goes on from there.")
    if evidence.state == "failed":
        why = sentence(evidence.why) if evidence.why else "It did not say why"
        return Head("worse", f"Failed: {where}", f"{why}.")
    ended = next((r.told for r in took(evidence.facts, evidence.recipe, None) if r.name == "ended"), "")
    early = ended.startswith("early")
    first = f"Finished{' early' if early else ''}: {where}{loss}"
    return Head("better", first, f"It ended {ended}." if "step" in ended else "")


def _now(evidence: Course, now: dict[str, float]) -> list[tuple[str, str]]:
    """The numbers that people look for first."""
    told = {
        "loss on the batch": f"{now['loss']:.3f}" if "loss" in now else "",
        "held-out loss": f"{now['held_out_loss']:.3f}" if "held_out_loss" in now else "",
        "speed": f"{now['tokens_per_second']:,.0f} tokens a second" if "tokens_per_second" in now else "",
        "memory at most": gigabytes(1e9 * now["memory_gb"]) if "memory_gb" in now else "",
        "time in this process": duration(evidence.elapsed),
    }
    if evidence.state == "going on":
        told["time left"] = f"about {duration(evidence.left)}" if evidence.left is not None else ""
    return [(name, value or "not told yet") for name, value in told.items()]


FIRST = {"loss", "held_out_loss", "tokens_per_second", "memory_gb"}


def _more(now: dict[str, float]) -> list[tuple[str, str]]:
    """Whatever else the trainer tells, such as the share of right labels."""
    return [(k.replace("_", " "), amount(v)) for k, v in sorted(now.items()) if k not in FIRST]


def _notes(evidence: Course) -> list[str]:
    said = (p.note for p in evidence.steps if p.note)
    return [*dict.fromkeys(sentence(note) for note in (*said, *evidence.remarks))]


def _planned(evidence: Course) -> list[Row]:
    plan = evidence.estimate
    if plan is None:
        return []
    origin = f"plan {short(plan.digest)}"
    return [
        Row("time", f"{duration(plan.seconds_low)} to {duration(plan.seconds_high)}, with loading", origin),
        Row("memory", f"{gigabytes(plan.memory)}: {plan.verdict}", origin),
        Row("work", f"{plan.steps:,} steps, {plan.tokens:,.0f} tokens", origin),
    ]
