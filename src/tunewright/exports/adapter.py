"""The adapter alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.exports import _weights


def adapter(
    base: Path, weights: Path, out: Path, *, system: str = "", name: str = "model", origin: str = ""
) -> Path:
    """The PEFT adapter as it was trained, with the base's tokenizer and chat template.

    A few megabytes that PEFT, vLLM and llama.cpp's converter load on top of the base model. When the base
    came from the hub, its name is written into `adapter_config.json`, so that PEFT finds it by itself.

    Errors: `BadInput` for a model that was tuned as a whole and has no adapter.

    Limits: it is worth nothing without exactly the base model that it was trained on.
    """
    if (weights / "memory.json").is_file():  # the echo stand-in: what it learnt by heart is all there is
        shutil.copytree(weights, out, dirs_exist_ok=True)
        return out
    if _weights.kind(weights) != "adapter":
        raise BadInput(
            "the model was tuned as a whole: there is no adapter", hint="tunewright export --to merged"
        )
    shutil.copytree(weights, out, dirs_exist_ok=True)
    for word in _weights.WORDS:
        if (base / word).is_file():
            shutil.copyfile(base / word, out / word)
    said = json.loads((out / "adapter_config.json").read_text("utf-8"))
    scheme, _, address = origin.partition(":")
    if scheme == "hub":
        owner, _, revision = address.partition("@")
        said |= {"base_model_name_or_path": owner, "revision": revision or None}
        (out / "adapter_config.json").write_text(json.dumps(said, indent=2) + "\n", "utf-8")
    return out
