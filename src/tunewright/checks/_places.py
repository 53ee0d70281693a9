"""Street addresses and names, by the words around them."""

import re

from tunewright.checks._patterns import Rule


def _any(words: str) -> tuple[str, ...]:
    return tuple(words.split("|"))


Anchored = tuple[tuple[str, ...], re.Pattern[str]]
"""Words of which one must occur in the lower-cased text before the pattern is worth trying; the pattern."""

_CAP = r"[A-ZÀ-ÖØ-Þ][\w'\u2019.-]{0,30}"
_STREET = (
    "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Terrace|Place|Pl|Way"
    "|Crescent|Close|Grove|Parkway|Pkwy|Highway|Hwy|Row|Mews|Gardens|Hill|Circle|Cir|Trail|Walk"
)
_UNIT = r"(?i:apt|apartment|suite|ste|unit|flat|floor)\b\.? {0,2}#?(?=[A-Z-]{0,3}\d|[A-Z]\b)[\dA-Z-]{1,6}"
_ANY = r"[^\W\d_][\w'\u2019.-]{0,30}"
_TOWN_EN = (  # a town, a state, a postcode
    rf"(?:,?\s{{1,3}}{_CAP}(?: {_CAP}){{0,2}})?"
    r"(?:,?\s{1,3}(?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
    r"|[A-Z]\d[A-Z] \d[A-Z]\d)(?!\w))"
)
_TOWN = rf"(?:,?\s{{1,3}}(?:[A-Z]{{1,2}}-)?\d{{4,5}} {_CAP}(?:[ -]{_CAP}){{0,2}})?"
_FILL = r"(?i:(?:de|des|du|la|le|les|del|los|las|el|d'|l'|von|van|der|den|dem|am|zum|zur|y|et|e) ?){0,3}"

