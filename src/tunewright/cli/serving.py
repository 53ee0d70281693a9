"""`serve` answers until it is stopped."""

from threading import Event

from rich.text import Text

from tunewright.cli.answer import Answer
from tunewright.cli.project import type_next
from tunewright.cli.render.words import pairs
from tunewright.nouns import Channel
from tunewright.project import Project
from tunewright.shelf import missing


def ready(host: str) -> None:
    """Before a channel is pointed anywhere. Errors: `Missing` when not installed; `Denied` without a key."""
    try:
        from tunewright.http import api_key
    except ModuleNotFoundError as error:
        raise missing(error, "serve") from error
    api_key(host)


def start(project: Project, answer: Answer, channel: Channel, host: str, port: int) -> None:
    """Answer until stopped; once it listens, say where and how to ask."""
    from tunewright.http import api_key, serve_forever

    key = bool(api_key(host))
    listens = Event()

    def listening(address: str) -> None:
        question = f'{{"model": "{channel.name}", "messages": [{{"role": "user", "content": "Hello"}}]}}'
        bearer = ' -H "Authorization: Bearer $TUNEWRIGHT_API_KEY"' if key else ""
        about = f"OpenAI-compatible, model {channel.name}"
        answer.say("", Text.assemble(("answers at  ", "dim"), (f"{address}/v1", "bold"), f"  ({about})"), "")
        answer.write(f"  curl {address}/v1/chat/completions{bearer} \\")
        answer.write(f"    -H 'Content-Type: application/json' \\\n    -d '{question}'\n")
        kept = "are kept in the project's database; `forget` erases a person's"
        answer.say(pairs([("exchanges", kept), ("then", after), ("stop", "Ctrl-C")]))
        answer.fields |= {"address": address, "api": f"{address}/v1"}
        listens.set()
        answer.end()

    after = f"{type_next('watch', project)}\n{type_next('learn', project)}"
    try:
        serve_forever(project, channel.name, host, port, ready=listening)
    except KeyboardInterrupt:
        if not listens.is_set():
            raise
