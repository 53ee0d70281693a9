"""How each noun looks on a terminal."""

from tunewright.cli.render import data, examined, ledger, made
from tunewright.cli.render.look import as_json, render, summary

__all__ = ["as_json", "data", "examined", "ledger", "made", "render", "summary"]
