"""Datasets of the Hugging Face hub."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import huggingface_hub

from tunewright.errors import BadInput, NotFound, TunewrightError, full

DATA = (
    *(".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".arrow", ".feather"),
    *(".jsonl.gz", ".json.gz", ".csv.gz", ".tsv.gz", ".jsonl.zst", ".json.zst", ".jsonl.xz", ".jsonl.bz2"),
)
"""Ends of names of files that hold rows."""
_NOT_DATA = frozenset({"dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json"})
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval"),
}


def hub(uri: str, into: Path, *, files: str = "", split: str = "train", endpoint: str = "") -> Path:
    """A dataset of the Hugging Face hub, at one commit.

    `hub:owner/name@commit`, where the commit is 40 hexadecimal digits: a dataset that may change cannot be
    evidence. Its files of rows come as they are; code in the dataset is neither downloaded nor run. `split`
    picks the files whose names say so (`train`, `validation`, `test`; all files where no name says any;
    empty for all). `files` is a glob such as `de/*.parquet` and then alone decides. `endpoint` is the address
    of a mirror. A private or gated dataset needs the variable HF_TOKEN; it is never written down.

    Limits: names of splits are read from paths, not from the card. Datasets that exist only as a script
    are not read. The licence on the card is not checked: say it in tunewright.yaml.
    """
    name, at, revision = uri.partition(":")[2].removeprefix("//").partition("@")
    if not 1 <= len(parts := name.split("/")) <= 2 or not all(re.fullmatch(r"[\w.-]+", p) for p in parts):
        raise BadInput(f"{uri!r} does not read hub:owner/name@commit", hint="see hub:squad@<commit>")
    library: Any = huggingface_hub
    errors: Any = import_module("huggingface_hub.errors")
    api = library.HfApi(endpoint=endpoint or None)
    if not _COMMIT.match(revision):
        raise BadInput(
            f"hub:{name} is not pinned to a commit" if not at else f"{revision!r} is no commit of 40 digits",
            hint=_pinned(api, errors, name, revision),
        )
    try:
        told = api.dataset_info(name, revision=revision, timeout=60)
        known = [str(one.rfilename) for one in told.siblings or ()]
        wanted = chosen(known, files, split)
        if not wanted:
            raise BadInput(
                f"hub:{name} has no files of rows" + (f" that fit {files!r}" if files else ""),
                hint=f"it has {', '.join(sorted(known)[:8]) or 'no files'}; `files` picks among them",
            )
        into.mkdir(parents=True, exist_ok=True)
        for file in wanted:
            api.hf_hub_download(name, file, repo_type="dataset", revision=revision, local_dir=into)
    except errors.GatedRepoError:
        raise BadInput(
            f"hub:{name} is given only to those who accepted its terms",
            hint=f"accept them on the hub's page of {name}, then set HF_TOKEN",
        ) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise NotFound(
            f"the hub has no dataset {name}@{revision}",
            hint="look at its address and, if it is private, set HF_TOKEN",
        ) from None
    except TunewrightError:
        raise
    except Exception as error:  # the errors of its HTTP library are others in every version
        if full(error):
            raise
        raise BadInput(
            f"the hub could not be reached for {name}",
            hint="connect to the network (and unset HF_HUB_OFFLINE), or give a local folder as `file`",
        ) from None
    shutil.rmtree(into / ".cache", ignore_errors=True)
    return into


def chosen(known: list[str], files: str, split: str) -> list[str]:
    """The files to fetch, out of all that a dataset has."""
    rows = [
        name
        for name in sorted(known)
        if name.lower().endswith(DATA)
        and PurePosixPath(name).name not in _NOT_DATA
        and not any(part.startswith(".") for part in name.split("/"))
    ]
    if files:
        return [name for name in rows if fnmatch.fnmatchcase(name, files)]
    if not split:
        return rows
    every = {word for words in _SPLITS.values() for word in words} | {split}
    wanted = set(_SPLITS.get(split, (split,)))
    said = {name: set(re.split(r"[^a-z]+", name.lower())) & every for name in rows}
    if not any(said.values()):
        return rows
    return [name for name in rows if said[name] & wanted]


def _pinned(api: Any, errors: Any, name: str, revision: str) -> str:
    """How to pin, with the commit that the name stands for now, if the hub can be asked."""
    try:
        sha = api.dataset_info(name, revision=revision or None, timeout=10).sha
    except Exception:  # no network, no such dataset: the hint does without
        return f"write hub:{name}@<commit of 40 digits>, as its page on the hub shows under History"
    return f"today it is {sha}: write hub:{name}@{sha}"
