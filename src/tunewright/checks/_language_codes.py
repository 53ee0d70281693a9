"""Names of languages."""

UNKNOWN = "und"
"""What is said when the language cannot be told (the code of ISO 639-2 for that)."""

# Old, own and too fine codes to ISO 639-1. `no` says nothing of the written form; most of it is Bokmål.
CODES = {"iw": "he", "jw": "jv", "ji": "yi", "in": "id", "no": "nb", "zh-Hant": "zh", "sr-ME": "sr"}
CODES |= {"wuu": "zh", "yue": "zh", "ary": "ar", "arz": "ar", "uzs": "uz", "sdh": "ku", "kik": "ki"}
CODES |= {"hbo": "he", "grc": "el", "gug": "gn", "bh": "bho", "gcr": "ht", "gcf": "ht", "fuv": "ff"}

_SMALLER = """af an ba be bho bs co eo fo fy gd gl gn ht ia ie kk ky la lb mk ms ne nn nso oc rm sa sco sd sr
ss st tg tk tt ug vo wa"""
SMALLER = frozenset(_SMALLER.split())
"""Languages that a larger neighbour is easily taken for: they always get a second opinion."""

_GRASPING = "an bs eo ext gom ia ie la lb lij ltg nn oc sa sco tk vec vo wa"
GRASPING = frozenset(_GRASPING.split())
"""Those of them that take over sentences of larger languages, so that they have to be clearly ahead."""

_PAIRS = ("nb nn da", "id ms", "hr bs sr", "cs sk", "gl pt", "nl af", "bg mk")
_CLOSE = tuple(frozenset(pair.split()) for pair in _PAIRS)


def close(one: str, other: str) -> bool:
    """Whether two languages are the same, or written so alike that a few sentences do not tell them apart."""
    return one == other or any(one in pair and other in pair for pair in _CLOSE)


def plain(code: str) -> str:
    """ISO 639-1, ISO 639-3 where there is no such code, `und` for scripts and for what is no language."""
    code = CODES.get(code, code)
    return UNKNOWN if code == "un" or code.startswith(("xx", "zz")) or len(code) > 3 else code
