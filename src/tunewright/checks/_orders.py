"""Orders to a model, as they are hidden in data. Every gap is bounded, so matching stays linear."""

import re

from tunewright.checks._patterns import Pattern
from tunewright.nouns import Severity


def _order(what: str, severity: Severity, note: str, anchors: str, regex: str, flags: int = 0) -> Pattern:
    return Pattern(what, severity, note, tuple(anchors.split("|")), re.compile(regex, re.IGNORECASE | flags))


_G = r"[^.!?\n]{0,40}?"  # a gap within one sentence
_RULES = (
    r"(?:instructions?|prompts?|directions?|commands?|rules?|guidelines?|polic(?:y|ies)|constraints?"
    r"|restrictions?"
    r"|programming|training|directives?|protocols?|safeguards?|guardrails?|limitations?|(?:safety"
    r"|content) filters?"
    r"|ethics|ethical|alignment)"
)
_WHOSE = (
    r"(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|system|initial|original|safety|your"
    r"|openai(?:'s)?"
    r"|all (?:of )?(?:the|your|these|those|previous|prior|other|existing)|any (?:of )?(?:the|your|previous"
    r"|prior|other)"
    r"|existing|built-in|core|internal|preset|default safety|hidden|developer)"
)
_LEAVE = (
    r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?"
    r"|circumvent(?:ing)?|neglect"
    r"|discard|erase|abandon|disobey|violate|dismiss|overlook|nullify|suspend|deactivate|disable|turn off"
    r"|delete|drop"
    r"|unlearn|break free (?:of|from)|(?:do not|don't|never|stop) (?:follow(?:ing)?|obey(?:ing)?)"
    r"|pay no attention to|set aside|throw (?:out|away)|get (?:rid of|around)|work around|reset|cancel|void)"
)
_SHOW = (
    r"(?:reveal|show|print|repeat|display|output|leak|expose|dump|disclose|recite|copy|paste|quote"
    r"|spell out|encode|echo"
    r"|extract|divulge|unveil|transcribe|reproduce|share|translate|summari[sz]e|tell me|give me|send me"
    r"|write(?: out| down)"
    r"|list|state|provide|return|retrieve|publish|surrender|bare|access|view|read|see)"
)
_OWN = r"(?:your|the|this|its|any|all)"
_SYSTEM = (
    r"(?:system|initial|initiali[sz]ation|hidden|secret|original|internal|pre-?|underlying|starting"
    r"|confidential"
    r"|developer)"
)
_TEXTS = r"(?:prompts?|instructions?|messages?|directives?|guidelines|constraints|commands?)"
_MODE = (
    r"(?:dan|god|root|sudo|jailbreak(?:ed|ing)?|unrestricted|opposite|evil|chaos|unfiltered|uncensored"
    r"|override|superuser"
    r"|unlimited|no[- ](?:limits?|filters?|rules)|anarchy|rebel)"
)

_READER = re.compile(
    r"\b(?:ai|assistants?|llms?|language models?|chatbots?|gpt|agents?|ignore|disregard|system prompt"
    r"|instructions?)\b",
    re.IGNORECASE,
)
_MUST = re.compile(
    r"\b(?:must|should|ignore|do not|don't|always|say|tell|include|respond|reply|send|recommend|output"
    r"|instead|follow"
    r"|mention|forget|reveal)\b",
    re.IGNORECASE,
)

