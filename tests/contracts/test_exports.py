"""What every export promises: the same logits, the same words, the same template, the same end."""

import json
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tunewright.bases import find
from tunewright.errors import BadInput, Refused
from tunewright.exports import exports, precise, precisions, rounds
from tunewright.exports._engines import Engine, engines
from tunewright.nouns import Message
from tunewright.runtimes import runtimes

GATED = {"onnx": "onnxruntime_genai"}
WORDS = "Does the shop ship 1234 pots to Zürich?  It's 9:30 — 日本 <b>  \n\n"
SYSTEM = "Be kind."


def adapted(base: Path, out: Path) -> Path:
    """A PEFT adapter that changes every answer; not trained, always the same."""
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
            if "lora_" in name:
                parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
        model.save_pretrained(out)
    return out


def spoken(base: Path, out: Path, head: int = 16) -> Path:
    """The tiny model with larger heads, as ONNX Runtime wants, saying nothing but ASCII: how half a
    character is shown is a matter of taste.
    """
    import torch

    from tunewright.network import quiet

    with quiet() as transformers:
        config = transformers.AutoConfig.from_pretrained(base)
        config.head_dim = head
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(config)
        tokenizer = transformers.AutoTokenizer.from_pretrained(base)
        for number in range(len(tokenizer)):
            word = tokenizer.decode([number])
            if not (word.isascii() and word.isprintable()) or number in tokenizer.all_special_ids:
                model.lm_head.weight.data[number] = 0
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return adapted(tiny, tmp_path_factory.mktemp("adapter"))


