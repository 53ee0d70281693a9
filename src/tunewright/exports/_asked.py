"""The child that asks an engine.   stdin: one JSON object -> stdout: a JSON object a line

Run by `_engines` as `python -m tunewright.exports._asked`.
"""

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, TextIO

CONTEXT = 4096
Conversation = list[dict[str, str]]


def llama_cpp(at: str, asked: list[Conversation], max_tokens: int) -> Iterator[str]:
    """llama.cpp, through llama-cpp-python: the GGUF file's own chat template and tokenizer."""
    low: Any = import_module("llama_cpp.llama_cpp")
    usual = low.llama_model_default_params

    def params() -> Any:
        # Quantised weights repacked for AMX crash llama.cpp (ggml-org/llama.cpp#20824).
        made = usual()
        made.use_extra_bufts = False
        return made

    low.llama_model_default_params = params
    count = int(os.environ["OMP_NUM_THREADS"])
    model: Any = import_module("llama_cpp").Llama(
        model_path=at, n_ctx=CONTEXT, n_threads=count, n_threads_batch=count, verbose=False, seed=1
    )
    for conversation in asked:
        said = model.create_chat_completion(
            conversation, temperature=0, repeat_penalty=1.0, max_tokens=max_tokens
        )
        yield said["choices"][0]["message"]["content"] or ""


def onnxruntime_genai(at: str, asked: list[Conversation], max_tokens: int) -> Iterator[str]:
    """ONNX Runtime GenAI: the folder's own chat template and tokenizer."""
    library: Any = import_module("onnxruntime_genai")
    model = library.Model(at)
    tokenizer = library.Tokenizer(model)
    for conversation in asked:
        text = tokenizer.apply_chat_template(json.dumps(conversation), add_generation_prompt=True)
        ids = tokenizer.encode(text)
        params = library.GeneratorParams(model)
        params.set_search_options(do_sample=False, max_length=len(ids) + max_tokens, batch_size=1)
        making = library.Generator(model, params)
        making.append_tokens(ids)
        while not making.is_done():
            making.generate_next_token()
        yield tokenizer.decode(making.get_sequence(0)[len(ids) :])


def main(given: TextIO, out: TextIO) -> int:
    """Answer everything; an error is told by its kind, because its words may be a user's."""
    said = json.load(given)
    ask = {"llama_cpp": llama_cpp, "onnxruntime_genai": onnxruntime_genai}[said["engine"]]
    try:
        for answer in ask(said["at"], said["ask"], said["max_tokens"]):
            print(json.dumps({"answer": answer}), file=out, flush=True)
    except Exception as error:
        print(json.dumps({"error": f"could not read it ({type(error).__name__})"}), file=out, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    # Engines print what they like: only our lines go where the parent listens.
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.exit(main(sys.stdin, ours))
