"""What a trainer made, put together with the base it was made from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch

from tunewright import network
from tunewright.errors import BadInput, Exhausted, Refused, full

WORDS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "generation_config.json",
)
"""Files of a model folder that are not weights but belong to them."""


def kind(weights: Path) -> Literal["adapter", "whole"]:
    """Which of the two this folder is. Errors: `BadInput` when it is neither."""
    if (weights / "adapter_config.json").is_file() and (weights / "adapter_model.safetensors").is_file():
        return "adapter"
    if (weights / "config.json").is_file() and any(weights.glob("*.safetensors")):
        return "whole"
    raise BadInput(
        f"{weights.name[:12]} holds neither a PEFT adapter nor a model",
        hint="export a model that the lora trainer made; the echo stand-in has no weights",
    )


def refuse_classifier(weights: Path, what: str) -> None:
    """Errors: `Refused` when these are the weights of a classifier, which has no answers to generate."""
    if kind(weights) == "adapter":
        classifier = _json(weights / "adapter_config.json").get("task_type") == "SEQ_CLS"
    else:
        named = _json(weights / "config.json").get("architectures") or []
        classifier = any("ForSequenceClassification" in str(name) for name in named)
    if classifier:
        raise Refused(
            f"the model is a classifier, and {what} is for models that write text",
            hint="tunewright export --to adapter",
        )


@contextmanager
def whole(base: Path, weights: Path, what: str) -> Iterator[network.Network]:
    """The tuned model in one piece and in 32-bit, about 4 bytes of memory a parameter.

    Errors: `BadInput`, `Refused`, `Exhausted`; a full disk while it is in use is `Exhausted` too.
    """
    refuse_classifier(weights, what)
    try:
        if kind(weights) == "whole":
            with TemporaryDirectory() as place:
                yield network.load(_complete(base, weights, Path(place)), dtype=torch.float32)
        else:
            yield _merged(base, weights)
    except (OSError, RuntimeError) as error:
        # safetensors tells of a full disk in words, with an error class of its own
        if full(error) or "No space left" in str(error) or "os error 28" in str(error):
            raise Exhausted("the disk is full while exporting", hint="free some disk space") from error
        told = network.explained(error, "exporting")
        if told is error:
            raise
        raise told from error


def _merged(base: Path, weights: Path) -> network.Network:
    net = network.load(base, dtype=torch.float32)
    with network.quiet():
        import peft

        library: Any = peft
        try:
            adapted = library.PeftModel.from_pretrained(net.model, str(weights), autocast_adapter_dtype=True)
        except (ValueError, KeyError, RuntimeError) as error:
            raise BadInput(
                f"the adapter does not fit the base model: {str(error).splitlines()[0]}",
                hint="use the base model that the adapter was trained on",
            ) from error
        model = adapted.merge_and_unload()
    model.eval().requires_grad_(False)
    return net._replace(model=model, decoder=model.get_decoder(), head=model.get_output_embeddings())


def _complete(base: Path, weights: Path, place: Path) -> Path:
    """A folder with everything: what the trainer did not write is the base's."""
    for folder, names in ((weights, None), (base, WORDS)):
        for file in folder.iterdir():
            target = place / file.name
            if file.is_file() and (names is None or file.name in names) and not target.exists():
                os.symlink(file.resolve(), target)
    return place


def write(net: network.Network, out: Path, precision: str) -> None:
    """The model as safetensors in the Hugging Face layout, with its tokenizer."""
    ending = ends(net)
    net.model.generation_config.eos_token_id = ending if len(ending) > 1 else ending[0]
    with network.quiet():
        net.model.to(getattr(torch, precision)).save_pretrained(out)
    write_words(net, out)


def write_words(net: network.Network, out: Path) -> None:
    """Tokenizer, chat template and the tokens that end an answer.

    Errors: `BadInput` when there is no template.
    """
    if not net.tokenizer.chat_template:
        raise BadInput("the base model has no chat template", hint="choose an instruct or chat model")
    net.tokenizer.save_pretrained(out)
    for name in ("tokenizer_config.json", "config.json"):
        if (out / name).is_file():
            said = _json(out / name)
            for key in ("is_local", "local_files_only", "_name_or_path", "name_or_path"):
                said.pop(key, None)
            (out / name).write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", "utf-8")


def ends(net: network.Network) -> list[int]:
    """Tokens that end an answer, the tokenizer's own first."""
    own = net.tokenizer.eos_token_id
    return sorted(net.ends, key=lambda token: (token != own, token))


def _json(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise BadInput(f"{file.name} is not JSON: {error}", hint="tune again") from None
    if not isinstance(said, dict):
        raise BadInput(f"{file.name} is not a JSON object", hint="tune again")
    return said