@pytest.fixture(scope="module")
def whole(tiny: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What full fine-tuning leaves: configuration and weights, no tokenizer."""
    folder = exports["merged"](tiny, adapter, tmp_path_factory.mktemp("merged"))
    for file in folder.iterdir():
        if file.name not in ("config.json", "model.safetensors"):
            file.unlink()
    return folder


def written(name: str, base: Path, weights: Path, out: Path, **options: str) -> Path:
    if name in GATED and find_spec(GATED[name]) is None:
        pytest.skip(f"{GATED[name]} is not installed")
    out.mkdir(exist_ok=True)
    found: Path = exports[name](base, weights, out, system=SYSTEM, name="shop", origin="folder:x", **options)
    return found


def logits(base: Path, weights: Path | None) -> Any:
    import torch

    from tunewright.network import Rows, hidden

    speaker: Any = runtimes["local"](base, weights, threads=1)
    ids = torch.tensor([7, 44, 9, 120, 33, 5, 61, 2, 8])
    with torch.inference_mode():
        return speaker.net.head(hidden(speaker.net, ids, Rows(0, [len(ids)])))


def opened(artefact: Path, cache: Path) -> Path:
    """The export as our own runtime loads it."""
    if artefact.suffix == ".gguf":
        return find(f"folder:{artefact}", home=cache, cache=cache / "unpacked").folder
    return artefact


@pytest.mark.parametrize("name", sorted(exports))
def test_every_export_says_what_it_is_and_where_it_ends(name: str) -> None:
    title, limits = exports.about(name)
    assert title.endswith(".")
    assert limits.endswith(".")


@pytest.mark.parametrize("given", ["adapter", "whole"])
@pytest.mark.parametrize(("name", "precision"), [("merged", "float32"), ("gguf", "F32")])
def test_what_is_not_rounded_gives_the_same_logits(
    name: str, precision: str, given: str, tiny: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    weights = request.getfixturevalue(given)
    artefact = written(name, tiny, weights, tmp_path / "out", precision=precision)
    wanted = logits(tiny, request.getfixturevalue("adapter"))
    assert float((logits(tiny, None) - wanted).abs().max()) > 0.1  # the adapter does something
    assert float((logits(opened(artefact, tmp_path), None) - wanted).abs().max()) < 1e-5


@pytest.mark.parametrize(
    ("precision", "off"),
    [
        ("F16", 0.0006),
        ("BF16", 0.005),
        ("Q8_0", 0.0045),
        ("Q5_1", 0.04),
        ("Q5_0", 0.07),
        ("Q4_1", 0.08),
        ("Q4_0", 0.14),
    ],
)
def test_each_precision_of_gguf_rounds_by_no_more_than_its_step(
    precision: str, off: float, tiny: Path, whole: Path, tmp_path: Path
) -> None:
    import gguf
    from safetensors.torch import load_file

    wanted = load_file(whole / "model.safetensors")["model.layers.2.mlp.up_proj.weight"].numpy()
    artefact = written("gguf", tiny, whole, tmp_path / "out", precision=precision)
    library: Any = gguf
    found = {t.name: t for t in library.GGUFReader(artefact).tensors}
    ours = found["blk.2.ffn_up.weight"]
    assert ours.tensor_type.name == precision
    assert found["blk.2.ffn_norm.weight"].tensor_type.name == "F32"
    values = library.quants.dequantize(ours.data, ours.tensor_type).reshape(wanted.shape)
    assert 0 < abs(values - wanted).max() / abs(wanted).max() < off


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "mistral"])
def test_other_families_are_written_to_gguf_too(kind: str, made: Any, tmp_path: Path) -> None:
    base = made(tmp_path / kind, kind)
    if kind == "qwen3":  # transformers takes 128 for the size of a head when it reads this family from GGUF
        base = spoken(base, tmp_path / "base", 128)
    weights = adapted(base, tmp_path / "adapter")
    artefact = written("gguf", base, weights, tmp_path / "out", precision="F32")
    folder = opened(artefact, tmp_path)
    assert float((logits(folder, None) - logits(base, weights)).abs().max()) < 1e-5


@pytest.mark.parametrize("name", sorted(set(exports) - {"onnx"}))  # that one: see the foreign engines below
def test_tokenizer_chat_template_and_end_travel_along(
    name: str, tiny: Path, adapter: Path, tmp_path: Path
) -> None:
    from tunewright.network import quiet

    artefact = opened(written(name, tiny, adapter, tmp_path / "out"), tmp_path)
    with quiet() as transformers:
        old, new = (transformers.AutoTokenizer.from_pretrained(at) for at in (tiny, artefact))
    asked = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": WORDS}]
    assert new.encode(WORDS, add_special_tokens=False) == old.encode(WORDS, add_special_tokens=False)
    render = [t.apply_chat_template(asked, tokenize=False, add_generation_prompt=True) for t in (old, new)]
    assert render[0] == render[1]
    assert new.encode(render[1], add_special_tokens=False) == old.encode(render[0], add_special_tokens=False)
    assert new.eos_token_id == old.eos_token_id


@pytest.mark.parametrize(
    "engine",
    ["llama_cpp", pytest.param("onnxruntime_genai", marks=pytest.mark.real)],  # the builder takes 8 s
)
def test_foreign_engines_give_the_answers_of_the_tuned_model(engine: str, tiny: Path, tmp_path: Path) -> None:
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    name, precision = ("gguf", "F32") if engine == "llama_cpp" else ("onnx", "float32")
    base = spoken(tiny, tmp_path / "base")
    adapter = adapted(base, tmp_path / "adapter")
    artefact = written(name, base, adapter, tmp_path / "out", precision=precision)
    asked = [
        [Message(role="system", content=SYSTEM), Message(role="user", content=f"Who ships {n}?")]
        for n in range(3)
    ]
    wanted = [r.text for r in runtimes["local"](base, adapter, threads=1).ask(asked, max_tokens=8)]
    assert all(len(answer) > 3 for answer in wanted)
    found = engines(artefact)
    assert [e.name for e in found] == [engine]
    assert found[0].ask(asked, max_tokens=8) == wanted


def test_an_engine_that_cannot_read_its_file_says_so(tmp_path: Path) -> None:
    if find_spec("llama_cpp") is None:
        pytest.skip("llama_cpp is not installed")
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + bytes(50))
    with pytest.raises(BadInput, match="llama_cpp could not read it"):
        Engine("llama_cpp", tmp_path / "x.gguf").ask([[Message(role="user", content="Hi")]], max_tokens=2)


def test_merged_weights_are_rounded_only_when_asked(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    for precision in precisions("merged"):
        folder = written("merged", tiny, adapter, tmp_path / precision, precision=precision)
        kinds = {str(t.dtype) for t in load_file(folder / "model.safetensors").values()}
        assert kinds == {f"torch.{precision}"}
        assert json.loads((folder / "config.json").read_text())["dtype"] == precision
        assert str(tmp_path) not in "".join(f.read_text() for f in folder.glob("*.json"))


def test_an_adapter_names_the_base_on_the_hub(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    exports["adapter"](tiny, adapter, tmp_path / "hub", origin="hub:owner/name@abc")
    said = json.loads((tmp_path / "hub" / "adapter_config.json").read_text())
    assert (said["base_model_name_or_path"], said["revision"]) == ("owner/name", "abc")


# ── what cannot be written ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(set(exports) - {"adapter"}))
def test_a_classifier_and_a_folder_of_nothing_are_refused(
    name: str, tiny: Path, adapter: Path, tmp_path: Path
) -> None:
    for file in adapter.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    said = json.loads((tmp_path / "adapter_config.json").read_text()) | {"task_type": "SEQ_CLS"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(said))
    with pytest.raises(Refused, match="classifier") as refused:
        written(name, tiny, tmp_path, tmp_path / "out")
    assert "--to adapter" in refused.value.hint
    with pytest.raises(BadInput, match="neither"):
        written(name, tiny, tmp_path / "out", tmp_path / "out2")


def test_gguf_names_what_it_can_write(made: Any, tmp_path: Path) -> None:
    base = made(tmp_path / "gpt", "gpt_neox")
    with pytest.raises(BadInput, match="gpt_neox") as error:
        exports["gguf"](base, adapted(base, tmp_path / "adapter"), tmp_path)
    assert "qwen2" in error.value.hint


def test_gguf_refuses_a_tokenizer_that_llama_cpp_would_split_otherwise() -> None:
    from tunewright.exports._vocabulary import split

    level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    assert split({"pre_tokenizer": level}) == "gpt-2"
    assert split({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, level]}}) == "smollm"
    for other in ({"type": "Whitespace"}, {**level, "add_prefix_space": True}, None):
        with pytest.raises(BadInput, match="splits text"):
            split({"pre_tokenizer": other})
    with pytest.raises(BadInput, match="splits text"):
        split({"pre_tokenizer": level, "normalizer": {"type": "Lowercase"}})


def test_a_precision_that_there_is_not_is_told() -> None:
    assert precise("gguf", "q8_0") == "Q8_0"
    assert precise("merged", "") == "float32"
    assert precise("adapter", "") == ""
    assert [rounds(p) for p in ("F32", "float32", "", "F16", "Q8_0", "int4")] == [False] * 3 + [True] * 3
    with pytest.raises(BadInput, match="Q9") as error:
        precise("gguf", "Q9")
    assert "Q8_0" in error.value.hint


# ── the Modelfile ───────────────────────────────────────────────────────────────────────────────

SPLIT = re.compile(r"(\{\{.*?\}\})", re.DOTALL)


def go(template: str, system: str, messages: list[dict[str, str]]) -> str:
    """As much of Go's text/template as a Modelfile of ours uses."""
    parts = SPLIT.split(template)

    def block(at: int, scope: dict[str, Any], run: bool) -> tuple[str, int, str]:
        said = ""
        while at < len(parts):
            part = parts[at]
            at += 1
            if not part.startswith("{{"):
                said += part if run else ""
                continue
            word = part[2:-2].strip()
            if word == "end" or word.startswith("else"):
                return said, at, word
            if word.startswith("if "):
                done, condition = False, word[3:]
                while True:
                    mine = run and not done and truth(condition, scope)
                    inner, at, closed = block(at, scope, mine)
                    said += inner
                    done = done or mine
                    if closed == "end":
                        break
                    condition = closed.removeprefix("else").strip().removeprefix("if ") or "true"
            elif word.startswith("range"):
                back = at
                for number, message in enumerate(messages if run else []):
                    inner, at, _ = block(back, {**scope, "$i": number, "dot": message}, run)
                    said += inner
                if not (run and messages):
                    _, at, _ = block(back, scope, False)
            elif word.startswith("$last :="):
                assert word == "$last := eq (len (slice $.Messages $i)) 1"
                scope["$last"] = len(messages) - scope.get("$i", 0) == 1
            elif run:
                said += {".System": system, '"{{"': "{{"}.get(word) or scope["dot"]["content"]
        return said, at, ""

    def truth(condition: str, scope: dict[str, Any]) -> bool:
        known = {
            "true": True,
            ".System": bool(system),
            "$last": scope.get("$last"),
            "not $last": not scope.get("$last"),
        }
        if condition in known:
            return bool(known[condition])
        role = re.fullmatch(r'eq \.Role "(\w+)"', condition)
        assert role, condition
        return bool(scope["dot"]["role"] == role[1])

    return block(0, {}, True)[0]


LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}<|start|>{{ m.role }}<|end|>\n\n"
    "{{ m.content | trim }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant<|end|>\n\n{% endif %}"
)
SMOL = (
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}"
    "<|im_start|>system\nI am {{ '{{' }}Smol<|im_end|>\n"
    "{% endif %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
