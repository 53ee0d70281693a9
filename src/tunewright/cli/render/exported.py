"""Exports: where the files are, and the proof that they say what the tuned model says."""

from collections.abc import Sequence
from itertools import islice

from rich.console import RenderableType
from rich.text import Text

from tunewright.cli.render.look import render, summary
from tunewright.cli.render.words import clipped, counted, heading, number, pairs, plain, short, table
from tunewright.errors import NotFound
from tunewright.nouns import Difference, Export
from tunewright.project import Project

SHOWN = 6
"""Differences that are shown; all of them are in the blob."""


@render.register
def _export(export: Export, project: Project, width: int) -> Sequence[RenderableType]:
    """Files, proof, differences, and what one types next."""
    rows: list[tuple[str, RenderableType]] = [
        ("model", short(export.model)),
        ("folder", export.folder),
        ("size", f"{_bytes(export.bytes)} in {counted(len(export.files), 'file')}"),
    ]
    if export.pushed:
        rows.append(("pushed", export.pushed))
    same = f"{export.identical} of {counted(export.prompts, 'answer')} the same, word for word"
    rows.append(("proof", Text(same, "green" if export.identical == export.prompts else "yellow")))
    proof = table(
        "engine",
        "the same",
        "common beginning",
        "shared words",
        "nats a token more",
        rows=[
            (
                each.engine,
                f"{each.identical}/{each.prompts}",
                f"{each.common:.0%}",
                f"{each.token_f1:.3f}",
                "" if each.surprise is None else f"{each.surprise:+.4f}",
            )
            for each in export.proofs
        ],
        right=(1, 2, 3, 4),
        whole=(0, 1),
    )
    said: list[RenderableType] = [
        heading(f"export {export.name}", short(export.digest)),
        pairs(rows),
        "",
        proof,
    ]
    said += _differences(export, project, width)
    said += [Text.assemble(("warning  ", "yellow"), plain(warning)) for warning in export.warnings]
    return [*said, "", Text.assemble(("next  ", "dim"), plain(_next(export, project)))]


@summary.register
def _export_line(export: Export, _project: Project) -> str:
    same = f"{export.identical} of {export.prompts} answers the same"
    return f"{export.folder}, {_bytes(export.bytes)}, {same}"


def _differences(export: Export, project: Project, width: int) -> list[RenderableType]:
    try:
        lines = list(project.ledger.blobs.lines(export.differences))
    except NotFound:
        return [Text("the differences were erased", "dim")]
    if not lines:
        return []
    room = max(20, (width - 30) // 2)
    shown = [Difference.model_validate_json(line) for line in islice(lines, SHOWN)]
    rows = [(d.case, d.engine, clipped(d.tuned, room), clipped(d.exported, room)) for d in shown]
    said: list[RenderableType] = ["", table("case", "engine", "tuned model", "export", rows=rows)]
    if more := len(lines) - len(shown):
        path = project.name(project.ledger.blobs.path(export.differences))
        said.append(Text(f"{counted(more, 'more difference')} in {path}", "dim"))
    return [*said, ""]


def _next(export: Export, project: Project) -> str:
    if "Modelfile" in export.files:
        return f"ollama create {project.settings.name} -f {export.folder}/Modelfile"
    if export.format == "onnx":
        return f"onnxruntime_genai.Model({export.folder!r})"
    if export.format == "merged":
        return f"vllm serve {export.folder}"
    return f"tunewright export --to {export.format} --push owner/name"


def _bytes(size: int) -> str:
    """Such as `538 MB`, in powers of ten as disks are sold."""
    for unit, of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= of:
            return f"{number(size / of)} {unit}"
    return f"{size} bytes"
