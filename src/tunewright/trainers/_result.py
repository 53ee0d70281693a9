"""What training leaves: weights as PEFT or transformers read them, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import save_file

from tunewright.network import quiet
from tunewright.trainers import _shards

if TYPE_CHECKING:
    from torch import Tensor

    from tunewright.trainers._adapter import Tuner


def gathered(tuner: Tuner) -> dict[str, Tensor] | None:
    """The weights of a model that is spread over the processes, for the first of them; all have to ask."""
    return tuner.whole(_shards.plain(tuner.net.model)) if tuner.sharded else None


def write(tuner: Tuner, weights: dict[str, Tensor] | None, work: Path) -> None:
    """The adapter, or the whole model with its tokenizer, without a path of this machine in it."""
    if tuner.peft is None:
        with quiet():
            tuner.net.model.save_pretrained(work, state_dict=weights)
            tuner.net.tokenizer.save_pretrained(work)
        return
    from peft import get_peft_model_state_dict

    tensors = {
        k: v.detach().float().cpu().contiguous()
        for k, v in sorted(get_peft_model_state_dict(tuner.peft).items())
    }
    special = dict[str, Any]()
    if tuner.score is not None:  # as PEFT saves a model with a head for sequence classification
        tensors["base_model.model.score.weight"] = tuner.score.weight.detach().cpu().contiguous()
        special = {"task_type": "SEQ_CLS", "modules_to_save": ["score"]}
        _write_labels(tuner.options["labels"], work)
    config = tuner.peft.peft_config["default"].to_dict() | {
        "base_model_name_or_path": "",
        "inference_mode": True,
        **special,
    }
    plain = {k: sorted(v) if isinstance(v, set) else v for k, v in sorted(config.items())}
    save_file(tensors, work / "adapter_model.safetensors", metadata={"format": "pt"})
    (work / "adapter_config.json").write_text(json.dumps(plain, indent=2, default=str) + "\n", "utf-8")


def _write_labels(labels: Sequence[str], work: Path) -> None:
    """Which row of the head stands for which label, in the words of a transformers configuration."""
    told = {
        "id2label": {str(at): label for at, label in enumerate(labels)},
        "label2id": {label: at for at, label in enumerate(labels)},
    }
    (work / "labels.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")


def compute(tuner: Tuner, tokens: int) -> dict[str, Any]:
    """Parameters, and floating-point operations as the European Commission counts them (6 P D).

    P counts all parameters and D the tokens of all steps (guidelines on general-purpose AI models, 18 July
    2025). Adapters and frozen layers need less: the figure is an upper bound.
    """
    ours = sum(p.numel() for p in tuner.learnt.values())
    whole = sum(p.numel() for p in tuner.net.model.parameters())
    head = tuner.score.weight.numel() if tuner.score is not None else 0  # beside the model, not in it
    total = whole if tuner.peft is None else whole - (ours - head)
    return {"parameters": total, "parameters_learnt": ours, "flop": 6.0 * total * tokens}