ADDRESSES: tuple[Anchored, ...] = (
    (
        tuple(f" {word.lower()}" for word in _STREET.split("|")),
        re.compile(
            rf"(?<![\w.,-])\d{{1,5}}(?: \d{{1,5}})?[A-Za-z]?,? (?:[NSEW]\.? )?(?:{_CAP} ){{1,3}}"
            rf"(?:{_STREET})\b"
            rf"\.?(?:,?\s{{1,3}}{_UNIT})?(?:{_TOWN_EN})?"
        ),
    ),
    (
        _any("apt|apartment|suite|ste|unit|flat"),  # the unit says that it is one, whatever the language
        re.compile(
            rf"(?<![\w.,-])(?:\d{{1,5}}[A-Za-z]? (?:\d{{1,5}},? )?(?:{_ANY} ){{1,4}}(?:\d{{1,5}}[.,]? ?)?"
            rf"|(?:{_CAP} ){{1,3}}\d{{1,5}}[.,]? ?)(?:[\s>?]{{1,6}})?{_UNIT}(?:{_TOWN_EN})?"
        ),
    ),
    (
        _any("box|boks|fach|post|apartado|bp|casella"),
        re.compile(
            r"\b(?:P\.? ?O\.? ?Box|Postbo(?:x|ks)|Postfach|Postbus|Boîte postale|B\.?P\.?"
            r"|Apartado(?: de correos)?"
            r"|Casella postale) \d{1,6}\b",
            re.IGNORECASE,
        ),
    ),
    (
        _any("apo |fpo |dpo "),  # United States military post
        re.compile(
            r"\b(?:(?:(?:Unit|PSC|CMR) \d{1,5},? Box \d{1,5}|US(?:S|NS|NV"
            r"|CGC) [\w'-]{2,25}(?: [A-Z][\w'-]{1,25})?),?\s{1,3})?"
            r"[AFD]PO,? A[AEP] \d{5}\b",
            re.IGNORECASE,
        ),
    ),
    (
        _any(
            "gat|gade|vej|vei|veg|väg|str|katu|tie|kuja|tänav|torg|pla|utca|tér|út|ulic|ul.|dijk|kade|singel"
        ),
        re.compile(
            r"(?<![\w-])(?:[A-ZÀ-ÖØ-Þ][\w'-]{1,25}(?:gatan|gata|gaten|gade|vej|veien|vegen|vägen"
            r"|vegur|stræti|stræde|katu"
            r"|tie|kuja|tänav|torg|plads|plass|gränd|strasse|straße|dijk|kade|singel|bakken|haugen|allé)"
            r"|(?:[A-ZÀ-ÖØ-Þ][\w'-]{1,25} ){1,3}(?:gate|vei|väg|vej|allé|utca|u\.|út|útja|tér"
            r"|körút|tee|mnt|gata|terrasse)"
            rf"|(?:ul\.|ulica|ulice|al\.|aleja|os\.|pl\.|plac|náměstí|Travessa|Praça|Largo|Rúa"
            rf"|Vicolo|Strada|Rua|Praza)(?: {_FILL}{_CAP}){{1,4}})"
            rf",? \d{{1,4}}(?:(?<=\d) ?[a-zA-Z](?!\w))?(?!\w|[.,:]\d|%){_TOWN}"
        ),
    ),
    (
        _any(
            "str|weg|platz|allee|gasse|damm|ufer|laan|plein|gracht|ring|am |an de|auf de|im |zum |zur |unter "
        ),
        re.compile(
            r"\b(?:[A-ZÄÖÜ][\wäöüß-]{1,25}(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|straat"
            r"|laan|plein"
            r"|gracht)|(?:[A-ZÄÖÜ][\wäöüß-]{1,25}[ -]){1,2}(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse"
            r"|Ring|Damm"
            r"|Ufer)|(?:Am|An der|An den|Auf der|Auf dem|Im|Zum|Zur|Unter den) [A-ZÄÖÜ][\wäöüß-]{2,25})"
            rf" \d{{1,3}}(?:(?<=\d) ?[a-zA-Z](?!\w))?(?!\w|[.,:]\d|%){_TOWN}"
        ),
    ),
    (
        _any("rue|avenue|av.|boul|bd|place|chemin|all|imp|quai|cours|route|square|faub|passage"),
        re.compile(
            r"(?<![\w.,-])\d{1,4}(?: ?(?:bis|ter|quater))?,? (?i:rue|avenue|av\.|boulevard|bd\.?|place"
            r"|chemin|allée"
            rf"|impasse|quai|cours|route|square|faubourg"
            rf"|passage) {_FILL}{_CAP}(?:[ -]{_FILL}{_CAP}){{0,3}}{_TOWN}"
        ),
    ),
    (
        _any(
            "calle |c/|avenida |avd|plaza |pza|paseo |camino |carrer |ronda |via |viale |piazza |corso |rua "
        ),
        re.compile(
            r"(?<!\w)(?i:calle|c/|avenida|avda?\.|plaza|pza\.|paseo|camino|carrer|ronda|via|viale|piazza"
            r"|corso|rua)"
            rf" {_FILL}{_CAP}(?:[ -]{_FILL}{_CAP}){{0,3}},? ?(?:n[.ºo°]{{1,2}} ?|núm\.? )?\d{{1,4}}"
            rf"(?: ?[A-Za-zºª](?!\w)|, ?\d{{1,2}}[ºª°]? ?[A-Za-z]?(?!\w))?{_TOWN}"
        ),
    ),
)

