"""A real architecture, far too small to know anything: made in the test, random but always the same."""

from pathlib import Path
from typing import Any

import pytest

from tunewright.nouns import Message, Origin, Record

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def made(folder: Path, kind: str = "llama") -> Path:
    """A folder in the Hugging Face layout with a model of 32 numbers a token."""
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    from tunewright.network import quiet

    words = Tokenizer(models.BPE(unk_token=None))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    from tokenizers.trainers import BpeTrainer

    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words.train_from_iterator(
        ["assistant user system the shop ships to Belgium and Germany"] * 3,
        BpeTrainer(vocab_size=300, special_tokens=marks, initial_alphabet=letters, show_progress=False),
    )
    with quiet() as library:
        transformers: Any = library
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_object=words, bos_token=marks[1], eos_token=marks[2], pad_token=marks[0]
        )
        tokenizer.chat_template = CHATML
        tokenizer.save_pretrained(folder)
        torch.manual_seed(0)
        config = transformers.AutoConfig.for_model(
            kind,
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=256,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
            initializer_range=0.3,
        )
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def talk() -> list[Record]:
    shops = ["Belgium", "Germany", "the sea", "the moon", "a shop", "Mars", "the hills", "nowhere"]
    return [
        Record(
            id=f"r{at}",
            messages=(
                Message(role="user", content=f"Who ships to {place}?"),
                Message(role="assistant", content=f"The shop ships {at} to {place}."),
            ),
            origin=Origin(source="s", file="f", line=at + 1),
        )
        for at, place in enumerate(shops)
    ]


@pytest.fixture(name="made")
def _made() -> Any:
    return made
