"""Templates lie beside the documents. What a value holds can never become markup, in HTML or in Markdown."""

import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

_MARKS = re.compile(r"[\\`*\[\]|~#]|(?<!\w)_|_(?!\w)")


def fill(template: str, **values: object) -> str:
    """The template with these values. Errors: `jinja2.UndefinedError` for a value that is not there."""
    return _environment(template.endswith(".html.j2")).get_template(template).render(**values)


def plain(text: object) -> Markup:
    """Text as one line of Markdown in which nothing is markup; what is `Markup` already stays as it is."""
    if isinstance(text, Markup):
        return text
    line = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(_MARKS.sub(lambda mark: f"\\{mark[0]}", line))


def code(text: object) -> Markup:
    """Text as Markdown code, safe in a table too."""
    line = " ".join(str(text).split()).replace("`", "'").replace("|", "\\|")
    return Markup(f"`{line}`") if line else Markup("")


@cache
def _environment(html: bool) -> Environment:
    folder = files(__package__).joinpath("templates")
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=None if html else plain,
    )
    environment.filters["code"] = code
    return environment
