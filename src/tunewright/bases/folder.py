"""Models in a folder on this machine."""

from __future__ import annotations

from pathlib import Path

from tunewright.bases import Found, _folder, _gguf
from tunewright.errors import BadInput
from tunewright.nouns import Base


def folder(address: str, *, home: Path = Path(), cache: Path) -> Found:
    """A model on this machine: a folder in the Hugging Face layout, or a GGUF file.

    `folder:../models/x` holds config.json, a tokenizer and *.safetensors and is used where it is
    (a relative path starts from the project's folder);
    `folder:../models/x.gguf` is unpacked once to float32 in the cache. The licence is read from README.md's
    front-matter, from config.json or from the GGUF file, and is NOASSERTION when none of them says.

    Limits: weights in pickles (pytorch_model.bin) and models that bring their own code (auto_map) are
    refused, because opening them runs code. The licence is as declared and is not checked. The revision says
    only what the folder is called: the SHA-256 of the weights is what names them.
    """
    place = home / Path(address).expanduser()
    if place.suffix in (".bin", ".pt", ".pth", ".ckpt"):
        raise BadInput(
            f"{place.name} is a single file of weights", hint="give the folder around it, with safetensors"
        )
    if place.suffix == ".gguf":
        if not place.is_file():
            raise BadInput(f"there is no file {place}", hint="give the path of the .gguf file")
        found, sha, licence, name = _gguf.unpacked(place, cache)
    else:
        files = _folder.weights(place)
        found, sha, licence, name = (
            place.resolve(),
            _folder.digest(files),
            _folder.licence(place),
            place.resolve().name,
        )
    count = _folder.parameters(_folder.weights(found))
    return Found(
        found, Base(uri=f"folder:{address}", licence=licence, revision=name, sha256=sha, parameters=count)
    )
