"""What the bases share: what may be loaded, and what is known about a folder of weights."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from tunewright.errors import BadInput, Refused

KNOWN = (
    "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unlicense", "MPL-2.0", "CC0-1.0",
    "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "GPL-2.0-only",
    "GPL-3.0-only",
    "LGPL-3.0-only", "AGPL-3.0-only",
)  # fmt: skip
SPDX = {name.lower(): name for name in KNOWN} | {
    "gpl-3.0": "GPL-3.0-only",
    "agpl-3.0": "AGPL-3.0-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "cc0": "CC0-1.0",
}
"""Licence identifiers as hubs and GGUF files write them, and as SPDX does."""


def spdx(text: str) -> str:
    """As SPDX writes it; `LicenseRef-…` for a licence with another name, NOASSERTION when it is not said."""
    text = text.strip().strip("\"'")
    if not text or text.lower() in ("unknown", "other", "none"):
        return "NOASSERTION"
    known = SPDX.get(text.lower())
    return known or "LicenseRef-" + "".join(c if c.isalnum() or c in ".-" else "-" for c in text)


def sha256(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def weights(folder: Path) -> list[Path]:
    """The safetensors of a model folder.

    Errors: `BadInput` or `Refused` when it may not be loaded, with the reason.
    """
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}", hint="give the folder that holds config.json")
    if not (folder / "config.json").is_file():
        raise BadInput(
            f"{folder} has no config.json", hint="give a folder in the Hugging Face layout, or a .gguf file"
        )
    for name in ("config.json", "tokenizer_config.json"):
        if (folder / name).is_file() and "auto_map" in _json(folder / name):
            raise Refused(
                f"{folder / name} asks to run code that comes with the model (auto_map)",
                hint="choose a model that transformers knows by itself; code from a model is never run",
            )
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        pickles = sorted(
            p.name for ending in ("bin", "pt", "pth", "ckpt") for p in folder.glob(f"*.{ending}")
        )
        if pickles:
            raise Refused(
                f"{folder} holds its weights as a pickle ({pickles[0]}), which runs code when it is opened",
                hint="ask for the same model as safetensors, or convert it where that is safe",
            )
        raise BadInput(f"{folder} has no *.safetensors", hint="weights are read from safetensors only")
    return found


def digest(files: list[Path]) -> str:
    """SHA-256 of one file, or of the lines `sha256  name` of several, in order."""
    if len(files) == 1:
        return sha256(files[0])
    return hashlib.sha256("".join(f"{sha256(f)}  {f.name}\n" for f in files).encode()).hexdigest()


def parameters(files: list[Path]) -> int:
    """How many numbers the safetensors hold, from their headers."""
    total = 0
    for file in files:
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            if size > 100_000_000:
                raise BadInput(f"{file} is not a safetensors file", hint="download it again")
            try:
                header = json.loads(stream.read(size))
            except ValueError:
                raise BadInput(f"{file} is not a safetensors file", hint="download it again") from None
        for name, tensor in header.items():
            if name != "__metadata__":
                count = 1
                for side in tensor["shape"]:
                    count *= side
                total += count
    return total


def licence(folder: Path) -> str:
    """The licence in README.md's front-matter or in config.json; NOASSERTION when neither says."""
    readme = folder / "README.md"
    if readme.is_file():
        lines = readme.read_text("utf-8", errors="replace").splitlines()
        front = lines[1 : lines.index("---", 1)] if lines[:1] == ["---"] and "---" in lines[1:] else []
        said = {
            key.strip(): value.strip()
            for key, colon, value in (line.partition(":") for line in front)
            if colon
        }
        if said.get("license", "").lower() == "other" and said.get("license_name"):
            return spdx(said["license_name"])
        if said.get("license"):
            return spdx(said["license"])
    return spdx(str(_json(folder / "config.json").get("license", "")))


def settle(target: Path, fill: Callable[[Path], None]) -> Path:
    """Make a folder all at once: `fill` works in a folder beside it, which is renamed when it is complete."""
    if not target.is_dir():
        work = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        work.mkdir(parents=True)
        try:
            fill(work)
            os.replace(work, target)
        except OSError:
            if not target.is_dir():  # nobody else finished it first
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def _json(file: Path) -> dict[str, object]:
    try:
        value = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise BadInput(f"{file} is not JSON: {error}", hint="download the model again") from None
    if not isinstance(value, dict):
        raise BadInput(f"{file} is not a JSON object", hint="download the model again")
    return value
