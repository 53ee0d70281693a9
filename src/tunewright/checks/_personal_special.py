"""Special categories of personal data (GDPR Article 9, and convictions of Article 10), said of a person.

A word such as "diabetes" is no alarm by itself: it must be tied to somebody in the same clause by a verb or
a possessive, as in "I have", "she was diagnosed with", "mein Mann leidet an". Only the word is marked.
"""

import re

from tunewright.checks._patterns import Rule, starting

_ILL = (
    r"diabetes|diabetic|cancer|leuk[ae]+mia|lymphoma|melanoma|tumou?rs?|hiv(?:[ -]positive)?|aids"
    r"|hepatitis(?: [abc])?|tuberculosis|covid(?:-19)?|depress(?:ion|ed|ive)"
    r"|bipolar(?: disorder)?|schizophreni[ac]|psychosis|anxiety(?: disorder)?|panic attacks?|ptsd"
    r"|ocd|adhd|autis(?:m|tic)|asperger'?s?|anorexi[ac]|bulimi[ac]|eating disorder"
    r"|epilep(?:sy|tic)|seizures?|asthma(?:tic)?|copd|arthritis|multiple sclerosis"
    r"|parkinson'?s?(?: disease)?|alzheimer'?s?(?: disease)?|dementia|strokes?|heart (?:attack"
    r"|disease|failure|condition)"
    r"|hypertension|high blood pressure|cirrhosis|kidney (?:disease|failure)|dialysis"
    r"|chemotherapy|chemo|radiotherapy|insulin|antidepressants?|methadone|pregnan(?:t|cy)"
    r"|miscarriage|abortion|infertil(?:e|ity)|ivf|endometriosis|menopause|erectile dysfunction"
    r"|herpes|syphilis|chlamydia|gonorrh?oea|std|sti"
    r"|alcoholi(?:c|sm)|addict(?:ed|ion)|rehab|overdose|suicid(?:e|al)|self[- ]harm|disab(?:led"
    r"|ility)|wheelchair|blind|deaf|paraly[sz]ed|amputat(?:ed|ion)|migraines?|fibromyalgia"
    r"|lupus|crohn'?s?(?: disease)?|colitis|celiac|coeliac|sick leave|burn-?out|surgery"
    r"|transplant|pacemaker|chronic (?:pain|fatigue|illness|disease)|chest pains?|concussion"
    r"|pneumonia|sepsis|psoriasis|eczema|an[ae]emia|h[ae]+mophilia|cystic fibrosis|sickle cell"
    r"|flu|influenza"
)
_ILL_DE = (
    r"diabetes|diabetiker(?:in)?|krebs|brustkrebs|leukämie|tumor|hiv(?:-positiv)?|aids|hepatitis"
    r"|depression(?:en)?|depressiv|bipolar|schizophrenie|angststörung|adhs|autis(?:mus|tisch)"
    r"|magersucht|epilepsie|asthma|multiple[rn]? sklerose|parkinson|alzheimer|demenz|schlaganfall"
    r"|herzinfarkt|bluthochdruck"
    r"|dialyse|chemotherapie|insulin|schwanger|fehlgeburt|abtreibung|alkoholiker(?:in)?"
    r"|alkoholabhängig|drogenabhängig|suizidgefährdet|schwerbehindert|behindert|behinderung"
    r"|krankgeschrieben|burn-?out|rheuma|migräne|grippe|corona"
)
_ILL_FR = (
    r"diab[eè]te|diabétique|cancer|leucémie|tumeur|vih|séropositi(?:f|ve)|sida|hépatite"
    r"|dépressi(?:on|f|ve)|bipolaire|schizophrène|schizophrénie|autis(?:me|te)|anorexi(?:e|que)"
    r"|épilep(?:sie|tique)|asthm(?:e|atique)|sclérose en plaques|parkinson|alzheimer|démence|avc"
    r"|infarctus|hypertension"
    r"|dialyse|chimiothérapie|insuline|enceinte|fausse couche|avortement|alcoolique|toxicomane"
    r"|handicapée?|handicap|arrêt maladie|burn-?out|migraines?|grippe|covid"
)
_ILL_ES = (
    r"diabétic[oa]|diabetes|cáncer|leucemia|tumor|vih|seropositiv[oa]|sida|hepatitis|depresión"
    r"|bipolar|esquizofrenia|esquizofrénic[oa]|autis(?:mo|ta)|anorexia|epilepsia|epiléptic[oa]"
    r"|asma|asmátic[oa]|esclerosis múltiple|párkinson|parkinson|alzheimer|demencia|ictus|infarto"
    r"|hipertensión"
    r"|diálisis|quimioterapia|insulina|embarazada|aborto|alcohólic[oa]|drogadict[oa]"
    r"|discapacitad[oa]|discapacidad|baja médica|migrañas?|gripe|covid"
)
_WHO = (
    r"(?<![\w-])(?:(?i:i|he|she|we|they|patient|claimant|applicant|employee|who|(?:my|his|her|our"
    r"|their) [a-z-]{2,14}(?: [a-z]{2,12})?"
    r"|customer|client|mr|mrs|ms|son|daughter|wife|husband|mother|father|brother|sister)"
    r"|(?-i:[A-Z][a-z]{2,14}))"
)
_HAS = (
    r"(?:'m|'s|'ve|\u2019m|\u2019s|\u2019ve| am| is| was| are| were| be| been| being| have| has"
    r"| had| having| got| suffer(?:s|ed|ing)?(?: badly)? (?:from|of)"
    r"| (?:was |been |is |got |were )?(?:recently |first |just |newly )?diagnosed (?:with|as)"
    r"| (?:is |was |being |been )?(?:treated|treatment|medication|therapy|operated"
    r"|hospitali[sz]ed|tested positive|positive) for"
    r"| (?:lives?|living|lived) with| history of| recover(?:ed|ing|s) from| complain(?:s|ed"
    r"|ing) of| takes?| taking| needs?| on| became| developed| survived| undergoing| underwent"
    r"| struggl(?:es|ed|ing) with| contracted| caught)"
)
_FILL = (
    r"(?: (?:a|an|the|my|his|her|their|not|also|now|currently|severe|severely|mild|chronic|acute"
    r"|serious|type [12]|stage \w{1,3}|late-stage|early-stage|terminal|advanced|breast|lung"
    r"|prostate|colon|skin|brain|ovarian|bowel"
    r"|clinical(?:ly)?|postnatal|partially|legally|very|six|seven|eight|three|four|five"
    r"|\w{1,6} (?:weeks|months)|history of|from|with)){0,4}"
)
_NOT_THING = (
    r"(?! (?:medicines?|medication in stock|products?|research|awareness|charit(?:y|ies)"
    r"|vaccines?|season|insurance|studies|study|ward|unit"
    r"|book|clinic|centre|center|campaign|belief|faith|trust|spots?|date|eye|foundation|relief|course|app|shot|jab|cookbook))"
)
_BELIEF = (
    r"muslims?|islam|christians?|christianity|catholics?|catholicism|protestants?|orthodox"
    r"|evangelicals?|baptists?|methodists?|mormons?|jehovah['\u2019]s witness(?:es)?|jew(?:s|ish)?"
    r"|judaism|hindus?|hinduism|buddhists?|buddhism|sikhs?|atheists?|agnostics?|pagan|scientologists?"
    r"|quakers?|shi['\u2019]?[ai](?:te)?s?|sunnis?|alevi|yazidi"
)
_PARTY = (
    r"republicans?|democrats?|socialists?|communists?|conservatives?|liberals?|libertarians?|labour"
    r"|tor(?:y|ies)|lib dem|green party|labour party|conservative party|republican party"
    r"|democratic party|communist party|afd|cdu|csu|spd|fdp|ukip|reform uk|pkk|hamas|anarchists?"
    r"|marxists?|nationalists?|maga"
)
_LOVE = (
    r"gay|lesbian|bisexual|homosexual|heterosexual|straight|asexual|pansexual|queer|transgender"
    r"|trans(?: (?:man|woman))?|transsexual|non-?binary|intersex|lgbtq?\+?"
)
_FOLK = (
    r"black|white|caucasian|african[- ]american|asian(?:[- ]american)?|hispanic|latin[oax]|roma"
    r"|romani|sinti|kurdish|jewish|arab|aboriginal|indigenous|native american|mixed[- ]race|biracial"
    r"|sami|berber|uighur|uyghur|pashtun|hazara|tamil|tutsi|hutu"
)
_I = re.IGNORECASE
_REACH = 110
"""Characters before a word in which whoever it is said of may stand."""