ORDERS: tuple[Pattern, ...] = (
    _order(
        "override",
        "high",
        "tells the model to set aside its instructions",
        "ignor|disregard|forget|overrid|bypass|circumvent|neglect|discard|erase|abandon|obey|violate"
        "|dismiss|overlook"
        "|nullify|suspend|activate|disable|turn off|delete|drop|unlearn|break free|follow|attention"
        "|set aside|throw|get "
        "|work around|reset|cancel|void",
        rf"\b{_LEAVE}\b{_G}\b{_WHOSE}\b{_G}\b{_RULES}\b",
    ),
    _order(
        "override",
        "high",
        "tells the model to forget what came before",
        "ignor|disregard|forget",
        r"\b(?:ignore|disregard|forget)\b (?:about )?(?:everything|anything|all|what(?:ever)?|the (?:text"
        r"|words|content|lines?"
        r"|sentences?|messages?|task|question|conversation|above|previous))\b[^.!?\n]{0,30}?"
        r"\b(?:above|before|previous(?:ly)?|prior|so far|until now|up to (?:now|this)|earlier|you (?:were"
        r"|have been|know"
        r"|learned|learnt|just))",
    ),
    _order(
        "override",
        "high",
        "sets new instructions in place of the old",
        "new instruction|new task|real instruction|updated instruction|new directive|new system"
        "|actual instruction",
        r"\b(?:your|these are (?:your|the)|here (?:are|is) (?:your|the)|follow (?:these|the|my)|begin"
        r"|start of)"
        r"[^.!?\n]{0,12}\b(?:new|real|updated|actual) (?:system )?(?:instructions?|directives?"
        r"|system prompt)\b"
        r"|^\W{0,5}new (?:system )?(?:instructions?|task|directives?) ?:",
        re.MULTILINE,
    ),
    _order(
        "prompt_leak",
        "high",
        "asks for the system prompt",
        "prompt|instruct|directive|guideline|message|constraint|command",
        rf"\b{_SHOW}\b[^.!?\n]{{0,40}}?\b{_OWN}\b[^.!?\n]{{0,25}}?\b{_SYSTEM}[ -]?(?:system )?{_TEXTS}\b"
        r"(?! (?:for|from|and) )"
        rf"|\b(?:what(?:'s| is| are| was| were)|explain|describe"
        rf"|know)\b[^.!?\n]{{0,30}}?\byour\b[^.!?\n]{{0,20}}?\b{_SYSTEM}[ -]?"
        rf"(?:system )?(?:{_TEXTS}|configuration|rules|setup|context)\b",
    ),
    _order(
        "prompt_leak",
        "high",
        "asks for the instructions it was given",
        "instruct|prompt|directive|guideline|above|programming|configuration|parameters|rules",
        rf"\b{_SHOW}\b[^.!?\n]{{0,25}}?\b(?:"
        r"(?:all )?(?:of )?your (?:exact |full |entire |complete |own |current |secret |hidden |internal "
        r"|original |initial |core "
        r"|actual |real |true |safety |operational ){0,2}(?:instructions|prompts?|directives?|guidelines"
        r"|programming|configurations?"
        r"|system(?! ?requirements)|parameters|hidden rules|safety rules)\b(?! (?:for|on|about|regarding"
        r"|to|when|in|if) )"
        r"|(?:the )?(?:exact )?(?:instructions?|prompts?|directives?|rules|text|words"
        r"|message) (?:you (?:were|have been|are|got)"
        r" (?:given|told|provided|initiali|instruct|following|fed)|that made you|given to you"
        r"|above(?! is\b)|used to (?:create"
        r"|program|instruct))"
        r"|(?:everything|all(?: of)?(?: the)?(?: text| words)?|the (?:text|words|lines?|sentences?"
        r"|paragraphs?)) above)",
    ),
    _order(
        "prompt_leak",
        "high",
        "asks what it was instructed",
        "instructed|told|programmed",
        r"\b(?:what|how|which|exactly|repeat|complete)\b[^.!?\n]{0,30}?\b(?:were you|you were"
        r"|have you been|you've been|i was)"
        r" (?:originally |initially |first |exactly )?(?:instructed|told|programmed|prompted|given as)\b"
        r"[^.!?\n]{0,15}?\b(?:to|before|at the (?:start|beginning)|initially|not to|instructions)\b",
    ),
    _order(
        "role",
        "high",
        "switches the model to a mode without rules",
        "mode",
        rf"\b(?:enter|enable[ds]?|activate[ds]?|switch(?:ed)? (?:in)?to|go into|you are (?:now )?in"
        rf"|simulate|turn on|engage"
        rf"|initiate|unlock|now in|with|in|be in|start|execute)\b[^.!?\n]{{0,15}}?\b{_MODE} mode\b"
        rf"|\b{_MODE} mode (?:is |has been )?(?:now )?(?:enabled|activated|engaged|on|output|unlocked"
        rf"|active|initiated)\b"
        r"|\b(?:chatgpt|gpt|ai|model|simulate|respon\w{1,5}|output|you(?:'re"
        r"| are) (?:now )?in)\b[^.!?\n]{0,50}?\b(?:developer|dev|debug"
        r"|admin|maintenance|diagnostic) mode\b|\bdeveloper mode (?:output|policies)\b",
    ),
    _order(
        "role",
        "high",
        "makes the model play somebody without rules",
        "do anything now|dan |dan,|dan.|dan\n|jailbr|stan|aim ",
        r"\bdo anything now\b|\b(?:act(?:ing)? as|you are(?: now)?|you're now|become|pretend to be"
        r"|role ?play as|called"
        r"|respond as|i want you to be|play|known as) (?:an? |the )?[\"'“]?(?:DAN|STAN|DUDE|AIM|KEVIN"
        r"|BetterDAN|jailbroken)\b"
        r"|\bjailbreak(?:en|ed|ing)? (?:prompt|yourself|gpt|chatgpt|the (?:ai|model|assistant)|this)\b"
        r"|\[\W?jailbreak",
    ),
    _order(
        "role",
        "high",
        "claims that no rules bind the model",
        "restrict|limit|filter|censor|rules|ethic|moral|guideline|bound|constrain|polic|boundar",
        r"\b(?:you|ai|chatbot|assistant|model|character|chatgpt|gpt|persona|it|he|she|who|which|that|act"
        r"|behave|respond"
        r"|answer|reply|operate|speak|pretend|imagine)\b[^.!?\n]{0,60}?\b(?:"
        r"(?:with(?:out)? (?:any |all |having )?|has no |have no |having no |free (?:of|from) (?:any |all "
        r"|the )?|no longer"
        r" (?:be )?(?:bound|restricted|limited|constrained) (?:by|to) (?:any |the |your )?|not (?:bound"
        r"|restricted|limited"
        r"|constrained) by (?:any |the |your )?|unbound by |ignores? (?:all|any) |not (?:follow|have|obey"
        r"|care about) any |has "
        r"broken free )(?:\w{2,15},? (?:or |and )?){0,3}(?:restrictions?|limitations?|limits|filters?"
        r"|filtering|censorship"
        r"|rules|ethics|ethical|morals?|morality|guidelines|constraints?|polic(?:y|ies)|boundaries"
        r"|content policy"
        r"|safeguards|typical confines)\b|completely (?:unfiltered|uncensored|unrestricted|amoral))",
    ),
    _order(
        "role",
        "medium",
        "takes over the model's role",
        "from now on|you are now|you're now|pretend|immerse|stay in character|you will act"
        "|you are going to|henceforth"
        "|hypothetical",
        r"\bfrom (?:now on|this (?:point|moment) (?:on|forward)),? (?:you(?:'re| are| will| must| shall"
        r"| only| can|r name)|act"
        r"|answer|respond|ignore|do not|never|every|all)\b"
        r"|\byou(?:'re| are) now (?:an? |the )?(?:\w{1,15} ){0,2}(?:ai|gpt|bot|chatbot|hacker|model"
        r"|assistant|terminal|free"
        r"|unlocked|unrestricted|evil|pirate|character|admin)\b"
        r"|\bpretend (?:that )?(?:you(?:'re| are| have| can| do)|to be) (?:\w{1,12} ){0,4}(?:no |not "
        r"|an? (?:\w{1,15} )?(?:ai"
        r"|model|chatbot|hacker|evil|assistant)|able to|without|free|unrestricted|unfiltered|uncensored)"
        r"|\bimmerse yourself (?:in|into) the role\b|\b(?:always |must |never )?(?:stay in"
        r"|break) character\b[^\n]{0,60}?\b(?:rules"
        r"|restrict|polic|prompt|tell you|answer)"
        r"|\bhypothetical(?:ly)?\b[^.!?\n]{0,60}?\b(?:no|without) (?:polic|rules|restrict|filter|guideline"
        r"|limits|ethic)",
    ),
    _order(
        "authority",
        "medium",
        "pretends to speak as the system or its makers",
        "system|admin|developer|openai|override|anthropic",
        r"^\W{0,6}(?:\[|<|#{1,4} ?)?(?:system|admin(?:istrator)?|developer)(?: (?:prompt|message|override"
        r"|instructions?|note"
        r"|command|alert|update|notice|mode))?(?:\]|>|:)(?!\w)(?!//)"
        r"|\b(?:system|admin(?:istrator)?|developer|security|emergency|authorization|root"
        r"|priority) override\b"
        r"|\b(?:i am|i'm|this is|speaking as|as) (?:your |an? |the )?(?:developer|creator|administrator"
        r"|openai|anthropic)"
        r"(?: (?:of|at|from|team|employee|engineer|staff|admin)\b)?[^.!?\n]{0,40}?\b(?:authori[sz]"
        r"|instruct|order|need|requir"
        r"|command|overrid|access|grant)",
        re.MULTILINE,
    ),
    _order(
        "template",
        "high",
        "holds control tokens of a chat template",
        "<|[inst]|[/inst]|<<sys>>|_of_turn>|<｜",
        r"<\|(?:im_start|im_end|im_sep|system|user|assistant|end|endoftext|begin_of_text|end_of_text"
        r"|start_header_id"
        r"|end_header_id|eot_id|eom_id|python_tag|start|message|channel|return|tool)\|>|\[/?INST\]|<</?SYS>>"
        r"|<(?:start|end)_of_turn>|<｜[^｜\n]{1,30}｜>",
    ),
    _order(
        "template",
        "medium",
        "imitates the turns of a chat",
        "system|instruction|human|assistant|user",
        r"^\s{0,4}#{2,4} ?(?:system|human|assistant|new instruction)s?:|</?(?:system|assistant"
        r"|system_prompt|instructions?)>"
        r"|^\s{0,4}\[(?:system|assistant|user)\](?:\(#\w{1,20}\))?|\n(?:human"
        r"|assistant): .{0,2000}\n(?:human|assistant): ",
        re.MULTILINE,
    ),
    _order(
        "hidden",
        "high",
        "hides words to a model in a comment",
        "<!--",
        r"<!--([^>]{8,3000})-->",
    )._replace(accept=lambda comment: bool(_READER.search(comment) and _MUST.search(comment))),
    _order(
        "hidden",
        "high",
        "hides words to a model in invisible text",
        "display|font-size|visibility|opacity",
        r"(?:display ?: ?none|font-size ?: ?[01](?:px|pt)?[;\"'\s]|visibility ?: ?hidden"
        r"|opacity ?: ?0[;\"'\s])[^<>]{0,80}>"
        r"[^<]{0,300}?\b(?:ai|assistant|llm|language model|chatbot|ignore|instructions?)\b",
    ),
    _order(
        "addressed",
        "medium",
        "speaks to a model that reads this",
        "ai|assistant|llm|language model|chatbot|gpt|agent",
        r"\b(?:attention|note|message|instructions?|important|reminder|notice|hint|hey|dear)(?: (?:to"
        r"|for))?(?: (?:any|all|the"
        r"|every))?[,: ]{1,3}(?:ai|llm|language|chatbot|gpt|automated|ai-?powered)[ -]?(?:assistants?"
        r"|models?|agents?|systems?"
        r"|bots?|reviewers?|readers?|crawlers?)?\b(?: (?:reading|processing|who|that|which)\b|[:,!])"
        r"|\b(?:if|when) (?:you are|you're|an?|any|the) (?:ai|llm|language model|large language model"
        r"|chatbot|ai assistant)\b"
        r"[^.!?\n]{0,40}?\b(?:read|process|summari|review|pars|see|analy|then|you must|please)"
        r"|\b(?:ai|llm) (?:assistants?|models?|agents?) (?:must|should|reading|processing"
        r"|are (?:instructed|required))\b",
    ),
    _order(
        "exfiltration",
        "high",
        "asks to send what the model knows elsewhere",
        "http|send|forward|post|upload|exfil|e-mail|email",
        r"\b(?:send|forward|post|upload|exfiltrate|leak|transmit|e-?mail)\b[^.!?\n]{0,50}?\b(?:(?:chat"
        r"|conversation) (?:history|log)"
        r"|conversation|user(?:'s)? (?:data|messages?|credentials)|credentials|api keys?|secrets?"
        r"|system prompt|passwords)\b"
        r"[^!?\n]{0,40}?\b(?:to|at|via)\b[^!?\n]{0,20}?(?:https?://|\w@|\battacker|\bserver|\burl|\bwebhook)"
        r"|!\[[^\]\n]{0,80}\]\(https?://[^)\s]{1,200}[?&=][^)\s]{0,60}(?:\{|%7b|\[|<|conversation|history"
        r"|prompt|secret|data=)",
    ),
    _order(
        "payload",
        "medium",
        "words of somebody who shows that a model obeys him",
        "pwn|hacked|haxx",
        r"\b(?:have been|been|i(?:'m| am)|say(?:ing)?|print|output|answer|respond with|reply with|exactly)\b"
        r"[^\n]{0,30}?\b(?:pwned|haxx?ed|hacked)\b|\b(?:pwned|haxxed)\b",
    ),
    _order(
        "override",
        "high",
        "tells the model, not in English, to set aside its instructions",
        "ignor|vergiss|missacht|übergeh|oubli|compte|olvid|omiso|descart|desobede|dimentic|trascur|esque"
        "|desconsider|negeer|vergeet"
        "|игнор|забуд|zignor|zapomn|忽略|无视|無視|忘|تجاهل|무시|잊|अनदेखा|नज़रअंदाज़|भूल",
        r"\b(?:ignorier|vergiss|missacht|übergeh)\w{0,4}\b[^.!?\n]{0,50}?\b(?:\w{0,12}anweisung"
        r"|instruktion|\w{0,12}regel|vorgabe|befehl"
        r"|richtlinie|alles)\w{0,3}\b"
        r"|\b(?:ignore[rsz]?|ignorez|oublie[rsz]?|ne tiens pas compte|faites abstraction"
        r"|désobé\w{1,6})\b[^.!?\n]{0,40}?\b(?:instruction"
        r"|consigne|directive|règle|ordre|tout ce qui)s?\b"
        r"|\b(?:ignor(?:a|e|ar|en|ad)|olvid(?:a|e|ar|en)|haz caso omiso|descart(?:a|e|ar)"
        r"|desobedece)\b[^.!?\n]{0,40}?\b(?:instrucci"
        r"|reglas?|indicaciones|órdenes|directri|todo lo|anterior)"
        r"|\b(?:ignora(?:re)?|dimentica(?:re)?|trascura(?:re)?)\b[^.!?\n]{0,40}?\b(?:istruzion|regol"
        r"|direttiv|ordin|tutto)"
        r"|\b(?:ignore|esqueça|desconsidere)\b[^.!?\n]{0,40}?\b(?:instruç|regras|diretriz|comandos|tudo)"
        r"|\b(?:negeer|vergeet)\b[^.!?\n]{0,40}?\b(?:instructie|regel|opdracht|alles)"
        r"|(?:игнорир|забуд)\w{0,6}\b[^.!?\n]{0,40}?(?:инструкц|указан|правил|команд|всё|все )"
        r"|\b(?:zignoruj|zapomnij)\b[^.!?\n]{0,40}?\b(?:instrukcj|polece|zasad|wszystk)"
        r"|(?:忽略|无视|無視|忘记|忘掉|不要理会).{0,15}?(?:指令|指示|提示|规则|規則|内容|一切)|(?:指示|命令|プロンプト|ルール).{0,10}?(?:無視|忘れ)"
        r"|تجاهل.{0,25}?(?:التعليمات|الأوامر|القواعد|السابق|أعلاه)|(?:지시|명령|규칙).{0,10}?(?:무시|잊)"
        r"|(?:निर्देश|नियम|आदेश).{0,20}?(?:अनदेखा|नज़रअंदाज़|भूल)",
    ),
    _order(
        "prompt_leak",
        "high",
        "asks, not in English, for the system prompt",
        "prompt|system|направ|инструкц|instruc|instruk|anweis|direct|direttiv|istruzion|consigne|提示|指令",
        r"\b(?:zeig|nenn|verrat|gib|offenbar)\w{0,3}\b[^.!?\n]{0,40}?\b(?:system-?prompt"
        r"|system(?:anweisung|nachricht)\w{0,3}"
        r"|(?:deine|ursprünglich|erste)\w{0,2} (?:\w{1,15} )?(?:anweisung|instruktion|prompt)\w{0,3})"
        r"|\b(?:montre|révèle|affiche|donne|dévoile|répète|quelle)\w{0,4}\b[^.!?\n]{0,40}?\b(?:prompt"
        r"|(?:instruction|consigne|directive)s?"
        r" (?:système|initial|d'origine|de départ|cachée|secrète|précédente)\w{0,2}|invite système)"
        r"|\b(?:muestra|revela|dime|repite|imprime|cuál|enseña|dame)\w{0,4}\b[^.!?\n]{0,40}?\b(?:prompt"
        r"|(?:instrucci\w{2,4}|directri\w{1,3}|mensaje)"
        r" (?:\w{1,6} )?(?:inicial|sistema|original|oculta|secreta|previa)\w{0,3})"
        r"|\b(?:mostra|rivela|dimmi|ripeti|stampa|qual)\w{0,4}\b[^.!?\n]{0,40}?\b(?:prompt|(?:istruzion\w"
        r"|direttiv\w)"
        r" (?:\w{1,6} )?(?:inizial|principal|sistema|original|nascost)\w{0,2})"
        r"|(?:покаж|раскрой|выведи|повтори).{0,40}?(?:систем\w{1,6} (?:промпт|инструкц|сообщен)|промпт"
        r"|инструкц)"
        r"|(?:显示|告诉|透露|输出|重复).{0,15}?(?:系统提示|提示词|初始指令|系统指令)",
    ),
)