_WORD = r"(?:(?:[^\W\d_]\.[ -]?){1,4}(?<! )|[^\W\d_][\w'\u2019-]{0,30}\.?)"
_NAME = rf"({_WORD}(?: (?:(?:van|von|der|de|la|del|bin|al|el|di|da|dos) ){{0,2}}{_WORD}){{0,3}})"
NAMES: tuple[Anchored, ...] = (
    (
        _any("name|this is|i am|i'm|ich |je |me llamo|chiamo|soy|nombre|mon nom"),
        re.compile(
            r"\b(?i:my (?:full )?name is|my name's|name:|mein name ist|ich hei(?:ß|ss)e|je m'appelle"
            r"|mon nom est"
            rf"|me llamo|mi nombre es|mi chiamo|i am called|this is|i am|i'm|ich bin|je suis|soy) {_NAME}"
        ),
    ),
    (
        _any("dear|hi |hello|hey|liebe|hallo|ch|bonjour|estimad|querid|hola"),
        re.compile(
            r"\b(?i:dear|hi|hello|hey|liebe[rs]?|hallo|cher|chère|bonjour|estimad[oa]|querid[oa]|hola) "
            rf"{_NAME}(?=\s{{0,9}}[,!\n.:])"
        ),
    ),
    (
        _any("m|dr|prof|sir|fr|señor|sra|sr|signor|don|doñ|herr"),
        re.compile(
            r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Madam|Herrn?|Frau|Monsieur|Madame|Mme|(?<!\w )M\.|Mlle"
            r"|Señora?|Sra?"
            rf"|Signora?|Don|Doña)\.? (?:(?:Dr|Prof)\.? ){{0,2}}{_NAME}"
        ),
    ),
    (
        _any("regards|sincer|yours|cheers|thank|grüße|cordial|vous|salud|atentamente"),
        re.compile(
            r"\b(?i:regards|sincerely(?: yours)?|yours (?:truly|sincerely|faithfully)|cheers|thanks|thank you"
            r"|freundlichen grüßen|viele grüße|liebe grüße|cordialement|bien à vous|saludos|un saludo"
            r"|atentamente"
            rf"|cordiali saluti)[,.!]?[ \t]{{0,9}}(?:\n\s{{0,4}}|(?<=,) ?"
            rf"|(?<=, )){_NAME}(?=\.?\s{{0,9}}(?:\n|$))"
        ),
    ),
)

_UNSURE = re.compile(r"(?i)\b(?:this is|i am|i'm|ich bin|je suis|soy)$")
_PARTICLES = frozenset(_any("van|von|der|de|la|del|bin|al|el|di|da|dos"))
_NO_NAMES = """
a an the i we you he she it they my your our his her its this that these those there here what when where
who why how is are was be been am not no yes and or but if so as at by for from in into of on to with
about after all also any can could do does did each every get got has have had just let like may me more
most much must need now one only other out please re sir sirs madam customer customers client team support
service sales user users friend friends everyone all colleague colleagues manager editor hiring recruiter
admin administrator bot assistant ai chatgpt siri alexa google english german french spanish italian dutch
american british european canadian australian indian chinese japanese monday tuesday wednesday thursday
friday saturday sunday january february march april june july august september october november december
sorry happy glad sure afraid interested unable trying looking having going ready new still very too
currently really thanks thank regards best kind hello hi hey dear good morning afternoon evening okay ok
well great fine santa father mother mom dad kunde kundin kunden damen herren frau herr kundenservice
cliente equipo soporte señor señora señores monsieur madame mesdames messieurs unknown god jesus house car
world mr mrs ms miss dr prof mx christian muslim jewish catholic
"""
NOT_NAMES = frozenset(_NO_NAMES.split())
"""Capitalised words that follow a greeting or "I am" and name nobody."""


_INITIALS = re.compile(r"(?:[^\W\d_]\.-?)+")


def name_end(words: str, introduced: str) -> int:
    """How many characters of `words` are a person's name; 0 if they are something else.

    Takes capitalised words up to the first that is none. After "I am" and the like, which introduce much
    else, a name must have two of them.
    """
    end = count = at = 0
    for word in words.split(" "):
        start, at = at, at + len(word) + 1
        plain = word.strip(".'\u2019-").lower()
        initials = bool(_INITIALS.fullmatch(word))
        if (
            word
            and word[0].isupper()
            and (initials or plain not in NOT_NAMES)
            and not (len(word) > 3 and word.isupper())
        ):
            count += 1
            end = start + len(word)
            if word.endswith(".") and len(word) > 2 and not initials:  # the end of a sentence, not an initial
                end -= 1
                break
        elif not (count and plain in _PARTICLES):
            break
    return end if count >= (2 if _UNSURE.search(introduced.rstrip()) else 1) else 0


TITLES = (
    Rule(
        "title",
        "low",
        "a form of address",
        re.compile(
            r"(?:Mrs|Mr|Ms|Miss|Mx|Dr|Prof(?:essor)?|Sir|Dame|Lady|Lord|Rev|Herrn?|Frau|Monsieur"
            r"|Madame|Mme|Mlle"
            r"|Señora?|Sra?|Signora?|Sig|Doña|Judge|Justice)\b\.?(?= [^\W\d_]\w?)",
        ),
        evidence="its form",
    ),
)
