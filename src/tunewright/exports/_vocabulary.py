"""A tokenizer as GGUF keys."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from tunewright.errors import BadInput
from tunewright.exports import _weights
from tunewright.network import Network

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {
    CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + REST: "llama-bpe",
    CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + REST: "qwen2",
}
"""How text is split before merging, by the expression in the tokenizer, as llama.cpp names it
(`llama-vocab.cpp`).
"""
HINT = "tunewright export --to merged, and convert that with llama.cpp's convert_hf_to_gguf.py"


def write(writer: Any, net: Network, size: int) -> None:
    """Tokens, their kinds, merges, the special ones and the chat template.

    Errors: `BadInput` for a tokenizer that llama.cpp would not split the same way.
    """
    kinds: Any = import_module("gguf").TokenType
    said = json.loads(net.tokenizer.backend_tokenizer.to_str())
    model = said["model"]
    if model["type"] != "BPE" or model.get("byte_fallback") or not net.tokenizer.chat_template:
        raise BadInput("the vocabulary is not byte-level BPE, or there is no chat template", hint=HINT)
    words = {number: word for word, number in model["vocab"].items()}
    added = {each["id"]: each for each in said["added_tokens"]}
    tokens, types = list[str](), list[int]()
    for number in range(size):
        if number in added:
            tokens.append(added[number]["content"])
            types.append(kinds.CONTROL if added[number]["special"] else kinds.USER_DEFINED)
        elif number in words:
            tokens.append(words[number])
            types.append(kinds.NORMAL)
        else:  # rows of the embedding that no word uses
            tokens.append(f"[PAD{number}]")
            types.append(kinds.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split(said))
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in model["merges"]])
    ends = _weights.ends(net)
    writer.add_eos_token_id(ends[0])
    if len(ends) > 1:
        writer.add_eot_token_id(ends[1])
    for token, add in (
        (net.tokenizer.bos_token_id, writer.add_bos_token_id),
        (net.tokenizer.unk_token_id, writer.add_unk_token_id),
        (net.tokenizer.pad_token_id, writer.add_pad_token_id),
    ):
        if token is not None:
            add(token)
    writer.add_add_bos_token(False)  # the chat template writes it where it belongs, and nothing else does
    writer.add_add_space_prefix(False)
    writer.add_chat_template(net.tokenizer.chat_template)


def split(tokenizer: dict[str, Any]) -> str:
    """What llama.cpp calls the way this tokenizer splits text. Errors: `BadInput` when it has no such way."""
    normal = tokenizer.get("normalizer") or {"type": "NFC"}
    parts = tokenizer.get("pre_tokenizer") or {}
    parts = parts.get("pretokenizers", [parts])
    kinds = [part.get("type") for part in parts]
    last = parts[-1]
    if normal.get("type") == "NFC" and kinds[-1] == "ByteLevel" and not last.get("add_prefix_space"):
        own = last.get("use_regex", True)
        if kinds == ["ByteLevel"] and own:
            return "gpt-2"
        if kinds == ["Digits", "ByteLevel"] and own and parts[0].get("individual_digits"):
            return "smollm"
        if kinds == ["Split", "ByteLevel"] and not own and parts[0].get("behavior") == "Isolated":
            pattern = parts[0].get("pattern", {}).get("Regex", "")
            if pattern in SPLITS:
                return SPLITS[pattern]
    raise BadInput("the tokenizer splits text in a way that llama.cpp has no name for here", hint=HINT)
