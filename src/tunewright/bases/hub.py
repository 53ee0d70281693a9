"""Models from the Hugging Face hub."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from tunewright.bases import Found, _folder
from tunewright.errors import BadInput, NotFound
from tunewright.nouns import Base

WANTED = (
    "*.safetensors",
    "*.safetensors.index.json",
    "*.json",
    "*.jinja",
    "tokenizer*",
    "*.model",
    "*.txt",
    "README.md",
)


def hub(address: str, *, cache: Path) -> Found:
    """A model of the Hugging Face hub.

    `hub:owner/name@revision` is downloaded once into the cache: safetensors, configuration, tokenizer and
    model card, never code or pickles. Without `@revision` the newest is taken, and the commit that it was is
    recorded; write the commit to get the same bytes again. A snapshot that is in the cache is used without
    the network. A gated model needs the variable HF_TOKEN; the token is never written down.

    Limits: this is the only base that uses the network. The licence is what the model card declares and is
    not checked. Models that bring their own code are refused.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    name, at, revision = address.partition("@")
    if name.count("/") != 1 or not all(name.split("/")) or (at and not revision):
        raise BadInput(
            f"hub address {address!r} does not read owner/name@revision", hint="see hub:Qwen/Qwen3-0.6B@main"
        )
    library: Any = import_module("huggingface_hub")
    errors: Any = import_module("huggingface_hub.errors")
    snapshot = _snapshot(library, errors, name, revision or None, cache)
    files = _folder.weights(snapshot)
    return Found(
        snapshot,
        Base(
            uri=f"hub:{address}",
            licence=_folder.licence(snapshot),
            revision=snapshot.name,
            sha256=_folder.digest(files),
            parameters=_folder.parameters(files),
        ),
    )


def _snapshot(library: Any, errors: Any, name: str, revision: str | None, cache: Path) -> Path:
    """The folder with one commit's files: from the cache when it is there, otherwise from the network."""
    options: dict[str, Any] = {
        "revision": revision,
        "cache_dir": cache / "hub",
        "allow_patterns": list(WANTED),
        "tqdm_class": _silent(),
    }
    kept = _kept(library, errors, name, options)
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    if kept is not None and (offline or kept.name == revision):
        return kept
    try:
        return Path(library.snapshot_download(name, **options))
    except errors.GatedRepoError as error:
        raise BadInput(
            f"{name} is given only to those who accepted its terms",
            hint=f"accept them on the hub's page of {name}, then set HF_TOKEN",
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        what = f"{name}@{revision}" if revision else name
        raise NotFound(
            f"the hub has no model {what}", hint="look at its address and, if it is private, set HF_TOKEN"
        ) from error
    except (
        errors.HfHubHTTPError,
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        OSError,
    ) as error:
        if kept is not None:
            return kept
        raise BadInput(
            f"the hub could not be reached for {name}, and it is not in the cache",
            hint="connect to the network (and unset HF_HUB_OFFLINE), or use folder:… or package:…",
        ) from error


def _kept(library: Any, errors: Any, name: str, options: dict[str, Any]) -> Path | None:
    """A snapshot that was downloaded before."""
    try:
        place = Path(library.snapshot_download(name, local_files_only=True, **options))
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError, ValueError):
        return None
    return place if (place / "config.json").is_file() and any(place.glob("*.safetensors")) else None


def _silent() -> Any:
    """A progress bar that shows nothing."""
    bar: Any = import_module("tqdm").tqdm
    return type(
        "Silent", (bar,), {"__init__": lambda self, *a, **k: bar.__init__(self, *a, **{**k, "disable": True})}
    )
