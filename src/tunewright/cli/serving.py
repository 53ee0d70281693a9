"""`serve` answers until it is stopped."""

from importlib import import_module

from rich.text import Text

from tunewright.cli.answer import Answer
from tunewright.cli.project import type_next
from tunewright.cli.render.words import pairs
from tunewright.nouns import Channel
from tunewright.project import Project
from tunewright.shelf import missing

GATEWAY = "tunewright.http.gateway"


def ready() -> None:
    """Errors: `Missing` when what serving needs is not installed; then no channel is pointed anywhere."""
    try:
        import_module(GATEWAY)
    except ModuleNotFoundError as error:
        raise missing(error, "serve") from error


def start(project: Project, answer: Answer, channel: Channel, host: str, port: int) -> None:
    """Say where it answers and how to ask, then answer until stopped."""
    from tunewright.http.gateway import serve_forever

    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    ask = f'{{"model": "{channel.name}", "messages": [{{"role": "user", "content": "Hello"}}]}}'
    key = (
        "" if host in {"127.0.0.1", "localhost", "::1"} else ' -H "Authorization: Bearer $TUNEWRIGHT_API_KEY"'
    )
    answer.say(
        "",
        pairs(
            [
                ("answers at", f"{url}/v1 (OpenAI-compatible)"),
                (
                    "try",
                    f"curl {url}/v1/chat/completions{key} -H 'Content-Type: application/json' -d '{ask}'",
                ),
                ("exchanges", "are kept in the project's database, where `forget` can erase them"),
                ("then", f"{type_next('watch', project)}   {type_next('learn', project)}"),
                ("stop", "Ctrl-C"),
            ]
        ),
        Text(""),
    )
    serve_forever(project, channel.name, host, port)
