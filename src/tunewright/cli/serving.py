"""`serve` answers until it is stopped."""

from rich.text import Text

from tunewright.cli.answer import Answer
from tunewright.cli.project import type_next
from tunewright.cli.render.words import pairs
from tunewright.nouns import Channel
from tunewright.project import Project
from tunewright.shelf import missing


def ready(host: str) -> None:
    """Before a channel is pointed anywhere. Errors: `Missing` what serving needs; `Denied` without an API key."""
    try:
        from tunewright.http import api_key
    except ModuleNotFoundError as error:
        raise missing(error, "serve") from error
    api_key(host)


def start(project: Project, answer: Answer, channel: Channel, host: str, port: int) -> None:
    """Answer until stopped; once it listens, say where and how to ask."""
    from tunewright.http import api_key, serve_forever

    key = bool(api_key(host))

    def listening(address: str) -> None:
        answer.say("", how_to_ask(project, channel, address, key))
        answer.fields |= {"address": address, "api": f"{address}/v1"}
        answer.end()

    serve_forever(project, channel.name, host, port, ready=listening)


def how_to_ask(project: Project, channel: Channel, address: str, key: bool) -> Text:
    """Where it answers, a first question, and where the exchanges go."""
    question = f'{{"model": "{channel.name}", "messages": [{{"role": "user", "content": "Hello"}}]}}'
    bearer = ' -H "Authorization: Bearer $TUNEWRIGHT_API_KEY"' if key else ""
    curl = f"curl {address}/v1/chat/completions{bearer} \\\n    -H 'Content-Type: application/json' \\\n"
    return Text.assemble(
        ("answers at  ", "dim"),
        (f"{address}/v1", "bold"),
        f"  (OpenAI-compatible, model {channel.name})\n\n  {curl}    -d '{question}'\n\n",
        ("exchanges   ", "dim"),
        "are kept in the project's database; `forget` erases a person's\n",
        ("then        ", "dim"),
        f"{type_next('watch', project)}, {type_next('learn', project)}\n",
        ("stop        ", "dim"),
        "Ctrl-C",
    )