FOLDED = (  # the manner of Llama 2: the system prompt stands inside the first question
    "{% for m in messages %}{% if m.role == 'user' %}[INST] "
    "{% if messages[0].role == 'system' and loop.index0 == 1 %}"
    "<<SYS>>{{ messages[0].content }}<</SYS>>{% endif %}{{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content }}</s>{% endif %}{% endfor %}"
)
CHATML = "own"


def conversations() -> Iterator[list[dict[str, str]]]:
    for system, turns in product((True, False), (1, 2, 3)):
        said = [{"role": "system", "content": "Be kind."}] if system else []
        for turn in range(turns):
            said += [{"role": "user", "content": f"Question {turn}?"}]
            said += [{"role": "assistant", "content": f"Answer {turn}."}] if turn < turns - 1 else []
        yield said


@pytest.fixture
def tokenizer(tiny: Path) -> Callable[[str], Any]:
    def made(template: str) -> Any:
        from tunewright.network import quiet

        with quiet() as transformers:
            found = transformers.AutoTokenizer.from_pretrained(tiny)
        if template != CHATML:
            found.chat_template = template
        return found

    return made


@pytest.mark.parametrize("chat", [CHATML, LLAMA3, SMOL], ids=["chatml", "llama3", "smollm"])
def test_the_template_in_the_modelfile_renders_what_the_models_own_does(
    chat: str, tokenizer: Callable[[str], Any]
) -> None:
    from tunewright.exports._ollama import pieces, template

    own = tokenizer(chat)
    found = pieces(own)
    assert found is not None
    for said in conversations():
        system = next((m["content"] for m in said if m["role"] == "system"), "")
        wanted = own.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        assert go(template(found), system, said) == wanted


def test_a_template_that_cannot_be_said_is_left_to_ollama(tokenizer: Callable[[str], Any]) -> None:
    from tunewright.exports._ollama import pieces

    for chat in (FOLDED, "{{ raise_exception('no') }}", "{{ messages[0].content }}"):
        assert pieces(tokenizer(chat)) is None


def test_the_modelfile_has_file_template_system_prompt_and_stops(
    tiny: Path, adapter: Path, tmp_path: Path
) -> None:
    artefact = written("gguf", tiny, adapter, tmp_path / "out")
    said = (artefact.parent / "Modelfile").read_text()
    assert said.startswith(f"FROM ./{artefact.name}\nTEMPLATE ")
    assert f'SYSTEM """{SYSTEM}"""' in said
    assert 'PARAMETER stop "<|im_end|>"' in said
    assert "PARAMETER temperature 0" in said
    assert "PARAMETER num_ctx 256" in said
