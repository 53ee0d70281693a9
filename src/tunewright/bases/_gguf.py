"""A GGUF file as a Hugging Face folder: unpacked once, by content, and kept."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunewright.bases import _folder
from tunewright.errors import BadInput, Missing
from tunewright.network import quiet

NOTE = "tunewright.json"
"""What is known about the GGUF file, kept beside its conversion."""


def unpacked(file: Path, cache: Path) -> tuple[Path, str, str, str]:
    """The converted folder, the file's SHA-256, its licence as SPDX and its name, from its own metadata.

    The weights are unpacked to float32, exactly the values the quantised blocks stand for; about 4 bytes a
    parameter on the disk. Errors: `BadInput` for a file or an architecture that cannot be read.
    """
    sha = _folder.sha256(file)
    folder = _folder.settle(cache / sha[:16], lambda work: _convert(file, work))
    note = json.loads((folder / NOTE).read_text("utf-8"))
    return folder, sha, _folder.spdx(note["licence"]), note["name"]


def _convert(file: Path, work: Path) -> None:
    with file.open("rb") as stream:
        magic = stream.read(4)
    if magic != b"GGUF":
        raise BadInput(f"{file.name} is not a GGUF file", hint="download it again")
    if find_spec("gguf") is None:
        raise Missing(
            "reading a GGUF file needs gguf, which is not installed", hint="pip install 'tunewright[train]'"
        )
    reader: Any = import_module("gguf").GGUFReader(file)
    said = {
        key: reader.fields[f"general.{key}"].contents()
        for key in ("license", "name", "architecture")
        if f"general.{key}" in reader.fields
    }
    del reader
    with quiet() as transformers:
        import torch

        options: dict[str, Any] = {
            "dtype": torch.float32,
            "local_files_only": True,
            "trust_remote_code": False,
        }
        if hasattr(transformers, "GgufConfig"):
            options["quantization_config"] = transformers.GgufConfig(dequantize=True)
        at = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                **at, local_files_only=True, trust_remote_code=False
            )
            model = transformers.AutoModelForCausalLM.from_pretrained(**at, **options)
        except (ValueError, KeyError, NotImplementedError) as error:
            raise BadInput(
                f"{file.name} has the architecture {said.get('architecture', 'unknown')}, "
                f"which transformers cannot unpack: {error}",
                hint="use the model's safetensors folder instead",
            ) from error
        model.config._name_or_path = ""
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(work)
        tokenizer.save_pretrained(work)
    _tidy(work)
    note = {"licence": str(said.get("license", "")), "name": str(said.get("name", file.stem))}
    (work / NOTE).write_text(json.dumps(note), "utf-8")


def _tidy(work: Path) -> None:
    """Leave out what only says how this copy was made."""
    for name in ("tokenizer_config.json", "config.json"):
        content = json.loads((work / name).read_text("utf-8"))
        for key in ("is_local", "local_files_only", "_name_or_path", "_model_name_or_path"):
            content.pop(key, None)
        (work / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
