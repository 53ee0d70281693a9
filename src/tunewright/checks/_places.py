"""Street addresses, dates of birth and names, by the words around them."""

import re

_CAP = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{0,30}"
_STREET = (
    r"Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Terrace|Place|Pl|Way"
    r"|Crescent|Close|Grove|Parkway|Pkwy|Highway|Hwy|Row|Mews|Gardens|Hill|Circle|Cir|Trail|Walk"
)
_FLAT = r"(?:,? {0,2}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.? ?#?[\dA-Z-]{1,6})?"
_AFTER_EN = (  # a town, a state, a postcode
    rf"(?:,? {_CAP}(?: {_CAP}){{0,2}})?"
    r"(?:,? (?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d))?"
)
_TOWN = rf"(?:,? {{0,2}}(?:[A-Z]{{1,2}}-)?\d{{4,5}} {_CAP}(?:[ -]{_CAP}){{0,2}})?"
_FILL = r"(?:(?:de|des|du|la|le|les|del|los|las|el|d'|l'|von|van|der|den|dem|am|zum|zur|y|et|e) ?){0,3}"

ADDRESSES = (
    re.compile(
        rf"(?<![\w.,-])\d{{1,5}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:{_CAP} ){{1,3}}(?:{_STREET})\b\.?{_FLAT}{_AFTER_EN}"
    ),
    re.compile(r"(?<!\w)P\.? ?O\.? ?Box \d{1,6}\b", re.IGNORECASE),
    re.compile(
        r"(?<!\w)(?:[A-ZÄÖÜ][\wäöüß-]{1,25}(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|straat"
        r"|laan|plein|gracht)|(?:[A-ZÄÖÜ][\wäöüß-]{1,25}[ -]){1,2}(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse"
        r"|Ring|Damm|Ufer)|(?:Am|An der|An den|Auf der|Auf dem|Im|Zum|Zur|Unter den) [A-ZÄÖÜ][\wäöüß-]{2,25})"
        rf" \d{{1,4}} ?[a-zA-Z]?(?!\w){_TOWN}"
    ),
    re.compile(
        r"(?<![\w.,-])\d{1,4}(?: ?(?:bis|ter|quater))?,? (?:rue|avenue|av\.|boulevard|bd\.?|place|chemin|allée|impasse"
        rf"|quai|cours|route|square|faubourg|passage) {_FILL}{_CAP}(?:[ -]{_FILL}{_CAP}){{0,3}}{_TOWN}",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<!\w)(?:calle|c/|avenida|avda?\.|plaza|pza\.|paseo|camino|carrer|ronda|via|viale|piazza|corso|rua)"
        rf" {_FILL}{_CAP}(?:[ -]{_FILL}{_CAP}){{0,3}},? ?(?:n[.ºo°]{{1,2}} ?|núm\.? )?\d{{1,4}}"
        rf"(?: ?[A-Za-zºª](?!\w)|, ?\d{{1,2}}[ºª°]? ?[A-Za-z]?(?!\w))?{_TOWN}",
        re.IGNORECASE,
    ),
)
ADDRESS_ANCHOR = re.compile(r"\d")

_MONTH = (
    r"(?:jan|feb|fév|fev|mar|mär|apr|avr|abr|may|mai|mayo|jun|juin|jul|juil|aug|août|aou|ago|sep|oct|okt|nov"
    r"|dec|déc|dez|dic|ene)[a-zéû]{0,8}\.?"
)
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d)|\d{4}[./-]\d{1,2}[./-]\d{1,2}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|º|\.)? (?:of |de )?{_MONTH},? (?:de |del )?\d{{4}}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
)
BIRTH = re.compile(
    r"(?:\bborn|birth ?da(?:y|te)|date of birth|\bd\.?o\.?b\b|geboren|geburtsdatum|geburtstag|geb\."
    r"|n[ée]{1,2}(?:\(?e\)?)? le|date de naissance|naciment?o|nacid[oa]|nacimiento|nat[oa] il|data di nascita"
    rf"|geboortedatum)[^\d\n]{{0,24}}?(?<!\w)({_DATE})(?!\w)",
    re.IGNORECASE,
)

