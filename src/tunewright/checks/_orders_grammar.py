"""Orders to a model as a grammar: what is to be done, to what, and whose it is.

Words are sorted into a few concepts. Where concepts stand close together in one sentence, their combination
decides: reveal + prompt + your, ignore + rules + all. New wordings of old orders are seen that way, and the
time is one look-up a word.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tunewright.checks._patterns import Span
from tunewright.nouns import Severity

YOU, BOT, OWN, RULE, HIDE, SHOW, DROP, FREE, PLAY, PRIOR, ANSWER, DO, POWER, ASK = (1 << n for n in range(14))

_WORDS: dict[int, str] = {
    YOU: ("you your yours yourself you're you've youre ur u thy thine thou"),
    BOT: ("assistant ai chatbot bot llm chatgpt gpt gpt4 claude gemini copilot"),
    OWN: (
        "prompt prompts preprompt preamble instructions instruction directives directive "
        "initialization initialisation configuration configurations config guidelines programming "
        "guardrails safeguards metaprompt directions"
    ),
    RULE: (
        "rules rule restrictions restriction constraints constraint limits limitations filters "
        "filter filtering policies policy safety protocols protocol ethics ethical boundaries "
        "censorship moderation parameters training setup settings safeguards alignment "
        "precautions content behaviour behavior defaults"
    ),
    HIDE: (
        "hidden secret secrets confidential internal original initial system initialization core "
        "concealed undisclosed underlying guarded privileged sealed backend developer operational "
        "startup foundational"
    ),
    SHOW: (
        "reveal reveals revealing show showing expose exposing share sharing disclose disclosing "
        "display displaying print output leak leaking dump repeat repeating recite divulge unveil "
        "surrender exhibit describe tell list send retrieve reproduce quote summarize summarise "
        "echo verbatim confess admit uncover unmask transmit paste spill provide give read access "
        "export transcribe translate encode paraphrase include"
    ),
    DROP: (
        "ignore ignores ignoring disregard disregarding forget forgetting bypass bypassing "
        "override overriding overrule disable disabling circumvent abandon break violate suspend "
        "remove removing discard deactivate disobey neglect evade dismiss relax lift "
        "deviate defy reset unlearn erase forgo shed escape 4get bypassed suspended disabled "
        "removed lifted overridden ignored disregarded nullify void"
    ),
    FREE: (
        "unrestricted unfiltered uncensored jailbroken jailbreak jailbreaking unlimited unbound "
        "unshackled liberated unconstrained unmoderated amoral limitless"
    ),
    PLAY: (
        "pretend imagine roleplay act simulate become behave character persona respond answer "
        "reply mode be play"
    ),
    PRIOR: (
        "previous prior above earlier preceding before all any every everything existing current these those"
    ),
    ANSWER: ("response responses reply replies answer answers output"),
    POWER: (
        "administrator admin developer creator engineer root authorized authorised authorization "
        "clearance authority sudo superuser maintenance debug diagnostic audit override pentest"
    ),
    ASK: ("what what's which how where why who can could would"),
}
_FOREIGN: dict[int, str] = {  # German, French, Spanish, Italian, Portuguese, Russian
    YOU: (
        "du dein deine deinen deiner deinem dich dir ihre tu ton ta tes vos votre toi su sus tus "
        "tuyo tua tuo tuoi tue seu seus suas твои твоих твой твою свои ваши ваших"
    ),
    OWN: (
        "anweisung anweisungen instruktion instruktionen befehl befehle vorgaben consigne "
        "consignes instrucción instrucciones instruccion indicaciones istruzione istruzioni "
        "direttive directivas directrices instrução instruções instrucoes diretrizes инструкция "
        "инструкции инструкций промпт промт указания"
    ),
    RULE: (
        "regeln regel richtlinien einschränkungen beschränkungen sicherheitsregeln règles regles "
        "restrictions limites reglas restricciones límites regole restrizioni filtri regras "
        "restrições limitações правила правил ограничения ограничений"
    ),
    HIDE: (
        "geheim geheime geheimen versteckte versteckten ursprüngliche ursprünglichen interne "
        "internen secrètes cachées initiales initial secretas ocultas iniciales originales "
        "segrete nascoste iniziali originali ocultas iniciais originais скрытые секретные "
        "исходные системные системный systemprompt"
    ),
    SHOW: (
        "zeige zeig offenbare offenbaren verrate verraten nenne gib teile enthülle wiederhole "
        "révèle révéler montre affiche donne répète partage revela muestra muéstrame comparte "
        "repite dime imprime revelar rivela mostra mostrami ripeti condividi revele mostre "
        "compartilhe repita diga покажи раскрой выведи повтори"
    ),
    DROP: (
        "ignoriere ignorier vergiss missachte umgehe überschreibe deaktiviere verwirf oublie "
        "oubliez ignorez contourne désactive olvida olvide omite desactiva elude anula dimentica "
        "ignora ignorare disattiva aggira esqueça desconsidere desative contorne игнорируй "
        "игнорируйте забудь забудьте обойди отключи"
    ),
    PRIOR: (
        "alle allen vorherigen bisherigen obigen vorigen toutes tous précédentes précédents todas "
        "todos anteriores previas previos tutte tutti precedenti anteriores все всех предыдущие "
        "предыдущих"
    ),
}
_SEEN: dict[str, int] = {}
for _bit, _text in (*_WORDS.items(), *_FOREIGN.items()):
    for _word in _text.split():
        _SEEN[_word] = _SEEN.get(_word, 0) | _bit

_TOKEN = re.compile(r"[^\W_]+(?:['’][a-z]{1,3})?|[.!?\n;:]")
_ENDS = frozenset(".!?\n;")
_GAP = 6
"""Words without a concept that may stand between two with one."""


class _Rule(NamedTuple):
    need: int
    what: str
    severity: Severity
    note: str
    one_of: int = 0
    none_of: int = 0
    near: bool = False
    """Only when no more than four words without a concept lie between."""


_LEAK = "asks for what the model was told"
_OVERRIDE = "tells the model to set aside its rules"
_RULES: tuple[_Rule, ...] = (
    _Rule(SHOW | OWN | YOU | HIDE, "prompt_leak", "high", _LEAK),
    _Rule(SHOW | OWN | YOU, "prompt_leak", "high", _LEAK, near=True),
    _Rule(SHOW | RULE | YOU, "prompt_leak", "high", _LEAK, HIDE | OWN | BOT, near=True),
    _Rule(SHOW | OWN | HIDE, "prompt_leak", "high", _LEAK, BOT | PLAY | POWER | PRIOR, near=True),
    _Rule(SHOW | OWN | BOT, "prompt_leak", "high", _LEAK, HIDE | RULE),
    _Rule(HIDE | OWN | BOT, "prompt_leak", "medium", _LEAK, YOU | SHOW),
    _Rule(DROP | OWN | YOU, "override", "high", _OVERRIDE),
    _Rule(DROP | OWN | PRIOR, "override", "high", _OVERRIDE),
    _Rule(DROP | RULE | YOU, "override", "high", _OVERRIDE, PRIOR | HIDE | BOT | POWER | PLAY),
    _Rule(DROP | RULE | BOT, "override", "high", _OVERRIDE, PRIOR | YOU),
    _Rule(FREE | YOU, "role", "high", "makes the model one without rules", PLAY | BOT | RULE | OWN | DROP),
    _Rule(FREE | BOT | PLAY, "role", "high", "makes the model one without rules"),
    _Rule(
        POWER | SHOW | OWN, "authority", "high", "claims a right to see what the model was told", YOU | HIDE
    ),
    _Rule(POWER | DROP | RULE, "authority", "high", "claims a right to switch rules off", YOU | BOT | PRIOR),
)


TRIGGER = (
    "(?i)(?<![^\\W_])(?:"
    + "|".join(sorted(w for w, b in _SEEN.items() if b & (OWN | RULE | FREE) and not b & YOU))
    + ")(?![^\\W_])"
)
"""Without one of these words no rule holds."""


def sentences(text: str) -> Iterator[Span]:
    """Where concepts meet. `text` is in lower case and Latin letters, as long as what was written."""
    cluster: list[tuple[int, int, int]] = []
    idle = between = 0
    for match in _TOKEN.finditer(text):
        word = match.group()
        if word in _ENDS:
            if cluster:
                yield from _judge(cluster, between, text)
                cluster, idle, between = [], 0, 0
            continue
        bits = _SEEN.get(word.replace("’", "'"), 0)
        if bits:
            between += idle if cluster else 0
            cluster.append((match.start(), match.end(), bits))
            idle = 0
        elif cluster:
            idle += 1
            if idle > _GAP:
                yield from _judge(cluster, between, text)
                cluster, idle, between = [], 0, 0
    if cluster:
        yield from _judge(cluster, between, text)


def _judge(cluster: list[tuple[int, int, int]], idle: int, text: str) -> Iterator[Span]:
    if len(cluster) < 2:
        return
    bits = 0
    for _, _, some in cluster:
        bits |= some
    about = _ABOUT.match(text, cluster[-1][1])
    for rule in _RULES:
        fits = bits & rule.need == rule.need and (not rule.one_of or bits & rule.one_of)
        if fits and ((rule.near and (idle > 4 or about)) or not _in_order(cluster, rule.need)):
            continue
        if fits and not bits & rule.none_of:
            yield Span(
                cluster[0][0],
                cluster[-1][1],
                rule.what,
                rule.severity,
                rule.note,
                "words that belong together",
                0.8,
            )
            return


_ABOUT = re.compile(r"\s(?:for|on|about|regarding|concerning|in|of|when|to|from|as)\b")


def _in_order(cluster: list[tuple[int, int, int]], need: int) -> bool:
    """Whether the doing stands before what it is done to."""
    doing, done = need & (SHOW | DROP), need & (OWN | RULE)
    if not doing or not done:
        return True
    first = next((at for at, _, bits in cluster if bits & doing), 0)
    return any(bits & done for at, _, bits in cluster if at > first)


# ── orders that stand in a document ──

_ASKED = re.compile(
    r"(?im)(?:^|(?<=[.!?|\n])) ?(?:please |also |always |then |finally |additionally )?"
    r"(?:(?:in|at the (?:end|start|beginning) of|throughout|with|within|before|after|for) (?:all )?"
    r"(?:of )?your "
    r"(?:\w{1,12} )?(?:response|reply|answer|output|summary)s?,? (?:also |please )?[a-z]{3,14}"
    r"|[a-z]{3,14}(?: [\w'’-]{1,16}){0,14}? (?:in|of|to|into|with|from|throughout|within|after|before|on) "
    r"(?:all |any )?(?:of )?your (?:\w{1,12} )?(?:response|reply|answer|output)s?"
    r"|(?:modify|alter|change|start|begin|end|finish|conclude|format|encode|respond|reply|answer|"
    r"reverse|translate|write) (?:all )?(?:your )?(?:response|reply|answer|output)s?)\b[^\n|]{0,160}$"
)


def planted(text: str) -> Iterator[Span]:
    """An order about the answer as the first or last line of a text that speaks of something else."""
    if len(text) < 200:
        return
    for match in _ASKED.finditer(text):
        before, after = text[: match.start()].strip(), text[match.end() :].strip()
        alone = not before or not after
        rest = before or after
        if alone and len(rest) > 160 and rest.count("?") == 0 and not _TASK.search(rest):
            yield Span(
                *match.span(),
                "addressed",
                "medium",
                "orders how to answer, at the edge of a text about something else",
                "place and wording",
                0.6,
            )


_TASK = re.compile(
    r"(?i)\b(?:please|write|generate|create|explain|summari[sz]e|translate|you are|your task|given|question"
    r"|answer|instruction|help me|i want|i need|describe|list|provide|implement)\b"
)
