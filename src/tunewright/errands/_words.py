"""What an export says of itself in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunewright.exports import precisions, rounds
from tunewright.nouns import Base, Difference, Model, Release
from tunewright.project import Project

RELATION = {"adapter": "adapter", "merged": "finetune"}
LOADING = {
    "adapter": "Load it with PEFT on top of the base model named above.",
    "merged": "Load the folder with transformers, vLLM or SGLang.",
    "gguf": "`ollama create {name} -f Modelfile`, then `ollama run {name}`; or `llama-cli -m {file}`.",
    "onnx": "Load the folder with `onnxruntime_genai.Model`.",
}


def readme(project: Project, model: Model, base: Base, to: str, file: str) -> str:
    """The release's model card when there is one, else what is known without it."""
    releases = [r for r in project.ledger.all(Release) if r.model == model.digest]
    if releases and releases[-1].model_card in project.ledger.blobs:
        card = project.ledger.blobs.path(releases[-1].model_card).read_text("utf-8")
        return _related(card, to)
    loading = LOADING.get(to, "").format(name=project.settings.name, file=file)
    said = [
        "---",
        "tags: [tunewright]",
        "pipeline_tag: text-generation",
        *(
            [f"base_model: {base.uri.partition(':')[2].partition('@')[0]}"]
            if base.uri.startswith("hub:")
            else []
        ),
        "---",
        "",
        f"# {project.settings.name}",
        "",
        project.settings.summary,
        "",
        f"- base model: `{base.uri}`, SHA-256 `{base.sha256}`, licence {base.licence}",
        f"- tuned model: `{model.digest}`",
        f"- format: {to}",
        "- not released: no policy has let this model out, and there is no model card",
        "",
        loading,
    ]
    return "\n".join(said).rstrip() + "\n"


def _related(card: str, to: str) -> str:
    """The front matter as it is true of this format."""
    front, line, rest = card.partition("\n---\n")
    kept = [
        f"base_model_relation: {RELATION.get(to, 'quantized')}"
        if part.startswith("base_model_relation:")
        else part
        for part in front.split("\n")
        if to == "adapter" or part != "library_name: peft"
    ]
    return "\n".join(kept) + line + rest


def instead(to: str, precision: str) -> str:
    """What to type when an export did not hold."""
    known = precisions(to)
    if rounds(precision):
        exact = next((each for each in known if not rounds(each)), "")
        return (
            f"tunewright export --to {to} --precision {exact}" if exact else "tunewright export --to merged"
        )
    return "look at one of these cases with `tunewright evaluate`, and report the model's architecture to us"


def warnings(
    project: Project, model: Model, precision: str, folder: Path, differences: Sequence[Difference]
) -> list[str]:
    """What one should know before handing it on."""
    told = list[str]()
    if rounds(precision):
        told.append(
            f"{precision} rounds: the evaluation was of the tuned model in 32-bit, not of this file"
            + ("" if differences else "; on these prompts no word changed")
        )
    file = folder / "Modelfile"
    if file.is_file() and "\nTEMPLATE" not in file.read_text("utf-8"):
        told.append(
            "the chat template cannot be said in Ollama's language: check what Ollama sends to the model"
        )
    if not any(r.model == model.digest for r in project.ledger.all(Release)):
        told.append("this model was not released: no policy has let it out")
    return told
