"""A Modelfile: what Ollama needs to know beside the GGUF file.

Ollama has its own template language (Go's text/template). The model's chat template is not translated but
observed: marked conversations are rendered, the text between the marks is what the template writes around
each turn, and longer conversations show whether that is all it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tunewright.exports import _weights
from tunewright.network import Network

Turns = Sequence[tuple[str, str]]
MARKS = {"system": "qSYSTEMq", "user": "qUSER{}q", "assistant": "qANSWER{}q"}
CONTEXT = 4096


class Pieces(NamedTuple):
    """What a chat template writes around the turns of a conversation."""

    before_system: str
    after_system: str
    without_system: str
    """At the beginning, when there is no system prompt."""
    before_user: str
    after_user: str
    before_answer: str
    after_answer: str

    def render(self, turns: Turns) -> str:
        """A conversation up to the place where the model answers."""
        system = next((words for role, words in turns if role == "system"), "")
        said = self.before_system + system + self.after_system if system else self.without_system
        for role, words in turns:
            if role == "user":
                said += self.before_user + words + self.after_user
            elif role == "assistant":
                said += self.before_answer + words + self.after_answer
        return said + self.before_answer


def modelfile(net: Network, file: str, system: str) -> str:
    """The whole Modelfile.

    Without TEMPLATE when the chat template cannot be said in Ollama's language; then Ollama looks whether it
    knows it.
    """
    lines = [f"FROM ./{file}"]
    found = pieces(net.tokenizer)
    if found is not None and '"""' not in "".join(found):
        lines.append(f'TEMPLATE """{template(found)}"""')
    else:
        lines.append(
            "# The chat template cannot be said in Ollama's language: the one in the GGUF file is used."
        )
    if system and '"""' not in system:
        lines.append(f'SYSTEM """{system}"""')
    elif system:
        lines.append(
            "# The system prompt holds three quotation marks, which a Modelfile cannot: send it yourself."
        )
    for token in _weights.ends(net):
        lines.append(f'PARAMETER stop "{net.tokenizer.convert_ids_to_tokens(token)}"')
    lines.append("# As it was measured: the likeliest word each time.")
    lines.append("PARAMETER temperature 0")
    lines.append(f"PARAMETER num_ctx {min(net.context, CONTEXT)}")
    return "\n".join(lines) + "\n"


def template(found: Pieces) -> str:
    """The pieces in Go's text/template, as Ollama fills it in."""
    p = Pieces(*(_literal(piece) for piece in found))
    return (
        f"{{{{ if .System }}}}{p.before_system}{{{{ .System }}}}{p.after_system}"
        f"{{{{ else }}}}{p.without_system}{{{{ end }}}}"
        "{{ range $i, $m := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}"
        f'{{{{ if eq .Role "user" }}}}{p.before_user}{{{{ .Content }}}}{p.after_user}'
        f"{{{{ if $last }}}}{p.before_answer}{{{{ end }}}}"
        f'{{{{ else if eq .Role "assistant" }}}}{p.before_answer}{{{{ .Content }}}}'
        f"{{{{ if not $last }}}}{p.after_answer}{{{{ end }}}}{{{{ end }}}}{{{{ end }}}}"
    )


def pieces(tokenizer: Any) -> Pieces | None:
    """What the template writes around each turn; None when that is not all that it does."""
    try:
        alone = _between(tokenizer, ("user",), ask=True)
        plain = _between(tokenizer, ("system", "user"), ask=False)
        answered = _between(tokenizer, ("system", "user", "assistant"), ask=False)
        whole = _between(tokenizer, ("system", "user", "assistant", "user"), ask=True)
        after_user = plain[2] if whole[2].startswith(plain[2]) else ""
        after_answer = answered[3] if whole[3].startswith(answered[3]) else ""
        before_user = whole[3].removeprefix(after_answer)
        if not (whole[1].endswith(before_user) and alone[0].endswith(before_user)):
            return None
        found = Pieces(
            before_system=whole[0],
            after_system=whole[1].removesuffix(before_user),
            without_system=alone[0].removesuffix(before_user),
            before_user=before_user,
            after_user=after_user,
            before_answer=whole[2].removeprefix(after_user),
            after_answer=after_answer,
        )
        for roles in (
            ("user",),
            ("system", "user"),
            ("user", "assistant", "user"),
            ("system", "user", "assistant", "user", "assistant", "user"),
        ):
            if found.render(_marked(roles)) != _rendered(tokenizer, _marked(roles), ask=True):
                return None
    except Exception:  # a template may raise anything; then it cannot be observed
        return None
    return found


def _marked(roles: Sequence[str]) -> Turns:
    return [(role, MARKS[role].format(at)) for at, role in enumerate(roles)]


def _between(tokenizer: Any, roles: Sequence[str], *, ask: bool) -> list[str]:
    """What stands before, between and after the marks."""
    rest, found = _rendered(tokenizer, _marked(roles), ask=ask), list[str]()
    for _, mark in _marked(roles):
        before, there, rest = rest.partition(mark)
        if not there:
            raise ValueError("the template leaves words out")
        found.append(before)
    return [*found, rest]


def _rendered(tokenizer: Any, turns: Turns, *, ask: bool) -> str:
    said = [{"role": role, "content": words} for role, words in turns]
    return str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=ask))


def _literal(words: str) -> str:
    return words.replace("{{", '{{ "{{" }}')