def _rule(kind: str, pattern: str, before: str = "", confidence: float = 0.75, words: str = "") -> Rule:
    """`pattern` marks the word (group 1 if there is one), or what follows one of `words`; `before` must hold
    just before it, in its clause.
    """
    gate = re.compile(rf"(?<!\w)(?:{words})(?!\w)", _I) if words else None
    pattern = f"{starting(words)}(?![\\w-]){pattern}" if words else f"(?i:{pattern})"
    tie = re.compile(rf"(?:{before})(?: |'s |\u2019s )?$", _I) if before else None

    def accept(match: re.Match[str]) -> tuple[int, int] | None:
        start, end = match.span(1) if match.re.groups else match.span()
        clause = re.split(r"[.!?\n;]", match.string[max(start - _REACH, 0) : start])[-1]
        return (start, end) if start < end and (not tie or tie.search(clause)) else None

    crime = "conviction" in kind
    return Rule(
        "special_category",
        "high",
        "a person's criminal conviction" if crime else f"{kind} of a person",
        re.compile(pattern),
        accept,
        "GDPR Article 10" if crime else "GDPR Article 9; said of somebody in the same clause",
        confidence,
        gate,
    )


_IS = r"(?:'m|\u2019m|'s|\u2019s| am| is| was| are| were)"
SPECIAL: tuple[Rule, ...] = (
    _rule(
        "the health",
        _NOT_THING,
        rf"{_WHO}[^.!?\n;]{{0,40}}?{_HAS}{_FILL}|\b(?:my|his|her|patient['\u2019]s|our son's"
        rf"|our daughter's)(?: \w{{3,12}})?"
        rf"|\b(?:patient|\d\d?[ -]year[ -]old|male|female)\b[^.!?\n]{{0,50}}?(?:with|has|of"
        rf"|for)(?: a)?{_FILL}",
        words=_ILL,
    ),
    _rule(
        "the health",
        "",
        rf"\b(?:patient|\d\d?[ -]year[ -]old|male|female)\b[^.!?\n]{{0,50}}?(?:with|has|of"
        rf"|for)(?: a)?{_FILL}",
        words=r"headaches?|stomach pain|fever|abdominal pain|nausea|vomiting|back pain|shortness of breath",
    ),
    _rule(
        "the health",
        r"\b(?:diagnos(?:is|es)|diagnose|diagnostic|diagnóstico|medical condition|medical history"
        r"|disability|allergies|allergy|icd(?:-10)?)"
        r"(?: code)?: ?((?-i:[A-Z]\d\d(?:\.\d{1,2})?)|\w[\w' -]{2,40}?)(?=[,.;\n)]|$)",
        confidence=0.7,
    ),
    _rule("the health", r"\ballergic to (\w[\w-]{2,20})", rf"{_WHO}{_IS}(?: severely)? allergic to"),
    _rule(
        "the health",
        "",
        r"(?<!\w)(?:ich|er|sie|wir|patient(?:in)?|mein[er]? \w{3,14}|sein[er]? \w{3,14}"
        r"|ihr[e]? \w{3,14}|herr \w+|frau \w+|(?-i:[A-Z][a-z]{2,14})) (?:\w+ ){0,4}?"
        r"(?:habe?|hat|hatte|bin|ist|war|leide[tn]?|litt|wegen|an|mit)(?: (?:an|unter|seit \w+"
        r"|eine?[nrm]?|schwere[nrms]?|chronische[nrms]?|meine[rmn]?|seine[rmn]?|ihre[rmn]?|sehr"
        r"|im \w+ monat)){0,3}",
        words=_ILL_DE,
    ),
    _rule(
        "the health",
        "",
        r"(?<!\w)(?:j'|je |il |elle |patiente? |(?:mon|ma|son|sa) \w{3,14} "
        r"|(?-i:[A-Z][a-zéè]{2,14}) )(?:\w+ ){0,4}?(?:ai|a|suis|est|était|souffre|souffrait"
        r"|atteinte?|cause)"
        r"(?: (?:eu|d'une?|du|de la|de|le|la|un|une|mon|ma|son|sa|très|gravement)){0,3}(?: d')?",
        words=_ILL_FR,
    ),
    _rule(
        "the health",
        "",
        r"(?<!\w)(?:tengo|tiene|tenía|soy|es|estoy|está|sufro|sufre|padezco|padece"
        r"|diagnosticad[oa])(?: (?:de|con|un|una|el|la|mi|su|muy)){0,3}",
        words=_ILL_ES,
    ),
    _rule(
        "the belief",
        "(?! (?:(?i:school|church|holiday|music|art|market|name)|[A-Z]))",
        rf"{_WHO}[^.!?\n;]{{0,20}}?(?:{_IS}| became| converted to| raised(?: as)?| as)(?: (?:a|an"
        rf"|devout|practi[sc]ing|strict|born-again|observant|lapsed|not|also|very|now)){{0,4}}",
        words=_BELIEF,
    ),
    _rule(
        "the belief",
        r"\b(?:(?:my|his|her) (?:religion|faith) is|religion:|religious beliefs?:|konfession:"
        r"|religion :|religión:) ?(\w{4,20})",
    ),
    _rule(
        "the belief",
        r"(?<!\w)(?:ich bin|er ist|sie ist|je suis|il est|elle est|soy|es)(?: (?:eine?|un|une"
        r"|gläubige[rn]?|praktizierende[rn]?|sehr|muy)){0,2} "
        r"(muslim(?:in|a|isch)?|christ(?:in)?|katholi(?:k|sch|kin)|katholikin|evangelisch|jüdisch"
        r"|jude|jüdin|buddhist(?:in)?|hindu|atheist(?:in)?|musulmane?|musulmán|musulmana"
        r"|catholique"
        r"|católic[oa]|juive?|judí[oa]|chrétien(?:ne)?|cristian[oa]|protestante?|bouddhiste"
        r"|budista|athée|ate[oa]|evangélic[oa])(?!\w)",
    ),
    _rule(
        "the politics",
        "",
        rf"{_WHO}[^.!?\n;]{{0,20}}?(?:{_IS}| voted(?: for)?| votes(?: for)?| vote| campaigned for"
        rf"| supporter of| supports?| member of| joined| belongs to| as)"
        r"(?: (?:a|an|the|staunch|lifelong|registered|active|committed|card-carrying|member of"
        r"|supporter of)){0,5}",
        words=_PARTY,
    ),
    _rule(
        "the politics",
        r"\b(?:political (?:opinions?|views?|affiliation)|affiliation politique"
        r"|afiliación política): ?((?-i:[A-Z])[\w-]{2,20})",
        confidence=0.6,
    ),
    _rule(
        "the trade union membership",
        r"(?:(?:trade|labou?r|workers['\u2019]?)[ -]union (?:member(?:ship)?|representative|rep"
        r"|official|activist)|union (?:member(?:ship)?|rep|steward)"
        r"|member of (?:the|a|an|our|my|his|her) (?:[A-Z][\w-]+ ){0,3}(?:trade |labou?r )?union"
        r"|shop steward|gewerkschaftsmitglied(?:schaft)?|mitglied (?:der"
        r"|bei(?: der)?) (?:ig metall|ver\.?di|gewerkschaft|igbce)"
        r"|syndiquée?s?|membre d'un syndicat|déléguée? syndicale?|afiliad[oa] a(?:l"
        r"| un) sindicato|sindicalista)(?!\w)",
    ),
    _rule(
        "the sex life or orientation",
        "(?! (?:away|forward|up|line|ahead|bar|rights|from|to|out|into))",
        rf"{_WHO}[^.!?\n;]{{0,20}}?(?:{_IS}| came out(?: as)?| identif(?:y|ies|ied) as)(?: (?:a"
        rf"|an|openly|actually|secretly|also|not|as|proud)){{0,3}}",
        words=_LOVE,
    ),
    _rule(
        "the sex life or orientation",
        r"\b(?:sexual orientation|sexuelle orientierung|orientation sexuelle"
        r"|orientación sexual)(?::| is| ist| est| es) ?(\w{3,20})",
        confidence=0.6,
    ),
    _rule(
        "the sex life or orientation",
        r"(?<!\w)(?:ich bin|er ist|sie ist|je suis|il est|elle est|soy)(?: (?:eine?|un"
        r"|une))? (schwul|lesbisch|lesbe|bisexuell?e?|homosexuell?e?|transgender|trans|gay"
        r"|lesbienne|lesbiana|bisexual|homosexual)(?!\w)",
    ),
    _rule(
        "the ethnic origin",
        rf"\b(?:of|with) ((?:{_FOLK}|(?-i:[A-Z][a-z]+(?:ish|ian|ese|an|i))) (?:origin|descent"
        rf"|ethnicity|ethnic origin|heritage|ancestry))(?!\w)",
    ),
    _rule(
        "the ethnic origin",
        r"(?= (?:man|woman|person|male|female|teenager|boy|girl|origin|descent|heritage|american"
        r"|british)|[.,;!?\n]|$)",
        rf"{_WHO}(?:{_IS}| identif(?:y|ies) as)(?: (?:a|an|ethnically|half|part|partly|of)){{0,3}}",
        words=_FOLK,
    ),
    _rule(
        "the ethnic origin", r"\b(?:ethnicity|ethnic (?:origin|group)|race): ?([\w -]{3,30}?)(?=[,.;\n)]|$)"
    ),
    _rule(
        "genetic data",
        r"(?<!\w)(?:(?:brca[12]?|apoe4?|cftr|factor v leiden)(?: (?:gene|mutation|variant"
        r"|carrier))?|genetic (?:test(?: results?)?|mutation|disorder|condition|predisposition)"
        r"|dna (?:test(?: results?)?|profile|sample)|genome)(?!\w)",
        r"\b(?:my|his|her|patient['\u2019]s|their|carries|carrier of|has|have|had)(?: (?:a|an|the"
        r"|two|positive|inherited)){0,2}",
    ),
    _rule(
        "biometric data",
        r"(?<!\w)(?:fingerprints?|iris scans?|retina scans?|face (?:template|scan|id data)"
        r"|facial (?:template|recognition data)|voice ?print|palm ?print|biometric (?:data"
        r"|template|profile)s?)(?!\w)",
        r"\b(?:my|his|her|patient['\u2019]s|their|employee['\u2019]?s['\u2019]?)",
    ),
    _rule(
        "criminal conviction",
        r"(?<!\w)(?:convicted of [\w-]+(?: [\w-]+)?|found guilty of [\w-]+(?: [\w-]+)?"
        r"|criminal record|served time|on parole|on probation|sentenced to [\w-]+ (?:years?"
        r"|months?)[\w' ]{0,20}?imprisonment)(?!\w)",
        rf"{_WHO}[^.!?\n;]{{0,40}}?",
        0.7,
    ),
)
