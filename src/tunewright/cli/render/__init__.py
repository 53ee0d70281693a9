"""How each noun looks on a terminal."""

from tunewright.cli.render import data, examined, exported, ledger, made, planned, studied
from tunewright.cli.render.look import as_json, render, summary

__all__ = [
    "as_json",
    "data",
    "examined",
    "exported",
    "ledger",
    "made",
    "planned",
    "render",
    "studied",
    "summary",
]
