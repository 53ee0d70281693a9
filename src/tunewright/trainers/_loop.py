"""The training loop: stages, schedule, held-out loss, early stopping, checkpoints, and what went wrong."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from tunewright import network
from tunewright.errors import BadInput, Exhausted
from tunewright.nouns import Progress, Record
from tunewright.trainers import _checkpoint, _machine, _result, _rows
from tunewright.trainers._adapter import Tuner
from tunewright.trainers._layout import planned, sane, tokens
from tunewright.trainers._objective import Objective
from tunewright.trainers._rows import Item
from tunewright.trainers._trunk import Trunk

DIVERGED = 3.0
"""Nats by which the held-out loss may rise above where it began before training is called off."""


@dataclass
class Way:
    """How far a training is: everything a checkpoint keeps beside the weights."""

    done: int = 0
    parts: int = 1
    """Parts in which a batch is read, one after the other: more after the memory ran full."""
    tokens: int = 0
    learnt: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    best_loss: float = math.inf
    best_step: int = 0
    worse: int = 0
    first_loss: float = math.inf
    stopped: bool = False
    from_stage: int = 0
    best: dict[str, torch.Tensor] = field(default_factory=dict)

    def note(self) -> dict[str, Any]:
        """As JSON; the best weights lie beside it."""
        told = {k: v for k, v in vars(self).items() if k != "best"}
        return {k: None if v == math.inf else v for k, v in told.items()}

    @classmethod
    def read(cls, note: Mapping[str, Any]) -> Way:
        """From a note."""
        mine: dict[str, Any] = {k: note[k] for k in cls.__dataclass_fields__ if k in note}
        mine.update({k: math.inf for k, v in mine.items() if v is None})
        return cls(**mine)


def run(
    objective: Objective,
    base: Path,
    records: Sequence[Record],
    out: Path,
    options: dict[str, Any],
    *,
    held: Sequence[Record] | None,
    earlier: Mapping[str, Path] | None,
) -> Iterator[Progress]:
    """Train. `options` are those of the trainer and `method`, `system`, `seed`."""
    sane(options)
    count = network.threads(options["threads"])
    deterministic = torch.are_deterministic_algorithms_enabled()
    settings: Any = import_module("torch.utils.deterministic")
    filled = settings.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    settings.fill_uninitialized_memory = False  # nothing is read before it is written
    try:
        with torch.device(_machine.device()):
            yield from _Training(objective, base, records, out, options, count, held, earlier or {}).go()
    except (MemoryError, RuntimeError) as error:
        told = network.explained(error, "training")
        if told is error:
            raise
        raise told from error
    finally:
        torch.use_deterministic_algorithms(deterministic)
        settings.fill_uninitialized_memory = filled


class _Training:
    def __init__(
        self,
        objective: Objective,
        base: Path,
        records: Sequence[Record],
        out: Path,
        options: dict[str, Any],
        count: int,
        held: Sequence[Record] | None,
        earlier: Mapping[str, Path],
    ) -> None:
        if not records:
            raise BadInput("there is nothing to learn from", hint="gather some conversations first")
        self.objective, self.out, self.options, self.records = objective, out, options, len(records)
        dtype = torch.float32 if options["method"] == "full" else _machine.arithmetic()
        net = network.load(base, dtype=dtype, four_bits=options.get("four_bits", False))
        if not options.get("four_bits"):
            net.model.to(_machine.device())
        cutter = _rows.Cutter(net.tokenizer, net.context, options)
        items = list(_rows.each(records, lambda record: objective.item(record, cutter)))
        measured = list(_rows.each(held or (), lambda record: objective.item(record, cutter)))
        self.left_out = len(records) - len(items)
        if not items:
            raise BadInput(
                f"there is nothing to learn from: all {len(records)} records were left out",
                hint="docs/guides/preferences.md says which trainer learns from which records",
            )
        self.plan = planned(items, measured if held is not None else None, options)
        self.cut = sum(item.cut for item in (*items, *measured))
        self.made_with = _machine.made_with(count, dtype)
        decisive = {k: v for k, v in options.items() if k not in _checkpoint.APART and k != "threads"}
        self.names = _checkpoint.names(base, self.plan.parts, self.plan.held, [decisive, self.made_with])
        torch.manual_seed(options["seed"])
        self.tuner = Tuner(net, options, objective)
        groups = [[row for item in part for row in item.rows] for part in self.plan.parts]
        groups.append([row for item in self.plan.held for row in item.rows])
        self.tuner.trunk = Trunk(net, 0 if self.tuner.sharded else self.tuner.below, groups)
        self.earlier, self.way = earlier, Way()

    def go(self) -> Iterator[Progress]:
        """Every step."""
        plan, tuner, total = self.plan, self.tuner, self.plan.total
        first = tuner.ranks.first
        yield Progress(label="prepare", done=0, total=0, note=self._note(), values=self._outlook())
        for note in tuner.notes:
            yield Progress(label="prepare", done=0, total=0, note=note)
        every = [*plan.learnt(len(plan.parts)), *plan.held]
        for read in tuner.objective.prepare(tuner, every):
            yield Progress(label="prepare", done=read, total=len(every))
        self._pick_up()
        way = self.way
        if way.done < total and not way.stopped:
            _checkpoint.clear(self.out)
        else:
            yield Progress(label="tune", done=total, total=total, note="it was done before")
        if not way.done and plan.held:
            values = self._measured()
            way.first_loss = values["held_out_loss"]
            yield Progress(label="tune", done=0, total=total, note=self._note(), values=values)
        saved, safe, began, spent, seen = way.done, True, time.monotonic(), time.process_time(), 0
        before = (way.seconds, way.processor)
        try:
            while way.done < total and not way.stopped:
                stage, step = plan.where(way.done)
                learnt = plan.learnt(stage)
                batch = _rows.batch(learnt, stage, step, plan.size, plan.seed)
                rate = self.options["learning_rate"] * plan.rate(way.done)
                loss = yield from self._gradient(batch)
                safe = False
                norm = tuner.step(rate)
                way.done += 1
                if not math.isfinite(norm):
                    raise self._diverged(f"the gradient is {norm}")
                read = tokens(batch)
                seen, way.tokens = seen + read, way.tokens + read
                way.learnt += sum(len(row.targets) for item in batch for row in item.rows)
                way.seconds = before[0] + time.monotonic() - began
                way.processor = before[1] + time.process_time() - spent
                values = {
                    "loss": loss,
                    "learning_rate": rate,
                    "gradient_norm": norm,
                    "tokens_per_second": seen / (time.monotonic() - began),
                    "memory_gb": _machine.peak_memory() / 1e9,
                }
                ends = step + 1 == plan.steps[stage]
                per = math.ceil(len(learnt) / plan.size)
                if plan.held and ((step + 1) % per == 0 or ends):
                    values |= self._weighed(stage)
                if ends and stage + 1 < len(plan.parts):
                    told = {**way.note(), "stage": stage + 1, "stages": len(plan.parts)}
                    state = tuner.whole(tuner.state())
                    if first:
                        _checkpoint.save_stage(self.out, self.names[stage], state, told, learnt)
                if way.done % self.options["checkpoint_every"] == 0 or way.done == total or way.stopped:
                    self._save()
                    saved = way.done
                end, safe = way.done if way.stopped else total, True
                yield Progress(label="tune", done=way.done, total=end, values=values)
        except (KeyboardInterrupt, GeneratorExit) as stop:
            # An interrupt finds processes in different places: they cannot put together what is spread.
            if safe and way.done > saved and not (tuner.sharded and isinstance(stop, KeyboardInterrupt)):
                self._save()
            raise
        self._finish()

    # ── where it goes on ────────────────────────────────────────────────────────────────────────

    def _pick_up(self) -> None:
        """From the last checkpoint, otherwise from a stage of an earlier training, otherwise from nothing."""
        found = _checkpoint.resume(self.out, self.names[-1])
        if found is not None:
            note, tensors, best = found
            self.way = Way.read(note)
            self.way.best = best
            self.tuner.put(tensors, self.way.done)
        elif (stage := _checkpoint.earlier_stage(self.names, self.earlier)) is not None:
            number, note, tensors = stage
            done = sum(self.plan.steps[:number])
            told = Way.read(note)  # what the earlier training spent up to here counts
            self.way = Way(done, told.parts, told.tokens, told.learnt, from_stage=number)
            self.way.first_loss = told.first_loss
            self.tuner.put(tensors, done)
        ranks, done = self.tuner.ranks, self.way.done
        if ranks.total([float(done), float(done) ** 2]) != [ranks.size * done, ranks.size * done**2]:
            raise BadInput(
                "the processes found different checkpoints",
                hint="let all machines share the folder that the weights are written to",
            )

    def _save(self) -> None:
        tuner = self.tuner
        state, best = tuner.whole(tuner.state()), tuner.whole(self.way.best)
        if tuner.ranks.first:
            _checkpoint.save(self.out, self.names[-1], state, self.way.note(), best)

    # ── a step ──────────────────────────────────────────────────────────────────────────────────

    def _gradient(self, batch: Sequence[Item]) -> Generator[Progress, None, float]:
        """The batch's mean loss; when the memory is full, the batch is read in smaller parts."""
        way = self.way
        while True:
            try:
                loss = self.tuner.gradient(batch, parts=way.parts, step=way.done)
                break
            except (MemoryError, RuntimeError) as error:
                full = isinstance(network.explained(error, "training"), Exhausted)
                if not full or way.parts >= len(batch) or self.tuner.ranks.size > 1:
                    raise
            way.parts *= 2
            note = f"the memory is full: each batch is now read in {way.parts} parts"
            yield Progress(label="tune", done=way.done, total=self.plan.total, note=note)
        if not math.isfinite(loss):
            raise self._diverged(f"the loss is {loss}")
        return loss

    def _diverged(self, why: str) -> BadInput:
        rate = self.options["learning_rate"]
        return BadInput(
            f"training diverged: {why} at step {self.way.done + 1} of {self.plan.total}",
            hint=f"lower learning_rate below {rate:g} (try {rate / 3:.1g}), or raise warmup",
        )

    def _measured(self) -> dict[str, float]:
        return self.tuner.measure(self.plan.held)

    def _weighed(self, stage: int) -> dict[str, float]:
        """Held-out loss; in the last stage the best weights are kept, and training stops when it only gets
        worse.
        """
        way, values = self.way, self._measured()
        loss = values["held_out_loss"]
        if not math.isfinite(loss) or loss > way.first_loss + DIVERGED:
            raise self._diverged(f"the held-out loss rose from {way.first_loss:.3g} to {loss:.3g}")
        if stage + 1 == len(self.plan.parts):
            if loss < way.best_loss:
                way.best_loss, way.best_step, way.worse = loss, way.done, 0
                way.best = self.tuner.weights() if self.options["keep"] == "best" else {}
            else:
                way.worse += 1
                way.stopped = 0 < self.options["patience"] <= way.worse
        return values

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    def _note(self) -> str:
        kept = self.plan.learnt(len(self.plan.parts))
        learnt = sum(len(row.targets) for item in kept for row in item.rows)
        told = f"{len(kept)} conversations" + (f", {learnt} learnt tokens an epoch" if learnt else "")
        told += f"; {len(self.plan.held)} held out"
        if len(self.plan.parts) > 1:
            told += f"; {len(self.plan.parts)} stages"
        told += f"; {self.left_out} left out: nothing for this trainer in them" if self.left_out else ""
        return told + (f"; {self.cut} cut" if self.cut else "")

    def _outlook(self) -> dict[str, float]:
        """What there is to do, in tokens: told before the first step."""
        plan, size = self.plan, self.plan.size
        told = {"steps": float(plan.total), "stages": float(len(plan.parts)), "tokens": 0.0}
        for stage, steps in enumerate(plan.steps):
            learnt = [tokens([item]) for item in plan.learnt(stage)] or [0]
            count = steps * min(size, len(learnt)) * sum(learnt) / len(learnt)
            told |= {f"tokens_{stage + 1}": count, f"records_{stage + 1}": float(len(plan.parts[stage]))}
            told["tokens"] += count
            per = math.ceil(len(learnt) / size)
            told["measurements"] = told.get("measurements", 0.0) + math.ceil(steps / per)
        every = sorted((tokens([item]) for item in plan.learnt(len(plan.parts))), reverse=True)
        width = self.tuner.net.model.get_input_embeddings().weight
        kept = sum(every) * width.shape[1] * width.element_size() if self.tuner.trunk.below else 0
        return told | {
            "tokens_an_epoch": float(sum(every)),
            "tokens_held_out": float(tokens(plan.held)),
            "tokens_of_the_longest_batch": float(sum(every[:size])),
            "bytes_kept": float(kept),
            "bytes_of_a_checkpoint": 12.0 * sum(p.numel() for p in self.tuner.learnt.values()),
            "parameters": float(_result.compute(self.tuner, 0)["parameters"]),
        }

    def _finish(self) -> None:
        way, tuner = self.way, self.tuner
        if way.best and way.best_step != way.done:
            tuner.put(way.best, way.done)
        processor, memory = tuner.ranks.total([way.processor, float(_machine.peak_memory())])
        weights = _result.gathered(tuner)
        if not tuner.ranks.first:
            return
        facts = {
            **_result.compute(tuner, way.tokens),
            "records": self.records,
            "held_out": len(self.plan.held),
            "left_out": self.left_out,
            "cut": self.cut,
            "steps": way.done,
            "steps_planned": self.plan.total,
            "stages": len(self.plan.parts),
            "records_of_stages": [len(part) for part in self.plan.parts],
            "steps_of_stages": self.plan.steps,
            "from_stage": way.from_stage,
            "kept_step": way.best_step if way.best else way.done,
            "tokens": way.tokens,
            "tokens_learnt": way.learnt,
            "seconds": round(way.seconds, 3),
            "processor_seconds": round(processor, 3),
            "peak_memory": int(memory),
            "parts_of_a_batch": way.parts,
            "processes": tuner.ranks.size,
            "notes": tuner.notes,
            **tuner.facts,
        }
        if way.best_step:
            facts["held_out_loss"] = way.best_loss
        if math.isfinite(way.first_loss):
            facts["held_out_loss_before"] = way.first_loss
        notes = {"made_with": self.made_with, "facts": json.loads(json.dumps(facts))}
        _checkpoint.finish(self.out, lambda work: _result.write(tuner, weights, work), notes)
