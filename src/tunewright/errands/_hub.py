"""Pushing a folder to the Hugging Face hub."""

from __future__ import annotations

import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from tunewright.errors import BadInput, Denied
from tunewright.shelf import missing

NAME = re.compile(r"[\w.-]+/[\w.-]+")


def ready(repo: str) -> None:
    """Make the repository, private, unless it is there: a missing right is told before the work, not after.

    Errors: `BadInput`, `Denied`, `Missing`.
    """
    if not NAME.fullmatch(repo):
        raise BadInput(f"{repo!r} is no repository", hint="write it as --push owner/name")
    _told(lambda api: api.create_repo(repo, private=True, exist_ok=True))


def push(repo: str, folder: Path, message: str) -> str:
    """Upload a folder as one commit; returns `owner/name@commit`. Errors: `BadInput`, `Denied`, `Missing`."""
    made: Any = _told(lambda api: api.upload_folder(repo_id=repo, folder_path=folder, commit_message=message))
    return f"{repo}@{made.oid}"


def _told(act: Any) -> object:
    """Do something at the hub; what goes wrong is told without addresses that may hold a token."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        library: Any = import_module("huggingface_hub")
        errors: Any = import_module("huggingface_hub.errors")
    except ModuleNotFoundError as error:
        raise missing(error, "pushing to the hub") from error
    bars: Any = import_module("huggingface_hub.utils")
    bars.disable_progress_bars()
    api = library.HfApi(
        endpoint=os.environ.get("HF_ENDPOINT") or None, token=os.environ.get("HF_TOKEN") or None
    )
    try:
        return act(api)
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        if status in (401, 403):
            raise Denied(
                f"the hub does not let you write there (status {status})",
                hint="set HF_TOKEN to a token that may write to this repository",
            ) from error
        raise BadInput(f"the hub answered with status {status}", hint="try again later") from error
    except errors.LocalTokenNotFoundError as error:
        raise Denied("the hub needs a token", hint="set HF_TOKEN") from error
    except Exception as error:  # which library speaks HTTP, and with which errors, differs between versions
        raise BadInput(
            f"the hub could not be reached ({type(error).__name__})",
            hint="check HF_ENDPOINT, HF_HUB_OFFLINE and the network",
        ) from error
    finally:
        bars.enable_progress_bars()
