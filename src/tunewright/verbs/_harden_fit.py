"""Hardening examples that this base model can learn from and that repeat no evaluation case."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from tunewright import template
from tunewright.checks import checks
from tunewright.errors import BadInput
from tunewright.nouns import Finding, Recipe, Record
from tunewright.project import Project
from tunewright.trainers import trainers
from tunewright.verbs._harden import hardened


def made_hard(
    project: Project, records: Sequence[Record], recipe: Recipe, base: Path
) -> tuple[list[Record], dict[str, JsonValue]]:
    """What `recipe.harden` adds to the records, and how many of each kind, as facts of the model.

    An example that resembles an evaluation case is left out, as are those too long for the trainer.
    """
    if not recipe.harden:
        return [], {}
    made = hardened(records, recipe, fitting(base, recipe))
    seen = checks["contamination"](made.records, cases=project.each_case())
    leaks = {found.record for found in seen if isinstance(found, Finding)}
    kept = made._replace(records=[record for record in made.records if record.id not in leaks])
    counts: dict[str, JsonValue] = {**kept.counts, "too long": made.unfit, "like a case": len(leaks)}
    return kept.records, {"harden": counts}


def fitting(base: Path, recipe: Recipe) -> Callable[[Record], bool]:
    """Whether the base model's template takes a record, and the trainer's longest row holds it."""
    options = trainers.options(recipe.trainer)
    if "max_tokens" not in options or not (base / "config.json").is_file():
        return lambda record: True
    longest = cast(int, recipe.options.get("max_tokens", options["max_tokens"].default))
    network: Any = import_module("tunewright.network")
    with network.quiet() as transformers:
        safe = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = transformers.AutoTokenizer.from_pretrained(base, **safe)
        settings = transformers.AutoConfig.from_pretrained(base, **safe).get_text_config()
    longest = min(longest, getattr(settings, "max_position_embeddings", longest) or longest)

    def fits(record: Record) -> bool:
        try:
            ids, _ = template.encode(tokenizer, template.under(recipe.system, record.messages))
        except BadInput:
            return False
        return len(ids) <= longest

    return fits
