"""One contestant of the tuning race, in an interpreter of its own.

    python _tune_child.py JOB.json

It trains as the job says and writes what it took beside the job, as JOB.done.json. Nothing of ours is
imported unless the contestant is ours, so that this file runs in an environment that only has the peer.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}"
    "{% endgeneration %}{{ '\n' }}{% else %}{{ message['content'] + '<|im_end|>' + '\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""ChatML with marks around what is learnt, which TRL needs and the base model's own template lacks."""


class Meter:
    """When each optimiser step ended, by the clock and by processor time."""

    def __init__(self, started: float) -> None:
        self.started, self.first, self.first_cpu = started, 0.0, 0.0
        self.marks = list[tuple[float, float]]()

    def mark(self) -> None:
        """An optimiser step has ended."""
        if not self.marks:
            self.first, self.first_cpu = time.time() - self.started, cpu()
        self.marks.append((time.perf_counter(), cpu()))

    def steady(self, epochs: int) -> dict[str, float]:
        """Everything after the first epoch, which is for warming up."""
        if len(self.marks) % epochs:
            raise SystemExit(f"{len(self.marks)} steps are not {epochs} whole epochs")
        before = self.marks[len(self.marks) // epochs - 1]
        wall, spent = (b - a for a, b in zip(before, self.marks[-1], strict=True))
        first = {"first_step": self.first, "first_step_cpu": self.first_cpu}
        return {"wall": wall, "cpu": spent, "steps": len(self.marks), **first}


def cpu() -> float:
    """Seconds of processor time of this process and of children that have ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(one)[:2]) for one in who)


def peak() -> float:
    """Largest resident memory of this process, in MB of 10^6 bytes."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    """Train, and write what it took."""
    path = Path(sys.argv[1])
    job = json.loads(path.read_text("utf-8"))
    if job["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job["cores"])
    import_module("torch").set_num_threads(job["threads"])
    meter = Meter(job["started"])
    run = {"tunewright": ours, "trl": trl, "llamafactory": llamafactory}[job["tool"]]
    adapter = run(job, meter)
    result = {
        **meter.steady(job["epochs"]),
        "peak_mb": peak(),
        "whole": time.time() - job["started"],
        "adapter": str(adapter),
        "versions": {name: _version(name) for name in ("torch", "transformers", "peft", "trl", job["tool"])},
    }
    path.with_suffix(".done.json").write_text(json.dumps(result), "utf-8")


def _version(name: str) -> str:
    try:
        return version(name)
    except ImportError:
        return ""


def ours(job: Mapping[str, Any], meter: Meter) -> Path:
    """Tunewright's trainer `lora`: all linear maps of all layers, nothing held out."""
    texts = import_module("_tune_rows")
    trainers = import_module("tunewright.trainers").trainers
    out = Path(job["out"])
    going = trainers["lora"](
        Path(job["base"]),
        texts.records(texts.read(Path(job["rows"]))),
        out,
        system="",
        seed=job["seed"],
        rank=job["rank"],
        alpha=job["alpha"],
        learning_rate=job["learning_rate"],
        epochs=job["epochs"],
        batch_size=job["batch"],
        warmup=job["warmup"],
        max_tokens=job["longest"],
        held_out=0,
        threads=job["threads"],
        checkpoint_every=1_000_000,
        **{"layers": 1.0, **job["settings"]},
    )
    for said in going:
        if said.label == "tune" and "loss" in said.values:
            meter.mark()
    return out / "weights"


def _arguments(job: Mapping[str, Any]) -> dict[str, Any]:
    """What every trainer built on transformers is told; the rest is its own default."""
    return {
        "output_dir": job["out"],
        "per_device_train_batch_size": job["batch"],
        "num_train_epochs": float(job["epochs"]),
        "learning_rate": job["learning_rate"],
        "lr_scheduler_type": "cosine",
        "weight_decay": 0.0,
        "seed": job["seed"],
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def _counting(meter: Meter) -> Any:
    callback: Any = import_module("transformers").TrainerCallback

    def on_step_end(self: Any, *_: object, **__: object) -> None:
        meter.mark()

    return type("Counting", (callback,), {"on_step_end": on_step_end})()


def trl(job: Mapping[str, Any], meter: Meter) -> Path:
    """TRL's SFTTrainer; `settings` are those that differ from its defaults."""
    module: Any = import_module("trl")
    peft: Any = import_module("peft")
    transformers: Any = import_module("transformers")
    rows = [json.loads(line) for line in Path(job["rows"]).read_text("utf-8").splitlines()]
    settings = dict(job["settings"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(job["base"], local_files_only=True)
    if settings.get("assistant_only_loss"):
        tokenizer.chat_template = TEMPLATE
    steps = -(-len(rows) // job["batch"]) * job["epochs"]
    # One step less: transformers warms up from a rate of zero, ours from the first share of it.
    trainer = module.SFTTrainer(
        model=job["base"],
        processing_class=tokenizer,
        args=module.SFTConfig(
            **{**_arguments(job), "warmup_steps": max(0, round(steps * job["warmup"]) - 1), **settings}
        ),
        train_dataset=import_module("datasets").Dataset.from_list(rows),
        peft_config=peft.LoraConfig(
            r=job["rank"], lora_alpha=job["alpha"], lora_dropout=0.0, target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        callbacks=[_counting(meter)],
    )  # fmt: skip
    trainer.train()
    trainer.save_model(job["out"])
    return Path(job["out"])


def llamafactory(job: Mapping[str, Any], meter: Meter) -> Path:
    """LLaMA-Factory's supervised fine-tuning, as its command `train` does it."""
    out = Path(job["out"])
    data = out.with_suffix(".data")
    data.mkdir(parents=True, exist_ok=True)
    (data / "rows.jsonl").write_bytes(Path(job["rows"]).read_bytes())
    tags = {
        "role_tag": "role", "content_tag": "content", "user_tag": "user",
        "assistant_tag": "assistant", "system_tag": "system",
    }  # fmt: skip
    told = {
        "file_name": "rows.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": tags,
    }
    (data / "dataset_info.json").write_text(json.dumps({"rows": told}), "utf-8")
    rows = len((data / "rows.jsonl").read_text("utf-8").splitlines())
    steps = -(-rows // job["batch"]) * job["epochs"]
    import_module("llamafactory.train.tuner").run_exp(
        args={
            **_arguments(job),
            "warmup_steps": max(0, round(steps * job["warmup"]) - 1),
            "model_name_or_path": job["base"],
            "stage": "sft",
            "do_train": True,
            "finetuning_type": "lora",
            "lora_rank": job["rank"],
            "lora_alpha": job["alpha"],
            "lora_target": "all",
            "dataset_dir": str(data),
            "dataset": "rows",
            "template": "smollm2",
            "overwrite_cache": True,
            "overwrite_output_dir": True,
            **job["settings"],
        },
        callbacks=[_counting(meter)],
    )
    return out


if __name__ == "__main__":
    main()
