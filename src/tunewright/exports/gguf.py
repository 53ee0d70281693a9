"""One file for llama.cpp and what is built on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from tunewright import network
from tunewright.errors import BadInput
from tunewright.exports import _ollama, _vocabulary, _weights

ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""Model types of transformers, and what llama.cpp calls their architecture: a Mistral is a Llama to it."""
BLOCK = 32
"""Numbers that share a scale in every quantised format written here."""


def gguf(
    base: Path,
    weights: Path,
    out: Path,
    *,
    system: str = "",
    name: str = "model",
    origin: str = "",
    precision: Literal["F16", "F32", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0"] = "F16",
) -> Path:
    """One GGUF file with everything in it, and a Modelfile for Ollama beside it.

    llama.cpp, Ollama, LM Studio, GPT4All and OpenVINO GenAI read GGUF. The merged weights are written by the
    `gguf` package of llama.cpp's makers: names, layout and block formats are its own. F32 keeps every bit.
    F16 and BF16 round to 2 bytes a parameter; Q8_0 takes 1.06 bytes, Q5_1 and Q5_0 0.75 and 0.69, Q4_1 and
    Q4_0 0.63 and 0.56, and they round more the smaller they are. In the 4- and 5-bit formats the embedding
    and the output map are Q8_0, in all formats norms and biases are F32. The file holds vocabulary, merges,
    chat template and the tokens that end an answer. The Modelfile has the chat template in Ollama's own
    language, found by rendering marked conversations and checked against the model's template; the stop
    tokens; and the project's system prompt.

    Errors: `BadInput` for an architecture, tokenizer or rotary embedding that cannot be written so;
    `Exhausted` when memory or disk is full.

    Limits: Llama, Mistral, SmolLM, Qwen2 and Qwen3 models with a byte-level vocabulary; not mixtures of
    experts, not SentencePiece vocabularies, not stretched rotary embeddings. The K-quants (such as Q4_K_M)
    need llama.cpp's own tool. A chat template that moves the system prompt into the first question cannot be
    said in a Modelfile: then it is left to Ollama to recognise it.
    """
    library: Any = import_module("gguf")
    file = out / f"{name}-{precision}.gguf"
    with _weights.whole(base, weights, "GGUF") as net:
        settings = net.model.config.get_text_config()
        writer = library.GGUFWriter(file, _architecture(settings))
        try:
            writer.add_name(name)
            writer.add_type("model")
            writer.add_file_type(library.LlamaFileType[_file_type(precision)])
            writer.add_quantization_version(library.GGML_QUANT_VERSION)
            _shape(writer, settings, net.context)
            _vocabulary.write(writer, net, settings.vocab_size)
            tensors = list(_tensors(net, precision))
            for tensor in tensors:
                raw = library.GGMLQuantizationType[tensor.precision]
                _announce(library, writer, tensor, raw)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            for tensor in tensors:  # one at a time: only the model itself is in memory as a whole
                values = tensor.values().numpy()
                raw = library.GGMLQuantizationType[tensor.precision]
                writer.write_tensor_data(library.quants.quantize(values, raw))
        finally:
            writer.close()
        (out / "Modelfile").write_text(_ollama.modelfile(net, file.name, system), "utf-8")
    return file


class Tensor(NamedTuple):
    """One matrix or vector on its way into the file."""

    name: str
    weight: torch.Tensor
    heads: int
    """Rows are reordered within this many heads; 0 leaves them as they are."""
    precision: str

    def values(self) -> torch.Tensor:
        """The numbers in the file's order.

        llama.cpp turns neighbouring pairs of a head by the rotary angle, transformers pairs from the two
        halves.
        """
        weight = self.weight.detach().float()
        if self.heads:
            paired = weight.reshape(self.heads, 2, weight.shape[0] // self.heads // 2, *weight.shape[1:])
            weight = paired.swapaxes(1, 2).reshape(weight.shape)
        return weight.contiguous()


def _architecture(settings: Any) -> str:
    """What llama.cpp calls it. Errors: `BadInput` when it cannot be written."""
    kind = settings.model_type
    if kind not in ARCHITECTURES:
        raise BadInput(
            f"models of the type {kind} cannot be written as GGUF here",
            hint=f"can be written: {', '.join(ARCHITECTURES)}; else tunewright export --to merged",
        )
    rope = settings.rope_parameters or {}
    if rope.get("rope_type", "default") != "default":
        raise BadInput(
            f"the rotary embedding is stretched ({rope['rope_type']}), which cannot be written as GGUF here",
            hint="tunewright export --to merged, and convert that with llama.cpp's convert_hf_to_gguf.py",
        )
    return ARCHITECTURES[kind]


def _shape(writer: Any, settings: Any, context: int) -> None:
    heads = settings.num_attention_heads
    size = getattr(settings, "head_dim", None) or settings.hidden_size // heads
    writer.add_context_length(context)
    writer.add_embedding_length(settings.hidden_size)
    writer.add_block_count(settings.num_hidden_layers)
    writer.add_feed_forward_length(settings.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(getattr(settings, "num_key_value_heads", None) or heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_rope_dimension_count(size)
    writer.add_rope_freq_base(float((settings.rope_parameters or {}).get("rope_theta", 10000.0)))
    writer.add_layer_norm_rms_eps(settings.rms_norm_eps)
    writer.add_vocab_size(settings.vocab_size)


def _tensors(net: network.Network, precision: str) -> Iterator[Tensor]:
    library: Any = import_module("gguf")
    settings = net.model.config.get_text_config()
    kind = _architecture(settings)
    found = {arch: known for known, arch in library.MODEL_ARCH_NAMES.items()}
    names = library.get_tensor_name_map(found[kind], settings.num_hidden_layers)
    keys = getattr(settings, "num_key_value_heads", None) or settings.num_attention_heads
    turned = {"q_proj": settings.num_attention_heads, "k_proj": keys} if kind == "llama" else {}
    tied = settings.tie_word_embeddings
    for own, weight in net.model.state_dict().items():
        if own == "lm_head.weight" and tied:
            continue
        theirs = names.get_name(own, try_suffixes=(".weight", ".bias"))
        if theirs is None:
            raise BadInput(f"GGUF has no place for the weights {own}", hint="tunewright export --to merged")
        layer = re.search(r"\.([qk]_proj)\.", own)
        yield Tensor(
            theirs, weight, turned.get(layer[1], 0) if layer else 0, _finest(theirs, weight, precision)
        )


def _finest(name: str, weight: torch.Tensor, precision: str) -> str:
    """How one tensor is written: small ones, and those on which all answers hang, more exactly."""
    if weight.dim() < 2:
        return "F32"
    if precision.startswith("Q"):
        if weight.shape[-1] % BLOCK:
            return "F16"
        if name in ("token_embd.weight", "output.weight"):
            return "Q8_0"
    return precision


def _announce(library: Any, writer: Any, tensor: Tensor, raw: Any) -> None:
    shape = tuple(tensor.weight.shape)
    numpy: Any = import_module("numpy")
    if tensor.precision in ("F32", "F16"):
        kind = numpy.dtype(numpy.float32 if tensor.precision == "F32" else numpy.float16)
        size = tensor.weight.numel() * kind.itemsize
    else:
        kind = numpy.dtype(numpy.uint8)
        shape = tuple(library.quants.quant_shape_to_byte_shape(shape, raw))
        size = 1
        for side in shape:
            size *= side
    writer.add_tensor_info(tensor.name, shape, kind, size, raw_dtype=raw)


def _file_type(precision: str) -> str:
    return "ALL_F32" if precision == "F32" else f"MOSTLY_{precision}"