_NAME = r"([^\W\d_][\w'’-]{0,30}\.?(?: (?:(?:van|von|der|de|la|del|bin|al|el|di|da|dos) ){0,2}[^\W\d_][\w'’-]{0,30}\.?){0,3})"
NAMES = (
    re.compile(
        r"(?i:\bmy (?:full )?name is|\bmy name's|\bmy name:|\bname:|\bmein name ist|\bich hei(?:ß|ss)e|\bje m'appelle"
        r"|\bmon nom est|\bme llamo|\bmi nombre es|\bmi chiamo|\bi am called|\bthis is|\bi am|\bi'm|\bich bin|\bje suis"
        rf"|\bsoy) {_NAME}"
    ),
    re.compile(
        r"(?i:(?<!\w)(?:dear|hi|hello|hey|liebe[rs]?|hallo|cher|chère|bonjour|estimad[oa]|querid[oa]|hola)) "
        rf"{_NAME}(?=\s*[,!\n.:])"
    ),
    re.compile(
        r"(?<!\w)(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Madam|Herrn?|Frau|Monsieur|Madame|Mme|M\.|Mlle|Señora?|Sra?\.?|Signora?|Don|Doña)"
        rf"\.? {_NAME}"
    ),
    re.compile(
        r"(?i:(?:kind|best|warm|many)? ?regards|sincerely(?: yours)?|yours (?:truly|sincerely|faithfully)|cheers|thanks"
        r"|many thanks|thank you|mit freundlichen grüßen|viele grüße|liebe grüße|cordialement|bien à vous|saludos"
        rf"|un saludo|atentamente|cordiali saluti)[,.!]?[ \t]*(?:\n\s{{0,4}}|(?<=,) ?){_NAME}(?=\s*(?:\n|$))"
    ),
)
NAME_ANCHORS = (
    "name",
    "this is",
    "i am",
    "i'm",
    "ich ",
    "je ",
    "me llamo",
    "chiamo",
    "soy",
    "nombre",
)
_UNSURE = re.compile(r"(?i)\b(?:this is|i am|i'm|ich bin|je suis|soy|hi|hello|hey|hallo|bonjour|hola)$")
NOT_NAMES = frozenset(
    """a an the i we you he she it they my your our his her its this that these those there here what when where who why
    how is are was be been am not no yes and or but if so as at by for from in into of on to with about after all also
    any can could do does did each every get got has have had just let like may me more most much must need now one only
    other out please re sir sirs madam customer customers client team support service sales user users friend friends
    everyone all colleague colleagues manager editor hiring recruiter admin administrator bot assistant ai chatgpt
    siri alexa google english german french spanish italian dutch american british european canadian australian indian
    chinese japanese monday tuesday wednesday thursday friday saturday sunday january february march april june july
    august september october november december sorry happy glad sure afraid interested unable trying looking having
    going ready new still very too currently really thanks thank regards best kind hello hi hey dear good morning
    afternoon evening okay ok well great fine santa father mother mom dad kunde kundin kunden damen herren frau herr
    team kundenservice client cliente equipo soporte señor señora señores monsieur madame mesdames messieurs unknown
    john's god jesus house car world moon juan's vegan christian muslim jewish catholic not-a-name""".split()
)


def name_end(words: str, introduced: str) -> int:
    """How many characters of `words` are a person's name; 0 if they are something else.

    Takes capitalised words up to the first that is none; after words such as "I am", which introduce
    much else, a name must have two of them.
    """
    end, count = 0, 0
    at = 0
    for word in words.split(" "):
        start, at = at, at + len(word) + 1
        plain = word.strip(".'’-").lower()
        if word and word[0].isupper() and plain not in NOT_NAMES and not (len(word) > 3 and word.isupper()):
            count += 1
            end = start + len(word)
            if word.endswith(".") and len(word) > 2:  # the end of a sentence, not an initial
                end -= 1
                break
        elif not (count and plain in _PARTICLES):
            break
    needed = 2 if _UNSURE.search(introduced.rstrip()) and not introduced.lower().startswith(_GREETINGS) else 1
    return end if count >= needed else 0


_PARTICLES = frozenset("van von der de la del bin al el di da dos".split())
_GREETINGS = ("hi", "hello", "hey", "hallo", "bonjour", "hola")
